"""A report on the terminal, as JSON and as Markdown: what it says is what was measured."""

import json
import math
import os
import re
from types import MappingProxyType

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from eval.charts import curve_table
from eval.files import write_whole
from eval.markdown import QUESTIONS, escaped, markdown
from eval.report import Cell, Curve, Outcome, QuestionOutcomes, Report, Table
from eval.showing import (
    FORMAT,
    print_report,
    print_table,
    read_report,
    report_format,
    write_report,
)
from index.errors import LoadError, UsageError

NASTY = "</script><img src=x onerror=alert(1)> | `a` *b* _c_ [d](e) &amp; @me #1 \\ 100 %"

words = st.text(st.characters(exclude_categories=["Cs"]), max_size=20) | st.just(NASTY)
numbers = st.floats(allow_nan=False, allow_infinity=False)
cells = st.builds(
    Cell, text=words, value=st.none() | numbers, best=st.booleans(), mark=words, detail=words
)


@st.composite
def tables(draw):
    columns = draw(st.lists(words, min_size=1, max_size=4))
    rows = draw(st.lists(st.tuples(*[cells] * len(columns)), max_size=3))
    return Table(caption=draw(words), columns=tuple(columns), rows=tuple(rows), note=draw(words))


curves = st.builds(
    Curve,
    caption=words,
    x=words,
    y=words,
    series=st.dictionaries(
        words, st.lists(st.tuples(numbers, numbers), max_size=4).map(sorted).map(tuple), max_size=3
    ),
    log_x=st.booleans(),
)
outcomes = st.builds(Outcome, score=st.floats(0, 1), text=words)
asked = st.builds(
    QuestionOutcomes,
    id=words,
    question=words,
    expected=words,
    outcomes=st.dictionaries(words, outcomes, max_size=3),
)
reports = st.builds(
    Report,
    title=words,
    summary=st.dictionaries(words, words, max_size=3),
    tables=st.lists(tables(), max_size=2).map(tuple),
    curves=st.lists(curves, max_size=2).map(tuple),
    questions=st.lists(asked, max_size=3).map(tuple),
)


def sample(questions=3):
    table = Table(
        caption="Ranking",
        columns=("system", "nDCG@10"),
        rows=(
            (Cell(text="hybrid"), Cell(text="0.357", value=0.357, best=True, mark="▲")),
            (Cell(text="bm25"), Cell(text="0.331", value=0.331, detail="95 % 0.30 to 0.36")),
        ),
        note="▲ better than bm25, p < 0.05.",
    )
    curve = Curve(
        caption="Depth", x="k", y="recall", series={"hybrid": ((1, 0.5), (3, 0.7)), "bm25": ()}
    )
    return Report(
        title="Retrieval",
        summary={"collection": "tiny"},
        tables=(table,),
        curves=(curve,),
        questions=tuple(
            QuestionOutcomes(
                id=f"q{number}",
                question="Who?",
                expected="Ann",
                outcomes={
                    "a": Outcome(score=number / questions, text="Ann"),
                    "b": Outcome(score=0),
                },
            )
            for number in range(questions)
        ),
    )


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(report=reports)
def test_json_gives_the_report_back(report, tmp_path_factory):
    path = tmp_path_factory.getbasetemp() / "report.json"
    write_report(report, path)
    assert read_report(path) == report


def test_json_names_its_format_and_has_no_nan(tmp_path):
    broken = Table(caption="", columns=("a",), rows=((Cell(text="–", value=math.nan),),))
    path = tmp_path / "new" / "folder" / "report.JSON"
    summary = MappingProxyType({"half a pair": "\ud800"})
    write_report(Report(title="T", summary=summary, tables=(broken,)), path)
    found = json.loads(path.read_bytes(), parse_constant=pytest.fail)
    assert found["format"] == FORMAT
    assert found["summary"] == {"half a pair": "?"}
    assert found["tables"][0]["rows"][0][0]["value"] is None


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"{", "is not JSON"),
        (b"\xff", "is not JSON"),
        (b"[]", "is not a report"),
        (b'{"format": "other/1"}', "is not a report"),
        (b'{"format": "%s", "title": 1}' % FORMAT.encode(), "title: Input should be"),
        (b'{"format": "%s", "title": "", "summary": {}}' % FORMAT.encode(), "tables: Missing|requ"),
    ],
)
def test_a_damaged_report_is_named_with_the_place(tmp_path, content, problem):
    path = tmp_path / "report.json"
    path.write_bytes(content)
    with pytest.raises(LoadError, match=problem) as caught:
        read_report(path)
    assert str(path) in str(caught.value)


