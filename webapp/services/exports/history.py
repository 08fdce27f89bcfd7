"""The runs of an export, a page at a time by key, so that the last is as quick as the first (SPEC section 4, Logs)."""

from __future__ import annotations

import uuid
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Final

from sqlalchemy import func, select, tuple_

from webapp.extensions import db
from webapp.models import Export, Run

PER_PAGE: Final = 50


@dataclass(frozen=True)
class History:
    """One page of the runs of an export, newest first. `older` leads to the next page, empty on the last."""

    export: Export
    runs: Sequence[Run]
    older: str

    @cached_property
    def total(self) -> int:
        """How many runs there are in all: counted when it is shown, not with every poll."""
        return db.session.scalar(select(func.count(Run.id)).where(Run.export_id == self.export.id)) or 0

    @property
    def version(self) -> str:
        """Changes with whatever a page shows of the runs, and of the export above them."""
        export = self.export
        about = (export.version, export.active, export.inactive_since, export.next_run_at)
        parts = [(run.id, run.state, run.started_at, run.finished_at, run.artefact) for run in self.runs]
        return f"{zlib.crc32(repr((about, parts)).encode()):08x}"


def history_of(export: Export, before: str = "", per_page: int = PER_PAGE) -> History:
    """The runs of an export that come before a place which `History.older` gave; anything else is the first page."""
    wanted = select(Run).where(Run.export_id == export.id)
    if (place := _place(before)) is not None:
        wanted = wanted.where(tuple_(Run.created_at, Run.scheduled_for, Run.id) < tuple_(*place))
    order = (Run.created_at.desc(), Run.scheduled_for.desc(), Run.id.desc())
    found = list(db.session.scalars(wanted.order_by(*order).limit(per_page + 1)))
    shown = found[:per_page]
    return History(export, shown, _cursor(shown[-1]) if len(found) > per_page else "")


def _cursor(run: Run) -> str:
    return f"{run.created_at.isoformat()}_{run.scheduled_for.isoformat()}_{run.id}"


def _place(text: str) -> tuple[datetime, datetime, uuid.UUID] | None:
    try:
        created, moment, id_ = text.split("_")
        place = datetime.fromisoformat(created), datetime.fromisoformat(moment), uuid.UUID(id_)
    except ValueError:
        return None
    return place if all(one.tzinfo for one in place[:2]) else None
