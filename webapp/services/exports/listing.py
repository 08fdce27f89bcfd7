"""The list of exports, or of their runs: search, filters, order, and pages by key."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from sqlalchemy import ColumnElement, Select, func, literal_column, or_, select, true
from sqlalchemy.orm import joinedload, lazyload, load_only

from webapp.extensions import db
from webapp.models import ITS_RUNS, Export, Run, User
from webapp.models.states import SHOWN_ON_EXPORT
from webapp.services.exports import keyset
from webapp.services.exports.keyset import Place
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

Sort = Literal["created", "-created", "name", "-name"]
SORTS: Final[tuple[Sort, ...]] = ("-created", "created", "name", "-name")
OF_REPEATED: Final = ("Active", "Inactive")
STATUSES: Final = ("Pending", "Processing", "Finished", "Failed", "Cancelled", *OF_REPEATED)
Rows = list[tuple[Export, Run | None]]
"""Each export with the run that the row is about, if it is about one."""


SHOWN: Final = load_only(
    Run.brand_id, Run.export_id, Run.state, Run.created_at, Run.scheduled_for, Run.started_at, Run.expected_rows,
    Run.rows, Run.bytes, Run.sha256, Run.error_message, raiseload=True,
)  # fmt: skip
"""What lists show of a run: reading and keeping all of it takes longer than finding it."""


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
        asked = self.search or self.model or self.mine or self.failed or self.archived
        return bool(asked) or self.status in OF_REPEATED

    @property
    def most_counted(self) -> int:
        """How far is counted."""
        return COUNTED_SLOWLY if self.search or self.runs else COUNTED


@dataclass(frozen=True)
class Page:
    """One page. `after` and `before` lead to the next and the previous one, empty where there is none.

    `runs`, if runs were asked for: the run of each row; `exports` has its export at the same place.
    `total` is the number of all rows found, at most as many as are counted; `more_than_counted`: there are more.
    """

    exports: Sequence[Export]
    after: str
    before: str
    total: int
    more_than_counted: bool
    runs: Sequence[Run] = ()


def page(user: User, query: ListQuery, *, whole: bool = False) -> Page:
    """One page of the brand's exports, each with its newest run and its people; or of the runs of all of them.

    Of a newest run there is what a list shows, or the `whole` of it.
    """
    at = keyset.place(query.at, by_name=query.by_name)
    of_export = _of_export(user, query)
    if query.runs:
        wanted = select(Run.id).join(Export, ITS_RUNS).where(*of_export, *_of_run(query))
        rows = _runs(wanted, of_export, query, at)
    else:
        wanted = select(Export.id).where(*of_export)
        rows = _exports(of_export, query, at, whole)
    found, behind, before = keyset.cut(rows, at, query.per_page)
    # A first page that is also the last has counted itself.
    total = _count(wanted, query.most_counted) if behind or at else len(found)

    def leads(row: tuple[Export, Run | None], backwards: bool) -> str:
        export, run = row
        moved = export.name if query.by_name else (run or export).created_at
        return keyset.cursor(moved, (run or export).id, backwards=backwards)

    return Page(
        exports=[export for export, _run in found],
        after=leads(found[-1], False) if behind else "",
        before=leads(found[0], True) if before else "",
        total=min(total, query.most_counted),
        more_than_counted=total > query.most_counted,
        runs=[run for _export, run in found if run is not None],
    )


def _exports(of_export: Sequence[ColumnElement[bool]], query: ListQuery, at: Place | None, whole: bool) -> Rows:
    run = joinedload(Export.latest_run)
    wanted = select(Export).where(*of_export).options(*_people(whole), run if whole else run.options(SHOWN))
    ordered = _ordered(wanted, Export.created_at, Export.id, query, at)
    return [(export, None) for export in db.session.scalars(ordered).unique()]


def _runs(wanted: Select[Any], of_export: Sequence[ColumnElement[bool]], query: ListQuery, at: Place | None) -> Rows:
    """First which, from indexes alone, then those few with their exports."""
    if query.narrows_exports and _count(select(Export.id).where(*of_export), FEW) <= FEW:
        ordered = _of_each(of_export, query, at)
    else:
        ordered = _ordered(wanted, Run.created_at, Run.id, query, at)
    ids = list(db.session.scalars(ordered))
    found = {run.id: (export, run) for export, run in runs_of_ids(ids)}
    return [found[id] for id in ids if id in found]


def _of_each(of_export: Sequence[ColumnElement[bool]], query: ListQuery, at: Place | None) -> Select[Any]:
    """The same of few exports: a page of the runs of each, and of those the first ones."""
    own = select(Run.id, Run.created_at).where(ITS_RUNS, *_of_run(query)).correlate(Export)
    page_of_each = _ordered(own, Run.created_at, Run.id, query, at).lateral("page_of_each")
    wanted = select(page_of_each.c.id).select_from(Export).join(page_of_each, true()).where(*of_export)
    return _ordered(wanted, page_of_each.c.created_at, page_of_each.c.id, query, at)


def _ordered(wanted: Any, moment: Any, id: Any, query: ListQuery, at: Place | None) -> Select[Any]:
    key = Export.name if query.by_name else moment
    return keyset.ordered(wanted, key, id, at, query.per_page, descending=query.descending)


def _people(whole: bool = False) -> list[Any]:
    """Their names alone: each row brings the person again. Lists show no owner, and nobody but them who paused it."""
    names = (load_only(User.name, User.email, User.brand_id), lazyload(User.brand))
    shown = (Export.created_by, Export.owner if whole else Export.inactive_by)
    return [joinedload(one).options(*names) for one in shown]


def _count(wanted: Select[Any], most: int) -> int:
    counted = wanted.limit(most + 1).subquery()
    return db.session.scalar(select(func.count()).select_from(counted)) or 0


def of_ids(ids: Iterable[uuid.UUID]) -> Sequence[Export]:
    """The brand's exports with these ids and their newest runs, in one question: for the live rows of a list."""
    wanted = select(Export).where(Export.id.in_(list(ids)), Export.deleted_at.is_(None))
    return db.session.scalars(wanted.options(*_people(), joinedload(Export.latest_run))).all()


def runs_of_ids(ids: Iterable[uuid.UUID]) -> list[tuple[Export, Run]]:
    """The brand's runs with these ids, each with its export: the same for the live rows of a list of runs."""
    wanted = select(Export, Run).join(Run, ITS_RUNS).where(Run.id.in_(list(ids)), Export.deleted_at.is_(None))
    return [(export, run) for export, run in db.session.execute(wanted.options(*_people(), SHOWN)).all()]


# --- conditions ---


def _of_export(user: User, query: ListQuery) -> list[ColumnElement[bool]]:
    aside = Export.archived_at.is_not(None) if query.archived else Export.archived_at.is_(None)
    conditions: list[ColumnElement[bool]] = [aside, Export.deleted_at.is_(None)]
    if query.search:
        conditions.append(named(query.search))
    if query.status and not query.is_about_runs:
        conditions.append(Export.status == query.status)
    if query.model:
        conditions.append(Export.model == query.model)
    if query.mine:
        conditions.append(Export.owner_id == user.id)
    if query.failed:
        # A constant and no parameter: only so does the planner know that the index of the failed ones will do.
        conditions.append(Export.latest_state == literal_column("'failed'"))
    return conditions


def _of_run(query: ListQuery) -> list[ColumnElement[bool]]:
    """Most exports have one run and know its state: only the others are asked for theirs on the way."""
    if not query.is_about_runs:
        return []
    return [Run.state.in_(query.states), or_(Export.latest_state.in_(query.states), Export.several_runs)]
