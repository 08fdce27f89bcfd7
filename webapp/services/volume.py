"""Admins are told when one person takes out unusually much personal data (RELIABILITY T16, decisions/020).

Counted from the audit log, which knows of each download and delivery whose it was, whether its rows are personal and
how many they are. Nothing is held up by it, whatever becomes of the count (docs/decisions/020).
"""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any, Final

from sqlalchemy import BigInteger, ColumnElement, cast, func, select
from sqlalchemy.exc import SQLAlchemyError

from webapp.extensions import db
from webapp.models import AuditEntry, User, clock
from webapp.models.audit import IS_TAKEN, taker
from webapp.services import audit
from webapp.services.mail import accounts as mails

WITHIN: Final = timedelta(hours=24)
"""No day of the calendar: half before midnight and half after it is as much."""
log = logging.getLogger(__name__)


def taken(user: User, about: dict[str, Any]) -> None:
    """A file has just been written down as taken out by or for a user, with the facts of `contents`: count what the
    person took out, and tell admins if it is too much, once in 24 hours. The caller commits.
    """
    try:
        with db.session.begin_nested():
            _tell(user, about)
    except SQLAlchemyError:
        log.exception("what was taken out could not be counted: admins are not told of this file")


def _tell(user: User, about: dict[str, Any]) -> None:
    limit = user.brand.alert_rows
    if limit is None or not about["personal"] or not _is_first(user):
        return
    rows, files = _within(user)
    if rows > limit:
        user.volume_told_at = clock()
        counted: dict[str, Any] = {"rows": rows, "files": files, "limit": limit}
        audit.record("volume.exceeded", user, user, **counted)
        mails.tell_admins("volume", name=user.name, email=user.email, **counted)


def _is_first(user: User) -> bool:
    """Whether admins were not told yet. Until the commit nobody else counts: of two files at once the second one sees
    the first.
    """
    was_told: ColumnElement[bool] = func.coalesce(User.volume_told_at > clock() - WITHIN, False)
    if db.session.scalar(select(was_told).where(User.id == user.id)):
        return False
    held = select(was_told).where(User.id == user.id).with_for_update(key_share=True)
    return not db.session.scalar(held)


def _within(user: User) -> tuple[int, int]:
    """Rows and files. A file that was taken twice, in parts, or uploaded and downloaded, is one."""
    file = func.coalesce(AuditEntry.facts["run"].astext, AuditEntry.object_id)
    rows = func.max(cast(AuditEntry.facts["rows"].astext, BigInteger)).label("rows")
    theirs = select(rows).where(IS_TAKEN, taker == user.email, AuditEntry.at > clock() - WITHIN).group_by(file)
    each = theirs.subquery()
    counted = select(func.coalesce(func.sum(each.c.rows), 0), func.count()).select_from(each)
    total, files = db.session.execute(counted).one()
    return int(total), files
