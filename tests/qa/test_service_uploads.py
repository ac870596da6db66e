"""Uploaded files: names, limits, formats, and what becomes of them."""

import io
import os
import threading
import unicodedata
import zipfile
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from hypothesis import example, given
from hypothesis import strategies as st
from service_support import FILES, accepted, done, finished, refused, upload
from stub_assistant import StubAssistant
from support import make_document, sources_of

from index import document_id
from index.errors import DatelineError
from index.loading import SUPPORTED_SUFFIXES
from qa.service import create_app, errors
from qa.service.documents import document_routes
from qa.service.job_routes import job_routes
from qa.service.jobs import IndexJobs
from qa.service.refusal import RefusedError
from qa.service.uploads import UploadLimits, Uploads, safe_name

SAMPLE = Path(__file__).parents[2] / "qa" / "sample"
LIMITS = UploadLimits(
    files=3, file_bytes=2000, request_bytes=5000, json_bytes=1000, kept_bytes=6000
)


@pytest.fixture
def client(index):
    with TestClient(create_app(StubAssistant(index))) as opened:
        yield opened


@pytest.fixture
def small(index):
    """A service with small limits."""
    jobs = IndexJobs(index, LIMITS)
    app = FastAPI()
    app.include_router(document_routes(index, jobs))
    app.include_router(job_routes(jobs))

    errors.install(app)
    with TestClient(app) as opened:
        yield opened


def kept(index):
    """The files under the uploads folder, by their paths in it; locks are none."""
    folder = index.path / "uploads"
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file())


def send(client, *parts, **more):
    return client.post("/api/documents", files=[(FILES, part) for part in parts], **more)


# --- names ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("report.pdf", "report.pdf"),
        ("Jahresbericht für Köln (2024).docx", "Jahresbericht für Köln (2024).docx"),
        ("会議の記録.txt", "会議の記録.txt"),
        ("../../etc/passwd", "passwd"),
        ("..\\..\\windows\\win.ini", "win.ini"),
        ("/etc/cron.d/x.txt", "x.txt"),
        ("C:\\temp\\a.txt", "a.txt"),
        ("C:a.txt", "C_a.txt"),
        ("a.txt:stream", "a.txt_stream"),
        ("..", "unnamed"),
        ("", "unnamed"),
        (".htaccess", "htaccess"),
        ("~$report.docx", "report.docx"),
        ("a\0b\n\tc.txt", "abc.txt"),
        ("invoice\u202egnp.txt", "invoicegnp.txt"),
        ("cafe\u0301.txt", "caf\u00e9.txt"),
        ("  a  b .txt ", "a b .txt"),
        ("a.txt. .", "a.txt"),
        ("wire#3.jsonl", "wire_3.jsonl"),
        ("CON.txt", "_CON.txt"),
        ("lpt1", "_lpt1"),
        ("console.txt", "console.txt"),
        ("می‌خواهم.txt", "می‌خواهم.txt"),
        ("\ud800.txt", "txt"),
        ("x" * 300 + ".html", "x" * 195 + ".html"),
        ("ä" * 300 + ".txt", "ä" * 98 + ".txt"),
        ("." + "x" * 300, "x" * 200),
    ],
)
def test_names(name, expected):
    assert safe_name(name) == expected


@example("CON." + "x" * 300)
@example("~$~$ .\u200d.CON")
@example("x" * 199 + " .txt")
@example("<\u0338.txt")
@given(
    st.one_of(
        st.text(st.characters(), max_size=300),
        st.text("./\\ ~$CON#:\u202e\u200d\0é\u0301", max_size=30),
        st.builds(
            "{}{}".format, st.text(min_size=100, max_size=400), st.sampled_from([".txt", "."])
        ),
    )
)
def test_any_name_becomes_a_plain_one(name):
    safe = safe_name(name)
    assert safe == safe_name(safe) == unicodedata.normalize("NFC", safe)
    assert safe not in ("", ".", "..")
    assert safe[0] not in ". "
    assert safe[-1] not in ". "
    assert len(safe.encode()) <= 200
    assert not set(safe) & set('/\\<>:"|?*#')
    assert all(c.isprintable() or c in "\u200c\u200d" for c in safe if c.isascii() or c.isspace())
    folder = Path("/srv/uploads")
    assert (folder / safe).parent == folder
    assert os.path.normpath(folder / safe) == str(folder / safe)


