"""How well the reader reads: every question over its own passage, by the product's own path.

Retrieval is out of the way, so that the figures compare with published ones on SQuAD: exact match
and F1 (Rajpurkar et al., EMNLP 2016) of the best span whatever its confidence and, where the file
has unanswerable questions, those of SQuAD 2.0 (Rajpurkar et al., ACL 2018). Then what the
confidence is worth, how clean the spans are, and what other ways of typing a question cost.
"""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from index import Analyzer, Chunk, Document, Embedder, Hit, load_embedder
from index.chunking import context_of, fit_context
from index.errors import UsageError
from qa.ranking import Calibration, normalise, rank
from qa.reader import Reader
from qa.spelling import meant

from .abstention import NoAnswer, no_answer_scores
from .calibration import RIGHT, Trust, measure_trust
from .datasets import Example, paragraph_documents
from .groups import GroupScores, by_group, slot_of
from .keyboard import VARIANTS
from .measuring import Latency, latency, tracked
from .metrics import Interval, bootstrap_interval, exact_match, f1, randomization_test
from .spans import SpanShape, cuts_a_word, span_shape

_ANALYZER = Analyzer()
ELSEWHERE = " elsewhere"  # behind the id of a question that is asked of another passage
EMBED_SLICE = 512  # texts between two signs of progress

Vectors = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadingRow:
    """One question's outcome; `prediction` is `context[start:end]`, empty where there is none.

    `abstained` says whether its confidence is below the shipped threshold; `type` is the file's.
    """

    id: str
    question: str
    type: str
    answers: tuple[str, ...]
    prediction: str
    start: int
    end: int
    confidence: float
    exact_match: float
    f1: float
    right: bool
    abstained: bool
    cuts_a_word: bool
    milliseconds: float

    @property
    def unanswerable(self) -> bool:
        """Whether the passage does not answer the question."""
        return not self.answers


class VariantScore(NamedTuple):
    """F1 of the answerable questions typed in another way, of which `changed` look different.

    `drop` is the F1 of the questions as they are less this one; `p_value` is that of the paired
    randomisation test.
    """

    changed: int
    f1: float
    drop: float
    p_value: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadingResult:
    """Given-passage answers over one SQuAD file; shares and means are in [0, 1].

    Attributes:
        exact_match, f1: over the answerable questions, of the best span whatever its confidence.
        no_answer: None where every question is answerable.
        trust: over all questions; an answer is right if its F1 with a gold answer is RIGHT or more.
        spans: over the answerable questions.
        by_slot, by_type: over all questions; by_type is empty where the file has no types.
        robustness: by way of typing; empty unless asked for.
        latency: of reading and ranking one passage, in milliseconds.
    """

    name: str
    engine: str
    questions: int
    answerable: int
    exact_match: float
    exact_match_interval: Interval
    f1: float
    f1_interval: Interval
    no_answer: NoAnswer | None
    trust: Trust
    spans: SpanShape
    by_slot: Mapping[str, GroupScores]
    by_type: Mapping[str, GroupScores]
    robustness: Mapping[str, VariantScore]
    latency: Latency
    rows: tuple[ReadingRow, ...]


class _Passage(NamedTuple):
    document: Document
    vector: Vectors
    terms: frozenset[str]

    def frequencies(self, words: Sequence[str]) -> list[int]:
        """Of each word, whether the passage holds it: what an index of it alone would count."""
        terms = map(_ANALYZER, words)
        return [int(bool(each) and self.terms.issuperset(each)) for each in terms]


def evaluate_reading(
    examples: Sequence[Example],
    name: str,
    *,
    reader: Reader | None = None,
    embedder: Embedder | None = None,
    limit: int | None = None,
    seed: int = 0,
    elsewhere: bool = False,
    robustness: bool = False,
) -> ReadingResult:
    """Read every question's own passage, measure the answers and their confidence.

    A passage is embedded whole, with its title in front as the index does it; what exceeds the
    embedder's window is not seen by the cosine, but read. Slips in a question are put right as
    `Assistant.ask` does it, the passage being all the documents there are.

    Args:
        limit: only so many questions, sampled with `random.Random(seed)`.
        seed: also of the typing errors.
        elsewhere: ask every answerable question of another passage of its article, too: of those
            that hold none of its answers the nearest, which counts as not answering it (some may
            in other words). Questions of articles without such a passage are asked once.
        robustness: read the answerable questions once more for each of `keyboard.VARIANTS`.

    Raises:
        UsageError: no question is answerable.
    """
    chosen = list(examples)
    if limit is not None and limit < len(chosen):
        chosen = random.Random(seed).sample(chosen, limit)
    chosen = [replace(e, question=" ".join(e.question.split())) for e in chosen]  # as `ask` does
    answerable = [example for example in chosen if not example.is_impossible]
    if not answerable:
        raise UsageError("No question is answerable.", "Give another SQuAD file, or more of it.")
    reader, embedder = reader or Reader(), embedder or load_embedder()
    calibration = Calibration(**reader.settings["calibration"])
    passages = _passages(examples if elsewhere else chosen, embedder)
    if elsewhere:
        chosen += _asked_elsewhere(answerable, passages, embedder)

    def read(asked: Sequence[Example], description: str) -> tuple[ReadingRow, ...]:
        asked = [
            replace(e, question=meant(e.question, passages[e.context].frequencies)) for e in asked
        ]
        questions = [example.question for example in asked]
        vectors = _embed(embedder, questions, f"embedding questions, {description}")
        rows = []
        for number, example in enumerate(tracked(asked, f"reading {description}")):
            passage = passages[example.context]
            cosine = float(passage.vector @ vectors[number])
            rows.append(_row(reader, calibration, example, passage.document, cosine))
        return tuple(rows)

    reader.read("Who?", ["Nobody."])  # loads the engine: the figures below are warm
    rows = read(chosen, name)
    scored = [row for row in rows if row.answers]
    return ReadingResult(
        name=name,
        engine=reader.engine.name,
        questions=len(rows),
        answerable=len(scored),
        exact_match=statistics.fmean(row.exact_match for row in scored),
        exact_match_interval=bootstrap_interval([row.exact_match for row in scored]),
        f1=statistics.fmean(row.f1 for row in scored),
        f1_interval=bootstrap_interval([row.f1 for row in scored]),
        no_answer=no_answer_scores(rows, calibration.threshold),
        trust=measure_trust(
            [row.confidence for row in rows], [row.right for row in rows], calibration.threshold
        ),
        spans=span_shape(
            [row.prediction for row in scored],
            [row.answers for row in scored],
            [row.cuts_a_word for row in scored],
        ),
        by_slot=by_group(rows, lambda row: slot_of(row.question)),
        by_type=by_group(rows, lambda row: row.type),
        robustness=_robustness(answerable, scored, read, seed) if robustness else {},
        latency=latency([row.milliseconds for row in rows]),
        rows=rows,
    )


