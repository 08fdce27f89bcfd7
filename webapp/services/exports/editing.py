"""**Edit**: an export changed in the wizard becomes a new version of itself (SPEC sections 1 and 4)."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import select

from exports import definition as documents
from exports.definition import Definition
from exports.differences import differences
from exports.errors import DefinitionRefused
from webapp.extensions import db
from webapp.models import Draft, Export, ExportVersion, User
from webapp.permissions import authorize
from webapp.services import audit, brands, choices, connections, definitions, drafts, personal, schedules
from webapp.services.connections import Making
from webapp.services.exports.saving import definition_of
from webapp.services.moves import move

PER_PAGE: Final = 20
HIDDEN_CHANGED: Final = "A personal value is another one"
"""For who may not see which."""


@dataclass(frozen=True)
class Version:
    """A version as its history shows it. `changes`: what is different from the one before, None for the first."""

    number: int
    saved_at: datetime
    author_id: uuid.UUID
    definition: Definition
    changes: list[str] | None


def edit(user: User, export: Export) -> Draft:
    """A draft of the wizard filled with the present version; the one that the user has not saved yet, if there is one.

    Raises:
        Refused: the user may not edit this export.
    """
    authorize(user, "exports.edit", export)
    if (draft := _begun(user, export)) is not None:
        if draft.rev > 1 or drafts.typed_of(draft).version == export.version:
            return draft
        drafts.discard(user, draft)  # nothing was typed in it, and somebody else saved a version since
    definition = definition_of(export)
    model = brands.catalogue_of(user.brand).models.get(definition.model)
    typed = drafts.filled(personal.shown(user, definition, model), model).with_(version=export.version)
    return drafts.add(user, typed, uuid.uuid4(), export=export)


def unsaved(user: User, export: Export) -> Draft | None:
    """What the user changed in the wizard and did not save; None if nothing was typed there."""
    draft = _begun(user, export)
    return draft if draft is not None and draft.rev > 1 else None


def begin_anew(user: User, export: Export) -> Draft:
    """Let go of what was not saved, and fill a draft with the present version.

    Raises:
        Refused: the user may not edit this export.
    """
    authorize(user, "exports.edit", export)
    if (draft := _begun(user, export)) is not None:
        drafts.discard(user, draft)
    return edit(user, export)


def _begun(user: User, export: Export) -> Draft | None:
    begun = select(Draft).where(Draft.owner_id == user.id, Draft.export_id == export.id)
    not_saved = begun.where(Draft.document["saved"].as_boolean().is_not(True))
    return db.session.scalars(not_saved.order_by(Draft.updated_at.desc()).limit(1)).one_or_none()


def save(
    user: User, export: Export, draft: Draft, definition: Definition, version: int, making: Making | None = None
) -> bool:
    """Make a new version; False if nothing is different. Nothing runs by it: a run in progress ends with its own.

    `version` is the one that the user saw; `making` the connection that is made with it, as in `create`.

    Raises:
        Refused: the user may not edit this export.
        DefinitionRefused: with every rule that the definition breaks for this user and brand.
        ExportChanged: there is another version by now, or the export was archived or deleted.
    """
    authorize(user, "exports.edit", export)
    before = definition_of(schedules.hold(export))
    try:
        if export.version != version or export.deleted_at is not None or not move(export, "edited"):
            raise schedules.ExportChanged
        if before != definition:
            definitions.check(user, definition, saved=before, making=making.id if making else None)
            if making is not None:
                making.make(user)
            _save(user, export, before, definition)
    except (DefinitionRefused, schedules.ExportChanged):
        db.session.rollback()
        raise
    drafts.close(draft)
    return before != definition


def _save(user: User, export: Export, before: Definition, after: Definition) -> None:
    """A moment that has come by now belongs to the version before."""
    now = schedules.settle(export)
    schedules.save_version(user, export, after)
    export.name, export.target, export.connection_id = after.name, after.target.type, connections.id_of(after)
    if before.schedule != after.schedule:
        schedules.plan(export, after.schedule, now)
    old, new = before.as_json(), after.as_json()
    changed = [name for name in new if new[name] != old.get(name)]
    names = {"name": after.name, "before": before.name}
    audit.record("export.edited", user, export, version=export.version, changed=changed, **names)


def changes(user: User, before: Definition, after: Definition) -> list[str]:
    """What is different, in words; records by their names, as this user may know them."""
    catalogue = brands.catalogue_of(user.brand)
    model = catalogue.models.get(after.model)
    called = choices.called(user, catalogue, model, before.filters + after.filters)
    two = [personal.shown(user, one, model) for one in (before, after)]
    told = differences(two[0], two[1], model, called)
    return told if told or before == after else [HIDDEN_CHANGED]


def history_of_versions(user: User, export: Export, below: int | None = None) -> tuple[list[Version], int | None]:
    """A page of versions, newest first, each with what is different from its predecessor; and where the next begins."""
    wanted = select(ExportVersion).where(ExportVersion.export_id == export.id)
    if below is not None:
        wanted = wanted.where(ExportVersion.number < below)
    rows = list(db.session.scalars(wanted.order_by(ExportVersion.number.desc()).limit(PER_PAGE + 1)))
    read = [documents.parse(one.definition) for one in rows]
    shown = [
        Version(one.number, one.created_at, one.author_id, read[place], _changes(user, read[place : place + 2]))
        for place, one in enumerate(rows[:PER_PAGE])
    ]
    return shown, shown[-1].number if len(rows) > PER_PAGE else None


def _changes(user: User, two: Sequence[Definition]) -> list[str] | None:
    return changes(user, two[1], two[0]) if len(two) == 2 else None
