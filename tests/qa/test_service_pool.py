"""The pool: bounded threads, a bounded queue, a time limit, and nothing done for who has gone."""

import asyncio
import json
import threading

import pytest
from fastapi.responses import StreamingResponse
from fastapi.testclient import TestClient
from stub_assistant import StubAssistant, make_answer

from qa.service import ServiceSettings, create_app, receiving
from qa.service.logs import request_id
from qa.service.pool import Busy, Pool, TooSlow

WAIT = 10  # seconds, for what happens at once


class Gate:
    """Work that says that it has begun, and then waits to be let go."""

    def __init__(self):
        self.begun = threading.Semaphore(0)
        self.free = threading.Event()
        self.calls = []

    def __call__(self, name=""):
        self.calls.append(name)
        self.begun.release()
        assert self.free.wait(WAIT)
        return name


async def begun(gate, times=1):
    for _ in range(times):
        assert await asyncio.to_thread(gate.begun.acquire, timeout=WAIT)


async def until(condition):
    for _ in range(1000):
        if condition():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it never happened")


def test_results_and_errors_come_through():
    async def main():
        pool = Pool()
        assert await pool.run(divmod, 7, 2) == (3, 1)
        assert await pool.run(sorted, [1, 2], reverse=True) == [2, 1]
        with pytest.raises(ZeroDivisionError):
            await pool.run(divmod, 7, 0)
        with pytest.raises(TimeoutError, match="mine"):  # not ours
            await pool.run(raising, TimeoutError("mine"))
        await until(lambda: pool.busy == 0)
        pool.close()

    def raising(error):
        raise error

    asyncio.run(main())


def test_so_many_at_a_time_so_many_wait_and_the_rest_is_refused():
    async def main():
        pool, gate = Pool(workers=2, queue=3), Gate()
        calls = [asyncio.create_task(pool.run(gate, n)) for n in range(5)]
        await begun(gate, 2)
        assert (pool.busy, pool.waiting, len(gate.calls)) == (2, 3, 2)
        with pytest.raises(Busy) as caught:
            await pool.run(gate, "more")
        assert caught.value.status == 503
        assert int(caught.value.headers["Retry-After"]) >= 1
        gate.free.set()
        assert await asyncio.gather(*calls) == [0, 1, 2, 3, 4]
        await until(lambda: pool.busy == 0)
        assert await pool.run(gate, "later") == "later"
        assert "more" not in gate.calls
        pool.close()

    asyncio.run(main())


def test_who_gives_up_leaves_the_queue():
    async def main():
        pool, gate = Pool(workers=1, queue=1), Gate()
        first = asyncio.create_task(pool.run(gate, "first"))
        await begun(gate)
        second = asyncio.create_task(pool.run(gate, "second"))
        await until(lambda: pool.waiting == 1)
        second.cancel()
        with pytest.raises(asyncio.CancelledError):
            await second
        assert pool.waiting == 0
        third = asyncio.create_task(pool.run(gate, "third"))
        await until(lambda: pool.waiting == 1)
        gate.free.set()
        assert await asyncio.gather(first, third) == ["first", "third"]
        assert gate.calls == ["first", "third"]
        pool.close()

    asyncio.run(main())


def test_what_takes_too_long_is_given_up_but_keeps_its_thread():
    async def main():
        pool, gate = Pool(workers=1, queue=1, seconds=0.05), Gate()
        for _ in range(2):  # at work, and waiting
            with pytest.raises(TooSlow) as caught:
                await pool.run(gate, "slow")
        assert caught.value.status == 504
        assert (pool.busy, pool.waiting) == (1, 0)
        gate.free.set()
        await until(lambda: pool.busy == 0)
        assert gate.calls == ["slow"]
        pool.close()

    asyncio.run(main())


def test_closing_finishes_what_has_begun():
    async def main():
        pool, gate = Pool(workers=1), Gate()
        first = asyncio.create_task(pool.run(gate, "first"))
        await begun(gate)
        closing = asyncio.create_task(asyncio.to_thread(pool.close))
        gate.free.set()
        assert await first == "first"
        await closing

    asyncio.run(main())


def test_results_are_observed_and_threads_know_the_request():
    seen = []

    async def main():
        pool = Pool(observe=seen.append)
        token = request_id.set("abc")
        assert await pool.run(request_id.get) == "abc"
        request_id.reset(token)
        assert await pool.run(request_id.get) == ""
        pool.close()

    asyncio.run(main())
    assert seen == ["abc", ""]


