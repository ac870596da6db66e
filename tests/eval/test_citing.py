"""Citations are judged as `eval.citing` defines it, and the product's own are always verbatim."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import HashEmbedder, make_document

from eval.citing import JudgedCitation, citation_scores, holds_answer, judge
from index import EmbeddedIndex, document_id
from qa.answer import Answer, Citation, Passage, Span

TEXT = "Intro. Tea is grown in China, not in Chinatown. End."
PASSAGE = "Tea is grown in China, not in Chinatown."


def citation(number=1, *, source="tea.txt", quote="China", start=None, passage=PASSAGE):
    start = TEXT.index(quote) if start is None else start
    at = TEXT.index(passage)
    return Citation(
        number=number,
        document_id=document_id(source),
        title="",
        source=source,
        published=None,
        start=start,
        end=start + len(quote),
        quote=quote,
        passage=Passage(start=at, end=at + len(passage), text=passage),
        page=None,
    )


def answer(spans, citations):
    return Answer(
        question="?",
        resolved_question="?",
        abstained=not spans,
        answers=[
            Span(text=text, confidence=0.9, slot=None, citations=cited) for text, cited in spans
        ],
        citations=citations,
        timings_ms={},
    )


@pytest.fixture
def texts(index):
    index.add([make_document(source, TEXT) for source in ("tea.txt", "copy.txt")])
    return index


def judged(texts, *citations, text="China", golds=("China",), known="tea.txt"):
    told = answer([(text, [c.number for c in citations])], list(citations))
    return judge(told, golds, lambda source: source == known, texts)[0]


def test_a_right_citation(texts):
    (one,) = judged(texts, citation())
    assert (one.verbatim, one.known, one.holds_answer, one.says_answer) == (True,) * 4
    assert one.supports
    assert one.right


@pytest.mark.parametrize(
    ("changed", "options", "lost"),
    [
        ({"start": 3}, {}, "verbatim"),  # other offsets
        ({"passage": "Intro."}, {}, "verbatim"),  # the quote is not in the passage shown
        ({"source": "gone.txt"}, {"known": "gone.txt"}, "verbatim"),  # no such document
        ({}, {"text": "both leaders"}, "verbatim"),  # other words than the answer's
        ({"source": "copy.txt"}, {}, "known"),
        ({}, {"golds": ("Chin",)}, "holds_answer"),  # a part of a word
        ({"quote": "Tea"}, {"text": "Tea"}, "says_answer"),  # a wrong answer from the right place
        ({}, {"golds": ()}, "says_answer"),  # an unanswerable question
    ],
)
def test_what_a_right_citation_needs(texts, changed, options, lost):
    (one,) = judged(texts, citation(**changed), **options)
    assert not getattr(one, lost)
    assert not one.right


def test_case_articles_and_punctuation_are_not_other_words(texts):
    for text in ("the china", "-China-"):
        (one,) = judged(texts, citation(quote="China,"), text=text)
        assert one.right


def test_scores_by_hand(texts):
    right, copied = citation(1), citation(2, source="copy.txt")
    wrong = citation(3, quote="Tea")
    replies = [
        judge(
            answer([("China", [1, 2]), ("Tea", [3])], [right, copied, wrong]),
            ["China"],
            lambda source: source == "tea.txt",
            texts,
        ),
        judge(answer([("China", [2])], [copied]), ["China"], lambda s: s == "tea.txt", texts),
        judge(answer([], []), ["China"], lambda s: True, texts),  # abstained
    ]
    scores = citation_scores(replies)
    assert (scores.answers, scores.citations) == (3, 4)
    assert scores.precision == 1 / 4
    assert scores.recall == 1 / 3
    assert scores.supported == 2 / 4  # the right one and the wrong answer's
    assert scores.precision_anywhere == 3 / 4
    assert scores.verbatim == 1.0
    first = citation_scores(replies, first=True)
    assert (first.answers, first.citations) == (2, 3)
    assert (first.precision, first.recall) == (1 / 3, 1 / 2)


def test_an_answer_without_a_citation_is_not_supported(texts):
    reply = judge(answer([("China", [])], []), ["China"], lambda s: True, texts)
    scores = citation_scores([reply])
    assert (scores.answers, scores.citations, scores.recall) == (1, 0, 0.0)
    assert scores.precision is None


def test_nothing_answered():
    scores = citation_scores([(), ()])
    assert (scores.answers, scores.precision, scores.recall) == (0, None, None)


FLAGS = st.builds(JudgedCitation, st.just(""), st.just(""), *[st.booleans()] * 4)


@given(
    st.lists(st.lists(st.lists(FLAGS, min_size=1, max_size=3).map(tuple), max_size=3).map(tuple))
)
def test_scores_hang_together(replies):
    scores = citation_scores(replies)
    if not scores.citations:
        return
    assert scores.precision <= min(scores.supported, scores.precision_anywhere, scores.verbatim)
    assert (scores.precision > 0) == (scores.recall > 0)
    assert citation_scores(replies, first=True).answers == sum(bool(reply) for reply in replies)


def test_words_of_an_answer_stand_whole():
    assert holds_answer("It cost 9.6 million.", ["9.6 million"])
    assert holds_answer("THE SOUND", ["the Sound"])
    assert not holds_answer("It cost 19.6 million.", ["9.6 million"])
    assert not holds_answer("anything", ["", "gone"])
    assert not holds_answer("anything", [])


def test_the_product_cites_verbatim(tmp_path):
    from eval.answers import evaluate_sample
    from eval.questions import GoldQuestion
    from qa import Assistant

    text = "Anna Berg met Tomas Lind in Oslo on Monday. The talks lasted two hours."
    asked = [
        GoldQuestion(
            id=question, question=question, answers=answers, sources=("a.txt",), type="who"
        )
        for question, answers in (
            ("Who met Tomas Lind in Oslo?", ("Anna Berg",)),
            ("How long did the talks last?", ("two hours",)),
            ("Who met where and when?", ("Anna Berg",)),
        )
    ]
    with EmbeddedIndex.open(tmp_path, embedder=HashEmbedder()) as index:
        index.add([make_document("a.txt", text, published="2024-03-05")])
        result = evaluate_sample(Assistant(index), asked, documents=1)
    assert result.citations.answers >= 2
    assert result.citations.verbatim == 1.0
    assert result.citations.supported > 0.5
