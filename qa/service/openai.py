"""/v1: chat completions, responses and models as OpenAI's API has them.

There is no language model: what a system message, instructions or a tool say is not obeyed. The
last message of the user is the question; what was said before it is the history it is understood
from, unless a session is named, whose turns it is then.
"""

from __future__ import annotations

import functools
import threading
import time
from collections import OrderedDict
from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Header, Path, Request
from fastapi.responses import StreamingResponse
from starlette.concurrency import run_in_threadpool

from ..answer import Answer
from ..assistant import TURNS, Assistant
from ..sessions import Turn, turn_of
from .ask import Replies
from .errors import OpenAIErrorReply
from .openai_history import KEPT, Exchange, RecentReplies, turns_of
from .openai_records import (
    ChatCompletion,
    Finished,
    Model,
    ModelList,
    Response,
    chat_completion,
    response,
)
from .openai_reply import Reply, reply_text, source_url
from .openai_requests import (
    MODEL,
    ChatRequest,
    Item,
    Message,
    ModelRequest,
    RequestError,
    ResponseRequest,
    check_chat,
    check_model,
    check_response,
    conversation,
    text_of,
)
from .openai_streaming import chat_events, event_stream, response_events
from .pool import Pool

_ERRORS: Replies = {
    503: {"model": OpenAIErrorReply, "description": "Too many questions wait; see Retry-After."},
    504: {"model": OpenAIErrorReply, "description": "It took too long; see Retry-After."},
}
_UNKNOWN: Replies = {404: {"model": OpenAIErrorReply, "description": "There is no such model."}}
_STREAM: Replies = {
    200: {"content": {"text/event-stream": {}}, "description": "The reply, or events if streamed."}
}
Session = Annotated[
    str | None,
    Header(alias="X-Dateline-Session", description="the conversation, as `metadata.session`"),
]


class Responses:
    """The turns up to each of the last responses, which requests may follow on."""

    def __init__(self, most: int = KEPT) -> None:
        self._most = most
        self._turns: OrderedDict[str, list[Turn]] = OrderedDict()
        self._lock = threading.Lock()

    def put(self, id_: str, turns: Sequence[Turn]) -> None:
        """Keep the turns up to a response; the oldest response goes if there are too many."""
        with self._lock:
            self._turns[id_] = list(turns[-TURNS:])
            if len(self._turns) > self._most:
                self._turns.popitem(last=False)

    def get(self, id_: str) -> list[Turn]:
        """The turns up to a response.

        Raises:
            RequestError: it is not known.
        """
        with self._lock:
            turns = self._turns.get(id_)
        if turns is None:
            raise RequestError(
                f"Previous response with id '{id_}' not found.",
                "Send the conversation as input; the last ones are kept while the service runs.",
                code="previous_response_not_found",
                param="previous_response_id",
            )
        return turns


class _Answering:
    """Answers requests with an assistant, in the threads of a pool."""

    def __init__(self, assistant: Assistant, pool: Pool, base: str | None) -> None:
        self._assistant, self._pool, self._base = assistant, pool, base
        self._recent = RecentReplies()
        self.responses = Responses()

    async def finished(
        self,
        asked: ModelRequest,
        said: Sequence[Message | Item],
        *,
        param: str,
        session: str | None,
        before: Sequence[Turn] = (),
        base: str,
    ) -> Finished:
        """The reply to the last question of a conversation.

        Args:
            asked: the request.
            said: its messages, in the field `param`.
            session: the conversation whose history is taken instead of that of the messages.
            before: turns before those of the messages.
            base: address of the service as the client calls it.

        Raises:
            RequestError: there is no question.
            UsageError: the question is empty or too long.
        """
        exchanges, question = conversation(said, param)
        options = asked.dateline
        filters, top_k = options.chosen(), options.top_k
        ask = functools.partial(self._assistant.ask, filters=filters, top_k=top_k)
        turns = list(before)
        if session is not None:
            await run_in_threadpool(self._assistant.sessions.create, session)
            answer = await self._pool.run(ask, question, session=session, resolve=options.resolve)
        else:
            if exchanges and options.resolve:
                turns += await self._pool.run(turns_of, exchanges, self._recent, ask)
            history = turns if options.resolve else []
            answer = await self._pool.run(ask, question, history=history)
        reply, generation = await run_in_threadpool(self._told, answer, self._base or base)
        return Finished(
            answer,
            reply,
            prompt=[text_of(message) for message in said],
            turns=[*turns, turn_of(question, answer)],
            generation=generation,
        )

    def _told(self, answer: Answer, base: str) -> tuple[Reply, int]:
        """The text of an answer, known again when a client sends it back; the generation."""
        index = self._assistant.index
        ids = {citation.document_id for citation in (*answer.citations, *answer.nearest)}
        documents = {id_: index.get(id_) for id_ in ids}
        reply = reply_text(answer, lambda c: source_url(c, documents[c.document_id], base))
        self._recent.put(Exchange(answer.question, reply.text), answer)
        return reply, index.stats().generation


def openai_routes(assistant: Assistant, pool: Pool, base: str | None = None) -> APIRouter:
    """The routes under /v1.

    Args:
        base: address of the service for links to its page; by default, that which a client calls.
    """
    router = APIRouter(prefix="/v1", tags=["openai"])
    model = Model(id=MODEL, created=int(time.time()))
    answering = _Answering(assistant, pool, base)

    @router.get("/models")
    def models() -> ModelList:
        """List the models; there is one."""
        return ModelList(data=[model])

    @router.get("/models/{name}", responses=_UNKNOWN)
    def one_model(
        name: Annotated[str, Path(description="name of the model", examples=[MODEL])],
    ) -> Model:
        """Describe a model."""
        check_model(name)
        return model

    @router.post(
        "/chat/completions",
        response_model=ChatCompletion,
        responses=_ERRORS | _UNKNOWN | _STREAM,
    )
    async def complete(
        asked: ChatRequest, request: Request, session: Session = None
    ) -> ChatCompletion | StreamingResponse:
        """Answer the last message of the user, in Markdown with citations."""
        check_chat(asked)
        done = await answering.finished(
            asked,
            asked.messages,
            param="messages",
            session=_session(asked, session),
            base=_address(request),
        )
        completion = chat_completion(done)
        if not asked.stream:
            return completion
        usage = bool(asked.stream_options and asked.stream_options.include_usage)
        return event_stream(chat_events(completion, usage))

    @router.post(
        "/responses",
        response_model=Response,
        responses=_ERRORS | _UNKNOWN | _STREAM,
    )
    async def respond(
        asked: ResponseRequest, request: Request, session: Session = None
    ) -> Response | StreamingResponse:
        """Answer the last message of the user, as a response that another can follow on."""
        check_response(asked)
        previous = asked.previous_response_id
        before = answering.responses.get(previous) if previous else []
        said = asked.input
        done = await answering.finished(
            asked,
            [Item(role="user", content=said)] if isinstance(said, str) else said,
            param="input",
            session=_session(asked, session),
            before=before,
            base=_address(request),
        )
        made = response(done, asked.metadata, previous)
        if asked.store is not False:
            answering.responses.put(made.id, done.turns)
        return event_stream(response_events(made)) if asked.stream else made

    return router


def _session(asked: ModelRequest, header: str | None) -> str | None:
    """The conversation that a request goes on with, if it names one; metadata goes before."""
    return (asked.metadata or {}).get("session", header)


def _address(request: Request) -> str:
    return str(request.base_url).rstrip("/")
