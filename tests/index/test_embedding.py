"""The exported model gives the vectors of sentence-transformers, and is exported once."""

import os
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from index.embedding import DEFAULT_EMBEDDER, OnnxEmbedder, find_model, load_embedder
from index.errors import EmbedderError, UsageError
from index.inference import ENGINES

ROOT = Path(__file__).parents[2]
SHORT = [
    "",
    " ",
    "?",
    "Kim",
    "Who met Putin?",
    "When did they previously meet?",
    "NASA, ESA & JAXA (2023) – 3.14 %",
    "don't  stop\tor\nbreak",
    "Kim Jong Un met Vladimir Putin at the Vostochny Cosmodrome on September 13, 2023.",
    "The ferry sank in the harbour during the storm. Nobody was hurt.",
    "Le président a déclaré à l’Élysée que les négociations étaient « terminées ».",
    "Der Außenminister sagte, die Gespräche würden fortgeführt.",
    "El presidente llegó a España según informó el ministerio.",
    "Президент России встретился с лидером КНДР на космодроме Восточный.",
    "金正恩和普京在东方航天发射场会晤。",
    "김정은 위원장은 러시아 대통령과 만났다.",
    "金正恩総書記はプーチン大統領と会談した。",
    "التقى كيم جونغ أون بالرئيس الروسي.",
    "הם נפגשו במרכז החלל.",
    "किम जोंग उन रूसी राष्ट्रपति से मिले।",
    "คิม จองอึน พบกับปูติน",
    "🙂🚀 launch 🎉",
    "e\u0301 and é, ﬁ and fi, Ⅷ",
    "zero\0byte and a lone \udce9 surrogate",
    "[CLS] [SEP] [MASK] [PAD] ##ing",
    "a" * 300,
    "https://example.org/2023/09/13/story.html?id=42#top",
    "x = {'key': [1, 2, 3]}  # code",
]
LONG = [
    " ".join(f"{word} {number} {text}" for number in range(repeat))
    for word, text, repeat in (
        ("Chapter", "The committee heard evidence on the ferry disaster.", 8),
        ("Item", "Prices rose by two per cent in the third quarter.", 20),
        ("Lot", "The delegation left Vladivostok by train on Sunday.", 21),
        ("Row", "Ministers agreed to postpone the vote until May.", 22),
        ("Page", "Die Verhandlungen wurden ohne Ergebnis vertagt.", 30),
        ("Seite", "Переговоры завершились без результата.", 30),
        ("Note", "金正恩和普京会晤。", 40),
        ("Line", "word " * 50, 4),
        ("Part", "word " * 50, 5),
        ("Verse", "Unpronounceable antidisestablishmentarianism!", 100),
        ("Act", "no punctuation at all just going on and on", 300),
        ("Table", "12.5 | 13.7 | n/a", 60),
    )
]
PASSAGES = SHORT + LONG


@pytest.fixture(scope="session")
def reference():
    """The model itself, and its vectors of the passages."""
    os.environ["HF_HUB_OFFLINE"] = "1"
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(str(find_model(DEFAULT_EMBEDDER)), device="cpu")
    clean = [text.encode("utf-8", "replace").decode() for text in PASSAGES]
    return model, clean, model.encode(clean, normalize_embeddings=True, batch_size=8)


@pytest.fixture(scope="session")
def embedder():
    return load_embedder()


@pytest.mark.parametrize("engine", ENGINES)
def test_vectors_are_those_of_sentence_transformers(reference, monkeypatch, engine):
    monkeypatch.setenv("DATELINE_ENGINE", engine)
    embedder = load_embedder()
    told = []
    vectors = embedder.embed(PASSAGES, told.append)
    assert embedder.engine.name == engine
    assert (vectors.dtype, vectors.shape) == (np.float32, (len(PASSAGES), embedder.dimension))
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    cosines = np.einsum("ij,ij->i", vectors, reference[2])
    assert cosines.min() >= 0.999, PASSAGES[cosines.argmin()][:80]
    assert sum(told) == len(PASSAGES)
    queries = np.stack([embedder.embed_query(text) for text in SHORT])
    assert np.einsum("ij,ij->i", queries, reference[2][: len(SHORT)]).min() >= 0.999


def test_tokens_are_counted_as_the_model_does(reference, embedder):
    model, clean, _ = reference
    expected = model.tokenizer(clean, add_special_tokens=False, truncation=False, verbose=False)
    assert embedder.count_tokens(PASSAGES) == [len(ids) for ids in expected["input_ids"]]
    assert embedder.max_tokens == model.max_seq_length
    assert sum(count > embedder.max_tokens for count in embedder.count_tokens(PASSAGES)) >= 6
    assert embedder.count_tokens([]) == []


def test_long_texts_are_cut_before_the_closing_token(embedder):
    class Engine:
        name = "recorder"
        seen = ()

        def run(self, inputs):
            self.seen += (inputs,)
            return [np.ones((len(inputs["input_ids"]), embedder.dimension), np.float32)]

    recorded = OnnxEmbedder(embedder._folder)
    recorded._engine = Engine()
    recorded.embed(["word " * 1000, "word"])
    for inputs in recorded._engine.seen:
        for ids, mask in zip(inputs["input_ids"], inputs["attention_mask"], strict=True):
            tokens = ids[: mask.sum()].tolist()
            assert mask.tolist() == [1] * len(tokens) + [0] * (len(mask) - len(tokens))
            assert len(tokens) in (3, embedder.max_tokens)
            first, *words, last = map(recorded._tokenizer.id_to_token, tokens)
            assert (first, set(words), last) == ("[CLS]", {"word"}, "[SEP]")


