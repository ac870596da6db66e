"""Index jobs: what was uploaded goes into the index in the background, one job after another.

A job is on the disk before its request is answered. One thread of one process runs them (a lock
sees to that), because an index has one writer. Indexing what is already indexed changes nothing, so
a job that was running when its process died is simply run again.
"""

from __future__ import annotations

import logging
import secrets
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Literal

import filelock

from index import Document, EmbeddedIndex, IndexReport, Progress
from index.database import storable
from index.errors import DatelineError, IndexLockedError
from index.ingest import OnProgress
from index.loading.isolated import IsolatedLoader

from .job_store import JobFile, JobProgress, JobRecord, JobReport, JobStore
from .posted import PostedDocuments, made_documents
from .refusal import RefusedError
from .uploads import Parcel, UploadLimits, Uploads, documents_of

MAX_QUEUED = 100
MAX_ATTEMPTS = 10  # a job that takes its process with it so many times is not begun again
_LOOK_SECONDS = 2.0  # between looks for a free lock, or for jobs that another process has queued
_TELL_SECONDS = 0.3  # between two notes of progress
_STOP_SECONDS = 20.0  # granted to a job that is to stop


logger = logging.getLogger("dateline.service")


class _StoppedError(Exception):
    """The service stops; the job goes back into the queue."""


class _CancelledError(DatelineError):
    """Somebody has ended the job."""

    def __init__(self) -> None:
        super().__init__("It was cancelled.", "Upload again what is to be indexed after all.")


