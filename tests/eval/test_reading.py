"""Given-passage reading, with a reader that knows its answers, and once with the shipped one."""

import json
from types import SimpleNamespace
from typing import ClassVar

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import HashEmbedder
from test_metrics import defined_best
from typer.testing import CliRunner

from eval import cli, evaluate_reading, tables
from eval.abstention import no_answer_scores
from eval.datasets import Example
from eval.metrics import exact_match, f1
from eval.reading import ReadingRow
from index.errors import UsageError
from qa.reader import Reader, ReadSpan

TEA = "Green tea is grown in southern China. The harvest begins in April."
BRIDGE = "The bridge cost 3.5 million crowns. Maria Nilsen opened it in Oslo."
EXAMPLES = (
    Example("1", "Green_tea", TEA, "Where is  green tea grown?", ("southern China",), False),
    Example("2", "Green_tea", TEA, "When does the harvest begin?", ("April", "in April"), False),
    Example("3", "Bridge", BRIDGE, "Who opened the bridge?", ("Maria Nilsen",), False),
    Example("4", "Bridge", BRIDGE, "Who designed the bridge?", (), True),
)
KNOWN = {  # what FakeReader finds, and how sure it is of it
    "where": ("in southern China", 9.0),
    "when": ("April", 12.0),
    "opened": ("Nilsen", 8.0),
    "designed": ("Maria Nilsen", -20.0),
}


class FakeReader:
    """Looks its answers up, by a word that must be spelt right."""

    settings = Reader().settings
    engine = SimpleNamespace(name="fake")

    def __init__(self):
        self.asked = []

    def read(self, question, passages, best=5):
        self.asked.append(question)
        (passage,) = passages
        for word, (text, margin) in KNOWN.items():
            if word in question.lower().split() and text in passage:
                start = passage.index(text)
                return [[ReadSpan(start, start + len(text), margin)]]
        return [[]]


@pytest.fixture
def evaluate():
    def run(examples=EXAMPLES, **options):
        options = {"reader": FakeReader(), "embedder": HashEmbedder(), **options}
        return evaluate_reading(examples, "tiny", **options)

    return run


def test_rows_are_verbatim_and_scored(evaluate):
    result = evaluate()
    texts = {e.id: e.context for e in EXAMPLES}
    for row in result.rows:
        assert texts[row.id][row.start : row.end] == row.prediction
        assert 0 <= row.confidence <= 1
    assert [row.exact_match for row in result.rows] == [0, 1, 0, 0]
    assert [row.f1 for row in result.rows] == [pytest.approx(0.8), 1, pytest.approx(2 / 3), 0]
    assert [row.right for row in result.rows] == [True, True, True, False]
    assert result.rows[0].question == "Where is green tea grown?"  # tidied, as `ask` does
    assert (result.questions, result.answerable, result.engine) == (4, 3, "fake")
    assert result.exact_match == pytest.approx(1 / 3)
    assert result.f1 == pytest.approx((0.8 + 1 + 2 / 3) / 3)
    assert result.f1_interval.low <= result.f1 <= result.f1_interval.high


def test_scores_with_no_answer(evaluate):
    found = evaluate().no_answer
    assert found.unanswerable == 1
    assert found.best_f1.score == pytest.approx((0.8 + 1 + 2 / 3 + 1) / 4)
    assert found.best_exact_match.score == pytest.approx((1 + 1) / 4)
    assert found.roc_auc == 1.0
    assert evaluate(EXAMPLES[:3]).no_answer is None


def test_confidence_rises_with_margin_and_with_a_passage_on_the_subject(evaluate):
    opened, designed = (row.confidence for row in evaluate().rows[2:])
    assert opened > designed
    elsewhere = Example("3", "Bridge", BRIDGE, "Who opened the xylophone recital?", ("x",), False)
    assert evaluate([elsewhere]).rows[0].confidence < opened


def test_nothing_found(evaluate):
    silent = Example("5", "", "No names.", "Whose is it?", ("No",), False)
    row = evaluate([silent]).rows[0]
    assert (row.prediction, row.confidence, row.f1, row.cuts_a_word) == ("", 0.0, 0.0, False)


def test_only_unanswerable_questions(evaluate):
    with pytest.raises(UsageError, match="No question is answerable"):
        evaluate(EXAMPLES[3:])


