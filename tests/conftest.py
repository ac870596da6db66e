"""Shared fixtures. Nothing here reaches the network or needs data from outside the project."""

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
