"""**Cancel** of an On-date before its moment comes (SPEC section 2)."""

from __future__ import annotations

import uuid
from datetime import datetime

from webapp.extensions import db
from webapp.models import Export, Run, User
from webapp.permissions import authorize
from webapp.services import audit, runs
from webapp.services.moves import move
from webapp.services.runs.events import note
from webapp.services.schedules.planning import hold, settle


def cancel_date(user: User, export: Export) -> Export:
    """Let nothing run at the date; a cancelled run says so. If the date has come meanwhile, its run is cancelled.

    Raises:
        Refused: the user may not cancel runs of this export.
    """
    authorize(user, "exports.cancel", export)
    if export.schedule != "on_date":
        return export
    drop_date(user, hold(export))
    db.session.commit()
    newest = db.session.get(Run, export.latest_run_id) if export.latest_run_id else None
    if newest is not None and newest.kind == "schedule" and newest.is_live:
        runs.cancel(user, newest)
    return export


def drop_date(user: User, export: Export) -> None:
    """The same for an export whose row the caller holds; the caller commits."""
    now, moment = settle(export), export.next_run_at
    if moment is not None and move(export, "date_cancelled"):
        run = _cancelled(user, export, moment, now)
        db.session.add(run)
        db.session.flush()
        export.latest_run_id = run.id
        note(run, "date_cancelled", by=user.email)
        audit.record("export.date_cancelled", user, export, moment=moment.isoformat())


def _cancelled(user: User, export: Export, moment: datetime, now: datetime) -> Run:
    """The row of the date. It is by hand, not the schedule's: the same date may be chosen again, and runs then."""
    return Run(
        id=uuid.uuid4(), brand_id=export.brand_id, export_id=export.id, version=export.version, kind="manual",
        state="cancelled", attempt=0, scheduled_for=moment, base_moment=moment, finished_at=now,
        requested_by_id=user.id, cancel_requested_at=now, cancel_requested_by_id=user.id,
    )  # fmt: skip
