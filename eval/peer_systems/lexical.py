"""BM25 alone: rank-bm25, bm25s, and ours without catalog and vectors, as they have none."""

from __future__ import annotations

import importlib
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from index import Analyzer, cachefile
from index.lexical import LexicalIndex

from .peer import ANSWERING, Ability, Passage, Peer, Setup, lacking


class DatelineBm25(Peer):
    """What finds passages by their words in Dateline, on disk in the same form."""

    name = "Dateline, BM25"
    lacks: ClassVar[Mapping[Ability, str]] = lacking("answers are the whole product's", *ANSWERING)

    def __init__(self, setup: Setup) -> None:
        super().__init__(setup)
        self._analyse = Analyzer()
        self._index = LexicalIndex()
        self._ids: list[str] = []

    def index(self, passages: Sequence[Passage]) -> None:
        self._ids = [passage.id for passage in passages]
        terms = (self._analyse(passage.searched) for passage in passages)
        self._index.add(np.arange(len(self._ids)), terms)

    def save(self) -> None:
        cachefile.write(self._file, {"ids": self._ids}, self._index.to_arrays())

    def load(self) -> None:
        stamp, arrays = cachefile.read(self._file)
        self._ids, self._index = stamp["ids"], LexicalIndex.from_arrays(arrays)

    def search(self, query: str, k: int) -> list[str]:
        found, _ = self._index.search(self._analyse(query), k)
        return [self._ids[number] for number in found.tolist()]

    def add(self, passage: Passage) -> None:
        self._index.add([len(self._ids)], [self._analyse(passage.searched)])
        self._ids.append(passage.id)

    def remove(self, passage: Passage) -> None:
        self._index.remove([self._ids.index(passage.id)])

    @property
    def _file(self) -> Path:
        return self.setup.folder / "bm25"


class RankBm25(Peer):
    """BM25Okapi as its README shows it (https://github.com/dorianbrown/rank_bm25).

    It brings no tokenizer, so it gets ours, which stems and leaves out stop words; with the
    README's `split(" ")` it finds a seventh less.
    """

    name = "rank-bm25"
    against = DatelineBm25.name
    requires = ("rank-bm25",)
    lacks: ClassVar[Mapping[Ability, str]] = {
        **lacking("rank_bm25.py has scores of documents and nothing else", *ANSWERING),
        **lacking("rank_bm25.py: everything is computed in BM25.__init__", "add", "remove"),
        "disk": "rank_bm25.py has no method that saves or loads",
    }

    def __init__(self, setup: Setup) -> None:
        super().__init__(setup)
        self._analyse = Analyzer()
        self._ids: list[str] = []
        self._index: Any = None

    def index(self, passages: Sequence[Passage]) -> None:
        from rank_bm25 import BM25Okapi  # noqa: PLC0415

        self._ids = [passage.id for passage in passages]
        self._index = BM25Okapi([self._analyse(passage.searched) for passage in passages])

    def search(self, query: str, k: int) -> list[str]:
        return list(self._index.get_top_n(self._analyse(query), self._ids, n=k))


class Bm25s(Peer):
    """bm25s as its README shows it (https://github.com/xhluca/bm25s): stop words, a stemmer."""

    name = "bm25s"
    against = DatelineBm25.name
    requires = ("bm25s",)
    lacks: ClassVar[Mapping[Ability, str]] = {
        **lacking("bm25s/__init__.py has scores of documents and nothing else", *ANSWERING),
        # The maintainer: every score depends on the number and mean length of all documents.
        **lacking("https://github.com/xhluca/bm25s/issues/5: not possible", "add", "remove"),
    }

    def __init__(self, setup: Setup) -> None:
        super().__init__(setup)
        logging.getLogger("bm25s").setLevel(logging.WARNING)
        import Stemmer  # noqa: PLC0415

        self._library: Any = importlib.import_module("bm25s")
        self._stemmer = Stemmer.Stemmer("english")
        self._index: Any = None

    def index(self, passages: Sequence[Passage]) -> None:
        self._index = self._library.BM25(corpus=[{"id": passage.id} for passage in passages])
        self._index.index(
            self._terms([passage.searched for passage in passages]), show_progress=False
        )

    def save(self) -> None:
        self._index.save(str(self.setup.folder), corpus=self._index.corpus, show_progress=False)

    def load(self) -> None:
        self._index = self._library.BM25.load(str(self.setup.folder), load_corpus=True)

    def search(self, query: str, k: int) -> list[str]:
        k = min(k, len(self._index.corpus))
        found, _ = self._index.retrieve(self._terms(query), k=k, show_progress=False)
        return [record["id"] for record in np.asarray(found)[0].tolist()]

    def _terms(self, texts: str | list[str]) -> Any:  # noqa: ANN401 - its own kind of tokens
        return self._library.tokenize(
            texts, stopwords="en", stemmer=self._stemmer, show_progress=False
        )
