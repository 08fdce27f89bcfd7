"""Several schedulers, killed at random, fire every moment of a day once (F9, P1; bar R5).

The day is the database's: its clock is set to one minute after the other. What is queued is settled before the next, so
that no moment is skipped because the run before it was still going.
"""

from __future__ import annotations

import random
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import psutil
from redis import Redis

from tests.campaigns import drill, ended, is_long, tell
from tests.faults.ground import Ground
from tests.fix_app import stores
from tests.fix_workshop import until
from webapp.services import exports

MINUTELY = {"type": "repeated", "every": "day", "hours": "*", "minutes": "*"}
MIDNIGHT = datetime(2026, 11, 23, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
EVERY_S = 0.05
"""How often a scheduler here looks for what is due."""
SETTLE = "UPDATE runs SET state = 'cancelled', finished_at = clock() WHERE state = 'queued'"
DUE = "SELECT FROM exports WHERE next_run_at <= clock() LIMIT 1"


class Schedulers:
    """So many of them; who dies is replaced."""

    def __init__(self, ground: Ground, count: int, chance: random.Random) -> None:
        self.ground = ground
        self.chance = chance
        self.deaths = 0
        self.pids = [self._start() for _ in range(count)]

    def _start(self) -> int:
        """One that dies before a step of its own, sooner or later."""
        return self.ground.processes.begin("schedule", self.chance.randrange(4_000), every_s=EVERY_S)

    def kill_one(self) -> None:
        """Whatever it is doing."""
        psutil.Process(self.chance.choice(self.pids)).kill()

    def replace_the_dead(self) -> None:
        """A new one for each."""
        for number, pid in enumerate(self.pids):
            if psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
                self.ground.processes.kill(pid)
                self.deaths += 1
                self.pids[number] = self._start()

    def fired(self) -> bool:
        """Whether nothing is due any more."""
        self.replace_the_dead()
        return not self.ground.rows(DUE)


@contextmanager
def schedulers(ground: Ground, count: int, chance: random.Random) -> Iterator[Schedulers]:
    """They serve, and are killed in the end."""
    serving = Schedulers(ground, count, chance)
    try:
        yield serving
    finally:
        for pid in serving.pids:
            ground.processes.kill(pid)


@drill("faults")
def test_every_moment_of_a_day_is_fired_once_by_schedulers_that_are_killed(ground: Ground, request: object) -> None:
    count, minutes, processes = (100, 24 * 60, 5) if is_long() else (10, 30, 3)
    seed = request.config.option.hypothesis_seed
    chance = random.Random(seed)  # noqa: S311 - chooses whom to kill
    ground.clear()
    ground.shop.clock.set(MIDNIGHT - MINUTE / 2)
    with ground.shop.people.exporter.at_work() as user:
        for _ in range(count):
            exports.create(user, stores(schedule=MINUTELY), uuid.uuid4())
    redis = Redis.from_url(ground.shop.services.redis_url)
    with redis, schedulers(ground, processes, chance) as serving:
        for minute in range(minutes):
            ground.connection.execute("UPDATE test_clock SET at = %s", [MIDNIGHT + minute * MINUTE])
            if chance.random() < 0.2:
                serving.kill_one()
            if chance.random() < 0.02:
                redis.flushall()
            until(serving.fired, f"all moments of minute {minute} are fired", 60)
            ground.connection.execute(SETTLE)
            ended()
        deaths = serving.deaths
    rows, moments, queued = ground.rows(
        "SELECT count(*), count(DISTINCT (export_id, scheduled_for)), count(*) FILTER (WHERE state = 'cancelled')"
        " FROM runs WHERE kind = 'schedule'"
    )[0]
    each = "SELECT count(*) FROM runs WHERE scheduled_for BETWEEN %s AND %s GROUP BY export_id"
    of_each = ground.rows(each, MIDNIGHT, MIDNIGHT + (minutes - 1) * MINUTE)
    tell(f"seed {seed}: {rows:,} rows for {moments:,} moments, {queued:,} of them queued, {deaths} schedulers died")
    assert (rows, moments, queued) == (count * minutes,) * 3
    assert of_each == [(minutes,)] * count
    assert ground.rows("SELECT count(*) FROM run_events WHERE kind = 'queued'") == [(rows,)]
    ground.clear()
