"""`python -m jobs.worker exports|fast`: takes tickets from one queue and has a work horse carry them out.

RQ supplies the queue; the life of a run is ours (docs/runs.md). A ticket is spent when it is taken: if this process
dies the next moment, the sweep gives another. One process, no threads, one queue (RELIABILITY section 0, facts 2, 3).
"""

from __future__ import annotations

import gc
import importlib
import logging
import os
import select
import signal
import socket
import sys
import time
import uuid
from contextlib import suppress
from types import FrameType
from typing import Any, Final

from flask import Flask
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError, ResponseError
from redis.retry import Retry
from rq import Queue, Worker
from rq.exceptions import DequeueTimeout, StopRequested
from rq.job import Job
from rq.serializers import JSONSerializer
from sqlalchemy.exc import SQLAlchemyError

from jobs import horse, upkeep
from jobs.tickets import Order, Ticket, TicketRefused
from webapp.queues import EXPORTS, FAST, FUNCTIONS

log = logging.getLogger("jobs.worker")

GRACE_S: Final = 3.0
"""How long a horse may take to give its run back; script/keep kills 4 s after SIGTERM, Heroku 30 s."""
STUCK_S: Final = 120.0
"""A horse that lost what it held ends by itself at its next look; one that never looks again would block its worker."""
LOOK_S: Final = 0.2
REDIS_ANSWERS_S: Final = 3
RECONNECT_S: Final = 1.0


