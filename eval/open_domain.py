"""Open-domain answers over a SQuAD file: all its paragraphs are one collection.

A question names none of them, as in Chen et al., ACL 2017. Exact match and F1 are those of the best
candidate, whether or not Dateline would have abstained, so that they compare with systems that
never abstain. With unanswerable questions, which were written for SQuAD 2.0 so that their own
paragraph does not answer them, SQuAD 2.0's scores come on top; another paragraph may answer one.
"""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from index import Document, Index
from index.errors import UsageError

from .abstention import NoAnswer, no_answer_scores
from .answers import start_seconds
from .calibration import RIGHT, Trust, measure_trust
from .citing import CitationScores, Reply, citation_scores, holds_answer, judge
from .datasets import Example, paragraph_documents
from .groups import GroupScores, by_group, slot_of
from .measuring import Latency, in_fresh_process, latency, peak_memory_mib, tracked
from .metrics import Interval, bootstrap_interval, exact_match, f1
from .retrieval import built_index
from .setups import AnswerSetup, assistant_for

if TYPE_CHECKING:
    from qa import Assistant

TOPS = (1, 3, 5, 10)


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenDomainRow:
    """One question's outcome; scores are in [0, 1].

    Attributes:
        answers: the gold answers; none means unanswerable.
        type: what the file calls its kind of question, or "".
        slot: what it asks for, as the product sees it.
        prediction, confidence: the best candidate, whatever its confidence.
        abstained: whether `ask` gave no answer.
        span_rank: place of the first candidate that is an exact match, from 1; None if it is not
            among the first ten, and likewise below.
        passage_rank: place of the first passage that a gold answer stands in.
        paragraph_rank: place of the first passage from the paragraph the question was written for.
        citations: those of each answer that `ask` gave.
    """

    id: str
    question: str
    answers: tuple[str, ...]
    type: str
    slot: str
    prediction: str
    confidence: float
    exact_match: float
    f1: float
    abstained: bool
    span_rank: int | None
    passage_rank: int | None
    paragraph_rank: int | None
    citations: Reply
    milliseconds: float

    @property
    def unanswerable(self) -> bool:
        """Whether no answer is the right one."""
        return not self.answers

    @property
    def right(self) -> bool:
        """Whether the prediction counts as right."""
        return bool(self.answers) and self.f1 >= RIGHT


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenDomainResult:
    """Open-domain answers over one SQuAD file; shares and means are in [0, 1].

    Attributes:
        exact_match, f1: over the answerable questions, and so is all down to `citations`.
        answer_in_top_spans: share of questions of which one of the first k candidates is an exact
            match, by k; so are the two below.
        answer_in_top_passages: share of which a gold answer stands in one of the first k passages
            (what other systems report as "answer in the top k").
        paragraph_in_top: share of which one of those passages is from the paragraph that the
            question was written for.
        abstained: share of which `ask` gave no answer, though there is one.
        first_citations, citations: of the replies' first answers, and of all they gave.
        no_answer: SQuAD 2.0's scores over all questions; None where every question is answerable.
        trust: over all questions, what the best candidate's confidence is worth; it is right if its
            F1 with a gold answer is RIGHT or more.
        by_slot, by_type: over all questions; by_type is empty where the file has no types.
        indexing_seconds: reading, chunking, embedding and writing, model already exported.
        latency: of a warm `ask`, in milliseconds.
        start_seconds: wall time of a fresh process that opens the index and answers one question;
            None where it was not measured.
        peak_mib: resident memory of the process that ran this evaluation.
    """

    name: str
    paragraphs: int
    passages: int
    questions: int
    answerable: int
    exact_match: float
    exact_match_interval: Interval
    f1: float
    f1_interval: Interval
    answer_in_top_spans: Mapping[str, float]
    answer_in_top_passages: Mapping[str, float]
    paragraph_in_top: Mapping[str, float]
    abstained: float
    first_citations: CitationScores
    citations: CitationScores
    no_answer: NoAnswer | None
    trust: Trust
    by_slot: Mapping[str, GroupScores]
    by_type: Mapping[str, GroupScores]
    indexing_seconds: float
    passages_per_second: float
    latency: Latency
    start_seconds: float | None
    peak_mib: float | None
    rows: tuple[OpenDomainRow, ...]


def sampled_questions(
    examples: Sequence[Example], questions: int, seed: int, *, unanswerable: bool = False
) -> list[Example]:
    """A random sample of the answerable questions, or all of them if there are not more.

    Args:
        unanswerable: sample among the unanswerable ones as well, in the file's proportion.

    Raises:
        UsageError: none is answerable, or there are no unanswerable ones to sample.
    """
    answerable = [example for example in examples if not example.is_impossible]
    if not answerable:
        raise UsageError("The file holds no answerable question.", "Give another SQuAD file.")
    if unanswerable and len(answerable) == len(examples):
        raise UsageError(
            "The file holds no unanswerable question.",
            "Leave --unanswerable out, or give a file like SQuAD 2.0's.",
        )
    pool = examples if unanswerable else answerable
    return random.Random(seed).sample(pool, min(questions, len(pool)))


