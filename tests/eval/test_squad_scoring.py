"""SQuAD's scores on all of dev, and on any strings: ours against the official scripts' definitions.

Restated here from evaluate-v1.1.py (Rajpurkar et al., EMNLP 2016) and evaluate-v2.0.py (Rajpurkar
et al., ACL 2018), which are not part of this repository: what they compute, by other means.

v1.1: the best exact match and the best token F1 over the gold answers, each after normalisation;
F1 is 0 where no token is shared, so also where both sides are empty.

v2.0: gold answers that normalise to nothing are dropped, and if none is left, "" is the only one.
F1 where either side is empty is whether both are. The best threshold is found by answering the
questions in order of their probability of having no answer.

The two differ on a prediction that normalises to nothing where a gold answer does too. v1.1's dev
has three questions with a gold answer ".", and there v1.1 calls "" an exact match. Ours is v2.0's.
"""

import random
import re
import string
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_metrics import TEXT

from eval.datasets import load_squad
from eval.metrics import best_threshold, exact_match, f1

DATA = Path(__file__).parents[3] / "shared" / "data" / "eval"
FILES = {version: DATA / f"squad_{version}_dev.jsonl.gz" for version in ("v1", "v2")}
SAMPLED = 40  # questions that the reader reads


@cache
def tokens(text):
    kept = "".join(c for c in text.lower() if c not in string.punctuation)
    return tuple(re.sub(r"\b(a|an|the)\b", " ", kept).split())


def shared(one, other):
    """How many tokens two texts share, each as often as both have it."""
    return sum(min(one.count(token), other.count(token)) for token in set(one))


def token_f1(prediction, gold):
    """The harmonic mean of precision and recall, in its other form: 2 shared / all."""
    same = shared(prediction, gold)
    return 2 * same / (len(prediction) + len(gold)) if same else 0.0


def official_v1(prediction, golds):
    predicted = tokens(prediction)
    return (
        max(float(predicted == tokens(gold)) for gold in golds),
        max(token_f1(predicted, tokens(gold)) for gold in golds),
    )


def official_v2(prediction, golds):
    predicted = tokens(prediction)
    wanted = [tokens(gold) for gold in golds if tokens(gold)] or [()]
    return (
        max(float(predicted == gold) for gold in wanted),
        max(
            token_f1(predicted, gold) if predicted and gold else float(predicted == gold)
            for gold in wanted
        ),
    )


def official_best(scores, answerable, predicted, doubts):
    """The best mean, and the doubt of the last question answered for it (0.0 for none).

    Answering a question wins its score; of one without an answer it loses the 1 for saying so.
    """
    total = best = sum(not has for has in answerable)
    last = 0.0
    for doubt, _, place in sorted((doubt, n, n) for n, doubt in enumerate(doubts)):
        total += scores[place] if answerable[place] else -int(predicted[place])
        if total > best:
            best, last = total, doubt
    return best / len(scores), last


def perturbed(text, chance):
    """The same words for SQuAD, mostly: case, articles, punctuation and white space put in."""
    pieces = text.swapcase().split()
    for _ in range(2):
        extra = chance.choice(["the", "A", "an", ",", "–", "\u00a0", "x", "."])
        pieces.insert(chance.randint(0, len(pieces)), extra)
    return chance.choice([" ", "  ", "\n"]).join(pieces)


PREDICTIONS = {
    "gold": lambda e, _: e.answers[-1] if e.answers else "",
    "truncated": lambda e, _: " ".join(e.answers[0].split()[:-1]) if e.answers else e.title,
    "perturbed": lambda e, chance: perturbed(e.answers[0] if e.answers else e.context[:40], chance),
    "too long": lambda e, _: e.context[:150],
    "empty": lambda e, _: "",
}


@pytest.fixture(scope="module", params=FILES)
def dev(request):
    if not FILES[request.param].exists():
        pytest.skip("SQuAD is not here")
    return request.param, load_squad(FILES[request.param])


@pytest.mark.parametrize("kind", PREDICTIONS)
def test_all_of_dev(dev, kind):
    version, examples = dev
    chance = random.Random(kind)
    told = [PREDICTIONS[kind](e, chance) for e in examples]
    ours = [
        (exact_match(text, e.answers), f1(text, e.answers))
        for text, e in zip(told, examples, strict=True)
    ]
    theirs = [official_v2(text, e.answers) for text, e in zip(told, examples, strict=True)]
    assert len(ours) == {"v1": 10_570, "v2": 11_873}[version]
    assert ours == [pytest.approx(pair, abs=1e-12) for pair in theirs]

    answerable, doubts = [bool(e.answers) for e in examples], [chance.random() for _ in examples]
    for place in (0, 1):
        mine = best_threshold([s[place] for s in ours], answerable, list(map(bool, told)), doubts)
        their = official_best([s[place] for s in theirs], answerable, list(map(bool, told)), doubts)
        assert mine.score == pytest.approx(their[0], abs=1e-12)
        assert mine.threshold == their[1]

    if version == "v1":
        first = [official_v1(text, e.answers) for text, e in zip(told, examples, strict=True)]
        differ = [
            (text, e.answers)
            for text, e, mine, their in zip(told, examples, ours, first, strict=True)
            if mine != pytest.approx(their, abs=1e-12)
        ]
        assert len(differ) <= 3
        assert all(not tokens(text) and "." in golds for text, golds in differ)


def test_the_readers_own_answers(dev):
    from qa import Reader

    version, examples = dev
    chosen = random.Random(0).sample(examples, SAMPLED)
    reader = Reader()
    spans = [reader.read(e.question, [e.context], best=1)[0][0] for e in chosen]
    told = [e.context[span.start : span.end] for e, span in zip(chosen, spans, strict=True)]
    official = official_v1 if version == "v1" else official_v2
    for text, e in zip(told, chosen, strict=True):
        assert (exact_match(text, e.answers), f1(text, e.answers)) == pytest.approx(
            official(text, e.answers)
        )
    mean = sum(f1(text, e.answers) for text, e in zip(told, chosen, strict=True) if e.answers)
    assert mean / sum(bool(e.answers) for e in chosen) > 0.6  # it reads, this is no test of zeros


@given(TEXT, st.lists(TEXT, min_size=1, max_size=4))
def test_any_strings(prediction, golds):
    ours = (exact_match(prediction, golds), f1(prediction, golds))
    assert ours == pytest.approx(official_v2(prediction, golds))
    if tokens(prediction) and any(map(tokens, golds)):
        assert ours == pytest.approx(official_v1(prediction, golds))
