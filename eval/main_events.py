"""Who, where and when of articles' main events, against the phrases that annotators marked.

The data is Giveme5W1H's (Hamborg, Breitinger and Gipp, INRA 2019): JSON files with `text`,
`title`, `date_publish` and, under `fiveWoneH`, phrases with the number of coders who chose them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

from index import Document, EmbeddedIndex
from index.document import document_id
from index.errors import LoadError, UsageError
from qa import Assistant

from .measuring import tracked
from .metrics import f1

QUESTIONS = {
    "who": "Who is the main event about?",
    "where": "Where did the main event happen?",
    "when": "When did the main event happen?",
}
RIGHT = 0.5  # token F1 from which a phrase counts as found


@dataclass(frozen=True, slots=True)
class Article:
    """An article and, by slot, the phrases that answer for its main event."""

    document: Document
    phrases: dict[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class MainEventRow:
    """One slot of one article: what was answered, and its F1 with the nearest phrase."""

    source: str
    slot: str
    answer: str
    phrases: tuple[str, ...]
    f1: float
    milliseconds: float


@dataclass(frozen=True, slots=True)
class SlotScore:
    """Of the articles where annotators marked a slot: the share answered, and answered rightly."""

    slot: str
    articles: int
    answered: float
    right: float
    mean_f1: float


@dataclass(frozen=True, slots=True)
class MainEventResult:
    """All slots, and every outcome."""

    slots: tuple[SlotScore, ...]
    right: float
    rows: tuple[MainEventRow, ...]


def load_articles(folder: Path) -> list[Article]:
    """The articles of a folder, by file name.

    Raises:
        UsageError: there are none.
        LoadError: a file is not of that shape.
    """
    files = sorted(folder.glob("*.json"))
    if not files:
        raise UsageError(f"There are no .json files in {folder}.", "Give Giveme5W1H's articles.")
    return [_article(path) for path in files]


def _article(path: Path) -> Article:
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        marked = record["fiveWoneH"]
        phrases = {
            slot: tuple(
                phrase["text"]
                for phrase in marked.get(slot, {}).get("annotated", [])
                if phrase.get("text")
            )
            for slot in QUESTIONS
        }
        dated = record.get("date_publish")
        published = date.fromisoformat(dated[:10]) if dated not in (None, "None") else None
        title, text = record["title"] or "", record["text"]
    except (ValueError, KeyError, TypeError) as error:
        raise LoadError(f"{path} is not an annotated article: {error!r}.") from error
    document = Document(
        id=document_id(path.name),
        source=path.name,
        title=title,
        text=f"{title}\n\n{text}" if title else text,
        published=published,
    )
    return Article(document, phrases)


def evaluate_main_events(articles: Sequence[Article]) -> MainEventResult:
    """Ask every article, alone in an index, who, where and when of its main event."""
    rows: list[MainEventRow] = []
    reader = None
    for article in tracked(articles, "Articles"):
        with TemporaryDirectory() as folder, EmbeddedIndex.open(folder) as index:
            index.add([article.document])
            assistant = Assistant(index, reader)
            reader = assistant.reader
            rows += _asked(assistant, article)
    slots = tuple(_score(slot, [row for row in rows if row.slot == slot]) for slot in QUESTIONS)
    right = sum(row.f1 >= RIGHT for row in rows) / max(1, len(rows))
    return MainEventResult(slots, right, tuple(rows))


def _asked(assistant: Assistant, article: Article) -> Iterator[MainEventRow]:
    for slot, phrases in article.phrases.items():
        if phrases:
            answer = assistant.ask(QUESTIONS[slot])
            words = answer.answers[0].text if answer.answers else ""
            yield MainEventRow(
                source=article.document.source,
                slot=slot,
                answer=words,
                phrases=phrases,
                f1=max(f1(words, [phrase]) for phrase in phrases) if words else 0.0,
                milliseconds=answer.timings_ms["total"],
            )


def _score(slot: str, rows: Sequence[MainEventRow]) -> SlotScore:
    count = max(1, len(rows))
    return SlotScore(
        slot=slot,
        articles=len(rows),
        answered=sum(bool(row.answer) for row in rows) / count,
        right=sum(row.f1 >= RIGHT for row in rows) / count,
        mean_f1=sum(row.f1 for row in rows) / count,
    )
