"""/api/documents: list, read, upload and delete documents over HTTP.

Their texts are data: they leave as JSON and are never rendered.
"""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator
from contextlib import aclosing
from datetime import date
from typing import Annotated, Any, BinaryIO

import anyio
from fastapi import APIRouter, Query, Request, Response
from fastapi import Path as PathParameter
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field, ValidationError
from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import ClientDisconnect

from index import DocumentInfo, EmbeddedIndex, Filters
from index.errors import IndexLockedError

from .errors import ErrorReply
from .fields import Day
from .job_routes import JobReply, queued
from .job_store import JobRecord
from .jobs import IndexJobs
from .posted import PostedDocuments, made_documents
from .refusal import RefusedError
from .uploads import UploadLimits, documents_of

_FIELD = "files"
_SURROGATE = re.compile("[\ud800-\udfff]")
_BODIES = {
    "multipart/form-data": {
        "schema": {
            "type": "object",
            "required": [_FIELD],
            "properties": {
                _FIELD: {
                    "type": "array",
                    "items": {"type": "string", "format": "binary"},
                    "description": "one or more; a file's name gives its format",
                }
            },
        }
    },
}


DocumentId = Annotated[str, PathParameter(description="id of the document")]


class DocumentRecord(BaseModel):
    """A document without its text."""

    id: str = Field(description="16 hex digits, the same as long as the source is")
    source: str = Field(description="where it came from", examples=["uploads/minutes.pdf"])
    title: str = Field(description="its title")
    published: date | None = Field(description="the day the document itself says it appeared")
    place: str | None = Field(description="of its dateline", examples=["SEOUL"])
    language: str | None = Field(description="ISO 639-1, if it states one", examples=["en"])
    metadata: dict[str, Any] = Field(description="whatever else its format offered")


class DocumentText(DocumentRecord):
    """A document with its text."""

    text: str = Field(description="plain text; citations are slices of it, in characters")
    pages: list[int] = Field(description="where each page begins in the text; empty without pages")


class DocumentsReply(BaseModel):
    """One page of the documents that pass the filters, by source."""

    total: int = Field(description="on all pages")
    documents: list[DocumentRecord] = Field(description="those of this page")


class RemovedReply(BaseModel):
    """What was deleted."""

    removed: list[str] = Field(description="sources", examples=[["uploads/minutes.pdf"]])


def document_routes(index: EmbeddedIndex, jobs: IndexJobs) -> APIRouter:
    """The routes for the documents of an index."""
    router = APIRouter(prefix="/api/documents", tags=["documents"])
    unknown: dict[int | str, dict[str, Any]] = {
        404: {"model": ErrorReply, "description": "There is no such document."}
    }
    held: dict[int | str, dict[str, Any]] = {
        409: {"model": ErrorReply, "description": "The index is being written to."}
    }

    @router.get("")
    def documents(
        *,
        limit: Annotated[int, Query(ge=1, le=1000, description="most documents")] = 100,
        offset: Annotated[int, Query(ge=0, le=2**31, description="how many to pass over")] = 0,
        q: Annotated[
            str | None,
            Query(
                max_length=500,
                description="words that each occur in the title or the source",
                examples=["council minutes"],
            ),
        ] = None,
        source: Annotated[
            str | None,
            Query(max_length=500, description="glob on the source", examples=["uploads/*.pdf"]),
        ] = None,
        after: Annotated[Day | None, Query(description="published then or later")] = None,
        before: Annotated[Day | None, Query(description="published then or earlier")] = None,
    ) -> DocumentsReply:
        """List the documents, without their texts."""
        filters = Filters(after, before, source or None, words=q)
        records = [
            DocumentRecord.model_validate(_fields(info))
            for info in index.documents(filters, limit, offset)
        ]
        return DocumentsReply(total=index.count(filters), documents=records)

    @router.get("/{document_id}", responses=unknown)
    def one(document_id: DocumentId) -> DocumentText:
        """A document with its text."""
        document = index.get(document_id)
        if document is None:
            raise _unknown(document_id)
        return DocumentText.model_validate(
            {**_fields(document), "text": well_formed(document.text), "pages": document.pages}
        )

    @router.delete("/{document_id}", responses=unknown | held)
    def delete(document_id: DocumentId) -> RemovedReply:
        """Delete a document, and the uploaded file it came from with the last document of it.

        409 while the index is being written to, by a job of this service or another program.
        """
        try:
            with index.writing():
                removed = index.remove_documents([document_id])
                if not removed:
                    raise _unknown(document_id)
                name = jobs.uploads.name_of(removed[0])
                if name and not documents_of(index, name):
                    jobs.uploads.remove(name)
        except IndexLockedError as error:
            raise RefusedError(
                409,
                "The index is being written to.",
                "Try again when its jobs are done: GET /api/index-jobs",
            ) from error
        return RemovedReply(removed=removed)

    @router.post(
        "",
        status_code=202,
        responses={
            409: {"model": ErrorReply, "description": "Another document has that source."},
            415: {"model": ErrorReply, "description": "A file is of no supported format."},
            503: {"model": ErrorReply, "description": "Too many jobs wait already."},
            507: {"model": ErrorReply, "description": "There is no room for more uploads."},
        },
        openapi_extra={"requestBody": {"required": True, "content": _bodies()}},
    )
    async def upload(request: Request, response: Response) -> JobReply:
        """Add documents, as files or as JSON; they are indexed in the background by a job.

        A file takes the place of an earlier upload of the same name, which is the same document if
        the content is the same; the job's report says which were new, updated or unchanged. Nothing
        is taken if one file is refused: 413, too large, or too many; 415, a format that is not
        supported, or not what the name says; 422, two of the same name; 503, too many jobs; 507, no
        room. A document sent as JSON takes the place of the one with the same source.
        """
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind == "multipart/form-data":
            job = await _take_files(request, index, jobs)
        elif kind == "application/json":
            job = await _take_json(request, jobs)
        else:
            raise RefusedError(
                415,
                f"A body of type {kind[:100] or 'unknown'} is not taken.",
                'Send files as multipart/form-data in the field "files", or application/json.',
            )
        return queued(job, response)

    return router


