"""A compound question taken apart: one plain question for each of its slots.

"Where and when did X meet Y?" is "Where did X meet Y?" and "When did X meet Y?". "Who signed the
treaty, and when?" asks "When did someone sign the treaty?": such are the questions of QA-SRL
(He, Lewis and Zettlemoyer, EMNLP 2015), which the reader was trained on.
"""

from __future__ import annotations

import re

from .syntax import parse

_PAIR = re.compile(
    r"^(?P<one>who|whom|where|when)(?:,? (?:and|or) |, )(?P<two>who|whom|where|when)"
    r"(?:,? and (?P<three>who|whom|where|when))? (?P<rest>.+)$",
    re.IGNORECASE,
)
_TAIL = re.compile(
    r",?(?: and)? (?:(?:by|with|to) whom|who(?:m)?(?: else \w+)?|where|when)"
    r"(?:,? and (?:(?:by|with) whom|who(?:m)?|where|when))*\s*\?*$",
    re.IGNORECASE,
)
_AUXILIARY = re.compile(
    r"^(?:was|were|is|are|am|did|does|do|has|have|had|can|could|will|would|shall|should|may|might)$"
)


def part_question(question: str, slot: str) -> str:
    """The plain question that asks a compound one's `slot` ("who", "where" or "when")."""
    wh = slot.capitalize()
    if pair := _PAIR.match(question):
        return f"{wh} {pair['rest']}"
    clause = _TAIL.sub("", question).rstrip("?.! ")
    first, _, rest = clause.partition(" ")
    if first.casefold() == slot or not rest:
        return clause + "?"
    if first.casefold() in ("who", "whom"):
        return f"{wh} {_asked_of_someone(rest)}?"
    if first.casefold() in ("by", "to", "with") and rest.casefold().startswith("whom "):
        return f"{wh} {rest.partition(' ')[2]}?"
    if first.casefold() in ("where", "when"):
        return f"{wh} {rest}?"
    return question


def _asked_of_someone(rest: str) -> str:
    """The rest of "Who ...", asked of "someone": "did someone sign", "was someone arrested"."""
    verb, _, others = rest.partition(" ")
    if _AUXILIARY.match(verb.casefold()):
        return f"{verb} someone {others}"
    token = next(t for t in parse(f"Who {rest}?") if t.i == 1)
    return f"did someone {token.lemma_} {others}".strip()
