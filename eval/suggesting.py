"""What a name that is not known was perhaps meant to be."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """` Did you mean ...?`, to be put after a sentence; empty where nothing known is close."""
    close = difflib.get_close_matches(name, list(known), 1)
    return f" Did you mean {close[0]!r}?" if close else ""


def instead_of(name: str, known: Collection[str]) -> str:
    """What to write instead of an unknown name: the one that looks like it, else all."""
    near = difflib.get_close_matches(name.lower(), known, n=1)
    return f"Did you mean {near[0]!r}?" if near else f"Known are: {', '.join(known)}."
