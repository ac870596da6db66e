"""A service that is killed or stopped: no job is lost, no document, and nothing is half there."""

import contextlib
import os
import random
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest
from service_support import accepted, done, events_of, upload
from support import HashEmbedder

from index import EmbeddedIndex, document_id

WORKER = Path(__file__).parents[1] / "service_worker.py"

pytestmark = pytest.mark.skipif(os.name == "nt", reason="no kill -9")


class Service:
    """The service in a process of its own."""

    def __init__(self, folder, gate=None):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        arguments = [str(WORKER), str(folder / "index"), str(port)]
        self.process = subprocess.Popen(
            [sys.executable, *arguments, *([str(gate)] if gate else [])],
            stderr=(folder / "log").open("a"),
        )
        self.client = httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60)
        for _ in range(600):
            with contextlib.suppress(httpx.TransportError):
                if self.client.get("/healthz").status_code == 200:
                    return
            time.sleep(0.1)
        raise TimeoutError((folder / "log").read_text())

    def end(self, sign):
        self.process.send_signal(sign)
        self.client.close()
        return self.process.wait(60)


@pytest.fixture
def start(tmp_path):
    services = []

    def start_(gate=None):
        services.append(Service(tmp_path, gate))
        return services[-1]

    yield start_
    for service in services:
        service.client.close()
        service.process.kill()
        service.process.wait()


def incoming(folder):
    place = folder / "index" / "uploads" / ".incoming"
    return sorted(path.name for path in place.iterdir())


@pytest.mark.parametrize("sign", [signal.SIGKILL, signal.SIGTERM])
def test_ended_in_the_middle_of_a_job(tmp_path, start, sign):
    """One job runs, two wait."""
    gate = tmp_path / "gate"
    service = start(gate)
    running = upload(service.client, a__txt="The ferry sank.", wire__jsonl='{"text": "A storm."}')
    waiting = upload(service.client, b__txt="A treaty was signed.")
    posted = accepted(
        service.client.post("/api/documents", json={"documents": [{"text": "C", "source": "c"}]})
    )
    while service.client.get(f"/api/index-jobs/{running}").json()["state"] == "queued":
        time.sleep(0.01)
    begun = time.monotonic()
    service.end(sign)
    assert time.monotonic() - begun < 15
    with EmbeddedIndex.open(tmp_path / "index", embedder=HashEmbedder()) as index:
        assert index.count() == 0
    gate.touch()
    service = start(gate)
    assert done(service.client, waiting)["indexed"] == ["uploads/b.txt"]
    assert sorted(done(service.client, running)["indexed"]) == [
        "uploads/a.txt",
        "uploads/wire.jsonl#1",
    ]
    assert done(service.client, posted)["indexed"] == ["c"]
    assert service.client.get("/api/index-jobs").json()["total"] == 3
    assert incoming(tmp_path) == []
    assert service.end(signal.SIGTERM) in (0, -signal.SIGTERM)
    assert "Traceback" not in (tmp_path / "log").read_text()


def test_an_upload_that_does_not_end_does_not_hold_up_the_end(tmp_path, start):
    service = start()
    with socket.create_connection(("127.0.0.1", service.client.base_url.port)) as half:
        half.sendall(
            b"POST /api/documents HTTP/1.1\r\nHost: x\r\nContent-Length: 5000000\r\n"
            b"Content-Type: multipart/form-data; boundary=b\r\n\r\n"
            b'--b\r\nContent-Disposition: form-data; name="files"; filename="a.txt"\r\n\r\n'
            + bytes(2_000_000)
        )
        begun = time.monotonic()
        service.end(signal.SIGTERM)
    assert time.monotonic() - begun < 20
    assert not (tmp_path / "index" / "uploads").exists()


def test_a_stream_of_events_does_not_hold_up_the_end(tmp_path, start):
    service = start(tmp_path / "gate")
    job = upload(service.client, a__txt="The ferry sank.")
    with service.client.stream("GET", f"/api/index-jobs/{job}/events") as stream:
        lines = stream.iter_lines()
        while not events_of([next(lines), next(lines)]):
            pass
        begun = time.monotonic()
        service.process.send_signal(signal.SIGTERM)
        assert all(name == "progress" for name, _ in events_of(lines))  # the stream ends well
    service.process.wait(60)
    assert time.monotonic() - begun < 10
    assert "ERROR" not in (tmp_path / "log").read_text()


def test_half_an_upload_of_a_killed_service_is_cleaned_up(tmp_path, start):
    """Received, but not queued yet: the client was told nothing."""
    service = start()
    done(service.client, upload(service.client, a__txt="The ferry sank."))
    place = tmp_path / "index" / "uploads" / ".incoming" / "0123456789abcdef"
    place.mkdir()
    (place / "b.txt").write_text("half")
    service.end(signal.SIGKILL)
    service = start()
    done(service.client, upload(service.client, c__txt="A storm."))  # the start is over
    assert incoming(tmp_path) == []
    assert service.client.get("/api/documents").json()["total"] == 2


def kill_many(folder, start, kills, seed):
    """Upload and delete until killed, at random; then everything that was answered is so."""
    dice = random.Random(seed)
    expected, unsure = {}, set()
    for round_ in range(kills):
        service = start()
        deadline = time.monotonic() + dice.uniform(0, 1.5)
        number, name = 0, ""
        while time.monotonic() < deadline:
            name = f"{dice.randrange(8)}.txt"
            text = f"Ferry {round_} {number}. " + "Storm. " * dice.randrange(200)
            number += 1
            if dice.random() < 0.2:
                id_ = document_id(f"uploads/{name}")
                reply = service.client.delete(f"/api/documents/{id_}")
                if reply.status_code == 200:
                    unsure.add(name)  # a queued job may bring another one
                continue
            parts = [("files", (name, text))]
            accepted(service.client.post("/api/documents", files=parts))
            expected[name] = text.strip()
            unsure.discard(name)
        service.end(signal.SIGKILL)
    service = start()
    last = service.client.get("/api/index-jobs", params={"limit": 1}).json()["jobs"]
    for job in last:
        done(service.client, job["id"])
    jobs = service.client.get("/api/index-jobs", params={"limit": 200}).json()["jobs"]
    assert {job["state"] for job in jobs} == {"done"}
    assert incoming(folder) == []
    checked = 0
    for name, text in expected.items():
        reply = service.client.get(f"/api/documents/{document_id(f'uploads/{name}')}")
        if name not in unsure:
            assert reply.status_code == 200, name
            assert reply.json()["text"].strip() == text
            checked += 1
    kept = {path.name for path in (folder / "index" / "uploads").glob("*.txt")}
    listed = service.client.get("/api/documents").json()["documents"]
    assert {f"uploads/{name}" for name in kept} == {document["source"] for document in listed}
    assert checked


def test_a_few_kills(tmp_path, start):
    kill_many(tmp_path, start, 3, seed=1)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2, 7))
def test_more_kills(tmp_path, start, seed):
    kill_many(tmp_path, start, 9, seed)
