"""Documents sent as JSON."""

from __future__ import annotations

import hashlib
import json
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from index import Document
from index.errors import LoadError
from index.loading.common import make_document

from .fields import Moment
from .refusal import RefusedError
from .uploads import FOLDER, safe_name

_MAX_METADATA = 16_000  # characters of JSON; it travels with every passage
_WEB = ("http://", "https://")


class PostedDocument(BaseModel):
    """A document to add, or to put in the place of the one with the same source."""

    model_config = ConfigDict(extra="forbid")

    text: str = Field(
        description="all of it; it is shown and quoted as it stands, never as HTML",
        examples=["OSLO, March 5, 2024 - Anna Berg met Tomas Lind in Oslo on Tuesday."],
    )
    title: str | None = Field(
        default=None,
        max_length=500,
        description="without one, the text's own headline",
        examples=["Berg meets Lind"],
    )
    published: Moment | None = Field(
        default=None,
        description="the day it appeared; without one, the day its dateline states",
        examples=["2024-03-05"],
    )
    source: str | None = Field(
        default=None,
        min_length=1,
        max_length=500,
        pattern=r"^[^\x00-\x1f\x7f]+$",
        description="what to call it in lists and citations; one is made of title and text by"
        " default, or the url is it. Sources under uploads/ are those of files.",
        examples=["crm/ticket-17"],
    )
    url: str | None = Field(
        default=None,
        max_length=2000,
        description="where people find it, http or https; citations link to it",
        examples=["https://example.org/berg-meets-lind"],
    )
    metadata: dict[str, Any] = Field(
        default={}, description="anything to filter by or to show", examples=[{"desk": "politics"}]
    )

    @field_validator("source")
    @classmethod
    def _not_of_a_file(cls, source: str | None) -> str | None:
        if source is not None and source.startswith(f"{FOLDER}/"):
            raise ValueError(f"sources under {FOLDER}/ are those of uploaded files")
        return source

    @model_validator(mode="after")
    def _sound(self) -> PostedDocument:
        if len(json.dumps(self.metadata, allow_nan=False)) > _MAX_METADATA:
            raise ValueError(f"the metadata has more than {_MAX_METADATA:,} characters")
        for url in (self.url, self.metadata.get("url")):
            if url is not None and not (isinstance(url, str) and url.lower().startswith(_WEB)):
                raise ValueError("a url begins with http:// or https://")
        return self


class PostedDocuments(BaseModel):
    """The body of an upload as JSON."""

    model_config = ConfigDict(extra="forbid")

    documents: Annotated[list[PostedDocument], Field(min_length=1, max_length=10_000)]


def made_documents(posted: PostedDocuments) -> list[Document]:
    """The documents as the index takes them.

    Raises:
        RefusedError: 422, one has no text, or two have the same source.
    """
    documents: dict[str, Document] = {}
    for number, one in enumerate(posted.documents):
        document = _made(one, number)
        if document.source in documents:
            raise RefusedError(
                422,
                f"documents.{number}: another one has the source {document.source!r}.",
                "Give each its own, or send only the last.",
            )
        documents[document.source] = document
    return list(documents.values())


def _made(posted: PostedDocument, number: int) -> Document:
    source = posted.source or posted.url or _source_of(posted)
    published = posted.published
    try:
        return make_document(
            source=source,
            text=posted.text,
            title=posted.title,
            fallback_title=source.rpartition("/")[2] or source,
            stated=[("field", published.isoformat() if published else None)],
            language=posted.metadata.get("language"),
            metadata={**posted.metadata, **({"url": posted.url} if posted.url else {})},
        )
    except LoadError as error:
        raise RefusedError(
            422, f"documents.{number}: there is no text.", error.next_step
        ) from error


def _source_of(posted: PostedDocument) -> str:
    """The same for the same title and text, so that nothing is there twice."""
    words = f"{posted.title}\n{posted.text}".encode("utf-8", "surrogatepass")
    digest = hashlib.sha256(words).hexdigest()[:8]
    return f"documents/{safe_name(posted.title or 'untitled')[:60]}-{digest}"
