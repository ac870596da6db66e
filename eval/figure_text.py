"""How the README writes figures: shares, times, tables of reports."""

from __future__ import annotations

from collections.abc import Mapping
from textwrap import fill
from typing import Any, TypeAlias

from .comparing import ALPHA
from .markdown import escaped, markdown_table

Json: TypeAlias = Any  # what a command printed

LINE = 116  # characters of a line of prose


def report_table(table: Json) -> str:
    """A table of a report, without its details."""
    rows = [
        [
            f"**{text}**" if cell["best"] else text
            for cell in row
            for text in [escaped(cell["text"]) + cell["mark"]]
        ]
        for row in table["rows"]
    ]
    return markdown_table(table["columns"], rows)


def mark_of(result: Json, measure: str) -> str:
    """What the comparison with the baseline says of a figure, as `Comparison.mark` does."""
    compared = result["against_baseline"].get(measure)
    if compared is None or compared["adjusted_p"] >= ALPHA:
        return ""
    return " ▲" if compared["difference"] > 0 else " ▼"


def half_name(name: str) -> str:
    """What a half of the questions is called."""
    return name.replace("development", "developed on")


def decimal(value: float | None, digits: int = 3) -> str:
    """A share as ".331"; nothing and all as "0" and "1"."""
    if value is None:
        return "–"
    return f"{value:.0f}" if value in (0, 1) else f"{value:.{digits}f}".removeprefix("0")


def percent(share: float | None) -> str:
    """A share in whole percent."""
    return "–" if share is None else f"{100 * share:.0f} %"


def in_hundred(result: Mapping[str, Any], field: str) -> str:
    """A share among a result's fields, in hundredths with one digit more."""
    return f"{100 * result[field]:.1f}"


def with_interval(result: Mapping[str, Any], field: str) -> str:
    """The same with its interval, the field `FIELD_interval`."""
    interval = result[f"{field}_interval"]
    low, high = (in_hundred(interval, end) for end in ("low", "high"))
    return f"{in_hundred(result, field)} ({low}–{high})"


def p50_p95(latency: Mapping[str, float]) -> str:
    """Median and 95th percentile."""
    return f"{rounded(latency['p50'])} / {rounded(latency['p95'])}"


def pair(one: float | None, other: float | None) -> str:
    """Two figures, or a dash where there are none."""
    return "–" if one is None else f"{rounded(one)} / {rounded(other)}"


def rounded(value: float | None) -> str:
    """A figure with two or three digits that matter."""
    if value is None:
        return "–"
    return f"{value:,.0f}" if value >= 20 else f"{value:.1f}" if value >= 1 else f"{value:.2f}"


def whole(value: float | None) -> str:
    """A figure without a fraction."""
    return "–" if value is None else f"{value:,.0f}"


def prose(text: str) -> str:
    """A paragraph in lines of Markdown."""
    return fill(text, LINE, break_long_words=False, break_on_hyphens=False)
