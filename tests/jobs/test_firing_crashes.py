"""Killed between any two steps, the clock loses no moment and fires none twice (RELIABILITY P1, P8, F10)."""

from __future__ import annotations

import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from flask import Flask
from redis import Redis

from tests.fix_app import Clock, People, stores

ROOT = Path(__file__).parents[2]
HOURLY = {"type": "repeated", "every": "day", "hours": "*", "minutes": "0"}
MOST = 80
"""No pass over two exports takes so many steps."""


@pytest.fixture
def crashing(app: Flask, app_settings: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    """The process that kills itself."""
    command = [sys.executable, "-m", "tests.jobs.crashing"]
    with subprocess.Popen(
        command, cwd=ROOT, env=app_settings, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        yield process
        assert process.stdin
        process.stdin.close()


def ask(process: subprocess.Popen[str], what: str, number: int) -> str:
    """Let it do something and die at that step; whether it came so far."""
    assert process.stdin
    assert process.stdout
    process.stdin.write(f"{what} {number}\n")
    process.stdin.flush()
    return process.stdout.readline().strip()


def before_ten(url: str, redis: Redis) -> None:
    """As it was before ten o'clock."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("UPDATE exports SET latest_run_id = NULL, next_run_at = '2026-11-23 10:00+00'")
        connection.execute("DELETE FROM runs")
    redis.flushdb()


@pytest.mark.parametrize("what", ["fire", "reconcile", "ring"])
def test_every_moment_has_its_row_wherever_the_clock_is_killed(
    app: Flask, app_database: str, app_settings: dict[str, str], people: People, clock: Clock,
    crashing: subprocess.Popen[str], what: str,
) -> None:  # fmt: skip
    from jobs import scheduler
    from webapp import entries
    from webapp.services import exports

    clock.set("2026-11-23 09:30+00")
    ids: list[uuid.UUID] = []
    with people.exporter.at_work() as user:
        ids += [exports.create(user, stores(schedule=HOURLY), uuid.uuid4()).id for _ in range(2)]
    redis = Redis.from_url(app_settings["REDIS_URL"])
    points = 0
    while points < MOST:
        clock.set("2026-11-23 09:59+00")
        before_ten(app_database, redis)
        with app.app_context():
            scheduler.Clock().reconcile()  # makes the entries
        clock.set("2026-11-23 10:00:01+00")
        answer = ask(crashing, what, points)
        assert answer in ("died", "done")
        recover(app, entries)
        check(app_database, redis, ids)
        if answer == "done":
            break
        points += 1
    redis.close()
    assert {"fire": 20, "reconcile": 25, "ring": 4}[what] <= points < MOST


def recover(app: Flask, entries: Any) -> None:
    """What other processes do afterwards: somebody rings, fires, and looks for what is missing."""
    from jobs import scheduler, upkeep

    with app.app_context():
        entries.ring(1_795_428_001)  # 2026-11-23 10:00:01
        scheduler.Clock().reconcile()
        upkeep.sweep()


def check(url: str, redis: Redis, ids: list[uuid.UUID]) -> None:
    """One queued run each for ten o'clock, the next moment at eleven, an entry for it, and a ticket for each run."""
    with psycopg.connect(url) as connection:
        runs = connection.execute(
            "SELECT export_id FROM runs WHERE state = 'queued' AND scheduled_for = '2026-11-23 10:00+00'"
        ).fetchall()
        others = connection.execute("SELECT count(*) FROM runs WHERE state <> 'queued'").fetchone()
        waiting = connection.execute("SELECT id FROM exports WHERE next_run_at = '2026-11-23 11:00+00'").fetchall()
    assert sorted(id_ for (id_,) in runs) == sorted(ids)
    assert others == (0,)
    assert sorted(id_ for (id_,) in waiting) == sorted(ids)
    scheduled = redis.zrange("rq:scheduler:scheduled_jobs", 0, -1, withscores=True)
    assert dict(scheduled) == {f"export-{id_}".encode(): 1_795_431_600.0 for id_ in ids}
    assert redis.llen("rq:queue:exports") >= len(ids)
