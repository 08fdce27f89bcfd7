"""Brands, their users and custom fields, and where sessions are kept."""

from __future__ import annotations

import secrets
import uuid
from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, LargeBinary, Text, UniqueConstraint
from sqlalchemy.dialects.postgresql import ARRAY, JSON
from sqlalchemy.orm import Mapped, mapped_column, relationship

from webapp.extensions import db
from webapp.models.base import BrandOwned, clock, owned_args

ROLES = ("viewer", "exporter", "manager", "admin")
"""SPEC section 1, weakest first."""

LANGUAGES = ("en", "de")
"""What pages can be read in; the first is what everything is written in, and what the others are translated from."""

MIN_AUDIT_DAYS = 365
"""Younger rows of the audit log are deleted by nobody: a trigger refuses it."""


def new_token() -> str:
    """A session token: changing a user's ends all of their sessions (RELIABILITY T8)."""
    return secrets.token_urlsafe(32)


class Brand(db.Model):  # type: ignore[name-defined,misc]
    """The company whose program it is. `source_key` is its value in the brand column of the source's tables."""

    __tablename__ = "brands"
    __table_args__ = (
        CheckConstraint("log_days > 0", name="log_days"),
        CheckConstraint(f"audit_days >= {MIN_AUDIT_DAYS}", name="audit_days"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    source_key: Mapped[str] = mapped_column(Text, unique=True)
    name: Mapped[str] = mapped_column(Text, unique=True)
    time_zone: Mapped[str] = mapped_column(Text)
    modules: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list)
    # Files; rows of Logs are kept for ever unless log_days says otherwise (SPEC section 10).
    retention_days: Mapped[int] = mapped_column(default=30)
    log_days: Mapped[int | None]
    audit_days: Mapped[int] = mapped_column(default=730, server_default="730")
    # Between two runs of a repeated export (SPEC section 7).
    minimum_minutes: Mapped[int] = mapped_column(default=1)
    # Mails go to users, and to other addresses of these domains alone (SPEC section 9).
    mail_domains: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list, server_default="{}")
    # Whether files may go to servers that do not encrypt (RELIABILITY T4).
    plain_ftp: Mapped[bool] = mapped_column(default=True, server_default="true")
    # How much personal data one person takes out in 24 hours until admins are told (RELIABILITY T16); None: never.
    alert_rows: Mapped[int | None] = mapped_column(default=1_000_000, server_default="1000000")
    # For hashes of personal values in files, sealed; None until the first is made.
    mask_key: Mapped[bytes | None] = mapped_column(LargeBinary, deferred=True)
    created_at: Mapped[datetime] = mapped_column(server_default=clock())


class User(BrandOwned, db.Model):  # type: ignore[name-defined,misc]
    """A person of one brand, with a role and grants beside it."""

    __tablename__ = "users"
    __table_args__ = owned_args(
        CheckConstraint(f"role IN {ROLES}", name="role"), CheckConstraint(f"language IN {LANGUAGES}", name="language")
    )

    email: Mapped[str] = mapped_column(Text, unique=True)
    name: Mapped[str] = mapped_column(Text)
    time_zone: Mapped[str] = mapped_column(Text)
    # None: nothing was chosen, which is English.
    language: Mapped[str | None] = mapped_column(Text)
    role: Mapped[str] = mapped_column(Text)
    export_pii: Mapped[bool] = mapped_column(default=False)
    use_new_target: Mapped[bool] = mapped_column(default=True)
    see_audit: Mapped[bool] = mapped_column(default=False)
    password_hash: Mapped[str] = mapped_column(Text)
    token: Mapped[str] = mapped_column(Text, unique=True, default=new_token)
    disabled_at: Mapped[datetime | None]
    # Since when a link to choose a password is out; None from the first password on.
    invited_at: Mapped[datetime | None]
    # The second step at login: its secret, sealed; the last step of time whose code was used; codes for a lost phone.
    totp_secret: Mapped[bytes | None] = mapped_column(LargeBinary)
    totp_step: Mapped[int | None] = mapped_column(BigInteger)
    recovery_hashes: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list, server_default="{}")
    # When admins were last told how much the person takes out.
    volume_told_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(server_default=clock())

    brand: Mapped[Brand] = relationship(lazy="joined", innerjoin=True)

    is_authenticated = True
    is_anonymous = False

    @property
    def is_active(self) -> bool:
        """Whether the user may be logged in."""
        return self.disabled_at is None

    def get_id(self) -> str:
        """What the session holds in place of the user's id."""
        return self.token


class CustomField(BrandOwned, db.Model):  # type: ignore[name-defined,misc]
    """A brand's own field of a data model: member `path` of the JSONB column `column` (SPEC section 12)."""

    __tablename__ = "custom_fields"
    __table_args__ = owned_args(UniqueConstraint("brand_id", "model", "field"))

    model: Mapped[str] = mapped_column(Text)
    field: Mapped[str] = mapped_column(Text)
    label: Mapped[str] = mapped_column(Text)
    description: Mapped[str] = mapped_column(Text, default="")
    type: Mapped[str] = mapped_column(Text)
    # json, not jsonb: it keeps the order in which the choices are to be shown.
    choices: Mapped[dict[str, str]] = mapped_column(JSON, default=dict)
    identifier: Mapped[bool] = mapped_column(default=False)
    computed: Mapped[bool] = mapped_column(default=False)
    mandatory: Mapped[bool] = mapped_column(default=False)
    personal: Mapped[bool] = mapped_column(default=False)
    column: Mapped[str] = mapped_column(Text, default="properties")
    path: Mapped[list[str]] = mapped_column(ARRAY(Text))
    position: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime] = mapped_column(server_default=clock())
    updated_at: Mapped[datetime] = mapped_column(server_default=clock())


class LoginSession(db.Model):  # type: ignore[name-defined,misc]
    """A browser's session: `id` is the SHA-256 of the cookie's value, so that a stolen table opens no door."""

    __tablename__ = "sessions"

    id: Mapped[str] = mapped_column(Text, primary_key=True)
    data: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[datetime] = mapped_column(server_default=clock())
    expires_at: Mapped[datetime] = mapped_column(index=True)
