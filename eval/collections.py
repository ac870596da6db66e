"""Retrieval test collections in whatever shape they come.

A collection is a folder in BEIR's layout, or one with a `collection.toml` that names its parts:
either those of TREC,

    corpus = "documents/"          # JSON Lines with id, title and text, or TREC's <DOC> files
    topics = "topics.txt"
    qrels = "qrels.txt"
    field = "title"                # of the topics: title (default), description or narrative
    encoding = "latin-1"           # of corpus and topics; default utf-8

or questions and the index that they are about:

    questions = "questions.yaml"
    index = "../.dateline"

Paths are relative to the folder; `name` may be given too.
"""

from __future__ import annotations

import codecs
import html
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

from index import Document, EmbeddedIndex
from index.errors import LoadError, UsageError

from .datasets import Collection, collection_document, jsonl_documents, load_beir, unique
from .gold import find_gold
from .lines import lines
from .questions import read_questions
from .suggesting import instead_of
from .trec import TOPIC_FIELDS, TopicField, read_qrels, read_topics

DESCRIPTION = "collection.toml"
_TREC_KEYS = ("corpus", "topics", "qrels")
_OWN_KEYS = ("questions", "index")
_KEYS = ("name", *_TREC_KEYS, "field", "encoding", *_OWN_KEYS)

_EDGE = re.compile(r"(</?DOC>)", re.IGNORECASE)
_NUMBER = re.compile(r"<DOCNO>(.*?)</DOCNO>", re.IGNORECASE | re.DOTALL)
_TITLE = re.compile(
    r"<(HEADLINE|HEAD|TITLE|TTL|HL|TI)\b[^<>]*>(.*?)</\1>", re.IGNORECASE | re.DOTALL
)
_TEXT = re.compile(r"<(TEXT|LEADPARA|LP)\b[^<>]*>(.*?)</\1>", re.IGNORECASE | re.DOTALL)
_MARKUP = re.compile(r"<[/!]?[A-Za-z-][^<>]*>")


def load_collection(path: Path, split: str | None = None) -> Collection:
    """The collection in the folder `path`: in BEIR's layout, or with a `collection.toml`.

    Args:
        split: which of a BEIR folder's qrels to judge by.

    Raises:
        UsageError: it is none of these, or a part is missing.
        LoadError: a file is damaged; the message names the line.
    """
    if (path / DESCRIPTION).is_file():
        if split:
            raise UsageError(
                f"{path} has one set of judgements, no split {split!r}.", "Leave --split out."
            )
        return _described(path)
    if not any(path.glob("corpus.jsonl*")):
        raise UsageError(
            f"{path} is no collection.",
            "Give a folder in the BEIR layout (corpus.jsonl, queries.jsonl, qrels/test.tsv) or one"
            f" with a {DESCRIPTION} that names corpus, topics and qrels.",
        )
    return load_beir(path, split)


def load_trec(
    corpus: Path,
    topics: Path,
    qrels: Path,
    *,
    name: str | None = None,
    field: TopicField = "title",
    encoding: str = "utf-8",
) -> Collection:
    """A collection from TREC's three parts; its queries are the judged topics, in the qrels' order.

    Args:
        corpus: a file, or a folder of files, of JSON Lines or of TREC's <DOC>s.
        name: default the corpus' name.
        field: which part of a topic is the query.
        encoding: of the corpus, unless it is JSON, and of the topics.

    Raises:
        UsageError: a part is missing.
        LoadError: a file is damaged, or a query is judged that is no topic.
    """
    texts = read_topics(topics, field, encoding=encoding)
    judged = read_qrels(qrels)
    alike = {topic.lstrip("0"): topic for topic in texts if topic.isdigit()}
    queries: dict[str, str] = {}
    for query in judged:
        topic = query if query in texts else alike.get(query.lstrip("0"))  # "51" is topic "051"
        if topic is None:
            raise LoadError(
                f"{qrels} line {_line_of(query, qrels)} judges query {query!r}, which is no topic"
                f" of {topics}.",
                "Give the judgements and the topics of the same collection.",
            )
        queries[query] = texts[topic]
    return Collection(
        name=name or corpus.resolve().name.split(".")[0],
        documents=unique(_corpus(corpus, encoding)),
        queries=queries,
        qrels=judged,
    )


