"""From the reader's spans to ranked answers: merge what is equal, drop what overlaps, score.

Linear models over the same features: one orders the candidates of a question, another says how
sure one may be of them across questions, a third does so where only one passage was read, which no
other could bear out. All are fitted by `qa.training.calibrate` and stored with the reader
(`reader.json`, "calibration").
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import NamedTuple

from index import Analyzer, Hit

from .reader import ReadSpan

FEATURES = ("margin", "overlap", "cosine")  # of a place where an answer stands
STANDING = ("share", "agreement")  # of an answer among all those found for its question
TERMS = Analyzer()
FULLER = 1.0  # log-odds that a fuller name may be behind a shorter one and still go before it
FULLEST = 8  # words of such a name

Days = tuple[date, date]  # the first and the last

_ARTICLES = re.compile(r"\b(?:a|an|the)\b")
_NO_WORD = re.compile(r"[^\w\s]|_")
_NUMBER = re.compile(  # words that make another number of the one beside them
    r"\d+(?:st|nd|rd|th)?|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|\w+teen|"
    r"(?:twen|thir|for|fif|six|seven|eigh|nine)ty|dozens?|hundreds?|thousands?|(?:m|b|tr)illions?|"
    r"half|halves|thirds?|quarters?|percent|cent"
)
_MONTH = re.compile(
    "jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|"
    "sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?"
)


@dataclass(frozen=True, slots=True)
class Support:
    """One place where an answer stands: `hit.chunk.text[start:end]`.

    Attributes:
        margin: the reader's, over "no answer".
        overlap: share of the question's terms that the passage or its title has. Unlike a
            retrieval score it means the same in a collection of any size.
        prior: log-odds for what the features do not see, 0 where nothing is known.
        preference: likewise, but for the order alone: it makes nothing surer.
    """

    hit: Hit
    start: int
    end: int
    margin: float
    overlap: float
    prior: float = 0.0
    preference: float = 0.0

    @property
    def text(self) -> str:
        """The words, verbatim."""
        return self.hit.chunk.text[self.start : self.end]

    @property
    def place(self) -> tuple[str, int, int]:
        """Document and offsets: equal for one span found in two overlapping chunks."""
        chunk = self.hit.chunk
        return chunk.document_id, chunk.start + self.start, chunk.start + self.end

    @property
    def features(self) -> tuple[float, ...]:
        """What is known of it, in the order of FEATURES."""
        return self.margin, self.overlap, self.hit.scores["dense"]


@dataclass(frozen=True, slots=True)
class Candidate:
    """An answer with every place that bears it, best first, and its confidence."""

    supports: tuple[Support, ...]
    confidence: float

    @property
    def text(self) -> str:
        """The words of the best support, verbatim."""
        return self.supports[0].text


@dataclass(frozen=True, slots=True)
class Calibration:
    """How candidates are ordered, how sure one may be of them, and when Dateline abstains.

    Attributes:
        order: one number for each of FEATURES; exp(score) is proportional to the probability that
            a candidate is the right one, if one of its question's is (a conditional logit).
        weights, bias: of the confidence; one number for each of FEATURES and of STANDING.
        lone_weights, lone_bias: the same for an answer from the only passage that was read.
        threshold: the confidence below which nothing is answered.
    """

    order: Sequence[float]
    weights: Sequence[float]
    bias: float
    lone_weights: Sequence[float]
    lone_bias: float
    threshold: float

    def score(self, support: Support) -> float:
        """The higher, the earlier among the candidates of its question."""
        return sumprod(self.order, support.features) + support.prior + support.preference

    def confidence(
        self, features: Sequence[float], prior: float = 0.0, *, lone: bool = False
    ) -> float:
        """Probability, between 0 and 1, that an answer with these features is right.

        Args:
            prior: log-odds to add.
            lone: whether only one passage was read.
        """
        weights, bias = (self.lone_weights, self.lone_bias) if lone else (self.weights, self.bias)
        logit = bias + sumprod(weights, features) + prior
        return 1 / (1 + math.exp(-max(min(logit, 30.0), -30.0)))


def sumprod(one: Sequence[float], other: Sequence[float]) -> float:
    """Sum of products (`math.sumprod` needs Python 3.12)."""
    return sum(a * b for a, b in zip(one, other, strict=True))


def rank(
    question: str,
    hits: Sequence[Hit],
    readings: Sequence[Sequence[ReadSpan]],
    calibration: Calibration,
    prior: Callable[[Support], float] | None = None,
    *,
    preference: Callable[[Support], float] | None = None,
    days: Callable[[Support], Days | None] | None = None,
    several: bool = False,
    fuller: bool = False,
) -> list[Candidate]:
    """All candidates, best first; none is more confident than the one before it.

    Spans whose words are equal, case, articles and punctuation aside, or that stand for the same
    days, are one candidate with several supports; of those, only ones that could stand alone are
    kept beside the best. A candidate that only overlaps a better one in the same place is dropped.

    Args:
        prior: log-odds to add for what the features do not see.
        preference: log-odds to add for the order alone.
        days: which days an answer stands for, where days are asked for; None where it does not.
        several: whether several may be right: better ones then do not speak against one.
        fuller: whether to tell a name or a date as fully as some place does: "Kim Jong Un", not
            "Kim"; "13 September", not "last month".
    """
    candidates = []
    most = 1.0
    for group in standings(
        question,
        hits,
        readings,
        calibration,
        prior,
        preference=preference,
        days=days,
        several=several,
        fuller=fuller,
    ):
        confidences = [
            calibration.confidence(features, support.prior, lone=len(hits) == 1)
            for support, features in group
        ]
        most = min(most, confidences[0])
        kept = [
            support
            for (support, _), confidence in zip(group, confidences, strict=True)
            if support is group[0][0] or confidence >= calibration.threshold
        ]
        candidates.append(Candidate(tuple(kept), most))
    return candidates


def standings(
    question: str,
    hits: Sequence[Hit],
    readings: Sequence[Sequence[ReadSpan]],
    calibration: Calibration,
    prior: Callable[[Support], float] | None = None,
    *,
    preference: Callable[[Support], float] | None = None,
    days: Callable[[Support], Days | None] | None = None,
    several: bool = False,
    fuller: bool = False,
) -> list[list[tuple[Support, tuple[float, ...]]]]:
    """For every candidate, best first, its supports, each with FEATURES and STANDING.

    An answer's share is its probability among the candidates, given that one of them is right (if
    several may be, among it and those that the reader would not answer); its agreement is the
    logarithm of the number of places that bear it. Both count what goes together with the answer
    as the answer itself: fuller and shorter wordings ("Kim", "Kim Jong Un"), days within its days.
    """
    score = calibration.score
    supports = list(_supports(question, hits, readings))
    if prior:
        supports = [replace(support, prior=prior(support)) for support in supports]
    if preference:
        supports = [replace(support, preference=preference(support)) for support in supports]
    groups: dict[str | Days, list[Support]] = {}
    for support in sorted(supports, key=score, reverse=True):
        said = _said(support, days)
        group = groups.setdefault(said.days or said.words, [])
        if not any(_overlap(support, better) for better in group):
            group.append(support)
    candidates = list(_without_overlaps(groups.values()))
    if fuller:
        candidates = _fuller_first(candidates, score, days)
    meanings = [_said(group[0], days) for group in candidates]
    top = max((score(group[0]) for group in candidates), default=0.0)
    weights = [math.exp(score(group[0]) - top) for group in candidates]
    fellows = [several and group[0].margin > 0 for group in candidates]  # no rivals to each other
    rivals = sum(weight for weight, fellow in zip(weights, fellows, strict=True) if not fellow)
    found = []
    for group, said, weight in zip(candidates, meanings, weights, strict=True):
        same = [i for i, other in enumerate(meanings) if _go_together(said, other)]
        total = rivals + sum(weights[i] for i in same if fellows[i])
        others = sum(weights[i] for i in same) - weight
        shares = [(math.exp(score(support) - top) + others) / total for support in group]
        agreement = math.log(sum(len(candidates[i]) for i in same))
        found.append(
            [
                (support, (*support.features, share, agreement))
                for support, share in zip(group, shares, strict=True)
            ]
        )
    return found


def _supports(
    question: str, hits: Sequence[Hit], readings: Sequence[Sequence[ReadSpan]]
) -> Iterator[Support]:
    asked = set(TERMS(question))
    for hit, spans in zip(hits, readings, strict=True):
        shared = asked.intersection(TERMS(f"{hit.document.title}\n{hit.chunk.text}"))
        overlap = len(shared) / len(asked) if asked else 0.0
        for span in spans:
            yield Support(hit, *span, overlap)


def _without_overlaps(groups: Iterable[list[Support]]) -> Iterator[list[Support]]:
    """Groups, best first, but those whose best support overlaps a better group's."""
    taken: dict[str, list[Support]] = {}
    for group in groups:
        if not any(_overlap(group[0], other) for other in taken.get(group[0].place[0], ())):
            yield group
            for support in group:
                taken.setdefault(support.place[0], []).append(support)


