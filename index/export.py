"""Turns a PyTorch model into the ONNX file that the question path runs.

Everything heavy (torch, sentence-transformers, onnx) is imported here and nowhere else in `index`,
and this module is imported only when a model is exported: once per model and machine.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import tempfile
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .errors import EmbedderError

if TYPE_CHECKING:
    import torch

ATTENTION = "eager"  # written out, attention is what the engines know how to fuse
SMALL_TENSOR = 1024  # values; biases and norms below it stay float32, they cost nothing


def export_embedder(name: str, folder: Path) -> None:
    """Export a sentence-transformers model to `folder`: model.onnx, tokenizer.json, embedder.json.

    The ONNX model takes `input_ids` and `attention_mask` (int64, [batch, tokens]) and returns the
    pooled sentence vectors ([batch, dimension]) exactly as the model's own modules make them.

    Raises:
        EmbedderError: the model cannot be loaded or has no fast tokenizer.
    """
    os.environ.setdefault("HF_HUB_OFFLINE", "1")  # offline is a promise, not a default of others
    with _quiet():
        import torch  # noqa: PLC0415
        from sentence_transformers import SentenceTransformer  # noqa: PLC0415

        try:
            model = SentenceTransformer(
                name, device="cpu", model_kwargs={"attn_implementation": ATTENTION}
            )
        except Exception as error:  # the library raises whatever its loaders raise
            raise EmbedderError(
                f"The embedding model {name!r} cannot be loaded: {error}",
                "Give the path of a sentence-transformers model folder; nothing is downloaded.",
            ) from error
        tokenizer = model.tokenizer
        tokenizer.save_pretrained(folder / "tokenizer")
        if not (folder / "tokenizer" / "tokenizer.json").exists():
            raise EmbedderError(
                f"The embedding model {name!r} has no fast tokenizer (tokenizer.json).",
                "Choose a model that has one.",
            )
        (folder / "tokenizer" / "tokenizer.json").replace(folder / "tokenizer.json")
        for rest in (folder / "tokenizer").iterdir():
            rest.unlink()
        (folder / "tokenizer").rmdir()

        class Pooled(torch.nn.Module):
            def __init__(self) -> None:
                super().__init__()
                self.model = model

            def forward(self, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
                features = {"input_ids": ids, "attention_mask": mask}
                return self.model(features)["sentence_embedding"]  # type: ignore[no-any-return]

        example = tokenizer(["one two three", "four"], padding=True, return_tensors="pt")
        export_onnx(
            Pooled().eval(),
            {name: example[name] for name in ("input_ids", "attention_mask")},
            ["sentence_vector"],
            folder / "model.onnx",
        )
        prompts = model.prompts
        description = {
            "dimension": model.get_embedding_dimension(),
            "max_tokens": model.max_seq_length or 512,
            "query_prompt": prompts.get("query", ""),
            "document_prompt": prompts.get("document", "") or prompts.get("passage", ""),
        }
    (folder / "embedder.json").write_text(json.dumps(description, indent=1), encoding="utf-8")


def export_onnx(
    model: torch.nn.Module,
    example: dict[str, torch.Tensor],
    outputs: Sequence[str],
    path: Path,
) -> None:
    """Write `model` as ONNX with free batch and token axes, weights stored in half precision.

    Weights are float16 on disk and cast to float32 when loaded, so that the arithmetic stays in
    the engine's own precision; the rounding costs a cosine of about 1e-7.

    Args:
        example: the inputs by name, in the order of `forward`'s parameters.
    """
    import torch  # noqa: PLC0415

    axes = {0: torch.export.Dim("batch", min=1), 1: torch.export.Dim("tokens", min=2, max=512)}
    with _quiet(), tempfile.TemporaryDirectory() as folder:
        program = torch.onnx.export(
            model,
            tuple(example.values()),
            input_names=list(example),
            output_names=list(outputs),
            dynamic_shapes=tuple(axes for _ in example),
            opset_version=18,
            dynamo=True,
        )
        assert program is not None
        full = Path(folder) / "full.onnx"
        program.save(str(full))
        _store_half(full, path)


def _store_half(source: Path, target: Path) -> None:
    """Copy an ONNX file with its large float32 weights stored as float16 behind a Cast."""
    import numpy as np  # noqa: PLC0415
    import onnx  # noqa: PLC0415

    model = onnx.load(str(source))
    graph = model.graph
    weights: list[Any] = []
    casts: list[Any] = []
    for tensor in graph.initializer:
        values = onnx.numpy_helper.to_array(tensor)
        if tensor.data_type != onnx.TensorProto.FLOAT or values.size <= SMALL_TENSOR:
            weights.append(tensor)
            continue
        half = f"{tensor.name}_half"
        weights.append(onnx.numpy_helper.from_array(values.astype(np.float16), half))
        casts.append(
            onnx.helper.make_node("Cast", [half], [tensor.name], to=onnx.TensorProto.FLOAT)
        )
    nodes = list(graph.node)
    del graph.initializer[:], graph.node[:]
    graph.initializer.extend(weights)
    graph.node.extend(casts + nodes)
    onnx.checker.check_model(model)
    onnx.save(model, str(target))


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep the exporters' chatter (progress, deprecations) off the user's terminal."""
    with (
        warnings.catch_warnings(),
        open(os.devnull, "w") as nowhere,
        contextlib.redirect_stdout(nowhere),
        contextlib.redirect_stderr(nowhere),
    ):
        warnings.simplefilter("ignore")
        before = logging.root.manager.disable
        logging.disable(logging.WARNING)
        try:
            yield
        finally:
            logging.disable(before)
