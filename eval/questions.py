"""Questions about one's own documents, with what answers them: YAML, JSON Lines or CSV.

A question has these fields, of which only the first is needed together with one of the next four:

    question      as somebody would ask it
    answers       every wording that counts as right
    sources       the documents that answer it, as `dateline status --documents` shows them, or the
                  end of that: "minutes.docx" is any folder's
    passages      quotes that should be found, word for word; white space does not matter
    unanswerable  true where the documents do not answer it
    type, slot    kinds of questions, to tell results apart by: "why", "who"
    value         what the answer stands for: "2024-03-04"
    note          anything; not used
    id            default the number of the entry

A single answer, source or passage may stand under `answer`, `source`, `passage`. In YAML and JSON
Lines several are a list; in CSV each has a column of its own, under the same name. What has no
question yet (see `dateline eval init`) is skipped and counted.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import as_file, files
from pathlib import Path
from typing import Literal, NamedTuple, TypeAlias

import yaml

from index.errors import LoadError, UsageError

from .lines import lines, records
from .suggesting import instead_of

Format = Literal["yaml", "jsonl", "csv"]

_LISTS = {"answer": "answers", "source": "sources", "passage": "passages"}  # by the singular
_TEXTS = ("id", "question", "type", "slot", "value", "note")
FIELDS = (*_TEXTS, *_LISTS.values(), "unanswerable")
_FLAGS = {"": False, "false": False, "no": False, "true": True, "yes": True}


@dataclass(frozen=True, slots=True, kw_only=True)
class GoldQuestion:
    """A question and what answers it.

    Attributes:
        answers: every wording that counts as right; empty when `unanswerable`, or if not given.
        sources: ends of the sources of the documents that answer it.
        passages: quotes that should be found, up to white space.
        type, slot: kinds of questions ("why", "who"), or "".
        value: the resolved value expected of the answer, as in the answer record, or None.
        where: file and line, for messages.
    """

    id: str
    question: str
    answers: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    passages: tuple[str, ...] = ()
    unanswerable: bool = False
    type: str = ""
    slot: str = ""
    value: str | None = None
    note: str = ""
    where: str = ""


class QuestionFile(NamedTuple):
    """The questions of a file, and how many entries are still without one."""

    questions: tuple[GoldQuestion, ...]
    unfilled: int


# A value as its format gives it, and where it stands; texts are not taken for numbers or dates.
_Field: TypeAlias = tuple[object, str]


class _Entry(NamedTuple):
    where: str
    fields: Mapping[str, _Field]


def read_questions(path: Path) -> QuestionFile:
    """The questions of a file, in its order; the format follows from the file's name.

    Raises:
        UsageError: there is no such file, or its name says no format.
        LoadError: it is damaged, or an entry makes no sense; the message names the line.
    """
    if not path.is_file():
        raise UsageError(f"There is no file {path}.", "`dateline eval init` writes one to fill in.")
    read = {"yaml": _yaml_entries, "jsonl": _jsonl_entries, "csv": _csv_entries}[format_of(path)]
    questions: dict[str, GoldQuestion] = {}
    unfilled = 0
    for number, entry in enumerate(read(path), start=1):
        question = _question(entry, str(number))
        if question is None:
            unfilled += 1
        elif question.id in questions:
            raise LoadError(
                f"{question.where}: the id {question.id!r} is also that of"
                f" {questions[question.id].where}.",
                "Give each question its own, or none.",
            )
        else:
            questions[question.id] = question
    if not questions and not unfilled:
        raise LoadError(f"{path} holds no question.", "`dateline eval init` writes a template.")
    return QuestionFile(tuple(questions.values()), unfilled)


def format_of(path: Path) -> Format:
    """The format that a file's name says it has; .gz is looked through.

    Raises:
        UsageError: it says none.
    """
    match Path(path.name.removesuffix(".gz")).suffix.lower():
        case ".yaml" | ".yml":
            return "yaml"
        case ".jsonl":
            return "jsonl"
        case ".csv":
            return "csv"
    raise UsageError(
        f"The name of {path} does not say its format.", "Name it .yaml, .jsonl or .csv."
    )


def bundled_questions() -> tuple[GoldQuestion, ...]:
    """The questions over the bundled sample corpus."""
    with as_file(files("eval") / "sample_questions.jsonl") as path:
        return read_questions(path).questions


def _question(entry: _Entry, number: str) -> GoldQuestion | None:
    """The question of an entry; None if it has none yet."""
    fields: dict[str, _Field] = {}
    for given, (value, where) in entry.fields.items():
        name = _known(given, where)
        if name in fields:
            raise LoadError(f"{where}: both {name[:-1]!r} and {name!r} are given.", "Join them.")
        fields[name] = value, where
    texts = {name: _text(name, fields.get(name)) for name in _TEXTS}
    lists = {name: _strings(name, fields.get(name)) for name in _LISTS.values()}
    unanswerable = _flag(fields.get("unanswerable"))
    if not texts["question"]:
        if lists["answers"] or unanswerable:
            raise LoadError(f"{entry.where} has an answer but no question.", "Write the question.")
        return None
    answered = [name for name, values in lists.items() if values]
    if unanswerable and answered:
        raise LoadError(
            f"{entry.where} is unanswerable, yet has {' and '.join(answered)}.",
            "Remove the one or the other.",
        )
    if not unanswerable and not answered:
        raise LoadError(
            f"{entry.where} does not say what answers the question.",
            "Give answers, sources or passages, or unanswerable: true.",
        )
    return GoldQuestion(
        id=texts["id"] or number,
        question=texts["question"],
        unanswerable=unanswerable,
        type=texts["type"],
        slot=texts["slot"],
        value=texts["value"] or None,
        note=texts["note"],
        where=entry.where,
        **lists,
    )


def _known(given: str, where: str) -> str:
    """The field that a name stands for."""
    name = _LISTS.get(given, given)
    if name not in FIELDS:
        raise LoadError(f"{where}: there is no field {given!r}.", instead_of(given, FIELDS))
    return name


def _text(name: str, found: _Field | None) -> str:
    value, where = found or (None, "")
    if value is None:
        return ""
    if not isinstance(value, str):
        raise LoadError(f"{where}: {name} is {_kind(value)}, wanted a text.")
    return " ".join(value.split())


def _strings(name: str, found: _Field | None) -> tuple[str, ...]:
    """A text, a list of texts, or nothing; empty ones are not filled in."""
    value, where = found or (None, "")
    texts: list[str] = []
    for one in value if isinstance(value, list) else [value]:
        if not isinstance(one, str | None):
            raise LoadError(f"{where}: {name} holds {_kind(one)}, wanted a text or several.")
        texts += [one.strip()] if one and one.strip() else []
    return tuple(texts)


def _flag(found: _Field | None) -> bool:
    value, where = found or (None, "")
    flag = value if isinstance(value, bool) else _FLAGS.get(str(value or "").strip().lower())
    if flag is None:
        raise LoadError(f"{where}: unanswerable is {value!r}, wanted true or false.")
    return flag


def _kind(value: object) -> str:
    names = {bool: "a truth value", int: "a number", float: "a number", list: "a list"}
    return names.get(type(value), "a group of fields")


def _jsonl_entries(path: Path) -> Iterator[_Entry]:
    for where, record in records(path):
        yield _Entry(where, {name: (value, where) for name, value in record.items()})


def _csv_entries(path: Path) -> Iterator[_Entry]:
    """The rows; columns are parted by what parts the header's: a comma, a semicolon or a tab."""
    text = [f"{line}\n" for _, line in lines(path, skip_blank=False)]
    first = next((line for line in text if line.strip()), "")
    rows = csv.reader(text, delimiter=max(",;\t", key=first.count), strict=True)
    header: list[str] = []
    where = f"{path} line 1"
    try:
        for row in rows:
            if header and any(row):
                yield _Entry(where, _cells(header, row, where))
            elif any(row):
                header = _columns(row, where)
            where = f"{path} line {rows.line_num + 1}"
    except csv.Error as error:
        raise LoadError(f"{where} is not CSV: {error}.", "Is a quotation mark missing?") from error


