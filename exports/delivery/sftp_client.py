"""pysftp's connection as we need it: over a transport that stands already, and whose host key was compared."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import paramiko
import pysftp

from exports.delivery.base import Server


class Transport(paramiko.Transport):
    """A transport whose key exchange is over and whose key was checked when pysftp asks it to connect."""

    def connect(self, hostkey: Any = None, username: str = "", password: Any = None, pkey: Any = None) -> None:
        """Log in, that is all that is left. The parameters are those that pysftp gives."""
        methods = self.auth_publickey(username, pkey) if pkey is not None else self.auth_password(username, password)
        if methods:
            raise paramiko.ssh_exception.PartialAuthentication(methods)


class Connection(pysftp.Connection):
    """pysftp's connection over a transport that is there already."""

    def __init__(self, transport: Transport, server: Server, key: paramiko.PKey | None) -> None:
        self._ready = transport
        options = SimpleNamespace(hostkeys=None, log=False, compression=False, ciphers=None)
        password = None if key is not None else server.password
        super().__init__(server.host, server.username, key, password, server.port, cnopts=options)

    def _start_transport(self, host: str, port: int) -> None:
        self._transport = self._ready

    def _set_authentication(self, password: str | None, private_key: Any, private_key_pass: str | None) -> None:
        self._tconnect["pkey"] = private_key  # of any kind; pysftp itself knows RSA and DSS alone
