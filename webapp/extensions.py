"""The database and the base of all tables: made once, bound to the application in `create_app`.

The other extensions, which commands need not wait for, are in `web_extensions.py`.
"""

from __future__ import annotations

import select
import time
import uuid
from datetime import datetime
from typing import Any, Final

from flask_sqlalchemy import SQLAlchemy
from flask_sqlalchemy.session import Session
from sqlalchemy import DateTime, Engine, MetaData, Uuid, event
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.orm import DeclarativeBase

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}
LONG_S: Final = 30.0
"""A connection that waited longer than this in the pool is asked whether it lives."""
SINCE: Final = "since"


class Base(DeclarativeBase):
    """Base of every table of the application database."""

    metadata = MetaData(naming_convention=NAMING)


class BrandSession(Session):
    """The application's session. A lookup by id may hand out a row that it knows already, without asking the database:
    no condition holds that to a brand, so it is looked at here (webapp/models/base.py).
    """

    def get(self, entity: Any, ident: Any, **options: Any) -> Any:
        """As SQLAlchemy's; None for a row that the present scope may not see."""
        row = super().get(entity, ident, **options)
        return row if getattr(row, "is_visible", True) else None


db = SQLAlchemy(model_class=Base, session_options={"class_": BrandSession})
db.Model.registry.update_type_annotation_map({datetime: DateTime(timezone=True), uuid.UUID: Uuid()})  # type: ignore[attr-defined]


def replace_lost_connections(engine: Engine) -> None:
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
    except connection.OperationalError as lost:
        raise DisconnectionError from lost
