"""Index jobs on disk: `jobs.sqlite3` in the index folder.

A file of its own: the catalog is busy for as long as a batch is being committed, and an upload, or
who asks how far it is, is not to wait for that.
"""

from __future__ import annotations

import contextlib
import sqlite3
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import BaseModel, Field, TypeAdapter

from index import Duplicate, Failure, IndexReport
from index.database import Database, explained, storable
from index.errors import DatelineError
from index.sessions import utc

KEEP_DAYS = 30
KEEP_JOBS = 200  # finished ones
LISTED = 1000  # entries of a list in a report; `counts` has the true number
FILE = "jobs.sqlite3"

Kind = Literal["files", "documents", "reindex"]
State = Literal["queued", "running", "done", "failed"]

_SCHEMA = """
CREATE TABLE IF NOT EXISTS jobs (
    number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, kind TEXT NOT NULL,
    state TEXT NOT NULL, created TEXT NOT NULL, started TEXT, finished TEXT, attempts INTEGER
    NOT NULL, files TEXT NOT NULL, payload BLOB, progress TEXT, waiting TEXT, report TEXT,
    error TEXT, cancelled INTEGER NOT NULL DEFAULT 0)
"""
_COLUMNS = "id, kind, state, created, started, finished, files, progress, waiting, report, error"


class JobFile(BaseModel):
    """An uploaded file."""

    name: str = Field(description="as it is kept; its documents' sources begin with uploads/NAME")
    size: int = Field(description="bytes")


class JobProgress(BaseModel):
    """How far a job is; `done` never falls, and is `total` at the end."""

    done: int = Field(description="units read and committed; an estimate inside a long file")
    total: int = Field(description="units there are")
    unit: Literal["bytes", "documents"] = Field(description="what is counted")
    passages: int = Field(default=0, description="embedded so far")
    current: str = Field(default="", description="source of the file being read")


class JobFailure(BaseModel):
    """A file or record that could not be read."""

    source: str = Field(description="the file, or file#record")
    reason: str = Field(description="why, and what to do about it")


class JobDuplicate(BaseModel):
    """A document whose text is exactly that of another."""

    source: str = Field(description="the document that was left out")
    same_as: str = Field(description="source of the one that is kept")


class JobReport(BaseModel):
    """What a job did; lists of sources, each cut after 1,000 (`counts` has the numbers)."""

    indexed: list[str] = Field(description="documents that are new")
    updated: list[str] = Field(description="documents that replaced one of the same source")
    unchanged: list[str] = Field(description="documents that were there already, just so")
    removed: list[str] = Field(description="documents whose record is no longer in its file")
    failed: list[JobFailure] = Field(description="files and records that could not be read")
    skipped: list[str] = Field(description="files left out for their format")
    duplicates: list[JobDuplicate] = Field(description="documents with another's text")
    passages: int = Field(description="embedded")
    seconds: float = Field(description="that it took")
    counts: dict[str, int] = Field(description="the lengths of the lists before they were cut")

    @classmethod
    def of(cls, report: IndexReport) -> Self:
        """As the index reports."""
        whole = asdict(report)
        lists = {name: items for name, items in whole.items() if isinstance(items, list)}
        cut = {name: [_entry(item) for item in items[:LISTED]] for name, items in lists.items()}
        counts = {name: len(items) for name, items in lists.items()}
        return cls.model_validate({**whole, **cut, "counts": counts})


def _entry(item: str | Failure | Duplicate) -> str | dict[str, str]:
    if isinstance(item, str):
        return storable(item)
    return {name: storable(value) for name, value in item._asdict().items()}


class JobError(BaseModel):
    """Why a job failed as a whole."""

    code: str = Field(description="what kind of error it is, for programs")
    problem: str = Field(description="what is wrong")
    next_step: str = Field(description="what to do about it; may be empty")


class JobRecord(BaseModel):
    """A job that changes the index; times in ISO 8601, UTC."""

    id: str = Field(description="16 hex digits")
    kind: Kind = Field(description="uploaded files, documents sent as JSON, or all uploads anew")
    state: State = Field(description="what has become of it")
    created: str = Field(description="when it was queued")
    started: str | None = Field(description="for the last time: a job is begun anew if it must")
    finished: str | None = Field(description="when it was over, well or not")
    files: list[JobFile] = Field(description="those uploaded")
    progress: JobProgress | None = Field(description="how far it is; null before it is begun")
    waiting: str | None = Field(description="why a queued job is not begun, if not for other jobs")
    report: JobReport | None = Field(description="what it did; null before it is done")
    error: JobError | None = Field(description="why it failed; null where it has not")

    @property
    def over(self) -> bool:
        """Whether it is done or failed."""
        return self.state in ("done", "failed")


_FILES = TypeAdapter(list[JobFile])


