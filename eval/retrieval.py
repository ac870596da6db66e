"""How well passages are found: test collections, their indexes, and the measures of a run."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from itertools import islice
from pathlib import Path

import index as index_package
from index import Document, EmbeddedIndex, Index, IndexSettings, Mode, load_embedder
from index.embedded import SEARCH_SETTINGS
from index.inference import cache_folder, engine_name

from .datasets import Collection
from .measuring import Latency, latency, peak_memory_mib, tracked
from .metrics import RETRIEVAL_MEASURES, Interval, bootstrap_interval, measure_run
from .trec import Run

MODES: tuple[Mode, ...] = ("bm25", "dense", "hybrid")
SEARCH_DEFAULTS = asdict(IndexSettings())
DEPTH = 100  # documents asked for; R@100 needs no more


@dataclass(frozen=True, slots=True, kw_only=True)
class RetrievalResult:
    """One way of searching, measured on one collection.

    Attributes:
        measures: mean over all judged queries, by name ("nDCG@10"), in [0, 1].
        intervals: 95 % bootstrap interval of each mean.
        per_query: value by measure, then by query id; for paired tests.
        run: score by query id, then by document id, best first.
        latency: of a search 100 documents deep, in milliseconds.
    """

    collection: str
    mode: Mode
    documents: int
    queries: int
    measures: Mapping[str, float]
    intervals: Mapping[str, Interval]
    per_query: Mapping[str, Mapping[str, float]]
    run: Mapping[str, Mapping[str, float]]
    latency: Latency


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


def search_documents(index: Index, query: str, mode: Mode, depth: int = DEPTH) -> dict[str, float]:
    """The best `depth` documents by source, best first, each with its best passage's score."""
    top_k = 4 * depth
    while True:
        hits = index.search(query, top_k=top_k, mode=mode)
        best: dict[str, float] = {}
        for hit in hits:
            best.setdefault(hit.document.source, hit.score)
        if len(best) >= depth or len(hits) < top_k:
            return dict(islice(best.items(), depth))
        top_k *= 2


def evaluate_retrieval(
    index: Index,
    collection: Collection,
    mode: Mode,
    *,
    measures: Sequence[str] = RETRIEVAL_MEASURES,
) -> RetrievalResult:
    """Search for every query of `collection` in its index and measure the rankings."""
    run: Run = {}
    milliseconds = []
    queries = list(collection.queries.items())
    for query, text in tracked(queries, f"{collection.name} {mode}"):
        start = time.perf_counter()
        run[query] = search_documents(index, text, mode)
        milliseconds.append(1000 * (time.perf_counter() - start))
    per_query = measure_run(collection.qrels, run, measures)
    return RetrievalResult(
        collection=collection.name,
        mode=mode,
        documents=len(collection.documents),
        queries=len(collection.qrels),
        measures={name: sum(v.values()) / len(v) for name, v in per_query.items()},
        intervals={name: bootstrap_interval(list(v.values())) for name, v in per_query.items()},
        per_query=per_query,
        run=run,
        latency=latency(milliseconds),
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
) -> Iterator[BuiltIndex]:
    """An index of `documents`, built in the folder `work` or reused from it.

    It is reused when documents, settings, engine and the code of the `index` package are all the
    same as when it was built, so a change to the code is never measured on an old index.

    Args:
        name: starts the folder's name.
        work: default `eval` in Dateline's cache folder.
        settings: of the index; None for its defaults.
        rebuild: build it even if it could be reused.
    """
    settings = settings or IndexSettings()
    built_with = replace(settings, **{name: SEARCH_DEFAULTS[name] for name in SEARCH_SETTINGS})
    engine = f"{engine_name()} {os.environ.get('DATELINE_THREADS', '')}"
    key = _fingerprint(documents, f"{built_with!r} {engine}")
    path = (work or cache_folder() / "eval") / f"{name}-{key}"
    finished = path / "built.json"
    reused = finished.is_file() and not rebuild
    if not reused:
        shutil.rmtree(path, ignore_errors=True)
        path.mkdir(parents=True)
        load_embedder(settings.embedder)  # exports the model once; that is not indexing
        start = time.perf_counter()
        with EmbeddedIndex.open(path, settings=built_with) as index:
            index.add(tracked([d for d in documents if d.text], f"indexing {name}"))
        cost = {
            "indexing_seconds": time.perf_counter() - start,
            "indexing_peak_mib": peak_memory_mib(),
            "built_at": datetime.now().isoformat(" ", "minutes"),
        }
        finished.write_text(json.dumps(cost))
    cost = json.loads(finished.read_text())
    with EmbeddedIndex.open(path, create=False, settings=settings) as index:
        yield BuiltIndex(index, path, index.stats().chunks, **cost, reused=reused)


def _fingerprint(documents: Sequence[Document], settings: str) -> str:
    digest = hashlib.sha256(settings.encode())
    for file in sorted(Path(index_package.__path__[0]).rglob("*.py")):
        digest.update(file.read_bytes())
    for document in documents:
        for part in (document.source, document.title, document.text):
            digest.update(hashlib.sha256(part.encode("utf-8", "surrogatepass")).digest())
    return digest.hexdigest()[:16]
