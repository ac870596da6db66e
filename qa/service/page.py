"""GET / and /page/...: the chat page and the files that it is made of, kept in memory."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import NamedTuple

from fastapi import APIRouter, Request
from fastapi.responses import Response
from starlette.exceptions import HTTPException

FOLDER = Path(__file__).parent.parent / "page"
TYPES = {  # not the system's table, which may call a script plain text; a browser runs none such
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
HEADERS = {"Cache-Control": "no-cache"}  # kept, and asked for again: a new version shows at once


class Asset(NamedTuple):
    """A file of the page."""

    content: bytes
    type: str
    etag: str


def assets(folder: Path = FOLDER) -> dict[str, Asset]:
    """The files of the page by their paths under the folder; others in it are not served."""
    return {
        path.relative_to(folder).as_posix(): _asset(path)
        for path in sorted(folder.rglob("*"))
        if path.suffix in TYPES
    }


def page_routes() -> APIRouter:
    """The routes of the page; they need no key, since nothing of the documents is in them."""
    router = APIRouter(include_in_schema=False)
    files = assets()

    @router.api_route("/", methods=["GET", "HEAD"])
    def page(request: Request) -> Response:
        return _reply(files["index.html"], request)

    @router.api_route("/page/{path:path}", methods=["GET", "HEAD"])
    def asset(path: str, request: Request) -> Response:
        if path not in files:
            raise HTTPException(404)
        return _reply(files[path], request)

    return router


def _asset(path: Path) -> Asset:
    content = path.read_bytes()
    return Asset(content, TYPES[path.suffix], f'"{hashlib.sha256(content).hexdigest()[:32]}"')


def _reply(asset: Asset, request: Request) -> Response:
    headers = {**HEADERS, "ETag": asset.etag}
    known = request.headers.get("If-None-Match", "")
    if asset.etag in [tag.strip().removeprefix("W/") for tag in known.split(",")]:
        return Response(status_code=304, headers=headers)
    return Response(asset.content, media_type=asset.type, headers=headers)
