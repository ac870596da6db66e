"""How fast, how large: indexing, questions warm and cold, and memory, by size of collection.

`make bench` runs `python -m eval.benchmark`. The collections are made from the bundled sample's
own sentences, shuffled across documents, with names, numbers and months replaced, or from the
contexts of a file in SQuAD's shape.
"""

from __future__ import annotations

import random
import re
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import ParamSpec, TypeVar

from index import Document, EmbeddedIndex, document_id
from index.errors import DatelineError, UsageError
from index.sentences import split

from .answers import bundled_questions, sample_index
from .datasets import load_squad, paragraph_documents
from .measuring import Latency, latency, peak_memory_mib, run_fresh, tracked

P = ParamSpec("P")
T = TypeVar("T")

SIZES = (1_000, 20_000)
PASSAGE_WORDS = 130  # about 180 tokens: one document, one chunk

_MONTHS = "January|February|March|April|May|June|July|August|September|October|November|December"
_VARIED = re.compile(
    rf"\b(?P<month>{_MONTHS})\b|(?P<number>\d+)|(?<=[a-z,] )(?P<name>[A-Z][a-z]{{2,}})"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeedResult:
    """What one collection costs.

    Attributes:
        indexing_seconds: chunking, embedding and writing, model already exported and loaded; for
            the sample also loading the model and reading the files.
        index_mib: size of the index folder.
        ask: a warm question, in milliseconds; `parts` are its stages by name.
        bm25: a search by BM25 alone, ten passages.
        cold_seconds: wall time of `dateline ask` in a fresh process, median.
        cold_peak_mib: peak resident memory of such a process, largest.
        indexing_peak_mib: peak resident memory of the process that indexed, nothing else done.
    """

    name: str
    documents: int
    chunks: int
    indexing_seconds: float
    passages_per_second: float
    index_mib: float
    ask: Latency
    parts: dict[str, Latency]
    bm25: Latency
    cold_seconds: float
    cold_peak_mib: float | None
    indexing_peak_mib: float | None


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


def measure_speed(
    name: str,
    documents: Sequence[Document],
    questions: Sequence[str],
    *,
    cold_runs: int = 10,
) -> SpeedResult:
    """Index the documents in a temporary folder, ask the questions, warm and cold."""
    with TemporaryDirectory(prefix="dateline-bench-") as folder:
        path = Path(folder)
        with EmbeddedIndex.open(path) as index:
            index.embedder.embed(["loads the model"])
            start = time.perf_counter()
            index.add(tracked(documents, f"indexing {name}"))
            seconds = time.perf_counter() - start
            return measure_index(name, index, path, questions, seconds, cold_runs=cold_runs)


def measure_sample(
    questions: Sequence[str], *, cold_runs: int = 10
) -> tuple[SpeedResult, list[str]]:
    """Index the bundled sample, files and all, and ask; also returns the texts it holds."""
    start = time.perf_counter()
    with sample_index() as (index, path):
        seconds = time.perf_counter() - start
        result = measure_index("sample", index, path, questions, seconds, cold_runs=cold_runs)
        return result, [d.text for info in index.documents() if (d := index.get(info.id))]


def measure_index(
    name: str,
    index: EmbeddedIndex,
    path: Path,
    questions: Sequence[str],
    indexing_seconds: float,
    *,
    cold_runs: int,
) -> SpeedResult:
    """Ask the questions of an index that has just been filled in `indexing_seconds`."""
    from qa import Assistant  # noqa: PLC0415

    stats = index.stats()
    indexing_peak = peak_memory_mib()
    assistant = Assistant(index)
    assistant.ask(questions[0])  # loads the models: what follows is warm
    ask, bm25 = [], []
    parts: dict[str, list[float]] = {}
    for question in tracked(questions, f"asking {name}"):
        start = time.perf_counter()
        answer = assistant.ask(question)
        ask.append(1000 * (time.perf_counter() - start))
        for part, milliseconds in answer.timings_ms.items():
            parts.setdefault(part, []).append(milliseconds)
    for question in questions:
        start = time.perf_counter()
        index.search(question, top_k=10, mode="bm25")
        bm25.append(1000 * (time.perf_counter() - start))
    cold_seconds, cold_peak = _cold_ask(path, questions[0], cold_runs)
    return SpeedResult(
        name=name,
        documents=stats.documents,
        chunks=stats.chunks,
        indexing_seconds=indexing_seconds,
        passages_per_second=stats.chunks / indexing_seconds,
        index_mib=sum(stats.bytes.values()) / 2**20,
        ask=latency(ask),
        parts={part: latency(values) for part, values in parts.items()},
        bm25=latency(bm25),
        cold_seconds=cold_seconds,
        cold_peak_mib=cold_peak,
        indexing_peak_mib=indexing_peak,
    )


def run_benchmark(
    *, contexts: Path | None = None, quick: bool = False, seed: int = 0
) -> Iterator[SpeedResult]:
    """Measure the sample, then the larger collections, smallest first.

    Args:
        contexts: a SQuAD-shaped file whose paragraphs and questions are used for the larger ones;
            None varies the sample.
        quick: small collections and two cold runs, to see that everything works.
        seed: of the varied text.
    """
    cold_runs = 2 if quick else 10
    asked = [question.question for question in bundled_questions()]
    result, texts = in_fresh_process(measure_sample, asked, cold_runs=cold_runs)
    yield result
    examples = load_squad(contexts) if contexts else ()
    paragraphs = list(paragraph_documents(examples).values())
    if examples:
        asked = [
            example.question
            for example in random.Random(seed).sample(examples, min(50, len(examples)))
        ]
    for size in (30, 60) if quick else SIZES:
        documents = paragraphs[:size] or list(varied_passages(texts, size, seed))
        yield in_fresh_process(
            measure_speed, f"{len(documents):,}", documents, asked, cold_runs=cold_runs
        )


def in_fresh_process(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Call a function in a new process, so that the memory it needs is measured alone."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(function, *args, **kwargs).result()


def _cold_ask(index: Path, question: str, runs: int) -> tuple[float, float | None]:
    done = [
        run_fresh(["-m", "qa.cli", "ask", question, "--index", str(index), "--json"])
        for _ in range(runs)
    ]
    for run in done:  # the exit code is also 1 where nothing was found to answer from
        if not run.stdout.startswith("{"):
            raise DatelineError(
                f"`dateline ask` failed in a fresh process: {run.stderr.strip()[-500:]}"
            )
    peaks = [run.peak_mib for run in done if run.peak_mib is not None]
    return statistics.median(run.seconds for run in done), max(peaks, default=None)


def _replacement(match: re.Match[str], generator: random.Random) -> str:
    if match["month"]:
        return generator.choice(_MONTHS.split("|"))
    if match["number"]:
        return "".join(str(generator.randint(1, 9)) for _ in match["number"])
    syllables = (generator.choice("bdfgklmnprstvw") + generator.choice("aeiou") for _ in range(3))
    return "".join(syllables).capitalize()


def main() -> None:
    """`python -m eval.benchmark` is `dateline eval speed`."""
    from qa.cli import main as dateline  # noqa: PLC0415

    sys.argv[1:1] = ["eval", "speed"]
    dateline()


if __name__ == "__main__":
    main()
