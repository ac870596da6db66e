"""Regions of the README that are written from the results of measurements.

A region is what stands between two lines of their own:

    <!-- figures:NAME -->
    <!-- /figures -->

Its text comes from the renderer of that name (`eval.figures`) and the records of the measurements
that it needs (`eval.measurements`), and from nothing else. Where one is missing the region stays.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from index.errors import UsageError

from .figures import RENDERERS
from .files import write_whole
from .measurements import Record, read_records

_MARK = re.compile(r"^<!-- *(/?)figures(?::(\S*))? *-->\s*?$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Rewritten:
    """What became of a file: the regions that changed, and those left, with what they lack."""

    changed: tuple[str, ...]
    left: Mapping[str, tuple[str, ...]]


def rewrite(path: Path, results: Path) -> Rewritten:
    """Write the regions of a Markdown file anew from the results in a folder.

    Raises:
        UsageError: the file's marks do not fit together, or name no renderer.
        LoadError: a result is damaged.
    """
    old = path.read_bytes().decode("utf-8")
    new, rewritten = rewritten_text(old, read_records(results), str(path))
    if new != old:
        write_whole(path, new)
    return rewritten


def rewritten_text(
    text: str, records: Mapping[str, Record], name: str = "text"
) -> tuple[str, Rewritten]:
    """The text with its regions from these records; `name` is for messages.

    Raises:
        UsageError: the marks do not fit together, or name no renderer.
    """
    parts, changed, left, done = [], [], {}, 0
    for region, start, end in regions_of(text, name):
        renderer = RENDERERS[region]
        missing = tuple(need for need in renderer.needs if need not in records)
        if missing or not records:
            left[region] = missing
            continue
        content = f"\n{renderer.render(records)}\n\n"
        if content != text[start:end]:
            changed.append(region)
        parts += [text[done:start], content]
        done = end
    return "".join([*parts, text[done:]]), Rewritten(tuple(changed), left)


def regions_of(text: str, name: str = "text") -> list[tuple[str, int, int]]:
    """The regions in their order: renderer, and where the text between the marks starts and ends.

    Raises:
        UsageError: see `rewrite`.
    """
    found, opened = [], None
    for mark in _MARK.finditer(text):
        place = f"{name} line {text.count(chr(10), 0, mark.start()) + 1}"
        closes, region = bool(mark[1]), mark[2]
        if closes != (opened is not None):
            problem = (
                "closes no region" if closes else f"is in the region of {opened and opened[2]}"
            )
            raise UsageError(f"{place}: {mark[0]} {problem}.")
        if not closes and region not in RENDERERS:
            raise UsageError(
                f"{place}: there is no renderer {region!r}.", f"There are: {', '.join(RENDERERS)}."
            )
        if closes and opened:
            found.append((opened[2], opened.end() + 1, mark.start()))
        opened = None if closes else mark
    if opened:
        raise UsageError(f"{name}: the region of {opened[2]} is not closed.")
    return found
