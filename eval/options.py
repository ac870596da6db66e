"""What the commands of `dateline eval` share: options, the reader, rows written to a file."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

    from qa.reader import Reader

JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
OutOption = Annotated[
    Path | None, typer.Option(help="Write every question's outcome there, one JSON a line.")
]
ReaderOption = Annotated[
    Path | None, typer.Option(help="Folder of the reader (default: the shipped one).")
]
TorchOption = Annotated[
    Path | None, typer.Option(help="Hugging Face folder with weights for PyTorch to run.")
]
WorkOption = Annotated[
    Path | None,
    typer.Option(help="Folder for the indexes, reused while nothing changes (default: the cache)."),
]


def chosen_reader(folder: Path | None, torch: Path | None) -> Reader:
    """The reader in `folder`, or the shipped one; its weights from `torch`, where given."""
    from qa.reader import SHIPPED, Reader  # noqa: PLC0415

    if torch is None:
        return Reader(folder or SHIPPED)
    from .torch_reader import TorchEngine, load_folder  # noqa: PLC0415

    return Reader(folder or SHIPPED, TorchEngine(load_folder(torch)))


def write_rows(path: Path | None, rows: Iterable[DataclassInstance]) -> None:
    """Write rows, one JSON document a line; no path, no file."""
    if path:
        lines = (json.dumps(asdict(row), ensure_ascii=False) for row in rows)
        path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
