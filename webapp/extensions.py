"""Flask extensions and the base of all tables: made once, bound to the application in `create_app`."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from flask_bootstrap import Bootstrap5
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from flask_login import LoginManager
from flask_migrate import Migrate
from flask_sqlalchemy import SQLAlchemy
from flask_sqlalchemy.session import Session
from flask_wtf import CSRFProtect
from htmx_flask import Htmx
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
migrate = Migrate()
csrf = CSRFProtect()
login = LoginManager()
bootstrap = Bootstrap5()
htmx = Htmx()
limiter = Limiter(key_func=get_remote_address)
