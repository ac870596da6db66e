"""Lets the trained reader learn from a larger one (Hinton, Vinyals and Dean, 2015).

    python -m qa.training.distil DATA_FOLDER WORK_FOLDER --student MODEL --teacher MODEL

Both read the same new questions, answerable and not; the student's logits are drawn to the
teacher's as well as to the annotators' answers. It says more than these: which other spans would
almost do, and how far a question is from having an answer. In the end the weights are averaged
with those before, which is better than either on questions held out. The two vocabularies must
hold the same word pieces (BERT's and MPNet's do). Progress is saved and taken up as in
`qa.training.train`.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from tokenizers import Tokenizer
from transformers import AutoModelForQuestionAnswering

from .features import SPECIAL, Batch, special_token
from .train import START, Recipe, Stage, Training, cross_entropy, read

DISTILLED = Recipe(
    (Stage("taught", epochs=1, batch=32, rate=1.5e-4, last_rate=0.0, changed_share=0.30),),
    averaged=(START, 0),
)
TEMPERATURE = 2.0
TAUGHT = 0.7  # weight of the teacher's distribution; the annotators' has the rest


class Distillation(Training):
    """A training run with a teacher, which can be stopped and taken up again at any step."""

    def __init__(
        self, data: Path, work: Path, student: Path, teacher: Path, recipe: Recipe = DISTILLED
    ) -> None:
        super().__init__(data, work, student, recipe)
        self.teacher = AutoModelForQuestionAnswering.from_pretrained(
            teacher, dtype=torch.bfloat16, attn_implementation="eager"
        ).eval()
        self._ids = translation(
            self.tokenizer, Tokenizer.from_file(str(teacher / "tokenizer.json"))
        )

    def _loss(self, batch: Batch) -> torch.Tensor:
        with torch.no_grad():
            taught = read(self.teacher, batch._replace(ids=self._ids[batch.ids]))
        learnt = self._logits(batch)
        loss = torch.zeros(())
        for logits, wanted, gold in zip(learnt, taught, (batch.starts, batch.ends), strict=True):
            softened = torch.softmax(wanted / TEMPERATURE, -1).numpy()
            imitation = TEMPERATURE**2 * cross_entropy(logits / TEMPERATURE, softened)
            loss = loss + TAUGHT * imitation + (1 - TAUGHT) * cross_entropy(logits, gold)
        return loss


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
