"""Work that reads models, in a few threads (the plain form of it)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from index.errors import DatelineError

P = ParamSpec("P")
T = TypeVar("T")


class Busy(DatelineError):  # noqa: N818 - a state of the service
    """As many wait as may."""


class TooSlow(DatelineError):  # noqa: N818
    """The time for a request is over."""


class Pool:
    """Runs functions in threads."""

    def __init__(self, workers: int = 2, queue: int = 32, seconds: float = 60.0) -> None:
        self.queue, self.seconds = workers + queue, seconds
        self._executor = ThreadPoolExecutor(workers)
        self._admitted = 0

    async def run(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """What the function returns."""
        if self._admitted >= self.queue:
            raise Busy("The service is busy.", "Try again in 1 s.")
        self._admitted += 1
        try:
            call = self._executor.submit(function, *args, **kwargs)
            return await asyncio.wait_for(asyncio.wrap_future(call), self.seconds)
        except TimeoutError:
            raise TooSlow(f"There was no answer within {self.seconds:g} s.") from None
        finally:
            self._admitted -= 1
