"""Text, Markdown and HTML, and what every format has in common."""

import os
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from index.document import document_id
from index.errors import LoadError
from index.loading import load_file

SEEDS = Path("/work/shared/seeds")


@pytest.fixture
def load(tmp_path):
    """Writes a file of the given name and loads the one document in it."""

    def load_(name, content):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        [document] = load_file(path, f"in/{name}")
        return document

    return load_


# --- plain text ---------------------------------------------------------------------------------


def test_text_stays_verbatim(load):
    text = "Kim meets Putin\n\n  Indented.\tTabs,  double  spaces, \u2028 and \xa0 stay.\n\n\n"
    document = load("a.txt", text)
    assert document.text == text
    assert document.title == "Kim meets Putin"
    assert (document.id, document.source) == (document_id("in/a.txt"), "in/a.txt")
    assert (document.published, document.place, document.pages) == (None, None, ())


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.text("abc é“—.", min_size=1), min_size=1), st.sampled_from(["\r\n", "\r", "\n"]))
def test_line_endings_are_normalised_and_nothing_else(load, lines, ending):
    text = "x" + "\n".join(lines)
    assert load("a.txt", text.replace("\n", ending)).text == text


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("Kim meets Putin\n\nThey met.", "Kim meets Putin"),
        ("\n\n  Kim meets Putin  \nThey met.", "Kim meets Putin"),
        ("By Jane Doe\nKim meets Putin\n\nThey met.", "Kim meets Putin"),
        ("September 5, 2023\n\nKim meets Putin\n\nThey met.", "Kim meets Putin"),
        ("Kim goes to the U.S.\n\nHe left.", "Kim goes to the U.S."),
        ("They met on Tuesday in the far east.\n\nMore.", "file"),
        ("This line is wrapped and\nruns on into the next.", "file"),
        ("word " * 50, "file"),
        ("1234\n", "file"),
    ],
)
def test_title_of_text(load, text, title):
    assert load("file.txt", text).title == title


def test_dates_and_places_come_from_the_text(load):
    document = load("a.txt", "Title\n\nSEOUL, Sept 19, 2023 (AFP) – South Korea summoned him.")
    assert (document.published, document.place) == (date(2023, 9, 19), "SEOUL")
    assert document.metadata["date_from"] == "dateline"
    assert load("b.txt", "T\n\nSept 5, 2023\n\nText.").metadata == {"date_from": "date line"}


def test_the_modification_time_is_no_publication_date(load, tmp_path):
    load("a.txt", "No date here")
    os.utime(tmp_path / "a.txt", (1_600_000_000, 1_600_000_000))
    assert next(load_file(tmp_path / "a.txt", "a")).published is None


@pytest.mark.skipif(not SEEDS.is_dir(), reason="the seed articles are not here")
@pytest.mark.parametrize(
    ("prefix", "published", "place"),
    [("000", date(2023, 9, 5), None), ("002", date(2023, 9, 19), "SEOUL")],
)
def test_seed_articles(prefix, published, place):
    [path] = SEEDS.glob(f"{prefix}_*.txt")
    [document] = load_file(path, path.name)
    assert (document.published, document.place) == (published, place)
    assert document.title.startswith("Seoul")
    assert document.text == path.read_text(encoding="utf-8")


# --- Markdown -----------------------------------------------------------------------------------


def test_front_matter_is_metadata_and_not_text(load):
    document = load(
        "a.md",
        '---\ntitle: "Kim: a visit"\ndate: 2023-09-05\nauthor: Jane Doe\nlang: en-US\n'
        "tags:\n  - a\n  nested: b\n---\n\n# Heading\n\nBody with **markup**.\n",
    )
    assert document.text == "# Heading\n\nBody with **markup**.\n"
    assert (document.title, document.published) == ("Kim: a visit", date(2023, 9, 5))
    assert document.language == "en"
    assert document.metadata == {
        "author": "Jane Doe",
        "date_from": "front matter",
        "first_line": 11,
    }


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("Intro.\n\n# The heading #\n\nText.", "The heading"),
        ("The heading\n===========\n\nText.", "The heading"),
        ("```\n# a comment\n```\n\n# The heading", "The heading"),
        ("## Only a section\n\nText.", "Only a section"),
        ("---\nnot front matter", "a"),
    ],
)
def test_title_of_markdown(load, text, title):
    document = load("a.md", text)
    assert (document.title, document.text) == (title, text)


# --- HTML ---------------------------------------------------------------------------------------

