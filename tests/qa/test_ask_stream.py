"""POST /api/ask/stream: an answer as it comes about."""

import asyncio
import json
import threading

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from support import make_document

from index import EmbeddedIndex
from index.errors import UsageError
from qa import Answer, Assistant
from qa.service import create_app
from qa.service.pool import Pool
from qa.service.streaming import streaming_routes
from qa.stages import Understood

WHO = "Who did Anna Berg meet?"


def events(text):
    """The names and data of server-sent events."""
    blocks = [block.split("\n") for block in text.strip().split("\n\n")]
    return [
        (name.removeprefix("event: "), json.loads(data.removeprefix("data: ")))
        for name, data in blocks
    ]


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    with EmbeddedIndex.open(tmp_path_factory.mktemp("stream") / ".dateline") as index:
        index.add(
            [
                make_document("a.txt", "Anna Berg met Tomas Lind in Oslo.", published="2024-03-05"),
                make_document("b.txt", "A storm hit Bergen. Nobody was hurt."),
            ]
        )
        yield TestClient(create_app(Assistant(index)))


def stream(client, **body):
    reply = client.post("/api/ask/stream", json=body)
    assert reply.headers["content-type"] == "text/event-stream; charset=utf-8"
    return events(reply.text)


def test_the_stages_come_first_and_the_answer_is_that_of_ask(client):
    told = stream(client, question=WHO)
    assert [name for name, _ in told] == ["understood", "passages", "answer"]
    assert told[0][1] == {"resolved_question": WHO}
    assert told[1][1]["hits"][0]["source"] == "a.txt"
    asked = client.post("/api/ask", json={"question": WHO}).json()
    answer = told[2][1]
    answer["timings_ms"] = asked["timings_ms"] = {}
    assert answer == asked
    assert Answer.model_validate(answer).answers[0].text == "Tomas Lind"


def test_a_turn_of_a_session_is_understood_and_kept(client):
    session = client.post("/api/sessions").json()["id"]
    stream(client, question=WHO, session=session)
    told = stream(client, question="When did he leave?", session=session)
    assert "Tomas Lind" in told[0][1]["resolved_question"]
    assert [t["question"] for t in client.get(f"/api/sessions/{session}").json()["turns"]] == [
        WHO,
        "When did he leave?",
    ]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"question": ""}, 400),
        ({"question": WHO, "session": "none"}, 404),
        ({"question": WHO, "top_k": 0}, 422),
        ({}, 422),
    ],
)
def test_what_fails_at_once_has_an_errors_status(client, body, status):
    reply = client.post("/api/ask/stream", json=body)
    assert reply.status_code == status
    assert set(reply.json()["error"]) == {"code", "problem", "next_step"}


class Staged:
    """An assistant that says that it has understood, waits, and then does what it is told."""

    def __init__(self, end):
        self.end, self.go = end, threading.Event()

    def ask(self, question, *, on_stage, **_):
        on_stage(Understood(question))
        assert self.go.wait(10)
        raise self.end


def staged_app(assistant):
    app = FastAPI()
    app.include_router(streaming_routes(assistant, Pool()))
    return app


@pytest.mark.parametrize(
    ("error", "problem"),
    [
        (UsageError("The index is gone.", "Look."), "The index is gone."),
        (RuntimeError("secret path"), "Something went wrong in the service."),
    ],
)
def test_what_fails_later_is_the_last_event(error, problem):
    assistant = Staged(error)
    assistant.go.set()
    told = stream(TestClient(staged_app(assistant)), question=WHO)
    assert [name for name, _ in told] == ["understood", "error"]
    assert told[1][1]["error"]["problem"] == problem


def test_a_stage_is_sent_while_the_answer_is_not_there():
    """The events are read one by one, as the application sends them."""
    assistant = Staged(UsageError("over"))
    app = staged_app(assistant)
    body = json.dumps({"question": WHO}).encode()
    scope = {
        "type": "http", "http_version": "1.1", "scheme": "http", "method": "POST",
        "path": "/api/ask/stream", "raw_path": b"", "query_string": b"",
        "headers": [(b"content-type", b"application/json")],
    }  # fmt: skip

    async def read():
        sent = asyncio.Queue()
        incoming = [{"type": "http.request", "body": body, "more_body": False}]

        async def receive():
            return incoming.pop() if incoming else await asyncio.Event().wait()

        running = asyncio.create_task(app(scope, receive, sent.put))
        assert (await asyncio.wait_for(sent.get(), 10))["status"] == 200
        first = await asyncio.wait_for(sent.get(), 10)
        assert b"understood" in first["body"]
        assert not running.done()
        assistant.go.set()
        second = await asyncio.wait_for(sent.get(), 10)
        assert b"event: error" in second["body"]
        await asyncio.wait_for(running, 10)

    asyncio.run(read())
