"""One sentence's telling of an event: who did what, where and when, and whether it happened.

Read off a dependency parse. Every part is a verbatim span of a passage.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING

from index import Hit
from index.dating import find_dateline
from index.sentences import split

from .answer import Status, Value
from .clauses import (
    PLACE_PREPOSITIONS,
    PLACES,
    chain_of,
    company,
    is_earlier,
    is_place_preposition,
    is_someone,
    noun_phrase,
    persons,
    place_phrase,
    status_of,
    subjects_of,
    verb_of,
)
from .dates import Timex
from .entities import Names, is_pronoun
from .fitting import NEWS_DAYS, date_value, passage_timexes
from .places import STANDING_FOR_PLACES
from .predicates import (
    IRREGULAR,
    MOTION_VERBS,
    PICTURES,
    PLACE_NOUNS,
    PLANNING,
    REPORTING,
    Kind,
    is_of_kind,
)
from .ranking import TERMS
from .syntax import parse

if TYPE_CHECKING:
    from spacy.tokens import Token


_AFTER_DATELINE = " \n\t–—-_:.*"


@dataclass(frozen=True, slots=True)
class Part:
    """A span of a passage that fills a slot: `hit.chunk.text[start:end]`.

    Attributes:
        name: the full name it stands for, where that is another.
        value: the date or interval it means.
    """

    hit: Hit
    start: int
    end: int
    name: str | None = None
    value: Value | None = None

    @property
    def text(self) -> str:
        """The words, verbatim."""
        return self.hit.chunk.text[self.start : self.end]

    @property
    def full(self) -> str:
        """The name it stands for, else its words."""
        return self.name or self.text


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One telling of an event, or several joined.

    Attributes:
        first, last: the days it is on or between, where known; else those it may be on.
        dated: whether the text says the date.
        by_someone: whether people or bodies of people did it, not things.
        told: how many tellings were joined.
    """

    what: Part
    status: Status
    who: tuple[Part, ...]
    where: Part | None
    when: Part | None
    first: date | None
    last: date | None
    by_someone: bool = True
    told: int = 1

    @property
    def dated(self) -> bool:
        """Whether the text says when."""
        return self.when is not None

    @property
    def filled(self) -> int:
        """How many of who, where and when are known."""
        return bool(self.who) + (self.where is not None) + (self.when is not None)

    def parts(self, slot: str) -> tuple[Part, ...]:
        """What fills a slot."""
        single = {"where": self.where, "when": self.when}.get(slot)
        return self.who if slot == "who" else ((single,) if single else ())


def find_occurrences(
    hits: Iterable[Hit],
    kind: Kind | None,
    names: Callable[[Hit], Names],
    about: Collection[str] = (),
) -> list[Occurrence]:
    """What the passages tell of one kind of happening; of any kind, if None.

    Args:
        names: the full names in the document of a passage.
        about: terms (`ranking.TERMS`) of which a sentence must have one, if there are any.
    """
    found: list[Occurrence] = []
    seen: set[tuple[str, int, int]] = set()
    for hit in hits:
        text = hit.chunk.text
        known: Names | None = None  # read from the whole document, so only if need be, and once
        for start, end in split(text):
            place = (hit.chunk.document_id, hit.chunk.start + start, hit.chunk.start + end)
            if place in seen or not _may_tell(text[start:end], kind, about):
                continue
            seen.add(place)
            known = known or names(hit)
            sentence = Sentence(hit, start, end, known)
            for token in sentence.predicates(kind):
                if occurrence := sentence.occurrence(token):
                    found.append(occurrence)
    return found


def sentences_of(hits: Iterable[Hit], names: Callable[[Hit], Names], most: int) -> list[Sentence]:
    """The first sentences of some passages, parsed; none twice."""
    found: list[Sentence] = []
    end = 0
    for hit in hits:
        known = names(hit)
        for first, last in split(hit.chunk.text):
            if hit.chunk.start + first >= end and hit.chunk.text[first:last].strip():
                found.append(Sentence(hit, first, last, known))
                end = hit.chunk.start + last
                if len(found) == most:
                    return found
    return found


def _may_tell(sentence: str, kind: Kind | None, about: Collection[str]) -> bool:
    """A quick look, so that only sentences worth it are parsed."""
    if about and not set(about).intersection(TERMS(sentence)):
        return False
    if kind is None:
        return True
    words = {word.casefold() for word in re.findall(r"[^\W\d_]+", sentence)}
    beginnings = _beginnings(kind)
    return any(word.startswith(beginnings) for word in words)


