"""How the service tells of itself: status, probes, metrics, log lines, request ids."""

import json
import logging
import threading

import pytest
from fastapi.testclient import TestClient
from prometheus_client.parser import text_string_to_metric_families
from stub_assistant import StubAssistant, make_answer
from support import make_document

from index import EmbeddedIndex
from index.errors import ReaderError
from qa import Assistant
from qa.answer import Clarification
from qa.service import ServiceSettings, create_app, logs
from qa.service.keys import KeyStore

SECRET_QUESTION = "Who is the whistleblower Zaphod?"


class Broken(StubAssistant):
    """Fails at what it is asked, in ways that nobody expects."""

    def ask(self, question, **_):
        raise RuntimeError("a bug")


class Loading(StubAssistant):
    """Has models that load when they are let."""

    def __init__(self, index, error=None):
        super().__init__(index)
        self.loads, self.error = threading.Event(), error
        self.done = threading.Event()

    def warm_up(self):
        assert self.loads.wait(10)
        self.done.set()
        if self.error:
            raise self.error


class Varied(StubAssistant):
    """Answers, abstains or asks back."""

    def ask(self, question, **_):
        answer = make_answer(question, "" if "Cup" in question else "Tomas Lind")
        answer.timings_ms = {"retrieve": 4.0, "read": 90.0, "total": 95.0}
        if "he" in question.split():
            answer.abstained = True
            answer.clarification = Clarification(question="Who?", choices=["a", "b"])
        return answer


def samples(client):
    """The metrics as {(name, labels...): value}."""
    reply = client.get("/metrics")
    assert reply.headers["content-type"].startswith("text/plain; version=")
    return {
        (s.name, *s.labels.values()): s.value
        for family in text_string_to_metric_families(reply.text)
        for s in family.samples
    }


def ask(client, question=SECRET_QUESTION, **more):
    return client.post("/api/ask", json={"question": question}, **more)


# metrics


def test_metrics_count_requests_answers_and_stages(index):
    client = TestClient(create_app(Varied(index)))
    for question in ("Who?", "What Cup?", "What Cup was it?", "When did he go?"):
        assert ask(client, question).status_code == 200
    client.post("/api/ask", json={})
    client.get("/api/sessions/none")
    client.get("/no/such/path")
    client.request("BREW", "/api/ask")
    found = samples(client)
    assert found["dateline_requests_total", "POST", "/api/ask", "200"] == 4
    assert found["dateline_requests_total", "POST", "/api/ask", "422"] == 1
    assert found["dateline_requests_total", "GET", "/api/sessions/{session_id}", "404"] == 1
    assert found["dateline_requests_total", "GET", "-", "404"] == 1
    assert found["dateline_requests_total", "other", "/api/ask", "405"] == 1
    assert found["dateline_request_seconds_count", "/api/ask"] == 6
    assert found["dateline_answers_total", "answered"] == 1
    assert found["dateline_answers_total", "abstained"] == 2
    assert found["dateline_answers_total", "asked_back"] == 1
    assert found["dateline_stage_seconds_count", "read"] == 4
    assert found["dateline_stage_seconds_sum", "read"] == pytest.approx(0.36)
    assert found["dateline_stage_seconds_bucket", "0.1", "read"] == 4
    assert found["dateline_stage_seconds_bucket", "0.05", "read"] == 0
    assert found["dateline_workers",] == 2
    assert found["dateline_queue_limit",] == 32
    assert found["dateline_queue_waiting",] == found["dateline_workers_busy",] == 0
    assert found["process_resident_memory_bytes",] > 1e6


def test_metrics_know_the_size_of_the_index(index):
    client = TestClient(create_app(StubAssistant(index)))
    assert samples(client)["dateline_index_documents",] == 0
    index.add([make_document("a.txt", "Anna Berg met Tomas Lind.")])
    found = samples(client)
    stats = index.stats()
    assert found["dateline_index_documents",] == 1
    assert found["dateline_index_chunks",] == stats.chunks
    assert found["dateline_index_generation",] == stats.generation


def test_two_applications_count_apart(index):
    clients = [TestClient(create_app(StubAssistant(index))) for _ in range(2)]
    ask(clients[0])
    assert samples(clients[0])["dateline_answers_total", "answered"] == 1
    assert samples(clients[1])["dateline_answers_total", "answered"] == 0


# probes and status


def test_it_is_ready_when_the_models_are_loaded(index):
    assistant = Loading(index)
    with TestClient(create_app(assistant)) as client:
        reply = client.get("/readyz")
        assert reply.status_code == 503
        assert "not loaded yet" in reply.json()["error"]["problem"]
        assert reply.headers["retry-after"]
        assert not client.get("/api/status").json()["ready"]
        assert client.get("/healthz").status_code == 200
        assistant.loads.set()
        wait_for(lambda: client.get("/readyz").status_code == 200)
        assert client.get("/readyz").json() == {"status": "ready"}
        assert client.get("/api/status").json()["ready"]


@pytest.mark.parametrize("error", [ReaderError("model.onnx is damaged."), ValueError("odd")])
def test_models_that_cannot_be_loaded_are_told_of(index, error):
    assistant = Loading(index, error)
    with TestClient(create_app(assistant)) as client:
        assistant.loads.set()
        wait_for(lambda: str(error) in client.get("/readyz").json()["error"]["problem"])
        assert client.get("/readyz").status_code == 503
        assert client.get("/healthz").status_code == 200


