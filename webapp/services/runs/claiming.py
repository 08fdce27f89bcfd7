"""Which run is next, and taking it: by hand before the schedule's, then the brand that has least going, then by age.

At most `runs_per_brand` runs of a brand are in progress, over all workers, and never two of one export (RELIABILITY
T13, F37). Claims are made one at a time, under a lock: who looks later sees what was taken before. A run whose export
somebody holds at this moment is passed by: all others would wait for it.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, Final

from flask import current_app
from sqlalchemy import ColumnElement, Select, case, func, literal_column, select, union_all
from sqlalchemy.orm import aliased

from webapp.extensions import db
from webapp.models import Brand, Run, clock
from webapp.services import audit
from webapp.services.moves import moved
from webapp.services.runs.events import note

WORKER: Final = "worker"

LOCK: Final = 0x0EC1A133
"""The advisory lock of whoever claims; any number that nobody else uses in this database."""
PATIENCE_MS: Final = 5_000
"""How long to wait for the lock, or for an export that somebody holds if no other run may begin; and how long a process
that was stopped in the middle of a claim can keep the others waiting before the database ends its session."""
ON_OFFER: Final = 20
"""Runs of which the first is taken whose export nobody holds: more than are held at a time."""


@dataclass(frozen=True)
class Claim:
    """A run that a worker holds, as long as its lease lasts and nobody claims the next attempt."""

    run_id: uuid.UUID
    brand_id: uuid.UUID
    export_id: uuid.UUID
    version: int
    attempt: int
    base_moment: datetime
    artefact: str | None = None
    """The file that an earlier attempt has made and that is only to be delivered; None if it is to be made."""

    @property
    def made_by(self) -> int:
        """The attempt that made the file: this one, or the one whose file is only to be delivered."""
        if self.artefact is None:
            return self.attempt
        return int(self.artefact.rpartition("/")[2].removesuffix(".zip"))

    @property
    def key(self) -> str:
        """Where the attempt's artefact stands in the store."""
        return f"{self.brand_id}/{self.run_id}/{self.attempt}.zip"


def lease() -> Any:
    """When a lease ends that is given now."""
    return clock() + timedelta(seconds=current_app.config["SETTINGS"].run_lease)


def _in(state: str) -> ColumnElement[Any]:
    # A constant and no parameter: only so does the planner know that a partial index will do.
    return literal_column(f"'{state}'")


def claimable(limit: int) -> Select[uuid.UUID]:
    """The runs that may begin now, the next one first: of each brand no more than it may have going beside what it has.

    One walk down an index for each brand and lane: as quick with 100,000 runs waiting as with one (docs/runs.md).
    """
    return _claimable(limit, current_app.config["SETTINGS"].runs_per_brand)


@lru_cache(maxsize=8)  # to build it takes 5 ms, to ask it a tenth of one
def _claimable(limit: int, per_brand: int) -> Select[uuid.UUID]:
    held = select(Run.brand_id, Run.export_id).where(Run.state == _in("processing")).cte("held")
    going = select(func.count().label("runs")).select_from(held).where(held.c.brand_id == Brand.id).lateral("going")
    room = func.greatest(per_brand - going.c.runs, 0)

    def lane(number: int, which: Any) -> Any:
        run = aliased(Run)
        return (
            select(run.id, literal_column(str(number)).label("lane"), run.not_before, run.created_at)
            .where(run.brand_id == Brand.id, run.state == _in("queued"), which(run.kind), run.not_before <= clock())
            .where(run.export_id.not_in(select(held.c.export_id)))
            .order_by(run.not_before, run.created_at, run.id)
            .limit(per_brand)
            .correlate(Brand)
        )

    by_hand, by_schedule = (lambda kind: kind != _in("schedule")), (lambda kind: kind == _in("schedule"))
    both = union_all(lane(0, by_hand), lane(1, by_schedule)).subquery("both")
    of_brand = select(both).order_by(both.c.lane, both.c.not_before, both.c.created_at, both.c.id)
    waiting = of_brand.limit(room).lateral("waiting")
    order = (waiting.c.lane, going.c.runs, waiting.c.not_before, waiting.c.created_at, waiting.c.id)
    found = select(waiting.c.id).select_from(Brand).join(going, literal_column("true"))
    return found.join(waiting, literal_column("true")).order_by(*order).limit(limit)


def _alone() -> None:
    """Wait until nobody else claims; until the transaction ends nobody else does."""
    patience = str(PATIENCE_MS)
    entering = select(
        func.set_config("lock_timeout", patience, True),
        func.set_config("idle_in_transaction_session_timeout", patience, True),
        func.pg_advisory_xact_lock(LOCK),
    )
    db.session.execute(entering.execution_options(touches_no_brand=True))


def _take(worker: str) -> Run | None:
    """The run that is next, moved to processing in the present transaction; None if nothing may begin."""
    _alone()
    while offered := list(db.session.scalars(claimable(ON_OFFER))):
        for one, patiently in (*((one, False) for one in offered), (offered[0], True)):
            if (run := _taken(one, worker, patiently)) is not None:
                return run
        # Somebody cancelled it meanwhile: then another one is next.
    return None


def _taken(next_one: uuid.UUID, worker: str, patiently: bool) -> Run | None:
    """This run, moved; None if it waits no more or, unless `patiently`, somebody holds its export."""
    taking = moved(
        "claimed",
        by=Run.id == next_one,
        skip_locked=not patiently,
        attempt=Run.attempt + 1,
        worker=worker,
        lease_until=lease(),
        started_at=func.coalesce(Run.started_at, clock()),
        phase="starting",
        rows=case((Run.artefact.is_(None), 0), else_=Run.rows),
        bytes=case((Run.artefact.is_(None), 0), else_=Run.bytes),
    ).returning(Run)
    options = {"synchronize_session": False, "populate_existing": True}
    return db.session.scalars(taking.execution_options(**options)).one_or_none()


def rehearse_claim() -> None:
    """Have the claim compiled, before processes are forked; what it took is let go of again."""
    _take(WORKER)
    db.session.rollback()


def claim(worker: str) -> Claim | None:
    """Take the run that is next, in the scope of the caller (all brands: jobs/scheduler.py); None if nothing may begin.

    Raises:
        OperationalError: others were claiming for longer than PATIENCE_MS.
    """
    run = _take(worker)
    if run is None:
        db.session.rollback()
        return None
    note(run, "claimed", worker=worker)
    audit.record("run.started", WORKER, run, attempt=run.attempt)
    mine = Claim(run.id, run.brand_id, run.export_id, run.version, run.attempt, run.base_moment, run.artefact)
    db.session.commit()
    return mine
