"""What the commands of `dateline eval` share: options, what they do, the reader."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from index.errors import UsageError

from . import guarding
from .guarding import Values
from .showing import report_format
from .suggesting import did_you_mean

if TYPE_CHECKING:
    from qa.reader import Reader

    from .configurations import Configuration

JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
OutOption = Annotated[
    Path | None, typer.Option(help="Write every question's outcome there, one JSON a line.")
]
ReaderOption = Annotated[
    Path | None, typer.Option(help="Folder of the reader (default: the shipped one).")
]
TorchOption = Annotated[
    Path | None, typer.Option(help="Hugging Face folder with weights for PyTorch to run.")
]
WorkOption = Annotated[
    Path | None,
    typer.Option(help="Folder for the indexes, reused while nothing changes (default: the cache)."),
]
ConfigurationsOption = Annotated[
    Path | None,
    typer.Option("--configurations", help="TOML file of named configurations to compare."),
]
SweepOption = Annotated[
    bool, typer.Option("--sweep", help="Compare the bundled set of configurations.")
]
OnlyOption = Annotated[
    list[str] | None,
    typer.Option("--only", help="Only the configuration of this name; may be repeated."),
]
BaselineOption = Annotated[
    str | None,
    typer.Option(
        "--baseline", help="The one that the others are compared with (default: the first)."
    ),
]
ReportOption = Annotated[
    list[Path] | None,
    typer.Option("--report", help="Write a report there: .html, .md or .json; may be repeated."),
]
FailUnderOption = Annotated[
    list[str] | None,
    typer.Option(
        "--fail-under",
        metavar="[NAME:]MEASURE=LEAST",
        help="Exit with 1 if a mean is less; NAME is a system or collection. May be repeated.",
    ),
]
AgainstOption = Annotated[
    Path | None,
    typer.Option(
        "--against",
        metavar="BASELINE",
        help="Exit with 1 if something is significantly worse than in this saved baseline.",
    ),
]
SaveBaselineOption = Annotated[
    Path | None,
    typer.Option("--save-baseline", help="Save the values there, for --against later on."),
]
ToleranceOption = Annotated[
    float,
    typer.Option(
        min=0, max=1, help="How far a mean may fall where there are too few questions for a test."
    ),
]


def check_reports(paths: Sequence[Path]) -> None:
    """Refuse at once what could only be refused after hours of measuring.

    Raises:
        UsageError: a report's format does not follow from its name, or its folder is not there.
    """
    for path in paths:
        report_format(path)
        if not path.resolve().parent.is_dir():
            raise UsageError(f"There is no folder {path.resolve().parent}.", "Make it first.")


def check_among(names: Iterable[str], systems: Iterable[str]) -> None:
    """Refuse names of systems that are not compared.

    Raises:
        UsageError: there is such a name.
    """
    known = list(systems)
    for name in names:
        if name not in known:
            raise UsageError(
                f"{name!r} is not among those compared.{did_you_mean(name, known)}",
                f"These are: {', '.join(known)}.",
            )


def chosen_configurations(
    file: Path | None, *, sweep: bool, only: Sequence[str], bundled: str
) -> dict[str, Configuration]:
    """The configurations of a file, or of the bundled set; `only` those named, if any are.

    Raises:
        UsageError: both are asked for, or something in them is not understood.
    """
    from .configurations import (  # noqa: PLC0415
        bundled_configurations,
        load_configurations,
        selected,
    )

    if file and sweep:
        raise UsageError("--sweep is another set than --configurations.", "Give one of them.")
    found = load_configurations(file) if file else bundled_configurations(bundled)
    return selected(found, only) if only else found


class Guard:
    """What `--fail-under`, `--against` and `--save-baseline` ask for.

    It is made before anything is measured, so that wrong usage is told at once.

    Raises:
        UsageError, LoadError: a floor or the baseline is not understood.
    """

    def __init__(
        self,
        fail_under: Sequence[str] | None = None,
        against: Path | None = None,
        save: Path | None = None,
        tolerance: float = guarding.TOLERANCE,
    ) -> None:
        self.floors = [guarding.parse_floor(text) for text in fail_under or ()]
        self.baseline = guarding.load_baseline(against) if against else None
        self._save = save
        self._tolerance = tolerance

    @property
    def measures(self) -> list[str]:
        """The measures that floors are given for."""
        return list(dict.fromkeys(floor.measure for floor in self.floors))

    def check_names(self, measured: Mapping[str, Collection[str]]) -> None:
        """Refuse what is not going to be measured; `measured` has the measures of each system.

        Raises:
            UsageError: a floor or the baseline names something else.
        """
        guarding.check_names(measured, self.floors, self.baseline)

    def check(
        self, values: Values, settings: Mapping[str, Mapping[str, Any]] | None = None
    ) -> None:
        """Check what was measured, and save it if it is good enough.

        Raises:
            QualityError: what fell short; nothing is saved.
            UsageError: a floor or the baseline names what was not measured.
        """
        if self.baseline:
            for line in guarding.notes(values, settings or {}, self.baseline):
                typer.echo(line, err=True)
        guarding.check(
            values, floors=self.floors, baseline=self.baseline, tolerance=self._tolerance
        )
        if self._save:
            guarding.save_baseline(self._save, values, settings)


def chosen_reader(folder: Path | None, torch: Path | None) -> Reader:
    """The reader in `folder`, or the shipped one; its weights from `torch`, where given."""
    from qa.reader import SHIPPED, Reader  # noqa: PLC0415

    if torch is None:
        return Reader(folder or SHIPPED)
    from .torch_reader import TorchEngine, load_folder  # noqa: PLC0415

    return Reader(folder or SHIPPED, TorchEngine(load_folder(torch)))
