"""Finds the spans of passages that answer a question.

An extractive reader in the manner of Devlin et al., "BERT" (2019), section 4.3: start and end
logits for every token, the first token standing for "no answer here". A span's margin, its logits
less those of no answer, is what compares between passages.
"""

from __future__ import annotations

import hashlib
import json
import re
import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from tokenizers import Encoding, Tokenizer

from index.errors import ReaderError
from index.inference import Engine, load_engine, padded_width

SHIPPED = Path(__file__).parent / "models" / "reader"
MAX_TOKENS = 384  # question, passage and special tokens; a longer passage is read in windows
MAX_QUESTION_TOKENS = 96
STRIDE = 96  # tokens that two windows of a long passage share
MAX_ANSWER_TOKENS = 30
BATCH = 8  # rows; more are no faster
NARROWEST = 0.75  # a row shorter than this share of its batch's first starts another batch
BEST_TOKENS = 20  # start and end tokens considered in a window
ALTERNATIVES = 2  # spans of a passage that may overlap one another

Floats = npt.NDArray[np.float64]

# A word or number, from which no part is cut: "Jong-un", "3.5", "13:40"; but not "Russia" + "'s".
_WORD = re.compile(r"[^\W_]+(?:[-‑][^\W_]+|(?<=\d)[.,:]\d+|['’](?![sS]\b)[^\W_]+)*")
_BLANK_LINE = re.compile(r"\n[^\S\n]*\n\s*")
_CJK = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]")  # written without spaces


class ReadSpan(NamedTuple):
    """`passage[start:end]` with its margin over "no answer", in logits."""

    start: int
    end: int
    margin: float


@dataclass(frozen=True, slots=True)
class _Window:
    passage: int
    ids: list[int]
    offsets: list[tuple[int, int]]


class Reader:
    """A span extractor: a folder with model.onnx, tokenizer.json and reader.json.

    The engine is loaded at the first question and the model's SHA-256 is checked then.

    Args:
        engine: runs the same weights instead of the folder's model.onnx, which is then not read.

    Raises:
        ReaderError: a file is missing or damaged.
    """

    def __init__(self, folder: Path = SHIPPED, engine: Engine | None = None) -> None:
        self._folder = folder
        try:
            self.settings: dict[str, Any] = json.loads(
                (folder / "reader.json").read_text(encoding="utf-8")
            )
            self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        except Exception as error:  # tokenizers raises plain Exception
            raise ReaderError(
                f"The reader in {folder} cannot be loaded: {error}.", "Reinstall dateline."
            ) from error
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()
        self._begin: int = self._tokenizer.token_to_id("[CLS]") or 0
        self._separator: int = self._tokenizer.token_to_id("[SEP]") or 0
        self._engine = engine
        self._loading = threading.Lock()

    @property
    def name(self) -> str:
        """Which weights these are: the beginning of their SHA-256."""
        return str(self.settings.get("sha256", ""))[:12]

    @property
    def engine(self) -> Engine:
        """The engine, loaded and checked on first use."""
        with self._loading:
            if self._engine is None:
                model = self._folder / "model.onnx"
                try:
                    digest = hashlib.sha256(model.read_bytes()).hexdigest()
                except OSError as error:
                    raise ReaderError(f"{model} is missing.", "Reinstall dateline.") from error
                if digest != self.settings.get("sha256"):
                    raise ReaderError(f"{model} is damaged.", "Reinstall dateline.")
                self._engine = load_engine(model)
            return self._engine

    def read(self, question: str, passages: Sequence[str], best: int = 5) -> list[list[ReadSpan]]:
        """The best spans of each passage, by falling margin; few of them overlap.

        None crosses a blank line: what stands on both sides of one is two texts.

        Args:
            best: most spans a passage gives.
        """
        windows = self._windows(question, passages)
        spans: list[list[ReadSpan]] = [[] for _ in passages]
        for batch in _batches(windows):
            starts, ends = self._logits(batch)
            for row, window in enumerate(batch):
                width = len(window.ids)
                spans[window.passage] += _spans(
                    starts[row, :width], ends[row, :width], window, passages[window.passage], best
                )
        return [_distinct(sorted(found, key=lambda s: -s.margin), best) for found in spans]

    def _windows(self, question: str, passages: Sequence[str]) -> list[_Window]:
        asked, *read = self._encode([question, *passages])
        head = [self._begin, *asked.ids[:MAX_QUESTION_TOKENS], self._separator]
        room = MAX_TOKENS - len(head) - 1
        windows = []
        for number, encoding in enumerate(read):
            for begin in range(0, max(len(encoding.ids) - STRIDE, 1), room - STRIDE):
                part = slice(begin, begin + room)
                ids = [*head, *encoding.ids[part], self._separator]
                offsets = [(0, 0)] * len(head) + encoding.offsets[part] + [(0, 0)]
                windows.append(_Window(number, ids, offsets))
        return windows

    def _encode(self, texts: Sequence[str]) -> list[Encoding]:
        clean = [text.encode("utf-8", "replace").decode() for text in texts]  # lone surrogates
        return self._tokenizer.encode_batch(clean, add_special_tokens=False)

    def _logits(self, batch: Sequence[_Window]) -> tuple[Floats, Floats]:
        ids = np.zeros((len(batch), padded_width(len(batch[0].ids))), np.int64)
        mask, segments = np.zeros_like(ids), np.zeros_like(ids)
        for row, window in enumerate(batch):
            width = len(window.ids)
            ids[row, :width] = window.ids
            mask[row, :width] = 1
            segments[row, window.ids.index(self._separator) + 1 : width] = 1
        starts, ends = self.engine.run(
            {"input_ids": ids, "attention_mask": mask, "token_type_ids": segments}
        )
        return starts.astype(np.float64), ends.astype(np.float64)


