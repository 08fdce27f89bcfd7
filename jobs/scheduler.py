"""`python -m jobs.scheduler`: the clock, and what keeps the house in order.

Here is also decided, over all brands, which run is next, which moments have come and which mails are due.

Any number of scheduler processes may stand side by side: each row is worked on by one of them at a time.
"""

from __future__ import annotations

import logging
import signal
import sys
import threading
import time
import uuid
from collections.abc import Callable, Sequence
from concurrent.futures import Future, wait
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from itertools import takewhile
from types import FrameType
from typing import Final

from flask import Flask
from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError

from exports.errors import ExportsError
from webapp import entries
from webapp.extensions import db
from webapp.models import system_scope
from webapp.queues import MAIL, WEBHOOK, beat, top_up
from webapp.services import compares, deliveries, runs, schedules, webhooks
from webapp.services.connections import testing
from webapp.services.mail import outbox
from webapp.services.outgoing import Due
from webapp.services.progress import present

log = logging.getLogger("jobs.scheduler")

CLOCK_S: Final = 0.5
"""How often rq-scheduler's entries are looked at: a run is to be claimed within 2 s of its moment (SPEC section 7)."""
RECONCILE_S: Final = 10
MAILS_S: Final = 10
"""How often the outbox and the messages to webhooks are looked at: the first try has a ticket of its own, the second
comes a minute later."""
COMING: Final = 5_000
"""Entries that one reconcile pass looks at, those of the soonest moments; the others have time."""
BEAT_S: Final = 5
"""How often a scheduler says that it lives; it is missed after `services.health.BEAT_MISSED_S`."""
DELETED_S: Final = 10
"""What was deleted while a run of it was going is gone soon after the run is."""
SEAL_S: Final = 10
"""How often new rows of the audit log are sealed (RELIABILITY section 6)."""
FILES_S: Final = 60
"""**Remove file** says within what time the file is gone."""
TIDY_S: Final = 600
ORPHANS_S: Final = 6 * 3600
"""The whole store is listed for this: seldom."""
STORE_LEFT_S: Final = 3.0
"""How long a scheduler that was told to go waits for an answer of the store: honcho kills after 5 s."""


def take_next(worker: str) -> runs.Claim | None:
    """Claim the run that is next among those of all brands; None if nothing waits."""
    with system_scope():
        mine = runs.claim(worker)
    db.session.remove()
    return mine


def take_next_delivery(worker: str) -> deliveries.Sending | None:
    """Take the delivery of **Upload again** that is next among those of all brands; None if none waits."""
    with system_scope():
        sending = deliveries.claim(worker)
    db.session.remove()
    return sending


def take_next_compare(worker: str) -> compares.Comparing | None:
    """Claim the comparison that is next among those of all brands; None if none may begin."""
    with system_scope():
        mine = compares.claim(worker)
    db.session.remove()
    return mine


def take_mails() -> list[Due]:
    """Claim the mails of all brands that are to be sent now."""
    with system_scope():
        taken = outbox.claim()
    db.session.remove()
    return taken


def take_messages() -> list[Due]:
    """Claim the messages to webhooks of all brands that are to be sent now."""
    with system_scope():
        taken = webhooks.claim()
    db.session.remove()
    return taken


def give_mails_back(due: Sequence[Due], *, at_once: bool) -> None:
    """Leave claimed mails to whoever comes next, at once or a little later, as if they had not been claimed."""
    with system_scope():
        outbox.give_back(due, at_once=at_once)
    db.session.remove()


def ring_for_mails() -> None:
    """Give a ticket if a mail is due: its first one was lost, or its time has come to be tried again."""
    _ring(MAIL, outbox.one_due)


def ring_for_webhooks() -> None:
    """The same for messages to webhooks."""
    _ring(WEBHOOK, webhooks.one_due)


def _ring(function: str, one_due: Callable[[], uuid.UUID | None]) -> None:
    with system_scope():
        id_ = one_due()
        db.session.rollback()  # nothing was written: end the transaction before Redis is asked
    if id_ is not None:
        top_up(function, [id_])
    db.session.remove()


def say_alive() -> None:
    """Let /readyz and /metrics know that a scheduler goes round. While Redis is away they say that instead."""
    with suppress(RedisError):
        beat()


def rehearse(worker: str) -> None:
    """Let the database be asked once for all that a horse asks of it first; nothing is changed."""
    with system_scope():
        runs.rehearse_claim()
        runs.holds(worker)
    db.session.remove()


def take_test(id: uuid.UUID) -> uuid.UUID | None:
    """Take the test of a connection that a ticket names: the brand that it is of; None if there is nothing to do."""
    with system_scope():
        test = testing.begin(id)
        brand = test.brand_id if test is not None else None
    db.session.remove()
    return brand


def fire_all_due() -> int:
    """Make the rows of every moment that has come, over all brands; returns how many exports had one."""
    exports = queued = passed = 0
    with system_scope():
        while (fired := schedules.fire_due()).exports:
            exports, queued, passed = exports + fired.exports, queued + fired.queued, passed + fired.passed
    db.session.remove()
    if exports:
        log.info("fired %d exports: %d runs queued, %d moments missed or skipped", exports, queued, passed)
    return exports


