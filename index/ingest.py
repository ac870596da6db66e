"""Documents on their way in: load, cut into chunks, embed, commit.

Documents are committed in batches, each in one transaction; a document is reported only after its
commit, so nothing reported can be lost, and nothing is ever half there.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np

from .catalog import Catalog, NewChunk, content_hash
from .chunking import SPECIAL_TOKENS, chunk, context_of, fit_context
from .database import storable
from .document import Document
from .embedding import COUNT_SLICE, Embedder
from .errors import LoadError
from .loading import RECORD_SUFFIXES, FieldMap, Loader, load_file, require_file

BATCH_CHUNKS = 256  # commit after so many passages: a few seconds of work
EMBED_SLICE = 1024  # passages tokenised at a time, so that one huge document stays in bounds


class Failure(NamedTuple):
    """A file or record that could not be read, and why."""

    source: str
    reason: str


class Duplicate(NamedTuple):
    """A document whose text is exactly that of another, stored before it."""

    source: str
    same_as: str


@dataclass
class IndexReport:
    """What an indexing run did.

    Attributes:
        indexed, updated, unchanged, removed: sources of documents; a file of records has many.
        failed: files and records that could not be read.
        skipped: files in folders that were left out because their format is not supported.
        passages: how many were embedded.
    """

    indexed: list[str] = field(default_factory=list)
    updated: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    failed: list[Failure] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    duplicates: list[Duplicate] = field(default_factory=list)
    passages: int = 0
    seconds: float = 0.0


class Progress(NamedTuple):
    """How far a run is: bytes of files done and in all, passages embedded, and the current file.

    `done` is an estimate inside a file. It never falls, and reaches `total` with the last commit.
    Told often, also while one long document is cut into passages; whoever is told may end the run
    by raising an error. What is committed by then stays.
    """

    done: int
    total: int
    passages: int
    current: str


OnProgress = Callable[[Progress], object]


@dataclass
class _Pending:
    document: Document
    file: str | None
    spans: list[tuple[int, int]]
    context: str


class Ingest:
    """One indexing run over one catalog; the caller holds the writer's lock."""

    def __init__(
        self,
        catalog: Catalog,
        embedder: Embedder,
        *,
        chunk_tokens: int,
        overlap: int,
        load: Loader = load_file,
        on_progress: OnProgress | None = None,
    ) -> None:
        self.report = IndexReport()
        self._catalog = catalog
        self._embedder = embedder
        self._chunk_tokens = min(chunk_tokens, embedder.max_tokens)
        self._overlap = overlap
        self._load = load
        self._on_progress = on_progress
        self._pending: list[_Pending] = []
        self._read_files: list[tuple[str, str, set[str]]] = []  # path, hash, ids of its documents
        self._found: list[tuple[str, str]] = []  # path and id of unchanged documents
        self._twins: set[Duplicate] = set()
        self._done = self._total = 0  # bytes
        self._unread = 0  # bytes left of the current file
        self._uncommitted = 0  # bytes read that count when what is pending is committed
        self._batch = self._embedded = 0  # passages being committed, and embedded of these
        self._current = ""
        self._started = time.perf_counter()

    def add_documents(self, documents: Iterable[Document]) -> IndexReport:
        """Add or replace documents that do not come from files."""
        for document in documents:
            self._take(document, None)
            self._advance(0)
        return self._finish()

    def add_files(
        self,
        files: Sequence[Path],
        source_of: Callable[[Path], str],
        fields: FieldMap,
        *,
        reread: bool = False,
    ) -> IndexReport:
        """Read files, skipping those whose content is as it was, unless they are to be `reread`."""
        known = self._catalog.files() if not reread else {}
        sizes = {path: _size(path) for path in files}
        self._total = sum(sizes.values())
        for path in files:
            source = self._current = source_of(path)
            self._tell()
            self._unread = sizes[path]
            try:
                self._take_file(path, source, known.get(str(path)), fields)
            except LoadError as error:
                held = self._catalog.ids(file=str(path))
                rest = (
                    " What the index holds of it stays there until it is removed." if held else ""
                )
                self.report.failed.append(Failure(source, f"{error}{rest}"))
            self._advance(self._unread)
        return self._finish()

    def _take_file(self, path: Path, source: str, known: str | None, fields: FieldMap) -> None:
        digest = _file_hash(path, fields)
        # A project that was moved and moved back has known files, but none of their documents.
        if digest == known and (held := self._catalog.ids(file=str(path))):
            self.report.unchanged += sorted(filter(None, map(self._catalog.source_of, held)))
            return
        ids: set[str] = set()
        failures: list[LoadError] = []
        for document in self._load(path, source, fields, failures.append):
            ids.add(document.id)
            self._take(document, str(path))
            records = path.suffix.lower() in RECORD_SUFFIXES
            self._advance(len(document.text.encode()) if records else self._unread)
        self.report.failed += [Failure(source, str(error)) for error in failures]
        if ids and not failures:  # else it is read, and its failures named, again next time
            self._read_files.append((str(path), digest, ids))

    def _take(self, document: Document, file: str | None) -> None:
        if self._catalog.content_hash_of(document.id) == content_hash(document):
            self.report.unchanged.append(document.source)
            if file is not None:
                self._found.append((file, document.id))
            return
        context, used = fit_context(context_of(document), self._count_tokens)
        budget = max(self._chunk_tokens - used - SPECIAL_TOKENS, 16)
        spans = chunk(document.text, budget, min(self._overlap, budget // 2), self._count_tokens)
        self._pending.append(_Pending(document, file, spans, context))

    def _count_tokens(self, texts: Sequence[str]) -> list[int]:
        """As the embedder counts, telling the progress on the way."""
        counts: list[int] = []
        for first in range(0, len(texts), COUNT_SLICE):
            self._tell()
            counts += self._embedder.count_tokens(texts[first : first + COUNT_SLICE])
        return counts

    def _advance(self, size: int) -> None:
        """Count `size` more bytes of the current file as read; commit if enough is pending."""
        size = min(size, self._unread)
        self._unread -= size
        self._uncommitted += size
        if sum(len(p.spans) for p in self._pending) >= BATCH_CHUNKS:
            self._commit()
        elif not self._pending:
            self._settle()

    def _commit(self) -> None:
        """Embed what is pending and put it, and the files it completes, into the catalog."""
        texts = [
            f"{pending.context}\n{pending.document.text[start:end]}"
            for pending in self._pending
            for start, end in pending.spans
        ]
        self._batch = len(texts)
        vectors = np.zeros((len(texts), self._embedder.dimension), np.float32)
        for first in range(0, len(texts), EMBED_SLICE):
            part = texts[first : first + EMBED_SLICE]
            vectors[first : first + len(part)] = self._embedder.embed(part, self._count)
        rows = iter(vectors)
        with self._catalog.transaction():
            self._catalog.move(self._found)
            for path, digest, ids in self._read_files:
                gone = [id_ for id_ in self._catalog.ids(file=path) if id_ not in ids]
                self._catalog.delete(gone)
                self._catalog.set_file(path, digest)
            outcomes = [self._store(pending, rows) for pending in self._pending]
        for outcome, source, same in outcomes:
            outcome.append(source)
            if same is not None and Duplicate(same, source) not in self._twins:
                self._twins.add(Duplicate(source, same))
                self.report.duplicates.append(Duplicate(source, same))
        self._pending.clear()
        self._read_files.clear()
        self._found.clear()
        self._batch = self._embedded = 0
        self._settle()

    def _store(
        self, pending: _Pending, vectors: Iterator[np.ndarray]
    ) -> tuple[list[str], str, str | None]:
        """Put one document in: the list it belongs on, its source, and that of its twin."""
        document = pending.document
        known = self._catalog.content_hash_of(document.id) is not None
        same = self._catalog.same_text(document.text_hash, document.id)
        chunks = [
            NewChunk(start, end, pending.context, next(vectors)) for start, end in pending.spans
        ]
        self._catalog.put(document, chunks, pending.file)
        return (self.report.updated if known else self.report.indexed), document.source, same

    def _finish(self) -> IndexReport:
        self._commit()
        self._current = ""
        self._tell()
        self.report.seconds = time.perf_counter() - self._started
        return self.report

    def _count(self, passages: int) -> None:
        self.report.passages += passages
        self._embedded += passages
        self._tell()

    def _settle(self) -> None:
        if self._uncommitted:
            self._done += self._uncommitted
            self._uncommitted = 0
            self._tell()

    def _tell(self) -> None:
        if self._on_progress:
            # The last share of a batch counts when it is committed.
            share = self._uncommitted * self._embedded // (self._batch + 1)
            done = self._done + share
            self._on_progress(Progress(done, self._total, self.report.passages, self._current))


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _file_hash(path: Path, fields: FieldMap) -> str:
    """Hash of a file's bytes and of how its records are read.

    Raises:
        LoadError: the file cannot be read, or is none: a pipe, a device, a folder.
    """
    digest = hashlib.sha256(repr(fields).encode())
    try:
        require_file(path, path.name)
        with path.open("rb") as file:
            while block := file.read(1 << 20):
                digest.update(block)
    except OSError as error:
        raise LoadError(f"{path.name} cannot be read: {error.strerror}.") from error
    return digest.hexdigest()


def file_source(path: Path, base: Path) -> str:
    """A file's source as shown: relative to `base` where it lies under it, else absolute."""
    return storable(
        path.relative_to(base).as_posix() if path.is_relative_to(base) else path.as_posix()
    )