# in the service


class SlowAssistant(StubAssistant):
    def __init__(self, index):
        super().__init__(index)
        self.gate = Gate()

    def ask(self, question, **_):
        self.gate(question)
        return make_answer(question)


@pytest.fixture
def assistant(index):
    return SlowAssistant(index)


def test_a_full_service_says_when_to_come_again(assistant):
    app = create_app(assistant, ServiceSettings(workers=1, queue=0))
    with TestClient(app) as client:
        replies = []

        def ask():
            replies.append(client.post("/api/ask", json={"question": "Who?"}))

        first = threading.Thread(target=ask)
        first.start()
        assert assistant.gate.begun.acquire(timeout=WAIT)
        ask()
        assert replies[0].status_code == 503
        assert replies[0].json()["error"]["code"] == "D503"
        assert int(replies[0].headers["retry-after"]) >= 1
        assert client.get("/healthz").status_code == 200  # others are not kept waiting
        assert client.get("/api/sessions").status_code == 200
        assistant.gate.free.set()
        first.join()
        assert replies[1].status_code == 200


def test_a_slow_answer_is_504(assistant):
    app = create_app(assistant, ServiceSettings(timeout=0.05))
    with TestClient(app) as client:
        reply = client.post("/api/ask", json={"question": "Who?"})
        assert (reply.status_code, reply.json()["error"]["code"]) == (504, "D504")
        assistant.gate.free.set()


def request(body, *, then):
    """Scope and receive of a question whose body comes, and then whatever `then` gives."""
    scope = {
        "type": "http",
        "method": "POST",
        "path": "/api/ask",
        "query_string": b"",
        "headers": [(b"content-type", b"application/json"), (b"host", b"x")],
    }
    messages = [{"type": "http.request", "body": json.dumps(body).encode(), "more_body": False}]

    async def receive():
        return messages.pop() if messages else await then()

    return scope, receive


def test_who_hangs_up_leaves_the_queue(assistant):
    async def main():
        app = create_app(assistant, ServiceSettings(workers=1, queue=1))
        gone = asyncio.Event()

        async def never():
            await asyncio.Event().wait()

        async def hang_up():
            await gone.wait()
            return {"type": "http.disconnect"}

        sent = {name: [] for name in ("first", "second", "third")}

        async def ask(name, then):
            async def send(message):
                sent[name].append(message.get("status"))

            await app(*request({"question": name}, then=then), send)

        first = asyncio.create_task(ask("first", never))
        await begun(assistant.gate)
        second = asyncio.create_task(ask("second", hang_up))
        await asyncio.sleep(0.05)
        gone.set()
        await second
        third = asyncio.create_task(ask("third", never))
        await asyncio.sleep(0.05)
        assistant.gate.free.set()
        await asyncio.gather(first, third)
        assert sent == {"first": [200, None], "second": [], "third": [200, None]}
        assert assistant.gate.calls == ["first", "third"]

    asyncio.run(main())


def test_a_stream_ends_when_its_reader_goes():
    async def main():
        gone, ended, sent = asyncio.Event(), asyncio.Event(), []

        async def numbers():
            try:
                for number in range(1000):
                    yield f"{number}\n"
                    await asyncio.sleep(0.005)
            finally:
                ended.set()

        async def hang_up():
            await gone.wait()
            return {"type": "http.disconnect"}

        async def send(message):
            sent.append(message)
            if len(sent) == 3:
                gone.set()

        scope, receive = request({}, then=hang_up)
        stream = receiving.Receiving(StreamingResponse(numbers()), lambda *_: 100)
        await asyncio.wait_for(stream(scope, receive, send), WAIT)
        assert ended.is_set()
        assert sent[0]["status"] == 200
        assert len(sent) < 100

    asyncio.run(main())


def test_a_body_that_stops_half_way_is_408(index, monkeypatch):
    monkeypatch.setattr(receiving.Receiving.__init__, "__defaults__", (0.05,))

    async def main():
        app = create_app(StubAssistant(index), ServiceSettings())
        scope, _ = request({}, then=None)
        sent = []

        async def receive():
            await asyncio.Event().wait()

        async def send(message):
            sent.append(message)

        await app(scope, receive, send)
        assert sent[0]["status"] == 408
        assert b'"D408"' in sent[1]["body"]

    asyncio.run(main())
