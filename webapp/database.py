"""How connections to the application database are kept: lost ones are replaced, prepared statements stay prepared."""

from __future__ import annotations

import select
import time
from contextlib import suppress
from typing import Any, Final

from psycopg import Error, OperationalError
from psycopg.pq import TransactionStatus
from sqlalchemy import Connection, Engine, event
from sqlalchemy.exc import DBAPIError, DisconnectionError

LONG_S: Final = 30.0
"""A connection that waited longer than this in the pool is asked whether it lives."""
SINCE: Final = "since"
WROTE: Final = "wrote"
READING: Final = ("SELECT", "SHOW")
"""What the server calls a statement that only reads, as those of ours do: it says the same of one that writes in a WITH
or in a function.
"""
AWAY: Final = ("08", "57P0", "53300")
"""How the SQLSTATE of a server begins that lets nobody in: lost, shutting down, starting, or full."""


def is_away(error: BaseException | None) -> bool:
    """Whether an error says that our own database cannot be reached, not that it refused a statement."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    return isinstance(cause, OperationalError) and (cause.sqlstate is None or cause.sqlstate.startswith(AWAY))


def keep(engine: Engine) -> None:
    """Watch the engine's connections."""
    _replace_lost(engine)
    _keep_prepared(engine)


def _replace_lost(engine: Engine) -> None:
    """Have the pool look whether a connection that has waited in it still lives, and make a new one if not.

    A server that ended it has said so, which the socket shows: to ask it (`pool_pre_ping`) is a round trip more for
    every request. One that has waited for long is asked all the same: a network may have forgotten it and say nothing.
    """
    event.listen(engine, "checkin", _wait)
    event.listen(engine, "checkout", _look)


def _wait(_connection: Any, record: Any) -> None:
    record.info[SINCE] = time.monotonic()


def _look(connection: Any, record: Any, _proxy: Any) -> None:
    waiting, now = select.poll(), time.monotonic()
    try:
        waiting.register(connection.fileno(), select.POLLIN | select.POLLHUP)
        if waiting.poll(0):
            raise DisconnectionError
        if now - record.info.get(SINCE, now) > LONG_S:
            connection.execute("SELECT 1")
            connection.rollback()
    except OperationalError as lost:
        raise DisconnectionError from lost


def _keep_prepared(engine: Engine) -> None:
    """End what only read with COMMIT. Statements that are asked again and again are prepared at the server, which need
    not parse and plan them any more, half of its work for most pages; at each ROLLBACK psycopg has it forget them all.
    """
    event.listen(engine, "begin", _begin)
    event.listen(engine, "after_cursor_execute", _note_writing)
    event.listen(engine, "rollback", _commit_reading)


def _begin(connection: Connection) -> None:
    connection.info[WROTE] = False


def _note_writing(connection: Connection, cursor: Any, *_more: Any) -> None:
    if not (cursor.statusmessage or "").startswith(READING):
        connection.info[WROTE] = True


def _commit_reading(connection: Connection) -> None:
    """Just before the ROLLBACK, for which nothing is left to do then."""
    if connection.invalidated:  # it was lost, and to ask it for anything is an error of its own
        return
    driver: Any = connection.connection.driver_connection
    if not connection.info[WROTE] and driver.info.transaction_status == TransactionStatus.INTRANS:
        with suppress(Error):  # the ROLLBACK says so in the way that is expected
            driver.commit()