def test_what_is_no_report_is_wrong_usage(tmp_path):
    with pytest.raises(UsageError, match="not a file"):
        read_report(tmp_path / "none.json")
    with pytest.raises(UsageError, match=r"\.html, \.md or \.json"):
        report_format(tmp_path / "report.pdf")
    with pytest.raises(UsageError):
        write_report(sample(), tmp_path / "report")
    assert list(tmp_path.iterdir()) == []


def test_a_failed_write_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "report.md"
    write_whole(path, "old")

    def fail(*_):
        raise OSError("disk full")

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(OSError, match="disk full"):
        write_whole(path, "new")
    assert [file.name for file in tmp_path.iterdir()] == ["report.md"]
    assert path.read_text() == "old"


def test_the_terminal_shows_everything_but_the_questions(capsys):
    print_report(sample())
    out = capsys.readouterr().out
    assert "collection: tiny\n" in out
    assert "hybrid  0.357 ▲" in out
    assert re.search(r"bm25    0\.331 *\n", out)  # the figures stand under one another
    assert "▲ better than bm25" in out
    assert "Depth: recall by k" in out
    assert "3 questions" in out
    assert "\x1b" not in out


def test_nothing_is_folded_or_taken_as_markup_in_a_pipe(capsys):
    long = "x" * 300
    print_table(["", long], [["[bold]a[/bold] :smile:", long]])
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2
    assert lines[1] == f"[bold]a[/bold] :smile:  {long}"


def test_the_best_is_bold_on_a_terminal(capsys, monkeypatch):
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setenv("TERM", "xterm-256color")
    print_table(["a", "b"], [["x", Cell(text="0.5", best=True)], ["y", "0.4"]])
    assert "\x1b[1m0.5\x1b[0m" in capsys.readouterr().out


def plain_text(tokens):
    """What a reader sees of inline Markdown; our comments against mentions are not seen."""
    return "".join(
        " " if token.type == "softbreak" else token.content
        for token in tokens
        if token.type in ("text", "text_special", "code_inline", "softbreak")
    )


@settings(deadline=None)
@given(text=words)
def test_markdown_shows_a_text_as_it_is(text):
    parser = MarkdownIt("commonmark").enable(["table", "strikethrough"])
    for document, wanted in (
        (escaped(text), " ".join(text.split())),
        (f"| a |\n| --- |\n| x{escaped(text)} |", "x" + " ".join(text.split())),
    ):
        tokens = parser.parse(document)
        if tokens:
            inline = [token for token in tokens if token.type == "inline"][-1]
            assert all(
                child.content == "<!-- -->" for child in inline.children if "html" in child.type
            )
            assert plain_text(inline.children).split() == wanted.replace("\0", "\ufffd").split()


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(report=reports)
def test_markdown_holds_every_row_as_one_line(report):
    lines = [line for line in markdown(report).splitlines() if line.startswith("| ")]
    shown = [*report.tables, *map(curve_table, report.curves)]
    rows = sum((2 + len(table.rows)) * (1 + table.has_details) for table in shown)
    assert len(lines) == rows


def test_markdown_is_ready_for_a_pull_request():
    text = markdown(sample(QUESTIONS + 10))
    assert "| system | nDCG@10 |\n| --- | --: |\n| hybrid | **0.357 ▲** |" in text
    assert "<details><summary>Details of the figures</summary>" in text
    assert "| bm25 | 95 % 0.30 to 0.36 |" in text
    assert f"60 questions, the {QUESTIONS} where the systems differ most" in text
    assert text.index("(q59)") < text.index("(q58)")
    assert "(q9)" not in text
    assert "  - b 0.00: –" in text
    assert "@<!-- -->me" in escaped("call @me")


def test_a_curve_becomes_a_table_of_its_points():
    few = curve_table(sample().curves[0])
    assert few.columns == ("k", "1", "3")
    assert [cell.text for cell in few.rows[0]] == ["hybrid", "0.500", "0.700"]
    assert [cell.text for cell in few.rows[1]] == ["bm25", "–", "–"]
    assert few.note == ""

    line = tuple((i / 40, i / 20) for i in range(41))
    many = curve_table(Curve(caption="", x="x", y="y", series={"a": line, "b": line[:21]}))
    assert many.columns[1:] == (
        "0",
        "0.1",
        "0.2",
        "0.3",
        "0.4",
        "0.5",
        "0.6",
        "0.7",
        "0.8",
        "0.9",
        "1",
    )
    assert [cell.value for cell in many.rows[0][1:]] == pytest.approx([i / 5 for i in range(11)])
    assert [cell.text for cell in many.rows[1]][-2:] == ["–", "–"]  # it ends at 0.5
    assert many.note
