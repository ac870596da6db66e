"""The README's figures come from results, field by field as the commands write them."""

import json
import re
import types
import typing
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields, is_dataclass
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

from eval import tables
from eval.answers import SampleResult
from eval.benchmark import SpeedResult
from eval.bm25 import Bm25Result
from eval.conversations import ConversationsResult, DialogueScores
from eval.dates import DateScores
from eval.event_slots import EventSlotsResult, SlotAccuracy
from eval.figure_text import LINE
from eval.figures import RENDERERS
from eval.files import write_whole
from eval.load import LoadResult
from eval.main_events import SlotScore
from eval.measurements import MEASUREMENTS, Record
from eval.open_domain import OpenDomainResult
from eval.reading import ReadingResult
from eval.recall import RecallResult
from eval.regions import regions_of, rewrite, rewritten_text
from eval.report import Cell, Report, Table
from eval.retrieval import RetrievalResult
from eval.rewriting import RewriteScores, RewritingResult
from eval.showing import report_json
from index.errors import UsageError

README = Path(__file__).parents[2] / "README.md"

# Where a mapping's keys are named by what was measured, these stand for them.
KEYS = {
    "coverage_at_risk": ["5%", "10%", "20%"],
    "answer_in_top_spans": ["1", "3", "5", "10"],
    "answer_in_top_passages": ["1", "3", "5", "10"],
    "by_slot": ["who", "where", "when"],
    "by_kind": ["compound", "who"],
    "measures": ["nDCG@10", "R@100"],
    "recall": ["recall@10", "recall@100"],
    "f1": ["on", "off", "rewrites"],
}


def built(kind, name="", **given):
    """An instance of a record with a quarter for every figure, but for the fields given."""
    origin, parts = typing.get_origin(kind), typing.get_args(kind)
    if is_dataclass(kind) or hasattr(kind, "_fields"):
        hints = typing.get_type_hints(kind)
        names = [field.name for field in fields(kind)] if is_dataclass(kind) else kind._fields
        return kind(**{n: given[n] if n in given else built(hints[n], n) for n in names})
    if origin in (typing.Union, types.UnionType):
        return built(parts[0], name)
    if origin is typing.Literal:
        return parts[0]
    if origin in (Mapping, dict):
        return {key: built(parts[1]) for key in KEYS.get(name, [])}
    if origin in (tuple, Sequence, list):
        return ()
    return {float: 0.25, int: 3, bool: True, str: "text"}[kind]


