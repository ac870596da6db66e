"""SQuAD's measures are held to its definition, restated here letter by letter.

The official scripts (CC BY-SA) are not part of this repository. Run beside `eval.metrics` on seven
kinds of predictions for all of dev (157,101 predictions), evaluate-v2.0.py gave the same exact
match, F1 and best thresholds each time; evaluate-v1.1.py gave what `test_squad_scoring` says.
"""

import re
import string

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eval.metrics import (
    RETRIEVAL_MEASURES,
    best_threshold,
    bootstrap_interval,
    checked_measures,
    cutoff_of,
    exact_match,
    f1,
    measure_run,
    normalize_answer,
    randomization_test,
)
from index.errors import UsageError

TEXT = st.text(alphabet="abthen ANTHE.,'-“É1\t\u00a0ßİ中", max_size=14)
FRACTION = st.integers(0, 5).map(lambda n: n / 5)


def defined_words(text):
    kept = "".join(c for c in text.lower() if c not in set(string.punctuation))
    return [word for word in re.sub(r"\b(a|an|the)\b", " ", kept).split() if word]


def defined_f1(prediction, answer):
    predicted, wanted = defined_words(prediction), defined_words(answer)
    if not predicted or not wanted:
        return float(predicted == wanted)
    rest, same = list(wanted), 0
    for word in predicted:
        if word in rest:
            rest.remove(word)
            same += 1
    if not same:
        return 0.0
    precision, recall = same / len(predicted), same / len(wanted)
    return 2 * precision * recall / (precision + recall)


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("The  Cat's\tpyjamas!", "cats pyjamas"),
        ("a-bomb", "abomb"),
        ("An apple, a day", "apple day"),
        ("1,000.50", "100050"),
        ("Theatre", "theatre"),
        ("“quoted”", "“quoted”"),
        ("the", ""),
    ],
)
def test_normalize_answer(text, normal):
    assert normalize_answer(text) == normal


@pytest.mark.parametrize(
    ("prediction", "answers", "match", "score"),
    [
        ("the Cosmodrome", ["Cosmodrome."], 1.0, 1.0),
        ("Vostochny Cosmodrome", ["the Cosmodrome"], 0.0, 2 / 3),
        ("New New York", ["New York York"], 0.0, 2 / 3),
        ("x", ["y", "x z", "x"], 1.0, 1.0),
        ("", [], 1.0, 1.0),
        ("something", [], 0.0, 0.0),
        ("", ["gold"], 0.0, 0.0),
        ("the", ["a"], 1.0, 1.0),
        ("", ["the", "gold"], 0.0, 0.0),  # gold answers that normalise to nothing do not count
    ],
)
def test_exact_match_and_f1(prediction, answers, match, score):
    assert exact_match(prediction, answers) == match
    assert f1(prediction, answers) == pytest.approx(score)


@given(TEXT, st.lists(TEXT, max_size=3))
def test_answers_against_the_definition(prediction, answers):
    gold = [answer for answer in answers if defined_words(answer)] or [""]
    assert exact_match(prediction, answers) == any(
        defined_words(prediction) == defined_words(answer) for answer in gold
    )
    assert f1(prediction, answers) == max(defined_f1(prediction, answer) for answer in gold)


def defined_best(scores, answerable, predicted, no_answer):
    """Try every prefix of the questions in order of `no_answer`; ties keep their order."""
    order = [i for _, i in sorted((value, i) for i, value in enumerate(no_answer))]
    totals = []
    for kept in range(len(order) + 1):
        answered = set(order[:kept])
        totals.append(
            sum(
                scores[i] * answerable[i]
                if i in answered and answerable[i]
                else not answerable[i] and not (i in answered and predicted[i])
                for i in range(len(order))
            )
        )
    return max(totals) / len(scores)


@given(
    st.lists(st.tuples(FRACTION, st.booleans(), st.booleans(), FRACTION), min_size=1, max_size=12)
)
def test_best_threshold(questions):
    columns = [list(column) for column in zip(*questions, strict=True)]
    best = best_threshold(*columns)
    assert best.score == pytest.approx(defined_best(*columns))
    assert best.threshold in {0.0, *columns[3]}


