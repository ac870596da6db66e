"""Stands in for the routes that the page needs and the service does not have yet.

To be dropped with the line in `page_service.py` that mounts it, once the service has
/api/timeline, /api/documents and /api/index-jobs.
"""

import asyncio
import json
import tempfile
import threading
from datetime import date
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Body, Request
from fastapi.responses import JSONResponse, StreamingResponse

from index import Filters


def stand_in_routes(assistant):
    """Timeline, documents and index jobs, in the shapes that are agreed."""
    router = APIRouter(prefix="/api")
    index = assistant.index
    jobs = {}

    def info(document):
        names = ("id", "source", "title", "published", "place", "language", "metadata")
        return {name: getattr(document, name) for name in names}

    @router.post("/timeline")
    def timeline(asked: Annotated[dict, Body()]):
        days = {
            name: date.fromisoformat(asked[name]) for name in ("since", "until") if asked.get(name)
        }
        return assistant.timeline(asked["query"], **days)

    @router.get("/documents")
    def documents(
        *,
        limit: int = 100,
        offset: int = 0,
        q: str = "",
        source: str | None = None,
        after: date | None = None,
        before: date | None = None,
    ):
        found = [
            document
            for document in index.documents(Filters(after, before, source))
            if all(w in f"{document.title} {document.source}".lower() for w in q.lower().split())
        ]
        return {"total": len(found), "documents": [info(d) for d in found[offset : offset + limit]]}

    @router.get("/documents/{document_id}")
    def one(document_id: str):
        document = index.get(document_id)
        if document is None:
            return _missing(f"There is no document {document_id!r}.")
        return {**info(document), "text": document.text, "pages": document.pages}

    @router.delete("/documents/{document_id}")
    def delete(document_id: str):
        document = index.get(document_id)
        return {"removed": index.remove([document.source])} if document else _missing("Gone.")

    @router.post("/documents", status_code=202)
    async def upload(request: Request):
        form = await request.form()
        folder = Path(tempfile.mkdtemp())
        files = []
        for file in form.getlist("files"):
            content = await file.read()
            (folder / file.filename).write_bytes(content)
            files.append({"name": file.filename, "size": len(content)})
        job = {
            "id": folder.name, "state": "queued", "files": files,
            "progress": None, "report": None, "error": None,
        }  # fmt: skip
        jobs[folder.name] = job
        threading.Thread(target=_work, args=(index, folder, job), daemon=True).start()
        return {"job": folder.name}

    @router.get("/index-jobs")
    def all_jobs():
        return {"total": len(jobs), "jobs": list(jobs.values())}

    @router.get("/index-jobs/{job_id}")
    def job(job_id: str):
        return jobs[job_id]

    @router.get("/index-jobs/{job_id}/events")
    async def events(job_id: str):
        async def stream():
            while True:
                now = jobs[job_id]
                over = now["state"] in ("done", "failed")
                yield f"event: {now['state'] if over else 'progress'}\ndata: {json.dumps(now)}\n\n"
                if over:
                    return
                await asyncio.sleep(0.05)

        return StreamingResponse(stream(), media_type="text/event-stream")

    return router


def _work(index, folder, job):
    job["state"] = "running"

    def tell(told):
        job["progress"] = {"done": told.done, "total": told.total, "unit": "bytes"}

    report = index.add_files([folder], on_progress=tell)
    lists = ("indexed", "updated", "unchanged", "failed", "skipped")
    job["report"] = {
        "failed": [failure._asdict() for failure in report.failed],
        "counts": {name: len(getattr(report, name)) for name in lists},
    }
    job["state"] = "done"


def _missing(problem):
    return JSONResponse({"error": {"code": "D205", "problem": problem, "next_step": ""}}, 404)
