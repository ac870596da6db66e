"""Text files line by line, so that whatever is wrong with one is named with its line."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from index.errors import LoadError

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

T = TypeVar("T")


def lines(
    path: Path, *, skip_blank: bool = True, encoding: str = "utf-8"
) -> Iterator[tuple[int, str]]:
    """Numbered lines of a text file, gzipped if its name ends in .gz.

    Raises:
        LoadError: it cannot be read, or is not in that encoding.
    """
    number = 0
    try:
        with gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb") as file:
            for number, raw in enumerate(file, start=1):
                line = raw.decode(encoding).rstrip("\r\n")
                if number == 1:
                    line = line.removeprefix("\ufeff")
                if line.strip() or not skip_blank:
                    yield number, line
    except UnicodeDecodeError as error:
        raise LoadError(
            f"{path} line {number} is not {encoding.upper()}.", "Convert the file."
        ) from error
    except (OSError, EOFError, zlib.error) as error:
        reason = getattr(error, "strerror", None) or error
        place = f" after line {number}" if number else ""
        raise LoadError(
            f"{path} cannot be read{place}: {reason}.", "Check the file, or fetch it again."
        ) from error


def records(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """The JSON objects of a JSON Lines file, each with `path line N` for error messages.

    Raises:
        LoadError: a line is not a JSON object.
    """
    for number, line in lines(path):
        where = f"{path} line {number}"
        try:
            record = json.loads(line)
        except ValueError as error:
            raise LoadError(f"{where} is not JSON: {getattr(error, 'msg', error)}.") from error
        except RecursionError as error:
            raise LoadError(f"{where} is nested too deeply.") from error
        if not isinstance(record, dict):
            raise LoadError(f"{where} is not a JSON object.")
        yield where, record


def write_rows(path: Path | None, rows: Iterable[DataclassInstance]) -> None:
    """Write records as JSON Lines, if there is a path."""
    if path:
        text = "".join(f"{json.dumps(asdict(row), ensure_ascii=False)}\n" for row in rows)
        path.write_text(text, encoding="utf-8")


def field(record: object, key: str, kind: type[T], where: str, *, default: T | None = None) -> T:
    """A record's value of the wanted type; `default` where it is missing or null.

    Raises:
        LoadError: it is missing without a default, or of another type.
    """
    value = record.get(key) if isinstance(record, dict) else None
    if value is None and default is not None:
        return default
    if not isinstance(value, kind):
        found = "is missing" if value is None else f"is of type {type(value).__name__}"
        raise LoadError(f"{where}: field {key!r} {found}, wanted {kind.__name__}.")
    return value
