"""The definitions of versions: a version never changes (a trigger refuses it), so what was read once is kept."""

from __future__ import annotations

import uuid
from functools import lru_cache
from typing import Final

from sqlalchemy import select

from exports.definition import Definition, parse
from webapp.extensions import db
from webapp.models import ExportVersion, Run, current_brand

KEPT: Final = 64
"""Definitions that a process keeps: one with long lists of values can have megabytes."""


def definition(export_id: uuid.UUID, number: int) -> Definition:
    """The definition of a version of an export, in the present scope.

    Raises:
        NoResultFound: there is no such version.
    """
    return _read(current_brand(), export_id, number)


def definition_of(run: Run) -> Definition:
    """What a run makes, or made."""
    return definition(run.export_id, run.version)


@lru_cache(KEPT)
def _read(_brand: uuid.UUID | None, export_id: uuid.UUID, number: int) -> Definition:
    """By brand as well: what one may see is no answer to another that asks for the same id."""
    of_it = (ExportVersion.export_id == export_id, ExportVersion.number == number)
    return parse(db.session.execute(select(ExportVersion.definition).where(*of_it)).scalar_one())
