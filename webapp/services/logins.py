"""Who comes in and who goes: every login, failed login and logout is in the audit log of the person's brand.

A failed login with an email that nobody has belongs to no brand: it is in the security log only (DESIGN section 3).
"""

from __future__ import annotations

import logging

from flask import request

from webapp.extensions import db
from webapp.models import User, system_scope
from webapp.services import accounts, audit

log = logging.getLogger("security")


def attempt(email: str, password: str) -> User | None:
    """The user whose email and password these are; None in every other case, after the same work."""
    with system_scope():
        user = accounts.by_email(email)
        known = accounts.verify(user, password)
        _keep("login.ok" if known else "login.failed", user)
        if user is None or not known:
            return None
        db.session.refresh(user)  # the caller has no scope to read it in
        return user


def limited(email: str) -> None:
    """Somebody tried too often."""
    with system_scope():
        _keep("login.limited", accounts.by_email(email))


def left(user: User) -> None:
    """A user signs out."""
    audit.record("logout", user, user)
    db.session.commit()


def _keep(kind: str, user: User | None) -> None:
    if user is None:
        log.warning("%s for an unknown email from %s", kind, request.remote_addr)
        return
    audit.record(kind, user, user, result="ok" if kind == "login.ok" else "failed")
    db.session.commit()
