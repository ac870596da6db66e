"""Runs ONNX models on the CPU with a light engine: OpenVINO, or ONNX Runtime where it is missing.

OpenVINO uses the CPU's bf16 units where there are any (AMX, AVX-512 BF16) and is the faster of
the two without them as well; ONNX Runtime is the portable fallback. The environment variable
`DATELINE_ENGINE` (`openvino` or `onnxruntime`) overrides the choice, `DATELINE_THREADS` the number
of threads.
"""

from __future__ import annotations

import importlib.util
import os
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import platformdirs

from .errors import UsageError

Array = npt.NDArray[Any]
WIDTH_STEP = 32
ENGINES = ("openvino", "onnxruntime")


class Engine(Protocol):
    """A loaded model; `run` may be called from several threads."""

    name: str

    def run(self, inputs: Mapping[str, Array]) -> list[npt.NDArray[np.float32]]:
        """The model's outputs, in the order in which the model declares them."""
        ...


def cache_folder() -> Path:
    """Where exported and compiled models are kept (`DATELINE_CACHE` overrides it)."""
    return Path(os.environ.get("DATELINE_CACHE") or platformdirs.user_cache_dir("dateline"))


def engine_name() -> str:
    """The engine this process uses.

    Raises:
        UsageError: `DATELINE_ENGINE` names no known engine.
    """
    chosen = os.environ.get("DATELINE_ENGINE", "")
    if chosen and chosen not in ENGINES:
        raise UsageError(
            f"DATELINE_ENGINE is {chosen!r}.", f"Set it to one of: {', '.join(ENGINES)}."
        )
    return chosen or ("openvino" if importlib.util.find_spec("openvino") else "onnxruntime")


def load_engine(model: Path) -> Engine:
    """Load an ONNX file into the engine of `engine_name()`."""
    threads = os.environ.get("DATELINE_THREADS") or "0"
    if not threads.isdecimal():
        raise UsageError(f"DATELINE_THREADS is {threads!r}.", "Set it to a number of threads.")
    return (OpenVino if engine_name() == "openvino" else OnnxRuntime)(model, int(threads))


def padded_width(tokens: int) -> int:
    """Width of a batch whose longest row has so many tokens.

    Engines prepare themselves for every new input shape (about 10 ms, and memory); a few round
    widths keep the number of shapes small.
    """
    return -(-max(tokens, 1) // WIDTH_STEP) * WIDTH_STEP


class OpenVino:
    """OpenVINO on the CPU, in the precision it prefers there (bf16 where there are units for it).

    The compiled model is cached on disk: later starts load it in well under 0.1 s.
    """

    name = "openvino"

    def __init__(self, model: Path, threads: int = 0) -> None:
        # OpenVINO reports every import to an analytics service unless this package is missing;
        # Dateline opens no connection.
        sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
        import openvino  # noqa: PLC0415 - only the chosen engine is imported

        settings: dict[str, Any] = {"PERFORMANCE_HINT": "LATENCY"}
        if threads:
            settings["INFERENCE_NUM_THREADS"] = threads
        compiled = cache_folder() / "openvino"
        try:
            compiled.mkdir(parents=True, exist_ok=True)
            settings["CACHE_DIR"] = str(compiled)
        except OSError:
            pass  # a read-only home only costs start-up time
        self._model = openvino.Core().compile_model(str(model), "CPU", settings)
        self._local = threading.local()

    def run(self, inputs: Mapping[str, Array]) -> list[npt.NDArray[np.float32]]:
        request = getattr(self._local, "request", None)
        if request is None:  # a request holds its own buffers, so each thread has one
            request = self._local.request = self._model.create_infer_request()
        request.infer(dict(inputs))
        outputs = range(len(self._model.outputs))
        return [np.array(request.get_output_tensor(i).data) for i in outputs]


class OnnxRuntime:
    """ONNX Runtime on the CPU, in float32."""

    name = "onnxruntime"

    def __init__(self, model: Path, threads: int = 0) -> None:
        import onnxruntime  # noqa: PLC0415 - only the chosen engine is imported

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.log_severity_level = 3
        self._session = onnxruntime.InferenceSession(
            str(model), options, providers=["CPUExecutionProvider"]
        )

    def run(self, inputs: Mapping[str, Array]) -> list[npt.NDArray[np.float32]]:
        return list(self._session.run(None, dict(inputs)))
