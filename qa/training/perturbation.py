"""Questions made unanswerable, passages and questions made different, from answerable examples.

SQuAD 2.0's unanswerable questions are of a few kinds (Rajpurkar, Jia and Liang, "Know What You
Don't Know", ACL 2018, table 1): negation, antonym, entity swap, mutual exclusion, impossible
condition. They are about the passage and look answerable, so a reader learns them only from pairs
that differ in little. Each kind here turns a question into one of them; `consistent` makes the
same change in the passage too, so that the answer stands and the change itself gives nothing away.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from index.sentences import split

from ..ranking import normalise
from .examples import Example

_NAME = re.compile(r"\b[A-Z][\w’'-]*(?: (?:(?:of|the|de|and|von|van) )?[A-Z][\w’'-]*)*")
_NUMBER = re.compile(r"(?<![\w.,])\d[\d,]*(?:\.\d+)?(?![\w]|\.\d)")
_QUESTION_WORDS = frozenset(
    "what when where which whom whose who how why does doing done many much long type kind name "
    "year month date time first last during about with from into that this these those have been "
    "were would could should will shall some other".split()
)
_AUXILIARY = re.compile(
    r"\b(is|are|was|were|did|does|do|has|have|had|can|could|will|would|should)\b", re.IGNORECASE
)
_PAST = re.compile(r"(\b(?:who|what|which \w+) )(\w+ed\b)", re.IGNORECASE)
_OPPOSITES = """
first/last before/after early/late earlier/later earliest/latest largest/smallest larger/smaller
large/small big/small biggest/smallest highest/lowest higher/lower high/low more/less most/least
many/few longest/shortest longer/shorter long/short oldest/youngest older/younger old/new best/worst
better/worse good/bad north/south northern/southern east/west eastern/western northeast/southwest
northwest/southeast above/below over/under inside/outside internal/external increase/decrease
increased/decreased increasing/decreasing rise/fall rose/fell won/lost win/lose wins/loses
winner/loser start/end started/ended began/finished begin/finish beginning/end opened/closed
open/close male/female man/woman men/women king/queen father/mother son/daughter brother/sister
husband/wife boy/girl his/her he/she buy/sell bought/sold enter/leave entered/left arrive/depart
arrived/departed accept/reject accepted/rejected approve/reject approved/rejected agree/disagree
agreed/disagreed allow/forbid allowed/forbidden support/oppose supported/opposed attack/defend
attacked/defended ally/enemy allies/enemies friend/enemy victory/defeat strong/weak stronger/weaker
strongest/weakest fast/slow faster/slower fastest/slowest hot/cold warm/cool wet/dry hard/soft
easy/difficult easiest/hardest simple/complex common/rare public/private urban/rural rich/poor
legal/illegal possible/impossible known/unknown successful/unsuccessful popular/unpopular
include/exclude included/excluded including/excluding add/remove added/removed create/destroy
created/destroyed built/demolished appear/disappear appeared/disappeared live/die lived/died
born/died love/hate loved/hated like/dislike liked/disliked maximum/minimum positive/negative
majority/minority major/minor primary/secondary upper/lower left/right front/back top/bottom
ancient/modern past/future day/night summer/winter spring/autumn morning/evening dawn/dusk
employer/employee teacher/student buyer/seller lender/borrower import/export imported/exported
imports/exports cause/prevent caused/prevented require/prohibit required/prohibited gained/lost
gain/lose joined/left join/leave passed/failed pass/fail push/pull rising/falling same/different
similar/different always/never all/none everyone/nobody only/also federal/state national/local
liberal/conservative democratic/republican catholic/protestant acquired/sold founded/dissolved
offense/defense offensive/defensive land/sea solid/liquid wide/narrow deep/shallow heavy/light
heavier/lighter full/empty cheap/expensive safe/dangerous true/false odd/even even/odd
""".split()
_MONTHS = (
    "January February March April May June July August September October November December".split()
)
_DAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()


def _both_ways(pairs: Sequence[str]) -> Mapping[str, tuple[str, ...]]:
    table: dict[str, tuple[str, ...]] = {}
    for one, other in (pair.split("/") for pair in pairs):
        table[one] = (*table.get(one, ()), other)
        table[other] = (*table.get(other, ()), one)
    return table


OPPOSITES = _both_ways(_OPPOSITES)


Change = tuple[str, str]  # the words of the question, and what stands there instead


class Perturbation:
    """Makes unanswerable and changed examples, given all examples of the same kind of text."""

    def __init__(self, examples: Sequence[Example]) -> None:
        self._names: dict[str, list[str]] = {}
        for example in examples:
            names = self._names.setdefault(example.group, [])
            if len(names) < 400:
                names += _names(example.question)
        self._groups = sorted(self._names)
        self._kinds: tuple[tuple[int, Callable[[Example, random.Random], Change | None]], ...] = (
            (45, self._name),
            (25, _number),
            (30, _opposite),
        )

    def unanswerable(self, example: Example, dice: random.Random) -> Example | None:
        """A question like the example's that its passage does not answer; None if none comes."""
        if dice.random() < 0.22:
            return _without_answer(example)
        if dice.random() < 0.1:
            question = _negated(example.question)
        else:
            change = self._change(example, dice)
            question = _changed(example.question, change) if change else None
        if not question:
            return None
        return replace(example, question=question, answers=())

    def consistent(self, example: Example, dice: random.Random) -> Example | None:
        """The example with one name, number or opposite changed in question and passage alike."""
        change = self._change(example, dice)
        if not change:
            return None
        old, new = change
        pattern = re.compile(rf"\b{re.escape(old)}\b", re.IGNORECASE)
        places = [m.span() for m in pattern.finditer(example.context)]
        crossed = any(a < end and start < b for a, b in places for start, end in example.answers)
        if not places or crossed:
            return None
        answers = []
        for start, end in example.answers:
            shift = (len(new) - len(old)) * sum(b <= start for _, b in places)
            answers.append((start + shift, end + shift))
        return replace(
            example,
            question=_changed(example.question, change),
            context=pattern.sub(lambda _: new, example.context),
            answers=tuple(answers),
        )

    def _change(self, example: Example, dice: random.Random) -> Change | None:
        kinds = list(self._kinds)
        while kinds:
            weights = [weight for weight, _ in kinds]
            kind = dice.choices(kinds, weights)[0]
            kinds.remove(kind)
            if change := kind[1](example, dice):
                return change
        return None

    def _name(self, example: Example, dice: random.Random) -> Change | None:
        asked = _names(example.question)
        if not asked:
            return None
        old = dice.choice(asked)
        taken = {normalise(example.context[a:b]) for a, b in example.answers}
        pool = _names(example.context) if dice.random() < 0.6 else []
        pool = pool or self._names[example.group]
        if len(pool) < 3:
            pool = [*pool, *self._names[dice.choice(self._groups)]]
        fitting = [
            name
            for name in pool
            if not (_words(name) & _words(example.question))
            and normalise(name) not in taken
            and abs(name.count(" ") - old.count(" ")) <= 1
        ]
        return (old, dice.choice(fitting)) if fitting else None


