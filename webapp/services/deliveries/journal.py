"""What is written down while a file is sent, each statement fenced by the attempt (RELIABILITY P2, P4)."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, exists, func, literal, select, update
from sqlalchemy.dialects.postgresql import JSONB

from exports.delivery import Receipt
from exports.errors import UPLOAD_AGAIN, AddressBlocked, Cancelled, ExportsError, Fenced, FileRemoved, WorkerDied
from exports.target import Upload
from webapp.extensions import db
from webapp.models import Connection, Delivery, Export, Run, User, brand_scope, clock
from webapp.services import audit, connections, contents, names, volume
from webapp.services.connections import refusals
from webapp.services.runs.attempts import reason_of
from webapp.services.runs.claiming import WORKER, Claim
from webapp.services.runs.events import note

OWN: Final = 1
"""The number of a run's own delivery."""


@dataclass(frozen=True)
class Sending:
    """A delivery that somebody carries out: under the claim of its run, or, of **Upload again**, under its own.

    `done`: an earlier attempt delivered the file and died before the run was told.
    """

    delivery_id: uuid.UUID
    brand_id: uuid.UUID
    run_id: uuid.UUID
    attempt: int
    under: Claim | None = None
    done: bool = False

    def held(self) -> ColumnElement[bool]:
        """Whether it is still this attempt's."""
        own = (Delivery.id == self.delivery_id) & (Delivery.attempt == self.attempt)
        if self.under is None:
            return own & Delivery.lease_until.is_not(None)
        run = exists().where(Run.id == self.run_id, Run.attempt == self.under.attempt, Run.state == "processing")
        return own & run


def of_run(mine: Claim, upload: Upload) -> Sending:
    """The delivery of a run that is claimed, made at its first attempt; the attempt of the run is its own.

    The number that **Run again** keeps is that of the run that failed (SPEC section 4).
    """
    with brand_scope(mine.brand_id):
        wanted = select(Delivery).where(Delivery.run_id == mine.run_id, Delivery.number == OWN)
        row = db.session.scalars(wanted.with_for_update()).one_or_none()
        if row is None:
            row = Delivery(
                id=uuid.uuid5(mine.run_id, "delivery"), brand_id=mine.brand_id, run_id=mine.run_id, number=OWN
            )
            row.path = _kept_name(mine) if upload.if_exists == "number" else None
            row.failures = row.sent = 0
            db.session.add(row)
        elif row.attempt > mine.attempt:
            db.session.rollback()
            raise Fenced
        row.type, row.attempt, row.started_at = upload.type, mine.attempt, row.started_at or clock()
        row.connection = uuid.UUID(upload.connection or "")
        done = row.state == "delivered"
        if not done:
            row.steps = []
        sending = Sending(row.id, mine.brand_id, mine.run_id, mine.attempt, mine, done)
        db.session.commit()
        return sending


def _kept_name(mine: Claim) -> str | None:
    """The numbered name that a failed run had chosen for the same moment, if this one is to do it again."""
    failed = failed_before(db.session.get_one(Run, mine.run_id))
    return failed.path if failed else None


def failed_before(run: Run) -> Delivery | None:
    """The delivery that failed of the same moment, if this run is to do it again."""
    if run.kind != "again":
        return None
    same = (Run.export_id == run.export_id, Run.scheduled_for == run.scheduled_for, Run.version == run.version)
    failed = select(Delivery).join(Run, Run.id == Delivery.run_id)
    failed = failed.where(*same, Run.state == "failed", Delivery.path.is_not(None), Delivery.state != "delivered")
    return db.session.scalars(failed.order_by(Delivery.created_at.desc()).limit(1)).one_or_none()


class Journal:
    """See `exports.delivery.Journal`: the row of a delivery."""

    def __init__(self, sending: Sending, host: str, size: int) -> None:
        self._sending = sending
        self._write(state="uploading", host=host, size=size, sent=0)

    def uploading(self, path: str, address: str, offered: str) -> None:
        """See `exports.delivery.Journal`."""
        self._write(path=path, address=address, offered_key=offered or None, renaming_attempt=None)

    def sent(self, number: int) -> None:
        """So many bytes were sent.

        Raises:
            FileRemoved: somebody wants the file to go nowhere any more.
        """
        _check_wanted(self._sending)
        self._write(sent=number)

    def uploaded(self, size: int) -> None:
        """See `exports.delivery.Journal`."""
        self._write(state="uploaded", sent=size)

    def renaming(self) -> None:
        """See `exports.delivery.Journal`. From here on **Cancel** and **Remove file** come too late.

        Raises:
            Cancelled, FileRemoved: they came in time.
        """
        _check_wanted(self._sending)
        self._write(state="renaming", renaming_attempt=self._sending.attempt)

    def taken_back(self) -> None:
        """See `exports.delivery.Journal`."""
        self._write(renaming_attempt=None)

    def step(self, step: dict[str, Any]) -> None:
        """Add a phase that is over to those of this attempt."""
        self._write(steps=Delivery.steps.op("||")(literal([step], JSONB)))

    def _write(self, **values: Any) -> None:
        mine = self._sending
        with brand_scope(mine.brand_id):
            statement = update(Delivery).where(mine.held()).values(**values)
            if mine.under is None:
                statement = statement.values(lease_until=lease())
            silently = statement.returning(Delivery.id).execution_options(synchronize_session=False)
            found = db.session.execute(silently).one_or_none()
            db.session.commit()
        if found is None:
            raise Fenced


def lease() -> Any:
    """Until when a worker holds a delivery that it renews with every sign of life: each step is bounded by less, and
    the store is given up after 180 s and the 30 s of its last answer.
    """
    return clock() + func.make_interval(0, 0, 0, 0, 0, 4)


