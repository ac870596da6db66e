"""What the groups of a matched form say: years, months, clock times, "last" and "next"."""

from __future__ import annotations

import calendar
import re
from datetime import date

from . import grammar
from .context import Match, Reading
from .periods import Period

BACK = ("last", "past", "the past", "previous", "the previous", "the last")
ON = ("next", "coming", "the coming", "upcoming", "the next", "following", "the following")


def year_of(reading: Reading, text: str) -> int:
    """A year from four digits, or from two: of this century up to ten years ahead."""
    number = int(text.strip("'’"))
    if len(text.strip("'’")) > 2:
        return number
    now = (reading.today or date(2025, 1, 1)).year
    full = now // 100 * 100 + number
    return full - 100 if full > now + 10 else full


def month_of(match: Match) -> int:
    """The number of the month named."""
    text: str = match["month"]
    return int(text) if text.isdigit() else grammar.MONTHS[text.casefold()]


def mod_of(match: Match) -> str | None:
    """Which part of a period: "START", "MID", "END", or None for all of it."""
    words = (match.groupdict().get("mod") or "").casefold()
    if not words:
        return None
    if words.startswith(("mid", "the mid")):
        return "MID"
    early = ("early", "earlier", "beginning", "start", "turn", "first")
    return "START" if any(word in words for word in early) else "END"


def clock_value(text: str | None) -> str:
    """A clock time as TIMEX3 writes it, "T21:30" of "9:30 p.m."; nothing of None."""
    if not text:
        return ""
    words = text.casefold()
    if words in ("noon", "midnight"):
        return "T12:00" if words == "noon" else "T24:00"
    digits = re.findall(r"\d+", words)
    if len(digits[0]) == 4:
        return f"T{digits[0][:2]}:{digits[0][2:]}"
    hour, minute = int(digits[0]), int(digits[1]) if len(digits) > 1 else 0
    if re.search(r"\bp\.?m|\dpm", words) and hour < 12:
        hour += 12
    if re.search(r"\ba\.?m|\dam", words) and hour == 12:
        hour = 0
    return f"T{hour:02d}:{minute:02d}"


def time_of(match: Match) -> str:
    """The time of day said with a date, as TIMEX3 writes it; nothing if there is none."""
    groups = match.groupdict()
    if clock := groups.get("clock") or groups.get("at"):
        return clock_value(clock)
    if word := groups.get("part"):
        return "T" + grammar.PARTS[word.casefold()]
    return ""


def which_of(match: Match) -> str:
    """The word before it in lower case, "last", "next", "this" ..., or nothing."""
    return (match.groupdict().get("which") or "").casefold()


def nearest(reading: Reading, match: Match, options: list[Period]) -> Period:
    """The last, this or the next of a month, season or holiday, as said; else by the tense."""
    today, which = reading.today, which_of(match)
    assert today is not None
    if which in BACK and (gone := [p for p in options if p.last < today]):
        return gone[-1]
    if which in ON and (coming := [p for p in options if p.first > today]):
        return coming[0]
    if which == "this":
        return next(p for p in options if p.first.year == today.year)
    return reading.choose(match, options)


def same_days(year: int, month: int, day: int) -> list[Period]:
    """A day of the month in the years around one.

    Raises:
        ValueError: there is no such day.
    """
    options = []
    for near in (year - 1, year, year + 1):
        if 1 <= near <= 9999 and day <= calendar.monthrange(near, month)[1]:
            options.append(Period("day", date(near, month, day)))
    if not options:
        raise ValueError("no such day")
    return options
