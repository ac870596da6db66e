"""What a measurement reports, whatever was measured: tables, curves, and question by question.

Every command of `dateline eval` that compares systems makes one `Report`; `eval.showing` shows it
on the terminal and writes it as JSON, Markdown or HTML.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One figure of a table.

    Attributes:
        value: the figure itself, or None where there is none; `text` is how it is shown.
        best: whether it is the best of its column.
        mark: what significance says of it, as a short sign that the table's note explains.
        detail: shown on demand: an interval, a p-value, an effect size.
    """

    text: str
    value: float | None = None
    best: bool = False
    mark: str = ""
    detail: str = ""

    @property
    def shown(self) -> str:
        """The figure with its mark."""
        return f"{self.text} {self.mark}" if self.mark else self.text


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Rows of cells under named columns; `note` explains marks and says what was tested how."""

    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    note: str = ""

    @property
    def has_details(self) -> bool:
        """Whether any of its cells has a detail."""
        return any(cell.detail for row in self.rows for cell in row)


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """Lines over one pair of axes, by the name of the system; points in the order of x.

    Attributes:
        log_x: whether equal ratios of x are equally far apart, as befits ranks from 1 to 100.
    """

    caption: str
    x: str
    y: str
    series: Mapping[str, tuple[tuple[float, float], ...]]
    log_x: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What one system made of one question: its score in [0, 1], and in words what it gave."""

    score: float
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class QuestionOutcomes:
    """One question with every system's outcome, by the system's name."""

    id: str
    question: str
    expected: str
    outcomes: Mapping[str, Outcome]


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A measurement.

    Attributes:
        summary: what was measured, how and on what: command, collection, machine, versions, date.
        questions: for the drill-down; they may be left out.
    """

    title: str
    summary: Mapping[str, str]
    tables: tuple[Table, ...]
    curves: tuple[Curve, ...] = ()
    questions: tuple[QuestionOutcomes, ...] = ()
