"""The connection that comes with an export: a target filled in by hand makes one (SPEC section 1)."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING

from exports.definition import Definition
from exports.target import Upload
from webapp.models import User
from webapp.services.connections import credentials
from webapp.services.connections.credentials import Credential, Sealed
from webapp.services.connections.keeping import made_by_hand
from webapp.services.connections.server import Server
from webapp.services.connections.typed import TypedUpload

if TYPE_CHECKING:
    from webapp.models import Connection


@dataclass(frozen=True)
class Making:
    """A connection to be made together with an export; the credential is sealed for its id."""

    id: uuid.UUID
    server: Server
    sealed: Sealed
    accepted_key: str = ""

    def make(self, user: User, *, actor: str = "") -> Connection:
        """Make it in the present transaction; the caller commits.

        Raises:
            Refused: the user may not make connections.
            NotKept: with every problem.
            CredentialUnreadable: its key is not in CREDENTIAL_KEYS any more.
        """
        credential = credentials.opened(self.sealed, self.id)
        return made_by_hand(user, self.server, credential, id=self.id, accepted_key=self.accepted_key, actor=actor)


def of_typed(typed: TypedUpload) -> Making | None:
    """What a draft makes; None if it uses a saved connection or none, or is not complete."""
    if not typed.by_hand or typed.sealed is None:
        return None
    return Making(typed.server, typed.typed_server, typed.sealed, typed.trusted_key)


def making_of(definition: Definition, id: uuid.UUID) -> tuple[Definition, Making | None]:
    """A definition from a command or the API, with the connection that it asks for taken out of it: what is stored
    names the connection, and no password stands in it.
    """
    upload = definition.target
    if not isinstance(upload, Upload) or not upload.by_hand:
        return definition, None
    server = Server.of_upload(upload)
    sealed = credentials.seal(Credential("password", upload.password or ""), id)
    return definition.model_copy(update={"target": upload.through(str(id))}), Making(id, server, sealed)
