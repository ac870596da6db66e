"""`dateline sessions`: the conversations that are kept in an index."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Literal

import typer

from index.sessions import unknown_session

from .options import DEFAULT_INDEX, IndexOption, JsonOption, json_text, open_index, print_json

app = typer.Typer(
    help="List, show, export and delete the conversations that are kept in the index.",
    epilog="Example: dateline sessions list",
    no_args_is_help=True,
)

IdArgument = Annotated[str, typer.Argument(metavar="ID", help="As `dateline sessions list` says.")]


@app.command("list", epilog="Example: dateline sessions list --json")
def list_(*, index: IndexOption = DEFAULT_INDEX, as_json: JsonOption = False) -> None:
    """List the sessions, the one used last first."""
    from . import rendering  # noqa: PLC0415

    with open_index(index) as opened:
        sessions = opened.sessions.list()
    if as_json:
        print_json([asdict(session) for session in sessions])
    else:
        rendering.print_sessions(sessions)


@app.command(epilog="Example: dateline sessions show 3f0c2d9a41b7e655")
def show(
    id_: IdArgument, *, index: IndexOption = DEFAULT_INDEX, as_json: JsonOption = False
) -> None:
    """Show the questions and answers of a session."""
    from . import rendering  # noqa: PLC0415
    from .sessions import Sessions  # noqa: PLC0415

    with open_index(index) as opened:
        record = Sessions(opened.sessions).get(id_)
        if as_json:
            print_json(record.model_dump())
        else:
            rendering.print_session(record, opened)


@app.command(
    epilog="Example: dateline sessions export 3f0c2d9a41b7e655 --format json --out talk.json"
)
def export(
    id_: IdArgument,
    *,
    index: IndexOption = DEFAULT_INDEX,
    form: Annotated[
        Literal["markdown", "json"], typer.Option("--format", help="What to write.")
    ] = "markdown",
    out: Annotated[
        Path | None, typer.Option(help="File to write to instead of standard output.")
    ] = None,
) -> None:
    """Write a session as a transcript (Markdown) or with everything in it (JSON)."""
    from .sessions import Sessions  # noqa: PLC0415

    with open_index(index) as opened:
        sessions = Sessions(opened.sessions)
        record = sessions.get(id_)
    text = json_text(record.model_dump()) if form == "json" else sessions.to_markdown(record)
    if out:
        out.write_text(f"{text}\n", encoding="utf-8", errors="backslashreplace")
    else:
        typer.echo(text)


@app.command(epilog="Example: dateline sessions delete 3f0c2d9a41b7e655 ferry")
def delete(
    ids: Annotated[list[str], typer.Argument(metavar="ID...", help="Sessions to delete.")],
    *,
    index: IndexOption = DEFAULT_INDEX,
) -> None:
    """Delete sessions with all their questions and answers."""
    with open_index(index) as opened:
        missing = [id_ for id_ in ids if not opened.sessions.delete(id_)]
    _tell(len(ids) - len(missing))
    if missing:
        raise unknown_session(*missing)


@app.command(epilog="Example: dateline sessions expire --days 7")
def expire(
    *,
    days: Annotated[
        float, typer.Option(min=0, max=36500, help="Delete what was not used for so many days.")
    ],
    index: IndexOption = DEFAULT_INDEX,
) -> None:
    """Delete the sessions that have not been used for some days."""
    from .sessions import Sessions  # noqa: PLC0415

    with open_index(index) as opened:
        _tell(Sessions(opened.sessions, keep_days=days).expire())


def _tell(deleted: int) -> None:
    typer.echo(f"Deleted {deleted} session{'s' * (deleted != 1)}.")
