"""Exports a trained extractive reader to the form that Dateline ships and runs.

    python -m qa.training.export MODEL_FOLDER qa/models/reader

MODEL_FOLDER holds a Hugging Face question-answering model (start and end logits, no-answer at the
first token) with its tokenizer.json. Calibration weights already in the target are kept.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import shutil
from pathlib import Path

import torch
from transformers import AutoModelForQuestionAnswering, AutoTokenizer

from index.export import ATTENTION, export_onnx

OUTPUTS = ("start_logits", "end_logits")


class _Logits(torch.nn.Module):
    """The bare forward pass: two tensors in a fixed order."""

    def __init__(self, model: torch.nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(
        self, ids: torch.Tensor, mask: torch.Tensor, segments: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        output = self.model(input_ids=ids, attention_mask=mask, token_type_ids=segments)
        return output.start_logits, output.end_logits


def export(source: Path, target: Path) -> None:
    """Write model.onnx, tokenizer.json and reader.json (with the model's SHA-256) to `target`."""
    target.mkdir(parents=True, exist_ok=True)
    model = AutoModelForQuestionAnswering.from_pretrained(
        source, dtype=torch.float32, attn_implementation=ATTENTION
    ).eval()
    tokenizer = AutoTokenizer.from_pretrained(source)
    example = tokenizer(["Who came?"] * 2, ["Ann came.", "Nobody."], padding=True)
    inputs = {
        name: torch.tensor(example[name])
        for name in ("input_ids", "attention_mask", "token_type_ids")
    }
    export_onnx(_Logits(model), inputs, OUTPUTS, target / "model.onnx")
    shutil.copyfile(source / "tokenizer.json", target / "tokenizer.json")
    settings = target / "reader.json"
    description = json.loads(settings.read_text(encoding="utf-8")) if settings.exists() else {}
    description["sha256"] = hashlib.sha256((target / "model.onnx").read_bytes()).hexdigest()
    settings.write_text(json.dumps(description, indent=1) + "\n", encoding="utf-8")


def main() -> None:
    """Command line of this module."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("source", type=Path)
    parser.add_argument("target", type=Path)
    arguments = parser.parse_args()
    export(arguments.source, arguments.target)


if __name__ == "__main__":
    main()
