"""Answers from events: the slots of compound questions, main events, and days set by events."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import date, timedelta
from functools import partial

from index import Filters, Hit

from .answer import Span
from .citing import Citations, event_span
from .entities import Names, names_of
from .events import find_events
from .finding import Finder, milliseconds
from .main_event import main_event
from .occurrences import Occurrence
from .parts import part_question
from .question import Question, analyse
from .ranking import Candidate, share_words

EVENT_PASSAGES = 40  # looked through for the events of a compound question
BOUND_PASSAGES = 12  # likewise for the event that sets its days ("after the summit")
PART_PASSAGES = 4  # read again for each further slot of a compound question
# Confidence of an event's part, by whether the reader agrees: shares of right ones in the
# development half of the event collection (14 of 15, 1 of 5, drawn to the middle); of a part of
# a document's main event, in `dateline eval main-events`.
AGREED, UNCONFIRMED, OF_MAIN_EVENT = 0.85, 0.4, 0.64


class EventAnswers:
    """Finds the events that a question asks about, and answers its slots from them."""

    def __init__(self, finder: Finder) -> None:
        self._finder = finder
        self._search = finder.index.search

    def find(self, question: Question, filters: Filters | None) -> tuple[list[Occurrence], float]:
        """The events asked about, in time order, and milliseconds spent."""
        started = time.perf_counter()
        search = partial(self._search, top_k=EVENT_PASSAGES, filters=filters)
        if question.is_about_main_event:
            event = main_event(_first_document(search(question.text)), self.names)
            events = [event] if event else []
        else:
            events = find_events(question, search, self.names)
        return events, milliseconds(started)

    def bounded(self, question: Question, filters: Filters | None) -> Question:
        """A question about what came after "the summit", restricted to the days after it, if the
        documents tell of just one such event and say when it was.
        """
        if question.bound is None:
            return question
        how, event = question.bound
        search = partial(self._search, top_k=BOUND_PASSAGES, filters=filters)
        told = find_events(analyse(f"When was {event}?"), search, self.names)
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

    def spans(
        self, question: Question, events: Sequence[Occurrence], citations: Citations
    ) -> list[Span]:
        """The parts asked for of the event that is told best, and how sure one may be of them:
        more where the reader, asked for the slot in the same passages, says the same words.
        """
        event = _main(events)
        spans = []
        for slot in question.slots:
            parts = event.parts(slot)
            read: list[Candidate] = []
            if parts and question.is_compound:
                passages = {part.hit.chunk.id: part.hit for part in parts}
                read = self._finder.read(part_of(question, slot), list(passages.values()))[:1]
            for part in parts:
                agreed = any(share_words(part.text, one.text) for one in read)
                confidence = AGREED if agreed else UNCONFIRMED
                if question.is_about_main_event:
                    confidence = OF_MAIN_EVENT
                spans.append(event_span(slot, part, confidence, citations))
        return spans

    def missing(
        self,
        question: Question,
        answers: Sequence[Span],
        document: str,
        hits: Sequence[Hit],
        citations: Citations,
    ) -> list[Span]:
        """The slots of a compound question that are still open, read from the same document.

        Where that is one passage, the next is read beside it: how sure one may be of a passage on
        its own is another matter, for there nothing says that it is about the question.
        """
        here = [hit for hit in hits if hit.chunk.document_id == document][:PART_PASSAGES]
        beside = [hit for hit in hits if hit.chunk.document_id != document][: len(here) == 1]
        found = []
        for slot in dict.fromkeys(question.slots):
            if here and slot not in {span.slot for span in answers}:
                part = part_of(question, slot)
                read = self._finder.read(part, here + beside)
                best = [c for c in read if c.supports[0].place[0] == document][:1]
                found += [
                    span
                    for candidate in best
                    if candidate.confidence >= self._finder.calibration.threshold
                    for span in self._finder.spans(part, candidate, citations)
                ]
        return found

    def names(self, hit: Hit) -> Names:
        """The names in the document of a passage."""
        document = self._finder.index.get(hit.chunk.document_id)
        return names_of(document.text if document else hit.chunk.text)


def part_of(question: Question, slot: str) -> Question:
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
