"""What Prometheus may ask, and one log line for every request."""

from __future__ import annotations

import logging
import re
import time
import uuid
from collections.abc import Iterator

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from index import Index
from index.errors import DatelineError

from ..answer import Answer
from .errors import unexpected
from .logs import request_id
from .pool import Pool

# Seconds; a question takes about 0.1 on two cores, a search about 0.01.
BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
METHODS = ("GET", "POST", "DELETE", "PUT", "PATCH", "HEAD", "OPTIONS")
PROBES = ("/healthz", "/readyz", "/metrics")  # asked every few seconds: no news
CLIENT_WENT = 499  # as nginx writes it: the client did not wait for the reply
FACTS = "dateline.facts"  # in the scope of a request: a dict that goes into its log line

logger = logging.getLogger("dateline.request")
_SANE_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


class Telemetry:
    """The counters of one application."""

    def __init__(self, index: Index) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self.registry.register(_IndexSize(index))
        self._requests = Counter(
            "dateline_requests",
            "Requests by method, route and HTTP status (499: the client went away).",
            ["method", "route", "status"],
            registry=self.registry,
        )
        self._seconds = Histogram(
            "dateline_request_seconds",
            "Time from a request to the end of its reply.",
            ["route"],
            registry=self.registry,
            buckets=BUCKETS,
        )
        self._stages = Histogram(
            "dateline_stage_seconds",
            "Time of the stages of a question: resolve, retrieve, read, events; and in total.",
            ["stage"],
            registry=self.registry,
            buckets=BUCKETS,
        )
        self._answers = Counter(
            "dateline_answers",
            "Questions by outcome: answered, abstained, or asked back.",
            ["outcome"],
            registry=self.registry,
        )
        for outcome in ("answered", "abstained", "asked_back"):
            self._answers.labels(outcome)

    def watch(self, pool: Pool) -> None:
        """Tell how full a pool is."""
        for name, text, value in (
            ("dateline_queue_waiting", "Questions that wait.", lambda: pool.waiting),
            ("dateline_queue_limit", "Questions that may wait.", lambda: pool.queue),
            ("dateline_workers_busy", "Questions that are being answered.", lambda: pool.busy),
            ("dateline_workers", "Questions that are answered at a time.", lambda: pool.workers),
        ):
            Gauge(name, text, registry=self.registry).set_function(value)

    def observe(self, result: object) -> None:
        """Count a result of the pool, if it is an answer."""
        if not isinstance(result, Answer):
            return
        outcome = "abstained" if result.abstained else "answered"
        self._answers.labels("asked_back" if result.clarification else outcome).inc()
        for stage, milliseconds in result.timings_ms.items():
            self._stages.labels(stage).observe(milliseconds / 1000)

    def count(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count a request."""
        self._requests.labels(method, route, status).inc()
        self._seconds.labels(route).observe(seconds)


class _IndexSize(Collector):
    """The size of the index, looked up when it is asked for."""

    def __init__(self, index: Index) -> None:
        self._index = index

    def collect(self) -> Iterator[Metric]:
        try:
            stats = self._index.stats()
        except DatelineError:
            return
        yield GaugeMetricFamily("dateline_index_documents", "Documents.", stats.documents)
        yield GaugeMetricFamily("dateline_index_chunks", "Passages.", stats.chunks)
        yield GaugeMetricFamily(
            "dateline_index_generation", "Number of the last change.", stats.generation
        )
        yield GaugeMetricFamily("dateline_index_bytes", "Size on disk.", sum(stats.bytes.values()))

    def describe(self) -> Iterator[Metric]:
        return iter(())


class Observed:
    """Gives every request an id, counts it and logs it; what nobody caught becomes a 500.

    An X-Request-ID that comes with a request is taken over if it is a plain word.
    """

    def __init__(self, app: ASGIApp, telemetry: Telemetry) -> None:
        self.app, self._telemetry = app, telemetry

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = time.perf_counter()
        id_ = _request_id(scope)
        token = request_id.set(id_)
        facts: dict[str, str] = {}
        scope[FACTS] = facts
        status = 0

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message.get("headers", ()), (b"x-request-id", id_.encode())]
            await send(message)

        try:
            try:
                await self.app(scope, receive, send_with_id)
            except Exception:
                logger.exception("A request failed.")
                if status:
                    raise  # half a reply is there: the server breaks the connection off
                await unexpected(scope["path"])(scope, receive, send_with_id)
        finally:
            seconds = time.perf_counter() - started
            method = scope["method"] if scope["method"] in METHODS else "other"
            route = getattr(scope.get("route"), "path", "-")  # none if it was refused before
            self._telemetry.count(method, route, status or CLIENT_WENT, seconds)
            client = scope["client"][0] if scope.get("client") else "-"
            logger.log(
                logging.DEBUG if route in PROBES else logging.INFO,
                "%s %s %d",
                method,
                route,
                status or CLIENT_WENT,
                extra={"fields": {"ms": round(1000 * seconds, 1), "client": client, **facts}},
            )
            request_id.reset(token)


def _request_id(scope: Scope) -> str:
    given = Headers(scope=scope).get("x-request-id", "")
    return given if _SANE_ID.fullmatch(given) else uuid.uuid4().hex
