"""How well a candidate fits what is asked, beyond what the reader sees: its type and its date.

The reader knows words, not calendars: it cannot tell that "Wednesday" in a story of 14 September
2023 is the 13th. What is said here is added to a candidate's log-odds.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from functools import lru_cache

from index import Filters
from index.dating import find_dateline
from index.sentences import split

from .answer import Value
from .dates import Timex, find_timexes
from .question import Question
from .ranking import Days, Support

# Log-odds, set by hand: no training question has dates to resolve.
WRONG_TYPE = -3.0
SAME_DATE = 1.5
OTHER_DATE = -1.5
DATE_ASKED_AGAINST = -6.0  # asked when, before 2019, told a later date
FAR_PUBLICATION = -1.0
OTHER_YEAR = -1.5  # asked of "the 2022 election", told by a passage that knows no 2022
NOT_SAID_TO_BE = -2.0  # asked what was, told what may or will be
NEWS_DAYS = 10  # a story without dates of its own is about the days before its publication

_ASKED_OF_THE_PAST = re.compile(r"\b(?:did|was|were|had)\b|\b(?:met|\w{3,}ed)\b", re.IGNORECASE)
_MAY_BE = re.compile(
    r"\b(?:may|might|will|could|plans? to|planning to|(?:expected|scheduled|due|set) to)\b"
)
_ASKED_OF_PLANS = re.compile(
    r"\bto be\b|\b(?:planned|planning|scheduled|expected|due|meant|supposed|originally)\b",
    re.IGNORECASE,
)
# What bounds a state, or is compared with, says nothing of when the rest of its sentence happened.
_BOUND = re.compile(r"\b(?:since|until|till|than)(?: in| on)?(?: the)? *$", re.IGNORECASE)
# A date after one of these is the end of the time that is meant, or not in it.
_ONE_SIDE = re.compile(
    r"\b(?:since|until|till|than|before|after|by|from|to|prior to|ahead of)(?: the)? *$",
    re.IGNORECASE,
)
# Titles that stand before a person's name only: there is a Prince Edward Island.
_PERSONAL = (
    r"(?:Mr|Mrs|Ms|Dr|Prof|Professor|President|Premier|Chancellor|Prime Minister|Minister|Senator|"
    r"Sen|Gov|Mayor|Gen|Colonel|Col|Sergeant|Sgt)\b\.? "
)
_YEAR = re.compile(r"\b(?:1[5-9]|20)\d\d\b")
_NUMBER = re.compile(
    r"\d|\b(?:no|none|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|\w+teen|"
    r"\w+ty|hundreds?|thousands?|millions?|billions?|dozens?|half|several|few|many|couple|single|"
    r"both|all|free|nothing)\b",
    re.IGNORECASE,
)


def fit(question: Question, support: Support) -> float:
    """Log-odds to add for a candidate's type and date; 0 where nothing can be said."""
    return sum(part(question, support) for part in (_type_fit, _date_fit, _status_fit))


def published_within(question: Question) -> Filters | None:
    """Stories published when news of the question's days would be; None if it has none."""
    if question.period is None:
        return None
    low, high = question.period
    latest = high + timedelta(days=NEWS_DAYS) if high < date.max - timedelta(NEWS_DAYS) else None
    return Filters(after=low if low > date.min else None, before=latest)


def timexes_of(support: Support) -> Sequence[Timex]:
    """The temporal expressions of the passage that a candidate stands in."""
    return passage_timexes(support.hit.chunk.text, support.hit.document.published)


@lru_cache(maxsize=512)
def passage_timexes(text: str, published: date | None) -> tuple[Timex, ...]:
    """The temporal expressions of a passage, read once."""
    return tuple(find_timexes(text, published))


def value_of(slot: str | None, support: Support) -> Value | None:
    """What a candidate's words mean: the date of a "when", the number of a "how many"."""
    if slot in ("when", "how long"):
        return date_value(
            [t for t in timexes_of(support) if t.start < support.end and support.start < t.end]
        )
    if slot in ("how many", "how much") and _NUMBER.search(support.text):
        return Value(type="number", text=support.text)
    return None


def days_of(support: Support) -> Days | None:
    """The days that an answer to "when?" stands for; None where it names none, or only bounds them.

    Of several dates in it the finest counts, if it lies within the others.
    """
    text = support.hit.chunk.text
    touched = [t for t in timexes_of(support) if t.start < support.end and support.start < t.end]
    dated = [t for t in touched if t.type in ("DATE", "TIME")]
    spans = [(t.first, t.last) for t in dated if t.first and t.last]
    if not spans or any(_ONE_SIDE.search(text[max(0, t.start - 24) : t.start]) for t in dated):
        return None
    first, last = min(spans, key=lambda days: days[1] - days[0])
    return (first, last) if all(a <= first and last <= b for a, b in spans) else None


def date_value(timexes: Sequence[Timex]) -> Value | None:
    """The date or interval of some expressions that stand together; of several, the finest."""
    dated = [t for t in timexes if t.first and t.last]
    if dated:
        best = min(dated, key=lambda t: (t.last or date.max) - (t.first or date.min))
        assert best.first
        assert best.last
        return Value(
            type="date" if best.type in ("DATE", "TIME") else "duration",
            start=best.first.isoformat(),
            end=best.last.isoformat(),
            text=best.value,
        )
    if timexes:
        kind = {"DURATION": "duration", "SET": "set"}.get(timexes[0].type, "date")
        return Value(type=kind, text=timexes[0].value)
    return None


