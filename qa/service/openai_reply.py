"""An answer as the text of a chat message, with the places of its citations.

The text is Markdown, which chat clients show. What a document says is written so that it stays
plain text there: a backslash stands before what would be a link, an image, emphasis or HTML. Hence
every `[1]` without a backslash is ours, and no document can smuggle in a link to elsewhere.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple
from urllib.parse import quote, urlsplit, urlunsplit

from index import Document

from ..answer import Answer, Citation
from ..markdown import Style, sources, tidy, told

_ACTIVE = re.compile(r"[\\`*\[\]<]")
_ESCAPED = re.compile(r"\\([\\`*\[\]<])")
_MARKER = re.compile(r"(?<!\\)\[(\d+)\](?!\()")  # with "(" it is a link whose title is a number
_UNDERSTOOD = re.compile(r"\*understood as: (.+)\*$", re.MULTILINE)
_WORD = re.compile(r"\w+|[^\w\s]")
_IN_URL = "/:?#@!$&'*+,;=%~-._"  # left as they are: not brackets, which end a link in Markdown


class Marker(NamedTuple):
    """Where a citation's number stands in a reply: `text[start:end] == f"[{number}]"`.

    Offsets count Unicode code points, the end is exclusive.
    """

    start: int
    end: int
    citation: Citation
    url: str


class Reply(NamedTuple):
    """A chat message: Markdown, and the citations in it in the order of the text."""

    text: str
    markers: list[Marker]


def reply_text(answer: Answer, url_of: Callable[[Citation], str]) -> Reply:
    """The message that tells an answer.

    The markers are those of the answer, or of the nearest passages where there is none; the list of
    sources after it repeats their numbers for people.
    """
    style = Style(escaped, url_of)
    text = "\n".join(told(answer, style))
    cited = {citation.number: citation for citation in answer.citations or answer.nearest}
    markers = [
        Marker(found.start(), found.end(), citation, url_of(citation))
        for found in _MARKER.finditer(text)
        for citation in [cited[int(found[1])]]
    ]
    return Reply("\n".join([text, *sources(answer, style)]), markers)


def escaped(text: str) -> str:
    """A document's words on one line of Markdown, as plain text there."""
    return _ACTIVE.sub(r"\\\g<0>", tidy(text))


def understood_question(text: str) -> str | None:
    """The question that a reply of ours says it answers, if it is not the one that was asked."""
    found = _UNDERSTOOD.match(text)
    return _ESCAPED.sub(r"\1", found[1]) if found else None


def source_url(citation: Citation, document: Document | None, base: str) -> str:
    """Where a citation can be looked at: its document's own address, or the page's source view.

    Args:
        base: address of the service, without a slash at its end.
    """
    own = document.metadata.get("url") if document else None
    if isinstance(own, str) and (address := _web_address(own)):
        return address
    span = f"start={citation.start}&end={citation.end}"
    return f"{base}/#/source/{quote(citation.document_id)}?{span}"


def _web_address(text: str) -> str | None:
    """An address of http or https, safe to stand in Markdown; None if it is something else."""
    try:
        parts = urlsplit(text.strip())
        host = parts.hostname
    except ValueError:
        return None
    if parts.scheme not in ("http", "https") or not host or re.search(r"[\s()<>\\]", parts.netloc):
        return None
    rest = (quote(part, safe=_IN_URL) for part in (parts.path, parts.query, parts.fragment))
    return urlunsplit((parts.scheme, parts.netloc, *rest))


def count_tokens(text: str) -> int:
    """Words and punctuation marks: there is no language model whose tokens could be counted."""
    return len(_WORD.findall(text))
