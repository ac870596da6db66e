"""The application: which routes there are, and what stands before them.

A request passes, from the outside in: security headers, its id with log line and counters, Host and
Origin, CORS, API key and rate limit, the size of its body; then its route. Questions and searches
run in the threads of a pool.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from importlib.metadata import version

from fastapi import FastAPI
from fastapi_offline import FastAPIOffline
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware

from index import EmbeddedIndex

from ..assistant import Assistant
from . import errors
from .ask import ask_routes
from .describing import TAGS, describe
from .documents import document_routes
from .guarding import UPLOADS, Access, SameSite, SecurityHeaders
from .job_routes import job_routes
from .jobs import IndexJobs
from .keys import KeyStore
from .openai import openai_routes
from .operations import Readiness, operation_routes
from .page import page_routes
from .pool import Pool
from .receiving import Receiving
from .sessions import session_routes
from .settings import ServiceSettings
from .streaming import streaming_routes
from .telemetry import Observed, Telemetry
from .uploads import UploadLimits


def create_app(
    assistant: Assistant,
    settings: ServiceSettings | None = None,
    keys: KeyStore | None = None,
) -> FastAPI:
    """The application over one assistant and its index.

    Args:
        settings: by default, what the environment says.
        keys: those that requests need; None lets everybody in.
    """
    settings = settings or ServiceSettings()
    index = assistant.index
    telemetry = Telemetry(index)
    pool = Pool(settings.workers, settings.queue, settings.timeout, telemetry.observe)
    telemetry.watch(pool)
    readiness = Readiness(assistant)

    @contextlib.asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        readiness.begin()
        yield
        pool.close()
        readiness.end()
        if keys:
            keys.save_used()

    app = (FastAPIOffline if settings.docs else FastAPI)(
        title="Dateline",
        description="Answers in the documents' own words, with citations.",
        version=version("dateline"),
        openapi_tags=TAGS,
        openapi_url="/openapi.json" if settings.docs else None,
        lifespan=lifespan,
        middleware=_middleware(settings, keys, telemetry),
    )
    errors.install(app)
    app.include_router(ask_routes(assistant, pool))
    app.include_router(streaming_routes(assistant, pool))
    app.include_router(session_routes(assistant.sessions))
    app.include_router(openai_routes(assistant, pool, settings.public_url))
    if isinstance(index, EmbeddedIndex):  # uploads need a folder
        jobs = IndexJobs(index, _upload_limits(settings))
        app.include_router(document_routes(index, jobs))
        app.include_router(job_routes(jobs))
    app.include_router(page_routes())
    app.include_router(operation_routes(assistant, readiness, telemetry))
    describe(app)
    return app


def _upload_limits(settings: ServiceSettings) -> UploadLimits:
    return UploadLimits(
        files=settings.max_upload_files,
        file_bytes=settings.max_upload,
        request_bytes=settings.max_upload,
        json_bytes=min(UploadLimits().json_bytes, settings.max_upload),
    )


def _middleware(
    settings: ServiceSettings, keys: KeyStore | None, telemetry: Telemetry
) -> list[Middleware]:
    """What stands before the routes, from the outside in."""

    def most(method: str, path: str) -> int:
        return settings.max_upload if (method, path) == UPLOADS else settings.max_body

    cors = Middleware(
        CORSMiddleware,
        allow_origins=settings.cors_origins,
        allow_methods=["GET", "POST", "DELETE"],
        allow_headers=["Authorization", "X-Request-ID", "X-Dateline-Session"],
        expose_headers=["Retry-After", "X-Request-ID"],
    )
    return [
        Middleware(SecurityHeaders),
        Middleware(Observed, telemetry=telemetry),
        Middleware(SameSite, hosts=settings.allowed_hosts, origins=settings.origins),
        *([cors] if settings.cors_origins else []),
        Middleware(Access, keys=keys, rate=settings.rate_limit),
        Middleware(Receiving, most=most),
    ]
