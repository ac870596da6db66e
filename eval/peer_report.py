"""The peers as one table: a row for every measure, a column for every system, "no" for cannot."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

from .calibration import (
    RIGHT,
    expected_calibration_error,
    reliability,
    risk_coverage_curve,
    roc_auc,
)
from .measuring import latency
from .metrics import exact_match, f1, randomization_test
from .peer_systems import Ability
from .peers import Measured, Outcome, PeerQuestion, Task
from .report import Cell, Curve, QuestionOutcomes, Report, Table
from .report import Outcome as Shown

ALPHA = 0.05
BETTER, WORSE = "▲", "▼"

NOTE = (
    f"no: the system cannot; the cell's detail says where one sees that. {BETTER} {WORSE}: better"
    f" or worse than Dateline (BM25 alone: than Dateline's), p < {ALPHA} in Fisher's paired"
    " randomisation test over the questions, 10,000 rounds. Exact match and F1 are SQuAD's, of the"
    " first answer, or of the best candidate where a system abstains. A confidence is calibrated"
    " if of the answers believed with 70 % those 70 % are right, that is have an F1 of"
    f" {RIGHT} or more. All have the same passages, embedding model and reader weights; the peers"
    " run them by PyTorch in float32, as they do unless told otherwise. Indexing starts with the"
    " models loaded, and ends when the passages are found (for Dateline: and are on disk). A cell"
    " in bold is the best of its row."
)


@dataclass(frozen=True)
class Judged:
    """A question with what one system made of it.

    Attributes:
        documents, passages: of the task; see `Column`.
    """

    question: PeerQuestion
    outcome: Outcome
    documents: Mapping[str, str]
    passages: Mapping[str, tuple[str, str]]

    @property
    def prediction(self) -> str:
        """The first answer, or the best candidate."""
        return self.outcome.best.text if self.outcome.best else ""

    @property
    def told(self) -> bool:
        """Whether it was answered."""
        return self.outcome.reply is not None and not self.outcome.reply.abstained

    @property
    def confidence(self) -> float:
        """In the prediction; 0 where there is none."""
        return (self.outcome.best and self.outcome.best.confidence) or 0.0

    @cached_property
    def f1(self) -> float:
        """Of the prediction; 0 for a question that has no answer."""
        return f1(self.prediction, self.question.answers) if self.question.answers else 0.0

    @property
    def exact(self) -> float:
        """Exact match of the prediction."""
        return exact_match(self.prediction, self.question.answers)

    @property
    def exact_in_spans(self) -> float:
        """Whether one of the first ten spans is an exact match."""
        spans = (self.prediction, *self.outcome.spans)
        return max(exact_match(span, self.question.answers) for span in spans)

    @property
    def reciprocal_rank(self) -> float:
        """Of the first passage of a document that holds the answer, among the first ten."""
        for rank, found in enumerate(self.outcome.found, start=1):
            if self.passages[found][0] in self.question.gold:
                return 1 / rank
        return 0.0

    @property
    def words_found(self) -> float:
        """Whether a gold answer stands, letter by letter, in one of the first ten passages."""
        texts = [self.passages[found][1] for found in self.outcome.found]
        return float(any(answer in text for answer in self.question.answers for text in texts))

    @property
    def right_day(self) -> float:
        """Whether what was answered is resolved to the right day."""
        best = self.outcome.best
        return float(self.told and best is not None and best.day == self.question.day)

    @property
    def exact_offsets(self) -> float:
        """Whether the answer stands where the system says."""
        if self.outcome.best is None or self.outcome.best.place is None:
            return 0.0
        document, start, end = self.outcome.best.place
        return float(start >= 0 and self.documents[document][start:end] == self.prediction)


@dataclass(frozen=True)
class Column:
    """One system on one task."""

    task: Task
    measured: Measured

    @property
    def name(self) -> str:
        """The system's."""
        return self.measured.system.name

    @cached_property
    def all(self) -> list[Judged]:
        """Every question."""
        documents = {p.document.id: p.document.text for p in self.task.passages}
        passages = {p.id: (p.document.id, p.text) for p in self.task.passages}
        outcomes = self.measured.asked.outcomes
        return [
            Judged(question, outcome, documents, passages)
            for question, outcome in zip(self.task.questions, outcomes, strict=True)
        ]

    @cached_property
    def answerable(self) -> list[Judged]:
        """The questions that the documents answer."""
        return [judged for judged in self.all if judged.question.answers]

    @cached_property
    def unanswerable(self) -> list[Judged]:
        """Those that they do not answer."""
        return [judged for judged in self.all if not judged.question.answers]

    def lacks(self, ability: Ability | None) -> str:
        """Where one sees that the system lacks it; nothing if it does not."""
        return self.measured.system.lacks.get(ability, "") if ability else ""


