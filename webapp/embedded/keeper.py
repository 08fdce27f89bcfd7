"""The one process per instance folder that both services belong to, until nobody has needed them for a while."""

from __future__ import annotations

import json
import os
import select
import signal
import sys
import time
from collections import deque
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from exports.errors import SetUpError
from webapp.embedded import locks, place
from webapp.embedded.postgres import Postgres
from webapp.embedded.redis_server import Redis

GRACE_S = 10.0
ROUND_S = 0.5
# A client that looks whether a keeper runs holds the lock for microseconds; a keeper that stops, for a second.
LOCK_S = 1.0
DEATHS, DEATHS_WITHIN_S = 5, 60.0
BUSY = 75


@dataclass
class Wishes:
    """What signals asked for."""

    stop: bool = False
    hurry: bool = False


def main(home: Path, *, throwaway: bool) -> int:
    """Keep the services of this instance folder.

    Exit status: 0 when done, 1 if they cannot run, 75 if another keeper has them.
    `throwaway`: for tests; nothing is forced to disk and the folder is deleted at the end.
    """
    lock = locks.open_lock(home / "keeper.lock")
    if not locks.own_within(lock, LOCK_S):
        return BUSY
    say(lock, {})
    wishes, wake = _listen()
    try:
        postgres, redis = _start(home, durable=not throwaway)
    except SetUpError as error:
        say(lock, {"error": error.code, "facts": {name: str(fact) for name, fact in error.facts.items()}})
        return 1
    users = locks.open_lock(home / "users.lock")
    try:
        say(lock, {"addresses": addresses(postgres, redis)})
        _keep(home, lock, users, (redis, postgres), wishes, wake)
    finally:
        redis.stop()
        postgres.stop()
        if throwaway:
            place.discard(home)
    return 0


def say(lock: int, state: dict[str, Any]) -> None:
    """Write the keeper's state into its lock file; who reads it takes what is not whole as not yet written."""
    text = json.dumps({"pid": os.getpid(), **state}).encode()
    os.ftruncate(lock, 0)
    os.pwrite(lock, text, 0)


def addresses(postgres: Postgres, redis: Redis) -> dict[str, str]:
    """The fields of `webapp.embedded.Addresses`."""
    return {
        "database_url": postgres.url("exports", "exports"),
        "source_url": postgres.url("exports_reader", "loyalty"),
        "source_admin_url": postgres.url("exports", "loyalty"),
        "redis_url": redis.url,
        "superuser_url": postgres.url("postgres", "postgres"),
        "programs": str(postgres.programs),
    }


def _start(home: Path, *, durable: bool) -> tuple[Postgres, Redis]:
    found = place.settle(home)
    postgres, redis = Postgres(found, durable=durable), Redis(found)
    redis.launch()
    try:
        postgres.start()
        redis.wait()
    except SetUpError:
        redis.stop()
        postgres.stop()
        raise
    return postgres, redis


def _listen() -> tuple[Wishes, int]:
    """SIGTERM and SIGINT stop, SIGUSR1 takes the grace away; the descriptor is readable once a signal came."""
    wishes = Wishes()
    wake, woken = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC) if hasattr(os, "pipe2") else os.pipe()
    os.set_blocking(woken, False)
    signal.set_wakeup_fd(woken)
    for sign in (signal.SIGTERM, signal.SIGINT):
        signal.signal(sign, lambda *_: setattr(wishes, "stop", True))
    signal.signal(signal.SIGUSR1, lambda *_: setattr(wishes, "hurry", True))
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    return wishes, wake


def _keep(home: Path, lock: int, users: int, services: tuple[Redis, Postgres], wishes: Wishes, wake: int) -> None:
    """Return when the services are to be stopped; the users' lock is then ours, so that nobody can join any more."""
    idle_since = time.monotonic()
    deaths: deque[float] = deque(maxlen=DEATHS)
    while not wishes.stop and _is_ours(home, lock):
        if not locks.try_own(users):
            idle_since = time.monotonic()
            wishes.hurry = False
        else:
            # Whoever joined and left between two looks is known by the time of the file.
            idle_since = max(idle_since, time.monotonic() - max(0.0, time.time() - os.fstat(users).st_mtime))
            if wishes.hurry or time.monotonic() - idle_since >= GRACE_S:
                return
            locks.release(users)
        for service in services:
            if not service.alive() and not _revive(service, deaths):
                return
        if select.select([wake], [], [], ROUND_S)[0]:
            os.read(wake, 512)


def _is_ours(home: Path, lock: int) -> bool:
    """Whether the instance folder is still the one we keep: deleted by hand, its services must not outlive it."""
    try:
        return (home / "keeper.lock").stat().st_ino == os.fstat(lock).st_ino
    except FileNotFoundError:
        return False


def _revive(service: Redis | Postgres, deaths: deque[float]) -> bool:
    now = time.monotonic()
    deaths.append(now)
    print(f"The embedded {service.name} died and is started again.", file=sys.stderr, flush=True)  # noqa: T201 - our log
    if len(deaths) == DEATHS and now - deaths[0] < DEATHS_WITHIN_S:
        print(f"{DEATHS} deaths in {DEATHS_WITHIN_S:.0f} s: given up.", file=sys.stderr, flush=True)  # noqa: T201
        return False
    try:
        service.start()
    except SetUpError as error:
        print(error, file=sys.stderr, flush=True)  # noqa: T201 - our log
        return False
    return True
