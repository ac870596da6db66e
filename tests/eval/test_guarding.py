"""Quality that may not fall: floors, and baselines compared question by question."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eval.guarding import Floor, check, load_baseline, notes, parse_floor, save_baseline
from eval.options import Guard, check_reports
from index.errors import LoadError, QualityError, UsageError


def many(mean, questions=200, spread=0.2, seed=3):
    noise = np.random.default_rng(seed).normal(0, spread, questions)
    return {f"q{n}": float(value) for n, value in enumerate(np.clip(mean + noise, 0, 1))}


@pytest.fixture
def values():
    return {
        "nfcorpus/bm25": {"nDCG@10": {"q1": 0.2, "q2": 0.4}, "Judged@10": {"q1": 1.0, "q2": 1.0}},
        "cranfield/bm25": {"nDCG@10": {"q1": 0.3, "q2": 0.5}, "Judged@10": {"q1": 1.0, "q2": 1.0}},
    }


@pytest.mark.parametrize(
    ("text", "floor"),
    [
        ("nDCG@10=0.33", Floor(None, "nDCG@10", 0.33)),
        ("bm25:AP(rel=2)=.1", Floor("bm25", "AP(rel=2)", 0.1)),
        ("AP(rel=2)@5=1", Floor(None, "AP(rel=2)@5", 1.0)),
        ("nfcorpus/bm25: nDCG@10 = 0", Floor("nfcorpus/bm25", "nDCG@10", 0.0)),
    ],
)
def test_floors_as_they_are_written(text, floor):
    assert parse_floor(text) == floor


@pytest.mark.parametrize(
    "text", ["", "nDCG@10", "nDCG@10=", "=0.3", "nDCG@10=x", "R@5=33", "a=nan"]
)
def test_what_is_no_floor(text):
    with pytest.raises(UsageError, match="is not a floor"):
        parse_floor(text)


def test_a_mean_may_be_its_floor_but_not_less(values):
    check(values, floors=[parse_floor("nDCG@10=0.3")])
    with pytest.raises(QualityError) as failed:
        check(values, floors=[parse_floor("nDCG@10=0.31"), parse_floor("cranfield:nDCG@10=0.5")])
    assert "nfcorpus/bm25: nDCG@10 is 0.3000, less than 0.31" in str(failed.value)
    assert "cranfield/bm25: nDCG@10 is 0.4000, less than 0.5" in str(failed.value)
    check(values, floors=[parse_floor("Judged@10=1"), parse_floor("cranfield/bm25:nDCG@10=0.4")])


@given(st.lists(st.floats(0, 1), min_size=1, max_size=20), st.floats(0, 1))
def test_a_floor_is_a_bound_on_the_mean(column, least):
    values = {"s": {"AP": {str(n): value for n, value in enumerate(column)}}}
    short = sum(column) / len(column) < least
    try:
        check(values, floors=[Floor(None, "AP", least)])
        assert not short
    except QualityError:
        assert short


@pytest.mark.parametrize(
    ("floor", "message"),
    [
        ("dense:nDCG@10=0.3", "Nothing that is measured is called 'dense'. Choose from: nfcorpus"),
        ("nDCG@100=0.3", r"'nDCG@100' is not measured for nfcorpus/bm25. Did you mean 'nDCG@10'"),
    ],
)
def test_a_floor_of_something_else_is_wrong_usage(values, floor, message):
    with pytest.raises(UsageError, match=message):
        check(values, floors=[parse_floor(floor)])


def test_a_baseline_comes_back_as_it_was_saved(values, tmp_path):
    path = tmp_path / "new" / "baseline.json"
    save_baseline(path, values, {"nfcorpus/bm25": {"mode": "bm25", "depth": 100}})
    baseline = load_baseline(path)
    assert baseline.values == values
    assert baseline.settings["nfcorpus/bm25"] == {"mode": "bm25", "depth": 100}
    assert baseline.versions["numpy"] == np.__version__
    check(values, baseline=baseline)


def test_what_is_significantly_worse_than_the_baseline_is_told(tmp_path):
    before = {"s/a": {"AP": many(0.5), "P@5": many(0.4)}, "s/b": {"AP": many(0.6)}}
    save_baseline(tmp_path / "b.json", before)
    baseline = load_baseline(tmp_path / "b.json")
    worse = {q: max(v - 0.05, 0) for q, v in before["s/a"]["AP"].items()}
    now = {"s/a": {"AP": worse, "P@5": many(0.4)}, "s/b": {"AP": many(0.9)}}
    with pytest.raises(QualityError) as failed:
        check(now, baseline=baseline)
    (line,) = failed.value.problem.splitlines()[1:]
    assert line.strip().startswith("s/a: AP fell from 0.5")
    assert "better on 0" in line
    chance = {"s/a": {"AP": many(0.5, spread=0.21, seed=9)}}
    check(chance, baseline=baseline)  # another sample of the same mean is no fall


def test_few_questions_are_judged_by_the_tolerance(tmp_path):
    before = {"s": {"AP": {"q1": 0.5, "q2": 0.5, "q3": 0.5}}}
    save_baseline(tmp_path / "b.json", before)
    baseline = load_baseline(tmp_path / "b.json")
    fallen = {"s": {"AP": {"q1": 0.5, "q2": 0.5, "q3": 0.44}}}
    with pytest.raises(QualityError, match="too few questions for a test"):
        check(fallen, baseline=baseline)
    check(fallen, baseline=baseline, tolerance=0.03)
    check({"s": {"AP": {"q1": 1.0, "q2": 0.5, "q3": 0.44}}}, baseline=baseline)


def test_how_much_was_judged_is_not_quality(tmp_path):
    before = {"s": {"AP": many(0.5), "Judged@10": many(0.9)}}
    save_baseline(tmp_path / "b.json", before)
    check(
        {"s": before["s"] | {"Judged@10": many(0.1)}}, baseline=load_baseline(tmp_path / "b.json")
    )


def test_a_baseline_of_something_else_is_wrong_usage(values, tmp_path):
    save_baseline(tmp_path / "b.json", values)
    baseline = load_baseline(tmp_path / "b.json")
    with pytest.raises(UsageError, match="It has: nfcorpus/bm25, cranfield/bm25"):
        check({"other": values["nfcorpus/bm25"]}, baseline=baseline)
    fewer = {"nfcorpus/bm25": {"nDCG@10": {"q1": 0.9}}}
    with pytest.raises(UsageError, match="other questions for nfcorpus/bm25"):
        check(fewer, baseline=baseline)


def test_what_a_comparison_leaves_out_is_told(values, tmp_path):
    save_baseline(tmp_path / "b.json", values, {"nfcorpus/bm25": {"k1": 1.5, "b": 0.75}})
    told = list(
        notes(
            {"nfcorpus/bm25": {"AP": {"q1": 0.2, "q2": 0.4}}},
            {"nfcorpus/bm25": {"k1": 0.9, "b": 0.75}},
            load_baseline(tmp_path / "b.json"),
        )
    )
    assert told[0].endswith("not measured now: cranfield/bm25, nfcorpus/bm25 nDCG@10.")
    assert told[1].startswith("nfcorpus/bm25: k1 is 0.9; it was 1.5")
    assert len(told) == 2


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "{}",
        '{"format": 1}',
        '{"format": 1, "made": "x", "versions": {}, "systems": {"a": {"measures": 3}}}',
        '{"format": 1, "made": "x", "versions": {}, "systems":'
        ' {"a": {"settings": {}, "measures": {"AP": {"q": "much"}}}}}',
        '{"format": 2}',
    ],
)
def test_a_damaged_baseline_is_refused(tmp_path, text):
    (tmp_path / "b.json").write_text(text)
    with pytest.raises(LoadError, match=r"b\.json"):
        load_baseline(tmp_path / "b.json")


def test_a_missing_baseline_is_wrong_usage(tmp_path):
    with pytest.raises(UsageError, match="--save-baseline"):
        load_baseline(tmp_path / "none.json")


def test_a_guard_saves_only_what_is_good_enough(values, tmp_path):
    path = tmp_path / "b.json"
    with pytest.raises(QualityError):
        Guard(["nDCG@10=0.9"], save=path).check(values)
    assert not path.exists()
    Guard(["nDCG@10=0.1"], save=path).check(values)
    worse = json.loads(json.dumps(values))
    worse["nfcorpus/bm25"]["nDCG@10"]["q1"] = 0.0
    with pytest.raises(QualityError):
        Guard(against=path, save=path).check(worse)
    assert load_baseline(path).values == values  # what it was compared with is still there


def test_a_report_that_cannot_be_written_is_refused_beforehand(tmp_path):
    check_reports([tmp_path / "a.html", tmp_path / "a.MD"])
    with pytest.raises(UsageError, match="does not say its format"):
        check_reports([tmp_path / "a.pdf"])
    with pytest.raises(UsageError, match="no folder"):
        check_reports([tmp_path / "none" / "a.md"])
