"""The little regression set is sound, holds nothing held out, and finds what was made worse."""

import json
from contextlib import nullcontext

import numpy as np
import pytest
from test_sample_questions import TYPES, occurs
from typer.testing import CliRunner

from eval import cli, small
from eval.conversations import load_dialogues
from eval.dates import load_timeml
from eval.event_slots import load_questions
from eval.small import Baseline, Figure, Part
from index.errors import DatelineError, LoadError, UsageError
from qa import Assistant, Reader
from qa.reader import SHIPPED


@pytest.fixture(scope="module")
def index():
    with small.small_index() as opened:
        yield opened


@pytest.fixture(scope="module")
def baseline():
    return small.load_baseline(small.BASELINE)


def verdicts(measured, baseline):
    return {name: check.verdict for name, check in small.checks(measured, baseline).items()}


# The set


def test_every_answer_stands_in_its_source(index):
    texts = {info.source: index.get(info.id).text for info in index.documents()}
    questions = small.small_questions()
    assert len({q.id for q in questions}) == len({q.question for q in questions}) == len(questions)
    for question in questions:
        found = [texts[source] for source in small._sources(index, question)]
        assert len(found) == len(question.sources), question.id
        assert question.type in TYPES
        assert question.unanswerable == (not question.answers) == (not question.sources)
        for answer in question.answers:
            assert any(occurs(answer, text) for text in found), (question.id, answer)
    assert sum(q.unanswerable for q in questions) == 20
    assert len(questions) == 92


def test_nothing_held_out_is_used(index):
    stories = {info.source for info in index.documents() if "sample" not in info.source}
    assert len(stories) == 46
    assert {source[:2] for source in stories} == {"c0", "c2", "e0"}
    dialogues = {d.id: d for d in load_dialogues(small.FOLDER / "conversations.jsonl")}
    assert {dialogues[name].half for name in small.DIALOGUES} == {1}
    asked = load_questions(small.FOLDER / "event_questions.jsonl")
    developed = {q.id for q in asked if q.half == 1}
    assert {name.split()[0] for name in small.load_baseline(small.BASELINE).outcomes["events"]} <= (
        developed
    )


def test_the_dated_stories_are_annotated():
    stories = load_timeml(small.FOLDER / "small")
    assert len(stories) == 4
    assert sum(len(story.timexes) for story in stories) == 43
    for story in stories:
        assert story.created
        assert all(story.text[t.start : t.end].strip() and t.value for t in story.timexes)


# Figures beside a baseline


def figures(*found):
    return {"part": Part(tuple(found), {"q1": 0.5, "q2": 1.0, "new": 0.0})}


def before(**values):
    named = {f"part: {name}": value for name, value in values.items()}
    return Baseline(named, {"part": {"q1": 1.0, "q2": 0.5}}, {})


@pytest.mark.parametrize(
    ("value", "more_is_better", "verdict"),
    [
        (0.70, True, ""),
        (0.65, True, ""),  # as much as the tolerance
        (0.64, True, "worse"),
        (0.76, True, "better"),
        (0.64, False, "better"),
        (0.76, False, "worse"),
    ],
)
def test_a_figure_is_worse_beyond_its_tolerance(value, more_is_better, verdict):
    measured = figures(Figure("f", value, 0.05, more_is_better))
    assert verdicts(measured, before(f=0.7)) == {"part: f": verdict}


def test_a_new_figure_needs_a_new_baseline():
    with pytest.raises(DatelineError, match="no figure 'part: g'"):
        small.checks(figures(Figure("g", 1.0, 0.0)), before(f=0.7))


def test_questions_that_fell_are_named():
    first, *others = small.scored(figures(), before())
    assert (first.part, first.id, first.before, first.score) == ("part", "q1", 1.0, 0.5)
    assert first.fell_by == 0.5
    assert {question.id: question.fell_by for question in others} == {"q2": 0.0, "new": 0.0}


def test_a_baseline_is_written_and_read(tmp_path):
    path = tmp_path / "b.json"
    measured = figures(Figure("f", 2 / 3, 0.05))
    small.save_baseline(path, measured, {"engine": "none"})
    read = small.load_baseline(path)
    assert read.figures == {"part: f": 0.6667}
    assert read.measured_on == {"engine": "none"}
    assert verdicts(measured, read) == {"part: f": ""}
    assert not any(question.fell_by for question in small.scored(measured, read))


@pytest.mark.parametrize("text", ["", "[]", '{"figures": {"a": "x"}, "outcomes": {}}', "{}"])
def test_a_damaged_baseline_is_an_error(tmp_path, text):
    path = tmp_path / "b.json"
    path.write_text(text)
    with pytest.raises(LoadError, match=r"b\.json"):
        small.load_baseline(path)
    with pytest.raises(UsageError, match="missing"):
        small.load_baseline(tmp_path / "missing.json")


# What was made worse is found


