"""The life of a comparison: claimed, held, given back, published or failed; every write is fenced by the attempt.

It is renewed by the work itself, which looks every few milliseconds: a comparison whose store hangs for longer than a
lease is taken over, one whose worker died is begun again, and the third time that happens it says so (docs/compare.md).
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, Update, and_, func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import aliased

from exports.compare import Comparison
from exports.errors import Cancelled, ExportsError, Fenced
from exports.errors.compare import ComparisonBroken
from webapp.extensions import db
from webapp.models import Brand, Compare, Run, clock
from webapp.queues import COMPARE, enqueue_after_commit, top_up
from webapp.services import audit
from webapp.services.runs.attempts import reason_of
from webapp.services.runs.claiming import WORKER, lease

EXECUTE: Final = COMPARE
MAX_DEATHS: Final = 3
AT_ONCE: Final = 100
_RELEASED: Final[dict[str, Any]] = {"lease_until": None, "worker": None, "doing": None}


@dataclass(frozen=True)
class Comparing:
    """The right to carry out one attempt."""

    id: uuid.UUID
    brand_id: uuid.UUID
    attempt: int


def claim(worker: str) -> Comparing | None:
    """Take the comparison that has waited longest, of a brand that has none in progress; None if there is none."""
    busy = aliased(Compare)
    goes_on = select(busy.id).where(busy.brand_id == Compare.brand_id, busy.state == "processing").exists()
    waiting = select(Compare.id).where(Compare.state == "queued", ~goes_on).order_by(Compare.created_at, Compare.id)
    next_one = waiting.limit(1).with_for_update(skip_locked=True, of=Compare).scalar_subquery()
    taking = (
        update(Compare)
        .where(Compare.id == next_one, Compare.state == "queued")
        .values(
            state="processing", attempt=Compare.attempt + 1, worker=worker, lease_until=lease(), started_at=clock(),
            rows=0, doing="comparing",
        )
        .returning(Compare.id, Compare.brand_id, Compare.attempt)
        .execution_options(synchronize_session=False)
    )  # fmt: skip
    try:
        found = db.session.execute(taking).one_or_none()
        db.session.commit()
    except IntegrityError:  # another worker took one of the same brand: one at a time
        db.session.rollback()
        return None
    return Comparing(*found) if found else None


def beat(mine: Comparing, doing: str, rows: int) -> None:
    """Renew the lease and tell how far it is.

    Raises:
        Fenced: another attempt owns the comparison, or it is gone.
        Cancelled: somebody wants it stopped.
    """
    statement = _of(mine).values(lease_until=lease(), doing=doing, rows=rows).returning(Compare.cancel_requested_at)
    found = db.session.execute(statement.execution_options(synchronize_session=False)).one_or_none()
    db.session.commit()
    if found is None:
        raise Fenced
    if found.cancel_requested_at is not None:
        raise Cancelled


def publish(mine: Comparing, found: Comparison, key: str | None) -> None:
    """Make what was found the result. It is kept as long as both files are, and at most as long as files are.

    Raises:
        Fenced: as `beat`.
        Cancelled: the wish to cancel came first.
    """
    sides = select(Compare.earlier_id, Compare.later_id).where(Compare.id == mine.id)
    if (both := db.session.execute(sides).one_or_none()) is not None:  # held, so that neither file goes meanwhile
        db.session.execute(select(Run.id).where(Run.id.in_(both)).order_by(Run.id).with_for_update(read=True))
    files = select(Run.kept_until).where(Run.id.in_((Compare.earlier_id, Compare.later_id)))
    days = select(Brand.retention_days).where(Brand.id == mine.brand_id).scalar_subquery()
    soonest = files.order_by(Run.kept_until.nulls_first()).limit(1).correlate(Compare).scalar_subquery()
    kept = func.least(clock() + func.make_interval(0, 0, 0, days), soonest)
    statement = _of(mine).where(Compare.cancel_requested_at.is_(None)).values(
        state="done", finished_at=clock(), added=found.added, removed=found.removed, changed=found.changed,
        unchanged=found.unchanged, key=list(found.key), artefact=key, archive_bytes=found.bytes if key else None,
        sha256=found.sha256 if key else None, kept_until=kept if key else None, **_RELEASED,
    )  # fmt: skip
    row = _changed(statement)
    if row is None:
        db.session.rollback()
        beat(mine, "comparing", 0)  # says why
        raise Fenced
    counts = {name: getattr(found, name) for name in ("added", "removed", "changed", "unchanged")}
    audit.record("compare.finished", WORKER, row, **counts)
    db.session.commit()


def fail(mine: Comparing, error: ExportsError) -> None:
    """Say what is in the way. Nothing is tried again by itself: whoever waits for it presses **Compare** again."""
    row = _changed(_of(mine).values(state="failed", finished_at=clock(), **reason_of(error), **_RELEASED))
    if row is not None:
        row.error_advice = error.told_now.removeprefix(error.message).strip()
        audit.record("compare.failed", WORKER, row, result="failed", code=error.code)
    db.session.commit()


def stop(mine: Comparing) -> None:
    """End one whose cancelling was asked for."""
    _changed(_of(mine).values(state="cancelled", finished_at=clock(), **_RELEASED))
    db.session.commit()


def give_back(mine: Comparing) -> None:
    """Put it back into the queue, uncounted: this worker was told to stop."""
    if _changed(_of(mine).values(state="queued", **_RELEASED)) is not None:
        enqueue_after_commit(EXECUTE, mine.id)
    db.session.commit()


def holds(worker: str) -> bool:
    """Whether the work horse of this name holds a comparison."""
    held = select(Compare.id).where(Compare.state == "processing", Compare.worker == worker)
    return db.session.scalar(held.limit(1)) is not None


def sweep() -> int:
    """Take back what dead workers held, then make sure that there are tickets for what waits; returns how many."""
    release(Compare.lease_until < clock(), counted=True)
    waiting = list(db.session.scalars(select(Compare.id).where(Compare.state == "queued").limit(AT_ONCE)))
    db.session.rollback()  # nothing was written: end the transaction before Redis is asked
    return top_up(EXECUTE, waiting) if waiting else 0


def release(which: ColumnElement[bool], *, counted: bool) -> int:
    """Put back what was held by a worker that is gone; returns how many. `counted`: it may have died of it."""
    held = select(Compare).where(Compare.state == "processing", which).limit(AT_ONCE)
    found = list(db.session.scalars(held.with_for_update(skip_locked=True).execution_options(populate_existing=True)))
    for row in found:
        row.deaths += counted
        row.lease_until, row.worker, row.doing = None, None, None
        if row.cancel_requested_at is not None:
            row.state, row.finished_at = "cancelled", clock()
        elif row.deaths >= MAX_DEATHS:
            error = ComparisonBroken(deaths=row.deaths)
            for name, value in reason_of(error).items():
                setattr(row, name, value)
            row.state, row.finished_at = "failed", clock()
            audit.record("compare.failed", WORKER, row, result="failed", code=error.code)
        else:
            row.state = "queued"
    db.session.commit()
    return len(found)


def _of(mine: Comparing) -> Update:
    held = and_(Compare.id == mine.id, Compare.attempt == mine.attempt, Compare.state == "processing")
    return update(Compare).where(held)


def _changed(statement: Update) -> Compare | None:
    changed = statement.returning(Compare).execution_options(synchronize_session=False, populate_existing=True)
    return db.session.scalars(changed).one_or_none()
