"""Events: who met where and when, and whether it happened; every part verbatim and cited."""

import subprocess
import sys
from datetime import date

import pytest
from support import make_document

from index import EmbeddedIndex
from qa import Assistant
from qa.event_answers import AGREED, UNCONFIRMED
from qa.events import predicate_of
from qa.predicates import is_of_kind, kind_of
from qa.question import analyse

STORIES = {
    "visit.txt": (
        "2024-03-06",
        "RIGA, March 6 (AP) – Anna Berg met Tomas Lind in Oslo on Monday. The two-hour meeting was "
        "their first. Berg and Lind previously met in Turku in May 2019, before Lind left office.",
    ),
    "plans.txt": (
        "2024-03-20",
        "Anna Berg may travel to Riga next week to meet with Latvian President Juris Kalns, her "
        "office said. A meeting with Tomas Lind planned for Thursday was called off. Lind denied "
        "that he met Ida Holm in Bergen on Sunday.",
    ),
    "echo.txt": (
        "2024-03-07",
        "Tomas Lind and Anna Berg held a summit in Oslo on March 4, 2024, a Norwegian paper said.",
    ),
    "ferry.txt": (
        "2023-02-08",
        "Captain Nils Aune steered the Lady Unn through the storm. He met Kari Moe at the "
        "lighthouse on Gull Point on Monday. The two were in talks in Voss on Tuesday.",
    ),
    "treaty.txt": (
        "2024-06-11",
        "Juris Kalns signed the harbour treaty in Liepaja on Monday. Anna Berg will sign it in "
        "Oslo on July 2.",
    ),
}


@pytest.fixture(scope="module")
def assistant(tmp_path_factory):
    with EmbeddedIndex.open(tmp_path_factory.mktemp("events") / ".dateline") as index:
        index.add(
            make_document(source, text, published=published, title=source.split(".")[0])
            for source, (published, text) in STORIES.items()
        )
        yield Assistant(index)


def rows(answer):
    """(who, where, first day, status) of every event."""
    return [
        (
            tuple(sorted(m.name or m.text for m in event.who)),
            event.where and (event.where.name or event.where.text),
            event.when and event.when.value.start,
            event.status,
        )
        for event in answer.events
    ]


def test_who_met_where_and_when(assistant):
    answer = assistant.ask("Who met where and when?")
    found = rows(answer)
    assert (("Anna Berg", "Tomas Lind"), "Turku", "2019-05-01", "happened") in found
    assert (("Anna Berg", "Tomas Lind"), "Oslo", "2024-03-04", "happened") in found
    assert (("Anna Berg", "Juris Kalns"), "Riga", "2024-03-25", "possible") in found
    assert len([row for row in found if row[1] == "Oslo"]) == 1, "two tellings are one event"
    assert [row[2] for row in found if row[2]] == sorted(row[2] for row in found if row[2])
    assert not answer.abstained
    assert {span.slot for span in answer.answers} == {"who", "where", "when"}


def test_what_did_not_happen_is_not_told_as_having_happened(assistant):
    found = rows(assistant.ask("Who met whom, where and when?"))
    happened = [row for row in found if row[3] == "happened"]
    assert not any("Ida Holm" in row[0] or "Juris Kalns" in row[0] for row in happened)
    assert any(row[3] == "denied" and row[1] == "Bergen" for row in found)
    assert any(row[3] == "cancelled" for row in found)


def test_he_is_the_man_of_the_sentence_before(assistant):
    (event,) = assistant.ask("Where and when did Nils Aune meet Kari Moe?").events
    assert [(m.text, m.name) for m in event.who] == [("He", "Nils Aune"), ("Kari Moe", None)]
    assert event.where.text == "the lighthouse on Gull Point"
    assert event.when.value.start == "2023-02-06"


def test_every_part_is_verbatim_and_cited(assistant):
    answer = assistant.ask("Who met where and when?")
    quoted = {citation.number: citation for citation in answer.citations}
    for event in answer.events:
        for mention in [*event.who, *filter(None, [event.where, event.when])]:
            citation = quoted[mention.citation]
            text = STORIES[citation.source][1]
            assert text[citation.start : citation.end] == citation.quote == mention.text
    for span in answer.answers:
        assert quoted[span.citations[0]].quote == span.text