def _names(text: str) -> list[str]:
    """Capitalised runs that do not merely start a sentence."""
    found = []
    for match in _NAME.finditer(text):
        opens = match.start() == 0 or text[match.start() - 2 : match.start()] in (". ", "? ", '"')
        name = match.group().rstrip("'’")
        if opens and " " not in name:
            continue
        first = name.split()[0].lower()
        if first in _QUESTION_WORDS or first in ("the", "in", "at", "on", "a", "an", "if", "it"):
            name = name.partition(" ")[2]
        if len(name.split(" ")[0]) > 2:
            found.append(name)
    return found


def _words(text: str) -> set[str]:
    return set(normalise(text).split())


def _number(example: Example, dice: random.Random) -> Change | None:
    found = _NUMBER.findall(example.question)
    named = [w for w in (*_MONTHS, *_DAYS) if re.search(rf"\b{w}\b", example.question)]
    if not found and not named:
        return None
    old = dice.choice([*found, *named])
    if old in named:
        return old, dice.choice([w for w in (_MONTHS if old in _MONTHS else _DAYS) if w != old])
    there = [n for n in _NUMBER.findall(example.context) if n != old and len(n) == len(old)]
    taken = {example.context[a:b] for a, b in example.answers}
    there = [n for n in there if not any(n in answer for answer in taken)]
    if there and dice.random() < 0.6:
        return old, dice.choice(there)
    value = float(old.replace(",", ""))
    is_year = len(old) == 4 and 1000 <= value <= 2100 and "," not in old
    moved = value + dice.choice([-1, 1]) * (
        dice.randint(1, 25) if is_year else max(1, round(value * dice.uniform(0.1, 0.9)))
    )
    new = f"{moved:.1f}" if "." in old else f"{abs(round(moved)):{',' if ',' in old else ''}}"
    return (old, new) if new != old and new not in example.context else None


