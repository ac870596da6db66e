"""Sessions as records: kept whole, forgotten in time, and readable as a transcript."""

import json

import pytest
from stub_assistant import SENTENCE, make_answer

from index.errors import SessionNotFoundError, UsageError
from qa.answer import Event, Mention, Value
from qa.sessions import PassageRef, Sessions, days_kept

PASSAGES = [
    PassageRef(document_id="d", start=3, end=9),
    PassageRef(document_id="e", start=0, end=5),
]


@pytest.fixture
def sessions(index):
    return Sessions(index.sessions)


def age(index, session, moment="2020-01-01T00:00:00.000000Z"):
    with index._catalog.transaction() as connection:
        connection.execute("UPDATE sessions SET used = ? WHERE id = ?", (moment, session))


def test_a_turn_comes_back_whole(sessions):
    session = sessions.create()
    answer = make_answer("Whom did she meet?", resolved="Whom did Anna Berg meet?")
    turn = sessions.add(session, "Whom did she meet?", answer, PASSAGES)
    assert (turn.number, turn.resolved_question) == (1, "Whom did Anna Berg meet?")
    assert turn.asked.endswith("Z")
    second = sessions.add(session, "And the Cup?", make_answer("And the Cup?", ""))
    assert sessions.turns(session) == [turn, second]
    assert sessions.turns(session, last=1) == [second]
    record = sessions.get(session)
    assert (record.id, record.turns) == (session, [turn, second])
    assert record.created <= record.used
    assert [(info.id, info.turns) for info in sessions.list()] == [(session, 2)]


def test_unknown_sessions(sessions):
    for use in (
        sessions.get,
        sessions.turns,
        lambda id_: sessions.add(id_, "Who?", make_answer("Who?")),
    ):
        with pytest.raises(SessionNotFoundError):
            use("none")
    assert not sessions.delete("none")


def test_unused_sessions_go_when_one_is_created(sessions, index):
    old, young = sessions.create(), sessions.create()
    age(index, old)
    new = sessions.create()
    assert {info.id for info in sessions.list()} == {young, new}


def test_a_session_that_is_gone_on_with_is_not_unused(sessions, index):
    sessions.add(sessions.create("old"), "Who?", make_answer("Who?"))
    age(index, "old")
    assert sessions.create("old") == "old"
    assert len(sessions.turns("old")) == 1


def test_sessions_may_be_kept_for_ever(index):
    sessions = Sessions(index.sessions, keep_days=None)
    age(index, sessions.create("old"))
    sessions.create()
    assert sessions.expire() == 0
    assert len(sessions.list()) == 2
    assert Sessions(index.sessions, keep_days=1).expire() == 1


@pytest.mark.parametrize("record", ["{", "{}", "[]", '{"question": "Who?", "answer": {}}'])
def test_a_record_that_cannot_be_read_is_left_out(sessions, index, record):
    session = sessions.create()
    for question in ("One?", "Two?", "Three?"):
        sessions.add(session, question, make_answer(question))
    with index._catalog.transaction() as connection:
        connection.execute("UPDATE turns SET record = ? WHERE number = 2", (record,))
    assert [turn.number for turn in sessions.get(session).turns] == [1, 3]
    assert [turn.question for turn in sessions.turns(session, last=2)] == ["Three?"]
    assert sessions.add(session, "Four?", make_answer("Four?")).number == 4


def test_a_record_of_a_later_version_is_read(sessions, index):
    session = sessions.create()
    turn = sessions.add(session, "One?", make_answer("One?"))
    index.sessions.append(session, json.loads(turn.model_dump_json()) | {"mood": "curious"})
    assert [turn.question for turn in sessions.turns(session)] == ["One?", "One?"]


