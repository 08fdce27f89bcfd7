"""Users: made by the operator, known by a password (Argon2id; RELIABILITY T9)."""

from __future__ import annotations

import secrets
from functools import cache
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from exports import recipients, zones
from exports.errors import AccountRefused
from webapp.extensions import db
from webapp.models import Brand, User, system_scope
from webapp.models.accounts import LANGUAGES, ROLES, new_token
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
    user = new_user(brand, email, name, role, time_zone, password)
    if role == "admin":
        user.export_pii = user.see_audit = True
    add(user)
    audit.record("user.created", actor, user, email=user.email, role=role)
    db.session.commit()
    return user


def new_user(brand: Brand, email: str, name: str, role: str, time_zone: str | None, password: str) -> User:
    """A user whom the caller adds (`add`).

    Raises:
        AccountRefused: saying which of them cannot be used.
    """
    email, time_zone = email.strip().lower(), time_zone or brand.time_zone
    if not recipients.is_address(email):
        raise AccountRefused(reason=f'"{email[:80]}" is no email address')
    _check_free(email)
    check_name(name)
    check_role(role)
    check_time_zone(time_zone)
    hashed = hash_password(password)
    return User(
        brand_id=brand.id, email=email, name=name.strip(), role=role, time_zone=time_zone, password_hash=hashed
    )  # fmt: skip


def add(user: User) -> None:
    """Put a new user into the database; the caller commits.

    Raises:
        AccountRefused: somebody else gave this address an account meanwhile.
    """
    email = user.email
    db.session.add(user)
    try:
        db.session.flush()
    except IntegrityError:
        db.session.rollback()
        _check_free(email)
        raise


def _check_free(email: str) -> None:
    with system_scope():  # an address is one person's, whatever the brand
        if db.session.scalars(select(User.id).where(User.email == email)).first() is not None:
            raise AccountRefused(reason=f"{email} has an account already")


def check_name(name: str) -> None:
    """Raises AccountRefused for a name that nobody can be called by."""
    if not name.strip() or len(name.strip()) > MAX_NAME or not name.strip().isprintable():
        raise AccountRefused(reason=f"the name needs 1 to {MAX_NAME} printable characters")


def check_role(role: str) -> None:
    """Raises AccountRefused for what is no role."""
    if role not in ROLES:
        raise AccountRefused(reason=f"the role must be one of {', '.join(ROLES)}")


def check_time_zone(name: str) -> None:
    """Raises AccountRefused for what is no time zone."""
    if name not in zones.names():
        raise AccountRefused(reason=f'there is no time zone "{name[:80]}"')


def check_language(language: str | None) -> None:
    """Raises AccountRefused for what no page can be read in; None is English, which nobody has to choose."""
    if language is not None and language not in LANGUAGES:
        raise AccountRefused(reason=f'there is no language "{language[:80]}"')


def change_profile(user: User, name: str, time_zone: str, language: str | None) -> None:
    """What users set of themselves. Commits.

    Raises:
        AccountRefused: naming what cannot be used.
    """
    check_name(name)
    check_time_zone(time_zone)
    check_language(language)
    before = {"name": user.name, "time_zone": user.time_zone, "language": user.language or ""}
    after = {"name": name.strip(), "time_zone": time_zone, "language": language or ""}
    if before != after:
        user.name, user.time_zone, user.language = name.strip(), time_zone, language
        audit.record("user.changed", user, user, before=before, **after)
    db.session.commit()


def change_password(user: User, password: str) -> None:
    """Set a password: every session of the user is over, and every link to choose one (RELIABILITY T8). Commits.

    Raises:
        AccountRefused: too short, too long, or not storable.
    """
    user.password_hash, user.token, user.invited_at = hash_password(password), new_token(), None
    audit.record("user.password_changed", user, user)
    db.session.commit()
