"""What a dependency parse says of a clause: its verbs, its people, its extent, its modality."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from .answer import Status
from .entities import TITLES
from .predicates import (
    CANCELLING,
    DENYING,
    LATER,
    LIGHT_VERBS,
    MAYBE,
    PERSON_NOUNS,
    PICTURES,
    PLANNING,
)

if TYPE_CHECKING:
    from spacy.tokens import Token

NAMED = ("PERSON", "ORG", "GPE", "NORP", "LOC")
PLACES = ("GPE", "LOC", "FAC")
PLACE_PREPOSITIONS = frozenset("in at near outside inside on off aboard around across".split())
_WAY_PREPOSITIONS = frozenset("to into toward towards".split())
_COMPANY = frozenset("with between among alongside by of from against".split())


def persons(words: Iterable[Token]) -> list[str]:
    """The persons that are subjects."""
    found = []
    for word in words:
        subject = word.dep_ in ("nsubj", "nsubjpass") and word.pos_ == "PROPN"
        if subject and word.ent_type_ in ("PERSON", ""):
            start, end = noun_phrase(word)
            found.append(word.doc.text[start:end])
    return found


def is_place_preposition(word: Token, moves: bool) -> bool:
    """Whether a place may follow: "in", "at"; after a verb of motion "to", too."""
    lower = word.text.casefold()
    return lower in PLACE_PREPOSITIONS or (moves and lower in _WAY_PREPOSITIONS)


def verb_of(token: Token) -> Token:
    """The verb, or the root, of the clause that a word stands in."""
    while token.pos_ not in ("VERB", "AUX") and token.head != token:
        token = token.head
    return token


def chain_of(token: Token) -> list[Token]:
    """The word that tells, and the verbs that carry it: "held" a summit, "travel" to meet."""
    chain = [token]
    at = token
    if token.pos_ != "VERB":
        governor = token.head
        while governor.dep_ in ("prep", "compound", "conj") and governor.head != governor:
            governor = governor.head
        lemma = governor.lemma_.casefold()
        if governor.pos_ in ("VERB", "AUX") and (
            lemma in LIGHT_VERBS | CANCELLING | PLANNING | DENYING | {"be"}
            or token.dep_ in ("nsubj", "nsubjpass")
        ):
            chain.append(governor)
            at = governor
        else:
            return chain
    while (at.dep_ in ("xcomp", "conj") or _is_purpose(at)) and at.head.pos_ == "VERB":
        if at.dep_ == "conj" and any(c.dep_ in ("nsubj", "nsubjpass") for c in at.children):
            break
        at = at.head
        if at.dep_ != "conj":
            chain.append(at)
    if at.dep_ == "ccomp" and any(c.lemma_.casefold() in PICTURES for c in at.head.children):
        chain.append(at.head)
    return chain


def _is_purpose(verb: Token) -> bool:
    """Whether it is the "to meet" of "travel to Riga to meet"."""
    return verb.dep_ == "advcl" and any(c.tag_ == "TO" for c in verb.children)


def subjects_of(verb: Token) -> list[Token]:
    """Who does what a verb says, also where the verb leaves it to another one."""
    found = [c for c in verb.children if c.dep_ in ("nsubj", "nsubjpass")]
    found = [c for c in found if c.lemma_.casefold() not in PICTURES]
    found += [a for c in verb.children if c.dep_ == "agent" for a in c.children]
    if not found and verb.dep_ == "relcl":
        return [verb.head]
    if not found and verb.dep_ in ("advcl", "xcomp", "conj", "acl") and verb.head.pos_ == "VERB":
        return subjects_of(verb.head)
    if not found and verb.dep_ == "acl":
        return [verb.head]
    return [_named_instead(c) for c in found]


def _named_instead(token: Token) -> Token:
    """Of "the men who", the men."""
    if token.tag_ in ("WP", "WDT") and token.head.dep_ == "relcl":
        return token.head.head
    return token


def company(token: Token) -> list[Token]:
    """Those whom it was with, between, of or by."""
    return [
        head
        for prep in token.children
        if prep.dep_ in ("prep", "agent")
        and prep.text.casefold() in _COMPANY
        and not (token.pos_ == "VERB" and prep.text.casefold() in ("of", "from"))
        for head in prep.children
        if head.dep_ == "pobj"
    ]


def is_someone(token: Token) -> bool:
    """Whether a word stands for a person or a body of people, as far as one can tell."""
    if token.ent_type_ in NAMED:
        return True
    if token.tag_ in ("PRP", "PRP$"):
        return token.text.casefold() not in ("it", "its", "itself")
    if token.ent_type_ in ("DATE", "TIME", "CARDINAL", "MONEY", "ORDINAL", "PERCENT"):
        return False
    return token.pos_ == "PROPN" or (token.pos_ == "NOUN" and _is_person_noun(token))


def _is_person_noun(token: Token) -> bool:
    lemma = token.lemma_.casefold()
    return lemma in PERSON_NOUNS or lemma.endswith(("man", "woman", "ist", "eer"))


def noun_phrase(head: Token) -> tuple[int, int]:
    """A mention's extent: the name alone where it is one, else the words up to the noun."""
    for entity in head.doc.ents:
        if entity.start <= head.i < entity.end and entity.label_ in NAMED:
            words = [t for t in entity if t.tag_ != "POS" and t.text not in ("'s", "’s")]
            while words[0].i and _names_on(words[0].nbor(-1), words[0]):
                words.insert(0, words[0].nbor(-1))
            return words[0].idx, words[-1].idx + len(words[-1].text)
    if head.tag_ in ("PRP", "PRP$"):
        return head.idx, head.idx + len(head.text)
    kept = [head]
    for child in head.children:
        if (child.i < head.i and child.dep_ in (
            "compound", "amod", "det", "nummod", "poss", "nmod", "quantmod",
        )) or (child.dep_ == "prep" and child.text.casefold() == "of"):  # fmt: skip
            kept += list(child.subtree)
    last = max(kept, key=lambda t: t.i)
    return min(t.idx for t in kept), last.idx + len(last.text)


