"""`dateline mcp`: the index as a tool of assistants that speak the Model Context Protocol."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from index.errors import UsageError

from .options import DEFAULT_INDEX, IndexOption, open_index

EPILOG = (
    "Example: dateline mcp --index .dateline, as the command of a server in a client's settings"
)


def mcp(
    *,
    index: IndexOption = DEFAULT_INDEX,
    http: Annotated[
        bool, typer.Option("--http", help="Streamable HTTP at /mcp, instead of stdin and stdout.")
    ] = False,
    host: Annotated[
        str, typer.Option(help="With --http: address of this machine to listen on.")
    ] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="With --http: port; 0 takes a free one.")
    ] = 8766,
) -> None:
    """Let assistants ask, search and read the index: an MCP server.

    The client starts it and talks to it over stdin and stdout. With --http it listens for clients
    of this machine, without keys.
    """
    from .service.settings import is_loopback  # noqa: PLC0415

    if http and not is_loopback(host):
        raise UsageError(
            f"An MCP server on {host} would be open to everybody who can reach it.",
            "Listen on 127.0.0.1, and put a proxy that asks for a login in front; it must send "
            "a Host header of 127.0.0.1 or localhost. Or use: dateline serve, which has keys.",
        )
    with open_index(index) as opened:
        from .assistant import Assistant  # noqa: PLC0415
        from .mcp_server import serve_http, serve_stdio  # noqa: PLC0415

        if http:
            serve_http(Assistant(opened), host, port)
        else:
            if sys.stdin.isatty():
                typer.echo("Waiting for an MCP client on stdin; Ctrl-C stops.", err=True)
            serve_stdio(Assistant(opened))
