"""txtai: a hybrid embeddings database, and its RAG pipeline with an extractive reader.

https://neuml.github.io/txtai/pipeline/llm/rag: "The generative model can be a prompt-driven large
language model, an extractive question-answering model or a custom pipeline."
"""

from __future__ import annotations

import traceback
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, ClassVar

from .peer import Ability, Passage, Peer, Reply, Setup, Span, lacking
from .weights import go_offline

if TYPE_CHECKING:
    import torch


class Txtai(Peer):
    """`Embeddings(hybrid=True, content=True)` and `RAG` with all their defaults.

    Passages are text alone: with title and date in front it finds SQuAD's paragraphs a little
    better (MRR@10 0.865 instead of 0.859) and answers a little worse.

    RAG puts the best three passages into one context, which its Questions pipeline cuts to what
    the reader takes (512 tokens). Questions takes the likeliest start and end and gives nothing
    below a probability of 0.05. Where they are the reader's sign for "no answer" it fails with a
    TypeError (questions.py, `answer`: no word is there); that counts as abstaining. For its best
    answer all the same, which exact match and F1 are of, all but the passage is then ruled out.
    """

    name = "txtai"
    requires = ("txtai",)
    lacks: ClassVar[Mapping[Ability, str]] = {
        **lacking(
            "txtai/pipeline/text/questions.py returns a string or None for a context",
            "confidence",
            "offsets",
            "spans",
            "dates",
        ),
        "events": "none of txtai/pipeline, graph and workflow; the nearest, Entity, labels names",
        "follow-ups": (
            "txtai/pipeline/llm/rag.py takes each question alone; agents use a language model"
        ),
    }

    def __init__(self, setup: Setup) -> None:
        super().__init__(setup)
        go_offline()
        from txtai import Embeddings  # noqa: PLC0415

        self._index: Any = Embeddings(path=str(setup.embedder), hybrid=True, content=True)
        self._rag: Any = None
        self._reply = Reply()

    def warm_up(self) -> None:
        self._index.batchtransform(["Loads the model."])

    def index(self, passages: Sequence[Passage]) -> None:
        self._index.index([(passage.id, passage.text) for passage in passages])

    def save(self) -> None:
        self._index.save(str(self.setup.folder))

    def load(self) -> None:
        from txtai import RAG  # noqa: PLC0415

        self._index.load(str(self.setup.folder))
        self._rag = RAG(self._index, str(self.setup.reader), output="flatten")

    def search(self, query: str, k: int) -> list[str]:
        return [result["id"] for result in self._index.search(query, k)]

    def answer(self, question: str) -> Reply:
        try:
            found = self._rag(question)
        except TypeError as error:
            if "questions.py" not in str(traceback.extract_tb(error.__traceback__)):
                raise
            found = None
        self._reply = Reply((Span(found),) if found else ())
        return self._reply

    def candidates(self, question: str) -> Sequence[Span]:
        if self._reply.abstained:
            questions = self._rag.model
            with _held_to_passage(questions.model, questions.tokenizer.sep_token_id):
                return self.answer(question).spans
        return self._reply.spans

    def add(self, passage: Passage) -> None:
        self._index.upsert([(passage.id, passage.text)])

    def remove(self, passage: Passage) -> None:
        self._index.delete([passage.id])

    def close(self) -> None:
        self._index.close()


@contextmanager
def _held_to_passage(model: torch.nn.Module, separator: int) -> Iterator[None]:
    """The model's answers begin and end in the passage, as long as this lasts."""

    def held(_: object, __: object, inputs: dict[str, Any], outputs: Any) -> Any:  # noqa: ANN401
        outside = (inputs["token_type_ids"] == 0) | (inputs["input_ids"] == separator)
        for name in ("start_logits", "end_logits"):
            outputs[name] = outputs[name].masked_fill(outside, float("-inf"))
        return outputs

    hook = model.register_forward_hook(held, with_kwargs=True)
    try:
        yield
    finally:
        hook.remove()