def results():
    """What every command gives, in JSON values, from its own records."""
    summary = tables.summary
    searched = [
        summary(built(RetrievalResult, collection=where, mode=mode))
        for where in ("nfcorpus", "cranfield")
        for mode in ("bm25", "dense", "hybrid")
    ]
    halves = ("development", "held out")
    events = built(EventSlotsResult, parts=tuple(built(SlotAccuracy, part=h) for h in halves))
    talks = built(ConversationsResult, parts=tuple(built(DialogueScores, part=h) for h in halves))
    rewriting = built(RewritingResult, scores=(built(RewriteScores, source="canard_dev"),))
    engines = [built(Bm25Result, passages=n, engine=e) for n in (10, 20) for e in ("dateline", "b")]
    other = built(Bm25Result, passages=10, engine="not installed")
    nothing = {field.name: None for field in fields(other) if field.default is None}
    engines.append(built(Bm25Result, passages=10, engine="not installed", **nothing))
    speed = [built(SpeedResult, name=name) for name in ("sample", "1,000")]
    loads = [built(LoadResult, clients=n, memory={0: 400.0, 5: 401.0, 9: 402.0}) for n in (1, 8)]
    peers = Report(
        title="Peers",
        summary={},
        tables=(
            Table(
                caption="tiny, 3 questions",
                columns=("", "Dateline", "other"),
                rows=((Cell(text="F1"), Cell(text=".5", best=True), Cell(text=".2", mark="▼")),),
            ),
        ),
    )
    compared = {"difference": -0.25, "adjusted_p": 0.01}
    given = {
        "dates": [asdict(built(DateScores, part=part)) for part in (*halves, "all")],
        "events": summary(events),
        "main-events": {"right": 0.25, "slots": [asdict(built(SlotScore, slot="who"))]},
        "conversations": summary(talks),
        "rewriting": summary(rewriting),
        "answers-sample": summary(built(SampleResult)),
        "answers-squad": summary(built(OpenDomainResult)),
        "reading-v1": summary(built(ReadingResult, no_answer=None)),
        "reading-v2": summary(built(ReadingResult)),
        "bm25": {"machine": {}, "results": [summary(one) for one in engines]},
        "recall": {"machine": {}, "results": [summary(built(RecallResult))]},
        "speed": {"machine": {}, "results": [summary(one) for one in speed]},
        "load": {"machine": {}, "results": [summary(one) for one in loads]},
        "endurance": {"machine": {}, "results": [summary(one) for one in loads[:1]]},
        "answers-sweep": [
            {**summary(built(OpenDomainResult)), "system": name, "against_baseline": against}
            for name, against in {"a": {}, "b": {"EM": compared}}.items()
        ],
        "retrieval-sweep": [
            {
                **one,
                "system": name,
                "against_baseline": {"nDCG@10": compared} if name == "b" else {},
            }
            for name in "ab"
            for one in searched[::3]
        ],
        "peers-squad": json.loads(report_json(peers)),
        "peers-sample": json.loads(report_json(peers)),
    }
    return {each.name: given.get(each.name, searched) for each in MEASUREMENTS}


def record(name, result, **given):
    machine = {"processor": "Some CPU", "cores": 2, "python": "3.11.7", "engine": "openvino"}
    return Record(
        **{
            "name": name,
            "command": "dateline eval",
            "fingerprint": "",
            "date": "2026-11-22T10:00",
            "seconds": 1.0,
            "commit": "abc1234",
            "machine": {**machine, "memory_gib": 24, "bf16": True},
            "versions": {"openvino": "2026.4.1"},
            "result": result,
            **given,
        }
    )


@pytest.fixture
def records():
    return {name: record(name, result) for name, result in results().items()}


def outside(text):
    """The text without what stands in its regions."""
    return re.sub(r"(<!-- figures:\S+ -->\n).*?(<!-- /figures -->)", r"\1\2", text, flags=re.DOTALL)


def test_the_readme_has_every_region_once_and_each_has_a_renderer():
    found = [name for name, _, _ in regions_of(README.read_text(encoding="utf-8"))]
    assert sorted(found) == sorted(RENDERERS)


def test_every_renderer_needs_known_measurements_and_every_measurement_is_shown():
    needed = {need for renderer in RENDERERS.values() for need in renderer.needs}
    assert needed == {each.name for each in MEASUREMENTS}


@pytest.mark.parametrize("name", RENDERERS)
def test_what_the_commands_give_becomes_a_table(name, records):
    text = RENDERERS[name].render(records)
    tokens = MarkdownIt("commonmark").enable("table").parse(text)
    rows = [token for token in tokens if token.type == "tr_open"]
    assert name == "machine" or len(rows) >= 2
    assert "None" not in text
    assert all(len(line) <= LINE for line in text.splitlines() if not line.startswith("|"))


def test_only_the_regions_change(records):
    old = README.read_text(encoding="utf-8")
    new, done = rewritten_text(old, records)
    assert outside(new) == outside(old)
    assert new != old
    assert set(done.changed) == set(RENDERERS)
    assert done.left == {}
    again, nothing = rewritten_text(new, records)
    assert (again, nothing.changed) == (new, ())


