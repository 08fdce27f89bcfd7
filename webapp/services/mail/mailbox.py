"""**Mailbox**: mails that nothing sends, as no mail server is set; only on the embedded default (SPEC section 9)."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Final

from flask import current_app
from sqlalchemy import ColumnElement, select

from webapp.extensions import db
from webapp.models import Mail, User

SHOWN: Final = 200


def is_open() -> bool:
    """Whether mails are caught here."""
    return current_app.config["SETTINGS"].mail_server is None


def caught(user: User) -> Sequence[Mail]:
    """The newest mails to people of the present brand, as far as the user may read them."""
    wanted = (
        select(Mail)
        .where(Mail.state == "caught", *_readable(user))
        .order_by(Mail.created_at.desc(), Mail.recipient)
        .limit(SHOWN)
    )
    return db.session.scalars(wanted).all()


def find(user: User, id: uuid.UUID) -> Mail | None:
    """One of them."""
    wanted = select(Mail).where(Mail.id == id, Mail.state == "caught", *_readable(user))
    return db.session.scalars(wanted).one_or_none()


def _readable(user: User) -> tuple[ColumnElement[bool], ...]:
    """Mails about accounts are for admins: one may hold a link that lets in whoever follows it."""
    return () if user.role == "admin" else (Mail.run_id.is_not(None),)
