"""Forms that name a place in the calendar: days, months, years, seasons, quarters, holidays.

Where the year is left out, the nearest that fits the tense is meant (`Reading.choose`).
"""

from __future__ import annotations

import calendar
import re
from datetime import date, timedelta

from dateutil.easter import easter

from . import grammar
from .context import Form, Match, Reading, Timex
from .groups import mod_of, month_of, nearest, same_days, time_of, year_of
from .periods import Period, Unit, containing

_TENS = "twenties thirties forties fifties sixties seventies eighties nineties".split()


def _iso(reading: Reading, match: Match) -> Timex | None:
    day = date(int(match["year"]), int(match["month"]), int(match["day"]))
    return reading.date(match, Period("day", day))


def _numeric(reading: Reading, match: Match) -> Timex | None:
    month, day = int(match["one"]), int(match["two"])  # as Americans write, if that can be
    if month > 12 or "." in match.group():
        month, day = day, month
    return reading.date(match, Period("day", date(year_of(reading, match["year"]), month, day)))


def _day(reading: Reading, match: Match) -> Timex | None:
    month, day = month_of(match), int(match["day"])
    groups = match.groupdict()
    if groups["year"]:
        period = Period("day", date(int(groups["year"]), month, day))
    elif reading.today is None:
        return reading.plain(match, "DATE", f"XXXX-{month:02d}-{day:02d}")
    else:
        period = reading.choose(match, same_days(reading.today.year, month, day))
    timex = reading.date(match, period, time=time_of(match))
    if timex and groups.get("until") and day < int(groups["until"]):
        last = period.first.replace(day=int(groups["until"]))
        value = f"{period.value}/{last.isoformat()}"
        return Timex(timex.start, timex.end, "DATE", value, None, period.first, last)
    return timex


def _list_day(reading: Reading, match: Match) -> Timex | None:
    """The 25 of "April 24 and 25"."""
    before = reading.text[: match.start()]
    if not (
        reading.anchor
        and reading.anchor.unit == "day"
        and re.search(rf"\b{reading.anchor.first.day} and $", before)
    ):
        return None
    return reading.date(match, Period("day", reading.anchor.first.replace(day=int(match["day"]))))


def _month(reading: Reading, match: Match) -> Timex | None:
    month, groups = month_of(match), match.groupdict()
    if groups.get("year"):
        return reading.date(
            match, Period("month", date(int(groups["year"]), month, 1)), mod_of(match)
        )
    today = reading.today
    if today is None:
        return reading.plain(match, "DATE", f"XXXX-{month:02d}", mod_of(match))
    options = [Period("month", date(today.year + step, month, 1)) for step in (-1, 0, 1)]
    if same := groups.get("same"):
        year = _relative_year(reading, same)
        return reading.date(match, Period("month", date(year, month, 1)), mod_of(match))
    return reading.date(match, nearest(reading, match, options), mod_of(match))


def _relative_year(reading: Reading, words: str) -> int:
    today = reading.today
    assert today is not None
    base = reading.anchor.first if reading.anchor else today
    words = words.casefold()
    for word, source, step in (
        ("this", today, 0), ("last", today, -1), ("next", today, 1), ("following", base, 1),
        ("previous", base, -1), ("same", base, 0), ("that", base, 0),
    ):  # fmt: skip
        if word in words:
            return source.year + step
    return today.year


def _plain_year(reading: Reading, match: Match) -> Timex | None:
    side = (match.groupdict().get("side") or "").casefold()
    mod = {"pre": "BEFORE", "post": "AFTER"}.get(side, mod_of(match))
    return reading.date(match, Period("year", date(int(match["year"]), 1, 1)), mod)


def _short_year(reading: Reading, match: Match) -> Timex | None:
    return reading.date(match, Period("year", date(year_of(reading, match["short"]), 1, 1)))


def _decade(reading: Reading, match: Match) -> Timex | None:
    if tens := match.groupdict().get("tens"):
        year = 1920 + 10 * _TENS.index(tens.casefold())
    else:
        digits = match["decade"].strip("'’")
        year = int(digits) if len(digits) == 4 else 1900 + int(digits)
    return reading.date(match, Period("decade", date(year, 1, 1)), mod_of(match))


def _century(reading: Reading, match: Match) -> Timex | None:
    year = max(1, 100 * (int(match["century"]) - 1))
    return reading.date(match, Period("century", date(year, 1, 1)), mod_of(match))


def _season(reading: Reading, match: Match) -> Timex | None:
    month = grammar.SEASONS[match["season"].casefold()]
    if match["year"]:
        return reading.date(
            match, Period("season", date(int(match["year"]), month, 1)), mod_of(match)
        )
    if (today := reading.today) is None:
        return None
    options = [Period("season", date(today.year + step, month, 1)) for step in (-1, 0, 1)]
    return reading.date(match, nearest(reading, match, options), mod_of(match))


def _quarter(reading: Reading, match: Match) -> Timex | None:
    groups, today = match.groupdict(), reading.today
    if code := groups.get("code"):
        unit, number = ("quarter" if code[0] in "Qq" else "half"), int(code[1])
    else:
        unit, number = groups["unit"].casefold(), grammar.ORDINALS[groups["nth"].casefold()]
        number = 2 if unit == "half" and number == 4 else number
    months = 3 if unit == "quarter" else 6
    if number * months > 12 or (unit == "half" and not (groups.get("year") or groups.get("same"))):
        return None
    kind: Unit = "quarter" if unit == "quarter" else "half"

    def of(year: int) -> Period:
        return Period(kind, date(year, 1 + months * (number - 1), 1))

    if groups.get("year"):
        return reading.date(match, of(int(groups["year"])))
    if today is None:
        return None
    if same := groups.get("same"):
        return reading.date(match, of(_relative_year(reading, same)))
    return reading.date(match, reading.choose(match, [of(today.year + s) for s in (-1, 0, 1)]))


def _holiday(reading: Reading, match: Match) -> Timex | None:
    name = match["holiday"].casefold().replace("’", "'")
    if match["year"]:
        days = [_holiday_in(name, int(match["year"]))]
    elif reading.today:
        days = [_holiday_in(name, reading.today.year + step) for step in (-1, 0, 1)]
    else:
        return None
    unit: Unit = "week" if match["eve"] else "day"
    options = [containing(unit, day) for day in days]
    period = options[0] if len(options) == 1 else nearest(reading, match, options)
    return reading.date(match, period)


def _holiday_in(name: str, year: int) -> date:
    if name in grammar.FIXED_DAYS:
        return date(year, *grammar.FIXED_DAYS[name])
    if name in grammar.EASTER_DAYS:
        return easter(year) + timedelta(days=grammar.EASTER_DAYS[name])
    month, weekday, number = grammar.MOVING_DAYS[name]
    days = [week[weekday] for week in calendar.monthcalendar(year, month) if week[weekday]]
    return date(year, month, days[number - 1 if number > 0 else number])


FORMS: dict[str, Form] = {
    "iso": _iso, "numeric": _numeric, "day": _day, "list day": _list_day, "month": _month,
    "year": _plain_year, "short year": _short_year, "fiscal": _plain_year, "decade": _decade,
    "century": _century, "season": _season, "quarter": _quarter, "holiday": _holiday,
}  # fmt: skip
