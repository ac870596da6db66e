"""The catalog: all or nothing, a log that never lies, whatever is killed."""

import gc
import os
import shutil
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from support import make_document, put_chunks, sources_of

from index import Document
from index.catalog import CATALOG, Catalog
from index.errors import IndexDamagedError, IndexNotFoundError, UsageError


@pytest.fixture
def catalog(tmp_path):
    opened = Catalog(tmp_path / "index", create=True)
    yield opened
    opened.close()


def state(catalog):
    """Everything a transaction could leave half done."""
    tables = ("meta", "documents", "chunks", "removals", "files")
    return {name: catalog._db.execute(f"SELECT * FROM {name}").fetchall() for name in tables}


# transactions


def test_a_failed_transaction_leaves_nothing(catalog):
    put_chunks(catalog, "a.txt")
    before = state(catalog)
    with pytest.raises(KeyboardInterrupt), catalog.transaction():
        put_chunks(catalog, "b.txt")
        catalog.delete([make_document("a.txt", "").id])
        catalog.set_file("/x", "hash")
        catalog.set("embedder", "other")
        with catalog.transaction():  # joins the outer one
            put_chunks(catalog, "c.txt")
        raise KeyboardInterrupt
    assert state(catalog) == before
    put_chunks(catalog, "d.txt")
    assert sources_of(catalog) == ["a.txt", "d.txt"]


def test_a_document_that_cannot_be_stored_leaves_nothing(catalog):
    put_chunks(catalog, "a.txt")
    before = state(catalog)
    with pytest.raises(TypeError):
        put_chunks(catalog, "a.txt", "new", odd=object())
    with pytest.raises(UsageError, match="Two documents"):
        catalog.put(Document(id="x", source="a.txt", title="", text=""), [])
    assert state(catalog) == before


class FailingCommit:
    """A connection that cannot commit."""

    def __init__(self, connection):
        self.connection = connection

    def commit(self):
        raise sqlite3.OperationalError("database or disk is full")

    def __getattr__(self, name):
        return getattr(self.connection, name)


