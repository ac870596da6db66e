"""Dateline beside other systems: the same passages, questions and models, each in its own process.

`dateline eval peers` prints this. What a system is and how it is set up: `eval.peer_systems`.
Indexing, asking and the start have fresh processes, one after another, so that the time and the
memory of each are its own.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory

from index import Document, document_id
from index.catalog import Catalog
from index.embedding import DEFAULT_EMBEDDER, find_model
from index.errors import DatelineError
from index.inference import cache_folder

from .answers import same_source
from .benchmark import sample_documents
from .datasets import Example, paragraph_documents
from .measuring import in_fresh_process, machine, peak_memory_mib, run_fresh, tracked
from .open_domain import sampled_questions
from .peer_systems import Passage, Peer, Reply, Setup, Span
from .peer_systems.weights import export_reader
from .questions import bundled_questions
from .retrieval import built_index

TOP = 10  # passages and spans that are looked at
STARTS = 3  # fresh processes, of which the median is reported

_START = "import sys; from eval.peers import first_answer; first_answer(*sys.argv[1:])"
_KEEPERS = ("Zibeth Quarn", "Odrin Vasley", "Maudra Pleck", "Tolvan Brisk", "Ysolde Harn")


@dataclass(frozen=True, slots=True)
class PeerQuestion:
    """A question over a task's passages.

    Attributes:
        answers: every wording that counts as right; none where the documents do not say.
        gold: ids of the documents that hold the answer.
        day: ISO 8601 day that the answer stands for, where it is a day.
    """

    id: str
    text: str
    answers: tuple[str, ...]
    gold: frozenset[str]
    day: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """What all systems are given.

    Attributes:
        bare_spans: whether answers are scored as SQuAD's spans (see `Setup`).
    """

    name: str
    passages: tuple[Passage, ...]
    questions: tuple[PeerQuestion, ...]
    bare_spans: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a system made of one question; times in milliseconds.

    Attributes:
        found: ids of the first ten passages.
        reply: what it said, and `best` the first of that, or its best candidate where it
            abstained; None where it does not answer, or has no candidate.
        spans: the first ten of its candidates.
        cpu: processor time of all its threads, while it answered or, where it does not, searched.
    """

    found: tuple[str, ...]
    reply: Reply | None
    best: Span | None
    spans: tuple[str, ...]
    searching: float
    answering: float | None
    cpu: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Built:
    """What indexing took: seconds until it can be searched, peak memory, size on disk.

    Attributes:
        cpu_seconds: processor time of all threads; other programs hardly change it.
    """

    seconds: float
    cpu_seconds: float
    peak_mib: float | None
    disk_mib: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """All questions in one process; `adding` and `removing` one passage in milliseconds."""

    outcomes: tuple[Outcome, ...]
    peak_mib: float | None
    adding: float | None
    removing: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One system on one task.

    Attributes:
        start_seconds: wall time of a fresh process that opens the index and answers, or searches
            for, one question; None where the index is not kept on disk.
        load: running processes in the minute before it was asked; see `measuring.machine`.
    """

    system: type[Peer]
    built: Built
    asked: Asked
    start_seconds: float | None
    load: float | None


def squad_task(
    examples: Sequence[Example],
    name: str,
    *,
    questions: int = 500,
    seed: int = 0,
    work: Path | None = None,
) -> Task:
    """Every paragraph of a SQuAD file, and the questions that `evaluate_open_domain` samples."""
    documents = paragraph_documents(examples)
    return Task(
        name=name,
        passages=passages_of(name, tuple(documents.values()), work),
        questions=tuple(
            PeerQuestion(e.id, e.question, e.answers, frozenset({documents[e.context].id}))
            for e in sampled_questions(examples, questions, seed)
        ),
        bare_spans=True,
    )


def sample_task(work: Path | None = None) -> Task:
    """The bundled documents and questions, those without an answer included."""
    documents = sample_documents()
    return Task(
        name="sample",
        passages=passages_of("sample", documents, work),
        questions=tuple(
            PeerQuestion(
                q.id,
                q.question,
                q.answers,
                frozenset(
                    d.id for d in documents for gold in q.sources if same_source(d.source, gold)
                ),
                str(q.value) if q.value else None,
            )
            for q in bundled_questions()
        ),
        bare_spans=False,
    )


def passages_of(
    name: str, documents: Sequence[Document], work: Path | None = None
) -> tuple[Passage, ...]:
    """The passages of an index of the documents, as our own chunker cuts them."""
    by_id = {document.id: document for document in documents}
    with built_index(name, documents, work=work) as built:
        catalog = Catalog(built.path)
        try:
            changes = catalog.changes(0)
            assert changes is not None  # the log of changes always reaches back to the start
            texts = {chunk.id: chunk.text for chunk in changes.added}
            stored = catalog.chunks(list(texts))
        finally:
            catalog.close()
    return tuple(
        Passage(by_id[c.document_id], c.start, c.end, texts[c.id].removesuffix(f"\n{c.text}"))
        for c in (stored[id_].chunk for id_ in texts)
    )


def compare(
    task: Task, systems: Sequence[type[Peer]], *, work: Path | None = None
) -> Iterator[Measured]:
    """Measure one system after another; one that fails is named on stderr, and left out.

    Args:
        work: folder for the reader's weights as the peers read them, kept for the next time, and
            for the systems' indexes, which are removed.
    """
    work = work or cache_folder() / "eval"
    work.mkdir(parents=True, exist_ok=True)
    models = Setup(work, find_model(DEFAULT_EMBEDDER), _reader(work), task.bare_spans)
    for system in systems:
        try:
            yield measure(system, task, models)
        except Exception as error:  # peers raise whatever they like
            print(f"{system.name} failed: {error!r}", file=sys.stderr, flush=True)


def measure(system: type[Peer], task: Task, models: Setup) -> Measured:
    """Index, ask and start one system.

    Args:
        models: its `folder` is where the system gets one of its own, for as long as this takes.
    """
    with TemporaryDirectory(prefix="peer-", dir=models.folder) as folder:
        setup = replace(models, folder=Path(folder))
        built = in_fresh_process(_build, system, setup, task.passages)
        load = machine()["load"]
        asked = in_fresh_process(_ask, system, setup, task)
        kept = "disk" not in system.lacks
        start = _start_seconds(system, setup, task.questions[0].text) if kept else None
    return Measured(system=system, built=built, asked=asked, start_seconds=start, load=load)


def first_answer(system: str, question: str, *folders: str) -> None:
    """Open a system's index and answer one question: what a fresh process is timed with.

    Args:
        system: `module:class`.
        folders: those of a `Setup`, in its order.
    """
    module, _, name = system.partition(":")
    folder, embedder, reader = map(Path, folders)
    peer: Peer = getattr(import_module(module), name)(Setup(folder, embedder, reader))
    peer.load()
    if "answers" in peer.lacks:
        peer.search(question, TOP)
    else:
        peer.answer(question)


def _reader(work: Path) -> Path:
    """Our reader's weights as a Hugging Face folder; written once."""
    import json  # noqa: PLC0415

    from qa.reader import SHIPPED  # noqa: PLC0415

    digest = json.loads((SHIPPED / "reader.json").read_text(encoding="utf-8"))["sha256"]
    folder = work / f"reader-{digest[:16]}"
    if not folder.is_dir():
        in_fresh_process(export_reader, folder)
    return folder


