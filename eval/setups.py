"""Ways of answering that evaluation compares: choices of the index, the search and the reader."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from index import Index, IndexSettings, Mode
from index.errors import UsageError
from qa.assistant import PASSAGES
from qa.reader import SHIPPED, Reader, ReadSpan

if TYPE_CHECKING:
    from qa import Assistant


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerSetup:
    """One way of answering questions; the defaults are the product's but for `explain`.

    Attributes:
        settings: of the index.
        mode: which retriever finds the passages.
        passages: how many are read.
        reader: its folder; None for the shipped one.
        threshold: the confidence from which an answer is given; None for the reader's own.
        explain: answer why and how with whole sentences, and lists item by item, as the product
            does; SQuAD's answers are bare spans.

    Raises:
        UsageError: a number out of its range.
    """

    settings: IndexSettings = field(default_factory=IndexSettings)
    mode: Mode = "hybrid"
    passages: int = PASSAGES
    reader: Path | None = None
    threshold: float | None = None
    explain: bool = False

    def __post_init__(self) -> None:
        if self.passages < 1:
            raise UsageError(f"passages is {self.passages}.", "Read at least one passage.")
        if self.threshold is not None and not 0 <= self.threshold <= 1:
            raise UsageError(f"threshold is {self.threshold}.", "A confidence lies in [0, 1].")

    @property
    def index_settings(self) -> IndexSettings:
        """What the index is opened with, so that hybrid search ranks as `mode` says.

        An answer's confidence needs a passage's cosine, which a bm25 search does not compute. So
        one retriever alone is fusion of ranks with all the weight on it; the other only fills up
        where the first finds too few passages.
        """
        if self.mode == "hybrid":
            return self.settings
        return replace(self.settings, fusion="rrf", dense_weight=float(self.mode == "dense"))


class EvaluatedReader(Reader):
    """A reader at any threshold, which does not read the same passages twice in a row.

    `ask` and `candidates` need the same readings; only the first of the two pays for them.
    """

    def __init__(self, folder: Path | None = None, threshold: float | None = None) -> None:
        super().__init__(folder or SHIPPED)
        if threshold is not None:
            calibration = {**self.settings["calibration"], "threshold": threshold}
            self.settings = {**self.settings, "calibration": calibration}
        self._last: tuple[object, list[list[ReadSpan]]] = (None, [])

    def read(self, question: str, passages: Sequence[str], best: int = 5) -> list[list[ReadSpan]]:
        asked = (question, tuple(passages), best)
        if asked != self._last[0]:
            self._last = (asked, super().read(question, passages, best))
        return self._last[1]


def assistant_for(index: Index, setup: AnswerSetup) -> Assistant:
    """Answers as the set-up says, over an index opened with its `index_settings`."""
    import qa  # noqa: PLC0415

    return qa.Assistant(
        index, EvaluatedReader(setup.reader, setup.threshold), explain=setup.explain
    )
