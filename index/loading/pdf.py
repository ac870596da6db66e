"""PDF by PDFium: the text layer, page by page, wrapped lines joined, a map of the pages."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from index.document import Document
from index.errors import LoadError

from .common import make_document, normalise, refuse_size

_PDFIUM = threading.Lock()  # PDFium is not thread-safe
_MAX_BYTES = 1 << 30
_PASSWORD_ERROR = 4  # FPDF_ERR_PASSWORD in fpdfview.h

# PDFium marks a hyphen that only breaks a word at a line end with one of these.
_LINE_HYPHEN = re.compile(r"(\w+)[\x02\ufffe](\w+)")
# First parts that keep their hyphen: "well-known", not "wellknown".
_HYPHENATED = frozenset(
    """all anti cross ex four full half high large long low mid multi non one post pre pro quasi
    self semi short single small so three two vice well""".split()
)
_ENDS_SENTENCE = re.compile(r"[.!?:;…][\"'”’»)\]]*$")
_STARTS_ITEM = re.compile(r"[•◦▪●‣*–—-]\s|\(?\w{1,3}[.)]\s")
# Titles that programs put in, which name no document.
_NO_TITLE = re.compile(
    r"untitled.*|\(?anonymous\)?|.*\.(?:docx?|pdf|indd|qxd|tex|dvi|rtf|odt|pptx?|xlsx?|html?)",
    re.IGNORECASE,
)


def load_pdf(path: Path, source: str) -> Document:
    """The text of a PDF, with `pages` holding the offset at which each page starts.

    Lines broken by the layout are joined and words broken by a hyphen closed up; pages are a
    blank line apart unless a sentence runs over. Images are not unpacked, so memory stays below
    the file's own size. The creation date in the PDF's information is taken for the publication
    date only where the text itself states none.

    Raises:
        LoadError: the file is encrypted, broken, larger than 1 GiB, or has no text layer.
    """
    with _PDFIUM, closing(_open(path, source)) as pdf:
        if len(pdf) == 0:
            raise LoadError(f"{source} is a PDF without pages.", "Export it again.")
        pages = list(_page_texts(pdf))
        information = pdf.get_metadata_dict(skip_empty=True)
    if not any(pages):
        raise LoadError(
            f"{source} has no text layer: its pages are pictures, as in a scan.",
            "Run OCR over it first, for instance `ocrmypdf IN.pdf OUT.pdf`.",
        )
    text, starts = _join(pages)
    title = information.get("Title", "").removeprefix("Microsoft Word - ").strip()
    return make_document(
        source=source,
        text=text,
        title=None if _NO_TITLE.fullmatch(title) else title,
        fallback_title=path.stem,
        unsure=[("pdf info", information.get("CreationDate"))],
        metadata={
            "author": information.get("Author"),
            "subject": information.get("Subject"),
            "keywords": information.get("Keywords"),
        },
        pages=starts,
    )


def check_pdf(path: Path, source: str) -> None:
    """Refuse what is too large, or has no PDF header where readers look for it.

    Raises:
        LoadError: that is so.
        OSError: it may not be read, which PDFium would call broken.
    """
    refuse_size(path.stat().st_size, source, _MAX_BYTES)
    with path.open("rb") as file:
        if b"%PDF-" not in file.read(1024 + 5):
            raise _broken(source)


def _broken(source: str) -> LoadError:
    return LoadError(
        f"{source} is not a readable PDF: it is broken or cut off.",
        "Download or export it again; `qpdf IN OUT` repairs some.",
    )


def _open(path: Path, source: str) -> Any:  # noqa: ANN401 - pypdfium2 is untyped
    import pypdfium2  # noqa: PLC0415 - loads a native library

    check_pdf(path, source)
    try:
        return pypdfium2.PdfDocument(path)
    except pypdfium2.PdfiumError as error:
        if error.err_code == _PASSWORD_ERROR:
            raise LoadError(
                f"{source} is encrypted and asks for a password.",
                "Remove the password, for instance with `qpdf --decrypt --password=... IN OUT`.",
            ) from error
        raise _broken(source) from error


def _page_texts(pdf: Any) -> Iterator[str]:  # noqa: ANN401 - pypdfium2 is untyped
    import pypdfium2  # noqa: PLC0415 - already imported by _open

    for number in range(len(pdf)):
        try:
            with closing(pdf[number]) as page, closing(page.get_textpage()) as layer:
                raw = layer.get_text_bounded()
        except pypdfium2.PdfiumError:
            raw = ""  # a damaged page keeps its number and loses only its own text
        yield _unwrap(_close_hyphens(normalise(raw)))


def _close_hyphens(text: str) -> str:
    """`text` with line-end hyphens taken out, or kept where the word has one anyway.

    It has one when the page spells it so elsewhere, when its first part usually keeps its hyphen,
    or when what follows is no lower-case word ("Anglo-American", "COVID-19").
    """
    if "\x02" not in text and "\ufffe" not in text:
        return text

    def close(match: re.Match[str]) -> str:
        first, second = match.groups()
        spelled = f"{first}-{second}"
        keeps = first.lower() in _HYPHENATED or not second[0].islower() or spelled in text
        return spelled if keeps and first + second not in text else first + second

    return _LINE_HYPHEN.sub(close, text).replace("\x02", "-").replace("\ufffe", "-")


def _unwrap(text: str) -> str:
    """`text` of one page with the lines of a paragraph joined by spaces.

    A line runs on if the next one starts in lower case, or if it is about as long as the page's
    lines are and ends no sentence. A short line that ends a sentence closes its paragraph, which
    a blank line then shows. Anything in doubt (tables, addresses, headings) keeps its line break.
    """
    lines = [line.strip() for line in text.split("\n")]
    lengths = sorted(len(line) for line in lines if line)
    width = lengths[round(0.9 * (len(lengths) - 1))] if lengths else 0
    pieces: list[str] = []
    for line, following in zip(lines, [*lines[1:], ""], strict=True):
        pieces.append(line)
        ends = bool(_ENDS_SENTENCE.search(line))
        full = len(line) >= 0.75 * width and width >= 40
        if not line or not following or _STARTS_ITEM.match(following):
            pieces.append("\n")
        elif following[0].islower() or (full and (not ends or len(line) >= 0.95 * width)):
            pieces.append(" ")
        else:
            pieces.append("\n\n" if ends else "\n")
    return re.sub(r"\n{3,}", "\n\n", "".join(pieces)).strip()


def _join(pages: list[str]) -> tuple[str, tuple[int, ...]]:
    """The pages as one text, and the offset at which each starts."""
    pieces: list[str] = []
    starts: list[int] = []
    offset = 0
    for number, page in enumerate(pages):
        if number:
            before = pages[number - 1]
            runs_on = before and page[:1].islower() and not _ENDS_SENTENCE.search(before)
            pieces.append(" " if runs_on else "\n\n")
            offset += len(pieces[-1])
        starts.append(offset)
        pieces.append(page)
        offset += len(page)
    return "".join(pieces), tuple(starts)