class _Said(NamedTuple):
    """What an answer says: its words, normalised, and the days that they stand for, if they do."""

    words: str
    days: Days | None


def _said(support: Support, days: Callable[[Support], Days | None] | None) -> _Said:
    return _Said(normalise(support.text), days(support) if days else None)


def _go_together(one: _Said, other: _Said) -> bool:
    """Whether two answers can be one: of dates the calendar decides, else the words."""
    if one.days and other.days:
        return _within(one.days, other.days) or _within(other.days, one.days)
    return _is_variant(one.words, other.words)


def _within(one: Days, other: Days) -> bool:
    return other[0] <= one[0] and one[1] <= other[1]


def _fuller_first(
    candidates: Sequence[list[Support]],
    score: Callable[[Support], float],
    days: Callable[[Support], Days | None] | None,
) -> list[list[Support]]:
    """Candidates in their order, but of two names or dates for one the fuller first, if near."""
    waiting, ordered = [(_said(group[0], days), group) for group in candidates], []
    while waiting:
        said, (best, *_) = waiting[0]
        least = score(best) - FULLER
        chosen = next(
            (
                number
                for number, (other, (support, *_)) in enumerate(waiting)
                if _is_fuller(other, said, dated=days is not None) and score(support) > least
            ),
            0,
        )
        ordered.append(waiting.pop(chosen)[1])
    return ordered


