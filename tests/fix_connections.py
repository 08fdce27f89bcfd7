"""Connections for tests: to a server that nobody reaches, since nothing listens there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from webapp.services.connections import Credential, Wanted


def partner(name: str = "Partner", *, shared: bool = False, **server: Any) -> tuple[Wanted, Credential]:
    """What `connections.create` takes: an SFTP server of a partner, with a password."""
    from webapp.services.connections import Credential, Server, Wanted

    where = {"type": "sftp", "host": "sftp.partner.example", "port": "22", "username": "maple_exports", **server}
    return Wanted(name, Server(**where), shared), Credential("password", "a password of the partner")
