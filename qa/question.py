"""What a question asks for: the slots its answer fills, the form of the answer, the dates it means.

A compound question ("Who met where and when?") asks for several slots of one event.
"""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import Literal, NamedTuple

from index.errors import UsageError

from .dates import find_timexes

MAX_CHARACTERS = 2000

Form = Literal["span", "explanation", "yes/no"]
Order = Literal["first", "last", "next", "previous"]

_SLOTS = (
    ("how many", r"how many\b"),
    ("how much", r"how much\b"),
    ("how long", r"how long\b"),
    ("why", r"why\b|for what reason|what (?:was |is )?the (?:reason|cause)|how come"),
    ("when", r"when\b|(?:at |on |in )?(?:what|which) (?:day|date|month|year|time)\b"),
    ("where", r"where\b|(?:in |at )?(?:what|which) (?:city|country|place|town|venue|location)\b"),
    ("who", r"who(?:m|se)?\b|(?:what|which) (?:person|people)\b"),
    ("which", r"which\b"),
    ("how", r"how\b"),
    ("what", r"what\b"),
)
# A wh-word counts at the start of the question or of a clause, after a preposition, or at the end.
_BEFORE = r"(?:^|[,;:]\s*|\b(?:and|or) |\b(?:in|on|at|by|to|for|from|with|of|since) )"
_SLOT = [(slot, re.compile(rf"{_BEFORE}(?:{form})|(?:{form})\W*$")) for slot, form in _SLOTS]
_LATER_SLOT = re.compile(  # after the first: "who met WHERE and WHEN", "when and WHERE did"
    r"\b(who(?:m)?(?= else\b|\W*$|,| and\b| (?:\w+ed|met|attended|took)\b)|where|when|why)\b"
)
_EXPLANATION = re.compile(
    r"^(?:please )?(?:describe|explain|tell me (?:about|why|how)|what happened)\b"
)
_MEASURED = re.compile(  # "how tall", "how far": a span answers, not an explanation
    r"\bhow (?:many|much|long|old|far|big|large|tall|high|deep|wide|fast|often|soon|late|early|"
    r"heavy|close|near|hot|cold|strong|few|little|small|short)\b"
)
_AUXILIARY = (
    r"(?:is|are|was|were|am|do|does|did|has|have|had|can|could|will|would|shall|should|may|might)"
)
_YES_NO = re.compile(rf"^(?:{_AUXILIARY}|must)(?:n['’]t)?\b(?! what| who| where| when| why| how)")
_ORDERS: tuple[tuple[Order, str], ...] = (
    ("previous", r"previous(?:ly)?|before that|the time before|earlier"),
    ("next", r"next|upcoming|coming"),
    ("last", r"last(?! (?:week|month|year|night|name|\w+day)\b)|latest|most recent(?:ly)?"),
    ("first", r"first(?! (?:name|lady|minister|half|quarter)\b)|earliest"),
)
_ORDER = [(order, re.compile(rf"\b(?:{words})\b")) for order, words in _ORDERS]
_LIST = re.compile(
    r"^(?:please )?(?:name|list|enumerate|give (?:me )?(?:all|the names))\b|\bwho (?:all|else)\b|"
    r"\bwhich of the\b|\bwhat (?:are|were) (?:the|some|all|other) (?:\w+ )?\w+s\b|"
    r"\bwho (?:are|were) (?:(?:some|all|other)\b|the (?:\w+ )?(?:\w+[eo]rs|participants|people)\b)|"
    # "which two countries signed", "what laws were passed"; not "what causes rain"
    rf"\b(?:which|what) (?:(?!{_AUXILIARY}\b)[\w’'-]+ ){{0,3}}?"
    rf"(?!{_AUXILIARY}\b|(?:news|series|types|kinds|sorts|times)\b)(?:\w+[^\Ws]s|people|men|women|children)"
    rf" (?:(?!is\b|was\b|has\b|does\b){_AUXILIARY}|\w+ed|met|won|took|came|went|left|gave|made|"
    r"held|fell|sent|spoke|said|became)\b"
)
_DATED = re.compile(
    r"\b(?P<how>in|on|during|at|within|throughout|before|until|after|since|from|between|by|over)"
    r" (?:the )?$"
)
_BOUND = re.compile(
    r"(?:^|\b)(?P<how>after|before|since) (?P<event>(?:the|that) [^,?]+?)(?:(?<=\w)\W*$|,)",
    re.IGNORECASE,
)
_COARSE = re.compile(r"\b(?:what|which) (?:month|year)\b", re.IGNORECASE)
_MAIN_EVENT = re.compile(r"\b(?:main|central|reported) event\b", re.IGNORECASE)


