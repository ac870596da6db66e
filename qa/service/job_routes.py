"""/api/index-jobs: index jobs over HTTP, by polling and by server-sent events."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from typing import Annotated, Any, Literal

import anyio
from fastapi import APIRouter, Depends, FastAPI, Query, Response
from fastapi import Path as PathParameter
from pydantic import BaseModel, ConfigDict, Field
from sse_starlette import EventSourceResponse

from .errors import ErrorReply
from .job_store import JobRecord
from .jobs import IndexJobs

_WATCH_SECONDS = 0.25  # between looks at a job whose events are watched
_EVENT = 'event: progress\ndata: {"id": "1b51936fbbccb635", "state": "running", ...}\n\n'


JobId = Annotated[str, PathParameter(description="id of the job")]


class ReindexRequest(BaseModel):
    """A run over all uploaded files, for those that were lost from the index or changed on disk."""

    model_config = ConfigDict(extra="forbid")

    reindex: Literal[True] = Field(
        description="files are uploaded with POST /api/documents", examples=[True]
    )


class JobReply(BaseModel):
    """A job was queued."""

    job: str = Field(description="see GET /api/index-jobs/ID and /api/index-jobs/ID/events")


def queued(job: JobRecord, response: Response) -> JobReply:
    """The reply to a request that has queued a job."""
    response.headers["Location"] = f"/api/index-jobs/{job.id}"
    return JobReply(job=job.id)


class JobsReply(BaseModel):
    """One page of the jobs, the newest first."""

    total: int = Field(description="how many there are")
    jobs: list[JobRecord] = Field(description="those of this page")


def job_routes(jobs: IndexJobs) -> APIRouter:
    """The routes for the index jobs; the application runs the jobs as long as it is up."""

    @contextlib.asynccontextmanager
    async def working(_: FastAPI) -> AsyncIterator[None]:
        jobs.start()
        try:
            yield
        finally:
            await anyio.to_thread.run_sync(jobs.stop)

    router = APIRouter(prefix="/api/index-jobs", tags=["index jobs"], lifespan=working)

    unknown: dict[int | str, dict[str, Any]] = {
        404: {"model": ErrorReply, "description": "There is no such job."}
    }
    full: dict[int | str, dict[str, Any]] = {
        503: {"model": ErrorReply, "description": "Too many jobs wait already."}
    }
    over: dict[int | str, dict[str, Any]] = {
        409: {"model": ErrorReply, "description": "The job is over."}
    }

    @router.post("", status_code=202, responses=full)
    def reindex(request: ReindexRequest, response: Response) -> JobReply:
        """Index all uploaded files again, in the background; what is unchanged is left alone."""
        return queued(jobs.submit_reindex(), response)

    @router.get("")
    def latest(
        limit: Annotated[int, Query(ge=1, le=200, description="most jobs")] = 20,
        offset: Annotated[int, Query(ge=0, le=2**31, description="how many to pass over")] = 0,
    ) -> JobsReply:
        """List the jobs; finished ones are kept for 30 days, 200 at most."""
        total, records = jobs.latest(limit, offset)
        return JobsReply(total=total, jobs=records)

    @router.get("/{job_id}", responses=unknown)
    def one(job_id: JobId) -> JobRecord:
        """How far a job is, and what it did."""
        return jobs.get(job_id)

    @router.delete("/{job_id}", responses=unknown | over)
    def cancel(job_id: JobId) -> JobRecord:
        """Cancel a job: a queued one at once, a running one soon; either counts as failed.

        What a running one has put into the index by then stays there.
        """
        return jobs.cancel(job_id)

    @router.get(
        "/{job_id}/events",
        response_class=EventSourceResponse,
        responses=unknown | {200: {"content": {"text/event-stream": {"example": _EVENT}}}},
        dependencies=[Depends(one)],  # 404 before the stream begins
    )
    async def events(job_id: JobId) -> EventSourceResponse:
        """Watch a job: an event `progress` for every change, at last `done` or `failed`.

        The data of each is the job as GET gives it, so there is nothing to catch up on after a
        broken connection; comments in between keep it open.
        """
        leaving = anyio.Event()  # set when the server stops, which an open stream would hold up
        return EventSourceResponse(
            _events(jobs, job_id, leaving),
            sep="\n",
            shutdown_event=leaving,
            shutdown_grace_period=2 * _WATCH_SECONDS,
        )

    return router


async def _events(
    jobs: IndexJobs, job_id: str, leaving: anyio.Event
) -> AsyncIterator[dict[str, str]]:
    """A job as it is, and whenever it has changed, until it is over."""
    last: JobRecord | None = None
    while not leaving.is_set():
        job = await anyio.to_thread.run_sync(jobs.get, job_id)
        if job != last:
            yield {
                "event": job.state if job.over else "progress",
                "data": job.model_dump_json(),
            }
        if job.over:
            return
        last = job
        with anyio.move_on_after(_WATCH_SECONDS):
            await leaving.wait()
