"""What a question asks for: the slot its answer fills, and the form the answer should have."""

from __future__ import annotations

import re
from typing import Literal, NamedTuple

from index.errors import UsageError

MAX_CHARACTERS = 2000

Form = Literal["span", "explanation", "yes/no"]

_SLOTS = (
    ("how many", r"how many\b"),
    ("how much", r"how much\b"),
    ("how long", r"how long\b"),
    ("why", r"why\b|for what reason|what (?:was |is )?the (?:reason|cause)|how come"),
    ("when", r"when\b|(?:at |on |in )?(?:what|which) (?:day|date|month|year|time)\b"),
    ("where", r"where\b|(?:in |at )?(?:what|which) (?:city|country|place|town|venue|location)\b"),
    ("who", r"who(?:m|se)?\b|(?:what|which) (?:person|people)\b"),
    ("which", r"which\b"),
    ("how", r"how\b"),
    ("what", r"what\b"),
)
# A wh-word counts at the start of the question or of a clause, after a preposition, or at the end.
_BEFORE = r"(?:^|[,;:]\s*|\band |\b(?:in|on|at|by|to|for|from|with|of|since) )"
_SLOT = [(slot, re.compile(rf"{_BEFORE}(?:{form})|(?:{form})\W*$")) for slot, form in _SLOTS]
_EXPLANATION = re.compile(
    r"^(?:please )?(?:describe|explain|tell me (?:about|why|how)|what happened)\b"
)
_MEASURED = re.compile(  # "how tall", "how far": a span answers, not an explanation
    r"\bhow (?:many|much|long|old|far|big|large|tall|high|deep|wide|fast|often|soon|late|early|"
    r"heavy|close|near|hot|cold|strong|few|little|small|short)\b"
)
_YES_NO = re.compile(
    r"^(?:is|are|was|were|am|do|does|did|has|have|had|can|could|will|would|shall|should|may|might|"
    r"must)(?:n['’]t)?\b(?! what| who| where| when| why| how)"
)


class Question(NamedTuple):
    """A question as asked (white space tidied), its slot (or None) and the form of its answer."""

    text: str
    slot: str | None
    form: Form


def analyse(text: str) -> Question:
    """Recognise what a question asks for.

    Raises:
        UsageError: it is empty or far too long to be a question.
    """
    tidy = " ".join(text.split())
    if not any(character.isalnum() for character in tidy):
        raise UsageError("The question is empty.", 'Ask in words: dateline ask "Who met whom?"')
    if len(tidy) > MAX_CHARACTERS:
        raise UsageError(
            f"The question has {len(tidy):,} characters, {MAX_CHARACTERS:,} are the limit.",
            "Ask something shorter; to add a text to the index, use: dateline index FILE",
        )
    lower = tidy.casefold()
    if _YES_NO.match(lower):
        return Question(tidy, None, "yes/no")
    slot = _first_slot(lower)
    plain_how = slot == "how" and not _MEASURED.search(lower)
    explains = slot == "why" or plain_how or _EXPLANATION.match(lower) is not None
    return Question(tidy, slot, "explanation" if explains else "span")


def _first_slot(lower: str) -> str | None:
    """The slot of the first wh-word; of two at one place the more specific ("how many")."""
    found = [
        (match.start(), place, slot)
        for place, (slot, pattern) in enumerate(_SLOT)
        if (match := pattern.search(lower))
    ]
    return min(found)[2] if found else None
