"""The runs of an export, a page at a time by key, so that the last is as quick as the first (SPEC section 4, Logs)."""

from __future__ import annotations

import uuid
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache, cached_property
from typing import Final

from sqlalchemy import Select, func, select, tuple_

from webapp.extensions import db
from webapp.models import Export, Run, User, among, clock
from webapp.services.mail.results import Trouble, troubles

PER_PAGE: Final = 25
ORDER: Final = (Run.created_at, Run.scheduled_for, Run.id)
"""What orders runs: two moments of one firing were made at the same time."""


@dataclass(frozen=True)
class History:
    """One page of the runs of an export, newest first. `older` and `newer` lead to the pages beside it, empty where
    there is none; `is_newest` is the page on which new runs appear.
    """

    export: Export
    runs: Sequence[Run]
    older: str
    newer: str
    is_newest: bool

    @cached_property
    def first(self) -> int:
        """The number of the first run shown, the newest of all being 1."""
        if self.is_newest:
            return 1
        newer = tuple_(*ORDER) > tuple_(*_key(self.runs[0]))
        counted = select(func.count(Run.id)).where(Run.export_id == self.export.id, newer)
        return 1 + (db.session.scalar(counted) or 0)

    @cached_property
    def people(self) -> Mapping[uuid.UUID, str]:
        """The names of those who asked for a run or cancelled one, by their ids."""
        return people_of(self.runs)

    @cached_property
    def mail_troubles(self) -> Mapping[uuid.UUID, Trouble]:
        """Mails that could not be sent (yet), by the ids of the runs that they are about."""
        return troubles(self.runs)

    @property
    def version(self) -> str:
        """Changes with whatever a page shows of the runs, and of the export above them."""
        export = self.export
        about = (export.version, export.active, export.inactive_since, export.next_run_at)
        parts = [
            (run.id, run.state, run.attempt, run.failures, run.deaths, run.rows, run.artefact, run.cancel_requested_at)
            for run in self.runs
        ]
        return f"{zlib.crc32(repr((about, parts, self.mail_troubles)).encode()):08x}"


def history_of(export: Export, before: str = "", after: str = "", per_page: int = PER_PAGE) -> History:
    """The runs of an export older than a place which `History.older` gave, or newer than one of `History.newer`.

    Anything else is the first page.
    """
    wanted, key = select(Run).where(Run.export_id == export.id), tuple_(*ORDER)
    place, upwards = _place(before or after), not before
    if place is not None:
        wanted = wanted.where(key > tuple_(*place) if upwards else key < tuple_(*place))
    upwards = upwards and place is not None
    order = ORDER if upwards else tuple(column.desc() for column in ORDER)
    found = list(db.session.scalars(wanted.order_by(*order).limit(per_page + 1)))
    shown, is_cut = found[:per_page], len(found) > per_page
    if upwards:
        shown.reverse()
    has_older, is_newest = (True, not is_cut) if upwards else (is_cut, place is None)
    return History(
        export,
        shown,
        older=_cursor(shown[-1]) if shown and has_older else "",
        newer=_cursor(shown[0]) if shown and not is_newest else "",
        is_newest=is_newest,
    )


def people_of(runs: Iterable[Run]) -> Mapping[uuid.UUID, str]:
    """The names of those who asked for one of the runs or cancelled one, by their ids."""
    ids = {one for run in runs for one in (run.requested_by_id, run.cancel_requested_by_id) if one}
    if not ids:
        return {}
    return {user.id: user.name for user in db.session.execute(_named(), {"ids": list(ids)})}


@cache
def _named() -> Select[uuid.UUID, str]:
    return select(User.id, User.name).where(among(User.id))


def last_file_of(export: Export) -> Run | None:
    """The newest run of an export whose file can be downloaded."""
    has_file = (Run.state == "success", Run.artefact.is_not(None), Run.kept_until > clock())
    wanted = select(Run).where(Run.export_id == export.id, *has_file)
    return db.session.scalars(wanted.order_by(*(column.desc() for column in ORDER)).limit(1)).one_or_none()


def in_progress_of(export: Export) -> Run | None:
    """The run of an export that is in progress: there is never more than one (docs/runs.md)."""
    wanted = select(Run).where(Run.export_id == export.id, Run.state == "processing")
    return db.session.scalars(wanted.limit(1)).one_or_none()


def _key(run: Run) -> tuple[datetime, datetime, uuid.UUID]:
    return run.created_at, run.scheduled_for, run.id


def _cursor(run: Run) -> str:
    return f"{run.created_at.isoformat()}_{run.scheduled_for.isoformat()}_{run.id}"


def _place(text: str) -> tuple[datetime, datetime, uuid.UUID] | None:
    try:
        created, moment, id_ = text.split("_")
        place = datetime.fromisoformat(created), datetime.fromisoformat(moment), uuid.UUID(id_)
    except ValueError:
        return None
    return place if all(one.tzinfo for one in place[:2]) else None
