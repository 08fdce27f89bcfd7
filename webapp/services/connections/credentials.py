"""Passwords and private keys of connections: sealed for the connection's id, opened only where they are used.

Nothing of this module is ever put into a page, a log or Redis (RELIABILITY T5).
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from typing import Literal

from sqlalchemy import select

from exports.errors import CredentialUnreadable
from exports.ssh_keys import KeyPair
from webapp.extensions import db
from webapp.models import Connection, ConnectionTest, Draft, User, clock
from webapp.permissions import authorize
from webapp.services import audit, guarding
from webapp.services.webhooks import keeping as webhooks

CredentialKind = Literal["password", "key"]


@dataclass(frozen=True)
class Credential:
    """A password, or a private key without passphrase and its `public` half."""

    kind: CredentialKind
    secret: str = field(repr=False)
    public: str = ""

    @classmethod
    def of_key(cls, pair: KeyPair) -> Credential:
        """A private key."""
        return cls("key", pair.private, pair.public)


@dataclass(frozen=True)
class Sealed:
    """A credential as it may be stored: for the connection with this id, existing or to be made."""

    kind: CredentialKind
    token: bytes
    public: str = ""


def seal(credential: Credential, id: uuid.UUID) -> Sealed:
    """Seal a credential for the connection with this id."""
    return Sealed(credential.kind, guarding.sealer().seal(credential.secret, str(id)), credential.public)


def opened(sealed: Sealed, id: uuid.UUID) -> Credential:
    """The credential again.

    Raises:
        CredentialUnreadable: its key is not in CREDENTIAL_KEYS, or it is another connection's.
    """
    return Credential(sealed.kind, guarding.sealer().open(sealed.token, str(id)), sealed.public)


def put(connection: Connection, credential: Credential) -> None:
    """Store a credential in a connection's row; the caller commits."""
    sealed = seal(credential, connection.id)
    connection.credential, connection.credential_kind = sealed.token, sealed.kind
    connection.public_key, connection.credential_changed_at = sealed.public or None, clock()


def sealed_of(connection: Connection) -> Sealed | None:
    """What a connection's row holds; None if it has no credential."""
    if connection.credential is None:
        return None
    kind: CredentialKind = "key" if connection.credential_kind == "key" else "password"
    return Sealed(kind, connection.credential, connection.public_key or "")


def replace(user: User, connection: Connection, credential: Credential) -> None:
    """Put another credential in place of the stored one.

    Raises:
        Refused: the user may not change the connection.
    """
    authorize(user, "connections.change", connection)
    put(connection, credential)
    connection.changed_at = clock()
    audit.record("connection.credential_replaced", user, connection, credential=credential.kind)
    db.session.commit()


def rotate(actor: str) -> int:
    """Seal every credential of the present brand again with the newest key; returns how many.

    Those of drafts and of tests as well, and the secrets of webhooks; one of a draft or a test that cannot be read any
    more is taken out, and typed again.

    Raises:
        CredentialUnreadable: a connection's is sealed with a key that is not here any more; nothing was changed.
    """
    rows = list(db.session.scalars(select(Connection).where(Connection.credential.is_not(None)).with_for_update()))
    for one in rows:
        one.credential = guarding.sealer().rotated(one.credential or b"")
        audit.record("connection.credentials_rotated", actor, one)
    typed = Draft.document["upload"]["token"].astext
    drafts = list(db.session.scalars(select(Draft).where(typed != "").with_for_update()))
    for draft in drafts:
        upload = draft.document["upload"]
        draft.document = {**draft.document, "upload": {**upload, "token": _rotated(upload["token"])}}
    tests = list(
        db.session.scalars(select(ConnectionTest).where(ConnectionTest.credential.is_not(None)).with_for_update())
    )
    for test in tests:
        test.credential = _rotated((test.credential or b"").decode()).encode() or None
    count = len(rows) + len(drafts) + len(tests) + webhooks.rotate()
    db.session.commit()
    return count


def _rotated(token: str) -> str:
    try:
        return guarding.sealer().rotated(token.encode()).decode()
    except CredentialUnreadable:
        return ""
