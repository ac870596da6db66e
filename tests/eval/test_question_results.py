"""One's own questions over one's own index: what is found of their gold, and how it is answered."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import make_document

from eval.gold import Gold, Place, find_gold
from eval.metrics import measure_run
from eval.question_results import (
    CUTOFFS,
    DEPTH,
    _scores,
    evaluate_questions,
    found_table,
)
from eval.questions import GoldQuestion
from index.document import Chunk

TEXTS = {
    "news/tea.txt": "It is green. Tea is grown\nin China.",
    "news/box.jsonl#7": "They are green. Boxes are made in Peru.",
    "mail/box.jsonl#8": "Boxes are sent to Chad.",
}


def question(text, **fields):
    return GoldQuestion(id=text, question=text, where=f"q.yaml line {len(text)}", **fields)


@pytest.fixture
def index(new_index):
    return new_index(make_document(source, text) for source, text in TEXTS.items())


def gold_of(index, **fields):
    found = find_gold(index, [question("q", **fields)])["q"]
    sources = {info.id: info.source for info in index.documents()}
    places = [
        (sources[p.document], index.get(p.document).text[p.start : p.end]) for p in found.passages
    ]
    return {sources[d] for d in found.documents}, places, found.missing


def test_gold_is_found_in_the_index(index):
    assert gold_of(index, sources=("tea.txt",)) == ({"news/tea.txt"}, [], ())
    assert gold_of(index, sources=("box.jsonl",))[0] == {"news/box.jsonl#7", "mail/box.jsonl#8"}
    assert gold_of(index, sources=("news/box.jsonl",))[0] == {"news/box.jsonl#7"}


def test_quotes_are_found_whatever_their_white_space(index):
    documents, places, missing = gold_of(index, passages=("grown in  China.", "green"))
    assert documents == {"news/tea.txt", "news/box.jsonl#7"}
    assert sorted(places) == [
        ("news/box.jsonl#7", "green"),
        ("news/tea.txt", "green"),
        ("news/tea.txt", "grown\nin China."),
    ]
    assert missing == ()


def test_quotes_are_looked_for_in_the_sources_that_are_named(index):
    documents, places, missing = gold_of(index, sources=("tea.txt",), passages=("green", "Peru"))
    assert documents == {"news/tea.txt"}
    assert places == [("news/tea.txt", "green")]
    assert missing == ("passage 'Peru'",)
    assert gold_of(index, sources=("gone.txt",), passages=("green",)) == (
        set(),
        [],
        ("document 'gone.txt'", "passage 'green'"),
    )


@pytest.mark.parametrize(
    ("document", "start", "end", "has"),
    [
        ("d", 10, 30, True),  # the quote itself
        ("d", 0, 100, True),  # around it
        ("d", 15, 20, True),  # a part of it
        ("d", 0, 20, True),  # half of it
        ("d", 0, 19, False),  # less
        ("d", 20, 200, True),
        ("d", 21, 200, False),
        ("d", 30, 60, False),
        ("e", 10, 30, False),
    ],
)
def test_a_passage_counts_if_it_shares_half_of_the_shorter(document, start, end, has):
    gold = Gold(frozenset("d"), (Place("d", 500, 501), Place("d", 10, 30)), ())
    assert gold.has_passage(Chunk(1, document, start, end, "")) is has


def test_questions_are_searched_for_and_answered(index):
    from qa import Assistant

    questions = [
        question(
            "tea is grown in", answers=("China",), sources=("tea.txt",), passages=("in China",)
        ),
        question("boxes are made in", passages=("made in Peru",)),
        question("boxes are sent to", answers=("Chad",)),
        question("boxes are sent to nowhere", sources=("gone.txt",)),
        question("who won the world cup", unanswerable=True),
    ]
    result = evaluate_questions(Assistant(index), questions, ["bm25", "hybrid"])
    assert (result.documents, result.questions) == (3, 5)
    assert [(s.mode, s.kind, s.questions) for s in result.found] == [
        ("bm25", "source", 3),
        ("bm25", "passage", 2),
        ("hybrid", "source", 3),
        ("hybrid", "passage", 2),
    ]
    assert result.rows[0].ranks["bm25"] == {"source": 1, "passage": 1}
    assert result.rows[1].ranks["bm25"] == {"source": 1, "passage": 1}
    assert result.rows[2].ranks["bm25"] == {}
    assert result.rows[3].ranks["bm25"] == {"source": None}
    sources, passages = result.found[:2]
    assert sources.success == dict.fromkeys(CUTOFFS, pytest.approx(2 / 3))
    assert (sources.reciprocal_rank, passages.reciprocal_rank) == (pytest.approx(2 / 3), 1)
    assert result.missing == ("q.yaml line 25: the index has no document 'gone.txt'.",)
    answers = result.answers
    assert (answers.exact_match, answers.f1) == (1, 1)  # of the two with answers
    assert answers.citation_correct == pytest.approx(2 / 3)  # a passage's document is a source
    assert (answers.answered, answers.false_answers, answers.abstention_accuracy) == (1, 0, 1)
    table = found_table(result.found)
    assert [len(row) for row in table.rows] == [len(table.columns)] * 4


def test_what_cannot_be_measured_is_not_zero(index):
    from qa import Assistant

    result = evaluate_questions(
        Assistant(index), [question("who won", unanswerable=True)], ["bm25"]
    )
    assert result.found == ()
    answers = result.answers
    assert (answers.exact_match, answers.f1, answers.citation_correct) == (None, None, None)
    assert (answers.answered, answers.false_answers) == (None, 0)
    only = evaluate_questions(Assistant(index), [question("tea", passages=("in China",))], ["bm25"])
    assert (only.answers.exact_match, only.answers.false_answers) == (None, None)


@settings(deadline=None)
@given(st.lists(st.one_of(st.none(), st.integers(1, DEPTH)), min_size=1, max_size=8))
def test_figures_are_those_of_ir_measures(ranks):
    scores = _scores("bm25", "source", [{"source": rank} for rank in ranks])
    qrels = {str(n): {str(rank): 1} for n, rank in enumerate(ranks)}
    found = {str(p): float(-p) for p in range(1, DEPTH + 1)}
    names = [f"Success@{k}" for k in CUTOFFS]
    measured = measure_run(qrels, dict.fromkeys(qrels, found), [*names, "RR"])
    means = {name: sum(v.values()) / len(v) for name, v in measured.items()}
    assert means["RR"] == pytest.approx(scores.reciprocal_rank)
    assert [means[name] for name in names] == pytest.approx([*scores.success.values()])
