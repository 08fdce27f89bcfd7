"""What keeps the house in order, for all brands: the sweep, and what has outlived its time (SPEC section 10)."""

from __future__ import annotations

import logging
import threading
import uuid
from datetime import timedelta
from itertools import islice, takewhile
from typing import Final

from sqlalchemy import CursorResult, Select, delete, select, update

from webapp.extensions import db
from webapp.models import Draft, Run, clock, system_scope
from webapp.models.sessions import remove_expired
from webapp.services import artefacts, runs
from webapp.services.runs.events import note

log = logging.getLogger("jobs.upkeep")

DRAFTS_KEPT: Final = timedelta(days=30)
AT_ONCE: Final = 100
NEVER: Final = threading.Event()
"""For who is not told to stop."""


def sweep() -> None:
    """Take back what dead workers held and give tickets again; every few seconds, in every worker and scheduler."""
    with system_scope():
        swept = runs.sweep()
    db.session.remove()
    if swept.taken_back or swept.tickets:
        log.info("swept: %d runs taken back, %d tickets given again", swept.taken_back, swept.tickets)


def take_back(worker: str, *, counted: bool) -> None:
    """Put back at once what a work horse held that has just ended; counted as a death unless it was told to go."""
    with system_scope():
        count = runs.owner_died(worker) if counted else runs.give_back_all_of(worker)
    db.session.remove()
    if count:
        log.info("put back %d runs of %s", count, worker)


def holds(worker: str) -> bool:
    """Whether the work horse of this name holds a run."""
    with system_scope():
        found = runs.holds(worker)
    db.session.remove()
    return found


def tidy(stop: threading.Event = NEVER) -> None:
    """Remove what has outlived its time: sessions, drafts, files. Any number of processes may do it at once.

    Told to `stop`, it ends with the file that it is at.
    """
    counts = {
        "sessions": remove_expired(),
        "drafts": _old_drafts(),
        "files": expired_files(stop),
    }
    if any(counts.values()):
        log.info("tidied: %s", ", ".join(f"{count} {what}" for what, count in counts.items() if count))


def _old_drafts() -> int:
    with system_scope():
        old = delete(Draft).where(Draft.updated_at < clock() - DRAFTS_KEPT)
        done = db.session.execute(old.execution_options(synchronize_session=False))
        db.session.commit()
    db.session.remove()
    return done.rowcount if isinstance(done, CursorResult) else 0


def expired_files(stop: threading.Event = NEVER) -> int:
    """Remove the files whose runs say that their time is over; returns how many."""
    removed = 0
    with system_scope():
        while not stop.is_set() and (expired := list(db.session.scalars(_expired()))):
            for run in takewhile(lambda _: not stop.is_set(), expired):
                artefacts.store().delete(str(run.artefact))
                note(run, "removed")
                change = update(Run).where(Run.id == run.id).values(artefact=None)
                db.session.execute(change.execution_options(synchronize_session=False))
                removed += 1
            db.session.commit()
    db.session.remove()
    return removed


def _expired() -> Select[Run]:
    over = select(Run).where(Run.artefact.is_not(None), Run.kept_until <= clock()).order_by(Run.kept_until)
    return over.limit(AT_ONCE).with_for_update(skip_locked=True)


def orphans(stop: threading.Event = NEVER) -> int:
    """Remove files of attempts that never were published: fenced, died, cancelled; returns how many.

    What no run of ours has written is left alone: the store may hold other people's files. Told to `stop`, it ends with
    the file that it is at.
    """
    removed = 0

    def going(_: str) -> bool:
        return not stop.is_set()

    found = takewhile(going, (key for key, _size in artefacts.store().list()))
    while keys := set(islice(found, AT_ONCE)):
        for key in takewhile(going, _not_needed(keys)):
            artefacts.store().delete(key)
            removed += 1
    for key in takewhile(going, _not_needed(set(artefacts.store().unfinished()))):
        artefacts.store().give_up(key)
        removed += 1
    if removed:
        log.info("removed %d files of attempts that never were published", removed)
    return removed


def _not_needed(keys: set[str]) -> set[str]:
    """Those of attempts of our runs that are neither published nor about to be.

    Asked after the store was listed: a file never stands there before its run.
    """
    ids = {id_ for key in keys if (id_ := _run_of(key)) is not None}
    with system_scope():
        rows = list(db.session.scalars(select(Run).where(Run.id.in_(ids))))
    db.session.remove()
    in_progress = {f"{run.brand_id}/{run.id}/{run.attempt}.zip" for run in rows if run.state == "processing"}
    needed = {str(run.artefact) for run in rows} | in_progress
    ours = {f"{run.brand_id}/{run.id}" for run in rows}
    return {key for key in keys - needed if key.rpartition("/")[0] in ours}


def _run_of(key: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(key.split("/")[1])
    except (IndexError, ValueError):
        return None
