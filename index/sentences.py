"""Where sentences end: a partition of any text into sentence-like pieces.

Rules rather than a model, because offsets must be exact, the cost must be next to nothing, and a
wrong break only moves a chunk's edge by a sentence.
"""

from __future__ import annotations

import re

# A paragraph break, or a line break that no sentence runs across: before a list item or heading.
_BREAK = re.compile(
    r"\n[^\S\n]*+\n\s*+|\n(?=[^\S\n]*+(?:[-*•‣·–—]|\d{1,3}[.)]|#{1,6}|[|>])[^\S\n])"
)

# Closing punctuation with its quotes and brackets, then space; or CJK punctuation without space.
# A run of dots is looked at once, from its start and without going back: else its square in time.
_END = re.compile(r"(?<![.!?…])[.!?…]++[\"'”’»)\]]*+\s++|[。！？]++[」』”’）]*+\s*+")

_OPENERS = "\"'“‘«([—–-"

# Before a name or number they are capitalised ("Mr. Kim", "Sept. 5"); else words ("he sat").
_CAPITALISED = frozenset(
    """mr mrs ms dr prof rev hon st sr jr gen lt col capt cmdr sgt maj adm gov sen rep pres sec amb
    jan feb mar apr jun jul aug sep sept oct nov dec mon tue tues wed thu thur thurs fri sat sun
    mt ft messrs mme mlle""".split()
)
_BEFORE_NUMBERS = frozenset("no nos vol fig figs eq ch p pp art para ca".split())
_ABBREVIATIONS = frozenset("vs etc al cf approx dept univ assn bros inc ltd co corp".split())

# After an acronym ("the U.S. He said") only words that open sentences show that it has ended.
_STARTERS = frozenset(
    """the a an he she it they we i you this that these those there in on at but and as after
    before when while if however meanwhile for his her its their our one some many most officials
    police""".split()
)


def split(text: str) -> list[tuple[int, int]]:
    """The pieces of `text` as (start, end), in order, without gaps or overlaps.

    A piece includes the white space after it, so joining all pieces gives the text back.
    """
    edges = {match.end() for match in _BREAK.finditer(text)}
    edges.update(match.end() for match in _END.finditer(text) if _ends_sentence(text, match))
    edges -= {0, len(text)}
    starts = [0, *sorted(edges)]
    ends = [*starts[1:], len(text)]
    return [(start, end) for start, end in zip(starts, ends, strict=True) if start < end]


def _ends_sentence(text: str, match: re.Match[str]) -> bool:
    mark = match.group()
    if mark[0] in "。！？":
        return True
    following = text[match.end() : match.end() + 40].lstrip(_OPENERS)
    if not following:
        return True
    if following[0].islower():
        return False
    if mark.strip() != ".":
        return True
    word = text[max(0, match.start() - 20) : match.start()].split()[-1:]
    last = word[0].lstrip(_OPENERS) if word else ""
    lower = last.casefold()
    if lower in _ABBREVIATIONS or (lower in _CAPITALISED and last[0].isupper()):
        return False
    if lower in _BEFORE_NUMBERS and following[0].isdigit():
        return False
    if len(last) == 1 and last.isalpha():  # an initial: "J. Smith", "N. Korea"
        return False
    if "." in last and len(last.replace(".", "")) <= len(last.split(".")):  # "U.N", "U.S.S.R"
        return re.split(r"\W", following, maxsplit=1)[0].casefold() in _STARTERS
    return True
