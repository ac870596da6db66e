"""Opening what is cited, beside the answer, on the page."""

import urllib.parse

import httpx
import pytest
from page_actions import ask, is_in_view, marked
from page_service import ARCHIVE, AURORA

from index import document_id

AURORA_ID = document_id("hard/aurora.txt")
CAPTAIN = "Who steered the icebreaker Aurora?"


@pytest.mark.parametrize(
    "question",
    [
        "Who called off a visit to Haldervik in September 2024?",
        CAPTAIN,  # behind emoji, which are one character in Python and two in JavaScript
        "Who designed the lighthouse at Vellgrund?",  # far down
    ],
)
@pytest.mark.parametrize("phone", [False, True])
def test_a_citation_opens_its_document_at_exactly_the_span(open_page, service, question, phone):
    page = open_page(phone=phone)
    turn = ask(page, question)
    words = turn.locator(".verdict .words").text_content()
    turn.locator(".verdict .cite").first.click()
    assert marked(page) == words

    params = urllib.parse.parse_qs(page.url.partition("?")[2])
    id_ = page.url.partition("#/source/")[2].partition("?")[0]
    document = httpx.get(f"{service}/api/documents/{id_}").json()
    start, end = int(params["start"][0]), int(params["end"][0])
    assert document["text"][start:end] == words
    assert page.locator(".source-text").text_content() == document["text"]
    first, last = map(int, params["passage"][0].split("-"))
    assert page.locator(".source-text .passage").text_content() == document["text"][first:last]
    assert is_in_view(page.locator(".source-text mark"))
    assert page.locator("#source-title").text_content() == document["title"]


def test_a_source_says_when_where_and_from_what(open_page):
    page = open_page()
    ask(page, "Who called off a visit to Haldervik in September 2024?").locator(
        ".cite"
    ).first.click()
    marked(page)
    about = page.locator("#source .source-about").inner_text()
    assert "9 September 2024" in about
    assert "PORT ELLERY" in about
    assert "coast-news-wire.jsonl" in about


def test_a_source_of_pages_says_the_page(open_page, service):
    page = open_page()
    found = httpx.get(f"{service}/api/documents", params={"source": "*.pdf"}).json()["documents"]
    document = httpx.get(f"{service}/api/documents/{found[0]['id']}").json()
    start = document["pages"][1] + 3
    page.goto(f"{service}/#/source/{document['id']}?start={start}&end={start + 20}")
    assert marked(page) == document["text"][start : start + 20]
    assert "page 2 of 2" in page.locator("#source .source-about").inner_text()
    assert page.locator(".page-break").get_attribute("data-page") == "Page 2"


def test_a_link_to_a_span_can_be_opened_cold(open_page):
    start = AURORA.index("Ilse")
    page = open_page(f"#/source/{AURORA_ID}?start={start}&end={start + 4}")
    assert marked(page) == "Ilse"
    paragraph = AURORA.split("\n\n")[1]
    assert page.locator(".passage").text_content() == paragraph
    assert page.locator("#chat").is_visible()
    assert is_in_view(page.locator(".source-text mark"))


def test_the_link_to_copy_is_short_and_leads_there(open_page):
    page = open_page(permissions=["clipboard-read", "clipboard-write"])
    ask(page, CAPTAIN).locator(".cite").first.click()
    words = marked(page)
    page.get_by_role("button", name="Copy link").click()
    page.get_by_role("button", name="Copied").wait_for()
    link = page.evaluate("navigator.clipboard.readText()")
    assert "session" not in link
    page.goto("about:blank")
    page.goto(link)
    assert marked(page) == words


def test_closing_goes_back_to_where_one_was(open_page):
    page = open_page()
    turn = ask(page, CAPTAIN)
    address = page.url
    cite = turn.locator(".verdict .cite").first
    cite.click()
    marked(page)
    assert cite.get_attribute("aria-current") == "true"
    page.keyboard.press("Escape")
    page.locator("#source").wait_for(state="hidden")
    assert page.url == address
    assert cite.evaluate("cite => cite === document.activeElement")
    cite.click()
    marked(page)
    page.go_back()
    page.locator("#source").wait_for(state="hidden")
    page.go_forward()
    marked(page)
    page.reload()
    marked(page)
    page.locator(".turn").wait_for()  # what was beside it is there again
    page.get_by_role("button", name="Close the source").click()
    page.locator("#source").wait_for(state="hidden")
    assert page.url == address


def test_one_steps_through_the_sources_of_an_answer(open_page):
    page = open_page()
    turn = ask(page, "Who met where and when?")
    turn.get_by_role("link", name="Source 1:").first.click()
    first = marked(page)
    assert page.locator(".steps").inner_text().strip().startswith("1 of ")
    page.keyboard.press("]")
    page.locator(".steps", has_text="2 of ").wait_for()
    assert marked(page) != first
    page.keyboard.press("[")
    page.locator(".steps", has_text="1 of ").wait_for()
    assert marked(page) == first


def test_a_document_that_has_changed_since_is_told_of(open_page, refuse):
    page = open_page()
    turn = ask(page, CAPTAIN)
    words = turn.locator(".verdict .words").text_content()

    def changed(route):
        document = route.fetch().json()
        route.fulfill(json={**document, "text": f"Now otherwise. {document['text']}"})

    page.route("**/api/documents/*", changed, times=1)
    turn.locator(".cite").first.click()
    notice = page.locator("#source .notice")
    notice.wait_for()
    assert "changed since" in notice.inner_text()
    assert notice.locator("mark").text_content() == words
    page.keyboard.press("Escape")
    refuse(page, "**/api/documents/*", 404, "There is no such document.")
    turn.locator(".cite").first.click()
    page.locator("#source .notice", has_text="not among the documents any more").wait_for()
    assert page.locator("#source mark").text_content() == words


def test_asking_only_one_document(open_page):
    page = open_page(f"#/source/{AURORA_ID}")
    page.get_by_role("button", name="Ask only this").click()
    assert page.locator("#filters [name=source]").input_value() == "hard/aurora.txt"
    turn = ask(page, "Who called off a visit to Haldervik in September 2024?")
    assert "Dorothea Quill" not in turn.locator(".verdict").inner_text()


def test_a_long_document_is_shown_in_whole(open_page):
    page = open_page(f"#/source/{document_id('hard/archive.txt')}")
    text = page.locator(".source-text")
    text.wait_for()
    assert text.text_content() == ARCHIVE
    assert page.locator(".source-text mark").count() == 0
