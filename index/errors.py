"""Every error Dateline raises on purpose, each with a code and a next step.

DatelineError
├── UsageError            wrong arguments or settings (exit code 2)
├── LoadError             one file cannot be read; the others still go in
├── IndexNotFoundError    there is no index in that folder
├── IndexLockedError      another process is writing to the index
├── IndexAccessError      the index cannot be written to: permissions, a full disk
├── IndexDamagedError     the catalog itself is unreadable or from another version
├── NothingFoundError     what was to be removed is not in the index
├── SessionNotFoundError  there is no conversation of that id
├── EmbedderError         the embedding model is missing, or not the one the index was built with
├── ReaderError           the reader model is missing or damaged
└── QualityError          an evaluation found less quality than was asked for
"""

from __future__ import annotations


class DatelineError(Exception):
    """Base of all expected errors: what is wrong (`problem`) and what to do (`next_step`)."""

    code = "D000"

    def __init__(self, problem: str, next_step: str = "") -> None:
        self.problem = problem
        self.next_step = next_step
        super().__init__(" ".join(part for part in (problem, next_step) if part))


class UsageError(DatelineError):
    """Wrong arguments or settings."""

    code = "D001"


class LoadError(DatelineError):
    """A file that cannot be turned into documents."""

    code = "D101"


class IndexNotFoundError(DatelineError):
    """No index where one was expected."""

    code = "D201"


class IndexLockedError(DatelineError):
    """A second writer was kept out."""

    code = "D202"


class IndexDamagedError(DatelineError):
    """The catalog, which is the truth, cannot be read."""

    code = "D203"


class IndexAccessError(DatelineError):
    """The index cannot be written to or read, for a reason outside of it."""

    code = "D204"


class NothingFoundError(DatelineError):
    """What was asked to be removed is not in the index."""

    code = "D205"


class SessionNotFoundError(DatelineError):
    """There is no session of that id, or it has expired."""

    code = "D206"


class EmbedderError(DatelineError):
    """The embedding model cannot be loaded or does not fit the index."""

    code = "D301"


class ReaderError(DatelineError):
    """The reader model cannot be loaded."""

    code = "D302"


class QualityError(DatelineError):
    """What was measured is not as good as it has to be."""

    code = "D401"
