"""Running COPYs: the server writes the file's bytes, one message a row; the client must only not be in the way.

Rows are appended to one bytearray and handed on when libpq has no whole row left and 256 KiB are there (DESIGN section
2, "The client"). The parts of a run are read by one thread, each as it comes, and given in their order.
"""

from __future__ import annotations

import select
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, Final

import psycopg
from psycopg import pq

from exports.source.base import WATCH_EVERY, Progress, Rows, Watch
from exports.source.errors import translated
from exports.source.spool import Spool

BATCH: Final = 256 * 1024
"""Bytes handed on at once: fewer cost more calls, more cost memory and gain nothing."""
ENDED: Final = (pq.ExecStatus.COMMAND_OK, pq.ExecStatus.TUPLES_OK)
_CANCEL_WITHIN: Final = 3.0


class Copy:
    """One COPY on a connection of its own, and its batches of whole rows that nobody has asked for yet."""

    def __init__(self, connection: psycopg.Connection[Any], statement: str, spool: Spool | None = None) -> None:
        self.rows = self.bytes = 0
        self.count: int | None = None
        self.spool = spool or Spool()
        self._connection = connection
        self._pgconn = connection.pgconn
        self._statement = statement
        self._batch = bytearray()
        self._running = self._copying = False

    @property
    def socket(self) -> int:
        """The descriptor to wait on."""
        return self._pgconn.socket

    def start(self) -> None:
        """Send the statement, and wait for nothing."""
        self._pgconn.nonblocking = 0
        self._pgconn.send_query(self._statement.encode())
        self._running = True

    def take(self) -> None:
        """Take in what has arrived.

        Raises:
            psycopg.Error: the statement failed, now or behind its last row.
            StorageError: what has arrived cannot be kept until it is asked for.
        """
        self._pgconn.consume_input()
        if not self._copying and not self._begun():
            return
        batch, rows, get = self._batch, self.rows, self._pgconn.get_copy_data
        size, row = get(1)
        while size > 0:
            batch += row
            rows += 1
            size, row = get(1)
        self.rows = rows
        if size < 0:
            self.count = self._ended()
        if len(batch) >= BATCH or (batch and self.count is not None):
            self._batch = bytearray()
            self.bytes += len(batch)
            self.spool.put(batch)

    def _begun(self) -> bool:
        if self._pgconn.is_busy():
            return False
        result = self._pgconn.get_result()
        if result is None or result.status != pq.ExecStatus.COPY_OUT:
            self._running = False
            raise _error(self._pgconn, result)
        self._copying = True
        return True

    def _ended(self) -> int:
        """The number of rows in COPY's own words; an error that came behind the last row is raised here."""
        self._running = False
        result = self._pgconn.get_result()
        if result is None or result.status not in ENDED:
            raise _error(self._pgconn, result)
        return result.command_tuples or 0

    def stop(self) -> None:
        """End the query in the database if it is still running: closing the connection alone is noticed late."""
        self.spool.close()
        if self._running:
            self._running = False
            with suppress(psycopg.Error):  # no way to the server: it will see that the connection is closed
                self._connection.cancel_safe(timeout=_CANCEL_WITHIN)


class CopiedRows(Rows):
    """The rows of one COPY, or of several that are the parts of one run, looked at while they come."""

    def __init__(self, copies: Sequence[Copy], watch: Watch | None, seconds: float) -> None:
        self._copies = copies
        self._watch = watch
        self._seconds = seconds
        self._poll = select.poll()
        self._running: dict[int, Copy] = {}

    def __iter__(self) -> Iterator[bytearray]:
        """See `Rows`."""
        self._began = self._looked = time.monotonic()
        for copy in self._copies:
            with self._translating(copy):
                copy.start()
            self._running[copy.socket] = copy
            self._poll.register(copy.socket, select.POLLIN)
        for copy in self._copies:
            yield from self._batches(copy)
        self.count = sum(copy.count or 0 for copy in self._copies)

    def _batches(self, current: Copy) -> Iterator[bytearray]:
        """The batches of the part whose turn it is, while the later ones are taken in beside it."""
        if current.count is None:
            self._poll.modify(current.socket, select.POLLIN)
        while True:
            batch = current.spool.get()
            if batch is not None:
                yield batch
            elif current.count is not None:
                return
            self._wait(current, 0 if batch is not None else WATCH_EVERY)

    def _wait(self, current: Copy, seconds: float) -> None:
        """Wait for more, and let whoever watches look: the one place where a run can be stopped."""
        ready = self._poll.poll(seconds * 1000)
        now = time.monotonic()
        if self._watch is not None and now - self._looked >= WATCH_EVERY:
            self._looked = now
            self._watch(self._progress(now))
        for socket, _event in ready:
            copy = self._running[socket]
            with self._translating(copy):
                copy.take()
            if copy.count is not None:
                self._poll.unregister(socket)
            elif copy is not current and copy.spool.full:
                self._poll.modify(socket, 0)

    def _progress(self, now: float) -> Progress:
        rows, received = sum(copy.rows for copy in self._copies), sum(copy.bytes for copy in self._copies)
        return Progress(rows, received, now - self._began)

    @contextmanager
    def _translating(self, copy: Copy) -> Iterator[None]:
        try:
            yield
        except psycopg.Error as error:
            elapsed = time.monotonic() - self._began
            raise translated(error, seconds=self._seconds, elapsed=elapsed, rows=self._place(copy)) from error

    def _place(self, copy: Copy) -> int | None:
        """How many rows of the file stand before what a part gives next; None as long as an earlier one is running."""
        before = self._copies[: self._copies.index(copy)]
        if any(one.count is None for one in before):
            return None
        return sum(one.rows for one in before) + copy.rows

    def stop(self) -> None:
        """End what is still running in the database; what waits is forgotten."""
        for copy in self._copies:
            copy.stop()


def _error(connection: pq.abc.PGconn, result: pq.abc.PGresult | None) -> psycopg.Error:
    if result is None or not result.error_field(pq.DiagnosticField.SQLSTATE):
        return psycopg.OperationalError(connection.get_error_message())
    return psycopg.errors.error_from_result(result, encoding="utf-8")


__all__ = ["BATCH", "CopiedRows", "Copy"]
