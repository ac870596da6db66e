"""The turns of a conversation, made of the messages that a client sends.

Clients send what was said, not our records of it. An earlier reply that this process gave is known
by its words and those of its question. One that is not known (after a restart, or from elsewhere)
is answered anew: the question that it says it answers, else the one that was asked.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from hashlib import blake2b
from typing import NamedTuple

from index.errors import UsageError

from ..answer import Answer
from ..assistant import TURNS
from ..conversation import REMEMBERED
from ..markdown import tidy
from ..sessions import Turn, turn_of
from .openai_reply import understood_question

KEPT = 1000  # replies that are known again


class Exchange(NamedTuple):
    """A question and the text of its reply."""

    question: str
    reply: str


class RecentReplies:
    """The last answers by the words of question and reply; safe to use from several threads."""

    def __init__(self, most: int = KEPT) -> None:
        self._most = most
        self._answers: OrderedDict[bytes, Answer] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, exchange: Exchange) -> Answer | None:
        """The answer that was told so, if it is known."""
        key = _key(exchange)
        with self._lock:
            if key in self._answers:
                self._answers.move_to_end(key)
            return self._answers.get(key)

    def put(self, exchange: Exchange, answer: Answer) -> None:
        """Keep an answer; the one used longest ago goes if there are too many."""
        key = _key(exchange)
        with self._lock:
            self._answers[key] = answer
            self._answers.move_to_end(key)
            if len(self._answers) > self._most:
                self._answers.popitem(last=False)


def _key(exchange: Exchange) -> bytes:
    """Of the words only: clients add and drop white space."""
    said = "\0".join(map(tidy, exchange))
    return blake2b(said.encode("utf-8", "backslashreplace"), digest_size=16).digest()


def turns_of(
    exchanges: Sequence[Exchange], recent: RecentReplies, ask: Callable[..., Answer]
) -> list[Turn]:
    """The turns that a question may follow on, oldest first.

    Args:
        exchanges: oldest first; only the last `TURNS` of them are looked at.
        ask: answers a question given its `history`; asked for unknown ones among the last
            `REMEMBERED` at most, which are those that weigh.
    """
    turns: list[Turn] = []
    last = exchanges[-TURNS:]
    for remaining, exchange in zip(range(len(last), 0, -1), last, strict=True):
        answer = recent.get(exchange)
        if answer is None and remaining <= REMEMBERED:
            answer = _answered_again(exchange, turns, ask)
            if answer is not None:
                recent.put(exchange, answer)
        if answer is not None:
            turns.append(turn_of(exchange.question, answer))
    return turns


def _answered_again(
    exchange: Exchange, turns: Sequence[Turn], ask: Callable[..., Answer]
) -> Answer | None:
    """The answer to an earlier question; None if it is no question."""
    whole = understood_question(exchange.reply)
    try:
        return ask(whole) if whole else ask(exchange.question, history=turns)
    except UsageError:
        return None
