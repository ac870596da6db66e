"""PDF and Word documents, written by the tests themselves."""

import zipfile
from datetime import UTC, date, datetime

import docx
import pytest
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls
from fpdf import FPDF
from hypothesis import given
from hypothesis import strategies as st

from index.errors import LoadError
from index.loading import load_file
from index.loading.pdf import _join, _unwrap

STORY = (
    "SEOUL, Sept 19, 2023 (AFP) - South Korea summoned the Russian ambassador Tuesday, the foreign "
    "ministry said, to warn Moscow over military cooperation with North Korea after Kim Jong Un "
    "met President Vladimir Putin in Russia."
)


@pytest.fixture
def load(tmp_path):
    def load_(name):
        [document] = load_file(tmp_path / name, name)
        return document

    return load_


def pdf_of(*pages, created=None, title=None):
    pdf = FPDF()
    pdf.set_font("Helvetica", size=11)
    if created:
        pdf.set_creation_date(created)
    if title:
        pdf.set_title(title)
    for page in pages:
        pdf.add_page()
        for paragraph in page:
            pdf.multi_cell(0, 6, paragraph, new_x="LMARGIN", new_y="NEXT", align="L")
            pdf.ln(4)
    return pdf


# --- PDF ----------------------------------------------------------------------------------------


def test_pdf_text_and_pages(tmp_path, load):
    pages = [["Seoul summons ambassador", STORY], ["The second page."], ["The third page."]]
    pdf_of(*pages, title="A title").output(tmp_path / "a.pdf")
    document = load("a.pdf")
    assert document.text == (
        f"Seoul summons ambassador\n{STORY}\n\nThe second page.\n\nThe third page."
    )
    assert document.title == "A title"
    assert [document.text[start : start + 9] for start in document.pages] == [
        "Seoul sum",
        "The secon",
        "The third",
    ]
    assert document.page_of(document.text.index("second")) == 2
    assert document.page_of(0) == 1
    assert document.page_of(len(document.text) - 1) == 3


def test_pdf_dates(tmp_path, load):
    created = datetime(2021, 5, 4, tzinfo=UTC)
    pdf_of(["Title", STORY], created=created).output(tmp_path / "a.pdf")
    document = load("a.pdf")
    assert (document.published, document.place) == (date(2023, 9, 19), "SEOUL")
    assert document.metadata["date_from"] == "dateline"
    pdf_of(["Nothing here says when."], created=created).output(tmp_path / "b.pdf")
    document = load("b.pdf")
    assert document.published == date(2021, 5, 4)
    assert document.metadata["date_from"] == "pdf info"


@pytest.mark.parametrize("title", [None, "untitled", "Microsoft Word - report.docx", "x.pdf"])
def test_a_title_that_a_program_put_in_is_none(tmp_path, load, title):
    pdf_of(["A headline for it", STORY], title=title).output(tmp_path / "a.pdf")
    assert load("a.pdf").title == "A headline for it"


def test_words_broken_at_line_ends_are_whole(tmp_path, load):
    page = [
        "It spoke of coopera-\ntion and of its well-\nknown Anglo-\nAmerican decision-\nmakers. "
        "The decision-makers left."
    ]
    pdf_of(page).output(tmp_path / "a.pdf")
    text = load("a.pdf").text
    for word in ("cooperation", "well-known", "Anglo-American", "decision-makers. The"):
        assert word in text


def test_an_encrypted_pdf(tmp_path, load):
    pdf = pdf_of(["Secret."])
    pdf.set_encryption(owner_password="owner", user_password="user")
    pdf.output(tmp_path / "a.pdf")
    with pytest.raises(LoadError, match="encrypted") as caught:
        load("a.pdf")
    assert "Remove the password" in caught.value.next_step


def test_a_pdf_with_an_owner_password_only_can_be_read(tmp_path, load):
    pdf = pdf_of(["Words that may be read."])
    pdf.set_encryption(owner_password="owner")
    pdf.output(tmp_path / "a.pdf")
    assert load("a.pdf").text == "Words that may be read."


def test_a_pdf_without_a_text_layer(tmp_path, load):
    pdf = FPDF()
    pdf.add_page()
    pdf.rect(10, 10, 50, 50)
    pdf.output(tmp_path / "a.pdf")
    with pytest.raises(LoadError, match="no text layer") as caught:
        load("a.pdf")
    assert "OCR" in caught.value.next_step


@pytest.mark.parametrize("keep", [0, 5, 400])
def test_a_broken_pdf(tmp_path, load, keep):
    pdf_of(["Words."]).output(tmp_path / "a.pdf")
    data = (tmp_path / "a.pdf").read_bytes()[:keep]
    (tmp_path / "a.pdf").write_bytes(data)
    with pytest.raises(LoadError, match=r"broken|without pages"):
        load("a.pdf")


def test_a_page_without_text_keeps_its_number(tmp_path, load):
    pdf_of(["First."], [], ["Third."]).output(tmp_path / "a.pdf")
    document = load("a.pdf")
    assert document.page_of(document.text.index("Third")) == 3


WRAPPED = "The ministry said that it would look into the matter and answer within the week,"


