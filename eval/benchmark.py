"""How fast, how large: indexing, questions warm and cold, and memory, by size of collection.

`dateline eval speed` and `make bench` print this. The collections are the bundled sample, and
larger ones made of its sentences, shuffled across documents, with names, numbers and months
replaced; or the contexts of a file in SQuAD's shape. Their indexes are kept and reused, with what
building them cost.
"""

from __future__ import annotations

import random
import re
import shutil
import statistics
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.resources import as_file, files
from pathlib import Path

from index import Document, EmbeddedIndex, document_id, load_embedder
from index.errors import DatelineError, UsageError
from index.loading import find_files, load_file
from index.sentences import split

from .datasets import load_squad, paragraph_documents
from .measuring import Latency, in_fresh_process, latency, peak_memory_mib, run_fresh, tracked
from .questions import bundled_questions
from .retrieval import built_index

SIZES = (1_000, 20_000)
QUICK_SIZES = (30, 60)
COLD_RUNS = 10
QUESTIONS = 100  # sampled of a SQuAD file
PASSAGE_WORDS = 120  # about 185 tokens: one document, one chunk

_MONTHS = "January|February|March|April|May|June|July|August|September|October|November|December"
_VARIED = re.compile(
    rf"\b(?P<month>{_MONTHS})\b|(?P<number>\d+)|(?<=[a-z,] )(?P<name>[A-Z][a-z]{{2,}})"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Indexing:
    """An index that was built or reused, and what building it cost when it was built.

    Attributes:
        seconds, passages_per_second: chunking, embedding and writing, the model already exported;
            the documents are in memory at the start.
        peak_mib: resident memory of the process that did it, documents included.
        index_mib: size of the index folder.
        built_at: local time, ISO 8601.
        reused: whether the index was there already, so that this is an earlier measurement.
    """

    documents: int
    passages: int
    seconds: float
    passages_per_second: float
    peak_mib: float | None
    index_mib: float
    built_at: str
    reused: bool
    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """Warm questions, one after another in one process; times in milliseconds.

    Attributes:
        total: the whole of `Assistant.ask`; `retrieve` and `read` are its parts.
        peak_mib: resident memory of the process.
    """

    questions: int
    retrieve: Latency
    read: Latency
    total: Latency
    peak_mib: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeedResult:
    """What one collection costs.

    Attributes:
        cold_ask_seconds: wall time of `dateline ask` in a fresh process, median of `cold_runs`.
    """

    name: str
    indexing: Indexing
    warm_ask: Asking
    cold_ask_seconds: float
    cold_runs: int


def run_benchmark(
    *,
    contexts: Path | None = None,
    quick: bool = False,
    seed: int = 0,
    work: Path | None = None,
    rebuild: bool = False,
) -> Iterator[SpeedResult]:
    """Measure the sample, then the larger collections, smallest first.

    Indexing, warm and cold questions each have processes of their own, so that the memory each
    needs is measured alone.

    Args:
        contexts: a SQuAD-shaped file whose paragraphs and questions are used for the larger ones;
            None varies the sample.
        quick: small collections and two cold runs, to see that everything works.
        seed: of the varied text and of the sampled questions.
        work: where the indexes are kept; by default `eval` in Dateline's cache folder.
        rebuild: index again, even where an index could be reused.
    """
    cold_runs = 2 if quick else COLD_RUNS
    asked = {None: _questions(None, seed), contexts: _questions(contexts, seed)}
    in_fresh_process(_prepare)
    for size in (None, *(QUICK_SIZES if quick else SIZES)):
        source = contexts if size else None
        indexing = in_fresh_process(_index, size, source, seed, work, rebuild)
        asking = in_fresh_process(_ask, indexing.path, asked[source])
        yield SpeedResult(
            name=f"{indexing.documents:,}" if size else "sample",
            indexing=indexing,
            warm_ask=asking,
            cold_ask_seconds=_cold_ask(indexing.path, asked[source][0], cold_runs),
            cold_runs=cold_runs,
        )
        if size and indexing.documents < size:
            break  # the file holds no more: larger collections would be the same


def varied_passages(texts: Sequence[str], count: int, seed: int = 0) -> Iterator[Document]:
    """Documents of about `PASSAGE_WORDS` words, made of the given texts' sentences; deterministic.

    New names and numbers keep the vocabulary growing with the collection, as it does in real text.

    Raises:
        UsageError: the texts hold no sentence.
    """
    pieces = [text[start:end].strip() for text in texts for start, end in split(text)]
    sentences = [piece for piece in pieces if piece]
    if not sentences:
        raise UsageError("There is no sentence to vary.", "Give texts that are not empty.")
    generator = random.Random(seed)
    for number in range(1, count + 1):
        chosen: list[str] = []
        words = 0
        while words < PASSAGE_WORDS:
            sentence = generator.choice(sentences)
            words += len(sentence.split())
            chosen.append(_VARIED.sub(lambda match: _replacement(match, generator), sentence))
        source = f"varied/{number}"
        yield Document(
            id=document_id(source),
            source=source,
            title=f"Report {number}",
            text=" ".join(chosen),
        )


def sample_documents() -> list[Document]:
    """The documents of the bundled sample, in the order of their files."""
    with as_file(files("qa") / "sample") as sample:
        return [doc for path in find_files([sample]) for doc in load_file(path, path.name)]


def _prepare() -> None:
    """Export and compile the embedding model: neither belongs to indexing."""
    load_embedder().embed_query("Loads the model.")


def _index(
    size: int | None, contexts: Path | None, seed: int, work: Path | None, rebuild: bool
) -> Indexing:
    """Index, or find indexed, `size` documents, None for the sample itself."""
    documents = sample_documents()
    if contexts:
        documents = list(paragraph_documents(load_squad(contexts)).values())[:size]
    elif size:
        documents = list(varied_passages([d.text for d in documents], size, seed))
    name = f"bench-{size or 'sample'}"
    with built_index(name, documents, work=work, rebuild=rebuild) as built:
        _remove_others(built.path, name)
        stats = built.index.stats()
        return Indexing(
            documents=stats.documents,
            passages=stats.chunks,
            seconds=built.indexing_seconds,
            passages_per_second=stats.chunks / built.indexing_seconds,
            peak_mib=built.indexing_peak_mib,
            index_mib=sum(stats.bytes.values()) / 2**20,
            built_at=built.built_at,
            reused=built.reused,
            path=str(built.path),
        )


def _remove_others(kept: Path, name: str) -> None:
    """Remove the index of an earlier version of the code: the large one has 100 MB."""
    for path in kept.parent.glob(f"{name}-*"):
        if path != kept:
            shutil.rmtree(path, ignore_errors=True)


def _questions(contexts: Path | None, seed: int) -> list[str]:
    if not contexts:
        return [question.question for question in bundled_questions()]
    examples = load_squad(contexts)
    chosen = random.Random(seed).sample(examples, min(QUESTIONS, len(examples)))
    return [example.question for example in chosen]


def _ask(path: str, questions: Sequence[str]) -> Asking:
    """Ask the questions of an index, after a first one that loads everything."""
    from qa import Assistant  # noqa: PLC0415

    times: dict[str, list[float]] = {"retrieve": [], "read": [], "total": []}
    with EmbeddedIndex.open(path, create=False) as index:
        assistant = Assistant(index)
        assistant.ask(questions[0])
        for question in tracked(questions, "asking"):
            start = time.perf_counter()
            answer = assistant.ask(question)
            total = 1000 * (time.perf_counter() - start)
            for part, milliseconds in {**answer.timings_ms, "total": total}.items():
                times[part].append(milliseconds)
    return Asking(
        questions=len(questions),
        **{part: latency(values) for part, values in times.items()},
        peak_mib=peak_memory_mib(),
    )


def _cold_ask(index: str, question: str, runs: int) -> float:
    done = [
        run_fresh(["-m", "qa.cli", "ask", question, "--index", index, "--json"])
        for _ in range(runs)
    ]
    for run in done:  # the exit code is also 1 where nothing was found to answer from
        if not run.stdout.startswith("{"):
            raise DatelineError(
                f"`dateline ask` failed in a fresh process: {run.stderr.strip()[-500:]}"
            )
    return statistics.median(run.seconds for run in done)


def _replacement(match: re.Match[str], generator: random.Random) -> str:
    if match["month"]:
        return generator.choice(_MONTHS.split("|"))
    if match["number"]:
        return "".join(str(generator.randint(1, 9)) for _ in match["number"])
    syllables = (generator.choice("bdfgklmnprstvw") + generator.choice("aeiou") for _ in range(3))
    return "".join(syllables).capitalize()
