"""Fits what decides which earlier mention "he", "it" or "they" stands for.

    python -m qa.training.conversation DATA/rewrites.jsonl.gz qa/models/conversation.json

Learns from questions rewritten by people (CANARD, CAsT 2019): where a rewrite has other words in
the place of a word that points back, the mentions of the history that share those words are the
right ones. Conversations that `is_held_out` are never looked at. The model is a conditional logit
(McFadden 1974) over `qa.mentions.features`, fitted with a ridge penalty.
"""

from __future__ import annotations

import argparse
import difflib
import gzip
import hashlib
import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize
from scipy.special import logsumexp, softmax

from ..conversation import has_antecedent, points_back
from ..ellipsis import completed
from ..entities import key_of
from ..mentions import (
    Class,
    Exchange,
    Mention,
    class_of,
    features,
    mentions,
    question_features,
)
from ..syntax import parse

HELD_OUT = 40  # per cent of the conversations: for measuring alone
RIDGE = 1.0
RIGHT = 0.6  # F1 of words from which a mention is what the rewrite says
CAST_TIMES = (
    3  # there are eight times fewer of its turns, and only its questions go without answers
)
NO_ANSWER = "I don't know."

if TYPE_CHECKING:
    from spacy.tokens import Doc

Floats = npt.NDArray[np.float64]


class Turn(NamedTuple):
    """A question, what was said before it, and the self-contained question that a person wrote."""

    source: str
    conversation: str
    question: str
    rewrite: str
    history: tuple[Exchange, ...]


class Choice(NamedTuple):
    """A word that points back: the features of all mentions, and which of them it may mean."""

    features: list[dict[str, float]]
    right: list[bool]


def main() -> None:
    """Command line of this module."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", type=Path, help="rewrites.jsonl.gz")
    parser.add_argument("out", type=Path, help="the JSON file to write")
    arguments = parser.parse_args()
    turns = [turn for turn in load(arguments.data) if not is_held_out(turn.conversation)]
    choices = [
        choice
        for turn in turns
        for choice in _choices(turn)
        for _ in range(CAST_TIMES if turn.source == "cast2019" else 1)
    ]
    names = sorted({name for choice in choices for row in choice.features for name in row})
    weights = _fit(choices, names)
    right = sum(_chosen(choice, names, weights) for choice in choices) / len(choices)
    record = {"weights": {n: round(float(w), 4) for n, w in zip(names, weights, strict=True)}}
    arguments.out.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    print(json.dumps({"turns": len(turns), "choices": len(choices), "right in training": right}))


def load(path: Path) -> list[Turn]:
    """All turns, each with its history; earlier questions as people rewrote them."""
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    known = {(r["conv"], r["question"]): r["rewrite"] for r in rows}
    return [
        Turn(
            row["source"],
            row["conv"],
            row["question"],
            row["rewrite"],
            tuple(_history(row, known)),
        )
        for row in rows
    ]


def is_held_out(conversation: str) -> bool:
    """Whether a conversation is kept from training; the same on every machine."""
    digest = hashlib.sha256(conversation.encode()).digest()
    return int.from_bytes(digest[:4], "big") % 100 < HELD_OUT


def _history(row: dict[str, Any], known: dict[tuple[str, str], str]) -> Iterator[Exchange]:
    """The article's title first, where there is one, then what was asked and answered."""
    said = row["history"]
    if row["source"] == "cast2019":  # questions alone
        yield from (Exchange(known.get((row["conv"], question), question)) for question in said)
        return
    yield Exchange("", titles=(said[0],))
    for question, answer in zip(said[2::2], said[3::2], strict=False):
        answers = (answer,) if answer != NO_ANSWER else ()
        yield Exchange(known.get((row["conv"], question), question), answers)


def _choices(turn: Turn) -> Iterator[Choice]:
    doc = parse(" ".join(turn.question.split()))
    if turn.history and not points_back(doc) and completed(doc.text, turn.history) is None:
        yield _topic(turn, doc)
    known: list[Mention] | None = None
    done: set[Class] = set()
    for token in doc:
        wanted = class_of(token)
        if wanted in (None, "that") or wanted in done or has_antecedent(doc, token, wanted):
            continue
        done.add(wanted)
        words = _in_place_of(token.text, token.i, [t.text for t in doc], turn.rewrite)
        if not words:
            continue
        known = known if known is not None else mentions(turn.history)
        right = [_overlap(mention.key, words) >= RIGHT for mention in known]
        if any(right) and not all(right):
            subject = token.dep_ in ("nsubj", "nsubjpass", "poss")
            yield Choice([features(m, wanted, known, doc.text, subject) for m in known], right)


def _topic(turn: Turn, doc: Doc) -> Choice:
    """Whether a rewrite says what a question without words that point back is about.

    The last of its mentions is none at all.
    """
    known = mentions(turn.history)
    added = set(key_of(turn.rewrite)) - set(key_of(turn.question)) - _SMALL
    right = [
        len(added & set(m.key) - set(key_of(turn.question))) >= max(1, 0.5 * len(added))
        and len(set(m.key) - set(key_of(turn.rewrite))) <= len(m.key) / 3
        for m in known
    ]
    common = question_features(doc, known)
    rows = [features(m, "topic", known, doc.text, subject=False) | common for m in known]
    return Choice([*rows, {}], [*right, not any(right)])


_SMALL = frozenset("of in the a an to for by on at with and is was were did does do".split())


def _in_place_of(word: str, at: int, asked: Sequence[str], rewrite: str) -> tuple[str, ...]:
    """The words of a rewrite that stand where the question has another."""
    written = [token.text for token in parse(" ".join(rewrite.split()))]
    lower = [w.casefold() for w in asked]
    matcher = difflib.SequenceMatcher(a=lower, b=[w.casefold() for w in written], autojunk=False)
    for kind, first, last, begin, end in matcher.get_opcodes():
        if kind == "replace" and first <= at < last and lower[at] == word.casefold():
            return key_of(re.sub(r"\s+['’]s?\b", "", " ".join(written[begin:end])))
    return ()


def _overlap(one: Sequence[str], other: Sequence[str]) -> float:
    shared = len(set(one) & set(other))
    return 2 * shared / (len(set(one)) + len(set(other))) if shared else 0.0


def _fit(choices: Sequence[Choice], names: Sequence[str]) -> Floats:
    place = {name: i for i, name in enumerate(names)}
    rows = [(_matrix(choice, place), np.array(choice.right)) for choice in choices]

    def loss(weights: Floats) -> tuple[float, Floats]:
        """Negative log-likelihood with its ridge, and the gradient."""
        value, gradient = RIDGE / 2 * float(weights @ weights), RIDGE * weights
        for x, right in rows:
            scores = x @ weights
            value += float(logsumexp(scores) - logsumexp(scores[right]))
            gradient += x.T @ softmax(scores)
            gradient -= x[right].T @ softmax(scores[right])
        return value, gradient

    found = minimize(loss, np.zeros(len(names)), jac=True, method="L-BFGS-B")
    return np.asarray(found.x, np.float64)


def _matrix(choice: Choice, place: dict[str, int]) -> Floats:
    x = np.zeros((len(choice.features), len(place)))
    for i, row in enumerate(choice.features):
        for name, value in row.items():
            x[i, place[name]] = value
    return x


def _chosen(choice: Choice, names: Sequence[str], weights: Floats) -> bool:
    scores = _matrix(choice, {name: i for i, name in enumerate(names)}) @ weights
    return choice.right[int(scores.argmax())]


if __name__ == "__main__":
    main()
