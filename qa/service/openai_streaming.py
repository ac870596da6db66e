"""Replies as server-sent events, as OpenAI's API streams them.

A reply is whole before its first event, so what can go wrong is a status of HTTP and not an event.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from fastapi.responses import StreamingResponse

from .openai_records import ChatCompletion, Response

_HEADERS = {
    "Cache-Control": "no-store",
    "X-Accel-Buffering": "no",  # nginx would hold events back
}


def event_stream(events: Iterator[str]) -> StreamingResponse:
    """The reply to a request that streams."""
    return StreamingResponse(events, media_type="text/event-stream", headers=_HEADERS)


def chat_events(completion: ChatCompletion, include_usage: bool) -> Iterator[str]:
    """A completion in chunks: the role, the text line by line, the citations, the end.

    The citations come when all the text they point into is there, as from OpenAI's search models;
    the chunk that ends the reply has the whole answer in `dateline`.

    Args:
        include_usage: whether a last chunk without a choice tells the usage; `usage` is null in the
            others then, and absent if not.
    """
    message = completion.choices[0].message
    head = {
        "id": completion.id,
        "object": "chat.completion.chunk",
        "created": completion.created,
        "model": completion.model,
        "system_fingerprint": completion.system_fingerprint,
    }
    if include_usage:
        head["usage"] = None

    def chunk(delta: dict[str, Any], finish: str | None = None, **fields: object) -> str:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
        return _data({**head, "choices": [choice], **fields})

    yield chunk({"role": "assistant", "content": ""})
    for line in message.content.splitlines(keepends=True):
        yield chunk({"content": line})
    if message.annotations:
        yield chunk({"annotations": [note.model_dump() for note in message.annotations]})
    yield chunk({}, "stop", dateline=completion.dateline.model_dump(mode="json"))
    if include_usage:
        yield _data({**head, "choices": [], "usage": completion.usage.model_dump()})
    yield "data: [DONE]\n\n"


def response_events(response: Response) -> Iterator[str]:
    """A response as the events that build it up; the last one has all of it."""
    number = 0
    (message,) = response.output
    (part,) = message.content
    in_output = {"output_index": 0}
    in_item = {**in_output, "item_id": message.id}
    in_part = {**in_item, "content_index": 0}

    def event(kind: str, **fields: object) -> str:
        nonlocal number
        data = _data({"type": kind, "sequence_number": number, **fields})
        number += 1
        return f"event: {kind}\n{data}"

    open_part = part.model_copy(update={"text": "", "annotations": []}).model_dump()
    open_item = message.model_copy(update={"status": "in_progress", "content": []}).model_dump()
    begun = response.model_copy(
        update={"status": "in_progress", "output": [], "usage": None, "dateline": None}
    ).model_dump()
    yield event("response.created", response=begun)
    yield event("response.in_progress", response=begun)
    yield event("response.output_item.added", **in_output, item=open_item)
    yield event("response.content_part.added", **in_part, part=open_part)
    for line in part.text.splitlines(keepends=True):
        yield event("response.output_text.delta", **in_part, delta=line, logprobs=[])
    for place, note in enumerate(part.annotations):
        yield event(
            "response.output_text.annotation.added",
            **in_part,
            annotation_index=place,
            annotation=note.model_dump(),
        )
    yield event("response.output_text.done", **in_part, text=part.text, logprobs=[])
    yield event("response.content_part.done", **in_part, part=part.model_dump())
    yield event("response.output_item.done", **in_output, item=message.model_dump())
    yield event("response.completed", response=response.model_dump(mode="json"))


def _data(content: object) -> str:
    return f"data: {json.dumps(content)}\n\n"
