"""Temporal expressions against TimeML annotations, scored as TempEval-3 did.

UzZaman et al., "SemEval-2013 Task 1: TempEval-3", section 5: extents strict (the same) and relaxed
(overlapping), and the F1 of values, where a value counts if its expression was found at least in
part and the value is the same string.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree

from index.errors import LoadError, UsageError
from qa.dates import Timex, find_timexes


class Annotated(NamedTuple):
    """A TIMEX3 of the annotators: `text[start:end]`."""

    start: int
    end: int
    type: str
    value: str


@dataclass(frozen=True, slots=True)
class Story:
    """A TimeML document: the text between its TEXT tags, its creation time, its expressions."""

    name: str
    text: str
    created: date | None
    timexes: tuple[Annotated, ...]

    @property
    def half(self) -> int:
        """0 for the half to develop on, 1 for the half to report on, by the name's hash."""
        return hashlib.sha256(self.name.encode()).digest()[-1] % 2


class Pair(NamedTuple):
    """What the annotators marked and what was found there; one of them may be missing."""

    story: Story
    gold: Annotated | None
    found: Timex | None


@dataclass(frozen=True, slots=True)
class DateScores:
    """F1 of extents, values and types over some stories, each between 0 and 1.

    Attributes:
        value: TempEval-3's: the very string.
        equal_value: where "1949-XX" counts as "1949" and "2000-W6" as "2000-W06".
    """

    part: str
    stories: int
    expressions: int
    found: int
    relaxed: float
    relaxed_precision: float
    relaxed_recall: float
    strict: float
    value: float
    equal_value: float
    type: float


def load_timeml(folder: Path) -> list[Story]:
    """The `.tml` files of a folder, by name.

    Raises:
        UsageError: there are none.
        LoadError: one is not TimeML.
    """
    files = sorted(folder.glob("*.tml"))
    if not files:
        raise UsageError(f"There are no .tml files in {folder}.", "Give a folder of TimeML files.")
    return [_story(path) for path in files]


def _story(path: Path) -> Story:
    try:
        root = ElementTree.parse(path).getroot()
    except ElementTree.ParseError as error:
        raise LoadError(f"{path} is not well-formed XML: {error}.") from error
    body = root.find("TEXT")
    if body is None:
        raise LoadError(f"{path} has no TEXT element.")
    created = None
    for timex in root.iter("TIMEX3"):
        if timex.get("functionInDocument") in ("CREATION_TIME", "PUBLICATION_TIME"):
            try:
                created = date.fromisoformat(timex.get("value", "")[:10])
            except ValueError:
                raise LoadError(f"{path}: creation time {timex.get('value')!r}.") from None
            break
    marked: list[Annotated] = []
    text = "".join(_walk(body, 0, marked))
    return Story(path.name, text, created, tuple(marked))


def _walk(node: ElementTree.Element, offset: int, marked: list[Annotated]) -> Iterator[str]:
    """The text of a node, its TIMEX3 elements added to `marked`."""
    start = offset
    if node.text:
        yield node.text
        offset += len(node.text)
    for child in node:
        inner = "".join(_walk(child, offset, marked))
        yield inner
        offset += len(inner)
        if child.tail:
            yield child.tail
            offset += len(child.tail)
    if node.tag == "TIMEX3":
        marked.append(Annotated(start, offset, node.get("type", ""), node.get("value", "")))


def pair(stories: Iterable[Story]) -> list[Pair]:
    """Every annotated and every found expression, matched where they overlap, one to one."""
    pairs: list[Pair] = []
    for story in stories:
        free = find_timexes(story.text, story.created)
        for gold in sorted(story.timexes):
            match = next((t for t in free if t.start < gold.end and gold.start < t.end), None)
            if match:
                free.remove(match)
            pairs.append(Pair(story, gold, match))
        pairs += [Pair(story, None, timex) for timex in free]
    return pairs


def evaluate_dates(stories: Sequence[Story]) -> list[DateScores]:
    """The scores of the half to develop on, of the half to report on, and of all stories."""
    halves = [[story for story in stories if story.half == half] for half in (0, 1)]
    parts = {"development": halves[0], "held out": halves[1], "all": list(stories)}
    return [_scores(name, chosen) for name, chosen in parts.items()]


def mistakes(stories: Iterable[Story]) -> Iterator[dict[str, object]]:
    """What was missed, found too much, or given another value; with some text around it."""
    for story, gold, found in pair(stories):
        if gold and found and _plain(gold.value) == _plain(found.value):
            continue
        at = (gold or found or Annotated(0, 0, "", "")).start
        yield {
            "story": story.name,
            "published": story.created and story.created.isoformat(),
            "annotated": gold and story.text[gold.start : gold.end],
            "annotated_value": gold and gold.value,
            "found": found and story.text[found.start : found.end],
            "found_value": found and found.value,
            "text": " ".join(story.text[max(0, at - 80) : at + 60].split()),
        }


def _scores(name: str, stories: Sequence[Story]) -> DateScores:
    pairs = pair(stories)
    both = [(p.gold, p.found) for p in pairs if p.gold and p.found]
    gold, found = sum(p.gold is not None for p in pairs), sum(p.found is not None for p in pairs)

    def f1(right: int) -> float:
        return 2 * right / (gold + found) if gold + found else 0.0

    return DateScores(
        part=name,
        stories=len(stories),
        expressions=gold,
        found=found,
        relaxed=f1(len(both)),
        relaxed_precision=len(both) / max(1, found),
        relaxed_recall=len(both) / max(1, gold),
        strict=f1(sum(g[:2] == (t.start, t.end) for g, t in both)),
        value=f1(sum(g.value == t.value for g, t in both)),
        equal_value=f1(sum(_plain(g.value) == _plain(t.value) for g, t in both)),
        type=f1(sum(g.type == t.type for g, t in both)),
    )


def _plain(value: str) -> str:
    """A value without its unknown months and days, weeks in two digits."""
    return re.sub(r"-W(\d)$", r"-W0\1", re.sub(r"(-XX)+$", "", value))
