"""Files made to take all the memory or time there is: refused, or lost without the program."""

import os
import signal
import struct
import sys
import threading
import zipfile
import zlib
from pathlib import Path

import docx
import pytest

from index.errors import LoadError
from index.loading import check_file, load_file
from index.loading.isolated import IsolatedLoader

SAMPLE = Path(__file__).parents[2] / "qa" / "sample"
LAUGHS = "".join(
    f'<!ENTITY l{n} "{f"&l{n - 1};" * 10 if n else "ha" * 50}">' for n in range(10)
)  # 10^11 characters


def refused(path):
    """The reason for which a file is refused, the same at a glance and when it is loaded."""
    with pytest.raises(LoadError) as caught:
        check_file(path, path.name)
    with pytest.raises(LoadError) as again:
        list(load_file(path, path.name))
    assert str(again.value) == str(caught.value)
    assert caught.value.next_step
    return caught.value.problem


def small_docx(path, *paragraphs):
    word = docx.Document()
    for paragraph in paragraphs:
        word.add_paragraph(paragraph)
    word.save(path)


def add_part(path, name, size, byte=b"\0"):
    with (
        zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as package,
        package.open(name, "w") as part,
    ):
        for _ in range(size >> 20):
            part.write(byte * (1 << 20))


def rewrite(path, name, change):
    """One part of a package, changed."""
    with zipfile.ZipFile(path) as package:
        parts = {part.filename: package.read(part) for part in package.infolist()}
    parts[name] = change(parts[name].decode()).encode()
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as package:
        for part, data in parts.items():
            package.writestr(part, data)


def bomb_pdf(size):
    """One page whose drawing unpacks, twice, to `size` bytes of text."""
    drawing = b"BT /F1 12 Tf 72 720 Td " + b"(Hello world.) Tj " * (size // 18) + b"ET"
    packed = zlib.compress(zlib.compress(drawing, 9), 9)
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Contents 4 0 R"
        b"/Resources<</Font<</F1 5 0 R>>>>>>",
        b"<</Length %d/Filter[/FlateDecode/FlateDecode]>>stream\n%s\nendstream"
        % (len(packed), packed),
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
    ]
    body = b"%PDF-1.4\n"
    for number, data in enumerate(objects, 1):
        body += b"%d 0 obj\n%s\nendobj\n" % (number, data)
    return body + b"trailer<</Size 6/Root 1 0 R>>\n%%EOF"


# --- Word: what it unpacks to is known beforehand -------------------------------------------------


@pytest.mark.parametrize("part", ["word/bomb.xml", "word/media/image1.png", "_rels/x.rels"])
def test_a_small_docx_that_unpacks_a_thousandfold(tmp_path, part):
    small_docx(tmp_path / "a.docx", "Hello.")
    add_part(tmp_path / "a.docx", part, 64 << 20)
    assert (tmp_path / "a.docx").stat().st_size < 200_000
    assert "unpacks to" in refused(tmp_path / "a.docx")


def test_a_docx_of_far_too_much(tmp_path):
    """Bytes that do not shrink, so that only the sum tells."""
    small_docx(tmp_path / "a.docx", "Hello.")
    with zipfile.ZipFile(tmp_path / "a.docx", "a") as package:
        for number in range(9):
            package.writestr(f"word/{number}.xml", os.urandom(1 << 20) * 8)
    assert "The text of a.docx, unpacked, is too large: 72 MiB" in refused(tmp_path / "a.docx")


def test_a_docx_of_countless_parts(tmp_path):
    """Its directory alone would take gigabytes; its size stands at the end of the file."""
    small_docx(tmp_path / "a.docx", "Hello.")
    data = bytearray((tmp_path / "a.docx").read_bytes())
    struct.pack_into("<I", data, data.rindex(b"PK\5\6") + 12, 100 << 20)
    (tmp_path / "a.docx").write_bytes(data)
    assert "more parts than a document has" in refused(tmp_path / "a.docx")


