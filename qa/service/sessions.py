"""/api/sessions: conversations over HTTP; a turn is added by POST /api/ask with its session."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse, PlainTextResponse, Response
from pydantic import BaseModel, ConfigDict, Field

from index import SessionInfo
from index.database import storable
from index.sessions import unknown_session

from ..sessions import SessionRecord, Sessions


class SessionRequest(BaseModel):
    """A session to make, or to go on with if it is there."""

    model_config = ConfigDict(extra="forbid")

    id: str | None = Field(
        default=None, description="1 to 64 letters, digits, _ and -; a random one by default"
    )


class SessionReply(BaseModel):
    """The session to ask in."""

    id: str


def session_routes(sessions: Sessions) -> APIRouter:
    """The routes for the sessions of one index."""
    router = APIRouter(prefix="/api/sessions")

    @router.post("", status_code=201)
    def create(request: SessionRequest | None = None) -> SessionReply:
        """Begin a conversation."""
        return SessionReply(id=sessions.create(request.id if request else None))

    @router.get("")
    def all_sessions() -> list[SessionInfo]:
        """List the conversations, the one used last first; `turns` is how many it has."""
        return sessions.list()

    @router.get("/{session_id}")
    def one(session_id: str) -> SessionRecord:
        """A conversation with its questions and answers."""
        return sessions.get(session_id)

    @router.get(
        "/{session_id}/export",
        response_class=Response,
        responses={200: {"content": {"text/markdown": {}, "application/json": {}}}},
    )
    def export(
        session_id: str,
        form: Annotated[Literal["markdown", "json"], Query(alias="format")] = "markdown",
    ) -> Response:
        """A conversation as a transcript to read, or with everything in it."""
        record = sessions.get(session_id)
        if form == "json":
            return JSONResponse(record.model_dump(mode="json"))
        return PlainTextResponse(storable(sessions.to_markdown(record)), media_type="text/markdown")

    @router.delete("/{session_id}", status_code=204)
    def delete(session_id: str) -> None:
        """Remove a conversation."""
        if not sessions.delete(session_id):
            raise unknown_session(session_id)

    return router
