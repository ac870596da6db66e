"""Experiments: what was done is kept, and nothing else than what was asked for is reused."""

import json
from dataclasses import replace

import numpy as np
import pytest
from support import HashEmbedder

from eval import experiment
from eval.configurations import Configuration
from eval.datasets import load_beir
from eval.experiment import measured_run, run_experiment
from eval.retrieval import evaluate_retrieval, limited
from eval.vectors import KeptVectors
from index import EmbeddedIndex, IndexSettings
from index.document import Document
from index.errors import DatelineError

BM25 = Configuration(name="bm25", mode="bm25")
HYBRID = Configuration(name="hybrid")


@pytest.fixture
def collection(beir_folder, light):
    return load_beir(beir_folder)


@pytest.fixture
def searches(monkeypatch):
    """The searches that are really done."""
    done = []

    def search(path, configuration, queries, description):
        done.append(configuration.name)
        return real(path, configuration, queries, description)

    real = experiment._search
    monkeypatch.setattr(experiment, "_search", search)
    return done


class Counting(HashEmbedder):
    """Remembers what it was asked to embed."""

    def __init__(self):
        self.embedded = []

    def embed(self, texts, progress=None):
        self.embedded += texts
        return super().embed(texts, progress)


@pytest.fixture
def counting(monkeypatch, light):
    embedder = Counting()
    for module in ("eval.retrieval", "eval.experiment"):
        monkeypatch.setattr(f"{module}.load_embedder", lambda _: embedder)
    return embedder


def test_an_experiment_gives_what_searching_by_hand_gives(collection, new_index, tmp_path):
    index = new_index(document for document in collection.documents if document.text)
    by_hand = evaluate_retrieval(index, collection, "hybrid")
    (found,) = run_experiment([collection], [HYBRID], list(by_hand.measures), work=tmp_path)
    assert found.run == by_hand.run
    assert found.per_query == by_hand.per_query
    assert (found.system, found.mode, found.settings["fusion"]) == ("hybrid", "hybrid", "minmax")
    assert found.latency.p95 >= found.latency.p50 > 0
    assert found.cost.passages == 2
    assert found.cost.index_mib > 0
    assert not found.cost.kept


def test_a_run_is_kept_with_its_cost(collection, tmp_path, searches):
    first = measured_run(collection, BM25, work=tmp_path)
    again = measured_run(collection, BM25, work=tmp_path)
    assert searches == ["bm25"]
    assert again == replace(first, cost=replace(first.cost, kept=True))
    measured_run(collection, replace(BM25, name="renamed"), work=tmp_path)
    assert len(searches) == 1  # a name is not what was measured
    measured_run(collection, BM25, work=tmp_path, fresh=True)
    assert len(searches) == 2


@pytest.mark.parametrize(
    "change",
    [
        {"mode": "dense"},
        {"depth": 50},
        {"settings": IndexSettings(k1=0.9)},
        {"settings": IndexSettings(stem=False)},
        {"settings": IndexSettings(dense_weight=0.4)},
        {"settings": IndexSettings(chunk_tokens=64)},
    ],
)
def test_another_setting_is_another_run(collection, tmp_path, searches, change):
    measured_run(collection, BM25, work=tmp_path)
    measured_run(collection, replace(BM25, **change), work=tmp_path)
    assert len(searches) == 2


def test_other_documents_queries_model_or_code_are_another_run(
    collection, tmp_path, searches, monkeypatch
):
    def runs():
        measured_run(collection, BM25, work=tmp_path)
        return len(searches)

    assert runs() == runs() == 1
    judged = {query: dict.fromkeys(grades, 1) for query, grades in collection.qrels.items()}
    collection = replace(collection, qrels=judged)
    assert runs() == 1  # judgements are applied later
    collection = limited(collection, 2)
    assert runs() == 2
    more = Document(id="n", source="n", title="New", text="Tea again.")
    collection = replace(collection, documents=(*collection.documents, more))
    assert runs() == 3
    stranger = HashEmbedder()
    stranger.fingerprint = "hash-2"
    with monkeypatch.context() as patched:
        patched.setattr("eval.experiment.load_embedder", lambda _: stranger)
        assert runs() == 4
    assert runs() == 4
    monkeypatch.setattr("eval.experiment.index_key", lambda *_: "other code")
    assert runs() == 5


