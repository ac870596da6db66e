"""Work that reads models, in a few threads; a bounded number of requests wait for one."""

from __future__ import annotations

import asyncio
import contextvars
import functools
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, ParamSpec, TypeVar

from .errors import RetryError

P = ParamSpec("P")
T = TypeVar("T")

RECENT = 0.1  # weight of the last call in the mean time of a call


class Busy(RetryError):  # noqa: N818 - a state of the service, not a mistake
    """As many wait as may."""

    status, code = 503, "D503"


class TooSlow(RetryError):  # noqa: N818
    """The time for a request is over."""

    status, code = 504, "D504"


class Pool:
    """Runs functions in threads.

    A caller that is cancelled, or whose time is over, leaves the queue; what has begun runs to its
    end, since a thread cannot be stopped, and takes up its thread until then.
    """

    def __init__(
        self,
        workers: int = 2,
        queue: int = 32,
        seconds: float = 60.0,
        observe: Callable[[object], object] | None = None,
    ) -> None:
        """A pool.

        Args:
            workers: threads.
            queue: most calls that wait.
            seconds: for a call, waiting included.
            observe: is shown every result.
        """
        self.workers, self.queue, self.seconds = workers, queue, seconds
        self._observe = observe
        self._executor = ThreadPoolExecutor(workers, thread_name_prefix="inference")
        self._lock = threading.Lock()
        self._admitted = 0
        self._mean = 0.1  # seconds of a call

    @property
    def waiting(self) -> int:
        """How many calls wait for a thread."""
        return max(0, self._admitted - self.workers)

    @property
    def busy(self) -> int:
        """How many threads are at work."""
        return min(self._admitted, self.workers)

    async def run(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """What the function returns.

        Raises:
            Busy: the queue is full.
            TooSlow: the time is over.
        """
        with self._lock:
            if self._admitted >= self.workers + self.queue:
                raise Busy("The service is busy.", self._admitted * self._mean / self.workers)
            self._admitted += 1
        context = contextvars.copy_context()  # log lines keep the request's id
        try:
            work = functools.partial(self._timed, function, *args, **kwargs)
            call: Future[T] = self._executor.submit(context.run, work)
        except BaseException:
            self._left()
            raise
        call.add_done_callback(self._left)  # also when it is cancelled in the queue
        try:
            async with asyncio.timeout(self.seconds) as limit:
                return await asyncio.wrap_future(call)
        except TimeoutError:
            if not limit.expired():
                raise
            problem = f"There was no answer within {self.seconds:g} s."
            raise TooSlow(problem, self._mean) from None

    def close(self) -> None:
        """Finish what has begun; nothing new is taken."""
        self._executor.shutdown(cancel_futures=True)

    def _timed(self, function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        started = time.perf_counter()
        result = function(*args, **kwargs)
        self._mean += RECENT * (time.perf_counter() - started - self._mean)
        if self._observe:
            self._observe(result)
        return result

    def _left(self, _: Future[Any] | None = None) -> None:
        with self._lock:
            self._admitted -= 1
