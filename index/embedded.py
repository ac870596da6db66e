"""EmbeddedIndex: the default index, one folder on disk.

with EmbeddedIndex.open("news.dateline") as index:
    index.add_files(["articles/"])
    for hit in index.search("Who met in Vladivostok?"):
        print(hit.document.source, hit.chunk.text)
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from types import TracebackType
from typing import Self

import filelock
import numpy as np
import numpy.typing as npt

from .analysis import Analyzer
from .caches import Cache, dense_cache, lexical_cache
from .catalog import Catalog, StoredChunk
from .database import explained
from .dense import DenseIndex
from .document import Document, DocumentInfo, Filters, Hit
from .embedding import Embedder, load_embedder
from .errors import EmbedderError, IndexAccessError, IndexLockedError, UsageError
from .fusion import FUSIONS, Ranking
from .ingest import Failure, IndexReport, Ingest, OnProgress, file_source
from .loading import FieldMap, Loader, find_files, load_file
from .protocol import MODES, Index, IndexSettings, Mode, Stats
from .sessions import SessionStore

NOTHING = np.zeros(0, np.int64), np.zeros(0)
DEPTH = 100  # passages each retriever hands to fusion, at least
WAIT_SECONDS = 1  # for the lock: a reader may be saving repaired caches for a moment

SEARCH_SETTINGS = ("k1", "b", "fusion", "dense_weight")  # these may change without indexing again


class EmbeddedIndex(Index):
    """Documents, passages and search in one folder; see `open`.

    Any number of processes may read while one writes; readers see the writer's work as soon as it
    is committed.
    """

    def __init__(
        self, path: Path, catalog: Catalog, settings: IndexSettings, embedder: Embedder | None
    ) -> None:
        self.path = path
        self.settings = settings
        self._catalog = catalog
        self._sessions = SessionStore(catalog)
        self._embedder = embedder
        self._analyzer = Analyzer(stem=settings.stem, stop_words=settings.stop_words)
        self._lexical = lexical_cache(path, self._analyzer, settings.k1, settings.b)
        self._dense: Cache[DenseIndex] | None = None
        self._guard = threading.RLock()  # the caches change in place; one thread at a time
        self._writer = filelock.FileLock(path / "writer.lock", timeout=0)

    @classmethod
    def open(
        cls,
        path: str | Path,
        *,
        create: bool = True,
        settings: IndexSettings | None = None,
        embedder: Embedder | None = None,
    ) -> Self:
        """Open the index in a folder, or make one there.

        Args:
            create: make a new index if the folder has none.
            settings: for a new index; for an old one they must agree with its own, except for
                those of the search, which count for this object only.
            embedder: use this one instead of loading `settings.embedder`.

        Raises:
            IndexNotFoundError: no index there and `create` is false.
            IndexDamagedError: the catalog cannot be read.
            UsageError: the settings are not those the index was built with.
        """
        folder = Path(path).resolve()
        if folder.exists() and not folder.is_dir():
            raise UsageError(f"{path} is a file, not an index folder.", "Name another --index.")
        catalog = Catalog(folder, create=create)
        if catalog.get("settings") is None:
            with catalog.transaction():
                if catalog.get("settings") is None:  # nor has another process been first
                    catalog.set("settings", asdict(_absolute(settings or IndexSettings())))
        used = IndexSettings(**catalog.get("settings"))
        if settings is not None:
            settings = _absolute(settings)
            searched = {name: getattr(settings, name) for name in SEARCH_SETTINGS}
            used = replace(used, **searched)
            if used != settings:
                catalog.close()
                raise UsageError(
                    f"The index in {path} was built with other settings: {used}.",
                    "Open it without settings, or build another index in a new folder.",
                )
        return cls(folder, catalog, used, embedder)

    def close(self) -> None:
        self._catalog.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def embedder(self) -> Embedder:
        """The embedding model, loaded on first use.

        Raises:
            EmbedderError: it is missing, or not the one whose vectors the index holds.
        """
        with self._guard:
            if self._embedder is None:
                self._embedder = load_embedder(self.settings.embedder)
            built = self._catalog.get("embedder")
            if built and built["fingerprint"] != self._embedder.fingerprint:
                raise EmbedderError(
                    f"The index was built with another version of {self.settings.embedder}.",
                    "Delete the index folder and index the documents again.",
                )
            return self._embedder

    @property
    def sessions(self) -> SessionStore:
        return self._sessions

    # writing

    def add_files(
        self,
        paths: Sequence[str | Path] | str | Path,
        *,
        include: Sequence[str] = (),
        exclude: Sequence[str] = (),
        fields: FieldMap | None = None,
        prune: bool = False,
        base: Path | None = None,
        load: Loader = load_file,
        reread: bool = False,
        on_progress: OnProgress | None = None,
    ) -> IndexReport:
        """Add or refresh files and folders; what cannot be read is reported, the rest goes in.

        Args:
            include, exclude: globs over the files found in folders.
            fields: names of the text, title, date ... fields of JSON and CSV records.
            prune: also remove documents of files that are gone from disk.
            base: the folder that sources are relative to; by default the one the index lies in.
            load: reads one file, as `load_file` does.
            reread: also read files that have not changed, for documents removed since.

        Raises:
            UsageError: none of the paths exists.
            IndexLockedError: another process is writing.
        """
        paths = [paths] if isinstance(paths, str | Path) else paths
        files: dict[Path, None] = {}
        skipped: dict[Path, None] = {}
        missing: list[Failure] = []
        for path in paths:
            try:
                found = list(find_files([path], include, exclude, on_skip=skipped.setdefault))
                files.update(dict.fromkeys(Path(os.path.realpath(file)) for file in found))
            except UsageError as error:
                missing.append(Failure(str(path), str(error)))
        if missing and len(missing) == len(paths):
            raise UsageError("; ".join(failure.reason for failure in missing))
        base = Path(os.path.realpath(base)) if base else self.path.parent
        with self.writing():
            ingest = self._ingest(on_progress, load)
            ingest.report.failed += missing
            ingest.report.skipped += [file_source(p, base) for p in skipped]
            ingest.add_files(
                list(files),
                lambda file: file_source(file, base),
                fields or FieldMap(),
                reread=reread,
            )
            if prune:
                ingest.report.removed += self._prune()
        return ingest.report

    def add(
        self, documents: Iterable[Document], on_progress: OnProgress | None = None
    ) -> IndexReport:
        with self.writing():
            return self._ingest(on_progress).add_documents(documents)

    def remove(self, sources: Iterable[str]) -> list[str]:
        sources = [sources] if isinstance(sources, str) else sources
        with self.writing():
            ids = [
                id_
                for source in sources
                for name in self._names(source)
                for id_ in self._catalog.ids(source=name)
            ]
            return self._delete(dict.fromkeys(ids))

    def remove_documents(self, ids: Iterable[str]) -> list[str]:
        with self.writing():
            return self._delete(ids)

    def _names(self, source: str) -> list[str]:
        """A source as given, and as that of the file of this name."""
        if not source or "\0" in source:  # no file is called that
            return [source] if source else []
        return [source, file_source(Path(source).resolve(), self.path.parent)]

    def _prune(self) -> list[str]:
        gone = [file for file in self._catalog.document_files() if not Path(file).is_file()]
        return self._delete(id_ for file in gone for id_ in self._catalog.ids(file=file))

    def _delete(self, ids: Iterable[str]) -> list[str]:
        with self._catalog.transaction():
            sources = {id_: s for id_ in ids if (s := self._catalog.source_of(id_)) is not None}
            self._catalog.delete(sources)
            self._catalog.forget_files()
        return list(sources.values())

    def _ingest(self, on_progress: OnProgress | None, load: Loader = load_file) -> Ingest:
        embedder = self.embedder
        if self._catalog.get("embedder") is None:
            with self._catalog.transaction():
                self._catalog.set(
                    "embedder",
                    {"fingerprint": embedder.fingerprint, "dimension": embedder.dimension},
                )
        return Ingest(
            self._catalog,
            embedder,
            chunk_tokens=self.settings.chunk_tokens,
            overlap=self.settings.overlap,
            load=load,
            on_progress=on_progress,
        )

    @contextlib.contextmanager
    def writing(self) -> Iterator[None]:
        """Keep other writers out for several changes; nested uses join the outermost.

        Afterwards the caches are brought up to date and saved.

        Raises:
            IndexLockedError: another process, or another thread, is writing.
        """
        if self._writer.is_locked:  # by this thread
            yield
            return
        note = self.path / "writer.note"
        try:
            self._writer.acquire(timeout=WAIT_SECONDS)
        except filelock.Timeout as error:
            holder = ""
            with contextlib.suppress(OSError):
                holder = f" ({note.read_text(encoding='utf-8').strip()})"
            raise IndexLockedError(
                f"Another process is writing to {self.path}{holder}.",
                "Wait for it to finish, or stop it; nothing it has committed will be lost.",
            ) from error
        except OSError as error:
            raise IndexAccessError(
                f"{self.path} cannot be written to: {error.strerror}.",
                "Check the folder's permissions.",
            ) from error
        try:
            note.write_text(f"process {os.getpid()}, since {time.ctime()}\n", encoding="utf-8")
            self.refresh()  # while a cache from the future of a restored catalog can be told
            yield
            self.refresh()
            self._save()
        except sqlite3.Error as error:
            raise explained(error, self.path) from error
        finally:
            note.unlink(missing_ok=True)
            self._writer.release()

    # reading

    def search(
        self,
        query: str,
        top_k: int = 10,
        *,
        mode: Mode = "hybrid",
        filters: Filters | None = None,
        context: Mapping[str, float] | None = None,
    ) -> list[Hit]:
        if mode not in MODES:
            raise UsageError(f"There is no mode {mode!r}.", f"Use one of: {', '.join(MODES)}.")
        if top_k < 1 or not query.strip():
            return []
        allowed = self._catalog.matching_chunks(filters) if filters else None
        vector = self.embedder.embed_query(query) if mode != "bm25" else None
        terms = self._weighted(query, context or {}) if mode != "dense" else None
        weights = {"dense": self.settings.dense_weight, "bm25": 1 - self.settings.dense_weight}
        depth = max(DEPTH, 2 * top_k)
        while True:
            rankings = self._rankings(terms, vector, depth, allowed)
            fused = FUSIONS[self.settings.fusion](rankings, weights, 2 * depth)
            best = self._stored(fused, top_k)
            if len(best) == top_k or all(len(ids) < depth for ids, _ in rankings.values()):
                break
            depth *= 4  # so many equal passages that different ones lie deeper
        bm25 = dict(zip(*map(np.ndarray.tolist, rankings.get("bm25", NOTHING)), strict=True))
        return [
            Hit(
                found.chunk,
                found.document,
                score,
                ({"bm25": bm25.get(found.chunk.id, 0.0)} if mode != "dense" else {})
                | ({"dense": float(found.vector @ vector)} if vector is not None else {}),
            )
            for found, score in best
        ]

    def _weighted(self, query: str, context: Mapping[str, float]) -> dict[str, float]:
        """BM25's terms with their weights; a term that the query repeats weighs so much more."""
        terms: dict[str, float] = {}
        for term in self._analyzer(query):
            terms[term] = terms.get(term, 0.0) + 1.0
        asked = set(terms)
        for word, weight in context.items():
            for term in self._analyzer(word):
                if term not in asked:
                    terms[term] = max(terms.get(term, 0.0), weight)
        return terms

    def _rankings(
        self,
        terms: Mapping[str, float] | None,
        vector: npt.NDArray[np.float32] | None,
        depth: int,
        allowed: npt.NDArray[np.int64] | None,
    ) -> dict[str, Ranking]:
        """The best of each retriever that something is given for."""
        rankings: dict[str, Ranking] = {}
        with self._guard:
            self.refresh()
            if terms is not None:
                assert self._lexical.structure is not None
                rankings["bm25"] = self._lexical.structure.search(
                    list(terms), depth, allowed, weights=list(terms.values())
                )
            if vector is not None and self._dense and self._dense.structure is not None:
                rankings["dense"] = self._dense.structure.search(vector, depth, allowed)
        return rankings

    def _stored(self, fused: Ranking, top_k: int) -> list[tuple[StoredChunk, float]]:
        """The first `top_k` chunks that are still there, equal passages once, with their scores."""
        best: list[tuple[StoredChunk, float]] = []
        seen: set[tuple[str, int, int]] = set()
        ranked = list(zip(*map(np.ndarray.tolist, fused), strict=True))
        for first in range(0, len(ranked), 2 * top_k):
            batch = ranked[first : first + 2 * top_k]
            found = self._catalog.chunks([id_ for id_, _ in batch])
            for id_, score in batch:
                if id_ not in found:  # removed a moment ago
                    continue
                stored = found[id_]
                passage = stored.text_hash, stored.chunk.start, stored.chunk.end
                if passage not in seen:
                    seen.add(passage)
                    best.append((stored, score))
                if len(best) == top_k:
                    return best
        return best

    def frequencies(self, words: Sequence[str]) -> list[int]:
        terms = [self._analyzer(word) for word in words]
        with self._guard:
            self.refresh()
            assert self._lexical.structure is not None
            count = self._lexical.structure.frequency
            return [min(map(count, each), default=0) for each in terms]

    def get(self, document_id: str) -> Document | None:
        return self._catalog.document(document_id)

    def documents(
        self, filters: Filters | None = None, limit: int = -1, offset: int = 0
    ) -> list[DocumentInfo]:
        return self._catalog.documents(filters or Filters(), limit, offset)

    def count(self, filters: Filters | None = None) -> int:
        return self._catalog.count(filters or Filters())

    def stats(self) -> Stats:
        sizes = {}
        for file in self.path.iterdir():
            with contextlib.suppress(FileNotFoundError):  # a writer's temporary file
                if not file.is_dir():
                    sizes[file.name] = file.stat().st_size
        return Stats(
            **self._catalog.counts(),
            generation=self._catalog.generation,
            created=self._catalog.get("created"),
            bytes=sizes,
            settings=self.settings,
        )

    def refresh(self) -> None:
        """Bring the search structures up to the catalog's present generation.

        The first call opens the cache files; if they were missing, damaged or behind, the result
        is saved for the next process, unless a writer is at work (which will save them itself).
        """
        with self._guard:
            opening = self._lexical.structure is None
            self._lexical.refresh(self._catalog)
            if self._dense is None and (built := self._catalog.get("embedder")):
                self._dense = dense_cache(self.path, built["fingerprint"], built["dimension"])
            if self._dense is not None:
                self._dense.refresh(self._catalog)
            if opening and not self._writer.is_locked and self._catalog.generation:
                with contextlib.suppress(filelock.Timeout, OSError), self._writer:
                    self.refresh()  # a writer may have finished before the lock was had
                    self._save()

    def _save(self) -> None:
        """Save the caches, which are up to date; the caller holds the writer's lock."""
        caches = [cache for cache in (self._lexical, self._dense) if cache is not None]
        for cache in caches:
            cache.save(self._catalog)
        self._catalog.forget_removals(min(cache.saved for cache in caches))


def _absolute(settings: IndexSettings) -> IndexSettings:
    """The same settings, with a model's folder named from the root: the working folder changes."""
    folder = Path(settings.embedder)
    return replace(settings, embedder=str(folder.resolve())) if folder.is_dir() else settings
