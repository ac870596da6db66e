"""Saying "no answer": the scores of SQuAD 2.0, at the shipped threshold and at the best ones.

Rajpurkar, Jia and Liang, "Know what you don't know", ACL 2018: an unanswerable question scores 1
where nothing is answered, else 0; an answerable one as ever, so 0 where nothing is answered. What
confidences are worth beyond one threshold is in `calibration`.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from .calibration import roc_auc
from .metrics import best_threshold, exact_match, f1


class Graded(Protocol):
    """A question's outcome; `answers` is empty, and the scores are not looked at, without any."""

    @property
    def answers(self) -> tuple[str, ...]:
        """The gold answers."""

    @property
    def prediction(self) -> str:
        """The best candidate, whatever its confidence; empty where there is none."""

    @property
    def confidence(self) -> float:
        """Of the prediction."""

    @property
    def exact_match(self) -> float | None:
        """Of the prediction."""

    @property
    def f1(self) -> float | None:
        """Of the prediction."""


class BestScore(NamedTuple):
    """The highest mean that any threshold gives, and the confidence that it answers from."""

    score: float
    threshold: float


@dataclass(frozen=True, slots=True, kw_only=True)
class NoAnswer:
    """SQuAD 2.0's scores over all questions, "" being the right answer to unanswerable ones.

    Attributes:
        best_exact_match, best_f1: as the official script finds them, on the very questions.
        exact_match, f1: at the shipped threshold.
        answered: share of the answerable questions that is answered there.
        false_answers: share of the unanswerable questions that is answered all the same.
        roc_auc: of the confidence, answerable questions against unanswerable ones.
    """

    unanswerable: int
    best_exact_match: BestScore
    best_f1: BestScore
    exact_match: float
    f1: float
    answered: float
    false_answers: float
    roc_auc: float | None


def no_answer_scores(rows: Sequence[Graded], threshold: float) -> NoAnswer | None:
    """SQuAD 2.0's scores, or None if all questions are answerable.

    The official script takes a probability that there is no answer: one less the confidence.

    Args:
        threshold: the confidence from which a prediction is given as the answer.
    """
    answerable = [bool(row.answers) for row in rows]
    if all(answerable):
        return None
    predicted = [bool(row.prediction) for row in rows]
    doubts = [1 - row.confidence for row in rows]

    def best(scores: Sequence[float]) -> BestScore:
        found = best_threshold(scores, answerable, predicted, doubts)
        return BestScore(found.score, 1 - found.threshold)

    told = [row.prediction if row.confidence >= threshold else "" for row in rows]
    golds = [row.answers for row in rows]
    has = [bool(text) for text, gold in zip(told, golds, strict=True) if gold]
    false = [bool(text) for text, gold in zip(told, golds, strict=True) if not gold]
    return NoAnswer(
        unanswerable=len(false),
        best_exact_match=best([row.exact_match or 0.0 for row in rows]),
        best_f1=best([row.f1 or 0.0 for row in rows]),
        exact_match=statistics.fmean(map(exact_match, told, golds)),
        f1=statistics.fmean(map(f1, told, golds)),
        answered=statistics.fmean(has) if has else 0.0,
        false_answers=statistics.fmean(false),
        roc_auc=roc_auc([row.confidence for row in rows], answerable),
    )
