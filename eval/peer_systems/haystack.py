"""Haystack: BM25 and embedding retrievers, their results joined, and its extractive reader.

Since version 3 the components that run models live in packages of their own:
https://docs.haystack.deepset.ai/docs/migration
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from .peer import Ability, Passage, Peer, Reply, Setup, Span
from .weights import go_offline

if TYPE_CHECKING:
    import torch

READ = 12  # passages, as many as Dateline reads


class Haystack(Peer):
    """The components' defaults, but for these.

    - Title and date are metadata, embedded with the text; that is better for its answers than
      having them in the text, where BM25 sees them, and as good for finding passages.
    - DocumentJoiner joins by distribution-based rank fusion, the one of its modes that does best
      on SQuAD's questions (MRR@10 0.868; merge 0.837, reciprocal rank fusion 0.831; with 20 or
      100 passages a retriever instead of 10 none does better).
    - The reader's model is told which tokens are the passage's: extractive_reader.py calls it
      with input_ids and attention_mask alone. A RoBERTa, its default, needs no more; our BERT
      does, and finds half as many answers without.
    """

    name = "Haystack"
    requires = ("haystack-ai", "sentence-transformers-haystack", "transformers-haystack")
    lacks: ClassVar[Mapping[Ability, str]] = {
        "dates": "haystack/dataclasses/answer.py: ExtractedAnswer has text, score and offsets",
        "events": (
            "none of haystack/components and transformers-haystack; the nearest,"
            " LLMMetadataExtractor, asks a language model"
        ),
        "follow-ups": (
            "haystack/components/query and agents rewrite and remember with a chat generator"
        ),
    }

    def __init__(self, setup: Setup) -> None:
        super().__init__(setup)
        go_offline()
        from haystack.document_stores.in_memory import InMemoryDocumentStore  # noqa: PLC0415
        from haystack_integrations.components.embedders.sentence_transformers import (  # noqa: PLC0415
            SentenceTransformersDocumentEmbedder,
        )

        self._store: Any = InMemoryDocumentStore()
        self._embedder: Any = SentenceTransformersDocumentEmbedder(
            model=str(setup.embedder), progress_bar=False, meta_fields_to_embed=["context"]
        )
        self._retrieve: Any = None
        self._read: Any = None
        self._answers: list[Span] = []

    def warm_up(self) -> None:
        self._embedder.warm_up()

    def index(self, passages: Sequence[Passage]) -> None:
        documents = self._embedder.run([_document(passage) for passage in passages])["documents"]
        self._store.write_documents(documents)

    def save(self) -> None:
        self._store.save_to_disk(self._file)

    def load(self) -> None:
        self._store = type(self._store).load_from_disk(self._file)
        self._retrieve = _pipeline(self._store, self.setup)
        self._read = _pipeline(self._store, self.setup, reads=True)

    def search(self, query: str, k: int) -> list[str]:
        found = self._retrieve.run({**_asked(query), "joiner": {"top_k": k}})
        return [document.id for document in found["joiner"]["documents"]]

    def answer(self, question: str) -> Reply:
        data = {**_asked(question), "joiner": {"top_k": READ}, "reader": {"query": question}}
        answers = self._read.run(data)["reader"]["answers"]
        self._answers = [_span(answer) for answer in answers if answer.data is not None]
        # "No answer" is one of the answers, with a probability of its own.
        if not answers or answers[0].data is None:
            return Reply()
        return Reply(tuple(self._answers))

    def candidates(self, question: str) -> Sequence[Span]:
        return self._answers

    def add(self, passage: Passage) -> None:
        self.index([passage])

    def remove(self, passage: Passage) -> None:
        self._store.delete_documents([passage.id])

    @property
    def _file(self) -> str:
        return str(self.setup.folder / "store.json")


def _document(passage: Passage) -> Any:  # noqa: ANN401 - its class is not ours
    from haystack import Document  # noqa: PLC0415

    # "source_id" and "split_idx_start" are what its own DocumentSplitter writes.
    meta = {
        "source_id": passage.document.id,
        "split_idx_start": passage.start,
        "context": passage.context,
    }
    return Document(id=passage.id, content=passage.text, meta=meta)


def _asked(question: str) -> dict[str, dict[str, str]]:
    return {"embedder": {"text": question}, "bm25": {"query": question}}


def _pipeline(store: Any, setup: Setup, *, reads: bool = False) -> Any:  # noqa: ANN401
    from haystack import Pipeline  # noqa: PLC0415
    from haystack.components.joiners import DocumentJoiner  # noqa: PLC0415
    from haystack.components.retrievers.in_memory import (  # noqa: PLC0415
        InMemoryBM25Retriever,
        InMemoryEmbeddingRetriever,
    )
    from haystack_integrations.components.embedders.sentence_transformers import (  # noqa: PLC0415
        SentenceTransformersTextEmbedder,
    )
    from haystack_integrations.components.readers.transformers import (  # noqa: PLC0415
        TransformersExtractiveReader,
    )

    pipeline = Pipeline()
    pipeline.add_component("bm25", InMemoryBM25Retriever(store))
    pipeline.add_component(
        "embedder", SentenceTransformersTextEmbedder(model=str(setup.embedder), progress_bar=False)
    )
    pipeline.add_component("dense", InMemoryEmbeddingRetriever(store))
    pipeline.add_component("joiner", DocumentJoiner(join_mode="distribution_based_rank_fusion"))
    pipeline.connect("embedder.embedding", "dense.query_embedding")
    pipeline.connect("bm25", "joiner")
    pipeline.connect("dense", "joiner")
    if reads:
        reader = TransformersExtractiveReader(model=setup.reader)
        reader.warm_up()
        assert reader.model is not None
        _tell_segments(reader.model, reader.tokenizer.sep_token_id)
        pipeline.add_component("reader", reader)
        pipeline.connect("joiner", "reader.documents")
    return pipeline


def _tell_segments(model: torch.nn.Module, separator: int) -> None:
    """Have the model told that what follows the first separator is the passage."""

    def told(_: object, args: tuple[Any, ...], inputs: dict[str, Any]) -> tuple[Any, Any]:
        after = (inputs["input_ids"] == separator).long().cumsum(1) > 0
        passage = after.roll(1, dims=1).long() * inputs["attention_mask"]
        passage[:, 0] = 0
        return args, {**inputs, "token_type_ids": passage}

    model.register_forward_pre_hook(told, with_kwargs=True)


def _span(answer: Any) -> Span:  # noqa: ANN401
    meta, offset = answer.document.meta, answer.document_offset
    shift = meta["split_idx_start"]
    return Span(
        text=answer.data,
        confidence=float(answer.score),
        place=(meta["source_id"], shift + offset.start, shift + offset.end),
    )
