"""A report as one HTML file that needs nothing else: no network, no other file.

Tables and charts are there without a script; `page.js` sorts the tables, shows the details of a
figure, and lists the questions, whose outcomes are in the page as JSON. The page's own policy
(Content-Security-Policy) lets no other script and no other style in.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterator, Sequence
from hashlib import sha256
from html import escape
from importlib.resources import files

from .charts import chart, curve_table
from .report import Cell, Curve, QuestionOutcomes, Report, Table

WORDY = 24  # characters from which a cell without a value is text that wraps
LONGEST = 400  # characters of an outcome's text; all of it is in the report's JSON

_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<link rel="icon" href="data:,">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
<header>
<h1>{title}</h1>
<button type="button" id="theme" hidden></button>
</header>
{sections}
<script>{script}</script>
</body>
</html>
"""

_QUESTIONS = """<section id="questions" aria-labelledby="questions-h">
<h2 id="questions-h">Questions</h2>
<noscript><p class="note">The questions are listed by a script, and scripts are off.</p></noscript>
<form id="choose" hidden>
<label class="wide">Search <input type="search" id="search" autocomplete="off"></label>
<label>Show <select id="show"></select></label>
<label>Order <select id="order"></select></label>
<label>Compare <select id="first"></select></label>
<label>with <select id="second"></select></label>
</form>
<p id="count" role="status"></p>
<div id="list"></div>
<button type="button" id="more" hidden>Show more</button>
</section>
<script type="application/json" id="outcomes">{data}</script>"""


def page(report: Report) -> str:
    """The whole report as an HTML document."""
    style, script = _file("page.css"), _file("page.js")
    policy = (
        f"default-src 'none'; style-src '{_hash(style)}'; script-src '{_hash(script)}';"
        " img-src data:; base-uri 'none'; form-action 'none'"
    )
    return _PAGE.format(
        policy=policy,
        title=escape(report.title),
        style=style,
        script=script,
        sections="\n".join(_sections(report)),
    )


def _sections(report: Report) -> Iterator[str]:
    yield "<main>"
    if report.summary:
        yield '<dl class="summary">'
        for name, text in report.summary.items():
            yield f"<div><dt>{escape(name)}</dt><dd>{escape(text)}</dd></div>"
        yield "</dl>"
    if report.tables:
        yield '<section aria-labelledby="tables-h"><h2 id="tables-h">Results</h2>'
        for number, table in enumerate(report.tables):
            yield _table(table, f"t{number}")
        yield "</section>"
    if report.curves:
        yield '<section aria-labelledby="curves-h"><h2 id="curves-h">Curves</h2>'
        yield '<div class="charts">'
        for number, curve in enumerate(report.curves):
            yield _curve(curve, f"c{number}")
        yield "</div></section>"
    if report.questions:
        yield _QUESTIONS.format(data=_embedded(report.questions))
    if not (report.tables or report.curves or report.questions):
        yield '<p class="note">Nothing was measured.</p>'
    yield "</main>"


def _table(table: Table, name: str) -> str:
    """A table that scrolls by itself where it is wider than the page."""
    columns = list(zip(*table.rows, strict=True)) or [()] * len(table.columns)
    marks = [max((cell.mark for cell in column), key=len, default="") for column in columns]
    wordy = [any(map(_is_wordy, column)) for column in columns]
    header = "".join(
        f'<th scope="col"{_class(wordy=each)}>{escape(column)}</th>'
        for column, each in zip(table.columns, wordy, strict=True)
    )
    rows = "\n".join(_row(row, marks, wordy) for row in table.rows)
    details = (
        '<label class="details"><input type="checkbox"> Show details of the figures</label>'
        if table.has_details
        else ""
    )
    note = f'<p class="note">{escape(table.note)}</p>' if table.note else ""
    return (
        f'<div class="measured">{details}'
        f'<div class="scroll" role="region" tabindex="0" aria-labelledby="{name}">\n'
        f'<table><caption id="{name}"><span>{escape(table.caption)}</span></caption>\n'
        f"<thead><tr>{header}</tr></thead>\n<tbody>\n{rows}\n</tbody></table></div>{note}</div>"
    )


def _row(row: Sequence[Cell], marks: Sequence[str], wordy: Sequence[bool]) -> str:
    """A row; `marks` are the longest of each column, `wordy` says which columns are text."""
    head, *others = map(_shown, row, marks)
    cells = [f'<th scope="row">{head}</th>']
    for cell, shown, text in zip(row[1:], others, wordy[1:], strict=True):
        value = "" if cell.value is None else f' data-value="{cell.value!r}"'
        cells.append(f"<td{_class(best=cell.best, wordy=text)}{value}>{shown}</td>")
    return f"<tr>{''.join(cells)}</tr>"


def _is_wordy(cell: Cell) -> bool:
    return cell.value is None and len(cell.text) > WORDY


def _class(**names: bool) -> str:
    given = " ".join(name for name, holds in names.items() if holds)
    return f' class="{given}"' if given else ""


def _shown(cell: Cell, longest: str) -> str:
    """A cell's content; without a mark it keeps the room of its column's longest one."""
    shown = f"<b>{escape(cell.text)}</b>" if cell.best else escape(cell.text)
    if cell.mark:
        shown += f' <span class="mark">{escape(cell.mark)}</span>'
    elif longest:
        shown += f' <span class="mark hollow" aria-hidden="true">{escape(longest)}</span>'
    if cell.best:
        shown += '<span class="unseen"> (best)</span>'
    if cell.detail:
        shown += f'<small class="detail">{escape(cell.detail)}</small>'
    return shown


def _curve(curve: Curve, name: str) -> str:
    values = _table(curve_table(curve), f"{name}-v")
    return (
        f'<div class="curve">{chart(curve, name)}'
        f"<details><summary>Values</summary>{values}</details></div>"
    )


def _embedded(questions: Sequence[QuestionOutcomes]) -> str:
    """The outcomes for the script: `{systems, texts, questions}`, every text only once.

    A question is `[id, question, expected, scores, texts]`: for each system its score, or null
    where it has none, and the number of its text.
    """
    systems = list(dict.fromkeys(name for question in questions for name in question.outcomes))
    texts: dict[str, int] = {}
    rows = []
    for question in questions:
        given = [question.outcomes.get(system) for system in systems]
        rows.append(
            [
                question.id,
                question.question,
                question.expected,
                [outcome and round(outcome.score, 4) for outcome in given],
                [outcome and texts.setdefault(_cut(outcome.text), len(texts)) for outcome in given],
            ]
        )
    data = {"systems": systems, "texts": list(texts), "questions": rows}
    written = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    return written.replace("<", "\\u003c")  # nothing in it can end the script element


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def _file(name: str) -> str:
    return files("eval").joinpath(name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    return f"sha256-{b64encode(sha256(text.encode()).digest()).decode()}"
