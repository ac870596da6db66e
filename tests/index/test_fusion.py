import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.fusion import minmax_mean, reciprocal_rank, score_mean

EQUAL = {"bm25": 1.0, "dense": 1.0}


def ranking(*pairs):
    ids, scores = zip(*pairs, strict=True) if pairs else ((), ())
    return np.array(ids, np.int64), np.array(scores, np.float64)


rankings = st.lists(
    st.tuples(st.integers(1, 30), st.floats(-50, 50)), unique_by=lambda pair: pair[0], max_size=20
).map(lambda pairs: ranking(*sorted(pairs, key=lambda pair: (-pair[1], pair[0]))))


def test_minmax_mean_by_hand():
    fused = minmax_mean(
        {"bm25": ranking((3, 9.0), (1, 5.0), (2, 1.0)), "dense": ranking((1, 0.8), (4, 0.4))},
        {"bm25": 1.0, "dense": 3.0},
        k=10,
    )
    assert fused[0].tolist() == [1, 3, 2, 4]
    np.testing.assert_allclose(fused[1], [0.875, 0.25, 0, 0])


def test_a_single_score_and_equal_scores_count_as_best():
    lone = minmax_mean({"bm25": ranking((7, -2.0)), "dense": ranking()}, EQUAL, 5)
    assert (lone[0].tolist(), lone[1].tolist()) == ([7], [0.5])
    equal = minmax_mean({"bm25": ranking((4, 2.0), (9, 2.0))}, EQUAL, 5)
    assert (equal[0].tolist(), equal[1].tolist()) == ([4, 9], [1, 1])


def test_reciprocal_rank_by_hand():
    fused = reciprocal_rank(
        {"bm25": ranking((3, 9.0), (1, 5.0)), "dense": ranking((1, 0.8), (4, 0.4))}, EQUAL, 10
    )
    assert fused[0].tolist() == [1, 3, 4]
    np.testing.assert_allclose(
        fused[1], [(1 / 62 + 1 / 61) / 2, 1 / 61 / 2, 1 / 62 / 2], rtol=1e-12
    )


def test_score_mean_by_hand():
    fused = score_mean(
        {"bm25": ranking((3, 9.0), (1, 5.0)), "dense": ranking((1, 0.8), (4, -0.4))},
        {"bm25": 1.0, "dense": 3.0},
        k=10,
    )
    assert fused[0].tolist() == [3, 1, 4]
    np.testing.assert_allclose(fused[1], [9 / 4, 7.4 / 4, -1.2 / 4])


@pytest.mark.parametrize("fuse", [minmax_mean, reciprocal_rank, score_mean])
def test_nothing_found_and_weights(fuse):
    assert fuse({}, EQUAL, 5)[0].tolist() == []
    assert fuse({"bm25": ranking(), "dense": ranking()}, EQUAL, 5)[0].tolist() == []
    with pytest.raises(ValueError, match="weight"):
        fuse({"bm25": ranking((1, 1.0))}, {"bm25": -1.0}, 5)
    alone = fuse({"dense": ranking((2, 0.9), (1, 0.1))}, {"bm25": 1.0, "dense": 0.0}, 5)
    assert alone[0].tolist() == [2, 1]


@given(rankings, rankings, st.integers(1, 40), st.floats(0, 1))
@pytest.mark.parametrize("fuse", [minmax_mean, reciprocal_rank])
def test_any_rankings(fuse, bm25, dense, k, weight):
    weights = {"bm25": 1 - weight, "dense": weight}
    fused = fuse({"bm25": bm25, "dense": dense}, weights, k)
    everything = set(bm25[0].tolist()) | set(dense[0].tolist())
    assert set(fused[0].tolist()) <= everything
    assert len(fused[0]) == len(set(fused[0].tolist())) == min(k, len(everything))
    assert ((fused[1] >= 0) & (fused[1] <= 1)).all()
    keys = list(zip((-fused[1]).tolist(), fused[0].tolist(), strict=True))
    assert keys == sorted(keys)
    swapped = fuse({"dense": dense, "bm25": bm25}, weights, k)
    np.testing.assert_allclose(swapped[1], fused[1], atol=1e-12)


@given(rankings)
@pytest.mark.parametrize("fuse", [minmax_mean, reciprocal_rank])
def test_one_ranking_alone_keeps_its_order(fuse, only):
    fused = fuse({"bm25": only, "dense": ranking()}, EQUAL, 100)
    score = dict(zip(fused[0].tolist(), fused[1].tolist(), strict=True))
    in_order = [score[id_] for id_ in only[0].tolist()]
    assert in_order == sorted(in_order, reverse=True)
