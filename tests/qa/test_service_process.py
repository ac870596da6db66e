"""`dateline serve` as a process: starting, refusing to start, stopping, logging."""

import asyncio
import json
import logging
import signal
import socket
import sys
import threading
import time
from pathlib import Path

import httpx
import pytest
from serving import WAIT, serving, start
from support import make_document

from index import EmbeddedIndex
from qa import cli
from qa.service import ServiceSettings, server
from qa.service.keys import KeyStore

ROOT = Path(__file__).parents[2]
SLOW = (str(ROOT / "tests" / "slow_server.py"),)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("process")
    with EmbeddedIndex.open(folder / ".dateline") as index:
        index.add([make_document("a.txt", "Anna Berg met Tomas Lind in Oslo.")])
    return folder


def test_what_is_in_flight_is_finished(tmp_path):
    EmbeddedIndex.open(tmp_path / ".dateline").close()
    served = start(tmp_path, command=SLOW)
    replies = []

    def ask():
        replies.append(served.client.post("/api/ask", json={"question": "Who?"}))

    asking = threading.Thread(target=ask)
    asking.start()
    wait_for((tmp_path / "begun").exists)
    served.process.send_signal(signal.SIGTERM)
    wait_for(lambda: "Shutting down" in served.log)
    with pytest.raises(httpx.TransportError):
        httpx.get(f"{served.url}/healthz")  # nothing new is taken
    assert not replies
    (tmp_path / "go").touch()
    asking.join(WAIT)
    assert replies[0].status_code == 200
    assert replies[0].json()["answers"][0]["text"] == "Tomas Lind"
    code, log = served.end()
    assert code == 0
    assert "POST /api/ask 200" in log
    assert "Traceback" not in log


@pytest.mark.parametrize("ready", [False, True])
def test_a_stop_at_any_time_is_clean(folder, ready):
    served = start(folder)
    if ready:
        served.ready()
    served.process.terminate()
    code, log = served.end()
    assert code == 0
    assert ("Ready" in log) >= ready
    assert "Finished server process" in log


def test_a_stop_does_not_wait_for_ever(tmp_path):
    EmbeddedIndex.open(tmp_path / ".dateline").close()
    served = start(tmp_path, "--shutdown-timeout", "1", command=SLOW)
    replies = []

    def ask():
        replies.append(served.client.post("/api/ask", json={"question": "Who?"}))

    asking = threading.Thread(target=ask)
    asking.start()
    wait_for((tmp_path / "begun").exists)
    served.process.send_signal(signal.SIGINT)
    asking.join(WAIT)
    assert replies[0].status_code == 500
    (tmp_path / "go").touch()
    assert served.end()[0] == 0


def wait_for(condition):
    until = time.monotonic() + WAIT
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.01)


def test_questions_while_another_process_writes_and_another_serves(folder):
    with serving(folder, "--log-format", "json") as first, serving(folder) as second:
        first.ready()
        for served in (first, second):
            reply = served.client.post("/api/ask", json={"question": "Who did Anna Berg meet?"})
            assert reply.json()["answers"][0]["text"] == "Tomas Lind"
        with EmbeddedIndex.open(folder / ".dateline") as index:
            index.add([make_document("b.txt", "Mia Strand met Ole Dahl in Bergen.")])
        for served in (first, second):
            reply = served.client.post("/api/ask", json={"question": "Who did Mia Strand meet?"})
            assert reply.json()["answers"][0]["text"] == "Ole Dahl"
        assert first.client.get("/", headers={"Host": "evil.example"}).status_code == 400
        assert first.client.get("/healthz").headers.get("server") is None
    lines = [json.loads(line) for line in first.log.splitlines()]  # every one is JSON
    asked = [line for line in lines if line["message"] == "POST /api/ask 200"]
    assert len(asked) == 2
    assert asked[0].keys() == {"time", "level", "logger", "message", "ms", "client", "id"}


