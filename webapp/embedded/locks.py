"""Locks on files: they die with the last process that holds them, and a forked process holds its parent's."""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path

# A probe is two system calls; 20 ms cost nothing and are not felt in a start of 300 ms.
PAUSE_S = 0.02


def open_lock(path: Path, *, make: bool = True) -> int:
    """The descriptor of a lock file, closed by itself in programs that a process starts.

    One that is missing is made, or with `make=False` raises FileNotFoundError: a folder that somebody is deleting must
    not get new files.
    """
    return os.open(path, os.O_RDWR | os.O_CLOEXEC | (os.O_CREAT if make else 0), 0o600)


def try_share(lock: int) -> bool:
    """Hold the lock beside others; False if somebody has it alone."""
    return _try(lock, fcntl.LOCK_SH)


def try_own(lock: int) -> bool:
    """Hold the lock alone; False if anybody else holds it."""
    return _try(lock, fcntl.LOCK_EX)


def release(lock: int) -> None:
    """Let go of the lock, the descriptor stays open."""
    fcntl.flock(lock, fcntl.LOCK_UN)


def own_within(lock: int, seconds: float) -> bool:
    """Hold the lock alone as soon as it is free; False if it was not free in that time."""
    deadline = time.monotonic() + seconds
    while not try_own(lock):
        if time.monotonic() > deadline:
            return False
        time.sleep(PAUSE_S)
    return True


def _try(lock: int, kind: int) -> bool:
    try:
        fcntl.flock(lock, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
