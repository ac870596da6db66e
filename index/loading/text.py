"""Plain text and Markdown. The text stays verbatim, markup included."""

from __future__ import annotations

import re
from pathlib import Path

from index.document import Document, Json

from .common import make_document, normalise, read_bytes
from .encoding import decode

_FRONT_MATTER = re.compile(r"---[ \t]*\n(.*?)\n(?:---|\.\.\.)[ \t]*(?:\n+|$)", re.DOTALL)
_FRONT_LINE = re.compile(r"([A-Za-z][\w-]*)[ \t]*:[ \t]+(.+)")
_HEADING = re.compile(r"^#[ \t]+(.+?)[ \t#]*$|^(\S.*)\n=+[ \t]*$", re.MULTILINE)
_FENCE = re.compile(r"^(```|~~~).*?(?:^\1|\Z)", re.MULTILINE | re.DOTALL)


def load_text(path: Path, source: str) -> Document:
    """The document in a plain text file; its headline becomes the title and stays in the text."""
    text = decode(read_bytes(path, source), source)
    return make_document(source=source, text=text, title=None, fallback_title=path.stem)


def load_markdown(path: Path, source: str) -> Document:
    """The document in a Markdown file.

    Title, date, language, author and the like come from its front matter (`key: value` lines
    between `---` lines; nested YAML is passed over), which is no part of the text; without one,
    the first top-level heading is the title.
    """
    text = normalise(decode(read_bytes(path, source), source))
    fields: dict[str, str] = {}
    where: dict[str, Json] = {}
    if front := _FRONT_MATTER.match(text):
        for line in front[1].split("\n"):
            if match := _FRONT_LINE.fullmatch(line.strip() if line[:1] != " " else ""):
                fields[match[1].lower()] = match[2].strip().strip("\"'")
        text = text[front.end() :]
        where["first_line"] = 1 + front[0].count("\n")  # of the text, in the file
    heading = _HEADING.search(_FENCE.sub("", text[:20_000]))
    return make_document(
        source=source,
        text=text,
        title=fields.pop("title", None) or (heading and (heading[1] or heading[2])) or None,
        fallback_title=path.stem,
        stated=[("front matter", fields.pop("date", None))],
        language=fields.pop("lang", None) or fields.pop("language", None),
        metadata={**fields, **where},
    )
