"""Shared fixtures. Nothing here reaches the network or needs data from outside the project."""

import shutil

import pytest
from support import HashEmbedder

from index import EmbeddedIndex

pytest.register_assert_rewrite("index_conformance")


@pytest.fixture
def embedder():
    return HashEmbedder()


@pytest.fixture
def index(tmp_path, embedder):
    with EmbeddedIndex.open(tmp_path / ".dateline", embedder=embedder) as opened:
        yield opened


@pytest.fixture(autouse=True)
def _offline(monkeypatch):
    """Any attempt to reach a model hub fails at once instead of waiting for the network."""
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")


@pytest.fixture(scope="module")
def browser():
    """A headless Chromium that Playwright drives.

    For one module of tests, not for all: while it runs, `asyncio.run` fails in this thread.
    """
    playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
    names = ("chromium", "chromium-browser", "google-chrome", "chrome")
    program = next(filter(None, map(shutil.which, names)), None)
    if program is None:
        pytest.skip(f"no browser found: none of {', '.join(names)} is on the PATH")
    with playwright.sync_playwright() as driver:
        launched = driver.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield launched
        launched.close()
