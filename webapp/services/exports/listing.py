"""The list of exports: search, filters, order, and pages by key, so that the last is as quick as the first."""

from __future__ import annotations

import base64
import json
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

from sqlalchemy import ColumnElement, Select, and_, func, or_, select, tuple_
from sqlalchemy.orm import joinedload

from webapp.extensions import db
from webapp.models import Export, Run, User
from webapp.models.states import LIVE, SHOWN_ON_EXPORT

PER_PAGE: Final = 50
COUNTED: Final = 10_000
"""More exports than this are told as "more than": counting 100,000 rows for each keystroke takes most of the time."""
INDEXED: Final = 3
"""A search of fewer characters looks at the beginning of names only (SPEC section 2)."""

Sort = Literal["created", "-created", "name", "-name"]
SORTS: Final[tuple[Sort, ...]] = ("-created", "created", "name", "-name")
STATUSES: Final = ("Pending", "Processing", "Finished", "Failed", "Cancelled", "Active", "Inactive")


@dataclass(frozen=True)
class ListQuery:
    """What is asked of the list. `at` is the opaque place of a page, as `Page.after` or `Page.before` gave it."""

    search: str = ""
    status: str = ""
    model: str = ""
    mine: bool = False
    failed: bool = False
    archived: bool = False
    sort: Sort = "-created"
    at: str = ""
    per_page: int = PER_PAGE


@dataclass(frozen=True)
class Page:
    """One page. `after` and `before` lead to the next and the previous one, empty where there is none.

    `total` is the number of all exports found, at most COUNTED; `more_than_counted` says that there are more.
    """

    exports: Sequence[Export]
    after: str
    before: str
    total: int
    more_than_counted: bool


def page(user: User, query: ListQuery) -> Page:
    """One page of the brand's exports, each with its newest run and its people."""
    conditions = _conditions(user, query)
    place = _place(query)
    found = list(db.session.scalars(_rows(query, conditions, place)).unique())
    backwards = place is not None and place.backwards
    is_cut = len(found) > query.per_page
    found = found[: query.per_page]
    if backwards:
        found.reverse()
    counted = select(Export.id).where(*conditions).limit(COUNTED + 1).subquery()
    total = db.session.scalar(select(func.count()).select_from(counted)) or 0
    has_next = bool(found) and (backwards or is_cut)
    has_previous = bool(found) and (is_cut if backwards else place is not None)
    return Page(
        exports=found,
        after=_cursor(query, found[-1], backwards=False) if has_next else "",
        before=_cursor(query, found[0], backwards=True) if has_previous else "",
        total=min(total, COUNTED),
        more_than_counted=total > COUNTED,
    )


def of_ids(ids: Iterable[uuid.UUID]) -> Sequence[Export]:
    """The brand's exports with these ids and their newest runs, in one question: for the live rows of a list."""
    wanted = select(Export).where(Export.id.in_(list(ids)), Export.deleted_at.is_(None))
    return db.session.scalars(wanted.options(joinedload(Export.latest_run))).all()


# --- conditions ---


def _conditions(user: User, query: ListQuery) -> list[ColumnElement[bool]]:
    aside = Export.archived_at.is_not(None) if query.archived else Export.archived_at.is_(None)
    conditions: list[ColumnElement[bool]] = [aside, Export.deleted_at.is_(None)]
    if query.search:
        conditions.append(_named_like(query.search))
    if query.status:
        conditions.append(_has_status(query.status))
    if query.model:
        conditions.append(Export.model == query.model)
    if query.mine:
        conditions.append(Export.owner_id == user.id)
    if query.failed:
        conditions.append(_newest_run_is("failed"))
    return conditions


def _named_like(search: str) -> ColumnElement[bool]:
    literal = search.lower().replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    pattern = f"%{literal}%" if len(search) >= INDEXED else f"{literal}%"
    return func.lower(Export.name).like(pattern, escape="\\")


def _newest_run_is(*states: str) -> ColumnElement[bool]:
    return select(Run.id).where(Run.id == Export.latest_run_id, Run.state.in_(states)).exists()


def _has_status(status: str) -> ColumnElement[bool]:
    if status in ("Active", "Inactive"):
        return Export.active.is_(status == "Active")
    states = [state for state, shown in SHOWN_ON_EXPORT.items() if shown == status]
    shown = _newest_run_is(*states)
    is_waiting = and_(Export.next_run_at.is_not(None), ~_newest_run_is(*LIVE))
    never_ran = Export.latest_run_id.is_(None)
    shown = or_(shown, never_ran, is_waiting) if status == "Pending" else and_(shown, ~is_waiting)
    return and_(Export.active.is_(None), shown)


# --- order and pages ---


@dataclass(frozen=True)
class _Place:
    key: str | datetime
    id: uuid.UUID
    backwards: bool


def _rows(query: ListQuery, conditions: list[ColumnElement[bool]], place: _Place | None) -> Select[Export]:
    column: Any = Export.name if query.sort.endswith("name") else Export.created_at
    descending = query.sort.startswith("-") != (place is not None and place.backwards)
    wanted = select(Export).where(*conditions)
    if place is not None:
        here, there = tuple_(column, Export.id), tuple_(place.key, place.id)
        wanted = wanted.where(here < there if descending else here > there)
    order = (column.desc(), Export.id.desc()) if descending else (column, Export.id)
    people = (joinedload(Export.owner), joinedload(Export.created_by), joinedload(Export.latest_run))
    return wanted.order_by(*order).limit(query.per_page + 1).options(*people)


def _cursor(query: ListQuery, export: Export, *, backwards: bool) -> str:
    key = export.name if query.sort.endswith("name") else export.created_at.isoformat()
    text = json.dumps([key, str(export.id), backwards])
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _place(query: ListQuery) -> _Place | None:
    """Read a cursor; one that is not ours, or of another order, means the first page."""
    if not query.at:
        return None
    try:
        key, id_, backwards = json.loads(base64.urlsafe_b64decode(query.at + "=" * (-len(query.at) % 4)))
        if not isinstance(key, str) or "\x00" in key or not isinstance(backwards, bool):
            return None
        key.encode()
        moment = key if query.sort.endswith("name") else datetime.fromisoformat(key)
        if isinstance(moment, datetime) and moment.utcoffset() is None:
            return None
        return _Place(moment, uuid.UUID(id_), backwards)
    except (ValueError, TypeError, AttributeError):
        return None