def _check_wanted(mine: Sending) -> None:
    """Hold the run's row until the next commit, if its file is to go on its way still.

    Raises:
        Fenced: the run is gone.
        Cancelled: somebody wants it stopped.
        FileRemoved: somebody had the file removed.
    """
    is_over = func.coalesce(Run.kept_until <= clock(), False).label("is_over")
    with brand_scope(mine.brand_id):
        wanted = select(Run.cancel_requested_at, is_over).where(Run.id == mine.run_id).with_for_update()
        run = db.session.execute(wanted).one_or_none()
    is_cancelled = run is not None and mine.under is not None and run.cancel_requested_at is not None
    if run is None or is_cancelled or run.is_over:
        db.session.rollback()  # what was begun is taken away from the server now: nobody waits for that
        raise Fenced if run is None else Cancelled if is_cancelled else FileRemoved


def _end(mine: Sending, **values: Any) -> Delivery:
    statement = update(Delivery).where(mine.held()).values(lease_until=None, worker=None, **values).returning(Delivery)
    options = {"synchronize_session": False, "populate_existing": True}
    row = db.session.scalars(statement.execution_options(**options)).one_or_none()
    if row is None:
        db.session.rollback()
        raise Fenced
    return row


def delivered(mine: Sending, receipt: Receipt, sha256: str) -> None:
    """The file is there under its final name; commits.

    Raises:
        Fenced: another attempt owns the delivery.
    """
    with brand_scope(mine.brand_id):
        none: dict[str, None] = dict.fromkeys(("error_code", "error_message", "error_advice", "error_detail"))
        row = _end(
            mine, state="delivered", path=receipt.path, finished_at=clock(), sent=receipt.size, sha256=sha256, **none
        )
        run = db.session.get_one(Run, mine.run_id)
        taker = _taker(row, run)
        note(
            run, "delivered_again" if row.is_again else "delivered",
            host=row.host, path=receipt.path, bytes=receipt.size, **_told(receipt),
        )  # fmt: skip
        names.remember(run.export_id, [receipt.path.rpartition("/")[2]])
        if row.connection and (connection := db.session.get(Connection, row.connection)) is not None:
            connection.last_success_at = clock()
            if row.offered_key and row.host == connection.host:  # it leads there still
                connections.verified(connection)
        volume.taken(taker, _audit("delivery.finished", row, **{"for": taker.email}))
        db.session.commit()


def _told(receipt: Receipt) -> dict[str, Any]:
    """What a person is to know of how it went: facts of the event in the run's history."""
    flags = [name for name in ("unverified", "not_at_once") if receipt.facts.get(name)]
    return {"flags": flags + (["found"] if receipt.found else [])}


def failed(mine: Sending, error: ExportsError, offered: str, *, wait: Any = None) -> None:
    """Say what is in the way. `wait`: an interval until the next try; without one this was the last. Commits.

    Raises:
        Fenced: another attempt owns the delivery.
    """
    with brand_scope(mine.brand_id):
        reason = reason_of(error, at_last=UPLOAD_AGAIN if wait is None else "")
        if wait is None:
            row = _end(mine, state="failed", finished_at=clock(), failures=Delivery.failures + 1, **reason)
        else:
            row = _end(mine, state="queued", not_before=clock() + wait, failures=Delivery.failures + 1, **reason)
        if offered and row.connection:
            connection = db.session.get(Connection, row.connection)
            if connection is not None:
                connections.offered(connection, offered)
        if row.is_again:
            run = db.session.get_one(Run, mine.run_id)
            note(run, "again_failed", message=error.message, code=error.code)
        key = offered or row.offered_key
        _audit("delivery.failed", row, result="failed", code=error.code, attempt=mine.attempt, key=key)
        if isinstance(error, AddressBlocked) and row.connection:
            _audit_blocked(row)
        db.session.commit()


def died(row: Delivery) -> None:
    """Give up one of **Upload again** whose worker died of it again and again; the caller commits."""
    error = WorkerDied(deaths=row.deaths)
    row.state, row.finished_at = "failed", clock()
    for name, value in reason_of(error).items():
        setattr(row, name, value)
    note(db.session.get_one(Run, row.run_id), "again_failed", message=error.message, code=error.code)
    _audit("delivery.failed", row, result="failed", code=error.code, attempt=row.attempt)


def given_back(mine: Sending) -> None:
    """Let another worker go on with it, uncounted; commits. Raises Fenced."""
    with brand_scope(mine.brand_id):
        _end(mine, state="queued", not_before=clock())
        db.session.commit()


def _audit_blocked(row: Delivery) -> None:
    connection = db.session.get(Connection, row.connection)
    if connection is not None:
        refusals.record(WORKER, "delivery", connection.type, connection.host, connection.port, row)


def _taker(row: Delivery, run: Run) -> User:
    """For whom a file is delivered: for who asked for it, and what a schedule asks for, for the owner."""
    asked = row.requested_by_id or run.requested_by_id
    return db.session.get_one(User, asked or db.session.get_one(Export, run.export_id).owner_id)


def _audit(kind: str, row: Delivery, result: str = "ok", **more: Any) -> dict[str, Any]:
    """Write it down; returns what is said of the rows."""
    facts = {
        "run": str(row.run_id),
        "connection": str(row.connection),
        "host": row.host,
        "address": row.address,
        "path": row.path,
        "size": row.size,
        "sha256": row.sha256,
        "key": row.offered_key,
    }
    about = contents.of_file(db.session.get_one(Run, row.run_id))
    audit.record(kind, WORKER, row, result=result, **{**facts, **about, **more})
    return about
