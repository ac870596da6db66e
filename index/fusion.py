"""Several rankings of the same chunks made into one.

A retriever's ranking is its best hits only, so a chunk that is missing from it counts as its
lowest. Equal fused scores are ordered by ascending id.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

Ints: TypeAlias = npt.NDArray[np.int64]
Floats: TypeAlias = npt.NDArray[np.float64]
Ranking: TypeAlias = tuple[Ints, Floats]  # distinct ids and their scores, best first


class Fused(NamedTuple):
    """The fused ranking, and what each retriever put into it before weighting."""

    ids: Ints
    scores: Floats
    by_retriever: dict[str, Floats]  # aligned with ids

    def parts(self, chunk_id: int) -> dict[str, float]:
        """One chunk's part of each retriever; 0 where it was not found."""
        (place,) = np.flatnonzero(self.ids == chunk_id)
        return {name: float(parts[place]) for name, parts in self.by_retriever.items()}


def minmax_mean(rankings: Mapping[str, Ranking], weights: Mapping[str, float], k: int) -> Fused:
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
) -> Fused:
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


def _fused(
    rankings: Mapping[str, Ranking],
    weights: Mapping[str, float],
    k: int,
    parts_of: Callable[[Floats], Floats],
) -> Fused:
    if not rankings:
        return Fused(np.zeros(0, np.int64), np.zeros(0), {})
    shares = np.array([weights[name] for name in rankings], np.float64)
    if shares.min() < 0:
        raise ValueError("a weight is negative")
    if not shares.any():
        shares[:] = 1
    shares /= shares.sum()
    ids = np.unique(np.concatenate([np.asarray(ids, np.int64) for ids, _ in rankings.values()]))
    fused, parts = np.zeros(len(ids)), dict[str, Floats]()
    for share, (name, (found, scores)) in zip(shares, rankings.items(), strict=True):
        parts[name] = np.zeros(len(ids))
        if len(found):
            parts[name][np.searchsorted(ids, found)] = parts_of(np.asarray(scores, np.float64))
        fused += share * parts[name]
    order = np.lexsort((ids, -fused))[:k]
    return Fused(ids[order], fused[order], {name: part[order] for name, part in parts.items()})


FUSIONS = {"minmax": minmax_mean, "rrf": reciprocal_rank}  # as settings call them
