"""EmbeddedIndex's own: caches that repair themselves, one writer, many readers, files.

What every index must do is in `index_conformance.py`.
"""

import errno
import os
import threading
from pathlib import Path

import numpy as np
import pytest
from index_conformance import TEXTS, sources
from rank_bm25 import BM25Okapi
from support import HashEmbedder, make_document

from index import Analyzer, EmbeddedIndex, IndexSettings, cachefile
from index.caches import DENSE, LEXICAL
from index.errors import (
    EmbedderError,
    IndexDamagedError,
    IndexLockedError,
    IndexNotFoundError,
    UsageError,
)
from index.lexical import LexicalIndex


@pytest.fixture
def filled(index):
    index.add(make_document(*item) for item in TEXTS.items())
    return index


def test_another_process_sees_changes_without_reopening(filled, embedder):
    with EmbeddedIndex.open(filled.path, create=False, embedder=embedder) as reader:
        assert sources(reader.search("volcano", mode="bm25")) == []
        filled.add([make_document("d.txt", "A volcano erupts.")])
        assert sources(reader.search("volcano", mode="bm25")) == ["d.txt"]
        filled.remove(["d.txt"])
        assert sources(reader.search("volcano", mode="bm25")) == []


def test_a_reader_that_was_left_behind_takes_the_writers_files(filled, embedder, monkeypatch):
    """The log of removals reaches back to the saved files only; rebuilding would take minutes."""
    with EmbeddedIndex.open(filled.path, create=False, embedder=embedder) as reader:
        reader.search("ferry")
        filled.add([make_document("d.txt", "A volcano erupts near the ferry.")])
        filled.remove(["b.txt"])
        monkeypatch.setattr(LexicalIndex, "add", None)  # whoever rebuilds fails
        assert sources(reader.search("ferry volcano", mode="bm25")) == ["d.txt", "c.txt"]


def test_a_full_disk_costs_the_cache_files_only(filled, embedder, caplog, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "replace", full)
        assert filled.add([make_document("d.txt", "A volcano erupts.")]).indexed == ["d.txt"]
        filled.remove(["b.txt"])
    assert "lexical.cache cannot be saved: No space left on device." in caplog.text
    expected = [(h.chunk, h.score) for h in filled.search("ferry storm volcano")]
    with EmbeddedIndex.open(filled.path, create=False, embedder=embedder) as again:
        assert [(h.chunk, h.score) for h in again.search("ferry storm volcano")] == expected


def test_a_reader_does_not_save_over_newer_files(filled, embedder, monkeypatch):
    """A writer comes and goes between a reader's catching up and its getting the lock."""
    for name in (LEXICAL, DENSE):
        (filled.path / name).unlink()
    reader = EmbeddedIndex.open(filled.path, create=False, embedder=embedder)
    acquire = reader._writer.acquire

    def late():
        monkeypatch.setattr(reader._writer, "acquire", acquire)
        filled.remove(["b.txt"])
        return acquire()

    monkeypatch.setattr(reader._writer, "acquire", late)
    reader.search("ferry")
    reader.close()
    for name in (LEXICAL, DENSE):
        stamp, _ = cachefile.read(filled.path / name)
        assert stamp["generation"] == filled.stats().generation


def test_files_whose_names_are_not_text(tmp_path, index):
    """Names are bytes on Linux; an index from Latin-1 days must not stop the run."""
    folder = tmp_path / "docs"
    folder.mkdir()
    path = folder / os.fsdecode(b"caf\xe9.txt")
    try:
        path.write_text("The ferry sank.")
    except OSError:
        pytest.skip("this file system takes UTF-8 names only")
    name = r"docs/caf\udce9.txt"
    assert index.add_files([folder]).indexed == [name]
    assert sources(index.search("ferry")) == [name]
    assert index.add_files([folder], prune=True).unchanged == [name]
    path.write_text("The ferry floats.")
    assert index.add_files([folder]).updated == [name]
    assert index.remove([str(path)]) == [name]
    index.add_files([folder])
    path.unlink()
    assert index.add_files([folder], prune=True).removed == [name]


def test_stats_while_a_writers_temporary_file_goes(filled):
    (filled.path / "gone.tmp").symlink_to("nowhere")  # listed, but no longer there
    assert filled.stats().documents == 3


