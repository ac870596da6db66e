"""Files of records, each a document: JSON, JSON Lines and CSV.

A bad record never takes the good ones with it: it is reported, with its line, and skipped. Only
when no record at all can be read is that an error of the file.
"""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import NamedTuple, cast

from index.document import Document, Json
from index.errors import LoadError

from .common import make_document, read_bytes
from .encoding import decode, detect_encoding

OnError = Callable[[LoadError], None]
Record = Mapping[str, object]


class _Bad(NamedTuple):
    """In the place of a record: why there is none."""

    reason: str


# Names taken for a field as long as it is not mapped to another name.
_ALIASES = {
    "text": ("text", "content", "body", "article", "contents"),
    "title": ("title", "headline", "name"),
    "date": ("date", "published", "published_at", "date_publish", "pubDate", "timestamp"),
    "url": ("url", "link"),
    "id": ("id", "_id"),
}
_LANGUAGES = ("language", "lang")
# Longer values are other texts, not facts about the document; metadata travels with every hit.
_MAX_METADATA = 2_000
# With this many bad records and no good one the rest of the file is not tried.
_GIVE_UP = 1_000
_DELIMITERS = ",;\t|"


@dataclass(frozen=True, slots=True)
class FieldMap:
    """The names of the fields of a record that hold what Dateline needs.

    A dot reaches into nested JSON ("meta.date"). A field left at its default is also found under
    common other names: "content", "body", "headline", "published", "_id" and the like.
    """

    text: str = "text"
    title: str = "title"
    date: str = "date"
    url: str = "url"
    id: str = "id"

    def names(self, field: str) -> tuple[str, ...]:
        """The names under which to look for `field`, in order."""
        name: str = getattr(self, field)
        return _ALIASES[field] if name == field else (name,)


def load_json(
    path: Path, source: str, fields_: FieldMap, on_error: OnError | None
) -> Iterator[Document]:
    """The documents in a JSON file: one object, a list of objects, or an object holding a list.

    The source of a record is `source#id`, or `source#3` for the third where it has no id; an
    object that is the whole file has no `#`.

    Raises:
        LoadError: it is not JSON, or holds no record with text; a bad record if not `on_error`.
    """
    text = decode(read_bytes(path, source), source)
    try:
        data = _parse(text)
    except json.JSONDecodeError as error:
        if error.msg == "Extra data":  # JSON Lines under the wrong suffix
            yield from load_jsonl(path, source, fields_, on_error)
            return
        raise LoadError(
            f"{source} is not valid JSON: {error}.", "Correct it, or export it again."
        ) from error
    except (ValueError, RecursionError) as error:
        raise LoadError(f"{source} is not usable JSON: {error}.", "Export it again.") from error
    if isinstance(data, dict):
        if _find(data, fields_.names("text"))[1] is not None:
            yield _document(data, source, path.stem, fields_)
            return
        lists = (value for value in data.values() if isinstance(value, list))
        data = next((value for value in lists if any(isinstance(v, dict) for v in value)), [data])
    records = enumerate(data if isinstance(data, list) else [data], start=1)
    yield from _documents(path, source, "record", records, fields_=fields_, on_error=on_error)


def load_jsonl(
    path: Path, source: str, fields_: FieldMap, on_error: OnError | None
) -> Iterator[Document]:
    """The documents in a JSON Lines file, one object a line, read line by line.

    The source of a record is `source#id`, or `source#17` for line 17 where it has no id.

    Raises:
        LoadError: no line is a record with text; a bad line if not `on_error`.
    """
    encoding, errors = detect_encoding(path, source)
    with path.open(encoding=encoding, errors=errors) as file:
        lines = ((number, line) for number, line in enumerate(file, start=1) if line.strip())
        records = ((number, _parse_line(line)) for number, line in lines)
        yield from _documents(path, source, "line", records, fields_=fields_, on_error=on_error)


def load_csv(
    path: Path, source: str, fields_: FieldMap, on_error: OnError | None
) -> Iterator[Document]:
    """The documents in a CSV or TSV file with a header row, one a row, read row by row (RFC 4180).

    The delimiter is whichever of `, ; tab |` splits the header best. The source of a record is
    `source#id`, or `source#3` for the third row below the header where it has no id.

    Raises:
        LoadError: the header has no text field, or no row has text; a bad row if not `on_error`.
    """
    csv.field_size_limit(2**31 - 1)  # the default, 128 KiB, is shorter than long articles
    encoding, errors = detect_encoding(path, source)
    with path.open(encoding=encoding, errors=errors, newline="") as file:
        delimiter = _delimiter(next((line for line in file if line.strip()), ""), fields_)
        file.seek(0)
        rows = csv.reader(file, delimiter=delimiter, strict=True)
        try:
            header = next((row for row in rows if any(name.strip() for name in row)), [])
            header = [name.strip() for name in header]
        except csv.Error as error:
            raise LoadError(
                f"{source} has no readable header row: {error}.", "Export it again."
            ) from error
        if header and not _has_text_field(header, fields_):
            raise _no_text_field(source, header)
        records = enumerate(_rows(rows, header), start=1)
        yield from _documents(path, source, "row", records, fields_=fields_, on_error=on_error)


