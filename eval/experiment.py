"""Experiments: named configurations over collections, each run kept until something changes.

A run is kept under the hash of all that it depends on: the documents, the queries, the settings,
the model, and the code that indexes and searches. What was done is not done again, so an experiment
that was stopped goes on, and one more configuration costs only itself. Judgements are no part of
the hash: measuring a kept run takes no time.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from index import EmbeddedIndex, load_embedder
from index.inference import engine_name

from . import searching
from .configurations import Configuration
from .datasets import Collection
from .files import write_whole
from .measuring import in_fresh_process, latency, machine, peak_memory_mib
from .metrics import cutoff_of
from .retrieval import (
    RetrievalResult,
    SearchCost,
    built_index,
    evaluate_run,
    index_key,
    work_folder,
)
from .searching import search_queries
from .trec import Run

logger = logging.getLogger("dateline.eval")


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasuredRun:
    """What a configuration found for each query, and what that cost.

    Attributes:
        milliseconds: by query id.
    """

    run: Run
    milliseconds: Mapping[str, float]
    cost: SearchCost


def run_experiment(
    collections: Sequence[Collection],
    configurations: Iterable[Configuration],
    measures: Sequence[str],
    *,
    work: Path | None = None,
    fresh: bool = False,
) -> list[RetrievalResult]:
    """Measure every configuration on every collection, in this order.

    A measure that looks deeper than a configuration's `depth` is left out of its result.

    Args:
        work: folder for indexes, vectors and runs; default `eval` in Dateline's cache folder.
        fresh: search again, even where a kept run would do; indexes are reused all the same.
    """
    configurations = list(configurations)
    for configuration in configurations:
        most = load_embedder(configuration.settings.embedder).max_tokens
        if configuration.settings.chunk_tokens > most:
            logger.warning(
                "%s has chunk_tokens %d, but its embedder takes %d: passages have no more.",
                configuration.name,
                configuration.settings.chunk_tokens,
                most,
            )
    results = []
    for collection in collections:
        for number, configuration in enumerate(configurations, start=1):
            place = f"({number} of {len(configurations)})" if len(configurations) > 1 else ""
            done = measured_run(collection, configuration, work=work, fresh=fresh, place=place)
            reached = [name for name in measures if (cutoff_of(name) or 0) <= configuration.depth]
            result = evaluate_run(collection, configuration.name, done.run, reached)
            results.append(
                replace(
                    result,
                    mode=configuration.mode,
                    latency=latency(list(done.milliseconds.values())),
                    cost=done.cost,
                    settings=configuration.described(),
                )
            )
    return results


def measured_run(
    collection: Collection,
    configuration: Configuration,
    *,
    work: Path | None = None,
    fresh: bool = False,
    place: str = "",
) -> MeasuredRun:
    """Search the collection for all its queries, in a process of its own, or find that done.

    Args:
        place: shown with the progress: which of how many this is.
    """
    key = _run_key(collection, configuration)
    path = work_folder(work) / "runs" / f"{collection.name}-{key}.json"
    kept = None if fresh else _kept_run(path, key)
    if kept:
        return kept
    measured_on = machine() | {"engine": engine_name()}
    with built_index(
        collection.name,
        collection.documents,
        work=work,
        settings=configuration.settings,
        keep_vectors=True,
    ) as built:
        built.index.refresh()  # saves the caches, which are part of the size
        stats = built.index.stats()
    description = f"{collection.name} {configuration.name} {place}".rstrip()
    run, milliseconds, peak_mib = in_fresh_process(
        _search, built.path, configuration, collection.queries, description
    )
    cost = SearchCost(
        passages=stats.chunks,
        index_mib=sum(stats.bytes.values()) / 2**20,
        peak_mib=peak_mib,
        machine=measured_on,
        measured_at=datetime.now().isoformat(" ", "minutes"),
    )
    done = MeasuredRun(run=run, milliseconds=milliseconds, cost=cost)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, json.dumps({"key": key, **asdict(done)}, ensure_ascii=False))
    return done


def _search(
    path: Path, configuration: Configuration, queries: Mapping[str, str], description: str
) -> tuple[Run, dict[str, float], float | None]:
    """A run with its times, and the peak memory of the process that this is alone in."""
    with EmbeddedIndex.open(path, create=False, settings=configuration.settings) as index:
        found = search_queries(index, queries, configuration.mode, configuration.depth, description)
        return *found, peak_memory_mib()


def _run_key(collection: Collection, configuration: Configuration) -> str:
    embedder = load_embedder(configuration.settings.embedder)
    depends_on: list[Any] = [
        index_key(collection.documents, configuration.settings),
        embedder.fingerprint,
        configuration.described(),
        list(collection.queries.items()),
        Path(searching.__file__).read_text(encoding="utf-8"),
    ]
    return hashlib.sha256(json.dumps(depends_on).encode()).hexdigest()[:16]


def _kept_run(path: Path, key: str) -> MeasuredRun | None:
    """The run in a file, or None where there is none or it is not whole."""
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        if record.pop("key") != key:
            return None
        cost = SearchCost(**record.pop("cost") | {"kept": True})
        return MeasuredRun(**record, cost=cost)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
