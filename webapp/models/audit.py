"""The audit log."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ColumnElement,
    Identity,
    Index,
    LargeBinary,
    Text,
    UniqueConstraint,
    literal_column,
)
from sqlalchemy import text as sql
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from webapp.extensions import db
from webapp.models.base import BrandOwned, clock, owned_args, same_brand

IS_TAKEN = sql(
    "action IN ('run.downloaded', 'compare.downloaded', 'delivery.finished') AND facts ->> 'personal' = 'true'"
)
"""The entries of files with personal data that have left: what the volume alert counts."""
IS_DOWNLOAD = sql("action IN ('run.downloaded', 'compare.downloaded')")
"""The entries of who got a file, or rows of it."""
taker: ColumnElement[str] = literal_column("coalesce(facts ->> 'for', actor)", Text)
"""The email of who took one out: a delivery is carried out by a worker, for somebody."""


class AuditEntry(BrandOwned, db.Model):  # type: ignore[name-defined,misc]
    """Who did what, when, from where: written in the same transaction, never changed (RELIABILITY section 6)."""

    __tablename__ = "audit"
    __table_args__ = owned_args(
        same_brand("actor_id", "users"),
        Index(None, "brand_id", "number"),
        UniqueConstraint("brand_id", "place"),
        CheckConstraint("(place IS NULL) = (seal IS NULL)", name="sealed_in_a_place"),
        Index("ix_audit_unsealed", "brand_id", "number", postgresql_where=sql("seal IS NULL")),
        # Who got a file: asked for by the report of personal data.
        Index("ix_audit_downloads", "brand_id", "object_id", postgresql_where=IS_DOWNLOAD),
        Index("ix_audit_taken", "brand_id", taker, "at", postgresql_where=IS_TAKEN),
    )

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
    # Where it stands in the chain of its brand, from 1; given with the seal, since numbers are not committed in order.
    place: Mapped[int | None] = mapped_column(BigInteger)
    seal: Mapped[bytes | None] = mapped_column(LargeBinary)