class JobStore:
    """The jobs of one index; usable from several threads and processes.

    Every method may raise IndexAccessError (a folder that cannot be written to, a full disk),
    IndexLockedError and IndexDamagedError.
    """

    def __init__(self, index_folder: Path) -> None:
        self._database = Database(index_folder / FILE)
        self._made = False

    def add(
        self, id_: str, kind: Kind, files: Sequence[JobFile] = (), payload: bytes | None = None
    ) -> None:
        """Queue a job; it is on the disk when this returns."""
        with self._writing() as connection:
            connection.execute(
                "INSERT INTO jobs (id, kind, state, created, attempts, files, payload)"
                " VALUES (?, ?, 'queued', ?, 0, ?, ?)",
                (
                    id_,
                    kind,
                    _now(),
                    _FILES.dump_json(list(files)),
                    None if payload is None else zlib.compress(payload),
                ),
            )

    def get(self, id_: str) -> JobRecord | None:
        """A job, or None."""
        return next(iter(self._records("WHERE id = ?", [storable(id_)])), None)

    def latest(self, limit: int = -1, offset: int = 0) -> list[JobRecord]:
        """The jobs, the newest first."""
        return self._records("ORDER BY number DESC LIMIT ? OFFSET ?", [limit, offset])

    def count(self, state: State | None = None) -> int:
        """How many jobs there are, or how many in one state."""
        query = "SELECT count(*) FROM jobs WHERE state = ?1 OR ?1 IS NULL"
        return int(self._rows(query, [state])[0][0])

    def first_queued(self) -> JobRecord | None:
        """The job that is next, or None."""
        return next(iter(self._records("WHERE state = 'queued' ORDER BY number LIMIT 1")), None)

    def wants_files(self, id_: str) -> bool:
        """Whether a job that is not over is to index the files received under its id."""
        job = self.get(id_)
        return job is not None and not job.over

    def payload(self, id_: str) -> bytes:
        """What the job was queued with."""
        return zlib.decompress(self._rows("SELECT payload FROM jobs WHERE id = ?", [id_])[0][0])

    # changes of state

    def begin(self, id_: str) -> int | None:
        """A queued job is now running; for the how manieth time, or None if it was cancelled."""
        changed = self._update(
            "state = 'running', started = ?, attempts = attempts + 1, waiting = NULL,"
            " progress = NULL WHERE id = ? AND state = 'queued'",
            _now(),
            id_,
        )
        query = "SELECT attempts FROM jobs WHERE id = ?"
        return int(self._rows(query, [id_])[0][0]) if changed else None

    def wait(self, id_: str, why: str) -> None:
        """Note why a queued job cannot begin."""
        self._update("waiting = ? WHERE id = ? AND state = 'queued'", storable(why), id_)

    def put_back(self, id_: str) -> None:
        """A running job was stopped in good order and is queued again."""
        self._update(
            "state = 'queued', attempts = attempts - 1 WHERE id = ? AND state = 'running'", id_
        )

    def recover(self) -> int:
        """Queue again what was running when its process died; how many jobs."""
        return self._update("state = 'queued' WHERE state = 'running'")

    def tell(self, id_: str, progress: JobProgress) -> bool:
        """Note how far a running job is; False if it is to end."""
        return bool(
            self._update(
                "progress = ? WHERE id = ? AND NOT cancelled", progress.model_dump_json(), id_
            )
        )

    def cancel(self, id_: str) -> bool:
        """Note that a running job is to end; False if it does not run."""
        return bool(self._update("cancelled = 1 WHERE id = ? AND state = 'running'", id_))

    def finish(self, id_: str, report: JobReport) -> None:
        """A job is done."""
        self._end(id_, "done", "running", report=report.model_dump_json())

    def fail(self, id_: str, error: DatelineError, *, state: State = "running") -> bool:
        """A job in that state has failed as a whole; False if it was not in that state."""
        record = JobError(
            code=error.code, problem=storable(error.problem), next_step=error.next_step
        )
        return self._end(id_, "failed", state, error=record.model_dump_json())

    def _end(
        self, id_: str, state: State, was: State, *, report: str | None = None,
        error: str | None = None,
    ) -> bool:  # fmt: skip
        changed = self._update(
            "state = ?, finished = ?, report = ?, error = ?, waiting = NULL, payload = NULL"
            " WHERE id = ? AND state = ?",
            state,
            _now(),
            report,
            error,
            id_,
            was,
        )
        self._forget_old()
        return changed > 0

    def _forget_old(self) -> None:
        since = utc(datetime.now(UTC) - timedelta(days=KEEP_DAYS), "microseconds")
        with self._writing() as connection:
            connection.execute(
                "DELETE FROM jobs WHERE finished IS NOT NULL AND (finished < ? OR number NOT IN"
                " (SELECT number FROM jobs WHERE finished IS NOT NULL"
                " ORDER BY number DESC LIMIT ?))",
                (since, KEEP_JOBS),
            )

    def _update(self, assignment: str, *values: str | None) -> int:
        with self._writing() as connection:
            return connection.execute(f"UPDATE jobs SET {assignment}", values).rowcount

    def _records(self, tail: str, values: Sequence[str | int] = ()) -> list[JobRecord]:
        return [_record(row) for row in self._rows(f"SELECT {_COLUMNS} FROM jobs {tail}", values)]

    def _rows(self, query: str, values: Sequence[str | int | None]) -> list[Any]:
        with self._explaining():
            return self._database.rows(query, values)

    @contextlib.contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with self._explaining(), self._database.transaction() as connection:
            yield connection

    @contextlib.contextmanager
    def _explaining(self) -> Iterator[None]:
        """Errors of SQLite as ours; the table is made at the first use."""
        try:
            if not self._made:
                with self._database.transaction() as connection:
                    connection.execute(_SCHEMA)
                self._made = True
            yield
        except sqlite3.Error as error:
            raise explained(error, self._database.path) from error


def _record(row: Sequence[str | None]) -> JobRecord:
    id_, kind, state, created, started, finished, files, progress, waiting, report, error = row
    return JobRecord.model_validate(
        {
            "id": id_,
            "kind": kind,
            "state": state,
            "created": created,
            "started": started,
            "finished": finished,
            "files": _FILES.validate_json(files or "[]"),
            "progress": progress and JobProgress.model_validate_json(progress),
            "waiting": waiting,
            "report": report and JobReport.model_validate_json(report),
            "error": error and JobError.model_validate_json(error),
        }
    )


def _now() -> str:
    return utc(datetime.now(UTC), "microseconds")
