"""How much goes on, over all brands and without naming any: what /metrics tells.

Everything is asked of the database and of Redis, nothing is counted in a process: so any number of web processes say
the same, on whichever machine (docs/decisions/013-metrics.md).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from redis.exceptions import RedisError
from sqlalchemy import Float, case, cast, func, select

from webapp import queues
from webapp.extensions import db
from webapp.models import Delivery, Export, Mail, Run, WebhookMessage, clock, system_scope
from webapp.models.states import ENDED, LIVE

HOUR: Final = timedelta(hours=1)
QUANTILES: Final = (0.5, 0.95, 1.0)


@dataclass(frozen=True)
class Number:
    """One value of a metric, under its labels."""

    name: str
    help: str
    value: float
    labels: tuple[tuple[str, str], ...] = ()


def numbers() -> list[Number]:
    """All that can be had; what Redis would say is left out while it is away."""
    with system_scope():
        found = [*_live(), *_ended(), *_schedules(), *_deliveries(), *_mails(), *_webhooks()]
    db.session.remove()
    with suppress(RedisError):
        found += _of_redis()
    return found


def _seconds_since(moment: Any) -> Any:
    """How long ago the oldest of these moments was; 0 if there is none."""
    return func.coalesce(cast(func.extract("epoch", clock() - func.min(moment)), Float), 0.0)


def _live() -> Iterator[Number]:
    counted = select(Run.state, func.count()).where(Run.state.in_(LIVE)).group_by(Run.state)
    count = dict(db.session.execute(counted).all())
    for state in sorted(LIVE):
        yield Number("exports_runs", "Runs that wait or go on now", count.get(state, 0), (("state", state),))
    due = select(_seconds_since(Run.not_before)).where(Run.state == "queued", Run.not_before <= clock())
    yield Number(
        "exports_oldest_queued_seconds", "How long the run waits that waits longest", db.session.scalar(due) or 0.0
    )


def _ended() -> Iterator[Number]:
    recent = Run.finished_at > clock() - HOUR
    took = cast(func.extract("epoch", Run.finished_at - Run.started_at), Float)
    counted = select(Run.state, func.count(), func.sum(Run.rows), func.sum(Run.bytes)).where(recent).group_by(Run.state)
    found: dict[str, list[Any]] = {state: more for state, *more in db.session.execute(counted).all()}
    for state in sorted(ENDED):
        count = found.get(state, [0])[0]
        yield Number("exports_runs_ended", "Runs that ended within the last hour", count, (("state", state),))
    _, rows, size = found.get("success", [0, 0, 0])
    yield Number("exports_rows", "Rows of the files that were finished within the last hour", float(rows or 0))
    yield Number("exports_bytes", "Bytes of the files that were finished within the last hour", float(size or 0))
    asked = select(func.percentile_cont(list(QUANTILES)).within_group(took)).where(recent, Run.state == "success")
    for quantile, value in zip(QUANTILES, db.session.scalar(asked) or [0.0] * len(QUANTILES), strict=True):
        told = "How long runs took that finished within the last hour"
        yield Number("exports_run_seconds", told, float(value or 0), (("quantile", f"{quantile:g}"),))


def _schedules() -> Iterator[Number]:
    late = select(_seconds_since(Export.next_run_at)).where(Export.next_run_at <= clock())
    told = "How late the moment is that is most overdue and has no run yet"
    yield Number("exports_schedule_late_seconds", told, db.session.scalar(late) or 0.0)


def _deliveries() -> Iterator[Number]:
    ended = Delivery.finished_at > clock() - HOUR
    word = case((Delivery.state.in_(("delivered", "failed")), Delivery.state), else_="waiting")
    counted = select(word, func.count()).where(ended | Delivery.finished_at.is_(None)).group_by(word)
    found: dict[str, int] = dict(db.session.execute(counted).all())
    for state in ("waiting", "delivered", "failed"):
        told = "Deliveries that wait or go on, and those that ended within the last hour"
        yield Number("exports_deliveries", told, found.get(state, 0), (("state", state),))


def _mails() -> Iterator[Number]:
    ended = Mail.ended_at > clock() - HOUR
    counted = select(Mail.state, func.count()).where(ended | (Mail.state == "waiting")).group_by(Mail.state)
    found = dict(db.session.execute(counted).all())
    for state in ("waiting", "sent", "given_up"):
        told = "Mails that wait, and those that were sent or given up within the last hour"
        yield Number("exports_mails", told, found.get(state, 0), (("state", state),))


def _webhooks() -> Iterator[Number]:
    kind = WebhookMessage
    ended = kind.ended_at > clock() - HOUR
    counted = select(kind.state, func.count()).where(ended | (kind.state == "waiting")).group_by(kind.state)
    found: dict[str, int] = dict(db.session.execute(counted).all())
    for state in ("waiting", "delivered", "given_up"):
        told = "Messages to webhooks that wait, and those that were delivered or given up within the last hour"
        yield Number("exports_webhook_messages", told, found.get(state, 0), (("state", state),))


def _of_redis() -> Iterator[Number]:
    for name in (queues.EXPORTS, queues.FAST):
        label = (("queue", name),)
        yield Number("exports_tickets", "Tickets that wait in a queue", queues.waiting(name), label)
        yield Number("exports_workers", "Workers that serve a queue", queues.workers(name), label)
    since = queues.since_beat()
    told = "Seconds since a scheduler went round; a day if none did"
    yield Number("exports_scheduler_age_seconds", told, queues.BEAT_KEPT_S if since is None else since)
