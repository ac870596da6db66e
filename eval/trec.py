"""TREC's files: topics, judgements (qrels) and runs, as trec_eval and its users write them.

Formats: https://trec.nist.gov/data/test_coll.html and the README of trec_eval. White space parts
the columns of qrels (`query iteration document grade`) and runs (`query Q0 document rank score
tag`); files whose names end in .gz are gzipped.
"""

from __future__ import annotations

import gzip
import html
import math
import os
import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from itertools import accumulate, zip_longest
from pathlib import Path
from typing import Literal, NamedTuple, TypeAlias

from index.errors import LoadError, UsageError

from .lines import lines

Qrels: TypeAlias = dict[str, dict[str, int]]  # grade by query id, then by document id
Run: TypeAlias = dict[str, dict[str, float]]  # score by query id, then by document id
TopicField = Literal["title", "description", "narrative"]

# What stands for each field of a topic: TREC's own tags, those of its XML topics, no tag at all.
TOPIC_FIELDS: Mapping[TopicField, tuple[str, ...]] = {
    "title": ("title", "query", ""),
    "description": ("desc", "description", "question"),
    "narrative": ("narr", "narrative"),
}
_NUMBERS = ("num", "number", "identifier")

_TAG = re.compile(r"<(?P<end>/?)(?P<name>[A-Za-z][\w-]*)(?P<attributes>[^<>]*)>")
_ATTRIBUTE = re.compile(r"\b(?:number|num|id)\s*=\s*[\"']([^\"']*)[\"']")
_LABEL = re.compile(r"\A\s*(?:Number|Topic|Description|Narrative)\s*:", re.IGNORECASE)
_UNWRITABLE = re.compile(r"[\s\ud800-\udfff]")  # lone surrogates are not UTF-8
_COLUMN = re.compile(r"[^ \t\n\r\f\v]+")  # what C calls white space, not what Unicode does


class _Topic(NamedTuple):
    """A topic as marked up: where it begins, and its texts by tag, without a tag under ""."""

    where: str
    texts: dict[str, str]


def read_topics(
    path: Path, field: TopicField = "title", *, encoding: str = "utf-8"
) -> dict[str, str]:
    """Query text by topic number, in file order.

    Reads TREC's classic `<top>` blocks with their open tags, its later XML (`<topic number="1">`),
    and one query a line, `number<TAB>text`, which has titles only.

    Raises:
        UsageError: there is no such file, or its topics do not have that field.
        LoadError: it is damaged; the message names the line.
    """
    text = [line for _, line in lines(_existing(path), skip_blank=False, encoding=encoding)]
    first = next((line for line in text if line.strip()), "")
    marked_up = first.lstrip().startswith("<")
    found = _marked_up(path, text, field) if marked_up else _tabbed(path, text, field)
    topics: dict[str, str] = {}
    for where, number, query in found:
        if number in topics:
            raise LoadError(f"{where}: topic {number!r} appears twice.")
        topics[number] = query
    if not topics:
        raise LoadError(f"{path} holds no topic.")
    return topics


def read_qrels(path: Path) -> Qrels:
    """Grades by query id, then by document id, in file order.

    Raises:
        UsageError: there is no such file.
        LoadError: it is damaged or empty; the message names the line.
    """
    qrels: Qrels = {}
    for where, (query, _, source, grade) in _rows(path, "query iteration document grade"):
        try:
            value = int(grade)
        except ValueError as error:
            raise LoadError(f"{where}: the grade {grade!r} is not a whole number.") from error
        if source in qrels.setdefault(query, {}):
            raise LoadError(f"{where} judges document {source!r} for query {query!r} again.")
        qrels[query][source] = value
    if not qrels:
        raise LoadError(f"{path} holds no judgement.")
    return qrels


def read_run(path: Path) -> Run:
    """Scores by query id, then by document id, best first as trec_eval orders them (`ranked`).

    The ranks in the file are not looked at, as trec_eval does not.

    Raises:
        UsageError: there is no such file.
        LoadError: it is damaged or empty; the message names the line.
    """
    run: Run = {}
    for where, (query, _, source, _, score, _) in _rows(path, "query Q0 document rank score tag"):
        try:
            value = float(score)
        except ValueError as error:
            raise LoadError(f"{where}: the score {score!r} is not a number.") from error
        if not math.isfinite(value):
            raise LoadError(f"{where}: the score {score} orders nothing.", "Give finite numbers.")
        if source in run.setdefault(query, {}):
            raise LoadError(f"{where} names document {source!r} for query {query!r} again.")
        run[query][source] = value
    if not run:
        raise LoadError(f"{path} holds no result.", "Was the run cut short?")
    return {query: ranked(scores) for query, scores in run.items()}


