"""What is sent to somewhere else, and tried again until it is there: mails and messages to webhooks."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Text
from sqlalchemy.orm import Mapped, mapped_column

from webapp.models.base import BrandOwned, clock


class Tried(BrandOwned):
    """Mixin: waiting until `next_try_at`, claimed by moving that on; `error` is why the newest try failed."""

    __abstract__ = True

    state: Mapped[str] = mapped_column(Text, default="waiting")
    tries: Mapped[int] = mapped_column(default=0)
    next_try_at: Mapped[datetime] = mapped_column(server_default=clock())
    error: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(server_default=clock())
    ended_at: Mapped[datetime | None]
