"""Exports, their immutable versions, and drafts of the wizard."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, Computed, FetchedValue, Index, Text, UniqueConstraint, and_, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, deferred, foreign, mapped_column, relationship

from webapp.extensions import db
from webapp.models.accounts import User
from webapp.models.base import BrandOwned, clock, owned_args, same_brand
from webapp.models.runs import Run
from webapp.models.states import LIVE, SHOWN_ON_EXPORT

LISTED = "archived_at IS NULL AND deleted_at IS NULL"
ARCHIVED = "archived_at IS NOT NULL AND deleted_at IS NULL"
FAILED = f"latest_state = 'failed' AND {LISTED}"
FILTERED = ("owner_id", "model", "status", "latest_state", "several_runs")
"""What the list is filtered by. At the end of a key it is looked at on the way, without a visit to the table."""
STATUS = f"""
    CASE WHEN active THEN 'Active'
         WHEN NOT active THEN 'Inactive'
         WHEN latest_state IS NULL THEN 'Pending'
         WHEN next_run_at IS NOT NULL AND latest_state NOT IN {tuple(sorted(LIVE, reverse=True))} THEN 'Pending'
         {" ".join(f"WHEN latest_state = '{state}' THEN '{word}'" for state, word in SHOWN_ON_EXPORT.items())}
    END
