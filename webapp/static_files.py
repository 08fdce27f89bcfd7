"""Static files: ours and those of the packages that bring Bootstrap and htmx, under one address."""

from __future__ import annotations

from flask import Flask


def register(app: Flask) -> None:
    """Serve them."""
