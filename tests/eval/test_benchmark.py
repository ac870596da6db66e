import json
import os
import sys
from contextlib import contextmanager

import pytest
from typer.testing import CliRunner

from eval import benchmark, cli
from eval.benchmark import (
    PASSAGE_WORDS,
    in_fresh_process,
    measure_speed,
    run_benchmark,
    varied_passages,
)
from eval.measuring import FreshRun, latency, peak_memory_mib, run_fresh
from index.document import Document
from index.errors import DatelineError, UsageError

TEXTS = [
    "Mayor Quill met Ada Oldacre on March 4, 2024. She paid 85,000 crowns in Port Ellery.",
    "The ferry sailed again. Repairs had cost Agnes Tollivar 9.6 million.",
]


@pytest.fixture
def cold(monkeypatch):
    """Fresh processes replaced; returns the commands that would have run."""
    commands = []

    def fresh(arguments):
        commands.append(arguments)
        return FreshRun(0, "{}", "", 0.25 * len(commands), 100.0 + len(commands))

    monkeypatch.setattr("eval.benchmark.run_fresh", fresh)
    return commands


@pytest.fixture
def sample(monkeypatch, new_index):
    """The bundled sample replaced by two documents, everything in this process."""

    @contextmanager
    def small_sample():
        index = new_index(Document(id=t, source=t, title="", text=t) for t in TEXTS)
        yield index, index.path

    def here(function, *args, **kwargs):
        return function(*args, **kwargs)

    monkeypatch.setattr("eval.benchmark.sample_index", small_sample)
    monkeypatch.setattr("eval.benchmark.in_fresh_process", here)


def test_varied_passages_are_repeatable_and_all_different():
    documents = list(varied_passages(TEXTS, 40))
    assert documents == list(varied_passages(TEXTS, 40))
    assert documents != list(varied_passages(TEXTS, 40, seed=1))
    assert len({document.text for document in documents}) == 40
    assert len({document.id for document in documents}) == 40
    assert all(
        PASSAGE_WORDS <= len(document.text.split()) < PASSAGE_WORDS + 20 for document in documents
    )


def test_varied_passages_replace_names_and_numbers_but_keep_sentences():
    text = " ".join(document.text for document in varied_passages(TEXTS, 40))
    assert "Oldacre" not in text
    assert text.count("2024") < 5
    assert "The ferry sailed again." in text


def test_varied_passages_need_text():
    with pytest.raises(UsageError, match="no sentence"):
        list(varied_passages(["", " "], 1))


def test_measure_speed(light, cold):
    result = measure_speed("x", list(varied_passages(TEXTS, 5)), ["the ferry sailed"], cold_runs=3)
    assert result.documents == 5
    assert result.chunks >= 5
    assert 0.01 < result.index_mib < 10
    assert result.parts["read"] == (2.0, 2.0)
    assert (result.cold_seconds, result.cold_peak_mib) == (0.5, 103.0)
    assert result.passages_per_second == pytest.approx(result.chunks / result.indexing_seconds)
    assert result.bm25.p95 > 0
    assert cold[0][:4] == ["-m", "qa.cli", "ask", "the ferry sailed"]


def test_a_cold_ask_may_find_nothing_but_not_fail(light, monkeypatch):
    arguments = ("x", list(varied_passages(TEXTS, 2)), ["ferry"])
    done = FreshRun(1, '{"abstained": true}', "", 1.0, None)
    monkeypatch.setattr("eval.benchmark.run_fresh", lambda _: done)
    assert measure_speed(*arguments).cold_peak_mib is None
    done = FreshRun(1, "", "boom", 1.0, None)
    with pytest.raises(DatelineError, match="boom"):
        measure_speed(*arguments)


def test_quick_benchmark_measures_the_sample_and_two_more(sample, cold):
    results = list(run_benchmark(quick=True))
    assert [(result.name, result.documents) for result in results] == [
        ("sample", 2),
        ("30", 30),
        ("60", 60),
    ]
    assert len(cold) == 3 * 2


