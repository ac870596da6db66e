"""`dateline eval`: measure retrieval, answers and speed.

The commands are mounted in `dateline`, which also turns errors into messages and exit codes.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

    from .answers import OpenDomainResult, SampleResult
    from .benchmark import SpeedResult
    from .retrieval import RetrievalResult

app = typer.Typer(
    name="eval",
    help="Measure how well passages are found and questions answered, and how fast.",
    no_args_is_help=True,
)

JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
WorkOption = Annotated[
    Path | None,
    typer.Option(help="Folder for the indexes, reused while nothing changes (default: the cache)."),
]
DETAILS = {"rows", "run", "per_query"}  # too long for a summary


@app.command(epilog="Example: dateline eval retrieval beir/nfcorpus beir/scifact --mode bm25")
def retrieval(
    paths: Annotated[list[Path], typer.Argument(help="Collections: folders in BEIR's layout.")],
    *,
    mode: Annotated[
        Literal["bm25", "dense", "hybrid", "all"], typer.Option(help="Way of searching.")
    ] = "all",
    split: Annotated[str | None, typer.Option(help="Which qrels/SPLIT.tsv to judge by.")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Only the first N queries.")] = None,
    run_out: Annotated[
        Path | None, typer.Option(help="Folder for TREC run files, COLLECTION.MODE.run.")
    ] = None,
    work: WorkOption = None,
    as_json: JsonOption = False,
) -> None:
    """Rank a test collection's documents for its queries: nDCG@10, recall@100 and others."""
    from .datasets import load_beir  # noqa: PLC0415
    from .retrieval import (  # noqa: PLC0415
        MODES,
        built_index,
        evaluate_retrieval,
        limited,
        write_run,
    )

    results: list[RetrievalResult] = []
    for path in paths:
        collection = load_beir(path, split)
        asked = limited(collection, limit) if limit else collection
        with built_index(collection.name, collection.documents, work=work) as built:
            for chosen in MODES if mode == "all" else (mode,):
                result = evaluate_retrieval(built.index, asked, chosen)
                results.append(result)
                if run_out:
                    run_out.mkdir(parents=True, exist_ok=True)
                    name = f"{collection.name}.{chosen}.run"
                    write_run(run_out / name, result.run, f"dateline-{chosen}")
    if as_json:
        _print_json([_summary(result) for result in results])
    else:
        _print_retrieval(results)


@app.command(epilog="Example: dateline eval answers dev-v1.1.json --questions 500 --seed 0")
def answers(
    path: Annotated[
        Path | None,
        typer.Argument(help="A SQuAD .json or .jsonl[.gz] file (default: the bundled sample)."),
    ] = None,
    *,
    questions: Annotated[int, typer.Option(min=1, help="How many questions to sample.")] = 500,
    seed: Annotated[int, typer.Option(help="Of the sample.")] = 0,
    out: Annotated[
        Path | None, typer.Option(help="Write every question's outcome there, one JSON a line.")
    ] = None,
    work: WorkOption = None,
    as_json: JsonOption = False,
) -> None:
    """Answer questions over a whole collection: exact match, F1, answer in the top ten."""
    from qa import Assistant  # noqa: PLC0415

    from .answers import (  # noqa: PLC0415
        bundled_questions,
        evaluate_open_domain,
        evaluate_sample,
        sample_index,
    )
    from .datasets import load_squad  # noqa: PLC0415

    result: OpenDomainResult | SampleResult
    if path:
        result = evaluate_open_domain(
            load_squad(path), path.name.split(".")[0], questions=questions, seed=seed, work=work
        )
    else:
        with sample_index() as (index, _):
            result = evaluate_sample(Assistant(index), bundled_questions(), index.stats().documents)
    if out:
        rows = (json.dumps(asdict(row), ensure_ascii=False) for row in result.rows)
        out.write_text("".join(f"{row}\n" for row in rows), encoding="utf-8")
    if as_json:
        _print_json(_summary(result))
    else:
        _print_pairs(_summary(result))


@app.command(epilog="Example: dateline eval speed --contexts dev-v1.1.json --json")
def speed(
    *,
    contexts: Annotated[
        Path | None,
        typer.Option(help="A SQuAD file whose paragraphs are used (default: the sample, varied)."),
    ] = None,
    quick: Annotated[bool, typer.Option(help="Small collections, to see that it works.")] = False,
    seed: Annotated[int, typer.Option(help="Of the varied text.")] = 0,
    as_json: JsonOption = False,
) -> None:
    """Time indexing and questions, warm and cold, and weigh the index and the process."""
    from .benchmark import run_benchmark  # noqa: PLC0415

    results = list(run_benchmark(contexts=contexts, quick=quick, seed=seed))
    if as_json:
        _print_json([_summary(result) for result in results])
    else:
        _print_speed(results)


def _print_retrieval(results: Sequence[RetrievalResult]) -> None:
    first = results[0]
    main = next(iter(first.measures))
    rows = [
        [
            result.collection,
            result.mode,
            str(result.queries),
            *(f"{mean:.3f}" for mean in result.measures.values()),
            "{0.low:.3f}–{0.high:.3f}".format(result.intervals[main]),
            f"{result.latency.p50:.1f}/{result.latency.p95:.1f}",
        ]
        for result in results
    ]
    _print_table(
        ["collection", "mode", "queries", *first.measures, f"{main} 95 %", "ms p50/p95"], rows
    )


def _print_speed(results: Sequence[SpeedResult]) -> None:
    """One column a collection, one row a figure."""
    columns = [_figures(_summary(result)) for result in results]
    names = list(dict.fromkeys(name for column in columns for name in column))
    _print_table(
        ["", *(column.pop("name") for column in columns)],
        [[name, *(column.get(name, "") for column in columns)] for name in names if name != "name"],
    )


def _print_pairs(summary: dict[str, Any]) -> None:
    _print_table(["", "value"], [list(pair) for pair in _figures(summary).items()])


def _print_table(header: Iterable[str], rows: Iterable[Sequence[str]]) -> None:
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415

    table = Table(box=None)
    for number, name in enumerate(header):
        table.add_column(name, justify="left" if number == 0 else "right", overflow="fold")
    for row in rows:
        table.add_row(*row)
    Console(width=None if sys.stdout.isatty() else 120).print(table)  # files do not fold


def _figures(summary: dict[str, Any], prefix: str = "") -> dict[str, str]:
    """A summary's figures as text by readable name, nested ones as `outer inner`."""
    figures: dict[str, str] = {}
    for key, value in summary.items():
        name = f"{prefix}{key.replace('_', ' ')}"
        if isinstance(value, dict):
            figures.update(_figures(value, f"{name} "))
        elif isinstance(value, float):
            figures[name] = f"{value:.3f}" if abs(value) < 10 else f"{value:,.1f}"
        else:
            figures[name] = "unknown" if value is None else str(value)
    return figures


def _summary(result: DataclassInstance) -> dict[str, Any]:
    """The result as JSON values, without its long details."""
    return {
        field.name: _plain(getattr(result, field.name))
        for field in fields(result)
        if field.name not in DETAILS
    }


def _plain(value: object) -> object:
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        return _plain(value._asdict())
    if isinstance(value, Mapping):
        return {key: _plain(inner) for key, inner in value.items()}
    return round(value, 6) if isinstance(value, float) else value


def _print_json(value: object) -> None:
    typer.echo(json.dumps(value, ensure_ascii=False, indent=2))
