"""The truth: one SQLite file with documents, chunks and vectors.

A batch goes in or out in one transaction, and every change raises the generation number. The
search caches ask what has come and gone since the generation they reflect (`changes`).

Texts are stored as UTF-8 blobs (documents compressed), so that any Python string survives: SQLite
text would stop at a NUL and refuse a lone surrogate. So are the paths of files, as the system's own
bytes, which need not be text at all.
"""

from __future__ import annotations

import json
import os
import sqlite3
import time
import uuid
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from .database import CATALOG, Database, explained, storable
from .document import Chunk, Document, DocumentInfo, Filters, Json
from .errors import IndexDamagedError, IndexNotFoundError, UsageError

FORMAT = 1
VECTOR = np.dtype("<f2")  # half precision: the engine computes in bf16, which keeps fewer bits

_SCHEMA = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE documents (
    id TEXT PRIMARY KEY, source TEXT NOT NULL UNIQUE, file BLOB, title TEXT NOT NULL,
    published TEXT, place TEXT, language TEXT, metadata TEXT NOT NULL, pages TEXT NOT NULL,
    text_hash TEXT NOT NULL, content_hash TEXT NOT NULL, text BLOB NOT NULL);
CREATE INDEX documents_by_file ON documents (file);
CREATE INDEX documents_by_text ON documents (text_hash);
CREATE TABLE chunks (
    id INTEGER PRIMARY KEY AUTOINCREMENT, document_id TEXT NOT NULL REFERENCES documents (id),
    start INTEGER NOT NULL, "end" INTEGER NOT NULL, text BLOB NOT NULL, context TEXT NOT NULL,
    vector BLOB NOT NULL, generation INTEGER NOT NULL);
CREATE INDEX chunks_by_document ON chunks (document_id);
CREATE INDEX chunks_by_generation ON chunks (generation);
CREATE TABLE removals (
    chunk_id INTEGER PRIMARY KEY, generation INTEGER NOT NULL);
CREATE INDEX removals_by_generation ON removals (generation);
CREATE TABLE files (
    path BLOB PRIMARY KEY, hash TEXT NOT NULL) WITHOUT ROWID;
"""

_INFO = "id, source, title, published, place, language, metadata, pages"


class NewChunk(NamedTuple):
    """A chunk on its way in: offsets into its document, context, and vector (float [dimension])."""

    start: int
    end: int
    context: str
    vector: npt.NDArray[Any]


class IndexedChunk(NamedTuple):
    """What the caches need of a chunk: `text` has the context in front."""

    id: int
    text: str
    vector: npt.NDArray[np.float16]


class StoredChunk(NamedTuple):
    """A chunk as it is stored, with its document and the hash of the document's text."""

    chunk: Chunk
    document: DocumentInfo
    text_hash: str
    vector: npt.NDArray[np.float16]


class Changes(NamedTuple):
    """What came and went after a generation, up to `generation`."""

    generation: int
    removed: list[int]
    added: Iterator[IndexedChunk]


