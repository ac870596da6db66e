"""Sentence-aware passages under the embedder's token budget.

Every character of the text is in at least one chunk, and `text[start:end]` is the chunk, always.
The title and the date go to the embedder and to BM25 as context in front of the chunk's text, and
count against the budget, but are no part of the offsets.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence

from . import sentences
from .document import DocumentInfo

Span = tuple[int, int]
CountTokens = Callable[[Sequence[str]], list[int]]

SPECIAL_TOKENS = 4  # room for the model's own begin and end tokens
CONTEXT_TOKENS = 48  # a title longer than this is cut
CHARACTERS_A_TOKEN = 12  # of more, a text counts by its length: an endless "word" is one token


def context_of(document: DocumentInfo) -> str:
    """Title and publication date, as given to the embedder and to BM25 with every chunk."""
    day = document.published
    dated = f"{day:%B} {day.day}, {day.year}" if day else ""
    return " – ".join(part for part in (" ".join(document.title.split()), dated) if part)


def fit_context(context: str, count_tokens: CountTokens) -> tuple[str, int]:
    """The context cut to at most CONTEXT_TOKENS tokens, and its number of tokens."""
    count_tokens = _by_length_too(count_tokens)
    words = context.split()
    while words:
        count = count_tokens([" ".join(words)])[0]
        if count <= CONTEXT_TOKENS:
            return " ".join(words), count
        words = words[: max(len(words) * CONTEXT_TOKENS // count, 0)]
    return "", 0


def chunk(text: str, budget: int, overlap: int, count_tokens: CountTokens) -> list[Span]:
    """Chunks of `text` as (start, end), in order.

    Chunks of one text are of similar size: the text is shared out evenly rather than leaving a
    scrap at its end.

    Args:
        budget: most tokens a chunk may have, context and special tokens already taken off; it
            has at most CHARACTERS_A_TOKEN times as many characters.
        overlap: a chunk begins with whole sentences of the one before it, up to so many tokens.
        count_tokens: the embedder's own count, without special tokens.
    """
    count_tokens = _by_length_too(count_tokens)
    pieces, counts = _pieces(text, budget, count_tokens)
    total = sum(counts)
    if total <= budget:
        return [(0, len(text))] if text else []
    fresh = max(budget - overlap, 1)
    target = min(budget, math.ceil(total / math.ceil(total / fresh)) + overlap)
    chunks: list[Span] = []
    first = 0
    while first < len(pieces):
        last, size = first, counts[first]
        while last + 1 < len(pieces) and size < target and size + counts[last + 1] <= budget:
            last += 1
            size += counts[last]
        chunks.append((pieces[first][0], pieces[last][1]))
        if last + 1 == len(pieces):
            break
        following, shared = last + 1, 0
        while following - 1 > first and shared + counts[following - 1] <= overlap:
            following -= 1
            shared += counts[following]
        # The overlap must leave room for the next new sentence, or no chunk would ever end.
        while following <= last and shared + counts[last + 1] > budget:
            shared -= counts[following]
            following += 1
        first = following
    return _within_budget(text, chunks, budget, count_tokens)


def _by_length_too(count_tokens: CountTokens) -> CountTokens:
    def count(texts: Sequence[str]) -> list[int]:
        return [
            max(tokens, math.ceil(len(text) / CHARACTERS_A_TOKEN))
            for text, tokens in zip(texts, count_tokens(texts), strict=True)
        ]

    return count


def _pieces(text: str, budget: int, count_tokens: CountTokens) -> tuple[list[Span], list[int]]:
    """Sentences with their token counts; a sentence over the budget is cut at words."""
    pieces: list[Span] = []
    counts: list[int] = []
    longest = budget * CHARACTERS_A_TOKEN
    spans = [  # an endless sentence is cut before it is counted: its encoding would take gigabytes
        part
        for start, end in sentences.split(text)
        for part in _cut(text, start, end, math.ceil((end - start) / longest))
    ]
    for (start, end), count in zip(
        spans, count_tokens([text[start:end] for start, end in spans]), strict=True
    ):
        if count <= budget:
            pieces.append((start, end))
            counts.append(count)
            continue
        cut = _cut(text, start, end, math.ceil(count / budget))
        pieces.extend(cut)
        counts.extend(count_tokens([text[a:b] for a, b in cut]))
    if any(count > budget for count in counts):
        whole = [
            span
            for span, count in zip(pieces, counts, strict=True)
            for span in (_halve(text, *span, budget, count_tokens) if count > budget else [span])
        ]
        return whole, count_tokens([text[a:b] for a, b in whole])
    return pieces, counts


def _cut(text: str, start: int, end: int, parts: int) -> list[Span]:
    """`text[start:end]` in about `parts` pieces of similar length, cut after white space."""
    edges = [start]
    step = (end - start) / parts
    for number in range(1, parts):
        goal = start + round(number * step)
        space = [m.end() for m in re.finditer(r"\s+", text[max(goal - 80, edges[-1]) : goal])]
        edge = max(goal - 80, edges[-1]) + space[-1] if space else goal
        if edges[-1] < edge < end:
            edges.append(edge)
    return list(zip(edges, [*edges[1:], end], strict=True))


def _halve(text: str, start: int, end: int, budget: int, count_tokens: CountTokens) -> list[Span]:
    if end - start == 1 or count_tokens([text[start:end]])[0] <= budget:
        return [(start, end)]
    return [
        span
        for a, b in _cut(text, start, end, 2)
        for span in _halve(text, a, b, budget, count_tokens)
    ]


def _within_budget(
    text: str, chunks: list[Span], budget: int, count_tokens: CountTokens
) -> list[Span]:
    """The same chunks; one whose tokens do not simply add up (rare) is halved until it fits."""
    counts = count_tokens([text[start:end] for start, end in chunks])
    return [
        span
        for (start, end), count in zip(chunks, counts, strict=True)
        for span in (
            [(start, end)] if count <= budget else _halve(text, start, end, budget, count_tokens)
        )
    ]
