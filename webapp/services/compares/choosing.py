"""Which runs can be compared: those of an export whose files are kept, and the newest ones of exports like it."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import select

from exports import definition as documents
from exports.catalogue import Catalogue, DataModel
from exports.compare import Layout, layout_of, same_columns
from exports.errors.compare import CompareError
from webapp.extensions import db
from webapp.models import Export, ExportVersion, Run, clock
from webapp.services.exports.saving import definition_of

OWN: Final = 50
"""Runs of the export itself that are offered, the newest ones."""
OTHERS: Final = 200
"""Exports of the same model that are looked at, the newest ones: a clone is made after what it is a clone of."""
OFFERED: Final = 25

_KEPT: Final = (Run.state == "success", Run.artefact.is_not(None), Run.kept_until > clock())


@dataclass(frozen=True)
class Kept:
    """A run that can be chosen. `export`: the name of its export, if that is another one."""

    id: uuid.UUID
    started_at: datetime
    rows: int
    export: str = ""


@dataclass(frozen=True)
class Choices:
    """What a person can choose from."""

    own: Sequence[Kept]
    others: Sequence[Kept]


def choices(export: Export, chosen: Sequence[Run], catalogue: Catalogue, layout: Layout | None = None) -> Choices:
    """The newest runs of an export with a file, those `chosen` too, and the newest of each export with its columns.

    `layout`: its columns, where they are known already.
    """
    of_it = select(Run).where(Run.export_id == export.id, *_KEPT).order_by(Run.created_at.desc(), Run.id).limit(OWN)
    own = list(db.session.scalars(of_it))
    own += [run for run in chosen if run.export_id == export.id and run not in own]
    model = catalogue.models.get(export.model)
    layout = layout or layout_of(definition_of(export), model)
    return Choices([_kept(run) for run in own], _others(export, layout, model))


def _kept(run: Run, export: str = "") -> Kept:
    return Kept(run.id, run.started_at or run.created_at, run.rows, export)


def _others(export: Export, layout: Layout, model: DataModel | None) -> list[Kept]:
    newest = select(Export.id).where(
        Export.model == export.model, Export.id != export.id, Export.deleted_at.is_(None), Export.archived_at.is_(None)
    )
    newest = newest.order_by(Export.created_at.desc()).limit(OTHERS)
    wanted = (
        select(Run, Export.name, ExportVersion.definition)
        .join(Export, Export.latest_run_id == Run.id)
        .join(ExportVersion, (ExportVersion.export_id == Run.export_id) & (ExportVersion.number == Run.version))
        .where(Export.id.in_(newest), *_KEPT)
        .order_by(Export.created_at.desc())
    )
    found = []
    for run, name, document in db.session.execute(wanted):
        try:
            same_columns(layout, layout_of(documents.parse(document), model))
        except CompareError:
            continue
        found.append(_kept(run, name))
    return found[:OFFERED]
