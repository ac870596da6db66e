"""The HTTP face: a FastAPI application over one Assistant."""

from .app import create_app, run

__all__ = ["create_app", "run"]
