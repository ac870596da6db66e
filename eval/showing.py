"""How a report is shown: on the terminal, and as a file of JSON or Markdown."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path

from index.errors import UsageError

from .report import Report


def print_report(report: Report) -> None:
    """The report's tables on standard output."""
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415

    console = Console(width=None if sys.stdout.isatty() else 160, highlight=False)
    console.print(report.title, style="bold")
    for name, value in report.summary.items():
        console.print(f"{name}: {value}", markup=False)
    for table in report.tables:
        shown = Table(box=None, pad_edge=False)
        for number, name in enumerate(table.columns):
            shown.add_column(name, justify="right" if number else "left", overflow="fold")
        for row in table.rows:
            cells = (f"{cell.text}{cell.mark}" for cell in row)
            shown.add_row(*cells)
        console.print()
        console.print(shown)
        console.print(table.note, markup=False)


def report_format(path: Path) -> str:
    """What a file of that name holds; to be asked before a long measurement.

    Raises:
        UsageError: its name says none of the formats.
    """
    suffix = path.suffix.removeprefix(".")
    if suffix not in ("json", "md"):
        raise UsageError(f"{path} has no suffix that says what to write.", "Use .md or .json.")
    return suffix


def write_report(report: Report, path: Path) -> None:
    """The report as JSON, or as Markdown where the name ends so."""
    text = _markdown(report) if report_format(path) == "md" else report_json(report)
    path.write_text(text, encoding="utf-8")


def report_json(report: Report) -> str:
    """The report's records as one JSON document."""
    return json.dumps(asdict(report), ensure_ascii=False, indent=1)


def _markdown(report: Report) -> str:
    lines = [f"# {report.title}", ""]
    lines += [f"- {name}: {value}" for name, value in report.summary.items()]
    for table in report.tables:
        lines += ["", f"## {table.caption}", "", f"| {' | '.join(table.columns)} |"]
        lines.append(f"|---|{'---:|' * (len(table.columns) - 1)}")
        for row in table.rows:
            cells = (f"**{c.text}**{c.mark}" if c.best else f"{c.text}{c.mark}" for c in row)
            lines.append(f"| {' | '.join(cells)} |")
        lines += ["", table.note]
    return "\n".join([*lines, ""])
