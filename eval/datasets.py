"""Readers of evaluation data: BEIR folders, SQuAD files, and the bundled sample's questions.

Formats: BEIR (Thakur et al., NeurIPS Datasets 2021): `corpus.jsonl[.gz]`, `queries.jsonl[.gz]`,
`qrels/*.tsv`. SQuAD (Rajpurkar et al., EMNLP 2016 and ACL 2018): the official `.json`, or one
question a line as `.jsonl[.gz]` with `{"id", "title", "context", "question",
"answers": [{"text", "start"}], "is_impossible"}`.
"""

from __future__ import annotations

import gzip
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from index.document import Document, document_id
from index.errors import LoadError, UsageError

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Collection:
    """A retrieval test collection.

    Attributes:
        documents: `source` is the collection's own document id, the one the qrels use.
        queries: text by query id, judged queries only, in file order.
        qrels: relevance grade by query id, then by document id.
    """

    name: str
    documents: tuple[Document, ...]
    queries: Mapping[str, str]
    qrels: Mapping[str, Mapping[str, int]]


@dataclass(frozen=True, slots=True)
class Example:
    """A SQuAD question over one paragraph; `answers` is empty when `is_impossible`.

    Its `type` is the kind of question, where the file tells kinds apart; else empty.
    """

    id: str
    title: str
    context: str
    question: str
    answers: tuple[str, ...]
    is_impossible: bool
    type: str = ""


@dataclass(frozen=True, slots=True)
class SampleQuestion:
    """A question over the bundled sample corpus.

    Attributes:
        answers: every wording that counts as right; empty when `unanswerable`.
        sources: the files that answer it, relative to the sample folder; empty if there is none.
        type: the kind of question ("who", "when", ...).
        value: the resolved value expected of the answer, as in the answer record, or None.
    """

    id: str
    question: str
    answers: tuple[str, ...]
    sources: tuple[str, ...]
    type: str
    value: object
    unanswerable: bool


def load_beir(folder: Path, split: str | None = None) -> Collection:
    """The BEIR collection in `folder`, judged by `qrels/{split}.tsv`.

    Args:
        split: may be left out where there is one qrels file, or one called `test`.

    Raises:
        UsageError: a part is missing, or the split is ambiguous.
        LoadError: a file is damaged; the message names the line.
    """
    if not folder.is_dir():
        raise UsageError(f"{folder} is not a folder.", "Give a folder in the BEIR layout.")
    documents: dict[str, Document] = {}
    corpus = _part(folder, "corpus")
    for where, record in _records(corpus):
        source = _field(record, "_id", str, where)
        if source in documents:
            raise LoadError(f"{where}: document id {source!r} appears twice.")
        title = _field(record, "title", str, where, default="")
        text = _field(record, "text", str, where) or title
        documents[source] = Document(
            id=document_id(source), source=source, title=title, text=text.replace("\r\n", "\n")
        )
    queries = {
        _field(record, "_id", str, where): _field(record, "text", str, where)
        for where, record in _records(_part(folder, "queries"))
    }
    qrels = _read_qrels(_qrels_file(folder, split), queries)
    judged = {query: text for query, text in queries.items() if query in qrels}
    return Collection(folder.resolve().name, tuple(documents.values()), judged, qrels)


def load_squad(path: Path) -> tuple[Example, ...]:
    """The questions of a SQuAD file, in file order; the format follows from the file's name.

    Raises:
        UsageError: the file is missing or its name says neither `.json` nor `.jsonl`.
        LoadError: it is damaged; the message names the line, or the place in the JSON tree.
    """
    if not path.is_file():
        raise UsageError(f"There is no file {path}.", "Give a SQuAD .json or .jsonl[.gz] file.")
    suffix = Path(path.name.removesuffix(".gz")).suffix
    if suffix == ".jsonl":
        return tuple(_example(record, record, where) for where, record in _records(path))
    if suffix == ".json":
        return tuple(_official_squad(path))
    raise UsageError(
        f"The name of {path} does not say its format.", "Name it .json, .jsonl or .jsonl.gz."
    )


def load_sample_questions(path: Path) -> tuple[SampleQuestion, ...]:
    """The questions over the sample corpus, one JSON record a line.

    Raises:
        LoadError: a line is damaged; the message names it.
    """
    return tuple(
        SampleQuestion(
            id=_field(record, "id", str, where),
            question=_field(record, "question", str, where),
            answers=_strings(record.get("answers"), where),
            sources=_strings(record.get("source"), where),
            type=_field(record, "type", str, where),
            value=record.get("value"),
            unanswerable=_field(record, "unanswerable", bool, where, default=False),
        )
        for where, record in _records(path)
    )


def paragraph_documents(examples: Iterable[Example]) -> dict[str, Document]:
    """Every distinct context as a document, by context, in order of first appearance.

    The title is the article's with underscores as spaces; the source is `title/number`, where
    number counts the article's paragraphs from 1.
    """
    documents: dict[str, Document] = {}
    seen: Counter[str] = Counter()
    for example in examples:
        if example.context in documents:
            continue
        title = example.title.replace("_", " ")
        seen[title] += 1
        source = f"{title}/{seen[title]}"
        documents[example.context] = Document(
            id=document_id(source), source=source, title=title, text=example.context
        )
    return documents


