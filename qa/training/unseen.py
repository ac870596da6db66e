"""Unanswerable questions of kinds that the reader is never trained on, to fit its confidence.

A reader learns the ways in which its unanswerable questions were made: on those it is surer than
people's questions warrant. How far it is to be trusted shows only in questions made otherwise. Here
they get a word of the passage, or of another question about the same article, in place of one of
their own; or a circumstance ("in 1874", "against Porto") from such another question. The first have
more words in common with the passage than answerable questions, the others fewer: fitted to all,
the confidence does not mistake either for a sign.
"""

from __future__ import annotations

import random
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from ..ranking import normalise
from ..syntax import parse
from .examples import Example
from .words import Word, another_word, content_words

if TYPE_CHECKING:
    from spacy.tokens import Doc

FEWEST = 5  # other questions; where an article has less, a random article's are added
ASKED = 20  # other questions that are looked at
LONGEST = 6  # words of a circumstance
_PREPOSITIONS = frozenset(
    "in on at during for with from after before by under among against within without".split()
)


class Unseen:
    """Makes unanswerable questions out of two answerable ones."""

    def __init__(self, examples: Sequence[Example]) -> None:
        self._asked: dict[str, list[Example]] = defaultdict(list)
        for example in examples:
            self._asked[example.group].append(example)
        self._groups = sorted(self._asked)

    def passage_word(self, example: Example, dice: random.Random) -> Example | None:
        """The question with a word that stands in its passage; None if none comes."""
        answers = {
            word for a, b in example.answers for word in example.context[a:b].lower().split()
        }
        others = (word for word in content_words(example.context) if word.word not in answers)
        return _exchanged(example, others, dice)

    def word(self, example: Example, dice: random.Random) -> Example | None:
        """The question with a word that its passage does not have; None if none comes."""
        here = set(normalise(example.context).split())
        others = (word for asked in self._others(example, dice) for word in content_words(asked))
        absent = [word for word in others if word.word not in here]
        return _exchanged(example, absent, dice)

    def circumstance(self, example: Example, dice: random.Random) -> Example | None:
        """The question with a circumstance that its passage does not have; None if none comes."""
        here = f" {normalise(example.context)} "
        asked = set(normalise(example.question).split())
        for other in self._others(example, dice):
            for phrase in _circumstances(parse(other)):
                said = normalise(phrase)
                if f" {said} " not in here and asked.isdisjoint(said.split()[1:]):
                    question = f"{example.question.rstrip('?. ')} {phrase}?"
                    return replace(example, question=question, answers=())
        return None

    def _others(self, example: Example, dice: random.Random) -> list[str]:
        """Questions about other passages of the article."""
        found = [e.question for e in self._asked[example.group] if e.context != example.context]
        if len(found) < FEWEST:
            found += [e.question for e in self._asked[dice.choice(self._groups)]]
        return dice.sample(found, min(ASKED, len(found)))


def _exchanged(example: Example, others: Iterable[Word], dice: random.Random) -> Example | None:
    change = another_word(example.question, others, dice)
    if not change:
        return None
    old, new = change
    question = re.sub(rf"\b{re.escape(old)}\b", lambda _: new, example.question, count=1)
    return replace(example, question=question, answers=())


def _circumstances(question: Doc) -> Iterator[str]:
    """Prepositional phrases that hang on a verb or noun and ask nothing."""
    for token in question:
        phrase = question[token.left_edge.i : token.right_edge.i + 1]
        if (
            token.dep_ == "prep"
            and token.lower_ in _PREPOSITIONS
            and token.head.pos_ in ("VERB", "AUX", "NOUN")
            and 2 <= len(phrase) <= LONGEST
            and phrase[-1].is_alpha | phrase[-1].like_num
            and not any(word.tag_.startswith("W") for word in phrase)
        ):
            yield phrase.text
