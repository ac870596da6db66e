"""API keys: made, kept hashed, revoked, expired; and what the command line says of them."""

import json
import multiprocessing
import os
import stat
import sys
from datetime import UTC, datetime, timedelta

import pytest

from index import EmbeddedIndex
from index.errors import IndexAccessError, IndexDamagedError, UsageError
from qa import cli
from qa.service import keys as keys_module
from qa.service.keys import KeyStore, lifetime_of


@pytest.fixture
def store(tmp_path):
    return KeyStore(tmp_path)


def test_a_key_is_found_again_and_others_are_not(store):
    reader, writer = store.add("reader"), store.add("writer", "write")
    assert reader != writer
    assert len(reader) == 46
    assert (store.find(reader).name, store.find(writer).name) == ("reader", "writer")
    assert store.find(reader).may("read")
    assert not store.find(reader).may("write")
    assert store.find(writer).may("read")
    assert store.find(writer).may("write")
    for wrong in ("", "dl_", reader[:-1], reader + "x", reader.upper(), "\ud800", "é" * 40):
        assert store.find(wrong) is None


def test_the_file_has_no_key_in_it_and_is_for_the_owner_alone(store):
    key = store.add("reader")
    content = store.path.read_text()
    assert key not in content
    assert key.removeprefix("dl_") not in content
    assert stat.S_IMODE(store.path.stat().st_mode) == 0o600
    assert key not in repr(store.all())


def test_two_indexes_hash_differently(tmp_path, monkeypatch):
    monkeypatch.setattr(keys_module.secrets, "token_urlsafe", lambda _: "same")
    digests = set()
    for name in "ab":
        (tmp_path / name).mkdir()
        store = KeyStore(tmp_path / name)
        store.add("x")
        digests.add(store.all()[0].digest)
    assert len(digests) == 2


def test_what_another_process_changes_counts_at_once(store, tmp_path):
    other = KeyStore(tmp_path)
    key = other.add("reader")
    assert store.find(key)
    assert other.revoke("reader")
    assert store.find(key) is None
    assert not other.revoke("reader")
    store.path.unlink()
    assert store.all() == ()


def test_keys_expire(store, monkeypatch):
    key = store.add("short", lifetime=timedelta(hours=1))
    assert store.find(key)
    assert store.usable
    later = datetime.now(UTC) + timedelta(hours=1, seconds=1)
    monkeypatch.setattr(keys_module, "_now", lambda: keys_module.utc(later))
    assert store.find(key) is None
    assert not store.usable
    assert store.all()[0].expired


def test_the_key_of_the_settings(tmp_path):
    store = KeyStore(tmp_path, "k" * 40)
    assert store.usable
    assert store.find("k" * 40).may("write")
    assert store.find("k" * 39) is None
    store.save_used()
    assert not store.path.exists()
    assert KeyStore(tmp_path).find("k" * 40) is None


def test_when_a_key_was_used_is_written_once_in_a_while(store, tmp_path):
    key = store.add("reader")
    before = store.path.stat().st_mtime_ns
    for _ in range(100):
        store.find(key)
    assert store.path.stat().st_mtime_ns == before
    assert store.all()[0].used is None
    store.save_used()
    assert store.all()[0].used is not None
    stamp = store.path.stat().st_mtime_ns
    store.save_used()  # nothing new
    assert store.path.stat().st_mtime_ns == stamp
    store.find(key)
    KeyStore(tmp_path).revoke("reader")
    store.save_used()  # must not bring it back
    assert store.all() == ()


@pytest.mark.parametrize("name", ["", "a b", "a/b", "é", "x" * 65, "environment", "a\n"])
def test_bad_names(store, name):
    with pytest.raises(UsageError, match="cannot be the name"):
        store.add(name)


def test_a_name_is_taken_once(store):
    store.add("reader")
    with pytest.raises(UsageError, match="There is a key 'reader'"):
        store.add("reader", "write")


@pytest.mark.parametrize(
    "content", ["", "{}", "[]", '{"salt": "a", "keys": [{"name": "x"}]}', "\0"]
)
def test_a_damaged_file_lets_nobody_in(store, content):
    key = store.add("reader")
    store.path.write_text(content)
    for call in (lambda: store.find(key), store.all, lambda: store.add("other")):
        with pytest.raises(IndexDamagedError, match=r"keys.json cannot be understood"):
            call()
    assert store.path.read_text() == content


def test_a_crash_while_writing_leaves_the_old_keys(store, monkeypatch):
    key = store.add("reader")

    def crash(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", crash)
    with pytest.raises(IndexAccessError, match="No space left"):
        store.add("other")
    monkeypatch.undo()
    assert [k.name for k in store.all()] == ["reader"]
    assert store.find(key)
    store.add("other")


def add_many(folder, letter):
    for number in range(10):
        KeyStore(folder).add(f"{letter}{number}")


def test_processes_that_add_at_once_lose_nothing(tmp_path):
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=add_many, args=(tmp_path, letter)) for letter in "abc"]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert len({key.name for key in KeyStore(tmp_path).all()}) == 30


def test_lengths_of_time():
    assert lifetime_of("12h") == timedelta(hours=12)
    assert lifetime_of("90d") == timedelta(days=90)
    assert lifetime_of("52w") == timedelta(weeks=52)
    for wrong in ("", "d", "0d", "-1d", "90", "90 d", "1y", "999999d"):
        with pytest.raises(UsageError, match="not a length of time"):
            lifetime_of(wrong)


@pytest.fixture
def run(monkeypatch, capsys, tmp_path):
    monkeypatch.chdir(tmp_path)
    EmbeddedIndex.open(".dateline").close()

    def call(*arguments):
        monkeypatch.setattr(sys, "argv", ["dateline", "keys", *arguments])
        code = 0
        try:
            cli.main()
        except SystemExit as stop:
            code = stop.code or 0
        return code, *capsys.readouterr()

    return call


def test_the_command_line(run, tmp_path):
    code, out, err = run("add", "reporters", "--expires", "90d")
    key = out.strip()
    assert code == 0
    assert "Authorization: Bearer" in err
    assert key not in err
    assert KeyStore(tmp_path / ".dateline").find(key).name == "reporters"
    code, out, _ = run("add", "uploader", "--scope", "write", "--json")
    assert json.loads(out).keys() == {"name", "scope", "key"}
    code, out, _ = run("list", "--json")
    assert [(k["name"], k["scope"], k["used"]) for k in json.loads(out)] == [
        ("reporters", "read", None),
        ("uploader", "write", None),
    ]
    assert "digest" not in out
    code, out, _ = run("list")
    assert "reporters" in out
    assert "never" in out
    assert key not in out
    code, out, _ = run("revoke", "reporters")
    assert (code, out) == (0, "Revoked 1 key.\n")
    code, _, err = run("revoke", "reporters")
    assert code == 1
    assert "There is no key 'reporters'" in err


def test_wrong_usage(run):
    assert run("list")[1] == "No keys yet: dateline keys add NAME\n"
    assert run("add", "a b")[0] == 2
    assert run("add", "x", "--expires", "soon")[0] == 2
    assert run("add", "x", "--scope", "admin")[0] == 2
    code, _, err = run("list", "--index", "nowhere")
    assert code == 1
    assert "There is no index" in err
