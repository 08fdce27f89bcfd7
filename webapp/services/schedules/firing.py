"""Firing: every moment that has come becomes exactly one row of runs, and the export's next moment is moved.

Both in one transaction that holds the export's row: whoever else fires it, in whatever process, waits or passes it by,
and finds the moment moved. Nobody else makes runs of a schedule (RELIABILITY P1, P10; SPEC section 7).
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice, takewhile
from typing import Final

from pydantic import ValidationError
from sqlalchemy import Select, select

from exports import schedule as schedules
from exports.errors import Missed, MomentPassed, Overdue, Skipped
from exports.schedule.clock import ANY_SCHEDULE
from webapp.entries import arrange_after_commit
from webapp.extensions import db
from webapp.models import Export, ExportVersion, Run, clock
from webapp.models.states import LIVE
from webapp.queues import enqueue_after_commit
from webapp.services.progress import present
from webapp.services.runs.attempts import EXECUTE, reason_of
from webapp.services.runs.events import note
from webapp.services.telling import run_ended

log = logging.getLogger(__name__)

AT_ONCE: Final = 100
"""Exports that are fired in one transaction."""
ROWS_AT_ONCE: Final = 1_000
"""Moments of one export in one transaction: after a long time without service there may be very many."""
CATCH_UP: Final = timedelta(hours=24)
"""How old the latest missed moment may be to be run all the same."""


@dataclass(frozen=True)
class Fired:
    """What a firing did: exports it moved, runs it queued, moments at which nothing runs."""

    exports: int
    queued: int
    passed: int


def fire_due() -> Fired:
    """Fire what is due, of all exports in the caller's scope, at most AT_ONCE of them; commits."""
    due = _locked(select(Export).where(Export.next_run_at <= clock()).order_by(Export.next_run_at).limit(AT_ONCE))
    runs = fire(due, present()) if due else []
    db.session.commit()
    queued = sum(run.state == "queued" for run in runs)
    return Fired(len(due), queued, len(runs) - queued)


def _locked(wanted: Select[Export]) -> list[Export]:
    """The rows, less those that somebody else is firing. Runs may go on referring to them (key_share)."""
    held = wanted.with_for_update(skip_locked=True, key_share=True).execution_options(populate_existing=True)
    return list(db.session.scalars(held))


def fire(due: Sequence[Export], now: datetime) -> list[Run]:
    """Make the rows of all moments until `now` of exports whose rows the caller has locked; the caller commits.

    An export with more moments than ROWS_AT_ONCE stays due, and is fired again.
    """
    busy, known = _busy([export.id for export in due]), _known(due)
    made: list[Run] = []
    for export, schedule in _schedules(due):
        made += _fire(export, schedule, _Past(export.id in busy, known.get(export.id, frozenset()), now))
    db.session.add_all(made)
    for run in made:
        if run.state == "queued":
            note(run, "queued", by="schedule")
            enqueue_after_commit(EXECUTE, run.id)
    _tell_missed(due, made)
    for export in due:
        arrange_after_commit(export.id, export.next_run_at)
    return made


def _tell_missed(due: Sequence[Export], made: Sequence[Run]) -> None:
    """Mail about an On-date that passed without a run; of a repeated export the next moment is never far."""
    on_date = {export.id for export in due if export.schedule == "on_date"}
    for run in made:
        if run.export_id in on_date and run.state == "missed":
            run_ended(run)


def coming(limit: int) -> list[tuple[uuid.UUID, datetime]]:
    """The next moments that exports wait for, the soonest first, by the id of the export."""
    wanted = select(Export).where(Export.next_run_at.is_not(None)).order_by(Export.next_run_at).limit(limit)
    found = [(export.id, export.next_run_at) for export in db.session.scalars(wanted)]
    return [(id_, at) for id_, at in found if at is not None]


