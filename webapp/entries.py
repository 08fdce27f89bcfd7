"""The entries of rq-scheduler: one for each export that waits for a moment, named `export-<id>`.

They are a bell and no more. When one is due, a ticket says that something is; what is, the database knows, and it also
knows every entry that must be there: the reconcile pass makes what is missing (DESIGN section 3). rq-scheduler's own
way of moving an entry into a queue loses or doubles it when it is killed in between (RELIABILITY section 0, fact 1), so
an entry is only removed, by its time, after the ticket was sent.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from flask import current_app
from redis.exceptions import RedisError
from rq.job import Job
from rq.serializers import JSONSerializer
from sqlalchemy import event
from sqlalchemy.orm import Session, SessionTransaction

from webapp.extensions import db
from webapp.queues import FAST, FIRE, connection, send

if TYPE_CHECKING:
    from rq_scheduler import Scheduler

log = logging.getLogger(__name__)

_WAITING: Final = "entries"


class Entry(Job):
    """A job whose texts are JSON; rq-scheduler by itself writes pickles (RELIABILITY T14)."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **{**options, "serializer": JSONSerializer})


@lru_cache(maxsize=8)
def _scheduler(url: str) -> Scheduler:
    from rq_scheduler import Scheduler  # not for commands that schedule nothing

    return Scheduler(queue_name=FAST, connection=connection(url), job_class=Entry)


def _name(export_id: UUID) -> str:
    return f"export-{export_id}"


def _url() -> str:
    return str(current_app.config["SETTINGS"].redis_url)


def arrange_after_commit(export_id: UUID, at: datetime | None) -> None:
    """Make the entry of an export when the present transaction is committed; with None, remove it."""
    db.session.info.setdefault(_WAITING, {})[export_id] = (at, _url())


def arrange(export_id: UUID, at: datetime | None, url: str | None = None) -> bool:
    """Make, move or remove an entry now; returns whether Redis took it."""
    scheduler, name = _scheduler(url or _url()), _name(export_id)
    try:
        if at is None:
            scheduler.cancel(name)
            scheduler.connection.delete(Entry.key_for(name))
        else:
            scheduler.enqueue_at(at.astimezone(UTC), FIRE, job_id=name, job_result_ttl=0, timeout=-1)
    except (RedisError, OSError) as error:
        log.warning("Redis did not take the entry %s, the next reconcile pass makes it: %s", name, error)
        return False
    return True


def missing(coming: Iterable[tuple[UUID, datetime]]) -> list[tuple[UUID, datetime]]:
    """Those of the moments to come whose entry is not there, or rings at another time.

    Raises:
        RedisError: Redis did not answer.
    """
    wanted = list(coming)
    if not wanted:
        return []
    scheduler = _scheduler(_url())
    names = [_name(export_id) for export_id, _at in wanted]
    scores = scheduler.connection.zmscore(scheduler.scheduled_jobs_key, names)
    return [one for one, score in zip(wanted, scores, strict=True) if score != int(one[1].timestamp())]


def ring(now: float) -> bool:
    """If an entry is due at `now` (seconds since 1970), send one ticket for all that are; returns whether one was.

    Killed between the two: the entries are still due, and another ticket is sent. It finds nothing to do.

    Raises:
        RedisError: Redis did not answer.
    """
    scheduler = _scheduler(_url())
    if not scheduler.count(int(now)):
        return False
    if send(FIRE, FAST, None, _url()):
        scheduler.connection.zremrangebyscore(scheduler.scheduled_jobs_key, "-inf", int(now))
    return True


@event.listens_for(Session, "after_commit")
def _arrange_waiting(session: Session) -> None:
    if session.in_nested_transaction():
        return
    for export_id, (at, url) in session.info.pop(_WAITING, {}).items():
        if not arrange(export_id, at, url):
            break


@event.listens_for(Session, "after_soft_rollback")
def _drop_waiting(session: Session, previous: SessionTransaction) -> None:
    if not previous.nested:
        session.info.pop(_WAITING, None)
