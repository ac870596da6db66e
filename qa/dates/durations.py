"""Forms that have a length rather than a place: durations, sets, and "now", "the future"."""

from __future__ import annotations

import re

from . import grammar
from .context import Form, Match, Reading, Timex
from .groups import which_of
from .periods import CLOCK_UNITS, Unit, days_from

_UNIT_LETTERS = {
    "second": "TS", "minute": "TM", "hour": "TH", "day": "D", "week": "W", "month": "M",
    "quarter": "Q", "year": "Y", "decade": "DE", "century": "CE", "weekend": "WE", "season": "S",
}  # fmt: skip
_OFTEN = {"hourly": "PT1H", "daily": "P1D", "nightly": "P1D", "weekly": "P1W", "biweekly": "P2W",
          "monthly": "P1M", "quarterly": "P3M", "yearly": "P1Y", "annually": "P1Y",
          "annual": "P1Y"}  # fmt: skip
_ABOUT = {
    "LESS_THAN": ("less than", "under", "fewer than", "just under", "barely"),
    "MORE_THAN": ("more than", "over", "just over"),
    "EQUAL_OR_LESS": ("up to", "at most", "no more than", "as many as"),
    "EQUAL_OR_MORE": ("at least", "no less than"),
    "APPROX": ("about", "around", "approximately", "roughly", "nearly", "almost", "some",
               "close to"),
}  # fmt: skip
MODS = {phrase: mod for mod, phrases in _ABOUT.items() for phrase in phrases}


def unit_of(word: str) -> Unit:
    """The unit that a word names: "fortnight" counts weeks, "night" days."""
    return grammar.UNITS[word.casefold()]


def length(count: float | None, unit: Unit) -> str:
    """A TIMEX3 duration: "P2D", "PT5H30M", "PXY"."""
    letters = _UNIT_LETTERS[unit]
    if unit == "decade" and count is not None:
        letters, count = "Y", 10 * count
    if unit == "century" and count is not None:
        letters, count = "Y", 100 * count
    time, letter = ("T", letters[1]) if letters[0] == "T" else ("", letters)
    if count is None:
        return f"P{time}X{letter}"
    if count % 1 and letter == "H":
        return f"PT{int(count)}H{round(count % 1 * 60)}M" if count > 1 else f"PT{count * 60:g}M"
    return f"P{time}{count:g}{letter}"


def _stretch(reading: Reading, match: Match) -> Timex | None:
    which = which_of(match)
    count = grammar.number(match["number"])
    back = "past" in which or "last" in which or "previous" in which or "recent" in which
    return stretch(reading, match, count, unit_of(match["unit"]), -1 if back else 1)


def stretch(reading: Reading, match: Match, count: float | None, unit: Unit, way: int) -> Timex:
    """A duration that ends, or begins, now: "the past two years"."""
    start = match.start("which")
    value, today = length(count, unit), reading.today
    first = last = None
    if today and count and unit not in CLOCK_UNITS:
        first, last = sorted((today, days_from(today, unit, round(way * count))))
    return Timex(start, match.end(), "DURATION", value, None, first, last)


def _duration(reading: Reading, match: Match) -> Timex | None:
    groups = match.groupdict()
    if not groups["number"] or re.match(r"-old\b", reading.text[match.end() :]):
        return None
    mod = MODS.get((groups["about"] or "").casefold())
    return reading.plain(
        match, "DURATION", length(grammar.number(groups["number"]), unit_of(groups["unit"])), mod
    )


def _vague(reading: Reading, match: Match) -> Timex | None:
    return reading.plain(match, "DURATION", length(None, unit_of(match["unit"])))


def _set(reading: Reading, match: Match) -> Timex | None:
    groups = match.groupdict()
    if often := groups.get("often"):
        return reading.plain(match, "SET", _OFTEN[often.casefold()])
    if day := groups.get("weekday") or groups.get("plural"):
        return reading.plain(match, "SET", f"XXXX-WXX-{grammar.WEEKDAYS[day.casefold()] + 1}")
    count = grammar.number(groups.get("number")) or (2 if "other " in match.group() else 1)
    unit = groups["unit"].casefold()
    return reading.plain(match, "SET", length(count, grammar.UNITS.get(unit, "day")))


def _reference(value: str) -> Form:
    return lambda reading, match: reading.plain(match, "DATE", value)


FORMS: dict[str, Form] = {
    "stretch": _stretch, "duration": _duration, "vague": _vague, "set": _set,
    "now": _reference("PRESENT_REF"), "past": _reference("PAST_REF"),
    "future": _reference("FUTURE_REF"),
}  # fmt: skip
