"""Follow-ups understood without a language model: what a question means, given those before it.

First it is decided whether a turn depends on the history at all: a question that stands alone is
never touched. Then fragments are made whole from the question before (`qa/ellipsis.py`), and words
that point back ("he", "there", "the bridge") are replaced by what they most likely stand for: a
conditional logit over all mentions of the conversation (`qa/mentions.py`), fitted by
`qa.training.conversation` to the rewrites people made (CANARD: Elgohary et al., EMNLP 2019).
"""

from __future__ import annotations

import json
import math
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, NamedTuple

from .answer import Answer
from .clarifying import Choice, choices, chosen
from .ellipsis import bare, completed, dated, said
from .entities import same_name
from .mentions import (
    Class,
    Exchange,
    Happening,
    Mention,
    class_of,
    features,
    may_be,
    mentions,
    mentions_in,
    question_features,
)
from .predicates import is_listed
from .syntax import parse, parse_all

if TYPE_CHECKING:
    from spacy.tokens import Doc, Token

    from .sessions import Turn

REMEMBERED = 3  # turns that weigh on finding and reading, each half as much as the one after it
CONTEXT = 0.2  # weight of the last turn's words for BM25
IN_PLAY = 2.4  # log-odds of an answer from a document that the last turn cited
MISSING = 0.9  # probability from which a question is not left as it is
POSSIBLY = 0.05  # the same, where the documents do not answer it as it is
SHORT = 3  # words of a noun phrase that may need what it belongs to
FOCUS = 3.0  # log-odds of what a "who" or "which company" was just answered with
ANSWERS = 3  # of an exchange that are looked at
_RETURN = re.compile(
    r"^(?:(?:ok|and|so|well)[, ]+)?(?:going |coming )?(?:back to|returning to|about|as for|"
    r"regarding|on) (?P<topic>[^:,?]{2,60})[:,] *(?:and )?",
    re.IGNORECASE,
)
_ORDINALS = {
    "first": 0,
    "former": 0,
    "second": 1,
    "third": 2,
    "fourth": 3,
    "latter": -1,
    "last": -1,
}
_ORDINAL = re.compile(
    r"\bthe (?P<nth>first|second|third|fourth|last|former|latter)(?: (?:one|of them))?\b"
    r"(?! (?:\w+ )?(?:time|day|week|month|year|half|quarter|minister|lady|name|place)\b)"
    r"(?P<noun> [a-z]+)?",
    re.IGNORECASE,
)
_OTHERS = re.compile(r"\b(?:else|others?|another)\b", re.IGNORECASE)
_EVENT = re.compile(r"\b(?:that|this) (?P<noun>[a-z]+)\b", re.IGNORECASE)
_DETERMINERS = frozenset("the a an this that his her its their".split())
_WEATHER = re.compile(  # "it" that stands for nothing
    r"\bit (?:is |was |be |has been |will be )?(?:true|possible|likely|raining|snowing|clear|time|"
    r"important that|known)\b|\bhow long (?:does|did|will) it take\b|\bwhat time (?:is|was) it\b",
    re.IGNORECASE,
)


class Resolution(NamedTuple):
    """A turn understood.

    Attributes:
        text: the question, self-contained.
        follows: whether it depends on the history.
        excluded: answers given before, of which others are asked for ("who else").
        context: words of the last turns with the weight that each has for BM25 (the idea of HQE:
            Lin et al., "Multi-stage conversational passage retrieval", TOIS 2021).
        documents: those that the last turns cited, with log-odds for answers from them.
        choices: what it may equally mean, to be asked back.
        alternatives: less likely readings, to be tried where the documents do not answer this one.
    """

    text: str
    follows: bool = False
    excluded: tuple[str, ...] = ()
    context: Mapping[str, float] = {}
    documents: Mapping[str, float] = {}
    alternatives: tuple[str, ...] = ()
    choices: tuple[Choice, ...] = ()


