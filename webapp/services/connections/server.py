"""Where a connection leads: as it was typed, and the rules of it in the words that a definition gets as well."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from exports import definition, target
from exports.errors import DefinitionRefused, Problem
from webapp.services import guarding
from webapp.services.connections import plain
from webapp.services.connections.credentials import Credential

if TYPE_CHECKING:
    from webapp.models import Brand, Connection

KINDS: Final = (
    ("ftp", "FTP", "Not encrypted"),
    ("ftps", "FTP over SSL", "Encrypted (TLS)"),
    ("sftp", "SFTP", "Encrypted (SSH)"),
)
"""The types, as the screen calls them (SPEC section 3.7)."""
LABELS: Final = {"none": "None", **{id: label for id, label, _ in KINDS}}
NO_CREDENTIAL: Final = Problem("credential", "target.password", "Enter the password")
NO_KEY: Final = Problem("credential", "target.key", "Paste the private key")
KEY_FOR_SFTP: Final = Problem("credential", "target.key", "A private key is for SFTP only: enter the password")
_AROUND: Final = {"name": "a", "model": "stores", "timezone": "UTC"}
_ANYTHING: Final = "a"
_ANY_TYPE: Final = "sftp"
_INPUTS: Final = ("type", "host", "port", "username", "credential")
_INPUT_OF: Final = {"password": "credential", "target": "type"}


@dataclass(frozen=True)
class Server:
    """Type, host, port and username as texts, whatever they hold; an empty port is the usual one."""

    type: str
    host: str = ""
    port: str = ""
    username: str = ""

    @classmethod
    def of(cls, connection: Connection) -> Server:
        """That of a saved connection."""
        return cls(connection.type, connection.host, str(connection.port), connection.username)

    @classmethod
    def of_upload(cls, upload: target.Upload) -> Server:
        """That of a definition which describes it."""
        return cls(upload.type, upload.host or "", str(upload.port or ""), upload.username or "")

    @property
    def port_or_usual(self) -> str:
        """The port, or the one that servers of this type usually have."""
        return self.port or str(target.PORTS.get(self.type, ""))


def kinds(brand: Brand, chosen: str = "") -> list[tuple[str, str, str]]:
    """The types that can be chosen; one that an admin switched off only where it is chosen already."""
    return [one for one in KINDS if one[0] == chosen or not plain.is_off(brand, one[0])]


def problems(server: Server, credential: Credential | None, *, stored: bool = False, wants: str = "") -> list[Problem]:
    """Every rule that a server breaks, each `at` the name of its input: type, host, port, username, credential.

    `stored`: a credential is there already. `wants`: "key" if a private key is to be given.
    """
    password = credential.secret if credential and credential.kind == "password" else _ANYTHING
    kind = server.type if server.type in target.UPLOADS else ""  # a definition may have no server; this is one
    typed = {"type": kind, "host": server.host, "username": server.username, "password": password}
    if server.port:
        typed["port"] = server.port
    told = [*_of_members(typed), *_of_credential(server, credential, stored, wants)]
    return sorted(told, key=lambda one: _INPUTS.index(one.at))


def _of_members(typed: dict[str, str]) -> list[Problem]:
    """What the rules of a definition say, all of them: what has the wrong shape is left out for those behind it."""
    try:
        wanted = definition.parse({**_AROUND, "target": {**typed, "path": _ANYTHING}}).target
    except DefinitionRefused as refused:
        found = [_at_input(one) for one in refused.problems]
        wrong = {one.at for one in found}
        rest = {name: text for name, text in typed.items() if _INPUT_OF.get(name, name) not in wrong}
        return [*found, *(one for one in _of_members({"type": _ANY_TYPE, **rest}) if one.at not in wrong)]
    found = [*target.problems(wanted, "csv", repeats=False), *target.blocked(wanted, guarding.guard())]
    return [_at_input(one) for one in found]


def _at_input(problem: Problem) -> Problem:
    part = problem.at.removeprefix("target.")
    return replace(problem, at=_INPUT_OF.get(part, part))


def _of_credential(server: Server, credential: Credential | None, stored: bool, wants: str) -> list[Problem]:
    if credential is None and not stored:
        return [NO_KEY if wants == "key" else NO_CREDENTIAL]
    if credential is not None and credential.kind == "key" and server.type != "sftp":
        return [KEY_FOR_SFTP]
    return []


def password_problem(text: str) -> str:
    """What is wrong with a password; empty if it can be one."""
    found = problems(Server("sftp", "example.com", "", _ANYTHING), Credential("password", text))
    return next((one.message for one in found if one.at == "credential"), "")
