"""From bytes to text: which encoding, or whether it is text at all.

Order of trust: a byte order mark; strict UTF-8 (other text is practically never valid UTF-8 by
accident), also with a few damaged bytes; UTF-16 without a mark; what the document declares
(`<meta charset>`, a MIME charset); the code page whose letters make up one language; detection by
charset-normalizer. Whatever none of them settles is refused: text decoded wrongly would be indexed
and quoted wrongly.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterable, Iterator
from pathlib import Path

from index.errors import LoadError

from .codepages import MIXED_SCRIPTS, guess_code_page

_BLOCK = 1 << 20
_SAMPLE = 1 << 19

_MARKS = (  # UTF-32's little-endian mark begins with UTF-16's, so it stands first
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_SIGNATURES = (
    (b"%PDF-", "a PDF"),
    (b"PK\x03\x04", "a ZIP archive or Office document"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old or encrypted Office document"),
    (b"\x89PNG", "a PNG image"),
    (b"\xff\xd8\xff", "a JPEG image"),
    (b"GIF8", "a GIF image"),
    (b"\x7fELF", "a program"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"SQLite format 3\x00", "an SQLite database"),
)
_HIGH = bytes(range(0x80, 0x100))
# C0 controls that text does not hold. Tabs, line ends, form feeds, backspaces, escapes, DOS
# end-of-file and the information separators of old wire copy do occur in text.
_CONTROLS = bytes(c for c in range(0x20) if c not in b"\b\t\n\v\f\r\x1a\x1b\x1c\x1d\x1e\x1f")
_NOT_CONTROLS = bytes(c for c in range(0x100) if c not in _CONTROLS)
_MAX_CONTROL_SHARE = 0.02

# The WHATWG Encoding Standard reads these labels as their supersets, and so do browsers.
_SUPERSETS = {
    "ascii": "cp1252",
    "iso8859-1": "cp1252",
    "iso8859-9": "cp1254",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "shift_jis": "cp932",
    "euc_kr": "cp949",
}
_NEVER_DECLARED = frozenset({"idna", "punycode", "undefined", "unicode_escape", "utf-7"})


def decode(data: bytes, name: str, declared: str | None = None) -> str:
    """The text of `data`, without its byte order mark.

    Args:
        data: all bytes of the text.
        name: what to call it in an error.
        declared: charset label the document gives itself; wrong and unknown labels are ignored.

    Raises:
        LoadError: `data` looks binary, or no encoding fits it.
    """
    encoding, errors = _sniff([data], name, declared)
    return data.decode(encoding, errors)


def detect_encoding(path: Path, name: str) -> tuple[str, str]:
    """Encoding and error handler with which to `open` the text file at `path`.

    The file is read once, block by block, so memory stays bounded whatever its size.

    Raises:
        LoadError: it looks binary, or no encoding fits it.
        OSError: it cannot be read.
    """
    return _sniff(_blocks(path), name, None)


def check_text(path: Path, name: str) -> None:
    """Refuse a file that begins like one of a well-known binary format.

    Raises:
        LoadError: it does.
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        _refuse_signatures(file.read(16), name)


def _blocks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            yield block


def _sniff(blocks: Iterable[bytes], name: str, declared: str | None) -> tuple[str, str]:
    utf8 = codecs.getincrementaldecoder("utf-8")("replace")
    sample = bytearray()
    size = controls = damaged = multibyte = 0
    escapes = False
    for block in blocks:
        if size == 0:
            if marked := _marked(block, name):
                return marked
            _refuse_signatures(block, name)
            if unmarked := _utf16_without_mark(block):
                return unmarked, "replace"
        if b"\0" in block:
            raise _binary(name)
        size += len(block)
        controls += len(block.translate(None, _NOT_CONTROLS))
        escapes = escapes or b"\x1b" in block
        ascii_bytes = len(block.translate(None, _HIGH))
        decoded = utf8.decode(block)
        bad = max(decoded.count("\ufffd") - block.count("\ufffd".encode()), 0)
        damaged += bad
        multibyte += max(len(decoded) - ascii_bytes - bad, 0)
        if ascii_bytes < len(block) and len(sample) < _SAMPLE:
            sample += b"".join(line for line in block.splitlines(True) if not line.isascii())
    damaged += utf8.decode(b"", final=True).count("\ufffd")
    if controls > size * _MAX_CONTROL_SHARE:
        raise _binary(name)
    if not damaged or multibyte >= 20 * damaged:
        # ISO-2022 text is valid ASCII, so only its declaration tells; damaged bytes are replaced.
        if escapes and declared and declared.lower().startswith("iso-2022"):
            return _trusted(declared, bytes(sample)) or "utf-8", "replace"
        return "utf-8", "replace"
    return _trusted(declared, bytes(sample)) or _guess(bytes(sample), name), "replace"


def _marked(block: bytes, name: str) -> tuple[str, str] | None:
    for mark, encoding in _MARKS:
        if block.startswith(mark):
            head = block[:4096].decode(encoding, "replace")
            odd = sum(c == "\ufffd" or (c < " " and c not in "\t\n\f\r") for c in head)
            if odd > 1 + 0.05 * len(head):
                raise _binary(name)
            return encoding, "replace"
    return None


def _refuse_signatures(block: bytes, name: str) -> None:
    for signature, what in _SIGNATURES:
        if block.startswith(signature):
            raise LoadError(
                f"{name} looks like a binary file: it is {what} under another name.",
                "Give it the suffix of its real format, or leave it out.",
            )


def _utf16_without_mark(block: bytes) -> str | None:
    """UTF-16 of mostly Latin text shows as zero bytes on one side of every pair only."""
    head = block[:4096]
    pairs = len(head) // 2
    even, odd = head[0::2].count(0), head[1::2].count(0)
    if pairs >= 4 and odd > 0.4 * pairs and even == 0:
        return "utf-16-le"
    if pairs >= 4 and even > 0.4 * pairs and odd == 0:
        return "utf-16-be"
    return None


def _trusted(declared: str | None, sample: bytes) -> str | None:
    """The codec for a declared charset if it exists and reads the sample without an error."""
    if not declared:
        return None
    try:
        codec = codecs.lookup(declared.strip().strip("\"'"))
        encoding = _SUPERSETS.get(codec.name, codec.name)
        if encoding in _NEVER_DECLARED:
            return None
        codecs.getincrementaldecoder(encoding)("strict").decode(sample)
    except (LookupError, ValueError, TypeError):
        return None
    return encoding


def _guess(sample: bytes, name: str) -> str:
    if code_page := guess_code_page(sample):
        return code_page
    from charset_normalizer import from_bytes  # noqa: PLC0415 - slow to import, seldom needed

    matches = (match for match in from_bytes(sample) if not MIXED_SCRIPTS.search(str(match)))
    best = next(matches, None)
    if best is None:
        raise LoadError(
            f"{name}: its character encoding cannot be told.",
            "Convert it to UTF-8, for instance with `iconv -f ENCODING -t UTF-8`.",
        )
    return best.encoding


def _binary(name: str) -> LoadError:
    return LoadError(
        f"{name} looks like a binary file, not text.",
        "Give it the suffix of its real format, or leave it out.",
    )
