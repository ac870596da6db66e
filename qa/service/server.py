"""`dateline serve`: checks the settings, listens, and serves until it is told to stop."""

from __future__ import annotations

import logging
import signal
import socket
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import uvicorn
from starlette.types import ASGIApp

from index.errors import UsageError

from ..assistant import Assistant
from . import logs
from .app import create_app
from .guarding import LOOPBACK_HOSTS
from .keys import KeyStore
from .settings import ServiceSettings, is_loopback

logger = logging.getLogger("dateline.service")


def run(assistant: Assistant, folder: Path, settings: ServiceSettings) -> None:
    """Serve until stopped; what is in flight then is finished.

    Args:
        folder: of the index, where the API keys are.

    Raises:
        UsageError: the address or port cannot be used, or not without an API key.
    """
    keys = required_keys(folder, settings)
    listener = listen(settings.host, settings.port)
    logs.configure(settings.log_format, settings.log_level)
    app = create_app(assistant, with_hosts(settings), keys)
    if not keys and settings.is_exposed:
        logger.warning("API keys are off: everybody who can reach the service may ask.")
    serve_until_stopped(
        app,
        listener,
        f"Listening on {address(settings.host, listener.getsockname()[1])}",
        proxy_headers=bool(settings.trusted_proxies),
        forwarded_allow_ips=list(settings.trusted_proxies),
        timeout_graceful_shutdown=settings.shutdown_timeout,
    )


def serve_until_stopped(
    app: ASGIApp,
    listener: socket.socket,
    ready: str,
    **options: Any,  # noqa: ANN401
) -> None:
    """Serve an application on a socket until SIGINT or SIGTERM.

    Args:
        ready: what the log says before.
        options: further ones of uvicorn.
    """
    server = uvicorn.Server(
        uvicorn.Config(
            app, log_config=None, access_log=False, server_header=False, ws="none", **options
        )
    )

    def stop(*_: object) -> None:
        server.should_exit = True

    # uvicorn has handlers of its own while it serves, and afterwards raises the signal that stopped
    # it once more. These are for a signal before, and for that one.
    before = {one: signal.signal(one, stop) for one in (signal.SIGINT, signal.SIGTERM)}
    try:
        logger.info(ready)
        server.run(sockets=[listener])
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)


def required_keys(folder: Path, settings: ServiceSettings) -> KeyStore | None:
    """The keys that requests need, or None if they need none.

    Raises:
        UsageError: they need one, and there is none.
    """
    if not settings.needs_keys:
        return None
    secret = settings.api_key.get_secret_value() if settings.api_key else None
    keys = KeyStore(folder, secret)
    if not keys.usable:
        where = " where others can reach it" if settings.is_exposed else ""
        raise UsageError(
            f"The service does not start{where} without an API key.",
            "Make one: dateline keys add NAME. Or listen on 127.0.0.1 alone, with --auth auto.",
        )
    return keys


def with_hosts(settings: ServiceSettings) -> ServiceSettings:
    """The settings, on loopback with the names that a request may use for it."""
    if settings.allowed_hosts or not is_loopback(settings.host):
        return settings
    public = urlsplit(settings.public_url or "").hostname
    hosts = dict.fromkeys([*LOOPBACK_HOSTS, bracketed(settings.host), *([public] * bool(public))])
    return settings.model_copy(update={"allowed_hosts": tuple(hosts)})


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens there.

    Raises:
        UsageError: that is not possible.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # With the protocol named asyncio sets TCP_NODELAY; else replies wait 40 ms for an ACK.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host.strip("[]"), port))
        listener.listen()  # now: what is logged as listening must not refuse anybody
    except (OSError, UnicodeError) as error:
        listener.close()
        problem = getattr(error, "strerror", None) or error
        raise UsageError(
            f"Cannot listen on {host}:{port}: {problem}.",
            "Choose another --port or --host, or stop the program that uses it.",
        ) from error
    return listener


def address(host: str, port: int) -> str:
    """The URL under which it listens."""
    return f"http://{bracketed(host)}:{port}"


def bracketed(host: str) -> str:
    """A host as URLs and Host headers write it."""
    return f"[{host}]" if ":" in host and not host.startswith("[") else host
