"""How far an answer has come, for those who watch: what `Assistant.ask` tells while it works."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, TypeAlias

from index import Hit


class Understood(NamedTuple):
    """The question as it is searched for; again where another reading of it is tried."""

    question: str


class Found(NamedTuple):
    """The passages that are read next, best first."""

    hits: list[Hit]


Stage: TypeAlias = Understood | Found
OnStage: TypeAlias = Callable[[Stage], object]


def unwatched(_: Stage) -> None:
    """Nobody watches."""
