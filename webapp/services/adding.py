"""Things that people make with an id of the form: sent twice, it makes one (RELIABILITY F39)."""

from __future__ import annotations

from typing import TypeVar

from sqlalchemy.exc import IntegrityError

from webapp.extensions import db
from webapp.models import ApiToken, Webhook

Row = TypeVar("Row", ApiToken, Webhook)


def add_once(row: Row) -> Row | None:
    """Put a new row into the database; the caller commits.

    Returns None, or the row of this id that the other click of a double one put there first: then nothing is left of
    the present transaction.
    """
    kind, id = type(row), row.id
    db.session.add(row)
    try:
        db.session.flush()
    except IntegrityError:
        db.session.rollback()
        if (known := db.session.get(kind, id)) is None:
            raise
        return known
    return None
