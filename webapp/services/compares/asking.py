"""What people ask for: two runs compared, once for each pair, by whoever may download both files."""

from __future__ import annotations

import uuid
from typing import Final

from sqlalchemy import func, select, update
from sqlalchemy.exc import IntegrityError

from exports.catalogue import Catalogue
from exports.compare import same_columns
from exports.errors.compare import TooManyWait
from webapp.extensions import db
from webapp.models import Compare, Run, User, clock
from webapp.queues import COMPARE, enqueue_after_commit
from webapp.services import audit, brands
from webapp.services.compares import keeping
from webapp.services.compares.runs import Compared, Day, check_rights, compared

TWO: Final = "Choose two runs to compare"
MOST_WAITING: Final = 10
"""Comparisons of a brand that may wait: one is carried out at a time, and each may take minutes."""


def ask(user: User, one: Run, other: Run, day: Day) -> Compare:
    """Have the files of two runs compared; the caller has looked at the user's rights to both exports.

    The same two runs give the same comparison, as long as there is something of it to see. `day`: when a run was, as
    the person's clock says it.

    Raises:
        CompareError: why they cannot be compared.
    """
    sides = check(user, one, other, day)
    known = of_pair(*(side.run for side in sides))
    if known is not None and is_of_use(known):
        return known
    waiting = select(func.count(Compare.id)).where(Compare.state == "queued")
    if (count := db.session.scalar(waiting) or 0) >= MOST_WAITING:
        raise TooManyWait(count=count)
    try:
        return _begin(user, sides, known)
    except IntegrityError:  # the other click of a double one was quicker
        db.session.rollback()
        found = of_pair(*(side.run for side in sides))
        if found is None:
            raise
        return found


def check(user: User, one: Run, other: Run, day: Day, catalogue: Catalogue | None = None) -> list[Compared]:
    """Both sides, the earlier one first, if they can be compared by this user. Raises CompareError."""
    catalogue = catalogue or brands.catalogue_of(user.brand)
    check_rights(user, one, other)
    sides = compared(in_time(one, other), catalogue, day)
    same_columns(sides[0].layout, sides[1].layout)
    return sides


def in_time(one: Run, other: Run) -> tuple[Run, Run]:
    """The earlier of two runs, and the later."""
    first, second = sorted((one, other), key=lambda run: (run.started_at or run.created_at, run.id))
    return first, second


def of_pair(earlier: Run, later: Run) -> Compare | None:
    """The comparison of two runs, if there is one."""
    wanted = select(Compare).where(Compare.earlier_id == earlier.id, Compare.later_id == later.id)
    return db.session.scalars(wanted).one_or_none()


def find(id: uuid.UUID) -> Compare | None:
    """A comparison of the present brand."""
    return db.session.scalars(select(Compare).where(Compare.id == id)).one_or_none()


def is_of_use(found: Compare) -> bool:
    """Whether it goes on, or has a result of which all can still be seen."""
    if found.state == "done":
        return keeping.is_kept(found) or not found.differences
    return found.is_live


def _begin(user: User, sides: list[Compared], known: Compare | None) -> Compare:
    """Put it into the queue, or answer at once what is known by the files' hashes alone; commits."""
    earlier, later = (side.run for side in sides)
    row = known or Compare(id=uuid.uuid4(), brand_id=user.brand_id, earlier_id=earlier.id, later_id=later.id)
    row.asked_by_id, row.created_at, row.cancel_requested_at, row.deaths = user.id, clock(), None, 0
    row.error_code = row.error_message = row.error_advice = row.error_detail = None
    row.same_bytes = earlier.sha256 == later.sha256
    if row.same_bytes:
        row.state, row.finished_at = "done", clock()
        row.added = row.removed = row.changed = 0
        row.unchanged = later.rows
    else:
        row.state, row.rows, row.started_at, row.finished_at = "queued", 0, None, None
    db.session.add(row)
    db.session.flush()
    audit.record("compare.requested", user, row, earlier=str(earlier.id), later=str(later.id))
    if row.state == "queued":
        enqueue_after_commit(COMPARE, row.id)
    db.session.commit()
    return row


def cancel(user: User, found: Compare) -> None:
    """**Cancel**: what waits is cancelled at once, what is in progress within seconds; what has ended stays."""
    silently = {"synchronize_session": False}
    waits = update(Compare).where(Compare.id == found.id, Compare.state == "queued").returning(Compare.id)
    ended = waits.values(state="cancelled", finished_at=clock(), cancel_requested_at=clock())
    if not db.session.execute(ended, execution_options=silently).all():
        goes_on = (Compare.id == found.id, Compare.state == "processing", Compare.cancel_requested_at.is_(None))
        asked = update(Compare).where(*goes_on).values(cancel_requested_at=clock()).returning(Compare.id)
        if not db.session.execute(asked, execution_options=silently).all():
            return
    audit.record("compare.cancelled", user, found)
    db.session.commit()


def progress(found: Compare, earlier: Run, later: Run) -> int | None:
    """Percent of the rows of both files that were read; None as long as that says nothing."""
    whole = earlier.rows + later.rows
    return min(99, found.rows * 100 // whole) if whole and found.state == "processing" else None
