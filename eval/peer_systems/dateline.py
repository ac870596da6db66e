"""Dateline itself, as it ships."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from .peer import Passage, Peer, Reply, Setup, Span

if TYPE_CHECKING:
    from index import EmbeddedIndex
    from qa import Answer, Assistant


class Dateline(Peer):
    """The index and the assistant with their defaults. What it writes is on disk when it returns.

    That it does what the peers lack is measured where there is a measure ("dates"); for the rest
    see `dateline eval events` and `dateline eval conversations`.
    """

    name = "Dateline"

    def __init__(self, setup: Setup) -> None:
        super().__init__(setup)
        self._opened: EmbeddedIndex | None = None
        self._assistant: Assistant | None = None

    @property
    def _index(self) -> EmbeddedIndex:
        from index import EmbeddedIndex  # noqa: PLC0415

        if self._opened is None:
            self._opened = EmbeddedIndex.open(self.setup.folder)
        return self._opened

    def warm_up(self) -> None:
        self._index.embedder.embed_query("Loads the model.")

    def index(self, passages: Sequence[Passage]) -> None:
        self._index.add({passage.document.id: passage.document for passage in passages}.values())

    def load(self) -> None:
        from qa import Assistant  # noqa: PLC0415

        self._assistant = Assistant(self._index, explain=not self.setup.bare_spans)

    def search(self, query: str, k: int) -> list[str]:
        hits = self._index.search(query, k)
        return [f"{hit.chunk.document_id}:{hit.chunk.start}" for hit in hits]

    def answer(self, question: str) -> Reply:
        assert self._assistant is not None
        return Reply(tuple(_spans(self._assistant.ask(question))))

    def candidates(self, question: str) -> Sequence[Span]:
        assert self._assistant is not None
        return [
            Span(candidate.text, candidate.confidence)
            for candidate in self._assistant.candidates(question)
        ]

    def add(self, passage: Passage) -> None:
        self._index.add([passage.document])

    def remove(self, passage: Passage) -> None:
        self._index.remove([passage.document.source])

    def close(self) -> None:
        if self._opened is not None:
            self._opened.close()


def _spans(answer: Answer) -> Iterable[Span]:
    citations = {citation.number: citation for citation in answer.citations}
    for span in answer.answers:
        cited = citations[span.citations[0]]
        value = span.value
        yield Span(
            text=span.text,
            confidence=span.confidence,
            place=(cited.document_id, cited.start, cited.end),
            day=value.start if value and value.start == value.end else None,
        )
