"""`dateline sessions`, and the conversations that `chat` and `ask` hold."""

import io
import json
import sys

import pytest
from stub_assistant import StubAssistant

from index import EmbeddedIndex, SessionInfo
from index.errors import IndexAccessError
from qa import assistant as real
from qa import chat, cli

WHO = "Who did Anna Berg meet?"


@pytest.fixture
def run(monkeypatch, capsys, tmp_path, embedder):
    """Run `dateline ARGS` over a stub that answers; gives exit code, output, error output."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(real, "Assistant", StubAssistant)
    EmbeddedIndex.open(".dateline", embedder=embedder).close()

    def call(*arguments, stdin=""):
        monkeypatch.setattr(sys, "argv", ["dateline", *map(str, arguments)])
        monkeypatch.setattr(sys, "stdin", io.StringIO(stdin))
        code = 0
        try:
            cli.main()
        except SystemExit as stop:
            code = stop.code or 0
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return call


def listed(run):
    return [SessionInfo(**row) for row in json.loads(run("sessions", "list", "--json")[1])]


def shown(run, session):
    return json.loads(run("sessions", "show", session, "--json")[1])


# asking


def test_questions_of_a_script_are_a_conversation(run):
    assert run("ask", WHO, "--session", "trip")[0] == 0
    code, out, _ = run("ask", "When did he leave?", "--session", "trip")
    assert (code, out.splitlines()[0]) == (0, "understood as: When did Tomas Lind leave?")
    _, out, _ = run("ask", "When did he leave?", "--session", "trip", "--raw")
    assert "understood as" not in out
    turns = shown(run, "trip")["turns"]
    assert [turn["number"] for turn in turns] == [1, 2, 3]
    assert [turn["resolved_question"] for turn in turns] == [
        WHO,
        "When did Tomas Lind leave?",
        "When did he leave?",
    ]


def test_a_question_alone_is_kept_nowhere(run):
    assert run("ask", WHO)[0] == 0
    assert listed(run) == []


def test_a_session_of_an_odd_name_is_refused(run):
    for command in (["ask", WHO], ["chat"]):
        code, _, err = run(*command, "--session", "my trip")
        assert (code, "cannot be the id of a session" in err) == (2, True)


# the commands


def test_listing_and_showing(run):
    code, out, _ = run("sessions", "list")
    assert (code, "No conversations yet" in out) == (0, True)
    run("ask", WHO, "--session", "first")
    run("ask", "Who won the Cup?", "--session", "second")
    assert [(info.id, info.turns) for info in listed(run)] == [("second", 1), ("first", 1)]
    code, out, _ = run("sessions", "list")
    assert [line.split()[:2] for line in out.splitlines()[1:]] == [["second", "1"], ["first", "1"]]
    code, out, _ = run("sessions", "show", "first")
    assert code == 0
    assert f"1. {WHO}\nTomas Lind [1]  80% sure\n" in out
    assert "[1] Leaders meet – 2024-03-04 – news/oslo.txt" in out
    assert "The documents do not say." in run("sessions", "show", "second")[1]


def test_export(run, tmp_path):
    run("ask", WHO, "--session", "trip")
    code, out, _ = run("sessions", "export", "trip")
    assert code == 0
    assert out.startswith("# Session trip\n")
    assert "- **Tomas Lind** [1], 80% sure\n" in out
    code, out, _ = run("sessions", "export", "trip", "--format", "json")
    assert json.loads(out) == shown(run, "trip")
    for form in ("markdown", "json"):
        out = run("sessions", "export", "trip", "--format", form)[1]
        code, nothing, _ = run("sessions", "export", "trip", "--format", form, "--out", "a.txt")
        assert (code, nothing) == (0, "")
        assert (tmp_path / "a.txt").read_text(encoding="utf-8") == out
    assert run("sessions", "export", "trip", "--out", tmp_path / "none" / "a.txt")[0] == 1


def test_delete(run):
    for name in ("a", "b", "c"):
        run("ask", WHO, "--session", name)
    assert run("sessions", "delete", "a")[:2] == (0, "Deleted 1 session.\n")
    code, out, err = run("sessions", "delete", "a", "b", "d")
    assert (code, out) == (1, "Deleted 1 session.\n")
    assert "There is no session 'a', 'd'." in err
    assert [info.id for info in listed(run)] == ["c"]


def test_expire(run):
    run("ask", WHO, "--session", "trip")
    assert run("sessions", "expire", "--days", "1")[:2] == (0, "Deleted 0 sessions.\n")
    assert run("sessions", "expire", "--days", "0")[:2] == (0, "Deleted 1 session.\n")
    for wrong in (["--days", "-1"], ["--days", "1e9"], []):
        assert run("sessions", "expire", *wrong)[0] == 2


@pytest.mark.parametrize("command", ["show", "export", "delete"])
def test_unknown_sessions(run, command):
    code, _, err = run("sessions", command, "none")
    assert code == 1
    assert "There is no session 'none'" in err
    assert "dateline sessions list" in err


def test_help_has_examples(run):
    assert "sessions" in run("--help")[1]
    for command in ("list", "show", "export", "delete", "expire"):
        assert "Example: dateline sessions" in run("sessions", command, "--help")[1]


def test_control_characters_of_questions_do_not_reach_the_terminal(run):
    run("ask", "Who is \x1b[2J Moe?", "--session", "trip")
    for arguments in (["sessions", "show", "trip"], ["chat", "--session", "trip"]):
        code, out, _ = run(*arguments)
        assert (code, "Moe" in out, "\x1b" in out) == (0, True, False)


# chat


def test_a_chat_is_kept_and_gone_on_with(run):
    code, out, _ = run("chat", stdin=f"{WHO}\nWhen did he leave?\n/history\n/quit\nWho?\n")
    assert code == 0
    (info,) = listed(run)
    assert info.turns == 2
    assert "understood as: When did Tomas Lind leave?" in out
    assert f"1. {WHO}\n    Tomas Lind\n2. When did he leave?\n" in out
    assert out.endswith(f"dateline chat --session {info.id}\n")

    code, out, _ = run("chat", "--session", info.id, stdin="/sources\nWhy did he stay?\n")
    assert out.startswith(f"1. {WHO}\n    Tomas Lind\n2. ")
    assert "Leaders meet – news/oslo.txt" in out  # the sources of the answer before
    assert "understood as: Why did Tomas Lind stay?" in out
    assert [(i.id, i.turns) for i in listed(run)] == [(info.id, 3)]


def test_only_the_last_turns_are_shown_on_going_on(run):
    for n in range(1, 6):
        run("ask", f"Who is number {n}?", "--session", "trip")
    out = run("chat", "--session", "trip")[1]
    assert [line[0] for line in out.splitlines() if "number" in line] == ["3", "4", "5"]


def test_a_named_chat_begins(run):
    code, out, _ = run("chat", "--session", "trip", stdin=f"/history\n/sources\n{WHO}\n")
    assert code == 0
    assert out.startswith("No history yet")
    assert "No sources yet" in out
    assert len(shown(run, "trip")["turns"]) == 1


def test_a_chat_without_a_question_is_no_session(run):
    code, out, _ = run("chat", stdin="/history\n/help\n/raw\n")
    assert code == 0
    assert out.count("/raw QUESTION") == 2
    assert "--session" not in out
    assert listed(run) == []


def test_a_raw_question_does_without_the_history(run):
    _, out, _ = run("chat", "--session", "a", stdin=f"{WHO}\n/raw When did he leave?\n")
    assert "understood as" not in out
    assert shown(run, "a")["turns"][1]["question"] == "When did he leave?"


def test_a_reset_begins_a_new_session(run):
    _, out, _ = run("chat", stdin=f"{WHO}\n/reset\n/sources\nWhen did he leave?\n")
    assert "A fresh start." in out
    assert "No sources yet" in out
    assert "understood as" not in out
    sessions = listed(run)
    assert [info.turns for info in sessions] == [1, 1]
    for info in sessions:
        assert f"dateline chat --session {info.id}\n" in out


def test_a_session_deleted_meanwhile_is_an_error_and_no_crash(run, monkeypatch):
    lines = iter([WHO, "/delete", WHO, "/history", "/reset", WHO])

    def read():
        line = next(lines, None)
        if line == "/delete":
            with EmbeddedIndex.open(".dateline") as index:
                (info,) = index.sessions.list()
                index.sessions.delete(info.id)
            return ""
        return line

    monkeypatch.setattr(chat, "_read_line", read)
    code, out, _ = run("chat")
    assert (code, out.count("There is no session"), out.count("80% sure")) == (0, 2, 2)


def test_where_nothing_can_be_kept_one_may_still_ask(run, monkeypatch):
    def refuse(*_):
        raise IndexAccessError("It cannot be written to.")

    monkeypatch.setattr("qa.sessions.Sessions.create", refuse)
    code, out, _ = run("chat", stdin=f"{WHO}\n{WHO}\n/history\n")
    assert (code, out.count("Tomas Lind [1]"), out.count("is not kept")) == (0, 2, 1)
    assert "--session" not in out
    assert run("chat", "--session", "trip")[0] == 1


# with the models


def test_a_conversation_over_real_documents(run, monkeypatch, tmp_path):
    monkeypatch.undo()
    monkeypatch.chdir(tmp_path)
    (tmp_path / "oslo.txt").write_text(
        "Leaders meet in Oslo\n\nOSLO, March 4, 2024 (AP) – Anna Berg met Tomas Lind on Monday. "
        "They discussed the fishing treaty.\n",
        encoding="utf-8",
    )
    run("index", "oslo.txt", "--index", "real")
    common = "--index", "real", "--session", "trip"
    assert run("ask", WHO, *common)[1].startswith("Tomas Lind [1]")
    assert run("ask", "Where did Anna Berg meet Tomas Lind?", *common, "--raw")[0] in (0, 1)
    record = json.loads(run("sessions", "show", "trip", "--json", "--index", "real")[1])
    assert [turn["question"] for turn in record["turns"]] == [
        WHO,
        "Where did Anna Berg meet Tomas Lind?",
    ]
    assert record["turns"][0]["answer"]["answers"][0]["text"] == "Tomas Lind"
    (first, *_) = record["turns"][0]["passages"]
    assert set(first) == {"document_id", "start", "end"}
