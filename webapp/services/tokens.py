"""API tokens: made by people for their programs, which then act as them (docs/api.md).

A token has no rights of its own: whoever it acts as has them at that moment. Its secret is told once, and only its
SHA-256 is kept: 256 random bits need no slower one.
"""

from __future__ import annotations

import hashlib
import secrets
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from sqlalchemy import ColumnElement, func, or_, select, update
from sqlalchemy.orm import joinedload

from exports.errors import Problem
from exports.errors.request import TokenRefused
from webapp.extensions import db
from webapp.models import ApiToken, User, brand_scope, clock, system_scope
from webapp.models.tokens import SCOPES
from webapp.permissions import authorize
from webapp.services import audit
from webapp.services.adding import add_once

PREFIX: Final = "exports_"
"""By it scanners of repositories, and people, see what it is."""
MAX_SECRET: Final = 200
MAX_NAME: Final = 100
MAX_DAYS: Final = 365
USUAL_DAYS: Final = 90
AT_MOST: Final = 50
"""Tokens in force of one user."""
ENDING: Final = 4
NOTED_EVERY: Final = timedelta(minutes=1)
"""How old the note of the last use may get: not every request is to write a row."""


@dataclass(frozen=True)
class Wanted:
    """What somebody wants a token to be."""

    name: str = ""
    scopes: tuple[str, ...] = ()
    days: int = USUAL_DAYS


def create(owner: User, wanted: Wanted, *, id: uuid.UUID | None = None, actor: str = "") -> tuple[ApiToken, str]:
    """Make a token; its secret is never told again, also not to a second call with the same `id`. Commits.

    `actor` is who does it, if not the owner.

    Raises:
        Refused: the user may not have tokens.
        TokenRefused: with all that cannot be used.
    """
    authorize(owner, "tokens.create")
    if id is not None and (known := db.session.get(ApiToken, id)) is not None:
        return known, ""
    if wrong := list(_problems(owner, wanted)):
        raise TokenRefused(wrong)
    scopes = [one for one in SCOPES if one in wanted.scopes]
    secret = PREFIX + secrets.token_urlsafe(32)
    token = ApiToken(
        id=id or uuid.uuid4(), brand_id=owner.brand_id, owner_id=owner.id, name=wanted.name.strip(), scopes=scopes,
        hash=_hash(secret), ending=secret[-ENDING:], expires_at=clock() + timedelta(days=wanted.days),
    )  # fmt: skip
    if (known := add_once(token)) is not None:
        return known, ""
    audit.record(
        "token.created", actor or owner, token, name=token.name, owner=owner.email, scopes=scopes, days=wanted.days
    )  # fmt: skip
    db.session.commit()
    return token, secret


def _problems(owner: User, wanted: Wanted) -> Iterator[Problem]:
    """All that is wrong."""
    counted = select(func.count(ApiToken.id)).where(ApiToken.owner_id == owner.id, *_in_force())
    if (db.session.scalar(counted) or 0) >= AT_MOST:
        yield Problem("name", "token.too_many", f"There are {AT_MOST} tokens already: revoke one first")
    name = wanted.name.strip()
    if not name:
        yield Problem("name", "token.name", "Enter a name")
    elif len(name) > MAX_NAME:
        yield Problem("name", "token.name", f"The name is longer than {MAX_NAME} characters")
    elif not name.isprintable():
        yield Problem("name", "token.name", "The name may hold printable characters only")
    if unknown := [one for one in wanted.scopes if one not in SCOPES]:
        yield Problem("scopes", "token.scopes", f"There is no scope {ascii(unknown[0])[:80]}")
    elif not wanted.scopes:
        yield Problem("scopes", "token.scopes", "Choose at least one thing that it may do")
    if not 1 <= wanted.days <= MAX_DAYS:
        yield Problem("days", "token.days", f"A token is valid for 1 to {MAX_DAYS} days")


def _in_force() -> tuple[ColumnElement[bool], ...]:
    return ApiToken.revoked_at.is_(None), ApiToken.expires_at > clock()


def of(user: User) -> Sequence[ApiToken]:
    """The tokens of a user that are in force, newest first."""
    wanted = select(ApiToken).where(ApiToken.owner_id == user.id, *_in_force())
    return db.session.scalars(wanted.order_by(ApiToken.created_at.desc(), ApiToken.id)).all()


def listed() -> Sequence[ApiToken]:
    """The tokens of the present brand that are in force, by owner, each with the owner."""
    wanted = select(ApiToken).join(User, User.id == ApiToken.owner_id).where(*_in_force())
    order = (User.name, User.email, ApiToken.created_at.desc(), ApiToken.id)
    return db.session.scalars(wanted.order_by(*order).options(joinedload(ApiToken.owner))).all()


def find(id: uuid.UUID) -> ApiToken | None:
    """A token of the present brand."""
    return db.session.scalars(select(ApiToken).where(ApiToken.id == id)).one_or_none()


def revoke(user: User | None, token: ApiToken, *, actor: str = "") -> None:
    """From the next request on the token is none. Without a user, by `actor`. Commits.

    Raises:
        Refused: the token is somebody else's, and the user no admin.
    """
    if user is not None:
        authorize(user, "tokens.revoke", token)
    _revoke(ApiToken.id == token.id, user, actor)
    db.session.commit()


def revoke_all_of(owner: User, user: User) -> None:
    """Revoke what somebody made whom `user` disables: to be enabled again brings none back. The caller commits."""
    _revoke((ApiToken.owner_id == owner.id) & (ApiToken.expires_at > clock()), user)


def _revoke(which: ColumnElement[bool], user: User | None, actor: str = "") -> None:
    now = update(ApiToken).where(which, ApiToken.revoked_at.is_(None))
    now = now.values(revoked_at=clock(), revoked_by_id=user.id if user else None).returning(ApiToken)
    for token in db.session.scalars(now.execution_options(synchronize_session=False, populate_existing=True)).all():
        audit.record("token.revoked", user or actor, token, name=token.name, owner=str(token.owner_id))


def of_secret(secret: str) -> ApiToken | None:
    """The token with this secret, with its owner; None if it is none, not in force, or of somebody who is disabled."""
    if not secret.startswith(PREFIX) or len(secret) > MAX_SECRET or not secret.isascii():
        return None
    wanted = select(ApiToken).where(ApiToken.hash == _hash(secret), *_in_force())
    with system_scope():
        token = db.session.scalars(wanted.options(joinedload(ApiToken.owner))).one_or_none()
    return token if token is not None and token.owner.is_active else None


def note_use(token: ApiToken) -> None:
    """Remember that it is in use. Commits, if that was not known."""
    with brand_scope(token.brand_id):
        stale = or_(ApiToken.last_used_at.is_(None), ApiToken.last_used_at < clock() - NOTED_EVERY)
        used = update(ApiToken).where(ApiToken.id == token.id, stale).values(last_used_at=clock())
        if db.session.execute(used.returning(ApiToken.id)).all():
            db.session.commit()


def _hash(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()
