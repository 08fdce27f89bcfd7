"""What a worker does with the run it holds. Every statement carries the attempt: the fencing token (RELIABILITY P2).

A worker that was stopped, or cut off, past its lease finds that the attempt is not its own any more: `Fenced`. It can
then neither publish nor fail nor give back anything.
"""

from __future__ import annotations

import random
from datetime import timedelta
from typing import Any, Final, Protocol

from sqlalchemy import ColumnElement, Update, and_, case, func, select, update

from exports.errors import RUN_AGAIN, UPLOAD_AGAIN, Cancelled, ExportsError, Fenced, RightsLost
from exports.scrubbing import scrubbed
from webapp.extensions import db
from webapp.models import Brand, Export, Run, brand_scope, clock
from webapp.models.states import RunEvent
from webapp.queues import enqueue_after_commit
from webapp.services import audit, contents
from webapp.services.moves import move, moved
from webapp.services.runs.claiming import WORKER, Claim, lease
from webapp.services.runs.events import note
from webapp.services.telling import run_ended

BACKOFF: Final = (timedelta(seconds=30), timedelta(minutes=2), timedelta(minutes=10))
"""Waits before the second, third and fourth try of what can pass (RELIABILITY P5)."""
JITTER: Final = 0.2
"""So that what failed together is not tried together."""

EXECUTE: Final = "jobs.runs.execute"


class Progress(Protocol):
    """How far a file is; `exports.pipeline.Progress`."""

    @property
    def rows(self) -> int: ...
    @property
    def bytes(self) -> int: ...


class Result(Protocol):
    """What came of a file; `exports.pipeline.Result`."""

    @property
    def rows(self) -> int: ...
    @property
    def bytes(self) -> int: ...
    @property
    def archive_bytes(self) -> int | None: ...
    @property
    def sha256(self) -> str: ...
    @property
    def delivered(self) -> bool: ...


def _apply(statement: Update) -> Run | None:
    changed = statement.returning(Run).execution_options(synchronize_session=False, populate_existing=True)
    return db.session.scalars(changed).one_or_none()


def _held(mine: Claim) -> ColumnElement[bool]:
    return and_(Run.id == mine.run_id, Run.attempt == mine.attempt)


def beat(mine: Claim, progress: Progress, phase: str) -> None:
    """Renew the lease and tell how far the file is; of one that is kept already its rows and bytes stay.

    Raises:
        Fenced: another attempt owns the run.
        Cancelled: somebody wants it stopped.
    """
    is_made = Run.artefact.is_not(None)
    far = {
        "rows": case((is_made, Run.rows), else_=progress.rows),
        "bytes": case((is_made, Run.bytes), else_=progress.bytes),
    }
    statement = (
        update(Run)
        .where(_held(mine), Run.state == "processing")
        .values(lease_until=lease(), phase=phase, **far)
        .returning(Run.cancel_requested_at)
        .execution_options(synchronize_session=False)
    )
    with brand_scope(mine.brand_id):
        found = db.session.execute(statement).one_or_none()
        db.session.commit()
    if found is None:
        raise Fenced
    if found.cancel_requested_at is not None:
        raise Cancelled


def expect(mine: Claim, rows: int | None) -> None:
    """Keep how many rows are expected, for the percentage."""
    statement = update(Run).where(_held(mine)).values(expected_rows=rows)
    with brand_scope(mine.brand_id):
        db.session.execute(statement.execution_options(synchronize_session=False))
        db.session.commit()


def file(mine: Claim, result: Result) -> None:
    """Keep the file that was made, which is to be delivered before it is the run's: later attempts only deliver it.

    Raises:
        Fenced: another attempt owns the run.
        Cancelled: the wish to cancel came first.
    """
    held = and_(_held(mine), Run.state == "processing", Run.cancel_requested_at.is_(None))
    kept = _kept_until(mine)
    statement = update(Run).where(held).values(
        artefact=mine.key, rows=result.rows, bytes=result.bytes, archive_bytes=result.archive_bytes,
        sha256=result.sha256, kept_until=kept,
    )  # fmt: skip
    with brand_scope(mine.brand_id):
        run = _apply(statement)
        if run is None:
            _why_not_published(mine)
            return
        note(run, "filed", rows=result.rows, bytes=result.bytes)
        db.session.commit()


def finish(mine: Claim) -> None:
    """The file that was kept is delivered: the run is a Success, even if somebody has wished to cancel it meanwhile.

    It is kept from now on for as long as files are, unless somebody had it removed meanwhile: that stays so.
    May be repeated after a lost answer.

    Raises:
        Fenced: another attempt owns the run.
    """
    no_reason: dict[str, Any] = dict.fromkeys(("error_code", "error_message", "error_advice", "error_detail"))
    kept = case((Run.kept_until <= clock(), Run.kept_until), else_=_kept_until(mine))
    with brand_scope(mine.brand_id):
        statement = moved(
            "published", by=_held(mine), published_attempt=mine.made_by, finished_at=clock(), **no_reason,
            kept_until=kept,
        )  # fmt: skip
        run = _apply(statement)
        if run is None:
            _why_not_published(mine)
            return
        note(run, "published", rows=run.rows, bytes=run.bytes)
        audit.record("run.finished", WORKER, run, bytes=run.bytes, sha256=run.sha256, **contents.of_file(run))
        run_ended(run)
        db.session.commit()