@pytest.mark.parametrize(
    "name", ["../../evil.txt", "/tmp/evil.txt", "..\\evil.txt", "a/../../evil.txt", "./evil.txt"]
)
def test_a_path_is_no_way_out(client, index, tmp_path, name):
    before = {path for path in tmp_path.rglob("*") if index.path not in path.parents}
    report = done(client, accepted(send(client, (name, "A storm hit Bergen."))))
    assert report["indexed"] == ["uploads/evil.txt"]
    assert kept(index) == ["evil.txt"]
    assert {path for path in tmp_path.rglob("*") if index.path not in path.parents} == before


# --- formats --------------------------------------------------------------------------------------


def test_every_format(client, index):
    """One request with a file of each; what is found is cited as uploads/NAME."""
    paths = sorted(SAMPLE.iterdir())
    assert {path.suffix for path in paths} >= {".txt", ".md", ".html", ".pdf", ".docx", ".eml",
                                               ".csv", ".jsonl"}  # fmt: skip
    parts = [(path.name, path.read_bytes()) for path in paths]
    parts.append(("note.json", b'{"text": "A crane fell in the dock.", "title": "Crane"}'))
    job = accepted(send(client, *parts))
    record = finished(client, job)
    assert record["state"] == "done"
    assert not record["report"]["failed"]
    assert [file["name"] for file in record["files"]] == [name for name, _ in parts]
    assert [file["size"] for file in record["files"]] == [len(data) for _, data in parts]
    assert (
        record["progress"]["done"]
        == record["progress"]["total"]
        == sum(len(data) for _, data in parts)
    )
    sources = sources_of(index)
    assert sorted(record["report"]["indexed"]) == sources
    assert {source.partition("#")[0] for source in sources} == {f"uploads/{n}" for n, _ in parts}
    hits = client.post("/api/search", json={"query": "crane dock", "mode": "bm25"}).json()["hits"]
    assert hits[0]["source"] == "uploads/note.json"
    pdf = client.get(f"/api/documents/{document_id('uploads/2024-12-12-council-minutes.pdf')}")
    assert pdf.json()["pages"][0] == 0
    assert len(pdf.json()["pages"]) > 1


@pytest.mark.parametrize("name", ["a.exe", "a", "a.zip", "a.txt.exe", ".txt", "a.doc"])
def test_other_formats_are_refused(client, index, name):
    problem = refused(send(client, ("good.txt", "Text."), (name, "Text.")), 415)
    assert "supported" in problem
    assert kept(index) == []  # not the good one either


def test_the_formats_are_the_loaders(client):
    reply = send(client, ("a.exe", "x"))
    assert all(suffix in reply.json()["error"]["next_step"] for suffix in SUPPORTED_SUFFIXES)


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.txt", b"\x7fELF\2\1\1 and so on"),
        ("a.pdf", b"Hello."),
        ("a.docx", b"PK\3\4 and so on"),
        ("a.docx", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600)),
    ],
)
def test_content_that_is_not_what_the_name_says(client, index, name, data):
    refused(send(client, (name, data)), 415)
    assert kept(index) == []


def test_a_zip_bomb(client, index):
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as package:
        package.writestr("word/document.xml", bytes(50 << 20))
    assert len(bomb.getvalue()) < 60_000
    assert "unpacks to" in refused(send(client, ("a.docx", bomb.getvalue())), 415)
    assert kept(index) == []


def test_a_file_that_cannot_be_read_is_named_and_not_kept(client, index):
    report = done(client, upload(client, good__txt="A storm.", bad__txt=" \n", worse__jsonl="{"))
    assert report["indexed"] == ["uploads/good.txt"]
    assert [failure["source"] for failure in report["failed"]] == [
        "uploads/bad.txt", "uploads/worse.jsonl",
    ]  # fmt: skip
    assert "holds no text" in report["failed"][0]["reason"]
    assert kept(index) == ["good.txt"]