def test_a_second_writer_is_kept_out_with_a_clear_message(filled, embedder):
    with (
        EmbeddedIndex.open(filled.path, embedder=embedder) as other,
        filled.writing(),
        pytest.raises(IndexLockedError, match=r"Another process is writing.*process \d+"),
    ):
        other.add([make_document("d.txt", "text")])
    assert other is not filled
    with EmbeddedIndex.open(filled.path, embedder=embedder) as other:
        assert other.add([make_document("d.txt", "text")]).indexed == ["d.txt"]


def test_several_changes_are_one_writers(filled, embedder):
    with EmbeddedIndex.open(filled.path, embedder=embedder) as other, filled.writing():
        filled.add([make_document("d.txt", "A volcano erupts.")])
        with pytest.raises(IndexLockedError):  # the first of them has not let go of the lock
            other.remove(["a.txt"])
        assert filled.remove(["a.txt"]) == ["a.txt"]
        assert sources(filled.search("volcano", mode="bm25")) == ["d.txt"]
    for name in (LEXICAL, DENSE):
        stamp, _ = cachefile.read(filled.path / name)
        assert stamp["generation"] == filled.stats().generation


def test_another_thread_is_another_writer(filled):
    caught = []

    def write():
        try:
            filled.remove(["a.txt"])
        except IndexLockedError as error:
            caught.append(error)

    with filled.writing():
        thread = threading.Thread(target=write)
        thread.start()
        thread.join()
    assert caught
    assert filled.remove(["a.txt"]) == ["a.txt"]


def test_sources_are_relative_to_the_base(index, tmp_path):
    folder = tmp_path / "far" / "away"
    folder.mkdir(parents=True)
    (folder / "a.txt").write_text("The ferry sank.")
    assert index.add_files([folder / "a.txt"], base=folder.parent).indexed == ["away/a.txt"]
    assert index.add_files([folder / "a.txt"], base=folder.parent).unchanged == ["away/a.txt"]


def test_rereading_brings_back_a_removed_record(index, tmp_path):
    path = tmp_path / "wire.jsonl"
    path.write_text('{"text": "One ferry."}\n{"text": "Two ferries."}\n')
    index.add_files(path)
    index.remove(["wire.jsonl#2"])
    assert index.add_files(path).unchanged == ["wire.jsonl#1"]
    report = index.add_files(path, reread=True)
    assert (report.unchanged, report.indexed) == (["wire.jsonl#1"], ["wire.jsonl#2"])


def test_files_are_read_by_the_given_loader(index, tmp_path):
    (tmp_path / "a.txt").write_text("The ferry sank.")
    asked = []

    def load(path, source, fields, on_error):
        asked.append((path.name, source))
        return iter([make_document(source, "A volcano erupts.")])

    assert index.add_files(tmp_path / "a.txt", load=load).indexed == ["a.txt"]
    assert asked == [("a.txt", "a.txt")]
    assert sources(index.search("volcano", mode="bm25")) == ["a.txt"]


def test_whoever_watches_may_end_a_run(index, tmp_path):
    """What is committed by then stays, and the next run goes on from there."""
    for number in range(40):
        (tmp_path / f"{number:02}.txt").write_text(f"Ferry {number}. " * 400)

    def tell(progress):
        if progress.done > progress.total * 0.6:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        index.add_files(sorted(tmp_path.glob("*.txt")), on_progress=tell)
    kept = index.stats().documents
    assert 0 < kept < 40
    report = index.add_files(sorted(tmp_path.glob("*.txt")))
    assert (len(report.unchanged), len(report.indexed)) == (kept, 40 - kept)


def test_a_long_document_can_be_stopped_before_it_is_embedded(index):
    document = make_document("a.txt", "The ferry sank. " * 5000)
    told = []

    def tell(progress):
        told.append(progress)
        if len(told) == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        index.add([document], tell)
    assert {progress.passages for progress in told} == {0}
    assert index.stats().documents == 0


def test_folders_in_the_index_folder_are_no_files_of_it(filled):
    (filled.path / "uploads").mkdir()
    assert "uploads" not in filled.stats().bytes


def test_searching_while_writing_from_threads(filled, embedder):
    failures = []

    def search():
        try:
            for _ in range(30):
                for hit in filled.search("ferry volcano"):
                    document = filled.get(hit.chunk.document_id)
                    assert document is None or hit.chunk.text in document.text
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=search) for _ in range(4)]
    for thread in threads:
        thread.start()
    for number in range(15):
        filled.add([make_document(f"v{number}.txt", f"Volcano {number} erupts.")])
        filled.remove([f"v{number - 3}.txt"])
    for thread in threads:
        thread.join()
    assert not failures


