"""A template of questions about an index: passages to write questions to."""

from __future__ import annotations

import csv
import io
import json
import random
import textwrap
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from index.catalog import Catalog
from index.document import DocumentInfo, Filters
from index.errors import UsageError

from .questions import Format

SHORTEST = 8  # words of a passage that something can be asked about
WIDTH = 96  # of the lines of YAML
CSV_COLUMNS = (
    "id", "note", "question", "answers", "answers", "answers", "sources", "passages", "unanswerable"
)  # fmt: skip

_HELP = """\
# Questions about the index {index}: {count} passages of it, to write questions to.
#
# Read a passage and write, in your own words, a question that it answers; then every wording of the
# answer that you would accept. What is left without a question is skipped. Afterwards:
#
#     dateline eval questions {file} --index {index}
#
#   question      as somebody would ask who has not read the passage
#   answers       one a line; without any only the finding of passages is measured
#   sources       the documents that answer it; add others that do
#   passages      the words that should be found; shorten them as you like, add others
#   unanswerable  true for a question that the documents do not answer; then remove the three above
#   type, slot    kinds of questions, such as why and who, to tell results apart by
#   value, note   what the answer stands for (2024-03-04); anything
#
# A text with ": " or " #" in it, or one that begins with a sign, needs quotes: "Who: he or she?"

"""


class SampledPassage(NamedTuple):
    """A passage of an index; `published` is a day in ISO 8601, or empty."""

    source: str
    title: str
    published: str
    text: str


def sample_passages(index: Path, count: int, seed: int = 0) -> list[SampledPassage]:
    """Passages of an index, drawn at random and spread over its documents; the same every time.

    A document gives its second passage only when all have given their first. What has fewer than
    `SHORTEST` words is left out, and so is a text that was drawn before.

    Raises:
        IndexNotFoundError: no index there.
        UsageError: it holds no such passage.
    """
    generator = random.Random(seed)
    drawn: dict[str, SampledPassage] = {}
    with closing(Catalog(index)) as catalog:
        documents = catalog.documents(Filters())
        generator.shuffle(documents)
        left = [_passages(catalog, info, generator) for info in documents]
        while left and len(drawn) < count:
            giving = []
            for passages in left:
                found = next((p for p in passages if p.text not in drawn), None)
                if found:
                    drawn[found.text] = found
                    giving.append(passages)
                if len(drawn) == count:
                    break
            left = giving
    if not drawn:
        raise UsageError(
            f"The index in {index} has no passage to ask about.", "Index some documents first."
        )
    return list(drawn.values())


def template(passages: Sequence[SampledPassage], form: Format, *, file: str, index: str) -> str:
    """The text of a file that `questions.read_questions` reads, its questions to be filled in.

    Args:
        file, index: the names of both, for the explanation in YAML.
    """
    width = len(str(len(passages)))
    numbered = [(f"q{n:0{width}}", passage) for n, passage in enumerate(passages, start=1)]
    if form == "yaml":
        entries = [_yaml_entry(id_, passage) for id_, passage in numbered]
        return _HELP.format(file=file, index=index, count=len(entries)) + "\n".join(entries)
    if form == "jsonl":
        records = [_record(id_, passage) for id_, passage in numbered]
        return "".join(f"{json.dumps(record, ensure_ascii=False)}\n" for record in records)
    out = io.StringIO()
    rows = csv.writer(out)
    rows.writerow([*CSV_COLUMNS])
    for id_, passage in numbered:
        record = _record(id_, passage) | {"sources": passage.source, "passages": passage.text}
        rows.writerow([record.get(name) or "" for name in CSV_COLUMNS])
    return out.getvalue()


def _passages(
    catalog: Catalog, info: DocumentInfo, generator: random.Random
) -> Iterator[SampledPassage]:
    """A document's passages that are long enough, in random order."""
    ids = catalog.matching_chunks(Filters(documents=frozenset([info.id]))).tolist()
    generator.shuffle(ids)
    day = info.published.isoformat() if info.published else ""
    for id_ in ids:
        for stored in catalog.chunks([id_]).values():
            text = _tidy(stored.chunk.text)
            if len(text.split()) >= SHORTEST:
                yield SampledPassage(info.source, info.title, day, text)


def _record(id_: str, passage: SampledPassage) -> dict[str, Any]:
    return {
        "id": id_,
        "note": ", ".join(filter(None, [" ".join(passage.title.split()), passage.published])),
        "question": "",
        "answers": [],
        "sources": [passage.source],
        "passages": [passage.text],
    }


def _yaml_entry(id_: str, passage: SampledPassage) -> str:
    """A list of one, the passage in lines that can be read."""
    text = "\n".join(
        textwrap.fill(line, WIDTH, break_long_words=False, break_on_hyphens=False)
        for line in passage.text.splitlines()
    )
    record = _record(id_, passage) | {"question": None, "answers": [None], "passages": [text]}
    return yaml.dump([record], Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=WIDTH)


def _tidy(text: str) -> str:
    """The same words with plain white space, which matters to nobody who looks for them."""
    return "\n".join(" ".join(line.split()) for line in text.splitlines()).strip()


class _Dumper(yaml.SafeDumper):
    """Lists set in under their names, texts of several lines as blocks, nothing for None."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, indentless=False)


def _nothing(dumper: yaml.SafeDumper, _: None) -> yaml.Node:
    return dumper.represent_scalar("tag:yaml.org,2002:null", "")


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.Node:
    style = "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(type(None), _nothing)
_Dumper.add_representer(str, _text)
