"""An answer in Markdown: in the transcripts of conversations and in the replies of the chat API."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from .answer import Answer, Citation, Event, Mention, grouped

UNKNOWN = "The documents do not say."


def tidy(text: str) -> str:
    """A text on one line."""
    return " ".join(text.split())


class Style(NamedTuple):
    """How an answer is written.

    Attributes:
        words: makes one line of the words of a document or question.
        url_of: where a citation can be looked at; None to name its document without a link.
    """

    words: Callable[[str], str] = tidy
    url_of: Callable[[Citation], str] | None = None


PLAIN = Style()


def told(answer: Answer, style: Style = PLAIN) -> Iterator[str]:
    """The lines that tell an answer, with the numbers of its citations: `[1]`."""
    if answer.understood_as:
        yield from (f"*understood as: {style.words(answer.understood_as)}*", "")
    if answer.clarification:
        yield from (style.words(answer.clarification.question), "")
        for number, choice in enumerate(answer.clarification.choices, 1):
            yield f"{number}. {style.words(choice)}"
        return
    if answer.abstained:
        yield UNKNOWN
        if answer.nearest:
            yield from ("", "Nearest passages:", "")
        for citation in answer.nearest:
            yield _source(str(citation.number), citation, style)
            yield f"  > {_sentence(citation, style)}"
        return
    yield from (_event(event, style) for event in answer.events)
    quoted = {citation.number: citation for citation in answer.citations}
    last = ""
    for span in answer.answers if not answer.events else ():  # else they are an event's parts
        words = style.words(span.text)
        days = span.value.days if span.value else ""
        meant = f" ({days})" if days not in ("", words) else ""
        numbers = "".join(f" [{number}]" for number in span.citations)
        yield f"- **{words}**{meant}{numbers}, {span.confidence:.0%} sure"
        sentence = _sentence(quoted[span.citations[0]], style)
        if sentence not in (words, last):  # once for several spans
            yield f"  > {sentence}"
        last = sentence


def sources(answer: Answer, style: Style = PLAIN) -> Iterator[str]:
    """The lines that say where an answer stands; none where nothing is answered."""
    if not answer.citations:
        return
    yield from ("", "Sources:", "")
    for numbers, citation in grouped(answer.citations):
        yield _source(numbers, citation, style)


def _event(event: Event, style: Style) -> str:
    """`- 2023-09-13 [4], happened: Kim [1], Putin [2]; met; Vladivostok [3]`."""
    when = f"{_part(event.when, style)}, " if event.when else ""
    who = ", ".join(_part(mention, style) for mention in event.who)
    where = _part(event.where, style) if event.where else ""
    parts = filter(None, [who, style.words(event.what), where])
    return f"- {when}{event.status}: {'; '.join(parts)}"


def _part(mention: Mention, style: Style) -> str:
    """A part's words, the name or the days they stand for, and its citation."""
    words = style.words(mention.text)
    meant = (mention.value.days if mention.value else "") or style.words(mention.name or "")
    return f"{words}{f' ({meant})' if meant not in ('', words) else ''} [{mention.citation}]"


def _source(numbers: str, citation: Citation, style: Style) -> str:
    """`- [1, 3] Title – 2023-09-19 – report.pdf, page 7`; without the page for several numbers."""
    page = f", page {citation.page}" if citation.page and numbers.isdigit() else ""
    title = style.words(citation.title)
    if style.url_of:
        title = f"[{title or 'source'}]({style.url_of(citation)})"
    parts = [title, citation.published, f"{style.words(citation.source)}{page}"]
    return f"- [{numbers}] {' – '.join(filter(None, parts))}"


def _sentence(citation: Citation, style: Style) -> str:
    """The sentence or sentences around a citation."""
    first, last = citation.sentences
    return style.words(citation.passage.text[first:last])