def test_a_docx_that_lies_about_its_size(tmp_path):
    """The text says it is 100 bytes; no more is unpacked, and it is called broken."""
    path = tmp_path / "a.docx"
    small_docx(path, "Hello. " * 10_000)
    data = bytearray(path.read_bytes())
    name = data.rindex(b"word/document.xml", 0, data.rindex(b"PK\5\6"))
    struct.pack_into("<I", data, name - 46 + 24, 100)
    path.write_bytes(data)
    check_file(path, "a.docx")
    with pytest.raises(LoadError, match="not a readable Word document"):
        list(load_file(path, "a.docx"))


def test_entities_in_a_docx_are_not_expanded(tmp_path):
    path = tmp_path / "a.docx"
    small_docx(path, "Before.", "MARK", "After.")
    rewrite(
        path,
        "word/document.xml",
        lambda xml: xml.replace("MARK", "&l9;").replace(
            "<w:document", f"<!DOCTYPE x [{LAUGHS}]><w:document", 1
        ),
    )
    try:
        [document] = load_file(path, "a.docx")
        assert document.text == "Before.\n\nAfter."
    except LoadError as error:  # some versions of libxml2 refuse the declarations
        assert "not a readable Word document" in str(error)


def test_entities_in_an_attribute_of_a_docx(tmp_path):
    path = tmp_path / "a.docx"
    small_docx(path, "Hello.")
    rewrite(
        path,
        "word/document.xml",
        lambda xml: xml.replace("<w:body>", '<w:body x="&l9;">').replace(
            "<w:document", f"<!DOCTYPE x [{LAUGHS}]><w:document", 1
        ),
    )
    with pytest.raises(LoadError, match="not a readable Word document"):
        list(load_file(path, "a.docx"))


def test_files_named_by_an_entity_are_not_read(tmp_path):
    (tmp_path / "secret.txt").write_text("the secret word")
    path = tmp_path / "a.docx"
    small_docx(path, "Before.", "MARK")
    entity = f'<!DOCTYPE x [<!ENTITY s SYSTEM "{(tmp_path / "secret.txt").as_uri()}">]>'
    rewrite(
        path,
        "word/document.xml",
        lambda xml: xml.replace("MARK", "&s;").replace("<w:document", f"{entity}<w:document", 1),
    )
    [document] = load_file(path, "a.docx")
    assert "secret" not in document.text


def test_ordinary_word_documents_pass(tmp_path):
    path = tmp_path / "a.docx"
    word = docx.Document()
    table = word.add_table(400, 8)  # repeats itself as much as a real one may
    for cell in table._cells:
        cell.text = "0.00"
    word.save(path)
    check_file(path, "a.docx")
    check_file(SAMPLE / "2025-03-14-kestrel-bay-inquiry.docx", "b.docx")


# --- other formats --------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["a.html", "a.xhtml"])
def test_entities_in_html_are_not_expanded(tmp_path, name):
    page = f"<!DOCTYPE html [{LAUGHS}]><html><body><p>Before. &l9; After.</p></body></html>"
    (tmp_path / name).write_text(page)
    [document] = load_file(tmp_path / name, name)
    assert len(document.text) < len(page)


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.txt", b"\x7fELF\2\1\1"),
        ("a.csv", b"PK\x03\x04 and so on"),
        ("a.json", b"SQLite format 3\0"),
        ("a.html", b"\x89PNG\r\n"),
        ("a.pdf", b"<html>Not found</html>"),
        ("a.docx", b"{\\rtf1}"),
    ],
)
def test_content_that_is_not_what_the_name_says(tmp_path, name, data):
    (tmp_path / name).write_bytes(data)
    refused(tmp_path / name)


def test_an_unknown_suffix(tmp_path):
    (tmp_path / "a.exe").write_text("Words.")
    assert "not supported" in refused(tmp_path / "a.exe")