def _batches(windows: list[_Window]) -> list[list[_Window]]:
    """Windows of similar length together, so that little is spent on padding."""
    batches: list[list[_Window]] = []
    for window in sorted(windows, key=lambda w: -len(w.ids)):
        full = not batches or len(batches[-1]) == BATCH
        if full or len(window.ids) < NARROWEST * len(batches[-1][0].ids):
            batches.append([])
        batches[-1].append(window)
    return batches


def _spans(
    start_logits: Floats, end_logits: Floats, window: _Window, text: str, best: int
) -> list[ReadSpan]:
    """The window's best spans that begin and end at words and are not too long."""
    inside = _inside_words(text)
    offsets = np.array(window.offsets)
    readable = offsets[:, 1] > offsets[:, 0]
    can_start = readable & ~inside[offsets[:, 0]]
    can_end = readable & ~inside[offsets[:, 1]]
    begin = _top(np.where(can_start, start_logits, -np.inf))
    finish = _top(np.where(can_end, end_logits, -np.inf))
    length = finish[None, :] - begin[:, None]
    block = _block(text)[offsets[:, 0]]
    allowed = (length >= 0) & (length < MAX_ANSWER_TOKENS)
    allowed &= block[begin][:, None] == block[finish][None, :]
    scores = start_logits[begin][:, None] + end_logits[finish][None, :]
    scores = np.where(allowed, scores, -np.inf)
    none = start_logits[0] + end_logits[0]
    rows, columns = np.unravel_index(np.argsort(-scores, axis=None, kind="stable"), scores.shape)
    spans = (
        ReadSpan(
            int(offsets[begin[row], 0]),
            int(offsets[finish[column], 1]),
            float(scores[row, column] - none),
        )
        for row, column in zip(rows, columns, strict=True)
        if np.isfinite(scores[row, column])
    )
    return _distinct(spans, best)


def _top(logits: Floats) -> npt.NDArray[np.int64]:
    order = np.argsort(-logits, kind="stable")[:BEST_TOKENS]
    return order[np.isfinite(logits[order])]


def _inside_words(text: str) -> npt.NDArray[np.bool_]:
    """For each offset 0..len(text), whether a cut there would break a word."""
    inside = np.zeros(len(text) + 1, np.bool_)
    for match in _WORD.finditer(text):
        if not _CJK.search(match.group()):
            inside[match.start() + 1 : match.end()] = True
    return inside


def _block(text: str) -> npt.NDArray[np.int64]:
    """For each offset 0..len(text), how many blank lines stand before it."""
    block = np.zeros(len(text) + 1, np.int64)
    for match in _BLANK_LINE.finditer(text):
        block[match.end() :] += 1
    return block


def _distinct(spans: Iterable[ReadSpan], most: int) -> list[ReadSpan]:
    """The first so many, but those that are there already or overlap ALTERNATIVES of them."""
    kept: list[ReadSpan] = []
    for span in spans:
        over = [other for other in kept if span.start < other.end and other.start < span.end]
        known = any(span[:2] == other[:2] for other in over)
        if not known and len(over) < ALTERNATIVES:
            kept.append(span)
        if len(kept) == most:
            break
    return kept