@lru_cache(maxsize=64)
def _beginnings(kind: Kind) -> tuple[str, ...]:
    """How the words that tell of a kind of happening begin."""
    words = {*kind.words, *(first for first, _ in kind.pairs)}
    return tuple(sorted({form for word in words for form in _forms(word)}))


def _forms(word: str) -> tuple[str, ...]:
    """Beginnings that the forms of a lemma have."""
    base = word[:-1] if len(word) > 4 and word[-1] in "ey" else word
    past = IRREGULAR.get(word)
    return (base, past) if past else (base,)


class Sentence:
    """A parsed sentence of a passage; what it tells is read off the parse."""

    def __init__(self, hit: Hit, start: int, end: int, names: Names) -> None:
        self.hit, self.start, self.names = hit, start, names
        words = hit.chunk.text[start:end]
        dateline = find_dateline(words)
        lead = dateline.end if dateline and dateline.origin == "dateline" else 0
        lead += len(words[lead:]) - len(words[lead:].lstrip(_AFTER_DATELINE))
        self.start += lead
        self.doc = parse(words[lead:].rstrip())
        self.before = hit.chunk.text[: self.start]
        published = hit.document.published
        self.timexes = [
            t
            for t in passage_timexes(hit.chunk.text, published)
            if self.start <= t.start < end and t.type in ("DATE", "TIME") and t.first
        ]

    def predicates(self, kind: Kind | None) -> Iterator[Token]:
        """The words that tell of such a happening, one a clause."""
        taken: set[int] = set()
        for token in self.doc:
            if token.i in taken or token.pos_ not in ("VERB", "NOUN", "PROPN"):
                continue
            if kind is None:
                fits = token.pos_ == "VERB" and token.lemma_.casefold() not in REPORTING
            else:
                fits = self._is_of(token, kind)
            if fits:
                # "held a summit", "travel to meet": one happening, told once
                taken.update(t.i for t in (token, *token.children) if t.pos_ in ("VERB", "NOUN"))
                yield token

    def _is_of(self, token: Token, kind: Kind) -> bool:
        lemma = token.lemma_.casefold()
        if token.pos_ == "VERB":
            objects = {
                child.lemma_.casefold()
                for child in token.children
                if child.dep_ in ("dobj", "prt", "prep", "advmod")
            }
            if any(first == lemma and second in objects for first, second in kind.pairs):
                return True
            if any(child.dep_ == "prt" for child in token.children):
                return False  # "talking up" is not talking
        return is_of_kind(lemma, kind) and not (token.pos_ == "PROPN" and token.ent_type_)

    def occurrence(self, token: Token, *, anything: bool = False) -> Occurrence | None:
        """What the sentence says of the happening that a word tells of.

        Args:
            anything: where nobody did it, take what did ("a fire").
        """
        chain = chain_of(token)
        clause = [word for word in self.doc if verb_of(word) in chain or word in chain]
        who = self._who(token, chain)
        by_someone = bool(who)
        if anything and not who:
            subjects = [
                s for verb in chain for s in subjects_of(verb) if s.pos_ in ("NOUN", "PROPN")
            ]
            who = tuple(self._mention(subject) for subject in subjects[:1])
        where = self._where(token, chain, clause)
        when, timex = self._when(token, chain, clause)
        status = status_of(token, chain)
        published = self.hit.document.published
        first, last = (timex.first, timex.last) if timex else (None, None)
        if first and published and first > published and status == "happened":
            status = "planned"
        if first is None and published and status == "happened" and not is_earlier(chain):
            first, last = published - timedelta(days=NEWS_DAYS), published
        if not who and not (where and when):
            return None
        what = self._part(token.idx, token.idx + len(token.text))
        return Occurrence(what, status, who, where, when, first, last, by_someone)

    def places(self) -> Iterator[tuple[Part, bool]]:
        """The places that it names, each with whether it says that something is there."""
        for entity in self.doc.ents:
            if entity.label_ not in PLACES or entity.root.dep_ in ("compound", "amod", "poss"):
                continue
            prep = entity.root.head
            there = prep.dep_ == "prep" and prep.text.casefold() in PLACE_PREPOSITIONS
            start, end = (
                place_phrase(entity.root) if there else (entity.start_char, entity.end_char)
            )
            part = self._part(start, end)
            yield replace(part, name=self._full_name(part)), there

    def _part(self, start: int, end: int, value: Value | None = None) -> Part:
        return Part(self.hit, self.start + start, self.start + end, value=value)

    def _who(self, token: Token, chain: Sequence[Token]) -> tuple[Part, ...]:
        heads: list[Token] = []
        for verb in chain:
            heads += subjects_of(verb)
            heads += [c for c in verb.children if c.dep_ in ("dobj", "dative") and is_someone(c)]
            heads += company(verb)
        if token.pos_ != "VERB":
            heads += company(token)
            heads += [c for c in token.children if c.dep_ in ("poss", "compound", "nmod")]
        parts: list[Part] = []
        for head in heads:
            for one in (head, *head.conjuncts):
                if one == token or not is_someone(one):
                    continue
                part = self._mention(one)
                if not any(p.start < part.end and part.start < p.end for p in parts):
                    parts.append(part)
        return tuple(sorted(parts, key=lambda part: part.start))

    def _mention(self, head: Token) -> Part:
        start, end = noun_phrase(head)
        part = self._part(start, end)
        if is_pronoun(part.text):
            return replace(part, name=self._person_before(head))
        return replace(part, name=self._full_name(part))

    def _full_name(self, part: Part) -> str | None:
        offset = self.hit.chunk.start + part.start
        return self.names.full_name(part.text, offset) or self.names.holder(part.text, offset)

    def _person_before(self, pronoun: Token) -> str | None:
        """Whom "he" or "her" stands for: the person that is a subject before it in the sentence,
        else in the sentence before; None where there is none, or more than one.
        """
        found = persons(self.doc[: pronoun.i])
        if not found and (sentences := split(self.before)):
            start, end = sentences[-1]
            found = persons(parse(self.before[start:end].strip()))
        if len(found) != 1:
            return None
        return self.names.full_name(found[0]) or found[0]

    def _where(self, token: Token, chain: Sequence[Token], clause: Sequence[Token]) -> Part | None:
        moves = any(verb.lemma_.casefold() in MOTION_VERBS for verb in chain)
        found: list[tuple[bool, int, Token]] = []
        for word in clause:
            if word.dep_ != "prep" or not is_place_preposition(word, moves):
                continue
            for head in (c for c in word.children if c.dep_ == "pobj"):
                if self._is_place(head):
                    direct = word.head in chain or word.head == token
                    found.append((not direct, abs(word.i - token.i), head))
        if not found:
            return None
        head = min(found, key=lambda row: row[:2])[2]
        start, end = place_phrase(head)
        part = self._part(start, end)
        return replace(part, name=self._place_name(head, part))

    def _place_name(self, head: Token, part: Part) -> str | None:
        noun = head.lemma_.casefold()
        definite = any(c.text.casefold() in ("the", "that", "this") for c in head.children)
        if head.pos_ == "NOUN" and definite and noun in STANDING_FOR_PLACES:
            return self.names.place_before(noun, self.hit.chunk.start + part.start)
        return self._full_name(part)

    def _is_place(self, head: Token) -> bool:
        inside = self.start + head.idx
        if any(
            t.start <= inside < t.end
            for t in passage_timexes(self.hit.chunk.text, self.hit.document.published)
        ):
            return False
        if head.ent_type_ in PLACES or head.lemma_.casefold() in PLACE_NOUNS:
            return True
        if head.ent_type_ in ("DATE", "TIME", "CARDINAL", "MONEY", "PERCENT", "PERSON", "NORP"):
            return False
        return bool(head.pos_ == "PROPN")

    def _when(
        self, token: Token, chain: Sequence[Token], clause: Sequence[Token]
    ) -> tuple[Part | None, Timex | None]:
        near = {word.i for word in clause}
        for child in token.children:  # "a meeting planned for Thursday"
            if child.dep_ == "acl" and child.lemma_.casefold() in PLANNING:
                near.update(word.i for word in child.subtree)
        for verb in chain:  # a caption: "This picture taken on September 13 shows ..."
            for subject in (c for c in verb.children if c.dep_ == "nsubj"):
                if subject.lemma_.casefold() in PICTURES:
                    near.update(word.i for word in subject.subtree)
        found: list[tuple[int, Timex]] = []
        for timex in self.timexes:
            words = self.doc.char_span(
                timex.start - self.start, timex.end - self.start, alignment_mode="expand"
            )
            if words is not None and any(word.i in near for word in words):
                found.append((abs(words.start - token.i), timex))
        if not found:
            return None, None
        timex = min(found, key=lambda row: row[0])[1]
        captions = [t for _, t in found if t.first and t.last]
        if len(captions) > 1 and any(v.lemma_.casefold() == "show" for v in chain):
            timex = captions[0]
        part = Part(self.hit, timex.start, timex.end, value=date_value([timex]))
        return part, timex
