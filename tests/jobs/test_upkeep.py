"""What has outlived its time goes, and nothing else does (SPEC section 10, retention)."""

from __future__ import annotations

import shutil
import threading
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event, func, select, text

from jobs import scheduler, upkeep
from tests.fix_app import Clock, People, Person, stores
from tests.fix_workshop import until
from webapp.extensions import db
from webapp.models import AuditEntry, Draft, LoginSession, Run, RunEvent, system_scope
from webapp.services import artefacts, exports, runs


class Result:
    """As the pipeline gives it."""

    rows, bytes, archive_bytes, sha256, delivered = 3, 30, 4, "ab", True


def finished(app: Flask, person: Person) -> uuid.UUID:
    """A run of the person's with a file of four bytes."""
    with person.at_work() as user:
        exports.create(user, stores(), uuid.uuid4())
    with app.app_context():
        mine = scheduler.take_next("w")
        assert mine is not None
        write(mine.key)
        runs.publish(mine, Result())
    return mine.run_id


def write(key: str) -> None:
    """Put four bytes into the store."""
    sink = artefacts.store().open_writer(key)
    sink.write(b"file")
    sink.close()


@pytest.fixture(autouse=True)
def _empty_store(app: Flask) -> None:
    with app.app_context():
        for key, _ in list(artefacts.store().list()):
            artefacts.store().delete(key)


def keys(app: Flask) -> set[str]:
    """What is in the store."""
    with app.app_context():
        return {key for key, _ in artefacts.store().list()}


def test_a_file_goes_when_its_time_is_over_and_its_run_stays(app: Flask, people: People, clock: Clock) -> None:
    run_id = finished(app, people.exporter)
    with app.app_context():
        assert upkeep.expired_files() == 0
        clock.forward(timedelta(days=30, seconds=1))
        with people.viewer.at_work():
            assert artefacts.published(db.session.get_one(Run, run_id)) is None, "gone before it is removed"
        assert upkeep.expired_files() == 1
        assert upkeep.expired_files() == 0
    assert keys(app) == set()
    with people.viewer.at_work():
        run = db.session.get_one(Run, run_id)
        assert (run.state, run.artefact, run.rows) == ("success", None, 3)
        assert runs.told(runs.events_of(run)[-1]) == "The file was removed: it was kept until its day."


def removals(app: Flask, person: Person, run_id: uuid.UUID) -> tuple[int, int]:
    """How often the steps of a run, and the audit log, say that its file was removed."""
    with person.at_work():
        steps = select(func.count()).where(RunEvent.run_id == run_id, RunEvent.kind == "removed")
        entries = select(func.count()).where(AuditEntry.action == "run.file_removed")
        return db.session.scalar(steps) or 0, db.session.scalar(entries) or 0


@pytest.mark.parametrize("killed", ["before the file", "between file and row", "after both"])
def test_wherever_the_removal_is_killed_the_next_one_ends_it_and_says_so_once(
    app: Flask, people: People, clock: Clock, killed: str
) -> None:
    run_id = finished(app, people.exporter)
    clock.forward(timedelta(days=31))
    with app.app_context():
        if killed == "between file and row":
            [key] = keys(app)
            artefacts.store().delete(key)
        elif killed == "after both":
            upkeep.expired_files()
        with people.viewer.at_work():
            assert artefacts.published(db.session.get_one(Run, run_id)) is None, "nobody is sent to what is gone"
        upkeep.expired_files()
        assert keys(app) == set()
    assert removals(app, people.exporter, run_id) == (1, 1)
    with people.viewer.at_work():
        assert db.session.get_one(Run, run_id).artefact is None


