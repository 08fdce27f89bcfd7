"""How far a run is: percent of the estimate, rows a second, time left (UX section 3.9)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol

from flask import g, has_request_context
from sqlalchemy import event, select
from sqlalchemy.orm import Session, SessionTransaction

from webapp.extensions import db
from webapp.models import Brand, Run, RunEvent, clock

SURE_AFTER_S: Final = 2.0
"""Before this a rate says nothing yet."""
HIGHEST: Final = 99
"""What is not finished is not 100 %: the estimate may be too low."""


@dataclass(frozen=True)
class Progress:
    """`percent`, `rate` (rows/s) and `seconds_left` are None as long as they cannot be said."""

    seconds: float
    percent: int | None
    rate: int | None
    seconds_left: int | None


class Going(Protocol):
    """What progress is told of."""

    @property
    def started_at(self) -> datetime | None: ...
    @property
    def expected_rows(self) -> int | None: ...
    @property
    def rows(self) -> int: ...


def present() -> datetime:
    """What time it is for runs: the database's clock, which wrote when they began (RELIABILITY P11).

    A page asks once, and is of one moment; what is done after a commit is of a later one.
    """
    if has_request_context():
        if "present" not in g:
            g.present = _asked()
        now: datetime = g.present
        return now
    return _asked()


def _asked() -> datetime:
    now: datetime = db.session.execute(select(clock()).select_from(Brand).limit(1)).scalar_one()
    return now


@event.listens_for(Session, "after_transaction_end")
def _forget(_session: Session, transaction: SessionTransaction) -> None:
    if transaction.parent is None and has_request_context():
        g.pop("present", None)


def progress_of(run: Run | Going, now: datetime) -> Progress:
    """The progress of a run that is going on."""
    begun = run.started_at
    seconds = max(0.0, (now - begun).total_seconds()) if begun else 0.0
    expected = run.expected_rows or 0
    percent = min(HIGHEST, run.rows * 100 // expected) if expected else None
    rate = round(run.rows / seconds) if seconds >= SURE_AFTER_S and run.rows else None
    left = max(1, round((expected - run.rows) / rate)) if rate and expected > run.rows else None
    return Progress(seconds, percent, rate, left)


def began(run: Run) -> datetime | None:
    """When the attempt began whose file was published, which is the moment that its data are of."""
    if run.published_attempt == 1:
        return run.started_at  # of the first one, which is this one
    wanted = select(RunEvent.at).where(
        RunEvent.run_id == run.id,
        RunEvent.kind == "claimed",
        RunEvent.attempt == (run.published_attempt or run.attempt),
    )
    return db.session.execute(wanted.order_by(RunEvent.number.desc()).limit(1)).scalar() or run.started_at
