"""A little regression set of Dateline's own: is anything worse than it was? In half a minute.

One index holds the bundled sample, the invented stories that events and conversations were
developed on, and nothing else. Over it: passages found, questions answered and cited or not
answered, slots of events filled, follow-ups understood; besides, dates in a few annotated stories.
The figures are compared with those of a baseline file. What they are worth in themselves is little:
the set is small, and much of it was developed on.
"""

from __future__ import annotations

import json
import statistics
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.resources import as_file, files
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from index import EmbeddedIndex, Index
from index.errors import DatelineError, LoadError, UsageError
from qa.demo import SAMPLE

from .answers import evaluate_sample, same_source
from .conversations import load_dialogues, turn_rows
from .dates import evaluate_dates, load_timeml, pair
from .event_slots import SLOTS, load_questions, load_stories, slot_rows
from .measuring import tracked
from .metrics import f1, measure_run
from .questions import GoldQuestion, bundled_questions, read_questions
from .report import Cell, Table
from .retrieval import MODES
from .searching import search_documents

if TYPE_CHECKING:
    from qa import Assistant

FOLDER = files("eval")
BASELINE = Path(str(FOLDER / "small_baseline.json"))
# Stories and conversations whose ids begin otherwise are held out: they stay unseen here too.
STORIES = ("c0", "c2", "e0")
DIALOGUES = ("d001", "d003", "d010", "d201", "d205", "d210")
EVENTS_EVERY = 4  # of the questions about events that were developed on
FOUND = ("Success@5", "nDCG@10")

Outcomes: TypeAlias = Mapping[str, float]  # a score in [0, 1] by question


class Figure(NamedTuple):
    """A figure, and by how much it may be worse than the baseline's.

    What runs the models, OpenVINO in bf16 or float32, ONNX Runtime, another processor, changes
    cosines and logits a little: one question may go the other way for it (measured: none did).
    """

    name: str
    value: float
    tolerance: float
    more_is_better: bool = True


class Part(NamedTuple):
    """One part's figures, and the score of each of its questions."""

    figures: tuple[Figure, ...]
    outcomes: Outcomes


class Check(NamedTuple):
    """A figure beside the baseline's; `change` is positive where it is better."""

    figure: Figure
    before: float
    change: float

    @property
    def verdict(self) -> str:
        """Whether it is worse or better by more than its tolerance."""
        if abs(self.change) <= self.figure.tolerance + 1e-9:
            return ""
        return "worse" if self.change < 0 else "better"


@dataclass(frozen=True, slots=True)
class ScoredQuestion:
    """A question's score, and the baseline's; None if it did not have the question."""

    part: str
    id: str
    score: float
    before: float | None

    @property
    def fell_by(self) -> float:
        """By how much it is worse than the baseline; 0 if it is not."""
        return max(0.0, (self.before or 0.0) - self.score)


@dataclass(frozen=True, slots=True)
class Baseline:
    """What was measured before: figures by name, questions' scores by part, and on what."""

    figures: Mapping[str, float]
    outcomes: Mapping[str, Outcomes]
    measured_on: Mapping[str, object]


@contextmanager
def small_index() -> Iterator[EmbeddedIndex]:
    """A temporary index of the set's documents."""
    with (
        TemporaryDirectory(prefix="dateline-small-") as folder,
        EmbeddedIndex.open(folder) as index,
    ):
        index.add_files([SAMPLE])
        for name in ("conversation_stories.jsonl", "event_stories.jsonl"):
            with as_file(FOLDER / name) as path:
                index.add([s for s in load_stories(path) if s.source.startswith(STORIES)])
        yield index


def small_questions() -> tuple[GoldQuestion, ...]:
    """The sample's questions and those of the set."""
    with as_file(FOLDER / "small" / "questions.jsonl") as path:
        return (*bundled_questions(), *read_questions(path).questions)


