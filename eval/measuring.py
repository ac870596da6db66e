"""What a run costs: time, memory, fresh processes; how long it still takes, and on what it ran."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any, NamedTuple, ParamSpec, TypeVar

import numpy as np

P = ParamSpec("P")
T = TypeVar("T")

LINE_EVERY = 20.0  # seconds between two lines of progress where there is no terminal

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


def in_fresh_process(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Call a function in a new process, so that the memory it needs is measured alone."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(function, *args, **kwargs).result()


def peak_memory_mib() -> float | None:
    """Peak resident memory of this process so far, in MiB; None where it cannot be known."""
    # Linux counts into `ru_maxrss` what the process was before it became this program: its parent.
    for line in _lines_of("/proc/self/status"):
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    try:
        import resource  # noqa: PLC0415 - not on Windows
    except ImportError:
        return None
    return _mib(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)


def machine() -> dict[str, Any]:
    """What figures are measured on: processor, cores this process may use, Python, system load.

    `load` is the average number of running processes in the last minute: above zero at the start
    of a measurement, something else was running.
    """
    described = (line.partition(":") for line in _lines_of("/proc/cpuinfo"))
    names = (value.strip() for key, _, value in described if key.strip() == "model name")
    affinity = getattr(os, "sched_getaffinity", None)
    return {
        "processor": next(names, "") or platform.processor() or platform.machine(),
        "cores": len(affinity(0)) if affinity else os.cpu_count(),
        "python": platform.python_version(),
        "load": round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None,
    }


def tracked(items: Sequence[T], description: str) -> Iterable[T]:
    """The same items; progress on stderr: a bar on a terminal, elsewhere a line now and then."""
    from rich.console import Console  # noqa: PLC0415
    from rich.progress import track  # noqa: PLC0415

    if not sys.stderr.isatty():
        return _told(items, description)
    return track(items, description, console=Console(stderr=True))


def _told(items: Sequence[T], description: str) -> Iterator[T]:
    start = last = time.perf_counter()
    for done, item in enumerate(items):
        now = time.perf_counter()
        if done and now - last >= LINE_EVERY:
            last, left = now, (now - start) / done * (len(items) - done)
            print(
                f"{description}: {done:,} of {len(items):,}, {left:.0f} s left",
                file=sys.stderr,
                flush=True,
            )
        yield item


def _lines_of(path: str) -> list[str]:
    """The lines of one of Linux's own files; none on other systems."""
    try:
        return Path(path).read_text(encoding="utf-8").splitlines()
    except OSError:
        return []


def _mib(ru_maxrss: float) -> float:
    """`ru_maxrss` is in KiB, except on macOS, where it is in bytes."""
    return ru_maxrss / (1 << 20 if sys.platform == "darwin" else 1 << 10)
