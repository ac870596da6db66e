"""Measures of answers and of rankings, and how sure one can be of them.

Answers: exact match and token F1 as SQuAD defines them (Rajpurkar et al., EMNLP 2016), with the
no-answer rules of SQuAD 2.0 (Rajpurkar et al., ACL 2018). Rankings: `ir_measures` (MacAvaney et
al., ECIR 2022), which runs trec_eval. Everything here returns fractions in [0, 1], not percent.
"""

from __future__ import annotations

import re
import string
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

RETRIEVAL_MEASURES = ("nDCG@10", "R@100", "RR@10")

_ARTICLES = re.compile(r"\b(a|an|the)\b")
_PUNCTUATION = str.maketrans("", "", string.punctuation)
_BLOCK = 1_000_000  # random numbers drawn at a time, to bound memory


class Interval(NamedTuple):
    """A confidence interval."""

    low: float
    high: float


class Threshold(NamedTuple):
    """The mean score reached when "no answer" is given wherever its score exceeds `threshold`."""

    score: float
    threshold: float


def normalize_answer(text: str) -> str:
    """Lower case, without ASCII punctuation, English articles and extra white space (SQuAD)."""
    return " ".join(_ARTICLES.sub(" ", text.lower().translate(_PUNCTUATION)).split())


def exact_match(prediction: str, answers: Sequence[str]) -> float:
    """1.0 if the normalised prediction equals a normalised gold answer, else 0.0.

    Args:
        answers: gold answers; none means unanswerable, where only an empty prediction is right.
    """
    wanted = normalize_answer(prediction)
    return float(any(normalize_answer(answer) == wanted for answer in _gold(answers)))


def f1(prediction: str, answers: Sequence[str]) -> float:
    """Highest token F1 of the prediction against any gold answer, after normalisation.

    Where either side normalises to nothing the score is 1.0 if both do, else 0.0: SQuAD 2.0's
    rule. SQuAD 1.1 gives 0.0 there, which its data never asks about.
    """
    tokens = normalize_answer(prediction).split()
    return max(_token_f1(tokens, normalize_answer(answer).split()) for answer in _gold(answers))


def best_threshold(
    scores: Sequence[float],
    answerable: Sequence[bool],
    predicted: Sequence[bool],
    no_answer: Sequence[float],
) -> Threshold:
    """SQuAD 2.0's best-threshold score (best EM or best F1, by what `scores` holds).

    All four run over the same questions. Walks the questions from the least to the most likely to
    have no answer and keeps the best point at which to stop answering. Like the official script it
    may stop between two questions with equal `no_answer`, so give it unrounded scores.

    Args:
        scores: exact match or F1 of each prediction.
        answerable: whether the question has a gold answer.
        predicted: whether the prediction is not empty.
        no_answer: probability or score that there is no answer.
    """
    current = best = float(sum(not has for has in answerable))
    threshold = 0.0
    for i in sorted(range(len(scores)), key=no_answer.__getitem__):
        current += scores[i] if answerable[i] else -float(predicted[i])
        if current > best:
            best, threshold = current, no_answer[i]
    return Threshold(best / len(scores), threshold)


def measure_run(
    qrels: Mapping[str, Mapping[str, int]],
    run: Mapping[str, Mapping[str, float]],
    measures: Sequence[str] = RETRIEVAL_MEASURES,
) -> dict[str, dict[str, float]]:
    """Each measure's value for every query of the qrels; a query the run leaves out counts 0.

    Args:
        qrels: grade by query id, then by document id.
        run: score by query id, then by document id.
        measures: names as `ir_measures` writes them ("nDCG@10", "R@100", "AP(rel=2)").
    """
    import ir_measures  # noqa: PLC0415

    parsed = {ir_measures.parse_measure(name): name for name in measures}
    values = {name: dict.fromkeys(qrels, 0.0) for name in measures}
    judged = {query: dict(run[query]) for query in qrels if run.get(query)}
    if judged:
        plain_qrels = {query: dict(grades) for query, grades in qrels.items()}
        for metric in ir_measures.iter_calc(list(parsed), plain_qrels, judged):
            values[parsed[metric.measure]][metric.query_id] = float(metric.value)
    return values


def bootstrap_interval(
    values: Sequence[float], *, resamples: int = 10_000, level: float = 0.95, seed: int = 0
) -> Interval:
    """Percentile bootstrap interval of the mean (Efron and Tibshirani, 1993, chapter 13).

    Args:
        values: one value a question; at least one.
    """
    sample = np.asarray(values, dtype=np.float64)
    means = np.concatenate(
        [
            sample[generator.integers(0, len(sample), size=(rows, len(sample)))].mean(axis=1)
            for generator, rows in _blocks(resamples, len(sample), seed)
        ]
    )
    tail = (1 - level) / 2
    low, high = np.quantile(means, [tail, 1 - tail])
    return Interval(float(low), float(high))


def randomization_test(
    a: Sequence[float], b: Sequence[float], *, rounds: int = 10_000, seed: int = 0
) -> float:
    """Two-sided p-value of the difference between two systems' means on the same questions.

    Fisher's paired randomisation test by random sign flips, as recommended by Smucker, Allan and
    Carterette, CIKM 2007; the observed labelling counts as one round, so p is never 0.
    """
    differences = np.asarray(a, dtype=np.float64) - np.asarray(b, dtype=np.float64)
    # Sums of the same numbers in another order differ in the last bits; those count as equal.
    observed = abs(differences.sum()) - 1e-9
    extreme = 0
    for generator, rows in _blocks(rounds, len(differences), seed):
        signs: npt.NDArray[np.float64] = generator.choice(
            np.array([-1.0, 1.0]), size=(rows, len(differences))
        )
        extreme += int((np.abs(signs @ differences) >= observed).sum())
    return (extreme + 1) / (rounds + 1)


def _gold(answers: Sequence[str]) -> Sequence[str]:
    return [answer for answer in answers if normalize_answer(answer)] or [""]


def _token_f1(prediction: Sequence[str], answer: Sequence[str]) -> float:
    if not prediction or not answer:
        return float(prediction == answer)
    common = (Counter(prediction) & Counter(answer)).total()
    if not common:
        return 0.0
    precision, recall = common / len(prediction), common / len(answer)
    return 2 * precision * recall / (precision + recall)


def _blocks(rows: int, width: int, seed: int) -> Iterator[tuple[np.random.Generator, int]]:
    """One seeded generator with row counts that add up to `rows`, `_BLOCK` numbers at a time."""
    generator = np.random.default_rng(seed)
    step = max(1, _BLOCK // width)
    for start in range(0, rows, step):
        yield generator, min(step, rows - start)
