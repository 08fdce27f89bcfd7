"""Comparisons of the files of two runs."""

from __future__ import annotations

import uuid
from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, Index, Text, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from webapp.extensions import db
from webapp.models.base import BrandOwned, clock, owned_args, same_brand

COMPARE_STATES = ("queued", "processing", "done", "failed", "cancelled")


class Compare(BrandOwned, db.Model):  # type: ignore[name-defined,misc]
    """One comparison of the files of two runs: asked for once, found by everybody who may download both.

    What was found lies in the store, as `artefact`, its first rows beside it (services/compares/keeping.py): here stand
    counts and names of columns. `attempt` is the fencing token of every later write.
    """

    __tablename__ = "compares"
    __table_args__ = owned_args(
        same_brand("earlier_id", "runs", ondelete="CASCADE"),
        same_brand("later_id", "runs", ondelete="CASCADE"),
        same_brand("asked_by_id", "users"),
        UniqueConstraint("brand_id", "earlier_id", "later_id"),
        CheckConstraint(f"state IN {COMPARE_STATES}", name="state"),
        CheckConstraint("state <> 'failed' OR error_code IS NOT NULL", name="failed_has_reason"),
        CheckConstraint("state <> 'done' OR unchanged IS NOT NULL", name="done_has_counts"),
        CheckConstraint("state <> 'processing' OR lease_until IS NOT NULL", name="processing_has_lease"),
        # One at a time: two workers cannot take two of one brand.
        Index("uq_compares_processing", "brand_id", unique=True, postgresql_where=text("state = 'processing'")),
        Index("ix_compares_waiting", "created_at", "id", postgresql_where=text("state = 'queued'")),
        Index("ix_compares_kept_until", "kept_until", "id", postgresql_where=text("artefact IS NOT NULL")),
        # Every run that is deleted is looked for here.
        Index(None, "brand_id", "later_id"),
    )

    earlier_id: Mapped[uuid.UUID]
    later_id: Mapped[uuid.UUID]
    asked_by_id: Mapped[uuid.UUID]
    state: Mapped[str] = mapped_column(Text, default="queued")
    created_at: Mapped[datetime] = mapped_column(server_default=clock())

    attempt: Mapped[int] = mapped_column(default=0)
    deaths: Mapped[int] = mapped_column(default=0)
    worker: Mapped[str | None] = mapped_column(Text)
    lease_until: Mapped[datetime | None]
    cancel_requested_at: Mapped[datetime | None]
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    doing: Mapped[str | None] = mapped_column(Text)
    rows: Mapped[int] = mapped_column(BigInteger, default=0)

    added: Mapped[int | None] = mapped_column(BigInteger)
    removed: Mapped[int | None] = mapped_column(BigInteger)
    changed: Mapped[int | None] = mapped_column(BigInteger)
    unchanged: Mapped[int | None] = mapped_column(BigInteger)
    same_bytes: Mapped[bool] = mapped_column(default=False)
    key: Mapped[list[str]] = mapped_column(JSONB, default=list)
    artefact: Mapped[str | None] = mapped_column(Text)
    archive_bytes: Mapped[int | None] = mapped_column(BigInteger)
    sha256: Mapped[str | None] = mapped_column(Text)
    kept_until: Mapped[datetime | None]

    error_code: Mapped[str | None] = mapped_column(Text)
    error_message: Mapped[str | None] = mapped_column(Text)
    error_advice: Mapped[str | None] = mapped_column(Text)
    error_detail: Mapped[str | None] = mapped_column(Text)

    @property
    def owner_id(self) -> uuid.UUID:
        """Whose it is, as `permissions` asks: that of whoever asked for it."""
        return self.asked_by_id

    @property
    def is_live(self) -> bool:
        """Whether it can still change by itself."""
        return self.state in ("queued", "processing")

    @property
    def differences(self) -> int:
        """How many rows are not the same."""
        return (self.added or 0) + (self.removed or 0) + (self.changed or 0)
