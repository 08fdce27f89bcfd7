"""Carries out runs: from a ticket to a published file, or to a reason in words."""

from __future__ import annotations

import importlib
import logging
import time
import traceback
import uuid
from contextlib import suppress
from datetime import UTC, datetime
from typing import Final

from flask import current_app
from sqlalchemy.exc import NoResultFound, OperationalError

from exports import pipeline, preview
from exports.catalogue import Catalogue
from exports.definition import Definition
from exports.errors import Cancelled, ExportsError, Fenced, GivenBack, RightsLost, RunStopped, Unexpected
from exports.pipeline import Progress, Result
from jobs import horse, scheduler
from webapp.extensions import db
from webapp.models import Brand, Export, User, brand_scope
from webapp.permissions import may
from webapp.services import artefacts, brands, definitions, exports, runs
from webapp.services.runs import Claim

log = logging.getLogger("jobs.runs")

BEAT_S: Final = 1.0
"""Progress is looked at once a second; the lease is 30 times as long."""


def execute(run: str | None = None) -> None:
    """Carry out what waits, until nothing does. A ticket only says that there is work: `run` is not looked at."""
    while not horse.stopping():
        mine = scheduler.take_next(horse.name())
        if mine is None:
            return
        attempt(mine)


def preload() -> None:
    """Before processes are forked: import what is otherwise imported at its first use, compile an attempt's statements.

    60 ms and 50 ms of a horse's life, which is 100 ms then for a small file.
    """
    for name in ("isal.isal_zlib", "obstore.store", "obstore.exceptions", "stream_zip"):
        importlib.import_module(name)
    nobody = Claim(uuid.uuid4(), uuid.uuid4(), uuid.uuid4(), 1, 0, datetime.now(UTC))
    scheduler.rehearse(horse.name())
    with brand_scope(nobody.brand_id):
        db.session.get(Export, nobody.export_id)
        db.session.get(User, nobody.run_id)
        brands.catalogue_of(Brand(id=nobody.brand_id, modules=[]))
        for rehearsed in (
            lambda: exports.definition_of(Export(id=nobody.export_id), 1),
            lambda: runs.expect(nobody, 0),
            lambda: runs.beat(nobody, Progress(0, 0, 0.0), "writing"),
            lambda: runs.publish(nobody, Result(0, 0, 0, "", 0.0)),
        ):
            with suppress(NoResultFound, Fenced):
                rehearsed()
    db.session.remove()


def attempt(mine: Claim) -> None:
    """One attempt of one run, to its end; whatever happens, the run knows why."""
    with brand_scope(mine.brand_id):
        try:
            _carry_out(mine)
        except Fenced:
            log.warning("run %s: attempt %d was overtaken", mine.run_id, mine.attempt)
        finally:
            db.session.remove()


def _carry_out(mine: Claim) -> None:
    try:
        result = make_file(mine)
        try:
            publish(mine, result)
        except RunStopped:
            artefacts.store().delete(mine.key)  # it is whole, and nobody's
            raise
        log.info("run %s: attempt %d published %d rows", mine.run_id, mine.attempt, result.rows)
    except Fenced:
        raise
    except Cancelled:
        runs.stop(mine)
    except GivenBack:
        runs.give_back(mine)
    except ExportsError as error:
        log.warning("run %s: attempt %d: %s %s", mine.run_id, mine.attempt, error.code, error)
        _let_go()
        runs.fail(mine, error)
    except Exception as error:  # no run ends without a reason (RELIABILITY P6), whatever we did not foresee
        log.exception("run %s: attempt %d", mine.run_id, mine.attempt)
        _let_go()
        runs.fail(mine, Unexpected(detail="".join(traceback.format_exception(error))))


def _let_go() -> None:
    """A session that failed takes no statement before this."""
    db.session.rollback()


def make_file(mine: Claim) -> Result:
    """Run the definition of the claimed version into the store, under the attempt's own key.

    Raises:
        ExportsError: what is in the way.
        RunStopped: cancelled, overtaken, or this process was told to stop.
    """
    export = db.session.get_one(Export, mine.export_id)
    definition = exports.definition_of(export, mine.version)
    owner = db.session.get_one(User, export.owner_id)
    brand = owner.brand
    catalogue = brands.catalogue_of(brand)
    _check_rights(owner, definition, catalogue)
    surroundings = brands.surroundings(brand, mine.base_moment)
    source = brands.source()
    db.session.rollback()  # no transaction of ours stays open while the rows come
    runs.expect(mine, preview.estimate(definition, catalogue, surroundings, source))
    sink = artefacts.store().open_writer(mine.key)
    return pipeline.run(definition, catalogue, surroundings, source, sink, watch=Watch(mine), archive=True)


def _check_rights(owner: User, definition: Definition, catalogue: Catalogue) -> None:
    """Rights are looked at again at run time, the owner's present ones (SPEC section 10)."""
    if not owner.is_active:
        raise RightsLost(owner=owner.name, reason="the account is disabled.")
    if not may(owner, "exports.create"):
        raise RightsLost(owner=owner.name, reason=f"a {owner.role} makes no exports.")
    model = catalogue.models.get(definition.model)
    problem = next(definitions.rights(owner, definition, model), None) if model else None
    if problem is not None:
        raise RightsLost(owner=owner.name, reason=f"{problem.message}.")


class Watch:
    """Looks after a claim while the rows come: renews the lease, tells progress, hears of cancelling and stopping."""

    def __init__(self, mine: Claim) -> None:
        self.mine = mine
        self.lease_s = float(current_app.config["SETTINGS"].run_lease)
        self.looked_at = 0.0
        self.held_at = time.monotonic()

    def __call__(self, progress: Progress) -> None:
        """Called several times a second. Raises Fenced, Cancelled, GivenBack."""
        if horse.stopping():
            raise GivenBack
        now = time.monotonic()
        if now - self.looked_at < BEAT_S:
            return
        self.looked_at = now
        try:
            runs.beat(self.mine, progress, "writing")
        except OperationalError as error:
            # Our own database is away. The run goes on until its lease has ended: then somebody else may have it.
            _let_go()
            log.warning("run %s: no heartbeat: %s", self.mine.run_id, error.orig)
            if now - self.held_at > self.lease_s:
                raise Fenced from error
        else:
            self.held_at = now


def publish(mine: Claim, result: Result) -> None:
    """Publish; while our own database is away, try again for as long as the lease may last."""
    deadline = time.monotonic() + float(current_app.config["SETTINGS"].run_lease)
    while True:
        try:
            return runs.publish(mine, result)
        except OperationalError:
            _let_go()
            if time.monotonic() > deadline:
                raise
            time.sleep(BEAT_S)
