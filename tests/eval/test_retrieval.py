import pytest
from support import HashEmbedder

from eval import evaluate
from eval.datasets import load_beir
from eval.retrieval import (
    built_index,
    evaluate_retrieval,
    limited,
)
from eval.searching import search_documents
from index import IndexSettings
from index.document import Chunk, Document, DocumentInfo, Hit
from index.errors import UsageError


class ManyChunks:
    """Document `n` has chunks until all have; hits come best first."""

    def __init__(self, documents, chunks_each):
        self.hits = [
            Hit(
                Chunk(d * chunks_each + c, str(d), 0, 1, "x"),
                DocumentInfo(id=str(d), source=f"s{d}", title=""),
                1000.0 - d - c / chunks_each,
            )
            for d in range(documents)
            for c in range(chunks_each)
        ]
        self.asked = []

    def search(self, query, top_k, mode):
        self.asked.append(top_k)
        return self.hits[:top_k]


def test_documents_take_their_best_passages_score():
    found = search_documents(ManyChunks(5, 3), "q", "bm25")
    assert found == {"s0": 1000.0, "s1": 999.0, "s2": 998.0, "s3": 997.0, "s4": 996.0}


@pytest.mark.parametrize(
    ("documents", "chunks_each", "asked"),
    [
        (500, 1, [400]),
        (500, 4, [400]),
        (500, 10, [400, 800, 1600]),
        (30, 10, [400]),
        (40, 10, [400, 800]),
    ],
)
def test_asks_for_more_passages_until_there_are_enough_documents(documents, chunks_each, asked):
    index = ManyChunks(documents, chunks_each)
    found = search_documents(index, "q", "dense")
    assert len(found) == min(100, documents)
    assert index.asked == asked
    assert list(found) == sorted(found, key=lambda source: -found[source])


def test_evaluate_retrieval(beir_folder, new_index):
    collection = load_beir(beir_folder)
    index = new_index(document for document in collection.documents if document.text)
    result = evaluate_retrieval(index, collection, "bm25")
    assert result.queries == 3
    assert result.per_query["nDCG@10"]["q1"] == 1.0
    assert result.per_query["nDCG@10"]["q2"] == 0.0  # finds d2, judged 0; d1 does not match
    assert result.per_query["R@100"]["q4"] == 0.0  # finds nothing
    assert result.measures["nDCG@10"] == pytest.approx(1 / 3)
    low, high = result.intervals["nDCG@10"]
    assert 0 <= low <= 1 / 3 <= high <= 1
    assert result.latency.p95 >= result.latency.p50 > 0
    assert result.run["q4"] == {}


def test_limited_drops_queries_from_the_judgements_too(beir_folder):
    collection = limited(load_beir(beir_folder), 2)
    assert list(collection.queries) == list(collection.qrels) == ["q1", "q2"]
    assert len(collection.documents) == 3


def document(source, text):
    return Document(id=source, source=source, title="", text=text)


def folders(work):
    return sorted(path for path in work.iterdir() if path.is_dir())


def test_index_is_reused_only_when_nothing_changed(tmp_path, light, monkeypatch):
    documents = [document("a", "One."), document("empty", "")]
    with built_index("name", documents, work=tmp_path) as built:
        assert [info.source for info in built.index.documents()] == ["a"]
        assert built.chunks == 1
        first = built
    with monkeypatch.context() as patched:
        patched.setattr("index.EmbeddedIndex.add", None)  # building again would fail
        with built_index("name", documents, work=tmp_path) as built:
            assert built.path == first.path
            assert built.indexing_seconds == first.indexing_seconds > 0
    with built_index("name", [document("a", "Two.")], work=tmp_path) as built:
        assert built.path != first.path
    settings = IndexSettings(chunk_tokens=64)
    with built_index("name", documents, work=tmp_path, settings=settings) as built:
        assert built.index.settings == settings
    assert len(folders(tmp_path)) == 3
    monkeypatch.setattr(HashEmbedder, "fingerprint", "other weights under the same name")
    with built_index("name", documents, work=tmp_path) as built:
        assert built.path != first.path


def test_a_build_that_failed_is_not_reused(tmp_path, light, monkeypatch):
    def fails(self, documents):
        next(iter(documents))
        raise KeyboardInterrupt

    documents = [document("a", "One."), document("b", "Two.")]
    with monkeypatch.context() as patched:
        patched.setattr("index.EmbeddedIndex.add", fails)
        with pytest.raises(KeyboardInterrupt), built_index("name", documents, work=tmp_path):
            pass
    with built_index("name", documents, work=tmp_path) as built:
        assert built.index.stats().documents == 2
    assert len(folders(tmp_path)) == 1


def test_evaluate_takes_a_collection_of_either_kind(beir_folder, tmp_path):
    results = evaluate(beir_folder, work=tmp_path / "work")
    assert [result.mode for result in results] == ["bm25", "dense", "hybrid"]
    with pytest.raises(UsageError, match="nothing"):
        evaluate(tmp_path / "nothing.json")
