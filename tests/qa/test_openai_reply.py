"""Answers as chat messages: what a client shows, and where the citations in it are."""

import re
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stub_assistant import make_answer
from support import make_document

from qa import Answer, Citation, Span
from qa.answer import Clarification, Event, Mention, Passage, Value
from qa.service.openai_reply import (
    count_tokens,
    escaped,
    reply_text,
    source_url,
    understood_question,
)

BASE = "http://127.0.0.1:8000"
ODD = st.text(st.sampled_from("ab1 []()<>\\`*_\n\r\t.!🤝é\u2028|#:/&"), min_size=1, max_size=30)
DAY = date(2024, 3, 4).isoformat()


def url_of(citation):
    return source_url(citation, None, BASE)


def cite(number, text, title, document="d"):
    return Citation(
        number=number,
        document_id=document,
        title=title,
        source=f"{title}.txt",
        published=DAY,
        start=number,
        end=number + len(text),
        quote=text,
        passage=Passage(start=number, end=number + len(text), text=text),
        page=None,
    )


@st.composite
def answers(draw):
    """Answers, lists of events and abstentions with odd words everywhere."""
    texts = draw(st.lists(ODD, min_size=1, max_size=4))
    cited = [
        cite(n, text, draw(ODD), draw(st.sampled_from("de"))) for n, text in enumerate(texts, 1)
    ]
    kind = draw(st.sampled_from(["spans", "events", "abstention"]))
    numbers = st.sampled_from(range(1, len(cited) + 1))
    spans = [
        Span(text=c.quote, confidence=0.5, slot=None, citations=[c.number, draw(numbers)])
        for c in cited
    ]
    who = [Mention(text=c.quote, name=draw(ODD), citation=c.number) for c in cited]
    when = Value(type="date", start=DAY, end=DAY, text=DAY)
    event = Event(
        what=draw(ODD),
        status="happened",
        who=who,
        when=Mention(text=draw(ODD), value=when, citation=draw(numbers)),
    )
    return Answer(
        question=draw(ODD),
        resolved_question=draw(ODD),
        abstained=kind == "abstention",
        answers=[] if kind == "abstention" else spans,
        events=[event] if kind == "events" else [],
        citations=[] if kind == "abstention" else cited,
        nearest=cited if kind == "abstention" else [],
        timings_ms={},
    )


def brackets(text):
    """Square brackets that Markdown would take for some, with their places."""
    return [
        found
        for found in re.finditer(r"\\.|\[", text, re.DOTALL)
        if found[0] == "["  # a backslash takes what follows it along
    ]


@given(answers())
def test_every_index_is_right_and_every_citation_is_there(answer):
    text, markers = reply_text(answer, url_of)
    cited = {c.number: c for c in answer.citations or answer.nearest}
    for start, end, citation, url in markers:
        assert text[start:end] == f"[{citation.number}]"
        assert cited[citation.number] is citation
        assert url == url_of(citation)
    assert markers == sorted(markers)
    if answer.events:
        told = [answer.events[0].when.citation, *(w.citation for w in answer.events[0].who)]
    elif answer.answers:
        told = [number for span in answer.answers for number in span.citations]
    else:
        told = list(cited)
    assert [marker.citation.number for marker in markers] == told


@given(answers())
def test_documents_cannot_write_markdown(answer):
    """All links are ours, and all HTML is text."""
    text, _ = reply_text(answer, url_of)
    for found in brackets(text):
        rest = text[found.start() :]
        number = re.match(r"\[\d+(?:[,–\d ]*)\]", rest)
        link = re.match(r"\[(?:\\.|[^\]\[\\])+\]\(http://127[^\s()<>\[\]]+\)", rest)
        assert number or link, rest
    assert not re.search(r"(?<!\\)<", text.replace("\\\\", ""))


@given(ODD)
def test_the_question_understood_comes_back(question):
    resolved = f"Where did {question} meet?"
    answer = make_answer("Where?", resolved=resolved)
    text, _ = reply_text(answer, url_of)
    assert understood_question(text) == " ".join(resolved.split())


def test_a_reply():
    answer = make_answer("When did he?", "Oslo", resolved="When did Tomas Lind?")
    answer.answers[0].value = Value(type="DATE", start=DAY, end=DAY, text="x")
    text, (marker,) = reply_text(answer, url_of)
    url = f"{BASE}/#/source/0123456789abcdef?start=28&end=32"
    assert (
        text
        == f"""\
*understood as: When did Tomas Lind?*

- **Oslo** (2024-03-04) [1], 80% sure
  > Anna Berg met Tomas Lind in Oslo.

Sources:

- [1] [Leaders meet]({url}) – 2024-03-04 – news/oslo.txt"""
    )
    assert text[marker.start : marker.end] == "[1]"


def test_an_abstention_points_to_the_nearest_passages():
    text, (marker,) = reply_text(make_answer("Who won the Cup?", ""), url_of)
    assert text.startswith(
        "The documents do not say.\n\nNearest passages:\n\n- [1] [Leaders meet]("
    )
    assert text.endswith("\n  > Anna Berg met Tomas Lind in Oslo.")
    assert text[marker.start : marker.end] == "[1]"


def test_nothing_near():
    answer = make_answer("Who won the Cup?", "").model_copy(update={"nearest": []})
    assert reply_text(answer, url_of) == ("The documents do not say.", [])


def test_a_question_back_lists_its_choices():
    answer = make_answer("When did he?", "").model_copy(
        update={
            "clarification": Clarification(
                question="Do you mean Berg or Lind?", choices=["Berg", "Lind"]
            )
        }
    )
    text, markers = reply_text(answer, url_of)
    assert text == "Do you mean Berg or Lind?\n\n1. Berg\n2. Lind"
    assert markers == []


@pytest.mark.parametrize(
    ("address", "url"),
    [
        ("https://example.org/a", "https://example.org/a"),
        ("http://[::1]:80/a[1](b) c", "http://[::1]:80/a%5B1%5D%28b%29%20c"),
        ("https://example.org/%20?q=a%26b&c=ü#x", "https://example.org/%20?q=a%26b&c=%C3%BC#x"),
        ("javascript:alert(1)", None),
        ("file:///etc/passwd", None),
        ("https://", None),
        ("http://a b/", None),
        ("http://[", None),
        ("news/a.html", None),
        (7, None),
    ],
)
def test_a_documents_own_address_is_kept(address, url):
    (citation,) = make_answer("Who?").citations
    found = source_url(citation, make_document("a.txt", "x", url=address), BASE)
    assert found == (url or f"{BASE}/#/source/0123456789abcdef?start=14&end=24")


def test_words_and_tokens():
    assert escaped("a [b](c)\n<i> \\ *") == "a \\[b\\](c) \\<i> \\\\ \\*"
    assert count_tokens("Who met, and when?") == 6
