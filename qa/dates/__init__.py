"""Dates in documents: temporal expressions found and resolved against the publication date."""

from .context import Timex
from .resolve import find_timexes

__all__ = ["Timex", "find_timexes"]
