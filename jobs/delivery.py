"""Carries out deliveries: a run's own, at the end of its attempt, and those of **Upload again**."""

from __future__ import annotations

import logging
import time
from dataclasses import replace
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from exports import delivery
from exports.delivery import Step
from exports.errors import (
    DatabaseAway,
    ExportsError,
    Fenced,
    FileRemoved,
    GivenBack,
    RunStopped,
    TargetError,
    Unexpected,
)
from exports.target import Upload
from jobs import horse, scheduler
from jobs.lease import Lease
from webapp import logs
from webapp.extensions import db
from webapp.models import Delivery, Export, Run, User, brand_scope
from webapp.services import brands, deliveries, exports, guarding, personal
from webapp.services.deliveries import Journal, Sending
from webapp.services.progress import present
from webapp.services.runs.attempts import BACKOFF
from webapp.services.runs.claiming import Claim

log = logging.getLogger("jobs.delivery")

TOLD_S: Final = 1.0
"""How often the row hears how many bytes were sent."""


def preload() -> None:
    """Nothing: what a delivery needs is imported by who delivers (memory: SPEC section 14)."""


def execute(run: str | None = None) -> None:
    """Carry out the deliveries of **Upload again** that wait. A ticket only says that there is work."""
    while not horse.stopping():
        sending = scheduler.take_next_delivery(horse.name())
        if sending is None:
            return
        with brand_scope(sending.brand_id), logs.of_run(run=str(sending.run_id), delivery=str(sending.delivery_id)):
            try:
                _again(sending)
            except Fenced:
                log.warning("delivery %s: attempt %d was overtaken", sending.delivery_id, sending.attempt)
            finally:
                db.session.remove()


def of_run(mine: Claim, upload: Upload, lease: Lease) -> None:
    """Deliver the file of a run that this process holds.

    Raises:
        ExportsError: what is in the way; it is in the delivery's row already.
        RunStopped: cancelled, overtaken, or this process was told to stop.
    """
    sending = deliveries.of_run(mine, upload)
    if sending.done:
        return
    try:
        _send(sending, lease)
    except Fenced:
        raise
    except RunStopped:
        deliveries.given_back(sending)
        raise
    except ExportsError as error:
        db.session.rollback()
        failures = db.session.get_one(Run, mine.run_id).failures
        is_last = error.permanent or failures >= len(BACKOFF)
        deliveries.failed(sending, error, _offered(error), wait=None if is_last else BACKOFF[failures])
        raise


def _again(sending: Sending) -> None:
    try:
        _send(sending, None)
    except Fenced:
        raise
    except RunStopped:
        deliveries.given_back(sending)
    except ExportsError as error:
        log.warning("delivery %s: attempt %d: %s %s", sending.delivery_id, sending.attempt, error.code, error)
        _failed(sending, error)
    except Exception as error:  # no delivery ends without a reason, whatever we did not foresee (RELIABILITY P6)
        log.exception("delivery %s: attempt %d", sending.delivery_id, sending.attempt)
        _failed(sending, Unexpected(detail=f"{type(error).__name__}: {error}"))


def _failed(sending: Sending, error: ExportsError) -> None:
    db.session.rollback()
    failures = db.session.get_one(Delivery, sending.delivery_id).failures
    wait = None if error.permanent else deliveries.is_repeatable(failures)
    deliveries.failed(sending, error, _offered(error), wait=wait)


def _offered(error: ExportsError) -> str:
    """The key or certificate that a server showed which is not trusted: an admin is asked about it."""
    return str(error.facts["fingerprint"]) if isinstance(error, TargetError) and error.offers_key else ""


def database_away(error: OperationalError) -> DatabaseAway:
    """What SQLAlchemy says of our own database, as an error of ours: without the statement and what it was about."""
    return DatabaseAway(f"{type(error.orig).__name__}: {error.orig}")


def _send(sending: Sending, lease: Lease | None) -> None:
    """Send the file.

    Raises:
        ExportsError: what is in the way, also if it is our own database: the journal stands there.
        RunStopped: cancelled, overtaken, or this process was told to stop.
    """
    try:
        _carry_out(sending, lease)
    except OperationalError as error:
        db.session.rollback()
        raise database_away(error) from error


def _carry_out(sending: Sending, lease: Lease | None) -> None:
    row = db.session.get_one(Delivery, sending.delivery_id)
    run = db.session.get_one(Run, sending.run_id)
    if run.artefact is None or run.kept_until is None or run.kept_until <= present():
        raise FileRemoved
    export = db.session.get_one(Export, run.export_id)
    definition = exports.definition_of(export, run.version)
    upload = definition.target
    if not isinstance(upload, Upload):
        raise Unexpected(detail=f"version {run.version} has no target")
    owner = db.session.scalars(select(User).where(User.id == export.owner_id)).one()
    if lease is None:  # of a run the rights were looked at a moment ago
        personal.check_owner(owner, definition, brands.catalogue_of(owner.brand))
    _connection, server = deliveries.server_of(upload, owner)
    parcel = deliveries.parcel_of(run, row, definition, upload)
    if lease is not None:
        read, held = parcel.pieces, lease
        parcel = replace(parcel, pieces=lambda: held.reading(read()))
    sha256 = str(run.sha256)
    for one in (run, row):
        db.session.expunge(one)  # the bytes are read while no transaction is open
    db.session.rollback()
    journal = _Journal(sending, server.host, parcel.size, lease)
    guard = guarding.guard()
    signs = _Signs(journal, lease)
    receipt = delivery.deliver(
        parcel, server, guard, journal, limits=deliveries.limits(), tell=signs.tell, watch=signs.watch
    )
    deliveries.delivered(sending, receipt, sha256)
    log.info("delivery %s: attempt %d delivered %d bytes", sending.delivery_id, sending.attempt, receipt.size)


class _Journal(Journal):
    """The journal of a delivery, whose lease knows from when on **Cancel** comes too late."""

    def __init__(self, sending: Sending, host: str, size: int, lease: Lease | None) -> None:
        super().__init__(sending, host, size)
        self._lease = lease

    def renaming(self) -> None:
        """See `exports.delivery.Journal`."""
        super().renaming()
        if self._lease is not None:
            self._lease.past_fence()


class _Signs:
    """What a delivery hears and tells while it goes on."""

    def __init__(self, journal: Journal, lease: Lease | None) -> None:
        self._journal = journal
        self._lease = lease
        self._told_at = time.monotonic()

    def tell(self, step: Step) -> None:
        """A phase began or is over. Raises as `watch`."""
        self._check()
        if step.state != "begun":
            told: dict[str, Any] = {"phase": step.phase, "state": step.state, "seconds": round(step.seconds, 3)}
            self._journal.step({**told, "facts": dict(step.facts)})

    def watch(self, sent: int) -> None:
        """So many bytes were sent.

        Raises:
            RunStopped: cancelled, overtaken, or this process was told to stop.
        """
        self._check()
        if time.monotonic() - self._told_at > TOLD_S:
            self._told_at = time.monotonic()
            self._journal.sent(sent)

    def _check(self) -> None:
        if self._lease is not None:
            self._lease.deliver()
        elif horse.stopping():
            raise GivenBack