class Measure(NamedTuple):
    """A row of the table.

    Attributes:
        needs: what a system must be able to do to be measured.
        values: one a question, or one in all; their mean is shown. None where there is nothing to
            measure.
        form: of the numbers.
        best: 1 if more is better, -1 if less is, 0 if that is a matter of taste.
        tested: whether the values, one a question, are tested against Dateline's.
        tail: whether median and 95th percentile are shown instead of the mean.
        unmeasured: shown for those that can, where there is nothing to measure; where this is
            empty too, there is no row.
    """

    label: str
    needs: Ability | None
    values: Callable[[Column], Sequence[float] | None]
    form: str = ".3f"
    best: int = 1
    tested: bool = False
    tail: bool = False
    unmeasured: str = ""


def _one(value: float | None) -> Sequence[float] | None:
    return None if value is None else [value]


def _tested(
    label: str, value: Callable[[Judged], float], needs: Ability | None = "answers"
) -> Measure:
    """A measure of every question that has an answer."""
    return Measure(label, needs, lambda c: [value(j) for j in c.answerable], tested=True)


def _claimed(label: str, needs: Ability) -> Measure:
    """What a system can or cannot do; how well it does it is no matter of this table."""
    return Measure(label, needs, lambda _: None, unmeasured="yes")


def _calibration_error(column: Column) -> Sequence[float]:
    confidences = [judged.confidence for judged in column.all]
    right = [judged.f1 >= RIGHT for judged in column.all]
    return [expected_calibration_error(reliability(confidences, right))]


def _separation(column: Column) -> Sequence[float] | None:
    confidences = [judged.confidence for judged in column.all]
    return _one(roc_auc(confidences, [bool(j.question.answers) for j in column.all]))


MEASURES: tuple[Measure, ...] = (
    _tested("right document in the first 10", lambda j: float(j.reciprocal_rank > 0), None),
    _tested("right words in the first 10", lambda j: j.words_found, None),
    _tested("MRR@10", lambda j: j.reciprocal_rank, None),
    _tested("exact match", lambda j: j.exact),
    _tested("F1", lambda j: j.f1),
    _tested("F1, abstaining counts 0", lambda j: j.told * j.f1),
    _tested("exact match in the first 10 spans", lambda j: j.exact_in_spans, "spans"),
    Measure(
        "dates resolved to the right day",
        "dates",
        lambda c: [j.right_day for j in c.answerable if j.question.day],
        unmeasured="yes",
    ),
    Measure(
        "answers with exact offsets",
        "offsets",
        lambda c: [j.exact_offsets for j in c.all if j.told],
    ),
    Measure("calibration error", "confidence", _calibration_error, best=-1),
    Measure(
        "answered, if answerable", "abstains", lambda c: [j.told for j in c.answerable], best=0
    ),
    Measure("answered, if not", "abstains", lambda c: [j.told for j in c.unanswerable], best=0),
    Measure("AUC of the confidence in these", "confidence", _separation),
    _claimed("events: who, where, when", "events"),
    _claimed("follow-ups without a language model", "follow-ups"),
    Measure("adding a passage, ms", "add", lambda c: _one(c.measured.asked.adding), ".1f", -1),
    Measure("removing it, ms", "remove", lambda c: _one(c.measured.asked.removing), ".1f", -1),
    Measure(
        "indexing, passages/s",
        None,
        lambda c: [len(c.task.passages) / c.measured.built.seconds],
        ",.0f",
    ),
    Measure("– processor time, s", None, lambda c: [c.measured.built.cpu_seconds], ",.2f", -1),
    Measure("– peak MiB", None, lambda c: _one(c.measured.built.peak_mib), ",.0f", -1),
    Measure("index on disk, MiB", "disk", lambda c: _one(c.measured.built.disk_mib), ".2f", -1),
    Measure(
        "a question, ms p50/p95",
        "answers",
        lambda c: [j.outcome.answering or 0.0 for j in c.all],
        ",.1f",
        -1,
        tail=True,
    ),
    Measure(
        "– processor time, ms p50/p95",
        "answers",
        lambda c: [j.outcome.cpu for j in c.all],
        ",.1f",
        -1,
        tail=True,
    ),
    Measure(
        "a search, ms p50/p95",
        None,
        lambda c: [j.outcome.searching for j in c.all],
        ",.2f",
        -1,
        tail=True,
    ),
    Measure("asking, peak MiB", None, lambda c: _one(c.measured.asked.peak_mib), ",.0f", -1),
    Measure("from start to reply, s", "disk", lambda c: _one(c.measured.start_seconds), ".2f", -1),
)


