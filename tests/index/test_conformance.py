"""EmbeddedIndex is an `Index`."""

import pytest
from index_conformance import IndexConformance
from support import HashEmbedder

from index import EmbeddedIndex


class TestEmbeddedIndex(IndexConformance):
    @pytest.fixture
    def open_index(self, tmp_path):
        return lambda name: EmbeddedIndex.open(tmp_path / name, embedder=HashEmbedder())
