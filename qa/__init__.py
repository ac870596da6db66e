"""Questions in, cited answers out."""

from .answer import Answer, Citation, Span
from .assistant import Assistant
from .reader import Reader

__all__ = ["Answer", "Assistant", "Citation", "Reader", "Span"]