def found(assistant: Assistant) -> Part:
    """Documents found for the answerable questions, by each way of searching."""
    index = assistant.index
    questions = [question for question in small_questions() if not question.unanswerable]
    qrels = {question.id: _sources(index, question) for question in questions}
    figures, outcomes = [], {}
    for mode in MODES:
        run = {q.id: search_documents(index, q.question, mode, 10) for q in questions}
        for measure, values in measure_run(qrels, run, FOUND).items():
            tolerance = 0.0 if mode == "bm25" else one_of(len(values))
            figures.append(Figure(f"{mode} {measure}", _mean(values.values()), tolerance))
            outcomes.update({f"{query} {mode} {measure}": v for query, v in values.items()})
    return Part(tuple(figures), outcomes)


def answered(assistant: Assistant) -> Part:
    """Answers, their citations, and answers that there should not be."""
    result = evaluate_sample(assistant, small_questions(), assistant.index.stats().documents)
    told = {row.id: f1("" if row.abstained else row.prediction, row.answers) for row in result.rows}
    cited = result.citations
    answerable = [row for row in result.rows if not row.unanswerable]
    return Part(
        (
            Figure("exact match", result.exact_match or 0.0, one_of(len(answerable))),
            Figure("F1", result.f1 or 0.0, one_of(len(answerable))),
            Figure("F1, abstaining", _mean(told.values()), one_of(len(told))),
            Figure(
                "false answers",
                result.false_answers or 0.0,
                one_of(len(told) - len(answerable)),
                more_is_better=False,
            ),
            Figure(
                "area under risk-coverage",
                result.trust.area_under_risk_coverage if result.trust else 1.0,
                0.01,
                more_is_better=False,
            ),
            Figure("citation precision", cited.precision or 0.0, one_of(cited.answers)),
            Figure("citation recall", cited.recall or 0.0, one_of(cited.answers)),
            Figure("citations verbatim", cited.verbatim or 0.0, 0.0),
        ),
        told,
    )


def dated(_: Assistant) -> Part:
    """Dates in annotated stories, as TempEval-3 scores them."""
    with as_file(FOLDER / "small") as folder:
        stories = load_timeml(folder)
    scores = evaluate_dates(stories)[-1]
    return Part(
        (
            Figure("relaxed F1", scores.relaxed, 0.0),
            Figure("strict F1", scores.strict, 0.0),
            Figure("value F1", scores.value, 0.0),
        ),
        {
            f"{p.story.name} {p.gold.start}": float(
                p.found is not None and p.found.value == p.gold.value
            )
            for p in pair(stories)
            if p.gold
        },
    )


def happened(assistant: Assistant) -> Part:
    """Slots of events, filled rightly."""
    with as_file(FOLDER / "event_questions.jsonl") as path:
        asked = [question for question in load_questions(path) if question.half == 1]
    chosen = asked[::EVENTS_EVERY]
    rows = [row for q in tracked(chosen, "asking of events") for row in slot_rows(q, assistant)]
    seen: Counter[str] = Counter()
    outcomes = {}
    for row in rows:
        name = f"{row.id} {row.slot}"
        seen[name] += 1  # a question may ask for several events
        outcomes[f"{name} {seen[name]}"] = float(row.right)
    by_slot = {slot: [float(row.right) for row in rows if row.slot == slot] for slot in SLOTS}
    return Part(
        (
            Figure("slots right", _mean(outcomes.values()), one_of(len(rows))),
            *(
                Figure(f"{slot} right", _mean(right), one_of(len(right)))
                for slot, right in by_slot.items()
            ),
        ),
        outcomes,
    )


def followed(assistant: Assistant) -> Part:
    """Conversations, their follow-ups understood from the history."""
    with as_file(FOLDER / "conversations.jsonl") as path:
        held = [dialogue for dialogue in load_dialogues(path) if dialogue.id in DIALOGUES]
    rows = [
        row
        for dialogue in tracked(held, "holding conversations")
        for row in turn_rows(dialogue, assistant, ("on",))
    ]
    follow_ups = [row.f1["on"] for row in rows if not row.standalone]
    return Part(
        (
            Figure("turns F1", _mean([row.f1["on"] for row in rows]), one_of(len(rows))),
            Figure("follow-ups F1", _mean(follow_ups), one_of(len(follow_ups))),
        ),
        {f"{row.id} {row.turn}": row.f1["on"] for row in rows},
    )