class Question(NamedTuple):
    """A question as asked (white space tidied) and what it asks for.

    Attributes:
        slot: the first slot, or None: "who", "where", "when", "how many" ...
        slots: all of them, in order.
        period: the days that the answer's event is restricted to, both inclusive, or None.
        undated: the question without the words that say the period.
        order: which of several such events in time is meant, or None.
        bound: "after", "before" or "since", and the event meant ("the summit"), or None.
        is_list: whether several answers are asked for ("which countries", "who all").
    """

    text: str
    slot: str | None
    form: Form
    slots: tuple[str, ...] = ()
    period: tuple[date, date] | None = None
    undated: str = ""
    order: Order | None = None
    is_list: bool = False
    bound: tuple[str, str] | None = None

    @property
    def read(self) -> str:
        """The question as passages are searched and read for it: without "before 13 September
        2023", which no passage says.
        """
        open_ended = self.period and {date.min, date.max}.intersection(self.period)
        return self.undated if open_ended and self.undated.strip(" ?") else self.text

    @property
    def is_compound(self) -> bool:
        """Whether several slots of one event are asked for."""
        return len(set(self.slots) & {"who", "where", "when"}) > 1

    @property
    def wants_fullest(self) -> bool:
        """Whether the fullest name or the finest date is the best: "what year" wants a year."""
        names = self.slot in ("who", "where")
        return names or (self.slot == "when" and not _COARSE.search(self.text))

    @property
    def is_about_main_event(self) -> bool:
        """Whether it asks for who, where or when of what a document is about."""
        return _MAIN_EVENT.search(self.text) is not None and bool(self.slots)


def analyse(text: str) -> Question:
    """Recognise what a question asks for.

    Raises:
        UsageError: it is empty or far too long to be a question.
    """
    tidy = " ".join(text.split())
    if not any(character.isalnum() for character in tidy):
        raise UsageError("The question is empty.", 'Ask in words: dateline ask "Who met whom?"')
    if len(tidy) > MAX_CHARACTERS:
        raise UsageError(
            f"The question has {len(tidy):,} characters, {MAX_CHARACTERS:,} are the limit.",
            "Ask something shorter; to add a text to the index, use: dateline index FILE",
        )
    lower = tidy.casefold()
    period, undated = _period(tidy)
    order = next((order for order, words in _ORDER if words.search(lower)), None)
    if _YES_NO.match(lower):
        return Question(tidy, None, "yes/no", (), period, undated, order)
    slots = _slots(lower)
    slot = slots[0] if slots else None
    plain_how = slot == "how" and not _MEASURED.search(lower)
    explains = slot == "why" or plain_how or _EXPLANATION.match(lower) is not None
    form: Form = "explanation" if explains else "span"
    several = _LIST.search(lower) is not None
    bound = _bound(tidy) if period is None else None
    return Question(tidy, slot, form, slots, period, undated, order, several, bound)


def _bound(text: str) -> tuple[str, str] | None:
    """The event that a question's own comes after or before, as it is named there."""
    found = _BOUND.search(text)
    return (found["how"].casefold(), found["event"]) if found else None


def _slots(lower: str) -> tuple[str, ...]:
    """The slot of the first wh-word (of two at one place the more specific), then the others."""
    found = [
        (match.start(), place, slot, match.end())
        for place, (slot, pattern) in enumerate(_SLOT)
        if (match := pattern.search(lower))
    ]
    if not found:
        return ()
    _, _, first, end = min(found)
    slots = [first]
    for match in _LATER_SLOT.finditer(lower, end):
        slot = "who" if match[1].startswith("who") else match[1]
        # "the man who came", "the day when": a relative clause asks nothing
        led = re.search(r"(?:\band|,|\b(?:met|meet)|^\W*\w+ \w+) $", lower[: match.start()])
        ends = re.match(r"\W*(?:$|and\b|,)", lower[match.end() :])
        if slot not in slots and (led or ends):
            slots.append(slot)
    return tuple(slots)


def _period(text: str) -> tuple[tuple[date, date] | None, str]:
    """The days a question is restricted to ("in 2019", "between March and May 2020"), and the rest.

    Only full dates count: nobody can tell which week "last week" is to a pile of old documents.
    """
    low, high, undated = date.min, date.max, text
    found = [t for t in find_timexes(text) if t.first and t.last and t.type == "DATE"]
    for timex in reversed(found):
        led = _DATED.search(text[: timex.start].casefold())
        joined = re.search(r"\bbetween .*\band $", text[: timex.start].casefold())
        if not timex.first or not timex.last or not (led or joined):
            continue
        how = led["how"] if led else "and"
        if how == "after" and timex.last < date.max:
            low = max(low, timex.last + timedelta(days=1))
        elif how in ("since", "from", "between"):
            low = max(low, timex.first)
        elif how == "before" and timex.first > date.min:
            high = min(high, timex.first - timedelta(days=1))
        elif how in ("until", "by", "and"):
            high = min(high, timex.last)
        else:
            low, high = max(low, timex.first), min(high, timex.last)
        start = led.start() if led else text.casefold().rindex("and ", 0, timex.start)
        undated = undated[:start].rstrip() + undated[timex.end :]
    if (low, high) == (date.min, date.max) or low > high:
        return None, text
    return (low, high), undated.strip()