def test_nothing_to_embed(embedder):
    assert embedder.embed([]).shape == (0, embedder.dimension)


def test_a_vector_does_not_depend_on_its_company(embedder):
    together = embedder.embed(PASSAGES)
    alone = np.concatenate([embedder.embed([text]) for text in PASSAGES])
    assert np.einsum("ij,ij->i", together, alone).min() >= 0.9995


def test_threads_get_the_vectors_that_one_gets(embedder):
    serial = [embedder.embed_query(text) for text in SHORT]
    found, together = {}, threading.Barrier(4)

    def work(thread):
        together.wait()
        order = SHORT[thread:] + SHORT[:thread]
        found[thread] = {text: embedder.embed_query(text) for text in order * 3}

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4
    for vectors in found.values():
        for text, expected in zip(SHORT, serial, strict=True):
            np.testing.assert_allclose(vectors[text], expected, atol=1e-6)


# finding and exporting; the export itself is replaced by a copy, which is quick


@pytest.fixture
def model(tmp_path, monkeypatch):
    """A folder that could be a model, and an empty cache."""
    monkeypatch.setenv("DATELINE_CACHE", str(tmp_path / "cache"))
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "model.safetensors").write_bytes(b"weights")
    (folder / "config.json").write_text("{}")
    return folder


@pytest.fixture
def exports(embedder, monkeypatch):
    """The exports that were made."""
    made = []

    def export(source, folder):
        made.append(source)
        time.sleep(0.05)
        for file in embedder._folder.iterdir():
            shutil.copy(file, folder)

    monkeypatch.setattr("index.export.export_embedder", export)
    return made


def cached(folder):
    return sorted(path.name for path in (folder.parent / "cache" / "embedders").iterdir())


def test_a_model_is_exported_once(model, exports):
    together, loaded = threading.Barrier(5), []

    def load():
        together.wait()
        loaded.append(load_embedder(str(model)))

    threads = [threading.Thread(target=load) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({embedder.fingerprint for embedder in loaded}) == 1
    assert load_embedder(str(model)).count_tokens(["two words"]) == [2]
    assert exports == [str(model)]


def test_a_changed_model_is_another_one(model, exports):
    seen = {load_embedder(str(model)).fingerprint}
    for file, content in (("model.safetensors", b"others"), ("config.json", b'{"pool": "cls"}')):
        (model / file).write_bytes(content)
        seen.add(load_embedder(str(model)).fingerprint)
    assert len(seen) == len(exports) == 3


def test_an_export_with_a_missing_file_is_made_again(model, exports):
    folder = load_embedder(str(model))._folder
    for name in ("model.onnx", "tokenizer.json", "embedder.json"):
        (folder / name).unlink()
        load_embedder(str(model))
        assert (folder / name).exists()
    assert len(exports) == 4


def test_a_failed_export_leaves_nothing(model, exports, monkeypatch):
    def fail(source, folder):
        (folder / "model.onnx").write_bytes(b"half")
        raise OSError("No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("index.export.export_embedder", fail)
        with pytest.raises(OSError, match="No space"):
            load_embedder(str(model))
    assert all(name.endswith(".lock") for name in cached(model))
    assert load_embedder(str(model)).count_tokens(["word"]) == [1]


KILLED_WHILE_EXPORTING = """
import os, sys
sys.path.insert(0, sys.argv[2])
import index.export
def export(source, folder):
    (folder / "model.onnx").write_bytes(b"half")
    (folder / "embedder.json").write_text("{")
    os._exit(9)
index.export.export_embedder = export
from index.embedding import load_embedder
load_embedder(sys.argv[1])
"""


def test_a_killed_export_is_not_mistaken_for_a_whole_one(model, exports):
    command = [sys.executable, "-c", KILLED_WHILE_EXPORTING, model, ROOT]
    assert subprocess.run(command, check=False, capture_output=True).returncode == 9
    left = cached(model)
    assert load_embedder(str(model)).count_tokens(["word"]) == [1]
    assert len(exports) == 1
    assert len(left) == len(cached(model)) == 2  # the lock, and the folder under its real name
    assert not any(name.endswith(".tmp") for name in cached(model))


def test_an_unknown_model(tmp_path):
    for name in ("all-MiniLM-L7", str(tmp_path / "none")):
        with pytest.raises(EmbedderError, match="no embedding model") as caught:
            load_embedder(name)
        assert DEFAULT_EMBEDDER in caught.value.next_step


def test_a_folder_that_holds_no_model(model):
    with pytest.raises(EmbedderError, match="cannot be loaded") as caught:
        load_embedder(str(model))
    assert "sentence-transformers model folder" in caught.value.next_step
    assert all(name.endswith(".lock") for name in cached(model))


@pytest.mark.parametrize("engine", ENGINES)
def test_a_damaged_export_says_what_to_do(model, exports, monkeypatch, engine):
    monkeypatch.setenv("DATELINE_ENGINE", engine)
    damaged = load_embedder(str(model))
    onnx = damaged._folder / "model.onnx"
    onnx.write_bytes(onnx.read_bytes()[: onnx.stat().st_size // 2])
    with pytest.raises(EmbedderError, match="cannot be run") as caught:
        damaged.embed_query("word")
    assert "Delete that folder" in caught.value.next_step


def test_an_unknown_engine(model, exports, monkeypatch):
    monkeypatch.setenv("DATELINE_ENGINE", "abacus")
    with pytest.raises(UsageError, match="abacus"):
        load_embedder(str(model)).embed_query("word")
