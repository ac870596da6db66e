"""Set-ups side by side: the figures, who is best, the marks given, the values for paired tests."""

from dataclasses import replace

import pytest

from eval.answer_report import answer_report, question_values, summaries
from eval.datasets import Example
from eval.open_domain import evaluate_open_domain
from eval.setups import AnswerSetup

EXAMPLES = (
    Example("0", "T", "Tea is grown in China.", "Where is tea grown?", ("China",), False),
    Example(
        "1", "T", "Coffee comes from Brazil.", "Where does coffee come from?", ("Peru",), False
    ),
    Example("2", "T", "Coffee comes from Brazil.", "Who drinks the tea of China?", (), True),
)


@pytest.fixture
def results(tmp_path, light):
    def run(**setup):
        return evaluate_open_domain(
            EXAMPLES,
            "tiny",
            unanswerable=True,
            work=tmp_path,
            setup=AnswerSetup(**setup),
            fresh_starts=False,
        )

    one = run()
    worse = replace(
        one,
        exact_match=0.25,
        rows=tuple(
            replace(row, prediction="x", f1=0.0, exact_match=0.0, abstained=False)
            for row in one.rows
        ),
    )
    return {"first": one, "second": worse}


def test_values_for_paired_tests(results):
    values = question_values(results)
    assert values["first"]["EM"] == {"0": 1.0, "1": 0.0}
    assert values["second"]["F1"] == {"0": 0.0, "1": 0.0}
    assert set(values["first"]["told F1"]) == {"0", "1", "2"}
    assert values["second"]["told F1"]["2"] == 0.0  # answered, though there is no answer
    assert values["first"]["passage@5"]["0"] == 1.0
    for measure, found in values["first"].items():
        assert found.keys() == values["second"][measure].keys()


def test_the_report(results):
    report = answer_report(results, title="Answers", summary={"machine": "a"}, baseline="first")
    assert report.summary["questions"] == "3, 2 of them answerable"
    main, depth, slots = report.tables
    assert [row[0].text for row in main.rows] == ["first", "second"]
    column = main.columns.index("EM")
    first, second = (row[column] for row in main.rows)
    assert (first.value, first.text, first.best, first.mark) == (0.5, "0.500", True, "")
    assert (second.value, second.best, second.mark) == (0.25, False, "")  # of two questions
    assert "against first" in second.detail
    assert "95 %" in first.detail
    assert main.note.endswith("tested: EM, F1, span@5, passage@5, told F1.")
    assert "false answers" in main.columns
    assert depth.columns[1:3] == ("span@1", "span@3")
    assert slots.columns == ("system", "where (2)")  # "who" has no answerable question
    (curve,) = report.curves
    assert set(curve.series) == {"first", "second"}
    assert all(0 <= x <= 1 and 0 <= y <= 1 for points in curve.series.values() for x, y in points)
    # The question that they differ on stands first.
    assert (
        report.questions[0].outcomes["first"].score > report.questions[0].outcomes["second"].score
    )
    expected = {question.id: question.expected for question in report.questions}
    assert expected == {"0": "China", "1": "Peru", "2": "no answer"}


def test_equal_figures_have_no_best(results):
    report = answer_report(
        {"a": results["first"], "b": results["first"]}, title="", summary={}, baseline="a"
    )
    assert not any(cell.best for row in report.tables[0].rows for cell in row)


def test_what_is_really_worse_is_marked(results):
    """Twenty questions, all answered by one and none by the other."""

    def repeated(result, score):
        rows = [replace(result.rows[0], id=str(n), exact_match=score, f1=score) for n in range(20)]
        return replace(result, rows=tuple(rows), exact_match=score, f1=score)

    better, worse = (repeated(results["first"], score) for score in (1.0, 0.0))
    report = answer_report(
        {"better": better, "worse": worse}, title="", summary={}, baseline="better"
    )
    main = report.tables[0]
    column = main.columns.index("F1")
    assert main.rows[0][0].mark == "◆"
    assert main.rows[1][column].mark == "▼"
    assert "0 won, 20 lost" in main.rows[1][column].detail
    _, second = summaries({"better": better, "worse": worse}, "better")
    assert second["system"] == "worse"
    assert second["against_baseline"]["F1"]["adjusted_p"] < 0.05


def test_one_set_up_alone_is_compared_with_nothing(results):
    report = answer_report({"first": results["first"]}, title="", summary={}, baseline="first")
    assert "▲" not in report.tables[0].note
    assert report.tables[0].rows[0][0].mark == ""
