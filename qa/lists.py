"""Answers to list questions: an enumeration the reader took as one span is several answers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from .ranking import Support
from .reader import ReadSpan

MOST_WORDS = 6  # of an item; what is longer is a clause, not an item
_BETWEEN = re.compile(r"\s*[,;]\s*(?:(?:and|or)\s+(?:also\s+)?)?|\s+(?:and|or|as well as)\s+")
_LEAD = re.compile(r"(?:both|either|including|such as|and|or)\s+")


def items(text: str, span: ReadSpan) -> list[ReadSpan]:
    """The items of an enumeration such as "Chad, Mali and Niger", else the span as it is.

    Two words joined by "and" are an enumeration if both are names or both are not; joined by "&"
    they are one name, of a company.
    """
    found = [ReadSpan(a, b, span.margin) for a, b in _pieces(text, span)]
    words = [text[item.start : item.end] for item in found]
    named = [word[:1].isupper() for word in words]
    plausible = all(0 < len(word.split()) <= MOST_WORDS for word in words)
    joined = re.search(r"\b(?:and|or|as well as)\b", text[span.start : span.end])
    if len(found) < 2 or not plausible or not joined or len(set(named)) > 1:
        return [span]
    return found


def people(support: Support) -> list[Support]:
    """Each of the people whom a support names together: "Kim and Putin"; else it alone."""
    found = items(support.hit.chunk.text, ReadSpan(support.start, support.end, support.margin))
    named = [replace(support, start=span.start, end=span.end) for span in found]
    return named if all(one.text[:1].isupper() for one in named) else [support]


def _pieces(text: str, span: ReadSpan) -> Iterator[tuple[int, int]]:
    """Where the parts between commas and conjunctions stand."""
    lead = _LEAD.match(text, span.start, span.end)
    begin = lead.end() if lead else span.start
    for match in _BETWEEN.finditer(text, begin, span.end):
        yield begin, match.start()
        begin = match.end()
    yield begin, span.end
