"""**Create**: a definition becomes an export with its first version, and a run or a next moment: all or nothing."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from functools import cache
from typing import Any

from sqlalchemy import Select, bindparam, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import joinedload, lazyload, load_only

from exports.definition import Definition
from webapp.extensions import db
from webapp.models import Export, ExportVersion, User
from webapp.permissions import authorize
from webapp.services import audit, connections, definitions, names, runs, schedules
from webapp.services import versions as kept
from webapp.services.connections import Making
from webapp.services.progress import present


def create(
    user: User,
    definition: Definition,
    token: uuid.UUID,
    *,
    cloned_from: uuid.UUID | None = None,
    making: Making | None = None,
    actor: str = "",
) -> Export:
    """Save a definition as a new export, and start it or wait for its moment.

    The same token again gives the same export (RELIABILITY F39). `actor` is who does it, if not the user whose export
    it will be. `making`: the connection that is made with it, if its target was filled in by hand in the wizard.

    Raises:
        Refused: the user may not create exports.
        DefinitionRefused: with every rule that it breaks for this user and brand.
    """
    authorize(user, "exports.create")
    if (known := _made_with(token)) is not None:
        return known
    definitions.check(user, definition, making=making.id if making else None)
    if making is None:
        definition, making = connections.making_of(definition, uuid.uuid5(token, "connection"))
    try:
        if making is not None:
            making.make(user, actor=actor)
        export = _add(user, definition, token)
    except IntegrityError:
        db.session.rollback()
        if (known := _made_with(token)) is None:
            raise
        return known
    copied = {"cloned_from": str(cloned_from)} if cloned_from else {}
    audit.record("export.created", actor or user, export, name=export.name, model=export.model, version=1, **copied)
    if definition.schedule.type == "now":
        run = runs.add_run(export, user, uuid.uuid4())
        audit.record("run.requested", actor or user, run, version=1)
    db.session.commit()
    return export


def _made_with(token: uuid.UUID) -> Export | None:
    return db.session.scalars(select(Export).where(Export.create_token == token)).one_or_none()


def _add(user: User, definition: Definition, token: uuid.UUID) -> Export:
    export = Export(
        id=uuid.uuid4(),
        brand_id=user.brand_id,
        name=definition.name,
        model=definition.model,
        target=definition.target.type,
        connection_id=connections.id_of(definition),
        version=1,
        owner_id=user.id,
        created_by_id=user.id,
        create_token=token,
    )
    schedules.plan(export, definition.schedule, present())
    db.session.add(export)
    db.session.flush()
    db.session.add(
        ExportVersion(
            brand_id=user.brand_id,
            export_id=export.id,
            number=1,
            definition=definition.as_json(),
            author_id=user.id,
        )
    )
    names.remember(export.id, names.names_of(definition))
    db.session.flush()
    return export


def find(export_id: uuid.UUID) -> Export | None:
    """An export of the present brand with its people and its newest run; None if there is none with this id."""
    return db.session.scalars(_found(), {"id": export_id}).one_or_none()


@cache
def _found() -> Select[Export]:
    wanted = select(Export).where(Export.id == bindparam("id"), Export.deleted_at.is_(None))
    return wanted.options(*with_people(), joinedload(Export.latest_run))


def with_people() -> list[Any]:
    """Bring along whose an export is and who made it: their names, not their brands once more."""
    names = (load_only(User.name, User.email, User.brand_id), lazyload(User.brand))
    return [joinedload(one).options(*names) for one in (Export.owner, Export.created_by)]


def versions(export: Export) -> Sequence[ExportVersion]:
    """All versions of an export, newest first."""
    wanted = select(ExportVersion).where(ExportVersion.export_id == export.id)
    return db.session.scalars(wanted.order_by(ExportVersion.number.desc())).all()


def definition_of(export: Export, version: int | None = None) -> Definition:
    """The definition of a version, the present one if none is named.

    Raises:
        NoResultFound: there is no such version.
    """
    return kept.definition(export.id, version or export.version)
