"""Trains the reader that ships, from the sources in `examples.py`.

    python -m qa.training.train DATA_FOLDER WORK_FOLDER [--teacher BACKBONE]

Reads `DATA_FOLDER/SOURCE.jsonl.gz`, leaves a Hugging Face model in `WORK_FOLDER/model`. Progress
is saved every few minutes: the same command goes on where it was stopped. Everything random comes
from SEED, so the same data, seed and library versions on one machine give the same weights.

Recipe: all-MiniLM-L6-v2; questions about single sentences first (QA-SRL, QAMR: He et al., "QuASE",
ACL 2020, show what such pretraining gives), then passages, with unanswerable questions made anew
in every epoch; in the end the mean of the weights after two epochs. The loss is the cross-entropy
of start and end over the passage's tokens and the first token ("no answer"), against the
distribution of all annotators' answers. With --teacher a larger model is trained in one epoch over
the passages of the last stage; `qa.training.distil` lets the reader learn from it.
"""

from __future__ import annotations

import argparse
import inspect
import json
import os
import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from tokenizers import Tokenizer
from transformers import AutoModelForQuestionAnswering

from index.embedding import DEFAULT_EMBEDDER, find_model

from ..reader import MAX_ANSWER_TOKENS
from .examples import Corpus, Example, cut
from .features import Batch, Feature, batches, collate, featurise
from .framing import framed
from .negatives import with_unanswerable
from .perturbation import SLIPS, noisy
from .scoring import score

SEED = 20261121
SAVE_SECONDS = 240
LOG_STEPS = 50  # between two lines of the log, counted from where a run was taken up
WARM_UP = 0.05  # share of a stage's steps over which the learning rate rises
WEIGHT_DECAY = 0.01
CLIP = 1.0
DROPPED = 20  # of 256 hidden values
START = -1  # in place of an epoch: before any
HELD_OUT_QUESTIONS = 60  # of each source
HELD_OUT_CHANGED = 0.3


class Stage(NamedTuple):
    """Part of the training: its kind of examples, and how long and fast it learns from them.

    Attributes:
        batch: features in a step.
        rate, last_rate: the learning rate after warming up, and the one it falls to linearly.
        changed_share: share of examples that also give a changed, unanswerable question.
        slips: share of questions with a typing error.
    """

    kind: str
    epochs: int
    batch: int
    rate: float
    last_rate: float
    changed_share: float = 0.0
    slips: float = SLIPS


class Recipe(NamedTuple):
    """What a model is trained on.

    Attributes:
        averaged: epochs of the last stage after which the weights are kept, to be averaged; START
            for those that the training begins with.
    """

    stages: tuple[Stage, ...]
    averaged: tuple[int, ...]


READER = Recipe(
    (
        Stage("sentence", epochs=1, batch=64, rate=3e-4, last_rate=1.5e-4),
        Stage("passage", epochs=2, batch=32, rate=2e-4, last_rate=7e-5, changed_share=0.30),
        Stage("core", epochs=3, batch=32, rate=1e-4, last_rate=0.0, changed_share=0.35),
    ),
    averaged=(0, 2),
)
TEACHER = Recipe(
    (Stage("core", epochs=1, batch=16, rate=5e-5, last_rate=0.0, changed_share=0.35),),
    averaged=(0,),
)


