"""The few connections for previews: one query a draft at most, the newer stops the older, in whichever process it runs.

A leased connection is named `preview:<draft>:<rev>`. What runs under an older name, or the same, is cancelled before a
lease is given, and gone when it is; who comes too late is told so (DESIGN section 6).
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import BoundedSemaphore
from typing import Any, Final
from zoneinfo import ZoneInfo

import psycopg
from psycopg import pq, sql

from exports.errors import Overtaken, PreviewsBusy, SourceConflict
from exports.source.errors import translating
from exports.source.postgresql import PostgresSource, connect

Connection = psycopg.Connection[tuple[Any, ...]]

IDLE: Final = "exports previews"
GONE_WITHIN: Final = 2.0
"""Seconds in which a cancelled query has to be gone; most need a millisecond."""
WAITS_FOR: Final = 6.0
"""Seconds to wait for another page's question about the same: a count may take five."""
_LOOK_EVERY: Final = 0.005
_WAIT_EVERY: Final = 0.05
_FREE_WITHIN: Final = 0.25
"""Seconds to wait for a connection that a cancelled query gives back."""
_OTHERS: Final = """
    SELECT pid, split_part(application_name, ':', 3) FROM pg_stat_activity
    WHERE pid <> pg_backend_pid() AND datname = current_database() AND usename = current_user
    AND application_name LIKE %s
"""


class PreviewPool:
    """At most `size` connections to a source; each reads in READ ONLY transactions as the source itself does."""

    def __init__(self, source: PostgresSource, *, size: int) -> None:
        self._source = source
        self._slots = BoundedSemaphore(size)
        self._idle: list[Connection] = []

    @contextmanager
    def lease(self, draft: str, rev: int, *, gives_way: bool = False) -> Iterator[PostgresSource]:
        """A connection for what is asked about revision `rev` of a draft.

        `gives_way`: what runs about the same revision is not stopped but waited for.

        Raises:
            Overtaken: a newer revision is being looked at, now or since, or the same anew.
            PreviewsBusy: all connections are in use, or what is waited for takes longer than `WAITS_FOR`. The draft's
                older queries are stopped all the same.
            SourceError: the source cannot be reached.
        """
        self._take_slot(draft, rev, gives_way=gives_way)
        try:
            with translating(seconds=GONE_WITHIN):
                connection = self._named(draft, rev, gives_way=gives_way)
            try:
                yield _Leased(connection, self._source)
            except SourceConflict as error:
                if getattr(error.__cause__, "sqlstate", "") == "57014":
                    raise Overtaken(error.detail) from error
                raise
            finally:
                self._keep(connection)
        finally:
            self._slots.release()

    def close(self) -> None:
        """Close the connections that nobody uses."""
        while (connection := self._unused()) is not None:
            connection.close()

    def _take_slot(self, draft: str, rev: int, *, gives_way: bool) -> None:
        if self._slots.acquire(blocking=False):
            return
        if not gives_way:
            url = self._source.url
            with translating(seconds=GONE_WITHIN), connect(url, IDLE) as connection, _alone(connection, draft):
                _stop_older(connection, draft, rev)
        if not self._slots.acquire(timeout=_FREE_WITHIN):
            raise PreviewsBusy

    def _named(self, draft: str, rev: int, *, gives_way: bool) -> Connection:
        """A connection under the name of the draft; one that died while nobody used it is replaced."""
        while (connection := self._unused()) is not None:
            with suppress(psycopg.OperationalError):
                return self._taken_over(connection, draft, rev, gives_way=gives_way)
        return self._taken_over(connect(self._source.url, IDLE), draft, rev, gives_way=gives_way)

    def _unused(self) -> Connection | None:
        try:
            return self._idle.pop()
        except IndexError:
            return None

    def _taken_over(self, connection: Connection, draft: str, rev: int, *, gives_way: bool) -> Connection:
        deadline = time.monotonic() + WAITS_FOR
        try:
            while not _is_taken_over(connection, draft, rev, gives_way=gives_way):
                if time.monotonic() > deadline:
                    raise PreviewsBusy
                time.sleep(_WAIT_EVERY)
        except (Overtaken, PreviewsBusy):
            self._idle.append(connection)
            raise
        except BaseException:
            connection.close()
            raise
        return connection

    def _keep(self, connection: Connection) -> None:
        try:
            if not connection.closed:
                _rename(connection, IDLE)
                self._idle.append(connection)
        except psycopg.Error:
            connection.close()


class _Leased(PostgresSource):
    """A source on one connection that is there already, and stays when a transaction ends.

    What `source` has been told of time zones, it need not ask again.
    """

    def __init__(self, connection: Connection, source: PostgresSource) -> None:
        super().__init__(source.url, work_mem=source.work_mem)
        self._connection = connection
        self._source = source

    def zones(self) -> frozenset[str]:
        """See `Source.zones`."""
        return self._source.zones()

    def zone(self, name: str) -> ZoneInfo:
        """See `Source.zone`."""
        return self._source.zone(name)

    def _open(self, _beside: Connection | None) -> Connection:
        return self._connection

    def _give_back(self, connection: Connection) -> None:
        """End the transaction. Where an answer was left half read, only closing the connection ends it."""
        try:
            busy = connection.pgconn.transaction_status == pq.TransactionStatus.ACTIVE
            if busy and connection.pgconn.get_result() is not None:
                connection.close()
            else:
                connection.rollback()
        except psycopg.Error:
            connection.close()


@contextmanager
def _alone(connection: Connection, draft: str) -> Iterator[None]:
    """Hold the lock under which a draft's connection changes hands, so that of two only one stops the other."""
    connection.execute(f"SET statement_timeout TO {round(GONE_WITHIN * 1000)}".encode())
    connection.execute("SELECT pg_advisory_lock(hashtextextended(%s, 0))", [f"preview:{draft}"])
    try:
        yield
    finally:
        if not connection.closed:
            connection.execute("SELECT pg_advisory_unlock(hashtextextended(%s, 0))", [f"preview:{draft}"])


def _is_taken_over(connection: Connection, draft: str, rev: int, *, gives_way: bool) -> bool:
    """Name the connection after the draft, unless it gives way: then it waits without the lock, newer ones need it."""
    with _alone(connection, draft):
        if gives_way and any(int(theirs) == rev for _pid, theirs in _others(connection, draft)):
            return False
        _stop_older(connection, draft, rev)
        _rename(connection, f"preview:{draft}:{rev}")
        return True


def _others(connection: Connection, draft: str) -> list[tuple[Any, ...]]:
    """What the draft has running: process and revision."""
    return connection.execute(_OTHERS, [f"preview:{draft}:%"]).fetchall()


def _stop_older(connection: Connection, draft: str, rev: int) -> None:
    """Cancel what the draft has running, until it is gone."""
    deadline = time.monotonic() + GONE_WITHIN
    while others := _others(connection, draft):
        if any(int(theirs) > rev for _pid, theirs in others):
            raise Overtaken
        if time.monotonic() > deadline:
            raise PreviewsBusy
        pids = [pid for pid, _theirs in others]
        connection.execute("SELECT pg_cancel_backend(pid) FROM unnest(%s::integer[]) AS pid", [pids])
        time.sleep(_LOOK_EVERY)


def _rename(connection: Connection, name: str) -> None:
    connection.execute(sql.SQL("SET application_name TO {}").format(sql.Literal(name)))
