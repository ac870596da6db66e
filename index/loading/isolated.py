"""Loading in a process of its own, within limits of memory and time: for files of strangers.

A kilobyte can make a format library take gigabytes or hours, or crash: the drawing of a PDF page
unpacks a thousandfold and once more, a megabyte of nested HTML takes a minute. No check beforehand
finds all such files; a process that can be lost does.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import signal
import threading
from collections.abc import Iterator
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from types import TracebackType
from typing import Self

from index.document import Document
from index.errors import LoadError

from . import FieldMap, load_file
from .records import OnError

MEMORY = 2 << 30  # bytes of address space; a usual child maps a fifth of it
SECONDS = 120.0  # from one document to the next
_GRACE = 60  # seconds of processor time more, for a child whose parent was killed


class IsolatedLoader:
    """`load_file` in a child process, which is started anew after a file that was too much for it.

        with IsolatedLoader() as loader:
            index.add_files(paths, load=loader)

    To be called from one thread at a time; `close` may come from another, and ends a call with a
    LoadError. The limit on memory holds where the system knows one (not on Windows and macOS).
    """

    def __init__(self, memory: int = MEMORY, seconds: float = SECONDS) -> None:
        self._memory, self._seconds = memory, seconds
        self._child: tuple[BaseProcess, Connection] | None = None
        self._closed = False
        self._guard = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the child; a file it is reading is not read to its end."""
        with self._guard:
            self._closed = True
            if self._child is not None:
                self._child[0].kill()
                self._child[0].join()

    def __call__(
        self,
        path: Path,
        source: str,
        fields: FieldMap = FieldMap(),  # noqa: B008 - it is frozen
        on_error: OnError | None = None,
    ) -> Iterator[Document]:
        """The documents in one file; arguments and errors as of `load_file`.

        Raises:
            LoadError: it takes too much memory or time, or crashes the program that reads it.
        """
        connection = self._connected()
        finished = False
        try:
            connection.send((path.absolute(), source, fields))
            while True:
                if not connection.poll(self._seconds):
                    raise _too_much(source, f"takes more than {self._seconds:.0f} seconds to read")
                kind, value = connection.recv()
                if kind == "document":
                    yield value
                elif kind == "end":
                    finished = True
                    return
                elif kind == "bad record" and on_error is not None:
                    on_error(LoadError(*value))
                else:
                    finished = kind == "error"
                    raise LoadError(*value)
        except (EOFError, OSError) as error:
            raise self._lost(source) from error
        finally:
            if not finished:
                self._abandon()

    def _connected(self) -> Connection:
        with self._guard:
            if self._closed:
                raise LoadError("The loader was closed.")
            if self._child is None:
                context = multiprocessing.get_context("spawn")  # a fork would copy held locks
                ours, theirs = context.Pipe()
                process = context.Process(
                    target=_serve, args=(theirs, self._memory, self._seconds), daemon=True
                )
                process.start()
                theirs.close()
                self._child = process, ours
            return self._child[1]

    def _abandon(self) -> None:
        with self._guard:
            if self._child is not None:
                process, connection = self._child
                process.kill()
                process.join()
                connection.close()
                self._child = None

    def _lost(self, source: str) -> LoadError:
        if self._closed:
            return LoadError(f"{source} was not read to its end: the loader was closed.")
        return _too_much(
            source, f"crashes its reader, or takes more than {self._memory >> 20:,} MiB to read"
        )


def _too_much(source: str, why: str) -> LoadError:
    return LoadError(
        f"{source} {why}.", "Save it again in its own program, in parts if it is very long."
    )


def _serve(connection: Connection, memory: int, seconds: float) -> None:
    """The child: read what is asked for until nobody asks any more."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's business
    _limit_memory(memory)
    with contextlib.suppress(EOFError, ConnectionError):
        while True:
            path, source, fields = connection.recv()
            try:
                _limit_time(seconds)
                for document in load_file(
                    path, source, fields, lambda e: connection.send(("bad record", _parts(e)))
                ):
                    connection.send(("document", document))
                    _limit_time(seconds)
            except MemoryError:
                return
            except LoadError as error:
                if isinstance(error.__cause__, MemoryError):
                    return
                connection.send(("error", _parts(error)))
            else:
                connection.send(("end", None))


def _parts(error: LoadError) -> tuple[str, str]:
    return error.problem, error.next_step


def _limit_memory(size: int) -> None:
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource  # noqa: PLC0415 - not on every system

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_AS, (size, size))


def _limit_time(seconds: float) -> None:
    """End this process after so much more processor time, should the parent no longer do it."""
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource  # noqa: PLC0415 - not on every system

        used = sum(resource.getrusage(resource.RUSAGE_SELF)[:2])
        hard = resource.getrlimit(resource.RLIMIT_CPU)[1]
        resource.setrlimit(resource.RLIMIT_CPU, (int(used + seconds + _GRACE), hard))
