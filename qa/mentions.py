"""What a conversation has mentioned: people, places, dates and things that a follow-up may mean.

Read off a dependency parse of each earlier question and answer, newest first.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Literal, NamedTuple

from .clauses import PLACES
from .entities import TITLES, key_of
from .predicates import PERSON_NOUNS, PLACE_NOUNS
from .syntax import parse, parse_all

if TYPE_CHECKING:
    from spacy.tokens import Doc, Span, Token

Kind = Literal["person", "people", "group", "place", "date", "number", "thing", "things"]
Place = Literal["title", "question", "answer"]
Class = Literal["he", "they", "it", "there", "then", "that", "topic"]

MOST_WORDS = 7  # of an answer that is mentioned as a whole, marks included
AGES = 4  # exchanges told apart by their age; older ones are alike
_GROUPS = frozenset(["ORG", "NORP"])
_BODIES = frozenset(
    """government ministry company firm bank court army force party union council committee
    commission board team group band agency authority parliament club""".split()
)
_OFFICES = PERSON_NOUNS | TITLES
_IDENTITY = re.compile(r"who(?: is|'s| was| are| were)\b", re.IGNORECASE)
_RELATIONAL = frozenset(
    """type kind sort variety form part example cause effect symptom way reason purpose use benefit
    difference name number year time member role style origin history advantage feature fact thing
    side relationship impact career life""".split()
)
_LEADING = frozenset(["the", "a", "an", "some", "any", "this", "that", "these", "those"])


class Happening(NamedTuple):
    """A dated event that an earlier answer showed: its people joined by "and", and its days."""

    who: str
    days: tuple[date, date]


class Exchange(NamedTuple):
    """An earlier turn: the question as it was understood, and what was answered.

    Attributes:
        slot: what was asked for: "where".
        days: the first answer's, if it is a date.
        events: the dated events shown.
        titles: what the conversation is about, where that is known.
    """

    question: str
    answers: tuple[str, ...] = ()
    slot: str | None = None
    days: tuple[date, date] | None = None
    events: tuple[Happening, ...] = ()
    titles: tuple[str, ...] = ()


class Mention(NamedTuple):
    """A noun phrase of the history, as it may stand in a question.

    Attributes:
        age: exchanges back; 0 is the latest.
        place: where it stands.
        subject: whether it is the subject of its clause.
        head: the lemma of its noun.
        of: "of" if it is a part or kind of something ("the types of shark"), "whole" if it is what
            stands after that "of", else "".
        focus: whether it is the one answer to "who" or "which company".
    """

    text: str
    kind: Kind
    age: int
    place: Place
    subject: bool
    named: bool
    head: str
    of: str = ""
    focus: bool = False

    @property
    def key(self) -> tuple[str, ...]:
        """The words in one spelling."""
        return key_of(self.text)


def mentions(history: Sequence[Exchange]) -> list[Mention]:
    """Everything mentioned, newest first; of one exchange the question's before the answers'."""
    parse_all([text for e in history for text in (e.question, *e.answers, *e.titles)])
    found: list[Mention] = []
    for age, exchange in enumerate(reversed(history)):
        sort = _asked_for(exchange.question)
        asked = list(_read(exchange.question, age, "question"))
        told = [m for answer in exchange.answers for m in _read(answer, age, "answer")]
        if exchange.answers and sort and any(m.named for m in told):
            # "Which company ...?", "Who is the ambassador ...?": it is the answer from now on
            asked = [m for m in asked if m.head != sort or m.named]
            told = [m._replace(head=sort) if m.text == exchange.answers[0] else m for m in told]
        if _IDENTITY.match(exchange.question) and any(m.named for m in asked):
            asked = [m._replace(kind="person") if m.named else m for m in asked]
            # "Who is Kulik?", "the Russian ambassador": "he" is Kulik all the same
            told = [m for m in told if m.text.split()[-1][:1].isupper()]
        if len(exchange.answers) == 1 and (exchange.slot == "who" or sort):
            told = [m._replace(focus=m.named and m.text == exchange.answers[0]) for m in told]
        found += [*asked, *told]
        if len(exchange.answers) > 1 and exchange.slot == "who":
            together = " and ".join(exchange.answers)
            found.append(Mention(together, "people", age, "answer", False, True, ""))
        for title in exchange.titles:
            found += _read(title, age, "title")
    return found


def _asked_for(question: str) -> str:
    """The noun that an answer is one of: "company" of "Which company ...?"; "" if there is none."""
    doc = parse(question)
    if _IDENTITY.match(question):
        people = [c.root for c in doc.noun_chunks if c.root.lemma_.casefold() in _OFFICES]
        return people[0].lemma_.casefold() if people else ""
    first = next(iter(doc.noun_chunks), None)
    if first is not None and len(first) > 1 and first[0].tag_ in ("WDT", "WP"):
        return str(first.root.lemma_.casefold())
    return ""


def _read(text: str, age: int, place: Place) -> Iterator[Mention]:
    if place == "title":
        whole = re.sub(r"\s*\(.*\)$", "", text)
        yield Mention(whole, _kind_of(parse(text)[:]), age, place, False, True, "")
        return
    doc = parse(text)
    yield from mentions_in(doc, age, place)
    whole = text.strip().rstrip(".")
    told = any(token.pos_ in ("VERB", "AUX") for token in doc)
    short = not told and len(doc) <= MOST_WORDS
    if place == "answer" and short and not any(c.text == whole for c in doc.noun_chunks):
        yield Mention(whole, _kind_of(doc[:]), age, place, False, whole[:1].isupper(), _head(doc))


def mentions_in(doc: Doc, age: int = 0, place: Place = "question") -> Iterator[Mention]:
    """The noun phrases of a parsed sentence, and those joined by "and" together."""
    chunks = [chunk for chunk in doc.noun_chunks if chunk.root.pos_ in ("NOUN", "PROPN", "NUM")]
    for chunk in chunks:
        if mention := _mention(chunk, age, place):
            yield mention
    yield from _pairs(doc, chunks, age, place)


def _head(doc: Doc) -> str:
    return next((token.lemma_.casefold() for token in doc if token.dep_ == "ROOT"), "")


def _mention(chunk: Span, age: int, place: Place) -> Mention | None:
    tokens = list(chunk)
    owned = bool(tokens) and tokens[0].tag_ in ("WDT", "WP", "WP$", "PRP$")
    while tokens and (tokens[0].tag_ in ("WDT", "WP", "WRB", "WP$", "PRP$", "PDT")):
        tokens = tokens[1:]
    while tokens and tokens[0].text.casefold() in ("many", "much"):
        tokens = tokens[1:]
    while tokens and tokens[-1].tag_ == "POS":
        tokens = tokens[:-1]
    if not tokens or all(t.text.casefold() in _LEADING for t in tokens):
        return None
    if chunk.root.lemma_.casefold() in ("one", "other"):
        return None
    text = chunk.doc[tokens[0].i : tokens[-1].i + 1].text
    if owned and tokens[0].pos_ != "PROPN":
        text = f"the {text}"
    return Mention(
        text,
        _kind_of(chunk),
        age,
        place,
        chunk.root.dep_ in ("nsubj", "nsubjpass"),
        any(t.pos_ == "PROPN" or t.ent_type_ in _NAMES for t in tokens),
        chunk.root.lemma_.casefold(),
        _of(chunk),
    )


def _of(chunk: Span) -> str:
    doc = chunk.doc
    if chunk.end < len(doc) and doc[chunk.end].text == "of":
        return "of"
    return "whole" if chunk.start > 0 and doc[chunk.start - 1].text == "of" else ""


_NAMES = frozenset("PERSON ORG GPE LOC FAC NORP EVENT WORK_OF_ART PRODUCT LAW".split())


def _pairs(doc: Doc, chunks: Sequence[Span], age: int, place: Place) -> Iterator[Mention]:
    """Phrases joined by "and": those whom "they" may mean."""
    for chunk in chunks:
        joined = [c for c in chunks if c.root in chunk.root.conjuncts and c.start > chunk.start]
        if joined and chunk.root.dep_ != "conj":
            last = joined[-1]
            text = doc[chunk.start : last.end].text
            one = _kind_of(chunk)
            kind: Kind = "people" if one in ("person", "people") else "things"
            subject = chunk.root.dep_ in ("nsubj", "nsubjpass")
            yield Mention(text, kind, age, place, subject, text[:1].isupper(), "")


def _kind_of(span: Span) -> Kind:
    root = span.root
    lemma = root.lemma_.casefold()
    plural = root.tag_ in ("NNS", "NNPS")
    # A name inside says nothing of a common noun: "the Kestrel Bay accident" is no place.
    types = {root.ent_type_} if root.pos_ == "NOUN" else {t.ent_type_ for t in span}
    if types & {"DATE", "TIME"}:
        return "date"
    if lemma in _BODIES and "PERSON" not in types:
        return "group"
    if lemma in _OFFICES or "PERSON" in types:
        return "people" if plural and "PERSON" not in types else "person"
    if types & _GROUPS:
        return "group"
    if types.intersection(PLACES) or lemma in PLACE_NOUNS:
        return "place"
    if root.pos_ == "NUM" or types & {"CARDINAL", "MONEY", "PERCENT", "QUANTITY", "ORDINAL"}:
        return "number"
    return "things" if plural else "thing"


def class_of(token: Token) -> Class | None:
    """What a word that points back may stand for; None if it points nowhere."""
    word, tag = token.text.casefold(), token.tag_
    if word in ("he", "him", "his", "she", "her", "hers", "himself", "herself"):
        return "he"
    if word in ("they", "them", "their", "theirs", "themselves", "these", "those"):
        return "they" if tag in ("PRP", "PRP$", "DT") and _stands_alone(token) else None
    if word in ("it", "its", "itself"):
        return "it" if token.dep_ != "expl" else None
    if word in ("this", "that"):
        return "that" if tag == "DT" and _stands_alone(token) else None
    if word == "there":
        return "there" if token.dep_ != "expl" and tag != "EX" else None
    if word == "then":
        return "then" if not _opens(token) else None
    return None


def _stands_alone(token: Token) -> bool:
    """Whether it is no determiner, nor does it open a clause ("the man that came")."""
    return token.dep_ not in ("det", "mark", "predet") and token.head.dep_ != "relcl"


def _opens(token: Token) -> bool:
    return token.i == 0 or token.doc[token.i - 1].text.casefold() in (",", "and", "but", "so")


# What a word can stand for at all, whatever the statistics say.
_POSSIBLE: Mapping[Class, frozenset[Kind]] = {
    "he": frozenset(["person"]),
    "they": frozenset(["people", "things", "group", "person"]),
    "it": frozenset(["thing", "things", "group", "place"]),
    "there": frozenset(["place", "group"]),
    "then": frozenset(["date"]),
    "topic": frozenset(["person", "people", "group", "place", "thing", "things"]),
}


def may_be(wanted: Class, mention: Mention) -> bool:
    """Whether a mention can be what a word stands for; a title's kind is not known."""
    return mention.place == "title" or mention.kind in _POSSIBLE.get(wanted, frozenset())