def test_open_slots_are_read_in_a_document_of_one_passage_as_in_a_collection(tmp_path):
    mail = (
        "Calder & Sons rang yesterday. Their dredger is held up in Rotterdam, so the start slips "
        "to 10 November. Derek met their manager, Niamh Coyle, in Dublin last Friday and she "
        "offered a discount of 3 per cent.\n\nCan we meet on Thursday?"
    )
    minutes = "The board met representatives of Straits Ferries in Belfast on 29 September."
    with EmbeddedIndex.open(tmp_path / ".dateline") as index:
        index.add(
            [
                make_document("mail.txt", mail, published="2025-10-22", title="Dredging"),
                make_document("minutes.txt", minutes, published="2025-10-14", title="Minutes"),
            ]
        )
        answer = Assistant(index).ask("Who met Niamh Coyle, where and when?")
    told = {span.slot: span.text for span in answer.answers}
    assert told == {"who": "Derek", "where": "Dublin", "when": "last Friday"}
    assert {citation.source for citation in answer.citations} == {"mail.txt"}


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("When and where did Berg meet Lind in 2019?", [("Turku", "2019-05-01")]),
        ("Where and when did Anna Berg last meet Tomas Lind?", [("Oslo", "2024-03-04")]),
        ("Where and when did Anna Berg first meet Tomas Lind?", [("Turku", "2019-05-01")]),
        (
            "Who signed the treaty, where and when?",
            [("Liepaja", "2024-06-10"), ("Oslo", "2024-07-02")],
        ),
    ],
)
def test_names_dates_and_order_restrict_the_events(assistant, question, expected):
    assert [row[1:3] for row in rows(assistant.ask(question))] == expected


@pytest.mark.parametrize(
    ("question", "days"),
    [
        ("Who met where and when after the signing of the harbour treaty?", []),
        ("Who met where and when before the Oslo summit?", ["2019-05-01", "2023-02-06"]),
    ],
)
def test_another_event_restricts_the_days(assistant, question, days):
    assert [row[2] for row in rows(assistant.ask(question)) if row[2]] == days


def test_confidence_is_higher_where_the_reader_agrees(assistant):
    answer = assistant.ask("Where and when did Nils Aune meet Kari Moe?")
    sure = {span.slot: span.confidence for span in answer.answers}
    assert sure["where"] == sure["when"] == AGREED > UNCONFIRMED


def test_plain_questions_have_no_events(assistant):
    answer = assistant.ask("Where did Berg and Lind meet in March 2024?")
    assert answer.events == []
    assert answer.answers[0].text == "Oslo"


def test_the_timeline_is_in_order_and_within_its_days(assistant):
    timeline = assistant.timeline("Anna Berg")
    starts = [event.when.value.start for event in timeline.events]
    assert starts == sorted(starts)
    assert {"2019-05-01", "2024-03-04", "2024-07-02"} <= set(starts)
    late = assistant.timeline("Anna Berg", since=date(2024, 6, 1), until=date(2024, 12, 31))
    assert [event.status for event in late.events] == ["planned"]
    assert assistant.timeline("Nobody Atall").events == []


@pytest.mark.parametrize(
    ("question", "verb"),
    [
        ("Who met where and when?", "meet"),
        ("When and where did Kim and Putin last meet?", "meet"),
        ("Who attended the summit, and when?", "summit"),
        ("Who was arrested where and when?", "arrest"),
    ],
)
def test_predicates(question, verb):
    assert predicate_of(analyse(question).undated) == verb


def test_neither_torch_nor_transformers_is_loaded_for_events():
    code = (
        "import sys; from qa.syntax import parse; parse('Ann met Bo.'); "
        "sys.exit(any(name in sys.modules for name in ('torch', 'transformers')))"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_kinds_of_happenings():
    assert is_of_kind("summit", kind_of("meet"))
    assert is_of_kind("investigation", kind_of("investigate"))
    assert not is_of_kind("visit", kind_of("meet"))
