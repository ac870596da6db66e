"""What a run costs: time, memory, fresh processes; and how long it still takes."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable, Sequence
from typing import NamedTuple, TypeVar

import numpy as np

T = TypeVar("T")

# A child's peak is counted from its parent's size at the fork, so the measured command gets a
# parent of its own that is small. Where there is no `resource` module (Windows), the peak is null.
_LAUNCHER = """
import json, subprocess, sys, time
start = time.perf_counter()
child = subprocess.run(sys.argv[1:], capture_output=True, text=True, encoding="utf-8")
seconds = time.perf_counter() - start
try:
    import resource
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
except ImportError:
    peak = None
print(json.dumps([child.returncode, child.stdout, child.stderr, seconds, peak]))
"""


class Latency(NamedTuple):
    """Milliseconds a question: median and 95th percentile."""

    p50: float
    p95: float


class FreshRun(NamedTuple):
    """One command in a process of its own: wall seconds, peak memory in MiB where known."""

    code: int
    stdout: str
    stderr: str
    seconds: float
    peak_mib: float | None


def latency(milliseconds: Sequence[float]) -> Latency:
    """The latency of the given calls; zero for none."""
    if not milliseconds:
        return Latency(0.0, 0.0)
    p50, p95 = np.percentile(np.asarray(milliseconds, dtype=np.float64), [50, 95])
    return Latency(float(p50), float(p95))


def run_fresh(arguments: Sequence[str]) -> FreshRun:
    """Run `python ARGUMENTS...` with this interpreter; its output is UTF-8 text."""
    launcher = [sys.executable, "-S", "-c", _LAUNCHER, sys.executable, *arguments]
    done = subprocess.run(launcher, check=True, capture_output=True, text=True)
    code, stdout, stderr, seconds, peak = json.loads(done.stdout)
    return FreshRun(code, stdout, stderr, seconds, None if peak is None else _mib(peak))


def peak_memory_mib() -> float | None:
    """Peak resident memory of this process so far, in MiB; None where it cannot be known."""
    try:
        import resource  # noqa: PLC0415 - not on Windows
    except ImportError:
        return None
    return _mib(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)


def tracked(items: Sequence[T], description: str) -> Iterable[T]:
    """The same items with a progress bar on stderr, if that is a terminal."""
    from rich.console import Console  # noqa: PLC0415
    from rich.progress import track  # noqa: PLC0415

    return track(items, description, console=Console(stderr=True), disable=not sys.stderr.isatty())


def _mib(ru_maxrss: float) -> float:
    """`ru_maxrss` is in KiB, except on macOS, where it is in bytes."""
    return ru_maxrss / (1 << 20 if sys.platform == "darwin" else 1 << 10)
