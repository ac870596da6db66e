import pytest

from eval.answers import evaluate_sample, same_source
from eval.questions import GoldQuestion
from index.document import Document


def question(text, *answers, sources=("tea.txt",)):
    return GoldQuestion(
        id=text,
        question=text,
        type="what",
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
    # Three answerable questions are answered: from the gold file, a record of it, another record.
    assert (result.citations.answers, result.citations.citations) == (3, 3)
    assert result.citations.precision == result.citations.recall == pytest.approx(2 / 3)
    assert result.citations.precision_anywhere == result.citations.verbatim == 1.0
    assert result.first_citations == result.citations  # one answer a reply
    assert result.no_answer.false_answers == 1.0  # by confidence alone: the fake's is always 0.9
    assert {kind: scores.questions for kind, scores in result.by_type.items()} == {"what": 6}
    assert result.by_type["what"].false_answers == 1 / 2
    assert {slot: s.questions for slot, s in result.by_slot.items()} == {
        "other": 4,
        "what": 1,
        "who": 1,
    }


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


def test_questions_without_answers_to_compare_with_are_left_out(new_index):
    from qa import Assistant

    text = "Tea is grown in China."
    index = new_index([Document(id="tea.txt", source="tea.txt", title="", text=text)])
    known = question("tea is grown in", "China")
    vague = GoldQuestion(id="v", question="tea is grown", sources=("tea.txt",), type="what")
    result = evaluate_sample(Assistant(index), [known, vague], documents=1)
    assert result.citations.citations == 1
    assert result.trust.accuracy == 1.0
    assert result.no_answer is None
    assert evaluate_sample(Assistant(index), [vague], documents=1).trust is None
