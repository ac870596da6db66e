"""Content words of questions and passages, and which may stand in one another's place.

A question with one of its words changed for another of the same part of speech reads well and asks
something else: of SQuAD 2.0's unanswerable questions a quarter name, without any contradiction,
what the passage does not say (Rajpurkar, Jia and Liang, ACL 2018, table 1, "other neutral").
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from functools import cache, lru_cache
from typing import TYPE_CHECKING, NamedTuple

from index import Embedder, load_embedder

from ..syntax import pipeline

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

TAGS = frozenset({"NN", "NNS", "VB", "VBD", "VBN", "VBG", "VBZ", "JJ"})  # Penn Treebank's
SAME = 0.5  # cosine of two words from which on the one might well mean the other
TRIED = 5  # other words, of which the nearest is taken
_WH = ("WDT", "WP", "WRB", "WP$")
_SAY_LITTLE = frozenset(
    "type kind name year month day date time number amount percent percentage way reason thing "
    "person people part place many much other first last new same term word first called call "
    "does did done doing been being were was are is has have had having get got getting take taken "
    "took taking make made making come came coming go went gone going use used using own example "
    "other instance".split()
)


class Word(NamedTuple):
    """`text[start : start + len(word)]` with its part of speech; `asked` right after a wh-word."""

    word: str
    start: int
    tag: str
    asked: bool


@lru_cache(maxsize=50_000)
def content_words(text: str) -> tuple[Word, ...]:
    """Nouns, verbs and adjectives in lower case that say something of their own."""
    with pipeline().select_pipes(enable=["tok2vec", "tagger", "attribute_ruler"]):
        tokens = pipeline()(text)
    before = ["", "", *(token.tag_ for token in tokens)]
    return tuple(
        Word(token.text, token.idx, token.tag_, any(tag in _WH for tag in before[i : i + 2]))
        for i, token in enumerate(tokens)
        if token.tag_ in TAGS
        and len(token.text) > 2
        and token.text.isalpha()
        and token.text.islower()
        and token.text not in _SAY_LITTLE
    )


def another_word(
    question: str, others: Iterable[Word], dice: random.Random
) -> tuple[str, str] | None:
    """A word of the question, and one of the others that fits there but means something else.

    Words right after a wh-word ("which city") stay: they say what is asked for.
    """
    words = content_words(question)
    here = {_stem(word.word) for word in words}
    foreign = [other for other in others if _stem(other.word) not in here]
    for old in dice.sample(words, len(words)):
        fitting = sorted({other.word for other in foreign if other.tag == old.tag})
        fitting = dice.sample(fitting, min(TRIED, len(fitting)))
        if old.asked or not fitting:
            continue
        vector, *vectors = _vectors([old.word, *fitting])
        cosines = [float(vector @ other) for other in vectors]
        different = [pair for pair in zip(cosines, fitting, strict=True) if pair[0] < SAME]
        if different:
            return old.word, max(different)[1]
    return None


def _stem(word: str) -> str:
    return word[: max(4, len(word) - 3)]


def _vectors(words: Sequence[str]) -> list[npt.NDArray[np.float32]]:
    known = _known()
    missing = [word for word in dict.fromkeys(words) if word not in known]
    if missing:
        known.update(zip(missing, _embedder().embed(missing), strict=True))
    return [known[word] for word in words]


@cache
def _known() -> dict[str, npt.NDArray[np.float32]]:
    return {}


@cache
def _embedder() -> Embedder:
    return load_embedder()
