"""What clients of the OpenAI API are sent; one field is ours: `dateline`, the whole answer.

Shapes: platform.openai.com/docs/api-reference (chat completions, models, responses), as the types
of the official Python client have them.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Sequence
from typing import Literal, NamedTuple

from pydantic import BaseModel, Field

from ..answer import Answer
from ..sessions import Turn
from .openai_reply import Marker, Reply, count_tokens
from .openai_requests import MODEL


class Model(BaseModel):
    """A model."""

    id: str = Field(description="its name", examples=[MODEL])
    object: Literal["model"] = Field(default="model", description="what this is")
    created: int = Field(description="when the service was started, Unix time")
    owned_by: str = Field(default="dateline", description="whose it is")


class ModelList(BaseModel):
    """The models."""

    object: Literal["list"] = Field(default="list", description="what this is")
    data: list[Model] = Field(description="there is one")


class UrlCitation(BaseModel):
    """Where a citation's number stands in a message, and where what it cites can be looked at."""

    start_index: int = Field(description="first character of the number, as in [1]")
    end_index: int = Field(description="character after its last; in Unicode code points")
    title: str = Field(description="title of the document")
    url: str = Field(description="address of the document, or of the place in the page")


class ChatAnnotation(BaseModel):
    """A citation in a message."""

    type: Literal["url_citation"] = Field(default="url_citation", description="what this is")
    url_citation: UrlCitation = Field(description="the citation")


class ResponseAnnotation(UrlCitation):
    """A citation in the text of a response: where its number stands, and what it cites."""

    type: Literal["url_citation"] = Field(default="url_citation", description="what this is")


class ChatMessage(BaseModel):
    """The reply as a message."""

    role: Literal["assistant"] = Field(default="assistant", description="who says it")
    content: str = Field(description="the answer in Markdown, with its sources")
    refusal: None = Field(default=None, description="never")
    annotations: list[ChatAnnotation] = Field(description="the citations, in the text's order")


class Choice(BaseModel):
    """The only choice."""

    index: int = Field(default=0, description="its place")
    message: ChatMessage = Field(description="the reply")
    logprobs: None = Field(default=None, description="never")
    finish_reason: Literal["stop"] = Field(default="stop", description="it always is complete")


class Usage(BaseModel):
    """How long question and reply are, in words and punctuation marks."""

    prompt_tokens: int = Field(description="of all messages")
    completion_tokens: int = Field(description="of the reply")
    total_tokens: int = Field(description="of both")


class ChatCompletion(BaseModel):
    """A reply."""

    id: str = Field(description="a random name")
    object: Literal["chat.completion"] = Field(
        default="chat.completion", description="what this is"
    )
    created: int = Field(description="when, Unix time")
    model: str = Field(description="which model")
    system_fingerprint: str = Field(description="changes when the documents do")
    choices: list[Choice] = Field(description="the reply")
    usage: Usage = Field(description="how long it is")
    dateline: Answer = Field(description="the whole answer, as /api/ask gives it")


class OutputText(BaseModel):
    """The text of a response."""

    type: Literal["output_text"] = Field(default="output_text", description="what this is")
    text: str = Field(description="the answer in Markdown, with its sources")
    annotations: list[ResponseAnnotation] = Field(description="the citations, in the text's order")


class OutputMessage(BaseModel):
    """The reply as an item of a response."""

    id: str = Field(description="a random name")
    type: Literal["message"] = Field(default="message", description="what this is")
    role: Literal["assistant"] = Field(default="assistant", description="who says it")
    status: Literal["in_progress", "completed"] = Field(description="whether it is complete")
    content: list[OutputText] = Field(description="what it says")


class TokenDetails(BaseModel):
    """Which tokens were cheaper; none are."""

    cached_tokens: int = Field(default=0, description="always 0")
    cache_write_tokens: int = Field(default=0, description="always 0")


