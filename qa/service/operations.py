"""/api/status, /healthz, /readyz and /metrics: how the service is."""

from __future__ import annotations

import logging
import threading
import time
from importlib.metadata import version
from typing import Any, Literal

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_PLAIN_1_0_0, generate_latest
from pydantic import BaseModel, Field

from index.errors import DatelineError
from index.inference import engine_name

from ..assistant import Assistant
from .errors import ErrorReply, RetryError
from .telemetry import Telemetry

logger = logging.getLogger("dateline.service")

WARM_SECONDS = 2.0  # about what the models take to load


class Status(BaseModel):
    """What is served, and by what."""

    version: str = Field(description="of Dateline")
    documents: int = Field(description="documents in the index")
    chunks: int = Field(description="passages that they are cut into")
    generation: int = Field(description="number of the index's last change")
    first_published: str | None = Field(description="earliest publication date, ISO 8601")
    last_published: str | None = Field(description="latest publication date, ISO 8601")
    index_bytes: int = Field(description="size of the index folder")
    embedder: str = Field(description="the embedding model")
    reader: str = Field(description="the reading model: the beginning of its SHA-256")
    engine: str = Field(description="what runs the models: openvino or onnxruntime")
    sessions: int = Field(description="conversations that are kept")
    uptime_seconds: float = Field(description="since the service began")
    ready: bool = Field(description="whether the models are loaded")


class Health(BaseModel):
    """The service answers, over so many documents."""

    status: Literal["ok"] = Field(description="always ok: else there is no reply")
    documents: int = Field(description="documents in the index")
    generation: int = Field(description="number of the index's last change")


class Ready(BaseModel):
    """Questions can be answered at once."""

    status: Literal["ready"] = Field(description="always ready: else the status code is 503")


class NotReady(RetryError):  # noqa: N818 - a state, not a mistake
    """The models are not loaded, or the index cannot be read."""

    status, code = 503, "D503"


class Readiness:
    """Loads the models in the background, and knows whether they are."""

    def __init__(self, assistant: Assistant) -> None:
        self._assistant = assistant
        self._problem = "The models are not loaded yet."
        self._thread = threading.Thread(target=self._load, name="loading")

    def begin(self) -> None:
        """Start loading."""
        self._thread.start()

    def end(self) -> None:
        """Wait until nothing is loaded any more: an engine does not bear to be interrupted."""
        self._thread.join()

    def check(self) -> None:
        """Return if questions can be answered.

        Raises:
            NotReady: they cannot.
            DatelineError: the index cannot be read.
        """
        if self._problem:
            raise NotReady(self._problem, WARM_SECONDS)
        self._assistant.index.stats()

    @property
    def ready(self) -> bool:
        """Whether the models are loaded."""
        return not self._problem

    def _load(self) -> None:
        started = time.perf_counter()
        try:
            self._assistant.warm_up()
        except DatelineError as error:
            self._problem = str(error)
            logger.error("%s: %s", error.code, error)
        except Exception as error:
            self._problem = f"The models cannot be loaded: {error}."
            logger.exception("The models cannot be loaded.")
        else:
            self._problem = ""
            logger.info("Ready: the models are loaded, in %.1f s.", time.perf_counter() - started)


def operation_routes(assistant: Assistant, readiness: Readiness, telemetry: Telemetry) -> APIRouter:
    """The routes that tell how the service is."""
    router = APIRouter(tags=["operations"])
    index, started = assistant.index, time.monotonic()
    unready: dict[int | str, dict[str, Any]] = {
        503: {"model": ErrorReply, "description": "Questions cannot be answered at once."}
    }

    @router.get("/api/status")
    def status() -> Status:
        """What is served: the index, the models, the version."""
        stats = index.stats()
        return Status(
            version=version("dateline"),
            documents=stats.documents,
            chunks=stats.chunks,
            generation=stats.generation,
            first_published=stats.first_published,
            last_published=stats.last_published,
            index_bytes=sum(stats.bytes.values()),
            embedder=stats.settings.embedder,
            reader=assistant.reader.name,
            engine=engine_name(),
            sessions=len(assistant.sessions.list()),
            uptime_seconds=round(time.monotonic() - started, 1),
            ready=readiness.ready,
        )

    @router.get("/healthz")
    def healthz() -> Health:
        """Whether the service is up."""
        stats = index.stats()
        return Health(status="ok", documents=stats.documents, generation=stats.generation)

    @router.get("/readyz", responses=unready)
    def readyz() -> Ready:
        """Whether the models are loaded and the index can be read."""
        readiness.check()
        return Ready(status="ready")

    @router.get(
        "/metrics",
        response_class=Response,
        responses={
            200: {
                "description": "the metrics, as Prometheus reads them",
                "content": {"text/plain": {"schema": {"type": "string"}}},
            }
        },
    )
    def metrics() -> Response:
        """Requests, latencies, answers and the size of the index, for Prometheus."""
        return Response(generate_latest(telemetry.registry), media_type=CONTENT_TYPE_PLAIN_1_0_0)

    return router
