"""What people ask for: **Run now** and **Cancel**."""

from __future__ import annotations

import uuid

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from webapp.extensions import db
from webapp.models import Export, Run, User, clock
from webapp.permissions import authorize
from webapp.queues import enqueue_after_commit
from webapp.services import audit
from webapp.services.moves import moved
from webapp.services.runs.attempts import EXECUTE
from webapp.services.runs.events import note


def add_run(export: Export, user: User, run_id: uuid.UUID) -> Run:
    """Add a run of an export for the present moment and version, with its ticket; the caller commits."""
    run = Run(
        id=run_id,
        brand_id=export.brand_id,
        export_id=export.id,
        version=export.version,
        kind="manual",
        attempt=0,
        scheduled_for=clock(),
        base_moment=clock(),
        requested_by_id=user.id,
    )
    db.session.add(run)
    db.session.flush()
    export.latest_run_id = run.id
    note(run, "queued", by=user.email)
    enqueue_after_commit(EXECUTE, run.id)
    return run


def request_run(user: User, export: Export, token: uuid.UUID) -> Run:
    """**Run now**: a new run with the present moment and version. The same token again gives the same run (F39).

    Raises:
        Refused: the user may not run this export.
    """
    authorize(user, "exports.run", export)
    run_id = uuid.uuid5(export.id, str(token))
    if (known := db.session.get(Run, run_id)) is not None:
        return known
    try:
        run = add_run(export, user, run_id)
    except IntegrityError:
        db.session.rollback()
        return db.session.scalars(select(Run).where(Run.id == run_id)).one()
    audit.record("run.requested", user, run, version=run.version)
    db.session.commit()
    return run


def cancel(user: User, run: Run) -> Run:
    """**Cancel**: a queued run is cancelled at once, one in progress within seconds; one that has ended stays as it is.

    Raises:
        Refused: the user may not cancel runs of this export.
    """
    export = db.session.scalars(select(Export).where(Export.id == run.export_id)).one()
    authorize(user, "exports.cancel", export)
    if not _cancel_queued(user, run) and not _ask_owner_to_stop(user, run):
        _cancel_queued(user, run)  # its owner put it back into the queue between our two questions
    db.session.commit()
    db.session.refresh(run)
    return run


def _cancel_queued(user: User, run: Run) -> bool:
    statement = moved(
        "cancelled",
        by=Run.id == run.id,
        finished_at=clock(),
        cancel_requested_at=clock(),
        cancel_requested_by_id=user.id,
    )
    if not db.session.execute(statement.returning(Run.id)).all():
        return False
    note(run, "cancelled", by=user.email)
    audit.record("run.cancelled", user, run)
    return True


def _ask_owner_to_stop(user: User, run: Run) -> bool:
    statement = (
        update(Run)
        .where(Run.id == run.id, Run.state == "processing", Run.cancel_requested_at.is_(None))
        .values(cancel_requested_at=clock(), cancel_requested_by_id=user.id)
    )
    if not db.session.execute(statement.returning(Run.id)).all():
        return False
    note(run, "cancel_requested", by=user.email)
    audit.record("run.cancel_requested", user, run)
    return True
