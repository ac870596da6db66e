"""`dateline eval`: measure retrieval, answers and speed.

The commands are mounted in `dateline`, which also turns errors into messages and exit codes.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from index.errors import DatelineError

from . import (
    answer_commands,
    data_commands,
    load_command,
    peer_commands,
    retrieval_commands,
    small_command,
    tables,
)
from .everything import everything
from .lines import write_rows
from .measuring import machine
from .options import (
    JsonOption,
    OutOption,
    ReaderOption,
    TorchOption,
    WorkOption,
    chosen_reader,
)

app = typer.Typer(
    name="eval",
    help="Measure how well passages are found and questions answered, and how fast.",
    no_args_is_help=True,
)


app.add_typer(data_commands.app)
app.add_typer(retrieval_commands.app)
app.add_typer(answer_commands.app)
app.add_typer(small_command.app)
app.add_typer(peer_commands.app)
app.command("load", epilog=load_command.EPILOG)(load_command.load)
app.command(
    "all", epilog="Example: dateline eval all --data collections/ --only dates --only events"
)(everything)


@app.command(epilog="Example: dateline eval dates timeml/ --mistakes mistakes.jsonl")
def dates(
    folder: Annotated[Path, typer.Argument(help="Folder of TimeML .tml files.")],
    *,
    mistakes: Annotated[
        Path | None,
        typer.Option(help="Write what the development half got wrong there, one JSON a line."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Dates found and resolved, scored as TempEval-3 did: by halves, and all stories."""
    from .dates import evaluate_dates, load_timeml  # noqa: PLC0415
    from .dates import mistakes as mistakes_of  # noqa: PLC0415

    stories = load_timeml(folder)
    if mistakes:
        lines = mistakes_of(story for story in stories if story.half == 0)
        text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
        mistakes.write_text(text, encoding="utf-8")
    scores = evaluate_dates(stories)
    if as_json:
        tables.print_json([asdict(score) for score in scores])
    else:
        tables.print_dates(scores)


