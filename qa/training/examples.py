"""What the reader is trained on: which sources, how much of each, what is held out.

Every source is a file in one shape, one example a line:
`{"id", "title", "context", "question", "answers": [{"text", "start"}], "is_impossible", ...}`.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import random
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

Answers = tuple[tuple[int, int], ...]

HELD_OUT = 8  # per cent of the articles of every source: for choosing and calibrating
PASSAGE_WORDS = 260  # a longer context is cut to a part about so long, as an index would
NEIGHBOURS = 5  # sentences of the same article that may stand around a QAMR sentence


@dataclass(frozen=True, slots=True)
class Example:
    """One question about one passage; without answers it cannot be answered from it.

    Attributes:
        group: the article, where the source names one; else the passage itself.
        answers: `context[start:end]`, one for each annotator or each of several answers.
    """

    id: str
    source: str
    group: str
    context: str
    question: str
    answers: Answers


class Source(NamedTuple):
    """One file of examples, of which at most `most` are used in an epoch.

    Attributes:
        kind: "sentence" or "passage", by what is read; "core" for passages with short answers such
            as SQuAD's, which the last stage trains on alone.
        licence: as its repository states it.
    """

    name: str
    most: int
    kind: str
    licence: str


SOURCES = (
    Source("qamr_dev", 17_000, "sentence", "MIT"),
    Source("qamr_test", 17_000, "sentence", "MIT"),
    Source("qasrl_bank2_dense_exp_extra", 16_000, "sentence", "MIT"),
    Source("qasrl_bank2_orig_dev", 6_000, "sentence", "MIT"),
    Source("qasrl_bank2_orig_test", 6_000, "sentence", "MIT"),
    Source("qanom", 3_000, "sentence", "MIT"),
    Source("squadshifts_new_wiki", 8_000, "core", "CC BY 4.0"),
    Source("squadshifts_reddit", 10_000, "core", "CC BY 4.0"),
    Source("squadshifts_amazon_reviews", 10_000, "core", "CC BY 4.0"),
    Source("tydiqa_en_train", 4_000, "core", "Apache-2.0"),
    Source("nq_oracle_dev", 3_000, "core", "MIT"),
    Source("qed_dev", 400, "passage", "CC BY-SA 3.0"),
    Source("multispanqa_valid", 653, "passage", "Apache-2.0"),
    Source("tweetqa_train", 1_500, "passage", "none found"),
    Source("timeqa_human_easy", 500, "passage", "BSD-3-Clause"),
    Source("timeqa_human_hard", 500, "passage", "BSD-3-Clause"),
    Source("subjqa", 1_500, "passage", "none found"),
    Source("policyqa_dev", 400, "passage", "MIT"),
    Source("sleepqa_train", 300, "passage", "MIT"),
    Source("robustqa_relation_extraction", 253, "passage", "MIT"),
    Source("robustqa_duorc", 253, "passage", "MIT"),
    Source("robustqa_race", 255, "passage", "MIT"),
    Source("trecqa_jacana_train", 318, "passage", "none found"),
)
COMPOSING = ("passage", "taught")  # kinds of epochs with core sources and composed passages
COMPOSED = 8_000  # QAMR questions an epoch whose sentence is put back among its neighbours
LEFT_OUT = "fairytaleqa_extractive"  # a domain that no training sees, to measure calibration on


def load(path: Path) -> list[Example]:
    """All examples of a file, spans without surrounding white space."""
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    source = path.name.split(".")[0]
    several = len({row["title"] for row in rows}) > 10  # else titles name no articles
    examples = []
    for row in rows:
        context = row["context"]
        found = [_trimmed(context, a["start"], a["start"] + len(a["text"])) for a in row["answers"]]
        spans = [span for span in found if span[0] < span[1]]
        group = row["title"] if several and row["title"] else context
        if row["is_impossible"] or spans:
            examples.append(
                Example(str(row["id"]), source, group, context, row["question"], tuple(spans))
            )
    return examples


def is_held_out(example: Example) -> bool:
    """Whether the example's article is kept from training; the same on every machine."""
    digest = hashlib.sha256(example.group.encode("utf-8", "replace")).digest()
    return int.from_bytes(digest[:4], "big") % 100 < HELD_OUT


