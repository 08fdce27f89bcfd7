"""Saved upload servers."""

from __future__ import annotations

import uuid
from datetime import datetime

from sqlalchemy import CheckConstraint, LargeBinary, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from webapp.extensions import db
from webapp.models.base import BrandOwned, clock, owned_args, same_brand


class Connection(BrandOwned, db.Model):  # type: ignore[name-defined,misc]
    """A saved upload server, owned by the brand; exports point to it, so that a changed password is one edit."""

    __tablename__ = "connections"
    __table_args__ = owned_args(
        same_brand("created_by_id", "users"),
        UniqueConstraint("brand_id", "name"),
        CheckConstraint("type IN ('ftp', 'ftps', 'sftp')", name="type"),
    )

    name: Mapped[str] = mapped_column(Text)
    type: Mapped[str] = mapped_column(Text)
    host: Mapped[str] = mapped_column(Text)
    port: Mapped[int]
    username: Mapped[str] = mapped_column(Text)
    # Sealed with CREDENTIAL_KEYS, bound to this row's id; never shown again (SPEC section 8).
    credential: Mapped[bytes | None] = mapped_column(LargeBinary)
    credential_kind: Mapped[str] = mapped_column(Text, default="password")
    accepted_key: Mapped[str | None] = mapped_column(Text)
    shared_with_exporters: Mapped[bool] = mapped_column(default=False)
    created_by_id: Mapped[uuid.UUID]
    created_at: Mapped[datetime] = mapped_column(server_default=clock())
    last_success_at: Mapped[datetime | None]
