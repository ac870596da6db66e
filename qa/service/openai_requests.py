"""What clients of the OpenAI API send, and what of it is refused.

A parameter that would only steer a language model (temperature, seed, stop, max_tokens ...) is
accepted and has no effect, since clients send them unasked. One whose effect a client would rely on
is refused: several choices, a forced tool call, JSON as output.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, Protocol

from pydantic import BaseModel, ConfigDict, Field

from ..assistant import PASSAGES
from .ask import Filtered
from .errors import ServiceError
from .fields import Count, Flag
from .openai_history import Exchange

MODEL = "dateline"
_TEXT = ("text", "input_text", "output_text")
_LENIENT = ConfigDict(extra="ignore")  # the API grows; what is new there is no error here


class RequestError(ServiceError):
    """A request that OpenAI's API may allow, but this service cannot serve."""

    status = 400

    def __init__(
        self, problem: str, next_step: str = "", *, code: str, param: str, status: int = 400
    ) -> None:
        super().__init__(problem, next_step)
        self.status, self.code, self.param = status, code, param


class Options(Filtered):
    """What Dateline's own API takes besides a question."""

    top_k: Count = Field(default=PASSAGES, ge=1, le=100, description="passages to read")
    resolve: Flag = Field(
        default=True, description="understand the question from what came before it"
    )


class Part(BaseModel):
    """A part of a message."""

    model_config = _LENIENT

    type: str = Field(description="text, input_text or output_text; others are not understood")
    text: str | None = Field(default=None, description="the words, of a part of text")


class Message(BaseModel):
    """A message of a conversation."""

    model_config = _LENIENT

    role: Literal["system", "developer", "user", "assistant", "tool", "function"] = Field(
        description="who says it; what a system, developer or tool says is not looked at"
    )
    content: str | list[Part] | None = Field(default=None, description="what is said")


class StreamOptions(BaseModel):
    """How to stream."""

    model_config = _LENIENT

    include_usage: Flag | None = Field(
        default=None, description="whether a last chunk tells the usage"
    )


class ModelRequest(BaseModel):
    """What requests for a completion and for a response share."""

    model_config = _LENIENT

    model: str = Field(description="which model; there is one", examples=[MODEL])
    stream: Flag | None = Field(default=None, description="reply with server-sent events")
    metadata: dict[str, str] | None = Field(
        default=None,
        description="`session`: the conversation to go on with, made if there is none; "
        "history is taken from it then",
    )
    tool_choice: Any = Field(default=None, description="only that none need be called")
    dateline: Options = Field(default=Options(), description="Dateline's own options")


class ChatRequest(ModelRequest):
    """A request for a chat completion."""

    messages: list[Message] = Field(
        min_length=1,
        description="the conversation; the last message of the user is the question",
        examples=[[{"role": "user", "content": "When was the pilots’ strike settled?"}]],
    )
    stream_options: StreamOptions | None = Field(default=None, description="how to stream")
    n: Count | None = Field(default=None, description="how many choices; only 1")
    response_format: Any = Field(default=None, description="only text")
    function_call: Any = Field(default=None, description="only that none need be called")
    modalities: list[str] | None = Field(default=None, description="only text")
    logprobs: Flag | None = Field(default=None, description="only false")


class Item(BaseModel):
    """An item of the input of a response: a message, or something that is not looked at."""

    model_config = _LENIENT

    type: str | None = Field(default=None, description="what it is; a message by default")
    role: str | None = Field(default=None, description="who says it")
    content: str | list[Part] | None = Field(default=None, description="what is said")


class TextOptions(BaseModel):
    """What text a response has."""

    model_config = _LENIENT

    format: Any = Field(default=None, description="only text")


class ResponseRequest(ModelRequest):
    """A request for a response."""

    input: str | list[Item] = Field(
        description="a question, or the conversation up to it",
        examples=["When was the pilots’ strike settled?"],
    )
    previous_response_id: str | None = Field(
        default=None, description="the response that the question follows on"
    )
    text: TextOptions | None = Field(default=None, description="what text the response has")
    store: Flag | None = Field(
        default=None, description="whether a later request may follow on it; true by default"
    )
    background: Flag | None = Field(default=None, description="only false")
    conversation: Any = Field(default=None, description="not supported; see `metadata`")