def understand(question: str, turns: Sequence[Turn]) -> Resolution:
    """What a question means after the turns of its session, and what of them stays in play.

    A question that stands alone is searched for and read as if there had been none.
    """
    answered = [turn for turn in turns if not turn.answer.clarification]
    history = [_exchange(turn.answer) for turn in answered]
    tidy = " ".join(question.split())
    if turns and turns[-1].answer.clarification:
        asked = " ".join(turns[-1].question.split())
        if choice := chosen(tidy, choices(asked, history)):
            return _in_play(Resolution(choice.text, follows=True), answered)
    if offered := choices(tidy, history):
        return Resolution(tidy, choices=tuple(offered))
    return _in_play(resolve(question, history), answered)


def _in_play(understood: Resolution, turns: Sequence[Turn]) -> Resolution:
    """A follow-up with the words and documents of the last turns."""
    if not understood.follows and not understood.alternatives:
        return understood
    context: dict[str, float] = {}
    documents: dict[str, float] = {}
    for age, turn in enumerate(reversed(turns[-REMEMBERED:])):
        decay = 0.5**age
        said = [turn.resolved_question, *(span.text for span in turn.answer.answers[:ANSWERS])]
        for word in re.findall(r"\w+", " ".join(said)):
            context.setdefault(word, CONTEXT * decay)
        for citation in turn.answer.citations:
            documents.setdefault(citation.document_id, IN_PLAY * decay)
    return understood._replace(context=context, documents=documents)


def _exchange(answer: Answer) -> Exchange:
    """An earlier answer as the history of a question."""
    first = answer.answers[0].slot if answer.answers else None
    told = tuple(span.name or span.text for span in answer.answers if span.slot == first)
    values = [span.value for span in answer.answers if span.value and span.value.start]
    days = None
    if values and values[0].start and values[0].end:
        days = date.fromisoformat(values[0].start), date.fromisoformat(values[0].end)
    return Exchange(answer.resolved_question, told[:ANSWERS], first, days, tuple(_shown(answer)))


def _shown(answer: Answer) -> Iterator[Happening]:
    """The dated events of an answer."""
    for event in answer.events:
        value = event.when.value if event.when else None
        if event.who and value and value.start and value.end:
            who = " and ".join(mention.name or mention.text for mention in event.who)
            yield Happening(who, (date.fromisoformat(value.start), date.fromisoformat(value.end)))


def resolve(question: str, history: Sequence[Exchange]) -> Resolution:
    """What a question means after the exchanges before it, oldest first."""
    tidy = " ".join(question.split())
    if not history or not bare(tidy):
        return Resolution(tidy)
    parse_all([tidy, bare(tidy), history[-1].question.rstrip(" ?.!"), *history[-1].answers])
    whole = completed(tidy, history)
    if whole is not None:
        return Resolution(whole, follows=True, excluded=_excluded(tidy, history[-1]))
    topic, rest = _returned(tidy)
    known = mentions(
        [exchange._replace(answers=exchange.answers[:ANSWERS]) for exchange in history]
    )
    text = dated(_numbered(rest, history), history)
    text = _replaced(_event_named(text, history[-1], known), known, topic)
    if text != tidy and (whole := completed(text, history)):
        text = whole  # "And she?" is "And Berg?"
    if text == tidy:
        text = _about(tidy, known, MISSING)
    others = [_replaced(rest, known, topic, choice=1), _about(text, known, POSSIBLY), tidy]
    alternatives = tuple(other for other in dict.fromkeys(others) if other != text)
    excluded = _excluded(tidy, history[-1])
    points = any(class_of(token) == "that" for token in parse(tidy))
    follows = text != tidy or points or bool(excluded)
    return Resolution(text, follows, excluded, alternatives=alternatives)


def _excluded(question: str, last: Exchange) -> tuple[str, ...]:
    """The answers just given, where a question asks for others."""
    return last.answers if _OTHERS.search(question) else ()


def _event_named(question: str, last: Exchange, known: Sequence[Mention]) -> str:
    """Say which event "that meeting" is: the one asked about last, with its people and day."""
    found = _EVENT.search(question)
    if not found or not is_listed(found["noun"].casefold().removesuffix("s")):
        return question
    if any(m.head == found["noun"].casefold() and len(m.key) > 1 for m in known):
        return question
    people = [
        m.text
        for m in known
        if m.age == 0 and m.place == "question" and m.kind in ("person", "people", "group")
    ]
    phrase = f"the {found['noun']}"
    if people:
        phrase += f" of {max(people, key=len)}"
    if last.days:
        phrase += f" {said(*last.days)}"
    return question[: found.start()] + phrase + question[found.end() :]


