"""Documents over HTTP: listed, read and deleted; what is sent as JSON."""

import threading
from datetime import date

import pytest
from fastapi.testclient import TestClient
from service_support import accepted, done, refused
from stub_assistant import StubAssistant
from support import make_document, sources_of

from index import Document, document_id
from qa.service import create_app


@pytest.fixture
def client(index):
    with TestClient(create_app(StubAssistant(index))) as opened:
        yield opened


@pytest.fixture
def filled(index):
    index.add(
        [
            make_document(
                "news/a.txt", "Anna met Tomas.", title="Oslo talks", published="2024-03-05"
            ),
            make_document("news/b.txt", "A storm.", title="Bergen storm", published="2024-04-01"),
            make_document("c.txt", "<script>alert(1)</script> & text", title="<b>Oslo</b>"),
        ]
    )
    return index


def post(client, *documents):
    return client.post("/api/documents", json={"documents": list(documents)})


# --- list and read --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, ["c.txt", "news/a.txt", "news/b.txt"]),
        ({"q": "OSLO"}, ["c.txt", "news/a.txt"]),
        ({"q": "news talks"}, ["news/a.txt"]),
        ({"q": ""}, ["c.txt", "news/a.txt", "news/b.txt"]),
        ({"source": "news/*"}, ["news/a.txt", "news/b.txt"]),
        ({"source": ""}, ["c.txt", "news/a.txt", "news/b.txt"]),
        ({"after": "2024-03-05", "before": "2024-03-05"}, ["news/a.txt"]),
        ({"q": "oslo", "after": "2024-01-01"}, ["news/a.txt"]),
        ({"q": "%"}, []),
        ({"q": "'; --"}, []),
        ({"q": "\0"}, []),
    ],
)
def test_listing_with_filters(client, filled, query, expected):
    reply = client.get("/api/documents", params=query).json()
    assert [document["source"] for document in reply["documents"]] == expected
    assert reply["total"] == len(expected)


def test_pages_of_the_list(client, index):
    names = [f"{number:02}.txt" for number in range(25)]
    index.add(make_document(name, "Text.") for name in names)
    seen = []
    for offset in (0, 10, 20, 30):
        reply = client.get("/api/documents", params={"limit": 10, "offset": offset, "q": "txt"})
        assert reply.json()["total"] == 25
        seen += [document["source"] for document in reply.json()["documents"]]
    assert seen == names


@pytest.mark.parametrize(
    "query",
    [
        {"limit": 0},
        {"limit": 1001},
        {"offset": -1},
        {"after": "soon"},
        {"before": "0"},
        {"q": "x" * 501},
    ],
)
def test_bad_queries(client, query):
    refused(client.get("/api/documents", params=query), 422)


def test_reading_one(client, index):
    document = Document(
        id=document_id("report.pdf"),
        source="report.pdf",
        title="Report",
        text="Page one. Page two. é \U0001f6a2",
        published=date(2023, 9, 19),
        place="SEOUL",
        language="en",
        metadata={"author": "Anna", "tags": ["a"]},
        pages=(0, 10),
    )
    index.add([document])
    assert client.get(f"/api/documents/{document.id}").json() == {
        "id": document.id,
        "source": "report.pdf",
        "title": "Report",
        "published": "2023-09-19",
        "place": "SEOUL",
        "language": "en",
        "metadata": {"author": "Anna", "tags": ["a"]},
        "text": document.text,
        "pages": [0, 10],
    }


def test_markup_is_data(client, filled):
    for path in ("/api/documents", f"/api/documents/{document_id('c.txt')}"):
        reply = client.get(path)
        assert reply.headers["content-type"] == "application/json"
    assert reply.json()["text"] == "<script>alert(1)</script> & text"
    assert reply.json()["title"] == "<b>Oslo</b>"


def test_text_that_utf8_cannot_express(client, index):
    index.add(
        [make_document("a.txt", "a\ud800b\0c", title="\udfff", key="\ud800", **{"\ud801": 1})]
    )
    reply = client.get(f"/api/documents/{document_id('a.txt')}")
    assert reply.json()["text"] == "a\ufffdb\0c"  # offsets stay
    assert reply.json()["metadata"] == {"key": "\ufffd", "\ufffd": 1}
    assert client.get("/api/documents").status_code == 200


@pytest.mark.parametrize("id_", ["none", "%00", "%ED%A0%80", "x" * 3000, "'; --"])
def test_unknown_documents(client, filled, id_):
    for reply in (client.get(f"/api/documents/{id_}"), client.delete(f"/api/documents/{id_}")):
        assert "no document" in refused(reply, 404)
    assert len(sources_of(filled)) == 3


# --- delete ---------------------------------------------------------------------------------------


def test_deleting_one_and_no_other(client, index):
    index.add(
        make_document(name, f"Text of {name}.") for name in ("crm", "crm/1", "crm#2", "crm.txt")
    )
    reply = client.delete(f"/api/documents/{document_id('crm')}")
    assert (reply.status_code, reply.json()) == (200, {"removed": ["crm"]})
    assert sources_of(index) == ["crm#2", "crm.txt", "crm/1"]
    refused(client.delete(f"/api/documents/{document_id('crm')}"), 404)


def test_not_while_another_writes(client, filled):
    begun, end = threading.Event(), threading.Event()

    def write():
        with filled.writing():
            begun.set()
            end.wait(30)

    writer = threading.Thread(target=write)
    writer.start()
    begun.wait(30)
    path = f"/api/documents/{document_id('c.txt')}"
    assert "being written to" in refused(client.delete(path), 409)
    assert client.get(path).status_code == 200
    end.set()
    writer.join()
    assert client.delete(path).json() == {"removed": ["c.txt"]}


