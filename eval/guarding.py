"""Quality that may not fall: floors for means, and baselines kept from an earlier measurement.

What is guarded are values in [0, 1], the higher the better, by system, then by measure, then by
question. A system's name may have parts, as in "nfcorpus/bm25".
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from importlib import metadata
from pathlib import Path
from typing import Any, TypeAlias

from index.errors import LoadError, QualityError, UsageError

from .comparing import ALPHA, compare_columns
from .files import write_whole
from .metrics import quality
from .suggesting import did_you_mean

Values: TypeAlias = Mapping[str, Mapping[str, Mapping[str, float]]]

TOLERANCE = 0.01  # by which a mean may fall where there are too few questions for a test
FORMAT = 1
_FLOOR = re.compile(r"(?:(?P<name>[^:(]+):)?(?P<measure>.+)=(?P<least>[^=]*)")


@dataclass(frozen=True, slots=True)
class Floor:
    """The least that a mean may be; `name` is a system's, or a part of it, None for all systems."""

    name: str | None
    measure: str
    least: float


@dataclass(frozen=True, slots=True)
class Baseline:
    """What was measured before.

    Attributes:
        made: local time, ISO 8601.
        settings: of each system, by name.
        versions: of the packages that were used.
    """

    made: str
    values: Values
    settings: Mapping[str, Mapping[str, Any]]
    versions: Mapping[str, str]


def parse_floor(text: str) -> Floor:
    """A floor as it is given on the command line: `nDCG@10=0.33` or `NAME:nDCG@10=0.33`.

    Raises:
        UsageError: it is not of this form.
    """
    found = _FLOOR.fullmatch(text.strip())
    try:
        if not found:
            raise ValueError
        least = float(found["least"])
        if not 0 <= least <= 1:
            raise ValueError
    except ValueError as error:
        raise UsageError(
            f"{text!r} is not a floor.",
            "Write MEASURE=LEAST or NAME:MEASURE=LEAST, between 0 and 1: nDCG@10=0.33",
        ) from error
    return Floor(found["name"], found["measure"].strip(), least)


def check(
    values: Values,
    *,
    floors: Iterable[Floor] = (),
    baseline: Baseline | None = None,
    tolerance: float = TOLERANCE,
) -> None:
    """Refuse what is below a floor, or worse than the baseline.

    Raises:
        QualityError: what fell short, all of it.
        UsageError: a floor or the baseline names what was not measured.
    """
    floors = list(floors)
    check_names({system: list(measures) for system, measures in values.items()}, floors, baseline)
    problems = [problem for floor in floors for problem in _below(values, floor)]
    if baseline:
        problems += _behind(values, baseline, tolerance)
    if problems:
        raise QualityError("The quality is not what it should be:\n  " + "\n  ".join(problems))


def check_names(
    measured: Mapping[str, Collection[str]],
    floors: Iterable[Floor],
    baseline: Baseline | None = None,
) -> None:
    """Refuse floors and a baseline of something that is not measured; possible beforehand.

    Args:
        measured: the measures of each system.

    Raises:
        UsageError: a floor's system or measure, or all of the baseline, is not among `measured`.
    """
    for floor in floors:
        systems = _meant(measured, floor)
        if not systems:
            parts = list(dict.fromkeys(part for name in measured for part in name.split("/")))
            raise UsageError(
                f"Nothing that is measured is called {floor.name!r}.",
                f"Choose from: {', '.join(parts)}.",
            )
        for system in systems:
            if floor.measure not in measured[system]:
                raise UsageError(
                    f"{floor.measure!r} is not measured for {system}."
                    f"{did_you_mean(floor.measure, measured[system])}",
                    f"Choose from: {', '.join(measured[system])}.",
                )
    if baseline and not any(
        measure in measured.get(system, ())
        for system, measures in baseline.values.items()
        for measure in measures
    ):
        raise UsageError(
            f"Nothing that is measured is in the baseline of {baseline.made}.",
            f"It has: {', '.join(baseline.values)}.",
        )


