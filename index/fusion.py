"""Several rankings of the same chunks made into one.

A retriever's ranking is its best hits only, so a chunk that is missing from it counts as its
lowest (but see `score_mean`). Equal fused scores are ordered by ascending id.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Ints: TypeAlias = npt.NDArray[np.int64]
Floats: TypeAlias = npt.NDArray[np.float64]
Ranking: TypeAlias = tuple[Ints, Floats]  # distinct ids and their scores, best first


def minmax_mean(rankings: Mapping[str, Ranking], weights: Mapping[str, float], k: int) -> Ranking:
    """Weighted mean of scores that are scaled to 0..1 within each ranking (min-max).

    The scaling is that of Lee ("Analyses of Multiple Evidence Combination", SIGIR 1997), the mean
    CombSUM of Fox and Shaw ("Combination of Multiple Searches", TREC-2, 1994) over the sum of
    weights. Scores that are all equal, or a single one, scale to 1: with nothing below them they
    are that retriever's best.

    Args:
        rankings: by retriever; an empty one counts 0 for every chunk.
        weights: by retriever, in any unit, not negative; if those of all the rankings are 0 they
            count the same.
        k: how many chunks at most.

    Returns:
        scores between 0 and 1.

    Raises:
        ValueError: a negative weight.
    """

    def scaled(scores: Floats) -> Floats:
        lowest, highest = scores.min(), scores.max()
        if highest == lowest:
            return np.ones(len(scores))
        return np.asarray((scores - lowest) / (highest - lowest), np.float64)

    return _fused(rankings, weights, k, scaled)


def reciprocal_rank(
    rankings: Mapping[str, Ranking], weights: Mapping[str, float], k: int, c: float = 60
) -> Ranking:
    """Reciprocal rank fusion: the weighted mean of 1 / (c + rank), ranks from 1.

    Cormack, Clarke and Buettcher, "Reciprocal Rank Fusion outperforms Condorcet and individual
    Rank Learning Methods", SIGIR 2009. They sum; the mean has the same order. Scores are only
    looked at for their order.

    Args:
        rankings, weights, k: as in `minmax_mean`.
        c: the larger, the less the first ranks stand out; 60 is the paper's.

    Returns:
        scores between 0 and 1 / (c + 1).

    Raises:
        ValueError: a negative weight.
    """
    return _fused(rankings, weights, k, lambda scores: 1 / (c + 1 + np.arange(len(scores))))


def score_mean(rankings: Mapping[str, Ranking], weights: Mapping[str, float], k: int) -> Ranking:
    """Weighted mean of the scores as they are: CombSUM over the sum of weights, as it is ordered.

    Fox and Shaw, "Combination of Multiple Searches", TREC-2, 1994. It is for retrievers that score
    on one scale, above 0: what is missing from a ranking has 0 there.

    Args:
        rankings, weights, k: as in `minmax_mean`.

    Raises:
        ValueError: a negative weight.
    """
    return _fused(rankings, weights, k, lambda scores: scores)


def _fused(
    rankings: Mapping[str, Ranking],
    weights: Mapping[str, float],
    k: int,
    parts_of: Callable[[Floats], Floats],
) -> Ranking:
    if not rankings:
        return np.zeros(0, np.int64), np.zeros(0)
    shares = np.array([weights[name] for name in rankings], np.float64)
    if shares.min() < 0:
        raise ValueError("a weight is negative")
    if not shares.any():
        shares[:] = 1
    shares /= shares.sum()
    ids = np.unique(np.concatenate([np.asarray(ids, np.int64) for ids, _ in rankings.values()]))
    fused = np.zeros(len(ids))
    for share, (found, scores) in zip(shares, rankings.values(), strict=True):
        if len(found):
            fused[np.searchsorted(ids, found)] += share * parts_of(np.asarray(scores, np.float64))
    order = np.lexsort((ids, -fused))[:k]
    return ids[order], fused[order]


FUSIONS = {"minmax": minmax_mean, "rrf": reciprocal_rank}  # as settings call them
