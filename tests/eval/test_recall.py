import json

import numpy as np
import pytest
from typer.testing import CliRunner

from eval import cli, recall
from eval.benchmark import varied_passages
from index.errors import IndexNotFoundError, LoadError, UsageError

RUNNER = CliRunner()


def vectors(count, seed=0):
    generator = np.random.default_rng(seed)
    found = generator.normal(size=(count, 16))
    return (found / np.linalg.norm(found, axis=1, keepdims=True)).astype(np.float32)


def test_recall_of_an_exact_and_of_an_approximate_index():
    queries = vectors(30, seed=1)
    for result in recall.evaluate_recall(vectors(600), queries, ks=(1, 10)):
        assert result.recall == {"recall@1": 1.0, "recall@10": 1.0}
    filled, halved = recall.evaluate_recall(vectors(2000), queries, ks=(10,), exact_limit=100)
    assert (filled.state, filled.vectors) == ("filled", 2000)
    assert (halved.state, halved.vectors) == ("half removed", 1000)
    assert 0.5 < filled.recall["recall@10"] < 1
    assert 0.5 < halved.recall["recall@10"] < 1


def test_recall_counts_what_is_as_near_as_the_last(monkeypatch):
    same = np.repeat(vectors(4), 50, axis=0)
    (filled, _) = recall.evaluate_recall(same, same[:1], ks=(10, 100_000), exact_limit=20)
    assert filled.recall["recall@10"] == 1.0  # any ten of the fifty that are equal
    assert filled.recall["recall@100000"] == 1.0
    search = recall.DenseIndex.search

    def worse(self, query, k):
        ids, scores = search(self, query, k)
        return ids, scores - (0.1 if self.exact_limit == 20 else 0) * (np.arange(len(ids)) > 6)

    monkeypatch.setattr("eval.recall.DenseIndex.search", worse)
    (filled, _) = recall.evaluate_recall(same, same[:1], ks=(10,), exact_limit=20)
    assert filled.recall["recall@10"] == pytest.approx(0.7)


def test_held_out_vectors_are_no_longer_among_the_others():
    every = vectors(50)
    kept, taken = recall.held_out(every, 300)
    assert (len(kept), len(taken)) == (45, 5)
    assert len(np.unique(np.concatenate([kept, taken]), axis=0)) == 50
    assert np.array_equal(taken, recall.held_out(every, 300)[1])
    with pytest.raises(UsageError, match="too few"):
        recall.held_out(every[:9], 1)


def test_recall_command_on_vectors(tmp_path):
    np.save(tmp_path / "v.npy", 3 * vectors(200))
    np.save(tmp_path / "q.npy", vectors(20, seed=1))
    arguments = ["recall", "--vectors", str(tmp_path / "v.npy")]
    table = RUNNER.invoke(cli.app, arguments)
    assert table.exit_code == 0, table.output
    assert "1.0000" in table.stdout
    assert "filled: up to 50,000 vectors the search is exact." in table.stdout
    arguments += ["--queries", str(tmp_path / "q.npy"), "--sample", "7", "--exact-limit", "50"]
    printed = json.loads(RUNNER.invoke(cli.app, [*arguments, "-k", "5", "--json"]).stdout)
    filled, halved = printed["results"]
    assert (filled["vectors"], filled["queries"], halved["vectors"]) == (200, 7, 100)
    assert set(filled["recall"]) == {"recall@5"}
    assert set(filled["exact"]) == {"p50", "p95"}


def test_recall_command_on_an_index(new_index, tmp_path):
    index = new_index(varied_passages(["Mayor Quill met Ada Oldacre. She paid 85,000 crowns."], 30))
    arguments = ["recall", "--index", str(index.path), "--json"]
    filled, halved = json.loads(RUNNER.invoke(cli.app, arguments).stdout)["results"]
    chunks = index.stats().chunks
    assert filled["queries"] == chunks // 10
    assert filled["vectors"] == chunks - chunks // 10
    assert halved["recall"]["recall@10"] == 1.0
    done = RUNNER.invoke(cli.app, ["recall", "--index", str(new_index([]).path)])
    assert isinstance(done.exception, UsageError)
    done = RUNNER.invoke(cli.app, ["recall", "--index", str(tmp_path / "none")])
    assert isinstance(done.exception, IndexNotFoundError)


def test_what_is_no_vectors_is_refused(tmp_path):
    path = tmp_path / "v.npy"
    for array in (np.ones(3), np.ones((0, 4)), np.array([["a"]]), np.array([[np.nan, 1.0]])):
        np.save(path, array)
        with pytest.raises(UsageError):
            recall.load_vectors(path)
    for content in (b"", b"no array", path.read_bytes()[:-3]):
        path.write_bytes(content)
        with pytest.raises(LoadError, match="cannot be read"):
            recall.load_vectors(path)
    with pytest.raises(LoadError):
        recall.load_vectors(tmp_path / "none.npy")
    with pytest.raises(UsageError, match="do not fit"):
        next(recall.evaluate_recall(vectors(20), vectors(3)[:, :9]))
