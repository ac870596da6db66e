"""Searching for documents where an index finds passages.

Kept runs depend on this file's text (see `eval.experiment`), so nothing else is in it.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from itertools import islice

from index import Index, Mode

from .configurations import DEPTH
from .measuring import tracked
from .trec import Run


def search_documents(index: Index, query: str, mode: Mode, depth: int = DEPTH) -> dict[str, float]:
    """The best `depth` documents by source, best first, each with its best passage's score."""
    top_k = 4 * depth
    while True:
        hits = index.search(query, top_k=top_k, mode=mode)
        best: dict[str, float] = {}
        for hit in hits:
            best.setdefault(hit.document.source, hit.score)
        if len(best) >= depth or len(hits) < top_k:
            return dict(islice(best.items(), depth))
        top_k *= 2


def search_queries(
    index: Index, queries: Mapping[str, str], mode: Mode, depth: int, description: str
) -> tuple[Run, dict[str, float]]:
    """Search for every query: the run, and the milliseconds that each took.

    One search comes before, so that loading is not timed.
    """
    run: Run = {}
    milliseconds: dict[str, float] = {}
    for text in islice(queries.values(), 1):
        search_documents(index, text, mode, depth)
    for query, text in tracked(list(queries.items()), description):
        start = time.perf_counter()
        run[query] = search_documents(index, text, mode, depth)
        milliseconds[query] = 1000 * (time.perf_counter() - start)
    return run, milliseconds
