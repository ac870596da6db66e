"""kill -9 at any moment: nothing reported is lost, nothing is half there, search is right."""

import json
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest
from crash_worker import FILES, text_of
from support import HashEmbedder, make_document

from index import EmbeddedIndex

WORKER = Path(__file__).parents[1] / "crash_worker.py"


def run_and_kill(folder, seed, seconds):
    """Operations the worker began, and how many of them it reported as done."""
    worker = subprocess.Popen(
        [sys.executable, str(WORKER), str(folder / "index"), str(folder / "docs"), str(seed)],
        stdout=subprocess.PIPE,
        text=True,
    )
    first = worker.stdout.readline()  # it has started
    time.sleep(seconds)
    worker.kill()
    lines = [first, *worker.stdout.read().splitlines()]
    worker.wait()
    events = [json.loads(line) for line in lines if line.strip().endswith("}")]
    return (
        [event["begin"] for event in events if "begin" in event],
        sum("done" in event for event in events),
    )


def apply(state, operation):
    for number in operation.get("remove", ()):
        state[number] = None
    for number in operation.get("add", ()):
        state[number] = operation["version"]


def check(folder, state, unfinished):
    """The catalog holds what was reported; an unfinished operation is there by whole documents."""
    before, after = dict(state), dict(state)
    if unfinished:
        apply(after, unfinished)
    with EmbeddedIndex.open(folder / "index", create=False, embedder=HashEmbedder()) as index:
        for number in range(FILES):
            document = index.get(make_document(f"docs/{number}.txt", "").id)
            found = document and document.text
            allowed = {
                None if version is None else text_of(number, version)
                for version in (before[number], after[number])
            }
            assert found in allowed, f"file {number} is neither as before nor as after"
            state[number] = before[number]
            if found is not None and found != (
                before[number] is not None and text_of(number, before[number])
            ):
                state[number] = after[number]
            elif found is None:
                state[number] = None
        documents = [index.get(info.id) for info in index.documents()]
        with EmbeddedIndex.open(
            folder / f"fresh-{time.monotonic_ns()}", embedder=HashEmbedder()
        ) as fresh:
            fresh.add(documents)
            for query in ("ferry storm", "version comet glacier", "file treaty"):
                for mode in ("bm25", "dense"):
                    assert found_by(index, query, mode) == found_by(fresh, query, mode)
            assert index.stats().chunks == fresh.stats().chunks


def found_by(index, query, mode):
    hits = index.search(query, 1000, mode=mode)
    return sorted((h.document.source, h.chunk.start, round(h.score, 4)) for h in hits)


def kill_many(folder, kills, seed):
    (folder / "docs").mkdir()
    dice = random.Random(seed)
    state = dict.fromkeys(range(FILES))
    finished = 0
    for number in range(kills):
        begun, done = run_and_kill(folder, seed * 10_000 + number, dice.uniform(0, 0.5))
        for operation in begun[:done]:
            apply(state, operation)
        check(folder, state, begun[done] if len(begun) > done else None)
        finished += done
    assert finished, "the worker was never given time to finish anything"


def test_a_handful_of_kills(tmp_path):
    kill_many(tmp_path, 6, seed=1)


@pytest.mark.slow
def test_a_hundred_kills(tmp_path):
    kill_many(tmp_path, 120, seed=2)