def damage_nothing(path):
    path.unlink()


def damage_truncate(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def damage_flip(path):
    raw = bytearray(path.read_bytes())
    raw[-5] ^= 0xFF
    path.write_bytes(raw)


def damage_garbage(path):
    path.write_bytes(b"not a cache at all")


@pytest.mark.parametrize("name", [LEXICAL, DENSE])
@pytest.mark.parametrize("damage", [damage_nothing, damage_truncate, damage_flip, damage_garbage])
def test_damaged_caches_are_rebuilt_with_one_log_line(filled, embedder, caplog, name, damage):
    expected = [(h.chunk, h.score) for h in filled.search("ferry storm")]
    filled.close()
    damage(filled.path / name)
    with EmbeddedIndex.open(filled.path, create=False, embedder=embedder) as again:
        assert [(h.chunk, h.score) for h in again.search("ferry storm")] == expected
    assert len([r for r in caplog.records if r.name == "dateline.index"]) == 1
    caplog.clear()
    with EmbeddedIndex.open(filled.path, create=False, embedder=embedder) as again:
        assert [(h.chunk, h.score) for h in again.search("ferry storm")] == expected
    assert not caplog.records


def test_a_cache_of_an_older_generation_catches_up(filled, embedder, caplog):
    old = {name: (filled.path / name).read_bytes() for name in (LEXICAL, DENSE)}
    filled.add([make_document("d.txt", "A volcano erupts near the ferry.")])
    filled.remove(["b.txt"])
    expected = [(h.chunk, round(h.score, 9)) for h in filled.search("ferry storm volcano")]
    filled.close()
    for name, raw in old.items():
        (filled.path / name).write_bytes(raw)
    with EmbeddedIndex.open(filled.path, create=False, embedder=embedder) as again:
        found = [(h.chunk, round(h.score, 9)) for h in again.search("ferry storm volcano")]
    assert found == expected


def test_a_cache_of_another_index_is_not_used(filled, embedder, tmp_path):
    with EmbeddedIndex.open(tmp_path / "other", embedder=embedder) as other:
        other.add([make_document("x.txt", "Something about penguins entirely.")])
    for name in (LEXICAL, DENSE):
        (filled.path / name).write_bytes((other.path / name).read_bytes())
    with EmbeddedIndex.open(filled.path, create=False, embedder=embedder) as again:
        assert sources(again.search("penguins", mode="bm25")) == []
        assert sources(again.search("ferry storm", mode="bm25"))[0] == "b.txt"


def test_settings_are_fixed_but_for_the_search(filled, embedder):
    with EmbeddedIndex.open(
        filled.path, settings=IndexSettings(fusion="rrf"), embedder=embedder
    ) as again:
        assert sources(again.search("harbour storm"))[0] == "b.txt"
    with pytest.raises(UsageError, match="other settings"):
        EmbeddedIndex.open(filled.path, settings=IndexSettings(chunk_tokens=64))
    with pytest.raises(UsageError, match="no fusion"):
        IndexSettings(fusion="magic")


def test_bm25s_parameters_count_for_the_search_alone(index, embedder):
    texts = {f"{n}.txt": f"Report {n} says nothing." for n in range(8)}
    texts["once.txt"] = "A storm came."
    texts["often.txt"] = "A storm, a storm, and one more storm, told by all who were there."
    index.add(make_document(*item) for item in texts.items())
    analyzer = Analyzer()

    def expected(**parameters):
        terms = [analyzer(f"{name}\n{text}") for name, text in texts.items()]
        values = BM25Okapi(terms, **parameters).get_scores(analyzer("storm"))
        return {name: score for name, score in zip(texts, values, strict=True) if score > 0}

    def found(index):
        hits = index.search("storm", mode="bm25")
        return {hit.document.source: hit.scores["bm25"] for hit in hits}

    assert found(index) == pytest.approx(expected())
    assert expected() != pytest.approx(expected(k1=0.9, b=0.4))
    settings = IndexSettings(k1=0.9, b=0.4)
    with EmbeddedIndex.open(index.path, settings=settings, embedder=embedder) as other:
        assert found(other) == pytest.approx(expected(k1=0.9, b=0.4))
        other.remove(["0.txt"])  # saves its file
        other.add([make_document("0.txt", texts["0.txt"])])
    with EmbeddedIndex.open(index.path, embedder=embedder) as again:
        assert found(again) == pytest.approx(expected())


@pytest.mark.parametrize("wrong", [{"k1": -1}, {"k1": float("inf")}, {"b": 1.5}, {"b": -0.1}])
def test_bm25s_parameters_have_bounds(wrong):
    with pytest.raises(UsageError, match="k1"):
        IndexSettings(**wrong)


def test_another_embedder_is_refused(filled):
    stranger = HashEmbedder()
    stranger.fingerprint = "hash-2"
    with (
        EmbeddedIndex.open(filled.path, embedder=stranger) as again,
        pytest.raises(EmbedderError, match="another version"),
    ):
        again.search("ferry")


def test_missing_and_damaged_indexes(tmp_path, embedder):
    with pytest.raises(IndexNotFoundError, match="dateline index"):
        EmbeddedIndex.open(tmp_path / "none", create=False)
    assert not (tmp_path / "none").exists()
    (tmp_path / "file").write_text("x")
    with pytest.raises(UsageError, match="not an index folder"):
        EmbeddedIndex.open(tmp_path / "file")
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "catalog.sqlite3").write_bytes(b"garbage" * 1000)
    with pytest.raises(IndexDamagedError, match="cannot be read"):
        EmbeddedIndex.open(tmp_path / "bad", create=False)


