"""Fits the confidence of answers to questions that the reader was not trained on.

    python -m qa.training.calibrate DATA_FOLDER --reader qa/models/reader

All contexts of a source become one collection, so that the fit sees what answering really sees:
passages that were retrieved, not given. Only questions on articles held out of training are asked,
each of the whole collection, of the small part of it that holds the answer, of another part, which
as a rule does not, of that part's nearest passage alone, and of its own passage alone; the last
also as an unanswerable question made from it, most of them in ways that the reader was never
trained on (`qa.training.unseen`): of those it knows, it tells more apart than of people's.

Over the features of `qa.ranking` two models are fitted to "shares at least half of its words (F1)
with a gold answer": a conditional logit, which orders the candidates of one question (McFadden,
"Conditional logit analysis of qualitative choice behavior", 1974), and a logistic regression on the
first candidate of each, which is its confidence: one where several passages were read, one for lone
ones. All are written to reader.json.
"""

from __future__ import annotations

import argparse
import json
import random
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from index import Document, EmbeddedIndex, Filters, Hit, document_id

from ..assistant import PASSAGES
from ..ranking import FEATURES, Calibration, Support, standings
from ..reader import Reader, ReadSpan
from .examples import Example, cut, is_held_out, load
from .perturbation import Perturbation
from .scoring import word_f1
from .unseen import Unseen

Floats = npt.NDArray[np.float64]
SOURCES = ("squadshifts_new_wiki", "tydiqa_en_train", "nq_oracle_dev", "squadshifts_reddit")
START = Calibration(
    (0.25, 3.5, 10.0), (0.15, 1.3, 2.3, 0.0, 0.0), -3.0, (0.15, 1.3, 2.3, 0.0, 0.0), -3.0, 0.5
)  # the threshold stays: answer what is likelier right than wrong
CANDIDATES = 10  # of each question that the order is fitted on
RIGHT = 0.5  # F1 with a gold answer
RIDGE = 1e-3
PARTS = 60  # of a collection
ROUNDS = 2  # the fit changes which candidates come first, so it is repeated
SEED = 7


class Asked(NamedTuple):
    """A question with its gold answers, and what was found and read for it."""

    question: str
    gold: list[str]
    hits: list[Hit]
    readings: list[list[ReadSpan]]


def main() -> None:
    """Command line of this module."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", type=Path, help="folder with SOURCE.jsonl.gz files")
    parser.add_argument("--reader", type=Path, required=True)
    parser.add_argument("--questions", type=int, default=90, help="of each source")
    arguments = parser.parse_args()
    reader = Reader(arguments.reader)
    paths = [arguments.data / f"{name}.jsonl.gz" for name in SOURCES]
    asked = [row for path in paths for row in collect(path, reader, arguments.questions)]
    calibration = START
    for _ in range(ROUNDS):
        calibration = fit(asked, calibration)
    settings = arguments.reader / "reader.json"
    description = json.loads(settings.read_text(encoding="utf-8"))
    description["calibration"] = {
        name: [round(weight, 4) for weight in value] if isinstance(value, list) else round(value, 4)
        for name, value in asdict(calibration).items()
    }
    settings.write_text(json.dumps(description, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(description["calibration"]))


def collect(path: Path, reader: Reader, questions: int) -> Iterator[Asked]:
    """Held-out questions of a source, each asked of the whole, two parts and its own passage."""
    dice = random.Random(SEED)
    examples = [cut(example, dice) for example in load(path)]
    held_out = [e for e in examples if e.answers and is_held_out(e)]
    perturbation, unseen = Perturbation(examples), Unseen(examples)
    kinds = (
        perturbation.unanswerable,
        unseen.passage_word,
        unseen.word,
        unseen.circumstance,
    )
    parts = {example.context: dice.randrange(PARTS) for example in examples}
    with tempfile.TemporaryDirectory() as folder, EmbeddedIndex.open(folder) as index:
        index.add(_document(context, part) for context, part in parts.items())
        for example in dice.sample(held_out, min(questions, len(held_out))):
            own = parts[example.context]
            alone, elsewhere = _passage(example.context), _part((own + 1) % PARTS)
            for filters in (None, _part(own), elsewhere, alone):
                yield _ask(index, reader, example.question, _gold(example), filters)
            yield _ask(index, reader, example.question, _gold(example), elsewhere, passages=1)
            made = dice.choice(kinds)(example, dice)
            if made and made.context == example.context:
                yield _ask(index, reader, made.question, [], alone)


def _gold(example: Example) -> list[str]:
    return [example.context[start:end] for start, end in example.answers]


def _ask(
    index: EmbeddedIndex,
    reader: Reader,
    question: str,
    gold: list[str],
    filters: Filters | None,
    *,
    passages: int = PASSAGES,
) -> Asked:
    hits = index.search(question, passages, filters=filters)
    return Asked(question, gold, hits, reader.read(question, [hit.chunk.text for hit in hits]))


def _part(part: int) -> Filters:
    return Filters(metadata={"part": part})


def _passage(context: str) -> Filters:
    return Filters(metadata={"passage": document_id(context)})


def _document(context: str, part: int) -> Document:
    name = document_id(context)
    return Document(
        id=name, source=name, title="", text=context, metadata={"part": part, "passage": name}
    )


def fit(asked: Sequence[Asked], start: Calibration) -> Calibration:
    """A better calibration, from the candidates that come first by `start`."""
    questions = []
    for question, gold, hits, readings in asked:
        candidates = standings(question, hits, readings, start)[:CANDIDATES]
        if candidates:
            best = [supports[0][0] for supports in candidates]
            x = np.array([support.features for support in best])
            questions.append((x, np.array([_is_right(support, gold) for support in best])))
    order = _conditional_logit(questions).tolist()
    ordered = replace(start, order=order)
    several = [row for row in asked if len(row.hits) > 1]
    weights, bias = _logistic(*first_candidates(several, ordered))
    lone = [row for row in asked if len(row.hits) == 1]
    lone_weights, lone_bias = _logistic(*first_candidates(lone, ordered))
    return Calibration(order, weights, bias, lone_weights, lone_bias, start.threshold)


def first_candidates(asked: Sequence[Asked], calibration: Calibration) -> tuple[Floats, Floats]:
    """Features of each question's first candidate, and whether it is right."""
    rows = []
    for question, gold, hits, readings in asked:
        candidates = standings(question, hits, readings, calibration)
        if candidates:
            support, features = candidates[0][0]
            rows.append((features, _is_right(support, gold)))
    return np.array([x for x, _ in rows]), np.array([right for _, right in rows], np.float64)


