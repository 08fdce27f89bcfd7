"""Who comes in and who goes: every login, failed login and logout is in the audit log of the person's brand.

A failed login with an email that nobody has belongs to no brand: it is in the security log only (DESIGN section 3).
There all failures are told alike.
"""

from __future__ import annotations

import logging

from flask import request
from sqlalchemy import select

from webapp.extensions import db
from webapp.models import User, system_scope
from webapp.services import accounts, audit, links, second_step
from webapp.services.mail import accounts as mails

log = logging.getLogger("security")


def attempt(email: str, password: str) -> User | None:
    """The user whose email and password these are; None in every other case, after the same work (RELIABILITY S7).

    Whose second step is on is not in yet: see `second`.
    """
    with system_scope():
        user = accounts.by_email(email)
        if accounts.verify(user, password) and user is not None:
            if not second_step.is_on(user):
                audit.record("login.ok", user, user)
            db.session.commit()
            db.session.refresh(user)  # the caller has no scope to read it in
            return user
        _failed("login.failed", email)
    return None


def waiting(token: str) -> User | None:
    """Who gave the right password and has still to give a code, by the token that the session kept."""
    with system_scope():
        user = db.session.scalars(select(User).where(User.token == token)).one_or_none()
    return user if user is not None and user.is_active and second_step.is_on(user) else None


def second(user: User, typed: str) -> bool:
    """Whether the code lets the user in."""
    with system_scope():
        if second_step.passes(user, typed):
            audit.record("login.ok", user, user, second_step=True)
            db.session.commit()
            db.session.refresh(user)
            return True
        db.session.rollback()
        log.warning("login.failed at the second step from %s", request.remote_addr)
        audit.record("login.failed", user, user, result="failed", second_step=True)
        db.session.commit()
        db.session.refresh(user)
    return False


def limited(email: str, kind: str = "login.limited") -> None:
    """Somebody tried too often; or, with the kind "rate.limited", asked for something."""
    with system_scope():
        _failed(kind, email)


def reset_asked(email: str) -> None:
    """Somebody forgot a password: whoever has this email gets a link, and the answer is the same if nobody does."""
    if accounts.can_be_email(email):
        with system_scope():
            mails.reset(email.strip().lower())
            audit.record_for_email("user.reset_asked", email.strip().lower(), result="ok")
            db.session.commit()


def chosen(token: str, password: str) -> User | None:
    """Set the password by a link; None if the link is not valid (any more).

    Raises:
        AccountRefused: the password cannot be used.
    """
    user = links.user_of(token, using=True)
    if user is None:
        return None
    with system_scope():
        accounts.change_password(user, password)
        db.session.refresh(user)  # the caller has no scope to read it in
    return user


def left(user: User) -> None:
    """A user signs out."""
    audit.record("logout", user, user)
    db.session.commit()


def _failed(kind: str, email: str) -> None:
    log.warning("%s from %s", kind, request.remote_addr)
    if accounts.can_be_email(email):
        audit.record_for_email(kind, email.strip().lower())
    db.session.commit()