def test_vectors_keep_their_precision(filled, embedder):
    (hit,) = filled.search(TEXTS["b.txt"], 1, mode="dense")
    vector = embedder.embed([f"b.txt\n{TEXTS['b.txt']}"])[0]
    assert hit.scores["dense"] == pytest.approx(
        float(vector @ embedder.embed_query(TEXTS["b.txt"])), abs=2e-3
    )
    assert np.isfinite(hit.score)


def test_a_catalog_restored_from_a_backup_is_not_mixed_with_newer_caches(filled, embedder):
    filled.close()
    backup = (filled.path / "catalog.sqlite3").read_bytes()
    with EmbeddedIndex.open(filled.path, embedder=embedder) as index:
        index.add(make_document(f"new{n}.txt", f"Penguins number {n}.") for n in range(5))
    (filled.path / "catalog.sqlite3").write_bytes(backup)
    with EmbeddedIndex.open(filled.path, embedder=embedder) as index:
        index.add(make_document(f"other{n}.txt", f"Glaciers number {n}.") for n in range(5))
        assert sources(index.search("penguins", mode="bm25")) == []
        assert len(index.search("glaciers", mode="bm25")) == 5


def test_prune_after_the_project_was_moved(tmp_path, embedder):
    old, new = tmp_path / "old", tmp_path / "new"
    (old / "news").mkdir(parents=True)
    (old / "news" / "a.txt").write_text("The ferry sank.")
    (old / "news" / "b.txt").write_text("The mayor left.")
    with EmbeddedIndex.open(old / ".dateline", embedder=embedder) as index:
        index.add_files([old / "news"])
    old.rename(new)
    (new / "news" / "b.txt").unlink()
    with EmbeddedIndex.open(new / ".dateline", embedder=embedder) as index:
        report = index.add_files([new / "news"], prune=True)
        assert report.removed == ["news/b.txt"]
        assert [d.source for d in index.documents()] == ["news/a.txt"]


def test_a_single_path_or_source_may_be_given_alone(tmp_path, index):
    (tmp_path / "a.txt").write_text("The ferry sank.")
    assert index.add_files(str(tmp_path / "a.txt")).indexed == ["a.txt"]
    assert index.remove("a.txt") == ["a.txt"]


def test_the_records_of_a_file_are_not_those_of_another(tmp_path, index):
    (tmp_path / "a.jsonl").write_text('{"id": 1, "text": "The ferry sank."}\n')
    (tmp_path / "a.jsonl#b.txt").write_text("The mayor left.")
    index.add_files([tmp_path / "a.jsonl", tmp_path / "a.jsonl#b.txt"])
    assert index.remove(["a.jsonl"]) == ["a.jsonl#1"]
    assert index.remove(["/"]) == []


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="needs /proc")
def test_threads_that_come_and_go_leave_no_connection_open(filled):
    def open_files():
        return len(list(Path("/proc/self/fd").iterdir()))

    filled.search("ferry")
    before = open_files()
    for _ in range(20):
        threads = [threading.Thread(target=filled.search, args=("ferry",)) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert open_files() <= before + 12  # a few may still be on their way
