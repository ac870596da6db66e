"""What is known while a text is read for dates: the publication date, the last date, the tense."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Literal

from .periods import Period, part

# A date on the side that the verb does not look to counts as so much farther; the verb after it
# says less than the verb before.
AGAINST_TENSE = {1: 3, 2: 20}
Type = Literal["DATE", "TIME", "DURATION", "SET"]
Match = re.Match[str]

_FUTURE = re.compile(
    r"\b(?:will|won['’]t|shall|going to|would|may|might|upcoming|due|"
    r"(?:can|could) (?:we|you|I)|let['’]s|let us|see you|"
    r"(?:is|are|be|been) to|(?:expected|scheduled|slated|planned|planning|plans?|set|hopes?|"
    r"hoping|wants?|intends?|ready|expects?|preparing|begins|starts|opens) (?:to|for|on)|"
    r"(?<!\bwas )(?<!\bwere )to (?:begin|start|open|resume|end|follow|take (?:place|effect)|"
    r"be [a-z]+(?:ed|en|ld|lt))|scheduled)\b|['’]ll\b",
    re.IGNORECASE,
)
_PAST = re.compile(
    r"\b(?:was|were|had|has|did|said|told|met|made|came|went|took|began|left|held|became|gave|got|"
    r"died|won|lost|led|fell|rose|sent|shot|struck|found|wrote|saw|ran|hit|set off|[a-z]{2,}ed)\b"
)
_PRESENT = re.compile(r"\b(?:is|are)\b")
_UNTIL = re.compile(r"\b(?:until|by|as (?:soon|early) as|ahead of|for) (?:on )?$")
_SINCE = re.compile(r"\bsince (?:last )?$", re.IGNORECASE)
_CLAUSE = re.compile(r"[,;:()–—]| -- | that | who | which | when | where | after | before | and ")
_STOP = re.compile(r"[.!?]['’”\"]?\s+(?=[A-Z\"“‘`'])|\n\s*\n")


@dataclass(frozen=True, slots=True)
class Timex:
    """A temporal expression: `text[start:end]`, as TIMEX3 (ISO-TimeML) describes it.

    Attributes:
        value: TIMEX3 value: "2023-09-13", "2023-W37", "P2D", "PAST_REF" ...
        mod: "START", "MID", "END", "APPROX", "LESS_THAN", "MORE_THAN" or None.
        first, last: the days it covers, where they are known.
    """

    start: int
    end: int
    type: Type
    value: str
    mod: str | None = None
    first: date | None = None
    last: date | None = None


class Reading:
    """One pass over a text; what a later expression may count from is kept as it goes."""

    def __init__(self, text: str, published: date | None) -> None:
        self.text = re.sub(r"\s", " ", text)
        self.breaks = [match.end() for match in _STOP.finditer(text)]
        self.published = published
        self.anchor: Period | None = None

    @property
    def today(self) -> date | None:
        return self.published or (self.anchor.first if self.anchor else None)

    def tense(self, match: Match) -> int:
        """Above 0 where the words about a date look ahead, below where they look back.

        2 and -2 are from words before it, 1 and -1 from words after it; 0 is unclear.
        """
        start = max((at for at in self.breaks if at <= match.start()), default=0)
        end = min((at for at in self.breaks if at >= match.end()), default=len(self.text))
        if _UNTIL.search(self.text[start : match.start()]):
            return 2
        if self.since(match):
            return -2
        if re.match(r"['’]s\b", self.text[match.end() :]):  # "Wednesday's ruling"
            return -1
        before = _CLAUSE.split(self.text[start : match.start()])
        after = _CLAUSE.split(self.text[match.end() : end])
        for clauses, sure in ((reversed(before[-2:]), 2), (after[:2], 1)):
            for clause in clauses:
                if _FUTURE.search(clause):
                    return sure
                if _PAST.search(clause):
                    return -sure
                if _PRESENT.search(clause):
                    return 0
        return 0

    def since(self, match: Match) -> bool:
        """Whether something has been so since the date, which then lies behind."""
        return _SINCE.search(self.text[max(0, match.start() - 16) : match.start()]) is not None

    def choose(self, match: Match, options: list[Period]) -> Period:
        """Of the same day, month or season of several years, the one that is meant."""
        today = self.today
        assert today is not None
        tense = self.tense(match)

        def distance(period: Period) -> int:
            """Days away, more where the tense looks the other way."""
            if period.first <= today <= period.last:
                return 0
            days = (period.first - today).days
            return abs(days) * (AGAINST_TENSE[abs(tense)] if days * tense < 0 else 1)

        return min(options, key=distance)

    def date(
        self, match: Match, period: Period, mod: str | None = None, time: str = ""
    ) -> Timex | None:
        """A resolved expression; later ones may count from it."""
        self.anchor = period
        first, last = part(period, mod)
        kind: Type = "TIME" if time else "DATE"
        return Timex(match.start(), match.end(), kind, period.value + time, mod, first, last)

    def plain(self, match: Match, kind: Type, value: str, mod: str | None = None) -> Timex:
        """An expression without a place in the calendar."""
        return Timex(match.start(), match.end(), kind, value, mod)


Form = Callable[[Reading, Match], Timex | None]