class TicketWorker(Worker):
    """A worker of one queue. Its loop goes on while Redis is away, and sweeps also while a horse runs."""

    job_class = Ticket

    def __init__(self, app: Flask, queue: str, stuck_s: float = STUCK_S) -> None:
        self.app = app
        self.stuck_s = stuck_s
        settings = app.config["SETTINGS"]
        self.sweep_s = settings.run_sweep
        self._swept_at = -float(self.sweep_s)
        self._waiting = False
        self._is_known = False
        connection = Redis.from_url(
            settings.redis_url,
            socket_connect_timeout=REDIS_ANSWERS_S,
            socket_timeout=REDIS_ANSWERS_S + self.sweep_s,
            retry=Retry(NoBackoff(), 0),
        )
        name = f"{socket.gethostname()}-{os.getpid()}-{uuid.uuid4().hex[:8]}"
        queues = [Queue(queue, connection=connection, job_class=Ticket, serializer=JSONSerializer)]
        super().__init__(
            queues,
            name=name,
            connection=connection,
            job_class=Ticket,
            serializer=JSONSerializer,
            worker_ttl=15 + self.sweep_s,  # RQ waits for a job 15 s less than this
            prepare_for_work=False,  # asks Redis for our address, which nobody reads: Redis may be away
        )
        self.hostname, self.pid = socket.gethostname(), os.getpid()

    def work(self, *_arguments: Any, **_options: Any) -> bool:
        """Serve until told to stop."""
        signal.signal(signal.SIGINT, self.request_stop)
        signal.signal(signal.SIGTERM, self.request_stop)
        log.info("%s serves the queue %s", self.name, self.queues[0].name)
        with suppress(StopRequested):
            while not self._stop_requested:
                self.tick()
                ticket = self._next_ticket()
                if ticket is not None:
                    self.execute_job(ticket, self.queues[0])
        with suppress(RedisError):
            self.register_death()  # type: ignore[no-untyped-call]
        log.info("%s has stopped", self.name)
        return True

    def request_stop(self, signum: int, frame: FrameType | None) -> None:
        """Stop after the horse, which is told so in `_watch`; at once while waiting for a ticket."""
        self._stop_requested = True
        if self._waiting:
            raise StopRequested

    def tick(self) -> bool:
        """Sweep, when it is time again; returns whether it was. A database that is away is waited for."""
        if time.monotonic() - self._swept_at < self.sweep_s:
            return False
        self._swept_at = time.monotonic()
        try:
            with self.app.app_context():
                upkeep.sweep()
        except SQLAlchemyError as error:
            log.warning("no sweep: the database did not answer: %s", error)
        return True

    def _horse_holds(self) -> bool:
        try:
            with self.app.app_context():
                return upkeep.holds(self.name)
        except SQLAlchemyError:
            return True  # nobody can say: it gets the benefit of the doubt

    def _next_ticket(self) -> Job | None:
        """The next ticket, None if there is none for the time between two sweeps, or no Redis."""
        try:
            self._make_known()
            self._waiting = True
            return None if self._stop_requested else self._take()
        except DequeueTimeout:
            return None
        except RedisError as error:
            log.warning("Redis did not answer, trying again: %s", error)
            self._is_known = False
            time.sleep(RECONNECT_S)
            return None
        finally:
            self._waiting = False

    def _take(self) -> Job | None:
        """Wait for a ticket. What cannot even be fetched under its name is refused here; it has left the queue."""
        try:
            found = Queue.dequeue_any(
                self.queues, self.sweep_s, connection=self.connection, job_class=Ticket, serializer=JSONSerializer
            )
        except (ResponseError, ValueError) as error:
            if isinstance(error, ResponseError) and not hasattr(error, "job_id"):
                raise
            log.error("refused a ticket: %s", type(error).__name__)
            self.connection.delete(self.queues[0].intermediate_queue_key)
            return None
        return found[0] if found else None

    def _make_known(self) -> None:
        """Appear in `rq info`. What dead workers left between taking and spending is forgotten: the sweep helps."""
        if not self._is_known:
            self.connection.delete(self.key, self.queues[0].intermediate_queue_key)
            self.register_birth()  # type: ignore[no-untyped-call]
            self._is_known = True
        self.heartbeat()

    def execute_job(self, job: Job, queue: Queue) -> None:
        """Spend a ticket, and have a horse carry out its order if it is one of ours."""
        try:
            order = Ticket.order_of(job, queue.name)
        except TicketRefused as refusal:
            log.error("refused the ticket %s: %s", job.id, refusal)
            order = None
        self._spend(job, queue)
        if order is not None:
            self._watch(*self._fork(order))

    def _spend(self, job: Job, queue: Queue) -> None:
        with suppress(RedisError), self.connection.pipeline() as pipeline:
            pipeline.delete(job.key)
            pipeline.lrem(queue.intermediate_queue_key, 1, job.id)
            pipeline.execute()

    def _fork(self, order: Order) -> tuple[int, int]:
        """Fork a horse; returns its process number and a pipe whose end is the horse's end, however it comes."""
        ends, held = os.pipe()
        parent = os.getpid()
        pid = os.fork()
        if pid == 0:
            os.close(ends)
            self._ride(order, parent)
        os.close(held)
        return pid, ends

    def _ride(self, order: Order, parent: int) -> None:
        """The whole life of a horse; never returns."""
        status = 1
        try:
            with self.app.app_context():
                horse.begin(self.name, parent)
                _function(order.function)(**order.arguments)
            status = 0
        except BaseException:  # the last frame of a process: whatever it was, it is logged, and the process ends
            log.exception("the horse fell over %s", order.function)
        finally:
            logging.shutdown()
            os._exit(status)

    def _watch(self, pid: int, ends: int) -> None:
        """Wait for the horse, sweeping meanwhile; told to stop, tell it so, and after a while do it for it."""
        told_at = 0.0
        killed = False
        held_at = time.monotonic()
        while not select.select([ends], [], [], LOOK_S)[0]:
            if self.tick() and self._horse_holds():
                held_at = time.monotonic()
            if not killed and time.monotonic() - held_at > self.stuck_s:
                log.error("the horse of %s holds nothing and does not end: it is killed", self.name)
                killed = True
                os.kill(pid, signal.SIGKILL)
            if self._stop_requested and not told_at:
                told_at = time.monotonic()
                os.kill(pid, signal.SIGTERM)
            elif told_at and not killed and time.monotonic() - told_at > GRACE_S:
                killed = True
                os.kill(pid, signal.SIGKILL)
        os.close(ends)
        _, status = os.waitpid(pid, 0)
        if status != 0:
            self._after_death(status, killed)

    def _after_death(self, status: int, killed: bool) -> None:
        """Put what the horse held back into the queue now: its lease need not run out. Counted, unless we killed it."""
        log.error("the horse of %s ended with %s", self.name, os.waitstatus_to_exitcode(status))
        try:
            with self.app.app_context():
                upkeep.take_back(self.name, counted=not killed)
        except SQLAlchemyError as error:
            log.warning("its run waits for its lease to end: the database did not answer: %s", error)
        self._swept_at = -float(self.sweep_s)  # its place is free, and it did not look itself for who takes it


def _function(name: str) -> Any:
    module, _, attribute = name.rpartition(".")
    return getattr(importlib.import_module(module), attribute)


def preload(app: Flask, queue: str) -> None:
    """Import all that a horse needs, so that one starts in milliseconds and shares its memory."""
    modules = {name.rpartition(".")[0] for name, served_by in FUNCTIONS.items() if served_by == queue}
    with app.app_context():
        for name in modules:
            importlib.import_module(name).preload()
        upkeep.sweep()
    gc.collect()
    gc.freeze()


def main(arguments: list[str]) -> int:
    """Serve one queue until SIGTERM or SIGINT."""
    if arguments not in ([EXPORTS], [FAST]):
        sys.stderr.write("A worker listens to one queue: python -m jobs.worker exports|fast\n")
        return 2
    from jobs import program

    app = program.create()
    try:
        preload(app, arguments[0])
    except SQLAlchemyError as error:
        log.warning("the database did not answer at the start: %s", error)
    TicketWorker(app, arguments[0]).work()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
