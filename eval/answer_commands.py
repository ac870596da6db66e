"""`dateline eval answers` and `dateline eval reading`: over a collection, or a given passage."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from index.errors import UsageError

from . import tables
from .lines import write_rows
from .options import (
    JsonOption,
    OutOption,
    ReaderOption,
    TorchOption,
    WorkOption,
    chosen_reader,
)

if TYPE_CHECKING:
    from .answers import SampleResult
    from .open_domain import OpenDomainResult


app = typer.Typer()


@app.command(epilog="Example: dateline eval answers dev-v1.1.json --questions 500 --seed 0")
def answers(
    path: Annotated[
        Path | None,
        typer.Argument(help="A SQuAD .json or .jsonl[.gz] file (default: the bundled sample)."),
    ] = None,
    *,
    questions: Annotated[int, typer.Option(min=1, help="How many questions to sample.")] = 500,
    seed: Annotated[int, typer.Option(help="Of the sample.")] = 0,
    unanswerable: Annotated[
        bool,
        typer.Option("--unanswerable", help="Sample the unanswerable questions of the file too."),
    ] = False,
    reader: ReaderOption = None,
    out: OutOption = None,
    work: WorkOption = None,
    as_json: JsonOption = False,
) -> None:
    """Answer questions over a whole collection: exact match, F1, citations, abstention.

    Also the answer in the first k candidates and passages, what confidences are worth, and all of
    it by what is asked for.
    """
    from .answers import evaluate_sample, sample_index  # noqa: PLC0415
    from .datasets import load_squad  # noqa: PLC0415
    from .open_domain import evaluate_open_domain  # noqa: PLC0415
    from .questions import bundled_questions  # noqa: PLC0415
    from .setups import AnswerSetup, assistant_for  # noqa: PLC0415

    result: OpenDomainResult | SampleResult
    if path:
        result = evaluate_open_domain(
            load_squad(path),
            path.name.split(".")[0],
            questions=questions,
            seed=seed,
            unanswerable=unanswerable,
            setup=AnswerSetup(reader=reader),
            work=work,
        )
    elif unanswerable:
        raise UsageError(
            "--unanswerable is about a SQuAD file.",
            "The bundled sample's unanswerable questions are always asked.",
        )
    else:
        with sample_index() as (index, _):
            assistant = assistant_for(index, AnswerSetup(reader=reader, explain=True))
            result = evaluate_sample(assistant, bundled_questions(), index.stats().documents)
    write_rows(out, result.rows)
    (tables.print_summary if as_json else tables.print_answers)(result)


@app.command(epilog="Example: dateline eval reading dev-v2.0.json --robustness")
def reading(
    path: Annotated[Path, typer.Argument(help="A SQuAD .json or .jsonl[.gz] file.")],
    *,
    reader: ReaderOption = None,
    torch: TorchOption = None,
    limit: Annotated[
        int | None, typer.Option(min=1, help="Only so many questions, sampled.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Of the sample and of the typing errors.")] = 0,
    robustness: Annotated[
        bool,
        typer.Option(
            "--robustness",
            help="Read the answerable questions again: lower-cased, upper-cased, with a typo,"
            " without their final punctuation.",
        ),
    ] = False,
    out: OutOption = None,
    as_json: JsonOption = False,
) -> None:
    """Read every question's own passage: exact match, F1, calibration, risk and coverage, spans.

    With --torch the weights of that folder are read in float32 by PyTorch, the rest being as
    shipped: the difference is what the shipped precision costs.
    """
    from .datasets import load_squad  # noqa: PLC0415
    from .reading import evaluate_reading  # noqa: PLC0415

    result = evaluate_reading(
        load_squad(path),
        path.name.split(".")[0],
        reader=chosen_reader(reader, torch),
        limit=limit,
        seed=seed,
        robustness=robustness,
    )
    write_rows(out, result.rows)
    (tables.print_summary if as_json else tables.print_answers)(result)