"""


def _walk(name: str, *columns: str, where: str) -> Index:
    """What a question of the list walks along, in its order; docs/decisions/021-list.md tells which."""
    return Index(f"ix_exports_{name}", "brand_id", *columns, postgresql_where=text(where))


class Export(BrandOwned, db.Model):  # type: ignore[name-defined,misc]
    """A saved definition with its history. What lists show is repeated here; the truth of it is the present version."""

    __tablename__ = "exports"
    __table_args__ = owned_args(
        same_brand("owner_id", "users"),
        same_brand("created_by_id", "users"),
        same_brand("inactive_by_id", "users"),
        same_brand("connection_id", "connections"),
        same_brand("latest_run_id", "runs", use_alter=True, deferrable=True, initially="DEFERRED"),
        CheckConstraint("schedule IN ('now', 'on_date', 'repeated')", name="schedule"),
        CheckConstraint("(schedule = 'repeated') = (active IS NOT NULL)", name="active"),
        CheckConstraint(
            "next_run_at IS NULL OR (active IS NOT FALSE AND archived_at IS NULL)", name="waits_only_if_it_may_run"
        ),
        UniqueConstraint("brand_id", "create_token"),
        _walk("listed", "created_at", "id", *FILTERED, where=LISTED),
        _walk("listed_by_name", "name", "id", *FILTERED, where=LISTED),
        _walk("of_status", "status", "created_at", "id", "owner_id", "model", where=LISTED),
        _walk("of_status_by_name", "status", "name", "id", "owner_id", "model", where=LISTED),
        _walk("failed", "created_at", "id", "owner_id", "model", where=FAILED),
        _walk("failed_by_name", "name", "id", "owner_id", "model", where=FAILED),
        _walk("archived", "created_at", "id", *FILTERED, where=ARCHIVED),
        _walk("archived_by_name", "name", "id", *FILTERED, where=ARCHIVED),
        _walk("of_model", "model", "created_at", "id", "owner_id", *FILTERED[2:], where=LISTED),
        _walk("owned", "owner_id", "created_at", "id", *FILTERED[1:], "archived_at", where="deleted_at IS NULL"),
        Index(None, "brand_id", "name"),
        # Every run that is deleted is looked for here: without it 100,000 take a quarter of an hour.
        Index(None, "brand_id", "latest_run_id"),
        # The clock asks for what is due, of all brands.
        Index("ix_exports_next_run_at", "next_run_at", postgresql_where=text("next_run_at IS NOT NULL")),
        Index("ix_exports_connection_id", "connection_id", postgresql_where=text("connection_id IS NOT NULL")),
        Index("ix_exports_plain_ftp", "brand_id", postgresql_where=text(f"target = 'ftp' AND {LISTED}")),
        Index("ix_exports_deleted_at", "deleted_at", postgresql_where=text("deleted_at IS NOT NULL")),
    )

    name: Mapped[str] = mapped_column(Text)
    model: Mapped[str] = mapped_column(Text)
    target: Mapped[str] = mapped_column(Text, default="none")
    connection_id: Mapped[uuid.UUID | None]
    schedule: Mapped[str] = mapped_column(Text, default="now")
    schedule_words: Mapped[str] = mapped_column(Text, default="")
    active: Mapped[bool | None]
    inactive_since: Mapped[datetime | None]
    inactive_by_id: Mapped[uuid.UUID | None]
    # Why, if nobody did it: "its owner, Ann, may no longer run it: …".
    inactive_reason: Mapped[str | None] = mapped_column(Text)
    # The moment that comes next, and the truth about it: what Redis knows is made anew from here (DESIGN section 3).
    next_run_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(default=1)
    owner_id: Mapped[uuid.UUID]
    created_by_id: Mapped[uuid.UUID]
    created_at: Mapped[datetime] = mapped_column(server_default=clock())
    archived_at: Mapped[datetime | None]
    # Nobody finds it any more; its files and rows are about to go (services/exports/removing.py).
    deleted_at: Mapped[datetime | None]
    latest_run_id: Mapped[uuid.UUID | None]
    # The state of that run. The database keeps it: whatever is written here, the run's row counts.
    latest_state: Mapped[str | None] = mapped_column(
        Text, server_default=FetchedValue(), server_onupdate=FetchedValue()
    )
    # Whether it ever had another run beside that one; the database says so of each that is added.
    several_runs: Mapped[bool] = mapped_column(server_default=text("false"))
    # The word of SPEC section 2: a repeated export is Active or Inactive, a one-off shows its newest run.
    status: Mapped[str] = mapped_column(Text, Computed(STATUS, persisted=True))
    # A second click on Create carries the same token and finds the export that the first one made (RELIABILITY F39).
    create_token: Mapped[uuid.UUID] = mapped_column(default=uuid.uuid4)

    owner: Mapped[User] = relationship(
        primaryjoin=lambda: foreign(Export.owner_id) == User.id, viewonly=True, lazy="raise"
    )
    created_by: Mapped[User] = relationship(
        primaryjoin=lambda: foreign(Export.created_by_id) == User.id, viewonly=True, lazy="raise"
    )
    latest_run: Mapped[Run | None] = relationship(
        primaryjoin=lambda: foreign(Export.latest_run_id) == Run.id, viewonly=True, lazy="raise"
    )

    @property
    def state(self) -> str:
        """Which of EXPORT_STATES it is in (models/states.py)."""
        if self.active is not None:
            return "active" if self.active else "inactive"
        return "idle" if self.next_run_at is None else "waiting"


ITS_RUNS = and_(Export.brand_id == Run.brand_id, Export.id == Run.export_id)
"""What joins runs to their exports."""


class ExportVersion(BrandOwned, db.Model):  # type: ignore[name-defined,misc]
    """One save of an export: never changed (a trigger refuses it)."""

    __tablename__ = "export_versions"
    __table_args__ = owned_args(
        same_brand("export_id", "exports", ondelete="CASCADE"),
        same_brand("author_id", "users"),
        UniqueConstraint("brand_id", "export_id", "number"),
    )

    export_id: Mapped[uuid.UUID]
    number: Mapped[int]
    definition: Mapped[dict[str, Any]] = mapped_column(JSONB)
    author_id: Mapped[uuid.UUID]
    created_at: Mapped[datetime] = mapped_column(server_default=clock())


class ExportName(BrandOwned, db.Model):  # type: ignore[name-defined,misc]
    """A name that an export or a file of it has, or once had: what the search of the list finds it by.

    `trigrams` is filled in by the database: all that any three characters in a row can be looked up by.
    """

    __tablename__ = "export_names"
    __table_args__ = owned_args(
        same_brand("export_id", "exports", ondelete="CASCADE"),
        Index(None, "brand_id", "export_id"),
        Index("ix_export_names_trigrams", "trigrams", postgresql_using="gin"),
        Index("ix_export_names_beginning", "brand_id", text("lower(name) text_pattern_ops"), "export_id"),
    )

    export_id: Mapped[uuid.UUID]
    name: Mapped[str] = mapped_column(Text)
    trigrams: Mapped[list[str] | None] = deferred(
        mapped_column(ARRAY(Text), Computed("trigrams(name)", persisted=True))
    )


class Draft(BrandOwned, db.Model):  # type: ignore[name-defined,misc]
    """What somebody is typing in the wizard, valid or not; `rev` tells two tabs apart (UX section 2)."""

    __tablename__ = "drafts"
    __table_args__ = owned_args(
        same_brand("owner_id", "users", ondelete="CASCADE"),
        same_brand("export_id", "exports"),
        Index(None, "brand_id", "owner_id", "updated_at"),
    )

    owner_id: Mapped[uuid.UUID]
    document: Mapped[dict[str, Any]] = mapped_column(JSONB)
    rev: Mapped[int] = mapped_column(default=1)
    export_id: Mapped[uuid.UUID | None]
    created_at: Mapped[datetime] = mapped_column(server_default=clock())
    updated_at: Mapped[datetime] = mapped_column(server_default=clock())
