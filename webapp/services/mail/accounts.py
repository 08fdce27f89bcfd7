"""Mails about accounts: the link to choose a password, and what admins are told of people (SPEC section 10).

They go the way of the outbox: no page waits for them, and while the mail server is away they are tried again.
"""

from __future__ import annotations

import uuid
from typing import Any

from sqlalchemy import DateTime, Text, func, insert, literal, select
from sqlalchemy.dialects.postgresql import JSONB

from webapp.extensions import db
from webapp.models import Mail, User, clock
from webapp.queues import MAIL, enqueue_after_commit
from webapp.services.mail.notify import admins


def write(kind: str, user: User, /, **facts: Any) -> None:
    """Write down a mail to a user, in the transaction of what it is about."""
    mail = Mail(id=uuid.uuid4(), brand_id=user.brand_id, kind=kind, user_id=user.id, recipient=user.email, facts=facts)
    db.session.add(mail)
    enqueue_after_commit(MAIL, mail.id)


def tell_admins(kind: str, **facts: Any) -> None:
    """Write down a mail to every active admin of the present brand."""
    for one in admins():
        mail = Mail(id=uuid.uuid4(), kind=kind, user_id=one.user_id, recipient=one.address, facts=facts)
        db.session.add(mail)
        enqueue_after_commit(MAIL, mail.id)


def reset(email: str) -> None:
    """Write down a link for whoever has this email, for nobody if nobody has it: one statement, so that both take as
    long. In the system scope, since nobody is logged in.
    """
    values = {
        "id": func.gen_random_uuid(),
        "brand_id": User.brand_id,
        "kind": literal("reset"),
        "user_id": User.id,
        "recipient": User.email,
        "facts": literal({}, JSONB),
        "state": literal("waiting", Text),
        "tries": literal(0),
        "next_try_at": clock(),
        "created_at": clock().cast(DateTime(timezone=True)),
    }
    whose = select(*values.values()).where(User.email == email, User.disabled_at.is_(None))
    db.session.execute(insert(Mail).from_select(list(values), whose, include_defaults=False))
    enqueue_after_commit(MAIL, uuid.uuid4())
