"""What is behind a mean: how it grows with depth, and what each system made of each query."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import islice

from .datasets import Collection
from .metrics import measure_run, quality
from .report import Cell, Curve, Outcome, QuestionOutcomes, Table
from .retrieval import RetrievalResult

DEPTHS = (1, 2, 3, 5, 10, 20, 50, 100)
CURVES = ("nDCG", "R", "Success")
MOST_DIFFERENT = 10  # questions shown on either side
EXPECTED_SHOWN = 5  # relevant documents named for a question
LABEL = 70  # characters of a document's title or beginning


def measures_of(group: Iterable[RetrievalResult]) -> list[str]:
    """All measures of some systems, in order of first appearance."""
    return list(dict.fromkeys(name for result in group for name in result.measures))


def main_measure(group: Sequence[RetrievalResult]) -> str:
    """The first measure of quality, which differences are shown in."""
    measures = measures_of(group)
    return [*quality(measures), *measures][0]


def values_of(group: Iterable[RetrievalResult], measure: str) -> dict[str, Mapping[str, float]]:
    """A measure's values by system, then by query, for the systems that have it."""
    return {r.system: r.per_query[measure] for r in group if measure in r.per_query}


def depth_curves(collection: Collection, group: Sequence[RetrievalResult]) -> list[Curve]:
    """nDCG, recall and success at every depth that all systems reach."""
    reached = min(_deepest(result) for result in group)
    depths = [k for k in DEPTHS if k <= reached]
    names = [f"{measure}@{k}" for measure in CURVES for k in depths]
    means: dict[str, dict[str, float]] = {}
    for result in group if depths else []:
        values = measure_run(collection.qrels, result.run, names)
        means[result.system] = {name: sum(v.values()) / len(v) for name, v in values.items()}
    return [
        Curve(
            caption=f"{collection.name}: {measure}@k",
            x="k",
            y=f"{measure}@k",
            log_x=True,
            series={
                system: tuple((float(k), found[f"{measure}@{k}"]) for k in depths)
                for system, found in means.items()
            },
        )
        for measure in CURVES
        if means
    ]


def _deepest(result: RetrievalResult) -> int:
    """How deep a system ranked: its setting, or the longest ranking of a run file."""
    longest = max(map(len, result.run.values()), default=0)
    return int(result.settings.get("depth", longest))


def questions(collection: Collection, group: Sequence[RetrievalResult]) -> list[QuestionOutcomes]:
    """Every query with what each system made of it, those they differ most on first."""
    measure = main_measure(group)
    labels = _labels(collection)

    def spread(query: str) -> float:
        values = [result.per_query[measure][query] for result in group]
        return min(values) - max(values)

    return [
        QuestionOutcomes(
            id=f"{collection.name} {query}",
            question=collection.queries.get(query, ""),
            expected=_expected(collection.qrels[query], labels),
            outcomes={
                result.system: Outcome(
                    score=result.per_query[measure][query],
                    text=_outcome(result.run.get(query, {}), collection.qrels[query], labels),
                )
                for result in group
            },
        )
        for query in sorted(collection.qrels, key=spread)
    ]


def differences_table(
    collection: Collection, group: Sequence[RetrievalResult], first: str, second: str
) -> Table:
    """The queries on which one system is most ahead of the other, and those where it is behind."""
    measure = main_measure(group)
    labels = _labels(collection)
    one, other = (next(r for r in group if r.system == name) for name in (first, second))
    gains = {
        query: value - other.per_query[measure][query]
        for query, value in one.per_query[measure].items()
    }
    ordered = sorted(gains, key=lambda query: -gains[query])
    ahead = [query for query in ordered[:MOST_DIFFERENT] if gains[query] > 0]
    behind = [query for query in ordered[::-1][:MOST_DIFFERENT] if gains[query] < 0]

    def row(query: str) -> tuple[Cell, ...]:
        values = [r.per_query[measure][query] for r in (one, other)]
        found = [
            _outcome(r.run.get(query, {}), collection.qrels[query], labels) for r in (one, other)
        ]
        return (
            Cell(text=query),
            Cell(text=collection.queries.get(query, "")),
            Cell(text=f"{gains[query]:+.3f}", value=gains[query]),
            *(Cell(text=f"{value:.3f}", value=value) for value in values),
            *(Cell(text=text) for text in found),
        )

    return Table(
        caption=f"{collection.name}: where {first} and {second} differ most in {measure}",
        columns=("query", "text", "difference", first, second, f"{first} found", f"{second} found"),
        rows=tuple(map(row, [*ahead, *behind])),
        note=f"{first} is ahead on {sum(gain > 0 for gain in gains.values())} of {len(gains)}"
        f" queries, behind on {sum(gain < 0 for gain in gains.values())}.",
    )


def _labels(collection: Collection) -> dict[str, str]:
    """By document id its title, or how it begins."""
    texts = (
        (d.source, " ".join((d.title or d.text[: 2 * LABEL]).split())) for d in collection.documents
    )
    return {
        source: text if len(text) <= LABEL else f"{text[: LABEL - 1].rstrip()}…"
        for source, text in texts
    }


def _expected(grades: Mapping[str, int], labels: Mapping[str, str]) -> str:
    relevant = sorted((s for s in grades if grades[s] > 0), key=lambda source: -grades[source])
    told = [f"{labels.get(s) or s} ({grades[s]})" for s in islice(relevant, EXPECTED_SHOWN)]
    more = len(relevant) - len(told)
    return "; ".join(told) + (f"; and {more} more" if more else "")


def _outcome(
    ranking: Mapping[str, float], grades: Mapping[str, int], labels: Mapping[str, str]
) -> str:
    """The first document, and where the first relevant one is."""
    if not ranking:
        return "nothing found"
    ordered = sorted(ranking, key=lambda source: -ranking[source])
    rank = next((n for n, source in enumerate(ordered, 1) if grades.get(source, 0) > 0), None)
    first = labels.get(ordered[0]) or ordered[0]
    if rank == 1:
        return f"{first} (relevant)"
    where = f"first relevant at {rank}" if rank else f"none relevant in {len(ordered)}"
    return f"{first}; {where}"
