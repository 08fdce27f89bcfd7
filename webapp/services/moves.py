"""Carries out what the table of states allows (webapp/models/states.py): the only place where a state is changed."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Update, select, update

from webapp.entries import arrange_after_commit
from webapp.models import ITS_RUNS, Export, Run, clock
from webapp.models.states import EVEN_ARCHIVED, EXPORTS, RUNS, SOURCE, ExportEvent, RunEvent


def moved(event: RunEvent, *, by: Any, skip_locked: bool = False, **values: Any) -> Update:
    """The compare-and-set of a run's event: changes the rows that satisfy `by` and are in the state the table wants.

    `by` names one run, or runs of an export whose row the caller holds. The export's row is held before the run's, as
    by whoever does something with an export and its runs: its `latest_state` changes with the run (docs/runs.md).
    `skip_locked`: nothing is changed, and nobody waited for, while somebody else holds it.
    """
    source = SOURCE[event]
    target = RUNS[source, event]
    released = {} if target == "processing" else {"lease_until": None, "worker": None, "phase": None}
    locking = select(Export.id).join(Run, ITS_RUNS).where(by)
    held = locking.with_for_update(key_share=True, of=Export, skip_locked=skip_locked).cte("held")
    changing = update(Run).where(by, Run.export_id == held.c.id, Run.state == source)
    return changing.values(state=target, **{**released, **values})


def allows(export: Export, event: ExportEvent) -> bool:
    """Whether the table has this move for an export as it is."""
    if (event in EVEN_ARCHIVED) != (export.archived_at is not None) and event != "deleted":
        return False
    return (export.state, event) in EXPORTS


def move(export: Export, event: ExportEvent) -> bool:
    """Carry out an event on an export whose row the caller holds; the caller commits. False: nothing was done.

    What waits for no moment afterwards has none, also for the clock; the next moment of one that does wait is the
    caller's to set (`schedules.plan`). Rows of what is `deleted` are the caller's to delete.
    """
    if not allows(export, event):
        return False
    before = export.state
    target = EXPORTS[before, event]
    if event in ("archived", "restored"):
        export.archived_at = clock() if event == "archived" else None
    if target in ("active", "inactive"):
        export.active = target == "active"
    if target != before and target in ("idle", "inactive", "deleted"):
        export.next_run_at = None
        arrange_after_commit(export.id, None)
    return True