def test_a_region_without_results_stays_and_is_told(records):
    kept = "a\n<!-- figures:retrieval -->\nold\n<!-- /figures -->\nb\n<!-- figures:dates -->\n"
    text = f"{kept}<!-- /figures -->\n"
    del records["retrieval-rrf"]
    new, done = rewritten_text(text, records)
    assert done.changed == ("dates",)
    assert done.left == {"retrieval": ("retrieval-rrf",)}
    assert new.startswith(
        "a\n<!-- figures:retrieval -->\nold\n<!-- /figures -->\nb\n<!-- figures:d"
    )
    assert (
        rewritten_text(f"{text}<!-- figures:machine -->\n<!-- /figures -->\n", {})[1].changed == ()
    )


def test_figures_are_those_of_the_results(records):
    shown = RENDERERS["dates"].render(records)
    assert "| 3 stories, developed on | 3 | 25.0 | 25.0 | 25.0 | 25.0 |" in shown
    assert "| bm25 | .250 | .250 | .250 | .250 | .250 |" in RENDERERS["retrieval"].render(records)
    assert "| b | .250 ▼ | .250 | .250 ▼ |" in RENDERERS["retrieval-sweep"].render(records)
    assert "| b | 25.0 ▼ | 25.0 | .250 |" in RENDERERS["answers-sweep"].render(records)
    assert "| F1 | **.5** | .2▼ |" in RENDERERS["peers"].render(records)
    assert "| 400 → 402 |" in RENDERERS["load"].render(records)
    assert "| not installed | – | – | – |" in RENDERERS["bm25"].render(records)


def test_the_machine_is_told_and_several_are_told_apart(records):
    assert RENDERERS["machine"].render(records) == (
        "Measured on 2 cores (Some CPU with bf16 units), 24 GiB, Python 3.11.7, OpenVINO 2026.4.1;"
        " 2026-11-22, commit\nabc1234."
    )
    moved = {**records["dates"].machine, "cores": 64, "bf16": None, "memory_gib": None}
    records["dates"] = record("dates", [], machine=moved, date="2026-12-01T09:00", commit="")
    text = " ".join(RENDERERS["machine"].render(records).split())
    assert "64 cores (Some CPU), Python 3.11.7, OpenVINO 2026.4.1; 2026-12-01 (dates)." in text
    assert "commit abc1234 (answers-sample, " in text
    del records["recall"], records["speed"]
    text = " ".join(RENDERERS["machine"].render(records).split())
    assert text.endswith("Measured before that, or elsewhere: recall, speed.")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("<!-- figures:dates -->\n", "region of dates is not closed"),
        ("\n\n<!-- /figures -->\n", "README.md line 3: <!-- /figures --> closes no region"),
        (
            "<!-- figures:dates -->\n<!-- figures:events -->\n<!-- /figures -->\n",
            "line 2: .* is in the region of dates",
        ),
        ("<!-- figures:none -->\n<!-- /figures -->\n", "no renderer 'none'"),
        ("<!-- figures -->\n<!-- /figures -->\n", "no renderer"),
    ],
)
def test_marks_that_do_not_fit_together_are_named(text, problem, tmp_path):
    path = tmp_path / "README.md"
    path.write_text(text)
    with pytest.raises(UsageError, match=problem):
        rewrite(path, tmp_path)
    assert path.read_text() == text


def test_the_file_is_rewritten_from_a_folder_of_results(tmp_path):
    path = tmp_path / "README.md"
    path.write_bytes("Für\r\n<!-- figures:dates -->\n<!-- /figures -->\n".encode())
    write_whole(tmp_path / "dates.json", json.dumps(asdict(record("dates", results()["dates"]))))
    assert rewrite(path, tmp_path).changed == ("dates",)
    text = path.read_bytes().decode()
    assert text.startswith("Für\r\n<!-- figures:dates -->\n\n|  | expressions |")
    assert text.endswith("|\n\n<!-- /figures -->\n")
    assert rewrite(path, tmp_path).changed == ()
