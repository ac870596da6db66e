"""Runs, whoever's: several of them fused into one, and whether one is of a collection at all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from index.errors import UsageError
from index.fusion import minmax_mean, reciprocal_rank, score_mean

from .datasets import Collection
from .trec import Run, ranked

FUSIONS = {"rrf": reciprocal_rank, "minmax": minmax_mean, "combsum": score_mean}
DEPTH = 1000  # documents a query, as TREC asks for


def doubts(run: Mapping[str, Mapping[str, float]], collection: Collection) -> list[str]:
    """What may mean that a run is not one of this collection."""
    known = {document.source for document in collection.documents}
    answers = [run[query] for query in collection.qrels if run.get(query)]
    counts = {
        f"judged queries without documents, of {len(collection.qrels)}": (
            len(collection.qrels) - len(answers)
        ),
        "queries that are not judged": len(run.keys() - collection.qrels.keys()),
        "documents that are not in the collection": len(
            {document for ranking in answers for document in ranking if document not in known}
        ),
    }
    return [f"{what}: {count}" for what, count in counts.items() if count]


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
