"""Requests that carry an API token: whom they act as, what the token is for, and how many there may be (docs/api.md).

No session counts here, so no page of another site can ask in anybody's name, and no request needs a token of a form.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from typing import Final, ParamSpec, TypeVar

from flask import Blueprint, Flask, Request, Response, current_app, g, request
from flask_limiter import RequestLimit
from flask_limiter.util import get_remote_address
from limits import parse
from redis.exceptions import RedisError

from exports.errors.request import RateLimited, ScopeMissing, TokenInvalid, TokenMissing
from webapp import problems
from webapp.extensions import db
from webapp.models import ApiToken, User, brand_scope
from webapp.services import audit, tokens
from webapp.web_extensions import hashed, limiter, login

P = ParamSpec("P")
R = TypeVar("R")

PREFIX: Final = "/api/v1/"
REFUSALS: Final = "60 per minute"
"""Requests without a valid token, of one address."""
SHARED: Final = "api"
"""What the limiter calls the limit of a token, which all routes share."""
TOLD: Final = parse("1 per minute")
"""A limit that was reached is written down once in its window."""


def scope(name: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Declare what a token must be for to use a view, in the words of `models.tokens.SCOPES`."""

    def declare(view: Callable[P, R]) -> Callable[P, R]:
        view.scope = name  # type: ignore[attr-defined]
        return view

    return declare


def is_asked() -> bool:
    """Whether this request is one that tokens are for."""
    return request.path.startswith(PREFIX)


def token() -> ApiToken | None:
    """The token of this request, if it is in force."""
    if "api_token" not in g:
        g.api_token = tokens.of_secret(_secret())
        if g.api_token is not None:
            g.acts_by = g.api_token.name
    found: ApiToken | None = g.api_token
    return found


def the_token() -> ApiToken:
    """The token of a request that has one.

    Raises:
        TokenMissing, TokenInvalid: it has none.
    """
    found = token()
    if found is None:
        raise TokenInvalid if request.headers.get("Authorization") else TokenMissing
    return found


def enter() -> None:
    """Let in what carries a token that is for this.

    Raises:
        TokenMissing, TokenInvalid, ScopeMissing: saying why not.
    """
    found = the_token()
    view = current_app.view_functions[str(request.endpoint)]
    wanted = getattr(view, "scope", "")
    if wanted not in found.scopes:
        raise ScopeMissing(scope=wanted)
    tokens.note_use(found)


def _secret() -> str:
    kind, _, secret = request.headers.get("Authorization", "").partition(" ")
    return secret.strip() if kind.lower() == "bearer" else ""


@login.request_loader  # type: ignore[untyped-decorator]  # flask-login ships no types
def _load_user(_request: Request) -> User | None:
    found = token() if is_asked() else None
    return found.owner if found is not None else None


# --- how many


def limited(blueprint: Blueprint) -> None:
    """Bind the limits to the routes of a blueprint: of each token, and of addresses that send none that is valid."""
    limiter.shared_limit(_limit, SHARED, key_func=_who, on_breach=_too_often)(blueprint)
    limiter.shared_limit(
        REFUSALS, "api-refused", key_func=_address, deduct_when=_refused, exempt_when=_has_token, on_breach=_too_often
    )(blueprint)


def _has_token() -> bool:
    return token() is not None


def _limit() -> str:
    return f"{current_app.config['SETTINGS'].api_limit} per minute"


def _who() -> str:
    secret = _secret()
    return hashed("token", secret) if secret.startswith(tokens.PREFIX) else _address()


def _address() -> str:
    return hashed("api-address", get_remote_address())


def _refused(response: Response) -> bool:
    return response.status_code == 401


def _too_often(limit: RequestLimit) -> Response:
    found = token()
    if found is not None and limiter.limiter.hit(TOLD, limit.key):
        g.setdefault("request_id", uuid.uuid4().hex)
        with brand_scope(found.brand_id):
            audit.record("rate.limited", found.owner, found, result="denied", path=request.path)
            db.session.commit()
    response = problems.answer(RateLimited())
    response.headers["Retry-After"] = str(max(1, round(limit.reset_at - time.time())))
    return response


def _tell_limits(response: Response) -> Response:
    """Say in every answer how many requests are left, so that a client can wait before it has to."""
    asked = limiter.current_limits if is_asked() else []
    mine = next((one for one in asked if SHARED in one.request_args), None)
    if mine is None:
        return response
    try:
        left, reset = mine.remaining, mine.reset_at
    except (RedisError, OSError):
        return response  # it went away within this request
    response.headers["RateLimit-Limit"] = str(mine.limit.amount)
    response.headers["RateLimit-Remaining"] = str(max(0, left))
    response.headers["RateLimit-Reset"] = str(max(1, round(reset - time.time())))
    return response


def register(app: Flask) -> None:
    """Bind what is said in every answer."""
    app.after_request(_tell_limits)
