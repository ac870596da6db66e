"""/api/sessions: conversations over HTTP; a turn is added by POST /api/ask with its session."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query
from fastapi.responses import JSONResponse, PlainTextResponse, Response
from pydantic import BaseModel, Field

from index.database import storable
from index.sessions import unknown_session

from ..sessions import SessionRecord, Sessions
from .errors import ErrorReply
from .fields import STRICT, NewSessionId


class SessionRequest(BaseModel):
    """A session to make, or to go on with if it is there."""

    model_config = STRICT

    id: NewSessionId | None = Field(
        default=None,
        description="1 to 64 letters, digits, _ and -; a random one by default",
        examples=["ferry"],
    )


class SessionReply(BaseModel):
    """The session to ask in."""

    id: str = Field(description="for `session` in a question", examples=["3f0c2d9a41b7e655"])


class SessionEntry(BaseModel):
    """A session without its turns."""

    id: str = Field(description="id of the session")
    created: str = Field(description="when it was begun, ISO 8601, UTC")
    used: str = Field(description="when it was last asked in, ISO 8601, UTC")
    turns: int = Field(description="how many questions were asked in it")
    title: str = Field(description="its first question, which may be cut; empty before that")


SessionId = Annotated[str, Path(description="id of the session, as the list says")]


def session_routes(sessions: Sessions) -> APIRouter:
    """The routes for the sessions of one index."""
    router = APIRouter(prefix="/api/sessions", tags=["sessions"])
    unknown: dict[int | str, dict[str, Any]] = {
        404: {"model": ErrorReply, "description": "There is no such session."}
    }

    @router.post("", status_code=201)
    def create(request: SessionRequest | None = None) -> SessionReply:
        """Begin a conversation."""
        return SessionReply(id=sessions.create(request.id if request else None))

    @router.get("")
    def all_sessions() -> list[SessionEntry]:
        """List the conversations, the one used last first."""
        return [SessionEntry.model_validate(info, from_attributes=True) for info in sessions.list()]

    @router.get("/{session_id}", responses=unknown)
    def one(session_id: SessionId) -> SessionRecord:
        """A conversation with its questions and answers."""
        return sessions.get(session_id)

    @router.get(
        "/{session_id}/export",
        response_class=Response,
        responses={
            200: {
                "description": "the transcript",
                "content": {
                    "text/markdown": {"schema": {"type": "string"}},
                    "application/json": {"schema": {"$ref": "#/components/schemas/SessionRecord"}},
                },
            },
            **unknown,
        },
    )
    def export(
        session_id: SessionId,
        form: Annotated[
            Literal["markdown", "json"],
            Query(alias="format", description="to read, or with everything in it"),
        ] = "markdown",
    ) -> Response:
        """A conversation as a transcript to read, or with everything in it."""
        record = sessions.get(session_id)
        if form == "json":
            return JSONResponse(record.model_dump(mode="json"))
        return PlainTextResponse(storable(sessions.to_markdown(record)), media_type="text/markdown")

    @router.delete("/{session_id}", status_code=204, responses=unknown)
    def delete(session_id: SessionId) -> None:
        """Remove a conversation."""
        if not sessions.delete(session_id):
            raise unknown_session(session_id)

    return router
