"""The firing job of the fast queue: moves every export whose moment has come (DESIGN section 3)."""

from __future__ import annotations

import logging
import time
from typing import Final

from jobs import scheduler

log = logging.getLogger("jobs.firing")

AHEAD_S: Final = 1.0
"""How far the clock of the machine that rang may be ahead of the database's, whose word counts."""


def fire() -> None:
    """Fire what is due; if the bell rang too early, when it is."""
    scheduler.fire_all_due()
    wait = scheduler.seconds_to_next()
    if wait is not None and wait < AHEAD_S:
        time.sleep(wait)
        scheduler.fire_all_due()


def preload() -> None:
    """Before processes are forked: import what is otherwise imported at its first use, compile the statements."""
    import rq_scheduler  # noqa: F401

    scheduler.fire_all_due()
