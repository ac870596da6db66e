"""`dateline eval retrieval` and `dateline eval compare`: how well documents are found, and by what.

Both make one report, and both can guard it: `--fail-under`, `--against`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from index.errors import UsageError

from .guarding import TOLERANCE
from .options import (
    AgainstOption,
    BaselineOption,
    ConfigurationsOption,
    FailUnderOption,
    Guard,
    JsonOption,
    OnlyOption,
    ReportOption,
    SaveBaselineOption,
    SweepOption,
    ToleranceOption,
    WorkOption,
    check_among,
    check_reports,
    chosen_configurations,
)

if TYPE_CHECKING:
    from .configurations import Configuration
    from .datasets import Collection
    from .retrieval import RetrievalResult

app = typer.Typer()

SplitOption = Annotated[str | None, typer.Option(help="Which qrels/SPLIT.tsv to judge by.")]
BinaryOption = Annotated[
    bool, typer.Option("--binary", help="Count every relevant document the same.")
]
MeasureOption = Annotated[
    list[str] | None,
    typer.Option(
        "--measure",
        help="As ir-measures names it: nDCG@10, AP, Success@5, P(rel=2)@10; may be repeated."
        " The first is the main one.",
    ),
]
PairsOption = Annotated[
    bool, typer.Option("--all-pairs", help="Compare each one with every other as well.")
]
DifferencesOption = Annotated[
    tuple[str, str] | None,
    typer.Option(help="Two of them: show the queries on which they differ most."),
]


@app.command(
    epilog="Example: dateline eval retrieval beir/nfcorpus beir/scifact --sweep"
    " --report retrieval.html"
)
def retrieval(
    paths: Annotated[list[Path], typer.Argument(help="Collections: folders in BEIR's layout.")],
    *,
    configurations: ConfigurationsOption = None,
    sweep: SweepOption = False,
    only: OnlyOption = None,
    mode: Annotated[
        Literal["bm25", "dense", "hybrid", "all"] | None,
        typer.Option(help="Way of searching (default: all)."),
    ] = None,
    fusion: Annotated[
        Literal["minmax", "rrf"] | None,
        typer.Option(help="How hybrid joins the two rankings (default: minmax)."),
    ] = None,
    dense_weight: Annotated[
        float | None,
        typer.Option(min=0, max=1, help="Weight of the dense ranking in fusion (default: 0.5)."),
    ] = None,
    stem: Annotated[
        bool | None, typer.Option("--stem/--no-stem", help="Reduce words to stems for BM25.")
    ] = None,
    stop_words: Annotated[
        bool | None,
        typer.Option("--stop-words/--no-stop-words", help="Leave the commonest words out of BM25."),
    ] = None,
    measure: MeasureOption = None,
    baseline: BaselineOption = None,
    all_pairs: PairsOption = False,
    differences: DifferencesOption = None,
    split: SplitOption = None,
    binary: BinaryOption = False,
    limit: Annotated[int | None, typer.Option(min=1, help="Only the first N queries.")] = None,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Search again, even where nothing has changed.")
    ] = False,
    run_out: Annotated[
        Path | None, typer.Option(help="Folder for TREC run files, COLLECTION.NAME.run.")
    ] = None,
    report: ReportOption = None,
    fail_under: FailUnderOption = None,
    against: AgainstOption = None,
    save_baseline: SaveBaselineOption = None,
    tolerance: ToleranceOption = TOLERANCE,
    work: WorkOption = None,
    as_json: JsonOption = False,
) -> None:
    """Rank test collections' documents for their queries: nDCG@10, recall@100 and others.

    One or several configurations are measured on every collection and compared with each other.
    Indexes and runs are kept: stopped, the same command goes on.
    """
    from .experiment import run_experiment  # noqa: PLC0415
    from .retrieval import limited  # noqa: PLC0415
    from .trec import write_run  # noqa: PLC0415

    shown = _Shown(report or [], as_json, baseline, all_pairs, differences)
    guard = Guard(fail_under, against, save_baseline, tolerance)
    given = {
        "fusion": fusion,
        "dense_weight": dense_weight,
        "stem": stem,
        "stop_words": stop_words,
    }
    chosen = _chosen(
        configurations, sweep, only or (), mode, {k: v for k, v in given.items() if v is not None}
    )
    shown.check(chosen)
    collections = [_collection(path, split, binary) for path in paths]
    _refuse_twins([collection.name for collection in collections])
    if limit:
        collections = [limited(collection, limit) for collection in collections]
    measures = _measures(measure, guard, collections[0])
    _refuse_shallow(chosen.values(), measures[0])
    guard.check_names({f"{c.name}/{name}": measures for c in collections for name in chosen})
    try:
        results = run_experiment(collections, chosen.values(), measures, work=work, fresh=fresh)
    except KeyboardInterrupt:
        typer.echo(
            "\nStopped. What was measured so far is kept; the same command goes on.", err=True
        )
        raise typer.Exit(130) from None
    if run_out:
        run_out.mkdir(parents=True, exist_ok=True)
        for result in results:
            name = f"{result.collection}.{result.system}.run"
            write_run(run_out / name, result.run, f"dateline-{result.system}")
    shown.show(results, collections, "Retrieval")
    guard.check(
        {f"{r.collection}/{r.system}": r.per_query for r in results},
        {f"{r.collection}/{r.system}": r.settings for r in results},
    )


@app.command(
    epilog="Example: dateline eval compare ours.run theirs.run --collection beir/nfcorpus"
    " --differences ours theirs"
)
def compare(
    runs: Annotated[list[Path], typer.Argument(help="Run files in TREC format, of any systems.")],
    *,
    collection: Annotated[
        Path, typer.Option(help="The collection that they are of: a folder in BEIR's layout.")
    ],
    measure: MeasureOption = None,
    baseline: BaselineOption = None,
    all_pairs: PairsOption = False,
    differences: DifferencesOption = None,
    split: SplitOption = None,
    binary: BinaryOption = False,
    report: ReportOption = None,
    fail_under: FailUnderOption = None,
    against: AgainstOption = None,
    save_baseline: SaveBaselineOption = None,
    tolerance: ToleranceOption = TOLERANCE,
    as_json: JsonOption = False,
) -> None:
    """Compare the rankings of any systems, as TREC run files: who is really better, and where.

    A system is called what its file is called. Queries that a run leaves out count 0.
    """
    from .retrieval import evaluate_run  # noqa: PLC0415
    from .runs import doubts  # noqa: PLC0415
    from .trec import read_run  # noqa: PLC0415

    shown = _Shown(report or [], as_json, baseline, all_pairs, differences)
    guard = Guard(fail_under, against, save_baseline, tolerance)
    files = {_system(path): path for path in runs}
    if len(files) < len(runs):
        raise UsageError("Two run files have the same name.", "Rename one of them.")
    shown.check(files)
    judged = _collection(collection, split, binary)
    measures = _measures(measure, guard, judged)
    guard.check_names(dict.fromkeys(files, measures))
    results = []
    for system, path in files.items():
        run = read_run(path)
        if not run.keys() & judged.qrels.keys():
            raise UsageError(
                f"{path} has no query that {judged.name} judges.", "Is it of another collection?"
            )
        for doubt in doubts(run, judged):
            typer.echo(f"Warning: {path}: {doubt}.", err=True)
        results.append(evaluate_run(judged, system, run, measures))
    shown.show(results, [judged], "Comparison of runs")
    guard.check({result.system: result.per_query for result in results})


@dataclass(frozen=True, slots=True)
class _Shown:
    """How results are to be shown."""

    reports: Sequence[Path]
    as_json: bool
    baseline: str | None
    all_pairs: bool
    differences: tuple[str, str] | None

    def check(self, systems: Iterable[str]) -> None:
        """Refuse names of systems that there will not be, and reports that cannot be written."""
        check_reports(self.reports)
        check_among(filter(None, (self.baseline, *(self.differences or ()))), systems)

    def show(
        self, results: Sequence[RetrievalResult], collections: Sequence[Collection], what: str
    ) -> None:
        """Write the reports, then print."""
        from . import showing, tables  # noqa: PLC0415
        from .retrieval_report import retrieval_report, summaries  # noqa: PLC0415

        baseline = self.baseline or results[0].system
        made = retrieval_report(
            results,
            collections,
            title=f"{what}: {', '.join(collection.name for collection in collections)}",
            summary={
                "collections": "; ".join(
                    f"{c.name}, {len(c.documents):,} documents, {len(c.qrels):,} queries"
                    for c in collections
                ),
                **showing.provenance(),
            },
            baseline=baseline,
            pairs=self.all_pairs,
            differences=self.differences,
            details=bool(self.reports),
        )
        for path in self.reports:
            showing.write_report(made, path)
        if self.as_json:
            tables.print_json(summaries(results, baseline))
        else:
            showing.print_report(made)


def _chosen(
    file: Path | None,
    sweep: bool,
    only: Sequence[str],
    mode: str | None,
    given: Mapping[str, Any],
) -> dict[str, Configuration]:
    """The configurations of a file, of the bundled set, or those that single options describe."""
    from index import IndexSettings  # noqa: PLC0415

    from .configurations import Configuration  # noqa: PLC0415
    from .retrieval import MODES  # noqa: PLC0415

    if file or sweep or only:
        if mode or given:
            option = f"--{next(iter(given), 'mode').replace('_', '-')}"
            raise UsageError(
                f"{option} describes a configuration of its own.",
                "Leave it out, or put it into a file for --configurations.",
            )
        return chosen_configurations(file, sweep=sweep, only=only, bundled="configurations.toml")
    settings = IndexSettings(**given)
    modes = [each for each in MODES if mode in (None, "all", each)]
    return {each: Configuration(name=each, mode=each, settings=settings) for each in modes}


def _collection(path: Path, split: str | None, binary: bool) -> Collection:
    from .collections import load_collection  # noqa: PLC0415
    from .retrieval import with_binary_grades  # noqa: PLC0415

    collection = load_collection(path, split)
    return with_binary_grades(collection) if binary else collection


def _measures(given: Sequence[str] | None, guard: Guard, collection: Collection) -> tuple[str, ...]:
    """The measures asked for, and those with floors; floors are renamed as measures are."""
    from .metrics import RETRIEVAL_MEASURES, checked_measures  # noqa: PLC0415

    guard.floors = [
        replace(floor, measure=checked_measures([floor.measure], collection.qrels)[0])
        for floor in guard.floors
    ]
    return checked_measures([*(given or RETRIEVAL_MEASURES), *guard.measures], collection.qrels)


def _refuse_twins(names: Sequence[str]) -> None:
    for name in names:
        if names.count(name) > 1:
            raise UsageError(f"Two collections are called {name!r}.", "Rename one folder.")


def _refuse_shallow(configurations: Iterable[Configuration], main: str) -> None:
    from .metrics import cutoff_of  # noqa: PLC0415

    for configuration in configurations:
        if configuration.depth < (cutoff_of(main) or 0):
            raise UsageError(
                f"{configuration.name} ranks {configuration.depth} documents, too few for {main}.",
                "Raise its depth, or put another --measure first.",
            )


def _system(path: Path) -> str:
    """What a run file's system is called."""
    name = path.name.removesuffix(".gz")
    return Path(name).stem if Path(name).suffix in (".run", ".txt", ".trec", ".res") else name
