"""Set-ups that answered the same questions, side by side: a table, curves, question by question."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any, NamedTuple, TypeAlias

from . import tables
from .comparing import ALPHA, Comparison, against_baseline, compare
from .metrics import ROUNDS, exact_match, f1
from .open_domain import TOPS, OpenDomainResult, OpenDomainRow
from .report import Cell, Curve, Outcome, QuestionOutcomes, Report, Table

Results: TypeAlias = Mapping[str, OpenDomainResult]
Compared: TypeAlias = dict[str, dict[str, Comparison]]

MEASURES: Mapping[str, Callable[[OpenDomainRow], float | None]] = {
    "EM": lambda row: row.exact_match if row.answers else None,
    "F1": lambda row: row.f1 if row.answers else None,
    "told F1": lambda row: f1("" if row.abstained else row.prediction, row.answers),
    "told EM": lambda row: exact_match("" if row.abstained else row.prediction, row.answers),
    "span@5": lambda row: _within(row.span_rank, 5) if row.answers else None,
    "passage@5": lambda row: _within(row.passage_rank, 5) if row.answers else None,
    "citations": lambda row: _cited(row) if row.answers else None,
}


class _Column(NamedTuple):
    """A column of figures: how it is written, and whether more is better (None: neither)."""

    name: str
    figure: Callable[[OpenDomainResult], float | None]
    form: str = ".3f"
    more_is_better: bool | None = True


COLUMNS = (
    _Column("EM", lambda r: r.exact_match),
    _Column("F1", lambda r: r.f1),
    _Column("span@5", lambda r: r.answer_in_top_spans["5"]),
    _Column("passage@5", lambda r: r.answer_in_top_passages["5"]),
    _Column("abstained", lambda r: r.abstained, more_is_better=None),
    _Column("told F1", lambda r: _mean_of(r, "told F1")),
    _Column("best F1", lambda r: r.no_answer.best_f1.score if r.no_answer else None),
    _Column(
        "false answers",
        lambda r: r.no_answer.false_answers if r.no_answer else None,
        more_is_better=False,
    ),
    _Column("citation P", lambda r: r.citations.precision),
    _Column("citation R", lambda r: r.citations.recall),
    _Column("AURC", lambda r: r.trust.area_under_risk_coverage, more_is_better=False),
    _Column("ECE", lambda r: r.trust.expected_calibration_error, more_is_better=False),
    _Column("ms p50", lambda r: r.latency.p50, ".0f", more_is_better=False),
    _Column("ms p95", lambda r: r.latency.p95, ".0f", more_is_better=False),
    _Column("MiB", lambda r: r.peak_mib, ".0f", more_is_better=False),
)
NOTE = (
    "EM, F1, span@5 and passage@5: of the answerable questions, whether or not they would be"
    " answered. told F1: of all questions at the threshold, saying nothing being right where there"
    " is no answer; best F1: at the best threshold, as SQuAD 2.0 has it. Citations: of the answers"
    " given to answerable questions. AURC, ECE: of all questions, right being an F1 of 0.5."
)


def question_values(results: Results) -> dict[str, dict[str, dict[str, float]]]:
    """Every question's value by set-up, measure and question: what paired tests compare.

    The higher the better, all of them. A measure has the questions that it is defined for, the same
    ones for all set-ups: "told F1" and "told EM" all, the others the answerable ones. "citations"
    is whether the first answer has a right citation, and 0 where no answer was given.
    """
    return {
        system: {
            measure: {row.id: v for row in result.rows if (v := value(row)) is not None}
            for measure, value in MEASURES.items()
        }
        for system, result in results.items()
    }


def compared(results: Results, baseline: str) -> Compared:
    """Comparisons with the baseline, by column of the table, then by set-up.

    A column is a family of comparisons: it is read as one question, who is better in it.
    """
    values = question_values(results)
    found: Compared = {}
    for measure in MEASURES:
        columns = {system: by_measure[measure] for system, by_measure in values.items()}
        pairs = against_baseline(columns, baseline)
        if pairs:
            found[measure] = {each.system: each for each in compare(columns, pairs)}
    return found


def summaries(results: Results, baseline: str) -> list[dict[str, Any]]:
    """The results as JSON values, each with its comparisons with the baseline by measure."""
    against = compared(results, baseline)
    return [
        {
            "system": system,
            **tables.summary(result),
            "against_baseline": {
                measure: asdict(found[system]) | {"interval": found[system].interval._asdict()}
                for measure, found in against.items()
                if system in found
            },
        }
        for system, result in results.items()
    ]


def answer_report(
    results: Results, *, title: str, summary: Mapping[str, str], baseline: str
) -> Report:
    """A report of set-ups that answered the same questions, in their order.

    Args:
        summary: what was measured, how and on what; the collection's size is added.
        baseline: the set-up that the others are compared with.
    """
    first = next(iter(results.values()))
    sizes = {
        "collection": f"{first.name}, {first.paragraphs:,} paragraphs",
        "questions": f"{first.questions:,}, {first.answerable:,} of them answerable",
    }
    return Report(
        title=title,
        summary={**sizes, **summary},
        tables=(
            _main_table(results, compared(results, baseline), baseline),
            _depth_table(results),
            _slot_table(results),
        ),
        curves=(
            Curve(
                caption="Risk and coverage",
                x="share of the questions answered",
                y="share of the answers that is wrong",
                series={
                    system: tuple(
                        (point.coverage, point.risk)
                        for point in result.trust.risk_coverage
                        if point.risk is not None
                    )
                    for system, result in results.items()
                },
            ),
        ),
        questions=_questions(results),
    )


def _main_table(results: Results, against: Compared, baseline: str) -> Table:
    columns = [c for c in COLUMNS if any(c.figure(r) is not None for r in results.values())]
    best = {c.name: _best(c, list(results.values())) for c in columns}
    rows = []
    for system, result in results.items():
        first = system == baseline and len(results) > 1
        cells = [Cell(text=system, mark="◆" if first else "")]
        for column in columns:
            value = column.figure(result)
            each = against.get(column.name, {}).get(system)
            cells.append(
                Cell(
                    text="–" if value is None else format(value, column.form),
                    value=value,
                    best=value is not None and value == best[column.name],
                    mark=each.mark if each else "",
                    detail="; ".join(
                        filter(None, [_interval(column.name, result), each.words if each else ""])
                    ),
                )
            )
        rows.append(tuple(cells))
    names = ("system", *(column.name for column in columns))
    names = ("system", *(column.name for column in columns))
    marks = (
        f" ▲ better, ▼ worse than {baseline} (◆): p < {ALPHA} by a paired randomisation test"
        f" ({ROUNDS:,} rounds), corrected by Holm's method (comparisons in a column:"
        f" {len(results) - 1}); tested: {', '.join(n for n in names if n in against)}."
    )
    note = NOTE + (marks if against else "")
    return Table(caption="Answers", columns=names, rows=tuple(rows), note=note)


def _depth_table(results: Results) -> Table:
    """The answer in the first k candidates, and in the first k passages."""
    return Table(
        caption="The answer in the first k",
        columns=(
            "system",
            *(f"{what}@{k}" for what in ("span", "passage", "paragraph") for k in TOPS),
        ),
        rows=tuple(
            (
                Cell(text=system),
                *(
                    Cell(text=f"{share:.3f}", value=share)
                    for shares in (
                        result.answer_in_top_spans,
                        result.answer_in_top_passages,
                        result.paragraph_in_top,
                    )
                    for share in shares.values()
                ),
            )
            for system, result in results.items()
        ),
        note="paragraph: the one that the question was written for.",
    )


def _slot_table(results: Results) -> Table:
    """F1 of the answerable questions, by what is asked for."""
    first = next(iter(results.values()))
    sizes = {
        slot: sum(row.slot == slot and bool(row.answers) for row in first.rows)
        for slot, scores in first.by_slot.items()
        if scores.f1 is not None
    }
    return Table(
        caption="F1 by what is asked for (questions)",
        columns=("system", *(f"{slot} ({size})" for slot, size in sizes.items())),
        rows=tuple(
            (
                Cell(text=system),
                *(
                    Cell(text=f"{result.by_slot[slot].f1:.3f}", value=result.by_slot[slot].f1)
                    for slot in sizes
                ),
            )
            for system, result in results.items()
        ),
    )


def _questions(results: Results) -> tuple[QuestionOutcomes, ...]:
    """Every question with the F1 of what each set-up told, those they differ most on first."""
    told: dict[str, dict[str, Outcome]] = {}
    for system, result in results.items():
        for row in result.rows:
            told.setdefault(row.id, {})[system] = _outcome(row)

    def spread(row: OpenDomainRow) -> float:
        scores = [outcome.score for outcome in told[row.id].values()]
        return min(scores) - max(scores)

    first = next(iter(results.values()))
    return tuple(
        QuestionOutcomes(
            id=row.id,
            question=row.question,
            expected=" | ".join(dict.fromkeys(row.answers)) or "no answer",
            outcomes=told[row.id],
        )
        for row in sorted(first.rows, key=spread)
    )


def _outcome(row: OpenDomainRow) -> Outcome:
    said = f"{row.prediction} ({row.confidence:.0%} sure)"
    text = f"no answer; nearest: {said}" if row.abstained else said
    return Outcome(score=MEASURES["told F1"](row) or 0.0, text=text)


def _best(column: _Column, results: Sequence[OpenDomainResult]) -> float | None:
    values = [value for result in results if (value := column.figure(result)) is not None]
    if column.more_is_better is None or len(set(values)) < 2:
        return None
    return max(values) if column.more_is_better else min(values)


def _interval(column: str, result: OpenDomainResult) -> str:
    intervals = {"EM": result.exact_match_interval, "F1": result.f1_interval}
    if column not in intervals:
        return ""
    return "95 % {0.low:.3f}–{0.high:.3f}".format(intervals[column])


def _mean_of(result: OpenDomainResult, measure: str) -> float:
    values = [v for row in result.rows if (v := MEASURES[measure](row)) is not None]
    return sum(values) / len(values)


def _within(rank: int | None, k: int) -> float:
    return float(rank is not None and rank <= k)


def _cited(row: OpenDomainRow) -> float:
    return float(any(citation.right for cited in row.citations[:1] for citation in cited))
