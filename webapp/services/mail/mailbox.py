"""**Mailbox**: mails that nothing sends, as no mail server is set; only on the embedded default (SPEC section 9)."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Final

from flask import current_app
from sqlalchemy import select

from webapp.extensions import db
from webapp.models import Mail

SHOWN: Final = 200


def is_open() -> bool:
    """Whether mails are caught here."""
    return current_app.config["SETTINGS"].mail_server is None


def caught() -> Sequence[Mail]:
    """The newest mails to people of the present brand."""
    wanted = select(Mail).where(Mail.state == "caught").order_by(Mail.created_at.desc(), Mail.recipient).limit(SHOWN)
    return db.session.scalars(wanted).all()


def find(id: uuid.UUID) -> Mail | None:
    """One of them."""
    return db.session.scalars(select(Mail).where(Mail.id == id, Mail.state == "caught")).one_or_none()
