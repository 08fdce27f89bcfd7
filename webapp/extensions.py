"""The database and the base of all tables: made once, bound to the application in `create_app`.

The other extensions, which commands need not wait for, are in `web_extensions.py`.
"""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from flask_sqlalchemy import SQLAlchemy
from flask_sqlalchemy.session import Session
from sqlalchemy import DateTime, MetaData, Uuid
from sqlalchemy.orm import DeclarativeBase

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


class Base(DeclarativeBase):
    """Base of every table of the application database."""

    metadata = MetaData(naming_convention=NAMING)


class BrandSession(Session):
    """The application's session. A lookup by id may hand out a row that it knows already, without asking the database:
    no condition holds that to a brand, so it is looked at here (webapp/models/base.py).
    """

    def get(self, entity: Any, ident: Any, **options: Any) -> Any:
        """As SQLAlchemy's; None for a row that the present scope may not see."""
        row = super().get(entity, ident, **options)
        return row if getattr(row, "is_visible", True) else None


db = SQLAlchemy(model_class=Base, session_options={"class_": BrandSession})
db.Model.registry.update_type_annotation_map({datetime: DateTime(timezone=True), uuid.UUID: Uuid()})  # type: ignore[attr-defined]
