"""Redis is wiped while schedules wait for their moment and runs for a worker: all are served (F6, P7; bar R6)."""

from __future__ import annotations

import time
import uuid
from typing import Any

import psycopg
import pytest
from redis import Redis

from tests.campaigns import drill, ended, is_long, tell
from tests.faults.deeds import HOURLY
from tests.fix_app import stores
from tests.fix_workshop import Workshop, until
from webapp.services import exports

CAUGHT_UP_S = 30


def one(shop: Workshop, wanted: str) -> Any:
    """The one value of the one row."""
    with psycopg.connect(shop.services.database_url) as connection:
        [(value,)] = connection.execute(wanted).fetchall()  # type: ignore[arg-type]
    return value


@pytest.mark.slow
@drill("faults")
def test_with_redis_wiped_all_next_moments_fire_and_all_queued_runs_finish(workshop: Workshop) -> None:
    schedules, queued = (1_000, 50) if is_long() else (60, 6)
    workshop.clock.set("2026-11-23 09:59:30+00")
    fast = workshop.start("jobs.worker", "fast")
    scheduler = workshop.start("jobs.scheduler")
    until(lambda: "serves the queue" in workshop.said(fast), "the fastworker serves")
    until(lambda: "the scheduler serves" in workshop.said(scheduler), "the scheduler serves")
    worker = workshop.worker()
    worker.suspend()
    with workshop.people.exporter.at_work() as user:
        for _ in range(schedules):
            exports.create(user, stores(schedule=HOURLY), uuid.uuid4())
    for _ in range(queued):
        workshop.create(stores())
    with Redis.from_url(workshop.services.redis_url) as redis:
        assert redis.zcard("rq:scheduler:scheduled_jobs") == schedules
        redis.flushall()
        wiped_at = time.monotonic()
        worker.resume()
        workshop.clock.set("2026-11-23 10:00:00+00")

        def caught_up(what: str, wanted: str, number: int, seconds: float = CAUGHT_UP_S) -> None:
            left = seconds - (time.monotonic() - wiped_at)
            until(lambda: one(workshop, wanted) == number, f"{what}\n{workshop.said(worker)[-2_000:]}", left)
            tell(f"{what} after {time.monotonic() - wiped_at:.1f} s")
            ended()

        fired = "SELECT count(DISTINCT export_id) FROM runs WHERE scheduled_for = '2026-11-23 10:00:00+00'"
        by_hand = "SELECT count(*) FROM runs WHERE kind = 'manual' AND state = 'success'"
        caught_up(f"all {schedules} next moments fired", f"{fired} AND kind = 'schedule'", schedules)
        caught_up(f"all {queued} queued runs finished", by_hand, queued)
        until(lambda: redis.zcard("rq:scheduler:scheduled_jobs") == schedules, "all entries are there again")
        all_runs = "SELECT count(*) FROM runs WHERE state = 'success'"
        caught_up(f"all {schedules} fired runs finished as well", all_runs, schedules + queued, 600)
    assert one(workshop, "SELECT count(*) FROM runs") == schedules + queued
