"""Tries that may fail only so often: each is counted before it is looked at, and given back unless it failed.

Counted afterwards, twenty guesses at once would all be looked at before the first of them counts (RELIABILITY S7).
What takes the last place may be right all the same: who finds none waits until it is known.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import wraps
from typing import Final, ParamSpec

from flask import Flask, Response, current_app, request
from flask_limiter import RateLimitExceeded, RequestLimit
from redis.exceptions import RedisError

from webapp.web_extensions import limiter

P = ParamSpec("P")

FAILURES: Final = "5 per 15 minutes"
"""The sixth failure in 15 minutes is refused, for an account and for an address."""
FAILED: Final = "failed"
"""Part of the key that counts those which are known to have failed."""
PATIENCE_S: Final = 1.5
"""How long a try waits for others to be looked at: a right password takes 23 ms of a processor (Argon2id), which a
dozen people behind one address may want at once.
"""
POLL_S: Final = 0.02


def failing(
    failed: Callable[[Response], bool], refuse: Callable[[RequestLimit], Response]
) -> Callable[[Callable[P, Response]], Callable[P, Response]]:
    """Declare which answers of a view are failures; the limits of the view count these alone. `refuse` answers who has
    failed too often.
    """

    def declare(limited: Callable[P, Response]) -> Callable[P, Response]:
        @wraps(limited)
        def patient(*args: P.args, **named: P.kwargs) -> Response:
            end = time.monotonic() + PATIENCE_S
            while True:
                try:
                    return limited(*args, **named)
                except RateLimitExceeded:
                    full = next(one for one in limiter.current_limits if one.breached)
                    if time.monotonic() >= end or _have_failed(full):
                        return refuse(full)
                _give_back()
                _wait(full, end)

        patient.failed = failed  # type: ignore[attr-defined]
        return patient

    return declare


def _have_failed(full: RequestLimit) -> bool:
    """Whether all who took a place are known to have failed, so that none of them becomes free."""
    try:
        return not limiter.limiter.test(full.limit, *full.request_args, FAILED)
    except (RedisError, OSError):
        return False  # the next try is counted in memory


def _wait(full: RequestLimit, end: float) -> None:
    """Until a place is free, or none can become free."""
    try:
        while time.monotonic() < end and not limiter.limiter.test(full.limit, *full.request_args):
            if _have_failed(full):
                return
            time.sleep(POLL_S)
    except (RedisError, OSError):
        return  # the next try is counted in memory


def _give_back() -> None:
    storage = limiter.limiter.storage
    for one in limiter.current_limits:
        key = one.limit.key_for(*one.request_args)
        try:
            if storage.get(key) > 0:  # what is counted anew since owes nothing
                storage.incr(key, one.limit.get_expiry(), amount=-1)
        except (RedisError, OSError):
            return  # it went away within this request


def _know_failure() -> None:
    for one in limiter.current_limits:
        try:
            limiter.limiter.hit(one.limit, *one.request_args, FAILED)
        except (RedisError, OSError):
            return  # it went away within this request: who finds no place waits in vain


def _settle(response: Response) -> Response:
    """Whoever was right takes nothing from the next one; a refused try neither: it told nobody anything, and would let
    an address that is refused lock out accounts.
    """
    view = current_app.view_functions.get(request.endpoint or "")
    failed = getattr(view, "failed", None)
    if failed is not None:
        _know_failure() if failed(response) else _give_back()
    return response


def register(app: Flask) -> None:
    """Bind what is done after every answer."""
    app.after_request(_settle)