class IndexJobs:
    """The queue of an index and the thread that works it off, between `start` and `stop`."""

    def __init__(self, index: EmbeddedIndex, limits: UploadLimits | None = None) -> None:
        self.index = index
        self.uploads = Uploads(index.path, limits)
        self._store = JobStore(index.path)
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._loader: IsolatedLoader | None = None

    # from any thread

    def submit_files(self, parcel: Parcel) -> JobRecord:
        """Queue the indexing of received files."""
        parcel.seal()
        files = [JobFile(name=name, size=size) for name, size in parcel.files]
        return self._submit(parcel.id, "files", files)

    def submit_documents(self, body: bytes) -> JobRecord:
        """Queue the indexing of documents, given as the JSON of valid `PostedDocuments`."""
        return self._submit(secrets.token_hex(8), "documents", payload=body)

    def submit_reindex(self) -> JobRecord:
        """Queue a run over all uploaded files."""
        return self._submit(secrets.token_hex(8), "reindex")

    def _submit(
        self,
        id_: str,
        kind: Literal["files", "documents", "reindex"],
        files: Iterable[JobFile] = (),
        payload: bytes | None = None,
    ) -> JobRecord:
        if self._store.count("queued") >= MAX_QUEUED:
            raise RefusedError(
                503,
                f"{MAX_QUEUED} index jobs are waiting already.",
                "Try again when some are done.",
            )
        self._store.add(id_, kind, list(files), payload)
        self._wake.set()
        return self.get(id_)

    def get(self, id_: str) -> JobRecord:
        """A job.

        Raises:
            RefusedError: 404, there is none of that id.
        """
        job = self._store.get(id_)
        if job is None:
            raise RefusedError(
                404, f"There is no index job {id_[:64]!r}.", "See those there are: /api/index-jobs"
            )
        return job

    def latest(self, limit: int, offset: int) -> tuple[int, list[JobRecord]]:
        """How many jobs there are, and some of them, the newest first."""
        return self._store.count(), self._store.latest(limit, offset)

    def cancel(self, id_: str) -> JobRecord:
        """End a job: a queued one at once, a running one soon; either has then failed.

        What a running one has committed stays. The files of a queued one go, and what they were to
        replace stays.

        Raises:
            RefusedError: 404, there is none of that id; 409, it is over.
        """
        job = self.get(id_)
        if self._store.fail(id_, _CancelledError(), state="queued"):
            self.uploads.discard(id_)
        elif not self._store.cancel(id_):
            raise RefusedError(409, f"The job {id_} is over.", "Delete its documents if need be.")
        return self.get(job.id)

    # the thread

    def start(self) -> None:
        """Begin to work off the queue, also what an earlier process has left in it."""
        self._stopping.clear()
        self._thread = threading.Thread(target=self._work, name="index-jobs", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop soon; the running job goes back into the queue, with what it has committed kept."""
        self._stopping.set()
        self._wake.set()
        if loader := self._loader:
            loader.close()  # a file that takes long to read
        if self._thread is not None:
            self._thread.join(_STOP_SECONDS)
            if self._thread.is_alive():
                logger.warning("An index job does not stop; it is begun anew at the next start.")

    def _work(self) -> None:
        try:
            self._work_until_stopped()
        finally:
            self._end_loader()

    def _work_until_stopped(self) -> None:
        said = ""
        while not self._stopping.is_set():
            try:
                with filelock.FileLock(self.index.path / "jobs.lock", timeout=0):
                    if found := self._store.recover():
                        logger.info("%d interrupted index job(s) are run again.", found)
                    self.uploads.sweep(self._store.wants_files)
                    self._work_off()
            except filelock.Timeout:
                self._rest()  # another process works this queue off
            except Exception as error:  # a full disk, a folder that cannot be written to
                if str(error) != said:
                    logger.exception("Index jobs cannot be run; trying again every now and then.")
                said = str(error)
                self._rest()

    def _work_off(self) -> None:
        while not self._stopping.is_set():
            job = self._store.first_queued()
            if job is None:
                self._end_loader()  # its memory is given back between uploads
                self._rest()
                continue
            try:
                self._run(job)
            except _StoppedError:
                self._store.put_back(job.id)
            except DatelineError as error:
                self._give_up(job, error)
            except Exception as error:
                logger.exception("The index job %s failed.", job.id)
                self._give_up(
                    job,
                    DatelineError(f"{type(error).__name__}: {error}.", "See the service's log."),
                )

    def _give_up(self, job: JobRecord, error: DatelineError) -> None:
        """The job has failed; or it waits, if it could not begin, or only another is in its way."""
        if isinstance(error, IndexLockedError) or not self._store.fail(job.id, error):
            self._store.put_back(job.id)
            self._store.wait(job.id, f"{error.problem} {error.next_step}".strip())
            self._rest()

    def _end_loader(self) -> None:
        if self._loader is not None:
            self._loader.close()
            self._loader = None

    def _rest(self) -> None:
        self._wake.wait(_LOOK_SECONDS)
        self._wake.clear()

    def _run(self, job: JobRecord) -> None:
        with self.index.writing():
            attempts = self._store.begin(job.id)
            if attempts is None:  # cancelled a moment ago
                return
            if attempts > MAX_ATTEMPTS:
                raise DatelineError(
                    f"The service was killed {MAX_ATTEMPTS} times while it ran this job.",
                    "See its log, and whether there was enough memory.",
                )
            try:
                index = self._index_documents if job.kind == "documents" else self._index_files
                report = index(job)
            except _CancelledError:
                self._drop([file.name for file in job.files])
                raise
        self._store.finish(job.id, JobReport.of(report))

    def _index_files(self, job: JobRecord) -> IndexReport:
        """Index the files of a job, or all there are."""
        self.uploads.publish(job.id)
        names = [file.name for file in job.files]
        files = self.uploads.files() if job.kind == "reindex" else self.uploads.paths(names)
        self._loader = self._loader or IsolatedLoader()
        report = self.index.add_files(
            files,
            base=self.index.path,
            load=self._loader,
            reread=job.kind == "files",
            on_progress=self._teller(
                job.id,
                lambda told: JobProgress(
                    done=told.done,
                    total=told.total,
                    unit="bytes",
                    passages=told.passages,
                    current=storable(told.current),
                ),
            ),
        )
        names = [
            name for failure in report.failed if (name := self.uploads.name_of(failure.source))
        ]
        self._drop(names)
        return report

    def _drop(self, names: Iterable[str]) -> None:
        """Remove uploaded files of which there is no document: nobody could ever delete them."""
        for name in names:
            if not documents_of(self.index, name):
                self.uploads.remove(name)

    def _index_documents(self, job: JobRecord) -> IndexReport:
        documents = made_documents(PostedDocuments.model_validate_json(self._store.payload(job.id)))
        taken = 0

        def counted() -> Iterator[Document]:
            nonlocal taken
            for document in documents:
                yield document
                taken += 1

        return self.index.add(
            counted(),
            self._teller(
                job.id,
                lambda told: JobProgress(
                    done=taken, total=len(documents), unit="documents", passages=told.passages
                ),
            ),
        )

    def _teller(self, id_: str, record: Callable[[Progress], JobProgress]) -> OnProgress:
        """Notes the progress of a job every now and then, and ends it if it is to end."""
        told = 0.0

        def tell(progress: Progress) -> None:
            nonlocal told
            if self._stopping.is_set():
                raise _StoppedError
            noted = record(progress)
            if noted.done == noted.total or time.monotonic() - told > _TELL_SECONDS:
                if not self._store.tell(id_, noted):
                    raise _CancelledError
                told = time.monotonic()

        return tell
