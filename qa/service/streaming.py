"""POST /api/ask/stream: the reply to a question as server-sent events, while it comes about."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from typing import Any

from fastapi import APIRouter
from fastapi.responses import StreamingResponse

from index.errors import DatelineError

from ..answer import hit_record
from ..assistant import Assistant
from ..stages import Found, Stage
from .ask import BUSY, UNKNOWN_SESSION, AskRequest
from .pool import Pool

logger = logging.getLogger("dateline.service")

Event = tuple[str, dict[str, Any]]  # its name and its data


def streaming_routes(assistant: Assistant, pool: Pool) -> APIRouter:
    """The route for those who watch an answer come about."""
    router = APIRouter(prefix="/api/ask", tags=["questions"], responses=BUSY)

    @router.post(
        "/stream",
        response_class=StreamingResponse,
        responses={200: {"content": {"text/event-stream": {}}}, **UNKNOWN_SESSION},
    )
    async def ask_in_stages(request: AskRequest) -> StreamingResponse:
        """Answer a question in server-sent events, the data of each a JSON object.

        `understood` with `resolved_question`, the question that is searched for; `passages` with
        `hits`, as /api/search gives them, that are read next. Both come again where another reading
        of the question is tried, and not at all where Dateline asks back. `answer`, the record that
        /api/ask gives, is the last, or `error` with what a failed request says. What fails before
        the first event has an error's status.
        """
        loop = asyncio.get_running_loop()
        events: asyncio.Queue[Event | None] = asyncio.Queue()

        def tell(stage: Stage) -> None:  # in the pool's thread
            loop.call_soon_threadsafe(events.put_nowait, _event(stage))

        asking = asyncio.create_task(
            pool.run(
                assistant.ask,
                request.question,
                filters=request.chosen(),
                top_k=request.top_k,
                session=request.session,
                resolve=request.resolve,
                on_stage=tell,
            )
        )
        asking.add_done_callback(lambda _: events.put_nowait(None))
        first = await events.get()
        if first is None:
            asking.result()  # raises what went wrong

        async def stream() -> AsyncIterator[str]:
            try:
                event = first
                while event is not None:
                    yield _line(event)
                    event = await events.get()
                yield _line(_last(asking))
            finally:
                asking.cancel()  # whoever asked has gone; without effect once it is done

        return StreamingResponse(stream(), media_type="text/event-stream", headers=HEADERS)

    return router


# nginx and its like would otherwise keep the events until there are enough of them.
HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


def _event(stage: Stage) -> Event:
    if isinstance(stage, Found):
        return "passages", {"hits": [hit_record(hit).model_dump() for hit in stage.hits]}
    return "understood", {"resolved_question": stage.question}


def _last(asking: asyncio.Task[Any]) -> Event:
    """The answer, or what went wrong."""
    error = asking.exception()
    if error is None:
        return "answer", asking.result().model_dump()
    if not isinstance(error, DatelineError):
        logger.error("asking failed", exc_info=error)
        error = DatelineError(
            "Something went wrong in the service.", "The service's log says more."
        )
    detail = {"code": error.code, "problem": error.problem, "next_step": error.next_step}
    return "error", {"error": detail}


def _line(event: Event) -> str:
    name, data = event
    return f"event: {name}\ndata: {json.dumps(data)}\n\n"
