"""Sessions: conversations kept with the documents they are about, in the catalog's file.

A turn is any JSON object; what it means is the business of others. Only SQLite's own locks are
taken, so that a conversation goes on while another process indexes, and the catalog's generation
stays as it is.
"""

from __future__ import annotations

import builtins
import contextlib
import json
import re
import secrets
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from .database import Database, explained, storable
from .errors import SessionNotFoundError, UsageError

# Made with the first session: an index from before there were any goes on as it is.
_SCHEMA = (
    "CREATE TABLE IF NOT EXISTS sessions ("
    "id TEXT PRIMARY KEY, created TEXT NOT NULL, used TEXT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS turns ("
    "session TEXT NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,"
    " number INTEGER NOT NULL, record TEXT NOT NULL, PRIMARY KEY (session, number))",
)
_INFO = (  # `used` is exact in the table: it orders the sessions
    "SELECT id, created, substr(used, 1, 19) || 'Z',"
    " (SELECT count(*) FROM turns WHERE session = sessions.id),"
    " (SELECT CAST(json_extract(record, '$.question') AS BLOB) FROM turns"
    "  WHERE session = sessions.id AND json_valid(record) ORDER BY number LIMIT 1)"
    " FROM sessions"
)
_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


@dataclass(frozen=True, slots=True)
class SessionInfo:
    """A session without its turns.

    Attributes:
        created, used: when it was begun and last used, ISO 8601, UTC.
        turns: how many it has.
        title: the `question` of its first turn; empty if there is none.
    """

    id: str
    created: str
    used: str
    turns: int
    title: str = ""


class SessionStore:
    """The sessions in a catalog's file; usable from several threads and processes.

    Every method may raise IndexAccessError (a folder that cannot be written to, a full disk),
    IndexLockedError (another process's transaction did not end) and IndexDamagedError.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def create(self, id_: str | None = None) -> str:
        """Make a session, of the given id or a random one; one that is there counts as used.

        Raises:
            UsageError: the id is not 1 to 64 letters, digits, "_" and "-".
        """
        if id_ is None:
            id_ = secrets.token_hex(8)  # no "-" in front, which would look like an option
        elif not _ID.fullmatch(id_):
            raise UsageError(
                f"{id_[:64]!r} cannot be the id of a session.",
                'Use up to 64 letters, digits, "_" and "-".',
            )
        with self._writing() as connection:
            for statement in _SCHEMA:
                connection.execute(statement)
            connection.execute(
                "INSERT INTO sessions VALUES (?1, ?2, ?3) ON CONFLICT (id) DO UPDATE SET used = ?3",
                (id_, utc(datetime.now(UTC)), _now()),
            )
        return id_

    def append(self, id_: str, record: Mapping[str, Any]) -> int:
        """Add a turn, a JSON object; its number in the session, from 1.

        Raises:
            SessionNotFoundError: there is no such session.
        """
        with self._writing() as connection:
            self.info(id_)
            (number,) = connection.execute(
                "SELECT coalesce(max(number), 0) + 1 FROM turns WHERE session = ?", (id_,)
            ).fetchone()
            connection.execute(
                "INSERT INTO turns VALUES (?, ?, ?)", (id_, number, json.dumps(record))
            )
            connection.execute("UPDATE sessions SET used = ? WHERE id = ?", (_now(), id_))
        return int(number)

    def info(self, id_: str) -> SessionInfo:
        """A session without its turns.

        Raises:
            SessionNotFoundError: there is no such session.
        """
        rows = self._rows(f"{_INFO} WHERE id = ?", [storable(id_)])
        if not rows:
            raise unknown_session(id_)
        return _info(rows[0])

    def turns(self, id_: str, last: int | None = None) -> builtins.list[dict[str, Any]]:
        """The turns of a session in order, or its `last` so many; each with its `number`.

        Raises:
            SessionNotFoundError: there is no such session.
        """
        self.info(id_)
        rows = self._rows(
            "SELECT number, record FROM turns WHERE session = ? ORDER BY number DESC LIMIT ?",
            [id_, -1 if last is None else max(last, 0)],
        )
        return [_object(record) | {"number": number} for number, record in reversed(rows)]

    def list(self) -> builtins.list[SessionInfo]:
        """All sessions, the one used last first."""
        return [_info(row) for row in self._rows(f"{_INFO} ORDER BY used DESC, rowid DESC")]

    def delete(self, id_: str) -> bool:
        """Remove a session with its turns; whether there was one."""
        return self._delete("id = ?", storable(id_)) > 0

    def expire(self, before: datetime) -> int:
        """Remove the sessions that were last used before a moment; how many there were."""
        return self._delete("used < ?", utc(before, "microseconds"))

    def _delete(self, condition: str, value: str) -> int:
        if not self._has_tables():
            return 0
        with self._writing() as connection:
            return connection.execute(f"DELETE FROM sessions WHERE {condition}", [value]).rowcount

    def _rows(self, query: str, values: Sequence[str | int] = ()) -> builtins.list[Any]:
        with self._explaining():
            return self._database.rows(query, values) if self._has_tables() else []

    def _has_tables(self) -> bool:
        with self._explaining():
            query = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'sessions'"
            return bool(self._database.rows(query))

    @contextlib.contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with self._explaining(), self._database.transaction() as connection:
            yield connection

    @contextlib.contextmanager
    def _explaining(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise explained(error, self._database.path) from error


def unknown_session(*ids: str) -> SessionNotFoundError:
    """The error that there are no sessions of these ids."""
    return SessionNotFoundError(
        f"There is no session {', '.join(repr(id_[:64]) for id_ in ids)}.",
        "See those there are: dateline sessions list, or GET /api/sessions",
    )


def utc(moment: datetime, precision: Literal["seconds", "microseconds"] = "seconds") -> str:
    """A moment in ISO 8601, UTC; of one precision these sort as the moments do."""
    return moment.astimezone(UTC).isoformat(timespec=precision).replace("+00:00", "Z")


def _now() -> str:
    return utc(datetime.now(UTC), "microseconds")


def _info(row: Sequence[Any]) -> SessionInfo:
    """A row of `_INFO`; the title comes in bytes, as it may not be valid UTF-8."""
    id_, created, used, turns, title = row
    return SessionInfo(id_, created, used, turns, (title or b"").decode("utf-8", "replace"))


def _object(record: str) -> dict[str, Any]:
    """A stored JSON object; an empty one where damage has left none."""
    try:
        found = json.loads(record)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