def test_the_sample_passes():
    for path in SAMPLE.iterdir():
        check_file(path, path.name)


# --- the process that may be lost -----------------------------------------------------------------


@pytest.fixture(scope="module")
def loader():
    with IsolatedLoader() as opened:
        yield opened


def test_it_loads_as_load_file_does(loader):
    for path in sorted(SAMPLE.iterdir()):
        assert list(loader(path, path.name)) == list(load_file(path, path.name))


def test_errors_come_through(loader, tmp_path):
    (tmp_path / "a.txt").write_bytes(b"")
    with pytest.raises(LoadError, match=r"a\.txt is empty: it holds no text\. Leave it out"):
        list(loader(tmp_path / "a.txt", "a.txt"))
    (tmp_path / "a.jsonl").write_text('{"text": "One."}\nbroken\n{"text": "Two."}\n')
    problems = []
    found = list(loader(tmp_path / "a.jsonl", "a.jsonl", on_error=problems.append))
    assert [document.source for document in found] == ["a.jsonl#1", "a.jsonl#3"]
    assert ["line 2" in str(problem) for problem in problems] == [True]
    with pytest.raises(LoadError, match="line 2"):
        list(loader(tmp_path / "a.jsonl", "a.jsonl"))
    assert len(list(loader(SAMPLE / "coast-briefs.csv", "b.csv"))) > 1  # it goes on


@pytest.mark.skipif(sys.platform != "linux", reason="no other system limits memory")
def test_a_bomb_takes_only_its_own_process(tmp_path):
    (tmp_path / "bomb.pdf").write_bytes(bomb_pdf(40 << 20))
    assert (tmp_path / "bomb.pdf").stat().st_size < 2_000
    (tmp_path / "a.txt").write_text("Hello.")
    with IsolatedLoader(memory=768 << 20, seconds=60) as loader:
        with pytest.raises(LoadError, match=r"bomb\.pdf crashes its reader, or takes more than"):
            list(loader(tmp_path / "bomb.pdf", "bomb.pdf"))
        assert [document.text for document in loader(tmp_path / "a.txt", "a")] == ["Hello."]


@pytest.mark.skipif(os.name == "nt", reason="no SIGSTOP")
def test_a_file_that_takes_for_ever(tmp_path):
    (tmp_path / "a.txt").write_text("Hello.")
    with IsolatedLoader(seconds=30) as loader:
        list(loader(tmp_path / "a.txt", "a"))
        process, _ = loader._child
        loader._seconds = 0.05
        os.kill(process.pid, signal.SIGSTOP)  # as good as an endless loop
        with pytest.raises(LoadError, match="takes more than"):
            list(loader(tmp_path / "a.txt", "a"))
        assert not process.is_alive()
        loader._seconds = 30
        assert [document.text for document in loader(tmp_path / "a.txt", "a")] == ["Hello."]


@pytest.mark.skipif(os.name == "nt", reason="no SIGSTOP")
def test_closing_ends_a_call(tmp_path):
    (tmp_path / "a.txt").write_text("Hello.")
    loader = IsolatedLoader()
    list(loader(tmp_path / "a.txt", "a"))
    os.kill(loader._child[0].pid, signal.SIGSTOP)
    closing = threading.Timer(0.1, loader.close)
    closing.start()
    with pytest.raises(LoadError, match="the loader was closed"):
        list(loader(tmp_path / "a.txt", "a"))
    closing.join()
    with pytest.raises(LoadError, match="was closed"):
        list(loader(tmp_path / "a.txt", "a"))


def test_a_reader_that_is_left_early(tmp_path, loader):
    documents = loader(SAMPLE / "coast-news-wire.jsonl", "wire")
    next(documents)
    documents.close()
    assert len(list(loader(SAMPLE / "coast-briefs.csv", "b.csv"))) > 1
