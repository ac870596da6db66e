"""E-mail messages (.eml, RFC 5322 and MIME): the body as text, the headers as metadata."""

from __future__ import annotations

import email
from collections.abc import Iterator
from email.errors import MessageError
from email.header import decode_header, make_header
from email.message import Message
from pathlib import Path

from index.document import Document
from index.errors import LoadError

from .common import make_document, read_bytes
from .encoding import decode
from .html import markup_text

_KNOWN_HEADERS = ("from", "to", "subject", "date", "received", "message-id", "return-path")


def load_email(path: Path, source: str) -> Document:
    """The body of a message; plain text is preferred over HTML, attachments are only named.

    The title is the subject, `published` the day of the Date header in the sender's own time
    zone. A header that cannot be parsed is kept as it stands, never an error.

    Raises:
        LoadError: it has no e-mail headers or no text.
    """
    message = email.message_from_bytes(read_bytes(path, source))
    if not any(name in message for name in _KNOWN_HEADERS):
        raise LoadError(
            f"{source} does not look like an e-mail: it has no headers.",
            "Save the message again as .eml, or rename the file if it is plain text.",
        )
    attachments = list(_attachments(message, source))
    text = _text(message, source)
    if not text.strip():
        raise LoadError(
            f"{source} has no text in its body"
            + (f", only attachments: {', '.join(attachments)}." if attachments else "."),
            "Save the attachments as files and index those." if attachments else "Leave it out.",
        )
    return make_document(
        source=source,
        text=text,
        title=_header(message, "subject", source),
        fallback_title=path.stem,
        stated=[("header", _header(message, "date", source))],
        language=_header(message, "content-language", source),
        metadata={
            "from": _header(message, "from", source),
            "to": _header(message, "to", source),
            "cc": _header(message, "cc", source),
            "message_id": _header(message, "message-id", source),
            "attachments": [*attachments],
        },
    )


def _header(message: Message[str, str], name: str, source: str) -> str | None:
    """A header, unfolded and decoded (RFC 2047), or as it stands where it breaks the rules."""
    raw = next((value for key, value in message.raw_items() if key.lower() == name), None)
    if raw is None:
        return None
    return " ".join(_words(raw, source).split())


def _words(raw: str, source: str) -> str:
    # Some programs write headers in plain UTF-8 or Latin-1; the parser keeps those as escapes.
    data = raw.encode("utf-8", "surrogateescape")
    try:
        raw = decode(data, source)
        return str(make_header(decode_header(raw)))
    except (LoadError, MessageError, ValueError, LookupError):
        return data.decode("utf-8", "replace") if not raw.isprintable() else raw


def _is_attachment(part: Message[str, str]) -> bool:
    if part.get_content_disposition() == "attachment" or part.get_content_maintype() == "message":
        return True
    return not part.is_multipart() and part.get_content_type() not in {"text/plain", "text/html"}


def _attachments(message: Message[str, str], source: str) -> Iterator[str]:
    for part in _parts(message):
        if _is_attachment(part):
            yield _words(part.get_filename() or part.get_content_type(), source)
        elif part.is_multipart():
            yield from _attachments(part, source)


def _parts(part: Message[str, str]) -> Iterator[Message[str, str]]:
    payload = part.get_payload()
    if isinstance(payload, list):
        yield from (child for child in payload if isinstance(child, Message))


def _text(part: Message[str, str], source: str) -> str:
    if part.get_content_type() == "multipart/alternative":
        plain = [child for child in _parts(part) if child.get_content_type() == "text/plain"]
        others = [child for child in _parts(part) if child not in plain]
        for child in (*plain, *reversed(others)):  # the last alternative is the richest
            if not _is_attachment(child) and (text := _text(child, source)).strip():
                return text
        return ""
    if part.is_multipart():
        texts = [_text(child, source) for child in _parts(part) if not _is_attachment(child)]
        return "\n\n".join(text.strip("\r\n") for text in texts if text.strip())
    data = part.get_payload(decode=True)
    if not isinstance(data, bytes) or not data.strip():
        return ""
    text = decode(data, source, part.get_content_charset())
    return markup_text(text) if part.get_content_type() == "text/html" else text