def _opposite(example: Example, dice: random.Random) -> Change | None:
    found = [w for w in re.findall(r"\b[a-z]+\b", example.question) if w in OPPOSITES]
    if not found:
        return None
    old = dice.choice(found)
    return old, dice.choice(OPPOSITES[old])


def _changed(question: str, change: Change) -> str:
    old, new = change
    return re.sub(rf"\b{re.escape(old)}\b", lambda _: new, question, count=1)


def _negated(question: str) -> str | None:
    """The question with its first auxiliary negated; None if there is none to negate."""
    if re.search(r"\b(?:not|never|n['’]t|no)\b", question, re.IGNORECASE):
        return None
    match = _AUXILIARY.search(question)
    if not match:
        never = _PAST.sub(r"\1never \2", question, count=1)
        return never if never != question else None
    word = match.group()
    if word.lower() in ("did", "does", "do", "is", "are", "was", "were", "has", "have", "had"):
        return f"{question[: match.start()]}{word}n't{question[match.end() :]}"
    return f"{question[: match.end()]} not{question[match.end() :]}"


def _without_answer(example: Example) -> Example | None:
    """The passage less the sentences that hold an answer, where enough is left of it."""
    context = example.context
    sentences = split(context)
    kept = [
        (a, b)
        for a, b in sentences
        if not any(a < end and start < b for start, end in example.answers)
    ]
    text = " ".join(context[a:b].strip() for a, b in kept)
    if len(kept) < 2 or len(kept) == len(sentences) or len(text) < 0.4 * len(context):
        return None
    lower = normalise(text)
    if any(normalise(context[a:b]) in lower for a, b in example.answers):
        return None
    return replace(example, context=text, answers=())


SLIPS = 0.12
_KEYS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")


def noisy(question: str, dice: random.Random, slips: float = SLIPS) -> str:
    """The question as hurried people type it: a slip, no question mark, or all lower case.

    Args:
        slips: the share with a slip.
    """
    throw = dice.random() - slips
    if throw < 0:
        question = _typo(question, dice)
    elif throw < 0.08:
        question = question.rstrip("?.! ")
    elif throw < 0.11:
        question = question.rstrip("?").lower()
    return question


def _typo(text: str, dice: random.Random) -> str:
    places = [i for i in range(1, len(text) - 1) if text[i - 1 : i + 2].isalpha()]
    if not places:
        return text
    at = dice.choice(places)
    kind = dice.randrange(4)
    if kind == 0:
        return text[:at] + text[at + 1] + text[at] + text[at + 2 :]
    if kind == 1:
        return text[:at] + text[at + 1 :]
    if kind == 2:
        return text[:at] + text[at] + text[at:]
    row = next((keys for keys in _KEYS if text[at].lower() in keys), "")
    if not row:
        return text
    key = row.index(text[at].lower())
    return text[:at] + row[key + 1 if key + 1 < len(row) else key - 1] + text[at + 1 :]
