"""The command line: exit codes, messages, JSON."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from index import EmbeddedIndex
from index.inference import cache_folder
from qa import cli

STORY = """Leaders meet in Oslo

OSLO, March 4, 2024 (AP) – Anna Berg met Tomas Lind on Monday. They discussed the fishing treaty.
"""


@pytest.fixture
def run(monkeypatch, capsys, tmp_path):
    """Run `dateline ARGS` in a folder of its own; gives exit code, output, error output."""
    monkeypatch.chdir(tmp_path)

    def call(*arguments, stdin=None):
        monkeypatch.setattr(sys, "argv", ["dateline", *map(str, arguments)])
        code = 0
        try:
            cli.main()
        except SystemExit as stop:
            code = stop.code or 0
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return call


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "news").mkdir()
    (tmp_path / "news" / "oslo.txt").write_text(STORY, encoding="utf-8")
    (tmp_path / "news" / "storm.md").write_text(
        "---\ntitle: Storm in Bergen\ndate: 2024-01-20\n---\nA storm tore the roof off the town "
        "hall in Bergen. Repairs will cost 2.5 million crowns.\n",
        encoding="utf-8",
    )
    return tmp_path


def test_index_ask_search_status_remove(run, folder):
    code, out, _ = run("index", "news")
    assert code == 0
    assert "2 indexed" in out
    code, out, _ = run("index", "news", "--json")
    assert json.loads(out)["unchanged"] == ["news/oslo.txt", "news/storm.md"]

    code, out, _ = run("ask", "Who did Anna Berg meet?")
    assert code == 0
    assert out.startswith("Tomas Lind [1]")
    assert "Anna Berg met Tomas Lind on Monday." in out
    assert "[1] Leaders meet in Oslo – 2024-03-04 – news/oslo.txt, line 3" in out
    assert "\x1b[" not in out  # no colour into a pipe

    code, out, _ = run("ask", "Who did Anna Berg meet?", "--json")
    record = json.loads(out)
    assert record["answers"][0]["text"] == "Tomas Lind"
    assert record["citations"][0]["published"] == "2024-03-04"

    code, out, _ = run("search", "storm roof", "--mode", "bm25", "--json")
    hits = json.loads(out)["hits"]
    assert [hit["source"] for hit in hits] == ["news/storm.md"]
    code, out, _ = run("search", "storm", "--after", "2024-02-01", "--mode", "bm25")
    assert (code, "Nothing found" in out) == (1, True)

    code, out, _ = run("status", "--documents", "--json")
    status = json.loads(out)
    assert (status["documents"], status["first_published"]) == (2, "2024-01-20")
    assert [d["source"] for d in status["list"]] == ["news/oslo.txt", "news/storm.md"]
    code, out, _ = run("status", "--documents")
    assert code == 0
    assert "2024-03-04  news/oslo.txt  Leaders meet in Oslo" in out

    code, out, _ = run("remove", "news/storm.md")
    assert (code, out) == (0, "Removed 1 document.\n")
    code, _, err = run("remove", "news/storm.md")
    assert code == 1
    assert "Nothing in the index matches" in err


def test_changed_and_gone_files(run, folder):
    run("index", "news")
    (folder / "news" / "oslo.txt").write_text(STORY.replace("Lind", "Moe"), encoding="utf-8")
    (folder / "news" / "storm.md").unlink()
    code, out, _ = run("index", "news", "--prune", "--json")
    report = json.loads(out)
    assert (code, report["updated"], report["removed"]) == (0, ["news/oslo.txt"], ["news/storm.md"])
    assert run("ask", "Who did Anna Berg meet?")[1].startswith("Tomas Moe")


def test_abstention_has_its_exit_code(run, folder):
    run("index", "news")
    code, out, _ = run("ask", "Who won the 2022 World Cup?")
    assert code == 1
    assert "The documents do not say." in out
    assert "Nearest passages" in out
    code, out, _ = run("ask", "Who won the 2022 World Cup?", "--json")
    record = json.loads(out)
    assert (code, record["abstained"], record["answers"]) == (1, True, [])
    assert record["nearest"]


def test_what_cannot_be_read_is_named_and_the_rest_goes_in(run, folder):
    (folder / "news" / "empty.txt").write_text("")
    (folder / "news" / "binary.txt").write_bytes(bytes(range(256)) * 20)
    (folder / "news" / "broken.pdf").write_bytes(b"%PDF-1.7\nnot really")
    code, out, _ = run("index", "news", "missing", "--json")
    report = json.loads(out)
    assert code == 1
    assert sorted(report["indexed"]) == ["news/oslo.txt", "news/storm.md"]
    failed = {failure["source"] for failure in report["failed"]}
    assert failed == {"missing", "news/binary.txt", "news/broken.pdf", "news/empty.txt"}
    code, out, _ = run("index", "news")
    assert code == 1
    assert "failed  news/empty.txt: " in out


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["ask", "Who?"], 1, "There is no index"),
        (["index", "missing"], 2, "no file or folder"),
        (["ask", ""], 2, "question is empty"),
        (["ask", "x" * 100_000], 2, "100,000 characters"),
        (["nonsense"], 2, "No such command"),
        (["search", "x", "--mode", "magic"], 2, "no mode"),
        (["search", "x", "--meta", "oops"], 2, "KEY=VALUE"),
        (["ask", "Who?", "--after", "yesterday"], 2, "after"),
        (["index", "news", "--chunk-tokens", "64", "--overlap", "60"], 2, "overlap"),
    ],
)
def test_wrong_usage(run, folder, arguments, code, message):
    if (
        arguments[0] == "search"
        or "--after" in arguments
        or arguments[1:] in ([""], ["x" * 100_000])
    ):
        run("index", "news")
    found, _, err = run(*arguments)
    assert (found, message in err) == (code, True), err


def test_nothing_is_created_where_there_is_no_index(run, tmp_path):
    run("ask", "Who?", "--index", "nowhere")
    assert not (tmp_path / "nowhere").exists()


def test_a_second_writer(run, folder):
    run("index", "news")
    with EmbeddedIndex.open(folder / ".dateline") as index, index.writing():
        (folder / "news" / "new.txt").write_text("Something new happened.")
        code, _, err = run("index", "news")
    assert code == 1
    assert "Another process is writing" in err
    assert run("index", "news", "--json")[0] == 0


def test_help_has_examples(run):
    code, out, _ = run("--help")
    assert code == 0
    for command in ("index", "remove", "status", "search", "ask", "chat", "serve", "demo", "eval"):
        assert command in out
    for command in ("index", "ask", "search"):
        assert "Example: dateline" in run(command, "--help")[1]


def test_a_port_in_use(run, folder):
    run("index", "news")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        code, _, err = run("serve", "--port", taken.getsockname()[1])
    assert code == 2
    assert "Cannot listen" in err


def dateline(folder, *arguments, **options):
    return subprocess.run(
        [sys.executable, "-m", "qa.cli", *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        capture_output=True,
        encoding="utf-8",
        timeout=120,
        check=False,
        **options,
    )


def test_chat_reads_questions_until_the_end(folder):
    dateline(folder, "index", "news")
    lines = "Who did Anna Berg meet?\n\n/sources\n?!\n/reset\n/sources\n/help\n/quit\nWho?\n"
    done = dateline(folder, "chat", input=lines)
    assert done.returncode == 0
    assert done.stdout.startswith("Tomas Lind [1]")
    assert "The question is empty" in done.stdout
    assert "No sources yet" in done.stdout
    assert "/sources" in done.stdout
    assert done.stderr == ""


def test_ctrl_c_stops_and_loses_nothing(folder):
    lines = (
        json.dumps({"id": n, "text": f"Report {n}. " + f"The harbour was quiet on day {n}. " * 40})
        for n in range(3000)
    )
    (folder / "reports.jsonl").write_text("\n".join(lines), encoding="utf-8")
    command = [sys.executable, "-m", "qa.cli", "index", "reports.jsonl"]
    # What runs in the background of a shell has Ctrl-C ignored, and so would the worker.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    with subprocess.Popen(
        command,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    ) as worker:
        signal.signal(signal.SIGINT, before)
        for _ in range(600):
            time.sleep(0.1)
            done = dateline(folder, "status", "--json")
            if done.returncode == 0 and json.loads(done.stdout)["documents"]:
                break
        worker.send_signal(signal.SIGINT)
        out, err = worker.communicate(timeout=60)
    assert worker.returncode == 130, (out, err)
    assert "Stopped." in err
    assert "Traceback" not in err
    left = json.loads(dateline(folder, "status", "--json").stdout)
    assert 0 < left["documents"] < 3000
    hits = json.loads(dateline(folder, "search", "harbour", "--json").stdout)["hits"]
    assert hits


def test_control_characters_of_documents_do_not_reach_the_terminal(run, folder):
    (folder / "news" / "evil.txt").write_text(
        "Evil \x1b]0;title\x07 text\n\nEve Hill \x1b[2J met Moe."
    )
    run("index", "news")
    for arguments in (
        ["ask", "Who did Eve Hill meet?"],
        ["search", "evil"],
        ["status", "--documents"],
    ):
        assert "\x1b" not in run(*arguments)[1]


def test_nothing_is_reported_to_anybody(folder):
    home = folder / "home"
    home.mkdir()
    code = (
        "import sys, qa.cli\n"
        "sys.argv = ['dateline', 'ask', 'Who did Anna Berg meet?']\n"
        "try: qa.cli.main()\n"
        "finally: sys.stderr.write(str(sys.modules.get('openvino_telemetry')))"
    )
    dateline(folder, "index", "news")
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), "HOME": str(home)}
        | {"DATELINE_CACHE": str(cache_folder())},
        capture_output=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )
    assert done.stderr == "None"
    assert not (home / "intel").exists()


def test_the_version(run):
    assert run("--version")[1].startswith("dateline 0.")


def test_a_question_imports_nothing_heavy(folder):
    dateline(folder, "index", "news")
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "qa.cli", "ask", "Who did Anna Berg meet?"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        capture_output=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )
    assert done.returncode == 0
    imported = {line.rsplit("|", 1)[-1].strip().split(".")[0] for line in done.stderr.splitlines()}
    heavy = {"torch", "sentence_transformers", "transformers", "spacy", "onnx", "trafilatura"}
    assert "openvino" in imported or "onnxruntime" in imported
    assert not imported & heavy
    assert not imported & {"docx", "pypdfium2", "fastapi", "uvicorn", "ir_measures"}