def test_benchmark_on_a_files_contexts(sample, cold, tmp_path):
    path = tmp_path / "contexts.jsonl"
    record = {"id": "1", "title": "T", "question": "Who?", "answers": [{"text": "a"}]}
    path.write_text("\n".join(json.dumps({**record, "context": f"Text {n}."}) for n in range(40)))
    results = list(run_benchmark(contexts=path, quick=True))
    assert [result.documents for result in results] == [2, 30, 40]


def test_command_prints_a_table_or_json(sample, cold):
    runner = CliRunner()
    table = runner.invoke(cli.app, ["speed", "--quick"])
    assert table.exit_code == 0, table.output
    assert "passages per second" in table.stdout
    assert "\x1b" not in table.stdout
    (first, *_) = json.loads(runner.invoke(cli.app, ["speed", "--quick", "--json"]).stdout)
    assert first["name"] == "sample"
    assert set(first["parts"]["read"]) == {"p50", "p95"}


def test_retrieval_command(beir_folder, light, tmp_path):
    runner = CliRunner()
    arguments = ["retrieval", str(beir_folder), "--work", str(tmp_path / "work")]
    arguments += ["--mode", "bm25", "--run-out", str(tmp_path / "runs")]
    table = runner.invoke(cli.app, arguments)
    assert table.exit_code == 0, table.output
    assert "nDCG@10" in table.stdout
    assert (tmp_path / "runs" / "tiny.bm25.run").read_text().startswith("q1 Q0 d1 1 ")
    (result,) = json.loads(runner.invoke(cli.app, [*arguments, "--json", "--limit", "1"]).stdout)
    assert (result["collection"], result["mode"], result["queries"]) == ("tiny", "bm25", 1)
    assert set(result["intervals"]["nDCG@10"]) == {"low", "high"}
    assert "run" not in result


def test_answers_command_writes_every_question(light, tmp_path, monkeypatch):
    monkeypatch.setattr("eval.answers.run_fresh", lambda _: FreshRun(0, "", "", 0.5, 100.0))
    path = tmp_path / "tiny.jsonl"
    record = {"id": "1", "title": "T", "context": "Tea is from China.", "question": "tea from"}
    path.write_text(json.dumps({**record, "answers": [{"text": "China"}]}))
    arguments = ["answers", str(path), "--out", str(tmp_path / "rows.jsonl"), "--json"]
    done = CliRunner().invoke(cli.app, [*arguments, "--work", str(tmp_path / "work")])
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["exact_match"] == 1.0
    assert json.loads((tmp_path / "rows.jsonl").read_text())["prediction"] == "China"


def test_command_errors_are_left_to_the_main_command(tmp_path):
    done = CliRunner().invoke(cli.app, ["retrieval", str(tmp_path / "none")])
    assert isinstance(done.exception, UsageError)


@pytest.mark.parametrize("command", ["retrieval", "answers", "speed"])
def test_every_command_shows_an_example(command):
    done = CliRunner().invoke(cli.app, [command, "--help"])
    assert "Example: dateline eval" in done.stdout


def test_latency():
    assert latency([]) == (0.0, 0.0)
    assert latency([float(n) for n in range(101)]) == (50.0, 95.0)


@pytest.mark.skipif(sys.platform == "win32", reason="no peak memory there")
def test_a_fresh_process_is_weighed_alone():
    ballast = b"1" * (300 << 20)
    assert peak_memory_mib() > 300
    small = run_fresh(["-c", "print('é')"])
    assert (small.code, small.stdout, small.stderr) == (0, "é\n", "")
    assert 1 < small.peak_mib < 150
    assert 0 < small.seconds < 10
    large = run_fresh(["-c", "import sys; x = b'1' * (200 << 20); sys.exit(3)"])
    assert large.code == 3
    assert large.peak_mib > 200
    del ballast


def test_in_fresh_process():
    assert in_fresh_process(os.getpid) != os.getpid()
    assert in_fresh_process(divmod, 7, 2) == (3, 1)


def test_module_runs_as_the_speed_command(monkeypatch):
    seen = []
    monkeypatch.setattr("qa.cli.main", lambda: seen.append(list(sys.argv)))
    monkeypatch.setattr(sys, "argv", ["benchmark.py", "--quick"])
    benchmark.main()
    assert seen == [["benchmark.py", "eval", "speed", "--quick"]]
