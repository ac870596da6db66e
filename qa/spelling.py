"""Questions as they were meant: slips of the keyboard put right.

A word that neither English nor the documents know is taken for a slip if a word they know is one
edit away: a letter left out, added or replaced, or two neighbours swapped (the four errors of
Damerau, "A technique for computer detection and correction of spelling errors", CACM 1964). Of
several, one of the documents is meant before others, then the more frequent in English, as in the
noisy channel of Kernighan, Church and Gale (COLING 1990). The user is shown what was understood.
"""

from __future__ import annotations

import math
import re
import string
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache

from spellchecker import SpellChecker

from index.analysis import ENGLISH_STOP_WORDS, fold

Frequencies = Callable[[Sequence[str]], Sequence[int]]  # in how many passages words occur

SHORTEST = 3  # letters of a word that is looked at
SHORTEST_CONTENT = 4  # letters of a slip for another word than "the", "was": "usa" is not "us"
SHORTEST_NAME = 5  # likewise of one with a capital inside a question
LONGEST = 30  # letters; what is longer has too many words near it, and is none
MOST = 3  # slips in a question; more are another language, or jargon, as are two without an "of"
FAR_KEYS = 3.0  # what a letter replaced by none of its neighbours takes off a log frequency
_ROWS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")  # each half a key right of the one above
_LETTER = "A-Za-z\u00c0-\u024f"
# Not the parts of "didn't" and "O'Neill"; of "Kim's" the name.
_WORD = re.compile(rf"(?<![\w'’])[{_LETTER}]+(?!\w|['’](?!s\b))")


def meant(question: str, frequencies: Frequencies) -> str:
    """The question without its slips; as it is, if it has none or too many to be slips.

    Args:
        frequencies: the number of the documents' passages that hold each of some words, in any
            inflection.
    """
    unknown = [match for match in _WORD.finditer(question) if _may_be_slip(match)]
    held = frequencies([match.group() for match in unknown])
    slips = [match for match, number in zip(unknown, held, strict=True) if not number]
    if len(slips) > MOST or (len(slips) > 1 and not _has_function_word(question)):
        return question
    for slip in reversed(slips):  # so that the places of those before stay
        if word := _likeliest(fold(slip.group()), frequencies):
            question = question[: slip.start()] + _cased(word, slip) + question[slip.end() :]
    return question


def _has_function_word(question: str) -> bool:
    return any(fold(word) in ENGLISH_STOP_WORDS for word in _WORD.findall(question))


def _may_be_slip(match: re.Match[str]) -> bool:
    word = match.group()
    if word.isupper() and not match.string.isupper():
        return False  # an acronym
    named = word[0].isupper() and not word.isupper() and match.start() > 0
    shortest = SHORTEST_NAME if named else SHORTEST
    return shortest <= len(word) <= LONGEST and not _is_english(fold(word))


def _likeliest(slip: str, frequencies: Frequencies) -> str | None:
    near = sorted(set(_edits(slip)))
    known = [
        (number > 0 or word in ENGLISH_STOP_WORDS, _log_frequency(word, slip), word)
        for word, number in zip(near, frequencies(near), strict=True)
        if (number or _is_english(word))
        and (len(slip) >= SHORTEST_CONTENT or word in ENGLISH_STOP_WORDS)
    ]
    return max(known)[-1] if known else None


def _is_english(word: str) -> bool:
    return word in ENGLISH_STOP_WORDS or word in _english()


def _log_frequency(word: str, slip: str) -> float:
    """How frequent a word is in English, less for a slip that is a rare one."""
    log = math.log(1 + _english().get(word, 0))
    replaced = [(a, b) for a, b in zip(word, slip, strict=False) if a != b]
    if len(word) == len(slip) and len(replaced) == 1:
        (right, wrong), *_ = replaced
        log -= FAR_KEYS * (wrong not in beside(right))
    return log


@cache
def _english() -> Mapping[str, int]:
    """English words in small letters, with how often some large corpus has them."""
    return dict(SpellChecker(language="en").word_frequency.dictionary)


def _edits(word: str) -> Iterator[str]:
    """Every word one edit away, less those with another first letter: it is rarely wrong."""
    for i in range(len(word) - 1):
        yield word[:i] + word[i + 1] + word[i] + word[i + 2 :]
    for i in range(1, len(word)):
        yield word[:i] + word[i + 1 :]
        for letter in string.ascii_lowercase:
            yield word[:i] + letter + word[i + 1 :]
            yield word[:i] + letter + word[i:]
    for letter in string.ascii_lowercase:
        yield word + letter


@cache
def beside(letter: str) -> tuple[str, ...]:
    """The letters whose keys touch that of `letter`, a small one (QWERTY)."""
    for row, keys in enumerate(_ROWS):
        column = keys.find(letter)
        if column >= 0:
            touching = ((0, -1), (0, 1), (-1, 0), (-1, 1), (1, -1), (1, 0))
            places = ((row + down, column + right) for down, right in touching)
            return tuple(
                _ROWS[r][c] for r, c in places if 0 <= r < len(_ROWS) and 0 <= c < len(_ROWS[r])
            )
    return ()


def _cased(word: str, match: re.Match[str]) -> str:
    """The word with the capitals of what stands in its place."""
    written = match.group()
    if written.isupper():
        return word.upper()
    return word.capitalize() if written[0].isupper() else word
