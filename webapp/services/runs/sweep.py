"""What is done about workers that died, and about tickets that got lost: by every worker and every scheduler.

All of it is for all brands: jobs/upkeep.py calls it in the system scope.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, select

from exports.errors import WorkerDied
from webapp.extensions import db
from webapp.models import ITS_RUNS, Export, Run, clock
from webapp.models.states import RunEvent
from webapp.queues import enqueue_after_commit, top_up
from webapp.services import audit
from webapp.services.moves import moved
from webapp.services.runs.attempts import EXECUTE, reason_of
from webapp.services.runs.claiming import PATIENCE_MS, WORKER, claimable
from webapp.services.runs.events import note
from webapp.services.telling import run_ended

MAX_DEATHS: Final = 3
"""A run whose worker died this often is taken for the cause (RELIABILITY P5, F36)."""
AT_ONCE: Final = 100
"""Runs looked at in one sweep. A worker that takes a ticket goes on until nothing waits: few tickets will do."""
LOOK_S: Final = 0.05
"""How often is looked whether an export is free that somebody holds."""


@dataclass(frozen=True)
class Swept:
    """What a sweep did: runs taken back from dead workers, tickets given again."""

    taken_back: int
    tickets: int


def sweep() -> Swept:
    """Take back what dead workers held, then make sure that there are tickets for what may begin."""
    taken = _take_back(_held_by(Run.lease_until < clock()))
    waiting = list(db.session.scalars(claimable(AT_ONCE)))
    db.session.rollback()  # nothing was written: end the transaction before Redis is asked
    return Swept(taken, top_up(EXECUTE, waiting) if waiting else 0)


def owner_died(worker: str) -> int:
    """Take back at once what a work horse held whose end was seen; returns how many runs."""
    return _take_back(_all_of(worker))


def give_back_all_of(worker: str) -> int:
    """Put back, uncounted, what a work horse held that had to be stopped hard; returns how many runs."""
    runs = _all_of(worker)
    for run in runs:
        _move(run, "stopped" if run.cancel_requested_at is not None else "given_back")
    db.session.commit()
    return len(runs)


def holds(worker: str) -> bool:
    """Whether the work horse of this name holds a run."""
    return db.session.scalar(select(Run.id).where(Run.state == "processing", Run.worker == worker).limit(1)) is not None


def _held_by(which: ColumnElement[bool]) -> list[Run]:
    """The runs with their exports' rows, less those of which somebody else holds one or the other."""
    found = select(Run).join(Export, ITS_RUNS).where(Run.state == "processing", which).limit(AT_ONCE)
    held = found.with_for_update(skip_locked=True, key_share=True, of=(Run, Export))
    return list(db.session.scalars(held.execution_options(populate_existing=True)))


def _all_of(worker: str) -> list[Run]:
    """What this work horse held: whoever holds the export just now, as **Run now** does, lets go of it soon."""
    until = time.monotonic() + PATIENCE_MS / 1_000
    while not (runs := _held_by(Run.worker == worker)) and holds(worker) and time.monotonic() < until:
        db.session.rollback()
        time.sleep(LOOK_S)
    return runs


def _take_back(runs: list[Run]) -> int:
    for run in runs:
        if run.cancel_requested_at is not None:
            _move(run, "stopped")
        elif run.deaths + 1 >= MAX_DEATHS:
            _move(run, "died")
        else:
            _move(run, "lost")
    db.session.commit()
    return len(runs)


def _move(run: Run, event: RunEvent) -> None:
    """Carry out one event on a row that is locked."""
    values: dict[str, Any] = {"not_before": clock()}
    facts: dict[str, object] = {}
    if event in ("lost", "died"):
        values["deaths"] = run.deaths + 1
    if event in ("stopped", "died"):
        values = {**values, "finished_at": clock()}
    if event == "died":
        error = WorkerDied(deaths=run.deaths + 1)
        values = {**values, **reason_of(error)}
        facts = {"code": error.code, "message": error.message}
        audit.record("run.failed", WORKER, run, result="failed", code=error.code, attempt=run.attempt)
    if event == "stopped":
        audit.record("run.cancelled", WORKER, run, attempt=run.attempt)
    if event in ("lost", "given_back"):
        enqueue_after_commit(EXECUTE, run.id)
    note(run, event, **facts)
    db.session.execute(moved(event, by=Run.id == run.id, **values).execution_options(synchronize_session=False))
    if event == "died":
        db.session.refresh(run)
        run_ended(run)
