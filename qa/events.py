"""Events: tellings that go together joined, chosen for a question, and put in time order.

Two tellings are one event if they have the same status and their participants, places and dates
can be the same. What contradicts stays apart, so conflicting reports stand side by side.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date

from index import Hit

from .entities import Names, is_pronoun, key_of, same_name
from .fitting import passage_timexes
from .occurrences import Occurrence, Part, find_occurrences
from .predicates import is_listed, kind_of
from .question import Question
from .ranking import TERMS
from .syntax import parse


def find_events(
    question: Question, search: Callable[[str], Sequence[Hit]], names: Callable[[Hit], Names]
) -> list[Occurrence]:
    """The events that the documents tell of and a question asks about, in time order.

    Args:
        search: finds passages for a text.
        names: the full names in the document of a passage.
    """
    verb = predicate_of(question.undated)
    if verb is None:
        return []
    kind = kind_of(verb)
    hits = search(" ".join([question.undated, *sorted(kind.words)]))
    return choose(question, join(find_occurrences(hits, kind, names)))


def find_timeline(
    query: Question, hits: Sequence[Hit], names: Callable[[Hit], Names]
) -> list[Occurrence]:
    """The dated events of any kind that have whom and what a query names, in time order."""
    dated = [hit for hit in hits if passage_timexes(hit.chunk.text, hit.document.published)]
    found = find_occurrences(dated, None, names, TERMS(query.undated))
    return choose(query, join([one for one in found if one.dated]))


def predicate_of(question: str) -> str | None:
    """The lemma of what a question asks about: "meet" of "Who met where and when?"."""
    doc = parse(question)
    verbs = [t for t in doc if t.pos_ == "VERB" and t.dep_ not in ("aux", "auxpass", "relcl")]
    roots = [t for t in verbs if t.dep_ == "ROOT"]
    light = ("do", "be", "have", "take", "happen", "occur", "hold", "attend")
    for token in (*roots, *verbs):
        if token.lemma_.casefold() not in light:
            return token.lemma_.casefold()
    for token in doc:  # a verb that the tagger took for another word
        if is_listed(token.text.casefold()):
            return token.text.casefold()
    for token in doc:  # "When was the meeting?", "where did the summit take place?"
        if token.pos_ == "NOUN" and token.dep_ in ("nsubj", "nsubjpass", "attr", "dobj", "pobj"):
            return token.lemma_.casefold()
    return None


def join(found: Sequence[Occurrence]) -> list[Occurrence]:
    """Tellings of the same event as one; what is told most fully first."""
    events: list[Occurrence] = []
    for one in sorted(found, key=lambda o: (-o.filled, -len(_keys(o)), not o.dated)):
        fitting = [at for at, event in enumerate(events) if _same(event, one)]
        if fitting:
            at = max(fitting, key=lambda at: _closeness(events[at], one))
            events[at] = _joined(events[at], one)
        else:
            events.append(one)
    return [event for event in events if _says_something(event)]


def choose(question: Question, events: Sequence[Occurrence]) -> list[Occurrence]:
    """Those that have the people and the days that a question names, in time order."""
    asked = _names_in(question.undated)
    kept = [
        event
        for event in events
        if all(any(same_name(name, part.full) for part in _parts(event)) for name in asked)
        and _within(event, question.period)
    ]
    kept.sort(key=lambda event: event.first or date.max)
    dated = [event for event in kept if event.dated]
    if question.order in ("last", "previous") and dated:
        happened = [event for event in dated if event.status == "happened"]
        return (happened or dated)[-1:]
    if question.order == "first" and dated:
        return dated[:1]
    if question.order == "next" and dated:
        return [event for event in dated if event.status in ("planned", "possible")][:1]
    return kept


def _names_in(question: str) -> list[str]:
    """Whom and what a question names."""
    names = re.findall(r"(?<!^)(?<!\w)[^\W\d_a-z][\w’'-]*(?: [^\W\d_a-z][\w’'-]*)*", question)
    return [name for name in names if name not in ("I",)]


def _parts(event: Occurrence) -> tuple[Part, ...]:
    return (*event.who, *filter(None, [event.where]))


def _keys(event: Occurrence) -> set[tuple[str, ...]]:
    """Its participants that have names."""
    return {key_of(p.full) for p in event.who if _is_named(p)}


def _is_named(part: Part) -> bool:
    return part.full[:1].isupper() and not is_pronoun(part.full)


def _says_something(event: Occurrence) -> bool:
    """Whether it names somebody and says a place, a date, or another participant."""
    named = len(_keys(event))
    return named > 0 and (event.where is not None or event.dated or named > 1)


def _same(event: Occurrence, one: Occurrence) -> bool:
    if event.status != one.status:
        return False
    here = event.what.hit.chunk.document_id == one.what.hit.chunk.document_id
    if event.first and event.last and one.first and one.last:
        if not (event.first <= one.last and one.first <= event.last):
            return False
    elif not here:
        return False
    if event.where and one.where and not same_name(event.where.full, one.where.full):
        return False
    return _same_people(event, one, here)


def _same_people(event: Occurrence, one: Occurrence, here: bool) -> bool:
    """Whether one has all the named people of the other; unnamed ones go along in one document."""
    ours, theirs = _keys(event), _keys(one)
    if not ours or not theirs:
        return here and event.dated and one.dated
    return _covers(ours, theirs) or _covers(theirs, ours)


def _covers(many: set[tuple[str, ...]], few: set[tuple[str, ...]]) -> bool:
    return all(any(set(a) <= set(b) or set(b) <= set(a) for b in many) for a in few)


def _closeness(event: Occurrence, one: Occurrence) -> tuple[bool, bool, int]:
    same = event.what.hit.chunk.document_id == one.what.hit.chunk.document_id
    return same, event.dated, len(_keys(event) & _keys(one))


def _joined(event: Occurrence, one: Occurrence) -> Occurrence:
    """Both tellings: of every part the fuller."""
    who = list(event.who)
    for part in one.who:
        at = next((i for i, known in enumerate(who) if same_name(known.full, part.full)), None)
        if at is None:
            if _is_named(part):
                who.append(part)
        elif len(key_of(part.text)) > len(key_of(who[at].text)):
            who[at] = part
    where = event.where
    if one.where and (where is None or len(key_of(one.where.full)) > len(key_of(where.full))):
        where = one.where
    when, first, last = event.when, event.first, event.last
    if one.when and (when is None or _days(one) < _days(event)):
        when, first, last = one.when, one.first, one.last
    return replace(
        event, who=tuple(who), where=where, when=when, first=first, last=last, told=event.told + 1
    )


def _days(event: Occurrence) -> int:
    return (event.last - event.first).days if event.first and event.last else 10**6


def _within(event: Occurrence, period: tuple[date, date] | None) -> bool:
    if period is None:
        return True
    if event.first is None or event.last is None:
        return False
    return event.first <= period[1] and period[0] <= event.last
