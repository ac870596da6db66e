"""The HTTP face."""

import pytest
from fastapi.testclient import TestClient
from support import make_document

from index import EmbeddedIndex
from qa import Answer, Assistant
from qa.service import create_app


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    with EmbeddedIndex.open(tmp_path_factory.mktemp("service") / ".dateline") as index:
        index.add(
            [
                make_document("a.txt", "Anna Berg met Tomas Lind in Oslo.", published="2024-03-05"),
                make_document("b.txt", "A storm hit Bergen. Nobody was hurt.", desk="weather"),
            ]
        )
        yield TestClient(create_app(Assistant(index)))


def test_ask(client):
    reply = client.post("/api/ask", json={"question": "Who did Anna Berg meet?"})
    assert reply.status_code == 200
    answer = Answer.model_validate(reply.json())
    assert answer.answers[0].text == "Tomas Lind"
    assert answer.citations[0].source == "a.txt"
    assert reply.json()["citations"][0]["sentences"] == [
        0,
        len("Anna Berg met Tomas Lind in Oslo."),
    ]


def test_ask_with_filters_and_contract_fields(client):
    body = {"question": "Who did Anna Berg meet?", "filters": {"before": "2024-01-01"}, "top_k": 3}
    assert client.post("/api/ask", json=body).json()["abstained"]


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/api/ask", {"question": ""}, 400),
        ("/api/ask", {"question": "x" * 100_000}, 422),
        ("/api/ask", {}, 422),
        ("/api/ask", {"question": "Who?", "top_k": 0}, 422),
        ("/api/ask", {"question": "Who?", "filters": {"after": "soon"}}, 422),
        ("/api/search", {"query": "x", "mode": "magic"}, 422),
        ("/api/search", {"query": "x", "filters": {"aftre": "2024-01-01"}}, 422),
        ("/api/search", {"query": "  "}, 400),
        ("/api/search", {"query": "?!"}, 400),
        ("/api/ask", {"question": "Who?", "top_k": "3"}, 422),
        ("/api/ask", {"question": "Who?", "top_k": True}, 422),
        ("/api/ask", {"question": "Who?", "top_k": 2.5}, 422),
        ("/api/ask", {"question": "Who?", "resolve": 0}, 422),
        ("/api/ask", {"question": "Who?", "sesion": "trip"}, 422),
        ("/api/ask", {"question": "Who?", "filters": {"after": 20240101}}, 422),
        ("/api/ask", {"question": "Who?", "filters": {"after": "2024-01-01T00:00"}}, 422),
        ("/api/timeline", {"query": ""}, 400),
        ("/api/timeline", {"query": "Berg", "since": "2024"}, 422),
    ],
)
def test_bad_requests(client, path, body, status):
    reply = client.post(path, json=body)
    assert reply.status_code == status
    assert set(reply.json()["error"]) == {"code", "problem", "next_step"}
    assert len(reply.text) < 1000


def test_a_lone_surrogate_is_no_server_error(client):
    body = b'{"question": "\\ud800 who met Tomas Lind?"}'
    reply = client.post("/api/ask", content=body, headers={"content-type": "application/json"})
    assert reply.status_code in (200, 422)


def test_null_filters_are_none(client):
    body = {"question": "Who did Anna Berg meet?", "filters": None}
    assert client.post("/api/ask", json=body).status_code == 200


def test_search(client):
    reply = client.post("/api/search", json={"query": "storm", "mode": "bm25"}).json()
    assert [hit["source"] for hit in reply["hits"]] == ["b.txt"]
    body = {"query": "storm", "filters": {"metadata": {"desk": "sport"}}}
    assert client.post("/api/search", json=body).json()["hits"] == []


def test_documents_and_health(client):
    reply = client.get("/api/documents", params={"limit": 1, "offset": 1}).json()
    assert reply["total"] == 2
    assert [d["source"] for d in reply["documents"]] == ["b.txt"]
    assert reply["documents"][0]["metadata"] == {"desk": "weather"}
    assert client.get("/healthz").json()["documents"] == 2


def test_a_method_that_is_not_there(client):
    reply = client.put("/api/sessions")
    assert reply.status_code == 405
    assert reply.headers["allow"] == "GET, POST"
    assert client.post("/docs").headers["allow"] == "GET"


def test_the_api_is_described(client):
    paths = client.get("/openapi.json").json()["paths"]
    assert {"/api/ask", "/api/search", "/api/documents", "/healthz"} <= set(paths)
    page = client.get("/docs")
    assert page.status_code == 200
    assert "https://" not in page.text  # nothing is fetched from elsewhere
