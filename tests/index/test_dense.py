import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from index import cachefile
from index.dense import DenseIndex

DIMENSION = 8


def unit(vectors):
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def clustered(count, seed, dimension=32):
    """Vectors in overlapping clusters, as texts on related topics give them."""
    random = np.random.default_rng(seed)
    centres = np.random.default_rng(0).normal(size=(60, dimension))
    noise = random.normal(size=(count, dimension))
    return unit(centres[random.integers(0, 60, count)] + 0.6 * noise)


def ranked(contents, vector, k, allowed=None):
    """The expected ids and scores; `contents`: vectors by id."""
    ids = np.array([i for i in sorted(contents) if allowed is None or i in allowed], np.int64)
    if not len(ids):
        return ids, np.zeros(0)
    scores = np.stack([contents[i] for i in ids.tolist()]) @ vector
    order = np.lexsort((ids, -scores))[:k]
    return ids[order], scores[order]


class AnyHistory(RuleBasedStateMachine):
    """With at most `exact_limit` to search among, the ranking is exact, whatever came before.

    The vectors are signed axes, so that ties are frequent and sums have no rounding.
    """

    def __init__(self):
        super().__init__()
        self.index, self.contents, self.next_id = DenseIndex(DIMENSION, exact_limit=12), {}, 1

    @rule(axes=st.lists(st.integers(0, 2 * DIMENSION - 1), max_size=8))
    def add(self, axes):
        vectors = np.concatenate([np.eye(DIMENSION), -np.eye(DIMENSION)]).astype(np.float32)[axes]
        ids = np.arange(self.next_id, self.next_id + len(axes))
        self.next_id += len(axes)
        self.index.add(ids, vectors)
        self.contents |= dict(zip(ids.tolist(), vectors, strict=True))

    @rule(data=st.data())
    def remove(self, data):
        ids = data.draw(st.lists(st.integers(1, self.next_id + 2)))
        self.index.remove(ids)
        self.contents = {i: v for i, v in self.contents.items() if i not in ids}

    @rule()
    def save_and_load(self):
        arrays = {name: array.copy() for name, array in self.index.to_arrays().items()}
        for array in arrays.values():
            array.flags.writeable = False
        self.index = DenseIndex.from_arrays(arrays)

    @rule(data=st.data(), axis=st.integers(0, DIMENSION - 1), k=st.integers(0, 30))
    def search(self, data, axis, k):
        vector = np.eye(DIMENSION, dtype=np.float32)[axis]
        allowed = data.draw(st.sets(st.integers(1, self.next_id + 2), max_size=12))
        sets = [set(self.contents) & allowed]
        if len(self.contents) <= 12:
            sets.append(set(self.contents))
        for some in sets:
            filter_ids = np.array(sorted(allowed), np.int64) if some is sets[0] else None
            ids, scores = self.index.search(vector, k, filter_ids)
            expected_ids, expected_scores = ranked(self.contents, vector, k, some)
            assert ids.tolist() == expected_ids.tolist()
            assert scores.tolist() == expected_scores.tolist()
        assert len(self.index.search(vector, k)[0]) == min(k, len(self.contents))

    @invariant()
    def size(self):
        assert len(self.index) == len(self.contents)


TestAnyHistory = AnyHistory.TestCase
TestAnyHistory.settings = settings(max_examples=60, stateful_step_count=15, deadline=None)


def test_a_large_index_finds_nearly_all_of_the_nearest():
    vectors, questions = clustered(6000, seed=1), clustered(100, seed=2)
    index = DenseIndex(32, exact_limit=2000)
    for start in range(0, 6000, 1000):
        index.add(np.arange(start, start + 1000) + 1, vectors[start : start + 1000])
    contents = dict(enumerate(vectors, 1))
    found = [len(set(index.search(q, 10)[0].tolist()) & nearest(contents, q)) for q in questions]
    assert sum(found) / 1000 >= 0.98
    index.remove(range(1, 2001))
    contents = {i: v for i, v in contents.items() if i > 2000}
    found = [len(set(index.search(q, 10)[0].tolist()) & nearest(contents, q)) for q in questions]
    assert sum(found) / 1000 >= 0.98


def nearest(contents, question):
    return set(ranked(contents, question, 10)[0].tolist())


def test_a_large_index_is_drawn_anew_when_it_has_grown_a_lot():
    vectors = clustered(5000, seed=3)
    index = DenseIndex(32, exact_limit=1000)
    sizes = []
    for start in range(0, 5000, 500):
        index.add(np.arange(start, start + 500) + 1, vectors[start : start + 500])
        sizes.append(index.to_arrays()["settings"][2])
    assert sizes == [0, 0, *[1500] * 7, 5000 if 5000 > 4 * 1500 else 1500]
    index.add(np.arange(5001, 7001), clustered(2000, seed=4))
    assert index.to_arrays()["settings"][2] == 7000
    assert len(index) == 7000


def test_a_filter_loses_nothing_in_a_large_index():
    vectors = clustered(4000, seed=5)
    index = DenseIndex(32, exact_limit=1000)
    index.add(np.arange(1, 4001), vectors)
    contents = dict(enumerate(vectors, 1))
    for question in clustered(10, seed=6):
        for allowed in (np.arange(1, 4001, 5), np.array([3, 9999]), np.arange(2000, 2030)):
            ids, _ = index.search(question, 30, allowed)
            expected = ranked(contents, question, 30, set(allowed.tolist()))[0]
            assert ids.tolist() == expected.tolist()
        most = np.arange(1, 3501)
        ids, _ = index.search(question, 3500, most)
        assert sorted(ids.tolist()) == most.tolist()


def test_the_cache_file_round_trip(tmp_path):
    index = DenseIndex(32, exact_limit=100)
    index.add(np.arange(1, 501), clustered(500, seed=7))
    index.remove([4, 5])
    cachefile.write(tmp_path / "dense", {}, index.to_arrays())
    loaded = DenseIndex.from_arrays(cachefile.read(tmp_path / "dense")[1])
    for question in clustered(5, seed=8):
        for mine, theirs in zip(index.search(question, 9), loaded.search(question, 9), strict=True):
            assert mine.tolist() == theirs.tolist()
    with pytest.raises(ValueError, match="twice"):
        loaded.add(np.array([6]), clustered(1, seed=9))
    loaded.add(np.array([4]), clustered(1, seed=9))
    assert len(loaded) == 499


def test_a_damaged_cache_is_refused():
    arrays = DenseIndex(4).to_arrays()
    with pytest.raises(RuntimeError):
        DenseIndex.from_arrays({**arrays, "index": arrays["index"][:7]})


def test_what_does_not_fit_is_refused():
    index = DenseIndex(4)
    index.add(np.array([1]), unit(np.ones((1, 4))))
    with pytest.raises(ValueError, match="shape"):
        index.add(np.array([2]), unit(np.ones((1, 5))))
    with pytest.raises(ValueError, match="shape"):
        index.search(np.ones(5), 1)
    for ids in ([1], [2, 2]):
        with pytest.raises(ValueError, match="twice"):
            index.add(np.array(ids), unit(np.ones((len(ids), 4))))
    assert len(index) == 1