def _rows(rows: Iterator[list[str]], header: list[str]) -> Iterator[Record | _Bad]:
    while True:
        try:
            row = next(rows)
        except StopIteration:
            return
        except csv.Error as error:
            yield _Bad(f"is not valid CSV ({error})")
            continue
        if len(row) > len(header):
            yield _Bad(f"has {len(row)} cells where the header has {len(header)}")
        elif row:
            yield dict(zip(header, row, strict=False))


def _delimiter(header: str, fields_: FieldMap) -> str:
    def fit(delimiter: str) -> tuple[bool, int]:
        names = [name.strip() for name in next(csv.reader([header], delimiter=delimiter), [])]
        return _has_text_field(names, fields_), len(names)

    return max(_DELIMITERS, key=fit)


def _parse(text: str) -> object:
    # NaN and Infinity are not JSON, and 1e999 would become one when it is written again.
    return json.loads(text, parse_constant=lambda _: None, parse_float=_finite)


def _finite(digits: str) -> float | None:
    number = float(digits)
    return number if math.isfinite(number) else None


def _parse_line(line: str) -> object:
    try:
        return _parse(line)
    except (ValueError, RecursionError) as error:
        return _Bad(f"is not valid JSON ({error})")


def _documents(
    path: Path,
    source: str,
    unit: str,
    records: Iterable[tuple[int, object]],
    *,
    fields_: FieldMap,
    on_error: OnError | None,
) -> Iterator[Document]:
    """A document for each good record; `unit` is what they are called in messages.

    Errors wait until one record is good: where none is, the file as a whole is at fault.
    """
    waiting: list[LoadError] = []
    good = False
    names: set[str] = set()
    used: set[str] = set()
    for number, record in records:
        document = None
        try:
            if not isinstance(record, Mapping):
                reason = (
                    record.reason if isinstance(record, _Bad) else "is not an object with fields"
                )
                raise LoadError(f"{source}, {unit} {number}, {reason}.", "Correct or remove it.")
            names.update(() if good else record)
            key = str(_find(record, fields_.names("id"))[1] or number)
            if key in used:  # two records of one source would replace each other
                key = f"{key}@{number}"
            document = _document(record, f"{source}#{key}", f"{path.stem} #{key}", fields_)
            used.add(key)
        except LoadError as error:
            waiting.append(error)
        good = good or document is not None
        if good:
            for problem in waiting:
                if on_error is None:
                    raise problem
                on_error(problem)
            waiting.clear()
        elif len(waiting) >= _GIVE_UP:
            break
        if document is not None:
            yield document
    if good:
        return
    if names and not _has_text_field(names, fields_):
        raise _no_text_field(source, names)
    if waiting:
        raise LoadError(
            f"{source} holds no usable {unit} among {len(waiting)}. The first: "
            f"{waiting[0].problem}",
            waiting[0].next_step,
        )
    raise LoadError(f"{source} is empty: it holds no records.", "Leave it out, or fill it.")


def _has_text_field(names: Iterable[str], fields_: FieldMap) -> bool:
    # Of a dotted path only the first part is a field of the record itself.
    wanted = fields_.names("text")
    known = {name.casefold() for name in names}
    return any({name.casefold(), name.split(".")[0].casefold()} & known for name in wanted)


def _no_text_field(source: str, names: Iterable[str]) -> LoadError:
    listed = ", ".join(sorted(name for name in names if name)[:30]) or "none"
    return LoadError(
        f"{source} has no text field; the fields it has are: {listed}.",
        "Name the field that holds the text with --text-field.",
    )


def _find(record: Record, names: Iterable[str]) -> tuple[str, object | None]:
    """The first of `names` that has a value: exact, as a dotted path, or in another case.

    Returns the key under which the record itself has it ("" for a path) and the value, or None.
    """
    folded = {key.casefold(): key for key in record}
    for name in names:
        key = name if name in record else folded.get(name.casefold(), "")
        value = record.get(key)
        if value is None and "." in name:
            value = record
            for part in name.split("."):
                value = value.get(part) if isinstance(value, Mapping) else None
        if value is not None and value != "":
            return key, value
    return "", None


def _document(record: Record, source: str, name: str, fields_: FieldMap) -> Document:
    found = {field.name: _find(record, fields_.names(field.name)) for field in fields(FieldMap)}
    text, title, url = (found[field][1] for field in ("text", "title", "url"))
    if not isinstance(text, str) or not text.strip():
        raise LoadError(f"{source} has no text.", "Fill its text field, or remove it.")
    taken = {found[field][0] for field in ("text", "title", "url", "id")}
    metadata = {key: value for key, value in record.items() if key not in taken and _is_fact(value)}
    return make_document(
        source=source,
        text=text,
        title=title if isinstance(title, str) else None,
        fallback_title=name,
        stated=[("field", found["date"][1])],
        language=_find(record, _LANGUAGES)[1],
        metadata={
            **cast("dict[str, Json]", metadata),
            "url": url if isinstance(url, str) else None,
        },
    )


def _is_fact(value: object) -> bool:
    """Whether `value` is metadata: a number, a short text, or a list of such."""
    if isinstance(value, list):
        return len(value) <= 100 and all(_is_fact(v) and not isinstance(v, list) for v in value)
    return isinstance(value, (bool, int, float)) or (
        isinstance(value, str) and 0 < len(value) <= _MAX_METADATA
    )