@contextmanager
def _opened(system: type[Peer], setup: Setup, passages: Sequence[Passage]) -> Iterator[Peer]:
    """The system with its index, loaded, or built again where it keeps none."""
    peer = system(setup)
    try:
        if "disk" in peer.lacks:
            peer.index(passages)
        else:
            peer.load()
        yield peer
    finally:
        peer.close()


def _build(system: type[Peer], setup: Setup, passages: Sequence[Passage]) -> Built:
    peer = system(setup)
    peer.warm_up()
    start, cpu = time.perf_counter(), time.process_time()
    peer.index(passages)
    seconds, cpu_seconds = time.perf_counter() - start, time.process_time() - cpu
    kept = "disk" not in peer.lacks
    if kept:
        peer.save()
    peer.close()
    sizes = [file.stat().st_size for file in setup.folder.rglob("*") if file.is_file()]
    return Built(
        seconds=seconds,
        cpu_seconds=cpu_seconds,
        peak_mib=peak_memory_mib(),
        disk_mib=sum(sizes) / 2**20 if kept else None,
    )


def _ask(system: type[Peer], setup: Setup, task: Task) -> Asked:
    with _opened(system, setup, task.passages) as peer:
        _outcome(peer, task.questions[0].text)  # loads what is loaded late: the rest is warm
        outcomes = tuple(
            _outcome(peer, question.text)
            for question in tracked(task.questions, f"{system.name} answering {task.name}")
        )
        peak = peak_memory_mib()
        adding, removing = _changes(peer)
    return Asked(outcomes=outcomes, peak_mib=peak, adding=adding, removing=removing)


