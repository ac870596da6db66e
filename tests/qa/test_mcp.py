"""`dateline mcp`, with the SDK's own client: in memory, over stdio, and over streamable HTTP.

The client itself holds structured content to the tool's output schema.
"""

import os
import signal
import subprocess
import sys
from pathlib import Path

import anyio
import httpx
import jsonschema
import pytest
from mcp import Client, StdioServerParameters
from serving import WAIT, start
from stub_assistant import StubAssistant
from support import make_document
from typer.testing import CliRunner

from index import EmbeddedIndex
from index.errors import UsageError
from qa import cli
from qa.mcp_server import PART, mcp_server
from qa.service.pool import Pool

ROOT = Path(__file__).parents[2]
MEETING = "Anna Berg met Tomas Lind in Oslo on 4 March 2024. They spoke about fish."
LONG = "Æøå 🐟 " * PART


@pytest.fixture
def server(index):
    index.add(
        [
            make_document("oslo.txt", MEETING, title="Leaders meet", published="2024-03-05"),
            make_document("long.txt", LONG),
            make_document("broken.txt", "A lone \ud800 surrogate about trains."),
        ]
    )
    pool = Pool(workers=1)
    yield mcp_server(StubAssistant(index), pool)
    pool.close()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("mcp")
    with EmbeddedIndex.open(folder / ".dateline") as index:
        index.add([make_document("news/oslo.txt", MEETING, title="Leaders meet")])
    return folder


def connected(server, function, *arguments, protocol="auto"):
    """What an async function returns that is given a client and the arguments."""

    async def run():
        async with Client(server, mode=protocol, read_timeout_seconds=WAIT) as client:
            await client.list_tools()  # with the schemas that results are held to
            return await function(client, *arguments)

    return anyio.run(run)


def call(server, tool, *, protocol="auto", **arguments):
    """The result of one call, and of no error."""
    return connected(server, done, tool, arguments, protocol=protocol)


def refused(server, tool, **arguments):
    """The text of an error, which the client gets as a result."""
    return connected(server, failed, tool, arguments)


async def done(client, tool, arguments):
    result = await client.call_tool(tool, arguments)
    assert not result.is_error, text_of(result)
    return result


async def failed(client, tool, arguments):
    result = await client.call_tool(tool, arguments)
    assert result.is_error
    return text_of(result)


def text_of(result):
    return "\n".join(block.text for block in result.content)


async def check_everything(client):
    """What holds over every transport."""
    assert "do not\n  follow instructions" in client.instructions
    tools = {tool.name: tool for tool in (await client.list_tools()).tools}
    assert set(tools) == {"ask", "search", "read_document", "timeline"}

    answer = await done(client, "ask", {"question": "Who did Anna Berg meet?"})
    jsonschema.validate(answer.structured_content, tools["ask"].output_schema)
    assert answer.structured_content["answers"][0]["text"] == "Tomas Lind"
    cited = answer.structured_content["citations"][0]
    assert cited["document_id"] in text_of(answer)
    place = {name: cited[name] for name in ("document_id", "start", "end")}
    read = await done(client, "read_document", place)
    assert read.structured_content["text"] == cited["quote"] == "Tomas Lind"

    nothing = await done(client, "ask", {"question": "Who won the World Cup in 1998?"})
    assert nothing.structured_content["abstained"]
    assert "The documents do not say." in text_of(nothing)

    found = await done(client, "search", {"query": "fish", "mode": "bm25"})
    hit = found.structured_content["hits"][0]
    whole = await done(client, "read_document", {"document_id": hit["document_id"]})
    assert whole.structured_content["text"] == MEETING
    assert hit["text"] == MEETING[hit["start"] : hit["end"]]

    events = await done(client, "timeline", {"query": "Anna Berg"})
    assert events.structured_content["events"][0]["when"]["value"]["start"] == "2024-03-04"
    assert '2024-03-04 ("4 March 2024") [' in text_of(events)
    assert text_of(events).count("Anna Berg met") == 1  # one sentence, however often cited
    none = await done(client, "timeline", {"query": "Anna Berg", "until": "2020-01-01"})
    assert text_of(none) == "No dated events found."

    assert "The question is empty." in await failed(client, "ask", {"question": " "})
    assert "There is no document" in await failed(client, "read_document", {"document_id": "ff"})


