"""**Archive**, **Restore** and **Delete** (SPEC section 4): what is put aside, and what goes for good.

An export that is deleted is marked first, in the transaction that stops its runs: from then on nobody finds it and
nothing of it can be downloaded. Its files and rows are removed after that, at once or, whatever comes between, later.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Final

from sqlalchemy import Select, bindparam, func, select, update
from sqlalchemy import delete as deleting

from exports.errors import StorageError
from webapp.extensions import db
from webapp.models import Draft, Export, ExportVersion, Run, User, clock
from webapp.models.states import LIVE
from webapp.permissions import authorize
from webapp.services import artefacts, audit, runs, schedules
from webapp.services.compares import keeping
from webapp.services.moves import allows, move

AT_ONCE: Final = 20
"""Runs whose files are removed while somebody waits for the page; more are left to jobs/upkeep.py."""
Going = Callable[[], bool]


def archive(user: User, export: Export) -> bool:
    """Put an export aside: no list shows it, it never runs, what runs of it is cancelled. False: it was already.

    Raises:
        Refused: the user may not archive this export.
    """
    authorize(user, "exports.archive", export)
    done = allows(schedules.hold(export), "archived")
    if done:
        if export.active:
            export.inactive_since, export.inactive_by_id = schedules.settle(export), user.id
        schedules.drop_date(user, export)
        move(export, "archived")
        runs.stop_all(user, export)
        audit.record("export.archived", user, export, name=export.name)
    db.session.commit()
    return done


def restore(user: User, export: Export) -> bool:
    """Bring it back to the lists. It runs again when somebody says so: Set active, Change schedule or Run now.

    Raises:
        Refused: the user may not archive this export.
    """
    authorize(user, "exports.restore", export)
    done = move(schedules.hold(export), "restored")
    if done:
        audit.record("export.restored", user, export, name=export.name)
    db.session.commit()
    return done


def runs_and_files(export: Export) -> tuple[int, int]:
    """How many runs of an export there are, and how many of them have a file: what Delete takes away."""
    runs_, files_ = db.session.execute(_counted(), {"export": export.id}).one()
    return runs_, files_


@cache
def _counted() -> Select[int, int]:
    all_runs = select(func.count()).select_from(Run).where(Run.export_id == bindparam("export"))
    return select(all_runs.scalar_subquery(), all_runs.where(Run.artefact.is_not(None)).scalar_subquery())


def delete(user: User, export: Export) -> None:
    """Delete an export with its runs, versions and files; its name stays in the audit log.

    Raises:
        Refused: the user may not delete this export.
    """
    authorize(user, "exports.delete", export)
    schedules.hold(export)
    if export.deleted_at is None and move(export, "deleted"):
        export.deleted_at = clock()
        runs.stop_all(user, export)
        keeping.stop_all(export)
        all_runs, files = runs_and_files(export)
        audit.record("export.deleted", user, export, name=export.name, runs=all_runs, files=files)
        few = all_runs <= AT_ONCE
        db.session.commit()
        if few:
            _remove_now(export)
    db.session.commit()


def _remove_now(export: Export) -> None:
    try:
        remove(export)
    except StorageError:
        db.session.rollback()  # the export is marked: the next look of jobs/upkeep.py goes on with it


def remove(export: Export, going: Going = lambda: True) -> bool:
    """Remove files and rows of an export that is marked as deleted; commits. False: something of it still goes on.

    May be repeated: a file that is gone is no error, and the rows that name the files go last.

    Raises:
        StorageError: the store does not answer.
    """
    of_it = Run.export_id == export.id
    if db.session.scalar(select(Run.id).where(of_it, Run.state.in_(LIVE)).limit(1)) is not None:
        return False
    if not keeping.remove_of(export, going):
        return False
    kept = db.session.execute(select(Run.id, Run.brand_id, Run.attempt, Run.artefact).where(of_it)).all()
    for id_, brand_id, attempts, artefact in kept:
        keys = {f"{brand_id}/{id_}/{number}.zip" for number in range(1, attempts + 1)}
        for key in keys | ({artefact} if artefact else set()):
            if not going():
                return False
            artefacts.store().delete(key)
            artefacts.store().give_up(key)
    silently = {"synchronize_session": False}
    unlinked = update(Export).where(Export.id == export.id).values(latest_run_id=None)
    for statement in (
        unlinked,
        deleting(Draft).where(Draft.export_id == export.id),
        deleting(Run).where(of_it),
        deleting(ExportVersion).where(ExportVersion.export_id == export.id),
        deleting(Export).where(Export.id == export.id),
    ):
        db.session.execute(statement, execution_options=silently)
    db.session.commit()
    return True
