"""What keeps the house in order, for all brands: the sweep, and what has outlived its time (SPEC section 10)."""

from __future__ import annotations

import logging
import threading
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice, takewhile
from typing import Final

from sqlalchemy import CursorResult, Delete, delete, func, or_, select, tuple_, update

from exports.errors import StorageError
from webapp.extensions import db
from webapp.models import Brand, Compare, Delivery, Draft, Export, Run, WebhookMessage, brand_scope, clock, system_scope
from webapp.models.sessions import remove_expired
from webapp.models.states import ENDED
from webapp.services import artefacts, audit, compares, deliveries, exports, once, runs, sealing
from webapp.services.compares import keeping
from webapp.services.connections import testing
from webapp.services.runs.events import note

log = logging.getLogger("jobs.upkeep")

DRAFTS_KEPT: Final = timedelta(days=30)
MESSAGES_KEPT: Final = timedelta(days=30)
AT_ONCE: Final = 100
ROWS_AT_ONCE: Final = 1_000
UPKEEP: Final = "upkeep"
"""Who the audit log names."""
NEVER: Final = threading.Event()
"""For who is not told to stop."""


def sweep() -> None:
    """Take back what dead workers held and give tickets again; every few seconds, in every worker and scheduler."""
    with system_scope():
        swept = runs.sweep()
        deliveries.sweep()
        compares.sweep()
    db.session.remove()
    if swept.taken_back or swept.tickets:
        log.info("swept: %d runs taken back, %d tickets given again", swept.taken_back, swept.tickets)


def take_back(worker: str, *, counted: bool) -> None:
    """Put back at once what a work horse held that has just ended; counted as a death unless it was told to go."""
    with system_scope():
        count = runs.owner_died(worker) if counted else runs.give_back_all_of(worker)
        count += deliveries.release(Delivery.worker == worker, counted=counted)
        count += compares.release(Compare.worker == worker, counted=counted)
    db.session.remove()
    if count:
        log.info("put back %d runs, deliveries or comparisons of %s", count, worker)


def holds(worker: str) -> bool:
    """Whether the work horse of this name holds a run, a delivery or a comparison."""
    with system_scope():
        found = runs.holds(worker) or deliveries.holds(worker) or compares.holds(worker)
    db.session.remove()
    return found


def tidy(stop: threading.Event = NEVER) -> None:
    """Remove what has outlived its time and hurries nobody. Any number of processes may do it at once."""
    counts = {
        "sessions": remove_expired(),
        "drafts": _old_drafts(),
        "requests to the API": once.remove_expired(),
        "rows of Logs": old_log_rows(stop),
        "rows of the audit log": old_audit_rows(stop),
        "messages to webhooks": _old_messages(),
        **_old_tests(),
    }
    _tell(counts)


def files(stop: threading.Event = NEVER) -> None:
    """Remove the files that are kept no longer. Any number of processes may do it at once.

    Told to `stop`, it ends with the file that it is at.
    """
    _tell({"files": expired_files(stop), "files of differences": expired_differences(stop)})


def _tell(counts: Mapping[str, int]) -> None:
    if any(counts.values()):
        log.info("tidied: %s", ", ".join(f"{count} {what}" for what, count in counts.items() if count))


def _old_drafts() -> int:
    return _deleted(delete(Draft).where(Draft.updated_at < clock() - DRAFTS_KEPT))


def _old_messages() -> int:
    return _deleted(delete(WebhookMessage).where(WebhookMessage.ended_at < clock() - MESSAGES_KEPT))


def _old_tests() -> dict[str, int]:
    with system_scope():
        counts = {"credentials of tests": testing.bare(), "tests of connections": testing.remove_old()}
    db.session.remove()
    return counts


def _deleted(old: Delete) -> int:
    with system_scope():
        done = db.session.execute(old.execution_options(synchronize_session=False))
        db.session.commit()
    db.session.remove()
    return done.rowcount if isinstance(done, CursorResult) else 0


def expired_files(stop: threading.Event = NEVER) -> int:
    """Remove the files whose runs say that their time is over; returns how many.

    No transaction is open while the store is asked, which may take minutes. The file goes first, its row says so
    afterwards: whoever is killed between the two leaves a row that names the file still, and the next one, here or
    elsewhere, does both again. From `kept_until` on nobody is offered the file, whatever of it is left.
    """
    removed, last = 0, None
    while not stop.is_set() and (expired := _expired_after(last)):
        for last in takewhile(lambda _: not stop.is_set(), expired):
            removed += _remove(last)
    return removed


@dataclass(frozen=True)
class _Expired:
    """A file that is kept no longer."""

    brand_id: uuid.UUID
    run_id: uuid.UUID
    kept_until: datetime
    key: str


def _expired_after(last: _Expired | None) -> list[_Expired]:
    """The next of them: one that cannot be removed now holds up no other."""
    place = (Run.kept_until, Run.id)
    over = select(Run).where(Run.artefact.is_not(None), Run.kept_until <= clock())
    if last is not None:
        over = over.where(tuple_(*place) > tuple_(last.kept_until, last.run_id))
    with system_scope():
        found = list(db.session.scalars(over.order_by(*place).limit(AT_ONCE)))
    db.session.remove()
    return [
        _Expired(run.brand_id, run.id, run.kept_until, run.artefact) for run in found if run.kept_until and run.artefact
    ]