def _returned(question: str) -> tuple[list[Mention], str]:
    """The topic that "Back to the bridge: ..." names, and the question after it."""
    found = _RETURN.match(question)
    if not found or found.end() == len(question):
        return [], question
    rest = question[found.end() :]
    return mentions([Exchange(found["topic"])]), rest[:1].upper() + rest[1:]


def _numbered(question: str, history: Sequence[Exchange]) -> str:
    """Put the answer in that "the second one" means: of the last answers that were several."""
    listed = next((e.answers for e in reversed(history) if len(e.answers) > 1), ())
    found = _ORDINAL.search(question)
    if not found or not listed:
        return question
    noun = (found["noun"] or "").strip()
    if noun and noun != "one" and _is_noun(question, noun):
        return question
    at = _ORDINALS[found["nth"].casefold()]
    if at >= len(listed):
        return question
    end = found.end() if not found["noun"] else found.end() - len(found["noun"])
    return question[: found.start()] + listed[at] + question[end:]


def _is_noun(question: str, word: str) -> bool:
    return any(t.text == word and t.pos_ in ("NOUN", "PROPN") for t in parse(question))


def _replaced(
    question: str, known: Sequence[Mention], topic: Sequence[Mention], choice: int = 0
) -> str:
    """The question with its first pointing word of each class replaced.

    Args:
        choice: 0 for the likeliest mention, 1 for the next one that is another.
        topic: what the question itself says that it is about ("Back to the bridge: ...").
    """
    doc = parse(question)
    if _WEATHER.search(question):
        return question
    edits: list[tuple[int, int, str]] = []
    done: set[Class] = set()
    for token in doc:
        wanted = class_of(token)
        if wanted is None or wanted in done:
            continue
        named = [m for m in topic if may_be(wanted, m)]
        if not named and has_antecedent(doc, token, wanted):
            continue
        done.add(wanted)
        if (best := antecedent(token, wanted, named or known, question, choice)) is not None:
            words = _fuller_words(best.text.split(), known) or best.text
            edits.append((token.idx, token.idx + len(token.text), _as(words, token)))
    for chunk in doc.noun_chunks:
        free = not any(a < chunk.end_char and chunk.start_char < b for a, b, _ in edits)
        singular = free and chunk.root.tag_ == "NN"
        if singular and (fuller := _fuller_words(chunk.text.split(), known)):
            edits.append((chunk.start_char, chunk.end_char, fuller))
    for start, end, words in sorted(edits, reverse=True):
        question = question[:start] + words + question[end:]
    return question[:1].upper() + question[1:] if edits and doc[0].text[:1].isupper() else question


def points_back(doc: Doc) -> bool:
    """Whether a question has a word that stands for something said before it."""
    found = [(token, class_of(token)) for token in doc]
    return any(wanted and not has_antecedent(doc, token, wanted) for token, wanted in found)


def _about(question: str, known: Sequence[Mention], least: float) -> str:
    """The question with what it is about, where only the history says so.

    Args:
        least: how likely it must be that just this is missing.
    """
    doc = parse(question)
    known = [mention for mention in known if may_be("topic", mention)]
    if not known or points_back(doc):
        return question
    if least < MISSING and any(token.pos_ == "PROPN" for token in doc):
        return question  # what has a name stands alone, unless all speaks against it
    weights = model()
    common = sum(weights.get(n, 0.0) * v for n, v in question_features(doc, known).items())
    scores = [
        common + sum(weights.get(n, 0.0) * v for n, v in row.items())
        for row in (features(m, "topic", known, question, subject=False) for m in known)
    ]
    top = max(0.0, *scores)
    likelihood: dict[tuple[str, ...], float] = defaultdict(float)
    for mention, score in zip(known, scores, strict=True):
        likelihood[mention.key] += math.exp(score - top)
    key, most = max(likelihood.items(), key=lambda pair: pair[1])
    if most / (math.exp(-top) + sum(likelihood.values())) < least:
        return question
    best = next(mention for mention in known if mention.key == key)
    return _with_topic(question, doc, best)


