"""The records every face shows; their JSON is the product's contract."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from pydantic import BaseModel, Field, computed_field

from index import Hit
from index.sentences import split

Status = Literal["happened", "planned", "possible", "denied", "cancelled"]


class Value(BaseModel):
    """What an answer means: a date or interval (ISO 8601 days), or a number with its unit."""

    type: str = Field(description="date, duration, set or number")
    start: str | None = Field(default=None, description="first day, ISO 8601")
    end: str | None = Field(default=None, description="last day, ISO 8601")
    text: str = Field(description="the value as TimeML writes it; of a number, the words")

    @property
    def days(self) -> str:
        """The day or the interval that it stands for, if it does."""
        if not (self.start and self.end):
            return ""
        return self.start if self.start == self.end else f"{self.start} to {self.end}"


class Passage(BaseModel):
    """A passage around a cited span; offsets are characters into the document's text."""

    start: int = Field(description="first character")
    end: int = Field(description="character after the last")
    text: str = Field(description="the passage, verbatim")


class Citation(BaseModel):
    """Where a span stands: `document.text[start:end] == quote`."""

    number: int = Field(description="1-based, in the order of first use")
    document_id: str = Field(description="id of the document")
    title: str = Field(description="title of the document")
    source: str = Field(description="where the document came from: a path, or path#record")
    published: str | None = Field(description="publication date of the document, ISO 8601")
    start: int = Field(description="first character of the quote in the document's text")
    end: int = Field(description="character after the last")
    quote: str = Field(description="the words, verbatim")
    passage: Passage = Field(description="what stands around them")
    page: int | None = Field(description="1-based page, for paged documents")

    @computed_field  # type: ignore[prop-decorator]
    @property
    def sentences(self) -> tuple[int, int]:
        """Where in the passage's text the sentence or sentences around the span are."""
        start, end = self.start - self.passage.start, self.end - self.passage.start
        touched = [(a, b) for a, b in split(self.passage.text) if a < end and start < b]
        return touched[0][0], touched[-1][1]


class Span(BaseModel):
    """One answer: verbatim text, how sure we are of it, and the citations that bear it."""

    text: str = Field(description="the words, verbatim")
    confidence: float = Field(ge=0, le=1, description="how likely it is that they are right")
    slot: str | None = Field(description="what it answers: who, where, when, how many ...")
    name: str | None = Field(default=None, description="the full name a mention stands for")
    value: Value | None = Field(default=None, description="the date or number that it means")
    citations: list[int] = Field(description="numbers of the citations, best first")


class Mention(BaseModel):
    """A cited part of an event."""

    text: str = Field(description="the words, verbatim")
    name: str | None = Field(default=None, description="the full name they stand for")
    value: Value | None = Field(default=None, description="the date or interval that they mean")
    citation: int = Field(description="number of the citation that bears it")


class Event(BaseModel):
    """Who did what, where and when, and whether it happened."""

    what: str = Field(description="the word that tells of it")
    status: Status = Field(description="whether it happened, as the text says")
    who: list[Mention] = Field(description="who took part")
    where: Mention | None = Field(default=None, description="the place")
    when: Mention | None = Field(default=None, description="the day or interval")


class Clarification(BaseModel):
    """What is asked back where a follow-up may mean several things."""

    question: str = Field(description="what is asked back")
    choices: list[str] = Field(description="what may be meant")


class Answer(BaseModel):
    """The reply to a question: answers best first, or an abstention with the nearest passages."""

    question: str = Field(description="as it was asked")
    resolved_question: str = Field(description="as it was understood: made whole, slips put right")
    abstained: bool = Field(description="whether the documents do not say")
    answers: list[Span] = Field(description="the answers, best first")
    events: list[Event] = Field(
        default=[], description="of a compound question, the events it asks about, in time order"
    )
    citations: list[Citation] = Field(description="where the answers and events stand")
    nearest: list[Citation] = Field(
        default=[], description="where nothing was answered, the passages that come nearest"
    )
    clarification: Clarification | None = Field(
        default=None,
        description="asked back instead of answering, in a session; else the field is absent",
        exclude_if=lambda clarification: clarification is None,
    )
    timings_ms: dict[str, float] = Field(
        description="milliseconds spent, by stage: resolve, retrieve, read, events, total"
    )

    @property
    def understood_as(self) -> str:
        """The question that was answered, if it is not in the words that were asked."""
        resolved = " ".join(self.resolved_question.split())
        return resolved if resolved != " ".join(self.question.split()) else ""

    def __str__(self) -> str:
        """The words, then numbered citations."""
        if self.clarification:
            return self.clarification.question
        if self.abstained:
            near = [f"  {c.title} ({c.source})" for c in self.nearest]
            return "\n".join(["The documents do not say.", *(["Nearest:", *near] if near else [])])
        lines = [f"{a.text} {''.join(f'[{n}]' for n in a.citations)}" for a in self.answers]
        lines += [
            f"[{numbers}] {c.title} ({', '.join(filter(None, [c.published, c.source]))})"
            for numbers, c in grouped(self.citations)
        ]
        return "\n".join(lines)


class Timeline(BaseModel):
    """The dated events about a query, in time order, with their citations."""

    query: str = Field(description="as it was given")
    events: list[Event] = Field(description="the events, in time order")
    citations: list[Citation] = Field(description="where they stand")


def grouped(citations: Sequence[Citation]) -> list[tuple[str, Citation]]:
    """Citations for a list: those of one document together, "1, 3–5" with its first."""
    documents: dict[str, list[Citation]] = {}
    for citation in citations:
        documents.setdefault(citation.document_id, []).append(citation)
    return [(_ranges([c.number for c in group]), group[0]) for group in documents.values()]


def _ranges(numbers: Sequence[int]) -> str:
    """Rising numbers in short: "1, 3–5"."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return ", ".join(f"{r[0]}–{r[-1]}" if len(r) > 1 else str(r[0]) for r in runs)


class FoundPassage(BaseModel):
    """A search result."""

    document_id: str = Field(description="id of the document")
    title: str = Field(description="title of the document")
    source: str = Field(description="where the document came from: a path, or path#record")
    published: str | None = Field(description="publication date of the document, ISO 8601")
    place: str | None = Field(description="place of the document's dateline")
    start: int = Field(description="first character in the document's text")
    end: int = Field(description="character after the last")
    text: str = Field(description="the passage, verbatim")
    page: int | None = Field(description="1-based page, for paged documents")
    score: float = Field(description="what the passages are ordered by")
    scores: dict[str, float] = Field(description="what each retriever gave, by retriever")


def hit_record(hit: Hit) -> FoundPassage:
    """A hit as every face shows it."""
    chunk, document = hit.chunk, hit.document
    return FoundPassage(
        document_id=document.id,
        title=document.title,
        source=document.source,
        published=document.published.isoformat() if document.published else None,
        place=document.place,
        start=chunk.start,
        end=chunk.end,
        text=chunk.text,
        page=document.page_of(chunk.start),
        score=hit.score,
        scores=dict(hit.scores),
    )