def _remove(expired: _Expired) -> bool:
    """Remove one file, then say so; whether it was this process that said so."""
    try:
        artefacts.store().delete(expired.key)
    except StorageError as error:
        log.error("the file %s, over since %s, stays: %s", expired.key, expired.kept_until, error.detail or error)
        return False
    with brand_scope(expired.brand_id):
        held = (Run.id == expired.run_id, Run.artefact == expired.key)
        change = update(Run).where(*held).values(artefact=None).returning(Run)
        run = db.session.scalars(change.execution_options(synchronize_session=False)).one_or_none()
        if run is not None:
            note(run, "removed")
            audit.record("run.file_removed", UPKEEP, run, kept_until=expired.kept_until.isoformat())
        db.session.commit()
    db.session.remove()
    return run is not None


def expired_differences(stop: threading.Event = NEVER) -> int:
    """Remove the files of comparisons whose time is over, as `expired_files` does; returns how many."""
    removed, last = 0, None
    while not stop.is_set():
        with system_scope():
            over = [(one.kept_until, one.id, one.brand_id, str(one.artefact)) for one in keeping.expired(last)]
        db.session.remove()
        if not over:
            break
        for kept_until, id_, brand_id, key in takewhile(lambda _: not stop.is_set(), over):
            last = kept_until, id_
            try:
                removed += keeping.remove_expired(id_, brand_id, key, UPKEEP)
            except StorageError as error:
                log.error("the differences %s, over since %s, stay: %s", key, kept_until, error.detail or error)
            db.session.remove()
    return removed


def old_log_rows(stop: threading.Event = NEVER) -> int:
    """Remove the runs that are older than their brand keeps them in Logs; returns how many.

    The newest run of an export stays, as its status, and one with a file until that is removed.
    """
    removed = 0
    brands = list(db.session.scalars(select(Brand.id).where(Brand.log_days.is_not(None))))
    for brand_id in brands:
        while not stop.is_set():
            with brand_scope(brand_id):
                count = _remove_old_runs(brand_id)
            db.session.remove()
            removed += count
            if count < ROWS_AT_ONCE:
                break
    return removed


def _remove_old_runs(brand_id: uuid.UUID) -> int:
    days = select(Brand.log_days).where(Brand.id == brand_id).scalar_subquery()
    is_over = (Run.created_at < clock() - func.make_interval(0, 0, 0, days), Run.state.in_(ENDED))
    newest = select(Export.id).where(Export.latest_run_id == Run.id).exists()
    of_it = or_(Compare.earlier_id == Run.id, Compare.later_id == Run.id)
    needed = select(Compare.id).where(of_it, or_(Compare.artefact.is_not(None), Compare.state == "processing")).exists()
    old = select(Run.id).where(*is_over, Run.artefact.is_(None), ~newest, ~needed).limit(ROWS_AT_ONCE)
    ids = list(db.session.scalars(old))
    if ids:
        db.session.execute(delete(Run).where(Run.id.in_(ids)).execution_options(synchronize_session=False))
        audit.record("runs.removed", UPKEEP, count=len(ids))
    db.session.commit()
    return len(ids)


def seal_audit() -> None:
    """Seal what was written down since the last time, for all brands (RELIABILITY section 6)."""
    for brand_id in list(db.session.scalars(select(Brand.id))):
        with brand_scope(brand_id):
            while sealing.seal(brand_id) == sealing.AT_ONCE:
                pass
        db.session.remove()


def old_audit_rows(stop: threading.Event = NEVER) -> int:
    """Remove what the brands keep no longer of their audit logs; returns how many rows."""
    removed = 0
    for brand in list(db.session.scalars(select(Brand))):
        with brand_scope(brand.id):
            while not stop.is_set() and (count := sealing.remove_old(brand)):
                removed += count
    db.session.remove()
    return removed


def deleted_exports(stop: threading.Event = NEVER) -> int:
    """Remove files and rows of exports that are marked as deleted and have no run going; returns how many."""
    removed = 0
    with system_scope():
        for export in db.session.scalars(select(Export).where(Export.deleted_at.is_not(None)).limit(AT_ONCE)).all():
            if not stop.is_set() and exports.remove(export, lambda: not stop.is_set()):
                removed += 1
    db.session.remove()
    return removed


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
    """Those of attempts of our runs and comparisons that are neither published nor about to be.

    Asked after the store was listed: a file never stands there before its run.
    """
    ids = {id_ for key in keys if (id_ := _run_of(key)) is not None}
    with system_scope():
        rows: list[Run | Compare] = list(db.session.scalars(select(Run).where(Run.id.in_(ids))))
        rows += db.session.scalars(select(Compare).where(Compare.id.in_(ids)))
    db.session.remove()
    in_progress = {f"{run.brand_id}/{run.id}/{run.attempt}.zip" for run in rows if run.state == "processing"}
    needed = {str(run.artefact) for run in rows} | in_progress
    needed |= {keeping.first_key(key) for key in needed}
    ours = {f"{run.brand_id}/{run.id}" for run in rows}
    return {key for key in keys - needed if key.rpartition("/")[0] in ours}


def _run_of(key: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(key.split("/")[1])
    except (IndexError, ValueError):
        return None
