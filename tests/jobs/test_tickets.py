"""Whoever can write into Redis can make a worker do nothing but look for runs (RELIABILITY T14)."""

from __future__ import annotations

import json
import os
import pickle
import zlib
from pathlib import Path
from typing import Any

import pytest
import redis
from hypothesis import given
from hypothesis import strategies as st
from rq import Queue
from rq.serializers import JSONSerializer

from jobs.tickets import MAX_BYTES, Order, Ticket, TicketRefused
from tests.fix_app import stores
from tests.fix_workshop import Workshop, until

RUN = "0b8f2d3c-6f52-4d0a-9d6a-3b0c2f1e7a55"


class Bomb:
    """Unpickled, it runs a command."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return os.system, (f"touch {self.path}",)


def read(data: bytes) -> Order:
    """What a worker makes of a job's data."""
    ticket = Ticket(RUN, connection=redis.Redis(), serializer=JSONSerializer)
    ticket.restore({b"data": data})
    return Ticket.order_of(ticket, "exports")


def test_a_ticket_of_ours_is_read() -> None:
    data = json.dumps(["jobs.runs.execute", None, [], {"run": RUN}]).encode()
    assert read(data) == read(zlib.compress(data)) == Order("jobs.runs.execute", RUN)


@pytest.mark.parametrize(
    "order",
    [
        ["os.system", None, [], {"run": RUN}],
        ["os.system", None, ["true"], {}],
        ["jobs.runs.attempt", None, [], {"run": RUN}],
        ["jobs.runs.execute.__globals__", None, [], {"run": RUN}],
        ["jobs.runs.execute", "instance", [], {"run": RUN}],
        ["jobs.runs.execute", None, [RUN], {}],
        ["jobs.runs.execute", None, [], {"run": RUN, "more": 1}],
        ["jobs.runs.execute", None, [], {"run": 1}],
        ["jobs.runs.execute", None, [], {"run": "1"}],
        ["jobs.runs.execute", None, [], {"run": RUN.upper()}],
        ["jobs.runs.execute", None, [], {}],
        ["jobs.runs.execute", None, []],
        [["jobs.runs.execute"], None, [], {"run": RUN}],
        {"run": RUN},
        None,
    ],
    ids=str,
)
def test_all_else_is_refused(order: object) -> None:
    with pytest.raises(TicketRefused):
        read(json.dumps(order).encode())


def test_a_ticket_of_another_queue_is_refused() -> None:
    ticket = Ticket(RUN, connection=redis.Redis(), serializer=JSONSerializer)
    ticket.restore({b"data": json.dumps(["jobs.runs.execute", None, [], {"run": RUN}]).encode()})
    with pytest.raises(TicketRefused):
        Ticket.order_of(ticket, "fast")


@given(st.binary() | st.binary().map(zlib.compress) | st.just(b"[" * 5_000) | st.just(zlib.compress(b" " * 10**7)))
def test_no_bytes_do_more_than_be_refused(data: bytes) -> None:
    with pytest.raises(TicketRefused):
        read(data)


def test_a_bomb_is_not_inflated() -> None:
    ticket = Ticket(RUN, connection=redis.Redis(), serializer=JSONSerializer)
    ticket.restore({b"data": zlib.compress(b" " * 10**7)})
    assert len(ticket.data) <= MAX_BYTES


def plant(workshop: Workshop, job_id: str, fields: dict[str, Any]) -> None:
    """Write a job into Redis as somebody would who has taken it over."""
    with redis.Redis.from_url(workshop.services.redis_url) as connection:
        connection.hset(f"rq:job:{job_id}", mapping={"created_at": "2026-11-23T10:00:00.000000Z", **fields})
        connection.sadd("rq:queues", "rq:queue:exports")
        connection.rpush("rq:queue:exports", job_id)


def test_planted_jobs_are_refused_and_logged_and_the_worker_serves_on(workshop: Workshop, tmp_path: Path) -> None:
    owned = tmp_path / "owned"
    bomb = pickle.dumps(Bomb(owned))
    good = json.dumps(["jobs.runs.execute", None, [], {"run": RUN}])
    plant(workshop, "a-pickle", {"data": zlib.compress(bomb), "origin": "exports"})
    plant(workshop, "a-pickled-order", {"data": pickle.dumps(("os.system", None, (f"touch {owned}",), {}))})
    command = json.dumps(["os.system", None, [f"touch {owned}"], {}])
    plant(workshop, "a-command", {"data": command, "origin": "exports"})
    plant(
        workshop,
        "callbacks",
        {
            "data": command,
            "success_callback_name": "os.system",
            "failure_callback_name": "os.system",
            "stopped_callback_name": "os.system",
            "webhooks": json.dumps([{"url": "http://127.0.0.1:9/", "job_status": "failed"}]),
            "result": bomb,
            "meta": bomb,
            "exc_info": bomb,
            "timeout": "nonsense",
            "retries_left": "7",
        },
    )
    plant(
        workshop, "hidden-in-a-good-one", {"data": good, "result": bomb, "meta": bomb, "failure_callback_name": "x.y"}
    )
    plant(workshop, "no-data", {"origin": "exports"})
    with redis.Redis.from_url(workshop.services.redis_url) as connection:
        connection.set("rq:job:not-a-hash", "x")
        connection.rpush("rq:queue:exports", "not-a-hash", b"\xff\xfe", "no-such-job", "a name, with blanks")
        connection.zadd("rq:wip:exports", {"callbacks:1": 1})
        connection.zadd("rq:deferred:exports", {"a-command": 1})
    worker = workshop.worker()
    run_id = workshop.create(stores())
    assert workshop.ended(run_id)["state"] == "success"
    with redis.Redis.from_url(workshop.services.redis_url) as connection:
        until(lambda: connection.llen("rq:queue:exports") == 0, "the queue is empty")
    until(lambda: "refused the ticket no-data" in workshop.said(worker), "the last one is refused")
    log = workshop.said(worker)
    for name in ("a-pickle", "a-pickled-order", "a-command", "callbacks", "no-data"):
        assert f"refused the ticket {name}" in log
    assert "touch" not in log, "what was planted is not quoted"
    assert not owned.exists()
    assert worker.is_running()
    with redis.Redis.from_url(workshop.services.redis_url) as connection:
        until(lambda: connection.llen("rq:queue:exports:intermediate") == 0, "nothing is left behind")
        assert not connection.keys("rq:job:a-*")


def test_the_worker_does_not_listen_to_commands_from_redis(workshop: Workshop) -> None:
    worker = workshop.worker()
    with redis.Redis.from_url(workshop.services.redis_url) as connection:
        name = until(lambda: connection.smembers("rq:workers"), "the worker is known").pop().decode().split(":")[-1]
        assert connection.publish(f"rq:pubsub:{name}", json.dumps({"command": "shutdown"})) == 0
    assert workshop.ended(workshop.create(stores()))["state"] == "success"
    assert worker.is_running()


def test_what_is_sent_is_a_ticket(workshop: Workshop) -> None:
    run_id = workshop.create(stores())
    with redis.Redis.from_url(workshop.services.redis_url) as connection:
        [job] = Queue("exports", connection=connection, serializer=JSONSerializer).jobs
        ticket = Ticket.fetch(job.id, connection=connection, serializer=JSONSerializer)
        assert Ticket.order_of(ticket, "exports") == Order("jobs.runs.execute", str(run_id))
        assert (job.timeout, job.result_ttl, job.failure_ttl, job.retries_left) == (-1, 0, 86_400, None)
