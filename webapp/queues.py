"""How the application reaches the jobs: tickets in Redis, sent by name after the commit, holding ids only.

PostgreSQL holds the truth and Redis may be wiped at any moment: a ticket only says that there is work. One that cannot
be sent costs the request about a second at most and is given again by the sweep (RELIABILITY P7, F5-F8).
"""

from __future__ import annotations

import logging
from functools import lru_cache
from typing import Final
from uuid import UUID

from flask import current_app
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry
from rq import Queue
from rq.serializers import JSONSerializer
from sqlalchemy import event
from sqlalchemy.orm import Session, SessionTransaction

from webapp.extensions import db

log = logging.getLogger(__name__)

EXPORTS: Final = "exports"
FAST: Final = "fast"

FIRE: Final = "jobs.firing.fire"
"""Its tickets hold nothing: what is due is asked of the database."""
CONNECTION_TEST: Final = "jobs.connection_test.test"
DELIVERY: Final = "jobs.delivery.execute"
MAIL: Final = "jobs.mail.send"
WEBHOOK: Final = "jobs.webhooks.send"
COMPARE: Final = "jobs.compare.execute"
FUNCTIONS: Final = {
    "jobs.runs.execute": EXPORTS,
    COMPARE: EXPORTS,  # these two may take as long as a run, and nothing waits behind one on the other queue
    DELIVERY: EXPORTS,
    FIRE: FAST,
    CONNECTION_TEST: FAST,
    MAIL: FAST,
    WEBHOOK: FAST,
}
"""Every function that a worker may be asked for, and its queue. Who writes into Redis gets nothing else run (T14)."""

PATIENCE_S: Final = 0.4
"""For each of connecting and an answer: sending takes three answers, and the first that fails to come ends it."""
FAILED_TICKET_S: Final = 86_400
"""How long RQ may keep what it thinks of as failed; our own errors are in the rows of runs."""

_WAITING: Final = "tickets"


@lru_cache(maxsize=8)
def connection(url: str, patience: float = PATIENCE_S) -> Redis:
    """A client that gives up early and tries nothing twice: redis-py by itself tries for seconds."""
    return Redis.from_url(
        url,
        socket_timeout=patience,
        socket_connect_timeout=patience,
        retry=Retry(NoBackoff(), 0),
        client_name="exports",
    )


@lru_cache(maxsize=8)
def queue(name: str, url: str) -> Queue:
    """A queue as its senders see it."""
    return Queue(name, connection=connection(url), serializer=JSONSerializer)


def _redis_url() -> str:
    return str(current_app.config["SETTINGS"].redis_url)


def enqueue_after_commit(function: str, run_id: UUID) -> None:
    """Send a ticket when the present transaction is committed; if it is rolled back, none.

    Raises:
        KeyError: the function is not in FUNCTIONS.
    """
    ticket = (function, FUNCTIONS[function], str(run_id), _redis_url())
    db.session.info.setdefault(_WAITING, []).append(ticket)


def send(function: str, name: str, run_id: str | None, url: str) -> bool:
    """Send one ticket now; returns whether Redis took it."""
    try:
        queue(name, url).enqueue_call(
            function,
            kwargs={"run": run_id} if run_id else {},
            timeout=-1,
            result_ttl=0,
            failure_ttl=FAILED_TICKET_S,
            description=f"{function} {run_id or ''}".strip(),
        )
    except (RedisError, OSError) as error:
        log.warning("Redis did not take the ticket for %s %s, it will be sent again: %s", function, run_id or "", error)
        return False
    return True


BEAT: Final = "exports:scheduler"
BEAT_KEPT_S: Final = 86_400


def beat() -> None:
    """A scheduler says that it goes round. Redis itself counts the time since: no clock is compared with another.

    Raises:
        RedisError: Redis is away.
    """
    connection(_redis_url()).set(BEAT, "", ex=BEAT_KEPT_S)


def since_beat() -> float | None:
    """Seconds since any scheduler went round; None if none did for a day, or Redis was wiped just now.

    Raises:
        RedisError: Redis is away.
    """
    left = int(connection(_redis_url()).pttl(BEAT))
    return None if left < 0 else max(0.0, BEAT_KEPT_S - left / 1000)


def waiting(name: str) -> int:
    """How many tickets wait in a queue. Raises RedisError."""
    return len(queue(name, _redis_url()))


def workers(name: str) -> int:
    """How many workers serve a queue and have said so lately. Raises RedisError."""
    client = connection(_redis_url())
    known = client.smembers(f"rq:workers:{name}")
    return sum(1 for key in known if client.exists(key))


def top_up(function: str, run_ids: list[UUID]) -> int:
    """Send tickets until there are as many as there are runs waiting; returns how many were sent.

    Tickets are alike, so only their number matters: a worker takes the run that is next, whichever it was told of.
    """
    name, url = FUNCTIONS[function], _redis_url()
    try:
        there = len(queue(name, url))
    except (RedisError, OSError) as error:
        log.warning("Redis cannot be asked for its tickets: %s", error)
        return 0
    sent = 0
    for run_id in run_ids[there:]:
        if not send(function, name, str(run_id), url):
            break
        sent += 1
    return sent


@event.listens_for(Session, "after_commit")
def _send_waiting(session: Session) -> None:
    if session.in_nested_transaction():
        return
    for ticket in session.info.pop(_WAITING, ()):
        if not send(*ticket):
            break


@event.listens_for(Session, "after_soft_rollback")
def _drop_waiting(session: Session, previous: SessionTransaction) -> None:
    # A ticket of a rolled back savepoint does no harm; those of the whole transaction are of rows that never were.
    if not previous.nested:
        session.info.pop(_WAITING, None)
