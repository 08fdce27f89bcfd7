"""Carries out runs: from a ticket to a published file, or to a reason in words."""

from __future__ import annotations

import importlib
import logging
import time
import traceback
import uuid
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Final

from flask import current_app
from sqlalchemy.exc import NoResultFound, OperationalError

from exports import checking, pipeline
from exports.catalogue import Catalogue
from exports.definition import Definition
from exports.errors import Cancelled, ExportsError, Fenced, GivenBack, RunStopped, SourceTimeout, Unexpected
from exports.pipeline import Progress, Result
from exports.source.base import Source
from exports.surroundings import Surroundings
from exports.target import Upload
from jobs import delivery, horse, scheduler
from jobs.lease import Lease
from webapp import logs
from webapp.extensions import db
from webapp.models import Brand, Export, Run, User, brand_scope
from webapp.services import artefacts, brands, deliveries, exports, personal, runs, telling
from webapp.services.runs import Claim

log = logging.getLogger("jobs.runs")

AGAIN_S: Final = 1.0
"""Between two tries to publish while our own database is away."""


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
        telling.rehearse()
    db.session.remove()


def attempt(mine: Claim) -> None:
    """One attempt of one run, to its end; whatever happens, the run knows why."""
    with brand_scope(mine.brand_id), logs.of_run(run=str(mine.run_id), export=str(mine.export_id)):
        try:
            with Lease(mine) as lease:
                _carry_out(mine, lease)
        except Fenced:
            log.warning("run %s: attempt %d was overtaken", mine.run_id, mine.attempt)
        finally:
            db.session.remove()


def _carry_out(mine: Claim, lease: Lease) -> None:
    try:
        if (upload := _upload(mine)) is not None:
            _deliver(mine, upload, lease)
            return
        result = make_file(mine, lease)
        _or_delete(mine, lambda: publish(mine, lambda: runs.publish(mine, result)))
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
    except OperationalError as error:  # of our own database alone: what the source says is translated
        log.warning("run %s: attempt %d: %s", mine.run_id, mine.attempt, error)
        _let_go()
        away = delivery.database_away(error)
        publish(mine, lambda: runs.fail(mine, away))
    except Exception as error:  # no run ends without a reason (RELIABILITY P6), whatever we did not foresee
        log.exception("run %s: attempt %d", mine.run_id, mine.attempt)
        _let_go()
        runs.fail(mine, Unexpected(detail="".join(traceback.format_exception(error))))


def _upload(mine: Claim) -> Upload | None:
    """Where the version of the run is uploaded to; None if it is not."""
    export = db.session.get_one(Export, mine.export_id)
    target = exports.definition_of(export, mine.version).target
    return target if isinstance(target, Upload) else None


def _deliver(mine: Claim, upload: Upload, lease: Lease) -> None:
    """Make the file and keep it, unless an earlier attempt has; then deliver it. Success is when it is there."""
    if mine.artefact is None:
        result = make_file(mine, lease)
        if not result.delivered:  # there were no rows, and nothing is delivered then
            publish(mine, lambda: runs.publish(mine, result))
            return
        _or_delete(mine, lambda: publish(mine, lambda: runs.file(mine, result)))
    run = db.session.get_one(Run, mine.run_id, populate_existing=True)
    lease.resume(Progress(run.rows, run.bytes, 0.0))
    check_rights(mine)
    delivery.of_run(mine, upload, lease)
    publish(mine, lambda: runs.finish(mine))


def _or_delete(mine: Claim, keep: Callable[[], None]) -> None:
    """Keep a file that was made; if that comes too late, it is whole, and nobody's."""
    try:
        keep()
    except RunStopped:
        artefacts.store().delete(mine.key)
        raise


def _let_go() -> None:
    """A session that failed takes no statement before this."""
    db.session.rollback()


def make_file(mine: Claim, lease: Lease) -> Result:
    """Run the definition of the claimed version into the store, under the attempt's own key.

    Raises:
        ExportsError: what is in the way.
        RunStopped: cancelled, overtaken, or this process was told to stop.
    """
    definition, owner, catalogue = check_rights(mine)
    brand = owner.brand
    surroundings = brands.surroundings(brand, mine.base_moment, about=definition)
    source = brands.source()
    db.session.rollback()  # no transaction of ours stays open while the rows come
    runs.expect(mine, _expected(definition, catalogue, surroundings, source))
    lease.check()
    sink = lease.storing(artefacts.store().open_writer(mine.key))
    return pipeline.run(definition, catalogue, surroundings, source, sink, watch=lease.watch, archive=True)


def _expected(definition: Definition, catalogue: Catalogue, surroundings: Surroundings, source: Source) -> int | None:
    """About how many rows will come; None if that cannot be had quickly: no percentage then, but the file."""
    try:
        return source.estimate(checking.query_of(definition, catalogue, surroundings, source))
    except SourceTimeout:
        return None


def check_rights(mine: Claim) -> tuple[Definition, User, Catalogue]:
    """The definition that is to run, its owner and the catalogue, if the owner still may run it.

    Raises:
        RightsLost: they may not.
    """
    export = db.session.get_one(Export, mine.export_id)
    definition = exports.definition_of(export, mine.version)
    owner = db.session.get_one(User, export.owner_id)
    catalogue = brands.catalogue_of(owner.brand)
    personal.check_owner(owner, definition, catalogue)
    if isinstance(definition.target, Upload):
        deliveries.connection_of(definition.target, owner)
    return definition, owner, catalogue


def publish(mine: Claim, settle: Callable[[], None]) -> None:
    """Publish, or settle an attempt otherwise; while our own database is away, try again for as long as the lease."""
    deadline = time.monotonic() + float(current_app.config["SETTINGS"].run_lease)
    while True:
        try:
            return settle()
        except OperationalError:
            _let_go()
            if time.monotonic() > deadline:
                raise
            time.sleep(AGAIN_S)
