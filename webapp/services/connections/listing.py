"""Which connections somebody may see and use, which exports use one, and when it was tested last."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import distinct_on

from webapp.extensions import db
from webapp.models import Connection, ConnectionTest, Export, User
from webapp.permissions import may

MOST_SHOWN = 50
"""Exports of a connection that its page names."""


@dataclass(frozen=True)
class Listed:
    """A row of the list: `used_by` counts the exports whose present version delivers there."""

    connection: Connection
    used_by: int
    last_test: ConnectionTest | None


def find(id: uuid.UUID) -> Connection | None:
    """A connection of the present brand; None if there is none with this id."""
    return db.session.scalars(select(Connection).where(Connection.id == id)).one_or_none()


def usable(user: User) -> list[Connection]:
    """The connections that a user may deliver to, by name: exporters those shared with them and their own."""
    found = db.session.scalars(select(Connection).order_by(func.lower(Connection.name), Connection.id))
    return [one for one in found if may(user, "connections.use", one)]


def listed(user: User) -> list[Listed]:
    """What the page Connections shows to a user, by name."""
    seen = usable(user)
    uses, tests = _uses(one.id for one in seen), _last_tests(one.id for one in seen)
    return [Listed(one, uses.get(one.id, 0), tests.get(one.id)) for one in seen]


def last_test(server: uuid.UUID) -> ConnectionTest | None:
    """The newest test of a server, whatever became of it."""
    wanted = select(ConnectionTest).where(ConnectionTest.server == server)
    return db.session.scalars(wanted.order_by(ConnectionTest.created_at.desc()).limit(1)).one_or_none()


def exports_of(connection: Connection) -> tuple[Sequence[Export], int]:
    """The exports that deliver there, the first by name, and how many there are; archived ones count."""
    wanted = select(Export).where(Export.connection_id == connection.id, Export.deleted_at.is_(None))
    return db.session.scalars(wanted.order_by(Export.name).limit(MOST_SHOWN)).all(), uses_of(connection)


def uses_of(connection: Connection) -> int:
    """How many exports deliver there."""
    return _uses([connection.id]).get(connection.id, 0)


def serves_others(user: User, connection: Connection) -> bool:
    """Whether exports of other people deliver there."""
    wanted = select(Export.id).where(
        Export.connection_id == connection.id, Export.deleted_at.is_(None), Export.owner_id != user.id
    )
    return bool(db.session.scalar(select(wanted.exists())))


def _uses(ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, int]:
    wanted = select(Export.connection_id, func.count()).where(
        Export.connection_id.in_(list(ids)), Export.deleted_at.is_(None)
    )
    rows = db.session.execute(wanted.group_by(Export.connection_id))
    return {id_: count for id_, count in rows if id_ is not None}


def _last_tests(ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, ConnectionTest]:
    wanted = (
        select(ConnectionTest)
        .where(ConnectionTest.server.in_(list(ids)), ConnectionTest.finished_at.is_not(None))
        .ext(distinct_on(ConnectionTest.server))
        .order_by(ConnectionTest.server, ConnectionTest.created_at.desc())
    )
    return {one.server: one for one in db.session.scalars(wanted)}
