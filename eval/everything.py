"""`dateline eval all`: every measurement whose data is there, then the README's figures."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from index.errors import DatelineError, UsageError


def everything(
    *,
    data: Annotated[
        Path | None,
        typer.Option(
            envvar="DATELINE_DATA",
            help="Folder with the test collections (default: only what is bundled is measured).",
        ),
    ] = None,
    only: Annotated[
        list[str] | None, typer.Option(help="Only this measurement; may be repeated.")
    ] = None,
    results: Annotated[
        Path | None, typer.Option(help="Where results are kept (default: in the cache).")
    ] = None,
    readme: Annotated[
        Path | None, typer.Option(help="Rewrite the regions marked in this file from the results.")
    ] = None,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Measure again what was measured already.")
    ] = False,
    list_only: Annotated[
        bool, typer.Option("--list", help="Say how it stands with each; measure nothing.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Run every measurement whose data is there, and write the README's figures from the results.

    What was measured with the same code, data, libraries and machine is not measured again, so
    that a stopped run goes on where it was. Exits with 1 if a measurement failed.
    """
    from index.inference import cache_folder  # noqa: PLC0415

    from .measurements import (  # noqa: PLC0415
        MEASUREMENTS,
        Status,
        chosen,
        measure,
        survey,
    )
    from .regions import Rewritten, regions_of, rewrite  # noqa: PLC0415
    from .showing import print_table  # noqa: PLC0415
    from .tables import print_json  # noqa: PLC0415

    if data and not data.is_dir():
        raise UsageError(f"{data} is not a folder.", "Give the folder with the test collections.")
    if readme and not readme.is_file():
        raise UsageError(f"{readme} is not a file.", "Give the Markdown file with the regions.")
    if readme:
        regions_of(readme.read_text(encoding="utf-8"), str(readme))  # before hours of measuring
    results = results or cache_folder() / "results"
    wanted = chosen(only)
    statuses: list[Status] = []
    for number, measurement in enumerate(MEASUREMENTS, 1):
        status = survey(measurement, data, results)
        due = status.state in ("older", "not measured") or (fresh and status.state == "kept")
        if due and measurement in wanted and not list_only:
            title = f"[{number}/{len(MEASUREMENTS)}] {measurement.name}: {measurement.command}"
            typer.secho(title, bold=True, err=True)
            try:
                status = measure(measurement, data, results)
            except KeyboardInterrupt:
                typer.echo(f"\nStopped. The results so far are in {results}.", err=True)
                raise
            if status.state == "failed":
                typer.secho(f"{measurement.name} failed: {status.note}", fg="red", err=True)
        statuses.append(status)
    written: Rewritten | None = rewrite(readme, results) if readme and not list_only else None

    if as_json:
        print_json(
            {
                "data": str(data) if data else None,
                "results": str(results),
                "measurements": [asdict(status) for status in statuses],
                "readme": asdict(written) if written else None,
            }
        )
    else:
        rows = [
            (
                status.name,
                f"{status.state}: {status.note}" if status.note else status.state,
                "" if status.seconds is None else f"{status.seconds:,.0f} s",
            )
            for status in statuses
        ]
        print_table(["measurement", "state", "took"], rows, left=2)
        typer.echo(f"Results: {results}")
        if written:
            changed = ", ".join(written.changed) or "nothing changed"
            typer.echo(f"{readme}: {changed}")
            for name, missing in written.left.items():
                typer.echo(f"  {name} left as it is: no result of {', '.join(missing)}")
    failed = [status.name for status in statuses if status.state == "failed"]
    if failed:
        raise DatelineError(f"Failed: {', '.join(failed)}.", "What it said is above.")
