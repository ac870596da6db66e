"""Who, where, when and whether: slots of events over a collection of short stories.

The collection is Dateline's own: invented stories in the style of news, mail and minutes, and
questions with the slots that a careful reader fills. One half was developed on, one is held out.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from importlib.resources import as_file, files
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from index import Document, EmbeddedIndex
from index.document import document_id
from index.errors import LoadError
from qa import Assistant
from qa.answer import Answer, Mention, Span

from .measuring import Latency, latency, tracked
from .metrics import f1

RIGHT = 0.5  # token F1 from which wording counts as the same
SLOTS = ("who", "where", "when")
HALVES = {1: "development", 2: "held out"}

Filled = Mention | Span


@dataclass(frozen=True, slots=True)
class EventQuestion:
    """A question and the events that answer it: slots as in the collection's files."""

    id: str
    half: int
    kind: str
    question: str
    events: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True, slots=True)
class SlotRow:
    """One slot that a question asks for: what was answered, and whether it is right."""

    id: str
    half: int
    kind: str
    question: str
    slot: str
    answer: str
    gold: str
    right: bool
    milliseconds: float


@dataclass(frozen=True, slots=True)
class SlotAccuracy:
    """The share of slots filled rightly, of some part of the collection."""

    part: str
    questions: int
    slots: int
    accuracy: float
    by_slot: Mapping[str, float]
    by_kind: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class EventSlotsResult:
    """Both halves, and what compound questions cost beside plain ones."""

    parts: tuple[SlotAccuracy, ...]
    plain: Latency
    compound: Latency
    rows: tuple[SlotRow, ...]


def load_stories(path: Path) -> list[Document]:
    """The stories as documents.

    Raises:
        LoadError: a line is damaged; the message names it.
    """
    return [
        Document(
            id=document_id(record["id"]),
            source=record["id"],
            title=record["title"],
            text=f"{record['title']}\n\n{record['text']}",
            published=date.fromisoformat(record["published"]),
        )
        for record in _records(path, "id", "title", "text", "published")
    ]


def load_questions(path: Path) -> list[EventQuestion]:
    """The questions.

    Raises:
        LoadError: a line is damaged; the message names it.
    """
    return [
        EventQuestion(r["id"], r["half"], r["kind"], r["question"], tuple(r["events"]))
        for r in _records(path, "id", "half", "kind", "question", "events")
    ]


def _records(path: Path, *fields: str) -> Iterable[dict[str, Any]]:
    with path.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            try:
                record = json.loads(line)
                missing = [field for field in fields if field not in record]
            except (ValueError, TypeError) as error:
                raise LoadError(f"{path} line {number}: {error}.") from error
            if missing:
                raise LoadError(f"{path} line {number} has no {', '.join(missing)}.")
            yield record


def evaluate_event_slots(halves: Sequence[int] = (1, 2)) -> EventSlotsResult:
    """Ask the bundled collection's questions of all its stories, in one index."""
    with (
        as_file(files("eval") / "event_stories.jsonl") as stories,
        as_file(files("eval") / "event_questions.jsonl") as questions,
        TemporaryDirectory(prefix="dateline-events-") as folder,
        EmbeddedIndex.open(folder) as index,
    ):
        index.add(load_stories(stories))
        asked = [q for q in load_questions(questions) if q.half in halves]
        assistant = Assistant(index)
        assistant.ask("Who met where and when?")  # loads what there is to load
        rows = [row for q in tracked(asked, "Questions") for row in slot_rows(q, assistant)]
    parts = tuple(
        _accuracy(HALVES[half], [row for row in rows if row.half == half]) for half in halves
    )
    times = {row.id: (row.kind == "compound", row.milliseconds) for row in rows}
    return EventSlotsResult(
        parts,
        latency([ms for compound, ms in times.values() if not compound]),
        latency([ms for compound, ms in times.values() if compound]),
        tuple(rows),
    )


def slot_rows(question: EventQuestion, assistant: Assistant) -> Iterable[SlotRow]:
    """Ask a question; a row for every slot of every event that it asks for."""
    answer = assistant.ask(question.question)
    milliseconds = answer.timings_ms["total"]
    for gold in question.events:
        filled = _best(answer, gold)
        for slot in SLOTS:
            if slot in gold:
                yield SlotRow(
                    id=question.id,
                    half=question.half,
                    kind=question.kind,
                    question=question.question,
                    slot=slot,
                    answer="; ".join(_said(part) for part in filled.get(slot, ())),
                    gold=json.dumps(gold[slot], ensure_ascii=False),
                    right=_is_right(slot, filled.get(slot, ()), gold[slot]),
                    milliseconds=milliseconds,
                )


def _said(part: Filled) -> str:
    value = f" = {part.value.start}..{part.value.end}" if part.value and part.value.start else ""
    return f"{part.text}{f' ({part.name})' if part.name else ''}{value}"


def _best(answer: Answer, gold: Mapping[str, Any]) -> Mapping[str, Sequence[Filled]]:
    """The slots of the event shown that fits best, or of a plain answer's spans."""
    shown: list[Mapping[str, Sequence[Filled]]] = [
        {
            "who": event.who,
            "where": [event.where] if event.where else [],
            "when": [event.when] if event.when else [],
        }
        for event in answer.events
        if event.status == gold.get("status", event.status)
    ]
    if not answer.events and answer.answers:
        shown = [{slot: [a for a in answer.answers if a.slot == slot] for slot in SLOTS}]
    return max(
        shown,
        key=lambda event: sum(_is_right(s, event.get(s, ()), gold[s]) for s in SLOTS if s in gold),
        default={},
    )


def _is_right(slot: str, filled: Sequence[Filled], gold: Any) -> bool:  # noqa: ANN401 - as read
    if slot == "who":
        return bool(filled) and all(any(_names(part, names) for part in filled) for names in gold)
    if slot == "where":
        return any(_names(part, gold) for part in filled[:1])
    for part in filled[:1]:
        if part.value and part.value.start and part.value.end:
            return bool(gold["start"] <= part.value.start and part.value.end <= gold["end"])
    return False


def _names(part: Filled, wordings: Sequence[str]) -> bool:
    said = [part.text, *([part.name] if part.name else [])]
    return max(f1(text, wordings) for text in said) >= RIGHT


def _accuracy(part: str, rows: Sequence[SlotRow]) -> SlotAccuracy:
    return SlotAccuracy(
        part=part,
        questions=len({row.id for row in rows}),
        slots=len(rows),
        accuracy=_share(rows),
        by_slot={s: _share([r for r in rows if r.slot == s]) for s in SLOTS},
        by_kind={
            kind: _share([r for r in rows if r.kind == kind])
            for kind in sorted({row.kind for row in rows})
        },
    )


def _share(rows: Sequence[SlotRow]) -> float:
    return sum(row.right for row in rows) / max(1, len(rows))
