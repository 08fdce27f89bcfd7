"""A source or a store that hangs: its run is held by one worker, but not for ever, and can be cancelled (P5, P13)."""

from __future__ import annotations

import signal
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import psutil
import psycopg
from flask import Flask

from exports.errors import ExportsError, StoreUnreachable
from jobs.lease import BEAT_S, STORE_LEASES, Lease
from tests.fix_app import stores
from tests.fix_workshop import ROWS, SHORT_S, Workshop, silent_store, suppressed, until
from webapp.extensions import db
from webapp.models import Run
from webapp.services import runs
from webapp.services.runs import Claim


def silent_source(black_hole: str) -> dict[str, str]:
    """Settings of a worker whose source never answers."""
    return {"SOURCE_DATABASE_URL": f"postgresql://reader@{black_hole}/source"}


@contextmanager
def locked(workshop: Workshop) -> Iterator[None]:
    """The table of the source is somebody else's: whoever reads it waits."""
    with psycopg.connect(workshop.source_url) as connection:
        connection.execute("LOCK TABLE loyalty.stores_of_all IN ACCESS EXCLUSIVE MODE")
        yield


def cancelled_after(workshop: Workshop, run_id: uuid.UUID) -> float:
    """Cancel a run as the exporter does; how many seconds later it was."""
    asked_at = time.monotonic()
    with workshop.people.exporter.at_work() as user:
        runs.cancel(user, db.session.get_one(Run, run_id))
    assert workshop.ended(run_id)["state"] == "cancelled"
    return time.monotonic() - asked_at


def held_past_its_first_lease(workshop: Workshop, run_id: uuid.UUID) -> None:
    """Wait until the lease that came with the claim has been over, and a sweep could have seen it."""
    longer = timedelta(seconds=2 * SHORT_S + 2)

    def renewed(run: dict[str, Any]) -> bool:
        return run["lease_until"] is not None and run["lease_until"] - run["started_at"] > longer

    workshop.until(run_id, renewed, "its lease is renewed")
    run = workshop.run(run_id)
    assert (run["state"], run["attempt"], run["deaths"]) == ("processing", 1, 0)


def test_a_source_that_never_answers_costs_one_attempt_which_says_so(workshop: Workshop, black_hole: str) -> None:
    workshop.worker(lease_s=SHORT_S, **silent_source(black_hole))
    run_id = workshop.create(stores())
    run = workshop.until(run_id, lambda run: run["failures"], "the first try has failed")
    assert (run["state"], run["attempt"], run["deaths"], run["error_code"]) == ("queued", 1, 0, "source.unreachable")
    assert workshop.events(run_id) == ["queued", "claimed", "retried"]


def test_a_run_whose_source_never_answers_is_cancelled_within_seconds(workshop: Workshop, black_hole: str) -> None:
    worker = workshop.worker(**silent_source(black_hole))
    run_id = workshop.create(stores())
    workshop.until(run_id, lambda run: run["state"] == "processing", "it waits for the source")
    assert cancelled_after(workshop, run_id) < 5
    assert workshop.events(run_id)[-2:] == ["cancel_requested", "stopped"]
    until(lambda: not workshop.horses(), "the horse that hung is gone", 5)
    second = workshop.create(stores(name="Another"))
    workshop.until(second, lambda run: run["state"] == "processing", "the same worker serves on")
    assert worker.is_running()


def test_a_worker_told_to_go_while_its_source_does_not_answer_gives_the_run_back(
    workshop: Workshop, black_hole: str
) -> None:
    worker = workshop.worker(lease_s=600, **silent_source(black_hole))
    run_id = workshop.create(stores())
    workshop.until(run_id, lambda run: run["state"] == "processing", "it waits for the source")
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(timeout=10) == 0
    run = workshop.run(run_id)
    assert (run["state"], run["deaths"], run["failures"]) == ("queued", 0, 0)


def test_a_horse_that_is_killed_while_its_source_does_not_answer_is_replaced_at_once(
    workshop: Workshop, black_hole: str
) -> None:
    workshop.worker(lease_s=600, **silent_source(black_hole))
    run_id = workshop.create(stores())
    workshop.until(run_id, lambda run: run["state"] == "processing", "it waits for the source")
    workshop.horse().send_signal(signal.SIGKILL)
    run = workshop.until(run_id, lambda run: run["attempt"] == 2, "it is claimed again")
    assert run["deaths"] == 1


def test_a_run_waits_for_a_locked_table_longer_than_a_lease_and_ends_well(workshop: Workshop) -> None:
    workshop.worker(lease_s=SHORT_S)
    with locked(workshop):
        run_id = workshop.create(stores())
        held_past_its_first_lease(workshop, run_id)
    run = workshop.ended(run_id)
    assert (run["state"], run["rows"], run["attempt"], run["deaths"]) == ("success", ROWS, 1, 0)


def test_a_source_that_falls_silent_in_the_middle_of_a_question_does_not_hold_its_run_for_ever(
    workshop: Workshop,
) -> None:
    workshop.worker(lease_s=SHORT_S)
    with locked(workshop), stopped_backend(workshop, workshop.create(stores())) as run_id:
        run = workshop.until(run_id, lambda run: run["failures"], "it is given up")
    assert (run["state"], run["attempt"], run["error_code"]) == ("queued", 1, "source.unreachable")
    assert run["deaths"] == 0
    assert workshop.events(run_id)[-1] == "retried"


@contextmanager
def stopped_backend(workshop: Workshop, run_id: uuid.UUID) -> Iterator[uuid.UUID]:
    """Stop the database's process that the run asked, so that it does not even notice that its time is over."""
    asked = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    with psycopg.connect(workshop.source_url, autocommit=True) as connection:
        (pid,) = until(lambda: connection.execute(asked).fetchone(), "a question waits for the lock")
    backend = psutil.Process(pid)
    backend.suspend()
    try:
        yield run_id
    finally:
        with suppressed():
            backend.resume()


def test_a_store_that_is_silent_while_a_file_is_read_from_it_is_told_as_the_store(app: Flask) -> None:
    with app.app_context():
        lease = Lease(Claim(uuid.uuid4(), uuid.uuid4(), uuid.uuid4(), 1, 0, datetime.now(UTC)))
    rounds = int(STORE_LEASES * lease._lease_s / BEAT_S)
    told: list[ExportsError | None] = []

    def silent() -> Iterator[bytes]:
        lease._silence()  # the sign that it gave before is seen
        told.extend(lease._silence() for _ in range(rounds + 1))
        yield b"x"

    assert list(lease.reading(silent())) == [b"x"]
    assert told[:-1] == [None] * rounds
    assert isinstance(told[-1], StoreUnreachable)
    assert lease._silence() is None


def test_a_run_whose_store_never_answers_stays_with_its_worker_until_it_is_cancelled(
    workshop: Workshop, black_hole: str
) -> None:
    workshop.worker(lease_s=SHORT_S, **silent_store(black_hole))
    run_id = workshop.create(stores())
    held_past_its_first_lease(workshop, run_id)
    assert cancelled_after(workshop, run_id) < 5
    assert workshop.events(run_id) == ["queued", "claimed", "cancel_requested", "stopped"]
    until(lambda: not workshop.horses(), "the horse that hung is gone", 5)