def main() -> None:
    """Command line of this module."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", type=Path, help="folder with SOURCE.jsonl.gz files")
    parser.add_argument("work", type=Path, help="folder for checkpoints and the model")
    parser.add_argument(
        "--teacher",
        type=Path,
        metavar="BACKBONE",
        help="train a teacher from this model, such as all-mpnet-base-v2, instead of the reader",
    )
    arguments = parser.parse_args()
    backbone = arguments.teacher or find_model(DEFAULT_EMBEDDER)
    recipe = TEACHER if arguments.teacher else READER
    Training(arguments.data, arguments.work, backbone, recipe).run()


class Training:
    """A training run that can be stopped and taken up again at any step."""

    def __init__(self, data: Path, work: Path, backbone: Path, recipe: Recipe) -> None:
        torch.manual_seed(SEED)
        work.mkdir(parents=True, exist_ok=True)
        self.work, self.recipe = work, recipe
        self.corpus = Corpus(data)
        self.tokenizer = Tokenizer.from_file(str(backbone / "tokenizer.json"))
        self.tokenizer.no_truncation()
        self.tokenizer.no_padding()
        self.model = AutoModelForQuestionAnswering.from_pretrained(
            backbone,
            dtype=torch.float32,
            attn_implementation="eager",  # the fastest on a CPU
            attention_probs_dropout_prob=0.0,  # costs a CPU too much
        )
        self.dropout = _replace_dropout(self.model)
        self.optimizer = torch.optim.AdamW(self._groups(), lr=0.0, betas=(0.9, 0.98), fused=True)
        self.stage, self.epoch, self.step = 0, 0, 0
        self._saved = time.monotonic()

    def _groups(self) -> list[dict[str, Any]]:
        plain = [p for p in self.model.parameters() if p.ndim < 2]
        decayed = [p for p in self.model.parameters() if p.ndim >= 2]
        return [
            {"params": decayed, "weight_decay": WEIGHT_DECAY},
            {"params": plain, "weight_decay": 0.0},
        ]

    def run(self) -> None:
        """Train from the last checkpoint to the end, and write the model."""
        if START in self.recipe.averaged:
            torch.save(self.model.state_dict(), self._kept(START))
        self._resume()
        stages = self.recipe.stages
        while self.stage < len(stages):
            stage = stages[self.stage]
            while self.epoch < stage.epochs:
                self._one_epoch(stage)
                if stage is stages[-1] and self.epoch in self.recipe.averaged:
                    torch.save(self.model.state_dict(), self._kept(self.epoch))
                self.epoch, self.step = self.epoch + 1, 0
                self._save()
                self._log(held_out=self.measure())
            self.stage, self.epoch = self.stage + 1, 0
        self._average()
        self.export(self.work / "model")

    def _kept(self, epoch: int) -> Path:
        return self.work / f"epoch-{epoch}.pt"

    def _average(self) -> None:
        """Take the mean of the weights kept (Izmailov et al., UAI 2018): flatter, truer minima."""
        kept = [torch.load(self._kept(e), weights_only=True) for e in self.recipe.averaged]
        mean = {
            name: sum(weights[name] for weights in kept) / len(kept)
            for name, value in kept[0].items()
            if value.is_floating_point()
        }
        self.model.load_state_dict(kept[0] | mean)

    def _one_epoch(self, stage: Stage) -> None:
        dice = random.Random(f"{SEED}/{self.stage}/{self.epoch}")
        examples = self._examples(stage, dice)
        features = featurise(examples, self.tokenizer, dice)
        planned = list(batches(features, stage.batch, dice))
        unanswerable = sum(feature.targets == ((0, 0),) for feature in features)
        self._log(features=len(features), unanswerable=unanswerable, steps=len(planned))
        self.model.train()
        losses: list[float] = []
        started = time.monotonic()
        for number in range(self.step, len(planned)):
            self._set_rate(stage, (self.epoch + number / len(planned)) / stage.epochs)
            self.dropout.dice = np.random.default_rng((SEED, self.stage, self.epoch, number))
            losses.append(self._learn(collate(planned[number])))
            self.step = number + 1
            if time.monotonic() - self._saved > SAVE_SECONDS:
                self._save()
            if len(losses) == LOG_STEPS:
                rate = LOG_STEPS * stage.batch / (time.monotonic() - started)
                loss = sum(losses) / LOG_STEPS
                self._log(loss=round(loss, 4), per_second=round(rate, 1))
                losses, started = [], time.monotonic()

    def _examples(self, stage: Stage, dice: random.Random) -> list[Example]:
        """An epoch's examples: as they are, changed, and made unanswerable."""
        chosen = self.corpus.epoch(stage.kind, dice)
        if stage.changed_share:
            chosen = with_unanswerable(chosen, stage.changed_share, dice)
            chosen = [framed(example, dice) for example in chosen]
        return [replace(e, question=noisy(e.question, dice, stage.slips)) for e in chosen]

    def _set_rate(self, stage: Stage, done: float) -> None:
        if done < WARM_UP:
            rate = stage.rate * done / WARM_UP
        else:
            left = (1 - done) / (1 - WARM_UP)
            rate = stage.last_rate + (stage.rate - stage.last_rate) * left
        for group in self.optimizer.param_groups:
            group["lr"] = rate

    def _learn(self, batch: Batch) -> float:
        loss = self._loss(batch)
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), CLIP)
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        return float(loss.detach())

    def _loss(self, batch: Batch) -> torch.Tensor:
        starts, ends = self._logits(batch)
        return cross_entropy(starts, batch.starts) + cross_entropy(ends, batch.ends)

    def _logits(self, batch: Batch) -> tuple[torch.Tensor, torch.Tensor]:
        with torch.autocast("cpu", torch.bfloat16):
            return read(self.model, batch)

    def measure(self) -> dict[str, float]:
        """EM, F1 and ROC area (answerable or not) on held-out questions and swaps of them."""
        dice = random.Random(SEED)
        rows = [
            example
            for source in self.corpus.sources
            if source.kind != "sentence"
            for example in self.corpus.held_out[source.name][:HELD_OUT_QUESTIONS]
        ]
        rows = [cut(example, dice) for example in rows if example.answers]
        examples = with_unanswerable(rows, HELD_OUT_CHANGED, dice)
        features = featurise(examples, self.tokenizer, dice)
        features.sort(key=lambda feature: len(feature.ids))
        self.model.eval()
        with torch.no_grad():
            margins, exact, overlap = zip(
                *(row for part in _parts(features) for row in self._margins(part)), strict=True
            )
        answerable = np.array([feature.targets != ((0, 0),) for feature in features])
        return score(np.array(margins), np.array(exact), np.array(overlap), answerable)

    def _margins(self, part: Sequence[Feature]) -> Iterator[tuple[float, float, float]]:
        """Of every feature: margin over "no answer", exact match and overlap in tokens."""
        starts, ends = (logits.numpy() for logits in self._logits(collate(part)))
        length = np.arange(starts.shape[1] - 1)[None, :] - np.arange(starts.shape[1] - 1)[:, None]
        allowed = (length >= 0) & (length < MAX_ANSWER_TOKENS)
        for row, feature in enumerate(part):
            sums = np.where(allowed, starts[row, 1:, None] + ends[row, None, 1:], -1e5)
            first, last = divmod(int(sums.argmax()), sums.shape[1])
            found = set(range(first + 1, last + 2))
            gold = [set(range(a, b + 1)) for a, b in feature.targets if a]
            overlap = max((2 * len(found & g) / (len(found) + len(g)) for g in gold), default=0.0)
            none = starts[row, 0] + ends[row, 0]
            yield float(sums.max() - none), float(overlap == 1.0), overlap

    def export(self, folder: Path) -> None:
        """Write the model and its tokenizer, for `qa.training.export`."""
        self.model.save_pretrained(folder)
        self.tokenizer.save(str(folder / "tokenizer.json"))
        (folder / "tokenizer_config.json").write_text(
            json.dumps({"tokenizer_class": "BertTokenizerFast", "do_lower_case": True}),
            encoding="utf-8",
        )

    def _save(self) -> None:
        """Write a checkpoint in place of the last; a kill at any time leaves a whole one."""
        state = {
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "at": (self.stage, self.epoch, self.step),
        }
        temporary = self.work / "checkpoint.tmp"
        torch.save(state, temporary)
        os.replace(temporary, self.work / "checkpoint.pt")
        self._saved = time.monotonic()

    def _resume(self) -> None:
        path = self.work / "checkpoint.pt"
        if path.exists():
            state = torch.load(path, weights_only=True)
            self.model.load_state_dict(state["model"])
            self.optimizer.load_state_dict(state["optimizer"])
            self.stage, self.epoch, self.step = state["at"]

    def _log(self, **values: object) -> None:
        at = {"stage": self.stage, "epoch": self.epoch, "step": self.step}
        line = json.dumps({**at, **values, "time": time.strftime("%H:%M:%S")})
        print(line, flush=True)
        with (self.work / "log.jsonl").open("a", encoding="utf-8") as log:
            log.write(line + "\n")


