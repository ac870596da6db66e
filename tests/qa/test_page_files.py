"""How the page's files are served; no browser is needed."""

import re
import tomllib
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from qa.service.guarding import SecurityHeaders
from qa.service.page import FOLDER, TYPES, page_routes

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def client():
    app = FastAPI()
    app.add_middleware(SecurityHeaders)
    app.include_router(page_routes())
    return TestClient(app)


def test_the_page_loads_nothing_from_elsewhere_and_nothing_inline(client):
    reply = client.get("/")
    assert reply.headers["content-type"] == "text/html; charset=utf-8"
    policy = dict(
        part.strip().partition(" ")[::2]
        for part in reply.headers["content-security-policy"].split(";")
    )
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
    assert policy["frame-ancestors"] == policy["base-uri"] == policy["form-action"] == "'none'"
    assert not re.search(r"\son\w+=|\sstyle=|<style|<script(?![^>]*\ssrc=)", reply.text)
    assert not re.search(r"(?:src|href)=\"(?:https?:)?//", reply.text)


def test_all_that_the_files_name_is_there(client):
    named = {
        Path("page") / name
        for name in re.findall(r'(?:src|href)="page/([^"]+)"', client.get("/").text)
    }
    for script in FOLDER.glob("*.js"):
        named |= {
            Path("page") / name
            for name in re.findall(r'from "\./([^"]+)"', script.read_text("utf-8"))
        }
    assert len(named) > 20
    for path in named:
        reply = client.get(f"/{path.as_posix()}")
        assert reply.status_code == 200, path
        assert reply.headers["content-type"] == TYPES[path.suffix]
        assert reply.headers["x-content-type-options"] == "nosniff"


def test_what_has_not_changed_is_not_sent_again(client):
    first = client.get("/page/main.js")
    again = client.get("/page/main.js", headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == first.headers["etag"]
    several = {"If-None-Match": f'"other", W/{first.headers["etag"]}'}
    assert client.get("/page/main.js", headers=several).status_code == 304
    assert client.get("/page/main.js", headers={"If-None-Match": '"other"'}).status_code == 200
    assert "no-cache" in first.headers["cache-control"]
    head = client.head("/page/main.js")
    assert (head.status_code, head.content) == (200, b"")


@pytest.mark.parametrize(
    "path", ["none.js", "", "../service/page.py", "..%2fservice%2fpage.py", "%2fetc%2fpasswd"]
)
def test_nothing_else_is_served(client, path):
    assert client.get(f"/page/{path}").status_code == 404


def test_texts_are_never_taken_for_markup():
    unsafe = r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|DOMParser|\beval\(|Function\("
    for script in FOLDER.glob("*.js"):
        assert not re.search(unsafe, script.read_text("utf-8")), script.name


def test_the_package_holds_the_page():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    patterns = project["tool"]["setuptools"]["package-data"]["qa"]
    held = {file for pattern in patterns for file in (ROOT / "qa").glob(pattern)}
    assert {file for file in FOLDER.rglob("*") if file.suffix in TYPES} <= held
