"""The events collection is whole, and slots are scored as its header says."""

from datetime import date
from importlib.resources import files

import pytest

from eval.event_slots import (
    _best,
    _is_right,
    load_questions,
    load_stories,
)
from index.errors import LoadError
from qa.answer import Answer, Event, Mention, Value

FOLDER = files("eval")


def mention(text, name=None, start=None, end=None):
    value = Value(type="date", start=start, end=end or start, text="") if start else None
    return Mention(text=text, name=name, value=value, citation=1)


def answer(*events):
    return Answer(
        question="?", resolved_question="?", abstained=False, answers=[], events=list(events),
        citations=[], timings_ms={},
    )  # fmt: skip


def test_the_collection_is_whole():
    stories = {story.source: story.text for story in load_stories(FOLDER / "event_stories.jsonl")}
    questions = load_questions(FOLDER / "event_questions.jsonl")
    assert len(stories) >= 60
    assert len(questions) >= 150
    assert len({question.id for question in questions}) == len(questions)
    everything = "\n".join(stories.values())
    for question in questions:
        for event in question.events:
            wordings = [w for names in event.get("who", ()) for w in names]
            wordings += [*event.get("where", ()), *event.get("when", {}).get("texts", ())]
            assert all(wording in everything for wording in wordings), question.id
            if "when" in event:
                days = [date.fromisoformat(event["when"][end]) for end in ("start", "end")]
                assert days == sorted(days), question.id


def test_slots_by_hand():
    people = [["Ann Berg", "Berg"], ["Bo Lund"]]
    assert _is_right("who", [mention("Berg"), mention("Lund", "Bo Lund")], people)
    assert not _is_right("who", [mention("Berg")], people)
    assert _is_right("where", [mention("the town hall in Molde")], ["town hall", "Molde town hall"])
    assert not _is_right("where", [], ["Molde"])
    gold = {"start": "2020-05-01", "end": "2020-05-31"}
    assert _is_right("when", [mention("May 4", start="2020-05-04")], gold)
    assert not _is_right("when", [mention("2020", start="2020-01-01", end="2020-12-31")], gold)
    assert not _is_right("when", [mention("once")], gold)


def test_the_event_that_fits_best_is_scored_and_its_status_counts():
    held = Event(what="met", status="happened", who=[mention("Ann")], where=mention("Molde"))
    planned = Event(what="meet", status="planned", who=[mention("Ann")], where=mention("Voss"))
    gold = {"who": [["Ann"]], "where": ["Voss"], "status": "planned"}
    assert _best(answer(held, planned), gold)["where"][0].text == "Voss"
    assert _best(answer(held), gold) == {}


def test_a_damaged_line_is_named(tmp_path):
    path = tmp_path / "stories.jsonl"
    path.write_text('{"id": "a"}\n', encoding="utf-8")
    with pytest.raises(LoadError, match="line 1 has no title"):
        load_stories(path)
    path.write_text("{\n", encoding="utf-8")
    with pytest.raises(LoadError, match="line 1"):
        load_stories(path)