def _with_topic(question: str, doc: Doc, topic: Mention) -> str:
    """The topic put behind the noun that it belongs to, else at the end."""
    words = re.sub(r"['’]s$", "", topic.text)
    phrase = f" {'in' if topic.kind in ('place', 'date') else 'of'} {words}"
    nouns = [c for c in doc.noun_chunks if len(c) <= SHORT and c.root.pos_ == "NOUN"]
    if nouns and doc[nouns[-1].end : nouns[-1].end + 1].text != "of":
        at = nouns[-1].end_char
        return question[:at] + phrase + question[at:]
    return question.rstrip(" ?") + phrase + "?"


def has_antecedent(doc: Doc, token: Token, wanted: Class) -> bool:
    """Whether the question itself says, before a word, whom it stands for."""
    if wanted in ("that", "there", "then"):
        return False
    words = doc[: token.i].text
    before = [m for m in mentions_in(doc) if m.kind != "date" and m.text in words]
    if wanted == "he":
        return any(m.kind == "person" or _is_name(m) for m in before)
    if wanted == "they":
        return any(m.kind in ("people", "things", "group") or m.named for m in before)
    return any(m.named and m.kind != "person" for m in before) or any(
        m.kind in ("thing", "group", "place") for m in before if token.head.dep_ != "ROOT"
    )


def _is_name(mention: Mention) -> bool:
    return mention.named and mention.kind in ("person", "thing", "group")


def antecedent(
    token: Token, wanted: Class, known: Sequence[Mention], question: str, choice: int = 0
) -> Mention | None:
    """What a pointing word most likely stands for, or the next likeliest."""
    different: dict[tuple[str, ...], Mention] = {}
    for _, mention in ranking(token, wanted, known, question):
        if not any(same_name(mention.text, other.text) for other in different.values()):
            different[mention.key] = mention
    return next(iter(list(different.values())[choice : choice + 1]), None)


def ranking(
    token: Token, wanted: Class, known: Sequence[Mention], question: str
) -> list[tuple[float, Mention]]:
    """All mentions with their probability of being meant, likeliest first."""
    subject = token.dep_ in ("nsubj", "nsubjpass", "poss")
    weights = model()
    known = [mention for mention in known if may_be(wanted, mention)]
    scores = [
        sum(
            weights.get(n, 0.0) * v
            for n, v in features(m, wanted, known, question, subject).items()
        )
        for m in known
    ]
    if not scores:
        return []
    scores = [s + FOCUS * (m.focus and m.age == 0) for s, m in zip(scores, known, strict=True)]
    top = max(scores)
    total = sum(math.exp(score - top) for score in scores)
    ranked = [(math.exp(s - top) / total, m) for s, m in zip(scores, known, strict=True)]
    return sorted(ranked, key=lambda pair: -pair[0])


def _as(words: str, token: Token) -> str:
    """A mention's words as they stand in place of a word: "his" is "Kim's"."""
    words = re.sub(r"['’]s$", "", words)
    if token.tag_ == "PRP$" or token.text.casefold() in ("its", "their"):
        return f"{words}’" if words.endswith("s") else f"{words}’s"
    if token.text.casefold() == "there":
        return words if words.startswith("in ") else f"in {words}"
    if token.text.casefold() == "then":
        return f"in {words}" if re.match(r"\d{4}$", words) else words
    return words


def _fuller_words(words: Sequence[str], known: Sequence[Mention]) -> str | None:
    """The fuller phrase that "the bridge" stands for: "the Skarvoy Bridge"."""
    if len(words) != 2 or words[0].casefold() not in ("the", "that", "this"):
        return None
    noun = words[1].casefold()
    for mention in known:
        own = mention.text.split()
        if mention.place == "answer" and mention.head == noun != own[-1].casefold():
            return mention.text  # "the company": the answer to "Which company ...?"
        if mention.key[-1:] == (noun,) and len(mention.key) > 1 and "'s" not in mention.text:
            return mention.text if own[0].casefold() in _DETERMINERS else f"the {mention.text}"
    return None


@cache
def model() -> Mapping[str, float]:
    """The weights of `mentions.features` that ship with the package."""
    text = (files("qa") / "models" / "conversation.json").read_text(encoding="utf-8")
    weights: dict[str, float] = json.loads(text)["weights"]
    return weights
