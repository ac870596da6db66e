"""How good the answers are: open-domain over a SQuAD file, and over the bundled sample.

Open-domain means that all paragraphs of the file are one collection and a question names none of
them, as in Chen et al., ACL 2017; exact match and F1 are those of the best candidate, whether or
not Dateline would have abstained, so that they compare with systems that never abstain.
"""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.resources import as_file, files
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from index import EmbeddedIndex, Index, IndexSettings
from index.errors import DatelineError, UsageError

from .calibration import RIGHT, Trust, measure_trust
from .datasets import Example, paragraph_documents
from .measuring import Latency, latency, peak_memory_mib, run_fresh, tracked
from .metrics import Interval, bootstrap_interval, exact_match, f1
from .questions import GoldQuestion
from .retrieval import built_index

if TYPE_CHECKING:
    from qa import Assistant

TOP = 10
STARTS = 3  # fresh processes, of which the median is reported

_START = """
import sys
from index import EmbeddedIndex
from qa import Assistant
with EmbeddedIndex.open(sys.argv[1], create=False) as index:
    Assistant(index).ask(sys.argv[2])
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenDomainRow:
    """One question's outcome; scores are in [0, 1]."""

    id: str
    question: str
    answers: tuple[str, ...]
    prediction: str
    confidence: float
    exact_match: float
    f1: float
    abstained: bool
    answer_in_top10_spans: bool
    answer_in_top10_passages: bool
    gold_paragraph_in_top10: bool
    milliseconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenDomainResult:
    """Open-domain answers over one SQuAD file; shares and means are in [0, 1].

    Attributes:
        answer_in_top10_spans: share of questions of which one of the first ten candidate answers
            is an exact match after normalisation.
        answer_in_top10_passages: share of which a gold answer stands, letter by letter, in one of
            the first ten passages found (what other systems report as "answer in the top ten").
        gold_paragraph_in_top10: share of which one of those passages is from the paragraph that
            the question was written for.
        abstained: share of which `ask` gave no answer, though there is one.
        trust: what the best candidate's confidence is worth; it is right if its F1 with a gold
            answer is RIGHT or more.
        indexing_seconds: reading, chunking, embedding and writing, model already exported.
        latency: of a warm `ask`, in milliseconds.
        start_seconds: wall time of a fresh process that opens the index and answers one question.
        peak_mib: resident memory of the process that ran this evaluation.
    """

    name: str
    paragraphs: int
    passages: int
    questions: int
    exact_match: float
    exact_match_interval: Interval
    f1: float
    f1_interval: Interval
    answer_in_top10_spans: float
    answer_in_top10_passages: float
    gold_paragraph_in_top10: float
    abstained: float
    trust: Trust
    indexing_seconds: float
    passages_per_second: float
    latency: Latency
    start_seconds: float
    peak_mib: float | None
    rows: tuple[OpenDomainRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleRow:
    """One question's outcome; `cited` are the sources of the best answer.

    Without answers to compare with there is no `exact_match` and `f1`, without sources no
    `citation_correct`.
    """

    id: str
    question: str
    answers: tuple[str, ...]
    prediction: str
    exact_match: float | None
    f1: float | None
    unanswerable: bool
    abstained: bool
    cited: tuple[str, ...]
    citation_correct: bool | None
    milliseconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleResult:
    """Answers to questions with gold answers or sources; shares and means are in [0, 1], or None
    where there is nothing to take them of.

    Attributes:
        exact_match: over questions with answers, of the first answer, or of the best candidate
            where `ask` abstained; so is `f1`.
        abstention_accuracy: share of all questions where abstaining and being unanswerable agree.
        answered: share of the answerable questions that `ask` answered.
        false_answers: share of the unanswerable questions that it answered all the same.
        citation_correct: of the answered answerable questions with sources, the share whose first
            answer cites one of them.
    """

    documents: int
    questions: int
    exact_match: float | None
    f1: float | None
    abstention_accuracy: float | None
    answered: float | None
    false_answers: float | None
    citation_correct: float | None
    latency: Latency
    rows: tuple[SampleRow, ...]


def sampled_questions(examples: Sequence[Example], questions: int, seed: int) -> list[Example]:
    """A random sample of the answerable questions, or all of them if there are not more."""
    answerable = [example for example in examples if not example.is_impossible]
    if not answerable:
        raise UsageError("The file holds no answerable question.", "Give another SQuAD file.")
    return random.Random(seed).sample(answerable, min(questions, len(answerable)))


def evaluate_open_domain(
    examples: Sequence[Example],
    name: str,
    *,
    questions: int = 500,
    seed: int = 0,
    work: Path | None = None,
    settings: IndexSettings | None = None,
) -> OpenDomainResult:
    """Index every distinct context of `examples`, answer a sample of the questions, measure.

    Args:
        name: starts the name of the index's folder.
        questions: how many to sample, with `random.Random(seed)`, among the answerable ones.
        work: where the index is built or reused (see `retrieval.built_index`).
        settings: of the index; None for its defaults.
    """
    from qa import Assistant  # noqa: PLC0415

    chosen = sampled_questions(examples, questions, seed)
    documents = paragraph_documents(examples)
    with built_index(name, tuple(documents.values()), work=work, settings=settings) as built:
        assistant = Assistant(built.index, explain=False)  # spans, as SQuAD's answers are
        assistant.ask(chosen[0].question)  # loads the models: the figures below are warm
        rows = tuple(
            _open_domain_row(assistant, built.index, example, documents[example.context].source)
            for example in tracked(chosen, f"answering {name}")
        )
        peak = peak_memory_mib()  # before the statistics need memory of their own
        threshold = assistant.threshold
        chunks, path, indexing = built.chunks, built.path, built.indexing_seconds
    return OpenDomainResult(
        name=name,
        paragraphs=len(documents),
        passages=chunks,
        questions=len(rows),
        exact_match=statistics.fmean(row.exact_match for row in rows),
        exact_match_interval=bootstrap_interval([row.exact_match for row in rows]),
        f1=statistics.fmean(row.f1 for row in rows),
        f1_interval=bootstrap_interval([row.f1 for row in rows]),
        answer_in_top10_spans=statistics.fmean(row.answer_in_top10_spans for row in rows),
        answer_in_top10_passages=statistics.fmean(row.answer_in_top10_passages for row in rows),
        gold_paragraph_in_top10=statistics.fmean(row.gold_paragraph_in_top10 for row in rows),
        abstained=statistics.fmean(row.abstained for row in rows),
        trust=measure_trust(
            [row.confidence for row in rows], [row.f1 >= RIGHT for row in rows], threshold
        ),
        indexing_seconds=indexing,
        passages_per_second=chunks / indexing,
        latency=latency([row.milliseconds for row in rows]),
        start_seconds=start_seconds(path, chosen[0].question),
        peak_mib=peak,
        rows=rows,
    )


@contextmanager
def sample_index() -> Iterator[tuple[EmbeddedIndex, Path]]:
    """A temporary index of the bundled sample corpus, and its folder."""
    with (
        as_file(files("qa") / "sample") as sample,
        TemporaryDirectory(prefix="dateline-sample-") as folder,
        EmbeddedIndex.open(folder) as index,
    ):
        index.add_files([sample])
        yield index, Path(folder)


def evaluate_sample(
    assistant: Assistant, questions: Sequence[GoldQuestion], documents: int
) -> SampleResult:
    """Answer questions over the documents that they are about, already indexed, and measure.

    Args:
        documents: how many the index holds, for the report.
    """
    assistant.ask(questions[0].question)  # loads the models: the figures below are warm
    rows = tuple(
        _sample_row(assistant, question)
        for question in tracked(questions, "answering the questions")
    )
    answerable = [row for row in rows if not row.unanswerable]
    unanswerable = [row for row in rows if row.unanswerable]
    return SampleResult(
        documents=documents,
        questions=len(rows),
        exact_match=_mean([row.exact_match for row in rows]),
        f1=_mean([row.f1 for row in rows]),
        abstention_accuracy=_mean([row.abstained == row.unanswerable for row in rows]),
        answered=_mean([not row.abstained for row in answerable]),
        false_answers=_mean([not row.abstained for row in unanswerable]),
        citation_correct=_mean([row.citation_correct for row in answerable]),
        latency=latency([row.milliseconds for row in rows]),
        rows=rows,
    )


def start_seconds(index: Path, question: str) -> float:
    """Median wall seconds of a fresh process that opens the index and answers one question."""
    seconds = []
    for _ in range(STARTS):
        done = run_fresh(["-c", _START, str(index), question])
        if done.code:
            raise DatelineError(
                f"A fresh process could not answer: {done.stderr.strip()[-500:]}",
                "Ask the same question with `dateline ask` to see the cause.",
            )
        seconds.append(done.seconds)
    return statistics.median(seconds)


def same_source(cited: str, gold: str) -> bool:
    """Whether `cited` is the file `gold`, or the record `file#record`, given from their folder on.

    A gold file without a record is also matched by each of its records.
    """
    path = "/" + cited.replace("\\", "/")
    return path.endswith(f"/{gold}") or path.rpartition("#")[0].endswith(f"/{gold}")


def _open_domain_row(
    assistant: Assistant, index: Index, example: Example, gold_source: str
) -> OpenDomainRow:
    start = time.perf_counter()
    answer = assistant.ask(example.question)
    milliseconds = 1000 * (time.perf_counter() - start)
    candidates = assistant.candidates(example.question)
    spans = [candidate.text for candidate in candidates]
    hits = index.search(example.question, top_k=TOP)
    prediction = spans[0] if spans else ""
    return OpenDomainRow(
        id=example.id,
        question=example.question,
        answers=example.answers,
        prediction=prediction,
        confidence=candidates[0].confidence if candidates else 0.0,
        exact_match=exact_match(prediction, example.answers),
        f1=f1(prediction, example.answers),
        abstained=answer.abstained,
        answer_in_top10_spans=any(exact_match(span, example.answers) for span in spans[:TOP]),
        answer_in_top10_passages=any(
            gold in hit.chunk.text for hit in hits for gold in example.answers
        ),
        gold_paragraph_in_top10=any(hit.document.source == gold_source for hit in hits),
        milliseconds=milliseconds,
    )


def _sample_row(assistant: Assistant, question: GoldQuestion) -> SampleRow:
    start = time.perf_counter()
    answer = assistant.ask(question.question)
    milliseconds = 1000 * (time.perf_counter() - start)
    spans = answer.answers or assistant.candidates(question.question)
    prediction = spans[0].text if spans else ""
    sources = {citation.number: citation.source for citation in answer.citations}
    cited = tuple(sources[n] for n in answer.answers[0].citations) if answer.answers else ()
    scored = bool(question.answers)
    return SampleRow(
        id=question.id,
        question=question.question,
        answers=question.answers,
        prediction=prediction,
        exact_match=exact_match(prediction, question.answers) if scored else None,
        f1=f1(prediction, question.answers) if scored else None,
        unanswerable=question.unanswerable,
        abstained=answer.abstained,
        cited=cited,
        citation_correct=any(
            same_source(source, gold) for source in cited for gold in question.sources
        )
        if question.sources and not answer.abstained
        else None,
        milliseconds=milliseconds,
    )


def _mean(values: Sequence[float | None]) -> float | None:
    """The mean of what there is."""
    known = [value for value in values if value is not None]
    return statistics.fmean(known) if known else None
