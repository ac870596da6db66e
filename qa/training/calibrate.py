"""Fits the confidence of answers to questions that the reader was not trained on.

    python -m qa.training.calibrate DATA.jsonl.gz [DATA.jsonl.gz ...] --reader qa/models/reader

All contexts of a data file become one collection, so that the fit sees what answering really
sees: passages that were retrieved, not given. Every question is asked three times: of the whole
collection, of the small part of it that holds the answer, and of another part, which as a rule
does not. Over the features of `qa.ranking` two models are fitted to "shares at least half of its
words (F1) with a gold answer": a conditional logit, which orders the candidates of one question
(McFadden, "Conditional logit analysis of qualitative choice behavior", 1974), and a logistic
regression on the first candidate of each, which is its confidence. Both are written to reader.json.
"""

from __future__ import annotations

import argparse
import gzip
import json
import random
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from index import Document, EmbeddedIndex, Filters, Hit, document_id

from ..assistant import PASSAGES
from ..ranking import FEATURES, Calibration, Candidate, normalise, rank
from ..reader import Reader, ReadSpan

Floats = npt.NDArray[np.float64]
START = Calibration((0.3, 2.0, 12.0), (0.15, 2.0, 2.5), -3.5, 0.4)
CANDIDATES = 10  # of each question that the order is fitted on
THRESHOLD = 0.5  # answer what is likelier right than wrong
RIDGE = 1e-3
PARTS = 60  # of a collection
ROUNDS = 2  # the fit changes which candidates come first, so it is repeated


def main() -> None:
    """Command line of this module."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, nargs="+")
    parser.add_argument("--reader", type=Path, required=True)
    parser.add_argument("--questions", type=int, default=350, help="of each file")
    arguments = parser.parse_args()
    reader = Reader(arguments.reader)
    found = [row for path in arguments.data for row in collect(path, reader, arguments.questions)]
    calibration = START
    for _ in range(ROUNDS):
        calibration = fit(found, calibration)
    settings = arguments.reader / "reader.json"
    description = json.loads(settings.read_text(encoding="utf-8"))
    description["calibration"] = {
        "order": [round(weight, 4) for weight in calibration.order],
        "weights": [round(weight, 4) for weight in calibration.weights],
        "bias": round(calibration.bias, 4),
        "threshold": calibration.threshold,
    }
    settings.write_text(json.dumps(description, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(description["calibration"]))


Row = tuple[str, list[str], list[Hit], list[list[ReadSpan]]]


def collect(path: Path, reader: Reader, questions: int) -> Iterator[Row]:
    """Sampled questions with gold answers, hits and readings, over the whole and two parts."""
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        rows: list[dict[str, Any]] = [json.loads(line) for line in lines]
    contexts = {row["context"]: row["title"] for row in rows}
    dice = random.Random(7)
    part_of = {context: dice.randrange(PARTS) for context in contexts}
    answerable = [row for row in rows if not row["is_impossible"]]
    sample = dice.sample(answerable, min(questions, len(answerable)))
    with tempfile.TemporaryDirectory() as folder, EmbeddedIndex.open(folder) as index:
        index.add(
            Document(
                id=document_id(str(number)),
                source=str(number),
                title=title or "",
                text=context,
                metadata={"part": part_of[context]},
            )
            for number, (context, title) in enumerate(contexts.items())
        )
        for row in sample:
            gold = [answer["text"] for answer in row["answers"]]
            own = part_of[row["context"]]
            for filters in (None, *(Filters(metadata={"part": p}) for p in (own, _next(own)))):
                hits = index.search(row["question"], PASSAGES, filters=filters)
                readings = reader.read(row["question"], [hit.chunk.text for hit in hits])
                yield row["question"], gold, hits, readings


def _next(part: int) -> int:
    return (part + 1) % PARTS


def fit(found: Sequence[Row], start: Calibration) -> Calibration:
    """A better calibration, from the candidates that come first by `start`."""
    questions = []
    for question, gold, hits, readings in found:
        candidates = rank(question, hits, readings, start)[:CANDIDATES]
        if candidates:
            x = np.array([candidate.supports[0].features for candidate in candidates])
            questions.append((x, np.array([_is_right(c, gold) for c in candidates])))
    order = _conditional_logit(questions)
    tops = [(x[best], right[best]) for x, right in questions for best in [np.argmax(x @ order)]]
    x, y = np.array([row for row, _ in tops]), np.array([right for _, right in tops], np.float64)
    weights, bias = _logistic(x, y)
    return Calibration(order.tolist(), weights.tolist(), float(bias), THRESHOLD)


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


def _is_right(candidate: Candidate, gold: Sequence[str]) -> bool:
    words = Counter(normalise(candidate.text).split())
    for answer in gold:
        expected = Counter(normalise(answer).split())
        shared = (words & expected).total()
        if shared and 2 * shared / (words.total() + expected.total()) >= 0.5:
            return True
    return False


def _logistic(x: Floats, y: Floats) -> tuple[Floats, float]:
    """Ridge-penalised logistic regression by Newton's method."""
    mean, spread = x.mean(0), x.std(0) + 1e-9
    z = np.c_[(x - mean) / spread, np.ones(len(x))]
    weights = np.zeros(z.shape[1])
    for _ in range(30):
        p = 1 / (1 + np.exp(-z @ weights))
        curvature = (z * (p * (1 - p))[:, None]).T @ z + RIDGE * len(y) * np.eye(len(weights))
        weights -= np.linalg.solve(curvature, z.T @ (p - y) + RIDGE * len(y) * weights)
    scaled = weights[:-1] / spread
    return scaled, float(weights[-1] - scaled @ mean)


if __name__ == "__main__":
    main()