def peer_report(
    task: Task,
    measured: Sequence[Measured],
    summary: Mapping[str, str],
) -> Report:
    """The report on one task.

    Args:
        summary: what was measured and on what; collection, versions and load are added.
    """
    columns = [Column(task, one) for one in measured]
    passages, documents = len(task.passages), len({p.document.id for p in task.passages})
    rows = [_row(measure, columns) for measure in MEASURES]
    loads = [f"{c.name} {c.measured.load:.1f}" for c in columns if c.measured.load is not None]
    return Report(
        title=f"Dateline beside other systems: {task.name}",
        summary={
            **summary,
            "collection": f"{documents:,} documents, {passages:,} passages",
            "questions": f"{len(task.questions):,}",
            "systems": "; ".join(one.system.version() for one in measured),
            "load when asked": "; ".join(loads),
        },
        tables=(
            Table(
                caption=f"{task.name}, {len(task.questions):,} questions",
                columns=("", *(column.name for column in columns)),
                rows=tuple(row for row in rows if row),
                note=NOTE,
            ),
        ),
        curves=_curves(columns),
        questions=_questions(task, columns),
    )


def _row(measure: Measure, columns: Sequence[Column]) -> tuple[Cell, ...]:
    """A row; nothing where no system has anything to measure."""
    values = {c.name: measure.values(c) for c in columns if not c.lacks(measure.needs)}
    if not any(values.values()) and not measure.unmeasured:
        return ()
    cells = [_cell(measure, column, values) for column in columns]
    known = [cell.value for cell in cells if cell.value is not None]
    if known and measure.best:
        best = max(known) if measure.best > 0 else min(known)
        cells = [replace(cell, best=cell.value == best) for cell in cells]
    return (Cell(text=measure.label), *cells)


def _cell(measure: Measure, column: Column, values: Mapping[str, Sequence[float] | None]) -> Cell:
    if where := column.lacks(measure.needs):
        return Cell(text="no", detail=where)
    given = values[column.name]
    if not given:
        return Cell(text=measure.unmeasured or "–")
    against = column.measured.system.against
    base = values.get(against) if measure.tested and against != column.name else None
    mark, detail = _tested_against(given, base) if base else ("", "")
    figure = statistics.median(given) if measure.tail else statistics.fmean(given)
    return Cell(text=_text(given, measure), value=figure, mark=mark, detail=detail)


def _text(values: Sequence[float], measure: Measure) -> str:
    if measure.tail:
        times = latency(values)
        return f"{times.p50:{measure.form}}/{times.p95:{measure.form}}"
    return format(statistics.fmean(values), measure.form)


def _tested_against(values: Sequence[float], base: Sequence[float]) -> tuple[str, str]:
    """The sign of a significant difference, and the difference with its p-value."""
    difference = statistics.fmean(values) - statistics.fmean(base)
    p = randomization_test(values, base)
    mark = (BETTER if difference > 0 else WORSE) if p < ALPHA else ""
    return mark, f"difference {difference:+.3f}, p = {p:.4f}"


def _curves(columns: Sequence[Column]) -> tuple[Curve, ...]:
    series = {
        column.name: tuple(
            (point.coverage, point.risk)
            for point in risk_coverage_curve(
                [judged.confidence for judged in column.all],
                [judged.f1 >= RIGHT for judged in column.all],
            )
            if point.risk is not None
        )
        for column in columns
        if not column.lacks("confidence")
    }
    if not series:
        return ()
    return (
        Curve(
            caption="Wrong answers among those of the highest confidence",
            x="share of questions answered",
            y="share of these that is wrong",
            series=series,
        ),
    )


def _questions(task: Task, columns: Sequence[Column]) -> tuple[QuestionOutcomes, ...]:
    answering = [column for column in columns if not column.lacks("answers")]
    return tuple(
        QuestionOutcomes(
            id=question.id,
            question=question.text,
            expected=" | ".join(question.answers) or "(no answer)",
            outcomes={column.name: _shown(column.all[number]) for column in answering},
        )
        for number, question in enumerate(task.questions)
    )


def _shown(judged: Judged) -> Shown:
    """Of a question without an answer, abstaining scores 1."""
    score = judged.f1 if judged.question.answers else float(not judged.told)
    text = judged.prediction if judged.told else f"(abstains; nearest: {judged.prediction or '–'})"
    return Shown(score=score, text=text)
