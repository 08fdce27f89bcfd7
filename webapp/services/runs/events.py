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
    "filed": "The file is made: {rows:,} rows, {bytes:,} bytes. It is delivered now.",
    "delivered": "Delivered to {host} as {path}: {bytes:,} bytes.",
    "upload_again": "Uploading again, asked for by {by}.",
    "delivered_again": "Uploaded again to {host} as {path}: {bytes:,} bytes.",
    "again_failed": "Uploading again failed: {message}",
    "mailed": "Email sent to {recipient}.",
    "caught": "Email to {recipient} caught: read it in the Mailbox.",
    "mail_waits": "Email to {recipient} could not be sent, and is tried again. {message}",
    "not_mailed": "Email to {recipient} could not be sent. {message}",
    "called": "Webhook at {host} told.",
    "call_waits": "Webhook at {host} could not be told, and is tried again. {message}",
    "not_called": "Webhook at {host} could not be told. {message}",
    "removed": "The file was removed: it was kept until its day.",
}
"""The kinds of events, and how each is told."""
FLAGS: Final = {
    "unverified": "This server cannot tell sizes, so nobody knows that all bytes arrived.",
    "not_at_once": "This server cannot replace a file at once: the old one was moved aside for a moment.",
    "found": "An earlier attempt had done it already.",
}
"""What else there is to know of a delivery: what its server could not do (docs/delivery.md)."""


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
    flags = [FLAGS[one] for one in event.facts.get("flags", ())]
    return " ".join([SENTENCES[event.kind].format(attempt=event.attempt, **event.facts), *flags])
