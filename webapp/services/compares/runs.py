"""Runs as sides of a comparison: their files, how those are to be read, and who may see what stands in them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import select

from exports import definition as documents
from exports.catalogue import Catalogue
from exports.compare import Layout, layout_of
from exports.definition import Definition
from exports.errors.compare import FileNotKept, PersonalColumns
from webapp.extensions import db
from webapp.models import ExportVersion, Run, User
from webapp.services import artefacts, personal
from webapp.services.artefacts import Artefact
from webapp.services.progress import present

Day = Callable[[Run], str]


@dataclass(frozen=True)
class Compared:
    """A run whose file is there."""

    run: Run
    artefact: Artefact
    definition: Definition
    layout: Layout


def compared(runs: tuple[Run, Run], catalogue: Catalogue, day: Day) -> list[Compared]:
    """Two runs with their files. `day`: when a run was, as the person's clock says it.

    Raises:
        FileNotKept: one of them has no file, or not any more.
    """
    now, known = present(), _documents(*runs)
    sides = []
    for run in runs:
        document = known[run]
        artefact = artefacts.kept(run, document.as_json(), now)
        if artefact is None:
            raise FileNotKept(day=day(run))
        sides.append(Compared(run, artefact, document, layout_of(document, catalogue.models.get(document.model))))
    return sides


def _documents(*runs: Run) -> dict[Run, Definition]:
    """The definitions by which runs made their files, in one question."""
    wanted = (
        select(Run.id, ExportVersion.definition)
        .join(ExportVersion, (ExportVersion.export_id == Run.export_id) & (ExportVersion.number == Run.version))
        .where(Run.id.in_([run.id for run in runs]))
    )
    found = {id: documents.parse(document) for id, document in db.session.execute(wanted)}
    return {run: found[run.id] for run in runs}


def check_rights(user: User, *runs: Run) -> None:
    """A comparison shows what stands in both files: it is for those who may have either.

    Raises:
        PersonalColumns: the user may not.
    """
    for run in runs:
        if reason := personal.kept_back(user, run):
            raise PersonalColumns(reason=reason)