# --- limits ---------------------------------------------------------------------------------------


def test_a_file_at_the_limit_and_over_it(small, index):
    assert "larger than" in refused(send(small, ("a.txt", "x" * 2001)), 413)
    assert kept(index) == []
    done(small, accepted(send(small, ("a.txt", "x" * 2000))))
    assert kept(index) == ["a.txt"]


def test_too_many_files(small, index):
    parts = [(f"{number}.txt", "Text.") for number in range(4)]
    assert "more than 3 files" in refused(send(small, *parts), 413)
    assert kept(index) == []
    done(small, accepted(send(small, *parts[:3])))


def test_a_request_that_says_it_is_too_large(small, index):
    parts = [(f"{number}.txt", "x" * 1900) for number in range(3)]
    assert "request is larger" in refused(send(small, *parts), 413)
    assert kept(index) == []


def test_a_request_that_does_not_say_how_large_it_is(small, index):
    body = b'--b\r\nContent-Disposition: form-data; name="files"; filename="a.txt"\r\n\r\n'
    headers = {"content-type": "multipart/form-data; boundary=b"}

    def blocks():
        yield body
        for _ in range(40):
            yield b"x" * 500

    reply = small.post("/api/documents", content=blocks(), headers=headers)
    assert "request is larger" in refused(reply, 413)
    assert kept(index) == []


def test_json_has_a_limit_of_its_own(small):
    body = {"documents": [{"text": "x" * 2000}]}
    assert "request is larger" in refused(small.post("/api/documents", json=body), 413)


def test_no_room_for_more(small, index):
    for name in ("a", "b", "c"):
        done(small, accepted(send(small, (f"{name}.txt", name * 1900))))
    assert "no room" in refused(send(small, ("d.txt", "d" * 1900)), 507)
    small.delete(f"/api/documents/{document_id('uploads/a.txt')}")
    done(small, accepted(send(small, ("d.txt", "d" * 1900))))
    assert kept(index) == ["b.txt", "c.txt", "d.txt"]


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        ({"files": [("file", ("a.txt", "Text."))]}, 422),
        ({"data": {"files": "Text."}, "files": [("x", ("a.txt", "Text."))]}, 422),
        ({"files": [(FILES, ("a.txt", "One.")), (FILES, ("x/a.txt", "Two."))]}, 422),
        ({"content": b"Text.", "headers": {"content-type": "text/plain"}}, 415),
        ({"content": b"Text."}, 415),
        ({"data": {"files": "Text."}}, 415),
        ({"content": b"Text.", "headers": {"content-type": "multipart/form-data"}}, 400),
        (
            {"content": b"Text.", "headers": {"content-type": "multipart/form-data; boundary=b"}},
            400,
        ),
    ],
)
def test_requests_without_good_files(client, index, request_, status):
    refused(client.post("/api/documents", **request_), status)
    assert kept(index) == []
    assert client.get("/api/index-jobs").json()["total"] == 0


# --- again, replaced, deleted ---------------------------------------------------------------------


def test_the_same_name_again(client, index):
    assert done(client, upload(client, a__txt="One."))["indexed"] == ["uploads/a.txt"]
    assert done(client, upload(client, a__txt="One."))["unchanged"] == ["uploads/a.txt"]
    assert done(client, upload(client, a__txt="Two."))["updated"] == ["uploads/a.txt"]
    assert index.get(document_id("uploads/a.txt")).text == "Two."
    assert kept(index) == ["a.txt"]


def test_a_replacement_that_cannot_be_read(client, index):
    """The document stays as it was, and can still be deleted."""
    done(client, upload(client, a__txt="One."))
    (failure,) = done(client, upload(client, a__txt=""))["failed"]
    assert "stays there" in failure["reason"]
    id_ = document_id("uploads/a.txt")
    assert index.get(id_).text == "One."
    assert client.delete(f"/api/documents/{id_}").status_code == 200
    assert kept(index) == []


