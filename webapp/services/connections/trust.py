"""Which host key or certificate of a server is trusted: the first that somebody accepts; a changed one blocks until an
admin accepts it (SPEC section 8, RELIABILITY T4).
"""

from __future__ import annotations

from sqlalchemy import select, update

from webapp.extensions import db
from webapp.models import Connection, User, clock
from webapp.permissions import Refused, authorize, may
from webapp.services import audit
from webapp.services.connections.listing import serves_others


class KeyChanged(Exception):
    """The key that somebody looked at is not the one that the server shows by now."""


def may_lead(user: User, connection: Connection) -> bool:
    """Whether a user may say which server it is that this connection leads to.

    Where exports of other people deliver, with fields that their owners may export and this user perhaps not, that is
    for who may share connections.
    """
    return may(user, "connections.change", connection) and (
        may(user, "connections.share", connection) or not serves_others(user, connection)
    )


def accept(user: User, connection: Connection, key: str) -> None:
    """Trust this key from now on: the first one, or in place of the one that was.

    Raises:
        Refused: the user may not; a changed key is for admins alone, and the first one of what others use for managers.
        KeyChanged: the server showed another one since.
    """
    changes = connection.accepted_key is not None and connection.accepted_key != key
    authorize(user, "connections.accept_changed_key" if changes else "connections.accept_key", connection)
    if connection.offered_key is not None and connection.offered_key != key:
        raise KeyChanged
    if connection.accepted_key == key:
        return
    if not may_lead(user, connection):
        raise Refused("connections.share")
    audit.record("connection.key_accepted", user, connection, key=key, before=connection.accepted_key or "")
    connection.accepted_key, connection.accepted_at, connection.accepted_by_id = key, clock(), user.id
    connection.offered_key = connection.offered_at = None
    db.session.commit()


def revoke(user: User, connection: Connection) -> None:
    """Trust no key of this server any more: nothing is sent there until one is accepted.

    Raises:
        Refused: the user may not.
    """
    authorize(user, "connections.accept_changed_key", connection)
    if connection.accepted_key is None:
        return
    audit.record("connection.key_revoked", user, connection, key=connection.accepted_key)
    connection.accepted_key = connection.accepted_at = connection.accepted_by_id = None
    connection.offered_key = connection.offered_at = None
    db.session.commit()


def offered(connection: Connection, key: str) -> None:
    """The server showed this key, be it by a test or by a delivery; the caller commits.

    One that is not the accepted one blocks the connection; when the accepted one is back, nothing is blocked.
    """
    if key == connection.accepted_key:
        verified(connection)
    elif key != connection.offered_key:
        db.session.execute(
            update(Connection).where(Connection.id == connection.id).values(offered_key=key, offered_at=clock())
        )


def verified(connection: Connection) -> None:
    """The server was reached and is trusted, by the accepted key or by an authority; the caller commits.

    Another key that was shown before blocks nothing any more.
    """
    if connection.offered_key is not None:
        connection.offered_key = connection.offered_at = None


def waiting() -> list[Connection]:
    """The connections whose server showed another key than the accepted one, for the admin's page."""
    wanted = select(Connection).where(
        Connection.offered_key.is_not(None),
        Connection.accepted_key.is_not(None),
        Connection.offered_key != Connection.accepted_key,
    )
    return list(db.session.scalars(wanted.order_by(Connection.name)))
