"""Citations: whether the cited place says the answer, and is one that answers the question.

After the citation precision and recall of ALCE (Gao et al., "Enabling Large Language Models to
Generate Text with Citations", EMNLP 2023), section 3, where a model judges whether the cited
passages entail a statement. Here an answer is a span of a document, so entailment is replaced by
what can be looked up, in collections where the passages that answer a question are known:

* a citation is *verbatim* if its quote stands at its offsets in the document, within the passage
  shown with it, and has the words of the answer that it bears. A guarantee, so a share below 1 is a
  defect, or an answer borne by other words (a place that says "both leaders", cited for a name).
* its passage *supports* an answer if it is from a document that is known to answer the question and
  a gold answer stands in it.
* it is *right* if it is verbatim, its passage supports an answer, and its quote is one: token F1
  with a gold answer of at least `calibration.RIGHT`.

Precision is the share of the citations that is right; recall the share of the answers with at least
one right citation; both over the citations and answers of all questions together. A wrong answer
has no right citation, so unlike ALCE's, both are bounded by the share of right answers; `supported`
is what the passages alone would give.

What counts as known: of SQuAD the paragraph that a question was written for, of Dateline's own
questions the files named with them. Another document may answer a question as well, above all an
encyclopedia's; `precision_anywhere` therefore accepts every document in whose passage a gold answer
stands, which may be chance. The truth lies between the two.
"""

from __future__ import annotations

import re
import statistics
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from .calibration import RIGHT
from .metrics import f1

if TYPE_CHECKING:
    from index import Document, Index
    from qa.answer import Answer, Citation


@dataclass(frozen=True, slots=True)
class JudgedCitation:
    """A citation of an answer.

    Attributes:
        verbatim: see the module.
        known: whether its document is known to answer the question.
        holds_answer: whether a gold answer stands in its passage.
        says_answer: whether its quote is right, by token F1.
    """

    source: str
    quote: str
    verbatim: bool
    known: bool
    holds_answer: bool
    says_answer: bool

    @property
    def supports(self) -> bool:
        """Whether its passage supports an answer."""
        return self.known and self.holds_answer

    @property
    def right(self) -> bool:
        """Whether it is verbatim and quotes an answer from a passage that supports it."""
        return self.verbatim and self.supports and self.says_answer


Reply: TypeAlias = tuple[tuple[JudgedCitation, ...], ...]  # the citations of each answer, in order


@dataclass(frozen=True, slots=True)
class CitationScores:
    """Citations of the replies to answerable questions; shares are None where there are none.

    Attributes:
        answers, citations: how many were judged.
        precision, recall, supported, precision_anywhere, verbatim: see the module.
    """

    answers: int
    citations: int
    precision: float | None
    recall: float | None
    supported: float | None
    precision_anywhere: float | None
    verbatim: float | None


def judge(
    answer: Answer, golds: Sequence[str], is_known: Callable[[str], bool], index: Index
) -> Reply:
    """Every citation of every answer of a reply.

    Args:
        is_known: whether a source is known to answer the question.
        index: holds the documents cited.
    """
    numbered = {citation.number: citation for citation in answer.citations}
    return tuple(
        tuple(
            JudgedCitation(
                source=citation.source,
                quote=citation.quote,
                verbatim=_is_verbatim(citation, index.get(citation.document_id))
                and _words(citation.quote) == _words(span.text),
                known=is_known(citation.source),
                holds_answer=holds_answer(citation.passage.text, golds),
                says_answer=bool(golds) and f1(citation.quote, golds) >= RIGHT,
            )
            for citation in map(numbered.__getitem__, span.citations)
        )
        for span in answer.answers
    )


def holds_answer(text: str, golds: Iterable[str]) -> bool:
    """Whether a gold answer stands in the text as whole words, in whatever case."""
    return any(
        re.search(rf"(?<!\w){re.escape(gold)}(?!\w)", text, re.IGNORECASE) for gold in golds if gold
    )


def citation_scores(replies: Iterable[Reply], *, first: bool = False) -> CitationScores:
    """The scores of some replies' citations.

    Args:
        first: look at every reply's first answer alone.
    """
    answers = [cited for reply in replies for cited in (reply[:1] if first else reply)]
    citations = [citation for cited in answers for citation in cited]
    return CitationScores(
        answers=len(answers),
        citations=len(citations),
        precision=_mean([c.right for c in citations]),
        recall=_mean([any(c.right for c in cited) for cited in answers]),
        supported=_mean([c.supports for c in citations]),
        precision_anywhere=_mean(
            [c.verbatim and c.holds_answer and c.says_answer for c in citations]
        ),
        verbatim=_mean([c.verbatim for c in citations]),
    )


def _is_verbatim(citation: Citation, document: Document | None) -> bool:
    passage, text = citation.passage, document.text if document else ""
    return (
        text[citation.start : citation.end] == citation.quote
        and text[passage.start : passage.end] == passage.text
        and passage.start <= citation.start < citation.end <= passage.end
    )


def _words(text: str) -> list[str]:
    """Words in lower case without articles: "third-most" is "third most", in SQuAD "thirdmost"."""
    return [word for word in re.findall(r"\w+", text.casefold()) if word not in ("a", "an", "the")]


def _mean(values: Sequence[bool]) -> float | None:
    return statistics.fmean(values) if values else None
