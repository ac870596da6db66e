"""From files to Documents: one loader a family of formats, one registry of suffixes."""

from __future__ import annotations

import stat
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from index.document import Document
from index.errors import LoadError

from . import walking
from .docx import check_docx, load_docx
from .email import load_email
from .encoding import check_text
from .html import load_html
from .pdf import check_pdf, load_pdf
from .records import FieldMap, OnError, load_csv, load_json, load_jsonl
from .text import load_markdown, load_text

__all__ = [
    "RECORD_SUFFIXES",
    "SUPPORTED_SUFFIXES",
    "FieldMap",
    "Loader",
    "check_file",
    "find_files",
    "load_file",
    "require_file",
]

_WHOLE: Mapping[str, Callable[[Path, str], Document]] = {
    "": load_text,
    ".txt": load_text,
    ".text": load_text,
    ".md": load_markdown,
    ".markdown": load_markdown,
    ".html": load_html,
    ".htm": load_html,
    ".xhtml": load_html,
    ".pdf": load_pdf,
    ".docx": load_docx,
    ".eml": load_email,
}
_RECORDS: Mapping[str, Callable[[Path, str, FieldMap, OnError | None], Iterator[Document]]] = {
    ".json": load_json,
    ".jsonl": load_jsonl,
    ".ndjson": load_jsonl,
    ".csv": load_csv,
    ".tsv": load_csv,
}
SUPPORTED_SUFFIXES: frozenset[str] = frozenset(suffix for suffix in (*_WHOLE, *_RECORDS) if suffix)
RECORD_SUFFIXES: frozenset[str] = frozenset(_RECORDS)  # of files that hold many documents

_CHECKS: Mapping[str, Callable[[Path, str], None]] = {".pdf": check_pdf, ".docx": check_docx}

Loader = Callable[[Path, str, FieldMap, OnError | None], Iterator[Document]]  # as `load_file`


def load_file(
    path: Path,
    source: str,
    fields: FieldMap = FieldMap(),  # noqa: B008 - it is frozen
    on_error: OnError | None = None,
) -> Iterator[Document]:
    """The documents in one file, in order; JSON Lines and CSV are streamed.

    Args:
        path: the file; its suffix (in any case) picks the loader, none means plain text.
        source: what to call it: the Document's `source`, and the start of a record's.
        fields: the names of the fields of JSON and CSV records.
        on_error: told of each bad record, which is then skipped; without it the first one is
            raised. An error of the file as a whole is always raised.

    Raises:
        LoadError: the file cannot be read, is no text or document, or holds none.
    """
    suffix = path.suffix.lower()
    try:
        require_file(path, source)
        if suffix in _WHOLE:
            yield _load_whole(path, source, _WHOLE[suffix])
        elif suffix in _RECORDS:
            yield from _RECORDS[suffix](path, source, fields, on_error)
        else:
            raise _unsupported(source, suffix)
    except OSError as error:
        raise LoadError(
            f"{source} cannot be read: {error.strerror or error}.",
            "Check that it exists and that you may read it.",
        ) from error


def _unsupported(source: str, suffix: str) -> LoadError:
    known = ", ".join(sorted(SUPPORTED_SUFFIXES))
    return LoadError(
        f"{source} is of a format ({suffix}) that is not supported.",
        f"Convert it to one of {known}.",
    )


def check_file(path: Path, source: str) -> None:
    """Refuse at a glance a file that `load_file` would refuse for its suffix, size or first bytes.

    Raises:
        LoadError: as `load_file`; that there is none does not mean that the file can be read.
        OSError: it cannot be opened.
    """
    suffix = path.suffix.lower()
    if suffix in _CHECKS:
        _CHECKS[suffix](path, source)
    elif suffix in _WHOLE or suffix in _RECORDS:
        check_text(path, source)
    else:
        raise _unsupported(source, suffix)


def require_file(path: Path, source: str) -> None:
    """Refuse what is no regular file: opening a pipe or a device may wait for ever.

    Raises:
        LoadError: it is a folder, a pipe, a device.
        OSError: it is not there, or may not be looked at.
    """
    mode = path.stat().st_mode
    if stat.S_ISDIR(mode):
        next(path.iterdir(), None)  # a folder that cannot be listed says why
        raise LoadError(f"{source} is a folder.", "Name the files in it, or walk it.")
    if not stat.S_ISREG(mode):
        raise LoadError(f"{source} is not a regular file.", "Leave it out.")


def _load_whole(path: Path, source: str, load: Callable[[Path, str], Document]) -> Document:
    try:
        return load(path, source)
    except (LoadError, OSError):
        raise
    except Exception as error:  # format libraries fail in countless ways; other files must go in
        raise LoadError(
            f"{source} cannot be read: its loader failed ({type(error).__name__}: {error}).",
            "Open it in its own program and save it again; if that does not help, report it.",
        ) from error


def find_files(
    paths: Sequence[Path | str] | Path | str,
    include: Sequence[Path | str] | Path | str = (),
    exclude: Sequence[Path | str] | Path | str = (),
    on_skip: walking.OnSkip | None = None,
) -> Iterator[Path]:
    """The files that `paths` name, each once, folders walked in sorted order.

    A file named outright is always among them, so that it fails with a reason if it must. Inside
    folders only supported suffixes count (files without one if an `include` matches), hidden
    files and folders and index folders, with what was uploaded to them, are left out, and symbolic
    links are followed but never in circles. Paths may be globs; `**` crosses folders. One path or
    glob may be given as it is, without a list around it.

    Args:
        include: globs of which a file inside a folder must match one, on its path relative to
            the folder (`news/**/*.txt`) or, without a slash, on its name (`*.txt`).
        exclude: globs of files and folders to leave out, in the same way.
        on_skip: told of each file inside a folder that is left out for its suffix alone.

    Raises:
        UsageError: one of `paths` does not exist; raised by the call, before any file is found.
    """
    return walking.walk(
        _several(paths), _several(include), _several(exclude), SUPPORTED_SUFFIXES, on_skip
    )


def _several(given: Sequence[Path | str] | Path | str) -> list[str]:
    return [str(one) for one in ([given] if isinstance(given, (str, Path)) else given)]