class Said(Protocol):
    """What a message of either kind has."""

    role: Any
    content: str | list[Part] | None


def check_model(name: str) -> None:
    """Refuse a name that no model has.

    Raises:
        RequestError: there is no such model.
    """
    if name != MODEL:
        raise RequestError(
            f"The model '{name}' does not exist.",
            f'There is one: "{MODEL}".',
            code="model_not_found",
            param="model",
            status=404,
        )


def check_chat(request: ChatRequest) -> None:
    """Refuse what a client would rely on in vain.

    Raises:
        RequestError: there is such a parameter, or no such model.
    """
    _check_shared(request)
    if request.n not in (None, 1):
        raise _unsupported("n", "There is one reply to a question.", "Leave it out.")
    if _forced(request.function_call):
        raise _unsupported("function_call", "Functions are not called.", "Leave it out.")
    if not _is_text(request.response_format):
        raise _unsupported("response_format", *_NO_JSON)
    if set(request.modalities or ["text"]) != {"text"}:
        raise _unsupported("modalities", "Replies are text.", "Leave it out.")
    if request.logprobs:
        raise _unsupported("logprobs", "There is no language model.", "Leave it out.")


def check_response(request: ResponseRequest) -> None:
    """Refuse what a client would rely on in vain.

    Raises:
        RequestError: there is such a parameter, or no such model.
    """
    _check_shared(request)
    if request.text and not _is_text(request.text.format):
        raise _unsupported("text.format", *_NO_JSON)
    if request.background:
        raise _unsupported("background", "Replies are not prepared ahead.", "Leave it out.")
    if request.conversation is not None:
        raise _unsupported(
            "conversation", "There are no such objects here.", "Set metadata.session instead."
        )


def _check_shared(request: ModelRequest) -> None:
    check_model(request.model)
    if _forced(request.tool_choice):
        raise _unsupported("tool_choice", "Tools are not called.", 'Leave it out, or use "auto".')


_NO_JSON = (
    "Replies are text.",
    'Leave it out; the reply\'s field "dateline" has the answer as a JSON record.',
)


def _unsupported(param: str, problem: str, next_step: str) -> RequestError:
    problem = f"Unsupported parameter '{param}': {problem}"
    return RequestError(problem, next_step, code="unsupported_parameter", param=param)


def _forced(choice: object) -> bool:
    """Whether a choice of tools is one that some tool must be called by."""
    if isinstance(choice, dict) and choice.get("mode") == "auto":  # of allowed_tools
        return False
    return choice not in (None, "none", "auto")


def _is_text(wanted: object) -> bool:
    return wanted is None or (isinstance(wanted, dict) and wanted.get("type") == "text")


def conversation(said: Sequence[Said], param: str) -> tuple[list[Exchange], str]:
    """The exchanges before the last question, oldest first, and that question.

    What comes after the question is not looked at. Of several messages of the user on end, the last
    is the one that was answered.

    Args:
        param: the field that the messages are in, for errors.

    Raises:
        RequestError: nobody asks anything, or not in words.
    """
    at = max((i for i, message in enumerate(said) if message.role == "user"), default=None)
    if at is None:
        raise RequestError(
            "There is no message of the user.",
            'The question is the last message with the role "user".',
            code="invalid_value",
            param=param,
        )
    for number, part in enumerate(_parts(said[at])):
        if part.type not in _TEXT:
            raise RequestError(
                f"A part of the question is of the type '{part.type}'.",
                "Only text is understood.",
                code="unsupported_value",
                param=f"{param}.{at}.content.{number}.type",
            )
    exchanges: list[Exchange] = []
    question = ""
    for message in said[:at]:
        words = text_of(message)
        if message.role == "user":
            question = words
        elif message.role == "assistant" and question and words:
            exchanges.append(Exchange(question, words))
            question = ""
    return exchanges, text_of(said[at])


def _parts(message: Said) -> list[Part]:
    return message.content if isinstance(message.content, list) else []


def text_of(message: Said) -> str:
    """The words of a message; other parts are left out."""
    if isinstance(message.content, str):
        return message.content
    return "\n".join(part.text or "" for part in _parts(message) if part.type in _TEXT)
