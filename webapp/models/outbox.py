"""Mails that are to be sent: the outbox (RELIABILITY P15)."""

from __future__ import annotations

import uuid
from typing import Any

from sqlalchemy import CheckConstraint, Index, Text
from sqlalchemy import text as sql
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from webapp.extensions import db
from webapp.models.base import owned_args, same_brand
from webapp.models.tried import Tried

RUN_KINDS = ("finished", "failed", "recovered", "missed")
ACCOUNT_KINDS = ("invitation", "reset", "disabled", "new_target", "webhook_off", "second_step_reset", "volume")
KINDS = (*RUN_KINDS, *ACCOUNT_KINDS)
STATES = ("waiting", "sent", "caught", "given_up", "dropped")


class Mail(Tried, db.Model):  # type: ignore[name-defined,misc]
    """One mail about a run or an account to one person. The Message-ID is made of its id; of a mail about a run that is
    fixed by run, kind and recipient. The link in an invitation is made when it goes out: no row but a
    caught mail's holds one.

    *caught*: nothing sends it, it is read on the page Mailbox; only then its parts are kept. *dropped*: the user was
    disabled before it went out.
    """

    __tablename__ = "outbox"
    __table_args__ = owned_args(
        same_brand("run_id", "runs", ondelete="CASCADE"),
        same_brand("user_id", "users"),
        CheckConstraint(f"kind IN {KINDS}", name="kind"),
        CheckConstraint(f"(run_id IS NULL) = (kind IN {ACCOUNT_KINDS})", name="about"),
        CheckConstraint(f"state IN {STATES}", name="state"),
        CheckConstraint("state <> 'given_up' OR error IS NOT NULL", name="given_up_has_reason"),
        CheckConstraint("(state = 'caught') = (text IS NOT NULL)", name="caught_can_be_read"),
        Index("ix_outbox_due", "next_try_at", "id", postgresql_where=sql("state = 'waiting'")),
        Index(None, "brand_id", "run_id"),
        Index("ix_outbox_ended_at", "ended_at"),  # what /metrics asks: the last hour's
        Index("ix_outbox_caught", "brand_id", "created_at", postgresql_where=sql("state = 'caught'")),
    )

    run_id: Mapped[uuid.UUID | None]
    kind: Mapped[str] = mapped_column(Text)
    # Of a user the present address counts; this one is that of the moment at which the mail was written down.
    user_id: Mapped[uuid.UUID | None]
    recipient: Mapped[str] = mapped_column(Text)
    # What a mail about an account tells: who did it, to whom, what became of the exports.
    facts: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict, server_default="{}")

    subject: Mapped[str | None] = mapped_column(Text)
    text: Mapped[str | None] = mapped_column(Text)
    html: Mapped[str | None] = mapped_column(Text)
