"""Where in an index the documents and passages lie that questions say should be found."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from index import Chunk, Index

from .answers import same_source
from .questions import GoldQuestion

QUOTED = 60  # characters of a quote in a message


class Place(NamedTuple):
    """Where a quote stands; offsets are characters of the document's text."""

    document: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Gold:
    """What should be found for a question.

    Attributes:
        documents: ids of the documents that answer it: its sources, else those of its passages.
        passages: where its quotes stand.
        missing: its sources and quotes that the index does not have, as a message names them.
    """

    documents: frozenset[str]
    passages: tuple[Place, ...]
    missing: tuple[str, ...]

    def has_passage(self, chunk: Chunk) -> bool:
        """Whether a chunk and one of the quotes share at least half of the shorter of the two."""
        return any(
            chunk.document_id == place.document
            and 2 * (min(chunk.end, place.end) - max(chunk.start, place.start))
            >= min(chunk.end - chunk.start, place.end - place.start)
            for place in self.passages
        )


def find_gold(index: Index, questions: Sequence[GoldQuestion]) -> dict[str, Gold]:
    """What should be found for each question, by its id.

    Quotes are looked for in the question's sources or, without any, in all documents; their white
    space may differ.
    """
    infos = index.documents()
    sources = [
        {s: {info.id for info in infos if same_source(info.source, s)} for s in question.sources}
        for question in questions
    ]
    allowed = [set[str]().union(*named.values()) for named in sources]
    quotes = [{quote: _pattern(quote) for quote in question.passages} for question in questions]
    places: list[dict[str, list[Place]]] = [{quote: [] for quote in group} for group in quotes]
    for info in infos:
        looking = [
            n
            for n, group in enumerate(quotes)
            if group and (not sources[n] or info.id in allowed[n])
        ]
        document = index.get(info.id) if looking else None
        if document is None:
            continue
        for n in looking:
            for quote, pattern in quotes[n].items():
                for match in pattern.finditer(document.text):
                    places[n][quote].append(Place(info.id, *match.span()))
    return {
        question.id: _gold(allowed[n], sources[n], places[n])
        for n, question in enumerate(questions)
    }


def _gold(
    allowed: set[str], sources: Mapping[str, set[str]], places: Mapping[str, Sequence[Place]]
) -> Gold:
    found = tuple(place for group in places.values() for place in group)
    return Gold(
        documents=frozenset(allowed if sources else {place.document for place in found}),
        passages=found,
        missing=(
            *(f"document {source!r}" for source, ids in sources.items() if not ids),
            *(f"passage {_short(quote)!r}" for quote, group in places.items() if not group),
        ),
    )


def _pattern(quote: str) -> re.Pattern[str]:
    return re.compile(r"\s+".join(map(re.escape, quote.split())))


def _short(quote: str) -> str:
    return textwrap.shorten(quote, QUOTED, placeholder="…")
