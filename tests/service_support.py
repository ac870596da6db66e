"""What the tests of the service's documents and jobs have in common."""

import json

FILES = "files"


def events_of(lines):
    """Server-sent events, as (name, data), from lines of text."""
    name, found = None, []
    for line in lines:
        if line.startswith("event: "):
            name = line.removeprefix("event: ")
        elif line.startswith("data: "):
            found.append((name, json.loads(line.removeprefix("data: "))))
    return found


def upload(client, **files):
    """Upload files, given as name=content with "__" for the dot; the job's id."""
    parts = [(FILES, (name.replace("__", "."), content)) for name, content in files.items()]
    return accepted(client.post("/api/documents", files=parts))


def accepted(reply):
    """The id of the job that a request has queued."""
    assert reply.status_code == 202, reply.text
    job = reply.json()["job"]
    assert reply.headers["location"] == f"/api/index-jobs/{job}"
    return job


def finished(client, job):
    """The record of a job once it is over; its events are what is waited for."""
    reply = client.get(f"/api/index-jobs/{job}/events")
    events = events_of(reply.text.splitlines())
    name, record = events[-1]
    assert {name for name, _ in events[:-1]} <= {"progress"}
    assert name == record["state"]
    return record


def done(client, job):
    """The report of a job that ends well."""
    record = finished(client, job)
    assert record["state"] == "done", record
    return record["report"]


def refused(reply, status):
    """The problem for which a request was refused, in the one shape of errors."""
    assert reply.status_code == status, reply.text
    error = reply.json()["error"]
    assert set(error) == {"code", "problem", "next_step"}
    assert len(reply.text) < 1500
    return error["problem"]
