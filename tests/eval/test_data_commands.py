"""`dateline eval init`, `questions`, `fuse` and `run`, as they are called."""

import json
import sys
from pathlib import Path

import pytest
from support import make_document

from eval.questions import read_questions
from eval.trec import read_run, write_run
from index import EmbeddedIndex
from qa import cli

QUESTIONS = """\
- question: tea is grown in
  answer: China
  source: tea.txt
  slot: where
- question: boxes are made in
  source: gone.txt
- question:
  source: tea.txt
"""


@pytest.fixture
def run(monkeypatch, capsys, tmp_path, light):
    """Run `dateline eval ARGS` beside an index; gives exit code, output, error output."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("qa.assistant.Assistant", sys.modules["qa"].Assistant)
    with EmbeddedIndex.open(".dateline") as index:
        index.add(
            [
                make_document("news/tea.txt", "Tea is grown since long ago in the south of China."),
                make_document("news/box.txt", "Boxes are made of wood and of paper in Peru."),
            ]
        )

    def call(*arguments):
        monkeypatch.setattr(sys, "argv", ["dateline", "eval", *map(str, arguments)])
        code = 0
        try:
            cli.main()
        except SystemExit as stop:
            code = stop.code or 0
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return call


@pytest.mark.parametrize("command", ["init", "questions", "fuse"])
def test_help_has_an_example(run, command):
    code, out, _ = run(command, "--help")
    assert (code, "Example: dateline eval" in out) == (0, True)


# init


@pytest.mark.parametrize("form", ["yaml", "jsonl", "csv"])
def test_init_writes_a_template_that_can_be_read(run, tmp_path, form):
    code, out, _ = run("init", "--format", form)
    assert code == 0
    assert out.startswith(f"Wrote 2 passages of 2 documents to questions.{form}.")
    assert f"dateline eval questions questions.{form} --index .dateline" in out
    assert read_questions(tmp_path / f"questions.{form}") == ((), 2)


def test_init_replaces_nothing_unless_told_to(run, tmp_path):
    path = tmp_path / "mine.jsonl"
    path.write_text("my work")
    code, _, err = run("init", "--out", path)
    assert (code, "is there already" in err, path.read_text()) == (2, True, "my work")
    assert run("init", "--out", path, "--force", "--questions", 1)[0] == 0
    assert len(path.read_text().splitlines()) == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--out", "q.yaml", "--format", "csv"], "is no name for a csv template"),
        (["--out", "q.jsonl.gz"], "is no name for a jsonl template"),
        (["--out", "q.txt"], "does not say its format"),
        (["--questions", "0"], "--questions"),
    ],
)
def test_init_with_wrong_options(run, tmp_path, arguments, message):
    code, _, err = run("init", *arguments)
    assert (code, message in err) == (2, True)
    assert {path.name for path in tmp_path.iterdir()} == {".dateline"}


# questions


def test_questions_in_figures_and_rows(run, tmp_path):
    (tmp_path / "q.yaml").write_text(QUESTIONS)
    code, out, err = run("questions", "q.yaml", "--json", "--mode", "bm25", "--out", "rows.jsonl")
    assert code == 0
    result = json.loads(out)
    assert (result["questions"], result["unfilled"], result["documents"]) == (2, 1, 2)
    (found,) = result["found"]
    assert (found["kind"], found["success"]["1"], found["reciprocal_rank"]) == ("source", 0.5, 0.5)
    assert result["answers"]["exact_match"] == 1.0
    assert "1 of 3 entries have no question yet" in err
    assert "q.yaml line 5: the index has no document 'gone.txt'" in err
    rows = [json.loads(line) for line in (tmp_path / "rows.jsonl").read_text().splitlines()]
    assert [row["ranks"]["bm25"] for row in rows] == [{"source": 1}, {"source": None}]
    assert (rows[0]["slot"], rows[0]["answer"]["prediction"]) == ("where", "China")


def test_questions_as_a_table(run, tmp_path):
    (tmp_path / "q.yaml").write_text(QUESTIONS)
    code, out, _ = run("questions", "q.yaml")
    assert code == 0
    assert [line.split()[0] for line in out.splitlines()[2:5]] == ["bm25", "dense", "hybrid"]
    assert "exact match" in out


def test_questions_that_cannot_be_asked(run, tmp_path):
    (tmp_path / "q.yaml").write_text("- question:\n  source: a\n")
    code, _, err = run("questions", "q.yaml")
    assert (code, "no question filled in" in err) == (2, True)
    (tmp_path / "q.yaml").write_text("- question: Who?\n  answer: x\n- question: 'x\n")
    code, _, err = run("questions", "q.yaml")
    assert (code, "is not YAML" in err) == (1, True)
    (tmp_path / "q.yaml").write_text("- question: Who?\n  answer: x\n")
    code, _, err = run("questions", "q.yaml", "--index", "nothing")
    assert (code, "There is no index in" in err) == (1, True)


# runs


@pytest.fixture
def two_runs(tmp_path):
    write_run(tmp_path / "a.run", {"q1": {"d1": 2.0, "d3": 1.0}, "q2": {"d2": 1.0}}, "a")
    write_run(tmp_path / "b.run.gz", {"q1": {"d3": 2.0, "d1": 1.0}, "q9": {"d9": 1.0}}, "b")
    return ["a.run", "b.run.gz"]


def test_fused_runs(run, tmp_path, two_runs):
    code, out, _ = run("fuse", *two_runs, "--out", "c.run", "--weights", 1, "--weights", 2)
    assert (code, out) == (0, "Wrote 3 queries to c.run.\n")
    assert list(read_run(tmp_path / "c.run")["q1"]) == ["d3", "d1"]
    assert (tmp_path / "c.run").read_text().split("\n")[0].endswith(" rrf")
    code, _, err = run("fuse", *two_runs, "--out", "d.run", "--weights", 1)
    assert (code, "2 runs and 1 weights" in err) == (2, True)
    assert run("fuse", *two_runs, "--out", "d.run", "--weights", -1, "--weights", 1)[0] == 2
    assert not (tmp_path / "d.run").exists()


def test_measured_runs(run, two_runs, beir_folder):
    arguments = ["compare", *two_runs, "--collection", beir_folder]
    arguments += ["--measure", "RR", "--measure", "Judged@10"]
    code, out, err = run(*arguments, "--json")
    assert code == 0
    a, b = json.loads(out)
    assert a["measures"] == {"RR": pytest.approx(1 / 3), "Judged@10": pytest.approx(0.5)}
    assert b["measures"] == {
        "RR": pytest.approx(1 / 6, abs=1e-6),
        "Judged@10": pytest.approx(1 / 6, abs=1e-6),
    }
    assert "b.run.gz: queries that are not judged: 1." in err


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["a.run", "--collection", "nowhere"], 2, "is no collection"),
        (["nothing.run", "--collection", "tiny"], 2, "no file nothing.run"),
        (["a.run", "--collection", "tiny", "--measure", "nDGC@10"], 2, "nDGC@10"),
        (["a.run", "--collection", "tiny", "--split", "dev"], 2, "no qrels/dev.tsv"),
        (["broken.run", "--collection", "tiny"], 1, "broken.run line 1 has 2 columns"),
    ],
)
@pytest.mark.usefixtures("two_runs", "beir_folder")
def test_runs_that_cannot_be_measured(run, arguments, code, message):
    Path("broken.run").write_text("q1 d1\n")
    got, _, err = run("compare", *arguments)
    assert (got, message in " ".join(err.split())) == (code, True)
