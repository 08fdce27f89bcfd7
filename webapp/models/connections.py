"""Saved upload servers, and the tests of whether one can be used."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, Index, LargeBinary, Text, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from webapp.extensions import db
from webapp.models.base import BrandOwned, clock, owned_args, same_brand

TYPES = ("ftp", "ftps", "sftp")


class Connection(BrandOwned, db.Model):  # type: ignore[name-defined,misc]
    """A saved upload server, owned by the brand; exports point to it, so that a changed password is one edit.

    `credential` is a password or a private key without passphrase, sealed for this row's id and never shown again
    (SPEC section 8). `public_key`: the other half of a private key, to be given to whoever runs the server.
    `accepted_key`: the host key or certificate that uploads trust. `offered_key`: another one that the server showed
    since; until an admin accepts it nothing is sent there.
    """

    __tablename__ = "connections"
    __table_args__ = owned_args(
        same_brand("created_by_id", "users"),
        same_brand("accepted_by_id", "users"),
        UniqueConstraint("brand_id", "name"),
        CheckConstraint(f"type IN {TYPES}", name="type"),
        CheckConstraint("credential_kind IN ('password', 'key')", name="credential_kind"),
    )

    name: Mapped[str] = mapped_column(Text)
    type: Mapped[str] = mapped_column(Text)
    host: Mapped[str] = mapped_column(Text)
    port: Mapped[int]
    username: Mapped[str] = mapped_column(Text)
    credential: Mapped[bytes | None] = mapped_column(LargeBinary)
    credential_kind: Mapped[str] = mapped_column(Text, default="password")
    public_key: Mapped[str | None] = mapped_column(Text)
    credential_changed_at: Mapped[datetime | None]
    accepted_key: Mapped[str | None] = mapped_column(Text)
    accepted_at: Mapped[datetime | None]
    accepted_by_id: Mapped[uuid.UUID | None]
    offered_key: Mapped[str | None] = mapped_column(Text)
    offered_at: Mapped[datetime | None]
    shared_with_exporters: Mapped[bool] = mapped_column(default=False)
    created_by_id: Mapped[uuid.UUID]
    created_at: Mapped[datetime] = mapped_column(server_default=clock())
    changed_at: Mapped[datetime | None]
    last_success_at: Mapped[datetime | None]

    @property
    def owner_id(self) -> uuid.UUID:
        """Whose it is, as `permissions` asks: that of whoever made it."""
        return self.created_by_id

    @property
    def is_blocked(self) -> bool:
        """Whether the server's key changed and nobody accepted it yet."""
        return None not in (self.accepted_key, self.offered_key) and self.offered_key != self.accepted_key

    @property
    def address(self) -> str:
        """user@host:port, as screens and mails name it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.username}@{host}:{self.port}"


class ConnectionTest(BrandOwned, db.Model):  # type: ignore[name-defined,misc]
    """One press of **Test connection**: what was tested, and its phases as they come.

    In the database and not in Redis, so that any web process can answer for it, and a page says that it was never
    carried out when Redis is away. `about` is what was typed, without the credential; `credential` is sealed for
    `server` (a connection's id, or the one that a draft's will have) and removed at the end.
    """

    __tablename__ = "connection_tests"
    __table_args__ = owned_args(
        same_brand("asked_by_id", "users", ondelete="CASCADE"),
        Index(None, "brand_id", "server", "created_at"),
        Index(None, "brand_id", "asked_by_id", "created_at"),
        Index("ix_connection_tests_unfinished", "created_at", postgresql_where=text("finished_at IS NULL")),
    )

    server: Mapped[uuid.UUID]
    asked_by_id: Mapped[uuid.UUID]
    about: Mapped[dict[str, Any]] = mapped_column(JSONB)
    credential: Mapped[bytes | None] = mapped_column(LargeBinary)
    phases: Mapped[list[dict[str, Any]]] = mapped_column(JSONB, default=list)
    offered_key: Mapped[str | None] = mapped_column(Text)
    error_code: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(server_default=clock())
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]

    @property
    def is_good(self) -> bool:
        """Whether all of it went well."""
        return self.finished_at is not None and self.error_code is None
