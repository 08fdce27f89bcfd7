"""What people ask for: **Run now**, **Run again** and **Cancel**."""

from __future__ import annotations

import uuid
from datetime import UTC

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from exports.errors import ExportArchived
from webapp.extensions import db
from webapp.models import Export, Run, User, clock
from webapp.models.states import LIVE
from webapp.permissions import authorize
from webapp.queues import enqueue_after_commit
from webapp.services import audit
from webapp.services.moves import allows, moved
from webapp.services.runs.attempts import EXECUTE
from webapp.services.runs.events import note


def add_run(export: Export, user: User, run_id: uuid.UUID, of: Run | None = None) -> Run:
    """Add a run of an export, with its ticket; the caller commits.

    It is for the present moment and version, or for those `of` a run that failed.
    """
    run = Run(
        id=run_id,
        brand_id=export.brand_id,
        export_id=export.id,
        version=of.version if of else export.version,
        kind="again" if of else "manual",
        attempt=0,
        scheduled_for=of.scheduled_for if of else clock(),
        base_moment=of.base_moment if of else clock(),
        requested_by_id=user.id,
    )
    db.session.add(run)
    db.session.flush()
    export.latest_run_id = run.id
    if of is None:
        note(run, "queued", by=user.email)
    else:
        moment = of.scheduled_for.astimezone(UTC)
        note(run, "queued_again", by=user.email, moment=f"{moment.day} {moment:%b %Y %H:%M} UTC")
    enqueue_after_commit(EXECUTE, run.id)
    return run


def request_run(user: User, export: Export, token: uuid.UUID) -> Run:
    """**Run now**: a new run with the present moment and version. The same token again gives the same run (F39).

    Raises:
        Refused: the user may not run this export.
        ExportArchived: it was put aside.
    """
    authorize(user, "exports.run", export)
    return _asked_once(user, export, uuid.uuid5(export.id, str(token)))


def request_again(user: User, run: Run, token: uuid.UUID) -> Run:
    """**Run again**: a new run with the moment, the base moment and the version of one that failed (SPEC section 4).

    The same token again gives the same run; of a run that has not failed, that run itself.

    Raises:
        Refused: the user may not run this export.
        ExportArchived: it was put aside.
    """
    export = db.session.scalars(select(Export).where(Export.id == run.export_id)).one()
    authorize(user, "exports.run", export)
    if run.state != "failed":
        return run
    return _asked_once(user, export, uuid.uuid5(run.id, str(token)), of=run)


def _asked_once(user: User, export: Export, run_id: uuid.UUID, of: Run | None = None) -> Run:
    if (known := db.session.get(Run, run_id)) is not None:
        return known
    # It may be archived at this moment: its row is held from here to the commit.
    held = select(Export).where(Export.id == export.id).with_for_update(key_share=True)
    export = db.session.scalars(held.execution_options(populate_existing=True)).one()
    if export.deleted_at is not None or not allows(export, "run_asked"):
        raise ExportArchived
    try:
        run = add_run(export, user, run_id, of)
    except IntegrityError:
        db.session.rollback()
        return db.session.scalars(select(Run).where(Run.id == run_id)).one()
    again = {"again": str(of.id)} if of else {}
    audit.record("run.requested", user, run, version=run.version, **again)
    db.session.commit()
    return run


def cancel(user: User, run: Run) -> Run:
    """**Cancel**: a queued run is cancelled at once, one in progress within seconds; one that has ended stays as it is.

    Raises:
        Refused: the user may not cancel runs of this export.
    """
    export = db.session.scalars(select(Export).where(Export.id == run.export_id)).one()
    authorize(user, "exports.cancel", export)
    stop_one(user, run)
    db.session.commit()
    db.session.refresh(run)
    return run


def stop_one(user: User, run: Run) -> None:
    """Cancel a run if it waits or goes on; the caller commits."""
    if not _cancel_queued(user, run) and not _ask_owner_to_stop(user, run):
        _cancel_queued(user, run)  # its owner put it back into the queue between our two questions


def stop_all(user: User, export: Export) -> None:
    """Cancel what waits or runs of an export that is put aside, and whose row the caller holds; the caller commits."""
    for run in db.session.scalars(select(Run).where(Run.export_id == export.id, Run.state.in_(LIVE))).all():
        stop_one(user, run)


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
