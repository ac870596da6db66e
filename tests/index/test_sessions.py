"""Sessions in the catalog's file: nothing reported is lost, whoever else writes or dies."""

import random
import sqlite3
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from support import make_document

from index import EmbeddedIndex, database
from index.catalog import Catalog
from index.errors import IndexAccessError, IndexLockedError, SessionNotFoundError
from index.sessions import SessionStore, utc

WORKER = Path(__file__).parents[1] / "session_worker.py"


@pytest.fixture
def catalog(tmp_path):
    opened = Catalog(tmp_path / "index", create=True)
    yield opened
    opened.close()


@pytest.fixture
def store(catalog):
    return SessionStore(catalog)


def start_worker(catalog, *arguments):
    command = [sys.executable, str(WORKER), str(catalog.path.parent), *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def numbers(store, session):
    return [turn["number"] for turn in store.turns(session)]


def tables(catalog):
    return {row[0] for row in catalog.rows("SELECT name FROM sqlite_master WHERE type = 'table'")}


# several at once


def test_threads_lose_nothing(store):
    session = store.create()
    told = {name: [] for name in "ab"}

    def talk(name):
        for n in range(50):
            told[name].append(store.append(session, {"by": name, "n": n}))

    threads = [threading.Thread(target=talk, args=name) for name in told]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(told["a"] + told["b"]) == numbers(store, session) == list(range(1, 101))
    for name, found in told.items():
        turns = [turn for turn in store.turns(session) if turn["by"] == name]
        assert [turn["number"] for turn in turns] == found
        assert [turn["n"] for turn in turns] == list(range(50))


def test_processes_lose_nothing(store, catalog):
    session = store.create()
    workers = {name: start_worker(catalog, session, name, 50) for name in "ab"}
    told = {}
    for name, worker in workers.items():
        out, _ = worker.communicate(timeout=60)
        assert worker.returncode == 0
        told[name] = [int(line) for line in out.split()]
    assert sorted(told["a"] + told["b"]) == numbers(store, session) == list(range(1, 101))
    for turn in store.turns(session):
        assert told[turn["by"]][turn["n"]] == turn["number"]


def kill_many(store, catalog, kills, seed):
    session, dice, told = store.create(), random.Random(seed), {}
    for name in map(str, range(kills)):
        worker = start_worker(catalog, session, name)
        lines = [worker.stdout.readline()]  # it has started
        time.sleep(dice.uniform(0, 0.3))
        worker.kill()
        lines += worker.stdout.readlines()
        worker.wait()
        told |= {int(line): name for line in lines if line.endswith("\n")}
        found = {turn["number"]: turn for turn in store.turns(session)}
        assert list(found) == list(range(1, len(found) + 1))
        assert all(found[number]["by"] == by for number, by in told.items())
        assert all(len(turn["text"]) == 2500 for turn in found.values())
        assert len(found) - len(told) <= int(name) + 1  # written, but killed before it was told
    assert store.append(session, {}) == len(found) + 1


def test_a_handful_of_kills(store, catalog):
    kill_many(store, catalog, 5, seed=1)


@pytest.mark.slow
def test_a_hundred_kills(store, catalog):
    kill_many(store, catalog, 120, seed=2)


def test_a_write_waits_for_another_transaction(store, catalog):
    session = store.create()
    held, done = threading.Event(), threading.Event()

    def hold():
        with catalog.transaction():
            held.set()
            done.wait(0.3)

    holder = threading.Thread(target=hold)
    holder.start()
    held.wait()
    started = time.monotonic()
    assert store.append(session, {}) == 1
    assert time.monotonic() - started > 0.2
    holder.join()


def test_a_transaction_without_end_is_explained(tmp_path, catalog, store, monkeypatch):
    session = store.create()
    monkeypatch.setattr(database, "BUSY_SECONDS", 0.1)
    other = SessionStore(Catalog(tmp_path / "index"))
    with catalog.transaction():
        with pytest.raises(IndexLockedError, match="is busy"):
            other.append(session, {})
        assert other.turns(session) == []
    assert other.append(session, {}) == 1


def test_conversations_go_on_beside_a_writer(index, embedder):
    index.add([make_document("a.txt", "Something.")])
    before = index.stats().generation
    with (
        index.writing(),
        EmbeddedIndex.open(index.path, embedder=embedder) as other,
    ):
        session = other.sessions.create()
        assert other.sessions.append(session, {"question": "Who?"}) == 1
    assert index.sessions.turns(session) == [{"question": "Who?", "number": 1}]
    assert index.stats().generation == before


# what is there


def test_an_index_from_before_there_were_sessions(catalog, store):
    assert store.list() == []
    assert not store.delete("any")
    assert store.expire(datetime.now(UTC)) == 0
    for use in (store.turns, store.info, lambda id_: store.append(id_, {})):
        with pytest.raises(SessionNotFoundError, match=r"no session 'any'.*sessions list"):
            use("any")
    assert "sessions" not in tables(catalog)
    assert store.append(store.create("any"), {}) == 1
    assert {"sessions", "turns"} <= tables(catalog)


def test_where_nothing_can_be_written_reading_goes_on(tmp_path, monkeypatch):
    catalog = Catalog(tmp_path / "index", create=True)
    session = SessionStore(catalog).create()
    SessionStore(catalog).append(session, {"question": "Who?"})
    catalog.close()

    def refuse(_):
        error = sqlite3.OperationalError("attempt to write a readonly database")
        error.sqlite_errorcode = sqlite3.SQLITE_READONLY
        raise error

    monkeypatch.setattr(database, "_use_log", refuse)
    catalog = Catalog(tmp_path / "index")
    store = SessionStore(catalog)
    assert store.turns(session) == [{"question": "Who?", "number": 1}]
    assert [info.id for info in store.list()] == [session]
    for write in (
        store.create,
        lambda: store.append(session, {}),
        lambda: store.delete(session),
        lambda: store.expire(datetime.now(UTC) + timedelta(days=1)),
    ):
        with pytest.raises(IndexAccessError, match="cannot be written to"):
            write()
    assert len(store.turns(session)) == 1
    catalog.close()


def test_the_session_used_last_comes_first(catalog, store):
    for name in "abc":
        store.create(name)
    assert [info.id for info in store.list()] == ["c", "b", "a"]
    with catalog.transaction() as connection:
        connection.execute("UPDATE sessions SET used = '2020-01-01T00:00:00.000000Z'")
    store.append("b", {})
    store.create("a")  # again: it is used
    assert [info.id for info in store.list()] == ["a", "b", "c"]
    assert store.info("c").used == "2020-01-01T00:00:00Z" < store.info("c").created


def test_what_was_used_before_a_moment_expires(catalog, store):
    for name in "ab":
        store.append(store.create(name), {})
    with catalog.transaction() as connection:
        connection.execute(
            "UPDATE sessions SET used = '2020-01-01T00:00:00.500000Z' WHERE id = 'a'"
        )
    assert store.expire(datetime(2020, 1, 1, tzinfo=UTC)) == 0
    assert store.expire(datetime(2020, 1, 1, 0, 0, 1, tzinfo=UTC)) == 1
    assert [info.id for info in store.list()] == ["b"]
    assert catalog.rows("SELECT DISTINCT session FROM turns") == [("b",)]


def test_moments_are_told_in_utc():
    east = datetime.fromisoformat("2024-03-05T01:30:09.9+03:00")
    assert utc(east) == "2024-03-04T22:30:09Z"


@pytest.mark.parametrize("record", ["{", "[1]", "null"])
def test_a_damaged_record_hides_no_other(catalog, store, record):
    store.create("a")
    for n in range(3):
        store.append("a", {"n": n})
    with catalog.transaction() as connection:
        connection.execute("UPDATE turns SET record = ? WHERE number = 2", (record,))
    assert store.turns("a") == [{"n": 0, "number": 1}, {"number": 2}, {"n": 2, "number": 3}]


def test_the_first_question_is_the_title(store):
    for id_, first in {
        "none": {},
        "nul": {"question": None},
        "odd": {"question": "\ud800?"},
    }.items():
        store.create(id_)
        store.append(id_, first)
    store.create("two")
    for question in ("Who met?", "Where?"):
        store.append("two", {"question": question})
    store.create("empty")
    titles = {info.id: info.title for info in store.list()}
    assert titles.pop("odd").endswith("?")
    assert titles == {"none": "", "nul": "", "two": "Who met?", "empty": ""}
    assert store.info("two").title == "Who met?"
