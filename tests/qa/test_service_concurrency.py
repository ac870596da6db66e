"""Many clients at once get what one gets alone, also while another process changes the index."""

import random
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from support import make_document

from index import EmbeddedIndex
from qa import Assistant, syntax
from qa.service import ServiceSettings, create_app

WORKER = Path(__file__).parents[1] / "churn_worker.py"
STORIES = {
    "oslo.txt": "OSLO, March 5, 2024 (NW) - Anna Berg met Tomas Lind in Oslo on Monday. They "
    "agreed on a new ferry line.\n\nMia Strand resigned as mayor of Bergen on February 2, 2024.",
    "bergen.txt": "BERGEN, March 8, 2024 (NW) - A storm hit Bergen on Thursday and tore the roof "
    "off the town hall. Repairs will cost 2.5 million crowns, said Ole Dahl.",
    "harbour.txt": "TROMSO, April 1, 2024 (NW) - Ole Dahl opened the new harbour in Tromso on "
    "Friday. Anna Berg will meet Ole Dahl in Tromso next week.",
}
REQUESTS = [
    ("/api/ask", {"question": "Who did Anna Berg meet?"}),
    ("/api/ask", {"question": "Who met where and when?"}),
    ("/api/ask", {"question": "When did Mia Strand resign?"}),
    ("/api/ask", {"question": "What will the repairs cost?"}),
    ("/api/ask", {"question": "Who won the World Cup?"}),
    ("/api/ask", {"question": "Who opened the harbour?", "filters": {"source": "h*"}}),
    ("/api/search", {"query": "storm roof", "top_k": 3}),
    ("/api/timeline", {"query": "Anna Berg"}),
]


@pytest.fixture(scope="module")
def index(tmp_path_factory):
    with EmbeddedIndex.open(tmp_path_factory.mktemp("busy") / ".dateline") as opened:
        opened.add([make_document(*story, published="2024-03-08") for story in STORIES.items()])
        yield opened


@pytest.fixture(scope="module")
def client(index):
    settings = ServiceSettings(workers=4, queue=100, rate_limit="none")
    with TestClient(create_app(Assistant(index), settings)) as opened:
        yield opened


def reply(client, number):
    """What the service says, but for the time that it took."""
    path, body = REQUESTS[number]
    got = client.post(path, json=body)
    assert got.status_code == 200, got.text
    return {name: value for name, value in got.json().items() if name != "timings_ms"}


@pytest.fixture(scope="module")
def alone(client):
    return [reply(client, number) for number in range(len(REQUESTS))]


def at_once(client, times):
    """The replies to every request so many times, from eight clients, in some order."""
    numbers = list(range(len(REQUESTS))) * times
    random.Random(7).shuffle(numbers)
    with ThreadPoolExecutor(8) as threads:
        return list(zip(numbers, threads.map(lambda n: reply(client, n), numbers), strict=True))


def test_many_clients_get_what_one_gets(client, alone):
    assert alone[0]["answers"][0]["text"] == "Tomas Lind"
    assert alone[1]["events"]
    assert alone[4]["abstained"]
    syntax._kept.clear()  # all parse again, at once
    for number, got in at_once(client, 4):
        assert got == alone[number]


def test_while_another_process_writes(client, alone, index):
    generation = index.stats().generation
    with subprocess.Popen(
        [sys.executable, str(WORKER), str(index.path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as worker:
        worker.stdout.readline()  # it has begun
        for number, got in at_once(client, 4):
            for name in ("answers", "events", "hits"):
                said = [one.get("text") or one.get("what") for one in got.get(name, ())]
                expected = [
                    one.get("text") or one.get("what") for one in alone[number].get(name, ())
                ]
                assert said[:1] == expected[:1], REQUESTS[number]
            for citation in got.get("citations", ()):
                text = index.get(citation["document_id"]).text
                assert text[citation["start"] : citation["end"]] == citation["quote"]
        assert index.stats().generation > generation + 3  # it was busy meanwhile
        worker.stdin.close()
        assert worker.wait(60) == 0
    assert index.stats().documents == len(STORIES)
    for number, expected in enumerate(alone):  # the index is as it was, and so is what it says
        assert reply(client, number) == expected
