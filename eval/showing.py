"""How a report is shown: on the terminal, and as a file of JSON, Markdown or HTML.

A report's JSON is its records (`eval.report`) as they are, all fields given, under a `format`:

    {"format": "dateline-report/1", "title": str, "summary": {name: str},
     "tables": [{"caption": str, "columns": [str], "note": str,
                 "rows": [[{"text": str, "value": number | null, "best": bool,
                            "mark": str, "detail": str}]]}],
     "curves": [{"caption": str, "x": str, "y": str, "log_x": bool,
                 "series": {system: [[x, y]]}}],
     "questions": [{"id": str, "question": str, "expected": str,
                    "outcomes": {system: {"score": number, "text": str}}}]}
"""

from __future__ import annotations

import json
import math
import shlex
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal, cast

from index.errors import LoadError, UsageError

from .files import write_whole
from .guarding import versions
from .measuring import machine
from .report import Cell, Report
from .report import Table as ReportTable

if TYPE_CHECKING:
    from rich.console import Console
    from rich.padding import Padding

Format = Literal["json", "md", "html"]

FORMAT = "dateline-report/1"
UNFOLDED = 100_000  # columns where there is no terminal: files do not fold


def provenance() -> dict[str, str]:
    """What a report says of how it came about: command, date, machine, versions."""
    measured_on = {name: value for name, value in machine().items() if value is not None}
    return {
        "command": shlex.join(["dateline", *sys.argv[1:]]),
        "date": datetime.now().isoformat(" ", "minutes"),
        "machine": ", ".join(f"{name} {value}" for name, value in measured_on.items()),
        "versions": ", ".join(f"{name} {value}" for name, value in versions().items()),
    }


def print_report(report: Report) -> None:
    """The report on standard output, without its single questions."""
    from .charts import curve_table  # noqa: PLC0415

    console = _console()
    console.print(report.title, style="bold")
    for name, value in report.summary.items():
        console.print(f"{name}: {value}")
    for table in (*report.tables, *map(curve_table, report.curves)):
        console.print()
        print_report_table(table)
    if report.questions:
        console.print()
        console.print(
            f"{len(report.questions):,} questions, one by one: in the report as a file"
            " (.html, .md or .json)."
        )


def print_report_table(table: ReportTable) -> None:
    """A table of a report, with its caption and note, on standard output."""
    console = _console()
    console.print(table.caption, style="bold")
    _print_rows(console, table.columns, table.rows)
    if table.note:
        console.print(table.note)


def print_table(
    columns: Iterable[str], rows: Iterable[Sequence[str | Cell]], *, left: int = 1
) -> None:
    """An aligned table on standard output, its first `left` columns to the left."""
    _print_rows(_console(), columns, rows, left)


def report_format(path: Path) -> Format:
    """What a file of that name holds; to be asked before a long measurement.

    Raises:
        UsageError: its name says none of the formats.
    """
    suffix = path.suffix.lower().removeprefix(".")
    if suffix not in ("json", "md", "html"):
        raise UsageError(
            f"The name of {path} does not say its format.", "Name it .html, .md or .json."
        )
    return cast(Format, suffix)


def write_report(report: Report, path: Path) -> None:
    """Write the report as its file's name says: `.json`, `.md` or `.html`.

    The file is replaced at once or not at all; missing folders are made.

    Raises:
        UsageError: the name says none of these.
        OSError: it cannot be written.
    """
    from .markdown import markdown  # noqa: PLC0415
    from .page import page  # noqa: PLC0415

    write = {"json": report_json, "md": markdown, "html": page}[report_format(path)]
    write_whole(path, write(report))


def report_json(report: Report) -> str:
    """The report as a JSON document; a `value` that is not finite is null."""
    document = {"format": FORMAT, **_plain(report)}
    text = json.dumps(document, ensure_ascii=False, indent=1, default=_plain, allow_nan=False)
    return f"{text}\n"


def read_report(path: Path) -> Report:
    """The report in a JSON file that `write_report` wrote.

    Raises:
        UsageError: there is no such file.
        LoadError: it is not such a report; the message says where.
    """
    from pydantic import TypeAdapter, ValidationError  # noqa: PLC0415

    if not path.is_file():
        raise UsageError(f"{path} is not a file.", "Give a report in JSON.")
    data = path.read_bytes()
    try:
        found = json.loads(data)
        if not isinstance(found, dict) or found.get("format") != FORMAT:
            raise LoadError(f"{path} is not a report: its format is not {FORMAT!r}.")
        return TypeAdapter(Report).validate_json(data, strict=True)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise LoadError(f"{path}: {place}: {first['msg']}.") from error
    except ValueError as error:  # not JSON, or not UTF-8
        raise LoadError(f"{path} is not JSON: {error}.") from error


def _plain(value: object) -> dict[str, object]:
    """A record as JSON can hold it."""
    if isinstance(value, Mapping):
        return dict(value)
    if not is_dataclass(value):
        raise TypeError(f"{type(value).__name__} cannot be written as JSON")
    record = {field.name: getattr(value, field.name) for field in fields(value)}
    if isinstance(value, Cell) and not math.isfinite(value.value or 0):
        record["value"] = None
    return record


def _console() -> Console:
    from rich.console import Console  # noqa: PLC0415

    return Console(
        width=None if sys.stdout.isatty() else UNFOLDED,
        markup=False,
        emoji=False,
        highlight=False,
        soft_wrap=not sys.stdout.isatty(),
    )


def _print_rows(
    console: Console,
    columns: Iterable[str],
    rows: Iterable[Sequence[str | Cell]],
    left: int = 1,
) -> None:
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    table = Table(box=None, pad_edge=False)
    for number, name in enumerate(columns):
        justify: Literal["left", "right"] = "left" if number < left else "right"
        table.add_column(Text(name), justify=justify, overflow="fold")
    cells = [[Cell(text=cell) if isinstance(cell, str) else cell for cell in row] for row in rows]
    marks = [max(len(cell.mark) for cell in column) for column in zip(*cells, strict=True)]
    for row in cells:
        # The figures stand under one another, whatever their marks.
        table.add_row(*(_figure(cell, room) for cell, room in zip(row, marks, strict=True)))
    console.print(table)


def _figure(cell: Cell, room: int) -> Padding:
    """A cell that keeps `room` for marks, of which it has one or not."""
    from rich.padding import Padding  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    missing = room - len(cell.mark) + (room > 0 and not cell.mark)
    return Padding(Text(cell.shown, "bold" if cell.best else ""), (0, missing, 0, 0))
