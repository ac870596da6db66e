"""How fast the reader's engine is on inputs of 256 tokens, beside PyTorch with the same weights."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from index.inference import Array, Engine

from .measuring import Latency, latency, tracked

BATCHES = (1, 8, 16)
TOKENS = 256
TURNS = 6  # of each engine at each size, in rotation: a slow moment of the machine hits them all
RUNS = 5  # measured in a turn, after one that wakes the engine up


@dataclass(frozen=True, slots=True, kw_only=True)
class ReaderSpeed:
    """Inputs of TOKENS tokens in batches of one size, on one engine.

    Attributes:
        latency: milliseconds a batch.
        per_input: the median's milliseconds an input.
    """

    engine: str
    batch: int
    tokens: int
    runs: int
    latency: Latency
    per_input: float
    inputs_per_second: float


def measure_engines(
    engines: Sequence[Engine],
    *,
    batches: Sequence[int] = BATCHES,
    turns: int = TURNS,
    runs: int = RUNS,
    seed: int = 0,
) -> list[ReaderSpeed]:
    """Run the engines in turns on full rows of random tokens, warm.

    Every engine uses the threads that it takes by itself: one a core, unless `DATELINE_THREADS`
    (the shipped engines) or `OMP_NUM_THREADS` (PyTorch) say otherwise.
    """
    inputs = {batch: random_inputs(batch, seed) for batch in batches}
    pairs = [(engine, batch) for engine in range(len(engines)) for batch in batches]
    times: dict[tuple[int, int], list[float]] = {pair: [] for pair in pairs}
    order = [(engine, batch) for batch in batches for engine in range(len(engines))]
    for engine, batch in order:
        engines[engine].run(inputs[batch])  # prepares the engine for the shape
    for engine, batch in tracked(order * turns, "timing the reader"):
        spent = [_milliseconds(engines[engine], inputs[batch]) for _ in range(runs + 1)]
        times[engine, batch] += spent[1:]
    return [_speed(engines[pair[0]].name, pair[1], times[pair]) for pair in pairs]


def _speed(engine: str, batch: int, milliseconds: Sequence[float]) -> ReaderSpeed:
    spent = latency(milliseconds)
    return ReaderSpeed(
        engine=engine,
        batch=batch,
        tokens=TOKENS,
        runs=len(milliseconds),
        latency=spent,
        per_input=spent.p50 / batch,
        inputs_per_second=1000 * batch / spent.p50,
    )


def random_inputs(batch: int, seed: int = 0) -> dict[str, Array]:
    """A batch without padding, the last three quarters of each row being its passage."""
    ids = np.random.default_rng(seed).integers(1000, 20000, (batch, TOKENS))
    segments = np.zeros_like(ids)
    segments[:, TOKENS // 4 :] = 1
    return {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": segments}


def _milliseconds(engine: Engine, inputs: dict[str, Array]) -> float:
    started = time.perf_counter()
    engine.run(inputs)
    return 1000 * (time.perf_counter() - started)
