"""The list of exports, or of their runs: search, filters, order, and pages by key."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final, Generic, Literal, TypeVar

from sqlalchemy import ColumnElement, Select, Text, bindparam, func, literal_column, or_, select, true
from sqlalchemy.orm import joinedload

from webapp.extensions import db
from webapp.models import ITS_RUNS, Export, Run, User, among
from webapp.models.states import SHOWN_ON_EXPORT
from webapp.services.exports import keyset
from webapp.services.exports.keyset import Place
from webapp.services.exports.saving import with_people
from webapp.services.exports.shown import Shown, asked, read
from webapp.services.names import named

PER_PAGE: Final = 25
COUNTED: Final = 1_000
"""More exports than this are told as "more than": to count them takes longer than to find a page of them."""
COUNTED_SLOWLY: Final = 100
"""The same where names or runs must be looked at."""
FEW: Final = 2_000
"""So many exports are asked one by one for their runs, 3 µs each. Of more the runs lie so close together that walking
along all runs finds a page of them sooner.
"""

Row = TypeVar("Row")
Sort = Literal["created", "-created", "name", "-name"]
SORTS: Final[tuple[Sort, ...]] = ("-created", "created", "name", "-name")
OF_REPEATED: Final = ("Active", "Inactive")
STATUSES: Final = ("Pending", "Processing", "Finished", "Failed", "Cancelled", *OF_REPEATED)


@dataclass(frozen=True)
class ListQuery:
    """What is asked of the list. `at` is the opaque place of a page, as `Page.after` or `Page.before` gave it.

    `runs`: each run is a row of its own, and `status` is about the run: what a one-off would show of it.
    """

    search: str = ""
    status: str = ""
    model: str = ""
    mine: bool = False
    failed: bool = False
    archived: bool = False
    runs: bool = False
    sort: Sort = "-created"
    at: str = ""
    per_page: int = PER_PAGE

    @property
    def by_name(self) -> bool:
        """Whether names make the order, and not moments."""
        return self.sort.endswith("name")

    @property
    def descending(self) -> bool:
        """Whether the last name or the newest stands first."""
        return self.sort.startswith("-")

    @property
    def is_about_runs(self) -> bool:
        """Whether the status is one of runs."""
        return self.runs and self.status not in ("", *OF_REPEATED)

    @property
    def states(self) -> list[str]:
        """The states of runs that the status means."""
        return [state for state, shown in SHOWN_ON_EXPORT.items() if shown == self.status]

    @property
    def narrows_exports(self) -> bool:
        """Whether anything is asked of exports themselves."""
        narrow = self.search or self.model or self.mine or self.failed or self.archived
        return bool(narrow) or self.status in OF_REPEATED

    @property
    def most_counted(self) -> int:
        """How far is counted."""
        return COUNTED_SLOWLY if self.search or self.runs else COUNTED


@dataclass(frozen=True)
class Page(Generic[Row]):
    """One page. `after` and `before` lead to the next and the previous one, empty where there is none.

    `total` is the number of all rows found, at most as many as are counted; `more_than_counted`: there are more.
    """

    rows: Sequence[Row]
    after: str
    before: str
    total: int
    more_than_counted: bool


def page(user: User, query: ListQuery) -> Page[Shown]:
    """What lists show of one page of the brand's exports, each with its newest run; or of the runs of all of them."""
    at = keyset.place(query.at, by_name=query.by_name)
    of_export = _of_export(user, query)
    if query.runs:
        wanted = select(Run.id).join(Export, ITS_RUNS).where(*of_export, *_of_run(query))
        if query.narrows_exports and _count(select(Export.id).where(*of_export), FEW) <= FEW:
            return _from_indexes(query, at, wanted, _of_each(of_export, query, at), query.per_page)
        return _from_indexes(query, at, wanted, _ordered(wanted, Run.created_at, Run.id, query, at), _most(query, at))
    wanted = select(Export.id).where(*of_export)
    if query.search:
        ordered = _ordered(wanted, Export.created_at, Export.id, query, at)
        return _from_indexes(query, at, wanted, ordered, _most(query, at))
    most: Any = query.most_counted + 1
    page_and_one: Any = query.per_page + 1
    if not query.mine:
        # PostgreSQL keeps a plan only if these are constants. A kept plan is wrong for a rare status or model, so those
        # are constants too and have plans of their own; whose exports are asked for is planned each time.
        most, page_and_one = literal_column(f"{most}"), literal_column(f"{page_and_one}")
    counting = asked().add_columns(_counting(wanted, most).scalar_subquery()).where(*of_export)
    found = db.session.execute(_ordered(counting, Export.created_at, Export.id, query, at).limit(page_and_one)).all()
    total = found[0][-1] if found else None
    return _page(query, at, [read(row) for row in found], wanted, lambda row: row[0], lambda row: row[0].name, total)


def whole_page(user: User, query: ListQuery) -> Page[Export]:
    """The exports of a page, with their newest runs, owners and makers, for programs. Runs are not asked for here."""
    at = keyset.place(query.at, by_name=query.by_name)
    of_export = _of_export(user, query)
    wanted = select(Export).where(*of_export).options(*with_people(), joinedload(Export.latest_run))
    ordered = _ordered(wanted, Export.created_at, Export.id, query, at).limit(query.per_page + 1)
    rows = db.session.scalars(ordered).all()
    return _page(query, at, rows, select(Export.id).where(*of_export), lambda row: row, lambda row: row.name)


