"""Named ways of searching and answering, read from a TOML file, to be compared with each other.

[defaults]                    # for all that follow
depth = 100

[configurations.bm25]
mode = "bm25"

[configurations.small-chunks]
chunk_tokens = 64
overlap = 16

One file serves `eval retrieval` and `eval answers`: what is about answering (`passages`, `reader`,
`threshold`, `explain`) changes nothing in retrieval, and `depth` nothing in answers.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

from index import IndexSettings
from index.embedding import find_model
from index.errors import DatelineError, UsageError
from index.protocol import MODES
from qa.assistant import PASSAGES

from .setups import AnswerSetup
from .suggesting import did_you_mean

DEPTH = 100  # documents ranked for a query; R@100 needs no more
TABLES = ("defaults", "configurations")


@dataclass(frozen=True, slots=True, kw_only=True)
class Configuration(AnswerSetup):
    """One way of searching, and of answering from what is found.

    Attributes:
        depth: how many documents retrieval ranks for a query. Hybrid search hands more candidates
            to fusion for a deeper ranking, so the depth can change even the first ranks.
    """

    name: str
    depth: int = DEPTH

    def described(self) -> dict[str, Any]:
        """Every setting of retrieval by its name in a configuration file."""
        return {"mode": self.mode, "depth": self.depth, **asdict(self.settings)}


# Those of answering that have no value of their own type by default have an empty one here.
ANSWERING: Mapping[str, Any] = {
    "passages": PASSAGES,
    "reader": "",
    "threshold": 0.0,
    "explain": False,
}
DEFAULTS = {**Configuration(name="defaults").described(), **ANSWERING}


def bundled_configurations(file: str = "configurations.toml") -> dict[str, Configuration]:
    """The configurations that come with Dateline, the product's own first.

    Args:
        file: `configurations.toml` is of ways to search, `answers.toml` of ways to answer.
    """
    with as_file(files("eval") / file) as path:
        return load_configurations(path)


def load_configurations(path: Path) -> dict[str, Configuration]:
    """The configurations of a TOML file by name, in its order.

    An `embedder` or `reader` that is a folder is looked for from the file's own folder.

    Raises:
        UsageError: no such file, or something in it that is not understood; the message names the
            line where it can.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
        tree = tomllib.loads(text)
    except OSError as error:
        raise UsageError(
            f"{path} cannot be read: {error.strerror}.", "Give a TOML file of configurations."
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} is not TOML: {error}.") from error
    reader = _Reader(path, text)
    reader.check_names((), tree, TABLES)
    defaults = reader.table("defaults", value=tree.get("defaults", {}))
    named = reader.table("configurations", value=tree.get("configurations", {}))
    if not named:
        raise UsageError(
            f"{path} has no configuration.", 'Add one: [configurations.bm25] with mode = "bm25".'
        )
    common = reader.settings(("defaults",), defaults)
    return {name: reader.configuration(name, value, common) for name, value in named.items()}


def selected(
    configurations: Mapping[str, Configuration], names: Iterable[str]
) -> dict[str, Configuration]:
    """The configurations of the given names, in their own order.

    Raises:
        UsageError: there is no configuration of a name.
    """
    wanted = set(names)
    for name in sorted(wanted - configurations.keys()):
        raise UsageError(
            f"There is no configuration {name!r}.{did_you_mean(name, configurations)}",
            f"Choose from: {', '.join(configurations)}.",
        )
    return {name: found for name, found in configurations.items() if name in wanted}


@dataclass(frozen=True, slots=True)
class _Reader:
    """Checks what a file says, and knows where it says it."""

    path: Path
    text: str

    def configuration(self, name: str, value: object, common: Mapping[str, Any]) -> Configuration:
        where = ("configurations", name)
        if not name or set(name) & set("/:"):
            raise self._error(where, None, f"the name {name!r} is empty or has a '/' or ':'")
        given = {**common, **self.settings(where, self.table(*where, value=value))}
        own = {key: given.pop(key) for key in ("mode", "depth", *ANSWERING) if key in given}
        if own.get("reader"):
            own["reader"] = Path(own["reader"])
        try:
            settings = IndexSettings(**given)
            find_model(settings.embedder)
            return Configuration(name=name, settings=settings, **own)
        except DatelineError as error:
            raise UsageError(f"{self._place(where, None)}: {error.problem}", error.next_step) from (
                error
            )

    def settings(self, where: tuple[str, ...], table: Mapping[str, Any]) -> dict[str, Any]:
        """A table's settings, each of the type it has in the product."""
        self.check_names(where, table, DEFAULTS)
        return {key: self._checked(where, key, value) for key, value in table.items()}

    def table(self, *where: str, value: object) -> Mapping[str, Any]:
        if not isinstance(value, Mapping):
            raise self._error(where[:-1], where[-1], f"{where[-1]} is not a table")
        return value

    def check_names(
        self, where: tuple[str, ...], table: Mapping[str, Any], known: Iterable[str]
    ) -> None:
        known = list(known)
        for name in table:
            if name not in known:
                raise UsageError(
                    f"{self._place(where, name)}: {name!r} is not known."
                    f"{did_you_mean(name, known)}",
                    f"What may stand there: {', '.join(known)}.",
                )

    def _checked(self, where: tuple[str, ...], key: str, value: object) -> object:
        default = DEFAULTS[key]
        number = isinstance(default, float) and isinstance(value, int)
        if isinstance(value, bool) != isinstance(default, bool) or not (
            number or isinstance(value, type(default))
        ):
            kind = {bool: "true or false", int: "a whole number", float: "a number", str: "a text"}
            raise self._error(where, key, f"{key} is {value!r}, wanted {kind[type(default)]}")
        if key == "mode" and value not in MODES:
            raise self._error(
                where, key, f"there is no mode {value!r}", f"Use one of: {', '.join(MODES)}."
            )
        if key == "depth" and int(str(value)) < 1:
            raise self._error(where, key, "depth is less than 1")
        if key in ("embedder", "reader"):
            folder = self.path.parent / str(value)
            if folder.is_dir() and value:
                return str(folder.resolve())
            if key == "reader":
                raise self._error(where, key, f"there is no folder {folder} of a reader")
        return value

    def _error(
        self, where: tuple[str, ...], key: str | None, problem: str, next_step: str = ""
    ) -> UsageError:
        return UsageError(f"{self._place(where, key)}: {problem}.", next_step)

    def _place(self, where: tuple[str, ...], key: str | None) -> str:
        """The file, the line if it can be told, and the table."""
        header = re.compile(r"\s*\[\s*" + r"\s*\.\s*".join(map(_quotable, where)) + r"\s*\]")
        inside = not where
        for number, line in enumerate(self.text.splitlines(), start=1):
            if line.lstrip().startswith("["):
                inside = bool(where and header.match(line))
                found = inside if key is None else bool(_header_of(where, key).match(line))
            else:
                found = inside and key is not None and bool(_key(key).match(line))
            if found:
                return f"{self.path} line {number}"
        return f"{self.path} [{'.'.join(where)}]" if where else str(self.path)


def _quotable(name: str) -> str:
    return rf"""["']?{re.escape(name)}["']?"""


def _key(name: str) -> re.Pattern[str]:
    return re.compile(rf"\s*{_quotable(name)}\s*[.=]")


def _header_of(where: tuple[str, ...], key: str) -> re.Pattern[str]:
    return re.compile(r"\s*\[\s*" + r"\s*\.\s*".join(map(_quotable, (*where, key))) + r"\s*[.\]]")
