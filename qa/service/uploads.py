"""Uploaded files: received within limits, kept in the folder `uploads` of the index.

A file first goes to a place of its upload's own, `uploads/.incoming/ID`, and comes to its name only
when the job that indexes it runs (`publish`). So a file of that name that is there already stays
until then, and an upload that breaks off, or is cancelled, leaves nothing.
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import shutil
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, NamedTuple

import filelock

from index import Filters, Index
from index.errors import IndexAccessError, LoadError
from index.loading import SUPPORTED_SUFFIXES, check_file

from .refusal import RefusedError

FOLDER = "uploads"
_BLOCK = 1 << 20
_LONGEST_NAME = 200  # bytes of UTF-8; file systems end at 255
# Not in a name: what Windows refuses, and "#", which parts a file from a record in a source.
_FORBIDDEN = re.compile(r'[<>:"|?*#]')
_RESERVED = re.compile(r"(?:CON|PRN|AUX|NUL|CLOCK\$|COM[0-9¹²³]|LPT[0-9¹²³])(?=\s*\.|\s*$)", re.I)
_JOINERS = "\u200c\u200d"  # format characters that Persian and Indic words are spelt with
# Windows drops dots and spaces, a dot in front hides a file, "~$" is how Word calls its locks.
_EDGES = re.compile(rf"^(?:[ .{_JOINERS}]|~\$)+|[ .{_JOINERS}]+$")


@dataclass(frozen=True, slots=True)
class UploadLimits:
    """What is taken; sizes in bytes."""

    files: int = 100  # of one request
    file_bytes: int = 64 << 20
    request_bytes: int = 256 << 20
    json_bytes: int = 32 << 20  # of documents sent as JSON, which are held in memory
    kept_bytes: int = 10 << 30  # of all uploaded files together


class UploadedFile(NamedTuple):
    """A received file under the name it will have; `size` in bytes."""

    name: str
    size: int


def safe_name(name: str) -> str:
    r"""A plain file name for whatever a client calls its file; doing it twice changes nothing.

    Only the part after the last `/` or `\` counts. Control characters, marks that turn the
    direction of writing and everything else invisible go; characters and names that some file
    system reserves are changed, dots and spaces around it taken off, the middle of a long name cut
    out. The text is in Unicode's normal form C.
    """
    name = unicodedata.normalize("NFC", name.replace("\\", "/").rpartition("/")[2])
    name = "".join(c for c in name if c in _JOINERS or unicodedata.category(c)[0] != "C")
    name = " ".join(unicodedata.normalize("NFC", _FORBIDDEN.sub("_", name)).split())
    name = _EDGES.sub("", name)
    if _RESERVED.match(name):
        name = f"_{name}"
    stem, dot, suffix = name.rpartition(".")
    if len(name.encode()) > _LONGEST_NAME:
        ending = f"{dot}{suffix}" if len(suffix) <= 16 and stem else ""
        room = _LONGEST_NAME - len(ending.encode())
        name = name.removesuffix(ending).encode()[:room].decode("utf-8", "ignore") + ending
        return safe_name(name)
    return name or "unnamed"


class Uploads:
    """The uploaded files of the index in a folder."""

    def __init__(self, index_folder: Path, limits: UploadLimits | None = None) -> None:
        self.folder = index_folder / FOLDER
        self.limits = limits or UploadLimits()
        self._incoming = self.folder / ".incoming"

    @contextlib.contextmanager
    def receive(self) -> Iterator[Parcel]:
        """A place for the files of one upload, removed with all in it if an error is raised.

        Raises:
            IndexAccessError: the folder cannot be written to, or the disk is full.
        """
        id_ = secrets.token_hex(8)
        try:
            self._incoming.mkdir(parents=True, exist_ok=True)
            with filelock.FileLock(self._lock_of(id_)):  # held by a living upload: see `sweep`
                place = self._incoming / id_
                place.mkdir()
                try:
                    yield Parcel(id_, place, self)
                except BaseException:
                    shutil.rmtree(place, ignore_errors=True)
                    raise
                finally:
                    self._lock_of(id_).unlink(missing_ok=True)
        except OSError as error:
            raise IndexAccessError(
                f"{self.folder} cannot be written to: {error.strerror or error}.",
                "Check its permissions and the space on its disk.",
            ) from error

    def publish(self, id_: str) -> None:
        """Bring the files of an upload to their names, over those that had them before.

        It may break off at any point and be repeated. The caller keeps others from writing.
        """
        place = self._incoming / id_
        if place.is_dir():
            for file in sorted(place.iterdir()):
                os.replace(file, self.folder / file.name)
            _sync_folder(self.folder)
            place.rmdir()

    def discard(self, id_: str) -> None:
        """Remove the files of an upload that is not to be published."""
        shutil.rmtree(self._incoming / id_, ignore_errors=True)

    def sweep(self, wanted: Callable[[str], bool]) -> None:
        """Remove what broken uploads have left, of any process; `wanted` knows the ids to keep."""
        if not self._incoming.is_dir():
            return
        for id_ in {entry.name.removesuffix(".lock") for entry in self._incoming.iterdir()}:
            lock = filelock.FileLock(self._lock_of(id_), timeout=0)
            with contextlib.suppress(filelock.Timeout), lock:
                if not wanted(id_):
                    self.discard(id_)
                self._lock_of(id_).unlink(missing_ok=True)

    def files(self) -> list[Path]:
        """The published files, by name."""
        if not self.folder.is_dir():
            return []
        return sorted(
            file for file in self.folder.iterdir() if file.is_file() and file.name[0] != "."
        )

    def paths(self, names: list[str]) -> list[Path]:
        """The published files of these names; those that are gone are left out."""
        return [path for name in names if (path := self.folder / name).is_file()]

    def remove(self, name: str) -> None:
        """Remove a published file, if it is there."""
        (self.folder / name).unlink(missing_ok=True)

    def name_of(self, source: str) -> str | None:
        """The name of the uploaded file a document comes from, by its source; None if from none."""
        folder, _, name = source.partition("/")
        name = name.partition("#")[0]
        if folder != FOLDER or not name or name != safe_name(name):
            return None
        return name if (self.folder / name).is_file() else None

    def kept(self) -> int:
        """The size of all files in the folder, published or not, in bytes.

        Other uploads come and go meanwhile: what has gone counts nothing.
        """
        size = 0
        for folder, _, names in os.walk(self.folder):  # unlike `rglob`, passes over what has gone
            for name in names:
                with contextlib.suppress(FileNotFoundError):
                    size += Path(folder, name).stat().st_size
        return size

    def _lock_of(self, id_: str) -> Path:
        return self._incoming / f"{id_}.lock"


def documents_of(index: Index, name: str) -> int:
    """How many documents the index holds of the uploaded file of that name."""
    source = f"{FOLDER}/{name}".replace("[", "[[]")
    return sum(index.count(Filters(source=glob)) for glob in (source, f"{source}#*"))


class Parcel:
    """The files of one upload, on their way in."""

    def __init__(self, id_: str, place: Path, uploads: Uploads) -> None:
        self.id = id_
        self.files: list[UploadedFile] = []
        self._place, self._uploads = place, uploads
        self._room = uploads.limits.kept_bytes - uploads.kept()

    def add(self, name: str, content: BinaryIO) -> UploadedFile:
        """Take a file in; it is on the disk when this returns.

        Raises:
            RefusedError: 413, it is too large; 415, its format is not supported, or not what its
                name says; 422, the upload has a file of that name; 507, the folder is full.
            OSError: it cannot be written.
        """
        name = safe_name(name)
        if Path(name).suffix.lower() not in SUPPORTED_SUFFIXES:
            known = ", ".join(sorted(SUPPORTED_SUFFIXES))
            raise RefusedError(415, f"{name} is of no supported format.", f"Send one of {known}.")
        path = self._place / name
        if path.exists():
            raise RefusedError(
                422, f"Two files are called {name}.", "Give them different names, without folders."
            )
        size = self._write(path, content)
        try:
            check_file(path, name)
        except LoadError as error:
            raise RefusedError(415, error.problem, error.next_step) from error
        self.files.append(UploadedFile(name, size))
        return self.files[-1]

    def _write(self, path: Path, content: BinaryIO) -> int:
        limit, size = self._uploads.limits.file_bytes, 0
        with path.open("xb") as file:
            while block := content.read(_BLOCK):
                size += len(block)
                if size > limit:
                    raise RefusedError(
                        413,
                        f"{path.name} is larger than {limit >> 20:,} MiB.",
                        "Split it, or index it on the server: dateline index FILE",
                    )
                if size > self._room:
                    raise RefusedError(
                        507,
                        "There is no room for more uploaded files.",
                        "Delete documents that are no longer needed, or raise the limit.",
                    )
                file.write(block)
            file.flush()
            os.fsync(file.fileno())
        self._room -= size
        return size

    def seal(self) -> None:
        """See to it that the received files are found after a loss of power."""
        _sync_folder(self._place)
        _sync_folder(self._place.parent)


def _sync_folder(folder: Path) -> None:
    """Bring a folder's entries to the disk; Windows cannot, and does it by itself."""
    with contextlib.suppress(PermissionError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