def test_a_commit_that_fails_does_not_swallow_what_comes_after(catalog, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(catalog._local.holder, "connection", FailingCommit(catalog._db))
        with pytest.raises(sqlite3.OperationalError, match="full"):
            put_chunks(catalog, "a.txt")
    put_chunks(catalog, "b.txt")
    other = Catalog(catalog.path.parent)
    assert sources_of(other) == ["b.txt"]
    other.close()


def test_a_full_disk(catalog):
    pages = catalog._db.execute("PRAGMA page_count").fetchone()[0]
    catalog._db.execute(f"PRAGMA max_page_count = {pages + 2}")
    before = state(catalog)
    with pytest.raises(sqlite3.OperationalError, match="full"), catalog.transaction():
        for number in range(50):
            put_chunks(catalog, f"{number}.txt", f"{number}" * 1000)
    assert state(catalog) == before


# ids, generations and the log


def test_chunk_ids_are_never_used_again(catalog):
    seen = set()
    for round_ in range(4):
        put_chunks(catalog, "a.txt", f"Text {round_}.")
        ids = {chunk.id for chunk in catalog.changes(0).added}
        assert len(ids) == 2
        assert not ids & seen
        seen |= ids
        if round_ % 2:
            catalog.delete([make_document("a.txt", "").id])
            catalog.forget_removals(catalog.generation)
        catalog = Catalog(catalog.path.parent)


def test_every_change_raises_the_generation(catalog):
    seen = [catalog.generation]
    for change in (
        lambda: put_chunks(catalog, "a.txt"),
        lambda: put_chunks(catalog, "a.txt", "new"),
        lambda: put_chunks(catalog, "empty.txt", "", chunks=0),
        lambda: catalog.delete([make_document("empty.txt", "").id]),
        lambda: catalog.delete([make_document("a.txt", "").id]),
    ):
        change()
        seen.append(catalog.generation)
    assert seen == sorted(set(seen))
    assert catalog.delete(["unknown"]) == 0
    assert catalog.generation == seen[-1]


def follow(catalog, since, have):
    """The chunk ids of a cache that catches up from generation `since`, where it had `have`."""
    changes = catalog.changes(since)
    if changes is None:
        changes, have = catalog.changes(0), set()
    return changes.generation, (have - set(changes.removed)) | {c.id for c in changes.added}


def test_changes_since_any_generation(catalog):
    history = {}
    for number in range(12):
        put_chunks(catalog, f"{number % 5}.txt", f"Text {number}.", chunks=number % 4)
        if number % 3 == 2:
            catalog.delete([make_document(f"{number % 4}.txt", "").id])
        history[catalog.generation] = {chunk.id for chunk in catalog.changes(0).added}
    now, truth = max(history.items())
    for forgotten in (0, *history):
        catalog.forget_removals(forgotten)
        for since, have in history.items():
            assert (catalog.changes(since) is None) == (since < forgotten)
            assert follow(catalog, since, have) == (now, truth)
    catalog.forget_removals(1)  # the log does not grow back
    assert catalog.changes(2) is None


@pytest.mark.parametrize("moment", range(6))
def test_changes_while_another_process_removes_and_forgets(catalog, moment):
    """The writer strikes before the reader's n-th statement."""
    for name in ("a.txt", "b.txt", "c.txt"):
        put_chunks(catalog, name)
    since, have = follow(catalog, 0, set())
    put_chunks(catalog, "d.txt")
    writer, statements = Catalog(catalog.path.parent), []

    def strike(statement):
        statements.append(statement)
        if len(statements) == moment + 1:
            writer.delete([make_document("a.txt", "").id])
            put_chunks(writer, "b.txt", "Another text.")
            writer.forget_removals(writer.generation)

    catalog._db.set_trace_callback(strike)
    since, have = follow(catalog, since, have)
    catalog._db.set_trace_callback(None)
    assert len(statements) >= 4
    assert follow(catalog, since, have) == follow(writer, 0, set())
    writer.close()


# connections, processes, kills


def test_threads_have_connections_of_their_own_and_give_them_back(catalog):
    put_chunks(catalog, "a.txt")
    found = []
    for _ in range(30):
        thread = threading.Thread(target=lambda: found.append((catalog._db, sources_of(catalog))))
        thread.start()
        thread.join()
    assert len({id(connection) for connection, _ in found}) == 30
    assert all(names == ["a.txt"] for _, names in found)
    found.clear()
    gc.collect()
    assert len(catalog._holders) == 1


def test_many_read_while_one_writes(catalog):
    """A transaction is seen whole or not at all."""
    done, failures = threading.Event(), []

    def read():
        reader = Catalog(catalog.path.parent)
        try:
            while not done.is_set():
                names = sources_of(reader)
                assert len(names) % 2 == 0
                held = reader.chunks([c.id for c in reader.changes(0).added])
                assert {stored.text_hash for stored in held.values()} <= {text_hash}
        except Exception as error:
            failures.append(error)
        finally:
            reader.close()

    text_hash = make_document("", "Some text.").text_hash
    threads = [threading.Thread(target=read) for _ in range(4)]
    for thread in threads:
        thread.start()
    for number in range(40):
        with catalog.transaction():
            put_chunks(catalog, f"{number}-left.txt")
            put_chunks(catalog, f"{number}-right.txt")
        if number % 3 == 0:
            sides = (f"{number}-left.txt", f"{number}-right.txt")
            catalog.delete(make_document(name, "").id for name in sides)
    done.set()
    for thread in threads:
        thread.join()
    assert not failures


def test_processes_that_create_it_at_once_share_it(tmp_path):
    together, found = threading.Barrier(6), []

    def create():
        together.wait()
        opened = Catalog(tmp_path / "index", create=True)
        found.append(opened.get("id"))
        opened.close()

    threads = [threading.Thread(target=create) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 6
    assert len(set(found)) == 1


def killed_copy(catalog, folder):
    """The files as they are at this moment, as a kill would leave them."""
    folder.mkdir()
    for name in (CATALOG, f"{CATALOG}-wal"):
        shutil.copy(catalog.path.with_name(name), folder / name)
    return folder


def test_a_log_cut_off_anywhere_loses_whole_transactions_only(catalog, tmp_path):
    catalog._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    for number in range(6):
        put_chunks(catalog, f"{number}.txt", "x" * 3000, chunks=3)
    with pytest.raises(InterruptedError), catalog.transaction():
        catalog._db.execute("PRAGMA cache_size = 1")  # so that it spills into the log
        for number in range(6, 20):
            put_chunks(catalog, f"{number}.txt", os.urandom(3000).hex(), chunks=3)
        killed = killed_copy(catalog, tmp_path / "killed")
        raise InterruptedError
    log = killed / f"{CATALOG}-wal"
    whole, seen = log.read_bytes(), set()
    assert whole.count(b"x" * 1000) > 0
    pristine = (killed / CATALOG).read_bytes()
    for length in (*range(0, len(whole), 1 + len(whole) // 40), len(whole)):
        log.write_bytes(whole[:length])
        (killed / CATALOG).write_bytes(pristine)
        (killed / f"{CATALOG}-shm").unlink(missing_ok=True)
        reopened = Catalog(killed)
        names = sources_of(reopened)
        assert names == [f"{number}.txt" for number in range(len(names))]
        assert len(names) <= 6
        assert reopened.counts()["chunks"] == 3 * len(names)
        assert reopened.generation == len(names)
        assert reopened._db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        put_chunks(reopened, "next.txt")
        seen.add(len(names))
        reopened.close()
        log.unlink(missing_ok=True)
    assert seen == set(range(7))


def test_a_log_of_garbage_is_ignored(catalog, tmp_path):
    put_chunks(catalog, "a.txt")
    catalog._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    killed = killed_copy(catalog, tmp_path / "killed")
    (killed / f"{CATALOG}-wal").write_bytes(os.urandom(20_000))
    reopened = Catalog(killed)
    assert sources_of(reopened) == ["a.txt"]
    reopened.close()


KILLED_WHILE_CREATING = """
import os, sys
sys.path.insert(0, sys.argv[2])
from index.catalog import Catalog
Catalog.set = lambda self, key, value: os._exit(9)
from pathlib import Path
Catalog(Path(sys.argv[1]), create=True)
"""


def test_killed_while_creating(tmp_path):
    root = Path(__file__).parents[2]
    command = [sys.executable, "-c", KILLED_WHILE_CREATING, tmp_path / "index", root]
    assert subprocess.run(command, check=False).returncode == 9
    reopened = Catalog(tmp_path / "index", create=True)
    put_chunks(reopened, "a.txt")
    assert sources_of(reopened) == ["a.txt"]
    reopened.close()


def test_what_is_no_catalog(tmp_path):
    with pytest.raises(IndexNotFoundError):
        Catalog(tmp_path / "none")
    (tmp_path / CATALOG).write_bytes(b"SQLite format 3\0" + bytes(5000))
    with pytest.raises(IndexDamagedError, match="cannot be read"):
        Catalog(tmp_path)
    (tmp_path / CATALOG).unlink()
    sqlite3.connect(tmp_path / CATALOG).execute("CREATE TABLE other (x)")
    with pytest.raises(IndexDamagedError):
        Catalog(tmp_path)
    (tmp_path / CATALOG).unlink()
    future = Catalog(tmp_path, create=True)
    future.set("format", 99)
    future.close()
    with pytest.raises(IndexDamagedError, match="format 99"):
        Catalog(tmp_path)
