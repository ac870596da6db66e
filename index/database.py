"""SQLite as the catalog uses it: a connection for each thread, and transactions that nest."""

from __future__ import annotations

import contextlib
import functools
import json
import sqlite3
import threading
import time
import unicodedata
import urllib.parse
import weakref
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from .errors import DatelineError, IndexAccessError, IndexDamagedError, IndexLockedError

CATALOG = "catalog.sqlite3"  # by which an index folder is known
BUSY_SECONDS = 30  # how long to wait for another process's transaction


class Database:
    """One file; usable from several threads.

    SQL may call `metadata_has(metadata, wanted)`: whether one JSON object has all that another has,
    and `has_words(words, title, source)`: whether each word occurs in one of the two.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._local = threading.local()
        self._holders: weakref.WeakSet[_Holder] = weakref.WeakSet()

    @property
    def _db(self) -> sqlite3.Connection:
        """The calling thread's connection, opened on first use."""
        holder: _Holder | None = getattr(self._local, "holder", None)
        if holder is None:
            holder = self._local.holder = _Holder(_connect(self.path))
            self._holders.add(holder)
        return holder.connection

    def rows(self, query: str, values: Sequence[Any] = ()) -> list[Any]:
        """All that a query finds."""
        return self._db.execute(query, values).fetchall()

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
        for holder in list(self._holders):
            holder.connection.close()


class _Holder:
    """Closes a connection with the thread it belongs to: a server starts threads without end.

    The connection itself would wait for the garbage collector, being part of a cycle.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection

    def __del__(self) -> None:
        self.connection.close()


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(
        path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
    )
    try:
        _use_log(connection)
    except sqlite3.OperationalError as error:
        if _code(error) not in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN):
            raise
        connection.close()  # in a folder that cannot be written to, nothing changes either
        address = f"file:{urllib.parse.quote(str(path))}?mode=ro&immutable=1"
        connection = sqlite3.connect(
            address, uri=True, isolation_level=None, check_same_thread=False
        )
    connection.executescript("PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;")
    connection.create_function("metadata_has", 2, _metadata_has, deterministic=True)
    connection.create_function("has_words", 3, _has_words, deterministic=True)
    return connection


def _use_log(connection: sqlite3.Connection) -> None:
    """Switch a new file to write-ahead logging, which SQLite refuses at once while it is busy."""
    until = time.monotonic() + BUSY_SECONDS
    while connection.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            if _code(error) != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                raise
            time.sleep(0.01)
    connection.execute("SELECT 1 FROM sqlite_master").fetchone()  # that it can be read at all


def explained(error: sqlite3.Error, path: Path) -> DatelineError:
    """What an error of SQLite means for the index at `path`, and what to do."""
    code = _code(error)
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return IndexLockedError(f"{path} is busy.", "Try again when the other process is done.")
    if code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM):
        return IndexAccessError(f"{path} cannot be written to.", "Check the folder's permissions.")
    if code in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR):
        return IndexAccessError(
            f"The disk with {path} is full or failing: {error}.",
            "Free some space and run the same command again; nothing reported is lost.",
        )
    return IndexDamagedError(
        f"{path} cannot be read: {error}.",
        "Restore it from a backup, or delete the folder and index the documents again.",
    )


def _code(error: sqlite3.Error) -> int:
    """SQLite's primary result code."""
    return getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF


def _metadata_has(metadata: str, wanted: str) -> bool:
    held = json.loads(metadata)  # SQLite's own JSON paths cannot name every key
    return all(k in held and held[k] == value for k, value in _parsed(wanted).items())


def _has_words(words: str, title: str, source: str) -> bool:
    title, source = _folded(title), _folded(source)
    return all(word in title or word in source for word in _folded(words).split())


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()


@functools.lru_cache(maxsize=8)
def _parsed(wanted: str) -> dict[str, Any]:
    return dict(json.loads(wanted))


def storable(text: str) -> str:
    """Lone surrogates, which SQLite text cannot hold, written out as four hex digits."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")
