"""What the documents are, and how passages are found."""

from .analysis import Analyzer
from .document import Chunk, Document, DocumentInfo, Filters, Hit, document_id
from .embedded import EmbeddedIndex
from .embedding import Embedder, load_embedder
from .errors import DatelineError
from .ingest import Duplicate, Failure, IndexReport, Progress
from .loading import FieldMap
from .protocol import Index, IndexSettings, Mode, Stats
from .sessions import SessionInfo, SessionStore

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
    "Index",
    "IndexReport",
    "IndexSettings",
    "Mode",
    "Progress",
    "SessionInfo",
    "SessionStore",
    "Stats",
    "document_id",
    "load_embedder",
]
