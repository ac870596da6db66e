"""BM25 over chunks, from an inverted index that is updated in place.

The scores are those of rank-bm25's `BM25Okapi`: the ATIRE variant of BM25 (Trotman, Puurula and
Burgess, "Improvements to BM25 and Language Models Examined", ADCS 2014), with the idf of terms in
more than half of the documents replaced by `epsilon` times the average idf.

Postings live in a few immutable segments that are merged as they grow (a log-structured merge), so
adding costs little and a term's postings are in a handful of places. Removal marks a document dead
and corrects the document frequencies at once; dead postings are swept out when they pass a quarter.
What each posting scores is fixed until the next change, and is kept for the terms asked for.

Nothing is changed in place: every change makes a new `_Collection` from the old one's arrays and
puts it in its place, so a search that is under way sees one state from start to end.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import chain, compress
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

Ints: TypeAlias = npt.NDArray[np.int64]
Floats: TypeAlias = npt.NDArray[np.float64]

K1, B = 1.5, 0.75  # rank-bm25's defaults

_BLOCK = 64  # documents that share one maximum when the best are looked for
_DENSE = 0.2  # a term in more of the documents than this is scored as one array over all of them
_KEPT_SCORES = 8_000_000  # 64 MB


class LexicalIndex:
    """Terms of chunks in, chunk ids ranked by BM25 out.

    One thread may change the index while others search it.
    """

    def __init__(self, k1: float = K1, b: float = B, epsilon: float = 0.25) -> None:
        """The parameters are those of `BM25Okapi`, with its defaults."""
        self.k1, self.b, self.epsilon = k1, b, epsilon
        self._become(_Collection())

    def _become(self, collection: _Collection) -> None:
        self._scorer = _Scorer(collection, self.k1, self.b, self.epsilon)

    def __len__(self) -> int:
        return self._scorer.collection.size

    def add(self, ids: Sequence[int] | Ints, documents: Iterable[Sequence[str]]) -> None:
        """Add chunks, each as its terms; a chunk without terms still counts as a document.

        Raises:
            ValueError: not one document for each id, or an id that is there already or comes twice.
        """
        collection, new_ids = self._scorer.collection, np.asarray(ids, np.int64)
        texts = list(documents)
        if len(new_ids) != len(texts):
            raise ValueError(f"{len(new_ids)} ids were given for {len(texts)} documents")
        if len(np.unique(new_ids)) < len(new_ids) or len(collection.slots_of(new_ids)):
            raise ValueError("a chunk id was added twice; remove it first")
        if texts:
            self._become(collection.with_added(new_ids, texts))

    def remove(self, ids: Iterable[int]) -> None:
        """Remove chunks; ids that are not there are ignored."""
        collection = self._scorer.collection
        slots = collection.slots_of(np.unique(np.fromiter(ids, np.int64)))
        if len(slots):
            collection = collection.without(slots)
            swept = collection.size < 0.75 * len(collection.ids)
            self._become(collection.compacted() if swept else collection)

    def search(
        self,
        terms: Sequence[str],
        k: int,
        allowed: Ints | None = None,
        weights: Sequence[float] | None = None,
    ) -> tuple[Ints, Floats]:
        """The best chunks among those that share a term with the query.

        Args:
            terms: the query's terms; one that is repeated counts as often.
            k: how many chunks at most.
            allowed: the only chunk ids that may be returned; others are passed over.
            weights: a factor for each term's contribution, by default 1.

        Returns:
            ids and scores, best first, equal scores by ascending id.

        Raises:
            ValueError: not one weight for each term.
        """
        if weights is not None and len(weights) != len(terms):
            raise ValueError(f"{len(weights)} weights were given for {len(terms)} terms")
        scorer = self._scorer
        collection = scorer.collection
        scores, floor = scorer.scores(terms, weights)
        if allowed is not None:
            ids = collection.ids
            members = np.zeros(max(ids.max(initial=0), allowed.max(initial=0)) + 1, np.bool_)
            members[allowed] = True
            np.copyto(scores[: len(ids)], floor, where=~members[ids])
        slots = _best(scores, k, floor)
        order = np.lexsort((collection.ids[slots], -scores[slots]))[:k]
        return collection.ids[slots[order]], scores[slots[order]]

    def frequency(self, term: str) -> int:
        """How many chunks hold a term."""
        collection = self._scorer.collection
        number = collection.vocabulary.get(term, len(collection.frequencies))
        return int(collection.frequencies[number]) if number < len(collection.frequencies) else 0

    def scores(self, terms: Sequence[str]) -> tuple[Ints, Floats]:
        """Every chunk's id, ascending, and score: 0 for a chunk that shares no term."""
        scorer = self._scorer
        scores, _ = scorer.scores(terms, None)
        ids, slots = scorer.collection.by_id
        return ids, np.where(np.isneginf(scores), 0, scores)[slots]

    def to_arrays(self) -> dict[str, npt.NDArray[Any]]:
        """The index as arrays for `index.cachefile`; dead postings are swept out first."""
        if not self._scorer.collection.is_compact:
            self._become(self._scorer.collection.compacted())
        collection = self._scorer.collection
        segment, words = collection.segments[0], list(collection.vocabulary)
        return {
            "parameters": np.array([self.k1, self.b, self.epsilon]),
            "ids": collection.ids,
            "lengths": collection.lengths,
            "starts": segment.starts,
            "slots": segment.slots,
            "counts": segment.counts,
            "word_lengths": np.fromiter(map(len, words), np.int32, len(words)),
            "words": np.frombuffer("".join(words).encode("utf-8", "surrogatepass"), np.uint8),
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, npt.NDArray[Any]]) -> LexicalIndex:
        """The index that `to_arrays` described. The arrays are shared and never written to."""
        text = arrays["words"].tobytes().decode("utf-8", "surrogatepass")
        ends = np.cumsum(arrays["word_lengths"], dtype=np.int64).tolist()
        words = map(text.__getitem__, map(slice, chain((0,), ends), ends))
        index = cls(*arrays["parameters"].tolist())
        index._become(
            _Collection(
                vocabulary=dict(zip(words, range(len(ends)), strict=True)),
                frequencies=np.diff(arrays["starts"]),
                segments=(
                    _Segment(
                        np.arange(len(ends), dtype=np.int32),
                        arrays["starts"],
                        arrays["slots"],
                        arrays["counts"],
                    ),
                ),
                ids=arrays["ids"],
                lengths=arrays["lengths"],
                alive=np.ones(len(arrays["ids"]), np.bool_),
            )
        )
        return index


