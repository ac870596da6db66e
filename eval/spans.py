"""The shape of answers: whole words, nothing in front of the name, as long as people's answers."""

from __future__ import annotations

import re
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from .metrics import exact_match, normalize_answer

_PREPOSITIONS = (
    "about above across after against along among around as at before behind below beneath beside"
    " between beyond by despite down during for from in inside into like near of off on onto out"
    " outside over past per since through throughout to toward towards under until up upon via"
    " with within without"
)
_DETERMINERS = "a an the this that these those his her its their my our your"
_PREPOSITION, _DETERMINER = (
    re.compile(rf"(?:{'|'.join(words.split())})\s+\S", re.IGNORECASE)
    for words in (_PREPOSITIONS, _DETERMINERS)
)
# Letters and digits but those of Chinese and Japanese, which are written without spaces.
_LETTER = r"[^\W_\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]"
_INSIDE_A_WORD = re.compile(
    rf"(?<={_LETTER})(?={_LETTER})|(?<=\d)(?=[.,:]\d)|(?<=\d[.,:])(?=\d)"  # "3.5" is one word
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SpanShape:
    """Answers beside the gold answers of the same questions; shares are in [0, 1].

    Attributes:
        leading_preposition, leading_determiner: share that begins with such a word before
            another ("in Paris", "the river"); "in the" counts as a preposition.
        cut_words: share that begins or ends inside a word or number.
        words: mean length in words, as white space separates them.
        too_short: share that is not right, but stands within a gold answer ("Obama").
        too_long: share that is not right, but within which a gold answer stands.
        gold_leading_preposition, gold_leading_determiner, gold_words: the same of the gold
            answers, each question counting once.
    """

    leading_preposition: float
    gold_leading_preposition: float
    leading_determiner: float
    gold_leading_determiner: float
    cut_words: float
    words: float
    gold_words: float
    too_short: float
    too_long: float


def span_shape(
    predictions: Sequence[str], golds: Sequence[Sequence[str]], cut: Sequence[bool]
) -> SpanShape:
    """Measure predictions against the gold answers, of which every question has at least one.

    Args:
        cut: whether each prediction cuts a word.
    """
    pairs = list(zip(predictions, golds, strict=True))
    wrong = [(text, gold) for text, gold in pairs if not exact_match(text, gold)]
    short = sum(any(_stands_in(text, answer) for answer in gold) for text, gold in wrong)
    long = sum(any(_stands_in(answer, text) for answer in gold) for text, gold in wrong)

    def of_gold(measure: Callable[[str], float]) -> float:
        return statistics.fmean(statistics.fmean(map(measure, gold)) for gold in golds)

    return SpanShape(
        leading_preposition=statistics.fmean(map(begins_with_preposition, predictions)),
        gold_leading_preposition=of_gold(begins_with_preposition),
        leading_determiner=statistics.fmean(map(begins_with_determiner, predictions)),
        gold_leading_determiner=of_gold(begins_with_determiner),
        cut_words=statistics.fmean(cut),
        words=statistics.fmean(len(text.split()) for text in predictions),
        gold_words=of_gold(lambda text: len(text.split())),
        too_short=short / len(pairs),
        too_long=long / len(pairs),
    )


def begins_with_preposition(text: str) -> bool:
    """Whether a preposition comes before another word."""
    return _PREPOSITION.match(text) is not None


def begins_with_determiner(text: str) -> bool:
    """Whether an article, demonstrative or possessive comes before another word."""
    return _DETERMINER.match(text) is not None


def cuts_a_word(text: str, start: int, end: int) -> bool:
    """Whether `text[start:end]` begins or ends inside a word or a number."""
    return any(_INSIDE_A_WORD.match(text, place) is not None for place in (start, end))


def _stands_in(part: str, whole: str) -> bool:
    """Whether the normalised words of `part` are some neighbouring words of `whole`, not all."""
    inner, outer = normalize_answer(part), normalize_answer(whole)
    return inner not in ("", outer) and f" {inner} " in f" {outer} "
