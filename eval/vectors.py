"""Passage vectors kept by content, so that experiments embed every passage once.

Indexes that differ only in lexical analysis have the same passages; so do many short documents at
different chunk sizes, and most of a collection after a small change. A build that was stopped finds
again what it had embedded.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Callable, Sequence
from importlib import metadata
from pathlib import Path

import numpy as np

import index as index_package
from index import Embedder
from index.catalog import VECTOR
from index.database import Database, explained
from index.embedding import Vectors
from index.inference import engine_name

KEYS_A_QUERY = 500  # SQLite limits the number of parameters
_CODE = ("embedding.py", "export.py", "inference.py")  # what a vector depends on besides its text


class KeptVectors:
    """An embedder that remembers its passages' vectors in a file of `folder`.

    They are kept at the precision at which an index stores them, so an index built from kept
    vectors is the one that would have been built from new ones.

    Raises:
        DatelineError: the folder cannot be written to, or another process keeps it busy.
    """

    def __init__(self, embedder: Embedder, folder: Path) -> None:
        self.fingerprint = embedder.fingerprint
        self.dimension = embedder.dimension
        self.max_tokens = embedder.max_tokens
        self._embedder = embedder
        folder.mkdir(parents=True, exist_ok=True)
        self._store = _Store(folder / f"vectors-{_producer(embedder)}.sqlite3")

    def embed(
        self, texts: Sequence[str], progress: Callable[[int], object] | None = None
    ) -> Vectors:
        keys = [hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest() for text in texts]
        found = self._store.get(keys)
        missing = {key: text for key, text in zip(keys, texts, strict=True) if key not in found}
        if progress and len(texts) > len(missing):
            progress(len(texts) - len(missing))
        if missing:
            made = self._embedder.embed(list(missing.values()), progress)
            new = {key: v.astype(VECTOR).tobytes() for key, v in zip(missing, made, strict=True)}
            self._store.put(new)
            found |= new
        raw = b"".join(found[key] for key in keys)
        return np.frombuffer(raw, VECTOR).reshape(len(keys), self.dimension).astype(np.float32)

    def embed_query(self, text: str) -> Vectors:
        return self._embedder.embed_query(text)

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return self._embedder.count_tokens(texts)

    def close(self) -> None:
        """Close the file."""
        self._store.close()


class _Store(Database):
    """Vectors' bytes by the hash of their text; whole transactions only, whoever is killed."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        try:
            self._create()
        except sqlite3.DatabaseError as error:
            if isinstance(error, sqlite3.OperationalError):  # busy, full, not to be written to
                raise explained(error, path) from error
            self.close()
            path.unlink()  # not a database: it only costs the time to embed again
            self._create()

    def _create(self) -> None:
        with self.transaction() as connection:
            connection.execute(
                "CREATE TABLE IF NOT EXISTS vectors (key BLOB PRIMARY KEY, vector BLOB NOT NULL)"
                " WITHOUT ROWID"
            )

    def get(self, keys: Sequence[bytes]) -> dict[bytes, bytes]:
        """The vectors that are there, by key."""
        found: dict[bytes, bytes] = {}
        for first in range(0, len(keys), KEYS_A_QUERY):
            part = keys[first : first + KEYS_A_QUERY]
            marks = ",".join("?" * len(part))
            found.update(self.rows(f"SELECT key, vector FROM vectors WHERE key IN ({marks})", part))
        return found

    def put(self, vectors: dict[bytes, bytes]) -> None:
        """Keep vectors; another process may have kept some of them a moment ago."""
        with self.transaction() as connection:
            connection.executemany("INSERT OR IGNORE INTO vectors VALUES (?, ?)", vectors.items())


def _producer(embedder: Embedder) -> str:
    """What makes the vectors: model, engine with its version, and our code between them."""
    engine = engine_name()
    digest = hashlib.sha256(f"{embedder.fingerprint} {engine} {metadata.version(engine)}".encode())
    for name in _CODE:
        digest.update((Path(index_package.__path__[0]) / name).read_bytes())
    return digest.hexdigest()[:16]