@app.command(epilog="Example: dateline eval events --out rows.jsonl")
def events(
    *,
    out: Annotated[
        Path | None,
        typer.Option(help="Write the development half's slots there, one JSON a line."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Who, where and when over the bundled stories: slots filled rightly, and what it costs."""
    from .event_slots import evaluate_event_slots  # noqa: PLC0415

    result = evaluate_event_slots()
    write_rows(out, [row for row in result.rows if row.half == 1])
    if as_json:
        tables.print_json(tables.summary(result))
    else:
        tables.print_event_slots(result)


@app.command(epilog="Example: dateline eval conversations DATA/rewrites.jsonl.gz --out rows.jsonl")
def conversations(
    file: Annotated[
        Path | None, typer.Argument(help="Rewrites to compare with (default: answer the bundled).")
    ] = None,
    *,
    out: Annotated[
        Path | None,
        typer.Option(help="Write the turns developed on there, one JSON a line."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Follow-ups: answers with and without the history, or rewrites against people's."""
    if file:
        from .rewriting import evaluate_rewriting  # noqa: PLC0415

        compared = evaluate_rewriting(file)
        write_rows(out, [row for row in compared.rows if not row.held_out])
        (tables.print_summary if as_json else tables.print_rewriting)(compared)
        return
    from .conversations import evaluate_conversations  # noqa: PLC0415

    result = evaluate_conversations()
    write_rows(out, [row for row in result.rows if row.half == 1])
    (tables.print_summary if as_json else tables.print_conversations)(result)


@app.command(epilog="Example: dateline eval main-events giveme5w1h/ --out rows.jsonl")
def main_events(
    folder: Annotated[Path, typer.Argument(help="Folder of Giveme5W1H's annotated articles.")],
    *,
    out: OutOption = None,
    as_json: JsonOption = False,
) -> None:
    """Who, where and when of articles' main events: the share that annotators' phrases match."""
    from .main_events import evaluate_main_events, load_articles  # noqa: PLC0415

    result = evaluate_main_events(load_articles(folder))
    write_rows(out, result.rows)
    if as_json:
        tables.print_json({"right": result.right, "slots": [asdict(s) for s in result.slots]})
    else:
        tables.print_main_events(result)


@app.command(epilog="Example: dateline eval reader-speed --json")
def reader_speed(
    *, reader: ReaderOption = None, torch: TorchOption = None, as_json: JsonOption = False
) -> None:
    """Milliseconds per 256-token input at batches of 1, 8 and 16, beside PyTorch.

    PyTorch runs the same weights, in float32 and under bfloat16 autocast: those of --torch, else
    those in the reader's own model.onnx.
    """
    from index.errors import ReaderError  # noqa: PLC0415
    from index.inference import Engine  # noqa: PLC0415
    from qa.reader import SHIPPED  # noqa: PLC0415

    from .reader_speed import measure_engines  # noqa: PLC0415
    from .torch_reader import TorchEngine, load_folder, load_onnx  # noqa: PLC0415

    measured_on = machine()
    engines: list[Engine] = [chosen_reader(reader, None).engine]
    try:
        model = load_folder(torch) if torch else load_onnx((reader or SHIPPED) / "model.onnx")
        engines += [TorchEngine(model), TorchEngine(model, bf16=True)]
    except ReaderError as error:
        typer.echo(f"{error} Only {engines[0].name} is measured.", err=True)
    results = measure_engines(engines)
    (tables.print_measured if as_json else tables.print_reader_speed)(measured_on, results)


@app.command(epilog="Example: dateline eval speed --contexts dev-v1.1.json --json")
def speed(
    *,
    contexts: Annotated[
        Path | None,
        typer.Option(help="A SQuAD file whose paragraphs are used (default: the sample, varied)."),
    ] = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="Small collections, to see that it works.")
    ] = False,
    rebuild: Annotated[
        bool, typer.Option("--rebuild", help="Index again instead of reusing what was built.")
    ] = False,
    seed: Annotated[int, typer.Option(help="Of the varied text.")] = 0,
    work: WorkOption = None,
    as_json: JsonOption = False,
) -> None:
    """Indexing, index size, questions warm and cold, memory: on 1,000 and 20,000 passages.

    The first run indexes 20,000 passages, which takes minutes; their index is kept for the next.
    """
    from index.inference import engine_name  # noqa: PLC0415

    from .benchmark import run_benchmark  # noqa: PLC0415

    measured_on = {**machine(), "engine": engine_name()}
    results = list(
        run_benchmark(contexts=contexts, quick=quick, seed=seed, work=work, rebuild=rebuild)
    )
    (tables.print_measured if as_json else tables.print_speed)(measured_on, results)


@app.command(epilog="Example: dateline eval bm25 --passages 10000 --passages 100000 --json")
def bm25(
    *,
    passages: Annotated[
        list[int] | None,
        typer.Option(min=20, help="Size of a collection; may be repeated (10000 and 100000)."),
    ] = None,
    queries: Annotated[int, typer.Option(min=1, help="How many different queries.")] = 1000,
    k: Annotated[int, typer.Option("--k", "-k", min=1, help="Passages looked for.")] = 10,
    seed: Annotated[int, typer.Option(help="Of passages and queries.")] = 0,
    as_json: JsonOption = False,
) -> None:
    """BM25 on generated passages: our index, rank-bm25 and, where installed, bm25s.

    Exits with 1 if our scores are not rank-bm25's to within 1e-6.
    """
    from .bm25 import SIZES, TOLERANCE, compare_bm25  # noqa: PLC0415

    measured_on = machine()
    results = list(compare_bm25(passages or SIZES, queries=queries, k=k, seed=seed))
    (tables.print_measured if as_json else tables.print_bm25)(measured_on, results)
    if any((result.largest_difference or 0) >= TOLERANCE for result in results):
        raise DatelineError("Our BM25 scores are not those of rank-bm25.", "Please report this.")


@app.command(epilog="Example: dateline eval recall --vectors passages.npy --queries questions.npy")
def recall(
    *,
    index: Annotated[
        Path,
        typer.Option("--index", "-i", envvar="DATELINE_INDEX", help="Index with the vectors."),
    ] = Path(".dateline"),
    vectors: Annotated[
        Path | None, typer.Option(help="Take the vectors from this .npy file instead, one a row.")
    ] = None,
    queries: Annotated[
        Path | None,
        typer.Option(help="A .npy file of queries (default: vectors taken out of the others)."),
    ] = None,
    sample: Annotated[int, typer.Option(min=1, help="How many queries at most.")] = 300,
    k: Annotated[
        list[int] | None,
        typer.Option("--k", "-k", min=1, help="Depth; may be repeated (10 and 100)."),
    ] = None,
    exact_limit: Annotated[
        int | None,
        typer.Option(min=1, help="Search exactly up to so many vectors (as the product: 50000)."),
    ] = None,
    seed: Annotated[int, typer.Option(help="Of the queries, and of the half removed.")] = 0,
    as_json: JsonOption = False,
) -> None:
    """How many of the truly nearest passages the approximate dense index finds."""
    from .recall import (  # noqa: PLC0415
        KS,
        evaluate_recall,
        held_out,
        index_vectors,
        load_vectors,
        sampled,
    )

    measured_on = machine()
    found = load_vectors(vectors) if vectors else index_vectors(index)
    if queries:
        asked = sampled(load_vectors(queries), sample, seed)
    else:
        found, asked = held_out(found, sample, seed)
    results = list(evaluate_recall(found, asked, ks=k or KS, exact_limit=exact_limit, seed=seed))
    (tables.print_measured if as_json else tables.print_recall)(measured_on, results)
