"""`dateline eval small`: the little regression set against its baseline."""

from __future__ import annotations

import time
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from index.errors import DatelineError

from . import showing, tables
from .lines import write_rows
from .measuring import machine
from .options import JsonOption, OutOption

SHOWN = 15  # questions that fell, in the terminal


app = typer.Typer()


@app.command(epilog="Example: dateline eval small --json")
def small(
    *,
    against: Annotated[
        Path | None,
        typer.Option(metavar="BASELINE", help="File to compare with (default: the bundled one)."),
    ] = None,
    save_baseline: Annotated[
        bool, typer.Option("--save-baseline", help="Write the figures there instead.")
    ] = False,
    out: OutOption = None,
    as_json: JsonOption = False,
) -> None:
    """Is anything worse than it was? A little of everything, in half a minute.

    Retrieval, answers and their citations, dates, events and conversations over bundled documents.
    Exits with 1 if a figure is worse than the baseline's by more than its tolerance.
    """
    from index.inference import engine_name  # noqa: PLC0415

    from . import small as guard  # noqa: PLC0415
    from .setups import AnswerSetup, assistant_for  # noqa: PLC0415

    path = against or guard.BASELINE
    before = None if save_baseline else guard.load_baseline(path)
    started = time.perf_counter()
    with guard.small_index() as index:
        measured = guard.measure(assistant_for(index, AnswerSetup(explain=True)))
    seconds = time.perf_counter() - started
    if before is None:
        about = {**machine(), "engine": engine_name()}
        del about["load"]
        guard.save_baseline(path, measured, about)
        typer.echo(f"Wrote the figures of {seconds:.0f} s to {path}.", err=True)
        return
    compared = guard.checks(measured, before)
    questions = guard.scored(measured, before)
    fallen = [question for question in questions if question.fell_by]
    write_rows(out, questions)
    if as_json:
        figures = {
            name: {
                "value": check.figure.value,
                "baseline": check.before,
                "better_by": check.change,
                "tolerance": check.figure.tolerance,
                "verdict": check.verdict,
            }
            for name, check in compared.items()
        }
        fell = [asdict(question) for question in fallen]
        tables.print_json({"seconds": seconds, "figures": figures, "fell": fell})
    else:
        note = f"{len(compared)} figures in {seconds:.0f} s, {engine_name()}."
        showing.print_report_table(guard.checks_table(compared, note))
        for question in fallen[:SHOWN]:
            typer.echo(
                f"fell: {question.part} {question.id}, {question.before:.3f} to"
                f" {question.score:.3f}"
            )
        if len(fallen) > SHOWN:
            typer.echo(f"… and {len(fallen) - SHOWN} more: --json or --out")
    worse = [name for name, check in compared.items() if check.verdict == "worse"]
    if worse:
        raise DatelineError(
            f"Worse than the baseline: {'; '.join(worse)}.",
            "If this is meant: dateline eval small --save-baseline",
        )
