"""`dateline eval peers`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from index.errors import DatelineError, UsageError

from .options import JsonOption, ReportOption, WorkOption, check_reports

app = typer.Typer()


@app.command(epilog="Example: dateline eval peers dev-v1.1.json --only haystack")
def peers(
    file: Annotated[
        Path | None,
        typer.Argument(help="A SQuAD .json or .jsonl[.gz] file (default: the bundled sample)."),
    ] = None,
    *,
    questions: Annotated[int, typer.Option(min=1, help="How many questions to sample.")] = 500,
    seed: Annotated[int, typer.Option(help="Of the sample.")] = 0,
    only: Annotated[
        list[str] | None,
        typer.Option(help="Only this system beside Dateline; may be repeated (haystack, txtai)."),
    ] = None,
    report: ReportOption = None,
    work: WorkOption = None,
    as_json: JsonOption = False,
) -> None:
    """Haystack, txtai, rank-bm25 and bm25s on the same passages, models and questions.

    One table: quality, speed, memory, and what each cannot do. The extra `peers` installs them
    all; a system that is not installed is left out. Exits with 1 if one failed.
    """
    from index.inference import engine_name  # noqa: PLC0415

    from .datasets import load_squad  # noqa: PLC0415
    from .peer_report import peer_report  # noqa: PLC0415
    from .peer_systems import SYSTEMS  # noqa: PLC0415
    from .peers import compare, sample_task, squad_task  # noqa: PLC0415
    from .showing import print_report, provenance, report_json, write_report  # noqa: PLC0415

    check_reports(report or ())
    wanted = {name.casefold() for name in only or ()}
    known = {system.name.casefold() for system in SYSTEMS}
    if unknown := wanted - known:
        raise UsageError(
            f"There is no system {sorted(unknown)[0]!r} to compare with.",
            f"Use {', '.join(system.name.casefold() for system in SYSTEMS if system.requires)}.",
        )
    chosen = [
        system
        for system in SYSTEMS
        if not wanted or not system.requires or system.name.casefold() in wanted
    ]
    for system in chosen:
        if missing := system.missing():
            typer.echo(
                f"{system.name} is left out: {', '.join(missing)} is not installed."
                " Install it: pip install 'dateline[peers]'",
                err=True,
            )
    summary = {**provenance(), "Dateline's engine": engine_name()}
    if file:
        name = file.name.split(".")[0]
        task = squad_task(load_squad(file), name, questions=questions, seed=seed, work=work)
    else:
        task = sample_task(work)
    installed = [system for system in chosen if not system.missing()]
    measured = list(compare(task, installed, work=work))
    if not measured:
        raise DatelineError("No system could be measured.", "See the messages above.")
    result = peer_report(task, measured, summary)
    for path in report or ():
        write_report(result, path)
    if as_json:
        typer.echo(report_json(result))
    else:
        print_report(result)
    if len(measured) < len(installed):
        raise typer.Exit(1)