def _trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    words = text[start:end]
    start += len(words) - len(words.lstrip())
    return start, start + len(words.strip())


class Corpus:
    """The training part of all sources in a folder, and the held-out part beside it."""

    def __init__(self, folder: Path) -> None:
        self.sources = SOURCES
        self.examples: dict[str, list[Example]] = {}
        self.held_out: dict[str, list[Example]] = {}
        for source in SOURCES:
            loaded = load(folder / f"{source.name}.jsonl.gz")
            self.examples[source.name] = [e for e in loaded if not is_held_out(e)]
            self.held_out[source.name] = [e for e in loaded if is_held_out(e)]
        sentences = [e for s in SOURCES if s.kind == "sentence" for e in self.examples[s.name]]
        self._article = _articles(sentences)

    def epoch(self, kind: str, dice: random.Random) -> list[Example]:
        """One epoch's examples, sampled anew; long contexts cut.

        Of "passage" are the core sources too, and QAMR's sentences among their neighbours; of
        "taught" nothing but these two.
        """
        chosen: list[Example] = []
        for source in self.sources:
            if source.kind == kind or (source.kind == "core" and kind in COMPOSING):
                examples = self.examples[source.name]
                chosen += dice.sample(examples, min(source.most, len(examples)))
        if kind != "sentence":
            chosen = [cut(example, dice) for example in chosen]
        if kind in COMPOSING:
            qamr = self.examples["qamr_dev"] + self.examples["qamr_test"]
            chosen += [self.composed(e, dice) for e in dice.sample(qamr, min(COMPOSED, len(qamr)))]
        return chosen

    def composed(self, example: Example, dice: random.Random) -> Example:
        """A sentence's question asked of a passage: it and its neighbours in the article."""
        place = _place(example.group)
        if place is None:
            return example
        document, position = place
        others = [s for s in self._article[document] if s[1] != example.context]
        near = sorted(others, key=lambda s: abs(s[0] - position))[: dice.randint(2, NEIGHBOURS)]
        sentences = sorted([*near, (position, example.context)])
        before = sum(len(text) + 1 for at, text in sentences if at < position)
        return replace(
            example,
            context=" ".join(text for _, text in sentences),
            answers=tuple((start + before, end + before) for start, end in example.answers),
        )


def _articles(examples: Iterable[Example]) -> dict[str, list[tuple[float, str]]]:
    """For every article, the sentences known of it with their positions."""
    found: dict[str, dict[float, str]] = defaultdict(dict)
    for example in examples:
        place = _place(example.group)
        if place:
            found[place[0]].setdefault(place[1], example.context)
    return {document: sorted(sentences.items()) for document, sentences in found.items()}


def _place(title: str) -> tuple[str, float] | None:
    """Article and position of a sentence by its id, "Wiki1k:wikinews:ARTICLE:PARAGRAPH:NUMBER"."""
    parts = title.split(":")
    if len(parts) != 5 or not (parts[3].isdigit() and parts[4].isdigit()):
        return None
    return ":".join(parts[:3]), int(parts[3]) + int(parts[4]) / 1000


def cut(example: Example, dice: random.Random) -> Example:
    """A part of a long context, at sentence-like breaks, that holds an answer if there is one."""
    words = example.context.count(" ")
    if words <= PASSAGE_WORDS:
        return example
    length = len(example.context) * PASSAGE_WORDS // words
    if example.answers:
        start, end = dice.choice(example.answers)
        low, high = max(0, end - length), max(0, start)
    else:
        low, high = 0, len(example.context) - length
    begin = dice.randint(low, max(low, high))
    begin = _break(example.context, begin, low)
    finish = example.context.find(" ", begin + length)
    finish = len(example.context) if finish < 0 else finish
    inside = [(a - begin, b - begin) for a, b in example.answers if begin <= a and b <= finish]
    return replace(example, context=example.context[begin:finish], answers=tuple(inside))


def _break(text: str, at: int, low: int) -> int:
    """The sentence start at or before `at`, else the word start; never before `low` by much."""
    sentence = max(text.rfind(mark, 0, at) for mark in (". ", "\n", "? ", "! "))
    if sentence >= low - 200 and sentence >= 0:
        return sentence + 1 + (text[sentence + 1 : sentence + 2] == " ")
    return text.rfind(" ", 0, at) + 1