@pytest.mark.parametrize(
    ("page", "text"),
    [
        (f"{WRAPPED}\nas the law requires.", f"{WRAPPED} as the law requires."),
        (f"{WRAPPED}\nMoscow replied.", f"{WRAPPED} Moscow replied."),
        (f"{WRAPPED}\n{WRAPPED}\nend.\nNew one.", f"{WRAPPED} {WRAPPED} end.\n\nNew one."),
        (f"{WRAPPED}\n• an item", f"{WRAPPED}\n• an item"),
        (f"{WRAPPED}\n1. an item", f"{WRAPPED}\n1. an item"),
        ("A heading\nText begins.", "A heading\nText begins."),
        ("Name: Kim\nAge: 39\nCity: Pyongyang", "Name: Kim\nAge: 39\nCity: Pyongyang"),
        ("September 5, 2023\nText begins.", "September 5, 2023\nText begins."),
        ("", ""),
    ],
)
def test_unwrapping(page, text):
    assert _unwrap(page) == text


@given(st.text("ab .A\n", max_size=200))
def test_unwrapping_changes_white_space_only(page):
    assert "".join(_unwrap(page).split()) == "".join(page.split())


@given(st.lists(st.text("ab. A", max_size=10).map(str.strip)))
def test_every_page_starts_where_the_map_says(pages):
    text, starts = _join(pages)
    assert len(starts) == len(pages)
    for page, start in zip(pages, starts, strict=True):
        assert text[start : start + len(page)] == page


def test_a_sentence_that_runs_over_a_page_is_whole():
    text, starts = _join(["The ministry said", "that it would."])
    assert (text, starts) == ("The ministry said that it would.", (0, 18))


# --- Word ---------------------------------------------------------------------------------------


def test_docx(tmp_path, load):
    word = docx.Document()
    word.add_heading("A report", 0)
    word.add_paragraph(STORY)
    table = word.add_table(2, 2)
    for cell, text in zip(
        table._cells, ["Day", "Place", "Wednesday\nnoon", "Vostochny"], strict=True
    ):
        cell.text = text
    word.add_paragraph("After the table.")
    word.core_properties.author = "Jane Doe"
    word.core_properties.language = "en-GB"
    word.save(tmp_path / "a.docx")
    document = load("a.docx")
    assert document.text == (
        f"A report\n\n{STORY}\n\nDay\tPlace\nWednesday noon\tVostochny\n\nAfter the table."
    )
    assert (document.title, document.language) == ("A report", "en")
    assert (document.published, document.place) == (date(2023, 9, 19), "SEOUL")
    assert document.metadata == {"author": "Jane Doe", "date_from": "dateline"}


def test_docx_dates(tmp_path, load):
    word = docx.Document()
    word.add_paragraph("Nothing here says when.")
    word.save(tmp_path / "a.docx")
    assert load("a.docx").published is None  # the template's own date is nobody's
    word.core_properties.created = datetime(2021, 5, 4, tzinfo=UTC)
    word.core_properties.title = "The title"
    word.save(tmp_path / "b.docx")
    document = load("b.docx")
    assert (document.published, document.title) == (date(2021, 5, 4), "The title")
    assert document.metadata["date_from"] == "docx properties"


def test_insertions_links_and_controls_are_text_and_deletions_are_not(tmp_path, load):
    word = docx.Document()
    runs = (
        "<w:r><w:t xml:space='preserve'>Kept </w:t></w:r>"
        "<w:ins><w:r><w:t>inserted</w:t></w:r></w:ins>"
        "<w:del><w:r><w:delText>deleted</w:delText></w:r></w:del>"
        "<w:hyperlink><w:r><w:t xml:space='preserve'> linked</w:t></w:r></w:hyperlink>"
        "<w:r><w:tab/><w:t>tab</w:t><w:br/><w:t>line</w:t></w:r>"
    )
    word.element.body.insert(0, parse_xml(f"<w:p {nsdecls('w')}>{runs}</w:p>"))
    control = "<w:sdtContent><w:p><w:r><w:t>In a control.</w:t></w:r></w:p></w:sdtContent>"
    word.element.body.insert(1, parse_xml(f"<w:sdt {nsdecls('w')}>{control}</w:sdt>"))
    word.save(tmp_path / "a.docx")
    assert load("a.docx").text == "Kept inserted linked\ttab\nline\n\nIn a control."


def test_nested_tables(tmp_path, load):
    word = docx.Document()
    cell = word.add_table(1, 2).cell(0, 0)
    cell.text = "outer"
    cell.add_table(1, 2).cell(0, 1).text = "inner"
    word.save(tmp_path / "a.docx")
    assert load("a.docx").text == "outer inner\t"


def test_an_empty_docx(tmp_path, load):
    docx.Document().save(tmp_path / "a.docx")
    with pytest.raises(LoadError, match="empty"):
        load("a.docx")


@pytest.mark.parametrize("data", [b"", b"not a zip", b"PK\x03\x04 broken"])
def test_a_broken_docx(tmp_path, load, data):
    (tmp_path / "a.docx").write_bytes(data)
    with pytest.raises(LoadError, match="not a readable Word document"):
        load("a.docx")


def test_a_zip_that_is_no_docx(tmp_path, load):
    with zipfile.ZipFile(tmp_path / "a.docx", "w") as package:
        package.writestr("hello.txt", "x")
    with pytest.raises(LoadError, match="not a readable Word document"):
        load("a.docx")


def test_an_encrypted_or_old_word_file(tmp_path, load):
    (tmp_path / "a.docx").write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(500))
    with pytest.raises(LoadError, match=r"encrypted, or an old \.doc"):
        load("a.docx")
