"""`dateline keys`: who may use `dateline serve`."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Literal

import typer

from index.errors import NothingFoundError

from .options import DEFAULT_INDEX, IndexOption, JsonOption, open_index, print_json

app = typer.Typer(
    help="Make, list and revoke the API keys that `dateline serve` asks for.",
    epilog="Example: dateline keys add reporters --scope read --expires 90d",
    no_args_is_help=True,
)


@app.command(epilog="Example: dateline keys add uploader --scope write --expires 90d")
def add(
    name: Annotated[str, typer.Argument(help="Whose it is: letters, digits, and any of ._@-")],
    *,
    index: IndexOption = DEFAULT_INDEX,
    scope: Annotated[
        Literal["read", "write"],
        typer.Option(help="read: ask and look; write: also add and remove documents."),
    ] = "read",
    expires: Annotated[
        str | None, typer.Option(metavar="TIME", help="How long it is valid: 12h, 90d, 52w.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Make a key and print it; it is kept as a hash, and cannot be shown again."""
    from .service.keys import KeyStore, lifetime_of  # noqa: PLC0415

    lifetime = lifetime_of(expires) if expires else None
    with open_index(index) as opened:
        key = KeyStore(opened.path).add(name, scope, lifetime)
    if as_json:
        print_json({"name": name, "scope": scope, "key": key})
        return
    typer.echo("Send it as: Authorization: Bearer KEY. It is shown only now.", err=True)
    typer.echo(key)


@app.command("list", epilog="Example: dateline keys list --json")
def list_(*, index: IndexOption = DEFAULT_INDEX, as_json: JsonOption = False) -> None:
    """List the keys: name, scope, when made, when they expire, when last used."""
    from . import rendering  # noqa: PLC0415
    from .service.keys import KeyStore  # noqa: PLC0415

    with open_index(index) as opened:
        keys = KeyStore(opened.path).all()
    if as_json:
        rows = [asdict(key) for key in keys]
        print_json([{name: row[name] for name in row if name != "digest"} for row in rows])
    else:
        rendering.print_keys(keys)


@app.command(epilog="Example: dateline keys revoke reporters")
def revoke(
    names: Annotated[list[str], typer.Argument(metavar="NAME...", help="Keys to revoke.")],
    *,
    index: IndexOption = DEFAULT_INDEX,
) -> None:
    """Revoke keys; a running server refuses them from the next request on."""
    from .service.keys import KeyStore  # noqa: PLC0415

    with open_index(index) as opened:
        store = KeyStore(opened.path)
        missing = [name for name in names if not store.revoke(name)]
    revoked = len(names) - len(missing)
    typer.echo(f"Revoked {revoked} key{'s' * (revoked != 1)}.")
    if missing:
        raise NothingFoundError(
            f"There is no key {', '.join(map(repr, missing))}.",
            "See those there are: dateline keys list",
        )
