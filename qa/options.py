"""What the commands have in common: options, the index they open, JSON on standard output."""

from __future__ import annotations

import json
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from index.errors import UsageError

if TYPE_CHECKING:
    from index import EmbeddedIndex, Filters

DEFAULT_INDEX = Path(".dateline")

IndexOption = Annotated[
    Path, typer.Option("--index", "-i", envvar="DATELINE_INDEX", help="Folder of the index.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
AfterOption = Annotated[
    datetime | None,
    typer.Option("--after", formats=["%Y-%m-%d"], help="Only documents published then or later."),
]
BeforeOption = Annotated[
    datetime | None,
    typer.Option("--before", formats=["%Y-%m-%d"], help="Only documents published by then."),
]
SourceOption = Annotated[
    str | None, typer.Option("--source", help="Only documents whose source matches this glob.")
]
MetaOption = Annotated[
    list[str] | None,
    typer.Option("--meta", metavar="KEY=VALUE", help="Only documents with this metadata."),
]
TopOption = Annotated[int, typer.Option("--top", "-k", min=1, max=1000, help="How many passages.")]
SessionOption = Annotated[
    str | None,
    typer.Option(
        "--session", metavar="ID", help="Go on with this conversation, or begin one of that name."
    ),
]


def open_index(folder: Path) -> EmbeddedIndex:
    """The index in a folder, which must be there."""
    from index import EmbeddedIndex  # noqa: PLC0415

    return EmbeddedIndex.open(folder, create=False)


def filters_of(
    after: datetime | None, before: datetime | None, source: str | None, meta: list[str] | None
) -> Filters:
    """The restrictions that the options ask for.

    Raises:
        UsageError: a --meta without key or value.
    """
    from index import Filters  # noqa: PLC0415

    pairs = [pair.partition("=") for pair in meta or ()]
    for key, equals, _ in pairs:
        if not key or not equals:
            raise UsageError("--meta needs KEY=VALUE.", "For example: --meta sitename=Reuters")
    return Filters(
        after=day_of(after),
        before=day_of(before),
        source=source,
        metadata={key: _json_or_text(value) for key, _, value in pairs},
    )


def day_of(moment: datetime | None) -> date | None:
    """The day of an option's date."""
    return moment and moment.date()


def _json_or_text(value: str) -> Any:  # noqa: ANN401 - any JSON value
    """`3` and `true` as JSON has them, anything else as text; `"3"` with quotes is text."""
    try:
        return json.loads(value)
    except ValueError:
        return value


def json_text(value: Any) -> str:  # noqa: ANN401 - any JSON value
    """One JSON document, for people to read too."""
    return json.dumps(value, ensure_ascii=False, indent=2, default=str, allow_nan=False)


def print_json(value: Any) -> None:  # noqa: ANN401 - any JSON value
    """One JSON document on standard output."""
    typer.echo(json_text(value))
