"""How `dateline eval` prints its results: aligned tables for people, JSON for programs."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from typing import TYPE_CHECKING, Any

import typer

from .showing import print_table

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

    from .answers import SampleResult
    from .benchmark import SpeedResult
    from .bm25 import Bm25Result
    from .conversations import ConversationsResult
    from .dates import DateScores
    from .event_slots import EventSlotsResult
    from .load import LoadResult
    from .main_events import MainEventResult
    from .measuring import Latency
    from .open_domain import OpenDomainResult
    from .reader_speed import ReaderSpeed
    from .reading import ReadingResult
    from .recall import RecallResult
    from .rewriting import RewritingResult

DETAILS = {"rows", "run", "per_query"}  # too long for a summary


def print_json(value: object) -> None:
    """One JSON document on stdout."""
    typer.echo(json.dumps(value, ensure_ascii=False, indent=2))


def print_measured(machine: Mapping[str, Any], results: Sequence[DataclassInstance]) -> None:
    """Results and what they were measured on, as JSON."""
    print_json({"machine": machine, "results": [summary(result) for result in results]})


def print_dates(scores: Sequence[DateScores]) -> None:
    """A row for every part of the stories."""
    rows = [
        [
            score.part,
            str(score.stories),
            str(score.expressions),
            *(
                f"{100 * value:.1f}"
                for value in (
                    score.relaxed_precision,
                    score.relaxed_recall,
                    score.relaxed,
                    score.strict,
                    score.value,
                    score.equal_value,
                )
            ),
        ]
        for score in scores
    ]
    print_table(
        [
            "stories",
            "number",
            "expressions",
            "precision",
            "recall",
            "relaxed F1",
            "strict F1",
            "value F1",
            "same date F1",
        ],
        rows,
    )


def print_main_events(result: MainEventResult) -> None:
    """A row for every slot."""
    rows = [
        [s.slot, str(s.articles), f"{s.answered:.3f}", f"{s.right:.3f}", f"{s.mean_f1:.3f}"]
        for s in result.slots
    ]
    rows.append(["all", str(len(result.rows)), "", f"{result.right:.3f}", ""])
    print_table(["slot", "articles", "answered", "right", "mean F1"], rows)


def print_event_slots(result: EventSlotsResult) -> None:
    """A column for every half."""
    slots = list(result.parts[0].by_slot)
    kinds = sorted({kind for part in result.parts for kind in part.by_kind})
    rows = [
        ["questions", *(str(part.questions) for part in result.parts)],
        ["slots", *(str(part.slots) for part in result.parts)],
        ["right", *(f"{part.accuracy:.3f}" for part in result.parts)],
        *([f"– {s}", *(f"{part.by_slot[s]:.3f}" for part in result.parts)] for s in slots),
        *(
            [f"– {kind}", *(_number(part.by_kind.get(kind), ".3f") for part in result.parts)]
            for kind in kinds
        ),
    ]
    print_table(["", *(part.part for part in result.parts)], rows)
    typer.echo(
        f"ms a question p50/p95: plain {_both(result.plain)}, compound {_both(result.compound)}"
    )


def print_conversations(result: ConversationsResult) -> None:
    """A row for every kind of turn."""
    rows = [
        [
            part.part,
            str(part.turns),
            f"{part.f1['off']:.3f}",
            f"{part.f1['on']:.3f}",
            f"{part.on.low:.3f}–{part.on.high:.3f}",
            f"{part.f1['rewrites']:.3f}",
            f"{part.kept:.0%}",
            f"{part.p_value:.4f}",
            _number(part.untouched, ".3f"),
        ]
        for part in result.parts
    ]
    print_table(
        ["turns", "n", "off F1", "on F1", "95 %", "rewrites F1", "kept", "p on/off", "untouched"],
        rows,
    )
    typer.echo(f"ms a turn to understand it, p50/p95: {_both(result.resolving)}")


def print_rewriting(result: RewritingResult) -> None:
    """A row for every source and way of rewriting, the conversations held out."""
    rows = [
        [
            score.source,
            score.system,
            str(score.turns),
            f"{score.precision:.3f}",
            f"{score.recall:.3f}",
            f"{score.f1:.3f}",
            f"{score.rouge1:.3f}",
            f"{score.bleu:.1f}",
            f"{score.untouched:.3f}",
        ]
        for score in result.scores
    ]
    print_table(
        ["source", "system", "turns", "P", "R", "term F1", "ROUGE-1", "BLEU", "untouched"], rows
    )
    typer.echo(f"ms a turn, p50/p95: {_both(result.resolving)}")


def print_summary(result: DataclassInstance) -> None:
    """A result as JSON, without its rows."""
    print_json(summary(result))


def print_pairs(values: Mapping[str, Any]) -> None:
    """One figure a line."""
    print_table(["", "value"], [list(pair) for pair in _figures(values).items()])


def print_load(machine: Mapping[str, Any], results: Sequence[LoadResult]) -> None:
    """A row for every number of clients."""
    rows = [
        [
            str(r.clients),
            r.kind,
            f"{r.requests:,}",
            ", ".join(f"{n} times {status}" for status, n in r.errors.items()) or "0",
            f"{r.per_second:.1f}",
            f"{r.p50:.0f} / {r.p95:.0f} / {r.p99:.0f}",
            " ".join(f"{mib:.0f}" for mib in r.memory.values()),
        ]
        for r in results
    ]
    head = ["clients", "kind", "requests", "errors", "a second", "ms p50 / p95 / p99"]
    print_table([*head, "server's memory, MiB, over time"], rows)
    _print_machine(machine)


def print_speed(machine: Mapping[str, Any], results: Sequence[SpeedResult]) -> None:
    """A column for every collection."""
    columns = [
        [
            f"{r.indexing.documents:,}",
            f"{r.indexing.passages:,}",
            f"{r.indexing.passages_per_second:.1f}",
            f"{r.indexing.seconds:.1f}",
            _number(r.indexing.peak_mib, ".0f"),
            f"{r.indexing.index_mib:.1f}",
            _both(r.warm_ask.total),
            _both(r.warm_ask.retrieve),
            _both(r.warm_ask.read),
            _number(r.warm_ask.peak_mib, ".0f"),
            f"{r.cold_ask_seconds:.2f}",
        ]
        for r in results
    ]
    names = [
        "documents",
        "passages",
        "indexing, passages/s",
        "indexing, s",
        "indexing, peak memory MiB",
        "index on disk, MiB",
        "warm ask, ms p50/p95",
        "  of this, retrieve",
        "  of this, read",
        "warm ask, peak memory MiB",
        f"cold ask, s (median of {results[0].cold_runs} processes)",
    ]
    print_table(["", *(r.name for r in results)], zip(names, *columns, strict=True))
    _print_machine(machine)
    reused = [f"{r.name} ({r.indexing.built_at})" for r in results if r.indexing.reused]
    if reused:
        typer.echo(
            f"Reused indexes: {', '.join(reused)}. The figures of indexing are those of their"
            " building then; --rebuild measures again."
        )


def print_bm25(machine: Mapping[str, Any], results: Sequence[Bm25Result]) -> None:
    """A row for every engine and size."""
    rows = [
        [
            r.engine,
            f"{r.passages:,}",
            _number(r.build_seconds, ".1f"),
            f"{r.queries:,}" if r.queries else "not installed",
            *(_number(value, ".2f") for value in (r.mean, r.median, r.p95)),
            *(_number(value, ".1f") for value in (r.add, r.query_after_add, r.remove)),
        ]
        for r in results
    ]
    header = ["engine", "passages", "build s", "queries", "ms mean", "median", "p95"]
    print_table([*header, "add one", "query then", "remove one"], rows)
    _print_machine(machine)
    for r in results:
        if r.largest_difference is not None:
            typer.echo(
                f"{r.passages:,} passages: {r.engine}'s scores differ from rank-bm25's by"
                f" {r.largest_difference:.1e} at most, after the additions and removals."
            )


def print_recall(machine: Mapping[str, Any], results: Sequence[RecallResult]) -> None:
    """A row for every state of the index."""
    rows = [
        [
            r.state,
            f"{r.vectors:,}",
            f"{r.queries:,}",
            *(f"{share:.4f}" for share in r.recall.values()),
            _both(r.approximate),
            _both(r.exact),
            f"{r.seconds:.1f}",
        ]
        for r in results
    ]
    header = ["", "vectors", "queries", *results[0].recall]
    print_table([*header, "ms p50/p95", "exact ms p50/p95", "took s"], rows)
    _print_machine(machine)
    for r in results:
        if r.vectors <= r.exact_limit:
            typer.echo(
                f"{r.state}: up to {r.exact_limit:,} vectors the search is exact. To see what it"
                " finds when it is not: --exact-limit"
            )


def print_answers(result: OpenDomainResult | SampleResult | ReadingResult) -> None:
    """One figure a line, then what has several: by depth, of citations, by kind, by typing."""
    values = summary(result)
    if values["no_answer"] is None:
        del values["no_answer"]
    tops = {name: values.pop(name) for name in list(values) if "in_top" in name}
    cited = {name: values.pop(name) for name in list(values) if name.endswith("citations")}
    groups = {name: values.pop(f"by_{name}") for name in ("slot", "type")}
    variants = values.pop("robustness", {})
    print_pairs(values)
    for first, rows in (
        ("first k", tops),
        ("", cited),
        *groups.items(),
        ("questions typed", variants),
    ):
        if rows:
            typer.echo()
            columns = [name.replace("_", " ") for name in next(iter(rows.values()))]
            print_table(
                [first, *columns],
                [
                    [
                        name.replace("_", " "),
                        *("–" if value is None else _figure(value) for value in scores.values()),
                    ]
                    for name, scores in rows.items()
                ],
            )


def print_reader_speed(machine: Mapping[str, Any], results: Sequence[ReaderSpeed]) -> None:
    """A row for every engine and batch size."""
    rows = [
        [
            r.engine,
            str(r.batch),
            _both(r.latency),
            f"{r.per_input:.1f}",
            f"{r.inputs_per_second:.1f}",
        ]
        for r in results
    ]
    print_table(["engine", "batch", "ms a batch p50/p95", "ms an input", "inputs/s"], rows)
    _print_machine(machine)


def summary(result: DataclassInstance) -> dict[str, Any]:
    """A result as JSON values, without its long details."""
    return {
        field.name: _plain(getattr(result, field.name))
        for field in fields(result)
        if field.name not in DETAILS
    }


def _plain(value: object) -> object:
    if is_dataclass(value) and not isinstance(value, type):
        return summary(value)
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        return _plain(value._asdict())
    if isinstance(value, tuple | list):
        return [_plain(inner) for inner in value]
    if isinstance(value, Mapping):
        return {key: _plain(inner) for key, inner in value.items()}
    return round(value, 6) if isinstance(value, float) and abs(value) >= 1e-3 else value


def _figures(values: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    """A summary's figures as text by readable name, nested ones as `outer inner`."""
    figures: dict[str, str] = {}
    for key, value in values.items():
        name = f"{prefix}{key.replace('_', ' ')}"
        if isinstance(value, dict):
            figures.update(_figures(value, f"{name} "))
        elif not isinstance(value, list):  # curves and tables are for --json
            figures[name] = _figure(value)
    return figures


def _figure(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.3f}" if abs(value) < 10 else f"{value:,.1f}"
    return "unknown" if value is None else str(value)


def _both(times: Latency) -> str:
    return f"{times.p50:.1f}/{times.p95:.1f}"


def _number(value: float | None, form: str) -> str:
    return "–" if value is None else format(value, form)


def _print_machine(machine: Mapping[str, Any]) -> None:
    values = {name: value for name, value in machine.items() if value is not None}
    typer.echo("Measured on: " + ", ".join(f"{name} {value}" for name, value in values.items()))