def seconds_to_next() -> float | None:
    """How long it is, on the database's clock, to the next moment of all brands; None if none is to come."""
    with system_scope():
        soonest = schedules.coming(1)
        seconds = (soonest[0][1] - present()).total_seconds() if soonest else None
    db.session.remove()
    return None if seconds is None else max(0.0, seconds)


class Clock:
    """rq-scheduler's entries, watched by the time that the database has."""

    def __init__(self) -> None:
        self.behind_s = 0.0
        """How far this machine's clock is behind the database's."""
        self.is_deaf = False

    def tick(self) -> None:
        """Ring for the entries that are due. While Redis is away the reconcile pass fires alone."""
        try:
            entries.ring(time.time() + self.behind_s)
        except RedisError as error:
            if not self.is_deaf:
                log.warning("Redis cannot be asked for what is due: %s", error)
            self.is_deaf = True
        else:
            self.is_deaf = False

    def reconcile(self) -> None:
        """Fire what is overdue, then make the entries that are missing: what a lost or wiped Redis has forgotten."""
        fire_all_due()
        with system_scope():
            self.behind_s = present().timestamp() - time.time()
            coming = schedules.coming(COMING)
        db.session.remove()
        try:
            lost = entries.missing(coming)
        except RedisError as error:
            log.warning("Redis cannot be asked for its entries: %s", error)
            return
        made = sum(1 for _ in takewhile(bool, (entries.arrange(id_, at) for id_, at in lost)))
        if made:
            log.info("made %d entries that were missing", made)


@dataclass
class Duty:
    """Something to be done again and again."""

    name: str
    do: Callable[[], object]
    every_s: float
    due_at: float = field(default_factory=time.monotonic)

    def run_if_due(self, app: Flask) -> None:
        """Do it when its time has come. A database or store that is away is waited for: it comes again."""
        if time.monotonic() < self.due_at:
            return
        self.due_at = time.monotonic() + self.every_s
        try:
            with app.app_context():
                self.do()
        except (SQLAlchemyError, ExportsError) as error:
            log.warning("%s: put off: %s", self.name, error)


def duties(app: Flask) -> list[Duty]:
    """What keeps the runs going, and how often: the database and Redis answer quickly, or are put off."""
    from jobs import upkeep

    sweep_s = app.config["SETTINGS"].run_sweep
    clock = Clock()
    return [
        Duty("reconcile", clock.reconcile, RECONCILE_S),
        Duty("clock", clock.tick, CLOCK_S),
        Duty("sweep", upkeep.sweep, sweep_s),
        Duty("mails", ring_for_mails, MAILS_S),
        Duty("webhooks", ring_for_webhooks, MAILS_S),
        Duty("audit", upkeep.seal_audit, SEAL_S),
        Duty("beat", say_alive, BEAT_S),
    ]


def store_duties(stop: threading.Event) -> list[Duty]:
    """What asks the store, which may take minutes; told to `stop`, each ends with the file that it is at."""
    from jobs import upkeep

    return [
        Duty("deleted", partial(upkeep.deleted_exports, stop), DELETED_S),
        Duty("files", partial(upkeep.files, stop), FILES_S),
        Duty("tidy", partial(upkeep.tidy, stop), TIDY_S),
        Duty("orphans", partial(upkeep.orphans, stop), ORPHANS_S),
    ]


def serve(app: Flask, stop: threading.Event) -> None:
    """Do all duties until told to stop. Those of the store have a thread of their own: no schedule is late for them.

    A store that does not answer then is left to itself after STORE_LEFT_S: what is half done is done again.
    """
    ended = Future[None]()
    threading.Thread(target=_beside, args=(app, stop, ended), name="store", daemon=True).start()
    _do(app, duties(app), stop)
    if wait([ended], STORE_LEFT_S).done:
        ended.result()


def _beside(app: Flask, stop: threading.Event, ended: Future[None]) -> None:
    try:
        _do(app, store_duties(stop), stop)
        ended.set_result(None)
    except BaseException as error:  # whatever it is, the scheduler ends with it: `serve` raises it
        stop.set()
        ended.set_exception(error)


def _do(app: Flask, all_of_them: list[Duty], stop: threading.Event) -> None:
    while not stop.is_set():
        for duty in all_of_them:
            duty.run_if_due(app)
        stop.wait(max(0.0, min(duty.due_at for duty in all_of_them) - time.monotonic()))


def main() -> int:
    """Serve until SIGTERM or SIGINT."""
    from jobs import program

    stop = threading.Event()

    def request_stop(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    signal.signal(signal.SIGTERM, request_stop)
    signal.signal(signal.SIGINT, request_stop)
    app = program.create()
    log.info("the scheduler serves")
    serve(app, stop)
    log.info("the scheduler has stopped")
    return 0


if __name__ == "__main__":
    sys.exit(main())
