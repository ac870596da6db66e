"""Which files to load: folders walked, globs expanded, nothing twice, no symlink loop followed."""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from pathlib import Path

from index.database import CATALOG
from index.errors import UsageError

OnSkip = Callable[[Path], object]


def walk(
    paths: Sequence[Path | str],
    include: Sequence[str],
    exclude: Sequence[str],
    suffixes: frozenset[str],
    on_skip: OnSkip | None,
) -> Iterator[Path]:
    """See `index.loading.find_files`; `suffixes` are those taken inside folders, lower case."""
    roots = [root for path in paths for root in _expand(Path(path))]
    return _walk_roots(roots, _Filter(include, exclude, suffixes, on_skip))


class _Filter:
    def __init__(
        self,
        include: Sequence[str],
        exclude: Sequence[str],
        suffixes: frozenset[str],
        on_skip: OnSkip | None,
    ) -> None:
        self._include = [_pattern(glob_) for glob_ in include]
        self._exclude = [_pattern(glob_) for glob_ in exclude]
        self._suffixes = suffixes
        self._on_skip = on_skip

    def enters(self, name: str, relative: str) -> bool:
        """Whether a folder is walked: no hidden one, no index, none excluded."""
        return (
            not name.startswith(".")
            and not name.endswith(".dateline")
            and not (any(pattern.fullmatch(relative) for pattern in self._exclude))
        )

    def takes(self, path: Path, relative: str) -> bool:
        # "~$report.docx" is the lock that Word keeps beside an open file.
        if path.name.startswith((".", "~$")) or not self.enters(path.name, relative):
            return False
        if self._include and not any(pattern.fullmatch(relative) for pattern in self._include):
            return False
        suffix = path.suffix.lower()
        # A file without a suffix may be anything; it takes an --include to vouch for it.
        if suffix in self._suffixes or (not suffix and self._include):
            return True
        if self._on_skip:
            self._on_skip(path)
        return False


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
        if not os.path.isdir(root):  # noqa: PTH112 - Path.is_dir() raises where it may not look
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
    if relative and any(entry.name == CATALOG for entry in entries):
        return  # an index of any name, with the files that were uploaded to it
    for entry in entries:
        below = f"{relative}{entry.name}"
        if _is_folder(entry):
            if filter_.enters(entry.name, below):
                yield from _walk_folder(folder / entry.name, f"{below}/", filter_, entered)
        elif filter_.takes(folder / entry.name, below):
            yield folder / entry.name


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link to itself, or into a folder that may not be entered
        return False


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
