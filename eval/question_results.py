"""One's own questions, asked of one's own index: what is found of their gold, what is answered."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from index import Hit, Mode

from .answers import SampleResult, SampleRow, evaluate_sample
from .gold import Gold, find_gold
from .measuring import tracked
from .questions import GoldQuestion
from .report import Cell, Table
from .retrieval import MODES

if TYPE_CHECKING:
    from qa import Assistant

CUTOFFS = (1, 5, 10, 12)  # Dateline reads 12 passages
DEPTH = 100  # passages looked at; what comes later counts as not found

Kind = Literal["source", "passage"]
Ranks = Mapping[Kind, int | None]  # of the first right one, from 1; None if it was not found


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundScores:
    """How far up the first passage stands that is from a gold source, or has a gold passage.

    Attributes:
        questions: those that name what should be found.
        success: share of them where it is among the first k passages, by k.
        reciprocal_rank: mean of 1 / rank, 0 where it is not among the first `DEPTH`.
    """

    mode: Mode
    kind: Kind
    questions: int
    success: Mapping[int, float]
    reciprocal_rank: float


@dataclass(frozen=True, slots=True, kw_only=True)
class QuestionRow:
    """One question's outcome: ranks by mode of what should be found, and the answer."""

    id: str
    type: str
    slot: str
    ranks: Mapping[Mode, Ranks]
    answer: SampleRow


@dataclass(frozen=True, slots=True, kw_only=True)
class QuestionsResult:
    """A file of questions over an index.

    Attributes:
        missing: messages on gold that the index does not have; it counts as not found.
    """

    documents: int
    questions: int
    found: tuple[FoundScores, ...]
    answers: SampleResult
    missing: tuple[str, ...]
    rows: tuple[QuestionRow, ...]


def evaluate_questions(
    assistant: Assistant, questions: Sequence[GoldQuestion], modes: Sequence[Mode] = MODES
) -> QuestionsResult:
    """Search for every question in each mode, answer it, and compare with what is expected.

    A question with passages alone counts their documents as its sources.
    """
    index = assistant.index
    gold = find_gold(index, questions)
    ranks: dict[str, dict[Mode, Ranks]] = {question.id: {} for question in questions}
    for mode in modes:
        for question in tracked(questions, f"searching, {mode}"):
            hits = index.search(question.question, DEPTH, mode=mode)
            ranks[question.id][mode] = _ranks(hits, question, gold[question.id])
    documents = {info.id: info.source for info in index.documents()}
    answered = evaluate_sample(
        assistant,
        [
            replace(q, sources=q.sources or tuple(documents[d] for d in gold[q.id].documents))
            for q in questions
        ],
        len(documents),
    )
    return QuestionsResult(
        documents=len(documents),
        questions=len(questions),
        found=tuple(
            scores
            for mode in modes
            for kind in ("source", "passage")
            if (scores := _scores(mode, kind, [ranks[q.id][mode] for q in questions]))
        ),
        answers=answered,
        missing=tuple(
            f"{question.where}: the index has no {what}."
            for question in questions
            for what in gold[question.id].missing
        ),
        rows=tuple(
            QuestionRow(id=q.id, type=q.type, slot=q.slot, ranks=ranks[q.id], answer=row)
            for q, row in zip(questions, answered.rows, strict=True)
        ),
    )


def found_table(scores: Sequence[FoundScores]) -> Table:
    """A row for every mode and kind of gold."""
    return Table(
        caption=f"Found: the first right passage of {DEPTH}",
        columns=("mode", "gold", "questions", *(f"Success@{k}" for k in CUTOFFS), "RR"),
        rows=tuple(
            (
                Cell(text=s.mode),
                Cell(text=s.kind),
                Cell(text=str(s.questions), value=s.questions),
                *(
                    Cell(text=f"{value:.3f}", value=value)
                    for value in (*s.success.values(), s.reciprocal_rank)
                ),
            )
            for s in scores
        ),
    )


def _ranks(hits: Sequence[Hit], question: GoldQuestion, gold: Gold) -> Ranks:
    """Ranks by what the question names."""

    def first(right: Callable[[Hit], bool]) -> int | None:
        return next((rank for rank, hit in enumerate(hits, start=1) if right(hit)), None)

    ranks: dict[Kind, int | None] = {}
    if question.sources or question.passages:
        ranks["source"] = first(lambda hit: hit.document.id in gold.documents)
    if question.passages:
        ranks["passage"] = first(lambda hit: gold.has_passage(hit.chunk))
    return ranks


def _scores(mode: Mode, kind: Kind, ranks: Sequence[Ranks]) -> FoundScores | None:
    found = [each[kind] for each in ranks if kind in each]
    if not found:
        return None
    return FoundScores(
        mode=mode,
        kind=kind,
        questions=len(found),
        success={k: statistics.fmean(bool(r and r <= k) for r in found) for k in CUTOFFS},
        reciprocal_rank=statistics.fmean(1 / r if r else 0.0 for r in found),
    )
