"""What the service writes about itself: one line a request, as text or as JSON, on stderr.

No line has a question, a document's words or a key in it; paths are written as their templates,
since addresses hold ids and searches.
"""

from __future__ import annotations

import contextvars
import json
import logging
from datetime import UTC, datetime
from typing import Any

request_id: contextvars.ContextVar[str] = contextvars.ContextVar("request_id", default="")

_LIBRARIES = ("uvicorn", "uvicorn.error", "uvicorn.asgi")


def configure(form: str, level: str) -> None:
    """Let everything in this process, uvicorn too, log in one form ("text" or "json")."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonLines() if form == "json" else TextLines())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)  # for libraries
    logging.getLogger("dateline").setLevel(level.upper())
    for name in _LIBRARIES:
        library = logging.getLogger(name)
        library.handlers.clear()
        library.propagate = True
        library.setLevel(level.upper())


class TextLines(logging.Formatter):
    """`2026-11-22T08:01:12.345Z info dateline.request POST /api/ask 200 ms=93.1 id=4f0c...`."""

    def format(self, record: logging.LogRecord) -> str:
        parts = [_time(record), record.levelname.lower(), record.name, record.getMessage()]
        parts += [f"{name}={value}" for name, value in _fields(record).items()]
        lines = " ".join(parts)
        return f"{lines}\n{self.formatException(record.exc_info)}" if record.exc_info else lines


class JsonLines(logging.Formatter):
    """A JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": _time(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **_fields(record),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False, default=str)


def _time(record: logging.LogRecord) -> str:
    moment = datetime.fromtimestamp(record.created, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _fields(record: logging.LogRecord) -> dict[str, Any]:
    """What a record says besides its message; the request that it belongs to."""
    fields: dict[str, Any] = dict(getattr(record, "fields", {}))
    if id_ := request_id.get():
        fields["id"] = id_
    return fields
