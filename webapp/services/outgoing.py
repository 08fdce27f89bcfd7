"""What is sent to somewhere else at least once: claimed by moving its next try, sent, and marked (RELIABILITY P15).

Mails and messages to webhooks alike. Whoever is killed in between leaves one that is sent again, under the same id.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final, TypeVar

from sqlalchemy import select, update

from webapp.extensions import db
from webapp.models import Mail, WebhookMessage, clock

Sent = TypeVar("Sent", Mail, WebhookMessage)

CLAIMED: Final = timedelta(minutes=5)
"""How long what was claimed is left to whoever claimed it; longer than a work horse may live (jobs/worker.py)."""
BACKOFF: Final = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 15, 60, 180, 459, 720))
"""Waits between the eight tries: 24 hours in all (RELIABILITY P15)."""


@dataclass(frozen=True)
class Due:
    """Something that this process has claimed, for its `tries`-th try."""

    id: uuid.UUID
    brand_id: uuid.UUID
    tries: int


def one_due(kind: type[Sent]) -> uuid.UUID | None:
    """One that is to be sent now; None if there is none; in the caller's scope."""
    due = select(kind.id).where(kind.state == "waiting", kind.next_try_at <= clock())
    return db.session.scalar(due.order_by(kind.next_try_at).limit(1))


def claim(kind: type[Sent], at_once: int, *, then: str = "id") -> list[Due]:
    """Take on what is due, the longest waiting first, in the order in which it was made, and `then` by this column.

    Commits; in the caller's scope.
    """
    due = select(kind.id).where(kind.state == "waiting", kind.next_try_at <= clock())
    held = due.order_by(kind.next_try_at, kind.id).limit(at_once).with_for_update(skip_locked=True)
    taking = (
        update(kind)
        .where(kind.id.in_(list(db.session.scalars(held))))
        .values(tries=kind.tries + 1, next_try_at=clock() + CLAIMED)
        .returning(kind)
        .execution_options(synchronize_session=False, populate_existing=True)
    )
    rows = sorted(db.session.scalars(taking), key=lambda row: (row.created_at, getattr(row, then)))
    taken = [Due(row.id, row.brand_id, row.tries) for row in rows]
    db.session.commit()
    return taken


def wait_after(due: Due) -> timedelta | None:
    """How long to wait for the next try; None after the last."""
    return BACKOFF[due.tries - 1] if due.tries <= len(BACKOFF) else None


def changed(kind: type[Sent], due: Due, **values: Any) -> Sent | None:
    """Compare and set: what another try has overtaken is left as it is, and None. The caller commits."""
    held = (kind.id == due.id, kind.state == "waiting", kind.tries == due.tries)
    change = update(kind).where(*held).values(**values).returning(kind)
    options = {"synchronize_session": False, "populate_existing": True}
    return db.session.scalars(change.execution_options(**options)).one_or_none()
