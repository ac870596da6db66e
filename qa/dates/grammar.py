"""What temporal expressions look like: one pattern a form, over shared pieces.

The forms and their extents follow the TimeML annotation guidelines for TIMEX3 (Saurí et al., 2006).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import get_args

from .periods import Unit

MONTHS = {
    name: number
    for number, names in enumerate(
        """january jan|february feb|march mar|april apr|may|june jun|july jul|august aug
        |september sept sep|october oct|november nov|december dec""".split("|"),
        1,
    )
    for name in names.split()
}
WEEKDAYS = {
    name: number
    for number, names in enumerate(
        """monday mon|tuesday tues tue|wednesday wed|thursday thurs thur thu|friday fri|saturday sat
        |sunday sun""".split("|")
    )
    for name in names.split()
}
UNITS: dict[str, Unit] = {unit: unit for unit in get_args(Unit)}
UNITS |= {"fortnight": "week", "centurie": "century", "semester": "half"}
UNITS |= {"night": "day", "morning": "day"}
SEASONS = {"spring": 3, "summer": 6, "fall": 9, "autumn": 9, "winter": 12}
PARTS = {
    "morning": "MO", "afternoon": "AF", "evening": "EV", "night": "NI", "overnight": "NI",
    "dawn": "MO", "midday": "12:00", "noon": "12:00", "midnight": "24:00", "dusk": "EV",
    "lunchtime": "12:00", "daybreak": "MO",
}  # fmt: skip
ORDINALS = {
    word: number
    for number, words in enumerate(
        """first 1st|second 2nd|third 3rd|fourth final 4th""".split("|"), 1
    )
    for word in words.split()
}
_ONES = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen "
    "sixteen seventeen eighteen nineteen"
).split()
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()
NUMBERS: dict[str, float] = {word: number for number, word in enumerate(_ONES)}
NUMBERS |= {word: 10 * number for number, word in enumerate(_TENS, 2)}
NUMBERS |= {"a": 1, "an": 1, "another": 1, "couple": 2, "dozen": 12, "hundred": 100}
NUMBERS |= {"half": 0.5, "thousand": 1000}
VAGUE = frozenset(
    "several few some many numerous dozens hundreds thousands more the these those coming".split()
)
BEFORE_NAMES = frozenset("may march mar jan jun sat sun sep dec mon wed fri second fall".split())
FIXED_DAYS = {
    "christmas day": (12, 25), "christmas eve": (12, 24), "christmas": (12, 25),
    "boxing day": (12, 26), "new year's day": (1, 1), "new year's eve": (12, 31),
    "new year's": (1, 1), "halloween": (10, 31), "valentine's day": (2, 14),
    "independence day": (7, 4), "july fourth": (7, 4), "fourth of july": (7, 4),
    "veterans day": (11, 11), "may day": (5, 1), "bastille day": (7, 14),
    "st. patrick's day": (3, 17), "april fools' day": (4, 1),
}  # fmt: skip
MOVING_DAYS = {  # month, weekday, which of the month (-1: the last)
    "thanksgiving day": (11, 3, 4), "thanksgiving": (11, 3, 4), "labor day": (9, 0, 1),
    "memorial day": (5, 0, -1), "columbus day": (10, 0, 2), "presidents' day": (2, 0, 3),
    "martin luther king day": (1, 0, 3), "mother's day": (5, 6, 2), "father's day": (6, 6, 3),
}  # fmt: skip
EASTER_DAYS = {"good friday": -2, "easter sunday": 0, "easter monday": 1, "easter": 0}
EASTER_DAYS |= {"ash wednesday": -46, "palm sunday": -7}
HOLIDAYS = (*FIXED_DAYS, *MOVING_DAYS, *EASTER_DAYS)


def _any(words: Iterable[str]) -> str:
    return "|".join(sorted(map(re.escape, words), key=len, reverse=True))


_MONTH = rf"(?P<month>{_any(MONTHS)})\b"
_MONTH += r"(?:(?:(?<=jan|feb|mar|apr|jun|jul|aug|sep|oct|nov|dec)|(?<=sept))\.)?"
_WEEKDAY = rf"(?P<weekday>{_any(WEEKDAYS)})\b(?:(?<!day)\.(?=[ ,]))?"
_DAY = r"(?P<day>3[01]|[12]\d|0?[1-9])(?:st|nd|rd|th)?(?![\d:%])(?![.,]\d)"
_YEAR = r"(?P<year>(?:1\d|20)\d\d)(?![\d%])(?![.,/]\d)"
_PART = rf"(?P<part>{_any(PARTS)})"
_CLOCK = (
    r"(?P<clock>(?:[01]?\d|2[0-3])(?:[:.][0-5]\d)?\s?(?:a\.m\b\.?|p\.m\b\.?|am\b|pm\b|o'clock)"
    r"|(?:[01]?\d|2[0-3]):[0-5]\d(?::[0-5]\d)?(?:\s?(?:GMT|UTC|EST|EDT|CET|local time))?"
    r"|[0-2]\d[0-5]\d\s?(?:GMT|UTC|hours)|noon|midnight)"
)
_CLOCK_AFTER = _CLOCK.replace("?P<clock>", "?P<at>")
_ABOUT = (
    r"(?P<about>about|around|approximately|roughly|nearly|almost|some|more than|less than|over"
    r"|at least|at most|up to|just over|just under|no more than|no less than|as many as|under"
    r"|only|just|fewer than|barely|close to)"
)
_NUMBER = (
    r"(?P<number>\d+(?:[.,]\d+)?(?:\s\d/\d)?|half an?|a (?:couple|dozen|hundred)(?: of)?|a few"
    rf"|(?:{'|'.join(_TENS)})(?:[- ](?:{'|'.join(_ONES[1:10])}))?|(?:the )?(?:several|few)"
    rf"|(?:{'|'.join(_ONES[1:])})(?: (?:hundred|dozen))?|an?|another|many|some|numerous|dozens of"
    r"|hundreds of)"
)
_UNIT = r"(?P<unit>second|minute|hour|day|night|week|fortnight|month|quarter|year|decade|centurie)"
_CALENDAR = r"(?P<period>day|week|weekend|month|quarter|year|decade|century|season|semester)"
_MOD = (
    r"(?:(?P<mod>early|earlier|late|later|mid|middle|(?:the )?(?:beginning|start|end|close|middle"
    r"|turn|first half|second half) of)(?:[\s-]|(?<=mid)))"
)
# Not the verb, as in "to last two weeks"
_LAST = (
    r"(?<!\bto )(?<!\bwill )(?<!\bwould )(?<!\bcan )(?<!\bcould )(?<!\bmay )(?<!\bmight )"
    r"(?<!\bmust )(?<!\bshould )(?<!\bnot )(?<!n['’]t )last"
)
_WHICH = r"(?P<which>last|next|this|the past|past|the coming|coming|the previous|previous|the last"
_WHICH += r"|the next|the following|following|the same|that same|same|that|the|upcoming)"
_AGO = r"(?P<ago>ago|from now|earlier|later|before|after|hence|previously|prior)"
_HOLIDAY = rf"(?P<holiday>{_any(HOLIDAYS)})"

# Of matches that overlap the longest counts; of equally long ones the form that stands first.
_FORMS = (
    ("iso", r"(?P<year>[12]\d{3})[-/](?P<month>0\d|1[0-2])[-/](?P<day>[0-3]\d)(?![\d/-])"),
    ("numeric", r"(?<![\d/.$-])(?P<one>\d{1,2})[/.](?P<two>\d{1,2})[/.](?P<year>(?:19|20)?\d\d)"
                r"(?![\d/])"),
    ("day", rf"(?:{_CLOCK},? (?:on )?)?(?:{_WEEKDAY},? (?:the )?)?{_MONTH} {_DAY}"
            rf"(?:\s?[-–]\s?(?P<until>\d\d?)(?!\d))?(?:(?:,? |, ?){_YEAR})?(?: {_PART})?\b"),
    ("day", rf"(?:{_WEEKDAY},? )?(?:the )?{_DAY}(?:\s?[-–]\s?(?P<until>\d\d?))?(?: of)? {_MONTH}"
            rf"(?:,? {_YEAR})?\b"),
    ("list day", rf"(?<=and ){_DAY}(?! ?[A-Za-z%$])"),
    ("month", rf"(?:(?:the )?{_MOD}(?:of )?)?{_MONTH}(?: of)?,? {_YEAR}\b"),
    ("month", rf"(?:(?P<which>last|next|this|this past|this coming) )?(?:(?:the )?{_MOD}(?:of )?)?"
              rf"{_MONTH}(?!\.? ?\d)(?: (?P<same>of (?:this|last|next"
              r"|that|the same|the following|the previous) year))?"),
    ("year", rf"(?:{_MOD}(?:of )?)?(?:(?P<side>pre|post)-)?(?<![\d$£€.,#/:])"
             rf"{_YEAR}\b(?!-\w|\s(?:people|dollars|meters"
             r"|feet|miles|troops|men|women|copies|seats|jobs|points|votes|km|tons|GMT|hours))"),
    ("short year", r"(?<=[a-z] )['’](?P<short>\d\d)\b(?!s)"),
    ("fiscal", rf"(?:(?:the )?(?:fiscal|financial)(?: year)? |FY ?){_YEAR}"),
    ("decade", rf"(?:the )?(?:{_MOD}(?:of the |the )?)?"
               r"(?P<decade>(?:1[5-9]|20)\d0|['’]?\d0)['’]?s"),
    ("decade", rf"(?:the )?{_MOD}?(?P<tens>twenties|thirties|forties|fifties|sixties|seventies"
               r"|eighties|nineties)"),
    ("century", rf"(?:the )?(?:{_MOD}(?:the )?)?(?P<century>\d\d?)(?:st|nd|rd|th)[ -]century"),
    ("season", rf"(?:(?:{_WHICH}|in the|in) )?(?:{_MOD}(?:the )?)?(?P<season>{_any(SEASONS)})"
               rf"(?:(?: of|,)? {_YEAR})?"),
    ("quarter", r"(?:the )?(?:fiscal )?(?P<nth>first|second|third|fourth|final|1st|2nd|3rd|4th) "
                r"(?P<unit>quarter|half)"
                r"(?: (?:of|in) (?:(?:(?:the )?(?:fiscal|financial)(?: year)? )?"
                rf"{_YEAR}|(?P<same>this|last|next) year)|, (?=\d{{4}}))?"),
    ("quarter", rf"(?:fiscal )?{_YEAR}['’]s (?P<nth>first|second|third|fourth|final) "
                r"(?P<unit>quarter|half)"),
    ("quarter", rf"\b(?P<code>[QH][1-4])(?: (?:of )?{_YEAR})?"),
    ("holiday", rf"(?:(?:{_WHICH}) )?{_HOLIDAY}(?P<eve> week)?(?:,? {_YEAR})?"),
    ("weekday", rf"(?:{_CLOCK},? (?:on )?)?(?:(?:{_WHICH}|early|late|{_PART} on) )?"
                rf"{_WEEKDAY}(?:(?:,| at| around)? {_CLOCK_AFTER})?"),
    ("weekday", rf"(?:(?:{_WHICH}|early|late) )?{_WEEKDAY}(?:['’]s)? (?:early |late )?{_PART}"),
    ("deictic", r"(?:earlier |late |early |later )?(?P<word>today|tonight|yesterday|tomorrow"
                r"|(?:the )?day before yesterday|(?:the )?day after tomorrow)"
                rf"(?: (?:{_PART}|at {_CLOCK}))?"),
    ("part", rf"(?:(?:early|late|earlier|later) )?(?P<which>this|last|the next|the following|that"
             rf"|the same|the previous|the) {_PART}"),
    ("calendar", rf"(?:(?:{_MOD}|(?P<half>(?:the )?(?:first|second) half of) ))?"
                 rf"{_WHICH} {_CALENDAR}\b"),
    ("week of", rf"the week (?:of|beginning|starting) {_MONTH} {_DAY}"),
    ("ago", rf"(?:{_ABOUT} )?{_NUMBER}[ -](?:more )?{_UNIT}s? {_AGO}(?: (?P<that>that|then"
            r"|yesterday))?"),
    ("next day", r"(?:the|a|one) (?P<unit>day|week|month|year|night|morning) "
                 r"(?P<ago>before|after|earlier|later|previously)(?= that\b)?"),
    ("in units", rf"(?:within|in) (?:the next )?{_NUMBER} {_UNIT}s?(?:['’] time)"),
    ("stretch", r"(?:over |during |in |for )?(?P<which>the (?:past|last|next|coming|first|previous"
                rf"|following)|(?:past|{_LAST}|next|coming|recent)) (?:{_NUMBER} )?{_UNIT}s"),
    ("duration", rf"(?:{_ABOUT} )?{_NUMBER}[ -](?:more |full |straight |consecutive "
                 rf"|whole |long |additional )?{_UNIT}(?:s['’]?|(?=-long|-old|\b))(?:-long)?"),
    ("duration", rf"(?:{_ABOUT} )?(?P<number>\d+)[- ]?(?P<unit>hour|minute|day|week|month|year)"
                 r"(?:-long)?"),
    ("vague", r"(?<=\bfor )(?:many |several |some )?(?P<unit>day|hour|week|month|year|decade"
              r"|centurie|minute)s"),
    ("vague", r"(?P<unit>day|hour|week|month|year|decade|centurie)s(?= of | (?:later|earlier|ago"
              r"|before|after)\b)"),
    ("set", r"(?P<often>hourly|daily|nightly|weekly|biweekly|monthly|quarterly|yearly|annually"
            r"|annual)"),
    ("set", rf"(?:every|each|per) (?:other |(?:{_NUMBER} ))?(?P<unit>second|minute|hour|day|night"
            r"|morning|week|weekend|month|quarter|season|year|decade)s?"),
    ("set", rf"(?:every|each) {_WEEKDAY}(?: {_PART})?|"
            rf"(?P<plural>{_any(w for w in WEEKDAYS if len(w) > 5)})s"),
    ("set", r"(?:once|twice|(?:\w+ times)) (?:a|an|per|every) (?P<unit>day|week|month|year|hour)"),
    ("now", r"(?P<word>now|currently|nowadays|at present|at the moment|right now"
            r"|these days|current)"),
    ("past", r"(?P<word>recently|lately|in the past|the past(?= (?:and|or|to|is|was)\b)"
             r"|the recent past)"),
    ("future", r"(?P<word>(?:the )?(?:near |distant |foreseeable )?future)"),
    ("clock", rf"{_CLOCK}(?: (?:on )?{_WEEKDAY})?(?: (?P<word>today|yesterday|tomorrow))?"),
)  # fmt: skip
FORMS = tuple(
    (name, re.compile(rf"(?<![\w$£€])(?:{form})(?!\w)", re.IGNORECASE)) for name, form in _FORMS
)


def number(text: str | None) -> float | None:
    """A number in words or digits; None for vague ones ("several")."""
    words = (text or "").casefold().replace("-", " ").split()
    words = [word for word in words if word not in ("the", "of")]
    if not words:
        return None
    if words[0] in ("half",):
        return 0.5
    if len(words) > 1 and words[0] == "a":
        words = words[1:]
    if any(word in VAGUE for word in words):
        return None
    total = 0.0
    for word in words:
        if "/" in word:
            above, below = word.split("/")
            total += int(above) / max(1, int(below))
        elif word[0].isdigit():
            total += float(word.replace(",", ""))
        elif word in ("hundred", "dozen"):
            total = max(1, total) * NUMBERS[word]
        else:
            total += NUMBERS[word]
    return total
