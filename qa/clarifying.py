"""Asking back where a follow-up may mean several things, and understanding the reply.

Only two cases are truly open: "he" after several people were named together, and "that meeting"
after several events were shown. Everything else has a likeliest reading, which is shown.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from .ellipsis import said
from .entities import key_of
from .mentions import Exchange, class_of, mentions_in
from .predicates import is_listed
from .syntax import parse

MOST = 4  # things to choose from; of more the likeliest is taken
_ORDINALS = ("first", "second", "third", "fourth")
_POINTING = re.compile(
    r"\b(?:that|this|the) (?P<noun>[a-z]+)\b|\b(?:that|this|it)\b", re.IGNORECASE
)


class Choice(NamedTuple):
    """One thing that a question may mean: in a few words, and the question with it in place."""

    label: str
    text: str


def choices(question: str, history: Sequence[Exchange]) -> list[Choice]:
    """What a follow-up may equally mean; none if there is a likeliest reading.

    Args:
        history: oldest first.
    """
    if not history:
        return []
    found = _people(question, history[-1]) or _events(question, history[-1])
    return found if 1 < len(found) <= MOST else []


def chosen(reply: str, offered: Sequence[Choice]) -> Choice | None:
    """Which choice a reply takes: "the first", "2019", "Kim"; None if it is a fresh question."""
    words = re.findall(r"\w+", reply.casefold())
    if len(words) > MOST + 1:
        return None
    for number, ordinal in enumerate(_ORDINALS[: len(offered)], 1):
        if ordinal in words or words == [str(number)]:
            return offered[number - 1]
    if "last" in words or "latter" in words:
        return offered[-1]
    said_words = set(key_of(reply)) - {"one", "i", "mean", "meant", "meeting"}
    matching = [c for c in offered if said_words and said_words <= set(key_of(c.label))]
    return matching[0] if len(matching) == 1 else None


def asked_back(offered: Sequence[Choice]) -> str:
    """The question that offers the choices."""
    *others, last = (choice.label for choice in offered)
    return f"Do you mean {', '.join(others)} or {last}?"


def _people(question: str, last: Exchange) -> list[Choice]:
    """Several people were the answer, and one of them is asked about."""
    if last.slot != "who" or len(last.answers) < 2:
        return []
    doc = parse(question)
    named = any(m.kind == "person" for m in mentions_in(doc))
    token = next((t for t in doc if class_of(t) == "he"), None)
    if token is None or named:
        return []
    ending = "’s" if token.tag_ == "PRP$" else ""
    start, end = token.idx, token.idx + len(token.text)
    return [
        Choice(name, f"{question[:start]}{name}{ending}{question[end:]}") for name in last.answers
    ]


def _events(question: str, last: Exchange) -> list[Choice]:
    """Several dated events were shown, and one of them is asked about."""
    if len(last.events) < 2:
        return []
    found = _POINTING.search(question)
    noun = (found["noun"] or "").casefold() if found else ""
    if not found or (noun and not is_listed(noun)):
        return []
    kind = noun or "meeting"
    return [
        Choice(
            _label(kind, said(*event.days)),
            f"{question[: found.start()]}the {kind} of {event.who} {said(*event.days)}"
            f"{question[found.end() :]}",
        )
        for event in last.events
    ]


def _label(kind: str, when: str) -> str:
    """A few words for an event: "the April 2019 meeting"."""
    words = when.removeprefix("in ").removeprefix("on ")
    return f"the {kind} {when}" if words.startswith("between") else f"the {words} {kind}"
