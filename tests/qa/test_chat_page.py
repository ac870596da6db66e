"""Asking on the page, in a real browser over a real service."""

import re

import httpx
import pytest
from page_actions import ask, is_owned, marked
from page_service import ATTACK, SCRIPT

VISIT = "Who called off a visit to Haldervik in September 2024?"
EVENTS = "Who met where and when?"


def test_the_answer_comes_first_with_its_confidence_and_its_sources(open_page):
    page = open_page()
    turn = ask(page, VISIT)
    assert turn.locator(".verdict .words").text_content() == "Dorothea Quill"
    said = turn.locator(".sure").first.text_content()
    assert re.fullmatch(r"(likely|very likely|almost certain), \d\d\u202f%", said)
    assert turn.locator(".quote mark").first.text_content() == "Dorothea Quill"
    assert turn.locator(".cite").first.text_content() == "1"
    assert "Mayor Quill calls off visit" in turn.locator(".sources").inner_text()
    assert "9 September 2024" in turn.locator(".sources").inner_text()
    assert page.locator("#live").text_content().startswith("Dorothea Quill: ")
    assert page.title().startswith(VISIT)


def test_a_follow_up_shows_how_it_was_understood_and_can_be_taken_literally(open_page):
    page = open_page()
    ask(page, VISIT)
    assert page.locator(".understood:visible").count() == 0
    turn = ask(page, "Why did she call it off?")
    understood = turn.locator(".understood q").text_content()
    assert "Dorothea Quill" in understood
    turn.get_by_role("button", name="Take it literally").click()
    again = page.locator(".turn").nth(2)
    again.locator(".answer-actions").wait_for()
    assert again.locator(".question").text_content() == "Why did she call it off?"
    assert "taken literally" in again.inner_text()
    assert not again.locator(".understood").is_visible()


def test_a_conversation_is_resumed(open_page):
    page = open_page()
    ask(page, VISIT)
    ask(page, "Why did she call it off?")
    address = page.url
    assert "#/session/" in address
    turns = page.locator("#turns").inner_text()

    page.get_by_role("link", name="New conversation").first.click()
    page.locator(".welcome").wait_for()
    assert page.locator(".turn").count() == 0
    page.locator("#sessions a").first.click()
    page.locator(".turn").nth(1).wait_for()
    assert page.locator("#turns").inner_text() == turns

    page.reload()
    page.locator(".turn").nth(1).wait_for()
    assert page.url == address
    assert page.locator("#turns").inner_text() == turns
    assert page.locator("#sessions a[aria-current]").count() == 1
    assert (
        "Dorothea Quill" in ask(page, "What was she to open?").locator(".understood").inner_text()
    )


def test_a_conversation_is_deleted_when_that_is_confirmed(open_page, service):
    page = open_page()
    ask(page, "Who designed the lighthouse at Vellgrund?")
    session = page.url.rpartition("/")[2]
    page.locator("#chat-actions").get_by_role("button", name="Delete").click()
    page.get_by_role("dialog").get_by_role("button", name="Cancel").click()
    assert httpx.get(f"{service}/api/sessions/{session}").status_code == 200
    page.locator("#chat-actions").get_by_role("button", name="Delete").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    page.locator(".welcome").wait_for()
    assert httpx.get(f"{service}/api/sessions/{session}").status_code == 404


@pytest.mark.parametrize(("name", "begins"), [("Export", "# Session "), ("Export JSON", "{")])
def test_a_conversation_is_exported(open_page, name, begins):
    page = open_page()
    ask(page, VISIT)
    with page.expect_download() as saving:
        page.get_by_role("button", name=name, exact=True).click()
    text = saving.value.path().read_text()
    assert text.startswith(begins)
    assert VISIT in text


def test_where_the_documents_do_not_say_it_says_so_and_shows_what_is_near(open_page):
    page = open_page()
    turn = ask(page, "Who won the 2022 World Cup?")
    assert turn.locator(".verdict").text_content() == "The documents do not say."
    assert turn.locator(".nearest > li").count() == 3
    assert turn.locator(".sure").count() == 0  # no confidence is made up
    turn.locator(".nearest .cite").first.click()
    assert marked(page) == turn.locator(".nearest mark").first.text_content()