def _outcome(peer: Peer, question: str) -> Outcome:
    reply: Reply | None = None
    best: Span | None = None
    spans: tuple[str, ...] = ()
    answering: float | None = None
    if "answers" not in peer.lacks:
        cpu, start = time.process_time(), time.perf_counter()
        reply = peer.answer(question)
        answering, cpu = _since(start, time.perf_counter()), _since(cpu, time.process_time())
        candidates = peer.candidates(question)
        best = next(iter((*reply.spans, *candidates)), None)
        spans = tuple(span.text for span in candidates[:TOP])
    begun, start = time.process_time(), time.perf_counter()
    found = tuple(peer.search(question, TOP))
    searching = _since(start, time.perf_counter())
    if answering is None:
        cpu = _since(begun, time.process_time())
    return Outcome(
        found=found,
        reply=reply,
        best=best,
        spans=spans,
        searching=searching,
        answering=answering,
        cpu=cpu,
    )


def _changes(peer: Peer) -> tuple[float | None, float | None]:
    """Median milliseconds to add a passage and to remove one, each found and gone at once."""
    adding, removing = [], []
    for keeper in _KEEPERS:
        text = f"The lighthouse keeper {keeper} counted nineteen puffins on the rock."
        source = keeper.replace(" ", "-")
        document = Document(id=document_id(source), source=source, title=source, text=text)
        passage = Passage(document, 0, len(text), source)
        if "add" in peer.lacks:
            break
        start = time.perf_counter()
        peer.add(passage)
        adding.append(_since(start, time.perf_counter()))
        if passage.id not in peer.search(text, TOP):
            raise DatelineError(f"{peer.name} does not find a passage that was added.")
        if "remove" in peer.lacks:
            continue
        start = time.perf_counter()
        peer.remove(passage)
        removing.append(_since(start, time.perf_counter()))
        if passage.id in peer.search(text, TOP):
            raise DatelineError(f"{peer.name} finds a passage that was removed.")
    return _median(adding), _median(removing)


def _start_seconds(system: type[Peer], setup: Setup, question: str) -> float:
    folders = map(str, (setup.folder, setup.embedder, setup.reader))
    arguments = [f"{system.__module__}:{system.__name__}", question, *folders]
    runs = [run_fresh(["-c", _START, *arguments]) for _ in range(STARTS)]
    for run in runs:
        if run.code:
            raise DatelineError(f"A fresh process failed: {run.stderr.strip()[-500:]}")
    return statistics.median(run.seconds for run in runs)


def _since(start: float, now: float) -> float:
    return 1000 * (now - start)


def _median(values: Sequence[float]) -> float | None:
    return statistics.median(values) if values else None
