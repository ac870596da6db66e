"""From the reader's spans to ranked answers: merge what is equal, drop what overlaps, score.

A candidate's confidence is a logistic regression over what is known of it; its weights are fitted
on held-out training questions and stored with the reader (`reader.json`, "calibration").
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from index import Hit

from .reader import ReadSpan

_ARTICLES = re.compile(r"\b(?:a|an|the)\b")
_NO_WORD = re.compile(r"[^\w\s]|_")


@dataclass(frozen=True, slots=True)
class Support:
    """One place where an answer stands: `hit.chunk.text[start:end]`."""

    hit: Hit
    rank: int
    start: int
    end: int
    margin: float

    @property
    def text(self) -> str:
        """The words, verbatim."""
        return self.hit.chunk.text[self.start : self.end]

    @property
    def place(self) -> tuple[str, int, int]:
        """Document and offsets: equal for one span found in two overlapping chunks."""
        chunk = self.hit.chunk
        return chunk.document_id, chunk.start + self.start, chunk.start + self.end


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
    """Weights of the confidence, and the confidence below which Dateline abstains."""

    weights: Mapping[str, float]
    bias: float
    threshold: float

    def confidence(self, features: Mapping[str, float]) -> float:
        """Probability, between 0 and 1, that a candidate with these features is right."""
        logit = self.bias + sum(self.weights[name] * value for name, value in features.items())
        return 1 / (1 + math.exp(-max(min(logit, 30.0), -30.0)))


def features(supports: Sequence[Support]) -> dict[str, float]:
    """What is known of a candidate, from its supports, best first."""
    best = supports[0]
    return {
        "margin": best.margin,
        "retrieval": best.hit.score,
        "rank": math.log1p(best.rank),
        "agreement": math.log(len({s.hit.chunk.document_id for s in supports})),
    }


def rank(
    hits: Sequence[Hit], readings: Sequence[Sequence[ReadSpan]], calibration: Calibration
) -> list[Candidate]:
    """All candidates, most confident first.

    Spans whose words are equal, case, articles and punctuation aside, are one candidate with
    several supports. A candidate that only overlaps a better one in the same place is dropped.
    """
    groups: dict[str, dict[tuple[str, int, int], Support]] = {}
    for position, (hit, spans) in enumerate(zip(hits, readings, strict=True)):
        for span in spans:
            support = Support(hit, position, *span)
            group = groups.setdefault(normalise(support.text), {})
            known = group.get(support.place)
            if known is None or known.margin < support.margin:
                group[support.place] = support
    candidates = []
    for group in groups.values():
        supports = _apart(
            sorted(group.values(), key=lambda s: -calibration.confidence(features([s])))
        )
        confidence = calibration.confidence(features(supports))
        candidates.append(Candidate(tuple(supports), confidence))
    candidates.sort(key=lambda c: -c.confidence)
    return _without_overlaps(candidates)


def _apart(supports: Sequence[Support]) -> list[Support]:
    """Without those that overlap a better one ("the ambassador" around "ambassador")."""
    kept: list[Support] = []
    for support in supports:
        if not any(_overlap(support, better) for better in kept):
            kept.append(support)
    return kept


def _without_overlaps(candidates: Sequence[Candidate]) -> list[Candidate]:
    kept: list[Candidate] = []
    taken: dict[str, list[Support]] = {}
    for candidate in candidates:
        best = candidate.supports[0]
        if any(_overlap(best, other) for other in taken.get(best.place[0], ())):
            continue
        kept.append(candidate)
        for support in candidate.supports:
            taken.setdefault(support.place[0], []).append(support)
    return kept


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