class OutputTokenDetails(BaseModel):
    """Which tokens are not shown; none."""

    reasoning_tokens: int = Field(default=0, description="always 0")


class ResponseUsage(BaseModel):
    """How long question and reply are, in words and punctuation marks."""

    input_tokens: int = Field(description="of all messages")
    input_tokens_details: TokenDetails = Field(default=TokenDetails(), description="always 0")
    output_tokens: int = Field(description="of the reply")
    output_tokens_details: OutputTokenDetails = Field(
        default=OutputTokenDetails(), description="always 0"
    )
    total_tokens: int = Field(description="of both")


class Response(BaseModel):
    """A response; `dateline` and `usage` are there when it is complete."""

    id: str = Field(description="a random name; previous_response_id of what follows on it")
    object: Literal["response"] = Field(default="response", description="what this is")
    created_at: int = Field(description="when, Unix time")
    status: Literal["in_progress", "completed"] = Field(description="whether it is complete")
    error: None = Field(default=None, description="never: a request that fails has no response")
    incomplete_details: None = Field(default=None, description="never")
    instructions: None = Field(default=None, description="never: they are not followed")
    metadata: dict[str, str] = Field(description="as it was sent")
    model: str = Field(description="which model")
    output: list[OutputMessage] = Field(description="the reply")
    parallel_tool_calls: bool = Field(default=False, description="never")
    previous_response_id: str | None = Field(description="the response that it follows on")
    tool_choice: Literal["none"] = Field(default="none", description="tools are not called")
    tools: list[None] = Field(default=[], description="none")
    usage: ResponseUsage | None = Field(default=None, description="how long it is")
    dateline: Answer | None = Field(
        default=None, description="the whole answer, as /api/ask gives it"
    )


class Finished(NamedTuple):
    """A reply that is ready to be sent.

    Attributes:
        prompt: the texts of the messages.
        turns: what was asked and answered before it, as far as it was looked at, then itself.
        generation: of the index.
    """

    answer: Answer
    reply: Reply
    prompt: Sequence[str]
    turns: Sequence[Turn]
    generation: int

    def tokens(self) -> tuple[int, int]:
        """Of the messages and of the reply."""
        return sum(map(count_tokens, self.prompt)), count_tokens(self.reply.text)


def chat_completion(done: Finished) -> ChatCompletion:
    """A reply as a chat completion."""
    prompt, completion = done.tokens()
    message = ChatMessage(
        content=done.reply.text,
        annotations=[ChatAnnotation(url_citation=_citation(m)) for m in done.reply.markers],
    )
    return ChatCompletion(
        id=f"chatcmpl-{secrets.token_hex(12)}",
        created=int(time.time()),
        model=MODEL,
        system_fingerprint=f"generation-{done.generation}",
        choices=[Choice(message=message)],
        usage=Usage(
            prompt_tokens=prompt,
            completion_tokens=completion,
            total_tokens=prompt + completion,
        ),
        dateline=done.answer,
    )


def response(done: Finished, metadata: dict[str, str] | None, previous: str | None) -> Response:
    """A reply as a response."""
    prompt, completion = done.tokens()
    annotations = [
        ResponseAnnotation(**_citation(marker).model_dump()) for marker in done.reply.markers
    ]
    message = OutputMessage(
        id=f"msg_{secrets.token_hex(12)}",
        status="completed",
        content=[OutputText(text=done.reply.text, annotations=annotations)],
    )
    return Response(
        id=f"resp_{secrets.token_hex(12)}",
        created_at=int(time.time()),
        status="completed",
        metadata=metadata or {},
        model=MODEL,
        output=[message],
        previous_response_id=previous,
        usage=ResponseUsage(
            input_tokens=prompt, output_tokens=completion, total_tokens=prompt + completion
        ),
        dateline=done.answer,
    )


def _citation(marker: Marker) -> UrlCitation:
    return UrlCitation(
        start_index=marker.start,
        end_index=marker.end,
        title=marker.citation.title,
        url=marker.url,
    )