def _schedules(due: Sequence[Export]) -> list[tuple[Export, ANY_SCHEDULE | None]]:
    """Each export with the schedule of its present version; None for one that cannot be read or breaks a rule."""
    by_id = {export.id: export for export in due}
    present_version = select(Export.id, ExportVersion.definition["schedule"]).join(
        ExportVersion, (ExportVersion.export_id == Export.id) & (ExportVersion.number == Export.version)
    )
    rows = db.session.execute(present_version.where(Export.id.in_(by_id))).all()
    return [(by_id[id_], _read(id_, document)) for id_, document in rows]


def _read(export_id: uuid.UUID, document: object) -> ANY_SCHEDULE | None:
    try:
        schedule = schedules.read(document)
    except ValidationError:
        log.exception("export %s: its schedule cannot be read", export_id)
        return None
    if broken := schedules.problems(schedule):
        log.error("export %s: its schedule breaks a rule: %s", export_id, broken[0].message)
        return None
    return schedule


def _busy(ids: Collection[uuid.UUID]) -> set[uuid.UUID]:
    """The exports that have a run which has not ended."""
    return set(db.session.scalars(select(Run.export_id).where(Run.export_id.in_(ids), Run.state.in_(LIVE))))


def _known(due: Sequence[Export]) -> dict[uuid.UUID, set[datetime]]:
    """Moments that have their row already: the clock was set back, or the schedule changed to one that repeats one."""
    oldest = min(export.next_run_at for export in due if export.next_run_at is not None)
    wanted = select(Run.export_id, Run.scheduled_for).where(
        Run.export_id.in_([export.id for export in due]), Run.kind == "schedule", Run.scheduled_for >= oldest
    )
    found: dict[uuid.UUID, set[datetime]] = {}
    for export_id, moment in db.session.execute(wanted):
        found.setdefault(export_id, set()).add(moment)
    return found


@dataclass(frozen=True)
class _Past:
    """What is known of an export when it is fired."""

    is_busy: bool
    known: Collection[datetime]
    now: datetime


def _fire(export: Export, schedule: ANY_SCHEDULE | None, past: _Past) -> list[Run]:
    """The rows of one export's moments; its next moment and its newest run are moved."""
    due = list(islice(takewhile(lambda moment: moment <= past.now, _from_next_on(export, schedule)), ROWS_AT_ONCE))
    latest = due[-1]
    export.next_run_at = schedules.next_moment(schedule, latest) if schedule else None
    is_last = export.next_run_at is None or export.next_run_at > past.now
    is_late = is_last and past.now - latest > CATCH_UP
    reason = Overdue() if is_late else Missed(instead=f"The run of {_said(latest)}" if is_last else "A later run")
    runs = [_passed(export, moment, reason, past.now) for moment in due[:-1]]
    if not is_last or is_late:
        runs.append(_passed(export, latest, reason, past.now))
    elif past.is_busy:
        runs.append(_passed(export, latest, Skipped(), past.now))
    else:
        runs.append(_run(export, latest, "queued"))
    made = [run for run in runs if run.scheduled_for not in past.known]
    if made and not past.is_busy:
        export.latest_run_id = made[-1].id
    return made


def _from_next_on(export: Export, schedule: ANY_SCHEDULE | None) -> Iterator[datetime]:
    """The moment that the export waits for and those after it. If its schedule cannot be read, that one alone: its run
    says why.
    """
    if export.next_run_at is not None:
        yield export.next_run_at
        if schedule is not None:
            yield from schedules.moments(schedule, export.next_run_at)


def _said(moment: datetime) -> str:
    local = moment.astimezone(UTC)
    return f"{local.day} {local:%b %H:%M} UTC"


def _passed(export: Export, moment: datetime, reason: MomentPassed, now: datetime) -> Run:
    run = _run(export, moment, "skipped" if isinstance(reason, Skipped) else "missed")
    run.finished_at = now
    for column, text in reason_of(reason).items():
        setattr(run, column, text)
    return run


def _run(export: Export, moment: datetime, state: str) -> Run:
    """A run of the schedule is about its moment, also when it starts late: expressions and paths are of that moment."""
    return Run(
        id=uuid.uuid4(), brand_id=export.brand_id, export_id=export.id, version=export.version, kind="schedule",
        state=state, attempt=0, scheduled_for=moment, base_moment=moment,
    )  # fmt: skip
