"""Who may ask: security headers, Host and Origin checks, API keys, rate limits."""

from __future__ import annotations

import asyncio
import ipaddress
import math
import time
from collections.abc import Collection
from urllib.parse import urlsplit

import limits
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import MovingWindowRateLimiter
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from index.errors import DatelineError

from .errors import RetryError, ServiceError, reply
from .keys import ApiKey, KeyStore
from .keys import Scope as KeyScope
from .telemetry import FACTS

LOOPBACK_HOSTS = ("localhost", "127.0.0.1", "[::1]")
SAVE_SECONDS = 60  # between two notes of when keys were used

# No inline script or style, nothing from elsewhere, in no frame: text of a document that found its
# way into a page as HTML would still do nothing.
PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; font-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
)
# The API's description is Swagger UI and ReDoc, whose pages start with an inline script.
DOCS_POLICY = (
    "default-src 'none'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; connect-src 'self'; font-src 'self' data:; worker-src blob:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
DOCS = ("/docs", "/redoc")
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}

# The page, the API's description and the probes hold nothing of the documents; all else does.
OPEN = ("/page", *DOCS, "/openapi.json", "/static-offline-docs", "/healthz", "/readyz")
DOCUMENTS = ("/api/documents", "/api/index-jobs")  # changing them needs more than asking
UPLOADS = ("POST", "/api/documents")  # method and path
SAFE = ("GET", "HEAD", "OPTIONS")


def scope_needed(method: str, path: str) -> KeyScope | None:
    """What a key must be good for, where keys are needed; None if anybody may do it."""
    if path == "/" or _under(path, OPEN):
        return None
    return "write" if method not in SAFE and _under(path, DOCUMENTS) else "read"


def _under(path: str, places: Collection[str]) -> bool:
    return any(path == place or path.startswith(f"{place}/") for place in places)


class SecurityHeaders:
    """Adds to every reply what browsers should not do with it."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        path = scope["path"]

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(_HEADERS)
                policy = DOCS_POLICY if _under(path, DOCS) else PAGE_POLICY
                headers["Content-Security-Policy"] = policy
                if _under(path, ("/api", "/v1", "/metrics")):
                    headers.setdefault("Cache-Control", "no-store")
            await send(message)

        await self.app(scope, receive, send_with_headers)


class Refused(ServiceError):  # noqa: N818 - a decision, not a mistake
    """A request that is turned away at the door."""

    def __init__(
        self, status: int, problem: str, next_step: str, headers: dict[str, str] | None = None
    ) -> None:
        super().__init__(problem, next_step, headers)
        self.status, self.code = status, f"D{status}"


class SameSite:
    """Refuses requests that another site's page makes a browser send.

    A foreign Host means that a name of somebody else points here (DNS rebinding); a foreign Origin
    means that a script or form of another site asks.
    """

    def __init__(
        self, app: ASGIApp, hosts: Collection[str] = (), origins: Collection[str] = ()
    ) -> None:
        """Guard an application.

        Args:
            hosts: names that the Host header may have; any if there are none.
            origins: that may ask besides the service's own.
        """
        self.app = app
        self._hosts = {host.lower() for host in hosts}
        self._origins = set(origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and (refused := self._refused(Headers(scope=scope))):
            await reply(scope["path"], refused)(scope, receive, send)
            return
        await self.app(scope, receive, send)

    def _refused(self, headers: Headers) -> Refused | None:
        host, origin = headers.get("host", ""), headers.get("origin")
        name, colon, port = host.rpartition(":")
        name = name if colon and port.isdecimal() else host
        if self._hosts and name.lower() not in self._hosts:
            return Refused(
                400,
                "This service is not known under that Host.",
                "Name it with --allowed-hosts, or use http://localhost.",
            )
        if origin is None or origin in self._origins:
            return None
        if urlsplit(origin).netloc.lower() != host.lower():  # "null" has none
            return Refused(
                403,
                "Pages of other sites may not ask here.",
                "Name the site with --cors-origins, or the proxy's address with --public-url.",
            )
        return None


class Access:
    """Lets in who has a key, if keys are needed, and nobody more often than the rate allows."""

    def __init__(self, app: ASGIApp, keys: KeyStore | None, rate: str) -> None:
        """Guard an application.

        Args:
            keys: None lets everybody in.
            rate: as `limits` writes it ("600/minute"), or "none".
        """
        self.app, self._keys = app, keys
        self._rate = None if rate == "none" else limits.parse(rate)
        self._limiter = MovingWindowRateLimiter(MemoryStorage())
        self._saved = time.monotonic()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        needed = scope_needed(scope.get("method", ""), scope.get("path", ""))
        if scope["type"] != "http" or needed is None:
            await self.app(scope, receive, send)
            return
        added: dict[str, str] = {}
        try:
            key = self._key(scope)
            added = await self._within_rate(f"key {key.name}" if key else _client(scope))
            if self._keys:
                self._check(key, needed)
        except DatelineError as error:
            if isinstance(error, ServiceError):
                error.headers.update(added)
            await reply(scope["path"], error)(scope, receive, send)
            return

        async def send_with_rate(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(added)
            await send(message)

        await self.app(scope, receive, send_with_rate)

    def _key(self, scope: Scope) -> ApiKey | None:
        """The key that a request came with, if it is one of ours."""
        if not self._keys:
            return None
        kind, _, presented = Headers(scope=scope).get("authorization", "").partition(" ")
        key = self._keys.find(presented.strip()) if kind.lower() == "bearer" else None
        if key:
            scope[FACTS]["key"] = key.name
            if time.monotonic() - self._saved > SAVE_SECONDS:
                self._saved = time.monotonic()
                asyncio.get_running_loop().run_in_executor(None, self._keys.save_used)
        return key

    def _check(self, key: ApiKey | None, needed: KeyScope) -> None:
        if key is None:
            raise Refused(
                401,
                "This needs an API key.",
                "Send a valid one as: Authorization: Bearer KEY. Make one: dateline keys add NAME",
                {"WWW-Authenticate": 'Bearer realm="dateline"'},
            )
        if not key.may(needed):
            raise Refused(
                403,
                f"The key {key.name!r} may only {key.scope}.",
                f"Make another one: dateline keys add NAME --scope {needed}",
                {
                    "WWW-Authenticate": 'Bearer realm="dateline", error="insufficient_scope", '
                    f'scope="{needed}"'
                },
            )

    async def _within_rate(self, who: str) -> dict[str, str]:
        """Headers that tell how much is left.

        Raises:
            RetryError: nothing is.
        """
        if self._rate is None:
            return {}
        allowed = await self._limiter.hit(self._rate, who)
        reset, left = await self._limiter.get_window_stats(self._rate, who)
        seconds = max(0.0, reset - time.time())
        headers = {
            "RateLimit-Limit": str(self._rate.amount),
            "RateLimit-Remaining": str(left),
            "RateLimit-Reset": str(math.ceil(seconds)),
        }
        if not allowed:
            error = TooMany("There are too many requests.", seconds)
            error.headers.update(headers)
            raise error
        return headers


class TooMany(RetryError):  # noqa: N818
    """More requests than the rate allows."""

    status, code = 429, "D429"


def _client(scope: Scope) -> str:
    """Where a request comes from; of IPv6 the network, since a client has all addresses in it."""
    host = str((scope.get("client") or ("unknown",))[0])
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is None:
        return str(ipaddress.ip_network((address, 64), strict=False))
    return str(address)