class LastFirst:
    """An index whose BM25 ranks the other way round."""

    def __init__(self, index):
        self._index = index

    def __getattr__(self, name):
        return getattr(self._index, name)

    def search(self, query, top_k=10, *, mode="hybrid", **rest):
        if mode != "bm25":
            return self._index.search(query, top_k, mode=mode, **rest)
        return self._index.search(query, 100, mode=mode, **rest)[::-1][:top_k]


class Guessing:
    """A reader's model that knows nothing: every span of a passage is as likely as any other."""

    name = "guessing"

    def __init__(self):
        self.chance = np.random.default_rng(0)

    def run(self, inputs):
        shape = inputs["input_ids"].shape
        return [self.chance.normal(size=shape).astype(np.float32) for _ in range(2)]


def test_retrieval_is_as_good_as_the_baseline_and_broken_bm25_is_not(index, baseline, monkeypatch):
    assistant = Assistant(index, Reader(SHIPPED, Guessing()))
    whole = small.measure(assistant, ["retrieval"])
    assert "worse" not in verdicts(whole, baseline).values()
    monkeypatch.setattr("eval.small.MODES", ("bm25", "dense"))
    assistant.index = LastFirst(index)
    broken = verdicts(small.measure(assistant, ["retrieval"]), baseline)
    assert broken["retrieval: bm25 nDCG@10"] == broken["retrieval: bm25 Success@5"] == "worse"
    assert broken["retrieval: dense nDCG@10"] != "worse"


def test_a_reader_that_guesses_is_found_out(index, baseline, monkeypatch):
    some = small.small_questions()[::3]  # it would be no better at the others
    monkeypatch.setattr("eval.small.small_questions", lambda: some)
    assistant = Assistant(index, Reader(SHIPPED, Guessing()))
    measured = small.measure(assistant, ["answers"])
    found = verdicts(measured, baseline)
    for name in ("exact match", "F1", "F1, abstaining", "area under risk-coverage"):
        assert found[f"answers: {name}"] == "worse"
    assert sum(question.fell_by > 0.5 for question in small.scored(measured, baseline)) > 10


def test_events_and_conversations_are_scored_question_by_question(index, monkeypatch):
    monkeypatch.setattr("eval.small.DIALOGUES", ("d201",))
    monkeypatch.setattr("eval.small.EVENTS_EVERY", 20)
    assistant = Assistant(index, Reader(SHIPPED, Guessing()))
    measured = small.measure(assistant, ["events", "conversations"])
    assert list(measured["conversations"].outcomes) == [f"d201 {turn}" for turn in range(1, 6)]
    names = [figure.name for figure in measured["events"].figures]
    assert names == ["slots right", "who right", "where right", "when right"]
    for part in measured.values():
        assert all(0 <= score <= 1 for score in part.outcomes.values())
        assert all(0 <= figure.value <= 1 for figure in part.figures)


def test_dates_that_are_not_found_are_found_out(monkeypatch, baseline):
    whole = small.measure(None, ["dates"])
    assert set(verdicts(whole, baseline).values()) == {""}
    monkeypatch.setattr("eval.dates.find_timexes", lambda *_: [])
    assert set(verdicts(small.measure(None, ["dates"]), baseline).values()) == {"worse"}


@pytest.fixture
def only_dates(monkeypatch, tmp_path):
    """The command with the one part that needs no model and no index."""
    measured = small.measure(None, ["dates"])
    monkeypatch.setattr("eval.small.measure", lambda _: measured)
    monkeypatch.setattr("eval.small.small_index", nullcontext)
    monkeypatch.setattr("eval.setups.assistant_for", lambda *_: None)
    return tmp_path / "b.json"


def test_the_command(only_dates):
    arguments = ["small", "--against", str(only_dates)]
    missing = CliRunner().invoke(cli.app, arguments)
    assert isinstance(missing.exception, UsageError)
    saved = CliRunner().invoke(cli.app, [*arguments, "--save-baseline"])
    assert saved.exit_code == 0, saved.output
    fine = CliRunner().invoke(cli.app, arguments)
    assert fine.exit_code == 0, fine.output
    assert "dates: value F1" in fine.stdout
    tree = json.loads(only_dates.read_text())
    tree["figures"]["dates: strict F1"] = 1.0
    only_dates.write_text(json.dumps(tree))
    out = only_dates.with_name("rows.jsonl")
    worse = CliRunner().invoke(cli.app, [*arguments, "--json", "--out", str(out)])
    assert isinstance(worse.exception, DatelineError)
    assert "dates: strict F1" in str(worse.exception)
    printed = json.loads(worse.stdout)
    assert printed["figures"]["dates: strict F1"]["verdict"] == "worse"
    assert printed["figures"]["dates: value F1"]["verdict"] == ""
    assert len(out.read_text().splitlines()) == 43


def test_the_command_shows_an_example():
    shown = CliRunner().invoke(cli.app, ["small", "--help"]).stdout
    assert "Example: dateline eval small" in shown
