"""The whole path from a question to a cited answer, readable from top to bottom."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from index import Filters, Hit, Index

from .answer import Answer, Clarification, Timeline
from .citing import Citations, event_record
from .clarifying import asked_back
from .conversation import Resolution, understand
from .event_answers import EVENT_PASSAGES, EventAnswers, part_of
from .events import find_timeline
from .finding import Finder, milliseconds, whole_sentences
from .occurrences import Occurrence
from .question import analyse
from .ranking import Candidate, Support
from .reader import Reader, ReadSpan
from .sessions import PassageRef, Sessions, Turn, days_kept
from .spelling import meant
from .stages import OnStage, Understood, unwatched
from .syntax import pipeline

PASSAGES = 12  # read for a question
TURNS = 12  # of a session that are looked at
ANSWERS = 3  # shown at most
LISTED = 12  # likewise, to a question for a list
NEAREST = 3  # passages shown when abstaining


class Assistant:
    """Answers questions over an index in the documents' own words.

        answer = Assistant(index).ask("Who met where and when?")

    Args:
        explain: answer why, how and describe-questions with whole sentences, and questions for a
            list item by item; switch it off to get the reader's bare spans, as SQuAD-style scoring
            expects.
    """

    def __init__(self, index: Index, reader: Reader | None = None, *, explain: bool = True) -> None:
        self.index = index
        self.reader = reader or Reader()
        self.sessions = Sessions(index.sessions, days_kept())
        self._finder = Finder(index, self.reader, explain=explain)
        self._events = EventAnswers(self._finder)

    @property
    def threshold(self) -> float:
        """The confidence below which nothing is answered."""
        return self._finder.calibration.threshold

    def warm_up(self) -> None:
        """Load all models now instead of at the first question that needs them.

        Raises:
            DatelineError: one of them cannot be loaded.
        """
        self.reader.read("Who met?", ["Nobody met."])  # an empty index gives it nothing to read
        pipeline()
        self.ask("Who met where and when?")

    def ask(
        self,
        question: str,
        *,
        session: str | None = None,
        history: Sequence[Turn] = (),
        resolve: bool = True,
        filters: Filters | None = None,
        top_k: int = PASSAGES,
        on_stage: OnStage = unwatched,
    ) -> Answer:
        """The answer to a question, or an honest abstention.

        Args:
            session: the id of a session; the question may follow on its turns, and becomes one.
            history: turns that it may follow on where there is no session; they are kept nowhere.
            resolve: whether to look at those turns to understand the question.
            filters: restrict the documents to answer from.
            top_k: passages to read.
            on_stage: is told how far it has come.

        Raises:
            UsageError: the question is empty or too long.
            SessionNotFoundError: there is no such session.
        """
        started = time.perf_counter()
        spelt = self._spelt(question)
        understood = Resolution(spelt)
        timings: dict[str, float] = {}
        if session is not None or history:
            turns = history if session is None else self.sessions.turns(session, last=TURNS)
            if resolve:
                understood = understand(spelt, turns)
            timings["resolve"] = milliseconds(started)
        answer, hits = self._first_answer(question, understood, filters, top_k, on_stage)
        answer.timings_ms = {**timings, **answer.timings_ms, "total": milliseconds(started)}
        if session is not None:
            self.sessions.add(session, question, answer, [_reference(hit) for hit in hits])
        return answer

    def _spelt(self, question: str) -> str:
        return meant(analyse(question).text, self.index.frequencies)

    def _first_answer(
        self,
        question: str,
        understood: Resolution,
        filters: Filters | None,
        top_k: int,
        on_stage: OnStage,
    ) -> tuple[Answer, list[Hit]]:
        """What is asked back, or the likeliest reading that the documents answer."""
        if understood.choices:
            return _asking_back(question, understood), []
        first = self._answer(question, understood, filters, top_k, on_stage)
        for other in understood.alternatives if first[0].abstained else ():
            again = understood._replace(text=other, follows=True)
            second = self._answer(question, again, filters, top_k, on_stage)
            if not second[0].abstained:
                return second
        return first

    def _answer(
        self,
        question: str,
        understood: Resolution,
        filters: Filters | None,
        top_k: int,
        on_stage: OnStage,
    ) -> tuple[Answer, list[Hit]]:
        """The answer to a question as it was understood, and the passages read."""
        asked = self._events.bounded(analyse(understood.text), filters)
        on_stage(Understood(asked.text))
        first = part_of(asked, asked.slots[0]) if asked.is_compound else asked
        hits, candidates, timings = self._finder.find(first, filters, top_k, understood, on_stage)
        most = LISTED if asked.is_list else ANSWERS
        told = [c for c in candidates if c.confidence >= self.threshold][:most]
        events: list[Occurrence] = []
        if asked.is_compound or asked.is_about_main_event:
            events, timings["events"] = self._events.find(asked, filters)
        citations = Citations()
        answers = self._events.spans(asked, events, citations) if events else []
        answers = answers or [
            span for candidate in told for span in self._finder.spans(first, candidate, citations)
        ]
        if asked.is_compound and answers:
            document = citations.found[0].document_id
            answers += self._events.missing(asked, answers, document, hits, citations)
        records = [event_record(event, citations) for event in events]
        nearest = Citations()
        if not answers:
            for support in _nearest(hits, candidates):
                nearest.add(support.hit, support.start, support.end)
        answer = Answer(
            question=question,
            resolved_question=asked.text,
            abstained=not answers,
            answers=answers,
            events=records,
            citations=citations.found,
            nearest=nearest.found,
            timings_ms=timings,
        )
        return answer, hits

    def candidates(
        self, question: str, *, filters: Filters | None = None, top_k: int = PASSAGES
    ) -> list[Candidate]:
        """Every candidate, best first, whatever its confidence: what evaluation looks at."""
        return self._finder.find(analyse(self._spelt(question)), filters, top_k)[1]

    def timeline(
        self,
        query: str,
        *,
        since: date | None = None,
        until: date | None = None,
        filters: Filters | None = None,
        top_k: int = EVENT_PASSAGES,
    ) -> Timeline:
        """The dated events that the passages about a query tell of, in time order.

        Args:
            since, until: only events that lie at least partly between these days.
            filters: restrict the documents.
            top_k: passages to look at.

        Raises:
            UsageError: the query is empty or too long.
        """
        asked = analyse(self._spelt(query))
        if since or until:
            asked = asked._replace(period=(since or date.min, until or date.max))
        hits = self.index.search(asked.text, top_k, filters=filters)
        citations = Citations()
        found = find_timeline(asked, hits, self._events.names)
        events = [event_record(event, citations) for event in found]
        return Timeline(query=query, events=events, citations=citations.found)


def _asking_back(question: str, understood: Resolution) -> Answer:
    return Answer(
        question=question,
        resolved_question=understood.text,
        abstained=True,
        answers=[],
        citations=[],
        clarification=Clarification(
            question=asked_back(understood.choices),
            choices=[choice.label for choice in understood.choices],
        ),
        timings_ms={},
    )


def _reference(hit: Hit) -> PassageRef:
    chunk = hit.chunk
    return PassageRef(document_id=chunk.document_id, start=chunk.start, end=chunk.end)


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
