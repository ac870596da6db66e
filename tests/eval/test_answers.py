import pytest

from eval.answers import (
    evaluate_open_domain,
    evaluate_sample,
    same_source,
    sampled_questions,
)
from eval.datasets import Example
from eval.measuring import FreshRun
from eval.questions import GoldQuestion
from index.document import Document
from index.errors import DatelineError, UsageError


def example(number, context, question, *answers):
    return Example(str(number), "Some_title", context, question, answers, not answers)


EXAMPLES = (
    example(0, "Tea is grown in China.", "Where is tea grown?", "China"),
    example(1, "Coffee comes from hot Brazil.", "Where does coffee come from?", "hot Brazil"),
    example(2, "Coffee comes from hot Brazil.", "Who drinks it?"),
)


@pytest.fixture
def no_processes(monkeypatch):
    monkeypatch.setattr("eval.answers.run_fresh", lambda _: FreshRun(0, "", "", 0.5, 100.0))


def test_sample_is_fixed_and_answerable():
    examples = [example(n, "c", "q", *["a"] * (n % 2)) for n in range(100)]
    chosen = sampled_questions(examples, 10, seed=0)
    assert chosen == sampled_questions(examples, 10, seed=0)
    assert chosen != sampled_questions(examples, 10, seed=1)
    assert not any(e.is_impossible for e in chosen)
    assert len(sampled_questions(examples, 500, seed=0)) == 50
    with pytest.raises(UsageError, match="no answerable"):
        sampled_questions(examples[:1], 10, seed=0)


def test_open_domain(tmp_path, light, no_processes):
    result = evaluate_open_domain(EXAMPLES, "tiny", work=tmp_path)
    by_id = {row.id: row for row in result.rows}
    assert (result.paragraphs, result.passages, result.questions) == (2, 2, 2)
    assert (by_id["0"].prediction, by_id["0"].exact_match, by_id["0"].f1) == ("China", 1.0, 1.0)
    assert by_id["0"].answer_in_top10_spans
    assert (by_id["1"].prediction, by_id["1"].exact_match) == ("Brazil", 0.0)
    assert by_id["1"].f1 == pytest.approx(2 / 3)
    assert not by_id["1"].answer_in_top10_spans
    assert by_id["1"].answer_in_top10_passages
    assert result.exact_match == 0.5
    assert result.f1 == pytest.approx(5 / 6)
    assert (result.answer_in_top10_spans, result.answer_in_top10_passages) == (0.5, 1.0)
    assert result.gold_paragraph_in_top10 == 1.0
    assert result.exact_match_interval == (0.0, 1.0)
    assert result.start_seconds == 0.5
    assert result.passages_per_second > 0
    assert result.latency.p50 > 0


def test_a_fresh_process_that_fails_is_an_error(tmp_path, light, monkeypatch):
    monkeypatch.setattr("eval.answers.run_fresh", lambda _: FreshRun(1, "", "no model", 0.5, None))
    with pytest.raises(DatelineError, match="no model"):
        evaluate_open_domain(EXAMPLES, "tiny", work=tmp_path)


def question(text, *answers, sources=("tea.txt",)):
    return GoldQuestion(
        id=text,
        question=text,
        answers=answers,
        sources=sources if answers else (),
        unanswerable=not answers,
    )


def test_sample(new_index):
    from qa import Assistant

    texts = {"tea.txt": "Tea is grown in China.", "box.jsonl#7": "Boxes are made in Peru."}
    index = new_index(
        Document(id=source, source=source, title="", text=text) for source, text in texts.items()
    )
    questions = [
        question("tea is grown in", "China"),
        question("tea in what other places far and wide", "India"),  # abstains, and is wrong
        question("boxes are made in", "Peru", sources=("other.txt", "box.jsonl")),
        question("boxes are made in", "Peru", sources=("box.jsonl#8",)),
        question("who won the world cup"),
        question("boxes made in"),
    ]
    result = evaluate_sample(Assistant(index), questions, documents=2)
    assert [row.citation_correct for row in result.rows] == [True, None, True, False, None, None]
    assert result.exact_match == result.f1 == 3 / 4
    assert result.abstention_accuracy == pytest.approx(4 / 6)
    assert result.answered == 3 / 4
    assert result.false_answers == 1 / 2
    assert result.citation_correct == pytest.approx(2 / 3)
    assert result.rows[4].exact_match is None


@pytest.mark.parametrize(
    ("cited", "gold", "same"),
    [
        ("/home/x/sample/a.txt", "a.txt", True),
        ("a.txt", "a.txt", True),
        ("C:\\x\\a.txt", "a.txt", True),
        ("x/ba.txt", "a.txt", False),
        ("x/a.jsonl#3", "a.jsonl#3", True),
        ("x/a.jsonl#3", "a.jsonl", True),
        ("x/a.jsonl#3", "a.jsonl#4", False),
        ("x/a.jsonl", "a.jsonl#3", False),
    ],
)
def test_same_source(cited, gold, same):
    assert same_source(cited, gold) is same