@dataclass(frozen=True, slots=True)
class _Segment:
    """Postings in order of term, then slot. Those of `terms[i]` are `starts[i]:starts[i + 1]`."""

    terms: npt.NDArray[np.int32]  # ascending numbers of the vocabulary, each with a posting
    starts: Ints  # one more than terms
    slots: npt.NDArray[np.int32]
    counts: npt.NDArray[Any]  # how often the term occurs; unsigned, as narrow as they fit

    @staticmethod
    def of(terms: Ints, slots: Ints, counts: npt.NDArray[Any]) -> _Segment:
        """A segment of postings that are already in order."""
        starts = np.flatnonzero(np.diff(terms, prepend=-1, append=-1))[: max(1, len(terms) + 1)]
        return _Segment(terms[starts[:-1]].astype(np.int32), starts, slots.astype(np.int32), counts)

    @staticmethod
    def merged(segments: Sequence[_Segment]) -> _Segment:
        """One segment of several that follow each other in slots."""
        if len(segments) == 1:
            return segments[0]
        terms = np.unique(np.concatenate([s.terms for s in segments]))
        sizes = np.zeros(len(terms), np.int64)
        for segment in segments:
            sizes[np.searchsorted(terms, segment.terms)] += np.diff(segment.starts)
        starts = np.concatenate([[0], np.cumsum(sizes)])
        slots = np.empty(starts[-1], np.int32)
        counts = np.empty(starts[-1], np.result_type(*(s.counts.dtype for s in segments)))
        next_free = starts[:-1].copy()
        for segment in segments:
            which, size = np.searchsorted(terms, segment.terms), np.diff(segment.starts)
            shift = np.repeat(next_free[which] - segment.starts[:-1], size)
            places = np.arange(len(shift)) + shift
            slots[places], counts[places] = segment.slots, segment.counts
            next_free[which] += size
        return _Segment(terms, starts, slots, counts)

    def postings(self, term: int) -> slice:
        """Where the postings of `term` are."""
        # In the array's own type: for any other NumPy converts the whole array first.
        at = int(np.searchsorted(self.terms, self.terms.dtype.type(term)))
        if at == len(self.terms) or self.terms[at] != term:
            return slice(0)
        return slice(int(self.starts[at]), int(self.starts[at + 1]))