def _is_fuller(one: _Said, other: _Said, *, dated: bool) -> bool:
    if dated:
        if not one.days or not other.days or one.days == other.days:
            return False
        return _within(one.days, other.days)
    longer = len(other.words) < len(one.words) and len(one.words.split()) <= FULLEST
    return longer and _is_variant(one.words, other.words)


def _overlap(one: Support, other: Support) -> bool:
    document, start, end = one.place
    elsewhere, begin, finish = other.place
    return document == elsewhere and start < finish and begin < end


def normalise(text: str) -> str:
    """Words alone: no case, accents, articles or punctuation."""
    folded = unicodedata.normalize("NFKD", text).casefold()
    plain = "".join(c for c in folded if not unicodedata.combining(c))
    words = _ARTICLES.sub(" ", _NO_WORD.sub(" ", plain)).split()
    return " ".join(words) or plain.strip()


def _is_variant(one: str, other: str) -> bool:
    """Whether of two normalised wordings one is the other or stands in it.

    A number stands in what it counts ("253 people"), but not in another number or a date.
    """
    short, long = sorted((one, other), key=len)
    if one == other or f" {short} " not in f" {long} ":
        return one == other
    words = short.split()
    if any(len(word) > 1 and not _NUMBER.fullmatch(word) for word in words):
        return True
    added = f" {long} ".replace(f" {short} ", " ", 1).split()
    counts = any(_NUMBER.fullmatch(word) for word in words)
    return counts and not any(_NUMBER.fullmatch(word) or _MONTH.fullmatch(word) for word in added)


def share_words(one: str, other: str) -> bool:
    """Whether two wordings share at least half of their words (token F1)."""
    first, second = set(normalise(one).split()), set(normalise(other).split())
    return 4 * len(first & second) >= len(first) + len(second)
