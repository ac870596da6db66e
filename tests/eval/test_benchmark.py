import json
import os
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from eval import cli, measuring
from eval.benchmark import PASSAGE_WORDS, run_benchmark, sample_documents, varied_passages
from eval.measuring import FreshRun, in_fresh_process, latency, peak_memory_mib, run_fresh, tracked
from index.document import Document
from index.errors import DatelineError, UsageError

TEXTS = [
    "Mayor Quill met Ada Oldacre on March 4, 2024. She paid 85,000 crowns in Port Ellery.",
    "The ferry sailed again. Repairs had cost Agnes Tollivar 9.6 million.",
]
RUNNER = CliRunner()


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
def sample(monkeypatch, light, embedder, tmp_path):
    """The bundled sample replaced by two documents, everything in this process."""

    def here(function, *args, **kwargs):
        return function(*args, **kwargs)

    documents = [Document(id=t, source=t, title="", text=t) for t in TEXTS]
    monkeypatch.setenv("DATELINE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("eval.benchmark.load_embedder", lambda: embedder)
    monkeypatch.setattr("eval.benchmark.sample_documents", lambda: documents)
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


def test_the_bundled_sample_is_read():
    documents = sample_documents()
    assert len(documents) > 12
    assert len({document.id for document in documents}) == len(documents)


def test_quick_benchmark_measures_the_sample_and_two_more(sample, cold):
    results = list(run_benchmark(quick=True))
    assert [(r.name, r.indexing.documents) for r in results] == [
        ("sample", 2),
        ("30", 30),
        ("60", 60),
    ]
    for result in results:
        indexing, asking = result.indexing, result.warm_ask
        assert indexing.passages >= indexing.documents
        assert indexing.passages_per_second == pytest.approx(indexing.passages / indexing.seconds)
        assert 0.01 < indexing.index_mib < 10
        assert asking.read == (2.0, 2.0)
        assert asking.total.p95 >= asking.total.p50 > 0
        assert asking.questions == 60
    assert [r.cold_ask_seconds for r in results] == [0.375, 0.875, 1.375]
    assert len(cold) == 3 * 2
    assert cold[0][:3] == ["-m", "qa.cli", "ask"]


def test_an_index_is_reused_with_its_figures_until_told_otherwise(sample, cold, tmp_path):
    def run(**options):
        results = run_benchmark(quick=True, work=tmp_path / "work", **options)
        return [result.indexing for result in results]

    first, second = run(), run()
    assert [indexing.reused for indexing in first] == [False] * 3
    assert [indexing.reused for indexing in second] == [True] * 3
    assert [i.seconds for i in first] == [i.seconds for i in second]
    assert not any(indexing.reused for indexing in run(rebuild=True))
    other = run(seed=1)
    assert [indexing.reused for indexing in other] == [True, False, False]
    kept = {path.name for path in (tmp_path / "work").iterdir() if path.is_dir()}
    assert len(kept) == 3  # the indexes of seed 0 are gone
    assert Path(other[1].path).name in kept


def test_benchmark_on_a_files_contexts(sample, cold, tmp_path):
    path = tmp_path / "contexts.jsonl"
    record = {"id": "1", "title": "T", "question": "Who?", "answers": [{"text": "a"}]}
    path.write_text("\n".join(json.dumps({**record, "context": f"Text {n}."}) for n in range(40)))
    results = list(run_benchmark(contexts=path, quick=True))
    assert [(result.name, result.indexing.documents) for result in results] == [
        ("sample", 2),
        ("30", 30),
        ("40", 40),
    ]
    path.write_text(json.dumps({**record, "context": "Text."}))
    assert len(list(run_benchmark(contexts=path, quick=True))) == 2  # there is nothing larger


def test_a_cold_ask_may_find_nothing_but_not_fail(sample, monkeypatch):
    done = FreshRun(1, '{"abstained": true}', "", 1.0, None)
    monkeypatch.setattr("eval.benchmark.run_fresh", lambda _: done)
    assert next(iter(run_benchmark(quick=True))).cold_ask_seconds == 1.0
    done = FreshRun(1, "", "boom", 1.0, None)
    with pytest.raises(DatelineError, match="boom"):
        next(iter(run_benchmark(quick=True)))


def test_speed_command_prints_a_table_or_json(sample, cold):
    table = RUNNER.invoke(cli.app, ["speed", "--quick"])
    assert table.exit_code == 0, table.output
    assert "indexing, passages/s" in table.stdout
    assert "load" in table.stdout
    assert "reused" not in table.stdout
    assert "\x1b" not in table.stdout
    assert "--rebuild" in RUNNER.invoke(cli.app, ["speed", "--quick"]).stdout
    printed = json.loads(RUNNER.invoke(cli.app, ["speed", "--quick", "--json"]).stdout)
    assert set(printed["machine"]) == {"processor", "cores", "python", "load", "engine"}
    first = printed["results"][0]
    assert (first["name"], first["indexing"]["reused"]) == ("sample", True)
    assert set(first["warm_ask"]["read"]) == {"p50", "p95"}


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


@pytest.mark.parametrize("command", ["retrieval", "answers", "speed", "bm25", "recall"])
def test_every_command_shows_an_example(command):
    done = RUNNER.invoke(cli.app, [command, "--help"])
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


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the parent counts")
def test_a_fresh_process_does_not_count_its_parents_memory():
    ballast = b"1" * (300 << 20)
    assert 10 < in_fresh_process(peak_memory_mib) < 250
    del ballast


def test_progress_is_told_where_there_is_no_terminal(capsys, monkeypatch):
    monkeypatch.setattr(measuring, "LINE_EVERY", 0.0)
    assert list(tracked([1, 2, 3], "counting")) == [1, 2, 3]
    told = capsys.readouterr().err.splitlines()
    assert [line.partition(",")[0] for line in told] == ["counting: 1 of 3", "counting: 2 of 3"]


def test_machine():
    assert measuring.machine()["cores"] >= 1
