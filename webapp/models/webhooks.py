"""Webhooks: addresses of other programs that are told what came of runs, and what each was told."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Final

from sqlalchemy import CheckConstraint, Index, LargeBinary, Text
from sqlalchemy import text as sql
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from webapp.extensions import db
from webapp.models.base import BrandOwned, clock, owned_args, same_brand
from webapp.models.tried import Tried

EVENTS: Final = ("finished", "failed")
"""What a webhook can be told of."""
MESSAGE_KINDS: Final = (*EVENTS, "test")
MESSAGE_STATES: Final = ("waiting", "delivered", "given_up", "dropped")


class Webhook(BrandOwned, db.Model):  # type: ignore[name-defined,misc]
    """An address that is told of the runs of its brand.

    `secret` signs what is sent there; it is sealed for this row's id, and shown once. `given_up`: so many messages in a
    row did not get through; at some number it is switched off (`off_at`, and `off_because` if nobody did it by hand).
    """

    __tablename__ = "webhooks"
    __table_args__ = owned_args(
        same_brand("created_by_id", "users"),
        CheckConstraint(f"events <@ ARRAY{list(EVENTS)}", name="events"),
        CheckConstraint("off_because IS NULL OR off_at IS NOT NULL", name="off_has_moment"),
    )

    url: Mapped[str] = mapped_column(Text)
    events: Mapped[list[str]] = mapped_column(ARRAY(Text))
    secret: Mapped[bytes] = mapped_column(LargeBinary)
    secret_changed_at: Mapped[datetime] = mapped_column(server_default=clock())
    created_by_id: Mapped[uuid.UUID]
    created_at: Mapped[datetime] = mapped_column(server_default=clock())
    given_up: Mapped[int] = mapped_column(default=0)
    last_success_at: Mapped[datetime | None]
    off_at: Mapped[datetime | None]
    off_because: Mapped[str | None] = mapped_column(Text)

    @property
    def is_on(self) -> bool:
        """Whether it is told anything."""
        return self.off_at is None


class WebhookMessage(Tried, db.Model):  # type: ignore[name-defined,misc]
    """One thing that a webhook is told. Its `webhook-id` is made of its id: of a message about a run that is fixed by
    run, kind and webhook, so that whoever gets it twice knows. `body` is what is signed and sent, the same at each try.

    *dropped*: the webhook was switched off before it went out.
    """

    __tablename__ = "webhook_messages"
    __table_args__ = owned_args(
        same_brand("webhook_id", "webhooks", ondelete="CASCADE"),
        same_brand("run_id", "runs", ondelete="CASCADE"),
        CheckConstraint(f"kind IN {MESSAGE_KINDS}", name="kind"),
        CheckConstraint("(run_id IS NULL) = (kind = 'test')", name="about"),
        CheckConstraint(f"state IN {MESSAGE_STATES}", name="state"),
        CheckConstraint("state <> 'given_up' OR error IS NOT NULL", name="given_up_has_reason"),
        Index("ix_webhook_messages_due", "next_try_at", "id", postgresql_where=sql("state = 'waiting'")),
        Index(None, "brand_id", "webhook_id", "created_at"),
        Index(None, "brand_id", "run_id"),
        Index("ix_webhook_messages_ended_at", "ended_at"),
    )

    webhook_id: Mapped[uuid.UUID]
    run_id: Mapped[uuid.UUID | None]
    kind: Mapped[str] = mapped_column(Text)
    body: Mapped[str] = mapped_column(Text)
    # What the newest try was answered, and how long it took.
    status: Mapped[int | None]
    ms: Mapped[int | None]
