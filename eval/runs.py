"""Runs, whoever's: measured on a collection, and several of them fused into one."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from index.errors import UsageError
from index.fusion import minmax_mean, reciprocal_rank, score_mean

from .datasets import Collection
from .metrics import Interval, bootstrap_interval, measure_run
from .report import Cell, Table
from .trec import Run, ranked

FUSIONS = {"rrf": reciprocal_rank, "minmax": minmax_mean, "combsum": score_mean}
DEPTH = 1000  # documents a query, as TREC asks for


@dataclass(frozen=True, slots=True, kw_only=True)
class RunResult:
    """A run, measured on one collection.

    Attributes:
        queries: all judged ones; `answered` are those that the run has documents for.
        measures: mean over all judged queries, by name ("nDCG@10"); unanswered ones count 0.
        intervals: 95 % bootstrap interval of each mean.
        unknown_queries: how many queries of the run are not judged; they are left out.
        unknown_documents: how many of its documents, for judged queries, are not in the collection.
        per_query: value by measure, then by query id.
    """

    name: str
    collection: str
    queries: int
    answered: int
    measures: Mapping[str, float]
    intervals: Mapping[str, Interval]
    unknown_queries: int
    unknown_documents: int
    per_query: Mapping[str, Mapping[str, float]]

    @property
    def warnings(self) -> list[str]:
        """What may mean that the run is not one of this collection."""
        unanswered = self.queries - self.answered
        counts = {
            f"judged queries without documents, of {self.queries}": unanswered,
            "queries that are not judged": self.unknown_queries,
            "documents that are not in the collection": self.unknown_documents,
        }
        return [f"{what}: {count}" for what, count in counts.items() if count]


def evaluate_run(
    name: str,
    run: Mapping[str, Mapping[str, float]],
    collection: Collection,
    measures: Sequence[str],
) -> RunResult:
    """Measure a run by the judgements of a collection.

    Args:
        measures: names as `ir_measures` writes them.

    Raises:
        UsageError: a measure that there is not.
    """
    per_query = measure_run(collection.qrels, run, _known(measures))
    known = {document.source for document in collection.documents}
    answers = [run[query] for query in collection.qrels if run.get(query)]
    return RunResult(
        name=name,
        collection=collection.name,
        queries=len(collection.qrels),
        answered=len(answers),
        measures={m: statistics.fmean(values.values()) for m, values in per_query.items()},
        intervals={m: bootstrap_interval(list(v.values())) for m, v in per_query.items()},
        unknown_queries=len(run.keys() - collection.qrels.keys()),
        unknown_documents=len({d for ranking in answers for d in ranking if d not in known}),
        per_query=per_query,
    )


def fuse_runs(
    runs: Sequence[Mapping[str, Mapping[str, float]]],
    method: str = "rrf",
    weights: Sequence[float] = (),
    depth: int = DEPTH,
) -> Run:
    """One run made of several, query by query; a query that one of them lacks is the others'.

    Equal fused scores are ordered as `ranked` orders them.

    Args:
        method: of `FUSIONS`: reciprocal rank fusion, the mean of min-max scaled scores, or of the
            scores as they are (see `index.fusion`).
        weights: one a run, not negative; none for equal ones.
        depth: documents a query at most.

    Raises:
        UsageError: not as many weights as runs.
    """
    if weights and len(weights) != len(runs):
        raise UsageError(
            f"There are {len(runs)} runs and {len(weights)} weights.",
            "Give one --weights for each run, in their order, or none.",
        )
    shares = {str(n): weight for n, weight in enumerate(weights or [1.0] * len(runs))}
    fused: Run = {}
    for query in dict.fromkeys(query for run in runs for query in run):
        found = [ranked(run.get(query, {})) for run in runs]
        names = sorted({name for ranking in found for name in ranking}, reverse=True)
        ids = {name: n for n, name in enumerate(names)}
        rankings = {
            str(n): (
                np.array([ids[name] for name in ranking], np.int64),
                np.array([*ranking.values()], np.float64),
            )
            for n, ranking in enumerate(found)
        }
        best, scores = FUSIONS[method](rankings, shares, depth)
        fused[query] = {
            names[n]: score for n, score in zip(best.tolist(), scores.tolist(), strict=True)
        }
    return fused


def run_table(results: Sequence[RunResult]) -> Table:
    """A row for every run, of the same collection and measures."""
    first = results[0]
    best = {name: max(result.measures[name] for result in results) for name in first.measures}
    return Table(
        caption=f"{first.collection}: {first.queries} judged queries",
        columns=("run", "answered", *first.measures),
        rows=tuple(
            (
                Cell(text=result.name),
                Cell(text=str(result.answered), value=result.answered),
                *(
                    Cell(
                        text=f"{value:.4f}",
                        value=value,
                        best=len(results) > 1 and value == best[name],
                        detail="95 % {0.low:.4f}–{0.high:.4f}".format(result.intervals[name]),
                    )
                    for name, value in result.measures.items()
                ),
            )
            for result in results
        ),
    )


def _known(measures: Sequence[str]) -> list[str]:
    """The measures, each once, as `ir_measures` writes them."""
    import ir_measures  # noqa: PLC0415

    names: dict[str, None] = {}
    for name in measures:
        try:
            measure = ir_measures.parse_measure(name)
            known = ir_measures.DefaultPipeline.supports(measure)  # type: ignore[no-untyped-call]
        except (AssertionError, AttributeError, NameError, TypeError, ValueError):
            known = False
        if not known:
            raise UsageError(
                f"There is no measure {name!r}.",
                "Names are those of ir_measures: nDCG@10, R@100, AP, P@5, Success@1, RR(rel=2).",
            )
        names[str(measure)] = None
    return list(names)
