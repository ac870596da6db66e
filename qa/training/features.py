"""From examples to token windows with soft targets, and to batches of similar length."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from tokenizers import Tokenizer

from .examples import Example

MAX_TOKENS = 320  # question, passage and special tokens
MAX_QUESTION_TOKENS = 64
WIDTH_STEP = 32  # batches are so many tokens wide: every new shape costs PyTorch preparation
POOL = 64  # batches whose features are sorted together, so that a batch has little padding
# BERT's special tokens, and what MPNet calls them (its vocabulary has BERT's too, never trained)
SPECIAL = {"[CLS]": "<s>", "[SEP]": "</s>", "[PAD]": "<pad>", "[UNK]": "<unk>"}

Targets = tuple[tuple[int, int], ...]  # first and last token of each answer; ((0, 0),) for none


class Feature(NamedTuple):
    """Token ids of "[CLS] question [SEP] passage [SEP]"; the passage begins at `passage`."""

    ids: list[int]
    passage: int
    targets: Targets


class Batch(NamedTuple):
    """Arrays [rows, tokens]; targets are distributions over tokens, `readable` the passage's."""

    ids: npt.NDArray[np.int64]
    mask: npt.NDArray[np.int64]
    segments: npt.NDArray[np.int64]
    readable: npt.NDArray[np.bool_]
    starts: npt.NDArray[np.float32]
    ends: npt.NDArray[np.float32]


def featurise(
    examples: Sequence[Example], tokenizer: Tokenizer, dice: random.Random
) -> list[Feature]:
    """One feature an example; of a passage too long for one, a window with an answer if any."""
    begin, separator = (special_token(tokenizer, token) for token in ("[CLS]", "[SEP]"))
    asked = tokenizer.encode_batch([e.question for e in examples], add_special_tokens=False)
    read = tokenizer.encode_batch([e.context for e in examples], add_special_tokens=False)
    features = []
    for example, question, passage in zip(examples, asked, read, strict=True):
        head = [begin, *question.ids[:MAX_QUESTION_TOKENS], separator]
        room = MAX_TOKENS - len(head) - 1
        spans = [_tokens(passage.offsets, start, end) for start, end in example.answers]
        first = 0
        if len(passage.ids) > room:
            first = _window(spans, len(passage.ids), room, dice)
        ids = [*head, *passage.ids[first : first + room], separator]
        shift = len(head) - first
        targets = tuple((a + shift, b + shift) for a, b in spans if first <= a <= b < first + room)
        features.append(Feature(ids, len(head), targets or ((0, 0),)))
    return features


def special_token(tokenizer: Tokenizer, name: str) -> int:
    """The id of a special token by BERT's name for it, though the model may have its own name."""
    vocabulary = tokenizer.get_vocab()
    return vocabulary.get(SPECIAL[name], vocabulary[name])


def _tokens(offsets: Sequence[tuple[int, int]], start: int, end: int) -> tuple[int, int]:
    """First and last token that touch the characters [start, end)."""
    touched = [i for i, (a, b) in enumerate(offsets) if a < end and start < b]
    return (touched[0], touched[-1]) if touched else (-1, -1)


def _window(spans: Sequence[tuple[int, int]], tokens: int, room: int, dice: random.Random) -> int:
    if not spans:
        return dice.randint(0, tokens - room)
    a, b = dice.choice(spans)
    low, high = max(0, b - room + 1), min(max(a, 0), tokens - room)
    return dice.randint(min(low, high), max(low, high))


def batches(features: Sequence[Feature], size: int, dice: random.Random) -> Iterator[list[Feature]]:
    """All features once, in random order but for length."""
    order = list(range(len(features)))
    dice.shuffle(order)
    grouped = []
    for at in range(0, len(order), size * POOL):
        pool = sorted(order[at : at + size * POOL], key=lambda i: len(features[i].ids))
        grouped += [pool[i : i + size] for i in range(0, len(pool), size)]
    dice.shuffle(grouped)
    for group in grouped:
        yield [features[i] for i in group]


def collate(features: Sequence[Feature]) -> Batch:
    """Arrays of a batch; every annotator's answer gets an equal share of the target."""
    longest = max(len(feature.ids) for feature in features)
    shape = (len(features), -(-longest // WIDTH_STEP) * WIDTH_STEP)
    ids, mask, segments = (np.zeros(shape, np.int64) for _ in range(3))
    readable = np.zeros(shape, np.bool_)
    starts, ends = np.zeros(shape, np.float32), np.zeros(shape, np.float32)
    for row, feature in enumerate(features):
        width = len(feature.ids)
        ids[row, :width] = feature.ids
        mask[row, :width] = 1
        segments[row, feature.passage : width] = 1
        readable[row, feature.passage : width - 1] = True
        readable[row, 0] = True
        for first, last in feature.targets:
            starts[row, first] += 1 / len(feature.targets)
            ends[row, last] += 1 / len(feature.targets)
    return Batch(ids, mask, segments, readable, starts, ends)
