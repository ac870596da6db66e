"""`dateline eval init`, `questions`, `fuse`, `run`: one's own questions, anybody's runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from index.errors import UsageError
from qa.options import DEFAULT_INDEX, IndexOption, JsonOption

from . import showing, tables
from .lines import write_rows

app = typer.Typer()

RunsArgument = Annotated[list[Path], typer.Argument(metavar="RUN...", help="TREC run files.")]


@app.command(epilog="Example: dateline eval init --questions 30 --out questions.yaml")
def init(
    *,
    index: IndexOption = DEFAULT_INDEX,
    questions: Annotated[int, typer.Option(min=1, help="How many passages to sample.")] = 30,
    seed: Annotated[int, typer.Option(help="Of the sample.")] = 0,
    out: Annotated[
        Path | None, typer.Option(help="File to write (default: questions.yaml).")
    ] = None,
    form: Annotated[
        Literal["yaml", "jsonl", "csv"] | None,
        typer.Option("--format", help="Of the file (default: as its name says, else yaml)."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is there.")] = False,
) -> None:
    """Write a template for questions about your own index: passages to write questions to."""
    from .questions import format_of  # noqa: PLC0415
    from .template import sample_passages, template  # noqa: PLC0415

    out = out or Path(f"questions.{form or 'yaml'}")
    named = format_of(out)
    if form not in (None, named) or out.suffix == ".gz":
        raise UsageError(
            f"{out} is no name for a {form or named} template.",
            f"Try --out questions.{form or named}",
        )
    passages = sample_passages(index, questions, seed)
    text = template(passages, named, file=str(out), index=str(index))
    try:
        with out.open("w" if force else "x", encoding="utf-8", newline="\n") as file:
            file.write(text)
    except FileExistsError as error:
        raise UsageError(
            f"{out} is there already.", "Name another --out, or replace it with --force."
        ) from error
    documents = len({passage.source for passage in passages})
    typer.echo(
        f"Wrote {len(passages)} passages of {documents} documents to {out}. Write questions and"
        f" answers to them, then run:\n  dateline eval questions {out} --index {index}"
    )


@app.command(epilog="Example: dateline eval questions questions.yaml --out rows.jsonl")
def questions(
    file: Annotated[
        Path, typer.Argument(help="Questions with answers, sources or passages: YAML, JSONL, CSV.")
    ],
    *,
    index: IndexOption = DEFAULT_INDEX,
    mode: Annotated[
        Literal["bm25", "dense", "hybrid", "all"], typer.Option(help="Way of searching.")
    ] = "all",
    out: Annotated[
        Path | None, typer.Option(help="Write every question's outcome there, one JSON a line.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Ask your own questions of your own index: are passages found, are answers right.

    A question has answers, sources or passages, or is unanswerable: true. `dateline eval init`
    writes a template that explains the fields.
    """
    from qa.assistant import Assistant  # noqa: PLC0415
    from qa.options import open_index  # noqa: PLC0415

    from .question_results import evaluate_questions, found_table  # noqa: PLC0415
    from .questions import read_questions  # noqa: PLC0415
    from .retrieval import MODES  # noqa: PLC0415

    asked, unfilled = read_questions(file)
    if unfilled:
        typer.echo(f"{unfilled} of {unfilled + len(asked)} entries have no question yet.", err=True)
    if not asked:
        raise UsageError(f"{file} has no question filled in.", "Write some, then run this again.")
    with open_index(index) as opened:
        result = evaluate_questions(Assistant(opened), asked, MODES if mode == "all" else (mode,))
    for message in result.missing:
        typer.echo(f"Warning: {message}", err=True)
    write_rows(out, result.rows)
    if as_json:
        tables.print_json({**tables.summary(result), "unfilled": unfilled})
        return
    if result.found:
        showing.print_report_table(found_table(result.found))
        typer.echo()
    tables.print_pairs(tables.summary(result.answers))


@app.command(epilog="Example: dateline eval fuse bm25.run dense.run --method rrf --out both.run")
def fuse(
    runs: RunsArgument,
    *,
    out: Annotated[Path, typer.Option(help="Run file to write, gzipped if it ends in .gz.")],
    method: Annotated[
        Literal["rrf", "minmax", "combsum"],
        typer.Option(
            help="Reciprocal ranks, the mean of scores scaled to 0..1, or of the scores as they"
            " are (for systems that score on one scale)."
        ),
    ] = "rrf",
    weights: Annotated[
        list[float] | None,
        typer.Option(min=0, help="Of a run; once for each, in their order (default: all equal)."),
    ] = None,
    depth: Annotated[int, typer.Option(min=1, help="Documents a query at most.")] = 1000,
    tag: Annotated[
        str | None, typer.Option(help="The run's name in the file (default: the method).")
    ] = None,
) -> None:
    """Make one run of several, query by query."""
    from .runs import fuse_runs  # noqa: PLC0415
    from .trec import read_run, write_run  # noqa: PLC0415

    fused = fuse_runs([read_run(path) for path in runs], method, weights or (), depth)
    write_run(out, fused, tag or method)
    typer.echo(f"Wrote {len(fused)} queries to {out}.")
