"""Lexical analysis: text in, the terms that BM25 counts out.

A term is a Unicode word, case-folded, without diacritics, stemmed. What counts as one word:

- "Kim's" is kim; "int'l" and "O'Neill" lose their apostrophe (intl, oneill).
- "U.S." is us and "U.N." is un, so that they meet "US" and "UN".
- "COVID-19" is covid and 19: hyphens part words, as in the Unicode word breaks (UAX #29).
- "3.5" is one number, "1,000" is 1000; the parts of "13.09.2023" are three.
- Scripts written without spaces (Chinese, Japanese, Thai ...) and Korean become overlapping
  character pairs, the method of Lucene's CJKAnalyzer.
"""

from __future__ import annotations

import re
import threading
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain

import Stemmer

from .errors import UsageError

# The stop words of the Snowball project (snowballstem.org, BSD), without the contractions whose
# first word is enough. "us" is left out of them: it is also a country.
ENGLISH_STOP_WORDS = frozenset(
    """
    i me my myself we our ours ourselves you your yours yourself yourselves he him his himself she
    her hers herself it its itself they them their theirs themselves what which who whom whose this
    that these those am is are was were be been being have has had having do does did doing would
    should could ought will can cannot shall may might must a an the and but if or because as until
    while of at by for with about against between into through during before after above below to
    from up down in out on off over under again further then once here there when where why how all
    any both each few more most other some such no nor not only own same so than too very
    isn't aren't wasn't weren't hasn't haven't hadn't doesn't don't didn't won't wouldn't shan't
    shouldn't can't couldn't mustn't i'm you're we're they're i've you've we've they've i'd you'd
    he'd she'd we'd they'd i'll you'll he'll she'll we'll they'll
    """.split()
)

_CACHED_WORDS = 200_000
_LONGEST_CACHED_WORD = 40  # longer ones are runs of a script without spaces, or no words at all

# Marks that fold away: accents, Hebrew points, Arabic vowels, soft hyphen and joiners.
_FOLDED = (
    "\u00ad\u0300-\u036f\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7"
    "\u0610-\u061a\u064b-\u065f\u0670\u06d6-\u06dc\u06df-\u06e4\u06e7\u06e8\u06ea-\u06ed"
    "\u200b-\u200d\u2060\ufeff"
)
# Signs of Indic scripts that are part of a word though `re` does not count them as letters.
_SIGNS = "\u0900-\u0963\u0966-\u096f\u0971-\u0dff"
_UNSPACED = (
    "\u0e01-\u0e3a\u0e40-\u0e4e\u0e81-\u0ecd\u1000-\u104f\u1100-\u11ff\u1780-\u17d3\u3005-\u3007"
    "\u3041-\u30fa\u30fc-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3\uf900-\ufaff"
    "\uff66-\uff9f\U00020000-\U0003ffff"
)
_CHARACTER = rf"(?:(?![{_UNSPACED}])[^\W_]|[{_FOLDED}{_SIGNS}])"
_ASCII_WORD = "[A-Za-z0-9]++(?![^\\x00-\\x7f]|')"  # most words by far, hence a quick way
_TOKEN = re.compile(
    rf"""
      (?:[^\W\d_]\.){{2,}} | (?:[^\W\d_]\.)+[^\W\d_](?!{_CHARACTER})          # U.S. and U.S
    | (?<![\d.,])(?:\d{{1,3}}(?:,\d{{3}})+(?:\.\d+)?|\d+\.\d+)(?![.,]?\d)  # 1,000 and 3.5
    | {_ASCII_WORD}
    | [{_UNSPACED}][{_UNSPACED}{_FOLDED}]*
    | {_CHARACTER}+(?:['’]{_CHARACTER}+)*
    """,
    re.VERBOSE,
)
_FOLDED_MARKS = re.compile(f"[{_FOLDED}]+")
_UNSPACED_RUN = re.compile(f"[{_UNSPACED}]+")
_WORD = re.compile(rf"[{_UNSPACED}]+|{_CHARACTER}+")
# Latin letters with a stroke or ligature, which Unicode does not decompose.
_PLAIN_LETTERS = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "ð": "d", "ħ": "h", "ı": "i", "æ": "ae", "œ": "oe", "þ": "th"}
)


@dataclass(frozen=True, slots=True)
class Analyzer:
    """Turns text into terms. Equal analyzers give equal terms; safe to share between threads.

    Attributes:
        stem: reduce words to stems by the Snowball stemmer of `language` (Porter 2001).
        stop_words: leave out the function words of English. A stop word in capitals stays ("WHO",
            "IT"), unless the whole text is in capitals.
        language: one of Snowball's languages; stop words are known for English only.
    """

    stem: bool = True
    stop_words: bool = True
    language: str = "english"

    def __post_init__(self) -> None:
        """Refuse a language that Snowball does not know.

        Raises:
            UsageError: no such language.
        """
        if self.language not in Stemmer.algorithms():
            raise UsageError(
                f"There is no stemmer for the language {self.language!r}.",
                f"Choose one of: {', '.join(Stemmer.algorithms())}.",
            )

    def __call__(self, text: str) -> list[str]:
        """The terms of `text` in its order, repeated as often as they occur."""
        if text.isupper() and " " in text:
            text = text.lower()  # a headline or a shout: its capitals say nothing
        return list(chain.from_iterable(map(_lexicon(self).__getitem__, _TOKEN.findall(text))))


class _Lexicon(dict[str, tuple[str, ...]]):
    """The terms of each word met so far: text repeats itself, so most words are looked up."""

    def __init__(self, analyzer: Analyzer) -> None:
        self._stemmer = Stemmer.Stemmer(analyzer.language, 0) if analyzer.stem else None
        self._lock = threading.Lock()  # a Stemmer must not be shared between threads
        english = analyzer.stop_words and analyzer.language == "english"
        self._stop_words = ENGLISH_STOP_WORDS if english else frozenset()

    def __missing__(self, token: str) -> tuple[str, ...]:
        terms = tuple(self._terms(token))
        if len(token) <= _LONGEST_CACHED_WORD:
            if len(self) >= _CACHED_WORDS:
                self.clear()
            self[token] = terms
        return terms

    def _terms(self, token: str) -> list[str]:
        word = fold(token).replace("’", "'")
        capitals = token.isupper() and len(word) > 1
        if word in self._stop_words and not capitals:
            return []
        word = word.removesuffix("'s").replace("'", "").replace(",", "")
        if not word or (word in self._stop_words and not capitals):
            return []
        if "." in word and not word[0].isdigit():
            return [word.replace(".", "")]
        if word.isascii():
            return [self._stemmed(word)]
        return [term for part in _WORD.findall(word) for term in self._pairs_or_stem(part)]

    def _pairs_or_stem(self, part: str) -> list[str]:
        if not _UNSPACED_RUN.match(part):
            return [self._stemmed(part)]
        return [part[i : i + 2] for i in range(max(1, len(part) - 1))]

    def _stemmed(self, word: str) -> str:
        if self._stemmer is None:
            return word
        with self._lock:
            return str(self._stemmer.stemWord(word))


@lru_cache(maxsize=16)
def _lexicon(analyzer: Analyzer) -> _Lexicon:
    return _Lexicon(analyzer)


def fold(text: str) -> str:
    """Fold case, compatibility forms (NFKC) and diacritics: "São" and "SAO" become "sao"."""
    if text.isascii():
        return text.lower()
    decomposed = unicodedata.normalize("NFKD", text).casefold()
    plain = _FOLDED_MARKS.sub("", decomposed).translate(_PLAIN_LETTERS)
    return unicodedata.normalize("NFKC", plain)
