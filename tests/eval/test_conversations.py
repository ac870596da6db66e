"""The conversations are whole, and follow-ups and rewrites are scored as their headers say."""

import gzip
import json
from importlib.resources import files
from pathlib import Path

import pytest

from eval.conversations import TurnRow, _f1, _scores, load_dialogues
from eval.event_slots import load_stories
from eval.rewriting import evaluate_rewriting
from index import EmbeddedIndex
from index.errors import LoadError
from qa.answer import Answer, Span
from qa.demo import SAMPLE
from qa.training import conversation as training
from qa.training.conversation import is_held_out, load

FOLDER = Path(str(files("eval")))
REWRITES = Path(__file__).parents[3] / "shared" / "data" / "conversation" / "rewrites.jsonl.gz"


def test_the_collection_is_whole(tmp_path):
    dialogues = load_dialogues(FOLDER / "conversations.jsonl")
    assert len(dialogues) >= 30
    assert {len(d.turns) for d in dialogues} <= {4, 5, 6, 7}
    assert min(sum(d.half == half for d in dialogues) for half in (1, 2)) >= 15
    with EmbeddedIndex.open(tmp_path) as index:
        index.add_files([SAMPLE])
        index.add(load_stories(FOLDER / "conversation_stories.jsonl"))
        texts = [index.get(document.id).text for document in index.documents(limit=1000)]
    for turn in (turn for d in dialogues for turn in d.turns):
        assert (turn.question == turn.rewrite) or not turn.standalone
        for answer in turn.answers:
            assert any(answer in text for text in texts), answer


def test_a_damaged_line_is_named(tmp_path):
    path = tmp_path / "c.jsonl"
    path.write_text('{"id": "a", "half": 1, "turns": []}\n{"id": "b"}\n', encoding="utf-8")
    with pytest.raises(LoadError, match="line 2"):
        load_dialogues(path)


def answer(*texts):
    spans = [Span(text=text, confidence=0.9, slot=None, citations=[]) for text in texts]
    return Answer(
        question="?", resolved_question="?", abstained=not texts, answers=spans, citations=[],
        timings_ms={},
    )  # fmt: skip


@pytest.mark.parametrize(
    ("given", "gold", "expected"),
    [
        (answer("Oslo", "Riga"), ["in Oslo", "Oslo"], 1.0),
        (answer("Riga"), ["Oslo"], 0.0),
        (answer("Anna Berg"), ["Berg"], 2 / 3),
        (answer(), [], 1.0),
        (answer(), ["Oslo"], 0.0),
        (answer("Oslo"), [], 0.0),
    ],
)
def test_f1_of_the_first_answer(given, gold, expected):
    assert _f1(given, gold) == pytest.approx(expected)


def test_scores():
    def row(on, off, rewrites, *, standalone, resolved):
        scores = {"on": on, "off": off, "rewrites": rewrites}
        return TurnRow("d", 1, 2, standalone, "Why  so?", resolved, "", [], {}, scores, 1.0)

    rows = [
        row(1.0, 0.0, 1.0, standalone=True, resolved="Why so?"),
        row(0.5, 0.0, 1.0, standalone=True, resolved="Why did he so?"),
    ]
    scores = _scores("part", rows)
    assert scores.f1 == {"on": 0.75, "off": 0.0, "rewrites": 1.0}
    assert scores.kept == 0.75
    assert scores.untouched == 0.5
    mixed = [*rows, row(0.0, 0.0, 0.0, standalone=False, resolved="")]
    assert _scores("part", mixed).untouched is None


def conversations(*held):
    """Conversations of two turns, by whether they are held out."""
    names = (f"c{n}" for n in range(10_000))
    rows = []
    for wanted in held:
        name = next(n for n in names if is_held_out(n) == wanted)
        first = "Who was Ida Holm?"
        said = ["Ida Holm", "Life", first, "a Danish engineer"]
        rows += [
            {"source": "canard_dev", "conv": name, "turn": "1", "history": said[:2],
             "question": first, "rewrite": first},
            {"source": "canard_dev", "conv": name, "turn": "2", "history": said,
             "question": "Where was she born?", "rewrite": "Where was Ida Holm born?"},
        ]  # fmt: skip
    return rows


def written(path, rows):
    with gzip.open(path, "wt", encoding="utf-8") as lines:
        lines.writelines(json.dumps(row) + "\n" for row in rows)
    return path


def test_rewrites_are_compared_on_held_out_conversations(tmp_path):
    path = written(tmp_path / "r.jsonl.gz", conversations(True, False, True))
    result = evaluate_rewriting(path)
    scores = {score.system: score for score in result.scores}
    assert len(result.rows) == 6
    assert [row.held_out for row in result.rows] == [True, True, False, False, True, True]
    ours, none = scores["Dateline"], scores["no resolution"]
    assert (ours.turns, ours.f1, ours.untouched) == (2, 1.0, 1.0)
    assert ours.rouge1 == pytest.approx(1.0)
    assert ours.bleu == pytest.approx(100.0)
    assert (none.f1, none.untouched) == (0.0, 1.0)
    before = scores["previous question prepended"]
    assert before.f1 == 1.0  # "Ida Holm" is all that it adds beside small words
    assert before.untouched == 0.0
    assert before.rouge1 < 1


def test_training_learns_from_the_others_alone(tmp_path, monkeypatch, capsys):
    path = written(tmp_path / "r.jsonl.gz", conversations(False, False, False, True))
    out = tmp_path / "out.json"
    seen, choices = [], training._choices

    def watched(turn):
        seen.append(turn.conversation)
        return choices(turn)

    monkeypatch.setattr(training, "_choices", watched)
    monkeypatch.setattr("sys.argv", ["conversation", str(path), str(out)])
    training.main()
    assert len(seen) == 6
    assert not any(is_held_out(name) for name in seen)
    weights = json.loads(out.read_text(encoding="utf-8"))["weights"]
    assert any(weights.values())
    assert json.loads(capsys.readouterr().out)["right in training"] == 1.0


@pytest.mark.skipif(not REWRITES.exists(), reason="the rewrites are not here")
def test_the_split_is_by_conversation():
    turns = load(REWRITES)
    held = {turn.conversation for turn in turns if is_held_out(turn.conversation)}
    assert 0.3 < len(held) / len({turn.conversation for turn in turns}) < 0.5
