"""PostgreSQL, and what speaks its protocol and COPY: read replicas, Citus, Aurora, AlloyDB.

The server writes the file's bytes, one message a row; the client must only not be in the way (DESIGN section 2, "The
client"): rows are appended to one bytearray and handed on when libpq has no whole row left and 256 KiB are there.
"""

from __future__ import annotations

import select as os_select
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import psycopg
import sqlalchemy as sa
from psycopg import pq, sql

from exports.errors import SourceSlow
from exports.formats import Copying
from exports.query import Query
from exports.source.base import WATCH_EVERY, Progress, Rows, Source, Watch
from exports.source.errors import translated, translating
from exports.source.statements import composed, copying

BATCH: Final = 256 * 1024
"""Bytes handed on at once: fewer cost more calls, more cost memory and gain nothing."""
_CANCEL_WITHIN = 3.0
_CONNECT_WITHIN = 10
_QUICK = 5.0
ENDED: Final = (pq.ExecStatus.COMMAND_OK, pq.ExecStatus.TUPLES_OK)


class PostgresSource(Source):
    """Reads in REPEATABLE READ READ ONLY transactions, each on a connection of its own.

    `url` as SQLAlchemy or libpq writes it. `statement_timeout` (seconds) bounds a run's query. `work_mem` is for its
    sort: an index walk in key order over a scattered heap takes five times as long (DESIGN section 2, "Order").
    """

    def __init__(
        self, url: str, *, statement_timeout: float = 3600.0, work_mem: str = "64MB", application_name: str = "exports"
    ) -> None:
        self._url = url.replace("postgresql+psycopg://", "postgresql://", 1)
        self._seconds = statement_timeout
        self._work_mem = work_mem
        self._application_name = application_name

    @contextmanager
    def rows(
        self, select: sa.Select[Any], query: Query, *, watch: Watch | None = None, seconds: float | None = None
    ) -> Iterator[Rows]:
        """See `Source.rows`."""
        limit = self._seconds if seconds is None else seconds
        jit = query.jit and seconds is None
        with self._reading(query.timezone, jit=jit, seconds=limit) as connection:
            statement = copying(composed(select, connection), query.format.copying, connection)
            rows = _CopyRows(connection, statement, watch, limit)
            try:
                yield rows
            finally:
                rows.stop()

    def count(self, query: Query, *, seconds: float = _QUICK) -> int:
        """See `Source.count`."""
        with self._reading(query.timezone, jit=False, seconds=seconds) as connection, translating(seconds=seconds):
            row = connection.execute(composed(query.count, connection).encode()).fetchone()
        return int(row[0]) if row else 0

    def estimate(self, query: Query) -> int:
        """See `Source.estimate`."""
        with self._reading(query.timezone, jit=False, seconds=_QUICK) as connection, translating(seconds=_QUICK):
            statement = f"EXPLAIN (FORMAT JSON) {composed(query.matching, connection)}"
            row = connection.execute(statement.encode()).fetchone()
        return int(row[0][0]["Plan"]["Plan Rows"]) if row else 0

    def describe(self, table: str) -> dict[str, str]:
        """See `Source.describe`."""
        schema, _, name = table.rpartition(".")
        with self._reading("UTC", jit=False, seconds=_QUICK) as connection, translating(seconds=_QUICK):
            found = connection.execute(
                "SELECT column_name, data_type FROM information_schema.columns "
                "WHERE table_schema = %s AND table_name = %s ORDER BY ordinal_position",
                (schema or "public", name),
            )
            return dict(found.fetchall())

    def select(self, select: sa.Select[Any], *, seconds: float = _QUICK) -> list[tuple[Any, ...]]:
        """See `Source.select`."""
        late = translating(seconds=seconds, late=SourceSlow)
        with self._reading("UTC", jit=False, seconds=seconds) as connection, late:
            return connection.execute(composed(select, connection).encode()).fetchall()

    @contextmanager
    def _reading(self, timezone: str, *, jit: bool, seconds: float) -> Iterator[psycopg.Connection[tuple[Any, ...]]]:
        """A connection in a transaction that cannot write; it is closed at the end, whatever happened."""
        with translating(seconds=seconds):
            connection = psycopg.connect(
                self._url,
                autocommit=True,
                connect_timeout=_CONNECT_WITHIN,
                application_name=self._application_name,
                client_encoding="UTF8",
                keepalives_idle=30,
                keepalives_interval=10,
                keepalives_count=3,
                cursor_factory=psycopg.ClientCursor,
            )
        try:
            with translating(seconds=seconds):
                connection.execute(self._settings(timezone, jit=jit, seconds=seconds))
            yield connection
        finally:
            connection.close()

    def _settings(self, timezone: str, *, jit: bool, seconds: float) -> sql.Composed:
        """TimeZone before the snapshot: the moments in the file are told in it."""
        settings = {
            "TimeZone": timezone,
            "DateStyle": "ISO, YMD",
            "extra_float_digits": "1",
            "work_mem": self._work_mem,
            "jit": "on" if jit else "off",
            "statement_timeout": str(round(seconds * 1000)),
        }
        statements = [
            sql.SQL("SET {} TO {}").format(sql.Identifier(name), sql.Literal(value)) for name, value in settings.items()
        ]
        return sql.SQL("; ").join([*statements, sql.SQL("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")])


