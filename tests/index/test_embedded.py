"""EmbeddedIndex: what goes in is found, what goes out is gone, and nothing drifts."""

import random
import threading
from datetime import date

import numpy as np
import pytest
from support import HashEmbedder, make_document

from index import EmbeddedIndex, Filters, IndexSettings
from index.caches import DENSE, LEXICAL
from index.errors import (
    EmbedderError,
    IndexDamagedError,
    IndexLockedError,
    IndexNotFoundError,
    UsageError,
)

TEXTS = {
    "a.txt": "Kim met Putin at the cosmodrome. They spoke for hours about satellites.",
    "b.txt": "The ferry sank in the harbour during the storm. Nobody was hurt.",
    "c.txt": "Elections are planned for May. The ferry company supports the mayor.",
}


def sources(hits):
    return [hit.document.source for hit in hits]


@pytest.fixture
def filled(index):
    index.add(
        make_document(
            source, text, published=f"2023-0{number}-15", desk="news" if number > 1 else "x"
        )
        for number, (source, text) in enumerate(TEXTS.items(), 1)
    )
    return index


def test_hits_are_verbatim(filled):
    for mode in ("hybrid", "dense", "bm25"):
        hits = filled.search("ferry in the harbour storm", mode=mode)
        assert sources(hits)[0] == "b.txt"
        for hit in hits:
            document = filled.get(hit.chunk.document_id)
            assert document.text[hit.chunk.start : hit.chunk.end] == hit.chunk.text


def test_an_update_replaces_and_a_removal_removes(filled):
    report = filled.add([make_document("b.txt", "Volcano erupts.")])
    assert report.updated == ["b.txt"]
    assert sources(filled.search("harbour storm", mode="bm25")) == []
    assert sources(filled.search("volcano", mode="bm25")) == ["b.txt"]
    assert filled.remove(["b.txt"]) == ["b.txt"]
    assert sources(filled.search("volcano", mode="bm25")) == []
    assert filled.get(make_document("b.txt", "").id) is None
    assert filled.remove(["b.txt"]) == []


def test_unchanged_documents_are_not_embedded_again(filled):
    before = filled.stats().generation
    report = filled.add([make_document("a.txt", TEXTS["a.txt"], published="2023-01-15", desk="x")])
    assert (report.unchanged, report.passages) == (["a.txt"], 0)
    assert filled.stats().generation == before


def test_a_folder_and_the_records_of_a_file_are_removed_together(index):
    names = ["news/a.txt", "news/b.jsonl#1", "news/b.jsonl#2", "newsroom.txt", "n%s.txt"]
    index.add(make_document(name, f"Text of {name}.") for name in names)
    assert index.remove(["news/b.jsonl"]) == ["news/b.jsonl#1", "news/b.jsonl#2"]
    assert index.remove(["news/"]) == ["news/a.txt"]
    assert index.remove(["n_s.txt"]) == []
    assert sorted(d.source for d in index.documents()) == ["n%s.txt", "newsroom.txt"]


def test_filters(filled):
    def found(**filters):
        return sorted(sources(filled.search("the ferry they met", filters=Filters(**filters))))

    assert found() == ["a.txt", "b.txt", "c.txt"]
    assert found(after=date(2023, 2, 15)) == ["b.txt", "c.txt"]
    assert found(before=date(2023, 2, 14)) == ["a.txt"]
    assert found(source="[ab].*") == ["a.txt", "b.txt"]
    assert found(metadata={"desk": "news"}, before=date(2023, 2, 28)) == ["b.txt"]
    assert found(metadata={'no"such': 1}) == []


def test_exact_duplicates_are_noticed_and_found_once(filled):
    report = filled.add([make_document("copy.txt", TEXTS["b.txt"])])
    assert [(d.source, d.same_as) for d in report.duplicates] == [("copy.txt", "b.txt")]
    assert len(filled.search("harbour storm", mode="bm25")) == 1
    filled.remove(["b.txt"])
    assert sources(filled.search("harbour storm", mode="bm25")) == ["copy.txt"]