@lru_cache(maxsize=512)
def _dateline(text: str) -> tuple[int, int]:
    """Where a passage's dateline or date line stands; nowhere if it has none."""
    found = find_dateline(text)
    return (found.start, found.end) if found else (0, 0)


def _type_fit(question: Question, support: Support) -> float:
    slot = question.slot
    first, last = _dateline(support.hit.chunk.text)
    if slot in ("where", "when") and first <= support.start < last:
        return WRONG_TYPE  # where and when the story was sent, not where and when it happened
    if question.form != "span" or slot not in ("when", "where", "who", "how many", "how much"):
        return 0.0
    if slot in ("how many", "how much"):
        return 0.0 if _NUMBER.search(support.text) else WRONG_TYPE
    touched = [t for t in timexes_of(support) if t.start < support.end and support.start < t.end]
    if slot == "when":
        relative = re.search(r"\b(?:when|after|before|during|while|until|since|as)\b", support.text)
        return 0.0 if touched or relative else WRONG_TYPE
    if slot == "where" and _is_person(support):
        return WRONG_TYPE
    if slot == "who" and _is_place(support):
        return WRONG_TYPE
    # Nothing but a date, a short preposition before it and a full stop after it aside.
    is_date = any(t.start <= support.start + 4 and support.end <= t.end + 1 for t in touched)
    return WRONG_TYPE if is_date else 0.0


def _is_person(support: Support) -> bool:
    """Whether the words are a name that has a person's title before it, there or nearby."""
    if not all(word[:1].isupper() for word in support.text.split()):
        return False
    titled = rf"{_PERSONAL}(?:[A-Z][\w-]+ )?{re.escape(support.text)}\b"
    here = re.match(_PERSONAL, support.text)
    return here is not None or re.search(titled, support.hit.chunk.text) is not None


def _is_place(support: Support) -> bool:
    """Whether the words stand after "in" or "near": there or on the way there is nobody."""
    before = support.hit.chunk.text[: support.start]
    return support.text[:1].isupper() and re.search(r"\b(?:in|near|outside) $", before) is not None


def _status_fit(question: Question, support: Support) -> float:
    """Against what "may" or "will" happen, where a question asks what did."""
    if question.slot not in ("who", "where", "when"):
        return 0.0
    if not _ASKED_OF_THE_PAST.search(question.text) or _ASKED_OF_PLANS.search(question.text):
        return 0.0
    start, _ = _sentence(support)
    before = support.hit.chunk.text[start : support.start]
    return NOT_SAID_TO_BE if _MAY_BE.search(before) else 0.0


def _sentence(support: Support) -> tuple[int, int]:
    """The sentence that a candidate begins in."""
    return next((a, b) for a, b in _sentences(support.hit.chunk.text) if a <= support.start < b)


def _sentence_before(support: Support) -> int:
    """Where the sentence before a candidate's begins; of the first sentence, where it does."""
    starts = [a for a, _ in _sentences(support.hit.chunk.text) if a <= support.start]
    return starts[-2:][0]


@lru_cache(maxsize=512)
def _sentences(text: str) -> tuple[tuple[int, int], ...]:
    """A passage's sentences, split once for all its candidates."""
    return tuple(split(text))


def _year_fit(question: Question, support: Support) -> float:
    """Against passages that do not know the year that the question gives an event as its name."""
    asked, published = _YEAR.findall(question.text), support.hit.document.published
    if not asked or published is None or str(published.year) in asked:
        return 0.0
    told = f"{support.hit.document.title}\n{support.hit.chunk.text}"
    return 0.0 if any(year in told for year in asked) else OTHER_YEAR


def _date_fit(question: Question, support: Support) -> float:
    if question.period is None:
        return _year_fit(question, support)
    low, high = question.period

    def same(timexes: Iterable[Timex]) -> bool:
        return any(t.first <= high and low <= t.last for t in timexes if t.first and t.last)

    start, end = _sentence(support)
    here = [t for t in timexes_of(support) if t.first and t.last and t.type in ("DATE", "TIME")]
    first, past = _dateline(support.hit.chunk.text)
    here = [t for t in here if not first <= t.start < past]
    near = [t for t in here if start <= t.start < end]
    if question.slot == "when":  # the answer itself is the date
        own = [t for t in near if t.start < support.end and support.start < t.end]
        if own and not same(own):
            return DATE_ASKED_AGAINST
        near = own or near
    if same(near):
        return SAME_DATE
    if any(not _BOUND.search(support.hit.chunk.text[start : t.start]) for t in near):
        return OTHER_DATE
    before = _sentence_before(support)
    if same(t for t in here if before <= t.start < start):
        return SAME_DATE  # a story goes on where it is
    published = support.hit.document.published
    if published is None:
        return 0.0
    about = published - timedelta(days=NEWS_DAYS)
    return 0.0 if about <= high and low <= published + timedelta(days=1) else FAR_PUBLICATION
