"""The files of a comparison: what is different as a zip, and beside it its first rows, which the page shows.

Both are data of the two runs: they go with the first of the two files, and with the export of either.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterator
from typing import Any, Final

from sqlalchemy import or_, select, tuple_, update

from exports.archive import file_name
from exports.compare import First
from exports.errors import StorageError
from webapp.extensions import db
from webapp.models import Compare, Export, Run, brand_scope, clock
from webapp.services import artefacts, audit
from webapp.services.artefacts import Artefact
from webapp.services.compares.attempts import Comparing
from webapp.services.progress import present

AT_ONCE: Final = 100
MEMBER: Final = "differences.csv"
Going = Callable[[], bool]


def key_of(mine: Comparing) -> str:
    """Where an attempt keeps the file of the differences."""
    return f"{mine.brand_id}/{mine.id}/{mine.attempt}.zip"


def first_key(key: str) -> str:
    """Where the first rows lie, beside it."""
    return key.removesuffix(".zip") + ".json"


def write_first(mine: Comparing, headers: tuple[str, ...], first: First) -> None:
    """Keep the first rows of each kind.

    Raises:
        StorageError: the store does not take them.
    """
    sink = artefacts.store().open_writer(first_key(key_of(mine)))
    try:
        sink.write(json.dumps({"headers": headers, **first.rows}).encode())
        sink.close()
    except BaseException:
        sink.abort()
        raise


def first_rows(found: Compare, kind: str) -> tuple[list[str], list[dict[str, Any]]] | None:
    """Names of the columns and the first rows of a kind ("all" for every kind); None if they are not kept any more."""
    if not is_kept(found):
        return None
    try:
        told = json.loads(b"".join(artefacts.store().read(first_key(str(found.artefact)))))
    except (FileNotFoundError, StorageError):
        return None
    return told["headers"], told[kind]


def is_kept(found: Compare) -> bool:
    """Whether there is a file of differences, and its time is not over."""
    return found.artefact is not None and found.kept_until is not None and found.kept_until > present()


def differences(found: Compare, name: str) -> Artefact | None:
    """The file of the differences, named for the export; None if it is not kept any more."""
    if not is_kept(found):
        return None
    return Artefact(
        key=str(found.artefact),
        name=file_name(f"{name} differences", "zip"),
        member=MEMBER,
        size=int(found.archive_bytes or 0),
        sha256=str(found.sha256),
        etag=f"{found.id}-{found.attempt}",
    )


def remove_files(key: str) -> None:
    """Remove both files of an attempt; those that are not there are no error. Raises StorageError."""
    for one in (key, first_key(key)):
        artefacts.store().delete(one)
        artefacts.store().give_up(one)


# --- what has outlived its time


def expired(last: tuple[Any, uuid.UUID] | None) -> list[Compare]:
    """The next comparisons, of all brands, whose files are kept no longer."""
    place = (Compare.kept_until, Compare.id)
    over = select(Compare).where(Compare.artefact.is_not(None), Compare.kept_until <= clock())
    if last is not None:
        over = over.where(tuple_(*place) > tuple_(*last))
    return list(db.session.scalars(over.order_by(*place).limit(AT_ONCE)))


def remove_expired(id: uuid.UUID, brand_id: uuid.UUID, key: str, actor: str) -> bool:
    """Remove the files of one, then say so; whether it was this process that said so. Commits; raises StorageError."""
    remove_files(key)
    with brand_scope(brand_id):
        held = (Compare.id == id, Compare.artefact == key)
        change = update(Compare).where(*held).values(artefact=None).returning(Compare)
        row = db.session.scalars(change.execution_options(synchronize_session=False)).one_or_none()
        if row is not None:
            audit.record("compare.removed", actor, row)
        db.session.commit()
    return row is not None


# --- with a file that is removed before its time


def end_with(run: Run) -> None:
    """Let nobody have the differences from or to the file of a run from now on; the caller commits, and has changed
    the run's row before: one that is published meanwhile waits for it (`attempts.publish`).
    """
    of_it = or_(Compare.earlier_id == run.id, Compare.later_id == run.id)
    over = update(Compare).where(of_it, Compare.artefact.is_not(None), Compare.kept_until > clock())
    db.session.execute(over.values(kept_until=clock()).execution_options(synchronize_session=False))


# --- with an export that is deleted


def _of_export(export: Export) -> Any:
    runs = select(Run.id).where(Run.export_id == export.id)
    return or_(Compare.earlier_id.in_(runs), Compare.later_id.in_(runs))


def stop_all(export: Export) -> None:
    """Cancel what waits or goes on of an export that is deleted; the caller commits."""
    silently = {"synchronize_session": False}
    asked = update(Compare).where(_of_export(export), Compare.state == "processing").values(cancel_requested_at=clock())
    waits = update(Compare).where(_of_export(export), Compare.state == "queued")
    db.session.execute(asked, execution_options=silently)
    db.session.execute(waits.values(state="cancelled", finished_at=clock()), execution_options=silently)


def remove_of(export: Export, going: Going) -> bool:
    """Remove the files of all comparisons with an export; the rows go with its runs. False: one is in progress.

    Raises:
        StorageError: the store does not answer.
    """
    found = db.session.scalars(select(Compare).where(_of_export(export))).all()
    if any(one.state == "processing" for one in found):
        return False
    for key in (key for one in found for key in _keys(one)):
        if not going():
            return False
        remove_files(key)
    return True


def _keys(found: Compare) -> Iterator[str]:
    for attempt in range(1, found.attempt + 1):
        yield key_of(Comparing(found.id, found.brand_id, attempt))
