"""The HTTP API (docs/api.md): one module per kind of thing, bound to the application with its document."""

from webapp.views.api import exports, models, runs
from webapp.views.api.document import register

__all__ = ["exports", "models", "register", "runs"]
