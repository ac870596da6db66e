"""Measures of answers and of rankings, and how sure one can be of them.

Answers: exact match and token F1 as SQuAD defines them (Rajpurkar et al., EMNLP 2016), with the
no-answer rules of SQuAD 2.0 (Rajpurkar et al., ACL 2018). Rankings: `ir_measures` (MacAvaney et
al., ECIR 2022), which runs trec_eval. Everything here returns fractions in [0, 1], not percent.
"""

from __future__ import annotations

import re
import string
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from index.errors import UsageError

from .suggesting import did_you_mean

Floats: TypeAlias = npt.NDArray[np.float64]

RETRIEVAL_MEASURES = ("nDCG@10", "R@100", "RR@10", "AP@100", "P@10", "Success@5", "Judged@10")
NO_QUALITY = ("Judged", "NumRet", "NumRel", "NumQ")
RESAMPLES = 10_000  # of a bootstrap
ROUNDS = 10_000  # of a randomisation test

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


def checked_measures(
    names: Sequence[str], qrels: Mapping[str, Mapping[str, int]]
) -> tuple[str, ...]:
    """The measures of the given names, as `ir_measures` writes them, each once.

    Args:
        names: as people write them: "MAP" is AP.
        qrels: what they are to be computed from.

    Raises:
        UsageError: a measure that `ir_measures` does not know or cannot compute here.
    """
    import ir_measures  # noqa: PLC0415

    known: dict[str, None] = {}
    plain = {query: dict(grades) for query, grades in qrels.items()}
    # Every judged document, and one that is not: some measures need both kinds.
    run = {query: {**dict.fromkeys(grades, 2.0), "?": 1.0} for query, grades in plain.items()}
    for name in map(str.strip, names):
        measure = _parsed(name)
        try:
            list(ir_measures.iter_calc([measure], plain, run))
        except Exception as error:  # those who compute them raise whatever they like
            raise UsageError(
                f"The measure {name!r} cannot be computed here: {str(error).splitlines()[0]}"
            ) from error
        known[str(measure)] = None
    return tuple(known)


def _parsed(name: str) -> Any:  # noqa: ANN401 - ir_measures has no types
    """The measure of that name.

    Raises:
        UsageError: there is none, or its parameters are not understood.
    """
    import ir_measures  # noqa: PLC0415

    registry = ir_measures.measures.registry
    base = re.split(r"[@(]", name)[0]
    if base not in registry:
        spelt = {known.lower(): measure.NAME for known, measure in registry.items()}
        same = str(spelt.get(base.lower(), base))  # another case is the commonest mistake
        raise UsageError(
            f"There is no measure {name!r}.{did_you_mean(same, registry)}",
            "Name measures as ir-measures does: nDCG@10, R@100, RR@10, AP, P@5, Success@5.",
        )
    try:
        measure = ir_measures.parse_measure(name)
        cutoff = measure.params.get("cutoff", 1)
        if isinstance(cutoff, int) and cutoff < 1:  # trec_eval would end the process
            raise ValueError("its cut-off is less than 1")
        for key, about in measure.SUPPORTED_PARAMS.items():
            if about.required and key not in measure.params:
                wanted = f"a cut-off: {base}@10" if key == "cutoff" else f"its {key}"
                raise ValueError(f"it needs {wanted}")
        measure.validate_params()  # type: ignore[no-untyped-call]
    except (ValueError, KeyError, AssertionError) as error:
        raise UsageError(f"The measure {name!r} is not understood: {error}.") from error
    return measure


def cutoff_of(measure: str) -> int | None:
    """How many documents a measure looks at; None for all of them."""
    found = re.search(r"@(\d+)$", measure)
    return int(found[1]) if found else None


def quality(measures: Iterable[str]) -> list[str]:
    """The measures of which more is better; how many documents are judged is not one."""
    return [name for name in measures if not name.startswith(NO_QUALITY)]


def bootstrap_interval(
    values: Sequence[float], *, resamples: int = RESAMPLES, level: float = 0.95, seed: int = 0
) -> Interval:
    """Percentile bootstrap interval of the mean (Efron and Tibshirani, 1993, chapter 13).

    Args:
        values: one value a question; at least one.
    """
    column = np.asarray(values, dtype=np.float64)[:, None]
    return bootstrap_intervals(column, resamples=resamples, level=level, seed=seed)[0]


def bootstrap_intervals(
    values: Floats, *, resamples: int = RESAMPLES, level: float = 0.95, seed: int = 0
) -> list[Interval]:
    """`bootstrap_interval` of every column, the same resamples for all.

    Args:
        values: float [questions, columns].
    """
    size = len(values)
    means = []
    for generator, rows in _blocks(resamples, size, seed):
        drawn = generator.integers(0, size, size=(rows, size)) + size * np.arange(rows)[:, None]
        counts = np.bincount(drawn.ravel(), minlength=rows * size).reshape(rows, size)
        means.append(counts.astype(np.float64) @ values / size)
    tail = (1 - level) / 2
    low, high = np.quantile(np.concatenate(means), [tail, 1 - tail], axis=0)
    return [Interval(*pair) for pair in zip(low.tolist(), high.tolist(), strict=True)]


def randomization_test(
    a: Sequence[float], b: Sequence[float], *, rounds: int = ROUNDS, seed: int = 0
) -> float:
    """Two-sided p-value of the difference between two systems' means on the same questions.

    Fisher's paired randomisation test, as recommended by Smucker, Allan and Carterette, CIKM 2007:
    the share of the ways to swap the two systems' values, question by question, that give a mean
    difference at least as large. Where there are at most `rounds` ways to swap the values that
    differ, all are tried; else so many are drawn, and the observed one counts as one more, so p is
    never 0.
    """
    column = (np.asarray(a, dtype=np.float64) - np.asarray(b, dtype=np.float64))[:, None]
    return randomization_tests(column, rounds=rounds, seed=seed)[0]


def randomization_tests(differences: Floats, *, rounds: int = ROUNDS, seed: int = 0) -> list[float]:
    """`randomization_test` of every column, the same swaps for all that are not tried out fully.

    Args:
        differences: float [questions, columns], one system's value less the other's.
    """
    # Sums of the same numbers in another order differ in the last bits; those count as equal.
    observed = np.abs(differences.sum(axis=0)) - 1e-9
    p_values = np.ones(differences.shape[1])
    few = 2.0 ** np.count_nonzero(differences, axis=0) <= rounds
    for column in np.flatnonzero(few):
        sums = np.zeros(1)
        for value in differences[differences[:, column] != 0, column]:
            sums = np.concatenate([sums + value, sums - value])
        p_values[column] = np.mean(np.abs(sums) >= observed[column])
    many = np.flatnonzero(~few)
    extreme = np.zeros(len(many), np.int64)
    if len(many):
        for generator, rows in _blocks(rounds, len(differences), seed):
            signs = 2.0 * generator.integers(0, 2, size=(rows, len(differences)), dtype=np.int8) - 1
            extreme += (np.abs(signs @ differences[:, many]) >= observed[many]).sum(axis=0)
    p_values[many] = (extreme + 1) / (rounds + 1)
    return [float(p) for p in p_values]


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