PAGE = """<!DOCTYPE html><html lang="en-GB"><head><meta charset="utf-8">
<title>Seoul summons ambassador | The Daily</title>
<meta property="og:title" content="Seoul summons Russian ambassador">
<meta property="og:site_name" content="The Daily"><meta name="author" content="Jane Doe">
<link rel="canonical" href="https://example.org/2023/09/18/seoul">
<meta property="article:modified_time" content="2023-09-25T00:00:00Z">
<script>var date = "2020-01-01";</script>HEAD</head>
<body><div id="cookie-banner" class="cookie-consent">We use cookies. <button>Accept</button></div>
<nav><ul><li><a href="/">Home page</a></li><li><a href="/w">World news</a></li></ul></nav>
<main><article><h1>Seoul summons Russian ambassador</h1>
<p>South Korea summoned the <a href="/r">Russian ambassador</a> Tuesday, the foreign ministry
said, to warn Moscow over military cooperation with North Korea.</p>
<p>Kim spent nearly a week touring Russia&rsquo;s far east before returning home&nbsp;Monday.</p>
<ul><li>A space centre was visited</li><li>So were weapons factories</li></ul>
<table><tr><th>Day</th><th>Place</th></tr><tr><td>Wednesday</td><td>Vostochny</td></tr></table>
</article></main>
<aside><h3>Related</h3><a href="/x">Another story about something else</a></aside>
<footer>&copy; 2023 The Daily. All rights reserved. <a href="/p">Privacy</a></footer></body></html>
"""
JSON_LD = """<script type="application/ld+json">{"@context": "https://schema.org", "@graph": [
{"@type": "WebSite", "name": "The Daily"},
{"@type": "NewsArticle", "headline": "x", "datePublished": "2023-09-19T23:30:00+09:00",
 "comment": [{"@type": "Comment", "datePublished": "2023-10-01"}]}]}</script>"""


def test_the_article_is_kept_and_the_page_around_it_is_not(load):
    text = load("a.html", PAGE).text
    assert text == (
        "Seoul summons Russian ambassador\n\n"
        "South Korea summoned the Russian ambassador Tuesday, the foreign ministry said, to warn "
        "Moscow over military cooperation with North Korea.\n\n"
        "Kim spent nearly a week touring Russia’s far east before returning home Monday.\n\n"
        "A space centre was visited\nSo were weapons factories\n\n"
        "Day\tPlace\nWednesday\tVostochny"
    )


def test_html_metadata(load):
    document = load("a.html", PAGE.replace("HEAD", JSON_LD))
    assert document.title == "Seoul summons Russian ambassador"
    assert document.language == "en"
    assert document.published == date(2023, 9, 19)
    assert document.metadata == {
        "url": "https://example.org/2023/09/18/seoul",
        "author": "Jane Doe",
        "sitename": "The Daily",
        "date_from": "json-ld",
    }


@pytest.mark.parametrize(
    ("head", "published"),
    [
        ('<meta property="article:published_time" content="2023-09-19T10:00:00Z">', 19),
        ('<meta name="pubdate" content="20230919">', 19),
        ('<meta name="DC.date.issued" content="2023-09-19">', 19),
        ('<meta name="date" content="nonsense"><meta name="pubdate" content="2023-09-19">', 19),
        ('<meta itemprop="datePublished" content="2023-09-19">', 19),
        ('<script type="application/ld+json">{broken</script>', None),
        ('<script type="application/ld+json">{"dateModified": "2023-09-19"}</script>', None),
        ("", None),
    ],
)
def test_html_dates(load, head, published):
    document = load("a.html", PAGE.replace("HEAD", head))
    assert document.published == (date(2023, 9, published) if published else None)


def test_a_time_element_states_the_date(load):
    page = PAGE.replace("</h1>", '</h1><time class="entry-date" datetime="2023-09-19">x</time>')
    assert load("a.html", page).published == date(2023, 9, 19)


def test_a_page_without_metadata_is_dated_by_its_text(load):
    page = "<html><body><p>SEOUL, Sept 19, 2023 (AFP) – South Korea summoned him.</p></body></html>"
    document = load("a.html", page)
    assert (document.published, document.place) == (date(2023, 9, 19), "SEOUL")


@pytest.mark.parametrize(
    "page",
    [
        "<html><head><title>Tiny</title></head><body><p>Only a short one.</p></body></html>",
        "<p>Only a short one.",
        "Only a short one.",
        "<div><div><span>Only a short one.</span>",
        "<table><tr><td>Only a short one.</td></tr></table>",
        '<?xml version="1.0" encoding="utf-8"?><html xmlns="http://www.w3.org/1999/xhtml">'
        "<body><p>Only a short one.</p></body></html>",
    ],
)
def test_small_and_broken_pages_keep_their_text(load, page):
    assert load("a.htm", page).text == "Only a short one."


