"""Measures of confidence, held to their definitions and to what they must be on made-up data."""

import itertools
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eval.calibration import (
    area_under_risk_coverage,
    brier_score,
    coverage_at_risk,
    expected_calibration_error,
    measure_trust,
    reliability,
    risk_at_threshold,
    risk_coverage_curve,
    roc_auc,
)

JUDGED = st.lists(
    st.tuples(st.one_of(st.floats(0, 1), st.sampled_from([0.0, 0.2, 0.5, 1.0])), st.booleans()),
    min_size=1,
    max_size=40,
)
RATIOS = st.integers(1, 12).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n)))


def columns(judged):
    return [list(column) for column in zip(*judged, strict=True)]


@given(st.lists(RATIOS, min_size=1, max_size=20))
def test_perfectly_calibrated_data_has_no_calibration_error(groups):
    # Of n questions with a confidence of k/n, k are right.
    judged = [(right / n, number < right) for n, right in groups for number in range(n)]
    confidences, right = columns(judged)
    table = reliability(confidences, right)
    assert expected_calibration_error(table) == pytest.approx(0, abs=1e-12)
    expected = sum(n * (k / n) * (1 - k / n) for n, k in groups) / len(judged)
    assert brier_score(confidences, right) == pytest.approx(expected)


def defined_error(confidences, right, bins=15):
    """Guo et al., equation 3, bin by bin."""
    error = 0.0
    for number in range(bins):
        low, high = number / bins, (number + 1) / bins
        inside = [
            (c, r)
            for c, r in zip(confidences, right, strict=True)
            if low < c <= high or (number == 0 and c == 0)
        ]
        if inside:
            confidence, accuracy = (sum(column) / len(inside) for column in columns(inside))
            error += len(inside) / len(right) * abs(accuracy - confidence)
    return error


@given(
    st.lists(st.tuples(st.integers(0, 10**6).map(lambda n: n / 10**6), st.booleans()), min_size=1)
)
def test_calibration_error_against_the_definition(judged):
    confidences, right = columns(judged)
    table = reliability(confidences, right)
    assert len(table) == 15
    assert sum(row.questions for row in table) == len(judged)
    assert expected_calibration_error(table) == pytest.approx(defined_error(confidences, right))


def test_reliability_by_hand():
    table = reliability([0.0, 0.5, 0.6, 1.0], [False, True, False, True], bins=2)
    assert table[0] == (0.0, 0.5, 2, 0.25, 0.5)
    assert table[1] == (0.5, 1.0, 2, 0.8, 0.5)
    assert expected_calibration_error(table) == pytest.approx((0.25 + 0.3) / 2)
    assert reliability([0.9], [True], bins=2)[0] == (0.0, 0.5, 0, None, None)


@given(JUDGED)
def test_area_under_risk_coverage_is_a_share(judged):
    confidences, right = columns(judged)
    area = area_under_risk_coverage(confidences, right)
    assert 0 <= area <= 1 + 1e-12
    assert area_under_risk_coverage(confidences, [True] * len(right)) == 0
    assert area_under_risk_coverage(confidences, [False] * len(right)) == pytest.approx(1)
    shuffled = random.Random(1).sample(judged, len(judged))
    assert area_under_risk_coverage(*columns(shuffled)) == pytest.approx(area)


@given(JUDGED)
def test_area_under_risk_coverage_is_the_mean_over_orders_of_equals(judged):
    judged = judged[:5]
    areas = []
    for order in itertools.permutations(judged):
        if all(one[0] >= other[0] for one, other in itertools.pairwise(order)):
            wrong = [not right for _, right in order]
            areas.append(sum(sum(wrong[:n]) / n for n in range(1, len(wrong) + 1)) / len(wrong))
    mean = sum(areas) / len(areas)
    assert area_under_risk_coverage(*columns(judged)) == pytest.approx(mean)


def test_area_under_risk_coverage_by_hand():
    # Risks at 1, 2, 3, 4 answered: 0, 0, 1/3, 2/4.
    confidences, right = [0.9, 0.1, 0.8, 0.3], [True, False, True, False]
    assert area_under_risk_coverage(confidences, right) == pytest.approx((1 / 3 + 1 / 2) / 4)
    assert risk_coverage_curve(confidences, right, points=2) == ((0.8, 0.5, 0.0), (0.1, 1.0, 0.5))
    assert len(risk_coverage_curve(confidences, right)) == 4  # no point twice


@given(JUDGED, st.sampled_from([0.0, 0.05, 0.2, 0.5, 1.0]))
def test_coverage_at_risk_is_the_largest_that_a_threshold_reaches(judged, risk):
    confidences, right = columns(judged)
    point = coverage_at_risk(confidences, right, risk)
    reached = {
        threshold: risk_at_threshold(confidences, right, threshold) for threshold in confidences
    }
    within = [p for p in reached.values() if p.risk <= risk + 1e-12]
    assert point.coverage == max((p.coverage for p in within), default=0)
    if within:
        assert reached[point.threshold].coverage == point.coverage
        assert reached[point.threshold].risk == pytest.approx(point.risk)
    else:
        assert point == (None, 0.0, None)


def test_risk_at_threshold():
    assert risk_at_threshold([0.5, 0.4, 0.9], [True, True, False], 0.5) == (0.5, 2 / 3, 0.5)
    assert risk_at_threshold([0.4], [True], 0.5) == (0.5, 0.0, None)


@given(JUDGED)
def test_roc_auc_against_its_definition(judged):
    scores, positive = columns(judged)
    ups = [s for s, p in judged if p]
    downs = [s for s, p in judged if not p]
    if not ups or not downs:
        assert roc_auc(scores, positive) is None
        return
    won = sum((up > down) + (up == down) / 2 for up in ups for down in downs)
    assert roc_auc(scores, positive) == pytest.approx(won / len(ups) / len(downs))


def test_all_measures_together():
    trust = measure_trust([0.9, 0.8, 0.2], [True, True, False], 0.5)
    assert trust.accuracy == pytest.approx(2 / 3)
    assert trust.confidence == pytest.approx(1.9 / 3)
    assert trust.at_threshold == (0.5, pytest.approx(2 / 3), 0.0)
    assert set(trust.coverage_at_risk) == {"5%", "10%", "20%"}
    assert trust.coverage_at_risk["5%"].coverage == pytest.approx(2 / 3)
    assert sum(row.questions for row in trust.reliability) == 3
    assert trust.risk_coverage[-1].coverage == 1
