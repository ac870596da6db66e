"""What every loader shares: reading a file's bytes, normalising text, and building the Document."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from index.dating import find_dateline, parse_date
from index.document import Document, Json, document_id
from index.errors import LoadError

# Formats that must be read whole are refused above this; JSON Lines and CSV are streamed, and
# PDF has a limit of its own.
MAX_BYTES = 256 << 20

_ILL_FORMED = re.compile("[\0\ud800-\udfff]")
_BYLINE = re.compile(r"by\s|https?://|www\.", re.IGNORECASE)
_NOTHING: tuple[Json, ...] = (None, "", [])
_LANGUAGE = re.compile(r"([A-Za-z]{2})(?:[-_].*)?")


def read_bytes(path: Path, source: str) -> bytes:
    """All bytes of the file at `path`.

    Raises:
        LoadError: it is larger than `MAX_BYTES`.
        OSError: it cannot be read.
    """
    refuse_size(path.stat().st_size, source)
    return path.read_bytes()


def refuse_size(size: int, source: str, limit: int = MAX_BYTES) -> None:
    """Raise a LoadError if a file of `size` bytes is larger than `limit`."""
    if size > limit:
        raise LoadError(
            f"{source} is too large: {size >> 20:,} MiB, and the limit for this format is "
            f"{limit >> 20:,} MiB.",
            "Split it, or convert it to JSON Lines, which is read record by record.",
        )


def normalise(text: str) -> str:
    r"""`text` with "\n" as its only line ending and nothing in it that cannot be stored.

    "\r\n" and "\r" become "\n"; leading byte order marks and NUL characters (which only damaged
    or binary-bearing records hold) go; lone surrogates, which UTF-8 cannot express, become U+FFFD.
    Everything else stays as it is. Normalising twice changes nothing.
    """
    text = text.lstrip("\ufeff")
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    if _ILL_FORMED.search(text):
        text = _ILL_FORMED.sub(lambda found: "\ufffd" if found[0] != "\0" else "", text)
    return text


def headline(text: str) -> str | None:
    """The line among the first three that looks like a title (at most 200 characters), or None.

    A byline, a web address or a date line is passed over; a line that reads like a sentence, or
    runs on into the next one, is no title.
    """
    lines = [line.strip() for line in text[:4000].split("\n")]
    filled = [number for number, line in enumerate(lines) if line][:3]
    for number in filled:
        line = lines[number].lstrip("# ").strip("*_ ")
        dateline = find_dateline(line)
        if _BYLINE.match(line) or (dateline and dateline.origin == "date line"):
            continue
        following = lines[number + 1] if number + 1 < len(lines) else ""
        is_title = (
            len(line) <= 200
            and any(letter.isalpha() for letter in line)
            and not re.search(r"(?<![A-Z.])[.,;:]$", line)
            and not following[:1].islower()
        )
        return line if is_title else None
    return None


def language_code(value: object) -> str | None:
    """The ISO 639-1 code of a language tag ("en-GB" and "en_US" to "en"), or None."""
    match = _LANGUAGE.fullmatch(value.strip()) if isinstance(value, str) else None
    return match[1].lower() if match else None


def make_document(
    *,
    source: str,
    text: str,
    title: str | None,
    fallback_title: str,
    stated: Iterable[tuple[str, object]] = (),
    unsure: Iterable[tuple[str, object]] = (),
    language: object = None,
    metadata: Mapping[str, Json] | None = None,
    pages: tuple[int, ...] = (),
) -> Document:
    """The Document of `text`, with its date found and its emptiness refused.

    Args:
        title: the format's own title; without one, the text's headline, else `fallback_title`.
        stated: (origin, value) pairs that state a publication date, the most trusted first.
        unsure: such pairs that count only where the text has neither dateline nor date line:
            when a PDF or a Word file was made is often not when its text was published.

    The first value that is a date wins, and its origin is kept as `metadata["date_from"]`.

    Raises:
        LoadError: there is no text.
    """
    text = normalise(text)
    if not text.strip():
        raise LoadError(f"{source} is empty: it holds no text.", "Leave it out, or fill it.")
    dateline = find_dateline(text)
    filed = [(dateline.origin, dateline.published)] if dateline else []
    dates = ((origin, parse_date(value)) for origin, value in (*stated, *filed, *unsure))
    date_from, published = next((found for found in dates if found[1]), (None, None))
    known: dict[str, Json] = {
        key: value for key, value in (metadata or {}).items() if value not in _NOTHING
    }
    if date_from:
        known["date_from"] = date_from
    title = " ".join(normalise(title or "").split())
    return Document(
        id=document_id(source),
        source=source,
        title=title or headline(text) or fallback_title,
        text=text,
        published=published,
        place=dateline.place if dateline else None,
        language=language_code(language),
        metadata=known,
        pages=pages,
    )
