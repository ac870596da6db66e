"""Lets the trained reader learn from a larger one (Hinton, Vinyals and Dean, 2015).

    python -m qa.training.distil DATA_FOLDER WORK_FOLDER --student MODEL --teacher MODEL

Both read the same new questions; the student's logits are drawn to the teacher's as well as to the
annotators' answers. It says more than these: which other spans would almost do. Whether there is an
answer at all, the labels know better than it does, so its "no answer" is left out. In the end the
weights are averaged with those before, which is better than either on questions held out. The two
vocabularies must hold the same word pieces (BERT's and MPNet's do). Progress is saved and taken up
as in `qa.training.train`.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import numpy.typing as npt
import openvino
import torch
from tokenizers import Tokenizer
from transformers import AutoModelForQuestionAnswering

from .features import SPECIAL, Batch, special_token
from .train import START, Recipe, Stage, Training, cross_entropy

DISTILLED = Recipe(
    (
        Stage("taught", epochs=1, batch=32, rate=1.5e-4, last_rate=0.0, changed_share=0.30),
        Stage("taught", 2, batch=32, rate=1.5e-4, last_rate=0.0, changed_share=0.30, slips=0.30),
    ),
    averaged=(START, 1),
)
TEMPERATURE = 2.0
TAUGHT = 0.5  # weight of the teacher's distribution; the annotators' has the rest


class Distillation(Training):
    """A training run with a teacher, which can be stopped and taken up again at any step."""

    def __init__(
        self, data: Path, work: Path, student: Path, teacher: Path, recipe: Recipe = DISTILLED
    ) -> None:
        super().__init__(data, work, student, recipe)
        self._teacher = _Teacher(teacher, self.tokenizer)

    def _loss(self, batch: Batch) -> torch.Tensor:
        answerable = torch.from_numpy(batch.starts[:, 0] == 0)
        taught = self._teacher.spans(batch)
        learnt = self._logits(batch)
        loss = torch.zeros(())
        for logits, wanted, gold in zip(learnt, taught, (batch.starts, batch.ends), strict=True):
            softened = torch.softmax(wanted / TEMPERATURE, -1)
            likely = torch.log_softmax(logits[:, 1:] / TEMPERATURE, -1)
            imitation = -(softened * likely).sum(-1)[answerable].sum() / len(answerable)
            loss = loss + TAUGHT * TEMPERATURE**2 * imitation
            loss = loss + (1 - TAUGHT) * cross_entropy(logits, gold)
        return loss


class _Teacher:
    """A larger reader, run by OpenVINO, which is faster than PyTorch by a third."""

    def __init__(self, folder: Path, student: Tokenizer) -> None:
        model = AutoModelForQuestionAnswering.from_pretrained(
            folder, dtype=torch.float32, attn_implementation="eager"
        ).eval()
        example = (torch.ones(2, 8, dtype=torch.long),) * 2
        any_shape = [openvino.PartialShape([-1, -1])] * 2
        converted = openvino.convert_model(_Logits(model), input=any_shape, example_input=example)
        self._run = openvino.Core().compile_model(
            converted, "CPU", {"INFERENCE_PRECISION_HINT": "bf16"}
        )
        self._ids = translation(student, Tokenizer.from_file(str(folder / "tokenizer.json")))

    def spans(self, batch: Batch) -> list[torch.Tensor]:
        """Start and end logits [rows, tokens - 1] of the passage: "no answer" is left out."""
        outputs = self._run([self._ids[batch.ids], batch.mask])
        hidden = ~batch.readable[:, 1:]
        return [
            torch.from_numpy(outputs[i][:, 1:]).masked_fill(torch.from_numpy(hidden), -1e4)
            for i in range(2)
        ]


class _Logits(torch.nn.Module):
    def __init__(self, model: torch.nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, ids: torch.Tensor, mask: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        output = self.model(input_ids=ids, attention_mask=mask)
        return output.start_logits, output.end_logits


def translation(student: Tokenizer, teacher: Tokenizer) -> npt.NDArray[np.int64]:
    """The teacher's id of every id of the student's.

    Raises:
        ValueError: the student has a word piece that the teacher lacks.
    """
    ids = np.zeros(student.get_vocab_size(), np.int64)
    theirs = teacher.get_vocab()
    for token, own in student.get_vocab().items():
        if token in SPECIAL:
            ids[own] = special_token(teacher, token)
        elif token in theirs:
            ids[own] = theirs[token]
        else:
            raise ValueError(f"The teacher does not know the student's word piece {token!r}.")
    return ids


def main() -> None:
    """Command line of this module."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", type=Path, help="folder with SOURCE.jsonl.gz files")
    parser.add_argument("work", type=Path, help="folder for checkpoints and the model")
    parser.add_argument("--student", type=Path, required=True, help="model to teach")
    parser.add_argument("--teacher", type=Path, required=True, help="model to learn from")
    arguments = parser.parse_args()
    Distillation(arguments.data, arguments.work, arguments.student, arguments.teacher).run()


if __name__ == "__main__":
    main()
