"""Word documents (.docx): paragraphs and tables in document order.

python-docx opens the package and reads its properties. Its own paragraph text leaves out content
controls and tracked insertions, so the body is read from the XML (ECMA-376 part 1, chapter 17).
"""

from __future__ import annotations

import struct
import zipfile
from datetime import datetime
from pathlib import Path
from typing import Any

from index.document import Document
from index.errors import LoadError

from .common import make_document, refuse_size

_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_FALLBACK = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"
_CHARACTERS = {f"{_W}tab": "\t", f"{_W}br": "\n", f"{_W}cr": "\n", f"{_W}noBreakHyphen": "-"}
# What no reader sees: deletions, and the copy of a drawing kept for old programs.
_HIDDEN = frozenset({f"{_W}del", f"{_W}moveFrom", f"{_W}pPr", f"{_W}rPr", _FALLBACK})
_OLE_MAGIC = b"\xd0\xcf\x11\xe0"
_TITLE_STYLES = ("title", "heading 1", "heading1")
# A package is refused for what it would unpack to before any of it is unpacked. The XML of a novel
# has some 10 MiB and takes 20 times that as a tree; text shrinks to a tenth, tables to a fiftieth.
_MAX_XML = 64 << 20
_MAX_RATIO = 200
_RATIO_MATTERS = 8 << 20  # bytes unpacked; below, a small file may shrink as it likes
_MAX_DIRECTORY = 4 << 20  # bytes: some 40,000 parts
_END_OF_DIRECTORY = struct.Struct("<4s8xI6x")  # signature, size of the directory (APPNOTE 4.3.16)
# The creation date in python-docx's template, which everything made with it carries.
_TEMPLATE_CREATED = datetime(2013, 12, 23, 23, 15)


def load_docx(path: Path, source: str) -> Document:
    """The text of a Word document, paragraphs a blank line apart, table cells a tab.

    The title is the one in its properties, else its first title or heading. When it was created
    is taken for the publication date only where the text states none.

    Raises:
        LoadError: it is encrypted, in the old .doc format, or broken, or unpacks to too much.
    """
    import docx  # noqa: PLC0415 - slow to import

    check_docx(path, source)
    try:
        document = docx.Document(str(path))
        blocks = _blocks(document.element.body)
        properties = document.core_properties
        created = properties.created
        title = properties.title or _heading(document)
    except OSError:
        raise
    except Exception as error:  # python-docx and lxml raise whatever broken parts lead them to
        raise _broken(source) from error
    unstamped = created is None or created.replace(tzinfo=None) == _TEMPLATE_CREATED
    return make_document(
        source=source,
        text="\n\n".join(blocks),
        title=title,
        fallback_title=path.stem,
        unsure=[] if unstamped else [("docx properties", created)],
        language=properties.language,
        metadata={
            "author": properties.author if properties.author != "python-docx" else None,
            "subject": properties.subject,
            "keywords": properties.keywords,
        },
    )


def check_docx(path: Path, source: str) -> None:
    """Refuse what its first bytes and its list of parts show to be unreadable.

    The sizes in that list can be trusted: `zipfile` unpacks no more than they say.

    Raises:
        LoadError: no package of parts, or one that unpacks to too much (a "zip bomb").
    """
    size = path.stat().st_size
    refuse_size(size, source)
    with path.open("rb") as file:
        magic = file.read(4)
        file.seek(max(size - (1 << 16) - _END_OF_DIRECTORY.size, 0))
        tail = file.read()
    if magic == _OLE_MAGIC:
        raise LoadError(
            f"{source} is encrypted, or an old .doc file under the name of a .docx.",
            "Remove the password, or save it as .docx.",
        )
    end = tail.rfind(b"PK\5\6")
    if not 0 <= end <= len(tail) - _END_OF_DIRECTORY.size:
        raise _broken(source)
    if _END_OF_DIRECTORY.unpack_from(tail, end)[1] > _MAX_DIRECTORY:
        raise _bomb(source, "holds more parts than a document has")
    try:
        with zipfile.ZipFile(path) as package:
            parts = package.infolist()
    except (zipfile.BadZipFile, NotImplementedError) as error:
        raise _broken(source) from error
    unpacked = sum(part.file_size for part in parts)
    xml = sum(part.file_size for part in parts if part.filename.endswith((".xml", ".rels")))
    if unpacked > max(_RATIO_MATTERS, _MAX_RATIO * size):
        raise _bomb(source, f"unpacks to {unpacked // size} times its size")
    refuse_size(unpacked, f"{source}, unpacked,")
    refuse_size(xml, f"The text of {source}, unpacked,", _MAX_XML)


def _bomb(source: str, why: str) -> LoadError:
    return LoadError(
        f"{source} is no usual Word document: it {why}.",
        "Open it in a word processor and save its text again, in parts if it is that long.",
    )


def _broken(source: str) -> LoadError:
    return LoadError(
        f"{source} is not a readable Word document: it is broken or something else.",
        "Open it in a word processor and save it again as .docx.",
    )


def _blocks(body: Any) -> list[str]:  # noqa: ANN401 - lxml is untyped
    """The text of each paragraph and table below `body`, in order, empty ones left out."""
    found: list[str] = []
    for element in body:
        if element.tag == f"{_W}p":
            found.append(_paragraph(element))
        elif element.tag == f"{_W}tbl":
            found.append(_table(element))
        elif isinstance(element.tag, str) and element.tag not in _HIDDEN:
            found.extend(_blocks(element))  # content controls and insertions hold blocks
    return [block for block in found if block.strip()]


def _paragraph(element: Any) -> str:  # noqa: ANN401 - lxml is untyped
    pieces: list[str] = []
    for child in element:
        if child.tag == f"{_W}t":
            pieces.append(child.text or "")
        elif child.tag in _CHARACTERS:
            pieces.append(_CHARACTERS[child.tag])
        elif isinstance(child.tag, str) and child.tag not in _HIDDEN:
            if child.tag == f"{_W}p" and pieces:  # the paragraphs of a text box
                pieces.append("\n")
            pieces.append(_paragraph(child))
    return "".join(pieces)


def _table(element: Any) -> str:  # noqa: ANN401 - lxml is untyped
    rows = []
    for row in element.iterchildren(f"{_W}tr"):
        cells = [" ".join(_blocks(cell)) for cell in row.iter(f"{_W}tc") if _row_of(cell) is row]
        rows.append("\t".join(" ".join(cell.split()) for cell in cells))
    return "\n".join(row for row in rows if row.strip())


def _row_of(cell: Any) -> Any:  # noqa: ANN401 - lxml is untyped
    return next(cell.iterancestors(f"{_W}tr"))


def _heading(document: Any) -> str | None:  # noqa: ANN401 - python-docx is untyped
    for paragraph in document.paragraphs[:20]:
        if paragraph.style.name.lower() in _TITLE_STYLES and paragraph.text.strip():
            return str(paragraph.text)
    return None
