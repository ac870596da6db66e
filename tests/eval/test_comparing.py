"""What is called really better: held to brute force, to scipy, and to the definitions."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from eval.comparing import Comparison, against_baseline, all_pairs, cohens_dz, compare, holm
from eval.metrics import Interval, randomization_test

VALUE = st.integers(0, 8).map(lambda n: n / 8)
PAIRS = st.lists(st.tuples(VALUE, VALUE), min_size=1, max_size=9)
P_VALUE = st.floats(1e-6, 1.0)


def by_question(values):
    return {f"q{number}": value for number, value in enumerate(values)}


def brute_force(a, b):
    """Every way to swap the two systems' values."""
    differences = np.subtract(a, b)
    observed = abs(differences.sum()) - 1e-9
    flips = list(itertools.product([1, -1], repeat=len(differences)))
    return np.mean([abs((np.array(signs) * differences).sum()) >= observed for signs in flips])


@given(PAIRS)
@settings(deadline=None)
def test_few_questions_are_tested_exactly(pairs):
    a, b = zip(*pairs, strict=True)
    p = randomization_test(a, b)
    assert p == pytest.approx(brute_force(a, b))
    assert 0 < p <= 1
    assert p == randomization_test(b, a)


@given(PAIRS, st.integers(20, 60))
@settings(max_examples=20, deadline=None)
def test_questions_that_do_not_differ_leave_the_test_exact(pairs, same):
    a, b = zip(*pairs, strict=True)
    ties = [0.5] * same
    assert randomization_test([*a, *ties], [*b, *ties]) == pytest.approx(brute_force(a, b))


@pytest.mark.parametrize("shift", [0.0, 0.02, 0.05, -0.05])
def test_many_questions_agree_with_scipy(shift):
    generator = np.random.default_rng(5)
    a = generator.random(60)
    b = np.clip(a + generator.normal(shift, 0.2, 60), 0, 1)
    ours = randomization_test(a, b)
    theirs = stats.permutation_test(
        (a, b),
        lambda x, y, axis: (x - y).mean(axis=axis),
        permutation_type="samples",
        vectorized=True,
        n_resamples=20_000,
        rng=np.random.default_rng(8),
    ).pvalue
    # Both are shares of random draws: four standard errors of their difference.
    assert ours == pytest.approx(theirs, abs=4 * np.sqrt(theirs * (1 - theirs) * 1.5e-4) + 2e-4)


def test_the_test_finds_nothing_in_noise_about_as_often_as_it_says():
    """Under the null hypothesis one p-value in twenty is at most .05."""
    generator = np.random.default_rng(0)
    noise = generator.normal(0, 1, (40, 300))
    values = {f"s{i}": by_question(noise[:, i]) for i in range(300)}
    values["zero"] = by_question(np.zeros(40))
    found = compare(values, against_baseline(values, "zero"))
    assert np.mean([c.p <= 0.05 for c in found]) == pytest.approx(0.05, abs=0.04)
    assert sum(c.significant for c in found) <= 1  # of the whole family, after correction


@given(st.lists(P_VALUE, max_size=20))
def test_holm_keeps_the_order_and_only_raises(p_values):
    adjusted = holm(p_values)
    for (p, q), (other_p, other_q) in itertools.combinations(
        zip(p_values, adjusted, strict=True), 2
    ):
        if p < other_p:
            assert q <= other_q
    assert all(p <= q <= 1 for p, q in zip(p_values, adjusted, strict=True))
    assert all(
        q <= min(1, len(p_values) * p) for p, q in zip(p_values, adjusted, strict=True)
    )  # never worse than Bonferroni
    if p_values:
        assert min(adjusted) == pytest.approx(min(1, len(p_values) * min(p_values)))


@given(st.lists(P_VALUE, min_size=1, max_size=12), st.floats(0.01, 0.2))
def test_holm_rejects_what_its_step_down_procedure_rejects(p_values, alpha):
    rejected = set()
    ordered = sorted(range(len(p_values)), key=p_values.__getitem__)
    for rank, place in enumerate(ordered):
        if p_values[place] * (len(p_values) - rank) > alpha:
            break
        rejected.add(place)
    assert {i for i, p in enumerate(holm(p_values)) if p <= alpha} == rejected