class Catalog(Database):
    """Opens or creates `folder/catalog.sqlite3`; usable from several threads.

    Raises:
        IndexNotFoundError: nothing there and `create` is false.
        IndexDamagedError: the file is no catalog, or one of another version.
        IndexAccessError: it cannot be opened for another reason.
    """

    def __init__(self, folder: Path, *, create: bool = False) -> None:
        super().__init__(folder / CATALOG)
        if not self.path.exists() and not create:
            raise IndexNotFoundError(
                f"There is no index in {folder}.", f"Make one: dateline index PATH --index {folder}"
            )
        folder.mkdir(parents=True, exist_ok=True)
        try:
            if not self._has_tables():
                with self.transaction():
                    self._create()
            found = self.get("format")
        except sqlite3.Error as error:
            self.close()
            raise explained(error, self.path) from error
        if found != FORMAT:
            self.close()
            raise IndexDamagedError(
                f"{self.path} has format {found}, this version of Dateline reads {FORMAT}.",
                "Delete the folder and index the documents again.",
            )

    def _has_tables(self) -> bool:
        return self._db.execute("SELECT 1 FROM sqlite_master").fetchone() is not None

    def _create(self) -> None:
        if self._has_tables():  # another process was first
            return
        for statement in _SCHEMA.split(";"):
            self._db.execute(statement)
        self.set("format", FORMAT)
        self.set("id", uuid.uuid4().hex)
        self.set("generation", 0)
        self.set("created", time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()))

    # settings

    def get(self, key: str) -> Any:  # noqa: ANN401 - any JSON value
        """A stored setting, or None."""
        row = self._db.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return json.loads(row[0]) if row else None

    def set(self, key: str, value: Json) -> None:
        """Store a setting."""
        self._db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, json.dumps(value)))

    @property
    def generation(self) -> int:
        """The number of the last change."""
        return int(self.get("generation"))

    # changing

    def put(self, document: Document, chunks: Sequence[NewChunk], file: str | None = None) -> None:
        """Add a document, or replace the one with its id.

        Raises:
            UsageError: a document with another id has the same source.
        """
        source = storable(document.source)
        with self.transaction() as connection:
            self.delete([document.id])
            if connection.execute("SELECT 1 FROM documents WHERE source = ?", (source,)).fetchone():
                raise UsageError(
                    f"Two documents have the source {source!r}.",
                    "Give each its own, and the id document_id(source).",
                )
            connection.execute(
                "INSERT INTO documents VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    document.id,
                    source,
                    os.fsencode(file) if file is not None else None,
                    storable(document.title),
                    document.published.isoformat() if document.published else None,
                    document.place and storable(document.place),
                    document.language and storable(document.language),
                    json.dumps(dict(document.metadata)),
                    json.dumps(document.pages),
                    document.text_hash,
                    content_hash(document),
                    zlib.compress(_encode(document.text), 6),
                ),
            )
            generation = self.generation + 1
            connection.executemany(
                'INSERT INTO chunks (document_id, start, "end", text, context, vector, generation)'
                " VALUES (?, ?, ?, ?, ?, ?, ?)",
                [
                    (
                        document.id,
                        chunk.start,
                        chunk.end,
                        _encode(document.text[chunk.start : chunk.end]),
                        storable(chunk.context),
                        np.asarray(chunk.vector, VECTOR).tobytes(),
                        generation,
                    )
                    for chunk in chunks
                ],
            )
            self.set("generation", generation)

    def delete(self, ids: Iterable[str]) -> int:
        """Remove documents; how many were there."""
        removed = 0
        with self.transaction() as connection:
            generation = self.generation + 1
            for id_ in ids:
                connection.execute(
                    "INSERT INTO removals SELECT id, ? FROM chunks WHERE document_id = ?",
                    (generation, id_),
                )
                connection.execute("DELETE FROM chunks WHERE document_id = ?", (id_,))
                removed += connection.execute("DELETE FROM documents WHERE id = ?", (id_,)).rowcount
            if removed:
                self.set("generation", generation)
        return removed

    def forget_removals(self, generation: int) -> None:
        """Drop the log of removals up to a generation that every saved cache reflects."""
        with self.transaction() as connection:
            connection.execute("DELETE FROM removals WHERE generation <= ?", (generation,))
            self.set("caches_since", max(generation, self.get("caches_since") or 0))

    # what the caches ask

    def changes(self, since: int) -> Changes | None:
        """What changed after generation `since`, or None if the log no longer reaches back to it.

        `since` 0 gives every chunk. Chunks come in the order of their ids.
        """
        now = self.generation
        rows = self._db.execute("SELECT chunk_id FROM removals WHERE generation > ?", (since,))
        removed = [row[0] for row in rows] if since else []
        if since and since < (self.get("caches_since") or 0):  # asked after the log was read
            return None
        return Changes(now, removed, self._chunks_after(since, now))

    def _chunks_after(self, since: int, until: int) -> Iterator[IndexedChunk]:
        rows = self._db.execute(
            "SELECT id, context, text, vector FROM chunks"
            " WHERE generation > ? AND generation <= ? ORDER BY id",
            (since, until),
        )
        for id_, context, text, vector in rows:
            yield IndexedChunk(id_, f"{context}\n{_decode(text)}", np.frombuffer(vector, VECTOR))

    def matching_chunks(self, filters: Filters) -> npt.NDArray[np.int64]:
        """Ids, ascending, of the chunks whose document passes the filters."""
        condition, values = _where(filters)
        rows = self._db.execute(
            "SELECT id FROM chunks WHERE document_id IN"
            f" (SELECT id FROM documents WHERE {condition}) ORDER BY id",
            values,
        )
        return np.fromiter((row[0] for row in rows), np.int64)

    def chunks(self, ids: Sequence[int]) -> dict[int, StoredChunk]:
        """Chunks by id; unknown ids are left out."""
        found: dict[int, StoredChunk] = {}
        columns = ", ".join(f"d.{name}" for name in _INFO.split(", "))
        for first in range(0, len(ids), 500):  # SQLite limits the number of parameters
            part = list(ids[first : first + 500])
            rows = self._db.execute(
                f'SELECT c.id, c.start, c."end", c.text, c.vector, d.text_hash, {columns}'
                " FROM chunks c JOIN documents d ON d.id = c.document_id"
                f" WHERE c.id IN ({','.join('?' * len(part))})",
                part,
            )
            for id_, start, end, text, vector, text_hash, *info in rows:
                document = _info(info)
                chunk = Chunk(id_, document.id, start, end, _decode(text))
                found[id_] = StoredChunk(chunk, document, text_hash, np.frombuffer(vector, VECTOR))
        return found

    # documents and files

    def document(self, id_: str) -> Document | None:
        """A whole document, or None."""
        row = self._db.execute(f"SELECT text, {_INFO} FROM documents WHERE id = ?", (id_,))
        found = row.fetchone()
        return _document(found) if found else None

    def documents(self, filters: Filters, limit: int = -1, offset: int = 0) -> list[DocumentInfo]:
        """Documents in the order of their sources."""
        condition, values = _where(filters)
        rows = self._db.execute(
            f"SELECT {_INFO} FROM documents WHERE {condition} ORDER BY source LIMIT ? OFFSET ?",
            [*values, limit, offset],
        )
        return [_info(row) for row in rows]

    def count(self, filters: Filters) -> int:
        """How many documents pass the filters."""
        condition, values = _where(filters)
        rows = self._db.execute(f"SELECT count(*) FROM documents WHERE {condition}", values)
        return int(rows.fetchone()[0])

    def content_hash_of(self, id_: str) -> str | None:
        """The stored document's `content_hash`, or None."""
        row = self._db.execute("SELECT content_hash FROM documents WHERE id = ?", (id_,)).fetchone()
        return row[0] if row else None

    def same_text(self, text_hash: str, id_: str) -> str | None:
        """The source of another document with exactly this text, or None."""
        row = self._db.execute(
            "SELECT source FROM documents WHERE text_hash = ? AND id != ? ORDER BY source LIMIT 1",
            (text_hash, id_),
        ).fetchone()
        return row[0] if row else None

    def ids(self, *, file: str | None = None, source: str | None = None) -> list[str]:
        """Ids of the documents of a file, or of those whose source is `source` or under it."""
        if file is not None:
            rows = self._db.execute("SELECT id FROM documents WHERE file = ?", (os.fsencode(file),))
        else:
            assert source is not None
            base = storable(source).rstrip("/")
            if not base:
                return []
            rows = self._db.execute(
                "SELECT id FROM documents WHERE source = ?1"
                " OR substr(source, 1, length(?2)) = ?2"
                # a record of the file: not of "a#b.txt" when "a" is meant
                " OR substr(source, 1, length(?3)) = ?3 AND (file IS NULL OR"
                "    substr(CAST(file AS TEXT), -length(?4)) = ?4) ORDER BY source",
                (base, f"{base}/", f"{base}#", base.rpartition("/")[2]),
            )
        return [row[0] for row in rows]

    def source_of(self, id_: str) -> str | None:
        """A document's source, or None."""
        row = self._db.execute("SELECT source FROM documents WHERE id = ?", (id_,)).fetchone()
        return row[0] if row else None

    def document_files(self) -> list[str]:
        """The files that documents come from, read to their ends or not."""
        rows = self._db.execute("SELECT DISTINCT file FROM documents WHERE file IS NOT NULL")
        return [os.fsdecode(row[0]) for row in rows]

    def files(self) -> dict[str, str]:
        """Hashes of the indexed files by absolute path."""
        rows = self._db.execute("SELECT path, hash FROM files")
        return {os.fsdecode(path): digest for path, digest in rows}

    def set_file(self, path: str, digest: str) -> None:
        """Note that a file has been read to its end."""
        self._db.execute("INSERT OR REPLACE INTO files VALUES (?, ?)", (os.fsencode(path), digest))

    def move(self, found: Iterable[tuple[str, str]]) -> None:
        """Note where documents' files are now, as (path, document id): projects are moved."""
        self._db.executemany(
            "UPDATE documents SET file = ?1 WHERE id = ?2 AND file IS NOT ?1",
            [(os.fsencode(file), id_) for file, id_ in found],
        )

    def forget_files(self) -> None:
        """Drop the notes of files that no document comes from any more."""
        self._db.execute(
            "DELETE FROM files"
            " WHERE path NOT IN (SELECT file FROM documents WHERE file IS NOT NULL)"
        )

    def counts(self) -> dict[str, Any]:
        """Totals of documents and chunks, and the range of publication dates."""
        documents, dated, first, last = self._db.execute(
            "SELECT count(*), count(published), min(published), max(published) FROM documents"
        ).fetchone()
        chunks = self._db.execute("SELECT count(*) FROM chunks").fetchone()[0]
        return {
            "documents": documents,
            "chunks": chunks,
            "dated": dated,
            "first_published": first,
            "last_published": last,
        }


