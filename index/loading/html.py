"""HTML: trafilatura finds the article and leaves navigation, banners and footers out."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from index.document import Document
from index.errors import LoadError

from .common import make_document, read_bytes
from .encoding import decode

_META_CHARSET = re.compile(
    rb"<(?:meta|\?xml)[^>]*?(?:charset|encoding)\s*=\s*[\"']?([\w:.-]+)", re.I
)
_XML_DECLARATION = re.compile(r"^\s*<\?xml[^>]*\?>")
# Names of <meta> elements (name, property or itemprop) that hold a publication date. Dates of
# modification are left out: they say when the page changed, not when the story appeared.
_META_DATES = (
    "article:published_time",
    "og:article:published_time",
    "og:published_time",
    "datepublished",
    "parsely-pub-date",
    "sailthru.date",
    "pubdate",
    "publishdate",
    "publish-date",
    "publish_date",
    "publication_date",
    "citation_publication_date",
    "citation_date",
    "dc.date.issued",
    "dcterms.issued",
    "dcterms.created",
    "dc.date",
    "dcterms.date",
    "cxenseparse:recs:publishtime",
    "date",
)
_PUBLISHED_TIME = (
    "//time[@datetime and (@pubdate or @itemprop='datePublished'"
    " or contains(@class, 'publish') or contains(@class, 'entry-date'))]/@datetime"
    " | //*[@itemprop='datePublished']/@content"
)
# Elements of trafilatura's article tree.
_BLOCKS = frozenset({"p", "head", "list", "quote", "table", "code"})
_LINES = frozenset({"item", "row", "lb"})


def load_html(path: Path, source: str) -> Document:
    """The article in an HTML page, paragraphs separated by a blank line.

    Where no article can be made out the page's plain text is taken. The title is the headline;
    the publication date comes from JSON-LD, a <meta> element or microdata, else from the text.

    Raises:
        LoadError: the page shows no text.
    """
    data = read_bytes(path, source)
    charset = _META_CHARSET.search(data[:4096])
    declared = charset[1].decode("ascii") if charset else None
    return load_markup(decode(data, source, declared), source, path.stem)


def load_markup(markup: str, source: str, name: str) -> Document:
    """The Document of an HTML page given as text; `name` is its title where it has none."""
    from trafilatura.metadata import extract_metadata  # noqa: PLC0415 - slow to import

    tree = _parse(markup)
    if tree is None:
        raise LoadError(f"{source} is empty: it shows no text.", "Leave it out, or fill it.")
    dates = list(_stated_dates(tree))
    # Its own search for a date, kept short by `extensive`, may guess; `dates` are stated ones.
    about = extract_metadata(tree, extensive=False)
    return make_document(
        source=source,
        text=markup_text(markup),
        title=about.title,
        fallback_title=name,
        stated=dates,
        language=tree.get("lang") or tree.get("{http://www.w3.org/XML/1998/namespace}lang"),
        metadata={
            "url": about.url,
            "author": about.author,
            "sitename": about.sitename,
            "description": about.description,
        },
    )


def markup_text(markup: str) -> str:
    """The readable text of HTML: its article, or all it shows where there is none; may be empty."""
    from trafilatura import bare_extraction, html2txt  # noqa: PLC0415 - slow to import

    tree = _parse(markup)
    if tree is None:
        return ""
    article = bare_extraction(tree, include_comments=False, include_tables=True)
    body = getattr(article, "body", None)
    text = _body_text(body) if body is not None else ""
    return text or html2txt(_parse(markup)).strip()


def _parse(markup: str) -> Any:  # noqa: ANN401 - lxml is untyped
    from trafilatura.utils import load_html as parse  # noqa: PLC0415 - slow to import

    markup = _XML_DECLARATION.sub("", markup)
    tree = parse(markup)
    return tree if tree is not None else parse(f"<html><body>{markup}</body></html>")


def _body_text(body: Any) -> str:  # noqa: ANN401 - lxml is untyped
    """The text of trafilatura's article tree: blocks a blank line apart, table cells a tab."""
    pieces: list[str] = []

    def walk(element: Any) -> None:  # noqa: ANN401
        if element.tag in _LINES:
            pieces.append("\n")
        elif element.tag in _BLOCKS:
            pieces.append("\n\n")
        pieces.append(element.text or "")
        for child in element:
            walk(child)
            if child.tag == "cell" and child.getnext() is not None:
                pieces.append("\t")
            elif child.tag in _BLOCKS:
                pieces.append("\n\n")
            pieces.append(child.tail or "")

    walk(body)
    text = re.sub(r"[ \xa0]*\n[ \xa0]*", "\n", "".join(pieces))
    return re.sub(r"\n{3,}", "\n\n", text).strip()


def _stated_dates(tree: Any) -> Iterator[tuple[str, object]]:  # noqa: ANN401 - lxml is untyped
    for script in tree.iterfind(".//script[@type='application/ld+json']"):
        try:
            data = json.loads(script.text or "", strict=False)
        except (ValueError, RecursionError):
            continue
        yield from (("json-ld", value) for value in _date_published(data))
    metas: dict[str, str] = {}
    for meta in tree.iter("meta"):
        name = meta.get("property") or meta.get("name") or meta.get("itemprop") or ""
        metas.setdefault(name.lower(), meta.get("content") or "")
    yield from (("meta", metas[name]) for name in _META_DATES if name in metas)
    yield from (("meta", value) for value in tree.xpath(_PUBLISHED_TIME))


def _date_published(node: object) -> Iterator[object]:
    """Every schema.org `datePublished` in JSON-LD, outermost first: a page before its comments."""
    layer = [node]
    while layer:
        below: list[object] = []
        for item in layer:
            if isinstance(item, dict):
                if "datePublished" in item:
                    yield item["datePublished"]
                below.extend(item.values())
            elif isinstance(item, list):
                below.extend(item)
        layer = below
