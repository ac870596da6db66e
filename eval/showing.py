"""How a report is shown: on the terminal, or in a file whose suffix says how."""

from __future__ import annotations

import html
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from .report import Cell, Report
from .tables import WIDTH


def print_report(report: Report) -> None:
    """The tables of a report on stdout."""
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415

    console = Console(width=None if sys.stdout.isatty() else WIDTH)
    for table in report.tables:
        shown = Table(box=None, pad_edge=False, title=table.caption, title_justify="left")
        for number, name in enumerate(table.columns):
            shown.add_column(name, justify="left" if number == 0 else "right", overflow="fold")
        for row in table.rows:
            shown.add_row(*map(_text, row))
        console.print(shown)
        if table.note:
            console.print(table.note, markup=False, highlight=False)
        console.print()


def write_report(report: Report, path: Path) -> None:
    """Write a report as JSON, Markdown or HTML, by the suffix of `path`."""
    text = {".json": _json, ".md": _markdown, ".html": _html}[path.suffix.lower()](report)
    path.write_text(text, encoding="utf-8")


def _text(cell: Cell) -> str:
    return cell.text + cell.mark


def _json(report: Report) -> str:
    return json.dumps(asdict(report), ensure_ascii=False, indent=1)


def _markdown(report: Report) -> str:
    lines = [f"# {report.title}", ""]
    lines += [f"- {name}: {value}" for name, value in report.summary.items()]
    for table in report.tables:
        lines += [
            "",
            f"## {table.caption}",
            "",
            _row(table.columns),
            _row(["---"] * len(table.columns)),
        ]
        lines += [_row([_text(cell) for cell in row]) for row in table.rows]
        lines += ["", table.note]
    return "\n".join(lines) + "\n"


def _row(texts: Sequence[str]) -> str:
    return f"| {' | '.join(text.replace('|', '&#124;') for text in texts)} |"


def _html(report: Report) -> str:
    parts = [f"<!doctype html><meta charset=utf-8><title>{html.escape(report.title)}</title>"]
    for table in report.tables:
        head = "".join(f"<th>{html.escape(name)}" for name in table.columns)
        rows = "".join(
            "<tr>"
            + "".join(f"<td title='{html.escape(c.detail)}'>{html.escape(_text(c))}" for c in row)
            for row in table.rows
        )
        parts.append(f"<h2>{html.escape(table.caption)}</h2><table><tr>{head}{rows}</table>")
        parts.append(f"<p>{html.escape(table.note)}")
    return "\n".join(parts)
