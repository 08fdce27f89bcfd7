"""What was typed about an upload in a draft, valid or not, and what it will be: an upload by a connection.

A server that is filled in by hand becomes a connection when the export is made. Its id is chosen with the draft, so
that a credential can be sealed for it as it is typed: from then on it is never shown, and no clone or edit has it.
"""

from __future__ import annotations

import hashlib
import uuid
from typing import Any, Final, Self, cast

from pydantic import BaseModel, ConfigDict, Field

from exports import ssh_keys, target
from exports.errors import CredentialUnreadable, Problem
from exports.target import NoTarget, Upload
from webapp.models import User
from webapp.permissions import may
from webapp.services.connections import credentials
from webapp.services.connections.credentials import Credential, CredentialKind, Sealed
from webapp.services.connections.listing import find
from webapp.services.connections.server import Server, problems

AUTHS: Final = ("password", "key", "made")
"""How to log in: a password, a private key that is pasted, one made by us."""


class TypedUpload(BaseModel):
    """In the words of the form's inputs. `connection`: the id of a saved one; empty: by hand.

    `token`, `kind`, `public`: the sealed credential. `refused`: why what was given as a key is none. `accepted_key`:
    the key of the server that somebody accepted after a test of this host and port (`accepted_for`).
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    type: str = "none"
    connection: str = ""
    host: str = ""
    port: str = ""
    username: str = ""
    auth: str = "password"
    server: uuid.UUID = Field(default_factory=uuid.uuid4)
    token: str = Field(default="", repr=False)
    kind: str = ""
    public: str = ""
    refused: str = ""
    accepted_key: str = ""
    accepted_for: str = ""
    path: str = ""
    archive: bool = False
    if_exists: str = "replace"

    def with_(self, **changes: Any) -> Self:
        """A copy with some members changed."""
        return self.model_copy(update=changes)

    @property
    def is_upload(self) -> bool:
        """Whether the file goes anywhere."""
        return self.type in target.UPLOADS

    @property
    def by_hand(self) -> bool:
        """Whether the server is filled in here."""
        return self.is_upload and not self.connection

    @property
    def typed_server(self) -> Server:
        """What was filled in by hand."""
        return Server(self.type, self.host.strip(), self.port, self.username)

    @property
    def wants(self) -> CredentialKind:
        """What kind of credential the chosen way to log in takes."""
        return "password" if self.auth == "password" or self.type != "sftp" else "key"

    @property
    def sealed(self) -> Sealed | None:
        """The credential that was given for the chosen way to log in."""
        if not self.token or self.kind != self.wants:
            return None
        return Sealed(self.wants, self.token.encode(), self.public)

    @property
    def trusted_key(self) -> str:
        """The accepted key, as long as it is of the server that is typed now."""
        return self.accepted_key if self.accepted_for == _place(self) else ""

    def with_password(self, text: str) -> TypedUpload:
        """With a password; the same as before changes nothing, so that it is stored once."""
        if not text or self._is_stored(text):
            return self
        return self._with_credential(Credential("password", text))

    def with_key(self, text: str, passphrase: str) -> TypedUpload:
        """With a pasted private key; one that cannot be read is not kept, only why."""
        if not text.strip():
            return self
        try:
            pair = ssh_keys.read(text, passphrase)
        except ssh_keys.KeyRefused as refused:
            return self.with_(token="", kind="", public="", refused=str(refused))
        return self if self._is_stored(pair.private) else self._with_credential(Credential.of_key(pair))

    def with_made_key(self) -> TypedUpload:
        """With a private key of ours, if it has none yet."""
        if self.kind == "key" and self.public and not self.refused:
            return self
        return self._with_credential(Credential.of_key(ssh_keys.made()))

    def with_accepted(self, key: str) -> TypedUpload:
        """With the key of the server accepted that a test found."""
        return self.with_(accepted_key=key, accepted_for=_place(self))

    def _with_credential(self, credential: Credential) -> TypedUpload:
        sealed = credentials.seal(credential, self.server)
        return self.with_(token=sealed.token.decode(), kind=sealed.kind, public=sealed.public, refused="")

    def _is_stored(self, secret: str) -> bool:
        if not self.token:
            return False
        try:
            known = credentials.opened(Sealed(cast(CredentialKind, self.kind), self.token.encode()), self.server)
        except CredentialUnreadable:  # sealed with a key that is gone: what is typed now takes its place
            return False
        return known.secret == secret


def _place(typed: TypedUpload) -> str:
    return f"{typed.type} {typed.host.strip().lower()} {typed.typed_server.port_or_usual}"


def document(typed: TypedUpload) -> dict[str, Any]:
    """The definition's member `target`: a server by hand is named by the id that its connection will have."""
    if not typed.is_upload:
        return {"type": typed.type}
    return {
        "type": typed.type,
        "connection": typed.connection or str(typed.server),
        "path": typed.path,
        "archive": typed.archive,
        "if_exists": typed.if_exists,
    }


def as_typed(chosen: NoTarget | Upload) -> TypedUpload:
    """What somebody types who wants this target. Its connection stays; whether it may be used, the rules say."""
    if isinstance(chosen, NoTarget):
        return TypedUpload()
    return TypedUpload(
        type=chosen.type,
        connection=chosen.connection or "",
        path=chosen.path,
        archive=chosen.archive,
        if_exists=chosen.if_exists,
    )


def again(user: User, typed: TypedUpload) -> TypedUpload:
    """What a clone has of it: a connection that the person may use stays; of another one the server, which the page of
    the export shows as well, so that its password is typed again (RELIABILITY T5).
    """
    try:
        known = find(uuid.UUID(typed.connection))
    except ValueError:
        return typed
    if known is None or may(user, "connections.use", known):
        return typed
    return typed.with_(connection="", host=known.host, port=str(known.port), username=known.username)


def tested(typed: TypedUpload) -> dict[str, str]:
    """What a test of this is about: if any of it changes, the result is an old one. Holds no secret."""
    digest = hashlib.sha256(typed.token.encode()).hexdigest() if typed.sealed else ""
    by_hand = {"host": typed.host.strip(), "port": typed.port, "username": typed.username, "credential": digest}
    return {
        "type": typed.type,
        "connection": typed.connection,
        "path": typed.path,
        **(by_hand if not typed.connection else {}),
    }


def problems_of_typed(typed: TypedUpload) -> list[Problem]:
    """Every rule that a server filled in by hand breaks, each `at` the name of its input."""
    if not typed.by_hand:
        return []
    found = problems(typed.typed_server, None, stored=typed.sealed is not None, wants=typed.wants)
    if typed.refused and typed.wants == "key" and typed.auth == "key":
        found = [one for one in found if one.at != "credential"]
        found.append(Problem("credential", "target.key", typed.refused))
    return found