def test_a_choice_answers_what_is_asked_back(open_page):
    page = open_page()
    ask(page, EVENTS)
    turn = ask(page, "What was said at that meeting?")
    choices = turn.locator(".choice")
    assert choices.count() > 1
    label = choices.nth(1).text_content()
    choices.nth(1).click()
    reply = page.locator(".turn").nth(2)
    reply.locator(".answer-actions").wait_for()
    assert reply.locator(".question").text_content() == label
    assert "What was said at" in reply.locator(".understood q").text_content()


def test_events_are_a_table_and_a_timeline(open_page):
    page = open_page()
    turn = ask(page, EVENTS)
    rows = turn.get_by_role("table").get_by_role("row")
    assert rows.first.inner_text().split() == ["When", "Status", "Who", "What", "Where"]
    text = turn.get_by_role("table").inner_text()
    assert "4 March 2024" in text
    assert "planned" in text
    turn.get_by_role("button", name="Timeline").click()
    turn.locator(".timeline .card").first.wait_for()
    shown = turn.locator(".timeline .card").count() + turn.locator(".undated > li").count()
    assert shown == rows.count() - 1 or shown > 0
    page.reload()
    page.locator(".timeline .card").first.wait_for()  # the choice is kept


def test_filters_hold_for_the_question(open_page):
    page = open_page()
    page.get_by_role("button", name="Filters").click()
    page.locator("#filters [name=after]").fill("2025-01-01")
    assert page.get_by_role("button", name="Filters: 1").is_visible()
    turn = ask(page, VISIT)
    assert "published from 2025-01-01" in turn.inner_text()
    assert "Dorothea Quill" not in turn.locator(".verdict").text_content()
    page.get_by_role("button", name="Clear").first.click()
    assert ask(page, VISIT).locator(".verdict .words").text_content() == "Dorothea Quill"


def test_texts_never_become_markup(open_page):
    page = open_page()
    turn = ask(page, "Who founded the Marlow bakery?")
    assert turn.locator(".verdict .words").text_content() == "Greta Olsen"
    assert ATTACK in turn.locator(".quote").first.text_content()
    assert f"Bakery {ATTACK}{SCRIPT}" in turn.locator(".sources").text_content()
    turn.locator(".cite").first.click()
    assert marked(page) == "Greta Olsen"
    assert page.locator("#source-title").text_content() == f"Bakery {ATTACK}{SCRIPT}"
    ask(page, f"{ATTACK} {SCRIPT} who?")
    page.goto(page.url.partition("#")[0] + "#/documents")
    page.locator("#documents-list li", has_text="Bakery").wait_for()
    assert page.locator("main img, main script, #source img, #source script").count() == 0
    assert not is_owned(page)


def test_an_address_of_a_document_is_followed_only_if_it_is_of_the_web(open_page, service):
    page = open_page()
    found = httpx.get(f"{service}/api/documents", params={"source": "hard/*"}).json()["documents"]
    ids = {document["source"]: document["id"] for document in found}
    page.goto(f"{service}/#/source/{ids['hard/tram.txt']}")
    original = page.get_by_role("link", name="Original")
    assert original.get_attribute("href") == "https://example.org/tram"
    assert "noopener" in original.get_attribute("rel")
    page.goto(f"{service}/#/source/{ids['hard/nile.txt']}")
    page.locator("#source-title", has_text="افتتاح").wait_for()
    assert page.get_by_role("link", name="Original").count() == 0


def test_the_policy_forbids_what_would_make_text_a_program(open_page):
    page = open_page()
    said = page.evaluate(
        """() => {
            const owned = "document.documentElement.dataset.owned = '1'";
            const attempts = {
                markup: () => { document.body.innerHTML = `<img src=x onerror="${owned}">`; },
                script: () => { document.createElement('script').text = owned; },
                listener: () => document.body.setAttribute('onclick', owned),
            };
            const refused = [];
            for (const [name, attempt] of Object.entries(attempts)) {
                try { attempt(); } catch { refused.push(name); }
            }
            return refused;
        }"""
    )
    assert said == ["markup", "script", "listener"]
    assert not is_owned(page)
    open_page.wrong.clear()  # each was told of on the console
