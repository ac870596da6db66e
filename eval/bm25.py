"""How quick BM25 is: our index against rank-bm25, whose scores it has, and against bm25s.

`dateline eval bm25` prints this. rank-bm25 (https://github.com/dorianbrown/rank_bm25) goes through
every document for a query; bm25s (Lù, "BM25S: Orders of magnitude faster lexical search via eager
sparse scoring", 2024) keeps every posting's score ready, and cannot be changed once built.
"""

from __future__ import annotations

import importlib
import logging
import statistics
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from importlib import metadata
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
from rank_bm25 import BM25Okapi

from index.lexical import LexicalIndex

from .measuring import latency

Terms: TypeAlias = list[str]

SIZES = (10_000, 100_000)
QUERY_TERMS = 5
PEER_QUERIES = 10  # for rank-bm25, which needs half a second for one
CHANGES = 20  # documents added, then removed, one by one
WARM_UP = 10  # queries before the clock starts
TOLERANCE = 1e-6  # within which our scores have to be rank-bm25's

PASSAGE_TERMS = 82  # what our analyzer leaves of 150 words
VOCABULARY = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Bm25Result:
    """One engine on one collection; times in milliseconds, None where there is nothing to time.

    Attributes:
        engine: with its version.
        queries: how many were timed, all different; 0 if the engine is not installed.
        build_seconds: to index all passages, already split into terms.
        add, remove: to add one passage to all the others, and to remove one.
        query_after_add: the first query after an addition, when nothing is prepared.
        largest_difference: of any passage's score from rank-bm25's, after the changes above.
    """

    passages: int
    engine: str
    queries: int
    build_seconds: float | None = None
    mean: float | None = None
    median: float | None = None
    p95: float | None = None
    add: float | None = None
    query_after_add: float | None = None
    remove: float | None = None
    largest_difference: float | None = None


def zipfian_passages(count: int, seed: int = 0) -> list[Terms]:
    """The terms of `count` passages of about 150 words, stop words left out; deterministic.

    The terms are drawn one by one from a vocabulary of a million after Zipf's law in Mandelbrot's
    form, p(rank) ~ (rank + 30) ** -1.1 (Mandelbrot, "An informational theory of the statistical
    structure of language", 1953). With these two numbers the most frequent terms are in as many
    passages, and a query has as many postings, as in 10,000 passages of English from the web.
    """
    generator = np.random.default_rng(seed)
    weights = (np.arange(1, VOCABULARY + 1) + 30.0) ** -1.1
    reached = np.cumsum(weights / weights.sum())[:-1]
    words = [f"w{rank}" for rank in range(VOCABULARY)]
    ranks = (np.searchsorted(reached, generator.random(PASSAGE_TERMS)) for _ in range(count))
    return [[words[rank] for rank in drawn.tolist()] for drawn in ranks]


def sampled_queries(passages: Sequence[Terms], count: int, seed: int = 0) -> list[Terms]:
    """Queries of five different terms (or fewer, if it has no more) of a random passage each."""
    generator = np.random.default_rng(seed)
    queries = []
    for number in generator.integers(len(passages), size=count).tolist():
        terms = sorted(set(passages[number]))
        queries.append(generator.permutation(terms)[:QUERY_TERMS].tolist())
    return queries


def compare_bm25(
    sizes: Sequence[int] = SIZES, *, queries: int = 1000, k: int = 10, seed: int = 0
) -> Iterator[Bm25Result]:
    """Time our index, rank-bm25 and bm25s on the same generated passages and queries.

    Args:
        sizes: passages in each collection.
        queries: for our index and bm25s; rank-bm25 gets the first ten of them.
        k: passages looked for.
        seed: of passages and queries.
    """
    for size in sizes:
        passages = zipfian_passages(size, seed)
        drawn = sampled_queries(passages, queries + WARM_UP, seed + 1)
        asked, warm_up = drawn[:queries], drawn[queries:]
        new = zipfian_passages(CHANGES, seed + 2)
        yield from _compare(passages, new, asked, warm_up, k)