def test_questions_can_be_asked_of_passages_that_do_not_answer_them(evaluate):
    tea = (
        "A tea harvest in southern China.",  # holds the answer
        "Tea harvests pay the village.",
        "Prices fell.",
    )
    where, *_, bridge, _ = EXAMPLES
    others = [Example(f"t{n}", "Green_tea", text, "Who?", (), True) for n, text in enumerate(tea)]
    result = evaluate((where, bridge, *others), elsewhere=True)
    rows = {row.id: row for row in result.rows}
    assert list(rows) == ["1", "3", "t0", "t1", "t2", "1 elsewhere"]  # the bridge has one passage
    asked = rows["1 elsewhere"]
    assert asked.unanswerable
    assert not asked.right
    assert (result.questions, result.answerable) == (6, 2)
    assert result.f1 == evaluate((where, bridge)).f1


def test_the_nearest_passage_without_the_answer_is_asked(evaluate):
    class Seeing(FakeReader):
        seen: ClassVar = []

        def read(self, question, passages, best=5):
            self.seen.append((question, *passages))
            return super().read(question, passages, best)

    near, far = "The green tea is grown where it is wet.", "Prices fell in the autumn of that year."
    others = [
        Example(f"{n}", "Green_tea", text, "Who?", (), True) for n, text in ((8, far), (9, near))
    ]
    evaluate((EXAMPLES[0], *others), reader=Seeing(), elsewhere=True)
    assert Seeing.seen[-1] == ("Where is green tea grown?", near)


def test_limit_is_a_fixed_sample(evaluate):
    many = [
        Example(str(n), "Green_tea", TEA, "When does it begin?", ("April",), False)
        for n in range(50)
    ]
    ids = [row.id for row in evaluate(many, limit=10, seed=3).rows]
    assert len(set(ids)) == 10
    assert ids == [row.id for row in evaluate(many, limit=10, seed=3).rows]
    assert ids != [row.id for row in evaluate(many, limit=10, seed=4).rows]


def test_breakdowns(evaluate):
    result = evaluate()
    assert {slot: s.questions for slot, s in result.by_slot.items()} == {
        "who": 2,
        "when": 1,
        "where": 1,
    }
    assert result.by_slot["when"].f1 == 1.0
    assert (result.by_slot["who"].f1, result.by_slot["who"].false_answers) == (
        pytest.approx(2 / 3),
        0.0,
    )
    assert result.by_type == {}
    assert result.spans.leading_preposition == pytest.approx(1 / 3)
    assert result.spans.too_short == pytest.approx(1 / 3)
    assert result.spans.too_long == pytest.approx(1 / 3)
    assert result.spans.cut_words == 0
    assert result.robustness == {}


def test_robustness(evaluate):
    reader = FakeReader()
    result = evaluate(reader=reader, robustness=True)
    assert "WHO OPENED THE BRIDGE?" in reader.asked
    assert "Who opened the bridge" in reader.asked
    assert "WHO DESIGNED THE BRIDGE?" not in reader.asked  # answerable questions only
    variants = result.robustness
    assert [v.changed for v in variants.values()] == [3, 3, 3, 3]
    assert variants["upper-cased"].f1 == result.f1
    assert (variants["upper-cased"].drop, variants["upper-cased"].p_value) == (0.0, 1.0)
    typed = variants["one typo"]
    assert typed.f1 == pytest.approx(result.f1 - typed.drop)
    assert evaluate(robustness=True).robustness == variants  # seeded


FRACTION = st.integers(0, 20).map(lambda n: n / 20)


def made_row(gold, prediction, confidence):
    answers = (gold,) if gold else ()
    return ReadingRow(
        id="x",
        question="Who?",
        type="",
        answers=answers,
        prediction=prediction,
        start=0,
        end=len(prediction),
        confidence=confidence,
        exact_match=exact_match(prediction, answers),
        f1=f1(prediction, answers),
        right=False,
        abstained=False,
        cuts_a_word=False,
        milliseconds=1.0,
    )


def official_best(rows, measure):
    """`find_best_thresh` of SQuAD 2.0's evaluation, restated; 1 - confidence is its probability.

    Its score of a prediction against no gold answer is whether the prediction is empty.
    """
    raw = {n: measure(row.prediction, row.answers) for n, row in enumerate(rows)}
    score = best = sum(not row.answers for row in rows)
    threshold = 0.0
    for n, row in sorted(enumerate(rows), key=lambda item: 1 - item[1].confidence):
        score += raw[n] if row.answers else -bool(row.prediction)
        if score > best:
            best, threshold = score, 1 - row.confidence
    return best / len(rows), threshold


