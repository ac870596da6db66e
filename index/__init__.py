"""What the documents are, and how passages are found."""

from .analysis import Analyzer
from .catalog import Filters
from .document import Chunk, Document, DocumentInfo, Hit, document_id
from .embedded import EmbeddedIndex, IndexSettings, Stats
from .embedding import Embedder, load_embedder
from .errors import DatelineError
from .ingest import Duplicate, Failure, IndexReport, Progress
from .loading import FieldMap

__all__ = [
    "Analyzer",
    "Chunk",
    "DatelineError",
    "Document",
    "DocumentInfo",
    "Duplicate",
    "EmbeddedIndex",
    "Embedder",
    "Failure",
    "FieldMap",
    "Filters",
    "Hit",
    "IndexReport",
    "IndexSettings",
    "Progress",
    "Stats",
    "document_id",
    "load_embedder",
]
