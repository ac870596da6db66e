"""The resolution policy: which day, month or year a temporal expression of a news text means.

A bare weekday or month in a story is the nearest past one, or with a verb that looks ahead the
nearest coming one (so newspapers write). "The day before", "two weeks later" count from the date
mentioned last; "yesterday", "last month", "ago" from the publication date. Without a publication
date, the date mentioned last stands in for it.
"""

from __future__ import annotations

import re
from datetime import date

from . import absolute, durations, grammar, relative
from .context import Match, Reading, Timex

_FORMS = {**absolute.FORMS, **relative.FORMS, **durations.FORMS}
_AT = re.compile(r"\b(?:at|by|until|till|before|after|around|since|past|to|from) $")
_LED = re.compile(
    r"\b(?:in|on|since|by|until|till|of|from|during|before|after|through|the|to|last|next) $"
)
_DAY_BEFORE = re.compile(r"(?:\bthe )?\bday (?P<way>before|after) $", re.IGNORECASE)


def find_timexes(text: str, published: date | None = None) -> list[Timex]:
    """The temporal expressions of a text, in its order, resolved.

    Args:
        published: the publication date of the document the text is from.
    """
    reading = Reading(text, published)
    found: list[Timex] = []
    for name, match in _matches(reading.text):
        try:
            timex = _FORMS[name](reading, match)
        except (OverflowError, ValueError):  # outside the calendar, such as 31 June
            continue
        if timex:
            found.append(_joined(reading, timex, found))
    return found


def _matches(text: str) -> list[tuple[str, Match]]:
    """The forms found, in the text's order; of overlapping ones the longest."""
    every = [
        (match.start() - match.end(), number, name, match)
        for number, (name, form) in enumerate(grammar.FORMS)
        for match in form.finditer(text)
    ]
    every.sort(key=lambda row: row[:2])
    kept: list[tuple[str, Match]] = []
    taken = bytearray(len(text))
    for _, _, name, match in every:
        if not any(taken[match.start() : match.end()]) and _means_time(name, match):
            taken[match.start() : match.end()] = b"\1" * (match.end() - match.start())
            kept.append((name, match))
    return sorted(kept, key=lambda row: row[1].start())


def _joined(reading: Reading, timex: Timex, found: list[Timex]) -> Timex:
    """One expression of two, where it reads "the day before last Tuesday"."""
    led = _DAY_BEFORE.search(reading.text[: timex.start])
    anchor = reading.anchor
    if not (led and anchor and anchor.unit == "day" and timex.type == "DATE"):
        return timex
    while found and found[-1].end > led.start():
        found.pop()
    reading.anchor = anchor = anchor.shift(-1 if led["way"].casefold() == "before" else 1)
    return Timex(led.start(), timex.end, "DATE", anchor.value, None, anchor.first, anchor.first)


def _means_time(name: str, match: Match) -> bool:
    """Whether "may", "march", "sun" or "second" is meant as a date here."""
    groups = match.groupdict()
    words = match.group().casefold()
    if name in ("month", "weekday", "set") and not (groups.get("year") or groups.get("part")):
        word = groups.get("month") or groups.get("weekday") or ""
        if word.casefold() in grammar.BEFORE_NAMES:
            before = match.string[max(0, match.start() - 12) : match.start()].casefold()
            led = _LED.search(before)
            named = match.string[match.end() : match.end() + 2].strip().isupper()
            sure = led or groups.get("which") or groups.get("mod")
            return not word.islower() and bool(sure) and not named
    if name == "deictic" and words == "today" and match.group().isupper():
        return False  # the newspaper
    if name == "season" and not groups["year"]:
        return words != groups["season"].casefold()
    if name == "clock" and words in ("noon", "midnight"):
        before = match.string[max(0, match.start() - 8) : match.start()].casefold()
        return _AT.search(before) is not None
    if name == "duration" and groups["unit"][:1].isupper() and not words.isupper():
        return False  # a title: "60 Minutes"
    if name == "duration" and words in ("a second", "the second", "a minute", "one second"):
        return False
    return not (name == "year" and int(groups["year"]) > 2100)