def wait_for(condition):
    for _ in range(1000):
        if condition():
            return
        threading.Event().wait(0.01)
    raise AssertionError("it never happened")


def test_status_with_the_models(tmp_path):
    with EmbeddedIndex.open(tmp_path / ".dateline") as index:
        text = "Anna Berg met Tomas Lind in Oslo on March 4, 2024."
        index.add([make_document("a.txt", text, published="2024-03-05")])
        with TestClient(create_app(Assistant(index))) as client:
            wait_for(lambda: client.get("/readyz").status_code == 200)
            client.post("/api/sessions")
            status = client.get("/api/status").json()
            assert (status["documents"], status["chunks"], status["sessions"]) == (1, 1, 1)
            assert status["embedder"] == "all-MiniLM-L6-v2"
            assert status["engine"] in ("openvino", "onnxruntime")
            assert len(status["reader"]) == 12
            assert status["first_published"] == "2024-03-05"
            assert status["uptime_seconds"] >= 0
            body = {"query": "Anna Berg", "since": "2024-01-01"}
            timeline = client.post("/api/timeline", json=body).json()
            assert timeline["events"][0]["who"][0]["text"] == "Anna Berg"
            assert timeline["citations"]
            late = client.post("/api/timeline", json={**body, "since": "2025-01-01"})
            assert late.json()["events"] == []


# logs


@pytest.fixture
def lines():
    """What the service logs: the records, formatted as JSON and as text."""
    found = []

    class Kept(logging.Handler):
        def emit(self, record):
            found.append(
                (json.loads(logs.JsonLines().format(record)), logs.TextLines().format(record))
            )

    logger, handler = logging.getLogger("dateline"), Kept()
    before = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    yield found
    logger.removeHandler(handler)
    logger.setLevel(before)


def test_a_line_a_request_with_what_helps_and_nothing_secret(index, tmp_path, lines):
    keys = KeyStore(tmp_path)
    key = keys.add("newsroom")
    client = TestClient(create_app(StubAssistant(index), ServiceSettings(), keys))
    ask(client, headers={"Authorization": f"Bearer {key}", "X-Request-ID": "abc-1"})
    client.get(f"/api/documents?q={SECRET_QUESTION}", headers={"Authorization": "Bearer dl_guess"})
    client.get(f"/{SECRET_QUESTION}", headers={"Authorization": f"Bearer {key}"})
    client.get("/healthz")  # no news
    first, second, third = [line for line, _ in lines]
    assert first["message"] == "POST /api/ask 200"
    assert (first["id"], first["key"], first["level"]) == ("abc-1", "newsroom", "info")
    assert first["client"] == "testclient"
    assert first["ms"] >= 0
    assert first["time"].endswith("Z")
    assert second["message"] == "GET - 401"
    assert "key" not in second
    assert third["message"] == "GET - 404"
    text = str(lines)
    for secret in (key, "dl_guess", "Zaphod"):
        assert secret not in text
    assert " info dateline.request POST /api/ask 200 ms=" in lines[0][1]
    assert lines[0][1].endswith(" key=newsroom id=abc-1")


def test_an_id_that_could_break_a_line_is_not_taken_over(index, lines):
    client = TestClient(create_app(StubAssistant(index)))
    for given in ("a b", "x" * 65, "", 'a"b', "a=b", b"\xe9"):
        reply = client.get("/api/sessions", headers={"X-Request-ID": given})
        assert reply.headers["x-request-id"] != given
        assert len(reply.headers["x-request-id"]) == 32
    reply = client.get("/api/sessions", headers={"X-Request-ID": "trace_1.2-3"})
    assert reply.headers["x-request-id"] == "trace_1.2-3"
    assert len({line["id"] for line, _ in lines}) == 7


def test_a_bug_is_a_500_with_an_id_and_the_log_has_the_rest(index, lines):
    client = TestClient(create_app(Broken(index)))
    reply = ask(client)
    assert reply.status_code == 500
    assert reply.json()["error"]["code"] == "D500"
    assert "a bug" not in reply.text
    failed, request = [line for line, _ in lines]
    assert failed["level"] == "error"
    assert "RuntimeError: a bug" in failed["exception"]
    assert failed["id"] == request["id"] == reply.headers["x-request-id"]
    assert "RuntimeError: a bug" in lines[0][1]
    assert samples(client)["dateline_requests_total", "POST", "/api/ask", "500"] == 1


def test_everything_logs_in_one_form(capsys):
    root = logging.getLogger()
    before = root.handlers[:], root.level
    try:
        logs.configure("json", "info")
        logging.getLogger("uvicorn.error").info("Started %s", "it")
        logging.getLogger("dateline.service").debug("hidden")
        logging.getLogger("somebody.else").info("hidden")
        (line,) = capsys.readouterr().err.splitlines()
        assert json.loads(line)["message"] == "Started it"
    finally:
        root.handlers[:], root.level = before
        logging.getLogger("dateline").setLevel(logging.NOTSET)
