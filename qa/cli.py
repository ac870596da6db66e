"""The command line: `dateline index`, `ask`, `chat`, `search`, `serve`, ...

Exit codes: 0 done; 1 some input failed, or the documents do not hold the answer; 2 wrong usage.
Only what a command needs is imported, so that a question starts quickly.
"""

from __future__ import annotations

import io
import logging
import sys
from dataclasses import asdict
from datetime import datetime
from importlib.metadata import entry_points, version
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from index.errors import DatelineError, NothingFoundError, UsageError

from . import key_commands, mcp_command, session_commands
from .options import (
    DEFAULT_INDEX,
    AfterOption,
    BeforeOption,
    IndexOption,
    JsonOption,
    MetaOption,
    SessionOption,
    SourceOption,
    TopOption,
    day_of,
    filters_of,
    open_index,
    print_json,
)


class _Commands(TyperGroup):
    """Our own commands, and those that other packages offer under "dateline.commands".

    `dateline eval` is one of these: the evaluation builds on `qa` and is not known to it.
    `dateline serve` is loaded when it is called: its options are the service's settings.
    """

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ANN401
        found = entry_points(group="dateline.commands").names
        return [*super().list_commands(ctx), "serve", *found]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ANN401
        if cmd_name == "serve":
            from . import serve_command  # noqa: PLC0415

            return typer.main.get_command(serve_command.app)
        known = super().get_command(ctx, cmd_name)
        if known is None:
            for entry in entry_points(group="dateline.commands", name=cmd_name):
                return typer.main.get_command(entry.load())
        return known


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"dateline {version('dateline')}")
        raise typer.Exit


app = typer.Typer(
    cls=_Commands,
    help="Ask questions of your documents and get answers in their own words, with citations.",
    epilog='Start with: dateline index articles/ && dateline ask "Who met where and when?"',
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)

app.add_typer(session_commands.app, name="sessions")
app.add_typer(key_commands.app, name="keys")
app.command("mcp", epilog=mcp_command.EPILOG)(mcp_command.mcp)


@app.callback()
def _options(
    *,
    version: Annotated[  # handled by its callback
        bool, typer.Option("--version", is_eager=True, callback=_print_version, help="Show it.")
    ] = False,
) -> None:
    """Ask questions of your documents and get answers in their own words, with citations."""