def read(model: torch.nn.Module, batch: Batch) -> tuple[torch.Tensor, torch.Tensor]:
    """Start and end logits [rows, tokens], float32; far below any other where not `readable`."""
    inputs = {"input_ids": batch.ids, "attention_mask": batch.mask}
    if "token_type_ids" in inspect.signature(model.forward).parameters:
        inputs["token_type_ids"] = batch.segments
    output = model(**{name: torch.from_numpy(values) for name, values in inputs.items()})
    unreadable = torch.from_numpy(~batch.readable)
    starts = output.start_logits.float().masked_fill(unreadable, -1e4)
    return starts, output.end_logits.float().masked_fill(unreadable, -1e4)


class _Dropout(torch.nn.Module):
    """Dropout from bytes of a NumPy generator: PyTorch's own runs on one core only."""

    def __init__(self) -> None:
        super().__init__()
        self.dice = np.random.default_rng(SEED)

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        if not self.training:
            return values
        drawn = np.frombuffer(self.dice.bytes(values.numel()), np.uint8)
        kept = torch.from_numpy(drawn >= DROPPED).view(values.shape)
        return values * (kept.to(values.dtype) * (256 / (256 - DROPPED)))


def _replace_dropout(model: torch.nn.Module) -> _Dropout:
    """Put one `_Dropout` in place of every dropout of hidden states."""
    shared = _Dropout()
    for module in list(model.modules()):
        for name, child in list(module.named_children()):
            if isinstance(child, torch.nn.Dropout) and child.p > 0:
                setattr(module, name, shared)
    return shared


def cross_entropy(logits: torch.Tensor, targets: npt.NDArray[np.float32]) -> torch.Tensor:
    """Mean over rows of the cross-entropy of distributions over tokens."""
    return -(torch.from_numpy(targets) * torch.log_softmax(logits, -1)).sum(-1).mean()


def _parts(features: Sequence[Feature]) -> Iterator[Sequence[Feature]]:
    for at in range(0, len(features), 32):
        yield features[at : at + 32]


if __name__ == "__main__":
    main()
