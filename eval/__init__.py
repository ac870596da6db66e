"""Is it any good: test collections, measures, and the runs that produce the published figures."""

from __future__ import annotations

from pathlib import Path

from .answers import evaluate_sample
from .collections import load_collection
from .datasets import load_beir, load_squad
from .open_domain import OpenDomainResult, evaluate_open_domain
from .questions import read_questions
from .reading import evaluate_reading
from .retrieval import MODES, RetrievalResult, built_index, evaluate_retrieval
from .trec import read_run, write_run

__all__ = [
    "built_index",
    "evaluate",
    "evaluate_open_domain",
    "evaluate_reading",
    "evaluate_retrieval",
    "evaluate_sample",
    "load_beir",
    "load_collection",
    "load_squad",
    "read_questions",
    "read_run",
    "write_run",
]


def evaluate(
    path: str | Path, *, questions: int = 500, seed: int = 0, work: Path | None = None
) -> list[RetrievalResult] | OpenDomainResult:
    """Measure Dateline's defaults on a collection: retrieval if it is a folder, else answers.

    Args:
        path: a folder in BEIR's layout or with a `collection.toml`, or a SQuAD file.
        questions, seed: the sample of a SQuAD file's questions.
        work: folder for the indexes, reused while nothing changes; default in the cache.

    Raises:
        UsageError, LoadError: no such collection, or a damaged one.
    """
    path = Path(path)
    if not path.is_dir():
        name = path.name.split(".")[0]
        return evaluate_open_domain(
            load_squad(path), name, questions=questions, seed=seed, work=work
        )
    collection = load_collection(path)
    with built_index(collection.name, collection.documents, work=work) as built:
        return [evaluate_retrieval(built.index, collection, mode) for mode in MODES]
