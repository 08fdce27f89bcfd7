"""The clock as real processes: two schedulers, a fastworker and a worker, on a Redis that may be wiped."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from psycopg.rows import dict_row

from tests.fix_app import stores
from tests.fix_workshop import end, until

if TYPE_CHECKING:
    from tests.fix_workshop import Workshop

pytestmark = pytest.mark.slow


def rows(shop: Workshop, wanted: str) -> list[dict[str, Any]]:
    """Rows of the database."""
    with psycopg.connect(shop.services.database_url, row_factory=dict_row) as connection:
        return connection.execute(wanted).fetchall()  # type: ignore[arg-type]


def now(shop: Workshop) -> datetime:
    """The database's present moment."""
    [row] = rows(shop, "SELECT clock() AS at")
    return row["at"].replace(microsecond=0)  # type: ignore[no-any-return]


def on_dates(shop: Workshop, count: int, first: datetime) -> None:
    """Exports that run a second after each other."""
    from webapp.services import exports

    with shop.people.exporter.at_work() as user:
        for number in range(count):
            at = f"{first + timedelta(seconds=number):%Y-%m-%dT%H:%M:%S}Z"
            exports.create(user, stores(schedule={"type": "on_date", "at": at}), uuid.uuid4())


def all_ended(shop: Workshop, count: int) -> list[dict[str, Any]]:
    """Wait until so many runs have ended; all there are."""
    ended = "SELECT * FROM runs WHERE finished_at IS NOT NULL"
    until(lambda: len(rows(shop, ended)) >= count, f"{count} runs end", 60)
    return rows(shop, "SELECT * FROM runs")


def serve(shop: Workshop) -> list[Any]:
    """Two schedulers, a fastworker and a worker."""
    schedulers = [shop.start("jobs.scheduler") for _ in range(2)]
    fast = shop.start("jobs.worker", "fast")
    until(lambda: "serves the queue" in shop.said(fast), "the fastworker serves")
    shop.worker()
    for one in schedulers:
        until(lambda one=one: "the scheduler serves" in shop.said(one), "the schedulers serve")
    return schedulers


def test_two_schedulers_fire_each_moment_once_also_when_one_is_killed(workshop: Workshop) -> None:
    schedulers = serve(workshop)
    on_dates(workshop, 6, now(workshop) + timedelta(seconds=6))
    until(lambda: rows(workshop, "SELECT id FROM runs"), "the first run", 60)
    end(schedulers[0])
    found = all_ended(workshop, 6)
    assert [row["state"] for row in found] == ["success"] * 6
    assert len({row["export_id"] for row in found}) == 6