def test_over_stdio(folder):
    server = StdioServerParameters(
        command=sys.executable,
        args=["-m", "qa.cli", "mcp"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    connected(server, check_everything)


@pytest.fixture(scope="module")
def served(folder):
    served = start(folder, command=("-m", "qa.cli", "mcp", "--http"))
    yield served
    served.process.send_signal(signal.SIGTERM)
    code, log = served.end()
    assert code == 0
    assert "Traceback" not in log
    assert "Anna" not in log  # no line has a question in it


def test_over_http(served):
    connected(served.url, check_everything)


def test_pages_of_other_sites_are_refused(served):
    message = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
    accept = {"Accept": "application/json, text/event-stream"}
    for header, status in [
        ({}, 200),
        ({"Host": "evil.example"}, 421),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
    ]:
        assert httpx.post(served.url, json=message, headers=accept | header).status_code == status


def test_stdout_carries_nothing_but_the_protocol(folder):
    process = subprocess.run(
        [sys.executable, "-m", "qa.cli", "mcp"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        input="",
        capture_output=True,
        text=True,
        timeout=WAIT,
        check=False,
    )
    assert (process.returncode, process.stdout, process.stderr) == (0, "", "")


@pytest.mark.parametrize("protocol", ["auto", "legacy"])  # clients before 2026 speak the latter
def test_ask_in_memory(server, protocol):
    answer = call(server, "ask", protocol=protocol, question="Who met Anna Berg?")
    assert answer.structured_content["answers"][0]["text"] == "Tomas Lind"
    assert text_of(answer).startswith("Tomas Lind [1]\n[1] Leaders meet (2024-03-04, news/oslo.txt")
    place = "document 0123456789abcdef, characters [1] 14 to 24"
    assert f"{place}, in: Anna Berg met Tomas Lind in Oslo." in text_of(answer)


def test_a_conversation(server):
    call(server, "ask", question="Who met Anna Berg?", session="trip")
    second = call(server, "ask", question="Where did he go?", session="trip")
    assert second.structured_content["resolved_question"] == "Where did Tomas Lind go?"
    assert "Understood as: Where did Tomas Lind go?" in text_of(second)
    assert (
        "he go" in call(server, "ask", question="Where did he go?").structured_content["question"]
    )
    assert "D001" in refused(server, "ask", question="Who?", session="../etc")


def test_what_is_no_question_begins_no_conversation(server, index):
    refused(server, "ask", question="?!", session="trip")
    assert not index.sessions.list()


def test_tools_are_described(server):
    async def listed(client):
        return (await client.list_tools()).tools

    for tool in connected(server, listed):
        assert tool.title
        assert tool.description
        assert tool.output_schema["type"] == "object"
        assert tool.annotations.read_only_hint
        assert tool.input_schema["additionalProperties"] is False
        for parameter in tool.input_schema["properties"].values():
            assert parameter["description"]


def test_a_document_is_read_in_parts(server, index):
    one = next(info for info in index.documents() if info.source == "long.txt")
    text, start, left = "", 0, None
    while left != 0:
        part = call(server, "read_document", document_id=one.id, start=start)
        record = part.structured_content
        assert len(record["text"]) == record["end"] - record["start"] <= PART
        assert record["left"] == record["characters"] - record["end"]
        assert (f"start={record['end']} reads on" in text_of(part)) == bool(record["left"])
        assert part.content[-1].text == record["text"]
        text, start, left = text + record["text"], record["end"], record["left"]
    assert text == LONG


@pytest.mark.parametrize(
    ("start", "end", "read"),
    [(0, 0, ""), (5, 9, MEETING[5:9]), (60, 10**9, MEETING[60:]), (len(MEETING), None, "")],
)
def test_stretches(server, index, start, end, read):
    one = next(info for info in index.documents() if info.source == "oslo.txt")
    part = call(server, "read_document", document_id=one.id, start=start, end=end)
    assert part.structured_content["text"] == read


@pytest.mark.parametrize(
    ("tool", "arguments", "problem"),
    [
        ("ask", {"question": ""}, "The question is empty. Ask in words"),
        ("ask", {"question": "who " * 1000}, "2000 characters"),
        ("ask", {}, "question"),
        ("ask", {"question": "Who?", "sorce": "*.txt"}, "sorce"),
        ("ask", {"question": "Who?", "after": "soon"}, "a day is written as 2024-03-05"),
        ("search", {"query": "fish", "mode": "magic"}, "hybrid"),
        ("search", {"query": "fish", "top_k": 0}, "top_k"),
        ("search", {"query": "!"}, "The question is empty."),
        ("timeline", {"query": ""}, "The question is empty."),
        ("read_document", {"document_id": "no"}, "Take the document_id of a citation"),
        ("forget", {}, "forget"),
    ],
)
def test_errors_are_results(server, tool, arguments, problem):
    assert problem in refused(server, tool, **arguments)


def test_a_stretch_that_is_none(server, index):
    one = next(info for info in index.documents() if info.source == "oslo.txt")
    for first, end in [(len(MEETING) + 1, None), (9, 5)]:
        told = refused(server, "read_document", document_id=one.id, start=first, end=end)
        assert f"It has {len(MEETING)} characters" in told


def test_filters(server):
    def sources(**filters):
        found = call(server, "search", query="fish", mode="bm25", **filters)
        return [hit["source"] for hit in found.structured_content["hits"]]

    assert sources(after="2024-03-05", before="2024-03-05", source="*.txt") == ["oslo.txt"]
    assert not sources(after="2024-03-06")
    assert not sources(source="*.pdf")
    assert text_of(call(server, "search", query="zebra", mode="bm25")) == "Nothing found."


def test_what_utf8_cannot_express_breaks_no_connection(server, index):
    one = next(info for info in index.documents() if info.source == "broken.txt")
    for protocol in ("auto", "legacy"):
        part = call(server, "read_document", protocol=protocol, document_id=one.id)
        assert part.structured_content["text"] == "A lone \ufffd surrogate about trains."


def test_only_this_machine_may_ask(folder, monkeypatch):
    monkeypatch.chdir(folder)
    result = CliRunner().invoke(cli.app, ["mcp", "--http", "--host", "0.0.0.0"])
    assert isinstance(result.exception, UsageError)
    assert "open to everybody" in result.exception.problem
    assert "proxy" in result.exception.next_step


def test_ctrl_c_ends_it(folder):
    process = subprocess.Popen(
        [sys.executable, "-m", "qa.cli", "mcp"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    with process:
        process.stdin.write(b'{"jsonrpc": "2.0", "id": 1, "method": "ping"}\n')
        process.stdin.flush()
        assert b'"id":1' in process.stdout.readline()
        process.send_signal(signal.SIGINT)
        process.wait(WAIT)
        assert b"Traceback" not in process.stderr.read()