PARTS: Mapping[str, Callable[[Assistant], Part]] = {
    "retrieval": found,
    "answers": answered,
    "dates": dated,
    "events": happened,
    "conversations": followed,
}


def measure(assistant: Assistant, parts: Sequence[str] = tuple(PARTS)) -> dict[str, Part]:
    """The parts, measured with an assistant over `small_index`."""
    return {name: PARTS[name](assistant) for name in parts}


def load_baseline(path: Path) -> Baseline:
    """A baseline file.

    Raises:
        UsageError: there is no such file.
        LoadError: it is damaged.
    """
    try:
        tree = json.loads(path.read_text(encoding="utf-8"))
        figures = {str(name): float(value) for name, value in tree["figures"].items()}
        outcomes = {
            str(part): {str(name): float(value) for name, value in scores.items()}
            for part, scores in tree["outcomes"].items()
        }
        return Baseline(figures, outcomes, dict(tree["measured_on"]))
    except OSError as error:
        raise UsageError(
            f"{path} cannot be read: {error.strerror}.", "Make one with --save-baseline."
        ) from error
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise LoadError(
            f"{path} is no baseline: {error!r}.", "Write one: dateline eval small --save-baseline"
        ) from error


def save_baseline(
    path: Path, measured: Mapping[str, Part], measured_on: Mapping[str, object]
) -> None:
    """Write a baseline file, rounded to what a difference could mean."""
    tree = {
        "measured_on": measured_on,
        "figures": {
            f"{part}: {figure.name}": round(figure.value, 4)
            for part, found in measured.items()
            for figure in found.figures
        },
        "outcomes": {
            part: {name: round(score, 3) for name, score in found.outcomes.items()}
            for part, found in measured.items()
        },
    }
    path.write_text(json.dumps(tree, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def checks(measured: Mapping[str, Part], baseline: Baseline) -> dict[str, Check]:
    """Every figure beside the baseline's, by part and name.

    Raises:
        DatelineError: the baseline does not have a figure.
    """
    compared = {}
    for part, measures in measured.items():
        for figure in measures.figures:
            name = f"{part}: {figure.name}"
            if name not in baseline.figures:
                raise DatelineError(
                    f"The baseline has no figure {name!r}.",
                    "If it is new: dateline eval small --save-baseline",
                )
            before, after = baseline.figures[name], round(figure.value, 4)
            change = after - before if figure.more_is_better else before - after
            compared[name] = Check(figure, before, change)
    return compared


def scored(measured: Mapping[str, Part], baseline: Baseline) -> list[ScoredQuestion]:
    """Every question beside the baseline, those whose score fell first, by how much."""
    questions = [
        ScoredQuestion(part, name, round(score, 3), baseline.outcomes.get(part, {}).get(name))
        for part, measures in measured.items()
        for name, score in measures.outcomes.items()
    ]
    return sorted(questions, key=lambda question: -question.fell_by)


def checks_table(compared: Mapping[str, Check], note: str) -> Table:
    """A row for every figure."""
    return Table(
        caption="The little regression set",
        columns=("figure", "value", "baseline", "better by", "tolerance", ""),
        rows=tuple(
            (
                Cell(text=name),
                Cell(text=f"{check.figure.value:.3f}", value=check.figure.value),
                Cell(text=f"{check.before:.3f}", value=check.before),
                Cell(text=f"{check.change:+.3f}", value=check.change),
                Cell(text=f"{check.figure.tolerance:.3f}", value=check.figure.tolerance),
                Cell(text=check.verdict),
            )
            for name, check in compared.items()
        ),
        note=note,
    )


def one_of(questions: int) -> float:
    """What one question can change a mean by; a little more, as figures are rounded."""
    return 1.01 / max(1, questions)


def _sources(index: Index, question: GoldQuestion) -> dict[str, int]:
    """The documents that answer a question, as relevance judgements."""
    return {
        info.source: 1
        for info in index.documents()
        if any(same_source(info.source, gold) for gold in question.sources)
    }


def _mean(values: Iterable[float]) -> float:
    return statistics.fmean(values)