def test_what_is_deleted_does_not_come_back(client, index):
    done(client, upload(client, a__txt="One.", b__txt="Two."))
    id_ = document_id("uploads/a.txt")
    assert client.delete(f"/api/documents/{id_}").json() == {"removed": ["uploads/a.txt"]}
    assert kept(index) == ["b.txt"]
    report = done(client, accepted(client.post("/api/index-jobs", json={"reindex": True})))
    assert (report["indexed"], report["unchanged"]) == ([], ["uploads/b.txt"])
    assert done(client, upload(client, a__txt="One."))["indexed"] == ["uploads/a.txt"]


def test_records_are_deleted_one_by_one(client, index):
    wire = '{"text": "One."}\n{"text": "Two."}\n'
    first, second = done(client, upload(client, wire__jsonl=wire))["indexed"]
    client.delete(f"/api/documents/{document_id(first)}")
    assert kept(index) == ["wire.jsonl"]
    done(client, accepted(client.post("/api/index-jobs", json={"reindex": True})))
    assert sources_of(index) == [second]
    assert done(client, upload(client, wire__jsonl=wire))["indexed"] == [first]
    for source in (first, second):
        client.delete(f"/api/documents/{document_id(source)}")
    assert kept(index) == []


def test_a_document_of_another_origin_is_not_replaced(client, index):
    index.add(
        [make_document("uploads/a.txt", "Mine."), make_document("uploads/b.jsonl#1", "Mine.")]
    )
    for name in ("a.txt", "b.jsonl"):
        assert "not uploaded" in refused(send(client, (name, '{"text": "Yours."}')), 409)
    assert done(client, upload(client, b__json='{"text": "Yours."}'))["indexed"]
    assert kept(index) == ["b.json"]


def test_brackets_in_names(client, index):
    report = done(client, accepted(send(client, ("a[1].txt", "One."), ("a1.txt", "Two."))))
    assert report["indexed"] == ["uploads/a[1].txt", "uploads/a1.txt"]
    client.delete(f"/api/documents/{document_id('uploads/a[1].txt')}")
    assert kept(index) == ["a1.txt"]


# --- the folder -----------------------------------------------------------------------------------


def test_an_upload_that_fails_leaves_nothing(tmp_path):
    uploads = Uploads(tmp_path)

    class Broken(io.BytesIO):
        def read(self, size=-1):
            raise RefusedError(400, "The line is gone.", "")

    with pytest.raises(RefusedError, match="gone"), uploads.receive() as parcel:
        parcel.add("a.txt", io.BytesIO(b"Text."))
        parcel.add("b.txt", Broken())
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_sweeping_keeps_what_is_wanted_or_under_way(tmp_path):
    uploads = Uploads(tmp_path)
    with uploads.receive() as wanted:
        wanted.add("a.txt", io.BytesIO(b"Text."))
    (tmp_path / "uploads" / ".incoming" / "dead").mkdir()
    (tmp_path / "uploads" / ".incoming" / "dead" / "b.txt").write_text("half a te")
    (tmp_path / "uploads" / ".incoming" / "gone.lock").write_text("")
    with uploads.receive() as under_way:
        under_way.add("c.txt", io.BytesIO(b"Text."))
        Uploads(tmp_path).sweep(lambda id_: id_ == wanted.id)
        incoming = tmp_path / "uploads" / ".incoming"
        assert {path.name for path in incoming.iterdir() if path.is_dir()} == {
            wanted.id, under_way.id,
        }  # fmt: skip
        uploads.publish(under_way.id)
        uploads.publish(under_way.id)  # again, as after a crash
    assert [path.name for path in uploads.files()] == ["c.txt"]


def test_uploads_that_come_and_go_disturb_nobody(tmp_path):
    uploads, failures = Uploads(tmp_path), []

    def come_and_go():
        for _ in range(100):
            try:
                with uploads.receive() as parcel:
                    parcel.add("a.txt", io.BytesIO(b"Text."))
                uploads.discard(parcel.id)
            except DatelineError as error:
                failures.append(error)

    threads = [threading.Thread(target=come_and_go) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    assert uploads.kept() == 0


def test_a_folder_that_cannot_be_written_to(tmp_path):
    (tmp_path / "uploads").write_text("a file is in the way")
    with pytest.raises(DatelineError, match="cannot be written to"), Uploads(tmp_path).receive():
        pass
