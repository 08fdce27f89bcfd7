"""Tries that may fail only so often: each is counted before it is looked at, and given back unless it failed.

Counted afterwards, twenty guesses at once would all be looked at before the first of them counts (RELIABILITY S7).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, ParamSpec, TypeVar

from flask import Flask, Response, current_app, request
from redis.exceptions import RedisError

from webapp.web_extensions import limiter

P = ParamSpec("P")
R = TypeVar("R")

FAILURES: Final = "5 per 15 minutes"
"""The sixth failure in 15 minutes is refused, for an account and for an address."""


def failing(failed: Callable[[Response], bool]) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Declare which answers of a view are failures; the limits of the view count these alone."""

    def declare(view: Callable[P, R]) -> Callable[P, R]:
        view.failed = failed  # type: ignore[attr-defined]
        return view

    return declare


def _give_back(response: Response) -> Response:
    """Whoever was right takes nothing from the next one; a refused try neither: it told nobody anything, and would let
    an address that is refused lock out accounts.
    """
    view = current_app.view_functions.get(request.endpoint or "")
    failed = getattr(view, "failed", None)
    if failed is None or failed(response):
        return response
    storage = limiter.limiter.storage
    for one in limiter.current_limits:
        key = one.limit.key_for(*one.request_args)
        try:
            if storage.get(key) > 0:  # what is counted anew since owes nothing
                storage.incr(key, one.limit.get_expiry(), amount=-1)
        except (RedisError, OSError):
            return response  # it went away within this request
    return response


def register(app: Flask) -> None:
    """Bind what is done after every answer."""
    app.after_request(_give_back)