def _where(filters: Filters) -> tuple[str, list[Any]]:
    """A condition over `documents` and its parameters."""
    conditions: list[str] = []
    values: list[Any] = []
    if filters.after:
        conditions.append("published >= ?")
        values.append(filters.after.isoformat())
    if filters.before:
        conditions.append("published <= ?")
        values.append(filters.before.isoformat())
    if filters.source:
        conditions.append("source GLOB ?")
        values.append(storable(filters.source))
    if filters.metadata:
        conditions.append("metadata_has(metadata, ?)")
        values.append(json.dumps(dict(filters.metadata)))
    if filters.documents:
        conditions.append("documents.id IN (SELECT value FROM json_each(?))")
        values.append(json.dumps(sorted(filters.documents)))
    if filters.words:
        conditions.append("has_words(?, title, source)")
        values.append(storable(filters.words))
    return " AND ".join(conditions) or "1", values


def content_hash(document: Document) -> str:
    """Hash of everything the document holds, so that any change of it is seen."""
    parts = [
        document.title,
        str(document.published),
        str(document.place),
        str(document.language),
        json.dumps(dict(document.metadata), sort_keys=True, default=str),
        json.dumps(document.pages),
        document.text_hash,
    ]
    return replace(document, text="\0".join(parts)).text_hash


def _info(row: Sequence[Any]) -> DocumentInfo:
    id_, source, title, published, place, language, metadata, pages = row
    return DocumentInfo(
        id=id_,
        source=source,
        title=title,
        published=date.fromisoformat(published) if published else None,
        place=place,
        language=language,
        metadata=json.loads(metadata),
        pages=tuple(json.loads(pages)),
    )


def _document(row: Sequence[Any]) -> Document:
    text, *rest = row
    info = _info(rest)
    fields = {name: getattr(info, name) for name in DocumentInfo.__dataclass_fields__}
    return Document(**fields, text=_decode(zlib.decompress(text)))


def _encode(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _decode(blob: bytes) -> str:
    return blob.decode("utf-8", "surrogatepass")
