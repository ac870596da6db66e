"""Our reader's weights in the form that the peers load: a Hugging Face folder."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from ..torch_reader import load_onnx

# Nothing may be fetched and nothing told: a peer runs on what it is given.
OFFLINE = {
    "HF_HUB_OFFLINE": "1",
    "TRANSFORMERS_OFFLINE": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "HAYSTACK_TELEMETRY_ENABLED": "False",
    "HF_HUB_DISABLE_PROGRESS_BARS": "1",
}


def go_offline() -> None:
    """Keep the peers' libraries off the network; to be called before they are imported."""
    os.environ.update(OFFLINE)


def export_reader(folder: Path) -> None:
    """Write the shipped reader as a BERT for question answering, in float32.

    The weights come out of model.onnx, and their logits have been compared with ONNX Runtime's
    (`torch_reader.load_onnx`).

    Raises:
        ReaderError: the shipped model cannot be turned back.
    """
    go_offline()
    from tokenizers import Tokenizer  # noqa: PLC0415
    from transformers import PreTrainedTokenizerFast  # noqa: PLC0415

    from qa.reader import SHIPPED  # noqa: PLC0415

    tokenizer = Tokenizer.from_file(str(SHIPPED / "tokenizer.json"))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    names = {f"{name}_token": f"[{name.upper()}]" for name in ("unk", "sep", "pad", "cls", "mask")}
    model = load_onnx(SHIPPED / "model.onnx")
    unfinished = folder.with_name(f"{folder.name}.tmp")
    shutil.rmtree(unfinished, ignore_errors=True)
    model.save_pretrained(unfinished)  # type: ignore[operator]
    PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=tokenizer,
        model_max_length=model.config.max_position_embeddings,  # type: ignore[union-attr]
        model_input_names=["input_ids", "token_type_ids", "attention_mask"],
        **names,
    ).save_pretrained(str(unfinished))
    unfinished.rename(folder)
