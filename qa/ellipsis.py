"""Fragments made whole from the question before: "Where?", "And in 2019?", "What about Berg?".

The question before is a frame: its clause stays, one part of it is asked for or exchanged.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, timedelta
from typing import TYPE_CHECKING, cast

from .dates import Timex, find_timexes
from .dates.periods import Period, Unit
from .mentions import Exchange, Mention, mentions
from .question import analyse
from .syntax import parse

if TYPE_CHECKING:
    from spacy.tokens import Doc, Token

_LEAD = re.compile(
    r"^(?:(?:and|but|so|ok|okay|well|also|then|what about|how about)\b[\s,]*)+", re.IGNORECASE
)
_NO_AUXILIARY = r"(?!(?:is|are|was|were|do|does|did|has|have|had|can|will|would|should)\b)"
_WH = (
    r"(?:(?:in|at|on|by|with|to|for|from|of|since|until) )?(?:who(?:m|se)?|where|when|why|"
    r"how(?: (?:many|much|long|often|far|old|big|large|high))?|"
    rf"(?:what|which)(?: {_NO_AUXILIARY}\w+){{0,2}})"
)
_BARE_WH = re.compile(
    rf"^(?P<wh>{_WH})(?: (?:exactly|then|there|so|not|that|and (?:when|where|why|with whom)))*$",
    re.IGNORECASE,
)
_POINTING = re.compile(  # "Where was that?", "When did it happen?"
    rf"^(?P<wh>{_WH}) (?:was|is|were|did|had|has|would) (?P<what>that|this|it|they|he|she|those)"
    r"(?P<verb> (?:happen|take place|occur|be|held|meet|go|come|do that|do so))?(?: exactly)?$",
    re.IGNORECASE,
)
_ELSE = re.compile(
    r"^(?P<wh>who|what|where|when|which|any(?:one|body|thing|where)) (?:else|others?)$",
    re.IGNORECASE,
)
_EARLIER = re.compile(
    r"^(?:(?:when was |what about |what was )?(?:the )?(?:last |previous )?"
    r"(?P<noun>time|one|meeting|visit|occasion|summit|talks)? ?(?:just )?"
    r"(?P<before>before|prior to|after|following)"
    r"(?: (?:that|then|this|it))?(?: one| time)?|(?P<word>previously|earlier|before|later|next|"
    r"afterwards|(?:the )?(?:previous|next) (?:time|one|meeting|visit)))$",
    re.IGNORECASE,
)
_BEFORE_THAT = re.compile(
    r"\b(?:the (?:last |next )?time (?:before|after)\b(?: (?:that|then|this))?(?=\W*$)|"
    r"(?:before|after) (?:that|then)(?=\W*$))",
    re.IGNORECASE,
)
_STEP = re.compile(
    r"^(?:in |on )?(?:the )?(?:"
    r"(?P<side>previous|next|following|preceding) (?P<unit>day|week|month|year)|"
    r"(?P<unit2>day|week|month|year) (?P<side2>before|after|earlier|later)(?: that)?|"
    r"(?:a|one) (?P<unit3>day|week|month|year) (?P<side3>earlier|later|before|after))$",
    re.IGNORECASE,
)
_NEEDS_NO_IN = re.compile(
    r"^(?:in|on|during|at|since|until|before|after|by|from|between|today|yesterday|tomorrow|now|"
    r"this|last|next|every|then)\b",
    re.IGNORECASE,
)
MOST_WORDS = 8  # of a fragment
_ASKS_OF_ANOTHER = re.compile(r"\W*(?:and|but|so|what about|how about|or)\b", re.IGNORECASE)
_DO_NOTHING = re.compile(r"^(?:thanks?|thank you|ok(?:ay)?|yes|no|great|hello|hi)\b", re.IGNORECASE)
_MONTHS = """January February March April May June July August September October November
December""".split()


def bare(question: str) -> str:
    """A follow-up without what only connects it: "And in 2019?" is "in 2019"."""
    return _LEAD.sub("", question).rstrip(" ?.!,")


def completed(question: str, history: Sequence[Exchange]) -> str | None:
    """The whole question that a fragment stands for; None if it is no fragment.

    Args:
        history: oldest first; not empty.
    """
    fragment = bare(question)
    last = history[-1]
    if not fragment or not last.question or _DO_NOTHING.match(fragment):
        return None
    if match := _ELSE.match(fragment):
        wh = match["wh"]
        asked = {"any": "who" if "one" in wh or "body" in wh else "what"}.get(wh[:3].lower(), wh)
        return reask(last, f"{asked} else", again=True)
    if (match := _BARE_WH.match(fragment)) and not _has_verb(parse(fragment)):
        return reask(last, match["wh"])
    if match := _POINTING.match(fragment):
        return _pointed(match, last)
    if match := _EARLIER.match(fragment):
        return _shifted(match, history)
    if match := _STEP.match(fragment):
        return _stepped(match, history)
    if _is_clause(parse(fragment)):
        return None
    return (
        _dated(fragment, last) or _elsewhere(fragment, last) or _exchanged(question, fragment, last)
    )


def reask(last: Exchange, wh: str, *, again: bool = False) -> str:
    """The clause of the last question, asked for something else.

    Args:
        again: ask for more of what was asked for, so that the answers are not put in.
    """
    question = settled(last).rstrip(" ?.!")
    doc = parse(question)
    verb = _first_verb(doc)
    if verb is None:
        return f"{wh.capitalize()} {question}?"
    asked, rest = doc[: verb.i].text, doc[verb.i :].text
    given = "" if again else " and ".join(last.answers[:2])
    subject = _asked_subject(doc, verb)
    if not re.match(_WH, asked, re.IGNORECASE):  # yes/no: the clause as it is
        return _capital(f"{wh} {rest[0].lower()}{rest[1:]}?")
    if re.match(r"(?:\w+ )?(?:where|when|why|how\b(?! many| much))", asked, re.IGNORECASE):
        return _capital(f"{wh} {rest}?")
    if again:
        return _capital(f"{wh} {rest}?")
    if not subject:  # "What did Lund sign", "Whom did she meet"
        return _capital(f"{wh} {rest} {given}".rstrip() + "?")
    given = given or "someone"
    if verb.pos_ == "AUX" or verb.dep_ in ("aux", "auxpass"):
        return _capital(f"{wh} {verb.text} {given} {doc[verb.i + 1 :].text}".rstrip() + "?")
    tail = doc[verb.i + 1 :].text
    auxiliary = "does" if verb.tag_ in ("VBZ", "VBP") else "did"
    return _capital(f"{wh} {auxiliary} {given} {verb.lemma_} {tail}".rstrip() + "?")


def settled(last: Exchange) -> str:
    """The last question; where it asked "before" a day, with the day that was answered."""
    asked = analyse(last.question)
    if asked.period and last.days and {date.min, date.max}.intersection(asked.period):
        return f"{asked.undated.rstrip(' ?')} {said(*last.days)}?"
    return last.question


def said(first: date, last: date) -> str:
    """Days as a phrase: "on 13 September 2023", "in April 2019", "in 2019"."""
    if first == last:
        return f"on {first.day} {_MONTHS[first.month - 1]} {first.year}"
    for unit in ("month", "year"):
        period = Period(unit, first)
        if period.last == last and first.day == 1 and (unit == "month" or first.month == 1):
            named = f"{_MONTHS[first.month - 1]} " if unit == "month" else ""
            return f"in {named}{first.year}"
    return f"between {_day(first)} and {_day(last)}"


def _day(day: date) -> str:
    return f"{day.day} {_MONTHS[day.month - 1]} {day.year}"


def _pointed(match: re.Match[str], last: Exchange) -> str | None:
    """Understand "Where was that?" as of the last event; "How much was it?" means a thing."""
    wh = match["wh"].casefold()
    of_event = wh in ("where", "when", "why", "how", "how long") or wh.startswith(("what ", "in "))
    if match["what"].casefold() in ("that", "this") and of_event:
        return reask(last, match["wh"])
    happens = (match["verb"] or "").strip() in ("happen", "take place", "occur")
    asked_of_event = happens or last.slot in ("where", "when", "who")
    if match["what"].casefold() == "it" and of_event and asked_of_event:
        return reask(last, match["wh"])
    return None


def _shifted(match: re.Match[str], history: Sequence[Exchange]) -> str:
    """Understand "And the time before that?" as the same, before the day that was spoken of."""
    last = history[-1]
    words = match.group().casefold()
    later = any(word in words for word in ("after", "following", "later", "next"))
    wh = "when" if "time" in words or not _leading_wh(last.question) else None
    asked = analyse(last.question)
    frame = last._replace(question=asked.undated if asked.period else last.question, days=None)
    question = reask(frame, wh) if wh else frame.question
    return f"{question.rstrip(' ?')} {_beyond(history, later=later)}?"


def _beyond(history: Sequence[Exchange], *, later: bool) -> str:
    """Say "before 13 September 2023": the day that was spoken of last; without one, "before"."""
    days = next((e.days for e in reversed(history[-3:]) if e.days), None)
    days = days or (analyse(history[-1].question).period if history[-1].question else None)
    word = "after" if later else "before"
    edge = (days[1] if later else days[0]) if days else None
    return f"{word} {_day(edge)}" if edge and edge not in (date.min, date.max) else word


def dated(question: str, history: Sequence[Exchange]) -> str:
    """A question with the day in place of "that" in "the time before that"."""
    found = _BEFORE_THAT.search(question)
    if not found or not history[-1].question:
        return question
    beyond = _beyond(history, later="after" in found.group().casefold())
    return question[: found.start()] + beyond + question[found.end() :]


def _leading_wh(question: str) -> bool:
    return re.match(_WH, question, re.IGNORECASE) is not None


def _stepped(match: re.Match[str], history: Sequence[Exchange]) -> str | None:
    """Understand "And the year before?" as the same question, of that year."""
    last = history[-1]
    asked = analyse(last.question)
    days = asked.period or next((e.days for e in reversed(history[-3:]) if e.days), None)
    if days is None or date.min in days or date.max in days:
        return None
    unit = cast("Unit", (match["unit"] or match["unit2"] or match["unit3"]).casefold())
    side = (match["side"] or match["side2"] or match["side3"]).casefold()
    step = -1 if side in ("previous", "preceding", "before", "earlier") else 1
    try:
        moved = _period_of(unit, days[0]).shift(step)
    except OverflowError:
        return None
    frame = asked.undated if asked.period else last.question
    return f"{frame.rstrip(' ?')} {said(moved.first, moved.last)}?"


def _period_of(unit: Unit, day: date) -> Period:
    first = {"month": day.replace(day=1), "year": day.replace(month=1, day=1)}.get(unit, day)
    if unit == "week":
        first = day - timedelta(days=day.weekday())
    return Period(unit, first)


def _dated(fragment: str, last: Exchange) -> str | None:
    """Understand "And in 2019?" as the last question, with that date in place of its own."""
    found = find_timexes(fragment)
    if not any(_covers(timex, fragment) for timex in found):
        return None
    asked = analyse(last.question)
    frame = (asked.undated if asked.period else last.question).rstrip(" ?")
    lead = "" if _NEEDS_NO_IN.match(fragment) else "in "
    return f"{frame} {lead}{fragment}?"


def _covers(timex: Timex, fragment: str) -> bool:
    rest = fragment[: timex.start] + fragment[timex.end :]
    return not re.sub(
        r"\b(?:in|on|during|the|at|for|year|of|since|until)\b|\W", "", rest.casefold()
    )


def _elsewhere(fragment: str, last: Exchange) -> str | None:
    """Understand "And on the mainland?" as the last question, with that for its "on ..."."""
    doc = parse(fragment)
    if doc[0].tag_ not in ("IN", "TO") or len(doc) == 1 or len(doc) > MOST_WORDS:
        return None
    asked = parse(last.question.rstrip(" ?"))
    for token in asked:
        if token.text.casefold() == doc[0].text.casefold() and token.dep_ in ("prep", "dative"):
            phrase = asked[token.i : max(t.i for t in token.subtree) + 1]
            chunk = next((c for c in asked.noun_chunks if c.start > token.i), phrase)
            end = min(phrase.end_char, chunk.end_char)
            return f"{asked.text[: token.idx]}{fragment}{asked.text[end:]}?"
    return f"{asked.text} {fragment}?"


def _exchanged(question: str, fragment: str, last: Exchange) -> str | None:
    """Understand "What about Berg?" as the last question, asked of Berg and not another."""
    if not _ASKS_OF_ANOTHER.match(question) or len(fragment.split()) > MOST_WORDS:
        return None
    new = next(iter(mentions([Exchange(fragment)])), None)
    if new is None:
        return None
    old = [m for m in mentions([Exchange(last.question)]) if m.text in last.question]
    fitting = [m for m in old if _alike(m, new)]
    if not fitting:
        return None
    best = max(fitting, key=lambda m: (m.named == new.named, m.kind == new.kind, m.subject))
    return last.question.replace(best.text, fragment, 1)


def _alike(one: Mention, other: Mention) -> bool:
    """Whether one can stand where the other does; what kind an unknown name is, nobody knows."""
    if "date" in (one.kind, other.kind):
        return one.kind == other.kind
    return one.kind == other.kind or (one.named and other.named)


def _is_clause(doc: Doc) -> bool:
    return any(token.pos_ in ("VERB", "AUX") for token in doc)


def _has_verb(doc: Doc) -> bool:
    """Whether there is a full verb: "Which team plays there" is no fragment."""
    return any(token.pos_ == "VERB" for token in doc[1:])


def _first_verb(doc: Doc) -> Token | None:
    return next((t for t in doc if t.pos_ in ("AUX", "VERB") and t.dep_ not in ("amod",)), None)


def _asked_subject(doc: Doc, verb: Token) -> bool:
    """Whether the wh-phrase is the subject: nothing else is before the main verb."""
    wh = [t for t in doc[: verb.i] if t.dep_ in ("nsubj", "nsubjpass", "attr")]
    others = [t for t in doc[verb.i :] if t.dep_ in ("nsubj", "nsubjpass")]
    return bool(wh) and not others


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
