"""How well passages are found: test collections, their indexes, and the measures of a run."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any

import filelock
import numpy as np

import index as index_package
from index import Document, EmbeddedIndex, Index, IndexSettings, Mode, load_embedder
from index.embedded import SEARCH_SETTINGS
from index.inference import cache_folder, engine_name

from .configurations import DEPTH
from .datasets import Collection
from .files import write_whole
from .measuring import Latency, latency, peak_memory_mib, tracked
from .metrics import RETRIEVAL_MEASURES, Interval, bootstrap_intervals, measure_run
from .searching import search_queries
from .vectors import KeptVectors

MODES: tuple[Mode, ...] = ("bm25", "dense", "hybrid")
SEARCH_DEFAULTS = asdict(IndexSettings())


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchCost:
    """What searching cost, besides its time.

    Attributes:
        passages, index_mib: of the index, on disk.
        peak_mib: peak resident memory of a process that only searched; None where unknown.
        machine: what it was measured on, with the engine and the load when it began.
        measured_at: local time, ISO 8601.
        kept: whether all this, the latency too, is from an earlier run that was kept.
    """

    passages: int
    index_mib: float
    peak_mib: float | None
    machine: Mapping[str, Any]
    measured_at: str
    kept: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RetrievalResult:
    """One way of searching, measured on one collection.

    Attributes:
        system: the name of the configuration, or of the run file.
        mode: None where somebody else searched.
        settings: of the configuration, by name; none for a run file.
        measures: mean over all judged queries, by name ("nDCG@10"), in [0, 1].
        intervals: 95 % bootstrap interval of each mean.
        per_query: value by measure, then by query id; for paired tests.
        run: score by query id, then by document id, best first.
        latency: of a search, in milliseconds.
    """

    collection: str
    system: str
    mode: Mode | None = None
    documents: int
    queries: int
    measures: Mapping[str, float]
    intervals: Mapping[str, Interval]
    per_query: Mapping[str, Mapping[str, float]]
    run: Mapping[str, Mapping[str, float]]
    latency: Latency | None = None
    cost: SearchCost | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class BuiltIndex:
    """An open index of a collection, and what building it cost when it was built.

    Attributes:
        indexing_seconds: reading, chunking, embedding and writing, model already exported.
        indexing_peak_mib: peak resident memory of the process that built it, at the end of that.
        built_at: local time of the build, ISO 8601.
        reused: whether it was there already.
    """

    index: EmbeddedIndex
    path: Path
    chunks: int
    indexing_seconds: float
    indexing_peak_mib: float | None
    built_at: str
    reused: bool


def evaluate_retrieval(
    index: Index,
    collection: Collection,
    mode: Mode,
    *,
    measures: Sequence[str] = RETRIEVAL_MEASURES,
) -> RetrievalResult:
    """Search for every query of `collection` in its index and measure the rankings."""
    description = f"{collection.name} {mode}"
    run, milliseconds = search_queries(index, collection.queries, mode, DEPTH, description)
    result = evaluate_run(collection, mode, run, measures)
    return replace(result, mode=mode, latency=latency(list(milliseconds.values())))


def evaluate_run(
    collection: Collection,
    system: str,
    run: Mapping[str, Mapping[str, float]],
    measures: Sequence[str] = RETRIEVAL_MEASURES,
) -> RetrievalResult:
    """Measure a run, wherever it is from; queries that it leaves out count 0."""
    per_query = measure_run(collection.qrels, run, measures)
    columns = np.array([list(values.values()) for values in per_query.values()]).T
    intervals = dict(zip(per_query, bootstrap_intervals(columns), strict=True))
    return RetrievalResult(
        collection=collection.name,
        system=system,
        documents=len(collection.documents),
        queries=len(collection.qrels),
        measures={name: sum(v.values()) / len(v) for name, v in per_query.items()},
        intervals=intervals,
        per_query=per_query,
        run=run,
    )


def limited(collection: Collection, queries: int) -> Collection:
    """The same documents with the first `queries` queries only."""
    kept = dict(islice(collection.queries.items(), queries))
    qrels = {query: grades for query, grades in collection.qrels.items() if query in kept}
    return replace(collection, queries=kept, qrels=qrels)


def with_binary_grades(collection: Collection) -> Collection:
    """The same collection with every relevant document's grade set to 1."""
    qrels = {
        query: {source: int(grade > 0) for source, grade in grades.items()}
        for query, grades in collection.qrels.items()
    }
    return replace(collection, qrels=qrels)


