"""The records every part of Dateline passes around.

Offsets are characters (Python `str` indices) into `Document.text`. They are born at loading and
carried through; nothing in Dateline recovers an offset by searching for a string.
"""

from __future__ import annotations

import bisect
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import TypeAlias

from .errors import UsageError

LONGEST_GLOB = 4096  # characters, as the longest path; SQLite refuses ten times as many
Json: TypeAlias = "str | int | float | bool | list[Json] | dict[str, Json] | None"


def document_id(source: str) -> str:
    """The stable id of the document that lives at `source`: 16 hex digits of its SHA-256."""
    return hashlib.sha256(source.encode("utf-8", "surrogatepass")).hexdigest()[:16]


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentInfo:
    """What is known of a document without its text.

    Attributes:
        source: where it came from, as shown to people: a path, or `path#record` for a record of a
            file that holds several.
        published: publication date the document itself states, or None; never a file's mtime.
        place: place of the news dateline ("SEOUL"), or None.
        language: ISO 639-1 code if the document states one, or None.
        metadata: whatever else the format offered (author, url, from, to, ...), JSON values only.
        pages: for paged formats, the offset at which each page starts (first is 0); else empty.
    """

    id: str
    source: str
    title: str
    published: date | None = None
    place: str | None = None
    language: str | None = None
    metadata: Mapping[str, Json] = field(default_factory=dict)
    pages: tuple[int, ...] = ()

    def page_of(self, offset: int) -> int | None:
        """The 1-based page on which character `offset` stands, or None for unpaged documents."""
        return bisect.bisect_right(self.pages, offset) if self.pages else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Document(DocumentInfo):
    """A document with its full text; line endings are already normalised to a single newline."""

    text: str

    @property
    def text_hash(self) -> str:
        """Hash of the text alone: equal for exact duplicates, whatever their source."""
        return hashlib.sha256(self.text.encode("utf-8", "surrogatepass")).hexdigest()


@dataclass(frozen=True, slots=True)
class Chunk:
    """A passage: `document.text[start:end] == text`, always. `id` is unique for ever."""

    id: int
    document_id: str
    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class Hit:
    """A passage found for a query. `score` orders hits; `scores` holds its parts by retriever."""

    chunk: Chunk
    document: DocumentInfo
    score: float
    scores: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Filters:
    """Restrictions on the documents a search may answer from; all must hold.

    Attributes:
        after, before: publication date bounds, both inclusive; undated documents never match.
        source: glob on the source, as SQLite's GLOB: `*`, `?`, `[...]`, `[^...]`.
        metadata: values that the document's metadata must have, by key; equal as in Python.
        documents: ids, of which the document must have one; any document if there are none.
        words: each must occur in the title or the source, in any case, in part of a word too.

    Raises:
        UsageError: a glob that is longer than any path, or as many words.
    """

    after: date | None = None
    before: date | None = None
    source: str | None = None
    metadata: Mapping[str, Json] = field(default_factory=dict)
    documents: frozenset[str] = frozenset()
    words: str | None = None

    def __post_init__(self) -> None:
        if max(len(self.source or ""), len(self.words or "")) > LONGEST_GLOB:
            raise UsageError(f"A filter has more than {LONGEST_GLOB} characters.")

    def __bool__(self) -> bool:
        return any(getattr(self, name) for name in self.__dataclass_fields__)
