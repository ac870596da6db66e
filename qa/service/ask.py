"""POST /api/ask, /api/search and /api/timeline: what reads the documents with the models."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

from fastapi import APIRouter
from pydantic import BaseModel, Field

from index import Filters

from ..answer import Answer, Citation, FoundPassage, Passage, Span, Timeline, Value, hit_record
from ..assistant import PASSAGES, Assistant
from ..event_answers import EVENT_PASSAGES
from ..question import analyse
from .errors import ErrorReply
from .fields import STRICT, Count, Day, Flag, Glob, Words
from .pool import Pool


class FilterRequest(BaseModel):
    """Restrictions on the documents to answer from; all must hold."""

    model_config = STRICT

    after: Day | None = Field(default=None, description="published on this day or later")
    before: Day | None = Field(default=None, description="published on this day or earlier")
    source: Glob | None = Field(
        default=None, description="glob on the source", examples=["news/*.txt"]
    )
    metadata: dict[str, str | int | float | bool] = Field(
        default={}, description="values it must have"
    )

    def filters(self) -> Filters:
        """As the index takes them."""
        return Filters(self.after, self.before, self.source, dict(self.metadata))


class Filtered(BaseModel):
    """A request that may restrict the documents."""

    model_config = STRICT

    filters: FilterRequest | None = Field(
        default=None, description="restrictions on the documents; none by default"
    )

    def chosen(self) -> Filters | None:
        """The restrictions, if there are any."""
        return self.filters.filters() if self.filters else None


class AskRequest(Filtered):
    """A question."""

    question: Words = Field(
        description="a question in plain words",
        examples=["When was the pilots’ strike settled?"],
    )
    top_k: Count = Field(PASSAGES, ge=1, le=100, description="passages to read")
    session: str | None = Field(default=None, description="the conversation it is a turn of")
    resolve: Flag = Field(
        default=True, description="understand it from what came before in the session"
    )


class SearchRequest(Filtered):
    """A query for passages."""

    query: Words = Field(description="words or a question", examples=["arms deal"])
    mode: Literal["hybrid", "dense", "bm25"] = Field(
        "hybrid", description="by meaning (dense), by words (bm25), or both"
    )
    top_k: Count = Field(10, ge=1, le=1000, description="most passages")


class SearchReply(BaseModel):
    """Passages, best first."""

    query: str = Field(description="as it was given")
    mode: str = Field(description="how they were found")
    hits: list[FoundPassage] = Field(description="the passages, best first")


class TimelineRequest(Filtered):
    """What a timeline is about."""

    query: Words = Field(
        description="names or words that the events are about",
        examples=["harbour bridge"],
    )
    since: Day | None = Field(default=None, description="only events on this day or later")
    until: Day | None = Field(default=None, description="only events by this day")
    top_k: Count = Field(EVENT_PASSAGES, ge=1, le=1000, description="passages to look at")


EXAMPLE = Answer(
    question="When was the pilots’ strike settled?",
    resolved_question="When was the pilots’ strike settled?",
    abstained=False,
    answers=[
        Span(
            text="May 22",
            confidence=0.8277,
            slot="when",
            value=Value(type="date", start="2024-05-22", end="2024-05-22", text="2024-05-22"),
            citations=[1],
        )
    ],
    citations=[
        Citation(
            number=1,
            document_id="b38edb429ea3c5b7",
            title="Bridge study agreed as islanders march",
            source="news/2024-06-21-bridge-study-agreed.pdf",
            published="2024-06-21",
            start=469,
            end=475,
            quote="May 22",
            passage=Passage(
                start=407,
                end=476,
                text="The pilots’ strike that had closed the harbour was settled on May 22.",
            ),
            page=1,
        )
    ],
    timings_ms={"retrieve": 5.2, "read": 91.4, "total": 97.0},
)

Replies: TypeAlias = dict[int | str, dict[str, Any]]  # as FastAPI has them

BUSY: Replies = {
    503: {"model": ErrorReply, "description": "Too many questions wait; see Retry-After."},
    504: {"model": ErrorReply, "description": "It took too long; see Retry-After."},
}
_ANSWERED: Replies = {
    200: {"content": {"application/json": {"example": EXAMPLE.model_dump(mode="json")}}}
}
UNKNOWN_SESSION: Replies = {404: {"model": ErrorReply, "description": "There is no such session."}}


def ask_routes(assistant: Assistant, pool: Pool) -> APIRouter:
    """The routes that ask an assistant, in the threads of a pool."""
    router = APIRouter(prefix="/api", tags=["questions"], responses=BUSY)

    @router.post("/ask", responses=_ANSWERED | UNKNOWN_SESSION)
    async def ask(request: AskRequest) -> Answer:
        """Answer a question, or abstain and show the nearest passages."""
        return await pool.run(
            assistant.ask,
            request.question,
            filters=request.chosen(),
            top_k=request.top_k,
            session=request.session,
            resolve=request.resolve,
        )

    @router.post("/search")
    async def search(request: SearchRequest) -> SearchReply:
        """Find passages, without reading them for an answer."""
        hits = await pool.run(
            assistant.index.search,
            analyse(request.query).text,
            request.top_k,
            mode=request.mode,
            filters=request.chosen(),
        )
        return SearchReply(
            query=request.query, mode=request.mode, hits=[hit_record(hit) for hit in hits]
        )

    @router.post("/timeline")
    async def timeline(request: TimelineRequest) -> Timeline:
        """List the dated events about a query, in time order."""
        return await pool.run(
            assistant.timeline,
            request.query,
            since=request.since,
            until=request.until,
            filters=request.chosen(),
            top_k=request.top_k,
        )

    return router
