"""Fixtures for the tests of the chat page."""

import contextlib
import json

import page_service
import pytest

from index import EmbeddedIndex


@pytest.fixture(scope="session")
def service(tmp_path_factory):
    """The address of a service over the sample and some documents that are hard to show."""
    folder = tmp_path_factory.mktemp("page")
    with EmbeddedIndex.open(folder / ".dateline") as index:
        page_service.fill(index, folder)
        with page_service.served(index) as address:
            yield address


@pytest.fixture
def open_page(browser, service):
    """Opens the page, at a place of it and with settings of the browser; no script may fail."""
    with contextlib.ExitStack() as stack:
        wrong = []

        def opened(place="#/", phone=False, **settings):
            size = {"width": 390, "height": 844} if phone else {"width": 1280, "height": 820}
            context = browser.new_context(
                viewport=size, is_mobile=phone, has_touch=phone, **settings
            )
            context.set_default_timeout(30_000)
            stack.callback(context.close)
            page = context.new_page()
            page.on("pageerror", lambda error: wrong.append(str(error)))
            page.on("console", lambda said: wrong.append(said.text) if _is_ours(said) else None)
            page.goto(f"{service}/{place}")
            return page

        opened.wrong = wrong
        yield opened
        assert wrong == []


def _is_ours(said):
    """Whether the console tells of a mistake in the page, not of a reply that a test wanted."""
    return said.type == "error" and "Failed to load resource" not in said.text


@pytest.fixture
def refuse():
    """Lets the service answer some path with an error."""

    def refusing(
        page, path, status, problem="It is busy.", *, next_step="Try again in 2 s.", times=1
    ):
        error = {"code": "D503", "problem": problem, "next_step": next_step}
        page.route(
            path,
            lambda route: route.fulfill(status=status, body=json.dumps({"error": error})),
            times=times,
        )

    return refusing
