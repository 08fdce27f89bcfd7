"""Several schedulers, killed at random, fire every moment of a day once (F9, P1; bar R5).

The day is the database's: its clock is set to one minute after the other. What is queued is settled before the next, so
that no moment is skipped because the run before it was still going.
"""

from __future__ import annotations

import random
import time
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
EVERY_S = 0.1
"""How often a scheduler here looks for what is due: a minute is over in half a second."""
STEPS = 2_000
"""One that nobody kills dies by itself before one of its first so many steps."""
MOST_KILLS = 4
"""In a minute, each at an instant of its own."""
WITHIN_S = 0.5
SHARES = 5
"""A minute is fired in so many transactions, so that all schedulers have a part in it."""
SETTLE = "UPDATE runs SET state = 'cancelled', finished_at = clock() WHERE state = 'queued'"
DUE = "SELECT FROM exports WHERE next_run_at <= clock() LIMIT 1"


class Schedulers:
    """So many of them; they are killed at random instants, and who dies is replaced."""

    def __init__(self, ground: Ground, count: int, at_once: int, chance: random.Random) -> None:
        self.ground = ground
        self.at_once = at_once
        self.chance = chance
        self.deaths = 0
        self.kills_at: list[float] = []
        self.serving = [self._start() for _ in range(count)]

    def _start(self) -> psutil.Process:
        before = self.chance.randrange(STEPS)
        return psutil.Process(self.ground.processes.begin("schedule", before, every_s=EVERY_S, at_once=self.at_once))

    def plan_kills(self) -> None:
        """From now on, or in the next minutes if this one is over before."""
        number = self.chance.randint(1, MOST_KILLS)
        self.kills_at += [time.monotonic() + self.chance.uniform(0, WITHIN_S) for _ in range(number)]

    def fired(self) -> bool:
        """Kill whose time has come, replace the dead; whether nothing is due any more."""
        now = time.monotonic()
        for _ in [at for at in self.kills_at if at <= now]:
            self.chance.choice(self.serving).kill()
        self.kills_at = [at for at in self.kills_at if at > now]
        for number, process in enumerate(self.serving):
            if process.status() == psutil.STATUS_ZOMBIE:
                self.ground.processes.kill(process.pid)
                self.deaths += 1
                self.serving[number] = self._start()
        return not self.ground.rows(DUE)


@contextmanager
def schedulers(ground: Ground, count: int, at_once: int, chance: random.Random) -> Iterator[Schedulers]:
    """They serve, and are killed in the end."""
    all_of_them = Schedulers(ground, count, at_once, chance)
    try:
        yield all_of_them
    finally:
        for process in all_of_them.serving:
            ground.processes.kill(process.pid)


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
    with redis, schedulers(ground, processes, count // SHARES, chance) as all_of_them:
        for minute in range(minutes):
            ground.connection.execute("UPDATE test_clock SET at = %s", [MIDNIGHT + minute * MINUTE])
            all_of_them.plan_kills()
            if chance.random() < 0.02:
                redis.flushall()
            until(all_of_them.fired, f"all moments of minute {minute} are fired", 60)
            ground.connection.execute(SETTLE)
            ended()
        deaths = all_of_them.deaths
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