@contextmanager
def built_index(
    name: str,
    documents: Sequence[Document],
    *,
    work: Path | None = None,
    settings: IndexSettings | None = None,
    rebuild: bool = False,
    keep_vectors: bool = False,
) -> Iterator[BuiltIndex]:
    """An index of `documents`, built in the folder `work` or reused from it.

    It is reused when documents, settings, embedding model, engine and the code of the `index`
    package are all the same as when it was built, so a change is never measured on an old index.

    Args:
        name: starts the folder's name.
        work: default `eval` in Dateline's cache folder.
        settings: of the index; None for its defaults.
        rebuild: build it even if it could be reused.
        keep_vectors: look passages up among those embedded before; what indexing costs is then
            not known, so the index has a folder of its own.
    """
    settings = settings or IndexSettings()
    folder = work_folder(work)
    path = folder / f"{name}-{index_key(documents, settings)}{'-kept' if keep_vectors else ''}"
    finished = path / "built.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    with filelock.FileLock(f"{path}.lock"):  # another process may be building the same
        reused = finished.is_file() and not rebuild
        if not reused:
            shutil.rmtree(path, ignore_errors=True)
            path.mkdir()
            cost = _build(path, name, documents, settings, folder if keep_vectors else None)
            write_whole(finished, json.dumps(cost))
    cost = json.loads(finished.read_text())
    with EmbeddedIndex.open(path, create=False, settings=settings) as index:
        yield BuiltIndex(index, path, index.stats().chunks, **cost, reused=reused)


def work_folder(work: Path | None) -> Path:
    """Where indexes and runs are kept: `work`, by default `eval` in Dateline's cache folder."""
    return work or cache_folder() / "eval"


def index_key(documents: Sequence[Document], settings: IndexSettings) -> str:
    """What an index depends on, hashed: documents, settings, model, engine, code of the package."""
    model = load_embedder(settings.embedder).fingerprint
    engine = f"{engine_name()} {os.environ.get('DATELINE_THREADS', '')}"
    return _fingerprint(documents, f"{_built_with(settings)!r} {model} {engine}")


def _built_with(settings: IndexSettings) -> IndexSettings:
    """The settings without those of the search: indexes that differ only in these are one."""
    return replace(settings, **{name: SEARCH_DEFAULTS[name] for name in SEARCH_SETTINGS})


def _build(
    path: Path,
    name: str,
    documents: Sequence[Document],
    settings: IndexSettings,
    vectors: Path | None,
) -> dict[str, Any]:
    """Build an index; `vectors` is the folder with those made before. Returns what it cost."""
    embedder = load_embedder(settings.embedder)  # exports the model once; that is not indexing
    kept = KeptVectors(embedder, vectors) if vectors else None
    start = time.perf_counter()
    with EmbeddedIndex.open(path, settings=_built_with(settings), embedder=kept) as index:
        index.add(tracked([d for d in documents if d.text], f"indexing {name}"))
    if kept:
        kept.close()
    return {
        "indexing_seconds": time.perf_counter() - start,
        "indexing_peak_mib": peak_memory_mib(),
        "built_at": datetime.now().isoformat(" ", "minutes"),
    }


def _fingerprint(documents: Sequence[Document], settings: str) -> str:
    digest = hashlib.sha256(settings.encode())
    for file in sorted(Path(index_package.__path__[0]).rglob("*.py")):
        digest.update(file.read_bytes())
    for document in documents:
        for part in (document.source, document.title, str(document.published), document.text):
            digest.update(hashlib.sha256(part.encode("utf-8", "surrogatepass")).digest())
    return digest.hexdigest()[:16]
