"""Connections made, changed and deleted: what each rule says stands beside the input it is about."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from exports.addresses import read_host
from exports.errors import Problem
from webapp.extensions import db
from webapp.models import Connection, User, clock
from webapp.permissions import authorize, may
from webapp.services import audit
from webapp.services.connections import credentials, plain, refusals
from webapp.services.connections.credentials import Credential
from webapp.services.connections.listing import uses_of
from webapp.services.connections.server import LABELS, NO_CREDENTIAL, NO_KEY, Server, problems
from webapp.services.connections.trust import may_lead
from webapp.services.mail import accounts

MAX_NAME: Final = 100
_ADDRESS: Final = ("type", "host", "port", "username")
NAME_MISSING: Final = Problem("name", "connection.name", "Enter a name")
NAME_LONG: Final = Problem("name", "connection.name", f"The name is longer than {MAX_NAME} characters")
NAME_TAKEN: Final = Problem("name", "connection.name", "Another connection has this name: choose another")
TYPE_AGAIN: Final = Problem(
    "credential",
    "connection.credential_again",
    "Type the password or the private key again: what is stored was given to another server",
)
NOT_YOURS_TO_MOVE: Final = "Exports of other people use this connection: ask a manager to move it"


class NotKept(Exception):
    """A connection cannot be kept as asked; carries every problem, each at its input."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = problems
        super().__init__("; ".join(one.message for one in problems))


class InUse(Exception):
    """A connection that exports use cannot be deleted."""

    def __init__(self, exports: int) -> None:
        self.exports = exports
        super().__init__(str(exports))


@dataclass(frozen=True)
class Wanted:
    """A connection as somebody wants it. `shared`: with all exporters of the brand. `wants`: password or key."""

    name: str
    server: Server
    shared: bool = False
    wants: str = "password"


def create(user: User, wanted: Wanted, credential: Credential | None, *, actor: str = "") -> Connection:
    """Make a connection.

    Raises:
        Refused: the user may not make connections.
        NotKept: with every problem.
    """
    authorize(user, "connections.create")
    found = [*_of_name(wanted.name), *_of_server(user, wanted.server, credential, wants=wanted.wants)]
    if found or credential is None:
        refusals.keep(user, found, wanted.server)
        raise NotKept(found)
    connection = Connection(id=uuid.uuid4(), brand_id=user.brand_id, created_by_id=user.id, name=wanted.name.strip())
    connection.shared_with_exporters = wanted.shared and may(user, "connections.share")
    _put(connection, wanted.server)
    credentials.put(connection, credential)
    db.session.add(connection)
    _flush()
    audit.record("connection.created", actor or user, connection, **facts(connection))
    _tell_admins(connection, actor or user.name)
    db.session.commit()
    return connection


def made_by_hand(
    user: User, server: Server, credential: Credential, *, id: uuid.UUID, accepted_key: str = "", actor: str = ""
) -> Connection:
    """The connection of a target that was filled in by hand (SPEC section 1), in the present transaction; the caller
    commits. The same id again gives the same connection.

    Raises:
        Refused: the user may not make connections.
        NotKept: with every problem.
    """
    if (known := db.session.get(Connection, id)) is not None:
        return known
    authorize(user, "connections.create")
    if found := _of_server(user, server, credential):
        raise NotKept(found)
    connection = Connection(id=id, brand_id=user.brand_id, created_by_id=user.id, name=_free_name(server))
    _put(connection, server)
    credentials.put(connection, credential)
    if accepted_key:
        connection.accepted_key, connection.accepted_at, connection.accepted_by_id = accepted_key, clock(), user.id
    db.session.add(connection)
    db.session.flush()
    audit.record("connection.created", actor or user, connection, **facts(connection))
    _tell_admins(connection, actor or user.name)
    if accepted_key:
        audit.record("connection.key_accepted", actor or user, connection, key=accepted_key)
    return connection


