"""What an experiment in retrieval reports: tables with what is really better, curves, questions."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any, TypeAlias

from . import tables
from .comparing import ALPHA, Comparison, against_baseline, all_pairs, compare
from .datasets import Collection
from .drilldown import (
    depth_curves,
    differences_table,
    main_measure,
    measures_of,
    questions,
    values_of,
)
from .metrics import ROUNDS, quality
from .report import Cell, Report, Table
from .retrieval import RetrievalResult

Compared: TypeAlias = dict[tuple[str, str], dict[str, Comparison]]


def compared(results: Sequence[RetrievalResult], baseline: str) -> Compared:
    """Comparisons with the baseline, by collection and measure, then by system.

    Those of one collection and measure, a column of the table, are a family: each column is read as
    one question, who is better in it, and the measures of one ranking are no independent chances.
    """
    found: Compared = {}
    for collection, group in by_collection(results).items():
        for measure in quality(measures_of(group)):
            values = values_of(group, measure)
            if baseline in values:
                pairs = against_baseline(values, baseline)
                family = compare(values, pairs)
                found[collection, measure] = {each.system: each for each in family}
    return found


def retrieval_report(
    results: Sequence[RetrievalResult],
    collections: Sequence[Collection],
    *,
    title: str,
    summary: Mapping[str, str],
    baseline: str,
    pairs: bool = False,
    differences: tuple[str, str] | None = None,
    details: bool = True,
) -> Report:
    """The report of the systems' results, the first measure being the main one.

    Args:
        results: every system on every collection, all with the main measure.
        baseline: the system that the others are compared with.
        pairs: also compare every system with every other.
        differences: show on which questions these two differ most.
        details: with curves and questions, which only a file shows whole.
    """
    groups = by_collection(results)
    against = compared(results, baseline)
    shown = [_overview(groups, against, baseline)] if len(groups) > 1 else []
    named = {collection.name: collection for collection in collections}
    for name, group in groups.items():
        shown.append(_table(name, group, against, baseline))
        if len(group) > 1:
            shown.append(_comparisons(name, group, baseline, pairs=pairs))
        if differences:
            shown.append(differences_table(named[name], group, *differences))
    detailed = groups if details else {}
    return Report(
        title=title,
        summary=summary,
        tables=tuple(shown),
        curves=tuple(c for n in detailed for c in depth_curves(named[n], groups[n])),
        questions=tuple(q for n in detailed for q in questions(named[n], groups[n])),
    )


def by_collection(results: Iterable[RetrievalResult]) -> dict[str, list[RetrievalResult]]:
    """The results of each collection, in their order."""
    groups: dict[str, list[RetrievalResult]] = {}
    for result in results:
        groups.setdefault(result.collection, []).append(result)
    return groups


def summaries(results: Sequence[RetrievalResult], baseline: str) -> list[dict[str, Any]]:
    """The results as JSON values, each with its comparisons with the baseline by measure."""
    against = compared(results, baseline)
    return [
        {
            **tables.summary(result),
            "against_baseline": {
                measure: asdict(found[result.system])
                | {"interval": found[result.system].interval._asdict()}
                for (collection, measure), found in against.items()
                if collection == result.collection and result.system in found
            },
        }
        for result in results
    ]


# tables


def _overview(
    groups: Mapping[str, Sequence[RetrievalResult]], against: Compared, baseline: str
) -> Table:
    """A row a system, its first two measures on every collection, and the mean of the first."""
    first = next(iter(groups.values()))
    main = main_measure(first)
    shown = [main, *(name for name in quality(measures_of(first)) if name != main)][:2]
    columns = [
        _column(group, measure, against.get((name, measure), {}))
        for name, group in groups.items()
        for measure in shown
    ]
    by_system = zip(*groups.values(), strict=True)
    means = [sum(each.measures[main] for each in same) / len(same) for same in by_system]
    columns.append(_best([_figure(mean) for mean in means]))
    return Table(
        caption="All collections",
        columns=("system", *(f"{n} {m}" for n in groups for m in shown), f"mean {main}"),
        rows=tuple(zip(_names(first, baseline), *columns, strict=True)),
        note=_note(baseline, len(first)),
    )


def _table(name: str, group: Sequence[RetrievalResult], against: Compared, baseline: str) -> Table:
    """A row a system: all measures, and what they cost."""
    measures = measures_of(group)
    columns = [_column(group, m, against.get((name, m), {})) for m in measures]
    costs: list[tuple[str, list[Cell]]] = []
    if any(result.cost for result in group):
        costs = [
            ("passages", [_passages(result) for result in group]),
            ("memory MiB", [_memory(result) for result in group]),
            ("ms p50/p95", [_latency(result) for result in group]),
        ]
    return Table(
        caption=f"{name}: {group[0].documents:,} documents, {group[0].queries:,} queries",
        columns=("system", *measures, *(column for column, _ in costs)),
        rows=tuple(
            zip(_names(group, baseline), *columns, *(cells for _, cells in costs), strict=True)
        ),
        note=" ".join(
            filter(None, [_note(baseline, len(group)), _unanswered(group), _measured_when(group)])
        ),
    )


def _note(baseline: str, systems: int) -> str:
    if systems < 2:
        return ""
    return (
        f"▲ better, ▼ worse than {baseline} (◆): p < {ALPHA} by a paired randomisation test"
        f" ({ROUNDS:,} rounds), corrected by Holm's method (comparisons in a column:"
        f" {systems - 1})."
    )


def _unanswered(group: Sequence[RetrievalResult]) -> str:
    silent = {r.system: r.queries - sum(bool(found) for found in r.run.values()) for r in group}
    told = [f"{system} {number}" for system, number in silent.items() if number > 0]
    return f"Queries without any result, which count 0: {', '.join(told)}." if told else ""


def _measured_when(group: Sequence[RetrievalResult]) -> str:
    costs = [result.cost for result in group if result.cost]
    if not costs:
        return ""
    depths = sorted({str(result.settings["depth"]) for result in group if result.settings})
    told = (
        f"Times: one query at a time, {' or '.join(depths)} documents deep."
        " Memory: peak of a process that only searches."
    )
    if kept := [cost.measured_at for cost in costs if cost.kept]:
        told += f" Kept from {min(kept)} to {max(kept)}: {len(kept)} of {len(costs)} runs."
    return told


def _comparisons(
    name: str, group: Sequence[RetrievalResult], baseline: str, *, pairs: bool
) -> Table:
    """How large the differences in the main measure are: each with the baseline, or all pairs."""
    measure = main_measure(group)
    values = values_of(group, measure)
    chosen = all_pairs(values) if pairs else against_baseline(values, baseline)
    found = compare(values, chosen) if chosen else []
    rows = [
        (
            *(Cell(text=name) for name in (each.system, each.baseline)[: 1 + pairs]),
            Cell(text=f"{each.difference:+.3f}", value=each.difference, mark=each.mark),
            Cell(text=f"{each.interval.low:+.3f} to {each.interval.high:+.3f}"),
            Cell(text=f"{each.p:.4f}", value=each.p),
            Cell(text=f"{each.adjusted_p:.4f}", value=each.adjusted_p),
            Cell(text="–" if each.effect is None else f"{each.effect:+.2f}", value=each.effect),
            Cell(text=f"{each.won}/{each.lost}/{each.questions - each.won - each.lost}"),
        )
        for each in found
    ]
    return Table(
        caption=f"{name}: {measure} " + ("of every pair" if pairs else f"compared with {baseline}"),
        columns=(
            *("system", "other")[: 1 + pairs],
            "difference",
            "95 % interval",
            "p",
            "p (Holm)",
            "d_z",
            "won/lost/tied",
        ),
        rows=tuple(rows),
        note=f"One family (comparisons: {len(found)}): p (Holm) is corrected for it, and its"
        " bootstrap intervals hold all at once with 95 % probability (Bonferroni). d_z is Cohen's"
        " effect size of paired differences: their mean over their standard deviation.",
    )


def _column(
    group: Sequence[RetrievalResult], measure: str, against: Mapping[str, Comparison]
) -> list[Cell]:
    cells = []
    for result in group:
        if measure not in result.measures:  # it looks deeper than the system ranked
            cells.append(Cell(text="–"))
            continue
        interval = result.intervals[measure]
        detail = f"95 % {interval.low:.3f} to {interval.high:.3f}"
        each = against.get(result.system)
        if each:
            detail += f"; {each.words}"
        cells.append(_figure(result.measures[measure], each.mark if each else "", detail))
    return _best(cells)


def _figure(value: float | None, mark: str = "", detail: str = "") -> Cell:
    text = "–" if value is None else f"{value:.3f}"
    return Cell(text=text, value=value, mark=mark, detail=detail)


def _best(cells: Sequence[Cell]) -> list[Cell]:
    """The same cells, the highest marked; none where they are all the same."""
    values = [cell.value for cell in cells if cell.value is not None]
    highest = max(values, default=math.inf)
    if len(set(values)) < 2:
        return list(cells)
    return [
        Cell(text=c.text, value=c.value, mark=c.mark, detail=c.detail, best=c.value == highest)
        for c in cells
    ]


def _names(group: Sequence[RetrievalResult], baseline: str) -> list[Cell]:
    return [
        Cell(
            text=result.system,
            mark="◆" if result.system == baseline and len(group) > 1 else "",
            detail=", ".join(f"{key} {value}" for key, value in result.settings.items()),
        )
        for result in group
    ]


def _passages(result: RetrievalResult) -> Cell:
    if not result.cost:
        return Cell(text="–")
    return Cell(
        text=f"{result.cost.passages:,}",
        value=result.cost.passages,
        detail=f"{result.cost.index_mib:.1f} MiB on disk",
    )


def _memory(result: RetrievalResult) -> Cell:
    peak = result.cost.peak_mib if result.cost else None
    return Cell(text="–" if peak is None else f"{peak:.0f}", value=peak)


def _latency(result: RetrievalResult) -> Cell:
    if not result.latency or not result.cost:
        return Cell(text="–")
    machine = ", ".join(f"{k} {v}" for k, v in result.cost.machine.items() if v is not None)
    return Cell(
        text=f"{result.latency.p50:.1f}/{result.latency.p95:.1f}",
        value=result.latency.p50,
        detail=f"measured {result.cost.measured_at} on {machine}",
    )
