"""Unanswerable examples for an epoch: changed questions, and questions asked of other passages."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace

from index import Analyzer
from index.lexical import LexicalIndex

from ..ranking import normalise
from .examples import Example
from .perturbation import Perturbation

CONSISTENT = 0.08  # share of answerable examples changed in question and passage alike
MISPLACED = 0.12  # share that also ask another passage, one that BM25 finds for the question
NEAREST = 8  # passages, of which one is asked


def with_unanswerable(
    examples: Sequence[Example], changed_share: float, dice: random.Random
) -> list[Example]:
    """The examples, some changed consistently, and unanswerable ones made from them.

    Args:
        changed_share: share of the answerable ones that also give a question that their passage
            does not answer.
    """
    perturbation = Perturbation(examples)
    passages = _Passages(examples)
    made: list[Example] = []
    for example in examples:
        if not example.answers:
            made.append(example)
            continue
        changed = perturbation.consistent(example, dice) if dice.random() < CONSISTENT else None
        made.append(changed or example)
        if dice.random() < changed_share and (made_up := perturbation.unanswerable(example, dice)):
            made.append(made_up)
        if dice.random() < MISPLACED and (misplaced := passages.misplaced(example, dice)):
            made.append(misplaced)
    return made


class _Passages:
    """The passages of an epoch, found by BM25."""

    def __init__(self, examples: Sequence[Example]) -> None:
        self._texts = sorted({example.context for example in examples})
        self._terms = Analyzer()
        self._index = LexicalIndex()
        self._index.add(range(len(self._texts)), (self._terms(text) for text in self._texts))

    def misplaced(self, example: Example, dice: random.Random) -> Example | None:
        """The question asked of another passage that shares its words but not its answers."""
        ids, _ = self._index.search(self._terms(example.question), NEAREST)
        answers = [normalise(example.context[a:b]) for a, b in example.answers]
        fitting = []
        for text in (self._texts[number] for number in ids):
            words = f" {normalise(text)} "
            if text != example.context and not any(f" {answer} " in words for answer in answers):
                fitting.append(text)
        if not fitting:
            return None
        return replace(example, context=dice.choice(fitting), answers=())
