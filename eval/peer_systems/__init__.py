"""The systems that `dateline eval peers` compares, each behind the same few calls.

Every one gets the same passages, the same embedding model and the same reader weights, and is
otherwise set up as its own documentation says.
"""

from .dateline import Dateline
from .haystack import Haystack
from .lexical import Bm25s, DatelineBm25, RankBm25
from .peer import Ability, Passage, Peer, Reply, Setup, Span
from .txtai import Txtai

SYSTEMS: tuple[type[Peer], ...] = (Dateline, Haystack, Txtai, DatelineBm25, RankBm25, Bm25s)

__all__ = ["SYSTEMS", "Ability", "Passage", "Peer", "Reply", "Setup", "Span"]
