"""Which delivery of **Upload again** is next, and taking it; those of runs are carried out under their runs' claims."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from sqlalchemy import or_, select, update

from webapp.extensions import db
from webapp.models import Delivery, clock
from webapp.queues import DELIVERY, top_up
from webapp.services.deliveries.journal import Sending, lease
from webapp.services.runs.attempts import BACKOFF

EXECUTE: Final = DELIVERY
AT_ONCE: Final = 100

_WAITING: Final = (
    Delivery.number > 1,
    Delivery.state.not_in(("delivered", "failed")),
    Delivery.not_before <= clock(),
)


def _free() -> tuple[object, ...]:
    return (*_WAITING, or_(Delivery.state == "queued", Delivery.lease_until < clock()))


def claim() -> Sending | None:
    """Take the delivery that has waited longest, in the scope of the caller; None if none waits."""
    waiting = select(Delivery.id).where(*_free()).order_by(Delivery.not_before, Delivery.id)  # type: ignore[arg-type]
    next_one = waiting.limit(1).with_for_update(skip_locked=True).scalar_subquery()
    taking = (
        update(Delivery)
        .where(Delivery.id == next_one)
        .values(attempt=Delivery.attempt + 1, state="uploading", lease_until=lease(), started_at=clock(), steps=[])
        .returning(Delivery.id, Delivery.brand_id, Delivery.run_id, Delivery.attempt)
        .execution_options(synchronize_session=False)
    )
    found = db.session.execute(taking).one_or_none()
    db.session.commit()
    return Sending(found.id, found.brand_id, found.run_id, found.attempt) if found else None


def sweep() -> int:
    """Make sure that there are tickets for what waits, also for what a fastworker that died held; returns how many."""
    waiting = list(db.session.scalars(select(Delivery.id).where(*_free()).limit(AT_ONCE)))  # type: ignore[arg-type]
    db.session.rollback()
    return top_up(EXECUTE, waiting) if waiting else 0


def is_repeatable(failures: int) -> timedelta | None:
    """How long to wait after so many failures before this one; None if that was the last try."""
    return BACKOFF[failures] if failures < len(BACKOFF) else None