def evaluate_open_domain(
    examples: Sequence[Example],
    name: str,
    *,
    questions: int = 500,
    seed: int = 0,
    unanswerable: bool = False,
    setup: AnswerSetup | None = None,
    work: Path | None = None,
    fresh_starts: bool = True,
) -> OpenDomainResult:
    """Index every distinct context of `examples`, answer a sample of the questions, measure.

    Args:
        name: starts the name of the index's folder.
        questions, seed, unanswerable: see `sampled_questions`.
        setup: how to answer; None for the product's way.
        work: where the index is built or reused (see `retrieval.built_index`).
        fresh_starts: also time fresh processes, which use the product's way whatever the set-up.

    Raises:
        UsageError: the file has no such questions.
    """
    setup = setup or AnswerSetup()
    chosen = sampled_questions(examples, questions, seed, unanswerable=unanswerable)
    documents = paragraph_documents(examples)
    with built_index(
        name, tuple(documents.values()), work=work, settings=setup.index_settings
    ) as built:
        assistant = assistant_for(built.index, setup)
        assistant.ask(chosen[-1].question)  # loads the models: what follows is warm
        rows = tuple(
            _row(assistant, built.index, example, documents, setup.passages)
            for example in tracked(chosen, f"answering {name}")
        )
        peak = peak_memory_mib()  # before the statistics need memory of their own
        threshold = assistant.threshold
    scored = [row for row in rows if row.answers]
    return OpenDomainResult(
        name=name,
        paragraphs=len(documents),
        passages=built.chunks,
        questions=len(rows),
        answerable=len(scored),
        exact_match=statistics.fmean(row.exact_match for row in scored),
        exact_match_interval=bootstrap_interval([row.exact_match for row in scored]),
        f1=statistics.fmean(row.f1 for row in scored),
        f1_interval=bootstrap_interval([row.f1 for row in scored]),
        answer_in_top_spans=in_top([row.span_rank for row in scored]),
        answer_in_top_passages=in_top([row.passage_rank for row in scored]),
        paragraph_in_top=in_top([row.paragraph_rank for row in scored]),
        abstained=statistics.fmean(row.abstained for row in scored),
        first_citations=citation_scores([row.citations for row in scored], first=True),
        citations=citation_scores([row.citations for row in scored]),
        no_answer=no_answer_scores(rows, threshold),
        trust=measure_trust(
            [row.confidence for row in rows], [row.right for row in rows], threshold
        ),
        by_slot=by_group(rows, lambda row: row.slot),
        by_type=by_group(rows, lambda row: row.type),
        indexing_seconds=built.indexing_seconds,
        passages_per_second=built.chunks / built.indexing_seconds,
        latency=latency([row.milliseconds for row in rows]),
        start_seconds=start_seconds(built.path, chosen[0].question) if fresh_starts else None,
        peak_mib=peak,
        rows=rows,
    )


def evaluate_setups(
    examples: Sequence[Example],
    name: str,
    setups: Mapping[str, AnswerSetup],
    *,
    questions: int = 500,
    seed: int = 0,
    unanswerable: bool = False,
    work: Path | None = None,
) -> dict[str, OpenDomainResult]:
    """Every set-up over the same questions, each in its own process: its memory is its own.

    The arguments are those of `evaluate_open_domain`; fresh starts are not timed.
    """
    return {
        label: in_fresh_process(
            evaluate_open_domain,
            examples,
            name,
            questions=questions,
            seed=seed,
            unanswerable=unanswerable,
            setup=setup,
            work=work,
            fresh_starts=False,
        )
        for label, setup in setups.items()
    }


def in_top(ranks: Sequence[int | None]) -> dict[str, float]:
    """Share of the ranks (from 1; None is nowhere) that are at most k, by each k of TOPS."""
    return {
        str(k): statistics.fmean(rank is not None and rank <= k for rank in ranks) for k in TOPS
    }


def _row(
    assistant: Assistant,
    index: Index,
    example: Example,
    documents: Mapping[str, Document],
    top_k: int,
) -> OpenDomainRow:
    source, golds = documents[example.context].source, example.answers
    start = time.perf_counter()
    answer = assistant.ask(example.question, top_k=top_k)
    milliseconds = 1000 * (time.perf_counter() - start)
    candidates = assistant.candidates(example.question, top_k=top_k)
    spans = [candidate.text for candidate in candidates[: TOPS[-1]]]
    hits = index.search(example.question, top_k=TOPS[-1])
    prediction = spans[0] if spans else ""
    return OpenDomainRow(
        id=example.id,
        question=example.question,
        answers=golds,
        type=example.type,
        slot=slot_of(example.question),
        prediction=prediction,
        confidence=candidates[0].confidence if candidates else 0.0,
        exact_match=exact_match(prediction, golds),
        f1=f1(prediction, golds),
        abstained=answer.abstained,
        span_rank=_first(exact_match(span, golds) > 0 for span in spans),
        passage_rank=_first(holds_answer(hit.chunk.text, golds) for hit in hits),
        paragraph_rank=_first(hit.document.source == source for hit in hits),
        citations=judge(answer, golds, lambda cited: cited == source, index),
        milliseconds=milliseconds,
    )


def _first(found: Iterable[bool]) -> int | None:
    """The place of the first that is true, from 1."""
    return next((place for place, value in enumerate(found, 1) if value), None)
