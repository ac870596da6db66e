"""What goes wrong, as replies: in our own shape, and under /v1 in OpenAI's.

The codes of errors that only a service has are "D" and the HTTP status.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping
from http import HTTPStatus

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from index.database import storable
from index.errors import (
    DatelineError,
    IndexLockedError,
    NothingFoundError,
    SessionNotFoundError,
    UsageError,
)

OPENAI = "/v1"  # below it, errors have OpenAI's shape
LONGEST = 500  # characters of a problem: what a request says is not sent back at length

logger = logging.getLogger("dateline.service")

_STATUS = {
    UsageError: 400,
    SessionNotFoundError: 404,
    NothingFoundError: 404,
    IndexLockedError: 409,
}
_OPENAI_TYPES = {
    401: "authentication_error",
    403: "permission_error",
    429: "rate_limit_error",
}
_OPENAI_CODES = {401: "invalid_api_key", 429: "rate_limit_exceeded", 503: "server_overloaded"}
_NEXT_STEPS = {
    404: "See the paths there are at /docs.",
    405: "See what each path takes at /docs.",
    408: "Send the whole request without a pause.",
    413: "Send less at a time.",
}


class ErrorDetail(BaseModel):
    """An error."""

    code: str = Field(description="what kind of error it is, for programs", examples=["D001"])
    problem: str = Field(description="what is wrong", examples=["The question is empty."])
    next_step: str = Field(description="what to do about it; may be empty")


class ErrorReply(BaseModel):
    """The reply to a request that failed."""

    error: ErrorDetail = Field(description="what went wrong")


class OpenAIErrorDetail(BaseModel):
    """An error in OpenAI's shape."""

    message: str = Field(description="what is wrong, and what to do about it")
    type: str = Field(description="what kind of error it is", examples=["invalid_request_error"])
    param: str | None = Field(description="the field that is wrong")
    code: str | None = Field(description="what kind of error it is, more exactly")


class OpenAIErrorReply(BaseModel):
    """The reply to a request that failed, in OpenAI's shape."""

    error: OpenAIErrorDetail = Field(description="what went wrong")


class ServiceError(DatelineError):
    """A request that is not served.

    Attributes:
        status: of HTTP.
        headers: that the reply has besides.
        param: the field that is wrong, told in OpenAI's shape.
    """

    status, code = 500, "D500"
    param: str | None = None

    def __init__(
        self, problem: str, next_step: str = "", headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(problem, next_step)
        self.headers = dict(headers or {})


class RetryError(ServiceError):
    """A request that may be served later; its reply says when."""

    def __init__(self, problem: str, seconds: float) -> None:
        after = max(1, math.ceil(seconds))
        super().__init__(problem, f"Try again in {after} s.", headers={"Retry-After": str(after)})


def reply(path: str, error: DatelineError) -> JSONResponse:
    """The reply that tells of an error, in the shape that goes with the path."""
    status = _status_of(error)
    if status == 500:
        logger.error("%s: %s", error.code, error.problem)
    headers = error.headers if isinstance(error, ServiceError) else {}
    return _reply(
        path,
        status=status,
        code=error.code,
        problem=error.problem,
        next_step=error.next_step,
        headers=headers,
        param=error.param if isinstance(error, ServiceError) else None,
    )


def install(app: FastAPI) -> None:
    """Let the application answer errors so."""

    @app.exception_handler(DatelineError)
    def explain(request: Request, error: DatelineError) -> JSONResponse:
        return reply(request.url.path, error)

    @app.exception_handler(RequestValidationError)
    def explain_fields(request: Request, error: RequestValidationError) -> JSONResponse:
        fields = [
            f"{'.'.join(map(str, e['loc']))}: {e['msg'].removeprefix('Value error, ')}"
            for e in error.errors()
        ]
        first = ".".join(map(str, error.errors()[0]["loc"][1:]))
        return _reply(
            request.url.path,
            status=400 if is_openai(request.url.path) else 422,
            code=UsageError.code,
            problem="; ".join(fields),
            next_step="See /docs.",
            param=first,
        )

    @app.exception_handler(HTTPException)
    def explain_status(request: Request, error: HTTPException) -> JSONResponse:
        headers = dict(error.headers or {})
        if error.status_code == 405:
            headers |= _allowed(request)
        return _reply(
            request.url.path,
            status=error.status_code,
            code=f"D{error.status_code}",
            problem=f"{error.detail}.",
            next_step=_NEXT_STEPS.get(error.status_code, ""),
            headers=headers,
        )


def is_openai(path: str) -> bool:
    """Whether errors at a path have OpenAI's shape."""
    return path == OPENAI or path.startswith(f"{OPENAI}/")


def unexpected(path: str) -> JSONResponse:
    """The reply where the program itself is at fault."""
    return _reply(
        path,
        status=500,
        code=ServiceError.code,
        problem="Something went wrong in the service.",
        next_step="The service's log says more, under the request's X-Request-ID.",
    )


def _allowed(request: Request) -> dict[str, str]:
    """The methods of all routes at a path; the framework names those of the first."""
    path = getattr(request.scope.get("route"), "path", "")
    methods = request.app.openapi()["paths"].get(path, {})
    return {"Allow": ", ".join(sorted(methods)).upper()} if methods else {}


def _status_of(error: DatelineError) -> int:
    if isinstance(error, ServiceError):
        return error.status
    return next((status for kind, status in _STATUS.items() if isinstance(error, kind)), 500)


def _reply(
    path: str,
    *,
    status: int,
    code: str,
    problem: str,
    next_step: str = "",
    headers: Mapping[str, str] | None = None,
    param: str | None = None,
) -> JSONResponse:
    problem = storable(problem)
    if len(problem) > LONGEST:
        problem = f"{problem[:LONGEST]}…"
    if is_openai(path):
        kind = "server_error" if status >= 500 else "invalid_request_error"
        content = {
            "message": " ".join(filter(None, [problem, next_step])),
            "type": _OPENAI_TYPES.get(status, kind),
            "param": param,
            "code": _OPENAI_CODES.get(status, code),
        }
    else:
        content = {"code": code, "problem": problem, "next_step": next_step}
    return JSONResponse({"error": content}, HTTPStatus(status), dict(headers or {}))
