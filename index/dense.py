"""Nearest vectors by inner product, with FAISS (Douze et al., "The Faiss library", 2024).

Up to `exact_limit` vectors every one is compared. Beyond it the vectors are parted into cells by
k-means (an inverted file, IVF: Sivic and Zisserman, "Video Google", ICCV 2003) and a question looks
into the nearest third of them. On 112,000 MiniLM vectors of short passages that finds 98.9 to
99.2 % of the true top ten of 1,000 questions, by when the cells were drawn, and 98.5 to 98.8 % once
half of the passages are removed, in 4.4 ms instead of 17 ms (a quarter of the cells: 98.1 to 98.7 %
and 97.4 to 98.0 %). A graph (HNSW) was five times as quick again, but takes six times as long to
build and cannot delete; both matter more here.
"""

from __future__ import annotations

import contextlib
import importlib
import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

faiss: Any = importlib.import_module("faiss")  # its type stubs do not know its Python wrappers

Ints: TypeAlias = npt.NDArray[np.int64]
Floats: TypeAlias = npt.NDArray[np.float64]
Vectors: TypeAlias = npt.NDArray[np.float32]

_PROBED = 1 / 3  # share of the cells a question looks into
_GROWTH = 4  # the cells are drawn anew when there are this many times the vectors they were for
_POINTS_PER_CELL = 40  # vectors k-means learns from; FAISS wants 39 and uses up to 256
_ITERATIONS = 8


