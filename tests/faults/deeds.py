"""What processes of tests/faults/crashing.py do: each is what a process of the product does, once."""

from __future__ import annotations

import os
import signal
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from jobs import connection_test, delivery, firing, horse, runs, scheduler, upkeep
from tests.fix_app import stores
from webapp.extensions import db
from webapp.models import Export, Run, User, brand_scope, system_scope
from webapp.services import deliveries, exports, schedules
from webapp.services import runs as services
from webapp.services.progress import present

if TYPE_CHECKING:
    from flask import Flask

HOURLY: Final = {"type": "repeated", "every": "day", "hours": "*", "minutes": "0"}


def execute(_app: Flask, worker: str = "horse") -> None:
    """A work horse: carries out all that waits."""
    horse.begin(worker, os.getppid())
    runs.execute()


def execute_without_source(app: Flask, worker: str = "horse") -> None:
    """The same, while the source is away."""
    nowhere = "postgresql:///nobody?host=/nowhere"
    app.config["SETTINGS"] = replace(app.config["SETTINGS"], source_database_url=nowhere)
    execute(app, worker)


def execute_and_be_told_to_go(_app: Flask, worker: str = "horse") -> None:
    """A horse that is told to stop as soon as it has a run."""
    horse.begin(worker, os.getppid())
    mine = scheduler.take_next(worker)
    assert mine is not None
    os.kill(os.getpid(), signal.SIGTERM)
    runs.attempt(mine)


def execute_and_be_cancelled(_app: Flask, brand: str, user: str, worker: str = "horse") -> None:
    """A horse whose run somebody cancels as soon as it has it."""
    horse.begin(worker, os.getppid())
    mine = scheduler.take_next(worker)
    assert mine is not None
    with _at_work(brand, user) as person:
        services.cancel(person, db.session.get_one(Run, mine.run_id))
    db.session.remove()
    runs.attempt(mine)


def work(app: Flask) -> None:
    """A worker that takes one ticket."""
    from jobs.worker import TicketWorker

    worker = TicketWorker(app, "exports")
    worker.tick()
    ticket = worker._next_ticket()
    assert ticket is not None
    worker.execute_job(ticket, worker.queues[0])


def fire(_app: Flask) -> None:
    """The fast queue's job."""
    firing.fire()


def _clock() -> scheduler.Clock:
    clock = scheduler.Clock()
    with system_scope():
        clock.behind_s = present().timestamp() - time.time()
    db.session.remove()
    return clock


def ring(_app: Flask) -> None:
    """A scheduler rings for what is due."""
    _clock().tick()


def reconcile(_app: Flask) -> None:
    """A scheduler's reconcile pass."""
    _clock().reconcile()


def schedule(app: Flask, every_s: float, at_once: int) -> None:
    """A scheduler, whose duties come more often, and that fires fewer exports in one transaction."""
    scheduler.CLOCK_S = scheduler.RECONCILE_S = every_s  # type: ignore[assignment,misc]
    schedules.firing.AT_ONCE = at_once  # type: ignore[misc]
    scheduler.serve(app, threading.Event())


def sweep(_app: Flask) -> None:
    """A sweep."""
    upkeep.sweep()


def take_back(_app: Flask, worker: str, counted: bool) -> None:
    """A worker whose horse has ended."""
    upkeep.take_back(worker, counted=counted)


def tidy(_app: Flask) -> None:
    """What has outlived its time is removed."""
    upkeep.expired_files()


def orphans(_app: Flask) -> None:
    """What nobody needs is removed."""
    upkeep.orphans()


@contextmanager
def _at_work(brand: str, user: str) -> Iterator[User]:
    with brand_scope(uuid.UUID(brand)):
        yield db.session.get_one(User, uuid.UUID(user))


def create(_app: Flask, brand: str, user: str, token: str, schedule: dict[str, Any] | None = None) -> None:
    """A person presses **Create**."""
    with _at_work(brand, user) as person:
        exports.create(person, stores(**({"schedule": schedule} if schedule else {})), uuid.UUID(token))


def run_now(_app: Flask, brand: str, user: str, export: str, token: str) -> None:
    """A person presses **Run now**."""
    with _at_work(brand, user) as person:
        services.request_run(person, db.session.get_one(Export, uuid.UUID(export)), uuid.UUID(token))


def cancel(_app: Flask, brand: str, user: str, run: str) -> None:
    """A person presses **Cancel**."""
    with _at_work(brand, user) as person:
        services.cancel(person, db.session.get_one(Run, uuid.UUID(run)))


def set_inactive(_app: Flask, brand: str, user: str, export: str) -> None:
    """A person presses **Set inactive**."""
    with _at_work(brand, user) as person:
        schedules.set_inactive(person, db.session.get_one(Export, uuid.UUID(export)))


def set_active(_app: Flask, brand: str, user: str, export: str) -> None:
    """A person presses **Set active**."""
    with _at_work(brand, user) as person:
        schedules.set_active(person, db.session.get_one(Export, uuid.UUID(export)))


def delete(_app: Flask, brand: str, user: str, export: str) -> None:
    """A person presses **Delete**."""
    with _at_work(brand, user) as person:
        exports.delete(person, db.session.get_one(Export, uuid.UUID(export)))


def remove_deleted(_app: Flask) -> None:
    """What is marked as deleted is removed."""
    upkeep.deleted_exports()


def deliver_again(_app: Flask) -> None:
    """A work horse: carries out each **Upload again** that waits."""
    delivery.execute()


def upload_again(_app: Flask, brand: str, user: str, run: str, token: str) -> None:
    """A person presses **Upload again**."""
    with _at_work(brand, user) as person:
        deliveries.request_again(person, db.session.get_one(Run, uuid.UUID(run)), uuid.UUID(token))


def try_connection(_app: Flask, test: str) -> None:
    """A fastworker's horse: carries out a **Test connection**."""
    connection_test.test(test)


DEEDS: Final[dict[str, Callable[..., None]]] = {
    deed.__name__: deed
    for deed in (
        execute, execute_without_source, execute_and_be_told_to_go, execute_and_be_cancelled, work, fire, ring,
        reconcile, schedule, sweep, take_back, tidy, orphans, create, run_now, cancel, set_inactive, set_active,
        delete, remove_deleted, deliver_again, upload_again, try_connection,
    )
}  # fmt: skip