def test_a_file_that_cannot_be_removed_holds_up_no_other(
    app: Flask, people: People, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    stuck = finished(app, people.exporter)
    clock.forward(timedelta(minutes=1))
    other = finished(app, people.exporter)
    with people.viewer.at_work():
        key = str(db.session.get_one(Run, stuck).artefact)
    folder = Path(app.config["SETTINGS"].storage_url.removeprefix("file://"))
    (folder / key).unlink()
    (folder / key / "in the way").mkdir(parents=True)  # a folder is no file: the store refuses
    clock.forward(timedelta(days=31))
    with app.app_context():
        assert upkeep.expired_files() == 1
    assert removals(app, people.exporter, other) == (1, 1)
    assert f"the file {key}" in caplog.text
    shutil.rmtree(folder / key)
    with app.app_context():
        assert upkeep.expired_files() == 1, "and it is tried again"


def test_no_row_is_held_while_the_store_removes_a_file(app: Flask, people: People, clock: Clock) -> None:
    """A second connection takes every row at the moment when the file is gone and its row does not say so yet."""
    run_id = finished(app, people.exporter)
    clock.forward(timedelta(days=31))
    seen: list[str] = []
    with app.app_context():
        engine = db.engine

        def before(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
            if statement.startswith("UPDATE runs") and not seen:
                seen.append(statement)
                with engine.connect() as other:
                    held = text("SELECT id FROM runs WHERE id = :id FOR UPDATE NOWAIT")
                    assert other.execute(held, {"id": run_id}).one()
                assert keys(app) == set()

        event.listen(engine, "before_cursor_execute", before)
        try:
            assert upkeep.expired_files() == 1
        finally:
            event.remove(engine, "before_cursor_execute", before)
    assert seen


def test_rows_of_logs_are_kept_for_ever_or_as_the_brand_says(app: Flask, people: People, clock: Clock) -> None:
    hourly = {"type": "repeated", "every": "day", "hours": "*", "minutes": "0"}
    clock.set("2026-11-01 10:30+00")
    with people.exporter.at_work() as user:
        export_id = exports.create(user, stores(schedule=hourly), uuid.uuid4()).id
    clock.set("2026-11-02 10:30+00")
    with app.app_context():
        scheduler.fire_all_due()
        clock.set("2027-11-02 10:30+00")
        assert upkeep.old_log_rows() == 0, "for ever"
    with people.exporter.at_work() as user:
        user.brand.log_days = 365
        db.session.commit()
    clock.set("2027-11-01 10:30+00")
    with app.app_context():
        assert upkeep.old_log_rows() == 0
        clock.set("2027-11-02 10:31+00")
        assert upkeep.old_log_rows() == 23
    with people.exporter.at_work():
        left = db.session.scalars(select(Run).where(Run.export_id == export_id)).one()
        assert left.state == "queued", "what is still to run stays"
        assert len(runs.events_of(left)) == 1
        entry = db.session.scalars(select(AuditEntry).where(AuditEntry.action == "runs.removed")).one()
        assert (entry.actor, entry.facts) == ("upkeep", {"count": 23})


def test_the_newest_run_and_one_with_a_file_outlive_their_time_in_logs(
    app: Flask, people: People, clock: Clock
) -> None:
    with people.exporter.at_work() as user:
        user.brand.log_days = 1
        db.session.commit()
    first = finished(app, people.exporter)
    clock.forward(timedelta(minutes=1))
    with people.exporter.at_work() as user:
        export = exports.find(db.session.get_one(Run, first).export_id)
        assert export is not None
        second = runs.request_run(user, export, uuid.uuid4()).id
        runs.cancel(user, db.session.get_one(Run, second))
    clock.forward(timedelta(days=29))
    with app.app_context():
        assert upkeep.old_log_rows() == 0
        clock.forward(timedelta(days=2))
        upkeep.files()
        upkeep.tidy()
    with people.viewer.at_work():
        assert [run.id for run in db.session.scalars(select(Run))] == [second]


def test_a_scheduler_that_is_told_to_go_leaves_files_for_the_next_one(app: Flask, people: People, clock: Clock) -> None:
    finished(app, people.exporter)
    told = threading.Event()
    told.set()
    clock.forward(timedelta(days=31))
    with app.app_context():
        assert (upkeep.expired_files(told), upkeep.orphans(told), len(keys(app))) == (0, 0, 1)
        assert (upkeep.expired_files(), len(keys(app))) == (1, 0)


def test_files_that_are_kept_no_longer_are_gone_within_a_minute(app: Flask, people: People, clock: Clock) -> None:
    finished(app, people.exporter)
    clock.forward(timedelta(days=31))
    assert [one.every_s for one in scheduler.store_duties(threading.Event()) if one.name == "files"] == [60]
    for one in scheduler.store_duties(threading.Event()):
        if one.name == "files":
            one.run_if_due(app)
    assert keys(app) == set()


def test_the_brand_says_how_long_files_are_kept(app: Flask, people: People, clock: Clock) -> None:
    clock.set("2026-11-23 10:00:00+00")
    with people.exporter.at_work() as user:
        user.brand.retention_days = 7
        db.session.commit()
    run_id = finished(app, people.exporter)
    with people.viewer.at_work():
        assert db.session.get_one(Run, run_id).kept_until == datetime(2026, 11, 30, 10, tzinfo=UTC)


def test_files_of_attempts_that_never_were_published_go(app: Flask, people: People) -> None:
    published = finished(app, people.exporter)
    with people.exporter.at_work() as user:
        exports.create(user, stores(), uuid.uuid4())
    with app.app_context():
        mine = scheduler.take_next("w")
        assert mine is not None
        overtaken = f"{mine.brand_id}/{mine.run_id}/0.zip"
        for key in (mine.key, overtaken, f"{mine.brand_id}/{published}/0.zip"):
            write(key)
        others = {"left here by somebody", f"{mine.brand_id}/{uuid.uuid4()}/1.zip", f"{uuid.uuid4()}/{published}/1.zip"}
        for key in others:
            write(key)
        assert upkeep.orphans() == 2
        with people.viewer.at_work():
            kept = db.session.get_one(Run, published).artefact
    assert keys(app) == {kept, mine.key, *others}, "published, about to be, and what is not ours"


def test_drafts_that_nobody_touched_for_30_days_go(app: Flask, people: People, clock: Clock) -> None:
    with people.exporter.at_work() as user:
        db.session.add(Draft(owner_id=user.id, document={}))
        db.session.commit()
    with app.app_context():
        upkeep.tidy()
    assert drafts(people.exporter) == 1
    clock.forward(timedelta(days=31))
    with people.exporter.at_work() as user:
        db.session.add(Draft(owner_id=user.id, document={}))
        db.session.commit()
    with app.app_context():
        upkeep.tidy()
    assert drafts(people.exporter) == 1


def drafts(person: Person) -> int:
    """How many drafts the brand has."""
    with person.at_work():
        return db.session.scalar(select(func.count()).select_from(Draft)) or 0


def test_sessions_that_are_over_go(app: Flask) -> None:
    now = datetime.now(UTC)
    with app.app_context():
        db.session.add(LoginSession(id="over", data=b"{}", expires_at=now - timedelta(seconds=1)))
        db.session.add(LoginSession(id="alive", data=b"{}", expires_at=now + timedelta(minutes=1)))
        with system_scope():
            db.session.commit()
        upkeep.tidy()
        assert list(db.session.scalars(select(LoginSession.id))) == ["alive"]


def test_what_a_killed_worker_had_begun_to_write_is_freed(app: Flask, people: People) -> None:
    with people.exporter.at_work() as user:
        exports.create(user, stores(), uuid.uuid4())
    with app.app_context():
        mine = scheduler.take_next("w")
        assert mine is not None
        dead = f"{mine.brand_id}/{mine.run_id}/0.zip"
        writing = [artefacts.store().open_writer(key) for key in (dead, mine.key)]
        for sink in writing:
            sink.write(bytes(6 * 1024 * 1024))
        until(lambda: set(artefacts.store().unfinished()) == {dead, mine.key}, "both have begun")
        assert upkeep.orphans() == 1
        assert set(artefacts.store().unfinished()) == {mine.key}, "the attempt in progress goes on"
        for sink in writing:
            sink.abort()
        assert not list(artefacts.store().unfinished()), "what is given up frees its place at once"
        assert not list(artefacts.store().list())
