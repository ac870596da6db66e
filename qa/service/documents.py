"""GET /api/documents: what the index holds."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from index import Index


class DocumentRecord(BaseModel):
    """A document without its text."""

    id: str = Field(description="id of the document")
    source: str = Field(description="where it came from: a path, or path#record")
    title: str = Field(description="its title")
    published: date | None = Field(description="publication date that it states")
    place: str | None = Field(description="place of its dateline")
    language: str | None = Field(description="ISO 639-1 code, if it states one")
    metadata: dict[str, Any] = Field(description="what else its format offered")


class DocumentsReply(BaseModel):
    """One page of the documents, by source."""

    total: int = Field(description="how many documents there are")
    documents: list[DocumentRecord] = Field(description="those of this page")


def document_routes(index: Index) -> APIRouter:
    """The routes for the documents of an index."""
    router = APIRouter(prefix="/api/documents", tags=["documents"])

    @router.get("")
    def documents(
        limit: Annotated[int, Query(ge=1, le=1000, description="most documents")] = 100,
        offset: Annotated[int, Query(ge=0, le=2**31, description="how many to pass over")] = 0,
    ) -> DocumentsReply:
        """List the documents, without their texts."""
        records = [
            DocumentRecord.model_validate(document, from_attributes=True)
            for document in index.documents(limit=limit, offset=offset)
        ]
        return DocumentsReply(total=index.stats().documents, documents=records)

    return router
