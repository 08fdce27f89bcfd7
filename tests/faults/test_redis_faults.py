"""Redis may be killed, wiped or hang at any moment: nothing is lost, nobody waits long (RELIABILITY P7, F5-F8)."""

from __future__ import annotations

import socket
import threading
import time
import uuid
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import redis

from tests.fix_app import stores
from tests.fix_workshop import ROWS, Workshop, application, until
from webapp.services import exports


@pytest.fixture
def black_hole(tmp_path: Path) -> Iterator[str]:
    """The address of a server that takes connections and never answers."""
    path = Path("/tmp") / f"hole-{uuid.uuid4().hex[:12]}"  # noqa: S108 - tmp_path may be too long for a socket
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
        server.listen(50)
        yield f"unix://{path}?db=0"
    path.unlink()


def client(workshop: Workshop) -> redis.Redis:
    """A client of the workshop's Redis."""
    return redis.Redis.from_url(workshop.services.redis_url)


def test_with_redis_down_create_still_works_and_the_run_is_caught_up(workshop: Workshop) -> None:
    workshop.worker()
    workshop.services.redis.stop()
    began = time.monotonic()
    run_id = workshop.create(stores())
    assert time.monotonic() - began < 2
    assert workshop.run(run_id)["state"] == "queued"
    workshop.services.redis.start()
    assert workshop.ended(run_id, seconds=30)["state"] == "success"


def test_a_redis_that_hangs_costs_a_request_about_a_second(workshop: Workshop, black_hole: str) -> None:
    told = {**workshop.services.environment, "REDIS_URL": black_hole}
    with application(told) as app, replace(workshop.people.exporter, app=app).at_work() as user:
        began = time.monotonic()
        run_id = exports.create(user, stores(), uuid.uuid4()).latest_run_id
        took = time.monotonic() - began
    assert took < 2
    assert run_id is not None
    workshop.worker()
    assert workshop.ended(run_id)["state"] == "success"


def test_a_full_redis_loses_nothing(workshop: Workshop) -> None:
    with client(workshop) as connection:
        connection.config_set("maxmemory", "1")
        run_id = workshop.create(stores())
        connection.config_set("maxmemory", "0")
    workshop.worker()
    assert workshop.ended(run_id)["state"] == "success"


def test_a_wiped_redis_loses_no_queued_run(workshop: Workshop) -> None:
    ids = [workshop.create(stores(name=f"Stores {number}")) for number in range(3)]
    with client(workshop) as connection:
        connection.flushall()
    workshop.worker()
    with client(workshop) as connection:
        connection.flushall()
    for run_id in ids:
        assert workshop.ended(run_id, seconds=30)["state"] == "success"


def test_a_run_in_progress_does_not_notice_that_redis_is_gone(workshop: Workshop) -> None:
    workshop.pace(0.005)
    worker = workshop.worker()
    run_id = workshop.create(stores())
    workshop.working(run_id)
    workshop.services.redis.stop()
    run = workshop.ended(run_id)
    assert (run["state"], run["rows"], run["attempt"], run["deaths"]) == ("success", ROWS, 1, 0)
    workshop.services.redis.start()
    workshop.pace(0)
    assert workshop.ended(workshop.create(stores()))["state"] == "success"
    assert worker.is_running(), "the same worker serves on"


def test_a_worker_that_starts_without_redis_serves_once_it_is_there(workshop: Workshop) -> None:
    workshop.services.redis.stop()
    worker = workshop.start("jobs.worker", "exports")
    until(lambda: "Redis did not answer" in workshop.said(worker), "it says so")
    workshop.services.redis.start()
    assert workshop.ended(workshop.create(stores()))["state"] == "success"


def test_a_ticket_that_was_taken_and_lost_is_given_again(workshop: Workshop) -> None:
    run_id = workshop.create(stores())
    with client(workshop) as connection:
        assert connection.blmove("rq:queue:exports", "rq:queue:exports:intermediate", 1)
    workshop.worker()
    assert workshop.ended(run_id)["state"] == "success"
    with client(workshop) as connection:
        assert connection.llen("rq:queue:exports:intermediate") == 0


def test_redis_holds_ids_and_nothing_else(workshop: Workshop) -> None:
    workshop.create(stores(name="A very secret name"))
    workshop.worker()
    with client(workshop) as connection:
        for _ in range(3):
            content = b"".join(connection.dump(key) or b"" for key in connection.keys("*"))
            for secret in (b"A very secret name", b"maple", b"exporter@", b"password"):
                assert secret not in content
            threading.Event().wait(0.05)
