"""The form of a connection: what was typed, kept for the page that says what is wrong with it, less its secrets."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from exports import ssh_keys
from exports.errors import Problem
from exports.target import MAX_CREDENTIAL
from webapp.forms.wizard.posted import FormRefused, Posted
from webapp.models import Connection
from webapp.services.connections import Credential, Server, Wanted
from webapp.services.connections.typed import AUTHS

TEXTS: Final = {"name": 1_000, "type": 20, "host": 1_000, "port": 20, "username": 2_000, "auth": 20}
SECRETS: Final = ("password", "key", "passphrase")


@dataclass(frozen=True)
class ConnectionForm:
    """What was typed. `problem` says why what was given as a credential is none."""

    name: str = ""
    type: str = "sftp"
    host: str = ""
    port: str = ""
    username: str = ""
    auth: str = "password"
    shared: bool = False
    credential: Credential | None = field(default=None, repr=False)
    problem: Problem | None = None

    @property
    def wanted(self) -> Wanted:
        """The connection that it asks for."""
        server = Server(self.type, self.host.strip(), self.port, self.username)
        return Wanted(self.name, server, self.shared, self.wants)

    @property
    def wants(self) -> str:
        """What kind of credential it is to have."""
        return "key" if self.type == "sftp" and self.auth != "password" else "password"


def of_connection(connection: Connection) -> ConnectionForm:
    """The form of a saved connection; its credential is never shown."""
    auth = "key" if connection.credential_kind == "key" else "password"
    return ConnectionForm(
        name=connection.name,
        type=connection.type,
        host=connection.host,
        port=str(connection.port),
        username=connection.username,
        auth=auth,
        shared=connection.shared_with_exporters,
    )


def read(posted: Posted, former: ConnectionForm) -> ConnectionForm:
    """What was typed.

    Raises:
        FormRefused: the form has inputs that it should not have, or texts that are far too long.
    """
    posted.only({*TEXTS, *SECRETS, "shared"})
    found = {name: posted.text(name, getattr(former, name)) for name in TEXTS}
    for name, most in TEXTS.items():
        if len(found[name]) > most:
            raise FormRefused(name, f"This is longer than {most:,} characters")
    if found["auth"] not in AUTHS:
        raise FormRefused("auth", "Choose how to log in")
    credential, problem = _credential(posted, found["type"], found["auth"])
    return ConnectionForm(**found, shared=posted.checked("shared"), credential=credential, problem=problem)


def _credential(posted: Posted, type_: str, auth: str) -> tuple[Credential | None, Problem | None]:
    """What was given for the chosen way to log in; nothing, if its input is empty."""
    if type_ != "sftp" or auth == "password":
        password = posted.text("password")
        if len(password) > MAX_CREDENTIAL:
            message = f"The password is longer than {MAX_CREDENTIAL:,} characters"
            return None, Problem("credential", "shape.string_too_long", message)
        return (Credential("password", password) if password else None), None
    if auth == "made":
        return Credential.of_key(ssh_keys.made()), None
    text = posted.text("key")
    if not text.strip():
        return None, None
    try:
        return Credential.of_key(ssh_keys.read(text, posted.text("passphrase"))), None
    except ssh_keys.KeyRefused as refused:
        return None, Problem("credential", "target.key", str(refused))
