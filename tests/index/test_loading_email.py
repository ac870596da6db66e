"""E-mail messages, well-formed and not."""

from datetime import date
from email.message import EmailMessage

import pytest

from index.errors import LoadError
from index.loading import load_file


@pytest.fixture
def load(tmp_path):
    """Writes a file of the given name and loads the one document in it."""

    def load_(name, content):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        [document] = load_file(path, f"in/{name}")
        return document

    return load_


def message(**headers):
    mail = EmailMessage()
    for name, value in headers.items():
        mail[name.replace("_", "-")] = value
    return mail


def test_email(load):
    mail = message(
        Subject="Café – the meeting",
        From="André Dupont <andre@example.org>",
        To="a@example.org, b@example.org",
        Date="Tue, 19 Sep 2023 23:30:00 +0900",
    )
    mail.set_content("The café meeting is on Friday.\n\nBring “notes”.\n", cte="quoted-printable")
    mail.add_alternative("<p>HTML that is not preferred</p>", subtype="html")
    mail.add_attachment(b"%PDF", maintype="application", subtype="pdf", filename="Prüfung.pdf")
    document = load("a.eml", bytes(mail))
    assert document.text == "The café meeting is on Friday.\n\nBring “notes”."
    assert document.title == "Café – the meeting"
    assert document.published == date(2023, 9, 19)
    assert document.metadata == {
        "from": "André Dupont <andre@example.org>",
        "to": "a@example.org, b@example.org",
        "attachments": ["Prüfung.pdf"],
        "date_from": "header",
    }


def test_an_email_of_html_only(load):
    mail = message(Subject="x", From="a@example.org")
    mail.set_content("<html><body><p>First.</p><p>Second.</p></body></html>", subtype="html")
    assert load("a.eml", bytes(mail)).text.split() == ["First.", "Second."]


def test_a_forwarded_message_is_an_attachment(load):
    inner = message(Subject="inner", From="b@example.org")
    inner.set_content("Inner text.")
    mail = message(Subject="Fwd: inner", From="a@example.org")
    mail.set_content("See below.")
    mail.add_attachment(inner)
    document = load("a.eml", bytes(mail))
    assert document.text.strip() == "See below."
    assert document.metadata["attachments"] == ["message/rfc822"]


def test_a_latin_1_email_without_a_date(load):
    raw = (
        b"From: x@example.org\r\nSubject: =?iso-8859-1?Q?Caf=E9?=\r\n"
        b"Content-Type: text/plain; charset=iso-8859-1\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
        b"SEOUL, Sept 19, 2023 (AFP) - The caf\xe9 closed.\r\n"
    )
    document = load("a.eml", raw)
    assert document.text == "SEOUL, Sept 19, 2023 (AFP) - The café closed.\n"
    assert (document.title, document.published) == ("Café", date(2023, 9, 19))


@pytest.mark.parametrize(
    ("header", "title"),
    [
        ("Subject: Café ünïcode".encode(), "Café ünïcode"),
        ("Subject: Café münchen".encode("latin-1"), "Café münchen"),
        (b"Subject: =?utf-8?b?!!!?= =?nonsense?q?x?=", "=?utf-8?b?!!!?= =?nonsense?q?x?="),
        (b"Subject: folded\r\n over lines", "folded over lines"),
        (b"Subject:\r\nContent-Type: ;;;=", "a"),
        (b"Subject: x\r\nContent-Type: text/plain; charset=no-such", "x"),
        (b"Subject: x\r\nContent-Type: multipart/mixed", "x"),
        (b"Subject: x\r\nContent-Transfer-Encoding: base64", "x"),
        (b"Subject: x\r\nDate: not a date\r\nFrom: <<>>,;", "x"),
    ],
)
def test_broken_headers_are_kept_as_they_are(load, header, title):
    document = load("a.eml", header + b"\r\nTo: b@example.org\r\n\r\nthe body is here.\r\n")
    assert (document.title, document.published) == (title, None)


def test_emails_without_text_are_refused(load):
    mail = message(Subject="x", From="a@example.org")
    mail.add_attachment(b"x", maintype="image", subtype="png", filename="scan.png")
    with pytest.raises(LoadError, match=r"only attachments: scan\.png"):
        load("a.eml", bytes(mail))
    with pytest.raises(LoadError, match="no text in its body"):
        load("a.eml", b"Subject: x\r\n\r\n\r\n")
    with pytest.raises(LoadError, match="does not look like an e-mail"):
        load("a.eml", b"just some words\n\nand more")