def features(
    mention: Mention, wanted: Class, found: Sequence[Mention], question: str, subject: bool
) -> dict[str, float]:
    """What speaks for a mention being meant, by name; 0 where a name is missing.

    Args:
        wanted: what the pointing word may stand for.
        found: all mentions.
        question: the follow-up.
        subject: whether the pointing word is the subject.
    """
    asked = {word for word in key_of(question) if len(word) > 2}
    same = [m for m in found if m.key == mention.key or _part_of(mention.key, m.key)]
    ages = Counter(m.age for m in same)
    lone = not any(m.place == "answer" for m in found)  # questions without their answers
    return {
        f"{wanted} {mention.kind if mention.place != 'title' else 'title'}": 1.0,
        f"{wanted} {mention.place}": 1.0,
        f"{wanted} told": math.log(len(same)),
        f"{mention.place} {min(mention.age, AGES)}": 1.0,
        f"{wanted} named": float(mention.named),
        f"subject {subject}": float(mention.subject),
        f"answer {wanted} {mention.age == 0}": float(mention.place == "answer"),
        f"of {mention.of}": 1.0,
        f"relational {wanted}": float(mention.head in _RELATIONAL),
        "topic": float(bool(found) and any(m.age == found[-1].age for m in same)),
        f"lone {mention.place} {min(mention.age, 2)}": float(lone),
        "told": math.log(len(same)),
        "told lately": float(ages[0] > 0 and ages[1] > 0),
        "in title": float(any(m.place == "title" for m in same)),
        "asked already": len(asked & set(mention.key)) / max(1, len(mention.key)),
        "words": math.log(len(mention.text.split())),
        f"{wanted} sentence": float(len(mention.text.split()) > 5),
        f"{wanted} lone named {mention.named}": float(lone),
        f"{wanted} lone topic": float(lone and any(m.age == found[-1].age for m in same)),
        "first": float(bool(found) and mention.age == 0 and same[0].subject),
    }