@dataclass(frozen=True, kw_only=True, eq=False)
class _Collection:
    """The postings and what is known of each document, by slot: its place in order of adding.

    The vocabulary is shared with the collection that came of this one by an addition and may hold
    words that are not in here yet: their numbers lie beyond `frequencies`.
    """

    vocabulary: dict[str, int] = field(default_factory=dict)
    frequencies: Ints = field(default_factory=lambda: np.zeros(0, np.int64))  # of live documents
    segments: tuple[_Segment, ...] = ()
    ids: Ints = field(default_factory=lambda: np.zeros(0, np.int64))
    lengths: npt.NDArray[np.int32] = field(default_factory=lambda: np.zeros(0, np.int32))
    alive: npt.NDArray[np.bool_] = field(default_factory=lambda: np.zeros(0, np.bool_))

    @cached_property
    def size(self) -> int:
        return int(np.count_nonzero(self.alive))

    @cached_property
    def by_id(self) -> tuple[Ints, Ints]:
        """The ids of live documents, ascending, and their slots."""
        live = np.flatnonzero(self.alive)
        slots = live[np.argsort(self.ids[live], kind="stable")]
        return self.ids[slots], slots

    def slots_of(self, wanted: Ints) -> Ints:
        """The slots of those `wanted` ids that are live, in their order."""
        ids, slots = self.by_id
        if not len(ids):
            return slots
        places = np.minimum(np.searchsorted(ids, wanted), len(ids) - 1)
        found: Ints = slots[places[ids[places] == wanted]]
        return found

    def with_added(self, new_ids: Ints, texts: list[Sequence[str]]) -> _Collection:
        vocabulary, first_slot = self.vocabulary, len(self.ids)
        words = list(chain.from_iterable(texts))
        for word in dict.fromkeys(words):
            vocabulary.setdefault(word, len(vocabulary))
        lengths = np.fromiter(map(len, texts), np.int32, len(texts))
        numbers = np.fromiter(map(vocabulary.__getitem__, words), np.int64, len(words))
        slots = np.repeat(np.arange(first_slot, first_slot + len(texts)), lengths)
        keys, counts = np.unique(numbers << 32 | slots, return_counts=True)
        narrow = counts.astype(np.min_scalar_type(int(counts.max(initial=0))))
        segments = [*self.segments, _Segment.of(keys >> 32, keys & 0xFFFFFFFF, narrow)]
        while len(segments) > 1 and len(segments[-2].slots) <= 2 * len(segments[-1].slots):
            segments[-2:] = [_Segment.merged(segments[-2:])]
        frequencies = np.bincount(keys >> 32, minlength=len(vocabulary))
        frequencies[: len(self.frequencies)] += self.frequencies
        return _Collection(
            vocabulary=vocabulary,
            frequencies=frequencies,
            segments=tuple(segments),
            ids=np.concatenate([self.ids, new_ids]),
            lengths=np.concatenate([self.lengths, lengths]),
            alive=np.concatenate([self.alive, np.ones(len(texts), np.bool_)]),
        )

    def without(self, slots: Ints) -> _Collection:
        removed = np.zeros(len(self.ids), np.bool_)
        removed[slots] = True
        frequencies = self.frequencies.copy()
        for segment in self.segments:
            hits = np.flatnonzero(removed[segment.slots])
            terms = segment.terms[np.searchsorted(segment.starts, hits, side="right") - 1]
            frequencies -= np.bincount(terms, minlength=len(frequencies))
        return replace(self, frequencies=frequencies, alive=self.alive & ~removed)

    @property
    def is_compact(self) -> bool:
        """Whether there is one segment, without dead documents, for exactly the vocabulary."""
        return (
            len(self.segments) == 1
            and self.size == len(self.ids)
            and len(self.segments[0].terms) == len(self.vocabulary)
        )

    def compacted(self) -> _Collection:
        merged = _Segment.merged(self.segments or [_Segment.of(*np.zeros((3, 0), np.int64))])
        slots, counts = merged.slots, merged.counts
        if self.size < len(self.ids):
            kept = self.alive[slots]
            new_slots = np.cumsum(self.alive, dtype=np.int32) - 1
            slots, counts = new_slots[slots[kept]], counts[kept]
        occurs = self.frequencies > 0
        frequencies = self.frequencies[occurs]
        return _Collection(
            vocabulary={w: i for i, w in enumerate(compress(self.vocabulary, occurs.tolist()))},
            frequencies=frequencies,
            segments=(
                _Segment(
                    np.arange(len(frequencies), dtype=np.int32),
                    np.concatenate([[0], np.cumsum(frequencies)]),
                    slots,
                    counts,
                ),
            ),
            ids=self.ids[self.alive],
            lengths=self.lengths[self.alive],
            alive=np.ones(self.size, np.bool_),
        )


