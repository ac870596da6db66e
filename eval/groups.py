"""Answers by what was asked for: the slot, as the product sees it, or the type that a file says."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple, Protocol, TypeVar

from index.errors import UsageError
from qa.question import analyse


class Answered(Protocol):
    """A question's outcome; its scores are None where there is nothing to compare with."""

    @property
    def unanswerable(self) -> bool:
        """Whether no answer is the right one."""

    @property
    def exact_match(self) -> float | None:
        """Of the best candidate."""

    @property
    def f1(self) -> float | None:
        """Of the best candidate."""

    @property
    def abstained(self) -> bool:
        """Whether no answer was given."""


Row = TypeVar("Row", bound=Answered)


class GroupScores(NamedTuple):
    """The questions of one kind.

    Attributes:
        exact_match, f1: means over the answerable ones, of the best candidate, so far as they have
            them; None without any.
        abstained: share of the answerable ones that was not answered; None without any.
        false_answers: share of the unanswerable ones that was answered; None without any.
    """

    questions: int
    exact_match: float | None
    f1: float | None
    abstained: float | None
    false_answers: float | None


def slot_of(question: str) -> str:
    """What a question asks for: "who", "when", "how many" ...; "yes/no", "describe" or "other"."""
    try:
        asked = analyse(question)
    except UsageError:
        return "other"
    return asked.slot or {"yes/no": "yes/no", "explanation": "describe"}.get(asked.form, "other")


def by_group(rows: Iterable[Row], group: Callable[[Row], str]) -> dict[str, GroupScores]:
    """Scores by the name of the group, the largest first; rows of the group "" are left out."""
    groups: dict[str, list[Row]] = {}
    for row in rows:
        groups.setdefault(group(row), []).append(row)
    groups.pop("", None)
    return {
        name: _scores(members)
        for name, members in sorted(groups.items(), key=lambda item: (-len(item[1]), item[0]))
    }


def _scores(rows: Sequence[Answered]) -> GroupScores:
    answerable = [row for row in rows if not row.unanswerable]
    return GroupScores(
        questions=len(rows),
        exact_match=_mean([row.exact_match for row in answerable]),
        f1=_mean([row.f1 for row in answerable]),
        abstained=_mean([row.abstained for row in answerable]),
        false_answers=_mean([not row.abstained for row in rows if row.unanswerable]),
    )


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return statistics.fmean(known) if known else None
