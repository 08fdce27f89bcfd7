"""The list of exports, or of their runs: search, filters, order, and pages by key."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from sqlalchemy import ColumnElement, and_, func, select, union_all
from sqlalchemy.orm import joinedload, lazyload, load_only

from webapp.extensions import db
from webapp.models import Export, Run, User
from webapp.models.states import LIVE, SHOWN_ON_EXPORT
from webapp.services.exports import keyset
from webapp.services.names import named

PER_PAGE: Final = 25
COUNTED: Final = 10_000
"""More exports than this are told as "more than": counting 100,000 rows for each keystroke takes most of the time."""
COUNTED_SLOWLY: Final = 500
"""The same where one index does not say it all: names, runs, or a filter."""

Sort = Literal["created", "-created", "name", "-name"]
SORTS: Final[tuple[Sort, ...]] = ("-created", "created", "name", "-name")
STATUSES: Final = ("Pending", "Processing", "Finished", "Failed", "Cancelled", "Active", "Inactive")


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
    def most_counted(self) -> int:
        """How far is counted."""
        filtered = self.search or self.model or self.mine or self.failed or self.runs
        quick = not filtered and self.status in ("", "Active", "Inactive")
        return COUNTED if quick else COUNTED_SLOWLY


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

    Of a run there is what a list shows, or the `whole` of it.
    """
    conditions = _conditions(user, query)
    at = keyset.place(query.at, by_name=query.by_name)
    row, key = (Run, Run.created_at) if query.runs else (Export, Export.created_at)
    wanted = select(row).where(*conditions)
    if query.runs:
        wanted = wanted.join(Export, and_(Export.brand_id == Run.brand_id, Export.id == Run.export_id))
    if query.by_name:
        key = Export.name  # type: ignore[assignment]
    ordered = keyset.ordered(wanted, key, row.id, at, query.per_page, descending=query.descending)
    found, behind, before = keyset.cut(_rows(ordered, query, whole), at, query.per_page)
    # A first page that is also the last has counted itself.
    total = _count(wanted, row.id, query.most_counted) if behind or at else len(found)

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


def _rows(wanted: Any, query: ListQuery, whole: bool) -> list[tuple[Export, Run | None]]:
    """Each export with the run that the row is about, if it is about one."""
    if not query.runs:
        run = joinedload(Export.latest_run)
        wanted = wanted.options(*_people(), run if whole else run.options(SHOWN))
        return [(export, None) for export in db.session.scalars(wanted).unique()]
    wanted = wanted.options(*_people()) if whole else wanted.options(*_people(), SHOWN)
    return [(export, run) for run, export in db.session.execute(wanted.add_columns(Export)).all()]


def _people() -> list[Any]:
    """Their names alone: each row brings the person again."""
    names = (load_only(User.name, User.email, User.brand_id), lazyload(User.brand))
    return [joinedload(one).options(*names) for one in (Export.owner, Export.created_by, Export.inactive_by)]


def _count(wanted: Any, id: Any, most: int) -> int:
    counted = wanted.with_only_columns(id).limit(most + 1).subquery()
    return db.session.scalar(select(func.count()).select_from(counted)) or 0


def of_ids(ids: Iterable[uuid.UUID]) -> Sequence[Export]:
    """The brand's exports with these ids and their newest runs, in one question: for the live rows of a list."""
    wanted = select(Export).where(Export.id.in_(list(ids)), Export.deleted_at.is_(None))
    return db.session.scalars(wanted.options(*_people(), joinedload(Export.latest_run))).all()


def runs_of_ids(ids: Iterable[uuid.UUID]) -> list[tuple[Export, Run]]:
    """The brand's runs with these ids, each with its export: the same for the live rows of a list of runs."""
    both = and_(Export.brand_id == Run.brand_id, Export.id == Run.export_id)
    wanted = select(Export, Run).join(Run, both).where(Run.id.in_(list(ids)), Export.deleted_at.is_(None))
    return [(export, run) for export, run in db.session.execute(wanted.options(*_people())).all()]


# --- conditions ---


def _conditions(user: User, query: ListQuery) -> list[ColumnElement[bool]]:
    aside = Export.archived_at.is_not(None) if query.archived else Export.archived_at.is_(None)
    conditions: list[ColumnElement[bool]] = [aside, Export.deleted_at.is_(None)]
    if query.search:
        conditions.append(named(query.search))
    if query.status:
        conditions.append(_has_status(query.status, of_runs=query.runs))
    if query.model:
        conditions.append(Export.model == query.model)
    if query.mine:
        conditions.append(Export.owner_id == user.id)
    if query.failed:
        conditions.append(_newest_run_is("failed"))
    return conditions


def _newest_run_is(*states: str) -> ColumnElement[bool]:
    newest = (Run.brand_id == Export.brand_id, Run.id == Export.latest_run_id)
    return select(Run.id).where(*newest, Run.state.in_(states)).correlate(Export).exists()


def _has_status(status: str, *, of_runs: bool) -> ColumnElement[bool]:
    if status in ("Active", "Inactive"):
        return and_(Export.active.is_not(None), Export.active.is_(status == "Active"))
    states = [state for state, shown in SHOWN_ON_EXPORT.items() if shown == status]
    if of_runs:
        return Run.state.in_(states)
    if status == "Pending":
        return and_(Export.active.is_(None), _is_pending())
    is_waiting = and_(Export.next_run_at.is_not(None), ~_newest_run_is(*LIVE))
    return and_(Export.active.is_(None), _newest_run_is(*states), ~is_waiting)


def _is_pending() -> ColumnElement[bool]:
    """Few are, and each kind of them has an index to be found by: all of them are looked up."""
    queued = select(Export.id).join(Run, Run.id == Export.latest_run_id).where(Run.state == "queued")
    never_ran = select(Export.id).where(Export.latest_run_id.is_(None))
    waits = select(Export.id).where(Export.next_run_at.is_not(None), ~_newest_run_is(*LIVE))
    return Export.id.in_(union_all(queued, never_ran, waits))
