"""From a question as it was understood to candidates: passages found, read and ranked."""

from __future__ import annotations

import time
from collections.abc import Sequence

from index import Filters, Hit, Index
from index.sentences import split

from .answer import Span
from .citing import Citations
from .conversation import Resolution
from .fitting import days_of, fit, published_within, value_of
from .lists import items, people
from .question import Question
from .ranking import Calibration, Candidate, Support, normalise, rank
from .reader import Reader, ReadSpan
from .stages import Found, OnStage, unwatched

SPOKEN_OF = 3  # more passages, of the documents that the last turns of a session cited
TIMELY = 4  # more passages, of stories published about the days that a question names
ALREADY_GIVEN = -6.0  # log-odds of an answer when others than it are asked for


class Finder:
    """Finds passages, reads them and ranks what is read.

    Attributes:
        explain: widen explanations to whole sentences and take lists and groups apart.
        calibration: what orders candidates and says how sure one may be.
    """

    def __init__(self, index: Index, reader: Reader, *, explain: bool) -> None:
        self.index = index
        self.reader = reader
        self.explain = explain
        self.calibration = Calibration(**reader.settings["calibration"])

    def find(
        self,
        question: Question,
        filters: Filters | None,
        top_k: int,
        understood: Resolution | None = None,
        on_stage: OnStage = unwatched,
    ) -> tuple[list[Hit], list[Candidate], dict[str, float]]:
        """The passages for a question, the candidates in them, and milliseconds spent."""
        started = time.perf_counter()
        understood = understood or Resolution(question.text)
        hits = self._hits(question, filters, top_k, understood)
        retrieved = milliseconds(started)
        on_stage(Found(hits))
        started = time.perf_counter()
        candidates = self.read(question, hits, understood)
        return hits, candidates, {"retrieve": retrieved, "read": milliseconds(started)}

    def _hits(
        self, question: Question, filters: Filters | None, top_k: int, understood: Resolution
    ) -> list[Hit]:
        """The passages to read; of a question with dates, also some of stories of those days, of a
        follow-up also some of the documents spoken of.
        """
        context = understood.context if understood.follows else None
        hits = self.index.search(question.read, top_k, filters=filters, context=context)
        days = published_within(question)
        more: list[Hit] = []
        if days and not filters:
            more += self.index.search(question.undated, TIMELY, filters=days)
        if understood.follows and understood.documents and not filters:
            spoken_of = Filters(documents=frozenset(understood.documents))
            more += self.index.search(question.read, SPOKEN_OF, filters=spoken_of)
        known = {hit.chunk.id for hit in hits}
        return hits + list({h.chunk.id: h for h in more if h.chunk.id not in known}.values())

    def read(
        self, question: Question, hits: Sequence[Hit], understood: Resolution | None = None
    ) -> list[Candidate]:
        """The candidates in some passages, best first."""
        passages = [hit.chunk.text for hit in hits]
        readings = self.reader.read(question.read, passages)
        if question.form == "yes/no" or (question.form == "explanation" and self.explain):
            readings = [
                [whole_sentences(text, span) for span in spans]
                for text, spans in zip(passages, readings, strict=True)
            ]
        elif question.is_list and self.explain:
            readings = [
                [item for span in spans for item in items(text, span)]
                for text, spans in zip(passages, readings, strict=True)
            ]
        return rank(
            question.read,
            hits,
            readings,
            self.calibration,
            lambda support: fit(question, support) + _in_play(support, understood),
            preference=lambda support: _spoken_of(support, understood),
            days=days_of if question.slot == "when" else None,
            several=question.is_list and self.explain,
            fuller=question.wants_fullest,
        )

    def spans(self, question: Question, candidate: Candidate, citations: Citations) -> list[Span]:
        """A candidate as shown; of people named together one span each, with the same confidence.

        A support that names them otherwise ("both leaders") bears the first.
        """
        named: list[list[Support]] = []
        for support in candidate.supports:
            found = people(support) if question.slot == "who" and self.explain else [support]
            if len(found) != len(named) and named:
                named[0].append(support)
            elif named:
                for known, one in zip(named, found, strict=True):
                    known.append(one)
            else:
                named = [[one] for one in found]
        return [
            Span(
                text=supports[0].text,
                confidence=round(candidate.confidence, 4),
                slot=question.slot,
                value=value_of(question.slot, supports[0]),
                citations=[citations.add(s.hit, s.start, s.end) for s in supports],
            )
            for supports in named
        ]


def _in_play(support: Support, understood: Resolution | None) -> float:
    """Log-odds for what earlier turns say: for their documents, against answers already given."""
    if understood is None or not understood.follows:
        return 0.0
    given = any(normalise(answer) == normalise(support.text) for answer in understood.excluded)
    return _spoken_of(support, understood) + given * ALREADY_GIVEN


def _spoken_of(support: Support, understood: Resolution | None) -> float:
    """Half of the log-odds for the documents that earlier turns cited.

    It counts in full for the order and by half for the confidence: in full, of seven more answers
    six are wrong.
    """
    if understood is None or not understood.follows:
        return 0.0
    return understood.documents.get(support.place[0], 0.0) / 2


def whole_sentences(text: str, span: ReadSpan) -> ReadSpan:
    """A span widened to the whole sentences that it touches."""
    touched = [(a, b) for a, b in split(text) if a < span.end and span.start < b]
    start, end = touched[0][0], touched[-1][1]
    words = text[start:end]
    start += len(words) - len(words.lstrip())
    return ReadSpan(start, start + len(words.strip()), span.margin)


def milliseconds(started: float) -> float:
    """Since a reading of `time.perf_counter`."""
    return round((time.perf_counter() - started) * 1000, 2)