def load_own(questions: Path, index: Path, *, name: str | None = None) -> Collection:
    """Questions about an index as a collection: the documents that answer one have grade 1.

    White space in sources and in the questions' ids is written as in a URL (%20), for the sake of
    TREC's files. Questions without sources and passages are left out.

    Raises:
        IndexNotFoundError: there is no index in that folder.
        LoadError: the file is damaged, or names no document of the index.
    """
    asked = read_questions(questions).questions
    with EmbeddedIndex.open(index, create=False) as opened:
        gold = find_gold(opened, asked)
        documents = [opened.get(info.id) for info in opened.documents()]
    ids = {found.id: _without_blanks(found.source) for found in documents if found}
    qrels = {
        _without_blanks(question.id): {ids[document]: 1 for document in sorted(found)}
        for question in asked
        if (found := gold[question.id].documents)
    }
    if not qrels:
        raise LoadError(
            f"No document of {index} answers a question of {questions}.",
            "Name the documents under `sources`, as `dateline status --documents` shows them.",
        )
    texts = {_without_blanks(question.id): question.question for question in asked}
    return Collection(
        name=name or questions.name.split(".")[0],
        documents=tuple(replace(found, source=ids[found.id]) for found in documents if found),
        queries={query: texts[query] for query in qrels},
        qrels=qrels,
    )


def _described(folder: Path) -> Collection:
    path = folder / DESCRIPTION
    try:
        described = tomllib.loads("\n".join(line for _, line in lines(path, skip_blank=False)))
    except tomllib.TOMLDecodeError as error:
        raise LoadError(f"{path} is not TOML: {error}.") from error
    for key, value in described.items():
        if key not in _KEYS:
            raise UsageError(f"{path}: {key!r} means nothing.", instead_of(key, _KEYS))
        if not isinstance(value, str) or not value:
            raise UsageError(f"{path}: {key} wants a text in quotes.", f'As in {key} = "...".')
    given = [set(described) & {*keys} for keys in (_TREC_KEYS, _OWN_KEYS)]
    name = described.get("name", folder.resolve().name)
    if given[0] == {*_TREC_KEYS} and not given[1]:
        corpus, topics, qrels = (folder / described[key] for key in _TREC_KEYS)
        field, encoding = _topic_field(described, path), _encoding(described, path)
        return load_trec(corpus, topics, qrels, name=name, field=field, encoding=encoding)
    if given[1] == {*_OWN_KEYS} and not given[0]:
        return load_own(folder / described["questions"], folder / described["index"], name=name)
    raise UsageError(
        f"{path} does not name the parts of a collection.",
        "Name corpus, topics and qrels, or questions and index.",
    )


def _topic_field(described: Mapping[str, Any], path: Path) -> TopicField:
    wanted = described.get("field", "title")
    for field in TOPIC_FIELDS:
        if field == wanted:
            return field
    raise UsageError(f"{path}: topics have no {wanted!r}.", instead_of(wanted, TOPIC_FIELDS))


def _encoding(described: Mapping[str, Any], path: Path) -> str:
    encoding = str(described.get("encoding", "utf-8"))
    try:
        codecs.lookup(encoding)
    except LookupError as error:
        raise UsageError(
            f"{path}: there is no encoding {encoding!r}.", "Try utf-8 or latin-1."
        ) from error
    return encoding


def _line_of(query: str, qrels: Path) -> int:
    return next(number for number, line in lines(qrels) if line.split()[0] == query)


def _corpus(path: Path, encoding: str) -> Iterator[tuple[str, Document]]:
    if not path.exists():
        raise UsageError(f"There is no corpus {path}.", "Check the path.")
    files = sorted(file for file in path.rglob("*") if file.is_file()) if path.is_dir() else [path]
    for file in files:
        if ".jsonl" in file.suffixes:
            yield from jsonl_documents(file)
        else:
            yield from _marked_up(file, encoding)


def _marked_up(path: Path, encoding: str) -> Iterator[tuple[str, Document]]:
    """The documents between <DOC> and </DOC>."""
    start, text, found = "", "", False
    for number, line in lines(path, skip_blank=False, encoding=encoding):
        where = f"{path} line {number}"
        for part in _EDGE.split(f"{line}\n"):
            if part.upper() == "<DOC>":
                if start:
                    raise LoadError(f"{where}: the document of {start} is not closed.")
                start, text, found = where, "", True
            elif part.upper() == "</DOC>":
                if not start:
                    raise LoadError(f"{where}: </DOC> closes nothing.")
                yield start, _document(start, text)
                start = ""
            else:
                text += part
    if start:
        raise LoadError(f"{start}: the document is not closed.", "Was the file cut short?")
    if not found:
        raise LoadError(f"{path} holds no <DOC>.", "Name JSON Lines files .jsonl or .jsonl.gz.")


def _document(where: str, text: str) -> Document:
    number = _NUMBER.search(text)
    if not number or not number[1].strip():
        raise LoadError(f"{where}: the document has no <DOCNO>.")
    titled = _TITLE.search(text)
    title = " ".join(_plain(titled[2]).split()) if titled else ""
    body = "\n".join(_plain(found[2]) for found in _TEXT.finditer(text))
    body = body.strip() or _plain(_TITLE.sub("", _NUMBER.sub("", text), count=1)).strip() or title
    return collection_document(number[1].strip(), title, body)


def _plain(text: str) -> str:
    return html.unescape(_MARKUP.sub(" ", text))


def _without_blanks(source: str) -> str:
    return re.sub(r"\s", lambda blank: quote(blank[0]), source)