def question_features(doc: Doc, found: Sequence[Mention]) -> dict[str, float]:
    """What speaks for a question being about something that only the history names.

    They are features of every mention beside `features`; of "nothing is missing" all are 0.
    """
    words = [t for t in doc if t.pos_ in ("NOUN", "PROPN", "VERB", "ADJ", "NUM") and t.tag_ != "WP"]
    told = {word for mention in found for word in mention.key}
    bare = [c for c in doc.noun_chunks if len(c) == 2 and is_definite(c.text)]
    return {
        "q any": 1.0,
        f"q names {min(2, sum(t.pos_ == 'PROPN' for t in words))}": 1.0,
        "q the": float(bool(bare)),
        "q this": float(any(t.text.casefold() in ("this", "that", "these") for t in doc)),
        "q other": float(any(t.lemma_ in ("other", "else", "another", "more") for t in doc)),
        f"q words {min(5, len(words))}": 1.0,
        "q told": sum(t.text.casefold() in told for t in words) / max(1, len(words)),
        f"q {doc[0].lemma_.casefold()}": 1.0,
        "q last verb": float(bool(words) and words[-1].pos_ == "VERB"),
        "q last adjective": float(bool(words) and words[-1].pos_ == "ADJ"),
        "q first": float(all(m.place == "title" for m in found)),
        "q relational": float(any(t.lemma_ in _RELATIONAL for t in words)),
    }


def _part_of(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    return set(one) <= set(other) or set(other) <= set(one)


def is_definite(text: str) -> bool:
    """Whether it begins with "the", "that" and the like."""
    return re.match(r"(?:the|this|that|these|those)\b", text, re.IGNORECASE) is not None
