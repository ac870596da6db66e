"""Readers of evaluation data: BEIR folders and SQuAD files.

Formats: BEIR (Thakur et al., NeurIPS Datasets 2021): `corpus.jsonl[.gz]`, `queries.jsonl[.gz]`,
`qrels/*.tsv`. SQuAD (Rajpurkar et al., EMNLP 2016 and ACL 2018): the official `.json`, or one
question a line as `.jsonl[.gz]` with `{"id", "title", "context", "question",
"answers": [{"text", "start"}], "is_impossible"}`.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from index.document import Document, document_id
from index.errors import LoadError, UsageError

from .lines import field, lines, records


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
    documents = unique(jsonl_documents(_part(folder, "corpus")))
    queries = {
        field(record, "_id", str, where): field(record, "text", str, where)
        for where, record in records(_part(folder, "queries"))
    }
    qrels = _read_qrels(_qrels_file(folder, split), queries)
    judged = {query: text for query, text in queries.items() if query in qrels}
    return Collection(folder.resolve().name, documents, judged, qrels)


def jsonl_documents(path: Path) -> Iterator[tuple[str, Document]]:
    """The documents of a JSON Lines file, each with where it stands: `_id` or `id`, title, text.

    A document without a text has its title for one.

    Raises:
        LoadError: a line is damaged.
    """
    for where, record in records(path):
        source = field(
            record, "id" if "_id" not in record and "id" in record else "_id", str, where
        )
        title = field(record, "title", str, where, default="")
        text = field(record, "text", str, where) or title
        yield where, collection_document(source, title, text.replace("\r\n", "\n"))


def collection_document(source: str, title: str, text: str) -> Document:
    """A document of a test collection; `source` is the collection's own id for it."""
    return Document(id=document_id(source), source=source, title=title, text=text)


def unique(documents: Iterable[tuple[str, Document]]) -> tuple[Document, ...]:
    """The documents, which come with where they stand.

    Raises:
        LoadError: an id appears twice.
    """
    known: dict[str, Document] = {}
    for where, document in documents:
        if document.source in known:
            raise LoadError(f"{where}: document id {document.source!r} appears twice.")
        known[document.source] = document
    return tuple(known.values())


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
        return tuple(_example(record, record, where) for where, record in records(path))
    if suffix == ".json":
        return tuple(_official_squad(path))
    raise UsageError(
        f"The name of {path} does not say its format.", "Name it .json, .jsonl or .jsonl.gz."
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
    for number, line in lines(path):
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
        tree = json.loads("\n".join(line for _, line in lines(path, skip_blank=False)))
    except json.JSONDecodeError as error:
        raise LoadError(f"{path} line {error.lineno} is not JSON: {error.msg}.") from error
    if not isinstance(tree, dict):
        raise LoadError(f"{path} is not a SQuAD file: its top level is not an object.")
    for a, article in enumerate(field(tree, "data", list, str(path))):
        where = f"{path} data[{a}]"
        for p, paragraph in enumerate(field(article, "paragraphs", list, where)):
            for q, question in enumerate(field(paragraph, "qas", list, f"{where}.paragraphs[{p}]")):
                place = f"{where}.paragraphs[{p}].qas[{q}]"
                passage = {"title": article.get("title"), "context": paragraph.get("context")}
                yield _example(question, passage, place)


def _example(question: object, passage: Mapping[str, object], where: str) -> Example:
    """One question; `passage` holds title and context, which JSONL keeps in the same record."""
    answers = tuple(
        field(answer, "text", str, where) for answer in field(question, "answers", list, where)
    )
    impossible = field(question, "is_impossible", bool, where, default=False)
    if not answers and not impossible:
        raise LoadError(f"{where} has no answer and does not say that it is impossible.")
    return Example(
        id=field(question, "id", str, where),
        title=field(passage, "title", str, where, default=""),
        context=field(passage, "context", str, where),
        question=field(question, "question", str, where),
        answers=() if impossible else answers,
        is_impossible=impossible,
        type=field(question, "type", str, where, default=""),
    )
