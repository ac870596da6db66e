"""A report as Markdown in GitHub's flavour, fit to be pasted into a pull request."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from .charts import curve_table
from .report import Cell, QuestionOutcomes, Report, Table

QUESTIONS = 50  # at most: a comment on GitHub may have 65,536 characters
LONGEST = 200  # characters of a text in the list of questions

_SPECIAL = re.compile(r"[\\`*_\[\]<>|~&$]")
_BLOCK = re.compile(
    r"^(?:(?=[-+#=:])|\d+(?=[.)](?:\s|$)))"
)  # what begins a list, a heading, a line
_LINKED = re.compile(r"(?<!\w)([@#])(?=\w)")  # GitHub would call people and link issues


def markdown(report: Report) -> str:
    """The whole report; of many questions those where the systems differ most."""
    parts = [f"# {escaped(report.title)}"]
    if report.summary:
        pairs = report.summary.items()
        parts.append("\n".join(f"- **{escaped(name)}**: {escaped(text)}" for name, text in pairs))
    for table in (*report.tables, *map(curve_table, report.curves)):
        parts.extend(_table(table))
    if report.questions:
        parts.append(_questions(report.questions))
    return "\n\n".join(parts) + "\n"


def markdown_table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table of cells that are Markdown already: the first column left, the others right."""
    lines = [columns, ["---", *["--:"] * (len(columns) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def escaped(text: str) -> str:
    """The text as one line that Markdown shows as it is, without calling anybody named in it."""
    plain = " ".join(text.split())
    plain = _BLOCK.sub(r"\g<0>\\", _SPECIAL.sub(r"\\\g<0>", plain))
    return _LINKED.sub(r"\1<!-- -->", plain)


def _table(table: Table) -> Iterator[str]:
    yield f"**{escaped(table.caption)}**"
    columns = [escaped(name) for name in table.columns]
    yield markdown_table(columns, [[_figure(cell) for cell in row] for row in table.rows])
    if table.note:
        yield escaped(table.note)
    if table.has_details:
        rows = [[escaped(row[0].text), *map(_detail, row[1:])] for row in table.rows if row]
        yield _folded("Details of the figures", markdown_table(columns, rows))


def _figure(cell: Cell) -> str:
    text = escaped(cell.shown)
    return f"**{text}**" if cell.best and text else text


def _detail(cell: Cell) -> str:
    return escaped(cell.detail or "–")


def _questions(questions: Sequence[QuestionOutcomes]) -> str:
    chosen = sorted(questions, key=_difference, reverse=True)[:QUESTIONS]
    title = f"{len(questions):,} questions"
    if len(chosen) < len(questions):
        title += f", the {len(chosen)} where the systems differ most"
    return _folded(title, "\n".join(map(_question, chosen)))


def _difference(question: QuestionOutcomes) -> float:
    scores = [outcome.score for outcome in question.outcomes.values()]
    return max(scores) - min(scores) if scores else 0.0


def _question(question: QuestionOutcomes) -> str:
    expected = f" – expected: {_shortened(question.expected)}" if question.expected else ""
    lines = [f"- **{_shortened(question.question)}** ({escaped(question.id)}){expected}"]
    lines += [
        f"  - {escaped(system)} {outcome.score:.2f}: {_shortened(outcome.text) or '–'}"
        for system, outcome in question.outcomes.items()
    ]
    return "\n".join(lines)


def _shortened(text: str) -> str:
    return escaped(text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…")


def _folded(title: str, content: str) -> str:
    return f"<details><summary>{title}</summary>\n\n{content}\n\n</details>"
