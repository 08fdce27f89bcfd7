"""PostgreSQL and Redis for those who have none: started by the first command that needs them, stopped after the last.

A process that needs the services holds a share of `users.lock` in the instance folder; forked processes inherit it and
it ends with the last of them, however they die. The keeper (keeper.py) holds `keeper.lock` and writes there what it
knows; it stops the services 10 s after nobody holds a share (DESIGN section 4).
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from exports import errors
from webapp.embedded import locks, place

# Recovery after a crash of the machine, or a first start on a slow disk, may take this long.
PATIENCE_S = 150.0
STOP_S = 75.0
ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Addresses:
    """Where the services listen. `superuser_url` and `programs` (psql, pg_dump) are for upkeep, tests, benchmarks."""

    database_url: str
    source_url: str
    source_admin_url: str
    redis_url: str
    superuser_url: str
    programs: str


@dataclass(frozen=True)
class _Registration:
    lock: int
    addresses: Addresses


_registrations: dict[Path, _Registration] = {}
_guard = threading.Lock()


def join(home: Path, *, throwaway: bool = False) -> Addresses:
    """Register this process as a user of the services of an instance folder and wait until both are ready.

    May be called as often as one likes. `throwaway` (tests): no fsync, and the folder is deleted after its last user.
    Raises SetUpError with what is in the way and what to do about it.
    """
    home = Path(os.path.abspath(home))
    with _guard:
        if home in _registrations:
            return _registrations[home].addresses
        place.prepare_home(home)
        with place.translated(home):
            lock = locks.open_lock(home / "users.lock")
        try:
            addresses = _await(home, lock, throwaway)
        except BaseException:
            os.close(lock)
            raise
        _registrations[home] = _Registration(lock, addresses)
        return addresses


def leave(home: Path, *, at_once: bool = False) -> None:
    """End the registration of this process. `at_once`: if it was the last, stop the services now and wait for that."""
    home = Path(os.path.abspath(home))
    with _guard:
        registration = _registrations.pop(home, None)
    if registration is not None:
        os.close(registration.lock)
    if at_once and home.exists():
        # A keeper that was stopping already may take a throwaway folder away while we look.
        with suppress(FileNotFoundError):
            _hurry(home)


def _await(home: Path, users: int, throwaway: bool) -> Addresses:
    """Take a share of the users' lock, then wait for a keeper that has both services ready."""
    deadline = time.monotonic() + PATIENCE_S
    started = 0
    while time.monotonic() < deadline:
        if locks.try_share(users):
            os.utime(users)
            state = _state(home)
            if state.get("error") and state["pid"] == started:
                raise _error(state)
            if not state["alive"]:
                started = _start_keeper(home, throwaway)
            elif "addresses" in state:
                return Addresses(**state["addresses"])
        time.sleep(locks.PAUSE_S)
    reason = f"they were not ready after {PATIENCE_S:.0f} s."
    raise errors.ServiceFailed(service="services", reason=reason, log=home / "keeper.log")


def _state(home: Path) -> dict[str, Any]:
    """What the keeper's lock file says, and whether its keeper is `alive`; what a dead one left there is wiped."""
    try:
        lock = locks.open_lock(home / "keeper.lock", make=False)
    except FileNotFoundError:
        return {"pid": 0, "alive": False}
    try:
        alive = not locks.try_own(lock)
        text = os.pread(lock, 10_000, 0)
        if not alive:
            os.ftruncate(lock, 0)
    finally:
        os.close(lock)
    try:
        state = json.loads(text)
    except ValueError:  # empty, or being written
        state = {"pid": 0}
    return {**state, "alive": alive}


def _start_keeper(home: Path, throwaway: bool) -> int:
    command = [sys.executable, "-m", "webapp.embedded", str(home)]
    command += ["--throwaway"] if throwaway else []
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    run = subprocess.run(  # noqa: S603 - our own words
        command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True
    )
    if run.returncode:
        raise errors.ServiceFailed(run.stderr, service="services", reason=run.stderr.strip().splitlines()[-1], log=home)
    return int(run.stdout)


def _error(state: dict[str, Any]) -> errors.SetUpError:
    kind = next(kind for kind in errors.catalogue() if kind.code == state["error"])
    error = kind(**state["facts"])
    assert isinstance(error, errors.SetUpError)  # noqa: S101 - the keeper writes no others
    return error


def _hurry(home: Path) -> None:
    """Tell the keeper that nobody needs to wait, and return when it has ended; at once if others are registered."""
    state = _state(home)
    if not _is_last(home) or not state["alive"] or not state["pid"]:
        return
    deadline = time.monotonic() + STOP_S
    while time.monotonic() < deadline and _state(home)["alive"] and not _is_joined(home):
        with suppress(ProcessLookupError):
            # More than once: a look of ours at the lock may be taken for a user, who takes the hurry away.
            os.kill(state["pid"], signal.SIGUSR1)
        time.sleep(locks.PAUSE_S * 5)


def _is_last(home: Path) -> bool:
    """Whether nobody holds a share any more."""
    return _probe(home, locks.try_own)


def _is_joined(home: Path) -> bool:
    """Whether somebody has taken a share meanwhile; the keeper owns the lock while it stops, and then nobody can."""
    return _probe(home, locks.try_share) and not _probe(home, locks.try_own)


def _probe(home: Path, how: Callable[[int], bool]) -> bool:
    try:
        users = locks.open_lock(home / "users.lock", make=False)
    except FileNotFoundError:
        return True
    try:
        return how(users)
    finally:
        os.close(users)
