"""The timeline, the documents and adding to them, on the page."""

import itertools
import json
import re

import pytest
from page_actions import marked


def test_a_timeline_is_true_to_scale_and_its_labels_do_not_overlap(open_page):
    page = open_page("#/timeline")
    page.get_by_label("About").fill("bridge")
    page.get_by_role("button", name="Show").click()
    page.locator(".timeline .card").first.wait_for()
    assert "query=bridge" in page.url
    cards = page.locator(".card").evaluate_all(
        "cards => cards.map(c => [c.offsetTop, c.offsetTop + c.offsetHeight])"
    )
    assert len(cards) > 2
    assert all(end <= start for (_, end), (start, _) in itertools.pairwise(cards))
    days = page.locator(".card .days").all_text_contents()
    signs = page.locator(".event-mark > g[transform]").evaluate_all(
        "signs => signs.map(sign => sign.transform.baseVal[0].matrix.f)"
    )
    moments = page.evaluate("days => days.map(day => Date.parse(day + ' UTC') / 864e5)", days)
    assert len(days) == len(signs)
    scale = (signs[-1] - signs[0]) / (moments[-1] - moments[0])
    for sign, moment in zip(signs, moments, strict=True):
        assert sign == pytest.approx(signs[0] + (moment - moments[0]) * scale, abs=0.5)


def test_a_timeline_is_kept_in_the_address_and_opens_its_sources(open_page):
    page = open_page("#/timeline?query=bridge&since=2024-06-01&until=2024-12-31")
    page.locator(".card").first.wait_for()
    days = page.locator(".card .days").all_text_contents()
    assert days
    assert all(day.endswith("2024") for day in days)
    assert page.locator("[name=since]").input_value() == "2024-06-01"
    cards = page.locator("#timeline-result").inner_text()
    page.locator(".card .cite").first.click()
    assert marked(page)
    assert page.locator(".card").first.is_visible()
    page.keyboard.press("Escape")
    assert page.locator("#timeline-result").inner_text() == cards
    page.get_by_role("button", name="Table").click()
    assert page.get_by_role("table").get_by_role("row").count() == len(days) + 1


def test_a_timeline_without_events_says_so(open_page):
    page = open_page("#/timeline?query=bridge&since=2090-01-01")
    page.get_by_text("No dated events found.").wait_for()


def test_documents_are_filtered_and_opened(open_page):
    page = open_page("#/documents")
    total = page.locator("#documents-total")
    page.locator("#documents-list li").first.wait_for()
    everything = int(total.inner_text().split()[0])
    page.get_by_label("Words in title or source").fill("bridge treaty")
    page.locator("#documents-total", has_text=re.compile(r"^[1-9] documents?$")).wait_for()
    titles = page.locator("#documents-list .source-title").all_text_contents()
    assert all("bridge" in title.lower() for title in titles)
    page.locator("#documents [name=after]").fill("2026-01-01")
    page.locator("#documents-total", has_text="1 document").wait_for()
    page.locator("#documents [name=after]").fill("2027-01-01")
    page.get_by_text("No document is like that").wait_for()
    page.get_by_role("button", name="Clear").click()
    page.locator("#documents-total", has_text=f"{everything} documents").wait_for()
    page.locator("#documents-list").get_by_role("link", name="Aurora").click()
    page.locator("#source-title", has_text="Aurora").wait_for()
    assert page.locator("#documents-list").is_visible()


def test_arrows_move_through_the_documents(open_page):
    page = open_page("#/documents")
    links = page.locator("#documents-list a")
    links.first.focus()
    page.keyboard.press("ArrowDown")
    assert links.nth(1).evaluate("link => link === document.activeElement")
    page.keyboard.press("ArrowUp")
    assert links.first.evaluate("link => link === document.activeElement")


FILE = {
    "name": "orchard.txt",
    "mimeType": "text/plain",
    "buffer": b"The orchard at Fellbeck was planted by Nora Quist in 1911.",
}


