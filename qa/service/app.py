"""POST /api/ask, POST /api/search, GET /api/documents, GET /healthz; described at /docs.

The routes for conversations are in `sessions`.
"""

from __future__ import annotations

import socket
from datetime import date
from importlib.metadata import version
from typing import Annotated, Any, Literal

import uvicorn
from fastapi import FastAPI, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi_offline import FastAPIOffline
from pydantic import BaseModel, ConfigDict, Field

from index import DatelineError, Filters
from index.database import storable
from index.errors import IndexLockedError, SessionNotFoundError, UsageError

from ..answer import Answer, FoundPassage, hit_record
from ..assistant import PASSAGES, Assistant
from ..question import MAX_CHARACTERS, analyse
from .page import page_routes
from .pool import Pool
from .sessions import session_routes


class FilterRequest(BaseModel):
    """Restrictions on the documents to answer from; all must hold."""

    model_config = ConfigDict(extra="forbid")  # a misspelt filter must not be none at all

    after: date | None = Field(default=None, description="published on this day or later")
    before: date | None = Field(default=None, description="published on this day or earlier")
    source: str | None = Field(
        default=None, description="glob on the source", examples=["news/*.txt"]
    )
    metadata: dict[str, str | int | float | bool] = Field(
        default={}, description="values it must have"
    )

    def filters(self) -> Filters:
        """As the index takes them."""
        return Filters(self.after, self.before, self.source, dict(self.metadata))


def _filters(request: FilterRequest | None) -> Filters | None:
    return request.filters() if request else None


class AskRequest(BaseModel):
    """A question."""

    question: str = Field(max_length=MAX_CHARACTERS, examples=["Who met where and when?"])
    filters: FilterRequest | None = None
    top_k: int = Field(PASSAGES, ge=1, le=100, description="passages to read")
    session: str | None = Field(default=None, description="the conversation it is a turn of")
    resolve: bool = Field(
        default=True, description="understand it from what came before in the session"
    )


class SearchRequest(BaseModel):
    """A query for passages."""

    query: str = Field(max_length=MAX_CHARACTERS, examples=["arms deal"])
    mode: Literal["hybrid", "dense", "bm25"] = "hybrid"
    top_k: int = Field(10, ge=1, le=1000)
    filters: FilterRequest | None = None


class SearchReply(BaseModel):
    """Passages, best first."""

    query: str
    mode: str
    hits: list[FoundPassage]


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
    from .streaming import streaming_routes  # noqa: PLC0415 - it takes AskRequest from here

    app.include_router(session_routes(assistant.sessions))
    app.include_router(streaming_routes(assistant, Pool()))
    app.include_router(page_routes())

    @app.exception_handler(DatelineError)
    def explain(_: Request, error: DatelineError) -> JSONResponse:
        status = 400 if isinstance(error, UsageError) else 500
        if isinstance(error, IndexLockedError):
            status = 409
        if isinstance(error, SessionNotFoundError):
            status = 404
        return _problem(status, error.code, error.problem, error.next_step)

    @app.exception_handler(RequestValidationError)
    def explain_fields(_: Request, error: RequestValidationError) -> JSONResponse:
        fields = [f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors()]
        return _problem(422, UsageError.code, "; ".join(fields), "See /docs.")

    @app.post("/api/ask")
    def ask(request: AskRequest) -> Answer:
        """Answer a question, or abstain and show the nearest passages."""
        return assistant.ask(
            request.question,
            filters=_filters(request.filters),
            top_k=request.top_k,
            session=request.session,
            resolve=request.resolve,
        )

    @app.post("/api/search")
    def search(request: SearchRequest) -> SearchReply:
        """Find passages."""
        hits = index.search(
            analyse(request.query).text,
            request.top_k,
            mode=request.mode,
            filters=_filters(request.filters),
        )
        return SearchReply(
            query=request.query, mode=request.mode, hits=[hit_record(hit) for hit in hits]
        )

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


def _problem(status: int, code: str, problem: str, next_step: str) -> JSONResponse:
    detail = {"code": code, "problem": storable(problem), "next_step": next_step}
    return JSONResponse({"error": detail}, status)


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