def _compare(
    passages: list[Terms], new: list[Terms], queries: list[Terms], warm_up: list[Terms], k: int
) -> Iterator[Bm25Result]:
    start = time.perf_counter()
    ours = LexicalIndex()
    ours.add(np.arange(len(passages)), passages)
    built = time.perf_counter() - start
    timed = _timed(lambda query: ours.search(query, k), queries, warm_up)
    changes = _changes(ours, len(passages), new, queries, k)
    peer, difference = _rank_bm25(passages, queries[:PEER_QUERIES], k, ours)
    yield Bm25Result(
        passages=len(passages),
        engine="dateline",
        build_seconds=built,
        **timed,
        **changes,
        largest_difference=difference,
    )
    yield peer
    yield _bm25s(passages, queries, warm_up, k)


def _changes(
    index: LexicalIndex, first_id: int, new: list[Terms], queries: list[Terms], k: int
) -> dict[str, Any]:
    """Mean times of adding a passage, of the first query then, and of removing it again."""
    ids = range(first_id, first_id + len(new))
    adding, asking = [], []
    for number, (id_, terms) in enumerate(zip(ids, new, strict=True)):
        adding += _milliseconds(lambda id_: index.add([id_], [terms]), [id_])  # noqa: B023
        asking += _milliseconds(lambda q: index.search(q, k), [queries[number % len(queries)]])
    removing = _milliseconds(lambda id_: index.remove([id_]), ids)
    return {
        "add": statistics.fmean(adding),
        "query_after_add": statistics.fmean(asking),
        "remove": statistics.fmean(removing),
    }


def _rank_bm25(
    passages: list[Terms], queries: list[Terms], k: int, ours: LexicalIndex
) -> tuple[Bm25Result, float]:
    """What rank-bm25 takes, and the largest difference of our scores from its own."""
    start = time.perf_counter()
    index = BM25Okapi(passages)
    built = time.perf_counter() - start
    timed = _timed(lambda query: _top(index.get_scores(query), k), queries, ())
    difference = max(
        float(np.abs(ours.scores(query)[1] - index.get_scores(query)).max()) for query in queries
    )
    engine = _named("rank-bm25")
    return Bm25Result(
        passages=len(passages), engine=engine, build_seconds=built, **timed
    ), difference


def _bm25s(passages: list[Terms], queries: list[Terms], warm_up: list[Terms], k: int) -> Bm25Result:
    try:
        bm25s: Any = importlib.import_module("bm25s")
    except ImportError:
        return Bm25Result(passages=len(passages), engine="bm25s", queries=0)
    logging.getLogger("bm25s").setLevel(logging.WARNING)
    start = time.perf_counter()
    index = bm25s.BM25(k1=1.5, b=0.75, method="atire")
    index.index(passages, show_progress=False)
    built = time.perf_counter() - start
    timed = _timed(
        lambda query: index.retrieve([query], k=min(k, len(passages)), show_progress=False),
        queries,
        warm_up,
    )
    return Bm25Result(passages=len(passages), engine=_named("bm25s"), build_seconds=built, **timed)


def _timed(
    search: Callable[[Terms], object], queries: Sequence[Terms], warm_up: Iterable[Terms]
) -> dict[str, Any]:
    _milliseconds(search, warm_up)
    times = _milliseconds(search, queries)
    middle = latency(times)
    return {
        "queries": len(times),
        "mean": statistics.fmean(times),
        "median": middle.p50,
        "p95": middle.p95,
    }


def _milliseconds(call: Callable[[Any], object], arguments: Iterable[Any]) -> list[float]:
    """How long the call takes for each argument."""
    times = []
    for argument in arguments:
        start = time.perf_counter()
        call(argument)
        times.append(1000 * (time.perf_counter() - start))
    return times


def _top(scores: npt.NDArray[np.float64], k: int) -> npt.NDArray[np.int64]:
    """The places of the k highest scores, highest first."""
    best = np.argpartition(-scores, min(k, len(scores)) - 1)[:k]
    return best[np.argsort(-scores[best])]


def _named(distribution: str) -> str:
    return f"{distribution} {metadata.version(distribution)}"
