"""Keeps a run with its work horse while an attempt goes on: a thread renews the lease, whatever the rest waits for.

It is a thread of the horse, not its worker, because it then dies, stops and wakes up with the horse: a horse that was
killed or stopped holds nothing longer than its lease, and one whose worker is stopped goes on (docs/runs.md).
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterable, Iterator
from types import TracebackType
from typing import Any, Final

from flask import Flask, current_app
from sqlalchemy.exc import SQLAlchemyError

from exports.errors import Cancelled, ExportsError, Fenced, GivenBack, RunStopped, SourceUnreachable, StoreUnreachable
from exports.pipeline import Progress
from exports.sinks import Sink
from jobs import horse
from webapp.extensions import db
from webapp.models import brand_scope
from webapp.services import runs
from webapp.services.runs import Claim

log = logging.getLogger("jobs.lease")

BEAT_S: Final = 1.0
"""Between two heartbeats, which tell progress and hear of **Cancel**; the lease is 30 times as long."""
IN_ORDER_S: Final = 2.0
"""An attempt that was cancelled or overtaken may take so long to end in order: cancelled is gone within 5 s."""
SOURCE_LEASES: Final = 3
"""So many leases may the source be silent. Small questions have limits of 5 and 10 s, and a COPY is looked at four
times a second: who is silent for 90 s is stopped, or behind a network that swallows everything."""
STORE_LEASES: Final = 10
"""So many leases may one write to the store take: obstore itself tries again for 180 s before it gives up."""


class Lease:
    """The lease of one attempt: `with Lease(mine) as lease`, from its claim to its end.

    Everything it does is fenced by the attempt. An attempt that does not end although it was cancelled or overtaken, or
    that waits for source or store past all bounds, is ended with its process: nothing else ends a call that hangs.
    """

    def __init__(self, mine: Claim) -> None:
        self.mine = mine
        self._app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
        settings = self._app.config["SETTINGS"]
        self._lease_s = float(settings.run_lease)
        self._longest_query_s = settings.source_statement_timeout + self._lease_s
        self._progress = Progress(0, 0, 0.0)
        self._phase = "starting"
        self._ended = threading.Event()
        self._told: RunStopped | None = None
        self._is_past_fence = False
        self._held_at = self._told_at = self._moved_at = time.monotonic()
        self._in_store = False
        self._signs = self._seen = 0
        self._silent_s = 0.0
        self._thread = threading.Thread(target=self._keep, name="lease", daemon=True)

    def __enter__(self) -> Lease:
        self._thread.start()
        return self

    def __exit__(self, *_raised: type[BaseException] | BaseException | TracebackType | None) -> None:
        """The attempt has ended: nothing is renewed any more."""
        self._ended.set()
        self._thread.join()

    def check(self) -> None:
        """Whether the attempt may go on. Raises GivenBack, Cancelled, Fenced."""
        if horse.stopping():
            raise GivenBack
        if (heard := self._heard()) is not None:
            raise heard

    def past_fence(self) -> None:
        """The file may have its final name from now on: **Cancel** comes too late, and stops nothing any more."""
        self._is_past_fence = True

    def watch(self, progress: Progress) -> None:
        """What the source calls several times a second while it is read. Raises as `check`, and

        Raises:
            SourceUnreachable: no row has come for longer than a query may take.
        """
        self.check()
        now = time.monotonic()
        if progress.rows != self._progress.rows:
            self._moved_at = now
        elif now - self._moved_at > self._longest_query_s:
            raise SourceUnreachable(f"no row for {now - self._moved_at:.0f} s, and no end of the query")
        self._progress = progress
        self._phase = "writing"
        self._sign(in_store=False)

    def resume(self, progress: Progress) -> None:
        """The file is there: its rows and bytes are told from now on, while it is delivered."""
        self._progress = progress
        self._phase = "delivering"

    def deliver(self) -> None:
        """What a delivery calls with every sign of life. Raises as `check`."""
        self.check()
        self._sign(in_store=False)

    def reading(self, pieces: Iterable[bytes]) -> Iterator[bytes]:
        """The bytes of a file that is kept, such that silence between them is known for the store's."""
        waiting = iter(pieces)
        while True:
            self._sign(in_store=True)
            piece = next(waiting, None)
            self._sign(in_store=False)
            if piece is None:
                return
            yield piece

    def storing(self, sink: Sink) -> Sink:
        """The sink, such that its silence is known for the store's."""
        return _Stored(sink, self._sign)

    def _sign(self, *, in_store: bool) -> None:
        self._in_store = in_store
        self._signs += 1

    def _keep(self) -> None:
        """What the thread does. Without it the run would be taken over: if it fails, so does the horse."""
        try:
            with self._app.app_context(), brand_scope(self.mine.brand_id):
                while not self._ended.wait(BEAT_S):
                    self._look()
        except Exception:  # whatever it was, the run must not go on unheld
            log.exception("run %s: the lease cannot be kept", self.mine.run_id)
            horse.end()

    def _heard(self) -> RunStopped | None:
        """What the attempt is to end for."""
        told = self._told
        return None if self._is_past_fence and isinstance(told, Cancelled) else told

    def _look(self) -> None:
        if (heard := self._heard()) is None:
            self._beat()
        elif time.monotonic() - self._told_at > IN_ORDER_S:
            self._end_instead(runs.stop if isinstance(heard, Cancelled) else None)
        if self._heard() is None and (silence := self._silence()) is not None:
            self._end_instead(lambda mine: runs.fail(mine, silence))

    def _beat(self) -> None:
        try:
            runs.beat(self.mine, self._progress, self._phase)
        except RunStopped as told:
            self._tell(told)
            self._held_at = self._told_at  # who hears of Cancel has renewed the lease as well
        except SQLAlchemyError as error:
            # Our own database is away. The attempt goes on until its lease has ended: then somebody else may have it.
            db.session.rollback()
            log.warning("run %s: no heartbeat: %s", self.mine.run_id, error)
            if time.monotonic() - self._held_at > self._lease_s:
                self._tell(Fenced())
        else:
            self._held_at = time.monotonic()

    def _tell(self, told: RunStopped) -> None:
        self._told_at = time.monotonic()
        self._told = told

    def _silence(self) -> ExportsError | None:
        """What is in the way of an attempt that gives no sign of life any more."""
        signs = self._signs
        # Counted in rounds of this thread: in a horse that was stopped nobody was silent.
        self._silent_s = self._silent_s + BEAT_S if signs == self._seen else 0.0
        self._seen = signs
        leases, kind = (STORE_LEASES, StoreUnreachable) if self._in_store else (SOURCE_LEASES, SourceUnreachable)
        if self._silent_s <= leases * self._lease_s:
            return None
        return kind(f"no answer for {self._silent_s:.0f} s ({self._phase})")

    def _end_instead(self, settle: Any) -> None:
        """Do for the attempt what it does not get to, then end the process that it hangs in."""
        try:
            if settle is not None:
                settle(self.mine)
        except Fenced as fenced:  # it got to it after all; it has as long as ever to end
            self._tell(fenced)
            return
        if not self._ended.is_set():
            log.error("run %s: attempt %d hangs and is ended", self.mine.run_id, self.mine.attempt)
            horse.end()


class _Stored(Sink):
    """A sink that gives a sign before and after what may hang."""

    def __init__(self, sink: Sink, sign: Any) -> None:
        self._sink = sink
        self._sign = sign

    def write(self, data: bytes | bytearray) -> None:
        """See `Sink`."""
        self._sign(in_store=True)
        self._sink.write(data)
        self._sign(in_store=False)

    def close(self) -> None:
        """See `Sink`."""
        self._sign(in_store=True)
        self._sink.close()
        self._sign(in_store=False)

    def abort(self) -> None:
        """See `Sink`."""
        self._sign(in_store=True)
        self._sink.abort()
        self._sign(in_store=False)
