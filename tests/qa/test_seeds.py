"""The two articles the project began from; skipped where they are not at hand."""

from pathlib import Path

import pytest

from index import EmbeddedIndex, Filters
from qa import Assistant
from qa.demo import SAMPLE

SEEDS = Path(__file__).parents[3] / "shared" / "seeds"
pytestmark = pytest.mark.skipif(not SEEDS.is_dir(), reason="the seed articles are not here")


@pytest.fixture(scope="module", params=[[], [SAMPLE]], ids=["alone", "among others"])
def assistant(tmp_path_factory, request):
    with EmbeddedIndex.open(tmp_path_factory.mktemp("seeds") / ".dateline") as index:
        report = index.add_files([SEEDS, *request.param])
        assert not report.failed
        yield Assistant(index)


@pytest.mark.parametrize(
    ("question", "expected", "published"),
    [
        ("When did Kim and Putin previously meet?", {"April 2019"}, "2023-09-05"),
        (
            "Where did Kim Jong Un meet Putin in September 2023?",
            {
                "Vostochny Cosmodrome",
                "the Vostochny Cosmodrome",
                "Vostochny Cosmodrome in Russia’s Amur region",
            },
            "2023-09-19",
        ),
        (
            "Who did South Korea summon?",
            {"Andrey Borisovich Kulik", "Russian ambassador", "the Russian ambassador"},
            "2023-09-19",
        ),
        ("When did Shoigu visit the North?", {"late July"}, "2023-09-05"),
    ],
)
def test_questions(assistant, question, expected, published):
    answer = assistant.ask(question)
    best = answer.answers[0]
    citation = answer.citations[best.citations[0] - 1]
    assert best.text in expected
    assert citation.published == published
    text = assistant.index.get(citation.document_id).text
    assert text[citation.start : citation.end] == citation.quote == best.text


@pytest.mark.parametrize(
    ("question", "start", "end"),
    [
        ("When did Kim return home?", "2023-09-18", "2023-09-18"),
        ("When did South Korea summon the ambassador?", "2023-09-19", "2023-09-19"),
        ("When did Kim and Putin previously meet?", "2019-04-01", "2019-04-30"),
    ],
)
def test_dates_are_resolved(assistant, question, start, end):
    value = assistant.ask(question).answers[0].value
    assert (value.start, value.end) == (start, end)


def test_who_met_where_and_when(assistant):
    answer = assistant.ask("Who met where and when?")
    kim = {
        (
            tuple(sorted((m.name or m.text).replace("-", " ").lower() for m in event.who)),
            event.where and (event.where.name or event.where.text),
            event.when and (event.when.value.start, event.when.value.end),
            event.status,
        )
        for event in answer.events
        if any("Putin" in mention.text for mention in event.who)
    }
    both = ("kim jong un", "vladimir putin")
    assert kim == {
        (both, "Vladivostok", ("2019-04-01", "2019-04-30"), "happened"),
        (both, "Vladivostok", ("2023-09-11", "2023-09-17"), "possible"),
        (
            both,
            "the Vostochny Cosmodrome in Russia’s Amur region",
            ("2023-09-13", "2023-09-13"),
            "happened",
        ),
    }
    quoted = {citation.number: citation for citation in answer.citations}
    for event in answer.events:
        for mention in [*event.who, *filter(None, [event.where, event.when])]:
            citation = quoted[mention.citation]
            text = assistant.index.get(citation.document_id).text
            assert text[citation.start : citation.end] == mention.text


def test_what_was_not_signed(tmp_path):
    with EmbeddedIndex.open(tmp_path / ".dateline") as index:
        index.add_files([SEEDS])
        assert Assistant(index).ask("What was not signed?").answers[0].text == "agreement"


def test_abstention(assistant):
    answer = assistant.ask("Who won the 2022 World Cup?")
    assert answer.abstained
    assert answer.answers == []


def test_dates_and_places(assistant):
    seeds = Filters(source=f"{SEEDS.resolve()}/*")
    found = [(d.published.isoformat(), d.place) for d in assistant.index.documents(seeds)]
    assert found == [("2023-09-05", None), ("2023-09-19", "SEOUL")]


def test_a_conversation(assistant):
    session = assistant.sessions.create()
    for question, expected, start in (
        ("When did Kim and Putin meet in 2023?", "September 13, 2023", "2023-09-13"),
        ("Where?", "Vostochny Cosmodrome", None),
        ("And the time before that?", "April 2019", "2019-04-01"),
        ("Where was that?", "eastern Russian city", None),
        ("Who is the Russian ambassador to South Korea?", "Andrey Borisovich Kulik", None),
        ("What did the ministry say to him?", "stop its moves for military cooperation", None),
    ):
        answer = assistant.ask(question, session=session)
        first = answer.answers[0]
        assert expected in first.text, f"{question} ({answer.resolved_question})"
        if start:
            assert first.value.start == start
