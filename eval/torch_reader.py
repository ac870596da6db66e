"""The reader's weights in PyTorch, the measure for the shipped engine's speed and precision.

The question path never imports this module, nor torch and transformers, which only it needs.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from index.errors import ReaderError, UsageError
from index.inference import Array, OnnxRuntime

if TYPE_CHECKING:
    import torch

HEAD_SIZES = (32, 64)  # an ONNX file does not name it; all BERTs have one of these
TOLERANCE = 1e-2  # logits; two float32 engines differ by about 1e-5


class TorchEngine:
    """An `index.inference.Engine` on a Hugging Face question-answering model, on the CPU.

    Args:
        bf16: run under bfloat16 autocast instead of in float32.
    """

    def __init__(self, model: torch.nn.Module, *, bf16: bool = False) -> None:
        self.name = "torch bfloat16" if bf16 else "torch float32"
        self._model = model
        self._bf16 = bf16

    def run(self, inputs: Mapping[str, Array]) -> list[npt.NDArray[np.float32]]:
        import torch  # noqa: PLC0415

        tensors = {name: torch.from_numpy(values) for name, values in inputs.items()}
        with (
            torch.inference_mode(),
            torch.autocast("cpu", dtype=torch.bfloat16, enabled=self._bf16),
        ):
            output = self._model(**tensors)
        return [logits.float().numpy() for logits in (output.start_logits, output.end_logits)]


def load_folder(folder: Path) -> torch.nn.Module:
    """The question-answering model of a Hugging Face folder, in float32.

    Raises:
        UsageError: there is none.
    """
    import torch  # noqa: PLC0415
    from transformers import AutoModelForQuestionAnswering  # noqa: PLC0415
    from transformers.utils.logging import disable_progress_bar  # noqa: PLC0415

    disable_progress_bar()  # type: ignore[no-untyped-call]
    try:
        model: torch.nn.Module = AutoModelForQuestionAnswering.from_pretrained(
            folder, dtype=torch.float32, local_files_only=True
        )
    except (OSError, ValueError) as error:
        raise UsageError(
            f"{folder} holds no model that PyTorch can load: {error}",
            "Give a Hugging Face folder: config.json and model.safetensors.",
        ) from error
    return model.eval()


def load_onnx(path: Path) -> torch.nn.Module:
    """The BERT behind a reader's model.onnx, as `index.export` writes it, in float32.

    Its logits are compared with ONNX Runtime's before it is returned.

    Raises:
        ReaderError: the file is not such a model.
    """
    import torch  # noqa: PLC0415
    from transformers import BertConfig, BertForQuestionAnswering  # noqa: PLC0415

    ids = np.array([[101, *range(2000, 2030), 102]] * 2, np.int64)
    inputs = {
        "input_ids": ids,
        "attention_mask": np.ones_like(ids),
        "token_type_ids": (np.arange(ids.shape[1]) >= 8).astype(np.int64)[None].repeat(2, 0),
    }
    try:
        expected = OnnxRuntime(path).run(inputs)
        weights = _weights(path)
        embeddings = "bert.embeddings.{}_embeddings.weight"
        words, width = weights[embeddings.format("word")].shape
        for size in HEAD_SIZES:
            settings = BertConfig(
                vocab_size=words,
                hidden_size=width,
                intermediate_size=len(weights["bert.encoder.layer.0.intermediate.dense.bias"]),
                num_hidden_layers=sum(name.endswith("output.dense.bias") for name in weights) // 2,
                num_attention_heads=width // size,
                max_position_embeddings=len(weights[embeddings.format("position")]),
                type_vocab_size=len(weights[embeddings.format("token_type")]),
            )
            model: torch.nn.Module = BertForQuestionAnswering(settings)
            model.eval()
            model.load_state_dict({name: torch.tensor(values) for name, values in weights.items()})
            found = TorchEngine(model).run(inputs)
            if all(
                np.allclose(*pair, atol=TOLERANCE) for pair in zip(found, expected, strict=True)
            ):
                return model
    except Exception as error:  # the engine, onnx and torch raise whatever they like
        raise _unknown(path, f": {error}") from error
    raise _unknown(path, "")


def _unknown(path: Path, detail: str) -> ReaderError:
    return ReaderError(
        f"PyTorch cannot run the weights in {path}{detail}.",
        "Give the Hugging Face folder that it was exported from: --torch FOLDER",
    )


def _weights(path: Path) -> dict[str, npt.NDArray[np.float32]]:
    """The parameters in an exported ONNX file, by their names in PyTorch.

    The exporter keeps all names but those of the linear layers' weights, which it transposes:
    each is known by the bias that is added to its product.
    """
    import onnx  # noqa: PLC0415

    graph: Any = onnx.load(str(path)).graph
    stored = {
        tensor.name.removesuffix("_half"): onnx.numpy_helper.to_array(tensor).astype(np.float32)
        for tensor in graph.initializer
        if tensor.data_type in (onnx.TensorProto.FLOAT, onnx.TensorProto.FLOAT16)
    }
    factors = {node.output[0]: node.input[1] for node in graph.node if node.op_type == "MatMul"}
    for node in graph.node:
        if node.op_type == "Add" and node.input[0] in factors and node.input[1].endswith(".bias"):
            weight = node.input[1].removesuffix("bias") + "weight"
            stored[weight] = stored[factors[node.input[0]]].T
    return {
        name.removeprefix("model."): values
        for name, values in stored.items()
        if name.startswith("model.")
    }
