"""Conversations: the turns of a session as records, and as a transcript to read."""

from __future__ import annotations

import builtins
import math
import os
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

from pydantic import BaseModel, Field, ValidationError

from index import SessionInfo, SessionStore
from index.errors import UsageError
from index.sessions import utc

from .answer import Answer
from .markdown import sources, tidy, told

KEEP_DAYS = 30.0  # a session that has not been used for so long is deleted


def days_kept() -> float | None:
    """What DATELINE_SESSION_DAYS says: a number of days, or "never" for no end; KEEP_DAYS if unset.

    Raises:
        UsageError: it says something else.
    """
    said = os.environ.get("DATELINE_SESSION_DAYS", "").strip()
    if said.casefold() == "never":
        return None
    try:
        days = float(said or KEEP_DAYS)
    except ValueError:
        days = -1.0
    if not 0 <= days < math.inf:
        raise UsageError(
            f"DATELINE_SESSION_DAYS is {said!r}.", 'Set it to a number of days, or to "never".'
        )
    return days


class PassageRef(BaseModel):
    """A passage of a document; offsets are characters into its text."""

    document_id: str = Field(description="id of the document")
    start: int = Field(description="first character in the document's text")
    end: int = Field(description="character after the last")


class Turn(BaseModel):
    """A question of a conversation and what was made of it."""

    number: int = Field(description="from 1, in the order of asking")
    asked: str = Field(description="when, ISO 8601, UTC")
    question: str = Field(description="as it was asked")
    resolved_question: str = Field(description="as it was understood: made whole, slips put right")
    answer: Answer = Field(description="the answer that was given")
    passages: list[PassageRef] = Field(description="the passages in play, best first")


def turn_of(question: str, answer: Answer, passages: Sequence[PassageRef] = ()) -> Turn:
    """A question just asked and its answer, without a number."""
    return Turn(
        number=0,  # a session's store counts
        asked=utc(datetime.now(UTC)),
        question=question,
        resolved_question=answer.resolved_question,
        answer=answer,
        passages=list(passages),
    )


class SessionRecord(BaseModel):
    """A conversation with its turns."""

    id: str = Field(description="id of the session")
    created: str = Field(description="when it was begun, ISO 8601, UTC")
    used: str = Field(description="when it was last asked in, ISO 8601, UTC")
    turns: list[Turn] = Field(description="questions and answers, in the order of asking")


class Sessions:
    """The conversations that a store holds.

    Every method that takes an id of a session raises SessionNotFoundError if there is none, but for
    `create` and `delete`.
    """

    def __init__(self, store: SessionStore, keep_days: float | None = KEEP_DAYS) -> None:
        """Sessions unused for `keep_days` are deleted when one is created; never if it is None."""
        self._store = store
        self.keep_days = keep_days

    def create(self, id_: str | None = None) -> str:
        """Begin a session, of the given id or a random one; one that is there is gone on with.

        Raises:
            UsageError: the id is not 1 to 64 letters, digits, "_" and "-".
        """
        created = self._store.create(id_)
        self.expire()  # not before: the one that is asked for may be old
        return created

    def get(self, id_: str) -> SessionRecord:
        """A session with all its turns."""
        info = self._store.info(id_)
        return SessionRecord(
            id=info.id, created=info.created, used=info.used, turns=self.turns(id_)
        )

    def turns(self, id_: str, last: int | None = None) -> builtins.list[Turn]:
        """The turns of a session in order, or those of its `last` so many.

        A turn that cannot be read any more, being of another version, is left out.
        """
        return list(_readable(self._store.turns(id_, last)))

    def add(
        self, id_: str, question: str, answer: Answer, passages: Sequence[PassageRef] = ()
    ) -> Turn:
        """Keep what was asked and answered as the next turn of a session."""
        turn = turn_of(question, answer, passages)
        number = self._store.append(id_, turn.model_dump(exclude={"number"}))
        return turn.model_copy(update={"number": number})

    def list(self) -> builtins.list[SessionInfo]:
        """All sessions without their turns, the one used last first."""
        return self._store.list()

    def delete(self, id_: str) -> bool:
        """Remove a session; whether there was one."""
        return self._store.delete(id_)

    def expire(self) -> int:
        """Remove the sessions that have not been used for `keep_days`; how many there were."""
        if self.keep_days is None:
            return 0
        return self._store.expire(datetime.now(UTC) - timedelta(days=self.keep_days))

    @staticmethod
    def to_markdown(record: SessionRecord) -> str:
        """A transcript to read; the documents' words stay as they are, but for line breaks."""
        lines = [f"# Session {record.id}", "", f"*{record.created} to {record.used}*"]
        for turn in record.turns:
            lines += ["", f"## {turn.number}. {tidy(turn.question)}", ""]
            lines += [*told(turn.answer), *sources(turn.answer)]
        return "\n".join(lines)


def _readable(records: Sequence[dict[str, object]]) -> Iterator[Turn]:
    for record in records:
        try:
            yield Turn.model_validate(record)
        except ValidationError:
            continue
