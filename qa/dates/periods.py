"""Calendar periods: a day, week, month, quarter, season, year, decade ... and steps between them.

Values are those of TIMEX3 (ISO-TimeML, ISO 24617-1): "2023-09-13", "2023-W37", "2023-09",
"2023-Q3", "2023-FA", "2023", "202X", "20XX", with "-WE" for the weekend of a week.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Literal, NamedTuple

from dateutil.relativedelta import relativedelta

_ClockUnit = Literal["second", "minute", "hour"]
_DayUnit = Literal["day", "week", "weekend", "month", "quarter", "half", "season", "year"]
Unit = Literal[_ClockUnit, _DayUnit, "decade", "century"]

CLOCK_UNITS = ("second", "minute", "hour")
SEASONS = ("SP", "SU", "FA", "WI")  # of the north, by whole months: spring begins on 1 March
_MONTHS = {"month": 1, "quarter": 3, "season": 3, "half": 6, "year": 12, "decade": 120}
_MONTHS["century"] = 1200


class Period(NamedTuple):
    """A calendar unit, by its first day."""

    unit: Unit
    first: date

    @property
    def last(self) -> date:
        """Its last day."""
        if self.unit == "day":
            return self.first
        if self.unit in ("week", "weekend"):
            return self.first + timedelta(days=6 if self.unit == "week" else 1)
        try:
            return _later(self.first, _MONTHS[self.unit]) - timedelta(days=1)
        except (OverflowError, ValueError):  # the year 9999 is the calendar's last
            return date.max

    @property
    def value(self) -> str:
        """It as a TIMEX3 value."""
        year, month = f"{self.first.year:04d}", self.first.month
        match self.unit:
            case "day":
                return self.first.isoformat()
            case "week" | "weekend":
                week = self.first.isocalendar()
                return f"{week.year:04d}-W{week.week:02d}" + ("-WE" * (self.unit == "weekend"))
            case "month":
                return f"{year}-{month:02d}"
            case "quarter":
                return f"{year}-Q{(month + 2) // 3}"
            case "half":
                return f"{year}-H{(month + 5) // 6}"
            case "season":
                return f"{year}-{SEASONS[(month - 3) % 12 // 3]}"
            case "year":
                return year
            case "decade":
                return year[:3] + "X"
            case "century":
                return year[:2] + "XX"
            case _:
                raise ValueError(f"A {self.unit} is no period of days.")

    def shift(self, steps: int) -> Period:
        """The period that many units later; before, if negative.

        Raises:
            OverflowError: it lies outside the years 1 to 9999.
        """
        try:
            if self.unit == "day":
                return Period("day", self.first + timedelta(days=steps))
            if self.unit in ("week", "weekend"):
                return Period(self.unit, self.first + timedelta(days=7 * steps))
            return Period(self.unit, _later(self.first, _MONTHS[self.unit] * steps))
        except ValueError as error:
            raise OverflowError(str(error)) from None


def containing(unit: Unit, day: date) -> Period:
    """The unit of the calendar in which a day lies; of a weekend, that of the day's week."""
    match unit:
        case "day":
            return Period(unit, day)
        case "week":
            return Period(unit, day - timedelta(days=day.weekday()))
        case "weekend":
            return Period(unit, day + timedelta(days=5 - day.weekday()))
        case "season":
            first = _later(day.replace(day=1), -((day.month - 3) % 3))
            return Period(unit, first)
        case "decade" | "century":
            length = 10 if unit == "decade" else 100
            return Period(unit, date(max(1, day.year // length * length), 1, 1))
        case _:
            length = _MONTHS[unit]
            return Period(unit, date(day.year, (day.month - 1) // length * length + 1, 1))


def _later(day: date, months: int) -> date:
    later: date = day + relativedelta(months=months)
    return later


def days_from(day: date, unit: Unit, count: int) -> date:
    """The day that lies `count` units after a day; before it, if negative."""
    if unit in ("day", "week"):
        return day + timedelta(days=count * (7 if unit == "week" else 1))
    return _later(day, count * _MONTHS[unit])


def part(period: Period, mod: str | None) -> tuple[date, date]:
    """First and last day of a period, or of its early ("START"), middle or late ("END") part."""
    days = (period.last - period.first).days + 1
    third = max(1, days // 3)
    if period.unit == "month":  # 1 to 10, 11 to 20, 21 to the end
        tenth, twentieth = period.first.replace(day=10), period.first.replace(day=20)
        return {
            "START": (period.first, tenth),
            "MID": (tenth + timedelta(days=1), twentieth),
            "END": (twentieth + timedelta(days=1), period.last),
        }.get(mod or "", (period.first, period.last))
    if mod == "START":
        return period.first, period.first + timedelta(days=third - 1)
    if mod == "END":
        return period.last - timedelta(days=third - 1), period.last
    if mod == "MID" and days > 2:
        return period.first + timedelta(days=third), period.last - timedelta(days=third)
    return period.first, period.last
