"""Follow-ups rewritten: what is added to a question, against what people added.

Measured on the conversations of CANARD (Elgohary et al., EMNLP 2019) and TREC CAsT 2019 that
`qa.training.conversation` did not learn from. Term F1 is QuReTeC's measure (Voskarides et al.,
SIGIR 2020): of the terms that the rewrite has and the question has not, over all turns that need
the history. ROUGE-1 is the F1 of single words (Lin, 2004), BLEU sacrebleu's for whole corpora.
"""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import sacrebleu

from qa.conversation import resolve
from qa.mentions import Exchange
from qa.ranking import TERMS
from qa.training.conversation import Turn, is_held_out, load

from .measuring import Latency, latency, tracked

Rewrite = Callable[[Turn, str], str]


@dataclass(frozen=True, slots=True)
class RewriteRow:
    """A turn with the question as we understand it."""

    source: str
    held_out: bool
    question: str
    rewrite: str
    resolved: str


@dataclass(frozen=True, slots=True)
class RewriteScores:
    """One way of rewriting, on the held-out conversations of one source.

    Attributes:
        turns: those whose rewrite is not the question itself; all figures but the last are theirs.
        precision, recall, f1: of the terms added.
        untouched: of the turns that stand alone, the share left as it is.
    """

    source: str
    system: str
    turns: int
    precision: float
    recall: float
    f1: float
    rouge1: float
    bleu: float
    untouched: float


@dataclass(frozen=True, slots=True)
class RewritingResult:
    """Dateline and the baselines, and what a turn costs."""

    scores: tuple[RewriteScores, ...]
    resolving: Latency
    rows: tuple[RewriteRow, ...]


def evaluate_rewriting(path: Path) -> RewritingResult:
    """Rewrite every turn, its history as we understood it before, and compare with people.

    Raises:
        OSError, ValueError: the file cannot be read.
    """
    turns = load(path)
    asked = {(turn.conversation, turn.rewrite): turn.question for turn in turns}
    understood: dict[tuple[str, str], str] = {}
    rows: list[RewriteRow] = []
    times: list[float] = []
    for turn in tracked(turns, "Turns"):
        key = turn.conversation
        history = [_known(e, understood.get((key, e.question))) for e in turn.history]
        started = time.perf_counter()
        resolved = resolve(turn.question, history).text
        times.append((time.perf_counter() - started) * 1000)
        understood[key, turn.rewrite] = resolved
        rows.append(
            RewriteRow(turn.source, is_held_out(key), turn.question, turn.rewrite, resolved)
        )

    def raw(turn: Turn, exchange: Exchange) -> str:
        """An earlier question as it was asked."""
        return asked.get((turn.conversation, exchange.question), exchange.question)

    def previous(turn: Turn, _: str) -> str:
        last = [raw(turn, e) or " ".join(e.titles) for e in turn.history[-1:]]
        return " ".join([*last, turn.question])

    def everything(turn: Turn, _: str) -> str:
        said = [part for e in turn.history for part in (*e.titles, raw(turn, e), *e.answers)]
        return " ".join([*said, turn.question])

    systems: dict[str, Rewrite] = {
        "no resolution": lambda turn, _: turn.question,
        "previous question prepended": previous,
        "all history prepended": everything,
        "Dateline": lambda _, resolved: resolved,
    }
    scores = []
    for source in dict.fromkeys(turn.source for turn in turns):
        held = [
            (turn, row.resolved)
            for turn, row in zip(turns, rows, strict=True)
            if turn.source == source and row.held_out
        ]
        scores += [_scores(source, name, held, rewrite) for name, rewrite in systems.items()]
    return RewritingResult(tuple(scores), latency(times), tuple(rows))


def _known(exchange: Exchange, resolved: str | None) -> Exchange:
    return exchange._replace(question=resolved) if resolved else exchange


def _scores(
    source: str, system: str, held: Sequence[tuple[Turn, str]], rewrite: Rewrite
) -> RewriteScores:
    written = [(turn, rewrite(turn, resolved)) for turn, resolved in held]
    alone = [(t, text) for t, text in written if _words(t.question) == _words(t.rewrite)]
    needing = [(t, text) for t, text in written if _words(t.question) != _words(t.rewrite)]
    right = found = wanted = 0
    for turn, text in needing:
        asked = set(TERMS(turn.question))
        ours, theirs = set(TERMS(text)) - asked, set(TERMS(turn.rewrite)) - asked
        right, found, wanted = right + len(ours & theirs), found + len(ours), wanted + len(theirs)
    untouched = [_words(t.question) == _words(text) for t, text in alone]
    texts, people = [text for _, text in needing], [turn.rewrite for turn, _ in needing]
    return RewriteScores(
        source=source,
        system=system,
        turns=len(needing),
        precision=right / max(1, found),
        recall=right / max(1, wanted),
        f1=2 * right / max(1, found + wanted),
        rouge1=sum(map(_rouge1, texts, people)) / max(1, len(texts)),
        bleu=sacrebleu.corpus_bleu(texts, [people], lowercase=True).score,
        untouched=sum(untouched) / max(1, len(untouched)),
    )


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text.casefold())


def _rouge1(text: str, reference: str) -> float:
    ours, theirs = Counter(_words(text)), Counter(_words(reference))
    return 2 * (ours & theirs).total() / max(1, ours.total() + theirs.total())
