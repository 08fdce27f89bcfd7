"""Users: made by the operator, known by a password (Argon2id; RELIABILITY T9)."""

from __future__ import annotations

import secrets
from functools import cache
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import select

from exports import recipients, zones
from exports.errors import AccountRefused
from webapp.extensions import db
from webapp.models import Brand, User
from webapp.models.accounts import ROLES
from webapp.services import audit

MIN_PASSWORD: Final = 12
MAX_PASSWORD: Final = 256
"""Looked at before anything is hashed: a password of megabytes must cost nothing."""
MAX_EMAIL: Final = 254
MAX_NAME: Final = 100

# 19 MiB, 2 passes, 1 lane: the smallest of OWASP's equal choices in memory, since 32 threads may log in at once.
_hasher: Final = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)


def hash_password(password: str) -> str:
    """The Argon2id hash of a new password.

    Raises:
        AccountRefused: shorter than MIN_PASSWORD or longer than MAX_PASSWORD characters, or not storable.
    """
    if len(password) < MIN_PASSWORD:
        raise AccountRefused(reason=f"the password needs at least {MIN_PASSWORD} characters")
    if len(password) > MAX_PASSWORD:
        raise AccountRefused(reason=f"the password may have at most {MAX_PASSWORD} characters")
    try:
        return _hasher.hash(password)
    except UnicodeEncodeError as error:
        raise AccountRefused(reason="the password holds a half of a character") from error


def new_password() -> str:
    """A random password of 24 characters."""
    return secrets.token_urlsafe(18)


@cache
def _nobodys_hash() -> str:
    return _hasher.hash(secrets.token_urlsafe(18))


def verify(user: User | None, password: str) -> bool:
    """Whether this is the user's password. For nobody (None) and for disabled users it takes as long, and is not."""
    if len(password) > MAX_PASSWORD:
        return False
    known = user is not None and user.is_active
    try:
        _hasher.verify(user.password_hash if user is not None and known else _nobodys_hash(), password)
    except (VerificationError, InvalidHashError, UnicodeEncodeError):
        return False
    return known


def can_be_email(email: str) -> bool:
    """Whether the database may be asked for it: short enough, no NUL, no half of a character."""
    try:
        email.encode()
    except UnicodeEncodeError:
        return False
    return len(email) <= MAX_EMAIL and "\x00" not in email


def by_email(email: str) -> User | None:
    """The user with this address, in whatever case it is written, in the caller's scope (login: all brands)."""
    if not can_be_email(email):
        return None
    return db.session.scalars(select(User).where(User.email == email.strip().lower())).one_or_none()


def create_user(
    brand: Brand, email: str, name: str, *, role: str, time_zone: str | None, password: str, actor: User | str
) -> User:
    """Make a user; the time zone left out is the brand's. Commits.

    Raises:
        AccountRefused: saying which of them cannot be used.
    """
    email, name, time_zone = email.strip().lower(), name.strip(), time_zone or brand.time_zone
    _check(email, name, role, time_zone)
    user = User(
        brand_id=brand.id, email=email, name=name, role=role, time_zone=time_zone, password_hash=hash_password(password)
    )
    if role == "admin":
        user.export_pii = user.see_audit = True
    db.session.add(user)
    db.session.flush()
    audit.record("user.created", actor, user, email=email, role=role)
    db.session.commit()
    return user


def _check(email: str, name: str, role: str, time_zone: str) -> None:
    if not recipients.is_address(email):
        raise AccountRefused(reason=f'"{email[:80]}" is no email address')
    if by_email(email) is not None:
        raise AccountRefused(reason=f"{email} has an account already")
    if not name or len(name) > MAX_NAME or not name.isprintable():
        raise AccountRefused(reason=f"the name needs 1 to {MAX_NAME} printable characters")
    if role not in ROLES:
        raise AccountRefused(reason=f"the role must be one of {', '.join(ROLES)}")
    if time_zone not in zones.names():
        raise AccountRefused(reason=f'there is no time zone "{time_zone}"')
