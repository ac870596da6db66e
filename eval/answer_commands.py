"""`dateline eval answers` and `dateline eval reading`: over a collection, or a given passage."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from index.errors import UsageError

from . import tables
from .guarding import TOLERANCE
from .lines import write_rows
from .options import (
    AgainstOption,
    BaselineOption,
    ConfigurationsOption,
    FailUnderOption,
    Guard,
    JsonOption,
    OnlyOption,
    OutOption,
    ReaderOption,
    ReportOption,
    SaveBaselineOption,
    SweepOption,
    ToleranceOption,
    TorchOption,
    WorkOption,
    check_among,
    check_reports,
    chosen_configurations,
    chosen_reader,
)

if TYPE_CHECKING:
    from .open_domain import OpenDomainResult, OpenDomainRow
    from .setups import AnswerSetup

app = typer.Typer()


@app.command(
    epilog="Example: dateline eval answers dev-v1.1.json --questions 500 --sweep --report a.html"
)
def answers(
    path: Annotated[
        Path | None,
        typer.Argument(help="A SQuAD .json or .jsonl[.gz] file (default: the bundled sample)."),
    ] = None,
    *,
    questions: Annotated[int, typer.Option(min=1, help="How many questions to sample.")] = 500,
    seed: Annotated[int, typer.Option(help="Of the sample.")] = 0,
    unanswerable: Annotated[
        bool,
        typer.Option("--unanswerable", help="Sample the unanswerable questions of the file too."),
    ] = False,
    configurations: ConfigurationsOption = None,
    sweep: SweepOption = False,
    only: OnlyOption = None,
    baseline: BaselineOption = None,
    report: ReportOption = None,
    fail_under: FailUnderOption = None,
    against: AgainstOption = None,
    save_baseline: SaveBaselineOption = None,
    tolerance: ToleranceOption = TOLERANCE,
    reader: ReaderOption = None,
    out: OutOption = None,
    work: WorkOption = None,
    as_json: JsonOption = False,
) -> None:
    """Answer questions over a whole collection: exact match, F1, citations, abstention.

    Also the answer in the first k candidates and passages, what confidences are worth, and all of
    it by what is asked for. With --configurations or --sweep several ways of answering are
    compared, each in a process of its own.
    """
    from .answer_report import MEASURES, question_values  # noqa: PLC0415
    from .datasets import load_squad  # noqa: PLC0415
    from .open_domain import evaluate_open_domain, evaluate_setups  # noqa: PLC0415
    from .setups import AnswerSetup  # noqa: PLC0415

    several = bool(configurations or sweep or only)
    if path is None:
        needs_file = {
            "--unanswerable": unanswerable,
            "--configurations, --sweep, --only": several or baseline,
            "--report": report,
            "--fail-under, --against, --save-baseline": fail_under or against or save_baseline,
        }
        _answer_sample([name for name, given in needs_file.items() if given], reader, out, as_json)
        return
    if several and reader:
        raise UsageError(
            "--reader describes a configuration of its own.",
            'Leave it out, or put reader = "FOLDER" into a file for --configurations.',
        )
    setups: Mapping[str, AnswerSetup] = (
        chosen_configurations(configurations, sweep=sweep, only=only or (), bundled="answers.toml")
        if several
        else {"dateline": AnswerSetup(reader=reader)}
    )
    shown = _Shown(report or [], as_json, baseline)
    guard = Guard(fail_under, against, save_baseline, tolerance)
    shown.check(setups)
    guard.check_names(dict.fromkeys(setups, MEASURES))
    examples, name = load_squad(path), path.name.split(".")[0]
    if several:
        results = evaluate_setups(
            examples,
            name,
            setups,
            questions=questions,
            seed=seed,
            unanswerable=unanswerable,
            work=work,
        )
        write_rows(out, (_SystemRow(n, row) for n, r in results.items() for row in r.rows))
    else:
        [(label, setup)] = setups.items()
        result = evaluate_open_domain(
            examples,
            name,
            questions=questions,
            seed=seed,
            unanswerable=unanswerable,
            setup=setup,
            work=work,
        )
        results = {label: result}
        write_rows(out, result.rows)
    shown.show(results, seed, several=several)
    guard.check(question_values(results))


def _answer_sample(
    refused: Sequence[str], reader: Path | None, out: Path | None, as_json: bool
) -> None:
    """Answer the bundled questions over the bundled sample."""
    from .answers import evaluate_sample, sample_index  # noqa: PLC0415
    from .questions import bundled_questions  # noqa: PLC0415
    from .setups import AnswerSetup, assistant_for  # noqa: PLC0415

    if refused:
        raise UsageError(
            f"{refused[0]}: only with a SQuAD file.",
            "Name one, or leave it out: all of the bundled sample's questions are asked.",
        )
    with sample_index() as (index, _):
        assistant = assistant_for(index, AnswerSetup(reader=reader, explain=True))
        result = evaluate_sample(assistant, bundled_questions(), index.stats().documents)
    write_rows(out, result.rows)
    (tables.print_summary if as_json else tables.print_answers)(result)


@dataclass(frozen=True, slots=True)
class _SystemRow:
    """A line of --out where several set-ups answered."""

    system: str
    outcome: OpenDomainRow


@dataclass(frozen=True, slots=True)
class _Shown:
    """How results are to be shown."""

    reports: Sequence[Path]
    as_json: bool
    baseline: str | None

    def check(self, systems: Iterable[str]) -> None:
        """Refuse a name of a system that there will not be, and reports that cannot be written."""
        check_reports(self.reports)
        check_among([self.baseline] if self.baseline else [], systems)

    def show(self, results: Mapping[str, OpenDomainResult], seed: int, *, several: bool) -> None:
        """Write the reports, then print."""
        from . import showing  # noqa: PLC0415
        from .answer_report import answer_report, summaries  # noqa: PLC0415

        baseline = self.baseline or next(iter(results))
        made = answer_report(
            results,
            title=f"Answers: {next(iter(results.values())).name}",
            summary={"sample": f"seed {seed}", **showing.provenance()},
            baseline=baseline,
        )
        for path in self.reports:
            showing.write_report(made, path)
        if not several:
            [result] = results.values()
            (tables.print_summary if self.as_json else tables.print_answers)(result)
        elif self.as_json:
            tables.print_json(summaries(results, baseline))
        else:
            showing.print_report(made)


@app.command(epilog="Example: dateline eval reading dev-v2.0.json --robustness")
def reading(
    path: Annotated[Path, typer.Argument(help="A SQuAD .json or .jsonl[.gz] file.")],
    *,
    reader: ReaderOption = None,
    torch: TorchOption = None,
    limit: Annotated[
        int | None, typer.Option(min=1, help="Only so many questions, sampled.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Of the sample and of the typing errors.")] = 0,
    elsewhere: Annotated[
        bool,
        typer.Option(
            "--elsewhere",
            help="Ask every answerable question once more, of another passage of its article, which"
            " does not answer it: for files without unanswerable questions.",
        ),
    ] = False,
    robustness: Annotated[
        bool,
        typer.Option(
            "--robustness",
            help="Read the answerable questions again: lower-cased, upper-cased, with a typo,"
            " without their final punctuation.",
        ),
    ] = False,
    out: OutOption = None,
    as_json: JsonOption = False,
) -> None:
    """Read every question's own passage: exact match, F1, calibration, risk and coverage, spans.

    With --torch the weights of that folder are read in float32 by PyTorch, the rest being as
    shipped: the difference is what the shipped precision costs.
    """
    from .datasets import load_squad  # noqa: PLC0415
    from .reading import evaluate_reading  # noqa: PLC0415

    result = evaluate_reading(
        load_squad(path),
        path.name.split(".")[0],
        reader=chosen_reader(reader, torch),
        limit=limit,
        seed=seed,
        elsewhere=elsewhere,
        robustness=robustness,
    )
    write_rows(out, result.rows)
    (tables.print_summary if as_json else tables.print_answers)(result)
