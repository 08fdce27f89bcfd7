"""Runs of exports and what happened to them step by step."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy import BigInteger, CheckConstraint, ForeignKeyConstraint, Identity, Index, Text, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from webapp.extensions import db
from webapp.models.base import BrandOwned, clock, owned_args, same_brand
from webapp.models.states import LIVE, SHOWN_ON_EXPORT, STATES

WAITING = ("brand_id", "not_before", "created_at", "id")
"""The order in which the runs of a brand wait."""


class HasState(Protocol):
    """What follows from the state of a run needs no more of it than this."""

    @property
    def state(self) -> Any: ...
    @property
    def sha256(self) -> Any: ...


class InState:
    """What the state of a run means to people."""

    __slots__ = ()

    @property
    def status(self: HasState) -> str:
        """The word of SPEC section 2 for a run."""
        return str(self.state).capitalize()

    @property
    def shown_on_export(self: HasState) -> str:
        """The word of SPEC section 2 for a one-off whose newest run this is."""
        return SHOWN_ON_EXPORT[self.state]

    @property
    def delivered_nothing(self: HasState) -> bool:
        """Whether it is a Success without a file: there were no rows, and the export wants nothing then (SPEC 2)."""
        return bool(self.state == "success" and self.sha256 is None)

    @property
    def is_live(self: HasState) -> bool:
        """Whether it can still change by itself."""
        return self.state in LIVE


class Run(InState, BrandOwned, db.Model):  # type: ignore[name-defined,misc]
    """One execution of an export for one moment. `attempt` is the fencing token of every later write (P2)."""

    __tablename__ = "runs"
    __table_args__ = owned_args(
        same_brand("export_id", "exports", ondelete="CASCADE"),
        same_brand("requested_by_id", "users"),
        same_brand("cancel_requested_by_id", "users"),
        ForeignKeyConstraint(
            ["brand_id", "export_id", "version"],
            ["export_versions.brand_id", "export_versions.export_id", "export_versions.number"],
            name="fk_runs_version",
        ),
        CheckConstraint(f"state IN {STATES}", name="state"),
        CheckConstraint("kind IN ('schedule', 'manual', 'again')", name="kind"),
        CheckConstraint("state <> 'failed' OR error_code IS NOT NULL", name="failed_has_reason"),
        CheckConstraint("state <> 'success' OR published_attempt IS NOT NULL", name="success_is_published"),
        CheckConstraint("state <> 'processing' OR lease_until IS NOT NULL", name="processing_has_lease"),
        Index(
            "uq_runs_export_id_scheduled_for",
            "export_id",
            "scheduled_for",
            unique=True,
            postgresql_where=text("kind = 'schedule'"),
        ),
        # Each brand's next run by hand and its next one of a schedule: services/runs/claiming.py.
        Index("ix_runs_by_hand", *WAITING, postgresql_where=text("state = 'queued' AND kind <> 'schedule'")),
        Index("ix_runs_by_schedule", *WAITING, postgresql_where=text("state = 'queued' AND kind = 'schedule'")),
        Index("ix_runs_processing", "lease_until", postgresql_where=text("state = 'processing'")),
        # The list of runs: those of an export, all, and those of a state.
        Index(None, "brand_id", "export_id", "created_at", "id", "state"),
        Index(None, "brand_id", "created_at", "id"),
        Index(None, "brand_id", "state", "created_at", "id", "export_id"),
        Index("ix_runs_finished_at", "finished_at"),  # what /metrics asks: the last hour's
        Index("ix_runs_with_file", "brand_id", "export_id", postgresql_where=text("artefact IS NOT NULL")),
        Index("ix_runs_kept_until", "kept_until", "id", postgresql_where=text("artefact IS NOT NULL")),
    )

    export_id: Mapped[uuid.UUID]
    version: Mapped[int]
    kind: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(Text, default="queued")
    scheduled_for: Mapped[datetime]
    # One base moment for all `date:` expressions, kept over retries, so that a retried run gives the same file (P4).
    base_moment: Mapped[datetime]
    requested_by_id: Mapped[uuid.UUID | None]
    created_at: Mapped[datetime] = mapped_column(server_default=clock())
    not_before: Mapped[datetime] = mapped_column(server_default=clock())

    attempt: Mapped[int] = mapped_column(default=0)
    deaths: Mapped[int] = mapped_column(default=0)
    failures: Mapped[int] = mapped_column(default=0)
    worker: Mapped[str | None] = mapped_column(Text)
    lease_until: Mapped[datetime | None]
    cancel_requested_at: Mapped[datetime | None]
    cancel_requested_by_id: Mapped[uuid.UUID | None]

    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    phase: Mapped[str | None] = mapped_column(Text)
    expected_rows: Mapped[int | None] = mapped_column(BigInteger)
    rows: Mapped[int] = mapped_column(BigInteger, default=0)
    bytes: Mapped[int] = mapped_column(BigInteger, default=0)

    published_attempt: Mapped[int | None]
    artefact: Mapped[str | None] = mapped_column(Text)
    archive_bytes: Mapped[int | None] = mapped_column(BigInteger)
    sha256: Mapped[str | None] = mapped_column(Text)
    kept_until: Mapped[datetime | None]

    error_code: Mapped[str | None] = mapped_column(Text)
    error_message: Mapped[str | None] = mapped_column(Text)
    error_advice: Mapped[str | None] = mapped_column(Text)
    error_detail: Mapped[str | None] = mapped_column(Text)

    @property
    def tries(self) -> int:
        """How often its file was begun in earnest: what a worker handed back as it was told to stop does not count."""
        return self.failures + self.deaths + (self.state == "success")


class RunEvent(BrandOwned, db.Model):  # type: ignore[name-defined,misc]
    """One step of a run, for "What happened, step by step"."""

    __tablename__ = "run_events"
    __table_args__ = owned_args(
        same_brand("run_id", "runs", ondelete="CASCADE"), Index(None, "brand_id", "run_id", "number")
    )

    number: Mapped[int] = mapped_column(BigInteger, Identity(always=True))
    run_id: Mapped[uuid.UUID]
    attempt: Mapped[int]
    at: Mapped[datetime] = mapped_column(server_default=clock())
    kind: Mapped[str] = mapped_column(Text)
    facts: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict)
