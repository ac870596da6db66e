"""Results of the MCP tools as text, for models that see no structured content."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from .answer import Answer, Citation, Event, FoundPassage, Mention, Timeline


def answer_text(answer: Answer) -> str:
    """The answers and their citations, the events, and the sentences they stand in."""
    if answer.clarification:
        return str(answer)
    parts = [f"Understood as: {answer.understood_as}"] if answer.understood_as else []
    parts += [str(answer), _events(answer.events), _places(answer.citations or answer.nearest)]
    return "\n\n".join(filter(None, parts))


def timeline_text(timeline: Timeline) -> str:
    """The events in time order, and the sentences they stand in."""
    if not timeline.events:
        return "No dated events found."
    return f"{_events(timeline.events)}\n\n{_places(timeline.citations, named=True)}"


def hits_text(hits: Sequence[FoundPassage]) -> str:
    """The passages, best first, each under a line that says where it stands."""
    found = [
        f"{number}. {part_heading(hit.title, hit.published, hit.source, hit.start, hit.end)} "
        f"of document {hit.document_id}\n{hit.text}"
        for number, hit in enumerate(hits, 1)
    ]
    return "\n\n".join(found) or "Nothing found."


def part_heading(title: str, published: str | None, source: str, start: int, end: int) -> str:
    """`Title (2024-03-05, news/story.txt), characters 0 to 400`."""
    return f"{title} ({', '.join(filter(None, [published, source]))}), characters {start} to {end}"


def _places(citations: Sequence[Citation], *, named: bool = False) -> str:
    """A line for every sentence: its document, which characters are cited, and its words."""
    lines = []
    for _, group in groupby(citations, key=_sentence_place):
        cited = list(group)
        one = cited[0]
        first, last = one.sentences
        sentence = " ".join(one.passage.text[first:last].split())
        spans = ", ".join(f"[{c.number}] {c.start} to {c.end}" for c in cited)
        name = f"{one.title} ({', '.join(filter(None, [one.published, one.source]))}), "
        lines.append(
            f"{name * named}document {one.document_id}, characters {spans}, in: {sentence}"
        )
    return "\n".join(lines)


def _sentence_place(citation: Citation) -> tuple[str, int, int]:
    first, last = citation.sentences
    return citation.document_id, citation.passage.start + first, citation.passage.start + last


def _events(events: Sequence[Event]) -> str:
    """`2024-05-22 ("May 22") [1] | happened | Anna Berg [1] | met | Oslo [2]`, one a line."""
    return "\n".join(
        " | ".join(
            [
                _dated(event.when) if event.when else "undated",
                event.status,
                ", ".join(_mention(one) for one in event.who) or "-",
                event.what,
                _mention(event.where) if event.where else "-",
            ]
        )
        for event in events
    )


def _mention(mention: Mention) -> str:
    name = f" ({mention.name})" if mention.name and mention.name != mention.text else ""
    return f"{mention.text}{name} [{mention.citation}]"


def _dated(mention: Mention) -> str:
    days = mention.value.days if mention.value else ""
    if not days or days == mention.text:
        return _mention(mention)
    return f'{days} ("{mention.text}") [{mention.citation}]'
