"""What comes in: how much of it, how slowly, and whether anybody still waits for the reply."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

PAUSE = 30.0  # seconds that a body may stand still


class Receiving:
    """Refuses bodies that are too large (413) or come too slowly (408), counting what arrives:
    a Content-Length may lie or be missing. A request whose client went away before there was a
    reply is cancelled, so that it leaves the queue for the models.
    """

    def __init__(
        self, app: ASGIApp, most: Callable[[str, str], int], seconds: float = PAUSE
    ) -> None:
        """Guard an application.

        Args:
            most: bytes that a body may have, by method and path.
            seconds: longest pause in a body.
        """
        self.app, self._most, self._seconds = app, most, seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request = _Request(receive, send, self._most(scope["method"], scope["path"]), self._seconds)
        declared = Headers(scope=scope).get("content-length", "")[:20]  # an int has an end
        request.refused = declared.isdecimal() and int(declared) > request.most
        work = asyncio.ensure_future(self.app(scope, request.receive, request.send))
        watch = asyncio.ensure_future(request.disconnected())
        try:
            await asyncio.wait((work, watch), return_when=asyncio.FIRST_COMPLETED)
            if not request.replying and not work.done():
                work.cancel()
                await asyncio.wait((work,))
            if not work.cancelled():
                await work
        finally:
            watch.cancel()
            work.cancel()


class _Request:
    """One request's body and reply, as the application sees them."""

    def __init__(self, receive: Receive, send: Send, most: int, seconds: float) -> None:
        self.most = most
        self.refused = False
        self.replying = False
        self._receive, self._send, self._seconds = receive, send, seconds
        self._size = 0
        self._whole = asyncio.Event()  # the body is there
        self._gone = asyncio.Event()

    async def receive(self) -> Message:
        """The next part of the body; when it is whole, wait until the client has gone."""
        if self.refused:
            raise _too_large(self.most)
        if self._whole.is_set():
            await self._gone.wait()
            return {"type": "http.disconnect"}
        try:
            async with asyncio.timeout(self._seconds):
                message = await self._receive()
        except TimeoutError:
            raise HTTPException(408, "The request stopped half-way") from None
        if message["type"] == "http.request":
            self._size += len(message.get("body", b""))
            if self._size > self.most:
                self.refused = True
                raise _too_large(self.most)
            if not message.get("more_body"):
                self._whole.set()
        return message

    async def send(self, message: Message) -> None:
        self.replying = True
        await self._send(message)

    async def disconnected(self) -> None:
        """Return when the body is whole and the client has gone."""
        await self._whole.wait()
        message = await self._receive()
        while message["type"] != "http.disconnect":
            message = await self._receive()
        self._gone.set()


def _too_large(most: int) -> HTTPException:
    return HTTPException(413, f"The request is larger than {most} bytes")
