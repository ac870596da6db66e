"""POST /api/ask, POST /api/search, GET /api/documents, GET /healthz; described at /docs.

The routes for conversations are in `sessions`.
"""

from __future__ import annotations

import socket
from datetime import date
from importlib.metadata import version
from typing import Annotated, Any, Literal

import uvicorn
from fastapi import FastAPI, Query
from fastapi_offline import FastAPIOffline
from pydantic import BaseModel

from index.errors import UsageError

from ..assistant import Assistant
from . import errors
from .ask import ask_routes
from .openai import openai_routes
from .pool import Pool
from .sessions import session_routes


class DocumentRecord(BaseModel):
    """A document without its text."""

    id: str
    source: str
    title: str
    published: date | None
    place: str | None
    language: str | None
    metadata: dict[str, Any]


class DocumentsReply(BaseModel):
    """One page of the documents, by source."""

    total: int
    documents: list[DocumentRecord]


class Health(BaseModel):
    """The service answers, over so many documents."""

    status: Literal["ok"]
    documents: int
    generation: int


def create_app(assistant: Assistant) -> FastAPI:
    """The application over one assistant and its index."""
    app = FastAPIOffline(
        title="Dateline",
        description="Answers in the documents' own words, with citations.",
        version=version("dateline"),
    )
    index = assistant.index
    pool = Pool()
    errors.install(app)
    app.include_router(ask_routes(assistant, pool))
    app.include_router(session_routes(assistant.sessions))
    app.include_router(openai_routes(assistant, pool))

    @app.get("/api/documents")
    def documents(
        limit: Annotated[int, Query(ge=1, le=1000)] = 100,
        offset: Annotated[int, Query(ge=0, le=2**31)] = 0,
    ) -> DocumentsReply:
        """List the documents, without their texts."""
        records = [
            DocumentRecord.model_validate(document, from_attributes=True)
            for document in index.documents(limit=limit, offset=offset)
        ]
        return DocumentsReply(total=index.stats().documents, documents=records)

    @app.get("/healthz")
    def healthz() -> Health:
        """Whether the service is up."""
        stats = index.stats()
        return Health(status="ok", documents=stats.documents, generation=stats.generation)

    return app


def run(assistant: Assistant, host: str, port: int) -> None:
    """Serve until stopped.

    Raises:
        UsageError: the address or port cannot be used.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise UsageError(
            f"Cannot listen on {host}:{port}: {error.strerror}.",
            "Choose another --port, or stop the program that uses it.",
        ) from error
    config = uvicorn.Config(create_app(assistant), log_level="info", access_log=False)
    uvicorn.Server(config).run(sockets=[listener])
