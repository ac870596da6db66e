"""Names inside a document: which full name a surname, title or description stands for.

Joined only where it is safe: a surname takes the full name that the same document gives; "he" is
the nearest man named before it in the paragraph; anything doubtful stays as it is.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from .dates.grammar import MONTHS
from .places import is_country

REACH = 2000  # characters within which "the city" may stand for one named before
_MONTHS = frozenset(month.capitalize() for month in MONTHS)
TITLES = frozenset(
    """mr mrs ms miss dr prof professor president vice prime minister premier chancellor king queen
    prince princess pope governor gov mayor senator sen representative rep secretary chairman
    chairwoman chair general gen colonel col captain capt lieutenant lt sergeant sgt major admiral
    judge justice sir lady lord dame leader ambassador chief director officer spokesman spokeswoman
    spokesperson foreign defense defence deputy then-president former ex-president coach inspector
    detective sheriff commissioner councillor councilor engineer deckhand reverend rev father sister
    brother bishop archbishop cardinal sheikh sultan emir first""".split()
)
_CAPITALISED = re.compile(
    r"(?<![\w’'-])[^\W\d_a-z][\w’'-]*(?:\.(?= [A-Z]))?"
    r"(?:[ \n](?:(?:bin|al|de|da|del|van|von|der|den|la|le) )?[^\W\d_a-z][\w’'-]*)*"
)
_ROLE = "|".join(sorted((t for t in TITLES if len(t) > 4), key=len, reverse=True))
_NAME = r"[^\W\d_a-z][\w’'-]*(?: [^\W\d_a-z][\w’'-]*)+"
_HOLDERS = (  # "South Korean leader Moon Jae-in"; "Ana Sousa, the mayor of Lisbon"
    re.compile(rf"(?P<lead>(?:[\w.’'-]+ ){{0,3}})\b(?i:(?P<role>{_ROLE})) (?P<name>{_NAME})"),
    re.compile(
        rf"(?P<name>{_NAME}), (?:the|its|their|his|her|an?) "
        rf"(?P<lead>(?:[\w.’'-]+ ){{0,3}}?)(?i:(?P<role>{_ROLE}))\b"
    ),
)
_HELD = re.compile(rf"(?:the|that) (?P<lead>(?:[\w.’'-]+ ){{0,3}})(?i:(?P<role>{_ROLE}))$")
_LOCATIVE = re.compile(
    r"\b(?:in|at|to|near|from|visit(?:ed|ing|s)?|reach(?:ed)?|left) "
    r"(?P<name>[^\W\d_a-z][\w-]+(?: [^\W\d_a-z][\w-]+)*)\b(?!['’]s)"
)
_OPENERS = frozenset(
    """the a an in on at and but or for with from by to of as if it its this that these those he she
    they we you i his her their our my when while where who what which how why after before during
    since until although though because there here not no yes also then now both all some many most
    more new last next one two three""".split()
)
_PEOPLE = frozenset("he him his she her hers".split())


@lru_cache(maxsize=8192)
def key_of(name: str) -> tuple[str, ...]:
    """The words of a name in one spelling: "Kim Jong-un's" and "KIM JONG UN" are the same."""
    folded = unicodedata.normalize("NFKD", name).casefold()
    plain = "".join(c for c in folded if not unicodedata.combining(c))
    plain = re.sub(r"['’]s?\b", "", plain)
    words = re.findall(r"[^\W_]+", plain.replace("-", " "))
    kept = [w for w in words if w not in TITLES and w not in ("the", "a", "an")]
    return tuple(kept or words)


def same_name(one: str, other: str) -> bool:
    """Whether two names may be one person's or thing's: one has all the words of the other."""
    a, b = set(key_of(one)), set(key_of(other))
    return bool(a and b) and (a <= b or b <= a)


class Names:
    """The full names in a document's text, and the places it names."""

    def __init__(self, text: str) -> None:
        self._places = [(m.start("name"), m["name"]) for m in _LOCATIVE.finditer(text)]
        self._full: list[tuple[int, str]] = []
        for match in _CAPITALISED.finditer(text):
            name = _bare(match.group())
            if " " in name and len(key_of(name)) > 1 and not name.isupper():
                self._full.append((match.start(), name))
        self._holders = [
            (match.start(), match["role"].casefold(), _stems(match["lead"]), _bare(match["name"]))
            for form in _HOLDERS
            for match in form.finditer(text)
        ]

    def full_name(self, mention: str, offset: int | None = None) -> str | None:
        """The longest name that contains the mention's words; None if the mention is full or two
        different names would do.

        Args:
            offset: where the mention stands; a name that only comes later is not meant.
        """
        words = key_of(mention)
        if not words or not mention[:1].isupper():
            return None
        fuller: dict[tuple[str, ...], str] = {}
        for start, name in self._full:
            if offset is not None and start > offset:
                break
            key = key_of(name)
            if len(key) > len(words) and set(words) <= set(key) and words[0] in (key[0], key[-1]):
                fuller.setdefault(key, name)
        keys = sorted(fuller, key=len)
        if not keys:
            return None
        longest = keys[-1]
        if any(not set(key) <= set(longest) for key in keys):
            return None
        return " ".join(re.sub(r"['’]s$", "", fuller[longest]).split())

    def holder(self, mention: str, offset: int) -> str | None:
        """Whom "the president" or "the North's leader" at an offset stands for: the one who was
        called so before it; None if nobody was, or several people.
        """
        held = _HELD.match(mention)
        if not held:
            return None
        role, lead = held["role"].casefold(), _stems(held["lead"])
        names: dict[tuple[str, ...], str] = {}
        for start, known, words, name in self._holders:
            if start < offset and known == role and lead <= words:
                names.setdefault(key_of(name), name)
        return next(iter(names.values())) if len(names) == 1 else None

    def place_before(self, noun: str, offset: int) -> str | None:
        """The place that "the city" or "that country" at an offset stands for: the nearest before
        it that is one; None if there is none near.
        """
        countries = noun in ("country", "nation")
        for start, name in reversed(self._places):
            if start < offset and is_country(name) == countries and name not in _MONTHS:
                return name if offset - start < REACH else None
        return None


@lru_cache(maxsize=64)
def names_of(text: str) -> Names:
    """The names of a document, read once."""
    return Names(text)


def is_pronoun(mention: str) -> bool:
    """Whether a mention is "he", "she" and the like."""
    return mention.casefold() in _PEOPLE


def _stems(words: str) -> frozenset[str]:
    """What a description says beside the role: "Russian" and "Russia's" are the same."""
    return frozenset(
        word[:5].casefold().rstrip("'’s") for word in words.split() if word[:1].isupper()
    )


def _bare(name: str) -> str:
    """A capitalised run without what leads to the name: "Russia's President Vladimir Putin"."""
    words = name.split()
    leads = [
        at
        for at, word in enumerate(words[:-1], 1)
        if word.casefold().rstrip(".") in TITLES or word.endswith(("'s", "’s"))
    ]
    words = words[max(leads, default=0) :]
    while len(words) > 1 and words[0].casefold() in _OPENERS:
        words = words[1:]
    return " ".join(words)
