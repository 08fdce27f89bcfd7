"""Which delivery of **Upload again** is next, and taking it; those of runs are carried out under their runs' claims."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from sqlalchemy import ColumnElement, select, update

from webapp.extensions import db
from webapp.models import Delivery, clock
from webapp.queues import DELIVERY, top_up
from webapp.services.deliveries.journal import Sending, died, lease
from webapp.services.runs.attempts import BACKOFF
from webapp.services.runs.sweep import MAX_DEATHS

EXECUTE: Final = DELIVERY
AT_ONCE: Final = 100

_WAITING: Final = (
    Delivery.number > 1,
    Delivery.state == "queued",
    Delivery.not_before <= clock(),
)


def claim(worker: str) -> Sending | None:
    """Take the delivery that has waited longest, in the scope of the caller; None if none waits."""
    waiting = select(Delivery.id).where(*_WAITING).order_by(Delivery.not_before, Delivery.id)
    next_one = waiting.limit(1).with_for_update(skip_locked=True).scalar_subquery()
    taking = (
        update(Delivery)
        .where(Delivery.id == next_one)
        .values(
            attempt=Delivery.attempt + 1, state="uploading", worker=worker, lease_until=lease(), started_at=clock(),
            steps=[],
        )
        .returning(Delivery.id, Delivery.brand_id, Delivery.run_id, Delivery.attempt)
        .execution_options(synchronize_session=False)
    )  # fmt: skip
    found = db.session.execute(taking).one_or_none()
    db.session.commit()
    return Sending(found.id, found.brand_id, found.run_id, found.attempt) if found else None


def holds(worker: str) -> bool:
    """Whether the work horse of this name holds a delivery of **Upload again**."""
    held = select(Delivery.id).where(Delivery.worker == worker, Delivery.lease_until.is_not(None))
    return db.session.scalar(held.limit(1)) is not None


def sweep() -> int:
    """Take back what dead workers held, then make sure that there are tickets for what waits; returns how many."""
    release(Delivery.lease_until < clock(), counted=True)
    waiting = list(db.session.scalars(select(Delivery.id).where(*_WAITING).limit(AT_ONCE)))
    db.session.rollback()
    return top_up(EXECUTE, waiting) if waiting else 0


def release(which: ColumnElement[bool], *, counted: bool) -> int:
    """Put back what was held by a worker that is gone; returns how many. `counted`: it may have died of it."""
    held = select(Delivery).where(Delivery.lease_until.is_not(None), which).limit(AT_ONCE)
    found = list(db.session.scalars(held.with_for_update(skip_locked=True).execution_options(populate_existing=True)))
    for row in found:
        row.deaths += counted
        row.lease_until, row.worker = None, None
        if row.deaths >= MAX_DEATHS:
            died(row)
        else:
            row.state, row.not_before = "queued", clock()
    db.session.commit()
    return len(found)


def is_repeatable(failures: int) -> timedelta | None:
    """How long to wait after so many failures before this one; None if that was the last try."""
    return BACKOFF[failures] if failures < len(BACKOFF) else None
