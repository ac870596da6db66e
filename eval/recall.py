"""How many of the true nearest passages the approximate dense index finds, and how quickly.

`dateline eval recall` prints this. Recall@k is measured as ann-benchmarks does (Aumüller,
Bernhardsson and Faithfull, "ANN-Benchmarks", Information Systems 2020): of the k vectors found, the
share that is as near as the true k-th nearest, so that ties cost nothing.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from index.caches import BATCH
from index.catalog import Catalog
from index.dense import DenseIndex
from index.errors import LoadError, UsageError

from .measuring import Latency, latency, tracked

Vectors: TypeAlias = npt.NDArray[np.float32]

KS = (10, 100)
TIE = 1e-6  # inner products closer than this are the same


@dataclass(frozen=True, slots=True, kw_only=True)
class RecallResult:
    """One state of an index against exact search over the same vectors.

    Attributes:
        state: "filled" or "half removed".
        exact_limit: up to so many vectors the search is not approximate.
        recall: share of the true nearest that are found, by "recall@k".
        approximate, exact: milliseconds a query, as deep as the largest k.
        seconds: to fill the index, or to remove half of it.
    """

    state: str
    vectors: int
    queries: int
    exact_limit: int
    recall: dict[str, float]
    approximate: Latency
    exact: Latency
    seconds: float


def evaluate_recall(
    vectors: Vectors,
    queries: Vectors,
    *,
    ks: Sequence[int] = KS,
    exact_limit: int | None = None,
    seed: int = 0,
) -> Iterator[RecallResult]:
    """Fill a dense index in batches, as the product does, and search it; then with half removed.

    Args:
        vectors: what is searched, shape (n, dimension), unit length.
        queries: shape (m, dimension), unit length.
        exact_limit: above how many vectors the index is approximate; None for its default.
        seed: of the choice which half is removed.

    Raises:
        UsageError: queries of another dimension.
    """
    dimension = vectors.shape[1]
    if queries.shape[1] != dimension:
        raise UsageError(
            f"Queries of {queries.shape[1]} numbers do not fit vectors of {dimension}."
        )
    ids = np.arange(len(vectors))
    limit = {} if exact_limit is None else {"exact_limit": exact_limit}
    index, exact = DenseIndex(dimension, **limit), DenseIndex(dimension, len(vectors))
    for first in range(0, len(ids), BATCH):
        exact.add(ids[first : first + BATCH], vectors[first : first + BATCH])
    start = time.perf_counter()
    for first in range(0, len(ids), BATCH):
        index.add(ids[first : first + BATCH], vectors[first : first + BATCH])
    seconds = time.perf_counter() - start
    yield RecallResult(state="filled", seconds=seconds, **_compared(index, exact, queries, ks))
    gone = np.random.default_rng(seed).choice(ids, len(ids) // 2, replace=False)
    exact.remove(gone)
    start = time.perf_counter()
    index.remove(gone)
    seconds = time.perf_counter() - start
    yield RecallResult(
        state="half removed", seconds=seconds, **_compared(index, exact, queries, ks)
    )


def index_vectors(folder: Path) -> Vectors:
    """The vectors of all passages of an index, shape (n, dimension), unit length.

    Raises:
        IndexNotFoundError: no index there.
        IndexDamagedError: its catalog cannot be read.
        UsageError: it is empty.
    """
    catalog = Catalog(folder)
    try:
        changes = catalog.changes(0)
        assert changes is not None  # the log of changes always reaches back to the start
        vectors = [chunk.vector for chunk in changes.added]
    finally:
        catalog.close()
    if not vectors:
        raise UsageError(f"The index in {folder} is empty.", "Index some documents first.")
    return _unit(np.array(vectors, np.float32))


def load_vectors(path: Path) -> Vectors:
    """The rows of a .npy file as unit vectors, shape (n, dimension).

    Raises:
        LoadError: the file cannot be read.
        UsageError: it does not hold vectors.
    """
    try:
        array = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise LoadError(f"{path} cannot be read: {error}.", "Give a file of numpy.save.") from error
    if not isinstance(array, np.ndarray) or array.dtype.kind not in "fiu" or array.ndim != 2:
        raise UsageError(f"{path} holds no vectors.", "Give one array of numbers, a vector a row.")
    if not array.size or not np.isfinite(array).all():
        raise UsageError(f"{path} is empty or holds numbers that are not finite.")
    return _unit(np.asarray(array, np.float32))


def sampled(vectors: Vectors, count: int, seed: int = 0) -> Vectors:
    """At most `count` of the vectors, at random."""
    generator = np.random.default_rng(seed)
    return vectors[generator.choice(len(vectors), min(count, len(vectors)), replace=False)]


def held_out(vectors: Vectors, count: int, seed: int = 0) -> tuple[Vectors, Vectors]:
    """The vectors without at most `count` random ones (a tenth of them at most), and those.

    Raises:
        UsageError: there are fewer than ten.
    """
    if len(vectors) < 10:
        raise UsageError(f"{len(vectors)} vectors are too few.", "Give at least ten.")
    chosen = np.zeros(len(vectors), np.bool_)
    size = min(count, len(vectors) // 10)
    chosen[np.random.default_rng(seed).choice(len(vectors), size, replace=False)] = True
    return vectors[~chosen], vectors[chosen]


def _compared(
    index: DenseIndex, exact: DenseIndex, queries: Vectors, ks: Sequence[int]
) -> dict[str, Any]:
    """The fields of `RecallResult` that searching gives."""
    depth = min(max(ks), len(exact))
    times, scores = [], []
    for searched in (index, exact):  # one after the other: in turns they would share a warm cache
        spent, found = [], []
        for query in tracked(list(queries), f"searching {len(exact):,} vectors"):
            start = time.perf_counter()
            found.append(searched.search(query, depth)[1])
            spent.append(1000 * (time.perf_counter() - start))
        times.append(latency(spent))
        scores.append(np.stack(found))
    recall = {
        f"recall@{k}": float(np.mean(scores[0][:, :k] >= scores[1][:, :k][:, -1:] - TIE))
        for k in ks
    }
    return {
        "vectors": len(exact),
        "queries": len(queries),
        "exact_limit": index.exact_limit,
        "recall": recall,
        "approximate": times[0],
        "exact": times[1],
    }


def _unit(vectors: Vectors) -> Vectors:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.maximum(lengths, 1e-12), np.float32)