def test_any_string_survives(index):
    text = "NUL \0 and a lone surrogate \ud800 and 🙂. " * 200
    index.add([make_document("odd.txt", text, title="odd \ud800")])
    assert index.get(make_document("odd.txt", "").id).text == text
    for hit in index.search("lone surrogate"):
        assert text[hit.chunk.start : hit.chunk.end] == hit.chunk.text


def test_another_process_sees_changes_without_reopening(filled, embedder):
    with EmbeddedIndex.open(filled.path, create=False, embedder=embedder) as reader:
        assert sources(reader.search("volcano", mode="bm25")) == []
        filled.add([make_document("d.txt", "A volcano erupts.")])
        assert sources(reader.search("volcano", mode="bm25")) == ["d.txt"]
        filled.remove(["d.txt"])
        assert sources(reader.search("volcano", mode="bm25")) == []


def test_a_second_writer_is_kept_out_with_a_clear_message(filled, embedder):
    with (
        EmbeddedIndex.open(filled.path, embedder=embedder) as other,
        filled._writing(),
        pytest.raises(IndexLockedError, match=r"Another process is writing.*process \d+"),
    ):
        other.add([make_document("d.txt", "text")])
    assert other is not filled
    with EmbeddedIndex.open(filled.path, embedder=embedder) as other:
        assert other.add([make_document("d.txt", "text")]).indexed == ["d.txt"]


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


def test_the_index_equals_a_fresh_one_after_any_history(tmp_path, embedder):
    """Whatever was added, updated and removed, search is that of a fresh index of what is left."""
    dice = random.Random(5)
    words = "ferry storm mayor volcano treaty harbour bridge vote comet glacier".split()
    kept = {}
    index = EmbeddedIndex.open(tmp_path / "old", embedder=embedder)
    for step in range(60):
        name = f"{dice.randrange(12)}.txt"
        if dice.random() < 0.35:
            index.remove([name])
            kept.pop(name, None)
        else:
            kept[name] = " ".join(dice.choices(words, k=dice.randrange(3, 300)))
            index.add([make_document(name, kept[name])])
        if step % 17 == 0:
            index.close()
            index = EmbeddedIndex.open(tmp_path / "old", create=False, embedder=embedder)
    with EmbeddedIndex.open(tmp_path / "new", embedder=embedder) as fresh:
        fresh.add(make_document(name, text) for name, text in sorted(kept.items()))
        for query in ("ferry storm", "glacier", "mayor vote treaty"):
            for mode in ("bm25", "dense", "hybrid"):
                results = [
                    sorted(
                        (-round(h.score, 5), h.document.source, h.chunk.start)
                        for h in which.search(query, 50, mode=mode)
                    )
                    for which in (index, fresh)
                ]
                assert results[0] == results[1]
    index.close()


def test_settings_are_fixed_but_for_the_search(filled, embedder):
    with EmbeddedIndex.open(
        filled.path, settings=IndexSettings(fusion="rrf"), embedder=embedder
    ) as again:
        assert sources(again.search("harbour storm"))[0] == "b.txt"
    with pytest.raises(UsageError, match="other settings"):
        EmbeddedIndex.open(filled.path, settings=IndexSettings(chunk_tokens=64))
    with pytest.raises(UsageError, match="no fusion"):
        IndexSettings(fusion="magic")
    with pytest.raises(UsageError, match="no mode"):
        filled.search("x", mode="magic")


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


def test_empty_index_and_empty_query(index):
    assert index.search("anything") == []
    assert index.search("   ") == []
    assert index.stats().documents == 0


def test_vectors_keep_their_precision(filled, embedder):
    (hit,) = filled.search(TEXTS["b.txt"], 1, mode="dense")
    vector = embedder.embed([f"b.txt – February 15, 2023\n{TEXTS['b.txt']}"])[0]
    assert hit.scores["dense"] == pytest.approx(
        float(vector @ embedder.embed_query(TEXTS["b.txt"])), abs=2e-3
    )
    assert np.isfinite(hit.score)