def _names_on(before: Token, word: Token) -> bool:
    """Whether the word before a name belongs to it, as in "Lady Isolde"."""
    leads = before.pos_ == "PROPN" and before.dep_ == "compound" and before.head.i >= word.i
    title = before.text.casefold().rstrip(".") in TITLES or not before.text[:1].isupper()
    return leads and not title


def place_phrase(head: Token) -> tuple[int, int]:
    """A place's extent: its words and the places it lies in, up to any clause about it."""
    kept = [head]
    for child in head.children:
        if child.dep_ in ("compound", "amod", "det", "nummod", "poss", "nmod") or (
            child.dep_ == "prep"
            and child.text.casefold() in ("in", "of", "near", "on", "at")
            and child.i > head.i
        ):
            kept += [t for t in child.subtree if t.ent_type_ not in ("DATE", "TIME")]
        elif child.dep_ in ("appos",) and child.ent_type_ in PLACES:
            kept += [t for t in child.subtree if t.ent_type_ in PLACES]
    first, last = min(kept, key=lambda t: t.i), max(kept, key=lambda t: t.i)
    while last.is_punct or last.tag_ == "POS" or last.dep_ == "prep":
        last = last.nbor(-1)
    return first.idx, last.idx + len(last.text)


def status_of(token: Token, chain: Sequence[Token]) -> Status:
    """Whether it happened, by modality, tense, negation and what governs it."""
    around = {c for verb in chain for c in verb.children}
    lemmas = {verb.lemma_.casefold() for verb in chain[1:]}
    above = _governors(chain[-1])
    governing = lemmas | {verb.lemma_.casefold() for verb in above}
    words = {c.text.casefold() for c in around if c.dep_ in ("aux", "amod", "advmod", "neg", "det")}
    if any(_cancels(verb) for verb in (*chain[1:], *above)):
        return "cancelled"
    negated = any(c.dep_ == "neg" for c in around) or "no" in words or "never" in words
    if negated or governing & DENYING:
        return "denied"
    if words & MAYBE or any(
        c.dep_ == "mark" and c.text.casefold() in ("if", "whether") for c in around
    ):
        return "planned" if "would" in words else "possible"
    if words & LATER or governing & PLANNING or _is_to(token):
        return "planned"
    return "happened"


def _cancels(verb: Token) -> bool:
    lemma = verb.lemma_.casefold()
    particles = {c.text.casefold() for c in verb.children if c.dep_ in ("prt", "prep", "advmod")}
    if lemma in ("call", "fall"):
        return bool(particles & {"off", "through", "apart"})
    return lemma in CANCELLING


def _governors(verb: Token) -> list[Token]:
    """The verbs that a clause is the content of: "denied that", "plans to"."""
    found = []
    while verb.dep_ in ("ccomp", "xcomp", "acl") and verb.head != verb:
        verb = verb.head
        found.append(verb)
        if len(found) > 3:
            break
    return found


def _is_to(token: Token) -> bool:
    """Whether it "is to" happen."""
    to = any(c.dep_ == "aux" and c.text.casefold() == "to" for c in token.children)
    return to and token.dep_ == "xcomp" and token.head.lemma_.casefold() == "be"


def is_earlier(chain: Sequence[Token]) -> bool:
    """Whether it was told as a thing of the past: "previously", "had met"."""
    return any(
        c.text.casefold() in ("previously", "earlier", "once", "had", "ago", "formerly")
        for verb in chain
        for c in verb.children
    )
