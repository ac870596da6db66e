"""Which files to load: folders walked, globs expanded, nothing twice, no symlink loop followed."""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

from index.errors import UsageError


def walk(
    paths: Sequence[Path | str],
    include: Sequence[str],
    exclude: Sequence[str],
    suffixes: frozenset[str],
) -> Iterator[Path]:
    """See `index.loading.find_files`; `suffixes` are those taken inside folders, lower case."""
    roots = [root for path in paths for root in _expand(Path(path))]
    return _walk_roots(roots, _Filter(include, exclude, suffixes))


class _Filter:
    def __init__(
        self, include: Sequence[str], exclude: Sequence[str], suffixes: frozenset[str]
    ) -> None:
        self._include = [_pattern(glob_) for glob_ in include]
        self._exclude = [_pattern(glob_) for glob_ in exclude]
        self._suffixes = suffixes

    def enters(self, name: str, relative: str) -> bool:
        """Whether a folder is walked: no hidden one, no index, none excluded."""
        return (
            not name.startswith(".")
            and not name.endswith(".dateline")
            and not (any(pattern.fullmatch(relative) for pattern in self._exclude))
        )

    def takes(self, name: str, relative: str) -> bool:
        # "~$report.docx" is the lock that Word keeps beside an open file.
        if name.startswith((".", "~$")) or not self.enters(name, relative):
            return False
        if self._include and not any(pattern.fullmatch(relative) for pattern in self._include):
            return False
        suffix = Path(name).suffix.lower()
        # A file without a suffix may be anything; it takes an --include to vouch for it.
        return suffix in self._suffixes or (not suffix and bool(self._include))


def _expand(path: Path) -> list[Path]:
    if os.path.lexists(path):
        return [path]
    if matches := sorted(glob.glob(str(path), recursive=True)):  # noqa: PTH207 - absolute too
        return [Path(match) for match in matches]
    raise UsageError(
        f"There is no file or folder {str(path)!r}.", "Check the path, and quote globs if need be."
    )


def _walk_roots(roots: Sequence[Path], filter_: _Filter) -> Iterator[Path]:
    seen: set[str] = set()
    for root in roots:
        if not root.is_dir():
            found: Iterator[Path] = iter([root])
        else:
            found = _walk_folder(root, "", filter_, set())
        for path in found:
            real = os.path.realpath(path)
            if real not in seen:
                seen.add(real)
                yield path


def _walk_folder(
    folder: Path, relative: str, filter_: _Filter, entered: set[str]
) -> Iterator[Path]:
    real = os.path.realpath(folder)
    if real in entered:
        return
    entered.add(real)
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError:
        yield folder  # loading it will fail, and say why this folder could not be listed
        return
    for entry in entries:
        below = f"{relative}{entry.name}"
        if entry.is_dir():
            if filter_.enters(entry.name, below):
                yield from _walk_folder(folder / entry.name, f"{below}/", filter_, entered)
        elif filter_.takes(entry.name, below):
            yield folder / entry.name


@cache
def _pattern(glob_: str) -> re.Pattern[str]:
    """A glob as a pattern for posix paths relative to the walked folder.

    `*` and `?` stay inside one path part, `**` crosses them. As in .gitignore, a glob without a
    slash is held against the name alone, and one that matches a folder covers all in it.
    """
    glob_ = glob_.removeprefix("./").rstrip("/")
    parts = ["" if "/" in glob_ else "(?:.*/)?"]
    for token in re.findall(r"\*\*/|\*\*|\*|\?|\[!?\]?[^\]]*\]|.", glob_.lstrip("/"), re.DOTALL):
        if token == "**/":
            parts.append("(?:.*/)?")
        elif token == "**":
            parts.append(".*")
        elif token == "*":
            parts.append("[^/]*")
        elif token == "?":
            parts.append("[^/]")
        elif token[0] == "[" and len(token) > 1:
            body = token[1:-1].replace("\\", "\\\\")
            parts.append(f"[^{body[1:]}]" if body.startswith("!") else f"[{body}]")
        else:
            parts.append(re.escape(token))
    return re.compile("".join(parts), re.DOTALL)
