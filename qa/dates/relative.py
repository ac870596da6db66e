"""Forms that count from a day: the publication date, or the date that the text mentioned last."""

from __future__ import annotations

import re
from datetime import timedelta

from . import grammar
from .context import Form, Match, Reading, Timex
from .durations import MODS, length, stretch, unit_of
from .groups import BACK, ON, clock_value, mod_of, month_of, same_days, time_of, which_of
from .periods import CLOCK_UNITS, Period, containing

_ANCHORED = ("that", "same", "the same", "that same", "following", "the following", "the next",
             "the previous")  # fmt: skip


def _weekday(reading: Reading, match: Match) -> Timex | None:
    if (today := reading.today) is None:
        return None
    weekday, which = grammar.WEEKDAYS[match["weekday"].casefold()], which_of(match)
    anchored = which in _ANCHORED and which != "the next" and reading.anchor
    base = reading.anchor.first if anchored and reading.anchor else today
    ahead = (weekday - base.weekday()) % 7
    if which in BACK:
        days = ahead - 7
    elif which in ON:
        days = ahead or 7
    elif which == "this":
        days = weekday - base.weekday()
    elif reading.since(match):
        days = ahead - 7
    elif anchored or reading.tense(match) > 0:
        days = ahead
    else:
        days = ahead - 7 if ahead > 1 else ahead  # nobody calls the day six days ago so
    day = base + timedelta(days=days)
    return reading.date(match, Period("day", day), time=time_of(match))


def _deictic(reading: Reading, match: Match) -> Timex | None:
    word = match["word"].casefold()
    if (today := reading.published) is None:
        return reading.plain(match, "DATE", "PRESENT_REF") if word == "today" else None
    steps = {"yesterday": -1, "tomorrow": 1}.get(word, 0)
    steps = -2 if "before yesterday" in word else 2 if "after tomorrow" in word else steps
    time = time_of(match) or ("TNI" if word == "tonight" else "")
    return reading.date(match, Period("day", today + timedelta(days=steps)), time=time)


def _part(reading: Reading, match: Match) -> Timex | None:
    which, today = which_of(match), reading.today
    if today is None or which == "the":
        return None
    base = today
    if which not in ("this", "last") and reading.anchor and reading.anchor.unit == "day":
        base = reading.anchor.first
    steps = -1 if which in BACK else 1 if which in ON else 0
    return reading.date(match, Period("day", base + timedelta(days=steps)), time=time_of(match))


def _calendar(reading: Reading, match: Match) -> Timex | None:
    unit = grammar.UNITS[match["period"].casefold()]
    which, mod = which_of(match), mod_of(match)
    today, anchor = reading.today, reading.anchor
    if unit == "half" or today is None:
        return None
    if which in ("the past", "past") and unit != "weekend":
        return stretch(reading, match, 1, unit, -1)
    base = anchor.first if anchor and which in _ANCHORED else today
    if which == "the":
        if not mod and unit != "weekend":
            return None
        base = today
    period = containing(unit, base)
    if which in BACK:
        period = period.shift(-1)
    elif which in ON:
        period = period.shift(1)
    elif which == "the" and unit == "weekend" and reading.tense(match) <= 0:
        period = period if period.first <= today else period.shift(-1)
    if unit == "day" and which == "this":
        return None
    return reading.date(match, period, mod)


def _week_of(reading: Reading, match: Match) -> Timex | None:
    if (today := reading.today) is None:
        return None
    days = same_days(today.year, month_of(match), int(match["day"]))
    return reading.date(match, containing("week", reading.choose(match, days).first))


def _ago(reading: Reading, match: Match) -> Timex | None:
    groups = match.groupdict()
    unit, word = unit_of(groups["unit"]), groups["ago"].casefold()
    count = grammar.number(groups.get("number", "one"))
    mod = MODS.get((groups.get("about") or "").casefold())
    back = word in ("ago", "earlier", "before", "previously", "prior")
    clause = re.match(r" (?!that\b)\w", reading.text[match.end() :])
    if word in ("before", "after", "prior") and clause:
        end = match.start("ago") - 1
        if not match.group().casefold().startswith("the "):
            return Timex(match.start(), end, "DURATION", length(count, unit), mod)
        is_day = groups["unit"].casefold() == "day"
        if not (is_day and reading.anchor and reading.anchor.unit == "day"):
            return None
        day = reading.anchor.shift(-1 if back else 1)  # "the day after his death"
        return Timex(match.start(), end, "DATE", day.value, None, day.first, day.first)
    if count is None:
        return reading.plain(match, "DATE", "PAST_REF" if back else "FUTURE_REF", mod)
    counts_from_now = word in ("ago", "from now", "hence")
    base = reading.today
    if not counts_from_now and reading.anchor:
        base = reading.anchor.first
    if base is None:
        return reading.plain(match, "DURATION", length(count, unit), mod)
    if unit in CLOCK_UNITS:
        return reading.date(match, Period("day", base))
    if unit in ("decade", "century"):
        count, unit = count * (10 if unit == "decade" else 100), "year"
    if count % 1 and unit == "year":
        count, unit = 12 * count, "month"
    return reading.date(
        match, containing(unit, base).shift(round(-count if back else count)), mod=mod
    )


def _in_units(reading: Reading, match: Match) -> Timex | None:
    count, unit = grammar.number(match["number"]), unit_of(match["unit"])
    if count is None or reading.today is None or unit in CLOCK_UNITS:
        return reading.plain(match, "DATE", "FUTURE_REF")
    return reading.date(match, containing(unit, reading.today).shift(round(count)))


def _clock_time(reading: Reading, match: Match) -> Timex | None:
    if match["weekday"]:
        return _weekday(reading, match)
    if match["word"]:
        return _deictic(reading, match)
    day = reading.anchor.first if reading.anchor and reading.anchor.unit == "day" else reading.today
    time = clock_value(match["clock"])
    if day is None:
        return reading.plain(match, "TIME", f"XXXX-XX-XX{time}")
    return Timex(match.start(), match.end(), "TIME", day.isoformat() + time, None, day, day)


FORMS: dict[str, Form] = {
    "weekday": _weekday, "deictic": _deictic, "part": _part, "calendar": _calendar,
    "week of": _week_of, "ago": _ago, "next day": _ago, "in units": _in_units,
    "clock": _clock_time,
}  # fmt: skip