def _is_right(support: Support, gold: Sequence[str]) -> bool:
    return word_f1(support.text, gold) >= RIGHT


def _conditional_logit(questions: Sequence[tuple[Floats, npt.NDArray[np.bool_]]]) -> Floats:
    """Weights under which the right candidates of each question are the likeliest choice."""
    useful = [(x, right) for x, right in questions if right.any() and not right.all()]
    spread = np.concatenate([x for x, _ in useful]).std(0) + 1e-9
    weights = np.zeros(len(FEATURES))
    for _ in range(100):
        gradient = -RIDGE * len(useful) * weights
        curvature = RIDGE * len(useful) * np.eye(len(weights))
        for x, right in useful:
            z = x / spread
            p = np.exp(z @ weights - (z @ weights).max())
            p /= p.sum()
            chosen = p * right / (p * right).sum()
            gradient += z.T @ (chosen - p)
            curvature += (z * p[:, None]).T @ z - np.outer(z.T @ p, z.T @ p)
        weights += np.linalg.solve(curvature, gradient)
    return np.asarray(weights / spread, np.float64)


def _logistic(x: Floats, y: Floats) -> tuple[list[float], float]:
    """Ridge-penalised logistic regression by Newton's method, no weight of which is negative.

    All features speak for an answer; one that seems to speak against it is left out.
    """
    used = np.ones(x.shape[1], np.bool_)
    while True:
        weights, bias = _unbounded(x[:, used], y)
        if (weights >= 0).all():
            break
        used[used] = weights >= 0
    full = np.zeros(x.shape[1])
    full[used] = weights
    return full.tolist(), bias


def _unbounded(x: Floats, y: Floats) -> tuple[Floats, float]:
    mean, spread = x.mean(0), x.std(0) + 1e-9
    z = np.c_[(x - mean) / spread, np.ones(len(x))]
    weights = np.zeros(z.shape[1])
    for _ in range(30):
        p = 1 / (1 + np.exp(-z @ weights))
        curvature = (z * (p * (1 - p))[:, None]).T @ z + RIDGE * len(y) * np.eye(len(weights))
        weights -= np.linalg.solve(curvature, z.T @ (p - y) + RIDGE * len(y) * weights)
    scaled = weights[:-1] / spread
    return np.asarray(scaled, np.float64), float(weights[-1] - scaled @ mean)


if __name__ == "__main__":
    main()
