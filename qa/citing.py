"""Citations: the numbered places of a reply, and the records that point to them."""

from __future__ import annotations

from index import Hit

from .answer import Citation, Event, Mention, Passage, Span
from .occurrences import Occurrence, Part


class Citations:
    """Numbers the places that are cited; one place gets one number."""

    def __init__(self) -> None:
        self.found: list[Citation] = []
        self._numbers: dict[tuple[str, int, int], int] = {}

    def add(self, hit: Hit, start: int, end: int) -> int:
        """The number of the place `hit.chunk.text[start:end]`, a new one if need be."""
        place = (hit.chunk.document_id, hit.chunk.start + start, hit.chunk.start + end)
        if place not in self._numbers:
            self._numbers[place] = len(self.found) + 1
            self.found.append(_citation(len(self.found) + 1, hit, start, end))
        return self._numbers[place]


def _citation(number: int, hit: Hit, start: int, end: int) -> Citation:
    chunk, document = hit.chunk, hit.document
    before = len(chunk.text) - len(chunk.text.lstrip())
    passage = chunk.text.strip()
    first = chunk.start + before
    return Citation(
        number=number,
        document_id=document.id,
        title=document.title,
        source=document.source,
        published=document.published.isoformat() if document.published else None,
        start=chunk.start + start,
        end=chunk.start + end,
        quote=chunk.text[start:end],
        passage=Passage(start=first, end=first + len(passage), text=passage),
        page=document.page_of(chunk.start + start),
    )


def event_record(event: Occurrence, citations: Citations) -> Event:
    """An event as every face shows it, its parts cited."""
    return Event(
        what=event.what.text,
        status=event.status,
        who=[_mention(part, citations) for part in event.who],
        where=_mention(event.where, citations) if event.where else None,
        when=_mention(event.when, citations) if event.when else None,
    )


def event_span(slot: str, part: Part, confidence: float, citations: Citations) -> Span:
    """A part of an event as the answer to a slot."""
    return Span(
        text=part.text,
        confidence=confidence,
        slot=slot,
        name=part.name,
        value=part.value,
        citations=[citations.add(part.hit, part.start, part.end)],
    )


def _mention(part: Part, citations: Citations) -> Mention:
    return Mention(
        text=part.text,
        name=part.name,
        value=part.value,
        citation=citations.add(part.hit, part.start, part.end),
    )
