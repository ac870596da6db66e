"""Follow-ups end to end: conversations over documents, answered with and without the history.

The collection is Dateline's own: invented stories and the bundled sample's documents, conversations
of four to seven turns, for every turn the self-contained question that a person would ask and the
wordings that answer it. One half was developed on, the other is held out.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import as_file, files
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

import numpy as np

from index import EmbeddedIndex
from index.errors import LoadError
from qa import Assistant
from qa.answer import Answer
from qa.demo import SAMPLE

from .event_slots import HALVES, load_stories
from .measuring import Latency, latency, tracked
from .metrics import Interval, bootstrap_interval, f1, randomization_test

Way = Literal["on", "off", "rewrites"]
WAYS: tuple[Way, ...] = ("on", "off", "rewrites")


@dataclass(frozen=True, slots=True)
class DialogueTurn:
    """A turn: as asked, as it would stand alone, and what answers it (nothing, if it is empty)."""

    question: str
    rewrite: str
    standalone: bool
    answers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Dialogue:
    """A conversation."""

    id: str
    half: int
    turns: tuple[DialogueTurn, ...]


@dataclass(frozen=True, slots=True)
class TurnRow:
    """What became of a turn: as it was understood, and answered in each way."""

    id: str
    half: int
    turn: int
    standalone: bool
    question: str
    resolved: str
    rewrite: str
    gold: Sequence[str]
    answers: Mapping[Way, str]
    f1: Mapping[Way, float]
    resolve_ms: float


@dataclass(frozen=True, slots=True)
class DialogueScores:
    """F1 of the first answers, in the mean over some turns.

    Attributes:
        part: which turns.
        f1: with the history understood ("on"), without ("off"), and of the people's rewrites.
        on: the 95 % interval of "on".
        kept: "on" as a share of what the rewrites give.
        p_value: of "on" against "off", paired.
        untouched: of turns that stand alone, the share that was left as it is; else None.
    """

    part: str
    turns: int
    f1: Mapping[Way, float]
    on: Interval
    kept: float
    p_value: float
    untouched: float | None


@dataclass(frozen=True, slots=True)
class ConversationsResult:
    """All parts, and what understanding costs a turn."""

    parts: tuple[DialogueScores, ...]
    resolving: Latency
    rows: tuple[TurnRow, ...]


def load_dialogues(path: Path) -> list[Dialogue]:
    """The conversations.

    Raises:
        LoadError: a line is damaged; the message names it.
    """
    found = []
    with path.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            try:
                record = json.loads(line)
                turns = tuple(
                    DialogueTurn(t["question"], t["rewrite"], t["standalone"], tuple(t["answers"]))
                    for t in record["turns"]
                )
                found.append(Dialogue(record["id"], record["half"], turns))
            except (ValueError, TypeError, KeyError) as error:
                raise LoadError(f"{path} line {number}: {error!r}.") from error
    return found


def evaluate_conversations(halves: Sequence[int] = (1, 2)) -> ConversationsResult:
    """Hold the bundled conversations over the sample and the stories, in one index."""
    with (
        as_file(files("eval") / "conversation_stories.jsonl") as stories,
        as_file(files("eval") / "conversations.jsonl") as dialogues,
        TemporaryDirectory(prefix="dateline-conversations-") as folder,
        EmbeddedIndex.open(folder) as index,
    ):
        index.add_files([SAMPLE])
        index.add(load_stories(stories))
        assistant = Assistant(index)
        _warm_up(assistant)
        held = [d for d in load_dialogues(dialogues) if d.half in halves]
        rows = [row for d in tracked(held, "Conversations") for row in turn_rows(d, assistant)]
    parts = []
    for half in halves:
        mine = [row for row in rows if row.half == half]
        parts.append(_scores(f"{HALVES[half]}, all turns", mine))
        parts.append(_scores("– follow-ups", [r for r in mine if not r.standalone]))
        parts.append(_scores("– standing alone", [r for r in mine if r.standalone]))
    times = latency([row.resolve_ms for row in rows if row.turn > 1])
    return ConversationsResult(tuple(parts), times, tuple(rows))


def _warm_up(assistant: Assistant) -> None:
    """Load what there is to load."""
    session = assistant.sessions.create()
    for question in ("Who met in Port Ellery in March 2024?", "Where was that?"):
        assistant.ask(question, session=session)
    assistant.sessions.delete(session)


def turn_rows(
    dialogue: Dialogue, assistant: Assistant, ways: Sequence[Way] = WAYS
) -> Iterable[TurnRow]:
    """Hold a conversation; a row for every turn, answered in each way, of which "on" is one."""
    sessions = {way: assistant.sessions.create() for way in ways if way != "rewrites"}
    for number, turn in enumerate(dialogue.turns, 1):
        given: dict[Way, Answer] = {
            way: assistant.ask(turn.rewrite)
            if way == "rewrites"
            else assistant.ask(turn.question, session=sessions[way], resolve=way == "on")
            for way in ways
        }
        on = given["on"]
        yield TurnRow(
            id=dialogue.id,
            half=dialogue.half,
            turn=number,
            standalone=turn.standalone,
            question=turn.question,
            resolved=on.resolved_question,
            rewrite=turn.rewrite,
            gold=turn.answers,
            answers={way: _first(answer) for way, answer in given.items()},
            f1={way: _f1(answer, turn.answers) for way, answer in given.items()},
            resolve_ms=on.timings_ms["resolve"],
        )


def _first(answer: Answer) -> str:
    return answer.answers[0].text if answer.answers else ""


def _f1(answer: Answer, gold: Sequence[str]) -> float:
    """Token F1 of the first answer; where nothing is right, of saying so."""
    if not gold or answer.abstained:
        return float(answer.abstained and not gold)
    first = answer.answers[0]
    return max(f1(text, gold) for text in (first.text, first.name or first.text))


def _scores(part: str, rows: Sequence[TurnRow]) -> DialogueScores:
    means = {way: float(np.mean([row.f1[way] for row in rows])) for way in WAYS}
    on, off = ([row.f1[way] for row in rows] for way in ("on", "off"))
    same = [row.resolved == " ".join(row.question.split()) for row in rows]
    return DialogueScores(
        part=part,
        turns=len(rows),
        f1=means,
        on=bootstrap_interval(on),
        kept=means["on"] / max(means["rewrites"], 1e-9),
        p_value=randomization_test(on, off),
        untouched=float(np.mean(same)) if all(row.standalone for row in rows) else None,
    )