def _part(folder: Path, name: str) -> Path:
    for candidate in (folder / f"{name}.jsonl", folder / f"{name}.jsonl.gz"):
        if candidate.is_file():
            return candidate
    raise UsageError(
        f"{folder} has neither {name}.jsonl nor {name}.jsonl.gz.",
        "Give a folder in the BEIR layout: corpus.jsonl, queries.jsonl, qrels/test.tsv.",
    )


def _qrels_file(folder: Path, split: str | None) -> Path:
    found = {path.stem: path for path in sorted((folder / "qrels").glob("*.tsv"))}
    if not found:
        raise UsageError(f"{folder} has no qrels/*.tsv.", "Add the judgements, BEIR layout.")
    wanted = split or ("test" if len(found) > 1 else next(iter(found)))
    if wanted not in found:
        raise UsageError(
            f"{folder} has no qrels/{wanted}.tsv.", f"Choose one of: {', '.join(found)}."
        )
    return found[wanted]


def _read_qrels(path: Path, queries: Mapping[str, str]) -> dict[str, dict[str, int]]:
    qrels: dict[str, dict[str, int]] = {}
    for number, line in _lines(path):
        fields = line.split("\t")
        if number == 1 and fields[0] == "query-id":
            continue
        try:
            query, source, grade = fields[0], fields[1], int(fields[2])
        except (IndexError, ValueError) as error:
            raise LoadError(
                f"{path} line {number} is not `query<TAB>document<TAB>whole number`."
            ) from error
        if query not in queries:
            raise LoadError(f"{path} line {number} judges query {query!r}, which does not exist.")
        qrels.setdefault(query, {})[source] = grade
    if not qrels:
        raise LoadError(f"{path} holds no judgement.")
    return qrels


def _official_squad(path: Path) -> Iterator[Example]:
    try:
        tree = json.loads("\n".join(line for _, line in _lines(path, skip_blank=False)))
    except json.JSONDecodeError as error:
        raise LoadError(f"{path} line {error.lineno} is not JSON: {error.msg}.") from error
    if not isinstance(tree, dict):
        raise LoadError(f"{path} is not a SQuAD file: its top level is not an object.")
    for a, article in enumerate(_field(tree, "data", list, str(path))):
        where = f"{path} data[{a}]"
        for p, paragraph in enumerate(_field(article, "paragraphs", list, where)):
            for q, question in enumerate(
                _field(paragraph, "qas", list, f"{where}.paragraphs[{p}]")
            ):
                place = f"{where}.paragraphs[{p}].qas[{q}]"
                passage = {"title": article.get("title"), "context": paragraph.get("context")}
                yield _example(question, passage, place)


def _example(question: object, passage: Mapping[str, object], where: str) -> Example:
    """One question; `passage` holds title and context, which JSONL keeps in the same record."""
    answers = tuple(
        _field(answer, "text", str, where) for answer in _field(question, "answers", list, where)
    )
    impossible = _field(question, "is_impossible", bool, where, default=False)
    if not answers and not impossible:
        raise LoadError(f"{where} has no answer and does not say that it is impossible.")
    return Example(
        id=_field(question, "id", str, where),
        title=_field(passage, "title", str, where, default=""),
        context=_field(passage, "context", str, where),
        question=_field(question, "question", str, where),
        answers=() if impossible else answers,
        is_impossible=impossible,
        type=_field(question, "type", str, where, default=""),
    )


def _field(record: object, key: str, kind: type[T], where: str, *, default: T | None = None) -> T:
    value = record.get(key) if isinstance(record, dict) else None
    if value is None and default is not None:
        return default
    if not isinstance(value, kind):
        found = "is missing" if value is None else f"is of type {type(value).__name__}"
        raise LoadError(f"{where}: field {key!r} {found}, wanted {kind.__name__}.")
    return value


def _strings(value: object, where: str) -> tuple[str, ...]:
    """A string, a list of strings, or nothing."""
    values = value if isinstance(value, list) else [] if value is None else [value]
    if not all(isinstance(item, str) for item in values):
        raise LoadError(f"{where}: {value!r} is not a string or a list of strings.")
    return tuple(values)


def _records(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """The JSON objects of a JSON Lines file, each with `path line N` for error messages."""
    for number, line in _lines(path):
        where = f"{path} line {number}"
        try:
            record = json.loads(line)
        except json.JSONDecodeError as error:
            raise LoadError(f"{where} is not JSON: {error.msg}.") from error
        if not isinstance(record, dict):
            raise LoadError(f"{where} is not a JSON object.")
        yield where, record


def _lines(path: Path, *, skip_blank: bool = True) -> Iterator[tuple[int, str]]:
    """Numbered lines of a UTF-8 file, gzipped if its name says so."""
    number = 0
    try:
        with gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb") as file:
            for number, raw in enumerate(file, start=1):
                line = raw.decode("utf-8-sig" if number == 1 else "utf-8").rstrip("\r\n")
                if line.strip() or not skip_blank:
                    yield number, line
    except UnicodeDecodeError as error:
        raise LoadError(f"{path} line {number} is not UTF-8.", "Convert the file.") from error
    except (OSError, EOFError) as error:
        raise LoadError(
            f"{path} cannot be read after line {number}: {error}.", "Fetch the file again."
        ) from error