def official_at(rows, measure, threshold):
    """`apply_no_ans_threshold` of the same: past the threshold, only the unanswerable score."""
    scores = [
        float(not row.answers)
        if 1 - row.confidence > threshold
        else measure(row.prediction, row.answers)
        for row in rows
    ]
    return sum(scores) / len(scores)


@given(
    st.lists(
        st.builds(
            made_row,
            st.sampled_from(["", "Ann Lee", "Bob", "in Oslo"]),
            st.sampled_from(["", "Ann", "Bob", "Oslo town", "Ann Lee"]),
            FRACTION,
        ),
        min_size=1,
        max_size=30,
    ),
    FRACTION,
)
def test_no_answer_scores_are_those_of_the_official_script(rows, threshold):
    found = no_answer_scores(rows, threshold)
    if all(row.answers for row in rows):
        assert found is None
        return
    for best, measure in ((found.best_exact_match, exact_match), (found.best_f1, f1)):
        score, doubt = official_best(rows, measure)
        assert best.score == pytest.approx(score)
        assert 1 - best.threshold == pytest.approx(doubt)
        assert best.score == pytest.approx(
            defined_best(
                [measure(row.prediction, row.answers) for row in rows],
                [bool(row.answers) for row in rows],
                [bool(row.prediction) for row in rows],
                [1 - row.confidence for row in rows],
            )
        )
    # 1 - 0.35 and the like are not exact, so the threshold stays clear of the confidences.
    clear = threshold - 0.025
    shipped = no_answer_scores(rows, clear)
    assert shipped.f1 == pytest.approx(official_at(rows, f1, 1 - clear))
    assert shipped.exact_match == pytest.approx(official_at(rows, exact_match, 1 - clear))
    told = [row.confidence >= clear and bool(row.prediction) for row in rows]
    false = [t for t, row in zip(told, rows, strict=True) if not row.answers]
    assert shipped.false_answers == np.mean(false)


@pytest.fixture
def squad_file(tmp_path):
    path = tmp_path / "tiny.jsonl"
    records = [
        {
            "id": e.id,
            "title": e.title,
            "context": e.context,
            "question": e.question,
            "answers": [{"text": answer} for answer in e.answers],
            "is_impossible": e.is_impossible,
        }
        for e in EXAMPLES
    ]
    path.write_text("\n".join(map(json.dumps, records)))
    return path


def test_command_with_the_shipped_reader(squad_file, tmp_path, monkeypatch):
    monkeypatch.setattr("eval.reading.load_embedder", HashEmbedder)
    rows = tmp_path / "rows.jsonl"
    arguments = ["reading", str(squad_file), "--robustness"]
    done = CliRunner().invoke(cli.app, [*arguments, "--json", "--out", str(rows)])
    assert done.exit_code == 0, done.output
    printed = json.loads(done.stdout)
    assert (printed["name"], printed["questions"], printed["answerable"]) == ("tiny", 4, 3)
    assert printed["f1"] > 0.5
    assert printed["spans"]["cut_words"] == 0
    assert "rows" not in printed
    assert set(printed["trust"]["reliability"][0]) == {
        "low",
        "high",
        "questions",
        "confidence",
        "right",
    }
    assert set(printed["trust"]["risk_coverage"][0]) == {"threshold", "coverage", "risk"}
    assert set(printed["robustness"]["one typo"]) == {"changed", "f1", "drop", "p_value"}
    written = [json.loads(line) for line in rows.read_text().splitlines()]
    assert [row["id"] for row in written] == ["1", "2", "3", "4"]
    table = CliRunner().invoke(cli.app, arguments)
    assert table.exit_code == 0, table.output
    assert "expected calibration error" in table.stdout
    assert "no final punctuation" in table.stdout
    assert "how many" not in table.stdout


@pytest.mark.parametrize("command", ["reading", "reader-speed"])
def test_the_commands_show_an_example(command):
    assert "Example: dateline eval" in CliRunner().invoke(cli.app, [command, "--help"]).stdout


def test_summary_is_json(evaluate):
    json.dumps(tables.summary(evaluate(robustness=True)), allow_nan=False)
