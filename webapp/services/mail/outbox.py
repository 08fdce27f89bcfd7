"""The outbox: mails are written down in the transaction of what they tell, and sent later (RELIABILITY P15).

At least once: a mail is claimed by moving its next try, sent, and marked. Whoever is killed in between leaves one that
is sent again, under the same Message-ID.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import timedelta
from typing import Any, Final

from sqlalchemy import select

from exports.definition import Notify
from exports.errors import RecipientNotAllowed, RightsLost
from webapp.extensions import db
from webapp.models import Brand, Export, ExportVersion, Mail, Run, brand_scope, clock
from webapp.queues import MAIL, enqueue_after_commit
from webapp.services import outgoing
from webapp.services.mail.notify import Recipient, admins, present
from webapp.services.outgoing import Due

AT_ONCE: Final = 50
"""Mails that one conversation with the server takes on."""


def run_ended(run: Run) -> None:
    """Write down the mails about a run that has just ended, in the transaction of its end.

    Of a repeated export that fails again and again for the same reason only the first failure is told, and then that it
    works again (SPEC section 9).
    """
    db.session.flush()  # whoever ends runs of several brands has rows of others waiting, which no brand's scope takes
    with brand_scope(run.brand_id):
        export, notify = _about(run)
        kind = _kind(run, export)
        if kind is not None:
            _write_down(run, kind, export, notify)


def _write_down(run: Run, kind: str, export: Export, notify: Notify) -> None:
    brand = db.session.get_one(Brand, run.brand_id)
    recipients, refused = present(brand, export.owner_id, _listed(kind, notify))
    if run.error_code == RightsLost.code:
        recipients += [one for one in admins() if one not in recipients]
    mails = [_mail(run, kind, one) for one in recipients]
    for address in dict.fromkeys(refused):
        error = RecipientNotAllowed(address=address).message
        mails.append(_mail(run, kind, Recipient(address), state="given_up", error=error, ended_at=clock()))
    for mail in mails:
        if db.session.get(Mail, mail.id) is None:  # whoever ends a run twice tells it once
            db.session.add(mail)
    if recipients:
        enqueue_after_commit(MAIL, run.id)


def rehearse() -> None:
    """Have the statements compiled that the end of a run asks; nothing is changed."""
    nobody = Run(id=uuid.uuid4(), brand_id=uuid.uuid4(), export_id=uuid.uuid4(), version=1, state="success")
    db.session.execute(_of_version(nobody)).one_or_none()
    _failed_before(nobody)
    db.session.get(Brand, nobody.brand_id)


def _about(run: Run) -> tuple[Export, Notify]:
    export, notify = db.session.execute(_of_version(run)).one()
    return export, Notify.model_validate(notify or {})


def _of_version(run: Run) -> Any:
    version = (ExportVersion.export_id == Export.id) & (ExportVersion.number == run.version)
    return (
        select(Export, ExportVersion.definition["notify"])
        .join(ExportVersion, version)
        .where(Export.id == run.export_id)
    )


def _kind(run: Run, export: Export) -> str | None:
    """What is to be told of the end of a run; None for nothing."""
    is_repeated = export.schedule == "repeated"
    if run.state == "missed":
        return None if is_repeated else "missed"
    if run.state == "failed":
        return None if is_repeated and _failed_before(run) == run.error_code else "failed"
    if run.state == "success":
        return "recovered" if is_repeated and _failed_before(run) else "finished"
    return None


def _failed_before(run: Run) -> str | None:
    """Why the run of the export failed that ended before this one; None if it did not, or there is none."""
    before = select(Run.error_code).where(
        Run.export_id == run.export_id, Run.id != run.id, Run.state.in_(("success", "failed"))
    )
    return db.session.execute(before.order_by(Run.created_at.desc()).limit(1)).scalar()


def _listed(kind: str, notify: Notify) -> Iterable[str]:
    if kind == "recovered":  # whoever was told that it failed is told that it works again
        return [*notify.success, *notify.failure]
    return notify.success if kind == "finished" else notify.failure


def _mail(run: Run, kind: str, recipient: Recipient, **values: Any) -> Mail:
    return Mail(
        id=uuid.uuid5(run.id, f"{kind} {recipient.key}"),
        brand_id=run.brand_id,
        run_id=run.id,
        kind=kind,
        user_id=recipient.user_id,
        recipient=recipient.address,
        **values,
    )


def one_due() -> uuid.UUID | None:
    """A mail that is to be sent now; None if there is none; in the caller's scope."""
    return outgoing.one_due(Mail)


def claim() -> list[Due]:
    """Take on what is due, at most AT_ONCE mails, the longest waiting first; commits; in the caller's scope.

    Those that failed before come last: one that the server takes slowly, or breaks off at, holds up no other.
    """
    return sorted(outgoing.claim(Mail, AT_ONCE, then="recipient"), key=lambda one: one.tries)


def give_back(due: Iterable[Due], *, at_once: bool) -> None:
    """Let others send what was claimed and not begun, uncounted: at once, or when a mail that failed is tried again.

    Commits; in the caller's scope.
    """
    wait = timedelta() if at_once else outgoing.BACKOFF[0]
    for one in due:
        outgoing.changed(Mail, one, tries=one.tries - 1, next_try_at=clock() + wait)
    db.session.commit()
