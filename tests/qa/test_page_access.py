"""Who can use the page: keyboard, screen readers, keys of the service, and when things go wrong."""

import json

import httpx
import pytest
from page_actions import ask

Axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe

VISIT = "Who called off a visit to Haldervik in September 2024?"
TURNS = (
    VISIT,
    "Why did she call it off?",
    "Who won the 2022 World Cup?",
    "Who met where and when?",
)


@pytest.fixture(scope="session")
def conversation(service):
    """The id of a session with answers of every kind."""
    id_ = httpx.post(f"{service}/api/sessions").json()["id"]
    for question in (*TURNS, "What was said at that meeting?"):
        asked = {"question": question, "session": id_}
        httpx.post(f"{service}/api/ask", json=asked, timeout=60).raise_for_status()
    return id_


def violations(page, scheme):
    """What axe finds, in short; in the dark the colours only, since all else is the same."""
    rules = {"runOnly": ["color-contrast"]} if scheme == "dark" else {}
    found = Axe().run(page, options={"resultTypes": ["violations"], **rules}).response["violations"]
    return [(v["id"], [node["target"] for node in v["nodes"]][:5]) for v in found]


@pytest.mark.parametrize("phone", [False, True])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(open_page, conversation, scheme, phone):
    page = open_page(phone=phone, color_scheme=scheme, reduced_motion="reduce", bypass_csp=True)
    page.locator(".welcome .choice").first.wait_for()
    found = {"welcome": violations(page, scheme)}
    page.evaluate(f"location.hash = '#/session/{conversation}'")
    page.locator(".asked-back").wait_for()
    assert page.locator(".turn").count() == len(TURNS) + 1
    found["answers"] = violations(page, scheme)
    page.get_by_role("button", name="Timeline", exact=True).click()
    page.locator(".cite").first.click()
    page.locator("#source mark").wait_for()
    found["source"] = violations(page, scheme)
    page.keyboard.press("Escape")
    page.evaluate("location.hash = '#/timeline?query=bridge'")
    page.locator("#timeline .card").first.wait_for()
    found["timeline"] = violations(page, scheme)
    page.evaluate("location.hash = '#/documents'")
    page.locator("#documents-list li").first.wait_for()
    found["documents"] = violations(page, scheme)
    page.keyboard.press("?")
    page.get_by_role("dialog").wait_for()
    found["dialog"] = violations(page, scheme)
    page.keyboard.press("Escape")
    if phone:
        page.get_by_role("button", name="Menu").click()
        found["menu"] = violations(page, scheme)
    assert {place: some for place, some in found.items() if some} == {}


def test_axe_would_find_something(open_page):
    page = open_page(bypass_csp=True)
    page.locator(".welcome .choice").first.wait_for()
    page.locator(".welcome .lede").evaluate("lede => lede.style.color = '#ddd'")
    assert [id_ for id_, _ in violations(page, "dark")] == ["color-contrast"]


def test_everything_is_done_with_keys(open_page):
    page = open_page("#/documents")
    page.locator("#documents-list li").first.wait_for()
    page.keyboard.press("/")
    page.locator("#question:focus").wait_for()
    page.keyboard.type("Who founded")
    page.keyboard.press("Shift+Enter")
    page.keyboard.type("the Marlow bakery?")
    assert page.locator("#question").input_value() == "Who founded\nthe Marlow bakery?"
    page.keyboard.press("Enter")
    cite = page.locator(".verdict .cite")
    cite.wait_for()
    cite.focus()
    page.keyboard.press("Enter")
    page.locator("#source mark").wait_for()
    assert page.evaluate("document.activeElement.id") == "source-title"
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    assert "a new conversation" in page.get_by_role("dialog").inner_text()
    page.keyboard.press("Escape")
    page.locator("dialog").wait_for(state="detached")
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("n")
    page.locator(".welcome").wait_for()


def test_single_keys_can_be_switched_off(open_page):
    page = open_page("#/documents")
    page.keyboard.press("?")
    page.get_by_label("Single letters and signs are shortcuts").uncheck()
    page.keyboard.press("Escape")
    page.locator("dialog").wait_for(state="detached")
    page.keyboard.press("/")
    assert page.locator("#documents").is_visible()


def test_a_word_that_is_being_composed_sends_nothing(open_page):
    page = open_page()
    page.locator("#question").fill("だれ")
    page.locator("#question").dispatch_event("keydown", {"key": "Enter", "isComposing": True})
    assert page.locator(".turn").count() == 0