@pytest.mark.parametrize("damage", ["", "{", '{"key": "other"}', "[]", "null", "cut"])
def test_a_kept_run_that_is_not_whole_is_not_used(collection, tmp_path, searches, damage):
    first = measured_run(collection, BM25, work=tmp_path)
    (path,) = (tmp_path / "runs").iterdir()
    whole = path.read_text()
    path.write_text(whole[: len(whole) // 2] if damage == "cut" else damage)
    assert measured_run(collection, BM25, work=tmp_path).run == first.run
    assert len(searches) == 2
    assert json.loads(path.read_text())["run"] == json.loads(whole)["run"]


def test_an_experiment_that_was_stopped_goes_on(collection, tmp_path, searches, monkeypatch):
    with monkeypatch.context() as patched:

        def stopped(path, configuration, queries, description):
            if configuration.mode == "dense":
                raise KeyboardInterrupt
            return experiment_search(path, configuration, queries, description)

        experiment_search = experiment._search
        patched.setattr(experiment, "_search", stopped)
        plan = [BM25, Configuration(name="dense", mode="dense"), HYBRID]
        with pytest.raises(KeyboardInterrupt):
            run_experiment([collection], plan, ["nDCG@10"], work=tmp_path)
    assert searches == ["bm25"]
    results = run_experiment([collection], plan, ["nDCG@10"], work=tmp_path)
    assert searches == ["bm25", "dense", "hybrid"]
    assert [result.cost.kept for result in results] == [True, False, False]


def test_configurations_that_differ_in_their_search_share_an_index(collection, tmp_path, counting):
    plan = [
        BM25,
        HYBRID,
        replace(HYBRID, name="rrf", settings=IndexSettings(fusion="rrf")),
        replace(BM25, name="k1", settings=IndexSettings(k1=0.9)),
        replace(BM25, name="whole words", settings=IndexSettings(stem=False)),
    ]
    run_experiment([collection], plan, ["nDCG@10"], work=tmp_path)
    indexes = [path for path in tmp_path.glob("tiny-*") if path.is_dir()]
    assert len(indexes) == 2  # stems are made when indexing
    passages = [text for text in counting.embedded if "grown" in text]
    assert len(passages) == 2  # each once, for both indexes


def test_measures_deeper_than_a_configuration_are_left_out(collection, tmp_path):
    shallow = replace(BM25, name="shallow", depth=5)
    found = run_experiment([collection], [BM25, shallow], ["nDCG@5", "R@10"], work=tmp_path)
    assert [list(result.measures) for result in found] == [["nDCG@5", "R@10"], ["nDCG@5"]]


def test_passages_longer_than_the_model_takes_are_told(collection, tmp_path, caplog):
    long = replace(BM25, settings=IndexSettings(chunk_tokens=129))
    fits = replace(BM25, name="fits", settings=IndexSettings(chunk_tokens=128))
    run_experiment([collection], [long, fits], ["nDCG@10"], work=tmp_path)
    (line,) = (record.getMessage() for record in caplog.records if "eval" in record.name)
    assert line == "bm25 has chunk_tokens 129, but its embedder takes 128: passages have no more."


def test_a_process_of_its_own_gives_the_same(beir_folder, tmp_path, monkeypatch):
    """With the real model, in a real process: what a user gets."""
    monkeypatch.setenv("DATELINE_THREADS", "1")
    collection = load_beir(beir_folder)
    (found,) = run_experiment([collection], [BM25], ["nDCG@10"], work=tmp_path)
    assert found.per_query["nDCG@10"]["q1"] == 1.0
    assert found.cost.peak_mib is None or found.cost.peak_mib > 30


# vectors


def test_vectors_are_made_once_and_are_those_an_index_keeps(tmp_path):
    counting = Counting()
    texts = ["Green tea.", "Black tea.", "Green tea."]
    told = []
    kept = KeptVectors(counting, tmp_path)
    first = kept.embed(texts, told.append)
    assert counting.embedded == ["Green tea.", "Black tea."]
    again = KeptVectors(counting, tmp_path).embed(["Coffee.", *texts], told.append)
    assert counting.embedded == ["Green tea.", "Black tea.", "Coffee."]
    np.testing.assert_array_equal(again[1:], first)
    np.testing.assert_array_equal(
        first, HashEmbedder().embed(texts).astype(np.float16).astype(np.float32)
    )
    assert sum(told) == 3 + 4
    assert kept.embed_query("tea").tolist() == HashEmbedder().embed_query("tea").tolist()
    assert kept.count_tokens(["a b"]) == [2]


def test_another_models_vectors_are_not_used(tmp_path):
    KeptVectors(HashEmbedder(), tmp_path).embed(["Tea."])
    stranger = Counting()
    stranger.fingerprint = "hash-2"
    KeptVectors(stranger, tmp_path).embed(["Tea."])
    assert stranger.embedded == ["Tea."]


def test_a_damaged_file_of_vectors_is_made_again(tmp_path):
    kept = KeptVectors(HashEmbedder(), tmp_path)
    kept.close()
    (path,) = tmp_path.glob("vectors-*.sqlite3")
    path.write_bytes(b"no database" * 1000)
    assert KeptVectors(HashEmbedder(), tmp_path).embed(["Tea."]).shape == (1, 64)


def test_a_file_of_vectors_that_cannot_be_written_is_an_error(tmp_path, monkeypatch):
    counting = Counting()
    KeptVectors(counting, tmp_path).close()
    (path,) = tmp_path.glob("vectors-*.sqlite3")
    path.unlink()
    path.mkdir()
    with pytest.raises(DatelineError, match="cannot be"):
        KeptVectors(counting, tmp_path)


def test_kept_vectors_make_the_same_index(tmp_path, light):
    documents = [
        Document(id=str(n), source=str(n), title="", text=f"Report {n} says tea.") for n in range(9)
    ]
    embedder = KeptVectors(HashEmbedder(), tmp_path / "vectors")
    found = []
    for name, used in {"plain": HashEmbedder(), "first": embedder, "again": embedder}.items():
        with EmbeddedIndex.open(tmp_path / name, embedder=used) as index:
            index.add(documents)
            found.append([(h.document.source, h.score) for h in index.search("report 3 tea")])
    assert found[0] == found[1] == found[2]