def test_best_threshold_by_hand():
    # Answering the first two is right and the third wrong: stop after the second.
    best = best_threshold([1, 1, 0], [True, True, False], [True] * 3, [0.1, 0.4, 0.9])
    assert best == (1.0, 0.4)


def test_a_query_left_out_counts_zero():
    qrels = {"q1": {"d1": 1}, "q2": {"d1": 1}, "q3": {"d1": 1}}
    run = {"q1": {"d1": 2.0, "d2": 1.0}, "q2": {}, "other": {"d1": 1.0}}
    values = measure_run(qrels, run, ["nDCG@10", "R@100", "AP(rel=2)"])
    assert values["nDCG@10"] == {"q1": 1.0, "q2": 0.0, "q3": 0.0}
    assert values["R@100"] == {"q1": 1.0, "q2": 0.0, "q3": 0.0}
    assert measure_run(qrels, {}, ["RR@10"]) == {"RR@10": {"q1": 0.0, "q2": 0.0, "q3": 0.0}}


def test_measures_are_named_as_ir_measures_writes_them_and_once():
    qrels = {"q": {"a": 1, "b": 0}}
    named = checked_measures(["nDCG@10", "MAP", " AP", "NDCG@10", "P(rel=2)@5"], qrels)
    assert named == ("nDCG@10", "AP", "P(rel=2)@5")
    assert [cutoff_of(name) for name in named] == [10, None, 5]
    assert checked_measures(RETRIEVAL_MEASURES, qrels) == RETRIEVAL_MEASURES


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("ndcg@10", r"no measure 'ndcg@10'. Did you mean 'nDCG'"),
        ("Sucess@5", r"Did you mean 'Success'"),
        ("", "no measure ''"),
        ("P", r"it needs a cut-off: P@10"),
        ("nDCG@0", "cut-off is less than 1"),  # trec_eval would end the process
        ("nDCG@x", "not understood"),
        ("AP(foo=2)", "not understood: unsupported params"),
        ("alpha_nDCG@10", "cannot be computed here"),
    ],
)
def test_a_measure_that_is_not_known_is_refused_at_once(name, message):
    with pytest.raises(UsageError, match=message):
        checked_measures(["AP", name], {"q": {"a": 1, "b": 0}})


def test_ndcg_by_hand():
    qrels = {"q": {"a": 2, "b": 1, "c": 0}}
    run = {"q": {"c": 3.0, "b": 2.0, "a": 1.0}}
    ideal = 2 + 1 / np.log2(3)
    assert measure_run(qrels, run, ["nDCG@10"])["nDCG@10"]["q"] == pytest.approx(
        (1 / np.log2(3) + 2 / np.log2(4)) / ideal
    )


def test_bootstrap_interval():
    values = np.random.default_rng(7).normal(0.5, 0.2, size=400)
    interval = bootstrap_interval(values.tolist())
    assert interval == bootstrap_interval(values.tolist())
    expected = 1.96 * values.std() / 20
    assert interval.low == pytest.approx(values.mean() - expected, abs=0.002)
    assert interval.high == pytest.approx(values.mean() + expected, abs=0.002)
    assert bootstrap_interval([1.0, 1.0]) == (1.0, 1.0)


def test_randomization_test():
    # Six differences of one sign: exactly 2 of the 64 labellings are as extreme.
    assert randomization_test([1] * 6, [0] * 6) == pytest.approx(2 / 64, abs=0.006)
    assert randomization_test([0.1, 0.2, 0.3], [0.1, 0.2, 0.3]) == 1.0
    generator = np.random.default_rng(3)
    a = generator.random(300)
    assert randomization_test(a.tolist(), (a + 0.1).tolist(), rounds=999) == 1 / 1000
    b = generator.permutation(a)
    assert randomization_test(a.tolist(), b.tolist()) > 0.05