def test_a_transcript(sessions):
    session = sessions.create("talk")
    sessions.add(session, "Whom did\nAnna *Berg* meet?", make_answer("Whom did\nAnna *Berg* meet?"))
    understood = make_answer("When did he?", "Oslo", resolved="When did Tomas Lind?")
    understood.answers[0].value = Value(type="DATE", start="2024-03-04", end="2024-03-04", text="x")
    understood.answers += understood.answers  # one sentence for both
    sessions.add(session, "When did he?", understood)
    sessions.add(session, "Who won the Cup?", make_answer("Who won the Cup?", ""))
    record = sessions.get(session)
    assert (
        sessions.to_markdown(record)
        == f"""\
# Session talk

*{record.created} to {record.used}*

## 1. Whom did Anna *Berg* meet?

- **Tomas Lind** [1], 80% sure
  > Anna Berg met Tomas Lind in Oslo.

Sources:

- [1] Leaders meet – 2024-03-04 – news/oslo.txt

## 2. When did he?

*understood as: When did Tomas Lind?*

- **Oslo** (2024-03-04) [1], 80% sure
  > Anna Berg met Tomas Lind in Oslo.
- **Oslo** (2024-03-04) [1], 80% sure

Sources:

- [1] Leaders meet – 2024-03-04 – news/oslo.txt

## 3. Who won the Cup?

The documents do not say.

Nearest passages:

- [1] Leaders meet – 2024-03-04 – news/oslo.txt
  > Anna Berg met Tomas Lind in Oslo."""
    )


def test_a_transcript_with_events_and_pages(sessions):
    event = Event(
        what="met",
        status="planned",
        who=[Mention(text="Berg", name="Anna Berg", citation=1), Mention(text="Lind", citation=2)],
        where=Mention(text="Oslo", citation=3),
        when=Mention(
            text="next week",
            value=Value(type="DATE", start="2024-03-11", end="2024-03-17", text="next week"),
            citation=4,
        ),
    )
    answer = make_answer(
        "Who met where and when?", events=[event, Event(what="the visit", status="denied", who=[])]
    )
    (first,) = answer.citations
    first.page = 7
    answer.citations += [first.model_copy(update={"number": n}) for n in (2, 3, 5)]
    answer.citations.append(first.model_copy(update={"number": 4, "document_id": "another"}))
    sessions.add(sessions.create("talk"), "Who met where and when?", answer)
    text = sessions.to_markdown(sessions.get("talk"))
    assert (
        """
## 1. Who met where and when?

- next week (2024-03-11 to 2024-03-17) [4], planned: Berg (Anna Berg) [1], Lind [2]; met; Oslo [3]
- denied: the visit

Sources:

- [1–3, 5] Leaders meet – 2024-03-04 – news/oslo.txt
- [4] Leaders meet – 2024-03-04 – news/oslo.txt, page 7"""
        in text
    )


def test_a_citation_knows_its_sentence():
    (citation,) = make_answer("Who?").citations
    first, last = citation.sentences
    assert citation.passage.text[first:last].rstrip() == SENTENCE


def test_a_transcript_of_nothing(sessions):
    record = sessions.get(sessions.create("talk"))
    assert sessions.to_markdown(record).startswith("# Session talk\n\n*20")


@pytest.mark.parametrize(
    ("said", "days"), [(None, 30.0), ("", 30.0), ("7", 7.0), ("0.5", 0.5), ("never", None)]
)
def test_the_setting_says_how_long_sessions_are_kept(monkeypatch, said, days):
    monkeypatch.delenv("DATELINE_SESSION_DAYS", raising=False)
    if said is not None:
        monkeypatch.setenv("DATELINE_SESSION_DAYS", said)
    assert days_kept() == days


@pytest.mark.parametrize("said", ["a week", "-1", "nan", "inf"])
def test_an_odd_setting_is_refused(monkeypatch, said):
    monkeypatch.setenv("DATELINE_SESSION_DAYS", said)
    with pytest.raises(UsageError, match="DATELINE_SESSION_DAYS"):
        days_kept()
