"""`dateline eval load`: what the service stands."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from typing import Annotated, Literal

import typer

from index.errors import DatelineError

from . import tables
from .measuring import machine

EPILOG = "Example: dateline eval load --requests 10000 --clients 8 --kind mixed"


def load(
    *,
    index: Annotated[
        Path | None, typer.Option("--index", "-i", help="Serve this one (default: the sample).")
    ] = None,
    clients: Annotated[
        list[int] | None, typer.Option(min=1, help="At once; may be repeated (1, 8 and 32).")
    ] = None,
    requests: Annotated[int, typer.Option(min=1, help="For each number of clients.")] = 200,
    kind: Annotated[
        Literal["ask", "search", "mixed"], typer.Option(help="Questions, searches, or both.")
    ] = "ask",
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Questions a second, times and errors of `dateline serve`, by clients at once, and its memory.

    Exits with 1 if a request was not answered.
    """
    from .answers import sample_index  # noqa: PLC0415
    from .load import CLIENTS, READINGS, run_load  # noqa: PLC0415

    measured_on = machine()
    with nullcontext((None, index)) if index else sample_index() as (_, folder):
        results = list(
            run_load(
                folder, clients=clients or CLIENTS, requests=requests, kind=kind, readings=READINGS
            )
        )
    (tables.print_measured if as_json else tables.print_load)(measured_on, results)
    if any(result.errors for result in results):
        raise DatelineError("Some requests were not answered.", "See the server's log.")