class DenseIndex:
    """Unit vectors of chunks in, chunk ids ranked by inner product (cosine) out.

    Not to be changed while another thread searches it.
    """

    def __init__(self, dimension: int, exact_limit: int = 50_000) -> None:
        """An empty index.

        Args:
            dimension: of every vector.
            exact_limit: a search among at most so many vectors is exact.
        """
        self.dimension, self.exact_limit = dimension, exact_limit
        self._index: Any = faiss.IndexIDMap(faiss.IndexFlatIP(dimension))
        self._ids = np.zeros(0, np.int64)  # ascending
        self._cells_for = 0  # how many vectors the cells were made for; 0 as long as there are none

    def __len__(self) -> int:
        return len(self._ids)

    def add(self, ids: Ints, vectors: Vectors) -> None:
        """Add chunks.

        Args:
            ids: shape (n,).
            vectors: shape (n, dimension), each of length 1.

        Raises:
            ValueError: shapes that do not fit, or an id that is there already or comes twice.
        """
        ids = np.ascontiguousarray(ids, np.int64)
        vectors = np.ascontiguousarray(vectors, np.float32)
        if vectors.shape != (len(ids), self.dimension):
            raise ValueError(
                f"vectors have the shape {vectors.shape}, not {(len(ids), self.dimension)}"
            )
        present = np.union1d(self._ids, ids)
        if len(present) < len(self._ids) + len(ids):
            raise ValueError("a chunk id was added twice; remove it first")
        if len(present) > max(self.exact_limit, _GROWTH * self._cells_for):
            old_ids, old_vectors = self._contents()
            ids, vectors = np.concatenate([old_ids, ids]), np.concatenate([old_vectors, vectors])
            self._index = _cells(vectors)
            self._cells_for = len(ids)
        self._index.add_with_ids(vectors, ids)
        self._ids = present

    def remove(self, ids: Iterable[int]) -> None:
        """Remove chunks; ids that are not there are ignored."""
        gone = np.intersect1d(self._ids, np.fromiter(ids, np.int64))
        if len(gone):
            self._index.remove_ids(gone)
            self._ids = np.setdiff1d(self._ids, gone, assume_unique=True)

    def search(
        self, vector: npt.NDArray[np.floating[Any]], k: int, allowed: Ints | None = None
    ) -> tuple[Ints, Floats]:
        """The chunks whose vectors have the highest inner product with `vector`.

        Args:
            vector: shape (dimension,).
            k: how many chunks at most.
            allowed: the only chunk ids that may be returned; others are passed over.

        Returns:
            ids and scores, best first, equal scores by ascending id. There are k of them, or all.

        Raises:
            ValueError: a vector of another shape.
        """
        if vector.shape != (self.dimension,):
            raise ValueError(f"the vector has the shape {vector.shape}, not {(self.dimension,)}")
        query = np.ascontiguousarray(vector, np.float32)[None]
        count = len(self) if allowed is None else int(np.isin(allowed, self._ids).sum())
        k = min(k, count)
        if k < 1:
            return np.zeros(0, np.int64), np.zeros(0)
        # A filter must not cost results: the fewer are allowed, the more cells are looked into.
        share = 1.0 if count <= self.exact_limit else min(1.0, _PROBED * len(self) / count)
        selector = None if allowed is None else _selector(allowed)
        wanted = min(count, k + 16)  # some more, to see whether the last one is tied
        while True:
            parameters = self._parameters(share, selector)
            with _one_thread():
                scores, ids = self._index.search(query, wanted, params=parameters)
            scores, ids = scores[0][ids[0] >= 0], ids[0][ids[0] >= 0]
            if len(ids) < wanted:
                share = 1.0  # the cells looked into held too few
            elif wanted < count and scores[k - 1] == scores[-1]:
                wanted = min(count, 4 * wanted)
            else:
                break
        order = np.lexsort((ids, -scores))[:k]
        return ids[order], scores[order].astype(np.float64)

    def to_arrays(self) -> dict[str, npt.NDArray[Any]]:
        """The index as arrays for `index.cachefile`."""
        return {
            "settings": np.array([self.dimension, self.exact_limit, self._cells_for]),
            "index": faiss.serialize_index(self._index),
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, npt.NDArray[Any]]) -> DenseIndex:
        """The index that `to_arrays` described.

        Raises:
            RuntimeError: FAISS cannot read it.
        """
        dimension, exact_limit, cells_for = arrays["settings"].tolist()
        index = cls(dimension, exact_limit)
        index._index = faiss.deserialize_index(arrays["index"])
        index._cells_for = cells_for
        index._ids = np.sort(index._contents()[0])
        return index

    def _parameters(self, share: float, selector: Any) -> Any:  # noqa: ANN401
        if not self._cells_for:
            return faiss.SearchParameters(sel=selector)
        cells = math.ceil(share * self._index.nlist)
        return faiss.SearchParametersIVF(sel=selector, nprobe=cells)

    def _contents(self) -> tuple[Ints, Vectors]:
        """All ids and vectors, in FAISS's order."""
        if not self._cells_for:
            ids = faiss.vector_to_array(self._index.id_map)
            flat = faiss.downcast_index(self._index.index)
            return ids, flat.reconstruct_n(0, flat.ntotal)
        lists = self._index.invlists
        parts = [(i, n) for i in range(lists.nlist) if (n := lists.list_size(i))]
        all_ids = [faiss.rev_swig_ptr(lists.get_ids(i), n) for i, n in parts]
        codes = [faiss.rev_swig_ptr(lists.get_codes(i), n * lists.code_size) for i, n in parts]
        if not parts:
            return np.zeros(0, np.int64), np.zeros((0, self.dimension), np.float32)
        vectors = np.concatenate(codes).view(np.float32).reshape(-1, self.dimension)
        return np.concatenate(all_ids), vectors


def _cells(vectors: Vectors) -> Any:  # noqa: ANN401
    """An empty inverted file, its cells drawn by k-means: 4 sqrt(n) of them, FAISS's advice."""
    count, dimension = vectors.shape
    quantizer = faiss.IndexFlatIP(dimension)
    cells = min(count, int(4 * math.sqrt(count)))
    index = faiss.IndexIVFFlat(quantizer, dimension, cells, faiss.METRIC_INNER_PRODUCT)
    index.cp.niter = _ITERATIONS
    index.cp.max_points_per_centroid = _POINTS_PER_CELL
    index.cp.min_points_per_centroid = 1  # it only warns
    index.train(vectors)
    return index


@contextlib.contextmanager
def _one_thread() -> Iterator[None]:
    """Keep FAISS from starting threads, for this thread's calls.

    One question is not shared out among threads; the others would only spin at the barrier, which
    on a busy machine makes a search of 2 ms one of 30 ms.
    """
    before = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(1)
    try:
        yield
    finally:
        faiss.omp_set_num_threads(before)


def _selector(allowed: Ints) -> Any:  # noqa: ANN401
    """A bit for each id: with hundreds of thousands allowed much quicker than FAISS's set."""
    members = np.zeros(int(allowed.max(initial=0)) + 1, np.bool_)
    members[allowed] = True
    return faiss.IDSelectorBitmap(np.packbits(members, bitorder="little"))
