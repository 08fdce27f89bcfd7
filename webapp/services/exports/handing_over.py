"""**Hand over** of an export: another user of the brand owns it, whose rights its runs have then (SPEC section 1)."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from sqlalchemy import select

from exports.errors import HandOverRefused
from webapp.extensions import db
from webapp.models import Connection, Export, User
from webapp.permissions import authorize, may
from webapp.services import audit, brands, personal, schedules
from webapp.services.exports.saving import definition_of


def takers() -> Sequence[User]:
    """The active users of the present brand who may have exports, by name."""
    roles = ("exporter", "manager", "admin")
    wanted = select(User).where(User.disabled_at.is_(None), User.role.in_(roles)).order_by(User.name, User.email)
    return db.session.scalars(wanted).all()


def taker(id: str) -> User:
    """The one of them with this id.

    Raises:
        HandOverRefused: there is none.
    """
    try:
        return next(one for one in takers() if one.id == uuid.UUID(id))
    except (ValueError, StopIteration) as error:
        raise HandOverRefused(reason="choose who takes it over") from error


def hand_over(user: User, export: Export, to: User) -> bool:
    """Let somebody else own an export from now on; False if it is theirs already. Commits.

    Raises:
        Refused: the user may not do this.
        HandOverRefused: the other one may not own exports, or not export what this one exports.
    """
    authorize(user, "exports.hand_over", export)
    if reason := _why_not(to, export):
        raise HandOverRefused(reason=reason)
    schedules.hold(export)
    before = export.owner_id
    if before != to.id:
        export.owner_id = to.id
        was = db.session.get(User, before)
        audit.record(
            "export.handed_over", user, export, name=export.name, before=was.email if was else "", to=to.email
        )  # fmt: skip
    db.session.commit()
    return before != to.id


def _why_not(to: User, export: Export) -> str:
    if to.brand_id != export.brand_id or not may(to, "exports.create"):
        return f"{to.name} may not have exports"
    definition, named = definition_of(export), export.name
    model = brands.catalogue_of(to.brand).models.get(definition.model)
    wrong = next(iter(personal.rights(to, definition, model)), None) if model is not None else None
    if wrong:
        return f"{to.name} may not run “{named}”: {wrong.message}"
    connection = db.session.get(Connection, export.connection_id) if export.connection_id else None
    if connection is not None and not may(to, "connections.use", connection):
        its = connection.name
        return f"{to.name} may not run “{named}”: share the connection “{its}” with exporters first"
    return ""
