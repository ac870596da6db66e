"""Conversations over HTTP."""

import threading

import pytest
from fastapi.testclient import TestClient
from stub_assistant import StubAssistant
from support import make_document

from index import EmbeddedIndex
from qa import Assistant
from qa.service import create_app
from qa.sessions import SessionRecord

WHO = "Who did Anna Berg meet?"


@pytest.fixture
def client(index):
    with TestClient(create_app(StubAssistant(index))) as opened:  # one event loop for all requests
        yield opened


def begin(client, **body):
    reply = client.post("/api/sessions", **({"json": body} if body else {}))
    assert reply.status_code == 201
    return reply.json()["id"]


def ask(client, question, **more):
    return client.post("/api/ask", json={"question": question, **more})


def test_a_conversation(client):
    session = begin(client)
    assert ask(client, WHO, session=session).status_code == 200
    reply = ask(client, "When did he leave?", session=session).json()
    assert reply["resolved_question"] == "When did Tomas Lind leave?"
    reply = ask(client, "When did he leave?", session=session, resolve=False).json()
    assert reply["resolved_question"] == "When did he leave?"
    record = SessionRecord.model_validate(client.get(f"/api/sessions/{session}").json())
    assert [turn.number for turn in record.turns] == [1, 2, 3]
    assert record.turns[1].answer.question == "When did he leave?"


def test_a_question_without_a_session_is_kept_nowhere(client):
    for session in ({}, {"session": None}):
        assert ask(client, WHO, **session).status_code == 200
    assert client.get("/api/sessions").json() == []


def test_listing_and_deleting(client):
    first, second = begin(client), begin(client, id="trip")
    assert second == begin(client, id="trip") == "trip"
    ask(client, WHO, session=first)
    sessions = client.get("/api/sessions").json()
    assert [(s["id"], s["turns"]) for s in sessions] == [(first, 1), ("trip", 0)]
    assert set(sessions[0]) == {"id", "created", "used", "turns", "title"}
    reply = client.delete(f"/api/sessions/{first}")
    assert (reply.status_code, reply.content) == (204, b"")
    assert [s["id"] for s in client.get("/api/sessions").json()] == ["trip"]


def test_export(client):
    session = begin(client)
    ask(client, WHO, session=session)
    path = f"/api/sessions/{session}/export"
    for reply in (client.get(path), client.get(path, params={"format": "markdown"})):
        assert reply.headers["content-type"] == "text/markdown; charset=utf-8"
        assert reply.text.startswith(f"# Session {session}\n")
        assert "- **Tomas Lind** [1], 80% sure\n" in reply.text
    record = client.get(f"/api/sessions/{session}").json()
    assert client.get(path, params={"format": "json"}).json() == record
    assert client.get(path, params={"format": "pdf"}).status_code == 422


@pytest.mark.parametrize("session", ["none", "a%20b", "%00", "%ED%A0%80", "x" * 5000, "'; --"])
def test_unknown_sessions(client, session):
    replies = [
        client.get(f"/api/sessions/{session}"),
        client.get(f"/api/sessions/{session}/export"),
        client.delete(f"/api/sessions/{session}"),
        ask(client, WHO, session=session),
    ]
    for reply in replies:
        assert reply.status_code == 404
        error = reply.json()["error"]
        assert (error["code"], "There is no session" in error["problem"]) == ("D206", True)
        assert "GET /api/sessions" in error["next_step"]
        assert len(reply.text) < 1000


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"id": "a b"}, 400),
        ({"id": ""}, 400),
        ({"id": "x" * 65}, 400),
        ({"id": 7}, 422),
        ({"name": "trip"}, 422),
        ([], 422),
    ],
)
def test_bad_requests(client, body, status):
    reply = client.post("/api/sessions", json=body)
    assert reply.status_code == status
    assert set(reply.json()["error"]) == {"code", "problem", "next_step"}


def test_bad_sessions_in_a_question(client):
    for fields in ({"session": 7}, {"session": ["a"]}, {"resolve": "perhaps"}):
        assert ask(client, WHO, **fields).status_code == 422


def test_clients_at_once_lose_nothing(client):
    session = begin(client)
    statuses = []

    def talk():
        statuses.extend(ask(client, WHO, session=session).status_code for _ in range(10))

    threads = [threading.Thread(target=talk) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses == [200] * 40
    turns = client.get(f"/api/sessions/{session}").json()["turns"]
    assert [turn["number"] for turn in turns] == list(range(1, 41))


def test_the_api_is_described(client):
    paths = client.get("/openapi.json").json()["paths"]
    assert set(paths["/api/sessions"]) == {"get", "post"}
    assert set(paths["/api/sessions/{session_id}"]) == {"get", "delete"}
    assert "/api/sessions/{session_id}/export" in paths


def test_a_conversation_with_the_models(tmp_path):
    with EmbeddedIndex.open(tmp_path / ".dateline") as index:
        index.add([make_document("a.txt", "Anna Berg met Tomas Lind in Oslo.")])
        client = TestClient(create_app(Assistant(index)))
        session = begin(client)
        answer = ask(client, WHO, session=session).json()
        assert answer["answers"][0]["text"] == "Tomas Lind"
        (turn,) = client.get(f"/api/sessions/{session}").json()["turns"]
        assert turn["answer"] == answer
        assert turn["passages"][0]["document_id"] == answer["citations"][0]["document_id"]
        assert ask(client, WHO, session="none").status_code == 404