def _passages(examples: Sequence[Example], embedder: Embedder) -> dict[str, _Passage]:
    """Every distinct context with its vector, by context."""
    documents = paragraph_documents(examples)
    texts = [
        f"{fit_context(context_of(document), embedder.count_tokens)[0]}\n{document.text}"
        for document in documents.values()
    ]
    vectors = _embed(embedder, texts, "embedding passages")
    return {
        context: _Passage(document, vector, frozenset(_ANALYZER(document.text)))
        for (context, document), vector in zip(documents.items(), vectors, strict=True)
    }


def _asked_elsewhere(
    examples: Sequence[Example], passages: Mapping[str, _Passage], embedder: Embedder
) -> Iterator[Example]:
    """Each question once more, of the nearest passage of its article without any of its answers."""
    articles: dict[str, list[str]] = {}
    for context, passage in passages.items():
        articles.setdefault(passage.document.title, []).append(context)
    words = {context: f" {normalise(context)} " for context in passages}
    questions = _embed(embedder, [e.question for e in examples], "embedding questions, elsewhere")
    for example, vector in zip(examples, questions, strict=True):
        answers = [f" {normalise(answer)} " for answer in example.answers]
        others = [
            context
            for context in articles[passages[example.context].document.title]
            if context != example.context
            and not any(answer in words[context] for answer in answers)
        ]
        if others:
            nearest = max(others, key=lambda context: float(passages[context].vector @ vector))
            yield replace(
                example,
                id=f"{example.id}{ELSEWHERE}",
                context=nearest,
                answers=(),
                is_impossible=True,
            )


def _embed(embedder: Embedder, texts: Sequence[str], description: str) -> Vectors:
    """One vector a text, questions too: in batches, which the default model allows.

    (It has no prompts that would set questions apart.)
    """
    slices = [texts[n : n + EMBED_SLICE] for n in range(0, len(texts), EMBED_SLICE)]
    return np.concatenate([embedder.embed(part) for part in tracked(slices, description)])


def _row(
    reader: Reader, calibration: Calibration, example: Example, document: Document, cosine: float
) -> ReadingRow:
    question, text = example.question, example.context
    hit = Hit(Chunk(0, document.id, 0, len(text), text), document, cosine, {"dense": cosine})
    started = time.perf_counter()
    ranked = rank(question, [hit], reader.read(question, [text]), calibration)
    milliseconds = 1000 * (time.perf_counter() - started)
    best = ranked[0].supports[0] if ranked else None
    start, end = (best.start, best.end) if best else (0, 0)
    confidence = ranked[0].confidence if ranked else 0.0
    score = f1(text[start:end], example.answers)
    return ReadingRow(
        id=example.id,
        question=question,
        type=example.type,
        answers=example.answers,
        prediction=text[start:end],
        start=start,
        end=end,
        confidence=confidence,
        exact_match=exact_match(text[start:end], example.answers),
        f1=score,
        right=not example.is_impossible and score >= RIGHT,
        abstained=confidence < calibration.threshold,
        cuts_a_word=cuts_a_word(text, start, end),
        milliseconds=milliseconds,
    )


def _robustness(
    examples: Sequence[Example],
    plain: Sequence[ReadingRow],
    read: Callable[[Sequence[Example], str], tuple[ReadingRow, ...]],
    seed: int,
) -> dict[str, VariantScore]:
    """F1 of each way of typing the questions, against `plain`, the same questions as they are."""
    before = [row.f1 for row in plain]
    scores = {}
    for name, asked in _typed(examples, seed):
        after = [row.f1 for row in read(asked, name)]
        mean = statistics.fmean(after)
        scores[name] = VariantScore(
            sum(a.question != b.question for a, b in zip(examples, asked, strict=True)),
            mean,
            statistics.fmean(before) - mean,
            randomization_test(before, after),
        )
    return scores


def _typed(examples: Sequence[Example], seed: int) -> Iterator[tuple[str, list[Example]]]:
    """The examples in each way of typing; the typo of a question depends on seed and id alone."""
    for name, change in VARIANTS.items():
        yield (
            name,
            [
                replace(e, question=change(e.question, random.Random(f"{seed} {e.id}")))
                for e in examples
            ],
        )
