"""A connection as deliveries reach it, with its credential opened: what comes from here stays in the process."""

from __future__ import annotations

from typing import cast

from exports.delivery import Server as Target
from exports.errors.target import CredentialMissing
from exports.target import Kind
from webapp.models import Connection
from webapp.services.connections.credentials import Credential, opened, sealed_of


def server(type: str, host: str, port: int, username: str, credential: Credential, trust: str | None) -> Target:
    """What `exports.delivery` reaches: where to, as whom, and what is trusted there."""
    kind = cast(Kind, type)
    if credential.kind == "key":
        return Target(kind, host, port, username, private_key=credential.secret, trust=trust or None)
    return Target(kind, host, port, username, password=credential.secret, trust=trust or None)


def server_of(connection: Connection) -> Target:
    """The same of a saved connection, for a delivery.

    Raises:
        CredentialMissing: nothing is stored to log in with.
        CredentialUnreadable: its key is not in CREDENTIAL_KEYS any more.
    """
    sealed = sealed_of(connection)
    if sealed is None:
        raise CredentialMissing
    credential = opened(sealed, connection.id)
    return server(
        connection.type, connection.host, connection.port, connection.username, credential, connection.accepted_key
    )
