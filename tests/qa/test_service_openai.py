"""/v1 as the official client sees it, against a server with the models; and in raw requests."""

import contextlib
import re
import socket
import threading

import httpx
import openai
import pytest
import uvicorn
from fastapi import FastAPI
from fastapi.testclient import TestClient
from stub_assistant import StubAssistant
from support import make_document

from index import EmbeddedIndex
from qa import Answer, Assistant
from qa.service import create_app, errors
from qa.service.openai import openai_routes
from qa.service.pool import Pool

WHEN = "When did Anna Berg meet Tomas Lind?"
MEETING = "Anna Berg met Tomas Lind in Oslo on 5 March. They talked about the bridge."
STORM = "A storm hit Bergen on Sunday. Nobody was hurt."


@contextlib.contextmanager
def served(app):
    """The address of a server in a thread."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()


@pytest.fixture(scope="module")
def opened(tmp_path_factory):
    with EmbeddedIndex.open(tmp_path_factory.mktemp("openai") / ".dateline") as index:
        index.add(
            [
                make_document("a.txt", MEETING, title="Berg [and] Lind 🤝", published="2024-03-06"),
                make_document("b.txt", STORM, url="https://example.org/storm(1)"),
            ]
        )
        yield Assistant(index)


@pytest.fixture(scope="module")
def url(opened):
    with served(create_app(opened)) as address:
        yield address


@pytest.fixture(scope="module")
def client(url):
    with openai.OpenAI(base_url=f"{url}/v1", api_key="none", max_retries=0) as client:
        yield client


@pytest.fixture
def stub(index):
    return TestClient(create_app(StubAssistant(index)))


def say(*texts):
    """A conversation: user and assistant by turns."""
    roles = ["user", "assistant"]
    return [{"role": roles[n % 2], "content": text} for n, text in enumerate(texts)]


def complete(client, *texts, **more):
    return client.chat.completions.create(model="dateline", messages=say(*texts), **more)


def check_citations(text, found, record, url):
    """Each index is that of a marker, and each address that of its citation."""
    assert found
    answer = Answer.model_validate(record)
    cited = {c.number: c for c in answer.citations or answer.nearest}
    for note in found:
        number = int(re.fullmatch(r"\[(\d+)\]", text[note.start_index : note.end_index])[1])
        citation = cited[number]
        assert note.title == citation.title
        span = f"{citation.document_id}?start={citation.start}&end={citation.end}"
        assert note.url in (f"{url}/#/source/{span}", "https://example.org/storm%281%29")


def test_a_completion(client, url, opened):
    reply = complete(client, WHEN)
    (choice,) = reply.choices
    assert (reply.object, reply.model, choice.finish_reason) == (
        "chat.completion",
        "dateline",
        "stop",
    )
    assert choice.message.content.startswith("- **5 March** (2024-03-05) [1], ")
    assert "- [1] [Berg \\[and\\] Lind 🤝](" in choice.message.content
    notes = [note.url_citation for note in choice.message.annotations]
    check_citations(choice.message.content, notes, reply.dateline, url)
    usage = reply.usage
    assert usage.total_tokens == usage.prompt_tokens + usage.completion_tokens
    assert usage.prompt_tokens == 8
    assert reply.system_fingerprint == f"generation-{opened.index.stats().generation}"


def test_a_documents_own_address(client):
    reply = complete(client, "Where did the storm hit?")
    assert "Bergen" in reply.choices[0].message.content
    note = reply.choices[0].message.annotations[0].url_citation
    assert note.url == "https://example.org/storm%281%29"


def test_a_completion_streamed(client, url):
    whole = complete(client, WHEN)
    stream = complete(client, WHEN, stream=True, stream_options={"include_usage": True})
    chunks = list(stream)
    assert len({chunk.id for chunk in chunks}) == 1
    assert {chunk.object for chunk in chunks} == {"chat.completion.chunk"}
    *told, last = chunks
    assert (last.choices, last.usage) == ([], whole.usage)
    assert all(chunk.usage is None for chunk in told)
    deltas = [chunk.choices[0].delta for chunk in told]
    assert [delta.role for delta in deltas] == ["assistant"] + [None] * (len(deltas) - 1)
    text = "".join(delta.content or "" for delta in deltas)
    assert text == whole.choices[0].message.content
    assert sum(bool(delta.content) for delta in deltas) > 3
    assert [chunk.choices[0].finish_reason for chunk in told] == [None] * (len(told) - 1) + ["stop"]
    (notes,) = [delta.annotations for delta in deltas if hasattr(delta, "annotations")]
    assert notes == [note.model_dump() for note in whole.choices[0].message.annotations]
    record = told[-1].dateline
    check_citations(
        text, [openai.BaseModel.construct(**note["url_citation"]) for note in notes], record, url
    )


def test_the_usage_is_streamed_only_when_asked_for(client):
    chunks = list(complete(client, WHEN, stream=True))
    assert all(chunk.choices and "usage" not in chunk.to_dict() for chunk in chunks)


def test_the_clients_own_accumulation_of_a_stream(client):
    with client.chat.completions.stream(model="dateline", messages=say(WHEN)) as stream:
        final = stream.get_final_completion()
    whole = complete(client, WHEN)
    assert final.choices[0].message.content == whole.choices[0].message.content


def test_the_stream_on_the_wire(url):
    body = {"model": "dateline", "messages": say(WHEN), "stream": True}
    with httpx.stream("POST", f"{url}/v1/chat/completions", json=body, timeout=60) as reply:
        assert reply.headers["content-type"] == "text/event-stream; charset=utf-8"
        text = reply.read().decode()
    assert all(event.startswith("data: {") for event in text.split("\n\n")[:-2])
    assert text.endswith("data: [DONE]\n\n")


def test_a_follow_up_from_messages(client):
    first = complete(client, WHEN).choices[0].message.content
    reply = complete(client, WHEN, first, "Where?")
    assert "**Oslo**" in reply.choices[0].message.content
    assert reply.choices[0].message.content.startswith("*understood as: Where did Anna Berg meet")
    assert complete(client, "Where?").dateline["resolved_question"] == "Where?"


def test_a_follow_up_is_the_same_after_a_restart(client, opened):
    first = complete(client, WHEN).choices[0].message.content
    second = complete(client, WHEN, first, "Where?")
    texts = (WHEN, first, "Where?", second.choices[0].message.content, "Who was there with him?")
    known = complete(client, *texts).dateline
    with (
        served(create_app(opened)) as address,
        openai.OpenAI(base_url=f"{address}/v1", api_key="none", max_retries=0) as fresh,
    ):
        again = complete(fresh, *texts).dateline
    for record in (known, again):
        del record["timings_ms"]
    assert again == known


def test_a_session(client):
    header = {"X-Dateline-Session": "trip"}
    complete(client, WHEN, extra_headers=header)
    reply = complete(client, "Where?", extra_headers=header)
    assert "**Oslo**" in reply.choices[0].message.content
    reply = complete(client, "Where?", metadata={"session": "trip"})
    assert "**Oslo**" in reply.choices[0].message.content


def test_options_of_datelines_own(client):
    options = {"filters": {"source": "b.txt"}, "top_k": 3}
    reply = complete(client, WHEN, extra_body={"dateline": options})
    assert reply.choices[0].message.content.startswith("The documents do not say.")
    assert {c["source"] for c in reply.dateline["nearest"]} <= {"b.txt"}
    first = complete(client, WHEN).choices[0].message.content
    reply = complete(client, WHEN, first, "Where?", extra_body={"dateline": {"resolve": False}})
    assert reply.dateline["resolved_question"] == "Where?"


def test_models(client):
    assert [model.id for model in client.models.list()] == ["dateline"]
    assert client.models.retrieve("dateline").owned_by == "dateline"
    with pytest.raises(openai.NotFoundError, match="does not exist") as caught:
        client.models.retrieve("gpt-4")
    assert (caught.value.code, caught.value.param) == ("model_not_found", "model")


def test_a_response(client, url):
    reply = client.responses.create(model="dateline", input=WHEN, instructions="Be brief.")
    assert reply.status == "completed"
    assert reply.output_text == complete(client, WHEN).choices[0].message.content
    part = reply.output[0].content[0]
    check_citations(reply.output_text, part.annotations, reply.dateline, url)
    after = client.responses.create(
        model="dateline", input="Where?", previous_response_id=reply.id, metadata={"a": "b"}
    )
    assert "**Oslo**" in after.output_text
    assert (after.previous_response_id, after.metadata) == (reply.id, {"a": "b"})
    history = [*say(WHEN), *reply.to_dict()["output"], *say("Where?")]
    assert client.responses.create(model="dateline", input=history).output_text == after.output_text


def test_a_response_that_follows_on_messages(client):
    first = complete(client, WHEN).choices[0].message.content
    reply = client.responses.create(model="dateline", input=say(WHEN, first, "Hello?"))
    after = client.responses.create(
        model="dateline", input="Where did they meet?", previous_response_id=reply.id
    )
    assert "Anna Berg" in after.dateline["resolved_question"]
    assert "**Oslo**" in after.output_text


def test_a_response_streamed(client, url):
    with client.responses.stream(model="dateline", input=WHEN) as stream:
        events = list(stream)  # the client builds the response up, and raises if it does not fit
        final = stream.get_final_response()
    assert [event.sequence_number for event in events] == list(range(len(events)))
    kinds = list(dict.fromkeys(event.type for event in events))
    assert kinds == [
        "response.created",
        "response.in_progress",
        "response.output_item.added",
        "response.content_part.added",
        "response.output_text.delta",
        "response.output_text.annotation.added",
        "response.output_text.done",
        "response.content_part.done",
        "response.output_item.done",
        "response.completed",
    ]
    text = "".join(e.delta for e in events if e.type == "response.output_text.delta")
    assert text == final.output_text
    check_citations(text, final.output[0].content[0].annotations, final.dateline, url)
    after = client.responses.create(model="dateline", input="Where?", previous_response_id=final.id)
    assert "**Oslo**" in after.output_text


def test_a_response_that_is_not_kept_or_not_known(client):
    reply = client.responses.create(model="dateline", input=WHEN, store=False)
    for unknown in (reply.id, "resp_0"):
        with pytest.raises(openai.BadRequestError) as caught:
            client.responses.create(model="dateline", input="Where?", previous_response_id=unknown)
        assert caught.value.code == "previous_response_not_found"


@pytest.mark.parametrize(
    ("more", "param"),
    [
        ({"n": 2}, "n"),
        ({"tool_choice": "required"}, "tool_choice"),
        ({"tool_choice": {"type": "function", "function": {"name": "f"}}}, "tool_choice"),
        ({"function_call": {"name": "f"}}, "function_call"),
        ({"response_format": {"type": "json_object"}}, "response_format"),
        ({"response_format": "json"}, "response_format"),
        ({"logprobs": True}, "logprobs"),
        ({"modalities": ["text", "audio"]}, "modalities"),
    ],
)
def test_what_a_client_would_rely_on_is_refused(stub, more, param):
    reply = stub.post(
        "/v1/chat/completions", json={"model": "dateline", "messages": say(WHEN), **more}
    )
    assert reply.status_code == 400
    error = reply.json()["error"]
    assert (error["type"], error["param"], error["code"]) == (
        "invalid_request_error",
        param,
        "unsupported_parameter",
    )


@pytest.mark.parametrize(
    "more", [{"background": True}, {"conversation": "c"}, {"text": {"format": {"type": "json"}}}]
)
def test_what_a_client_of_responses_would_rely_on_is_refused(stub, more):
    reply = stub.post("/v1/responses", json={"model": "dateline", "input": WHEN, **more})
    assert (reply.status_code, reply.json()["error"]["code"]) == (400, "unsupported_parameter")


def test_what_clients_send_unasked_does_no_harm(stub):
    """As LangChain, LibreChat and Open WebUI send it."""
    body = {
        "model": "dateline",
        "messages": [
            {"role": "system", "content": "You are a pirate."},
            {"role": "user", "content": [{"type": "text", "text": WHEN}], "name": "x"},
            {"role": "assistant", "content": None, "tool_calls": [{"id": "1"}]},
            {"role": "tool", "content": "42", "tool_call_id": "1"},
            {"role": "assistant", "content": "Tomas Lind [1]"},
            {"role": "user", "content": [{"type": "text", "text": "When did he leave?"}]},
        ],
        "temperature": 0.7,
        "top_p": 1,
        "n": 1,
        "seed": 7,
        "stop": ["\n"],
        "max_tokens": 5,
        "max_completion_tokens": 5,
        "presence_penalty": 0,
        "logprobs": None,
        "user": "me",
        "tools": [{"type": "function", "function": {"name": "f"}}],
        "tool_choice": "auto",
        "parallel_tool_calls": True,
        "response_format": {"type": "text"},
        "stream_options": None,
        "stream": False,
        "keep_alive": "5m",
    }
    reply = stub.post("/v1/chat/completions", json=body)
    assert reply.status_code == 200, reply.text
    assert reply.json()["dateline"]["resolved_question"] == "When did Tomas Lind leave?"


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({}, "model"),
        ({"model": "dateline"}, "messages"),
        ({"model": "dateline", "messages": []}, "messages"),
        ({"model": "dateline", "messages": [{"role": "user"}]}, None),
        ({"model": "dateline", "messages": [{"role": "pirate"}]}, "messages.0.role"),
        ({"model": "dateline", "messages": say("", "Hello")}, None),
        ({"model": "dateline", "messages": [{"role": "system", "content": "Hi"}]}, "messages"),
        ({"model": "dateline", "messages": say("?")}, None),
        ({"model": "dateline", "messages": say("x" * 100_000)}, None),
        ({"model": "dateline", "messages": say(WHEN), "stream": "yes"}, "stream"),
        ({"model": "dateline", "messages": say(WHEN), "metadata": {"session": "a b"}}, None),
        ({"model": "dateline", "messages": say(WHEN), "dateline": {"topk": 1}}, "dateline.topk"),
    ],
)
def test_bad_requests_in_openais_shape(client, stub, url, body, param):
    del stub
    reply = httpx.post(f"{url}/v1/chat/completions", json=body, timeout=60)
    assert reply.status_code == 400, reply.text
    error = reply.json()["error"]
    assert set(error) == {"message", "type", "param", "code"}
    assert (error["type"], error["param"]) == ("invalid_request_error", param)
    assert len(reply.text) < 1000


def test_pictures_are_refused_but_not_in_what_came_before(stub):
    picture = {"type": "image_url", "image_url": {"url": "data:,"}}
    asked = {"role": "user", "content": [{"type": "text", "text": WHEN}, picture]}
    body = {"model": "dateline", "messages": [asked]}
    error = stub.post("/v1/chat/completions", json=body).json()["error"]
    assert error["param"] == "messages.0.content.1.type"
    body["messages"] += [*say(WHEN, "Well.")[1:], *say("Who?")]
    assert stub.post("/v1/chat/completions", json=body).status_code == 200


def test_errors_as_the_client_raises_them(client):
    with pytest.raises(openai.NotFoundError, match="does not exist"):
        client.chat.completions.create(model="gpt-4", messages=say(WHEN))
    with pytest.raises(openai.BadRequestError, match="question is empty"):
        complete(client, "?!", stream=True)
    with pytest.raises(openai.NotFoundError):
        client.embeddings.create(model="dateline", input="x")


def test_a_busy_service_says_when_to_try_again(index):
    app = FastAPI()
    errors.install(app)
    app.include_router(openai_routes(StubAssistant(index), Pool(workers=1, queue=-1)))
    with (
        served(app) as address,
        openai.OpenAI(base_url=f"{address}/v1", api_key="none", max_retries=0) as client,
        pytest.raises(openai.InternalServerError) as caught,
    ):
        complete(client, WHEN, stream=True)
    assert caught.value.status_code == 503
    assert int(caught.value.response.headers["retry-after"]) >= 1
    assert caught.value.code == "server_overloaded"


def test_a_reply_that_takes_too_long(index):
    release = threading.Event()

    class Slow(StubAssistant):
        def ask(self, *args, **kwargs):
            release.wait(30)
            return super().ask(*args, **kwargs)

    app = FastAPI()
    errors.install(app)
    app.include_router(openai_routes(Slow(index), Pool(seconds=0.05)))
    reply = TestClient(app).post(
        "/v1/chat/completions", json={"model": "dateline", "messages": say(WHEN)}
    )
    release.set()
    assert reply.status_code == 504
    assert reply.json()["error"]["type"] == "server_error"


def test_links_go_to_the_address_that_people_use(index):
    app = FastAPI()
    app.include_router(openai_routes(StubAssistant(index), Pool(), "https://news.example"))
    reply = TestClient(app).post(
        "/v1/chat/completions", json={"model": "dateline", "messages": say(WHEN)}
    )
    (note,) = reply.json()["choices"][0]["message"]["annotations"]
    assert note["url_citation"]["url"].startswith("https://news.example/#/source/0123456789abcdef?")


def test_sessions_hold_what_was_asked(stub):
    body = {"model": "dateline", "messages": say(WHEN), "metadata": {"session": "one"}}
    headers = {"X-Dateline-Session": "two"}
    assert stub.post("/v1/chat/completions", json=body, headers=headers).status_code == 200
    assert [s["id"] for s in stub.get("/api/sessions").json()] == ["one"]
    del body["metadata"]
    body |= {"input": WHEN}
    assert stub.post("/v1/responses", json=body, headers=headers).status_code == 200
    assert {s["id"]: s["turns"] for s in stub.get("/api/sessions").json()} == {"one": 1, "two": 1}


def test_the_api_is_described(stub):
    paths = stub.get("/openapi.json").json()["paths"]
    assert {"/v1/models", "/v1/models/{name}", "/v1/chat/completions", "/v1/responses"} <= set(
        paths
    )
