"""Index jobs: their queue on disk, the thread that runs them, and their events."""

import socket
import threading
import time
from datetime import UTC, datetime, timedelta

import httpx
import pytest
import uvicorn
from fastapi.testclient import TestClient
from service_support import accepted, done, events_of, finished, refused, upload
from stub_assistant import StubAssistant
from support import HashEmbedder, make_document, sources_of

from index import EmbeddedIndex, IndexReport, document_id
from index.errors import DatelineError, EmbedderError
from index.ingest import Duplicate, Failure
from qa.service import create_app, job_routes, job_store, jobs
from qa.service.job_store import JobFile, JobProgress, JobReport, JobStore
from qa.service.jobs import IndexJobs


class GatedEmbedder(HashEmbedder):
    """Embeds nothing until the gate is opened; says when it has come to it."""

    def __init__(self):
        self.reached, self.gate = threading.Event(), threading.Event()

    def embed(self, texts, progress=None):
        self.reached.set()
        while not self.gate.wait(0.01):
            if progress:
                progress(0)
        return super().embed(texts, progress)


@pytest.fixture
def embedder():
    gated = GatedEmbedder()
    gated.gate.set()
    return gated


@pytest.fixture
def client(index):
    with TestClient(create_app(StubAssistant(index))) as opened:
        yield opened


def post(client, *sources):
    documents = [{"text": f"Text of {source}.", "source": source} for source in sources]
    return accepted(client.post("/api/documents", json={"documents": documents}))


def shut(embedder):
    embedder.gate.clear()
    embedder.reached.clear()


# --- the queue on disk ----------------------------------------------------------------------------


@pytest.fixture
def store(tmp_path):
    return JobStore(tmp_path)


def report(**fields):
    return JobReport.of(IndexReport(**fields))


def test_jobs_are_taken_in_order_and_last(store, tmp_path):
    store.add("a", "files", [JobFile(name="a.txt", size=3)])
    store.add("b", "documents", payload=b'{"documents": []}')
    store.add("c", "reindex")
    store = JobStore(tmp_path)
    assert store.first_queued().id == "a"
    assert store.begin("a") == 1
    assert store.first_queued().id == "b"
    assert store.payload("b") == b'{"documents": []}'
    assert [job.id for job in store.latest()] == ["c", "b", "a"]
    assert [job.id for job in store.latest(1, 1)] == ["b"]
    assert (store.count(), store.count("queued"), store.count("failed")) == (3, 2, 0)
    job = store.get("a")
    assert (job.state, job.files, job.finished) == (
        "running",
        [JobFile(name="a.txt", size=3)],
        None,
    )
    assert job.created <= job.started
    store.tell("a", JobProgress(done=1, total=3, unit="bytes"))
    store.finish("a", report(indexed=["uploads/a.txt"], passages=1))
    job = JobStore(tmp_path).get("a")
    assert job.over
    assert job.progress.done == 1
    assert job.report.indexed == ["uploads/a.txt"]
    assert (job.error, job.waiting) == (None, None)
    assert store.get("none") is store.get("\ud800") is None


def test_what_ran_when_the_process_died_is_queued_again(store):
    store.add("a", "reindex")
    store.add("b", "reindex")
    assert store.begin("a") == 1
    assert store.recover() == 1
    assert store.first_queued().id == "a"  # still before the other
    assert store.begin("a") == 2
    store.put_back("a")  # in good order: that was no attempt
    assert store.begin("a") == 2


def test_only_a_queued_job_begins_or_waits(store):
    store.add("a", "reindex")
    store.wait("a", "Another process is writing.")
    assert store.get("a").waiting == "Another process is writing."
    assert store.fail("a", DatelineError("Cancelled."), state="queued")
    assert store.begin("a") is None
    assert not store.fail("a", DatelineError("Again."))
    store.wait("a", "x")
    job = store.get("a")
    assert (job.state, job.waiting, job.error.problem) == ("failed", None, "Cancelled.")


