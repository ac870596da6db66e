"""SQLite as the catalog uses it: a connection for each thread, and transactions that nest."""

from __future__ import annotations

import contextlib
import functools
import json
import sqlite3
import threading
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Any

BUSY_SECONDS = 30  # how long to wait for another process's transaction


class Database:
    """One file; usable from several threads.

    SQL may call `metadata_has(metadata, wanted)`: whether one JSON object has all that another has.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._local = threading.local()
        self._connections: weakref.WeakSet[_Connection] = weakref.WeakSet()

    @property
    def _db(self) -> sqlite3.Connection:
        """The calling thread's connection, opened on first use."""
        connection: _Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = sqlite3.connect(
                self.path,
                timeout=BUSY_SECONDS,
                isolation_level=None,
                check_same_thread=False,
                factory=_Connection,
            )
            connection.executescript(
                "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;"
            )
            connection.create_function("metadata_has", 2, _metadata_has, deterministic=True)
            self._local.connection = connection
            self._connections.add(connection)
        return connection

    @contextlib.contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """All or nothing; nested uses join the outermost."""
        connection = self._db
        if connection.in_transaction:
            yield connection
            return
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield connection
            connection.commit()
        except BaseException:
            connection.rollback()
            raise

    def close(self) -> None:
        """Close all threads' connections; the object cannot be used afterwards."""
        for connection in list(self._connections):
            connection.close()


class _Connection(sqlite3.Connection):
    """Closed with the thread that it belongs to: a server starts and ends threads without end."""

    def __del__(self) -> None:
        with contextlib.suppress(sqlite3.ProgrammingError):  # it never came to be open
            self.close()


def _metadata_has(metadata: str, wanted: str) -> bool:
    held = json.loads(metadata)  # SQLite's own JSON paths cannot name every key
    return all(k in held and held[k] == value for k, value in _parsed(wanted).items())


@functools.lru_cache(maxsize=8)
def _parsed(wanted: str) -> dict[str, Any]:
    return dict(json.loads(wanted))


def storable(text: str) -> str:
    """Lone surrogates, which SQLite text cannot hold, written out as four hex digits."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")
