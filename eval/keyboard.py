"""Questions as people type them: other case, a typo, no question mark."""

from __future__ import annotations

import random
import re
import string
from collections.abc import Callable, Mapping

from qa.spelling import beside

_WORD = re.compile(r"[^\W\d_]{4,}")


def lower_cased(question: str, _: random.Random) -> str:
    """In small letters."""
    return question.lower()


def upper_cased(question: str, _: random.Random) -> str:
    """In capitals."""
    return question.upper()


def without_final_punctuation(question: str, _: random.Random) -> str:
    """Without the question mark, or whatever punctuation it ends with."""
    return question.rstrip(string.punctuation + string.whitespace) or question


def with_typo(question: str, dice: random.Random) -> str:
    """One typing error after the first letter of a word of four letters or more.

    Two neighbouring letters swapped, one left out, one typed twice, or one replaced by a key
    beside it (QWERTY): four of the errors that Damerau counted (CACM 1964) as one edit. A
    question without such a word is left as it is.
    """
    words = list(_WORD.finditer(question))
    if not words:
        return question
    chosen = dice.choice(words)
    word = chosen.group()
    edits = [edit for edit in _EDITS if edit(word)]
    wrong = dice.choice(dice.choice(edits)(word))
    return question[: chosen.start()] + wrong + question[chosen.end() :]


def _swaps(word: str) -> list[str]:
    return [
        word[:i] + word[i + 1] + word[i] + word[i + 2 :]
        for i in range(1, len(word) - 1)
        if word[i] != word[i + 1]
    ]


def _drops(word: str) -> list[str]:
    return [word[:i] + word[i + 1 :] for i in range(1, len(word))]


def _doubles(word: str) -> list[str]:
    return [word[:i] + word[i] + word[i:] for i in range(1, len(word))]


def _neighbours(word: str) -> list[str]:
    return [
        word[:i] + (near.upper() if word[i].isupper() else near) + word[i + 1 :]
        for i in range(1, len(word))
        for near in beside(word[i].lower())
    ]


_EDITS = (_swaps, _drops, _doubles, _neighbours)

VARIANTS: Mapping[str, Callable[[str, random.Random], str]] = {
    "lower-cased": lower_cased,
    "upper-cased": upper_cased,
    "one typo": with_typo,
    "no final punctuation": without_final_punctuation,
}