def test_old_jobs_are_forgotten(store, monkeypatch):
    monkeypatch.setattr(job_store, "KEEP_JOBS", 3)
    long_ago = datetime.now(UTC) - timedelta(days=31)
    for number in range(6):
        store.add(f"{number}", "reindex")
        store.begin(f"{number}")
        store.finish(f"{number}", report())
    assert [job.id for job in store.latest()] == ["5", "4", "3"]
    store.add("waiting", "reindex")
    with store._writing() as connection:
        connection.execute("UPDATE jobs SET finished = ? WHERE id = '5'", (long_ago.isoformat(),))
        connection.execute("UPDATE jobs SET created = ?", (long_ago.isoformat(),))
    store.add("last", "reindex")
    store.begin("last")
    store.finish("last", report())
    assert [job.id for job in store.latest()] == ["last", "waiting", "4"]


def test_long_reports_are_cut_and_say_so(store):
    whole = report(
        indexed=[f"{number}" for number in range(5000)],
        failed=[Failure("\ud800", "why\udfff")],
        duplicates=[Duplicate("a", "b")],
    )
    assert len(whole.indexed) == job_store.LISTED
    assert (whole.counts["indexed"], whole.counts["failed"]) == (5000, 1)
    assert JobReport.model_validate_json(whole.model_dump_json()) == whole
    assert whole.duplicates[0].same_as == "b"


