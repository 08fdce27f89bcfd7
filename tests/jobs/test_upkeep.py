"""What has outlived its time goes, and nothing else does (SPEC section 10, retention)."""

from __future__ import annotations

import threading
import uuid
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select

from jobs import scheduler, upkeep
from tests.fix_app import Clock, People, Person, stores
from tests.fix_workshop import until
from webapp.extensions import db
from webapp.models import Draft, LoginSession, Run, system_scope
from webapp.services import artefacts, exports, runs


class Result:
    """As the pipeline gives it."""

    rows, bytes, archive_bytes, sha256 = 3, 30, 4, "ab"


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


def test_a_scheduler_that_is_told_to_go_leaves_files_for_the_next_one(app: Flask, people: People, clock: Clock) -> None:
    finished(app, people.exporter)
    told = threading.Event()
    told.set()
    clock.forward(timedelta(days=31))
    with app.app_context():
        assert (upkeep.expired_files(told), upkeep.orphans(told), len(keys(app))) == (0, 0, 1)
        assert (upkeep.expired_files(), len(keys(app))) == (1, 0)


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
