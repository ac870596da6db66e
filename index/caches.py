"""The search structures and their files: caches of the catalog, never the truth.

Each file is stamped with the index's id, the settings it depends on and the generation it
reflects. A cache that is behind catches up from the catalog; one that is missing, damaged or
foreign is rebuilt, with one log line.
"""

from __future__ import annotations

import itertools
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

import numpy as np
import numpy.typing as npt

from . import cachefile
from .analysis import Analyzer
from .catalog import Catalog, Changes, IndexedChunk
from .dense import DenseIndex
from .lexical import LexicalIndex

LEXICAL, DENSE = "lexical.cache", "dense.cache"
BATCH = 4096  # chunks handed to a structure at a time

logger = logging.getLogger("dateline.index")


class Structure(Protocol):
    """What the two search structures have in common."""

    def __len__(self) -> int: ...
    def remove(self, ids: Any) -> None: ...  # noqa: ANN401
    def to_arrays(self) -> dict[str, npt.NDArray[Any]]: ...


S = TypeVar("S", bound=Structure)


@dataclass
class Cache(Generic[S]):
    """One structure with its file.

    Attributes:
        settings: what besides the chunks the structure depends on.
        fresh, load, add: make it empty, from arrays; put chunks into it.
    """

    path: Path
    settings: str
    fresh: Callable[[], S]
    load: Callable[[dict[str, npt.NDArray[Any]]], S]
    add: Callable[[S, list[IndexedChunk]], None]
    structure: S | None = None
    generation: int = 0
    saved: int = -1

    def refresh(self, catalog: Catalog) -> S:
        """The structure as of the catalog's present generation."""
        if self.structure is None:
            self._open(catalog)
        if self.structure is None or self.generation != catalog.generation:
            self._catch_up(catalog)
        assert self.structure is not None
        return self.structure

    def save(self, catalog: Catalog) -> None:
        """Write the file, unless it is up to date; a full disk only costs the next start time."""
        if self.structure is None or self.saved == self.generation:
            return
        stamp = {"index": catalog.get("id"), "settings": self.settings}
        try:
            cachefile.write(
                self.path, {**stamp, "generation": self.generation}, self.structure.to_arrays()
            )
            self.saved = self.generation
        except OSError as error:
            logger.warning("%s cannot be saved: %s.", self.path, error.strerror or error)

    def _open(self, catalog: Catalog) -> None:
        try:
            stamp, arrays = cachefile.read(self.path)
            if stamp["index"] != catalog.get("id") or stamp["settings"] != self.settings:
                raise cachefile.CacheDamagedError(f"{self.path.name} belongs to another index")
            if stamp["generation"] > catalog.generation:
                raise cachefile.CacheDamagedError(f"{self.path.name} is ahead of the catalog")
            self.structure = self.load(arrays)
            self.generation = self.saved = stamp["generation"]
        except (cachefile.CacheDamagedError, KeyError, ValueError, RuntimeError) as error:
            if catalog.get("caches_since") is not None:  # else there never was a file
                logger.warning("%s; rebuilding it from the catalog.", error)

    def _catch_up(self, catalog: Catalog) -> None:
        changes = catalog.changes(self.generation) if self.structure is not None else None
        if changes is None and self.structure is not None:
            self._open(catalog)  # whoever dropped that part of the log has saved a newer file
            changes = catalog.changes(self.generation)
        if changes is None:
            self.structure, self.generation = self.fresh(), 0
            changes = catalog.changes(0)
            assert changes is not None
        self._apply(changes)

    def _apply(self, changes: Changes) -> None:
        assert self.structure is not None
        if changes.removed:
            self.structure.remove(changes.removed)
        for batch in _batches(changes.added):
            self.add(self.structure, batch)
        self.generation = changes.generation


def _batches(chunks: Iterator[IndexedChunk]) -> Iterator[list[IndexedChunk]]:
    while batch := list(itertools.islice(chunks, BATCH)):
        yield batch


def lexical_cache(folder: Path, analyzer: Analyzer, k1: float, b: float) -> Cache[LexicalIndex]:
    """BM25 over the chunks' context and text; a file serves any `k1` and `b`."""

    def add(structure: LexicalIndex, chunks: list[IndexedChunk]) -> None:
        structure.add([c.id for c in chunks], (analyzer(c.text) for c in chunks))

    def load(arrays: dict[str, npt.NDArray[Any]]) -> LexicalIndex:
        parameters = np.array([k1, b, arrays["parameters"][-1]])
        return LexicalIndex.from_arrays({**arrays, "parameters": parameters})

    return Cache(folder / LEXICAL, repr(analyzer), lambda: LexicalIndex(k1, b), load, add)


def dense_cache(folder: Path, fingerprint: str, dimension: int) -> Cache[DenseIndex]:
    """FAISS over the chunks' vectors."""

    def add(structure: DenseIndex, chunks: list[IndexedChunk]) -> None:
        structure.add(
            np.array([c.id for c in chunks], np.int64),
            np.stack([c.vector for c in chunks]).astype(np.float32),
        )

    return Cache(
        folder / DENSE,
        fingerprint,
        lambda: DenseIndex(dimension),
        DenseIndex.from_arrays,
        add,
    )