def _columns(row: list[str], where: str) -> list[str]:
    header = [name.strip() for name in row]
    for name in filter(None, header):
        if _known(name, where) not in _LISTS.values() and header.count(name) > 1:
            raise LoadError(f"{where}: there are two columns {name!r}.", "Remove one.")
    return header


def _cells(header: list[str], row: list[str], where: str) -> dict[str, _Field]:
    if len(row) != len(header):
        raise LoadError(
            f"{where} has {len(row)} columns, the header {len(header)}.",
            "Put texts with the separator in them into quotation marks.",
        )
    named = [(name, cell) for name, cell in zip(header, row, strict=True) if name or cell.strip()]
    return {
        name: (
            [c for n, c in named if n == name] if _known(name, where) in _LISTS.values() else cell,
            where,
        )
        for name, cell in named
    }


def _yaml_entries(path: Path) -> Iterator[_Entry]:
    text = "\n".join(line for _, line in lines(path, skip_blank=False))
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f" line {mark.line + 1}" if mark else ""
        raise LoadError(
            f"{path}{place} is not YAML: {error.problem or error.context}.",
            'Indent with blanks, and put texts with ": ", " #" or quotes in them into quotes.',
        ) from error
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise LoadError(f"{path} line {line} is not YAML: {error.reason}.") from error
    except RecursionError as error:
        raise LoadError(f"{path} is nested too deeply.") from error
    if root is None:
        return
    if not isinstance(root, yaml.SequenceNode):
        raise LoadError(f"{_place(path, root)} is no list.", "Begin each question with `- `.")
    for entry in root.value:
        where = _place(path, entry)
        if not isinstance(entry, yaml.MappingNode):
            raise LoadError(f"{where}: the entry has no fields.", "As in `- question: Who ...?`")
        fields: dict[str, _Field] = {}
        for key, value in entry.value:
            name = key.value if isinstance(key.value, str) else "[...]"
            if name in fields:
                raise LoadError(f"{_place(path, key)}: {name!r} is given twice.", "Make it a list.")
            fields[name] = _yaml_value(value), _place(path, key)
        yield _Entry(where, fields)


def _yaml_value(node: yaml.Node) -> object:
    """Texts as they are written, "no" and 2019 too; None where there is nothing."""
    if isinstance(node, yaml.SequenceNode):
        return [_yaml_value(inner) for inner in node.value]
    if isinstance(node, yaml.ScalarNode):
        return None if node.tag == "tag:yaml.org,2002:null" else node.value
    return {}


def _place(path: Path, node: yaml.Node) -> str:
    return f"{path} line {node.start_mark.line + 1}"