def _bodies() -> dict[str, Any]:
    json_body = PostedDocuments.model_json_schema()
    properties = json_body["properties"]["documents"]
    properties["items"] = json_body.pop("$defs")["PostedDocument"]  # no references into nothing
    return {**_BODIES, "application/json": {"schema": json_body}}


async def _take_files(request: Request, index: EmbeddedIndex, jobs: IndexJobs) -> JobRecord:
    limits = jobs.uploads.limits
    form = await _form(request, limits)
    try:
        files = [file for name, file in form.multi_items() if name == _FIELD]
        named = [
            (file.filename, file.file)
            for file in files
            if isinstance(file, UploadFile) and file.filename
        ]
        if not named or len(named) < len(files):
            raise RefusedError(
                422,
                "There is no file in the request, or one without a name.",
                f'Send one or more in the field "{_FIELD}": curl -F {_FIELD}=@FILE',
            )
        return await anyio.to_thread.run_sync(_store, named, index, jobs)
    finally:
        await form.close()


def _store(files: list[tuple[str, BinaryIO]], index: EmbeddedIndex, jobs: IndexJobs) -> JobRecord:
    """Keep the files of a request and queue their indexing; all or none."""
    uploads = jobs.uploads
    with uploads.receive() as parcel:
        for name, content in files:
            file = parcel.add(name, content)
            if not (uploads.folder / file.name).exists() and documents_of(index, file.name):
                raise RefusedError(
                    409,
                    f"The index holds a document uploads/{file.name} that was not uploaded.",
                    "Delete that one first, or give the file another name.",
                )
        return jobs.submit_files(parcel)


async def _form(request: Request, limits: UploadLimits) -> FormData:
    """The parts of a multipart body, files on disk where they are large.

    `Request.form` would read a body of any size.
    """
    try:
        async with aclosing(_limited(request, limits.request_bytes)) as stream:
            parser = MultiPartParser(request.headers, stream, max_files=limits.files, max_fields=20)
            return await parser.parse()
    except MultiPartException as error:
        if error.message.startswith("Too many files"):
            raise RefusedError(
                413, f"There are more than {limits.files} files.", "Send them in several requests."
            ) from error
        raise RefusedError(400, f"{error.message.rstrip('.')}.", "See /docs.") from error


async def _take_json(request: Request, jobs: IndexJobs) -> JobRecord:
    body = bytearray()
    async with aclosing(_limited(request, jobs.uploads.limits.json_bytes)) as stream:
        async for block in stream:
            body += block
    return await anyio.to_thread.run_sync(_store_json, bytes(body), jobs)


def _store_json(body: bytes, jobs: IndexJobs) -> JobRecord:
    try:
        posted = PostedDocuments.model_validate_json(body)
    except ValidationError as error:
        raise RequestValidationError(error.errors(include_url=False)) from error
    made_documents(posted)  # what is wrong with them is said now
    return jobs.submit_documents(body)


async def _limited(request: Request, limit: int) -> AsyncGenerator[bytes, None]:
    """The body of a request as it comes in.

    Raises:
        RefusedError: 413, it is longer than `limit` bytes, or says so; 400, it breaks off.
    """
    refused = RefusedError(
        413, f"The request is larger than {limit >> 20:,} MiB.", "Send it in parts."
    )
    said = request.headers.get("content-length", "")
    if said.isdecimal() and int(said) > limit:
        raise refused
    size = 0
    try:
        async with aclosing(request.stream()) as stream:
            async for block in stream:
                size += len(block)
                if size > limit:
                    raise refused
                yield block
    except ClientDisconnect as error:
        raise RefusedError(400, "The request broke off.", "Send it again.") from error


def _unknown(document_id: str) -> RefusedError:
    return RefusedError(
        404,
        f"There is no document {document_id[:64]!r}.",
        "See those there are: GET /api/documents",
    )


def _fields(info: DocumentInfo) -> dict[str, Any]:
    fields = {name: getattr(info, name) for name in DocumentRecord.model_fields}
    return {**fields, "metadata": well_formed(dict(info.metadata))}


def well_formed(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    """The same with lone surrogates, which UTF-8 cannot express, replaced one for one."""
    if isinstance(value, str):
        return _SURROGATE.sub("\ufffd", value)
    if isinstance(value, dict):
        return {well_formed(key): well_formed(item) for key, item in value.items()}
    return [well_formed(item) for item in value] if isinstance(value, list) else value
