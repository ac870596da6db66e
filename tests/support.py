"""What many tests build with: a fast embedder and documents in one line."""

import hashlib
import re
from datetime import date

import numpy as np

from index import Document, Filters, document_id
from index.catalog import NewChunk

_WORD = re.compile(r"\w+")


class HashEmbedder:
    """A fast stand-in for the embedding model: a bag of hashed words, as a unit vector."""

    fingerprint = "hash-1"
    dimension = 64
    max_tokens = 128

    def embed(self, texts, progress=None):
        vectors = np.stack([self._vector(text) for text in texts])
        if progress:
            progress(len(texts))
        return vectors

    def embed_query(self, text):
        return self._vector(text)

    def count_tokens(self, texts):
        return [len(re.findall(r"\w{1,8}|[^\w\s]", text)) for text in texts]

    def _vector(self, text):
        vector = np.full(self.dimension, 1e-3, np.float32)
        for word in _WORD.findall(text.casefold()):
            digest = hashlib.blake2b(word.encode("utf-8", "replace"), digest_size=4).digest()
            vector[int.from_bytes(digest, "little") % self.dimension] += 1
        return vector / np.linalg.norm(vector)


def make_document(source, text, *, title="", published=None, **metadata):
    return Document(
        id=document_id(source),
        source=source,
        title=title or source,
        text=text,
        published=date.fromisoformat(published) if published else None,
        metadata=metadata,
    )


def put_chunks(catalog, source, text="Some text.", *, chunks=2, **metadata):
    """A document straight into the catalog, `chunks` times cut into its whole self."""
    whole = NewChunk(0, len(text), "context", np.ones(4, np.float32))
    catalog.put(make_document(source, text, **metadata), [whole] * chunks)


def sources_of(index, filters=None):
    """What an index or a catalog lists."""
    return [document.source for document in index.documents(filters or Filters())]
