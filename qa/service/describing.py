"""The API's description: what FastAPI finds out, and the errors and keys that all routes share."""

from __future__ import annotations

import json
from typing import Any

from fastapi import FastAPI
from pydantic import BaseModel

from .errors import ErrorReply, OpenAIErrorReply, is_openai
from .guarding import scope_needed

TAGS = [
    {"name": "questions", "description": "Ask, search, list events."},
    {"name": "sessions", "description": "Conversations, which follow-up questions are asked in."},
    {"name": "openai", "description": "What clients of OpenAI's API call."},
    {"name": "documents", "description": "What is answered from."},
    {"name": "index jobs", "description": "Indexing of what was uploaded, in the background."},
    {"name": "operations", "description": "How the service is."},
]
_ERRORS = {
    400: "Something in the request is not possible.",
    401: "It needs an API key.",
    403: "The API key may not do that, or the page of another site asks.",
    408: "The request stopped half-way.",
    413: "The request is too large.",
    422: "A field is missing or wrong.",
    429: "Too many requests; see Retry-After.",
}
_WITH_BODY = (408, 413)
_WITH_KEY = (401, 429)
_FASTAPI = ("HTTPValidationError", "ValidationError")  # the shape of its errors, which is not ours


def describe(app: FastAPI) -> None:
    """Complete the description that an application gives of itself."""
    found = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            _complete(found())
        assert app.openapi_schema is not None
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]


def _complete(schema: dict[str, Any]) -> None:
    components = schema.setdefault("components", {})
    components["securitySchemes"] = {
        "key": {
            "type": "http",
            "scheme": "bearer",
            "description": "An API key, where the service asks for one: dateline keys add NAME",
        }
    }
    schemas = components.setdefault("schemas", {})
    for path, operations in schema["paths"].items():
        for method, operation in operations.items():
            _complete_operation(path, method.upper(), operation)
    for name in _FASTAPI:
        schemas.pop(name, None)
    for reply in (ErrorReply, OpenAIErrorReply):
        if f'"{_ref(reply)}"' in json.dumps(schema):
            model = reply.model_json_schema(ref_template="#/components/schemas/{model}")
            schemas |= model.pop("$defs")
            schemas[reply.__name__] = model


def _ref(model: type[BaseModel]) -> str:
    return f"#/components/schemas/{model.__name__}"


def _complete_operation(path: str, method: str, operation: dict[str, Any]) -> None:
    needed = scope_needed(method, path)
    if needed:
        operation["security"] = [{"key": []}, {}]  # {}: on loopback none is needed
        operation["description"] = f"{operation.get('description', '')}\n\nScope: {needed}.".strip()
    model = OpenAIErrorReply if is_openai(path) else ErrorReply
    has_body = "requestBody" in operation
    replies = operation["responses"]
    replies.pop("422", None)
    for status, text in _ERRORS.items():
        applies = has_body or status not in _WITH_BODY
        applies &= needed is not None or status not in _WITH_KEY
        applies &= has_body or "parameters" in operation or status != 422
        if applies and str(status) not in replies:
            replies[str(status)] = {
                "description": text,
                "content": {"application/json": {"schema": {"$ref": _ref(model)}}},
            }
