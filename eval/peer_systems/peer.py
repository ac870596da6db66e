"""What a system has to do to be compared, and what it may leave undone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib import metadata
from pathlib import Path
from typing import ClassVar, Literal

from index.document import Document

Ability = Literal[
    "answers",  # says words of a passage, not only which passage
    "abstains",  # may say that there is no answer
    "confidence",  # says how sure it is of an answer
    "offsets",  # says where in the document an answer stands
    "spans",  # gives several answers to one question
    "dates",  # says which day "the day before yesterday" is
    "events",  # says who did what, where and when, as records
    "follow-ups",  # understands "And where?" without a language model
    "add",  # takes one passage more without indexing the others again
    "remove",  # the same for one passage less
    "disk",  # keeps its index on disk
]
ANSWERING: tuple[Ability, ...] = (
    "answers",
    "abstains",
    "confidence",
    "offsets",
    "spans",
    "dates",
    "events",
    "follow-ups",
)


@dataclass(frozen=True)
class Passage:
    """A part of a document, as our own chunker cuts it; `document.text[start:end]` is its text.

    Attributes:
        context: title and date of the document, which our index puts in front of the text; a peer
            gets them where it has a use for them.
    """

    document: Document
    start: int
    end: int
    context: str

    @property
    def id(self) -> str:
        """Equal for equal places."""
        return f"{self.document.id}:{self.start}"

    @property
    def text(self) -> str:
        """The words, verbatim."""
        return self.document.text[self.start : self.end]

    @cached_property
    def searched(self) -> str:
        """Context and text, from which our index is made."""
        return f"{self.context}\n{self.text}"


@dataclass(frozen=True, slots=True)
class Span:
    """An answer.

    Attributes:
        confidence: in [0, 1]; None where the system gives none.
        place: id of the document and the offsets there; None where the system does not say.
        day: ISO 8601 day that the words stand for; None where the system does not say.
    """

    text: str
    confidence: float | None = None
    place: tuple[str, int, int] | None = None
    day: str | None = None


@dataclass(frozen=True, slots=True)
class Reply:
    """What a system says to a question: spans, best first, or none where it abstains."""

    spans: tuple[Span, ...] = ()

    @property
    def abstained(self) -> bool:
        """Whether it gives no answer."""
        return not self.spans


@dataclass(frozen=True, slots=True)
class Setup:
    """What a system is made with.

    Attributes:
        folder: its own, to keep its index in.
        embedder: folder of the sentence-transformers model.
        reader: Hugging Face folder with the weights of our reader.
        bare_spans: give the reader's spans as they are, as SQuAD scores them, where a system
            would otherwise widen some to sentences.
    """

    folder: Path
    embedder: Path
    reader: Path
    bare_spans: bool = False


class Peer:
    """A system under comparison. What it `lacks` is never called.

    Attributes:
        lacks: by ability, where one can see that it lacks it.
        requires: the distributions it needs, its own first, beyond what Dateline itself needs.
        against: the system that it is tested against.
    """

    name: ClassVar[str]
    lacks: ClassVar[Mapping[Ability, str]] = {}
    requires: ClassVar[tuple[str, ...]] = ()
    against: ClassVar[str] = "Dateline"

    def __init__(self, setup: Setup) -> None:
        self.setup = setup

    @classmethod
    def missing(cls) -> list[str]:
        """The distributions it needs that are not installed."""
        return [name for name in cls.requires if not _version(name)]

    @classmethod
    def version(cls) -> str:
        """Name and version of what is compared."""
        return f"{cls.name} {_version((*cls.requires, 'dateline')[0])}"

    def warm_up(self) -> None:
        """Load the models; neither indexing nor a question is charged for that."""

    def index(self, passages: Sequence[Passage]) -> None:
        """Index the passages, from nothing."""
        raise NotImplementedError

    def save(self) -> None:
        """Write the index into the folder, where `index` has not done so."""

    def load(self) -> None:
        """Open the index in the folder, in another process."""
        raise NotImplementedError

    def search(self, query: str, k: int) -> list[str]:
        """The ids of the best k passages, best first."""
        raise NotImplementedError

    def answer(self, question: str) -> Reply:
        """What it says to a question."""
        raise NotImplementedError

    def candidates(self, question: str) -> Sequence[Span]:
        """Every answer it has to the question just answered, best first, abstaining or not."""
        raise NotImplementedError

    def add(self, passage: Passage) -> None:
        """Take in one passage of a new document, which has no other."""
        raise NotImplementedError

    def remove(self, passage: Passage) -> None:
        """Take it out again."""
        raise NotImplementedError

    def close(self) -> None:
        """Release files."""


def lacking(where: str, *abilities: Ability) -> dict[Ability, str]:
    """Several abilities that one place shows to be lacking."""
    return dict.fromkeys(abilities, where)


def _version(distribution: str) -> str:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return ""