def change(user: User, connection: Connection, wanted: Wanted, credential: Credential | None) -> None:
    """Change a connection. Another server does not get what was stored for this one, and its key is a new one. One that
    exports of other people use is moved by who may share it.

    Raises:
        Refused: the user may not change it.
        NotKept: with every problem.
    """
    authorize(user, "connections.change", connection)
    moved = _address(wanted.server) != _address(Server.of(connection))
    found = [*_of_name(wanted.name, connection), *_of_server(user, wanted.server, credential, stored=True)]
    found += _of_move(user, connection, wanted.server)
    if credential is None and (moved or wanted.wants != connection.credential_kind):
        found.append(TYPE_AGAIN if moved else NO_KEY if wanted.wants == "key" else NO_CREDENTIAL)
    if found:
        refusals.keep(user, found, wanted.server)
        raise NotKept(found)
    before, address = facts(connection), connection.address
    connection.name, connection.changed_at = wanted.name.strip(), clock()
    if may(user, "connections.share"):
        connection.shared_with_exporters = wanted.shared
    _put(connection, wanted.server)
    if moved:
        connection.accepted_key = connection.accepted_at = connection.accepted_by_id = None
        connection.offered_key = connection.offered_at = connection.last_success_at = None
    if credential is not None:
        credentials.put(connection, credential)
    _flush()
    if moved:
        _tell_admins(connection, user.name, before=address)
    if facts(connection) != before:
        audit.record("connection.changed", user, connection, before=before, **facts(connection))
    if credential is not None:
        audit.record("connection.credential_replaced", user, connection, credential=credential.kind)
    db.session.commit()


def delete(user: User, connection: Connection) -> None:
    """Delete a connection that no export uses.

    Raises:
        Refused: the user may not change it.
        InUse: exports deliver there.
    """
    authorize(user, "connections.change", connection)
    try:
        if count := uses_of(connection):
            raise InUse(count)
        audit.record("connection.deleted", user, connection, **facts(connection))
        db.session.delete(connection)
        db.session.commit()
    except IntegrityError as error:  # an export began to use it just now, or one that is being deleted still does
        db.session.rollback()
        raise InUse(uses_of(connection)) from error


def facts(connection: Connection) -> dict[str, Any]:
    """What the audit log says of a connection."""
    return {
        "name": connection.name,
        "type": connection.type,
        "host": connection.host,
        "port": connection.port,
        "username": connection.username,
        "shared": connection.shared_with_exporters,
    }


def _tell_admins(connection: Connection, by: str, before: str = "") -> None:
    """Files can leave by a new way: admins get a mail (RELIABILITY T16)."""
    told = {"by": by, "name": connection.name, "address": connection.address, "type": LABELS[connection.type]}
    accounts.tell_admins("new_target", connection=str(connection.id), before=before, **told)


def _address(server: Server) -> tuple[str, str, str]:
    return server.type, server.host.strip().lower(), server.port_or_usual


def _of_move(user: User, connection: Connection, server: Server) -> list[Problem]:
    """Another server, or another account of the same, is told at the first input that names it."""
    before, after = ((*_address(one), one.username) for one in (Server.of(connection), server))
    changed = [name for name, old, new in zip(_ADDRESS, before, after, strict=True) if old != new]
    if not changed or may_lead(user, connection):
        return []
    return [Problem(changed[0], "connection.move", NOT_YOURS_TO_MOVE)]


def _put(connection: Connection, server: Server) -> None:
    connection.type, connection.host, connection.port = server.type, read_host(server.host), int(server.port_or_usual)
    connection.username = server.username


def _of_server(user: User, server: Server, credential: Credential | None, **known: Any) -> list[Problem]:
    return [*plain.problems(user.brand, server.type), *problems(server, credential, **known)]


def _of_name(name: str, own: Connection | None = None) -> list[Problem]:
    name = name.strip()
    if not name:
        return [NAME_MISSING]
    if len(name) > MAX_NAME:
        return [NAME_LONG]
    other = db.session.scalars(select(Connection.id).where(Connection.name == name)).one_or_none()
    return [NAME_TAKEN] if other is not None and (own is None or other != own.id) else []


def _free_name(server: Server) -> str:
    """user@host, or user@host (2), …: the first that no connection of the brand has."""
    stem = f"{server.username}@{server.host}"[: MAX_NAME - 10]
    taken = set(db.session.scalars(select(Connection.name).where(Connection.name.startswith(stem, autoescape=True))))
    number = 2
    name = stem
    while name in taken:
        name, number = f"{stem} ({number})", number + 1
    return name


def _flush() -> None:
    """Somebody else may have taken the name since it was looked for."""
    try:
        db.session.flush()
    except IntegrityError as error:
        db.session.rollback()
        raise NotKept([NAME_TAKEN]) from error
