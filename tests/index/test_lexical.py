import threading

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from rank_bm25 import BM25Okapi

from index import cachefile
from index.lexical import LexicalIndex

WORDS = ["a", "b", "c", "d", "e", "f", "g", "ä\n", ""]
documents = st.lists(st.lists(st.sampled_from(WORDS), max_size=12), max_size=6)
queries = st.lists(st.sampled_from([*WORDS, "unknown"]), max_size=5)


def assert_same_as_rank_bm25(index, contents, query, **parameters):
    """`contents`: terms by id."""
    ids, scores = index.scores(query)
    assert ids.tolist() == sorted(contents)
    if any(contents.values()):  # rank-bm25 cannot do with less than one term
        expected = BM25Okapi([contents[i] for i in sorted(contents)], **parameters)
        np.testing.assert_allclose(scores, expected.get_scores(query), rtol=0, atol=1e-6)
    else:
        assert not scores.any()
    for k in (1, 3, 100):
        assert_ranked(index.search(query, k), (ids, scores), sharing(contents, query), k)


def assert_ranked(found, everything, sharing, k):
    """`everything`: all ids and scores; `sharing`: the ids that may be found."""
    score = dict(zip(*(array.tolist() for array in everything), strict=True))
    expected = sorted(sharing, key=lambda id_: (-score[id_], id_))[:k]
    assert found[0].tolist() == expected
    assert found[1].tolist() == [score[id_] for id_ in expected]


def sharing(contents, query):
    return {id_ for id_, terms in contents.items() if set(terms) & set(query)}


class AnyHistory(RuleBasedStateMachine):
    """Whatever was added and removed in whatever order, the scores are rank-bm25's."""

    def __init__(self):
        super().__init__()
        self.index, self.contents, self.next_id = LexicalIndex(), {}, 1

    @rule(texts=documents, descending=st.booleans(), query=queries)
    def add(self, texts, descending, query):
        ids = list(range(self.next_id, self.next_id + len(texts)))[:: -1 if descending else 1]
        self.next_id += len(texts)
        self.index.add(ids, texts)
        self.contents |= dict(zip(ids, texts, strict=True))
        assert_same_as_rank_bm25(self.index, self.contents, query)

    @rule(data=st.data(), query=queries)
    def remove(self, data, query):
        ids = data.draw(st.lists(st.integers(1, self.next_id + 2)))
        self.index.remove(ids)
        self.contents = {i: terms for i, terms in self.contents.items() if i not in ids}
        assert_same_as_rank_bm25(self.index, self.contents, query)

    @rule()
    def save_and_load(self):
        arrays = {name: array.copy() for name, array in self.index.to_arrays().items()}
        for array in arrays.values():
            array.flags.writeable = False
        self.index = LexicalIndex.from_arrays(arrays)

    @rule(data=st.data(), query=queries)
    def search_among_some(self, data, query):
        allowed = np.array(sorted(data.draw(st.sets(st.integers(1, self.next_id + 2)))), np.int64)
        some = sharing(self.contents, query) & set(allowed.tolist())
        found = self.index.search(query, 3, allowed)
        assert_ranked(found, self.index.scores(query), some, 3)

    @invariant()
    def size(self):
        assert len(self.index) == len(self.contents)


TestAnyHistory = AnyHistory.TestCase
TestAnyHistory.settings = settings(max_examples=60, stateful_step_count=20, deadline=None)


# At b = 1 rank-bm25 divides 0 by 0 for a document without terms.
@given(documents, queries, st.floats(0.1, 3), st.floats(0, 0.99), st.floats(0, 1))
@settings(deadline=None)
def test_parameters_are_those_of_rank_bm25(texts, query, k1, b, epsilon):
    index = LexicalIndex(k1, b, epsilon)
    index.add(range(1, len(texts) + 1), texts)
    contents = dict(enumerate(texts, 1))
    assert_same_as_rank_bm25(index, contents, query, k1=k1, b=b, epsilon=epsilon)


def zipfian(count, seed):
    words = np.random.default_rng(seed).zipf(1.3, (count, 40)) % 5000
    return [[f"w{word}" for word in row] for row in words.tolist()]


def test_a_thousand_chunks_after_additions_and_removals():
    index, texts = LexicalIndex(), zipfian(1000, seed=1)
    for start in range(0, 1000, 130):
        index.add(range(start + 1, min(1000, start + 130) + 1), texts[start : start + 130])
    contents = dict(enumerate(texts, 1))
    for step, query in enumerate(zipfian(12, seed=2)):
        gone = list(range(1 + step, 1001, 17))
        index.remove(gone)
        contents = {i: terms for i, terms in contents.items() if i not in gone}
        assert_same_as_rank_bm25(index, contents, query[:7])