def _page(
    query: ListQuery,
    at: Place | None,
    rows: Sequence[Row],
    wanted: Select[Any],
    thing: Callable[[Row], Any],
    name: Callable[[Row], str],
    total: int | None = None,
) -> Page[Row]:
    """Cut what was found to a page. `thing`: what makes the order of a row, by its moment or its name, and its id.

    `total`: how many are `wanted`, if they were counted with what was found.
    """
    found, behind, before = keyset.cut(rows, at, query.per_page)
    if total is None:  # a first page that is also the last has counted itself
        total = _count(wanted, query.most_counted) if behind or at else len(found)
    return _linked(query, found, behind, before, total, thing, name)


def _linked(
    query: ListQuery,
    found: Sequence[Row],
    behind: bool,
    before: bool,
    total: int,
    thing: Callable[[Row], Any],
    name: Callable[[Row], str],
) -> Page[Row]:
    """A page that is cut already, with what leads on from it."""

    def leads(row: Row, backwards: bool) -> str:
        moved = name(row) if query.by_name else thing(row).created_at
        return keyset.cursor(moved, thing(row).id, backwards=backwards)

    return Page(
        rows=found,
        after=leads(found[-1], False) if found and behind else "",
        before=leads(found[0], True) if found and before else "",
        total=min(total, query.most_counted),
        more_than_counted=total > query.most_counted,
    )


def _most(query: ListQuery, at: Place | None) -> int:
    """On a first page as many as are counted: to look for them takes less than to count them apart."""
    return query.per_page if at else max(query.per_page, query.most_counted)


def _from_indexes(
    query: ListQuery, at: Place | None, wanted: Select[Any], ordered: Select[Any], most: int
) -> Page[Shown]:
    """First which, from indexes alone, then those few with everything about them. `most`: how many are looked for."""
    ids = list(db.session.scalars(ordered.limit(most + 1)))
    # Cut before their rows are read: one that is gone by then makes its page shorter, and no other page the last.
    of_page, behind, before = keyset.cut(ids[: query.per_page + 1], at, query.per_page)
    has_counted = most > query.per_page or not (behind or at)
    total = len(ids) if has_counted else _count(wanted, query.most_counted)
    shown: list[Shown] = []
    if of_page:
        shown = shown_runs_of_ids(of_page) if query.runs else shown_of_ids(of_page)

    def thing(row: Shown) -> Any:
        return row[1 if query.runs else 0]

    by_id = {thing(row).id: row for row in shown}
    rows = [by_id[id] for id in of_page if id in by_id]
    return _linked(query, rows, behind, before, total, thing, lambda row: row[0].name)


def _of_each(of_export: Sequence[ColumnElement[bool]], query: ListQuery, at: Place | None) -> Select[Any]:
    """The same of few exports: a page of the runs of each, and of those the first ones."""
    own = select(Run.id, Run.created_at).where(ITS_RUNS, *_of_run(query)).correlate(Export)
    page_of_each = _ordered(own, Run.created_at, Run.id, query, at).limit(query.per_page + 1).lateral("page_of_each")
    wanted = select(page_of_each.c.id).select_from(Export).join(page_of_each, true()).where(*of_export)
    return _ordered(wanted, page_of_each.c.created_at, page_of_each.c.id, query, at)


def _ordered(wanted: Any, moment: Any, id: Any, query: ListQuery, at: Place | None) -> Select[Any]:
    key = Export.name if query.by_name else moment
    return keyset.ordered(wanted, key, id, at, descending=query.descending)


def _count(wanted: Select[Any], most: int) -> int:
    return db.session.scalar(_counting(wanted, most + 1)) or 0


def _counting(wanted: Select[Any], most: Any) -> Select[int]:
    return select(func.count()).select_from(wanted.limit(most).subquery())


def shown_of_ids(ids: Sequence[uuid.UUID]) -> list[Shown]:
    """The brand's exports with these ids and their newest runs, in one question, in no order."""
    return [read(row) for row in db.session.execute(_of_ids(), {"ids": ids})]


def shown_runs_of_ids(ids: Sequence[uuid.UUID]) -> list[Shown]:
    """The brand's runs with these ids, each with its export."""
    return [read(row) for row in db.session.execute(_of_ids(of_runs=True), {"ids": ids})]


@cache
def _of_ids(*, of_runs: bool = False) -> Select[*tuple[Any, ...]]:
    return asked(of_runs=of_runs).where(among(Run.id if of_runs else Export.id), Export.deleted_at.is_(None))


def of_ids(ids: Iterable[uuid.UUID]) -> Sequence[Export]:
    """The brand's exports with these ids, to do something to them."""
    return db.session.scalars(select(Export).where(Export.id.in_(list(ids)), Export.deleted_at.is_(None))).all()


# --- conditions ---


def _of_export(user: User, query: ListQuery) -> list[ColumnElement[bool]]:
    aside = Export.archived_at.is_not(None) if query.archived else Export.archived_at.is_(None)
    conditions: list[ColumnElement[bool]] = [aside, Export.deleted_at.is_(None)]
    if query.search:
        conditions.append(named(query.search))
    if query.status and not query.is_about_runs:
        conditions.append(Export.status == _constant(query.status))
    if query.model:
        conditions.append(Export.model == _constant(query.model))
    if query.mine:
        conditions.append(Export.owner_id == user.id)
    if query.failed:
        conditions.append(Export.latest_state == _constant("failed"))
    return conditions


def _constant(word: str) -> ColumnElement[str]:
    """In the statement itself and no parameter of it: only so does the planner know which index will do."""
    return bindparam(None, word, Text(), literal_execute=True)


def _of_run(query: ListQuery) -> list[ColumnElement[bool]]:
    """Most exports have one run and know its state: only the others are asked for theirs on the way."""
    if not query.is_about_runs:
        return []
    return [Run.state.in_(query.states), or_(Export.latest_state.in_(query.states), Export.several_runs)]
