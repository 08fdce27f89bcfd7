"""Runs as sides of a comparison: their files, how those are to be read, and who may see what stands in them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from exports.catalogue import Catalogue
from exports.compare import Layout, layout_of
from exports.definition import Definition
from exports.errors.compare import FileNotKept, PersonalColumns
from webapp.models import Run, User
from webapp.services import artefacts, personal, versions
from webapp.services.artefacts import Artefact

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
    sides = []
    for run in runs:
        artefact = artefacts.published(run)
        if artefact is None:
            raise FileNotKept(day=day(run))
        definition = versions.definition_of(run)
        sides.append(Compared(run, artefact, definition, layout_of(definition, catalogue.models.get(definition.model))))
    return sides


def check_rights(user: User, *runs: Run) -> None:
    """A comparison shows what stands in both files: it is for those who may have either.

    Raises:
        PersonalColumns: the user may not.
    """
    for run in runs:
        if reason := personal.kept_back(user, run):
            raise PersonalColumns(reason=reason)