def test_with_a_key_it_starts_and_asks_for_it(folder):
    keys = KeyStore(folder / ".dateline")
    key = keys.add("team")
    extra = "e" * 40
    with serving(folder, "--host", "0.0.0.0", DATELINE_SERVE_API_KEY=extra) as served:
        url = served.url.replace("0.0.0.0", "127.0.0.1")
        assert httpx.get(f"{url}/api/sessions").status_code == 401
        for good in (key, extra):
            header = {"Authorization": f"Bearer {good}"}
            assert httpx.get(f"{url}/api/sessions", headers=header).status_code == 200
        keys.revoke("team")
        header = {"Authorization": f"Bearer {key}"}
        assert httpx.get(f"{url}/api/sessions", headers=header).status_code == 401
        # On such an address the service does not know its own names.
        assert httpx.get(f"{url}/healthz", headers={"Host": "qa.example"}).status_code == 200
    assert key not in served.log
    assert extra not in served.log
    assert " key=team " in served.log


@pytest.fixture
def serve(folder, monkeypatch, capsys):
    """`dateline serve ARGUMENTS` in this process, for what does not start: code and message."""
    monkeypatch.chdir(folder)
    monkeypatch.setattr(server.uvicorn.Server, "run", lambda *_, **__: None)

    def call(*arguments):
        monkeypatch.setattr(sys, "argv", ["dateline", "serve", *arguments])
        code = 0
        try:
            cli.main()
        except SystemExit as stop:
            code = stop.code or 0
        return code, capsys.readouterr().err

    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield call
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.getLogger("dateline").setLevel(logging.NOTSET)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--host", "0.0.0.0"], "does not start where others can reach it without an API key"),
        (["--public-url", "https://qa.example"], "does not start where others can reach it"),
        (["--trusted-proxies", "10.0.0.0/8"], "does not start where others can reach it"),
        (["--host", "::"], "dateline keys add NAME"),
        (["--auth", "on"], "does not start without an API key"),
        (["--host", "192.0.2.1", "--auth", "off"], "Cannot listen on 192.0.2.1"),
        (["--host", "no.such.host.invalid", "--auth", "off"], "Cannot listen on no.such"),
        (["--port", "99999"], "--port: "),
        (["--rate-limit", "often"], "--rate-limit: "),
        (["--config", "none.toml"], "none.toml cannot be read"),
        (["--index", "none", "--port", "0"], "There is no index"),
    ],
)
def test_it_does_not_start(serve, arguments, told):
    code, err = serve(*arguments)
    assert code == (1 if "--index" in arguments else 2)
    assert told in err
    assert "Traceback" not in err


def test_it_starts_open_to_others_only_when_told_to_and_warns(serve):
    code, err = serve("--host", "0.0.0.0", "--auth", "off", "--port", "0")
    assert code == 0
    assert "warning dateline.service API keys are off" in err


@pytest.mark.parametrize(
    ("settings", "hosts"),
    [
        ({}, ("localhost", "127.0.0.1", "[::1]")),
        ({"host": "127.0.0.2"}, ("localhost", "127.0.0.1", "[::1]", "127.0.0.2")),
        ({"public_url": "https://qa.example"}, ("localhost", "127.0.0.1", "[::1]", "qa.example")),
        ({"host": "0.0.0.0"}, ()),
        ({"allowed_hosts": ("a",)}, ("a",)),
    ],
)
def test_the_names_it_answers_to(settings, hosts):
    assert server.with_hosts(ServiceSettings(**settings)).allowed_hosts == hosts


@pytest.mark.skipif(not socket.has_ipv6, reason="no IPv6 here")
def test_ipv6():
    with server.listen("::1", 0) as listener:
        assert server.address("::1", listener.getsockname()[1]).startswith("http://[::1]:")


def test_replies_are_sent_at_once():
    """Small packets do not wait for the client's acknowledgement, which may take 40 ms."""

    async def accepted(listener):
        seen = asyncio.get_running_loop().create_future()

        def connected(_, writer):
            option = writer.get_extra_info("socket").getsockopt
            seen.set_result(option(socket.IPPROTO_TCP, socket.TCP_NODELAY))
            writer.close()

        serving = await asyncio.start_server(connected, sock=listener)
        async with serving:
            _, writer = await asyncio.open_connection(*listener.getsockname())
            try:
                return await seen
            finally:
                writer.close()

    assert asyncio.run(accepted(server.listen("127.0.0.1", 0)))