def _kept_until(mine: Claim) -> Any:
    days = select(Brand.retention_days).where(Brand.id == mine.brand_id).scalar_subquery()
    return clock() + func.make_interval(0, 0, 0, days)


def publish(mine: Claim, result: Result, key: str | None = None) -> None:
    """Make the attempt's artefact the run's: from here on it can be downloaded. May be repeated after a lost answer.

    Raises:
        Fenced: another attempt owns the run.
        Cancelled: the wish to cancel came first.
    """
    statement = moved(
        "published",
        by=and_(_held(mine), Run.cancel_requested_at.is_(None)),
        published_attempt=mine.attempt,
        artefact=(key or mine.key) if result.delivered else None,
        rows=result.rows,
        bytes=result.bytes,
        archive_bytes=result.archive_bytes,
        sha256=result.sha256 if result.delivered else None,
        finished_at=clock(),
        kept_until=_kept_until(mine) if result.delivered else None,
        error_code=None,
        error_message=None,
        error_advice=None,
        error_detail=None,
    )
    with brand_scope(mine.brand_id):
        run = _apply(statement)
        if run is None:
            _why_not_published(mine)
            return
        note(run, "published" if result.delivered else "nothing", rows=result.rows, bytes=result.bytes)
        audit.record("run.finished", WORKER, run, bytes=run.bytes, sha256=result.sha256, **contents.of_file(run))
        run_ended(run)
        db.session.commit()


def _why_not_published(mine: Claim) -> None:
    db.session.rollback()
    run = db.session.scalars(select(Run).where(_held(mine)).execution_options(populate_existing=True)).one_or_none()
    if run is not None and run.state == "success":
        return
    if run is not None and run.state == "processing":
        raise Cancelled
    raise Fenced


def _back(mine: Claim, event: RunEvent, facts: dict[str, Any], **values: Any) -> bool:
    """Put the run back into the queue, or end it if its cancelling was asked for; whether it is back. Raises Fenced."""
    run = _apply(moved(event, by=and_(_held(mine), Run.cancel_requested_at.is_(None)), **values))
    if run is None:
        db.session.rollback()
        stop(mine)
        return False
    note(run, event, **facts)
    return True


def _leave(mine: Claim, event: RunEvent, facts: dict[str, Any], **values: Any) -> Run:
    """Let go of the run; the caller commits. Raises Fenced."""
    run = _apply(moved(event, by=_held(mine), **values))
    if run is None:
        db.session.rollback()
        raise Fenced
    note(run, event, **facts)
    return run


def fail(mine: Claim, error: ExportsError) -> None:
    """Say what is in the way: for good, or, if it can pass and was not tried too often, until the next try.

    Raises:
        Fenced: another attempt owns the run.
    """
    with brand_scope(mine.brand_id):
        if isinstance(error, RightsLost):
            _set_inactive(mine, error)
        tried = select(Run.failures, Run.artefact).where(Run.id == mine.run_id)
        found = db.session.execute(tried).one_or_none()
        failures, artefact = (found.failures, found.artefact) if found else (0, None)
        facts: dict[str, object] = {"code": error.code, "message": error.message}
        if error.permanent or failures >= len(BACKOFF):
            reason = reason_of(error, at_last=UPLOAD_AGAIN if artefact else RUN_AGAIN)
            run = _leave(mine, "failed", facts, finished_at=clock(), failures=failures + 1, **reason)
            audit.record("run.failed", WORKER, run, result="failed", code=error.code, attempt=mine.attempt)
            run_ended(run)
        else:
            wait = BACKOFF[failures] * random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311 - spreads load, guards nothing
            facts["seconds"] = round(wait.total_seconds())
            _back(mine, "retried", facts, failures=failures + 1, not_before=clock() + wait, **reason_of(error))
        db.session.commit()


def _set_inactive(mine: Claim, error: RightsLost) -> None:
    """Let a repeated export not fail again and again for what its owner may do no more (RELIABILITY section 6).

    The audit entry is what admins are told by.
    """
    held = select(Export).where(Export.id == mine.export_id).with_for_update(key_share=True)
    export = db.session.scalars(held.execution_options(populate_existing=True)).one()
    if move(export, "rights_lost"):
        export.inactive_since, export.inactive_by_id, export.inactive_reason = clock(), None, error.because
        audit.record("export.rights_lost", WORKER, export, reason=error.because, run=str(mine.run_id))


def reason_of(error: ExportsError, *, at_last: str = "") -> dict[str, str]:
    """The columns that tell a person why (RELIABILITY P6). `at_last`: what to press, as nothing is tried any more."""
    return {
        "error_code": error.code,
        "error_message": error.message,
        "error_advice": error.advised_at_last(at_last) if at_last else error.advised,
        "error_detail": scrubbed(error.detail),
    }


def give_back(mine: Claim) -> None:
    """Put the run back into the queue at once, uncounted: this worker was told to stop (RELIABILITY F4).

    Raises:
        Fenced: another attempt owns the run.
    """
    with brand_scope(mine.brand_id):
        if _back(mine, "given_back", {}, not_before=clock()):
            enqueue_after_commit(EXECUTE, mine.run_id)
        db.session.commit()


def stop(mine: Claim) -> None:
    """End a run whose cancelling was asked for.

    Raises:
        Fenced: another attempt owns the run.
    """
    with brand_scope(mine.brand_id):
        run = _leave(mine, "stopped", {}, finished_at=clock())
        audit.record("run.cancelled", WORKER, run, attempt=mine.attempt)
        db.session.commit()
