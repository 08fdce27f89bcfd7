"""Whether what the application needs is there: database, Redis, file store, a scheduler that goes round."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final

from flask import Flask, current_app
from sqlalchemy import select

from webapp import queues
from webapp.extensions import db
from webapp.models import Brand
from webapp.services import artefacts

log = logging.getLogger("health")

ANSWERS_S: Final = 2.0
"""How long a part may take to answer. All are asked side by side: so long takes the whole answer at most."""
FRESH_S: Final = 1.0
"""An answer so old is given again: anybody may ask, and nobody makes us ask more than this."""
BEAT_MISSED_S: Final = 30.0
"""A scheduler goes round every 5 s; one that waits for a database that hangs may miss a few."""
NOBODY: Final = "health"
"""A key of the store at which there is nothing: asking for it takes the store's whole way, and reads no file."""


@dataclass(frozen=True)
class Part:
    """What one part said: ok, slow (no answer in time), down, or for the scheduler missing; in `ms`."""

    state: str
    ms: int

    @property
    def is_good(self) -> bool:
        """Whether it does what it is there for."""
        return self.state == "ok"


@dataclass
class Check:
    """One part, asked at most once at a time: one that hangs holds one thread, however often we are asked for it."""

    name: str
    ask: Callable[[], bool]
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _asking: threading.Thread | None = None
    _said: Part | None = None
    _asked_at: float = 0.0

    def begin(self, app: Flask) -> threading.Thread:
        """Ask, unless the last answer is fresh or still awaited; gives what to wait for."""
        with self._lock:
            awaited = self._asking
            if awaited is not None and (awaited.is_alive() or time.monotonic() - self._asked_at < FRESH_S):
                return awaited
            self._said, self._asked_at = None, time.monotonic()
            self._asking = threading.Thread(target=self._run, args=(app,), name=f"check {self.name}", daemon=True)
            self._asking.start()
            return self._asking

    def said(self) -> Part:
        """The answer; slow while there is none."""
        return self._said or Part("slow", round((time.monotonic() - self._asked_at) * 1000))

    def _run(self, app: Flask) -> None:
        begun = time.monotonic()
        try:
            with app.app_context():
                state = "ok" if self.ask() else "missing"
        except Exception as error:  # whatever a driver raises: the part cannot be used
            log.warning("%s: %s: %s", self.name, type(error).__name__, error)
            state = "down"
        self._said = Part(state, round((time.monotonic() - begun) * 1000))


def _database() -> bool:
    db.session.execute(select(Brand.id).limit(1)).first()
    db.session.remove()
    return True


def _redis() -> bool:
    return queues.waiting(queues.FAST) >= 0


def _storage() -> bool:
    try:
        artefacts.store().size(NOBODY)
    except FileNotFoundError:
        return True
    return True


def _scheduler() -> bool:
    since = queues.since_beat()
    return since is not None and since < BEAT_MISSED_S


def parts() -> tuple[Check, ...]:
    """The checks of this process."""
    made: tuple[Check, ...] | None = current_app.extensions.get("health")
    if made is None:
        asked = {"database": _database, "redis": _redis, "storage": _storage, "scheduler": _scheduler}
        made = tuple(Check(name, ask) for name, ask in asked.items())
        current_app.extensions["health"] = made
    return made


def states(asked: Iterable[Check] | None = None) -> dict[str, Part]:
    """Ask all, side by side; after ANSWERS_S whoever did not answer is slow."""
    checks = tuple(asked or parts())
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
    deadline = time.monotonic() + ANSWERS_S
    for one in [check.begin(app) for check in checks]:
        one.join(max(0.0, deadline - time.monotonic()))
    return {check.name: check.said() for check in checks}