def test_the_theme_is_chosen_and_kept(open_page):
    page = open_page(color_scheme="light")
    background = "getComputedStyle(document.documentElement).backgroundColor"
    light = page.evaluate(background)
    button = page.get_by_role("button", name="Theme")
    button.click()
    button.click()
    assert button.inner_text() == "Theme: dark"
    dark = page.evaluate(background)
    assert dark != light
    page.reload()
    assert page.evaluate(background) == dark
    button.click()
    assert page.evaluate(background) == light


def test_the_menu_of_a_phone_opens_over_the_page_and_closes(open_page):
    page = open_page(phone=True)
    ask(page, VISIT)
    side = page.locator("#side")
    assert not side.is_visible()
    page.get_by_role("button", name="Menu").click()
    side.wait_for()
    page.keyboard.press("Escape")
    side.wait_for(state="hidden")
    page.get_by_role("button", name="Menu").click()
    side.get_by_role("link", name="Documents").click()
    page.locator("#documents-list li").first.wait_for()
    side.wait_for(state="hidden")
    width = page.evaluate("document.documentElement.scrollWidth")
    assert width == 390  # nothing sticks out


def test_a_key_is_asked_for_once_and_kept_for_the_tab(open_page, service):
    def guarded(route):
        if route.request.headers.get("authorization") == "Bearer right":
            route.continue_()
        else:
            error = {"code": "D401", "problem": "That key is not known.", "next_step": ""}
            route.fulfill(status=401, body=json.dumps({"error": error}))

    page = open_page("#nothing")
    page.route("**/api/**", guarded)
    page.goto(f"{service}/#/")
    page.reload()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Key").fill("wrong")
    page.keyboard.press("Enter")
    dialog.get_by_text("That key is not known.").wait_for()
    dialog.get_by_label("Key").fill("right")
    dialog.get_by_role("button", name="Go on").click()
    page.locator(".welcome .choice").first.wait_for()
    assert page.locator("dialog").count() == 0
    assert ask(page, VISIT).locator(".verdict .words").text_content() == "Dorothea Quill"
    page.reload()
    page.locator(".verdict").wait_for()
    page.get_by_role("button", name="Forget the key").click()
    dialog.wait_for()
    assert page.evaluate("sessionStorage.length") == 0


@pytest.mark.parametrize("status", [429, 503, 504])
def test_what_went_wrong_is_told_with_the_next_step_and_can_be_tried_again(
    open_page, refuse, status
):
    page = open_page()
    refuse(page, "**/api/ask/stream", status)
    turn = ask(page, VISIT)
    assert "It is busy." in turn.inner_text()
    assert "Try again in 2 s." in turn.inner_text()
    turn.get_by_role("button", name="Try again").click()
    page.locator(".verdict", has_text="Dorothea Quill").wait_for()
    assert page.locator(".turn").count() == 1


def test_a_service_that_is_gone_is_told_of(open_page):
    page = open_page()
    page.locator(".welcome .choice").first.wait_for()
    page.context.set_offline(True)
    turn = ask(page, VISIT)
    assert "The service cannot be reached." in turn.inner_text()
    assert "dateline serve" in turn.inner_text()
    page.context.set_offline(False)
    turn.get_by_role("button", name="Try again").click()
    page.locator(".verdict", has_text="Dorothea Quill").wait_for()


def test_a_reply_that_breaks_off_is_told_of(open_page):
    page = open_page()
    event = 'event: understood\ndata: {"resolved_question": "Who?"}\n\n'
    page.route("**/api/ask/stream", lambda route: route.fulfill(body=event), times=1)
    assert "broke off" in ask(page, VISIT).inner_text()


def test_a_question_can_be_stopped(open_page):
    page = open_page()
    page.route("**/api/ask/stream", lambda route: None)  # never answered
    page.get_by_label("Question", exact=True).fill(VISIT)
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Stop").click()
    page.locator(".reply", has_text="Stopped.").wait_for()
    assert page.get_by_role("button", name="Ask", exact=True).is_visible()


def test_a_conversation_that_cannot_be_kept_is_answered_all_the_same(open_page, refuse):
    page = open_page()
    refuse(page, "**/api/sessions", 500, "The index cannot be written to.", times=2)
    turn = ask(page, VISIT)
    assert turn.locator(".verdict .words").text_content() == "Dorothea Quill"
    page.locator(".notice", has_text="every question stands alone").wait_for()


def test_a_conversation_that_is_gone_is_told_of(open_page):
    page = open_page("#/session/gone")
    page.get_by_text("There is no session 'gone'.").wait_for()