class _Scorer:
    """BM25 over one collection, with the scores of the postings asked for so far."""

    def __init__(self, collection: _Collection, k1: float, b: float, epsilon: float) -> None:
        self.collection = collection
        self._k1, self._b, self._epsilon = k1, b, epsilon
        self._kept: dict[int, tuple[Ints | None, Floats]] = {}
        self._room = _KEPT_SCORES
        self._lock = threading.Lock()
        self._padded = -(-len(collection.ids) // _BLOCK) * _BLOCK

    def scores(self, terms: Sequence[str], weights: Sequence[float] | None) -> tuple[Floats, float]:
        """Scores by slot, padded to whole blocks, and the value that means "shares no term"."""
        collection, total = self.collection, dict[int, float]()
        for term, weight in zip(terms, weights or [1.0] * len(terms), strict=True):
            number = collection.vocabulary.get(term, len(collection.frequencies))
            if number < len(collection.frequencies) and collection.frequencies[number]:
                total[number] = total.get(number, 0.0) + weight
        scores = np.zeros(self._padded)
        floor = 0.0
        for number, weight in total.items():
            slots, parts = self._parts(number)
            if weight != 1:
                parts = parts * weight
            if slots is None:
                scores += parts
            else:
                np.add.at(scores, slots, parts)  # twice as quick as scores[slots] += parts
            if weight * self._idf(number) <= 0:
                floor = -math.inf
        if floor < 0:  # zero no longer tells who shares a term
            shares = np.zeros(len(scores), np.bool_)
            for number in total:
                shares[self._postings(number)[0]] = True
            scores[~shares] = floor
        return scores, floor

    def _parts(self, number: int) -> tuple[Ints | None, Floats]:
        """A term's contributions and the slots they belong to, None for all of them in order."""
        with self._lock:
            parts = self._kept.pop(number, None)
            if parts is None:
                parts = self._new_parts(number)
                self._room -= len(parts[1])
                while self._room < 0 and self._kept:
                    oldest = next(iter(self._kept))
                    self._room += len(self._kept.pop(oldest)[1])
            self._kept[number] = parts  # last in order: the most recently used
        return parts

    def _new_parts(self, number: int) -> tuple[Ints | None, Floats]:
        slots, counts = self._postings(number)
        parts = counts * (self._k1 + 1) / (counts + self._norms[slots]) * self._idf(number)
        if len(slots) <= _DENSE * len(self.collection.ids):
            return slots, parts
        everywhere = np.zeros(self._padded)
        everywhere[slots] = parts
        return None, everywhere

    def _postings(self, number: int) -> tuple[Ints, npt.NDArray[Any]]:
        """The slots of the live documents that contain a term, ascending, and how often."""
        found = [(segment, segment.postings(number)) for segment in self.collection.segments]
        slots = np.concatenate([segment.slots[where] for segment, where in found])
        counts = np.concatenate([segment.counts[where] for segment, where in found])
        if self.collection.size < len(self.collection.ids):
            live = self.collection.alive[slots]
            slots, counts = slots[live], counts[live]
        return slots.astype(np.intp), counts

    @cached_property
    def _norms(self) -> Floats:
        """By slot, what is added to a count below the fraction: k1 (1 - b + b length / average)."""
        lengths = self.collection.lengths
        average = lengths[self.collection.alive].sum(dtype=np.int64) / self.collection.size
        return np.asarray(self._k1 * (1 - self._b + self._b * lengths / average), np.float64)

    def _idf(self, number: int) -> float:
        n = int(self.collection.frequencies[number])
        idf = math.log(self.collection.size - n + 0.5) - math.log(n + 0.5)
        return idf if idf >= 0 else self._epsilon * self._average_idf

    @cached_property
    def _average_idf(self) -> float:
        """Over all terms, negative idfs included, as `BM25Okapi` has it."""
        terms_with = np.bincount(self.collection.frequencies)[1:]  # frequencies repeat a lot
        n = np.arange(1, len(terms_with) + 1)[terms_with > 0]
        idf = np.log(self.collection.size - n + 0.5) - np.log(n + 0.5)
        return float(idf @ terms_with[terms_with > 0] / terms_with.sum())


def _best(scores: Floats, k: int, floor: float) -> Ints:
    """The slots of the k highest scores above `floor`, and of all that equal the lowest of them.

    The k-th highest of the blocks' maxima is a bound that at least k scores reach; only blocks that
    reach it are looked into.
    """
    if k < 1:
        return np.zeros(0, np.int64)
    blocks = scores.reshape(_BLOCK, -1)  # a block is a column: so maxima of columns are quick
    maxima = blocks.max(axis=0)
    bound = np.partition(maxima, -k)[-k] if k < len(maxima) else floor
    if bound <= floor:
        bound = np.nextafter(floor, math.inf)
    chosen = np.flatnonzero(maxima >= bound)
    inside = blocks[:, chosen]
    rows, columns = np.nonzero(inside >= bound)
    slots, values = rows * len(maxima) + chosen[columns], inside[rows, columns]
    if len(slots) > k:
        slots = slots[values >= np.partition(values, -k)[-k]]
    return slots