# --- documents as JSON ----------------------------------------------------------------------------


def test_documents_as_json(client, index):
    job = accepted(
        post(
            client,
            {
                "text": "Anna Berg met Tomas Lind\r\nin Oslo.",
                "title": "Berg meets Lind",
                "published": "2024-03-05",
                "source": "crm/ticket-17",
                "url": "https://example.org/17",
                "metadata": {"desk": "politics", "rank": 3, "tags": ["a"]},
            },
            {"text": "SEOUL, Sept 19, 2023 (AFP) - South Korea summoned the ambassador."},
            {
                "text": "A storm.",
                "url": "https://example.org/storm",
                "published": "2024-05-01T09:30:00Z",
            },
        )
    )
    report = done(client, job)
    first, second, third = report["indexed"]
    assert (first, third) == ("crm/ticket-17", "https://example.org/storm")
    document = client.get(f"/api/documents/{document_id(first)}").json()
    assert document["text"] == "Anna Berg met Tomas Lind\nin Oslo."
    assert (document["title"], document["published"]) == ("Berg meets Lind", "2024-03-05")
    assert document["metadata"] == {
        "desk": "politics",
        "rank": 3,
        "tags": ["a"],
        "url": "https://example.org/17",
        "date_from": "field",
    }
    document = client.get(f"/api/documents/{document_id(second)}").json()
    assert second.startswith("documents/untitled-")
    assert (document["published"], document["place"]) == ("2023-09-19", "SEOUL")
    assert index.get(document_id(third)).published == date(2024, 5, 1)
    record = client.get(f"/api/index-jobs/{job}").json()
    assert record["kind"] == "documents"
    assert record["progress"] == {
        "done": 3, "total": 3, "unit": "documents", "passages": 3, "current": "",
    }  # fmt: skip


def test_the_same_source_is_the_same_document(client, index):
    done(client, accepted(post(client, {"text": "One.", "source": "a"}, {"text": "Two."})))
    again = {"text": "One, changed.", "source": "a"}
    report = done(client, accepted(post(client, again, {"text": "Two."})))
    assert report["updated"] == ["a"]
    assert len(report["unchanged"]) == 1
    assert index.count() == 2


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ({"documents": []}, "at least 1"),
        ({}, "required"),
        ([], "object"),
        ({"documents": [{"title": "x"}]}, "documents.0.text"),
        ({"documents": [{"text": " \n"}]}, "documents.0: there is no text"),
        ({"documents": [{"text": "x"}, {"text": ""}]}, "documents.1: there is no text"),
        ({"documents": [{"text": "x", "titel": "y"}]}, "documents.0.titel"),
        ({"documents": [{"text": "x", "published": "soon"}]}, "documents.0.published"),
        ({"documents": [{"text": "x", "published": 0}]}, "documents.0.published"),
        ({"documents": [{"text": "x", "source": "uploads/a.txt"}]}, "uploaded files"),
        ({"documents": [{"text": "x", "source": "a\nb"}]}, "documents.0.source"),
        ({"documents": [{"text": "x", "source": ""}]}, "documents.0.source"),
        ({"documents": [{"text": "x", "url": "javascript:alert(1)"}]}, "http"),
        ({"documents": [{"text": "x", "metadata": {"url": " javascript:x"}}]}, "http"),
        ({"documents": [{"text": "x", "metadata": {"url": 7}}]}, "http"),
        ({"documents": [{"text": "x", "metadata": {"a": "b" * 20_000}}]}, "metadata"),
        ({"documents": [{"text": "x", "source": "a"}, {"text": "y", "source": "a"}]}, "another"),
        ({"documents": [{"text": "x"}], "paths": ["/etc"]}, "paths"),
    ],
)
def test_bad_json(client, index, body, problem):
    assert problem in refused(client.post("/api/documents", json=body), 422)
    assert client.get("/api/index-jobs").json()["total"] == 0


@pytest.mark.parametrize(
    "body", [b"", b"{", b"\xff", b'{"documents": [{"text": "\\ud800"}]}', b"[" * 10_000,
             b'{"documents": [{"text": "x", "metadata": {"a": NaN}}]}'],
)  # fmt: skip
def test_what_is_no_json(client, body):
    headers = {"content-type": "application/json"}
    refused(client.post("/api/documents", content=body, headers=headers), 422)


def test_deeply_nested_metadata(client, index):
    nested = "x"
    for _ in range(100):
        nested = [nested]
    job = accepted(post(client, {"text": "Text.", "source": "a", "metadata": {"n": nested}}))
    done(client, job)
    assert client.get(f"/api/documents/{document_id('a')}").json()["metadata"]["n"] == nested


# --- described ------------------------------------------------------------------------------------


def test_the_routes_are_described(client):
    api = client.get("/openapi.json").json()
    schemas = api["components"]["schemas"]
    for name in ("DocumentRecord", "DocumentText", "JobRecord", "JobProgress", "JobReport"):
        assert schemas[name]["description"]
    body = api["paths"]["/api/documents"]["post"]["requestBody"]["content"]
    assert set(body) == {"multipart/form-data", "application/json"}
    fields = body["application/json"]["schema"]["properties"]["documents"]["items"]["properties"]
    assert all(field["description"] for field in fields.values())
    assert "$ref" not in str(body)
