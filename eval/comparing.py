"""Which of several systems is really better: paired tests over the same questions.

Each comparison has the difference of the means, its bootstrap interval, the p-value of Fisher's
paired randomisation test (Smucker, Allan and Carterette, CIKM 2007) and an effect size. Who makes
many comparisons finds differences by chance (Fuhr, "Some Common Mistakes in IR Evaluation, and How
They Can Be Avoided", SIGIR Forum 2017), so those that are made together are a family: their
p-values are corrected by Holm's method ("A simple sequentially rejective multiple test procedure",
Scandinavian Journal of Statistics, 1979), and their intervals by Bonferroni's, so that with 95 %
probability all of them hold at once.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .metrics import RESAMPLES, ROUNDS, Interval, bootstrap_intervals, randomization_tests

ALPHA = 0.05  # significance level of a whole family
TAIL_RESAMPLES = 10  # at least so many bootstrap means lie beyond each end of an interval
SMALLEST_P = 4  # rounds enough for a p-value that far below what the largest family asks for


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """One system against another on the same questions.

    Attributes:
        difference: mean of `system` less mean of `baseline`.
        interval: of the difference; the family's intervals hold together with 95 % probability.
        p: of the randomisation test, two-sided.
        adjusted_p: the same after Holm's correction over the family.
        effect: Cohen's d_z, the mean of the differences over their standard deviation (Cohen,
            "Statistical Power Analysis for the Behavioral Sciences", 1988, section 2.3.5; .2 is
            called small, .5 medium, .8 large); None where all differences are the same, but not 0.
        won, lost: questions on which `system` has the higher or the lower value.
    """

    system: str
    baseline: str
    questions: int
    difference: float
    interval: Interval
    p: float
    adjusted_p: float
    effect: float | None
    won: int
    lost: int

    @property
    def significant(self) -> bool:
        """Whether the difference is more than chance makes of a family like this."""
        return self.adjusted_p < ALPHA

    @property
    def mark(self) -> str:
        """▲ for significantly better than the baseline, ▼ for significantly worse, else nothing."""
        if not self.significant:
            return ""
        return "▲" if self.difference > 0 else "▼"

    @property
    def words(self) -> str:
        """All of it in a line."""
        effect = "" if self.effect is None else f", d_z {self.effect:+.2f}"
        return (
            f"{self.difference:+.3f} against {self.baseline}"
            f" ({self.interval.low:+.3f} to {self.interval.high:+.3f}), p = {self.p:.4f},"
            f" corrected {self.adjusted_p:.4f}{effect}, {self.won} won, {self.lost} lost"
        )


def against_baseline(systems: Iterable[str], baseline: str) -> list[tuple[str, str]]:
    """Each of the other systems with the baseline, as `compare` takes them."""
    return [(system, baseline) for system in systems if system != baseline]


def all_pairs(systems: Iterable[str]) -> list[tuple[str, str]]:
    """Each system with every one before it, as `compare` takes them."""
    return [(later, earlier) for earlier, later in itertools.combinations(systems, 2)]


def compare(
    values: Mapping[str, Mapping[str, float]],
    pairs: Sequence[tuple[str, str]],
    *,
    seed: int = 0,
) -> list[Comparison]:
    """Compare pairs of systems, which are taken as one family.

    Args:
        values: one measure's values by system, then by question; the higher the better.
        pairs: system and baseline.

    Raises:
        ValueError: two systems of a pair do not have the same questions, or have none.
    """
    return compare_columns([(*pair, values[pair[0]], values[pair[1]]) for pair in pairs], seed=seed)


def compare_columns(
    columns: Sequence[tuple[str, str, Mapping[str, float], Mapping[str, float]]], *, seed: int = 0
) -> list[Comparison]:
    """`compare` where the questions of one pair need not be those of another.

    Args:
        columns: system, baseline, and the values of both by question.
    """
    differences = [_paired(*column) for column in columns]
    p_values, intervals = _tested(differences, seed)
    return [
        Comparison(
            system=system,
            baseline=baseline,
            questions=len(found),
            difference=float(found.mean()),
            interval=interval,
            p=p,
            adjusted_p=adjusted,
            effect=cohens_dz(found),
            won=int((found > 0).sum()),
            lost=int((found < 0).sum()),
        )
        for (system, baseline, *_), found, p, adjusted, interval in zip(
            columns, differences, p_values, holm(p_values), intervals, strict=True
        )
    ]


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's adjusted p-values, in the given order: compare them with the level of the family."""
    adjusted = [0.0] * len(p_values)
    highest = 0.0
    order = sorted(range(len(p_values)), key=p_values.__getitem__)
    for rank, place in enumerate(order):
        highest = max(highest, min(1.0, (len(p_values) - rank) * p_values[place]))
        adjusted[place] = highest
    return adjusted


def cohens_dz(differences: Sequence[float] | npt.NDArray[np.float64]) -> float | None:
    """Cohen's d_z of paired differences; 0 where all are 0, None where nothing varies."""
    sample = np.asarray(differences, dtype=np.float64)
    deviation = float(sample.std(ddof=1)) if len(sample) > 1 else 0.0
    if deviation < 1e-12:
        return None if np.abs(sample).max() > 1e-12 else 0.0
    return float(sample.mean()) / deviation


def _paired(
    system: str, baseline: str, values: Mapping[str, float], others: Mapping[str, float]
) -> npt.NDArray[np.float64]:
    if values.keys() != others.keys() or not values:
        raise ValueError(f"{system} and {baseline} do not have the same questions")
    return np.array([values[question] - others[question] for question in values], np.float64)


def _tested(
    differences: Sequence[npt.NDArray[np.float64]], seed: int
) -> tuple[list[float], list[Interval]]:
    """P-values and intervals; columns of equal length are resampled together, which is quick."""
    p_values = [1.0] * len(differences)
    intervals = [Interval(0.0, 0.0)] * len(differences)
    level = 1 - ALPHA / max(len(differences), 1)
    resamples = max(RESAMPLES, round(2 * TAIL_RESAMPLES / (1 - level)))
    rounds = max(ROUNDS, round(SMALLEST_P / (1 - level)))
    for size in {len(column) for column in differences}:
        places = [i for i, column in enumerate(differences) if len(column) == size]
        matrix = np.stack([differences[i] for i in places], axis=1)
        tested = randomization_tests(matrix, rounds=rounds, seed=seed)
        found = bootstrap_intervals(matrix, resamples=resamples, level=level, seed=seed)
        for place, p, interval in zip(places, tested, found, strict=True):
            p_values[place], intervals[place] = p, interval
    return p_values, intervals
