"""What happened to a run, step by step: one row each, written in the transaction of what happened."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import select

from webapp.extensions import db
from webapp.models import Run, RunEvent

SENTENCES: Final = {
    "queued": "Queued.",
    "queued_again": "Queued again, for {moment}.",
    "claimed": "Attempt {attempt} started.",
    "published": "Finished: {rows:,} rows, {bytes:,} bytes.",
    "nothing": "Finished: no rows, nothing delivered.",
    "retried": "{message} Tried again in {seconds} s.",
    "failed": "{message}",
    "given_back": "The worker was stopped and handed the run back.",
    "lost": "The worker died. The run was queued again.",
    "died": "{message}",
    "cancel_requested": "Cancelling…",
    "cancelled": "Cancelled before it started.",
    "date_cancelled": "Cancelled before its date.",
    "stopped": "Cancelled.",
    "removed": "The file was removed: it was kept until its day.",
}
"""The kinds of events, and how each is told."""


def note(run: Run, kind: str, **facts: Any) -> None:
    """Add an event to the present transaction."""
    if kind not in SENTENCES:
        raise ValueError(f"{kind} is no kind of event")
    db.session.add(RunEvent(brand_id=run.brand_id, run_id=run.id, attempt=run.attempt, kind=kind, facts=facts))


def events_of(run: Run) -> Sequence[RunEvent]:
    """All events of a run, oldest first."""
    return db.session.scalars(select(RunEvent).where(RunEvent.run_id == run.id).order_by(RunEvent.number)).all()


def told(event: RunEvent) -> str:
    """An event in one sentence."""
    return SENTENCES[event.kind].format(attempt=event.attempt, **event.facts)