def test_files_are_added_watched_asked_and_removed(open_page):
    page = open_page("#/documents")
    page.locator("#documents-list li").first.wait_for()
    broken = {"name": "broken.pdf", "mimeType": "application/pdf", "buffer": b"%PDF-1.4 no"}
    page.locator("#files").set_input_files([FILE, broken])
    job = page.locator(".job.done")
    job.wait_for()
    assert "1 added, 1 not readable" in job.inner_text()
    assert "broken.pdf" in job.inner_text()
    page.get_by_label("Words in title or source").fill("orchard")
    row = page.locator("#documents-list li", has_text="orchard.txt")
    row.wait_for()

    page.goto(page.url.partition("#")[0] + "#/")
    page.get_by_label("Question", exact=True).fill("Who planted the orchard at Fellbeck?")
    page.keyboard.press("Enter")
    page.locator(".verdict", has_text="Nora Quist").wait_for()

    page.goto(page.url.partition("#")[0] + "#/documents")
    row.get_by_role("button", name="Remove").click()
    page.get_by_role("dialog").get_by_role("button", name="Remove").click()
    row.wait_for(state="detached")
    page.locator("#documents-total", has_text="No document is like that").wait_for()


def test_a_job_goes_on_being_watched_when_cut_off_and_can_be_cancelled(open_page):
    job = {"id": "1", "state": "running", "files": [], "report": None, "error": None}
    job["progress"] = {"done": 1, "total": 4, "unit": "bytes"}
    looks = []

    def reply(route):
        if route.request.method == "DELETE":
            error = {"code": "D000", "problem": "It was cancelled.", "next_step": ""}
            job.update(state="failed", error=error)
        looks.append(route.request.url)
        data = json.dumps(job)
        is_stream = route.request.url.endswith("/events")
        route.fulfill(body=f"event: progress\ndata: {data}\n\n" if is_stream else data)

    page = open_page("#/documents")
    page.route("**/api/documents", lambda route: route.fulfill(status=202, json={"job": "1"}))
    page.route("**/api/index-jobs/1**", reply)
    page.locator("#files").set_input_files([FILE])
    page.locator(".job-state", has_text="Indexing, 25 %").wait_for()
    page.get_by_role("button", name="Cancel").click()
    failed = page.locator(".job.failed")
    failed.wait_for()
    assert "It was cancelled." in failed.inner_text()
    assert failed.get_by_role("button", name="Cancel").count() == 0
    assert len([look for look in looks if look.endswith("/events")]) >= 2


def test_files_are_dropped(open_page):
    page = open_page()
    dropped = page.evaluate_handle(
        """() => {
            const dropped = new DataTransfer();
            dropped.items.add(new File(['The kiln at Odby was lit by Pia Rask.'], 'kiln.txt'));
            return dropped;
        }"""
    )
    page.dispatch_event("body", "dragenter", {"dataTransfer": dropped})
    assert page.get_by_text("Drop to add to the documents").is_visible()
    page.dispatch_event("body", "drop", {"dataTransfer": dropped})
    page.locator(".job.done", has_text="1 added").wait_for()
    assert page.url.endswith("#/documents")
    assert page.get_by_text("Drop to add to the documents").is_hidden()
    row = page.locator("#documents-list li", has_text="kiln.txt")
    row.get_by_role("button", name="Remove").click()
    page.get_by_role("dialog").get_by_role("button", name="Remove").click()
    row.wait_for(state="detached")


def test_an_upload_that_is_refused_is_told_of(open_page, refuse):
    page = open_page("#/documents")
    refuse(page, "**/api/documents", 413, "orchard.txt is too large.")
    page.locator("#files").set_input_files([FILE])
    job = page.locator(".job.failed")
    job.wait_for()
    assert "orchard.txt is too large." in job.inner_text()
    assert "Try again in 2 s." in job.inner_text()
