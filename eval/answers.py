"""How good the answers are as the product gives them: over the bundled sample."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.resources import as_file, files
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from index import EmbeddedIndex
from index.errors import DatelineError

from .abstention import NoAnswer, no_answer_scores
from .calibration import RIGHT, Trust, measure_trust
from .citing import CitationScores, Reply, citation_scores, judge
from .groups import GroupScores, by_group, slot_of
from .measuring import Latency, latency, run_fresh, tracked
from .metrics import exact_match, f1
from .questions import GoldQuestion

if TYPE_CHECKING:
    from qa import Assistant

STARTS = 3  # fresh processes, of which the median is reported

_START = """
import sys
from index import EmbeddedIndex
from qa import Assistant
with EmbeddedIndex.open(sys.argv[1], create=False) as index:
    Assistant(index).ask(sys.argv[2])
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleRow:
    """One question's outcome over the sample corpus.

    Attributes:
        type, slot: what kind it is by its file, and what it asks for as the product sees it.
        prediction: the first answer, or the best candidate where `ask` abstained; `confidence`,
            `exact_match` and `f1` are its, the last two None for an unanswerable question.
        cited: the sources of the first answer.
        citations: those of each answer, where answers and sources are known to judge them by.
    """

    id: str
    question: str
    type: str
    slot: str
    answers: tuple[str, ...]
    prediction: str
    confidence: float
    exact_match: float | None
    f1: float | None
    unanswerable: bool
    abstained: bool
    cited: tuple[str, ...]
    citation_correct: bool | None
    citations: Reply
    milliseconds: float

    @property
    def right(self) -> bool:
        """Whether the prediction counts as right."""
        return (self.f1 or 0.0) >= RIGHT


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
        citation_correct: of the answered answerable questions, the share whose first answer cites
            a file that holds the answer; None if there are none.
        first_citations, citations: of the replies' first answers, and of all they gave; answerable
            questions only.
        no_answer: SQuAD 2.0's scores, over questions with answers or known to have none; None where
            every question is answerable.
        trust: over the same questions, what the prediction's confidence is worth; it is right if
            its F1 with a gold answer is RIGHT or more.
        by_type, by_slot: over all questions.
    """

    documents: int
    questions: int
    exact_match: float | None
    f1: float | None
    abstention_accuracy: float | None
    answered: float | None
    false_answers: float | None
    citation_correct: float | None
    first_citations: CitationScores
    citations: CitationScores
    no_answer: NoAnswer | None
    trust: Trust | None
    by_type: Mapping[str, GroupScores]
    by_slot: Mapping[str, GroupScores]
    latency: Latency
    rows: tuple[SampleRow, ...]


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
    graded = [row for row in rows if row.answers or row.unanswerable]
    return SampleResult(
        documents=documents,
        questions=len(rows),
        exact_match=_mean([row.exact_match for row in rows]),
        f1=_mean([row.f1 for row in rows]),
        abstention_accuracy=_mean([row.abstained == row.unanswerable for row in rows]),
        answered=_mean([not row.abstained for row in answerable]),
        false_answers=_mean([not row.abstained for row in unanswerable]),
        citation_correct=_mean([row.citation_correct for row in answerable]),
        first_citations=citation_scores([row.citations for row in answerable], first=True),
        citations=citation_scores([row.citations for row in answerable]),
        no_answer=no_answer_scores(graded, assistant.threshold),
        trust=measure_trust(
            [row.confidence for row in graded], [row.right for row in graded], assistant.threshold
        )
        if graded
        else None,
        by_type=by_group(rows, lambda row: row.type),
        by_slot=by_group(rows, lambda row: row.slot),
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


def _sample_row(assistant: Assistant, question: GoldQuestion) -> SampleRow:
    start = time.perf_counter()
    answer = assistant.ask(question.question)
    milliseconds = 1000 * (time.perf_counter() - start)
    spans = answer.answers or assistant.candidates(question.question)
    prediction = spans[0].text if spans else ""
    sources = {citation.number: citation.source for citation in answer.citations}
    cited = tuple(sources[n] for n in answer.answers[0].citations) if answer.answers else ()
    scored = bool(question.answers)

    def is_gold(source: str) -> bool:
        return any(same_source(source, gold) for gold in question.sources)

    return SampleRow(
        id=question.id,
        question=question.question,
        type=question.type,
        slot=slot_of(question.question),
        answers=question.answers,
        prediction=prediction,
        confidence=spans[0].confidence if spans else 0.0,
        exact_match=exact_match(prediction, question.answers) if scored else None,
        f1=f1(prediction, question.answers) if scored else None,
        unanswerable=question.unanswerable,
        abstained=answer.abstained,
        cited=cited,
        citation_correct=any(map(is_gold, cited))
        if question.sources and not answer.abstained
        else None,
        citations=judge(answer, question.answers, is_gold, assistant.index)
        if question.answers and question.sources
        else (),
        milliseconds=milliseconds,
    )


def _mean(values: Sequence[float | None]) -> float | None:
    """The mean of what there is."""
    known = [value for value in values if value is not None]
    return statistics.fmean(known) if known else None
