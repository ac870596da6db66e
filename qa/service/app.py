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

from ..assistant import Assistant
from . import errors
from .ask import ask_routes
from .describing import TAGS, describe
from .documents import document_routes
from .guarding import UPLOADS, Access, SameSite, SecurityHeaders
from .keys import KeyStore
from .operations import Readiness, operation_routes
from .pool import Pool
from .receiving import Receiving
from .sessions import session_routes
from .settings import ServiceSettings
from .telemetry import Observed, Telemetry


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
    app.include_router(session_routes(assistant.sessions))
    app.include_router(document_routes(index))
    app.include_router(operation_routes(assistant, readiness, telemetry))
    describe(app)
    return app


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
        allow_headers=["Authorization", "X-Request-ID"],
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
