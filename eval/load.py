"""What the service stands: questions a second, times and errors by number of clients, memory.

`dateline eval load` and `make load` print this. A server of its own, in a fresh process on the
loopback address, is asked by clients that send their next request when the last is answered (a
closed loop), so that the times are those of so many people at once, and nothing is left out of them
while the server is slow. Its limits are the product's, but for the rate of one address: with up to
34 clients nobody is refused.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import re
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple, TypeAlias

import httpx
import numpy as np

from index.errors import DatelineError

from .measuring import tracked
from .questions import bundled_questions

CLIENTS = (1, 8, 32)
START_SECONDS = 120
TIMEOUT = 120  # seconds a client waits for one reply
READINGS = 10  # of the server's memory, while it is asked
_MEMORY = re.compile(r"^process_resident_memory_bytes (\S+)$", re.MULTILINE)

Kind = Literal["ask", "search", "mixed"]
Body: TypeAlias = dict[str, Any]


class Request(NamedTuple):
    """A POST: path and body."""

    path: str
    body: Body


class Reply(NamedTuple):
    """A status, 0 if there was no reply, and the milliseconds until it was there."""

    status: int
    milliseconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadResult:
    """Requests of so many clients at once; times in milliseconds, memory in MiB.

    Attributes:
        kind: what was asked: questions, searches, or both in turn.
        errors: replies by their status if it is not 200; "0" is no reply at all.
        per_second: replies of all clients together.
        memory: resident memory of the server, by how many requests it had answered.
    """

    kind: Kind
    clients: int
    requests: int
    errors: dict[str, int]
    seconds: float
    per_second: float
    p50: float
    p95: float
    p99: float
    memory: dict[int, float]


def run_load(
    index: Path,
    *,
    clients: Sequence[int] = CLIENTS,
    requests: int = 200,
    kind: Kind = "ask",
    readings: int = 1,
) -> Iterator[LoadResult]:
    """Ask a server over an index, by so many clients after one another; the server stays the same.

    Args:
        requests: for each number of clients.
        kind: "ask" asks the bundled sample's questions, "search" searches for them, "mixed" does
            both in turn.
        readings: how often memory is read, evenly among the requests.

    Raises:
        DatelineError: the server does not start.
    """
    with served(index) as url, httpx.Client(base_url=url, timeout=TIMEOUT) as probe:
        for request in _requests(kind):  # warm: models, caches and memory
            probe.post(request.path, json=request.body)
        for count in clients:
            yield _measure(probe, count, requests, kind, readings)


@contextlib.contextmanager
def served(index: Path) -> Iterator[str]:
    """The address of a server in a process of its own, ready to answer.

    Raises:
        DatelineError: it does not start.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    options = ["--port", str(port), "--rate-limit", "none", "--log-level", "warning"]
    command = [sys.executable, "-m", "qa.cli", "serve", "--index", str(index), *options]
    with (
        tempfile.TemporaryFile("w+") as log,
        subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=log) as process,
    ):
        try:
            until = time.monotonic() + START_SECONDS
            while not _is_ready(url):
                if process.poll() is not None or time.monotonic() > until:
                    log.seek(0)
                    raise DatelineError(f"The server did not start: {log.read().strip()[-500:]}")
                time.sleep(0.1)
            yield url
        finally:
            process.terminate()


def _is_ready(url: str) -> bool:
    try:
        return httpx.get(f"{url}/readyz").status_code == 200
    except httpx.TransportError:
        return False


def _requests(kind: Kind, count: int | None = None) -> list[Request]:
    """The bundled questions, or so many requests: the same again and again."""
    questions = [question.question for question in bundled_questions()]
    asked = [Request("/api/ask", {"question": question}) for question in questions]
    searched = [Request("/api/search", {"query": question}) for question in questions]
    mixed = [one for pair in zip(asked, searched, strict=True) for one in pair]
    chosen = {"ask": asked, "search": searched, "mixed": mixed}[kind]
    return list(itertools.islice(itertools.cycle(chosen), count or len(chosen)))


def _measure(
    probe: httpx.Client, clients: int, requests: int, kind: Kind, readings: int
) -> LoadResult:
    memory = {0: _memory_mib(probe.get("/metrics").text)}
    started = time.perf_counter()
    sent = _send(str(probe.base_url), _requests(kind, requests), clients, readings)
    replies, later = asyncio.run(sent)
    seconds = time.perf_counter() - started
    times = [reply.milliseconds for reply in replies]
    p50, p95, p99 = np.percentile(np.asarray(times, dtype=np.float64), [50, 95, 99])
    failed = Counter(str(reply.status) for reply in replies if reply.status != 200)
    return LoadResult(
        kind=kind,
        clients=clients,
        requests=len(replies),
        errors=dict(failed),
        seconds=seconds,
        per_second=len(replies) / seconds,
        p50=float(p50),
        p95=float(p95),
        p99=float(p99),
        memory=memory | later,
    )


async def _send(
    url: str, requests: Sequence[Request], clients: int, readings: int
) -> tuple[list[Reply], dict[int, float]]:
    """Send requests from so many clients, each with a connection of its own.

    Returns:
        the replies, and the server's memory by how many there were.
    """
    waiting = iter(tracked(requests, f"{clients} clients"))
    step = -(-len(requests) // readings)
    replies: list[Reply] = []
    memory: dict[int, float] = {}

    async def client() -> None:
        async with httpx.AsyncClient(base_url=url, timeout=TIMEOUT) as connection:
            for request in waiting:  # the clients share them
                started = time.perf_counter()
                try:
                    status = (await connection.post(request.path, json=request.body)).status_code
                except httpx.TransportError:
                    status = 0
                replies.append(Reply(status, 1000 * (time.perf_counter() - started)))
                if (count := len(replies)) % step == 0 or count == len(requests):
                    with contextlib.suppress(httpx.TransportError):
                        memory[count] = _memory_mib((await connection.get("/metrics")).text)

    await asyncio.gather(*(client() for _ in range(clients)))
    return replies, memory


def _memory_mib(metrics: str) -> float:
    """The server's resident memory, from its metrics; NaN on a system where it does not say."""
    found = _MEMORY.search(metrics)
    return float(found[1]) / 2**20 if found else float("nan")
