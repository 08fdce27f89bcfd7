"""Links by which somebody chooses a password: signed, for 24 hours, and used once (RELIABILITY T10).

A link holds what it is for, whose it is and since when, and a print of the password that it replaces: once another one
is chosen, by this link or otherwise, the print is not the user's any more. No row holds a link.
"""

from __future__ import annotations

import hashlib
import uuid
from datetime import UTC, datetime, timedelta
from typing import Final

from flask import current_app
from itsdangerous import BadSignature, URLSafeSerializer
from sqlalchemy import select

from webapp.extensions import db
from webapp.models import User, system_scope
from webapp.services.progress import present

VALID: Final = timedelta(hours=24)
PURPOSE: Final = "choose a password"
MAX_LENGTH: Final = 400


def made(user: User) -> str:
    """The token of a new link for this user."""
    return _signer().dumps([str(user.id), int(present().timestamp()), _print(user)])


def user_of(token: str, *, using: bool = False) -> User | None:
    """Whose link it is; None if it is none of ours, too old, used, or its user was disabled. Nobody is logged in.

    `using`: until the commit nobody else uses it; of two at once the second finds it used.
    """
    if len(token) > MAX_LENGTH:
        return None
    try:
        id_, since, print_ = _signer().loads(token)
    except BadSignature:
        return None
    with system_scope():
        wanted = select(User).where(User.id == uuid.UUID(id_))
        if using:
            wanted = wanted.with_for_update(of=User).execution_options(populate_existing=True)
        user = db.session.scalars(wanted).one_or_none()
        if user is None or not user.is_active or _print(user) != print_:
            return None
        return user if present() < datetime.fromtimestamp(since, UTC) + VALID else None


def _signer() -> URLSafeSerializer:
    return URLSafeSerializer(
        current_app.config["SECRET_KEY"], salt=PURPOSE, signer_kwargs={"digest_method": hashlib.sha256}
    )


def _print(user: User) -> str:
    return hashlib.sha256(f"{user.token} {user.password_hash} {user.email}".encode()).hexdigest()[:32]