def write_run(path: Path, run: Mapping[str, Mapping[str, float]], tag: str) -> None:
    """Write a run: `query Q0 document rank score tag`, ranks from 1 in the order of `ranked`.

    Scores are written so that reading them gives the same numbers, so the file measures what the
    run in memory does. It is written beside its place and renamed: half a run looks like a bad one.

    Raises:
        UsageError: a name that has white space or is empty, or a score that is not finite; nothing
            is written.
    """
    text = "".join(
        f"{_name(query)} Q0 {_name(source)} {rank} {_finite(score, query)!r} {_name(tag)}\n"
        for query, scores in run.items()
        for rank, (source, score) in enumerate(ranked(scores).items(), start=1)
    )
    data = text.encode()
    temporary = path.with_name(f"{path.name}.tmp")
    try:
        temporary.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def ranked(scores: Mapping[str, float]) -> dict[str, float]:
    """The documents of one query as trec_eval orders them: by score, equal ones by id, descending.

    (It keeps scores in single precision, so there may be more equal ones for it.)
    """
    return dict(sorted(scores.items(), key=lambda item: (item[1], item[0]), reverse=True))


def _rows(path: Path, columns: str) -> Iterator[tuple[str, list[str]]]:
    wanted = len(columns.split())
    for number, line in lines(_existing(path)):
        found = _COLUMN.findall(line)
        if len(found) != wanted:
            kind = {4: "Is it a qrels file?", 6: "Is it a run?"}.get(len(found), "")
            raise LoadError(
                f"{path} line {number} has {len(found)} columns, not {wanted}: `{columns}`.", kind
            )
        yield f"{path} line {number}", found


def _marked_up(path: Path, text: list[str], field: TopicField) -> Iterator[tuple[str, str, str]]:
    for topic in _topics(path, text):
        number = next((topic.texts[name] for name in _NUMBERS if topic.texts.get(name)), "")
        if not number:
            raise LoadError(f"{topic.where}: the topic has no number.")
        texts = (topic.texts.get(name) for name in TOPIC_FIELDS[field])
        query = next((text for text in texts if text), None)
        if query is None:
            has = [f for f, names in TOPIC_FIELDS.items() if any(topic.texts.get(n) for n in names)]
            raise UsageError(
                f"{topic.where}: topic {number} has no {field}.",
                f"It has: {', '.join(has)}." if has else "",
            )
        yield topic.where, number, query


def _topics(path: Path, numbered: list[str]) -> Iterator[_Topic]:
    """The topics of a marked-up file: a tag's text goes on to the next tag, closed or not."""
    text = "\n".join(numbered)
    starts = list(accumulate((len(line) + 1 for line in numbered), initial=0))
    topic: _Topic | None = None
    tags = list(_TAG.finditer(text))
    for tag, following in zip_longest(tags, tags[1:]):
        name = tag["name"].lower()
        where = f"{path} line {bisect_right(starts, tag.start())}"
        if name in ("top", "topic"):
            if topic is not None and not tag["end"]:
                raise LoadError(f"{where}: the topic of {topic.where} is not closed.")
            if topic is not None:
                yield topic
            topic = None if tag["end"] else _Topic(where, {})
            if topic is not None and (number := _ATTRIBUTE.search(tag["attributes"])):
                topic.texts["number"] = number[1].strip()
        if topic is not None and not tag["end"]:
            words = html.unescape(text[tag.end() : following.start() if following else None])
            key = "" if name in ("top", "topic") else name
            topic.texts.setdefault(key, " ".join(_LABEL.sub("", words).split()))
    if topic is not None:
        raise LoadError(f"{topic.where}: the topic is not closed.", "Was the file cut short?")


def _tabbed(path: Path, text: list[str], field: TopicField) -> Iterator[tuple[str, str, str]]:
    if field != "title":
        raise UsageError(f"{path} has one text a topic, no {field}.", "Choose the title.")
    for number, line in enumerate(text, start=1):
        topic, tab, query = line.partition("\t")
        if not line.strip():
            continue
        if not (tab and topic.strip() and query.strip()):
            raise LoadError(f"{path} line {number} is not `number<TAB>text`.")
        yield f"{path} line {number}", topic.strip(), " ".join(query.split())


def _existing(path: Path) -> Path:
    if not path.is_file():
        raise UsageError(f"There is no file {path}.", "Check the path.")
    return path


def _name(name: str) -> str:
    if not name or _UNWRITABLE.search(name):
        raise UsageError(f"{name!r} cannot stand in a TREC run: its columns have no white space.")
    return name


def _finite(score: float, query: str) -> float:
    if not math.isfinite(score):
        raise UsageError(f"Query {query!r} has the score {score}, which orders nothing.")
    return float(score)
