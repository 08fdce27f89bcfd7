"""What people ask for: **Upload again**; and what there is to see of deliveries."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from exports.target import Upload
from webapp.extensions import db
from webapp.models import Delivery, Export, ExportVersion, Run, User
from webapp.permissions import authorize
from webapp.queues import enqueue_after_commit
from webapp.services import audit
from webapp.services.deliveries.taking import EXECUTE
from webapp.services.progress import present
from webapp.services.runs.events import note


class NothingToUpload(Exception):
    """The run has no file any more, or its version no upload target."""


def deliveries_of(run: Run) -> Sequence[Delivery]:
    """All deliveries of a run, the run's own first."""
    return db.session.scalars(select(Delivery).where(Delivery.run_id == run.id).order_by(Delivery.number)).all()


def request_again(user: User, run: Run, token: uuid.UUID) -> Delivery:
    """**Upload again**: a further delivery of the same run, the same bytes, no query (SPEC section 4).

    It goes where the version of the run says, by the connection as it is now. The same token gives the same delivery.

    Raises:
        Refused: the user may not run this export.
        NothingToUpload: there is no file, or no target.
    """
    from exports import definition as documents

    export = db.session.scalars(select(Export).where(Export.id == run.export_id)).one()
    authorize(user, "exports.run", export)
    id = uuid.uuid5(run.id, f"upload {token}")
    if (known := db.session.get(Delivery, id)) is not None:
        return known
    wanted = select(ExportVersion.definition).where(
        ExportVersion.export_id == run.export_id, ExportVersion.number == run.version
    )
    upload = documents.parse(db.session.execute(wanted).scalar_one()).target
    is_kept = run.artefact is not None and run.kept_until is not None and run.kept_until > present()
    if not is_kept or run.state not in ("success", "failed", "cancelled") or not isinstance(upload, Upload):
        raise NothingToUpload
    db.session.execute(select(Run.id).where(Run.id == run.id).with_for_update())
    last = db.session.scalar(select(func.max(Delivery.number)).where(Delivery.run_id == run.id)) or 1
    row = Delivery(
        id=id, brand_id=run.brand_id, run_id=run.id, number=last + 1, type=upload.type, requested_by_id=user.id,
        connection=uuid.UUID(upload.connection or ""),
    )  # fmt: skip
    try:
        db.session.add(row)
        note(run, "upload_again", by=user.email)
        audit.record("delivery.requested", user, row, run=str(run.id))
        enqueue_after_commit(EXECUTE, row.id)
        db.session.commit()
    except IntegrityError:  # the other click of a double one was quicker
        db.session.rollback()
        return db.session.scalars(select(Delivery).where(Delivery.id == id)).one()
    return row