@app.command("index", epilog="Example: dateline index articles/ mail/*.eml --exclude 'drafts/**'")
def index_(
    paths: Annotated[list[Path], typer.Argument(help="Files, folders, or quoted globs.")],
    *,
    index: IndexOption = DEFAULT_INDEX,
    include: Annotated[
        list[str] | None, typer.Option(help="Glob: take only these files of a folder.")
    ] = None,
    exclude: Annotated[
        list[str] | None, typer.Option(help="Glob: leave these files of a folder out.")
    ] = None,
    prune: Annotated[
        bool, typer.Option("--prune", help="Also remove documents whose files are gone.")
    ] = False,
    text_field: Annotated[str, typer.Option(help="Field with the text, in JSON and CSV.")] = "text",
    title_field: Annotated[str, typer.Option(help="Field with the title.")] = "title",
    date_field: Annotated[str, typer.Option(help="Field with the publication date.")] = "date",
    url_field: Annotated[str, typer.Option(help="Field with the address.")] = "url",
    id_field: Annotated[str, typer.Option(help="Field that names the record.")] = "id",
    embedder: Annotated[
        str | None, typer.Option(help="New index: model folder instead of all-MiniLM-L6-v2.")
    ] = None,
    chunk_tokens: Annotated[
        int | None, typer.Option(min=32, help="New index: most tokens of a passage.")
    ] = None,
    overlap: Annotated[
        int | None, typer.Option(min=0, help="New index: tokens that passages share.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Add or refresh files and folders: txt, md, html, pdf, docx, eml, json, jsonl, csv."""
    from index import EmbeddedIndex, FieldMap, IndexSettings  # noqa: PLC0415

    from . import rendering  # noqa: PLC0415

    given = {"embedder": embedder, "chunk_tokens": chunk_tokens, "overlap": overlap}
    chosen = {name: value for name, value in given.items() if value is not None}
    settings = IndexSettings(**chosen) if chosen else None  # type: ignore[arg-type]
    fields = FieldMap(
        text=text_field, title=title_field, date=date_field, url=url_field, id=id_field
    )
    try:
        with (
            EmbeddedIndex.open(index, settings=settings) as opened,
            rendering.indexing_progress() as on_progress,
        ):
            report = opened.add_files(
                paths,
                include=include or (),
                exclude=exclude or (),
                fields=fields,
                prune=prune,
                on_progress=on_progress,
            )
            stats = opened.stats()
    except KeyboardInterrupt:
        typer.echo(
            "\nStopped. What was indexed so far is kept; the same command goes on.", err=True
        )
        raise typer.Exit(130) from None
    if as_json:
        record = asdict(report) | {
            "failed": [failure._asdict() for failure in report.failed],
            "duplicates": [duplicate._asdict() for duplicate in report.duplicates],
        }
        print_json(record | {"documents": stats.documents, "chunks": stats.chunks})
    else:
        rendering.print_report(report, stats)
    if report.failed:
        raise typer.Exit(1)


@app.command(epilog="Example: dateline remove drafts/ news/2023-09-19.txt 'wire.jsonl#42'")
def remove(
    sources: Annotated[list[str], typer.Argument(help="Sources, as `dateline status` shows them.")],
    *,
    index: IndexOption = DEFAULT_INDEX,
    as_json: JsonOption = False,
) -> None:
    """Take documents out of the index: single ones, all records of a file, or a folder."""
    with open_index(index) as opened:
        removed = opened.remove(sources)
    if as_json:
        print_json({"removed": removed})
    else:
        typer.echo(f"Removed {len(removed)} document{'s' * (len(removed) != 1)}.")
    if not removed:
        raise NothingFoundError(
            f"Nothing in the index matches {', '.join(sources)}.",
            "See the sources with: dateline status --documents",
        )


@app.command(epilog="Example: dateline status --documents --json")
def status(
    *,
    index: IndexOption = DEFAULT_INDEX,
    documents: Annotated[bool, typer.Option("--documents", help="List the documents.")] = False,
    as_json: JsonOption = False,
) -> None:
    """What is in the index."""
    from . import rendering  # noqa: PLC0415

    with open_index(index) as opened:
        stats = opened.stats()
        listed = opened.documents() if documents else []
    if as_json:
        rows = [asdict(document) for document in listed]
        print_json(asdict(stats) | ({"list": rows} if documents else {}))
    else:
        rendering.print_status(stats, listed, index)


@app.command(epilog='Example: dateline search "arms deal" --mode bm25 --after 2023-09-01')
def search(
    query: Annotated[str, typer.Argument(help="Words or a question.")],
    *,
    index: IndexOption = DEFAULT_INDEX,
    mode: Annotated[str, typer.Option(help="hybrid, dense or bm25.")] = "hybrid",
    top: TopOption = 10,
    after: AfterOption = None,
    before: BeforeOption = None,
    source: SourceOption = None,
    meta: MetaOption = None,
    as_json: JsonOption = False,
) -> None:
    """Find passages, without reading them for an answer."""
    from . import rendering  # noqa: PLC0415
    from .answer import hit_record  # noqa: PLC0415
    from .question import analyse  # noqa: PLC0415

    filters = filters_of(after, before, source, meta)
    with open_index(index) as opened:
        hits = opened.search(analyse(query).text, top, mode=mode, filters=filters)  # type: ignore[arg-type]
    records = [hit_record(hit) for hit in hits]
    if as_json:
        print_json({"query": query, "mode": mode, "hits": [r.model_dump() for r in records]})
    else:
        rendering.print_hits(records)
    if not hits:
        raise typer.Exit(1)


@app.command(epilog='Example: dateline ask "When did Shoigu visit the North?" --json')
def ask(
    question: Annotated[str, typer.Argument(help="A question in plain words.")],
    *,
    index: IndexOption = DEFAULT_INDEX,
    top: TopOption = 12,
    after: AfterOption = None,
    before: BeforeOption = None,
    source: SourceOption = None,
    meta: MetaOption = None,
    session: SessionOption = None,
    raw: Annotated[
        bool, typer.Option("--raw", help="Take the question as it stands, without the history.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Answer one question, with citations; exit code 1 when the documents do not say.

    With --session it is one turn of a conversation, and may say "he" or "there" of what came
    before.
    """
    from . import rendering  # noqa: PLC0415
    from .assistant import Assistant  # noqa: PLC0415

    filters = filters_of(after, before, source, meta)
    with open_index(index) as opened:
        assistant = Assistant(opened)
        if session is not None:
            assistant.sessions.create(session)
        answer = assistant.ask(
            question, filters=filters, top_k=top, session=session, resolve=not raw
        )
        if as_json:
            print_json(answer.model_dump())
        else:
            rendering.print_answer(answer, opened)
    if answer.abstained:
        raise typer.Exit(1)


@app.command(epilog='Example: dateline timeline "Kim and Putin" --since 2019-01-01 --json')
def timeline(
    query: Annotated[str, typer.Argument(help="Names or words that the events are about.")],
    *,
    index: IndexOption = DEFAULT_INDEX,
    top: TopOption = 40,
    since: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="Only events on that day or later."),
    ] = None,
    until: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Only events by that day.")
    ] = None,
    after: AfterOption = None,
    before: BeforeOption = None,
    source: SourceOption = None,
    meta: MetaOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the dated events about a query: when, who, what, where; exit code 1 without any."""
    from . import rendering  # noqa: PLC0415
    from .assistant import Assistant  # noqa: PLC0415

    filters = filters_of(after, before, source, meta)
    with open_index(index) as opened:
        found = Assistant(opened).timeline(
            query,
            since=day_of(since),
            until=day_of(until),
            filters=filters,
            top_k=top,
        )
        if as_json:
            print_json(found.model_dump())
        else:
            rendering.print_timeline(found, opened)
    if not found.events:
        raise typer.Exit(1)


@app.command(epilog="Example: dateline chat --session ferry. Inside, /help lists the commands.")
def chat(*, index: IndexOption = DEFAULT_INDEX, session: SessionOption = None) -> None:
    """Ask one question after another in the terminal; the conversation is kept."""
    from .assistant import Assistant  # noqa: PLC0415
    from .chat import converse  # noqa: PLC0415

    with open_index(index) as opened:
        converse(Assistant(opened), session)


@app.command()
def demo() -> None:
    """Index the bundled sample documents and ask them three questions."""
    from .demo import show  # noqa: PLC0415

    show()


def main() -> None:
    """Run the command line; expected errors become one clear message and an exit code."""
    logging.basicConfig(format="%(message)s", level=logging.WARNING)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal without Unicode shows "?"
    try:
        app()
    except DatelineError as error:
        _fail(error, 2 if isinstance(error, UsageError) else 1)
    except OSError as error:
        place = f"{error.filename}: " if error.filename else ""
        _fail(DatelineError(f"{place}{error.strerror or error}."), 1)


def _fail(error: DatelineError, code: int) -> None:
    typer.secho(f"Error {error.code}: {error.problem}", fg="red", err=True)
    if error.next_step:
        typer.echo(error.next_step, err=True)
    sys.exit(code)


if __name__ == "__main__":
    main()