def test_holm_by_hand():
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([]) == []


def test_effect_size():
    assert cohens_dz([0.1, 0.2, 0.3]) == pytest.approx(2.0)
    assert cohens_dz([-0.1, -0.2, -0.3]) == pytest.approx(-2.0)
    assert cohens_dz([0.0, 0.0]) == 0.0
    assert cohens_dz([0.0]) == 0.0
    assert cohens_dz([0.1, 0.1]) is None  # no spread to measure it by
    generator = np.random.default_rng(1)
    differences = generator.normal(0.1, 1, 50)
    t = stats.ttest_1samp(differences, 0).statistic
    assert cohens_dz(differences) == pytest.approx(t / np.sqrt(50))


@given(st.lists(st.tuples(VALUE, VALUE, VALUE), min_size=2, max_size=12))
@settings(max_examples=40, deadline=None)
def test_a_comparison_turned_round_is_its_mirror_image(rows):
    columns = [by_question(column) for column in zip(*rows, strict=True)]
    values = dict(zip("abc", columns, strict=True))
    forth = compare(values, [("a", "b"), ("c", "b")])
    back = compare(values, [("b", "a"), ("b", "c")])
    for one, other in zip(forth, back, strict=True):
        assert one.difference == pytest.approx(-other.difference)
        assert (one.p, one.adjusted_p) == (other.p, other.adjusted_p)
        assert one.interval == pytest.approx((-other.interval.high, -other.interval.low), abs=1e-2)
        assert (one.won, one.lost) == (other.lost, other.won)
        assert one.interval.low - 1e-9 <= one.difference <= one.interval.high + 1e-9
        assert one.effect == (None if other.effect is None else pytest.approx(-other.effect))


def test_a_comparison_by_hand():
    values = {"new": by_question([1, 1, 1, 1, 1, 0]), "old": by_question([0, 0, 0, 0, 1, 1])}
    (found,) = compare(values, [("new", "old")])
    assert (found.won, found.lost, found.questions) == (4, 1, 6)
    assert found.difference == pytest.approx(0.5)
    assert found.p == found.adjusted_p == pytest.approx(12 / 32)  # of 5 coins: 4 or 5 one way
    assert found.mark == ""


def test_marks():
    def comparison(difference, adjusted_p):
        return Comparison(
            system="a", baseline="b", questions=9, difference=difference, p=adjusted_p,
            interval=Interval(0, 0), adjusted_p=adjusted_p, effect=None, won=1, lost=1,
        )  # fmt: skip

    assert comparison(0.1, 0.049).mark == "▲"
    assert comparison(-0.1, 0.049).mark == "▼"
    assert comparison(0.1, 0.05).mark == ""


def test_more_comparisons_make_wider_intervals_and_larger_p_values():
    generator = np.random.default_rng(2)
    values = {"base": by_question(generator.random(50))}
    for number in range(20):
        values[f"s{number}"] = by_question(generator.random(50) + 0.1)
    (alone,) = compare(values, [("s0", "base")])
    first, *_ = compare(values, against_baseline(values, "base"))
    assert first.p == alone.p
    assert first.adjusted_p > alone.adjusted_p
    assert first.interval.low < alone.interval.low < alone.interval.high < first.interval.high


def test_pairs():
    assert against_baseline("abc", "b") == [("a", "b"), ("c", "b")]
    assert all_pairs("abc") == [("b", "a"), ("c", "a"), ("c", "b")]


def test_other_questions_are_refused():
    with pytest.raises(ValueError, match="same questions"):
        compare({"a": {"q1": 1.0}, "b": {"q2": 1.0}}, [("a", "b")])
    with pytest.raises(ValueError, match="same questions"):
        compare({"a": {}, "b": {}}, [("a", "b")])