@pytest.mark.parametrize("page", ["<html><body><script>x()</script></body></html>", "<html>", " "])
def test_a_page_without_text_is_refused(load, page):
    with pytest.raises(LoadError, match="empty"):
        load("a.html", page)


@pytest.mark.parametrize(
    ("declared", "encoding"),
    [
        ("iso-8859-2", "iso-8859-2"),
        ("utf-8", "iso-8859-2"),
        ("iso-8859-1", "utf-8"),
        ("windows-1250", "cp1250"),
    ],
)
def test_html_charsets(load, declared, encoding):
    page = f'<html><head><meta charset="{declared}"></head><body><p>Žluťoučký kůň pěl ódy</p>'
    assert load("a.html", page.encode(encoding)).text == "Žluťoučký kůň pěl ódy"


# --- bad input ----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["a.txt", "a.md", "a.html", "noext", "a.json", "a.jsonl", "a.csv"])
@pytest.mark.parametrize("content", ["", "  \n\t\r\n "])
def test_empty_files(load, name, content):
    with pytest.raises(LoadError) as caught:
        load(name, content)
    assert "in/" in caught.value.problem
    assert caught.value.next_step


@pytest.mark.parametrize("name", ["a.txt", "a.md", "a.html", "a.json", "a.jsonl", "a.csv", "noext"])
@pytest.mark.parametrize("content", [b"PK\x03\x04" + bytes(50), bytes(range(256)), b"ab\0cd"])
def test_binary_under_a_texts_name(load, name, content):
    with pytest.raises(LoadError, match="looks like a binary file"):
        load(name, content)


def test_a_file_without_a_suffix_is_text(load):
    assert load("README", "A title\n\nText.").title == "A title"


def test_an_unsupported_suffix_is_named(load):
    with pytest.raises(LoadError, match=r"\(\.xyz\) that is not supported.*\.txt"):
        load("a.xyz", "text")


def test_suffixes_in_capitals(load):
    assert load("A.HTML", "<p>Words.</p>").text == "Words."


def test_what_is_no_file(tmp_path):
    (tmp_path / "x.txt").mkdir()
    with pytest.raises(LoadError, match="is a folder"):
        list(load_file(tmp_path / "x.txt", "x.txt"))
    for name in ("missing.txt", "missing.pdf", "missing.docx", "missing.jsonl", "missing.eml"):
        with pytest.raises(LoadError, match=r"cannot be read: No such file"):
            list(load_file(tmp_path / name, name))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes here")
def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.txt")
    with pytest.raises(LoadError, match="is not a regular file"):
        list(load_file(tmp_path / "pipe.txt", "pipe.txt"))


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may read everything")
@pytest.mark.parametrize("name", ["a.txt", "a.pdf", "a.docx", "a.jsonl"])
def test_a_file_that_may_not_be_read(tmp_path, name):
    (tmp_path / name).write_text("x")
    (tmp_path / name).chmod(0)
    with pytest.raises(LoadError, match="Permission denied"):
        list(load_file(tmp_path / name, name))


def test_a_file_that_is_too_large_is_refused_before_it_is_read(tmp_path):
    with (tmp_path / "a.txt").open("wb") as file:
        file.truncate(300 << 20)  # sparse: takes no space
    with pytest.raises(LoadError, match="too large: 300 MiB"):
        list(load_file(tmp_path / "a.txt", "a.txt"))


@pytest.mark.parametrize("name", ["a.html", "a.eml", "a.docx", "a.pdf", "a.json", "a.csv", "a.md"])
@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary(max_size=200))
def test_any_bytes_load_or_fail_with_a_reason(tmp_path, name, content):
    (tmp_path / name).write_bytes(b"Subject: x\n\n" * name.endswith("eml") + content)
    try:
        for document in load_file(tmp_path / name, name, on_error=lambda error: None):
            assert document.text.strip()
    except LoadError as error:
        assert error.next_step


def test_heavy_libraries_are_loaded_only_when_needed(tmp_path):
    (tmp_path / "a.txt").write_text("Words.")
    code = (
        "import sys; from pathlib import Path; from index.loading import load_file\n"
        f"list(load_file(Path({str(tmp_path / 'a.txt')!r}), 'a'))\n"
        "print([m for m in ('trafilatura', 'lxml', 'pypdfium2', 'docx', 'charset_normalizer')"
        " if m in sys.modules])"
    )
    root = Path(__file__).parents[2]
    output = subprocess.run(
        [sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True
    )
    assert output.stdout.strip() == "[]"
