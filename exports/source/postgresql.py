"""PostgreSQL, and what speaks its protocol and COPY: read replicas, Citus, Aurora, AlloyDB."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from datetime import datetime
from functools import partial
from typing import Any, Final
from zoneinfo import ZoneInfo

import psycopg
import sqlalchemy as sa
from psycopg import pq, sql

from exports.errors import DefinitionRefused, RunError, SourceSlow
from exports.formats import Copying
from exports.query import Query
from exports.rules import zone_unknown
from exports.source import clocks
from exports.source.base import NOTHING, Rows, Source, Watch
from exports.source.copied import CopiedRows, Copy
from exports.source.errors import translating
from exports.source.parts import TWO, Parts
from exports.source.statements import composed, copying, expected

_CONNECT_WITHIN: Final = 10
_QUICK: Final = 5.0
_NOTICE_WHO_LEFT: Final = """
    SELECT set_config(name, '1s', false) FROM pg_settings
    WHERE name = 'client_connection_check_interval' AND version() !~* 'windows|mingw|visual c'
"""
"""A query whose client has gone ends within a second (PostgreSQL 14 and later): a worker that was killed asks for
nothing any more, and a cancel that comes before its query has begun is lost."""
_Connection = psycopg.Connection[tuple[Any, ...]]


class PostgresSource(Source):
    """Reads in REPEATABLE READ READ ONLY transactions, each on a connection of its own.

    `url` as SQLAlchemy or libpq writes it. `statement_timeout` (seconds) bounds a run's query. `work_mem` is for its
    sort: an index walk in key order over a scattered heap takes five times as long (DESIGN section 2, "Order").
    """

    def __init__(
        self,
        url: str,
        *,
        statement_timeout: float = 3600.0,
        work_mem: str = "64MB",
        application_name: str = "exports",
        parts: Parts = TWO,
    ) -> None:
        self.url = url
        self._seconds = statement_timeout
        self.work_mem = work_mem
        self._application_name = application_name
        self._parts = parts
        self._zones: frozenset[str] = frozenset()
        self._clocks: dict[str, ZoneInfo] = {"UTC": ZoneInfo("UTC")}

    @contextmanager
    def rows(
        self, select: sa.Select[Any], query: Query, *, watch: Watch | None = None, seconds: float | None = None
    ) -> Iterator[Rows]:
        """See `Source.rows`."""
        limit = self._seconds if seconds is None else seconds
        with ExitStack() as stack:
            copies = [
                Copy(connection, copying(composed(part, connection), query.format.copying, connection))
                for connection, part in self._parted(stack, select, query, limit, bounded=seconds is not None)
            ]
            rows = CopiedRows(copies, watch, limit)
            stack.callback(rows.stop)
            yield rows

    def _parted(
        self, stack: ExitStack, select: sa.Select[Any], query: Query, seconds: float, *, bounded: bool
    ) -> list[tuple[_Connection, sa.Select[Any]]]:
        """The parts of a SELECT, each with a connection of its own, which `stack` closes; all see one snapshot."""
        reading = partial(
            self._reading, query.timezone, jit=query.jit and not bounded, seconds=seconds, settings=query.settings
        )
        first = stack.enter_context(reading())
        if bounded:
            return [(first, select)]
        with translating(seconds=seconds):
            parts = self._parts.of(select, query, first)
        try:
            with ExitStack() as beside:
                others = [beside.enter_context(reading(beside=first)) for _part in parts[1:]]
                stack.enter_context(beside.pop_all())
        except RunError:
            # Parts are for speed only: without more connections, or if they lead to another server, one will do. What
            # else may be wrong, the one meets as well.
            self._begin_again(first, query, seconds)
            return [(first, select)]
        return list(zip([first, *others], parts, strict=True))

    def _begin_again(self, connection: _Connection, query: Query, seconds: float) -> None:
        """A server that exports no snapshot has ended the transaction. (It exports none beside a savepoint either.)"""
        if connection.info.transaction_status == pq.TransactionStatus.INERROR:
            with translating(seconds=seconds):
                connection.execute("ROLLBACK")
                self._begin(connection, query.timezone, jit=query.jit, seconds=seconds)
                _set(connection, query.settings)

    def estimate(self, query: Query) -> int:
        """See `Source.estimate`."""
        with self._reading(query.timezone, jit=False, seconds=_QUICK) as connection, translating(seconds=_QUICK):
            return expected(query, connection)

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

    def zones(self) -> frozenset[str]:
        """See `Source.zones`. Asked once: the server reads a file for each of them (50 ms)."""
        if not self._zones:
            with self._reading("UTC", jit=False, seconds=_QUICK) as connection, translating(seconds=_QUICK):
                found = connection.execute("SELECT name FROM pg_timezone_names")
                self._zones = frozenset(name for (name,) in found)
        return self._zones

    def zone(self, name: str) -> ZoneInfo:
        """See `Source.zone`. Asked once for each zone."""
        if name not in self._clocks:
            with self._reading("UTC", jit=False, seconds=_QUICK) as connection, translating(seconds=_QUICK):

                def offsets(moments: Sequence[datetime]) -> list[int]:
                    return [seconds for (seconds,) in connection.execute(clocks.OFFSETS, (name, list(moments)))]

                try:
                    self._clocks[name] = clocks.read(name, offsets)
                except psycopg.errors.InvalidParameterValue as error:
                    raise DefinitionRefused([zone_unknown()]) from error
        return self._clocks[name]

    def select(
        self,
        select: sa.Select[Any],
        *,
        seconds: float = _QUICK,
        timezone: str = "UTC",
        settings: Mapping[str, str] = NOTHING,
    ) -> list[tuple[Any, ...]]:
        """See `Source.select`."""
        late = translating(seconds=seconds, late=SourceSlow)
        with self._reading(timezone, jit=False, seconds=seconds, settings=settings) as connection, late:
            return connection.execute(composed(select, connection).encode()).fetchall()

    @contextmanager
    def _reading(
        self,
        timezone: str,
        *,
        jit: bool,
        seconds: float,
        settings: Mapping[str, str] = NOTHING,
        beside: _Connection | None = None,
    ) -> Iterator[_Connection]:
        """A connection in a transaction that cannot write; it is given back at the end, whatever happened.

        It sees what the one `beside` it sees, whose transaction is running.
        """
        with translating(seconds=seconds):
            connection = self._open(beside)
        try:
            with translating(seconds=seconds):
                connection.execute(_NOTICE_WHO_LEFT)
                self._begin(connection, timezone, jit=jit, seconds=seconds)
                if beside:
                    exported = sql.Literal(beside.execute("SELECT pg_export_snapshot()").fetchall()[0][0])
                    connection.execute(sql.SQL("SET TRANSACTION SNAPSHOT {}").format(exported))
                _set(connection, settings)
            yield connection
        finally:
            self._give_back(connection)

    def _open(self, beside: _Connection | None) -> _Connection:
        return connect(self.url, self._application_name, **(_server_of(beside) if beside else {}))

    def _give_back(self, connection: _Connection) -> None:
        connection.close()

    def _begin(self, connection: psycopg.Connection[Any], timezone: str, *, jit: bool, seconds: float) -> None:
        try:
            connection.execute(self._settings(timezone, jit=jit, seconds=seconds))
        except psycopg.errors.InvalidParameterValue as error:
            if timezone in self.zones():
                raise
            raise DefinitionRefused([zone_unknown()]) from error

    def _settings(self, timezone: str, *, jit: bool, seconds: float) -> sql.Composed:
        """TimeZone before the snapshot: the moments in the file are told in it."""
        settings = {
            "TimeZone": timezone,
            "DateStyle": "ISO, YMD",
            "extra_float_digits": "1",
            "work_mem": self.work_mem,
            "jit": "on" if jit else "off",
            "statement_timeout": str(max(round(seconds * 1000), 1)),  # 0 would be no limit
        }
        statements = [
            sql.SQL("SET {} TO {}").format(sql.Identifier(name), sql.Literal(value)) for name, value in settings.items()
        ]
        return sql.SQL("; ").join([*statements, sql.SQL("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")])


def _set(connection: _Connection, settings: Mapping[str, str]) -> None:
    """Settings of this transaction alone. They may be keys: they are sent beside the statement, which logs may hold."""
    if settings:
        calls = ", ".join(["set_config(%s, %s, true)"] * len(settings))
        values = [text for pair in settings.items() for text in pair]
        psycopg.Cursor(connection).execute(f"SELECT {calls}".encode(), values, prepare=False)


def _server_of(connection: _Connection) -> dict[str, Any]:
    """Parameters that lead to the same server: an address may name several, and a snapshot is one server's."""
    info = connection.info
    return {"host": info.host, "port": info.port} | ({"hostaddr": info.hostaddr} if info.hostaddr else {})


def connect(url: str, application_name: str, **more: Any) -> _Connection:
    """A connection to a source, whose statements are composed at the client."""
    return psycopg.connect(
        url.replace("postgresql+psycopg://", "postgresql://", 1),
        autocommit=True,
        connect_timeout=_CONNECT_WITHIN,
        application_name=application_name,
        client_encoding="UTF8",
        keepalives_idle=30,
        keepalives_interval=10,
        keepalives_count=3,
        cursor_factory=psycopg.ClientCursor,
        **more,
    )


__all__ = ["Copying", "PostgresSource"]
