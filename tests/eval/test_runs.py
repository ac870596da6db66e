"""Anybody's runs: measured on a collection, fused into one."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eval.datasets import load_beir
from eval.runs import FUSIONS, doubts, fuse_runs
from eval.trec import ranked
from index.errors import UsageError

A = {"q1": {"x": 9.0, "y": 5.0, "z": 1.0}, "q2": {"x": 1.0}}
B = {"q1": {"y": 0.8, "w": 0.4}, "q3": {"z": 2.0, "x": 1.0}}

names = st.sampled_from([f"d{n}" for n in range(12)])
runs = st.dictionaries(
    st.sampled_from(["q1", "q2"]), st.dictionaries(names, st.floats(-50, 50), max_size=8)
)


def test_reciprocal_ranks_by_hand():
    fused = fuse_runs([A, B])
    assert list(fused) == ["q1", "q2", "q3"]
    assert list(fused["q1"]) == ["y", "x", "w", "z"]
    assert fused["q1"]["y"] == pytest.approx((1 / 62 + 1 / 61) / 2)
    assert fused["q2"] == {"x": pytest.approx(1 / 61 / 2)}


def test_scaled_scores_by_hand():
    fused = fuse_runs([A, B], "minmax", [1, 3])
    assert fused["q1"] == pytest.approx({"y": 0.25 * 0.5 + 0.75, "x": 0.25, "z": 0, "w": 0})
    assert fuse_runs([A, B], "minmax", [0, 1])["q3"] == pytest.approx({"z": 1, "x": 0})


def test_scores_as_they_are_by_hand():
    fused = fuse_runs([A, B], "combsum")
    assert fused["q1"] == pytest.approx({"x": 4.5, "y": 2.9, "z": 0.5, "w": 0.2})
    weighted = fuse_runs([A, B], "combsum", [1, 3])
    assert weighted["q1"] == pytest.approx({"x": 9 / 4, "y": 7.4 / 4, "z": 1 / 4, "w": 1.2 / 4})


def test_depth_and_weights():
    assert list(fuse_runs([A, B], depth=2)["q1"]) == ["y", "x"]
    with pytest.raises(UsageError, match="2 runs and 1 weights"):
        fuse_runs([A, B], weights=[1])


@settings(deadline=None)  # the machine may be busy
@given(st.lists(runs, min_size=1, max_size=3), st.sampled_from(sorted(FUSIONS)))
def test_any_runs(given_runs, method):
    fused = fuse_runs(given_runs, method)
    for query, scores in fused.items():
        assert scores.keys() == {d for run in given_runs for d in run.get(query, {})}
        assert list(scores) == list(ranked(scores))  # as whoever reads the file will order them
    assert fused.keys() == {query for run in given_runs for query in run}
    again = [{q: dict(reversed(scores.items())) for q, scores in run.items()} for run in given_runs]
    assert fuse_runs(again, method) == fused  # the order in the file does not matter


@settings(deadline=None)  # the machine may be busy
@given(runs, st.sampled_from(["rrf", "minmax"]))
def test_a_run_fused_with_itself_keeps_its_order(run, method):
    for query, scores in fuse_runs([run, run], method).items():
        if len({*run[query].values()}) == len(run[query]):
            ordered = sorted(scores, key=lambda d: (scores[d], run[query][d]), reverse=True)
            assert ordered == list(ranked(run[query]))


def test_a_run_that_may_be_of_another_collection(beir_folder):
    collection = load_beir(beir_folder)
    run = {
        "q1": {"d1": 2.0, "elsewhere": 1.0},
        "q2": {"d2": 2.0, "d1": 1.0},
        "q3": {"d1": 1.0},
        "q9": {"elsewhere too": 1.0},
    }
    assert doubts(run, collection) == [
        "judged queries without documents, of 3: 1",
        "queries that are not judged: 2",
        "documents that are not in the collection: 1",
    ]
    every = {query: {"d1": 1.0} for query in collection.qrels}
    assert doubts(every, collection) == []
