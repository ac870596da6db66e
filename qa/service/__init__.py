"""The HTTP face: a FastAPI application over one Assistant."""

from .app import create_app
from .settings import ServiceSettings

__all__ = ["ServiceSettings", "create_app"]
