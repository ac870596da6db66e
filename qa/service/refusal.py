"""Requests that the service refuses, each with its HTTP status."""

from __future__ import annotations

from .errors import ServiceError


class RefusedError(ServiceError):
    """A request that cannot be served; the application answers with `status`.

    Its `code` is the status with a D in front: D404, D413.
    """

    def __init__(self, status: int, problem: str, next_step: str) -> None:
        super().__init__(problem, next_step)
        self.status = status
        self.code = f"D{status}"
