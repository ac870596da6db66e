"""The whole path from a question to a cited answer, readable from top to bottom."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from functools import partial

from index import Filters, Hit, Index
from index.sentences import split

from .answer import Answer, Clarification, Span, Timeline
from .citing import Citations, event_record, event_span
from .clarifying import asked_back
from .conversation import Resolution, understand
from .entities import Names, names_of
from .events import find_events, find_timeline
from .fitting import fit, published_within, value_of
from .lists import items, people
from .main_event import main_event
from .occurrences import Occurrence
from .parts import part_question
from .question import Question, analyse
from .ranking import Calibration, Candidate, Support, normalise, rank, share_words
from .reader import Reader, ReadSpan
from .sessions import PassageRef, Sessions, days_kept

PASSAGES = 12  # read for a question
EVENT_PASSAGES = 40  # looked through for the events of a compound question
PART_PASSAGES = 4  # read again for each further slot of a compound question
TURNS = 12  # of a session that are looked at
SPOKEN_OF = 3  # more passages, of the documents that the last turns of a session cited
ALREADY_GIVEN = -6.0  # log-odds of an answer when others than it are asked for
TIMELY = 4  # more passages, of stories published about the days that a question names
ANSWERS = 3  # shown at most
LISTED = 12  # likewise, to a question for a list
NEAREST = 3  # passages shown when abstaining
# Confidence of an event's part, by whether the reader agrees: shares of right ones in the
# development half of the event collection (14 of 15, 1 of 5, drawn to the middle); of a part of
# a document's main event, in `dateline eval main-events`.
AGREED, UNCONFIRMED, OF_MAIN_EVENT = 0.85, 0.4, 0.64


class Assistant:
    """Answers questions over an index in the documents' own words.

        answer = Assistant(index).ask("Who met where and when?")

    Attributes:
        explain: answer why, how and describe-questions with whole sentences, and questions for a
            list item by item; switch it off to get the reader's bare spans, as SQuAD-style scoring
            expects.
    """

    def __init__(self, index: Index, reader: Reader | None = None, *, explain: bool = True) -> None:
        self.index = index
        self.reader = reader or Reader()
        self.explain = explain
        self.sessions = Sessions(index.sessions, days_kept())
        self._calibration = Calibration(**self.reader.settings["calibration"])

    @property
    def threshold(self) -> float:
        """The confidence below which nothing is answered."""
        return self._calibration.threshold

    def ask(
        self,
        question: str,
        *,
        session: str | None = None,
        resolve: bool = True,
        filters: Filters | None = None,
        top_k: int = PASSAGES,
    ) -> Answer:
        """The answer to a question, or an honest abstention.

        Args:
            session: the id of a session; the question may follow on its turns, and becomes one.
            resolve: whether to look at the session's turns to understand the question.
            filters: restrict the documents to answer from.
            top_k: passages to read.

        Raises:
            UsageError: the question is empty or too long.
            SessionNotFoundError: there is no such session.
        """
        started = time.perf_counter()
        understood = Resolution(analyse(question).text)
        timings: dict[str, float] = {}
        if session is not None:
            turns = self.sessions.turns(session, last=TURNS)
            if resolve:
                understood = understand(question, turns)
            timings["resolve"] = _milliseconds(started)
        answer, hits = self._first_answer(question, understood, filters, top_k)
        answer.timings_ms = {**timings, **answer.timings_ms, "total": _milliseconds(started)}
        if session is not None:
            self.sessions.add(session, question, answer, [_reference(hit) for hit in hits])
        return answer

    def _first_answer(
        self, question: str, understood: Resolution, filters: Filters | None, top_k: int
    ) -> tuple[Answer, list[Hit]]:
        """What is asked back, or the likeliest reading that the documents answer."""
        if understood.choices:
            return _asking_back(question, understood), []
        first = self._answer(question, understood, filters, top_k)
        for other in understood.alternatives if first[0].abstained else ():
            again = understood._replace(text=other, follows=True)
            second = self._answer(question, again, filters, top_k)
            if not second[0].abstained:
                return second
        return first

    def _answer(
        self,
        question: str,
        understood: Resolution,
        filters: Filters | None,
        top_k: int,
    ) -> tuple[Answer, list[Hit]]:
        """The answer to a question as it was understood, and the passages read."""
        asked = self._bounded(analyse(understood.text), filters)
        first = _part(asked, asked.slots[0]) if asked.is_compound else asked
        hits, candidates, timings = self._find(first, filters, top_k, understood)
        most = LISTED if asked.is_list else ANSWERS
        told = [c for c in candidates if c.confidence >= self.threshold][:most]
        events: list[Occurrence] = []
        if asked.is_compound or asked.is_about_main_event:
            events, timings["events"] = self._events(asked, filters)
        citations = Citations()
        answers = self._event_spans(asked, _main(events), citations) if events else []
        answers = answers or [
            span for candidate in told for span in self._spans(first, candidate, citations)
        ]
        if asked.is_compound and answers:
            document = citations.found[0].document_id
            answers += self._missing(asked, answers, document, hits, citations)
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
        return self._find(analyse(question), filters, top_k)[1]

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
        asked = analyse(query)
        if since or until:
            asked = asked._replace(period=(since or date.min, until or date.max))
        hits = self.index.search(asked.text, top_k, filters=filters)
        citations = Citations()
        found = find_timeline(asked, hits, self._names)
        events = [event_record(event, citations) for event in found]
        return Timeline(query=query, events=events, citations=citations.found)

    def _events(
        self, question: Question, filters: Filters | None
    ) -> tuple[list[Occurrence], float]:
        started = time.perf_counter()
        search = partial(self.index.search, top_k=EVENT_PASSAGES, filters=filters)
        if question.is_about_main_event:
            event = main_event(_first_document(search(question.text)), self._names)
            events = [event] if event else []
        else:
            events = find_events(question, search, self._names)
        return events, _milliseconds(started)

    def _bounded(self, question: Question, filters: Filters | None) -> Question:
        """A question about what came after "the summit", restricted to the days after it, if the
        documents tell of just one such event and say when it was.
        """
        if question.bound is None:
            return question
        how, event = question.bound
        search = partial(self.index.search, top_k=PASSAGES, filters=filters)
        told = find_events(analyse(f"When was {event}?"), search, self._names)
        dated = [one for one in told if one.dated and one.status == "happened"]
        if len(dated) != 1 or not dated[0].first or not dated[0].last:
            return question
        first, last = dated[0].first, dated[0].last
        period = {
            "after": (last + timedelta(days=1), date.max),
            "before": (date.min, first - timedelta(days=1)),
            "since": (first, date.max),
        }[how]
        undated = question.text.replace(f"{how} {event}", "")
        return question._replace(period=period, undated=" ".join(undated.split()))

    def _event_spans(
        self, question: Question, event: Occurrence, citations: Citations
    ) -> list[Span]:
        """The parts of an event that are asked for, and how sure one may be of them: more where
        the reader, asked for the slot in the same passages, says the same words.
        """
        spans = []
        for slot in question.slots:
            parts = event.parts(slot)
            read: list[Candidate] = []
            if parts and question.is_compound:
                passages = {part.hit.chunk.id: part.hit for part in parts}
                read = self._read(_part(question, slot), list(passages.values()))[:1]
            for part in parts:
                agreed = any(share_words(part.text, one.text) for one in read)
                confidence = AGREED if agreed else UNCONFIRMED
                if question.is_about_main_event:
                    confidence = OF_MAIN_EVENT
                spans.append(event_span(slot, part, confidence, citations))
        return spans

    def _missing(
        self,
        question: Question,
        answers: Sequence[Span],
        document: str,
        hits: Sequence[Hit],
        citations: Citations,
    ) -> list[Span]:
        """The slots of a compound question that are still open, read from the same document."""
        here = [hit for hit in hits if hit.chunk.document_id == document][:PART_PASSAGES]
        found = []
        for slot in dict.fromkeys(question.slots):
            if here and slot not in {span.slot for span in answers}:
                part = _part(question, slot)
                best = self._read(part, here)[:1]
                found += [
                    span
                    for candidate in best
                    if candidate.confidence >= self.threshold
                    for span in self._spans(part, candidate, citations)
                ]
        return found

    def _names(self, hit: Hit) -> Names:
        document = self.index.get(hit.chunk.document_id)
        return names_of(document.text if document else hit.chunk.text)

    def _find(
        self,
        question: Question,
        filters: Filters | None,
        top_k: int,
        understood: Resolution | None = None,
    ) -> tuple[list[Hit], list[Candidate], dict[str, float]]:
        started = time.perf_counter()
        understood = understood or Resolution(question.text)
        hits = self._hits(question, filters, top_k, understood)
        retrieved = _milliseconds(started)
        started = time.perf_counter()
        candidates = self._read(question, hits, understood)
        return hits, candidates, {"retrieve": retrieved, "read": _milliseconds(started)}

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

    def _read(
        self, question: Question, hits: list[Hit], understood: Resolution | None = None
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
            self._calibration,
            lambda support: fit(question, support) + _in_play(support, understood),
            several=question.is_list and self.explain,
        )

    def _spans(self, question: Question, candidate: Candidate, citations: Citations) -> list[Span]:
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
    return understood.documents.get(support.place[0], 0.0) + given * ALREADY_GIVEN


def whole_sentences(text: str, span: ReadSpan) -> ReadSpan:
    """A span widened to the whole sentences that it touches."""
    touched = [(a, b) for a, b in split(text) if a < span.end and span.start < b]
    start, end = touched[0][0], touched[-1][1]
    words = text[start:end]
    start += len(words) - len(words.lstrip())
    return ReadSpan(start, start + len(words.strip()), span.margin)


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


def _part(question: Question, slot: str) -> Question:
    """The plain question for one slot of a compound one."""
    part = analyse(part_question(question.text, slot))
    return part._replace(slot=slot, slots=(slot,))


def _main(events: Sequence[Occurrence]) -> Occurrence:
    """The event that a compound question's answers are taken from: the one told best."""
    return max(events, key=lambda e: (e.status == "happened", e.filled, e.told, len(e.who)))


def _first_document(hits: Sequence[Hit]) -> list[Hit]:
    """The passages of the best hit's document, in its order."""
    same = [hit for hit in hits if hit.chunk.document_id == hits[0].chunk.document_id]
    return sorted(same, key=lambda hit: hit.chunk.start)


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
