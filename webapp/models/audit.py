"""The audit log."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Identity, Index, LargeBinary, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from webapp.extensions import db
from webapp.models.base import BrandOwned, clock, owned_args, same_brand


class AuditEntry(BrandOwned, db.Model):  # type: ignore[name-defined,misc]
    """Who did what, when, from where: written in the same transaction, never changed (RELIABILITY section 6)."""

    __tablename__ = "audit"
    __table_args__ = owned_args(same_brand("actor_id", "users"), Index(None, "brand_id", "number"))

    number: Mapped[int] = mapped_column(BigInteger, Identity(always=True), unique=True)
    at: Mapped[datetime] = mapped_column(server_default=clock())
    actor_id: Mapped[uuid.UUID | None]
    actor: Mapped[str] = mapped_column(Text)
    ip: Mapped[str | None] = mapped_column(Text)
    request: Mapped[str | None] = mapped_column(Text)
    action: Mapped[str] = mapped_column(Text)
    object_type: Mapped[str | None] = mapped_column(Text)
    object_id: Mapped[str | None] = mapped_column(Text)
    result: Mapped[str] = mapped_column(Text, default="ok")
    facts: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict)
    seal: Mapped[bytes | None] = mapped_column(LargeBinary)
