"""Carries out comparisons: from a ticket to the counts and the file of the differences, or to a reason in words."""

from __future__ import annotations

import importlib
import logging
import time
import traceback
from collections.abc import Iterator
from typing import Final

from exports.archive import unzipped
from exports.compare import Comparison, Side, compare
from exports.errors import Cancelled, ExportsError, Fenced, GivenBack, Lost, Unexpected
from exports.errors.compare import ComparisonTooLong
from jobs import horse, scheduler
from webapp.extensions import db
from webapp.filters import day
from webapp.models import Compare, Run, User, brand_scope
from webapp.services import artefacts, brands, compares
from webapp.services.compares import Compared, Comparing, keeping

log = logging.getLogger("jobs.compare")

BEAT_S: Final = 1.0
"""Between two heartbeats, which tell progress and hear of **Cancel**."""
LONGEST_S: Final = 15 * 60
"""Two files of 1.5 million rows take half a minute at most: what takes so much longer is better done elsewhere."""


def preload() -> None:
    """Before processes are forked: import what is otherwise imported at its first use."""
    importlib.import_module("exports.compare")


def execute(run: str | None = None) -> None:
    """Carry out what waits, until nothing does. A ticket only says that there is work: `run` is not looked at."""
    while not horse.stopping():
        mine = scheduler.take_next_compare(horse.name())
        if mine is None:
            return
        with brand_scope(mine.brand_id):
            try:
                _attempt(mine)
            except Fenced:
                log.warning("comparison %s: attempt %d was overtaken", mine.id, mine.attempt)
            finally:
                db.session.remove()


def _attempt(mine: Comparing) -> None:
    """One attempt, to its end; whatever happens, the comparison knows why."""
    try:
        _carry_out(mine)
    except Fenced:
        keeping.remove_files(keeping.key_of(mine))  # whole perhaps, and nobody's
        raise
    except Cancelled:
        keeping.remove_files(keeping.key_of(mine))
        compares.stop(mine)
    except GivenBack:
        compares.give_back(mine)
    except ExportsError as error:
        log.warning("comparison %s: %s %s", mine.id, error.code, error.detail or error)
        db.session.rollback()
        compares.fail(mine, error)
    except Exception as error:  # nobody waits for ever, whatever we did not foresee
        log.exception("comparison %s", mine.id)
        db.session.rollback()
        compares.fail(mine, Unexpected(detail="".join(traceback.format_exception(error))))


def _carry_out(mine: Comparing) -> None:
    row = db.session.get_one(Compare, mine.id, populate_existing=True)
    asked_by = db.session.get_one(User, row.asked_by_id)
    catalogue = brands.catalogue_of(asked_by.brand)
    earlier, later = (db.session.get_one(Run, id, populate_existing=True) for id in (row.earlier_id, row.later_id))
    zone = asked_by.time_zone
    sides = compares.compared((earlier, later), catalogue, lambda run: day(run.started_at or run.created_at, zone))
    db.session.rollback()  # no transaction of ours stays open while files are read
    found = _compared(mine, sides)
    key = None
    if found.differences:
        compares.write_first(mine, found.headers, found.first)
        key = keeping.key_of(mine)
    else:
        keeping.remove_files(keeping.key_of(mine))
    compares.publish(mine, found, key)
    log.info("comparison %s: %d differences, %d rows the same", mine.id, found.differences, found.unchanged)


def _compared(mine: Comparing, sides: list[Compared]) -> Comparison:
    before, after = (Side(one.layout, lambda one=one: _pieces(one)) for one in sides)  # type: ignore[misc]
    key = keeping.key_of(mine)
    return compare(before, after, lambda: artefacts.store().open_writer(key), keeping.MEMBER, _Watch(mine).look)


def _pieces(side: Compared) -> Iterator[bytes]:
    """The bytes of a run's file.

    Raises:
        Lost: the store does not have it.
    """
    try:
        yield from unzipped(side.artefact.pieces())
    except FileNotFoundError as error:
        raise Lost(str(error)) from error


class _Watch:
    """Renews the lease once a second, and hears whether the comparison is to go on."""

    def __init__(self, mine: Comparing) -> None:
        self._mine = mine
        self._began = self._told = time.monotonic()

    def look(self, doing: str, rows: int) -> None:
        """What the engine calls every few milliseconds. Raises Fenced, Cancelled, GivenBack, ComparisonTooLong."""
        if horse.stopping():
            raise GivenBack
        now = time.monotonic()
        if now - self._told < BEAT_S:
            return
        if now - self._began > LONGEST_S:
            raise ComparisonTooLong(minutes=LONGEST_S // 60)
        self._told = now
        compares.beat(self._mine, doing, rows)