def test_threads_add_jobs_at_once(store):
    def add(name):
        for number in range(10):
            store.add(f"{name}{number}", "reindex")

    threads = [threading.Thread(target=add, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert store.count("queued") == 40


# --- running --------------------------------------------------------------------------------------


def test_a_job_tells_how_far_it_is(client, index, embedder):
    shut(embedder)
    job = post(client, "a", "b")
    assert embedder.reached.wait(30)
    record = client.get(f"/api/index-jobs/{job}").json()
    assert (record["state"], record["finished"], record["report"]) == ("running", None, None)
    assert record["progress"]["total"] == 2
    embedder.gate.set()
    record = finished(client, job)
    assert record["progress"]["done"] == 2
    assert record["report"]["passages"] == 2
    assert record["report"]["counts"]["indexed"] == 2
    listed = client.get("/api/index-jobs").json()
    assert listed == {"total": 1, "jobs": [record]}


def test_jobs_of_one_queue_run_one_after_another(client, index, embedder):
    shut(embedder)
    ids = [post(client, f"{number}") for number in range(3)]
    assert embedder.reached.wait(30)
    states = [client.get(f"/api/index-jobs/{id_}").json()["state"] for id_ in ids]
    assert states == ["running", "queued", "queued"]
    embedder.gate.set()
    records = [finished(client, id_) for id_ in ids]
    assert records[0]["finished"] <= records[1]["started"]
    assert records[1]["finished"] <= records[2]["started"]
    assert sources_of(index) == ["0", "1", "2"]


def test_a_queued_job_is_cancelled(client, index, embedder):
    """Its files go, and what they would have replaced stays."""
    done(client, upload(client, a__txt="One."))
    shut(embedder)
    running = post(client, "x")
    assert embedder.reached.wait(30)
    job = upload(client, a__txt="Two.", b__txt="New.")
    reply = client.delete(f"/api/index-jobs/{job}")
    assert reply.status_code == 200
    error = reply.json()["error"]
    assert (reply.json()["state"], error["problem"]) == ("failed", "It was cancelled.")
    assert "is over" in refused(client.delete(f"/api/index-jobs/{job}"), 409)
    embedder.gate.set()
    done(client, running)
    assert finished(client, job)["state"] == "failed"
    assert index.get(document_id("uploads/a.txt")).text == "One."
    assert (index.path / "uploads" / "a.txt").read_text() == "One."
    assert not list((index.path / "uploads" / ".incoming").iterdir())


def test_a_running_job_is_cancelled(client, index, embedder):
    """What it has committed stays; a file of which there is nothing goes."""
    done(client, upload(client, a__txt="One."))
    shut(embedder)
    job = upload(client, a__txt="Two.", b__txt="New.")
    assert embedder.reached.wait(30)
    assert client.delete(f"/api/index-jobs/{job}").status_code == 200
    record = finished(client, job)
    assert record["error"]["problem"] == "It was cancelled."
    assert "is over" in refused(client.delete(f"/api/index-jobs/{job}"), 409)
    assert index.get(document_id("uploads/a.txt")).text == "One."
    assert [path.name for path in IndexJobs(index).uploads.files()] == ["a.txt"]
    embedder.gate.set()
    report_ = done(client, accepted(client.post("/api/index-jobs", json={"reindex": True})))
    assert report_["updated"] == ["uploads/a.txt"]  # the file has come to its name


def test_a_job_waits_for_another_writer_and_says_so(index, monkeypatch):
    monkeypatch.setattr(jobs, "_LOOK_SECONDS", 0.01)
    queue = IndexJobs(index)
    noted = threading.Event()
    wait = queue._store.wait
    monkeypatch.setattr(queue._store, "wait", lambda *given: (wait(*given), noted.set()))
    body = b'{"documents": [{"text": "Text.", "source": "%s"}]}'
    with EmbeddedIndex.open(index.path, embedder=HashEmbedder()) as other, other.writing():
        first, second = (queue.submit_documents(body % name).id for name in (b"a", b"b"))
        queue.start()
        assert noted.wait(30)
        record = queue.get(first)
        assert record.state == "queued"
        assert record.waiting.startswith("Another process is writing to")
        assert queue.cancel(first).state == "failed"
    with TestClient(create_app(StubAssistant(index))) as client:
        record = finished(client, second)
    queue.stop()
    assert (record["state"], record["waiting"]) == ("done", None)
    assert sources_of(index) == ["b"]


def test_a_run_over_all_uploads(client, index):
    done(client, upload(client, a__txt="One.", b__txt="Two."))
    index.remove(["uploads/a.txt"])  # by another program, which leaves the file alone
    (index.path / "uploads" / "b.txt").write_text("Two, corrected.")
    job = accepted(client.post("/api/index-jobs", json={"reindex": True}))
    report_ = done(client, job)
    assert (report_["indexed"], report_["updated"]) == (["uploads/a.txt"], ["uploads/b.txt"])


def test_a_run_over_nothing(client):
    record = finished(client, accepted(client.post("/api/index-jobs", json={"reindex": True})))
    assert record["state"] == "done"
    assert set(record["report"]["counts"].values()) == {0}


@pytest.mark.parametrize("body", [{}, {"reindex": False}, {"paths": ["/etc"]}, [], None])
def test_paths_on_the_server_are_not_taken(client, body):
    refused(client.post("/api/index-jobs", json=body), 422)


@pytest.mark.parametrize("job", ["none", "%00", "%ED%A0%80", "x" * 2000, "'; --"])
def test_unknown_jobs(client, job):
    for reply in (
        client.get(f"/api/index-jobs/{job}"),
        client.delete(f"/api/index-jobs/{job}"),
        client.get(f"/api/index-jobs/{job}/events"),
    ):
        assert "no index job" in refused(reply, 404)


def test_a_job_that_fails_as_a_whole(client, index, monkeypatch):
    def fail(*_, **__):
        raise EmbedderError("The model is gone.", "Bring it back.")

    monkeypatch.setattr(index, "add_files", fail)
    record = finished(client, upload(client, a__txt="One."))
    assert record["state"] == "failed"
    assert record["error"] == {
        "code": "D301",
        "problem": "The model is gone.",
        "next_step": "Bring it back.",
    }
    monkeypatch.undo()
    report_ = done(client, accepted(client.post("/api/index-jobs", json={"reindex": True})))
    assert report_["indexed"] == ["uploads/a.txt"]  # the file was not lost


def test_a_surprise_fails_the_job_and_not_the_queue(client, index, monkeypatch, caplog):
    monkeypatch.setattr(index, "add", lambda *_: 1 / 0)
    record = finished(client, post(client, "a"))
    assert record["error"]["problem"] == "ZeroDivisionError: division by zero."
    assert "ZeroDivisionError" in caplog.text
    monkeypatch.undo()
    done(client, post(client, "b"))
    assert sources_of(index) == ["b"]


def test_a_job_that_kills_its_process_is_not_begun_for_ever(index):
    queue = IndexJobs(index)
    job = queue.submit_documents(b'{"documents": [{"text": "Text.", "source": "a"}]}').id
    for _ in range(jobs.MAX_ATTEMPTS):
        queue._store.begin(job)
        queue._store.recover()
    with TestClient(create_app(StubAssistant(index))) as client:
        record = finished(client, job)
    assert record["state"] == "failed"
    assert "killed 10 times" in record["error"]["problem"]


def test_a_queue_that_is_too_long(client, embedder, monkeypatch):
    monkeypatch.setattr(jobs, "MAX_QUEUED", 2)
    shut(embedder)
    post(client, "x")
    assert embedder.reached.wait(30)
    upload(client, a__txt="One.")
    upload(client, b__txt="Two.")
    reply = client.post("/api/documents", files=[("files", ("c.txt", "Three."))])
    assert "are waiting already" in refused(reply, 503)
    embedder.gate.set()


def test_stopping_puts_the_running_job_back(index, embedder):
    """At the next start it is run again, and what waits behind it too."""
    shut(embedder)
    with TestClient(create_app(StubAssistant(index))) as client:
        first, second = post(client, "a"), post(client, "b")
        assert embedder.reached.wait(30)
    store = JobStore(index.path)
    assert [store.get(job).state for job in (first, second)] == ["queued", "queued"]
    assert sources_of(index) == []
    embedder.gate.set()
    with TestClient(create_app(StubAssistant(index))) as client:
        assert done(client, second)["indexed"] == ["b"]
        assert done(client, first)["indexed"] == ["a"]


def test_only_one_of_two_services_runs_the_jobs(index, monkeypatch):
    monkeypatch.setattr(jobs, "_LOOK_SECONDS", 0.05)
    with TestClient(create_app(StubAssistant(index))) as first:
        done(first, post(first, "a"))
        with TestClient(create_app(StubAssistant(index))) as second:
            assert done(second, post(second, "b"))["indexed"] == ["b"]  # run by the first
    with TestClient(create_app(StubAssistant(index))) as third:
        done(third, post(third, "c"))
    assert sources_of(index) == ["a", "b", "c"]


def test_the_second_service_goes_on_when_the_first_ends(index, monkeypatch):
    monkeypatch.setattr(jobs, "_LOOK_SECONDS", 0.05)
    first = IndexJobs(index)
    first.start()
    with TestClient(create_app(StubAssistant(index))) as second:
        done(second, post(second, "a"))
        first.stop()
        done(second, post(second, "b"))
    assert sources_of(index) == ["a", "b"]


def test_uploads_and_questions_at_once(client, index, embedder):
    """Nothing is lost, and whoever searches is answered from whole documents."""
    index.add([make_document("old.txt", "The ferry sank.")])
    failures, stop = [], threading.Event()

    def search():
        while not stop.is_set():
            reply = client.post("/api/search", json={"query": "ferry storm", "mode": "bm25"})
            if reply.status_code != 200 or not reply.json()["hits"]:
                failures.append(reply.text)

    def ask():
        while not stop.is_set():
            if client.post("/api/ask", json={"question": "Who?"}).status_code != 200:
                failures.append("ask")

    ids = {}

    def send(name):
        for number in range(4):
            text = f"A storm near the ferry, said {name} {number}."
            ids[f"{name}-{number}"] = upload(client, **{f"{name}-{number}__txt": text})

    readers = [threading.Thread(target=target) for target in (search, ask)]
    writers = [threading.Thread(target=send, args=(name,)) for name in "abc"]
    for thread in readers + writers:
        thread.start()
    for thread in writers:
        thread.join()
    reports = {name: done(client, job) for name, job in ids.items()}
    stop.set()
    for thread in readers:
        thread.join()
    assert not failures
    assert all(report_["indexed"] == [f"uploads/{name}.txt"] for name, report_ in reports.items())
    assert index.count() == 13


# --- events over a real connection ----------------------------------------------------------------


@pytest.fixture
def server(index):
    """The address of a real server in a thread; a test client would read a whole stream at once."""
    app = create_app(StubAssistant(index))
    config = uvicorn.Config(app, port=0, log_config=None, log_level="warning")
    server_ = uvicorn.Server(config)
    thread = threading.Thread(target=server_.run)
    thread.start()
    until = time.monotonic() + 60
    while not server_.started and time.monotonic() < until:
        time.sleep(0.01)
    port = server_.servers[0].sockets[0].getsockname()[1]
    yield f"http://127.0.0.1:{port}"
    server_.should_exit = True
    thread.join()


def test_events_come_while_the_job_runs(server, index, embedder):
    shut(embedder)
    with httpx.Client(base_url=server, timeout=60) as client:
        job = post(client, "a")
        with client.stream("GET", f"/api/index-jobs/{job}/events") as stream:
            assert stream.status_code == 200
            assert stream.headers["content-type"].startswith("text/event-stream")
            assert stream.headers["cache-control"] == "no-store"
            lines = stream.iter_lines()
            seen = []
            while not (seen and seen[-1][1]["state"] == "running"):
                seen += events_of(iter(lambda: next(lines), ""))  # up to the empty line
            embedder.gate.set()
            seen += events_of(lines)
        assert [name for name, _ in seen][-1] == "done"
        assert {name for name, _ in seen[:-1]} == {"progress"}
        assert seen[-1][1] == client.get(f"/api/index-jobs/{job}").json()
        again = client.get(f"/api/index-jobs/{job}/events")  # long after
        assert events_of(again.text.splitlines()) == [seen[-1]]


def test_who_leaves_is_no_longer_served(server, embedder, monkeypatch):
    ended = threading.Event()
    events = job_routes._events

    async def watched(*given):
        try:
            async for event in events(*given):
                yield event
        finally:
            ended.set()

    monkeypatch.setattr(job_routes, "_events", watched)
    shut(embedder)
    with httpx.Client(base_url=server, timeout=60) as client:
        job = post(client, "a")
        with client.stream("GET", f"/api/index-jobs/{job}/events") as stream:
            lines = stream.iter_lines()  # kept: to drop it is to hang up
            next(lines)
            assert not ended.is_set()
    assert ended.wait(30)
    embedder.gate.set()


def test_an_upload_that_breaks_off_is_no_error_of_ours(server, index, caplog):
    address = ("127.0.0.1", httpx.URL(server).port)
    for kind, body in (("multipart/form-data; boundary=b", _HALF), ("application/json", b"{")):
        with socket.create_connection(address) as client:
            head = f"POST /api/documents HTTP/1.1\r\nHost: x\r\nContent-Type: {kind}\r\n"
            client.sendall(f"{head}Content-Length: 5000000\r\n\r\n".encode() + body)
    with httpx.Client(base_url=server, timeout=60) as client:
        done(client, post(client, "a"))
        assert client.get("/api/index-jobs").json()["total"] == 1
    assert not (index.path / "uploads").exists()
    assert "Exception" not in caplog.text


_HALF = (
    b'--b\r\nContent-Disposition: form-data; name="files"; filename="a.txt"\r\n\r\n'
    + b"x" * 2_000_000
)


def test_a_quiet_stream_is_kept_open(server, embedder, monkeypatch):
    monkeypatch.setattr(job_routes.EventSourceResponse, "DEFAULT_PING_INTERVAL", 0.05)
    shut(embedder)
    with httpx.Client(base_url=server, timeout=60) as client:
        job = post(client, "a")
        with client.stream("GET", f"/api/index-jobs/{job}/events") as stream:
            assert any(line.startswith(":") for line in stream.iter_lines())
    embedder.gate.set()
