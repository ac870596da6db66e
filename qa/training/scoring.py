"""Scores of readings while training and calibrating (`eval` measures what is reported)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from ..ranking import normalise

Floats = npt.NDArray[np.float64]


def score(
    margins: Floats, exact: Floats, overlap: Floats, answerable: npt.NDArray[np.bool_]
) -> dict[str, float]:
    """EM and F1 of answerable questions, and the ROC area of the margin for answerability."""
    order = np.argsort(margins, kind="stable")
    ranks = np.empty(len(order))
    ranks[order] = np.arange(1, len(order) + 1)
    positive, negative = int(answerable.sum()), int((~answerable).sum())
    wins = ranks[answerable].sum() - positive * (positive + 1) / 2
    return {
        "em": round(float(exact[answerable].mean()), 4),
        "f1": round(float(overlap[answerable].mean()), 4),
        "roc_area": round(float(wins / max(positive * negative, 1)), 4),
        "questions": len(order),
    }


def word_f1(text: str, gold: Sequence[str]) -> float:
    """Greatest F1, in words, of a text with any of the gold answers; 0 if there are none."""
    words = Counter(normalise(text).split())
    best = 0.0
    for answer in gold:
        expected = Counter(normalise(answer).split())
        shared = (words & expected).total()
        if shared:
            best = max(best, 2 * shared / (words.total() + expected.total()))
    return best
