"""The whole path from a question to a cited answer, readable from top to bottom."""

from __future__ import annotations

import time
from dataclasses import replace

from index import Filters, Hit, Index
from index.sentences import split

from .answer import Answer, Citation, Passage, Span
from .question import Question, analyse
from .ranking import Calibration, Candidate, Support, rank
from .reader import Reader, ReadSpan

PASSAGES = 12  # read for a question
ANSWERS = 3  # shown at most
NEAREST = 3  # passages shown when abstaining


class Assistant:
    """Answers questions over an index in the documents' own words.

        answer = Assistant(index).ask("Who met where and when?")

    Attributes:
        explain: answer why, how and describe-questions with whole sentences; switch it off to
            get the reader's bare spans, as SQuAD-style scoring expects.
    """

    def __init__(self, index: Index, reader: Reader | None = None, *, explain: bool = True) -> None:
        self.index = index
        self.reader = reader or Reader()
        self.explain = explain
        self._calibration = Calibration(**self.reader.settings["calibration"])

    @property
    def threshold(self) -> float:
        """The confidence below which nothing is answered."""
        return self._calibration.threshold

    def ask(
        self, question: str, *, filters: Filters | None = None, top_k: int = PASSAGES
    ) -> Answer:
        """The answer to a question, or an honest abstention.

        Args:
            filters: restrict the documents to answer from.
            top_k: passages to read.

        Raises:
            UsageError: the question is empty or too long.
        """
        started = time.perf_counter()
        asked = analyse(question)
        hits, candidates, timings = self._find(asked, filters, top_k)
        told = [c for c in candidates if c.confidence >= self.threshold][:ANSWERS]
        citations = _Citations()
        answers = [self._span(asked, candidate, citations) for candidate in told]
        nearest = _Citations()
        if not told:
            for support in _nearest(hits, candidates):
                nearest.add(support)
        return Answer(
            question=question,
            resolved_question=asked.text,
            abstained=not told,
            answers=answers,
            citations=citations.found,
            nearest=nearest.found,
            timings_ms={**timings, "total": _milliseconds(started)},
        )

    def candidates(
        self, question: str, *, filters: Filters | None = None, top_k: int = PASSAGES
    ) -> list[Candidate]:
        """Every candidate, best first, whatever its confidence: what evaluation looks at."""
        return self._find(analyse(question), filters, top_k)[1]

    def _find(
        self, question: Question, filters: Filters | None, top_k: int
    ) -> tuple[list[Hit], list[Candidate], dict[str, float]]:
        started = time.perf_counter()
        hits = self.index.search(question.text, top_k, filters=filters)
        retrieved = _milliseconds(started)
        started = time.perf_counter()
        passages = [hit.chunk.text for hit in hits]
        readings = self.reader.read(question.text, passages)
        if question.form == "yes/no" or (question.form == "explanation" and self.explain):
            readings = [
                [whole_sentences(text, span) for span in spans]
                for text, spans in zip(passages, readings, strict=True)
            ]
        candidates = rank(question.text, hits, readings, self._calibration)
        return hits, candidates, {"retrieve": retrieved, "read": _milliseconds(started)}

    def _span(self, question: Question, candidate: Candidate, citations: _Citations) -> Span:
        numbers = [citations.add(support) for support in candidate.supports]
        return Span(
            text=candidate.text,
            confidence=round(candidate.confidence, 4),
            slot=question.slot,
            citations=numbers,
        )


class _Citations:
    """Numbers the places that are cited; one place gets one number."""

    def __init__(self) -> None:
        self.found: list[Citation] = []
        self._numbers: dict[tuple[str, int, int], int] = {}

    def add(self, support: Support) -> int:
        """The number of a support's citation, a new one if need be."""
        if support.place not in self._numbers:
            self._numbers[support.place] = len(self.found) + 1
            self.found.append(_citation(len(self.found) + 1, support))
        return self._numbers[support.place]


def _citation(number: int, support: Support) -> Citation:
    chunk, document = support.hit.chunk, support.hit.document
    before = len(chunk.text) - len(chunk.text.lstrip())
    passage = chunk.text.strip()
    start = chunk.start + before
    return Citation(
        number=number,
        document_id=document.id,
        title=document.title,
        source=document.source,
        published=document.published.isoformat() if document.published else None,
        start=chunk.start + support.start,
        end=chunk.start + support.end,
        quote=support.text,
        passage=Passage(start=start, end=start + len(passage), text=passage),
        page=document.page_of(chunk.start + support.start),
    )


def whole_sentences(text: str, span: ReadSpan) -> ReadSpan:
    """A span widened to the whole sentences that it touches."""
    touched = [(a, b) for a, b in split(text) if a < span.end and span.start < b]
    start, end = touched[0][0], touched[-1][1]
    words = text[start:end]
    start += len(words) - len(words.lstrip())
    return ReadSpan(start, start + len(words.strip()), span.margin)


def _nearest(hits: list[Hit], candidates: list[Candidate]) -> list[Support]:
    """The sentence of the best candidate in each of the nearest passages."""
    best: dict[int, Support] = {}
    for candidate in candidates:
        for support in candidate.supports:
            best.setdefault(support.hit.chunk.id, support)
    nearest = [best[hit.chunk.id] for hit in hits if hit.chunk.id in best][:NEAREST]
    return [
        replace(s, start=wide.start, end=wide.end)
        for s in nearest
        for wide in [whole_sentences(s.hit.chunk.text, ReadSpan(s.start, s.end, s.margin))]
    ]


def _milliseconds(started: float) -> float:
    return round((time.perf_counter() - started) * 1000, 2)
