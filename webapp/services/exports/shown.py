"""What lists show of an export and of a run: values read in one question. To make entities of them takes longer than
to find them.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, fields
from datetime import datetime
from functools import cache
from typing import Any, Final, NamedTuple

from sqlalchemy import Select, and_, select
from sqlalchemy.orm import aliased

from webapp.models import ITS_RUNS, Export, Run, User
from webapp.models.runs import InState


class ShownExport(NamedTuple):
    """Columns of an export, and the names of the people behind two of them."""

    id: uuid.UUID
    brand_id: uuid.UUID
    name: str
    model: str
    target: str
    schedule: str
    schedule_words: str
    active: bool | None
    inactive_since: datetime | None
    inactive_reason: str | None
    next_run_at: datetime | None
    owner_id: uuid.UUID
    created_by_id: uuid.UUID
    created_at: datetime
    archived_at: datetime | None
    status: str
    several_runs: bool
    created_by: str
    inactive_by: str | None


@dataclass(slots=True)
class ShownRun(InState):
    """Columns of a run."""

    id: uuid.UUID
    export_id: uuid.UUID
    state: str
    created_at: datetime
    scheduled_for: datetime
    started_at: datetime | None
    expected_rows: int | None
    rows: int
    bytes: int
    sha256: str | None
    error_message: str | None


Shown = tuple[ShownExport, ShownRun | None]
"""An export with its newest run, or with the one of its runs that a row is about."""
WIDTH: Final = len(ShownExport._fields)
OF_EXPORT: Final = ShownExport._fields[:-2]
OF_RUN: Final = tuple(one.name for one in fields(ShownRun))
NEWEST: Final = and_(Run.brand_id == Export.brand_id, Run.id == Export.latest_run_id)


@cache
def asked(*, of_runs: bool = False) -> Select[*tuple[Any, ...]]:
    """Each export with its newest run, if it has one; or with each of its runs. What `read` reads."""
    creator, pauser = aliased(User), aliased(User)
    columns = [getattr(Export, name) for name in OF_EXPORT]
    return (
        select(*columns, creator.name, pauser.name, *(getattr(Run, name) for name in OF_RUN))
        .join(creator, creator.id == Export.created_by_id)
        .outerjoin(pauser, pauser.id == Export.inactive_by_id)
        .join(Run, ITS_RUNS if of_runs else NEWEST, isouter=not of_runs)
    )


def read(row: Any) -> Shown:
    """A row of what was `asked`."""
    export, run = row[:WIDTH], row[WIDTH : WIDTH + len(OF_RUN)]
    return ShownExport._make(export), ShownRun(*run) if run[0] is not None else None
