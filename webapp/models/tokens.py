"""API tokens, and the requests that are to be carried out once (docs/api.md)."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import CheckConstraint, Index, LargeBinary, Text, UniqueConstraint
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column, relationship

from webapp.extensions import db
from webapp.models.accounts import User
from webapp.models.base import BrandOwned, clock, owned_args, same_brand

SCOPES: Final = {
    "exports:read": "See exports, their runs and the data models",
    "exports:write": "Create and clone exports, set them active or inactive, change schedules",
    "runs:write": "Run exports and cancel runs",
    "files:download": "Download files",
}
"""What a token may be for, within the rights that its user has at that moment."""
KEYS_KEPT: Final = timedelta(hours=24)


class ApiToken(BrandOwned, db.Model):  # type: ignore[name-defined,misc]
    """Acts as its owner, who has seen its secret once. `hash` is the secret's SHA-256: a stolen table opens no door.
    `ending` tells a person which of the own secrets it is.
    """

    __tablename__ = "api_tokens"
    __table_args__ = owned_args(
        same_brand("owner_id", "users"),
        same_brand("revoked_by_id", "users"),
        UniqueConstraint("hash"),
        CheckConstraint("cardinality(scopes) > 0", name="scopes"),
        Index(None, "brand_id", "owner_id"),
    )

    owner_id: Mapped[uuid.UUID]
    name: Mapped[str] = mapped_column(Text)
    scopes: Mapped[list[str]] = mapped_column(ARRAY(Text))
    hash: Mapped[bytes] = mapped_column(LargeBinary)
    ending: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(server_default=clock())
    expires_at: Mapped[datetime]
    last_used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
    # Nobody, if the operator did it.
    revoked_by_id: Mapped[uuid.UUID | None]

    owner: Mapped[User] = relationship(primaryjoin="foreign(ApiToken.owner_id) == User.id", viewonly=True, lazy="raise")


class ApiRequest(BrandOwned, db.Model):  # type: ignore[name-defined,misc]
    """A request with an Idempotency-Key, and its answer once there is one. `print` tells it from another with its key;
    what it makes is made with `made_with`, so that it is made once whenever the first try broke off.
    """

    __tablename__ = "api_requests"
    __table_args__ = owned_args(
        same_brand("token_id", "api_tokens", ondelete="CASCADE"),
        UniqueConstraint("token_id", "key"),
        Index(None, "expires_at"),
    )

    token_id: Mapped[uuid.UUID]
    key: Mapped[str] = mapped_column(Text)
    print: Mapped[bytes] = mapped_column(LargeBinary)
    made_with: Mapped[uuid.UUID] = mapped_column(default=uuid.uuid4)
    status: Mapped[int | None]
    answer: Mapped[str | None] = mapped_column(Text)
    location: Mapped[str | None] = mapped_column(Text)
    expires_at: Mapped[datetime] = mapped_column(server_default=clock() + KEYS_KEPT)
