"""One indexing run: what it reports, how far it says it is, what it makes of odd files."""

import json
import os
import shutil

import pytest
from support import make_document, sources_of

from index import EmbeddedIndex

STORY = "The ferry left the harbour at noon. "


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "docs").mkdir()
    return tmp_path / "docs"


def write_records(path, count, words=30):
    lines = (json.dumps({"id": n, "text": f"Report {n}. {STORY * words}"}) for n in range(count))
    path.write_text("\n".join(lines))


def progress_of(index, folder):
    told, committed = [], []

    def listen(progress):
        told.append(progress.done)
        committed.append(index.stats().documents)

    report = index.add_files([folder], on_progress=listen)
    total = sum(path.stat().st_size for path in folder.iterdir())
    assert told == sorted(told)
    assert told[-1] == total
    # All bytes count only when all documents are in.
    assert {n for done, n in zip(told, committed, strict=True) if done == total} == {committed[-1]}
    return report, [done / total for done in told if 0 < done < total]


def test_progress_within_one_file_of_records(index, folder):
    write_records(folder / "big.jsonl", 200)
    _, between = progress_of(index, folder)
    assert len(set(between)) > 3
    assert max(between) > 0.9
    with (folder / "big.jsonl").open("a") as file:
        file.write("\n" + json.dumps({"id": "new", "text": "One more."}))
    report, between = progress_of(index, folder)
    assert (len(report.unchanged), report.indexed) == (200, ["docs/big.jsonl#new"])
    assert len(set(between)) > 100


def test_progress_within_one_long_document(index, folder, monkeypatch):
    monkeypatch.setattr("index.ingest.EMBED_SLICE", 64)
    (folder / "long.txt").write_text(STORY * 5000)
    _, between = progress_of(index, folder)
    assert len(set(between)) > 5


def test_progress_over_files_that_fail_or_are_small(index, folder):
    (folder / "a.txt").write_text("A. " + STORY)
    (folder / "b.txt").write_bytes(bytes(range(256)))
    (folder / "c.jsonl").write_text("not json\n" * 10)
    write_records(folder / "d.jsonl", 10)
    report, _ = progress_of(index, folder)
    assert len(report.failed) == 2


def test_duplicates_are_told_one_way(index, folder):
    for name in "abc":
        (folder / f"{name}.txt").write_text(STORY)
    expected = [("docs/b.txt", "docs/a.txt"), ("docs/c.txt", "docs/a.txt")]
    assert index.add_files([folder]).duplicates == expected
    # The same text under new titles: all three were there before.
    again = index.add(make_document(f"docs/{n}.txt", STORY, title="New") for n in "abc")
    pairs = {frozenset(pair) for pair in again.duplicates}
    assert len(pairs) == len(again.duplicates) == 2


def test_records_that_replace_their_likes_are_no_duplicates(index, folder):
    (folder / "a.jsonl").write_text(json.dumps({"id": 1, "text": STORY}))
    index.add_files([folder])
    (folder / "a.jsonl").write_text(json.dumps({"id": 2, "text": STORY}))
    report = index.add_files([folder])
    assert (report.indexed, report.duplicates) == (["docs/a.jsonl#2"], [])
    assert sources_of(index) == ["docs/a.jsonl#2"]


def test_unchanged_lists_documents(index, folder):
    write_records(folder / "a.jsonl", 3, words=1)
    (folder / "b.txt").write_text(STORY)
    indexed = index.add_files([folder]).indexed
    assert len(indexed) == 4
    assert index.add_files([folder]).unchanged == indexed  # the files as a whole
    with (folder / "a.jsonl").open("a") as file:
        file.write("\n")
    assert index.add_files([folder]).unchanged == indexed  # record by record


def test_a_file_emptied_later_says_that_its_text_stays(index, folder):
    (folder / "a.txt").write_text(STORY)
    (folder / "b.txt").write_text("")
    index.add_files([folder])
    (folder / "a.txt").write_text("")
    reasons = [failure.reason for failure in index.add_files([folder]).failed]
    assert ["stays there until it is removed" in reason for reason in reasons] == [True, False]
    assert sources_of(index) == ["docs/a.txt"]


def test_a_moved_project_keeps_its_documents(tmp_path, embedder):
    old, new = tmp_path / "old", tmp_path / "new"
    (old / "docs").mkdir(parents=True)
    (old / "docs" / "a.txt").write_text(STORY)
    write_records(old / "docs" / "b.jsonl", 3, words=1)

    def run(project):
        with EmbeddedIndex.open(project / ".dateline", embedder=embedder) as index:
            return index.add_files([project / "docs"], prune=True)

    indexed = run(old).indexed
    for project in (new, old, new):
        shutil.move(old if project == new else new, project)
        report = run(project)
        assert (report.unchanged, report.passages, report.removed) == (indexed, 0, [])
    (new / "docs" / "a.txt").unlink()
    assert run(new).removed == ["docs/a.txt"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes here")
def test_pipes_devices_and_loops_fail_alone(index, folder):
    (folder / "a.txt").write_text(STORY)
    os.mkfifo(folder / "b.txt")
    (folder / "c.txt").symlink_to("/dev/zero")
    (folder / "d.txt").symlink_to("d.txt")
    (folder / "e.txt").symlink_to("gone.txt")
    report = index.add_files([folder])
    assert report.indexed == ["docs/a.txt"]
    reasons = " ".join(failure.reason for failure in report.failed)
    assert reasons.count("is not a regular file") == 2
    assert "cannot be read: Too many levels of symbolic links" in reasons
    assert "cannot be read: No such file" in reasons


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may read everything")
def test_what_may_not_be_read_says_so(index, folder):
    (folder / "a.txt").write_text(STORY)
    (folder / "sub").mkdir()
    for path in folder.iterdir():
        path.chmod(0)
    reasons = [failure.reason for failure in index.add_files([folder]).failed]
    (folder / "sub").chmod(0o700)
    assert len(reasons) == 2
    assert all("cannot be read: Permission denied" in reason for reason in reasons)


def test_a_bad_record_is_named_every_time(tmp_path, index):
    path = tmp_path / "wire.jsonl"
    path.write_text('{"id": 1, "text": "The ferry sank."}\nnot JSON\n')
    first, second = index.add_files([path]), index.add_files([path])
    assert first.indexed == second.unchanged == ["wire.jsonl#1"]
    assert first.failed == second.failed != []
