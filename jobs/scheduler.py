"""`python -m jobs.scheduler`: keeps the house in order; and here is decided, over all brands, which run is next.

Any number of scheduler processes may stand side by side: each row is worked on by one of them at a time.
"""

from __future__ import annotations

import logging
import signal
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from types import FrameType
from typing import Final

from flask import Flask
from sqlalchemy.exc import SQLAlchemyError

from exports.errors import ExportsError
from webapp.extensions import db
from webapp.models import system_scope
from webapp.services import runs

log = logging.getLogger("jobs.scheduler")

TIDY_S: Final = 600
ORPHANS_S: Final = 6 * 3600
"""The whole store is listed for this: seldom."""


def take_next(worker: str) -> runs.Claim | None:
    """Claim the run that is next among those of all brands; None if nothing waits."""
    with system_scope():
        mine = runs.claim(worker)
    db.session.remove()
    return mine


def rehearse(worker: str) -> None:
    """Let the database be asked once for all that a horse asks of it first; nothing is changed."""
    with system_scope():
        runs.rehearse_claim()
        runs.holds(worker)
    db.session.remove()


@dataclass
class Duty:
    """Something to be done again and again."""

    name: str
    do: Callable[[], object]
    every_s: float
    due_at: float = field(default_factory=time.monotonic)

    def run_if_due(self, app: Flask) -> None:
        """Do it when its time has come. A database or store that is away is waited for: it comes again."""
        if time.monotonic() < self.due_at:
            return
        self.due_at = time.monotonic() + self.every_s
        try:
            with app.app_context():
                self.do()
        except (SQLAlchemyError, ExportsError) as error:
            log.warning("%s: put off: %s", self.name, error)


def duties(app: Flask) -> list[Duty]:
    """What a scheduler does, and how often."""
    from jobs import upkeep

    sweep_s = app.config["SETTINGS"].run_sweep
    return [
        Duty("sweep", upkeep.sweep, sweep_s),
        Duty("tidy", upkeep.tidy, TIDY_S),
        Duty("orphans", upkeep.orphans, ORPHANS_S),
    ]


def serve(app: Flask, stop: threading.Event) -> None:
    """Do all duties until told to stop."""
    all_of_them = duties(app)
    while not stop.is_set():
        for duty in all_of_them:
            duty.run_if_due(app)
        stop.wait(max(0.0, min(duty.due_at for duty in all_of_them) - time.monotonic()))


def main() -> int:
    """Serve until SIGTERM or SIGINT."""
    from jobs import logs
    from webapp import create_program

    logs.set_up()
    stop = threading.Event()

    def request_stop(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    signal.signal(signal.SIGTERM, request_stop)
    signal.signal(signal.SIGINT, request_stop)
    app = create_program()
    log.info("the scheduler serves")
    serve(app, stop)
    log.info("the scheduler has stopped")
    return 0


if __name__ == "__main__":
    sys.exit(main())
