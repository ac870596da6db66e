"""The load test: every request is sent and counted, errors are told apart, memory is read."""

import asyncio
from functools import partial

import httpx
import pytest
from support import make_document

from eval import load
from index import EmbeddedIndex
from index.errors import DatelineError


def test_requests_are_shared_among_the_clients(monkeypatch):
    seen, at_once, most = [], 0, 0

    async def answer(request):
        nonlocal at_once, most
        if request.url.path == "/metrics":
            return httpx.Response(200, text=f"process_resident_memory_bytes {len(seen) << 20}")
        at_once += 1
        most = max(most, at_once)
        await asyncio.sleep(0.01)
        at_once -= 1
        seen.append(request.read())
        number = len(seen)
        if number == 3:
            raise httpx.ConnectError("gone")
        return httpx.Response(503 if number == 5 else 200)

    transport = httpx.MockTransport(answer)
    monkeypatch.setattr(load.httpx, "AsyncClient", partial(httpx.AsyncClient, transport=transport))
    requests = load._requests("mixed", 20)
    replies, memory = asyncio.run(load._send("http://server", requests, clients=4, readings=3))
    assert most == 4  # all the time: memory is read in between
    assert list(memory) == [7, 14, 20]
    assert all(count <= mib <= count + 3 for count, mib in memory.items())
    assert len(replies) == len(seen) == 20
    assert sorted(reply.status for reply in replies) == [0, *18 * [200], 503]
    assert all(reply.milliseconds >= 10 for reply in replies if reply.status == 200)


def test_kinds_of_requests():
    questions = [question.question for question in load.bundled_questions()]
    asked = load._requests("ask", len(questions) + 1)
    assert [request.body["question"] for request in asked] == [*questions, questions[0]]
    assert {request.path for request in asked} == {"/api/ask"}
    paths = [request.path for request in load._requests("mixed", 4)]
    assert paths == ["/api/ask", "/api/search"] * 2


def test_a_real_server(tmp_path, monkeypatch):
    few = load.bundled_questions()[:3]
    monkeypatch.setattr(load, "bundled_questions", lambda: few)
    with EmbeddedIndex.open(tmp_path / ".dateline") as index:
        index.add([make_document("a.txt", "Anna Berg met Tomas Lind in Oslo.")])
    measured = load.run_load(
        tmp_path / ".dateline", clients=(1, 2), requests=5, kind="search", readings=2
    )
    for clients, result in zip((1, 2), measured, strict=True):
        assert (result.clients, result.requests, result.errors) == (clients, 5, {})
        assert 0 < result.p50 <= result.p95 <= result.p99 < 1000 * result.seconds
        assert result.per_second == pytest.approx(5 / result.seconds)
        assert list(result.memory) == [0, 3, 5]
        assert all(50 < mib < 5000 for mib in result.memory.values())


def test_a_server_that_does_not_start(tmp_path):
    with pytest.raises(DatelineError, match=r"did not start: .*There is no index"):
        next(load.run_load(tmp_path / "none"))
