"""How far confidences can be trusted: calibration, ranking of right before wrong, abstention.

All functions take one confidence in [0, 1] a question and whether its answer is right. Nothing
here depends on the order of the questions, equal confidences included.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

RIGHT = 0.5  # F1 with a gold answer from which an answer counts as right
BINS = 15  # as in Guo et al.
POINTS = 20  # of a risk-coverage curve
RISKS = (0.05, 0.10, 0.20)

Floats = npt.NDArray[np.float64]


class Bin(NamedTuple):
    """The questions with a confidence in (low, high], the first bin with 0 as well.

    Their mean confidence and the share of them that is right are None where there are none.
    """

    low: float
    high: float
    questions: int
    confidence: float | None
    right: float | None


class RiskPoint(NamedTuple):
    """What becomes of the questions when those below `threshold` are not answered.

    Attributes:
        threshold: the lowest confidence that is answered; None where nothing is.
        coverage: share of all questions that is answered.
        risk: share of the answered that is wrong; None where nothing is answered.
    """

    threshold: float | None
    coverage: float
    risk: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Trust:
    """What confidences are worth.

    Attributes:
        accuracy, confidence: share of right answers and mean confidence.
        coverage_at_risk: by risk; see the function.
        at_threshold: coverage and risk at the shipped threshold.
    """

    accuracy: float
    confidence: float
    expected_calibration_error: float
    brier_score: float
    area_under_risk_coverage: float
    coverage_at_risk: Mapping[str, RiskPoint]
    at_threshold: RiskPoint
    reliability: tuple[Bin, ...]
    risk_coverage: tuple[RiskPoint, ...]


def measure_trust(confidences: Sequence[float], right: Sequence[bool], threshold: float) -> Trust:
    """All the measures of this module but `roc_auc`; at least one question.

    Args:
        threshold: the shipped one, from which Dateline answers.
    """
    table = reliability(confidences, right)
    return Trust(
        accuracy=float(np.mean(right)),
        confidence=float(np.mean(confidences)),
        expected_calibration_error=expected_calibration_error(table),
        brier_score=brier_score(confidences, right),
        area_under_risk_coverage=area_under_risk_coverage(confidences, right),
        coverage_at_risk={
            f"{risk:.0%}": coverage_at_risk(confidences, right, risk) for risk in RISKS
        },
        at_threshold=risk_at_threshold(confidences, right, threshold),
        reliability=table,
        risk_coverage=risk_coverage_curve(confidences, right),
    )


def reliability(
    confidences: Sequence[float], right: Sequence[bool], bins: int = BINS
) -> tuple[Bin, ...]:
    """The reliability diagram's table: `bins` equal-width bins, empty ones included."""
    edges = np.linspace(0, 1, bins + 1)
    values, correct = np.asarray(confidences, np.float64), np.asarray(right, np.float64)
    member = np.digitize(values, edges[1:-1], right=True)
    table = []
    for number in range(bins):
        inside = member == number
        some = bool(inside.any())
        table.append(
            Bin(
                float(edges[number]),
                float(edges[number + 1]),
                int(inside.sum()),
                float(values[inside].mean()) if some else None,
                float(correct[inside].mean()) if some else None,
            )
        )
    return tuple(table)


def expected_calibration_error(table: Sequence[Bin]) -> float:
    """Mean distance of confidence and accuracy over the bins, weighted by their questions.

    Guo et al., "On calibration of modern neural networks", ICML 2017, equation 3.
    """
    questions = sum(row.questions for row in table)
    return sum(
        row.questions / questions * abs(row.confidence - row.right)
        for row in table
        if row.confidence is not None and row.right is not None
    )


def brier_score(confidences: Sequence[float], right: Sequence[bool]) -> float:
    """Mean squared distance of confidence and outcome (Brier, Monthly Weather Review, 1950)."""
    gaps = np.asarray(confidences, np.float64) - np.asarray(right, np.float64)
    return float((gaps**2).mean())


def roc_auc(scores: Sequence[float], positive: Sequence[bool]) -> float | None:
    """Probability that a positive scores above a negative, equal scores counting half.

    The area under the ROC curve by its Mann-Whitney form (Hanley and McNeil, Radiology, 1982);
    None where there are no positives or no negatives.
    """
    chosen = np.asarray(positive, np.bool_)
    positives, negatives = int(chosen.sum()), int((~chosen).sum())
    if not positives or not negatives:
        return None
    _, group, sizes = np.unique(
        np.asarray(scores, np.float64), return_inverse=True, return_counts=True
    )
    mid_ranks = np.cumsum(sizes) - (sizes - 1) / 2
    above = mid_ranks[group][chosen].sum() - positives * (positives + 1) / 2
    return float(above / (positives * negatives))


def area_under_risk_coverage(confidences: Sequence[float], right: Sequence[bool]) -> float:
    """AURC: the mean risk over all coverages 1/n, 2/n, ..., 1; lower is better.

    Geifman and El-Yaniv, "Selective classification for deep neural networks", NeurIPS 2017, and
    Geifman, Uziel and El-Yaniv, "Bias-reduced uncertainty estimation", ICLR 2019.
    """
    return float(_falling(confidences, right)[1].mean())


def risk_coverage_curve(
    confidences: Sequence[float], right: Sequence[bool], points: int = POINTS
) -> tuple[RiskPoint, ...]:
    """The risk at coverages 1/points, ..., 1, each rounded up to whole questions."""
    thresholds, risks = _falling(confidences, right)
    total = len(risks)
    answered = sorted({math.ceil(step * total / points) for step in range(1, points + 1)})
    return tuple(
        RiskPoint(float(thresholds[n - 1]), n / total, float(risks[n - 1])) for n in answered
    )


def coverage_at_risk(confidences: Sequence[float], right: Sequence[bool], risk: float) -> RiskPoint:
    """The largest coverage that a threshold reaches at no more than `risk`."""
    thresholds, risks = _falling(confidences, right)
    reachable = np.append(thresholds[1:] != thresholds[:-1], True)  # equal ones stay together
    within = np.flatnonzero(reachable & (risks <= risk + 1e-12))
    if not len(within):
        return RiskPoint(None, 0.0, None)
    last = int(within[-1])
    return RiskPoint(float(thresholds[last]), (last + 1) / len(risks), float(risks[last]))


def risk_at_threshold(
    confidences: Sequence[float], right: Sequence[bool], threshold: float
) -> RiskPoint:
    """Coverage and risk when what is at least `threshold` is answered."""
    correct = np.asarray(right, np.bool_)
    answered = np.asarray(confidences, np.float64) >= threshold
    risk = float(1 - correct[answered].mean()) if answered.any() else None
    return RiskPoint(threshold, float(answered.mean()), risk)


def _falling(confidences: Sequence[float], right: Sequence[bool]) -> tuple[Floats, Floats]:
    """Confidences from high to low, and the share of wrong answers down to each of them.

    Answers of equal confidence count with their mean, as if in random order.
    """
    wrong = 1 - np.asarray(right, np.float64)
    negated, group, sizes = np.unique(
        -np.asarray(confidences, np.float64), return_inverse=True, return_counts=True
    )
    errors = np.repeat(np.bincount(group, weights=wrong) / sizes, sizes)
    return -np.repeat(negated, sizes), np.cumsum(errors) / np.arange(1, len(errors) + 1)
