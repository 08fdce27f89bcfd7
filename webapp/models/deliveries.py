"""Deliveries of runs to upload servers, with the journal of how far each has come."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any, Final

from sqlalchemy import BigInteger, CheckConstraint, Index, Text, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from webapp.extensions import db
from webapp.models.base import BrandOwned, clock, owned_args, same_brand

DELIVERY_STATES: Final = ("queued", "uploading", "uploaded", "renaming", "delivered", "failed")
"""The journal (RELIABILITY P4); a delivery that waits for its next try is queued again."""


class Delivery(BrandOwned, db.Model):  # type: ignore[name-defined,misc]
    """One delivery of a run's file. `number` 1 is the run's own, carried out under its claim; later ones are those of
    **Upload again**, which workers carry out.

    `path` is the final name, fixed by the first attempt; `attempt` the fencing token of every write; `renaming_attempt`
    the one that had begun to rename and of which nobody knows more. `steps`: the phases of the newest attempt.
    `worker` and `lease_until`: who holds one of **Upload again**, and how long at least.
    """

    __tablename__ = "deliveries"
    __table_args__ = owned_args(
        same_brand("run_id", "runs", ondelete="CASCADE"),
        same_brand("requested_by_id", "users"),
        UniqueConstraint("run_id", "number"),
        CheckConstraint(f"state IN {DELIVERY_STATES}", name="state"),
        CheckConstraint("state <> 'failed' OR error_code IS NOT NULL", name="failed_has_reason"),
        Index("ix_deliveries_finished_at", "finished_at"),  # what /metrics asks: the last hour's
        # What workers look for.
        Index(
            "ix_deliveries_waiting",
            "not_before",
            postgresql_where=text("number > 1 AND state NOT IN ('delivered', 'failed')"),
        ),
        # What the sweep looks for, every few seconds.
        Index("ix_deliveries_held", "lease_until", postgresql_where=text("lease_until IS NOT NULL")),
    )

    run_id: Mapped[uuid.UUID]
    number: Mapped[int]
    # No reference: what was delivered stays told when the connection is gone.
    connection: Mapped[uuid.UUID | None]
    type: Mapped[str] = mapped_column(Text)
    host: Mapped[str] = mapped_column(Text, default="")
    state: Mapped[str] = mapped_column(Text, default="queued")
    path: Mapped[str | None] = mapped_column(Text)
    size: Mapped[int | None] = mapped_column(BigInteger)
    sent: Mapped[int] = mapped_column(BigInteger, default=0)
    sha256: Mapped[str | None] = mapped_column(Text)
    address: Mapped[str | None] = mapped_column(Text)
    offered_key: Mapped[str | None] = mapped_column(Text)
    steps: Mapped[list[dict[str, Any]]] = mapped_column(JSONB, default=list)

    attempt: Mapped[int] = mapped_column(default=0)
    failures: Mapped[int] = mapped_column(default=0)
    deaths: Mapped[int] = mapped_column(default=0)
    renaming_attempt: Mapped[int | None]
    worker: Mapped[str | None] = mapped_column(Text)
    lease_until: Mapped[datetime | None]
    not_before: Mapped[datetime] = mapped_column(server_default=clock())

    requested_by_id: Mapped[uuid.UUID | None]
    created_at: Mapped[datetime] = mapped_column(server_default=clock())
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]

    error_code: Mapped[str | None] = mapped_column(Text)
    error_message: Mapped[str | None] = mapped_column(Text)
    error_advice: Mapped[str | None] = mapped_column(Text)
    error_detail: Mapped[str | None] = mapped_column(Text)

    @property
    def is_again(self) -> bool:
        """Whether it was asked for by **Upload again**."""
        return self.number > 1
