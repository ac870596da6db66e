"""Is it any good: test collections, measures, and the runs that produce the published figures."""

from __future__ import annotations

from .answers import evaluate_open_domain, evaluate_sample
from .datasets import load_beir, load_squad
from .retrieval import built_index, evaluate_retrieval

__all__ = [
    "built_index",
    "evaluate_open_domain",
    "evaluate_retrieval",
    "evaluate_sample",
    "load_beir",
    "load_squad",
]
