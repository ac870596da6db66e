"""What a document is about: who, where and when of its main event.

News tells it first, so candidates are ranked by how early they stand and how they are said, as in
Giveme5W1H (Hamborg, Breitinger and Gipp, INRA 2019); the parts need not stand in one sentence.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date

from index import Hit

from .dates import Timex
from .entities import Names
from .fitting import date_value, passage_timexes
from .occurrences import Occurrence, Part, Sentence, sentences_of
from .places import is_country

LEAD = 14  # sentences looked at, the title among them
CHARACTERS = 150  # of a sentence
EARLY = 0.12  # how much a candidate's weight sinks from sentence to sentence
SAID_TO_BE_THERE = 1.0  # "in Croydon" rather than "Croydon" alone
MENTION = 0.15  # for every time the document names the place
COUNTRY = -0.6  # something finer is usually meant
_NOBODY = frozenset("i me you he him she her it we us they them who".split())


def main_event(hits: Sequence[Hit], names: Callable[[Hit], Names]) -> Occurrence | None:
    """The main event of a document; None if its first sentences tell of nothing.

    Args:
        hits: the document's passages in its order.
        names: the full names in the document of a passage.
    """
    lead = sentences_of(hits, names, LEAD)
    told = [
        occurrence
        for sentence in lead
        for token in sentence.predicates(None)
        if (occurrence := sentence.occurrence(token, anything=True)) and _has_someone(occurrence)
    ]
    if not told:
        return None
    text = "\n".join(hit.chunk.text for hit in hits)
    where = _best([(_place_weight(*place, at, text), place[0]) for at, place in _places(lead)])
    published = hits[0].document.published
    when = _best([(_date_weight(t, at, published), part) for at, part, t in _dates(hits)])
    first = next((one for one in told if one.by_someone), told[0])
    return replace(first, where=where or first.where, when=when or first.when)


def _has_someone(occurrence: Occurrence) -> bool:
    return any(part.text.casefold() not in _NOBODY for part in occurrence.who)


def _places(lead: Sequence[Sentence]) -> list[tuple[int, tuple[Part, bool]]]:
    return [(at, place) for at, sentence in enumerate(lead) for place in sentence.places()]


def _dates(hits: Sequence[Hit]) -> list[tuple[int, Part, Timex]]:
    """The dates of the first passages; where each stands, in sentences of usual length."""
    first = hits[0].chunk.start
    return [
        (
            (hit.chunk.start + timex.start - first) // CHARACTERS,
            Part(hit, timex.start, timex.end, value=date_value([timex])),
            timex,
        )
        for hit in hits
        if hit.chunk.start - first < LEAD * CHARACTERS
        for timex in passage_timexes(hit.chunk.text, hit.document.published)
        if timex.type in ("DATE", "TIME") and timex.first
    ]


def _place_weight(part: Part, there: bool, at: int, text: str) -> float:
    weight = 1 - EARLY * at + SAID_TO_BE_THERE * there
    if is_country(part.text):
        return weight + COUNTRY
    return weight + MENTION * min(6, text.count(part.text))


def _date_weight(timex: Timex, at: int, published: date | None) -> float:
    """Higher for days shortly before the publication, and for earlier sentences."""
    weight = 1 - EARLY * at / 2
    if timex.first is None or timex.last is None:
        return weight - 2
    if published:
        days = (published - timex.last).days
        weight += 1.0 if 0 <= days <= 2 else 0.6 if -1 <= days <= 8 else -0.5
    return weight - 0.5 * ((timex.last - timex.first).days > 0)


def _best(weighed: Sequence[tuple[float, Part]]) -> Part | None:
    return max(weighed, key=lambda pair: pair[0])[1] if weighed else None