def notes(
    values: Values, settings: Mapping[str, Mapping[str, Any]], baseline: Baseline
) -> Iterator[str]:
    """What a reader of a comparison with a baseline should know: what it leaves out, in words."""
    missing = [system for system in baseline.values if system not in values]
    missing += [
        f"{system} {measure}"
        for system in values
        for measure in quality(baseline.values.get(system, {}))
        if measure not in values[system]
    ]
    if missing:
        yield f"In the baseline of {baseline.made}, but not measured now: {', '.join(missing)}."
    for system, before in baseline.settings.items():
        now = settings.get(system, before)
        for key in {**before, **now}:
            if before.get(key) != now.get(key):
                yield (
                    f"{system}: {key} is {now.get(key)!r}; it was {before.get(key)!r} when the"
                    " baseline was made."
                )


def save_baseline(
    path: Path, values: Values, settings: Mapping[str, Mapping[str, Any]] | None = None
) -> None:
    """Keep what was measured in a JSON file, to be compared with later."""
    record = {
        "format": FORMAT,
        "made": datetime.now().isoformat(" ", "minutes"),
        "versions": versions(),
        "systems": {
            system: {"settings": dict((settings or {}).get(system, {})), "measures": measures}
            for system, measures in values.items()
        },
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, json.dumps(record, ensure_ascii=False, indent=1) + "\n")


def load_baseline(path: Path) -> Baseline:
    """A baseline that `save_baseline` wrote.

    Raises:
        UsageError: there is no such file.
        LoadError: it is not one, or damaged.
    """
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        if record["format"] != FORMAT:
            raise LoadError(
                f"{path} has format {record['format']!r}, this version reads {FORMAT}.",
                "Save a new one with --save-baseline.",
            )
        systems = record["systems"]
        return Baseline(
            made=str(record["made"]),
            values={name: _numbers(system["measures"]) for name, system in systems.items()},
            settings={name: dict(system["settings"]) for name, system in systems.items()},
            versions=dict(record["versions"]),
        )
    except OSError as error:
        raise UsageError(
            f"{path} cannot be read: {error.strerror}.", "Make one with --save-baseline."
        ) from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise LoadError(
            f"{path} is not a baseline that was saved by --save-baseline.", "Save a new one."
        ) from error


def versions() -> dict[str, str]:
    """The versions of Dateline and of what its figures depend on, as far as installed."""
    packages = ("dateline", "ir-measures", "numpy", "faiss-cpu", "openvino", "onnxruntime")
    found = {}
    for name in packages:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def _numbers(measures: Mapping[str, Mapping[str, float]]) -> dict[str, dict[str, float]]:
    return {
        measure: {question: float(value) for question, value in values.items()}
        for measure, values in measures.items()
    }


def _below(values: Values, floor: Floor) -> Iterator[str]:
    """What falls short of a floor, in words."""
    for system in _meant(values, floor):
        mean = _mean(values[system][floor.measure])
        if mean < floor.least:
            yield f"{system}: {floor.measure} is {mean:.4f}, less than {floor.least:g}"


def _meant(systems: Iterable[str], floor: Floor) -> list[str]:
    return [name for name in systems if floor.name in (None, name, *name.split("/"))]


def _behind(values: Values, baseline: Baseline, tolerance: float) -> Iterator[str]:
    """What has become worse than the baseline, in words.

    All measures of all systems are one family: a check that runs every night should cry wolf one
    night in twenty at most, not once for every twenty figures.
    """
    columns = [
        (system, measure, values[system][measure], before)
        for system, measures in baseline.values.items()
        for measure, before in measures.items()
        if measure in quality(values.get(system, {}))
    ]
    for system, _, now, before in columns:
        if now.keys() != before.keys():
            raise UsageError(
                f"The baseline of {baseline.made} has other questions for {system}.",
                "Measure the same questions, or save a new baseline.",
            )
    for (system, measure, now, before), found in zip(
        columns, compare_columns(columns), strict=True
    ):
        fallen = f"{system}: {measure} fell from {_mean(before):.4f} to {_mean(now):.4f}"
        if found.difference < 0 and found.significant:
            yield (
                f"{fallen}, worse on {found.lost} of {found.questions} questions and better on"
                f" {found.won} (p = {found.adjusted_p:.4f} after Holm's correction)"
            )
        elif 2.0 ** (1 - found.questions) * len(columns) >= ALPHA and found.difference < -tolerance:
            yield f"{fallen}, by more than {tolerance:g}; too few questions for a test"


def _mean(values: Mapping[str, float]) -> float:
    return sum(values.values()) / len(values)
