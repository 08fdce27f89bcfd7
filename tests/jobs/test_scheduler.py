"""Scheduler processes: any number side by side, each able to take over what the dead left."""

from __future__ import annotations

import signal
import uuid
from typing import TYPE_CHECKING

import psycopg

from tests.fix_app import stores
from tests.fix_workshop import SHORT_S, Workshop, silent_store, until

if TYPE_CHECKING:
    from tests.nursery import Born

EVERY_HOUR = {"type": "repeated", "every": "day", "hours": "*", "minutes": "0"}


def scheduler(workshop: Workshop, **settings: str) -> Born:
    """A scheduler that serves."""
    process = workshop.start("jobs.scheduler", **settings)
    until(lambda: "the scheduler serves" in workshop.said(process), "the scheduler serves")
    return process


def test_schedulers_side_by_side_take_a_run_back_once(workshop: Workshop) -> None:
    workshop.pace(0.02)
    worker = workshop.worker(lease_s=SHORT_S)
    run_id = workshop.create(stores())
    workshop.working(run_id)
    for _ in range(3):
        scheduler(workshop)
    worker.send_signal(signal.SIGKILL)
    worker.wait()
    workshop.until(run_id, lambda run: run["state"] == "queued", "it is queued again", SHORT_S + 20)
    assert workshop.run(run_id)["deaths"] == 1
    workshop.pace(0)
    workshop.worker()
    assert workshop.ended(run_id)["state"] == "success"
    assert workshop.events(run_id).count("lost") == 1


def test_a_scheduler_gives_lost_tickets_again(workshop: Workshop) -> None:
    workshop.worker(RUN_SWEEP="60")
    scheduler(workshop)
    workshop.services.redis.stop()
    run_id = workshop.create(stores())
    workshop.services.redis.start()
    assert workshop.ended(run_id)["state"] == "success"


def test_told_to_go_it_leaves_at_once(workshop: Workshop) -> None:
    process = scheduler(workshop)
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=3) == 0


def test_a_database_that_goes_away_is_waited_for(workshop: Workshop) -> None:
    process = scheduler(workshop)
    with psycopg.connect(workshop.services.database_url, autocommit=True) as connection:
        connection.execute("ALTER TABLE runs RENAME TO runs_elsewhere")
        until(lambda: "put off" in workshop.said(process), "it says so")
        connection.execute("ALTER TABLE runs_elsewhere RENAME TO runs")
    workshop.worker(RUN_SWEEP="60")
    workshop.services.redis.stop()
    run_id = workshop.create(stores())
    workshop.services.redis.start()
    assert workshop.ended(run_id)["state"] == "success"
    assert process.is_running()


def test_a_schedule_is_on_time_while_the_store_does_not_answer(workshop: Workshop, black_hole: str) -> None:
    from webapp.services import exports

    workshop.clock.set("2026-11-23 09:30+00")
    with workshop.people.exporter.at_work() as user:
        exports.create(user, stores(schedule=EVERY_HOUR), uuid.uuid4())
    process = scheduler(workshop, **silent_store(black_hole))
    port = int(black_hole.partition(":")[2])
    asked = "the store is asked for all it has"
    until(lambda: any(one.raddr and one.raddr.port == port for one in process.net_connections()), asked)
    workshop.clock.set("2026-11-23 10:00+00")
    with psycopg.connect(workshop.services.database_url, autocommit=True) as connection:
        until(lambda: connection.execute("SELECT FROM runs").fetchall(), "the moment has its run", 20)
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=6) == 0, "the store is left to itself"
    assert "the scheduler has stopped" in workshop.said(process)