def test_long_documents_count_beyond_a_byte():
    texts = [["a"] * 70_000 + ["b"], ["a", "c"], ["c"], ["d"], ["e"]]
    index = LexicalIndex()
    for number, text in enumerate(texts, 1):
        index.add([number], [text])
    assert_same_as_rank_bm25(index, dict(enumerate(texts, 1)), ["a", "b"])


def test_nothing_to_find():
    index = LexicalIndex()
    assert index.search(["a"], 5)[0].tolist() == []
    index.add([1, 2], [[], []])
    index.remove([7])
    assert len(index) == 2
    assert index.search(["a"], 5)[0].tolist() == []
    assert LexicalIndex.from_arrays(index.to_arrays()).search(["a"], 5)[0].tolist() == []
    index.add([3], [["a"]])
    assert index.search(["a"], 0)[0].tolist() == []
    assert index.search([], 5)[0].tolist() == []
    assert index.search(["a"], 5, np.zeros(0, np.int64))[0].tolist() == []
    index.remove([1, 2, 3])
    assert index.search(["a"], 5)[0].tolist() == []


def test_weights_multiply_a_terms_contribution():
    texts = zipfian(200, seed=3)
    index = LexicalIndex()
    index.add(range(1, 201), texts)
    terms = [texts[0][0], texts[1][1], texts[0][0]]
    weights = [0.5, 2.0, 1.5]
    expected = sum(
        weight * index.scores([term])[1] for term, weight in zip(terms, weights, strict=True)
    )
    ids, scores = index.search(terms, 50, weights=weights)
    np.testing.assert_allclose(scores, expected[ids - 1], atol=1e-9)
    assert (np.diff(scores) <= 0).all()
    with pytest.raises(ValueError, match="weights"):
        index.search(terms, 5, weights=[1.0])


def test_an_id_cannot_be_added_twice():
    index = LexicalIndex()
    index.add([1], [["a"]])
    for ids in ([1], [2, 2]):
        with pytest.raises(ValueError, match="twice"):
            index.add(ids, [["b"]] * len(ids))
    with pytest.raises(ValueError, match="documents"):
        index.add([5], [])
    assert len(index) == 1
    index.remove([1])
    index.add([1], [["b"]])
    assert index.search(["b"], 5)[0].tolist() == [1]
    assert index.search(["a"], 5)[0].tolist() == []


def test_the_cache_file_round_trip_keeps_ranking_and_goes_on_from_there(tmp_path):
    index, texts = LexicalIndex(1.2, 0.5, 0.1), zipfian(300, seed=4)
    index.add(range(1, 301), texts)
    index.remove(range(1, 40))
    cachefile.write(tmp_path / "lexical", {}, index.to_arrays())
    loaded = LexicalIndex.from_arrays(cachefile.read(tmp_path / "lexical")[1])
    contents = {i: terms for i, terms in enumerate(texts, 1) if i >= 40}
    for query in zipfian(5, seed=5):
        assert index.search(query[:6], 20)[0].tolist() == loaded.search(query[:6], 20)[0].tolist()
    loaded.add([400], [["w1", "new"]])
    loaded.remove([50])
    contents[400] = ["w1", "new"]
    del contents[50]
    assert_same_as_rank_bm25(loaded, contents, ["w1", "new"], k1=1.2, b=0.5, epsilon=0.1)


def test_what_is_kept_of_scores_is_bounded(monkeypatch):
    monkeypatch.setattr("index.lexical._KEPT_SCORES", 500)
    index, texts = LexicalIndex(), zipfian(300, seed=6)
    index.add(range(1, 301), texts)
    for query in zipfian(20, seed=7):
        assert_same_as_rank_bm25(index, dict(enumerate(texts, 1)), query[:6])
        kept = index._scorer._kept.values()
        assert sum(len(parts) for _, parts in kept) <= 500


def test_searches_while_another_thread_changes_the_index():
    index, texts = LexicalIndex(), zipfian(400, seed=8)
    index.add(range(1, 201), texts[:200])
    done, failures = threading.Event(), []

    def search():
        while not done.is_set():
            try:
                ids, scores = index.search(texts[0][:6], 10)
                assert len(set(ids.tolist())) == len(ids) == len(scores) == 10
            except Exception as error:
                failures.append(error)
                return

    threads = [threading.Thread(target=search) for _ in range(2)]
    for thread in threads:
        thread.start()
    for number in range(201, 401):
        index.add([number], [texts[number - 1]])
        index.remove([number - 100])
    done.set()
    for thread in threads:
        thread.join()
    assert not failures