class _CopyRows(Rows):
    """A running COPY: batches of whole rows, looked at while they come."""

    def __init__(
        self, connection: psycopg.Connection[Any], statement: str, watch: Watch | None, seconds: float
    ) -> None:
        self._connection = connection
        self._statement = statement
        self._watch = watch
        self._seconds = seconds
        self._received = 0
        self._bytes = 0
        self._running = False

    def __iter__(self) -> Iterator[bytearray]:
        """See `Rows`."""
        self._began = self._looked = time.monotonic()
        try:
            yield from self._batches()
        except psycopg.Error as error:
            elapsed = time.monotonic() - self._began
            raise translated(error, seconds=self._seconds, elapsed=elapsed, rows=self._received) from error

    def _batches(self) -> Iterator[bytearray]:
        connection = self._connection.pgconn
        self._start(connection)
        batch = bytearray()
        get = connection.get_copy_data
        rows = 0
        while True:
            size, row = get(1)
            while size > 0:
                batch += row
                rows += 1
                size, row = get(1)
            self._received = rows
            if size < 0:
                break
            if len(batch) >= BATCH:
                self._bytes += len(batch)
                yield batch
                batch.clear()
            self._wait(connection)
        self.count = self._ended(connection)
        if batch:
            yield batch

    def _start(self, connection: pq.abc.PGconn) -> None:
        self._poll = os_select.poll()
        self._poll.register(connection.socket, os_select.POLLIN)
        connection.nonblocking = 0
        connection.send_query(self._statement.encode())
        self._running = True
        while connection.is_busy():
            self._wait(connection)
        result = connection.get_result()
        if result is None or result.status != pq.ExecStatus.COPY_OUT:
            self._running = False
            raise _error(connection, result)

    def _wait(self, connection: pq.abc.PGconn) -> None:
        """Wait for more, and let whoever watches look: the one place where a run can be stopped."""
        ready = self._poll.poll(WATCH_EVERY * 1000)
        now = time.monotonic()
        if self._watch is not None and now - self._looked >= WATCH_EVERY:
            self._looked = now
            self._watch(Progress(self._received, self._bytes, now - self._began))
        if ready:
            connection.consume_input()

    def _ended(self, connection: pq.abc.PGconn) -> int:
        """The number of rows in COPY's own words; an error that came behind the last row is raised here."""
        self._running = False
        result = connection.get_result()
        if result is None or result.status not in ENDED:
            raise _error(connection, result)
        return result.command_tuples or 0

    def stop(self) -> None:
        """End the query in the database if it is still running: closing the connection alone would not be noticed."""
        if self._running:
            self._running = False
            self._connection.cancel_safe(timeout=_CANCEL_WITHIN)


def _error(connection: pq.abc.PGconn, result: pq.abc.PGresult | None) -> psycopg.Error:
    if result is None or not result.error_field(pq.DiagnosticField.SQLSTATE):
        return psycopg.OperationalError(connection.get_error_message())
    return psycopg.errors.error_from_result(result, encoding="utf-8")


__all__ = ["BATCH", "Copying", "PostgresSource"]
