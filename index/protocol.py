"""What an index is, whatever it is kept in.

`tests/index_conformance.py` holds every implementation to it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, get_args

from .document import Document, DocumentInfo, Filters, Hit
from .embedding import DEFAULT_EMBEDDER
from .errors import UsageError
from .fusion import FUSIONS
from .ingest import IndexReport, OnProgress
from .lexical import K1, B
from .sessions import SessionStore

Mode = Literal["hybrid", "dense", "bm25"]
MODES: tuple[Mode, ...] = get_args(Mode)


@dataclass(frozen=True, slots=True)
class IndexSettings:
    """How an index is built, fixed at its creation, and how it is searched.

    Attributes:
        embedder: the default model's name, or the path of a sentence-transformers model.
        chunk_tokens: most tokens of a passage, its context included; never over the model's own.
        overlap: tokens of whole sentences that a passage shares with the one before.
        stem, stop_words: lexical analysis (see `Analyzer`).
        k1, b: BM25's saturation of repeated terms, and how much a passage's length counts.
        fusion: how the two rankings become one, `minmax` or `rrf`.
        dense_weight: weight of the dense ranking in fusion; BM25 has the rest.
    """

    embedder: str = DEFAULT_EMBEDDER
    chunk_tokens: int = 256
    overlap: int = 32
    stem: bool = True
    stop_words: bool = True
    k1: float = K1
    b: float = B
    fusion: str = "minmax"
    dense_weight: float = 0.5

    def __post_init__(self) -> None:
        if self.fusion not in FUSIONS:
            raise UsageError(f"There is no fusion {self.fusion!r}.", f"Use {', '.join(FUSIONS)}.")
        if self.chunk_tokens < 32 or not 0 <= self.overlap <= self.chunk_tokens // 2:
            raise UsageError(
                "A chunk needs at least 32 tokens and an overlap of at most half of them."
            )
        if not 0 <= self.dense_weight <= 1:
            raise UsageError("The dense weight lies between 0 and 1.")
        if not (0 <= self.k1 < math.inf and 0 <= self.b <= 1):
            raise UsageError("BM25's k1 is at least 0, its b lies between 0 and 1.")


@dataclass(frozen=True, slots=True)
class Stats:
    """An index in numbers; sizes in bytes on disk."""

    documents: int
    chunks: int
    dated: int
    first_published: str | None
    last_published: str | None
    generation: int
    created: str
    bytes: dict[str, int]
    settings: IndexSettings


class Index(Protocol):
    """Documents in, passages out. Methods may be called from several threads.

    What is added or removed is searched as soon as the method returns, and search does not depend
    on how the documents came to be there.
    """

    def add(
        self, documents: Iterable[Document], on_progress: OnProgress | None = None
    ) -> IndexReport:
        """Add documents, or replace those with the same id; what is unchanged is left alone.

        Raises:
            IndexLockedError: another process is writing.
            UsageError: two documents of different ids have the same source.
        """
        ...

    def remove(self, sources: Iterable[str]) -> list[str]:
        """Remove documents by source: one document, all records of a file, or a whole folder.

        Returns:
            the sources of the removed documents; empty if nothing matched.

        Raises:
            IndexLockedError: another process is writing.
        """
        ...

    def remove_documents(self, ids: Iterable[str]) -> list[str]:
        """Remove exactly the documents of these ids; unknown ones are passed over.

        Returns:
            the sources of the removed documents.

        Raises:
            IndexLockedError: another process is writing.
        """
        ...

    def search(
        self,
        query: str,
        top_k: int = 10,
        *,
        mode: Mode = "hybrid",
        filters: Filters | None = None,
        context: Mapping[str, float] | None = None,
    ) -> list[Hit]:
        """The best passages for a query, best first.

        Args:
            context: words said before, with a factor for the contribution of each to BM25's score;
                those of the query itself have 1.

        Passages with exactly the same words from duplicate documents are returned once. A hit's
        `score` is the fused one; its `scores` are BM25 ("bm25", 0 if not among its best) and the
        cosine ("dense"), as far as the mode uses them.

        Raises:
            UsageError: an unknown mode.
        """
        ...

    def frequencies(self, words: Sequence[str]) -> list[int]:
        """Of each word, how many passages hold it in any inflection; 0 for stop words."""
        ...

    def get(self, document_id: str) -> Document | None:
        """A document with its text, or None."""
        ...

    def documents(
        self, filters: Filters | None = None, limit: int = -1, offset: int = 0
    ) -> list[DocumentInfo]:
        """Documents without their texts, by source; `limit` -1 means all."""
        ...

    def count(self, filters: Filters | None = None) -> int:
        """How many documents `documents` would list without a limit."""
        ...

    def stats(self) -> Stats:
        """The index in numbers."""
        ...

    @property
    def sessions(self) -> SessionStore:
        """The conversations about the documents; a writer at work is no hindrance."""
        ...

    def close(self) -> None:
        """Release files and models; the object cannot be used afterwards."""
        ...
