"""Questions for several answers, and enumerations told as items."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index import Document, EmbeddedIndex
from qa import Assistant
from qa.lists import items
from qa.question import analyse
from qa.reader import ReadSpan


@pytest.mark.parametrize(
    ("question", "several"),
    [
        ("Which countries signed the treaty?", True),
        ("Name the ministers who resigned", True),
        ("Who all attended?", True),
        ("Who else was there?", True),
        ("What laws were passed?", True),
        ("Which three European countries have joined?", True),
        ("Who were the winners?", True),
        ("Which of the brothers left?", True),
        ("What are the symptoms?", True),
        ("Which country won?", False),
        ("What causes rain?", False),
        ("Who were the Normans?", False),
        ("What was traded there?", False),
        ("What has the US said?", False),
        ("Who met where and when?", False),
    ],
)
def test_questions_for_a_list(question, several):
    assert analyse(question).is_list is several


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Chad, Mali and Niger", ["Chad", "Mali", "Niger"]),
        ("both Kim Jong Un and Vladimir Putin", ["Kim Jong Un", "Vladimir Putin"]),
        ("bread, cheese, and fine red wine", ["bread", "cheese", "fine red wine"]),
        ("13, 14 and 15 May", ["13", "14", "15 May"]),
        ("Springfield, Illinois", ["Springfield, Illinois"]),
        ("Ann Lee, who came late and left", ["Ann Lee, who came late and left"]),
        ("Paris", ["Paris"]),
        ("and", ["and"]),
    ],
)
def test_an_enumeration_falls_into_items(text, expected):
    assert [text[s.start : s.end] for s in items(text, ReadSpan(0, len(text), 1.0))] == expected


@pytest.mark.parametrize("text", ["Calder & Sons", "Marks & Spencer"])
def test_a_company_is_one(text):
    whole = ReadSpan(0, len(text), 1.0)
    assert items(text, whole) == [whole]


@given(st.text(alphabet="aB ,;&and or", max_size=60), st.data())
def test_items_are_clean_parts_of_the_span_in_order(text, data):
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, len(text)))
    found = items(text, ReadSpan(start, end, 2.0))
    assert found
    assert all(start <= s.start <= s.end <= end and s.margin == 2.0 for s in found)
    assert all(a.end <= b.start for a, b in itertools.pairwise(found))


@pytest.fixture(scope="module")
def assistant(tmp_path_factory):
    texts = [
        "The fishing treaty was signed by Chad, Mali and Niger in a tent on the lake shore.",
        "Two days later Benin signed the fishing treaty as well, the secretariat said.",
        "Ida Holm and Per Lund met in Aalborg on 3 May 2021 to talk about the new bridge.",
    ]
    with EmbeddedIndex.open(tmp_path_factory.mktemp("lists")) as index:
        index.add(Document(id=str(n), source=str(n), title="", text=t) for n, t in enumerate(texts))
        yield Assistant(index)


def test_a_list_question_gets_every_item_with_its_own_citation(assistant):
    answer = assistant.ask("Which countries signed the fishing treaty?")
    assert {"Chad", "Mali", "Niger"} <= {span.text for span in answer.answers}
    for span in answer.answers:
        assert next(answer.citations[n - 1].quote for n in span.citations) == span.text


def test_people_named_together_are_answers_each(assistant):
    answer = assistant.ask("Who met in Aalborg?")
    assert len(answer.answers) >= 2
    assert answer.answers[0].confidence == answer.answers[1].confidence


def test_bare_spans_are_left_whole(assistant):
    bare = Assistant(assistant.index, assistant.reader, explain=False)
    answers = bare.ask("Which countries signed the fishing treaty?").answers
    assert "Chad, Mali and Niger" in {span.text for span in answers}
