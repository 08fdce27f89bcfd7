"""The same request twice, at the same moment: one export, one run (F39)."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from sqlalchemy import func, select

from tests.fix_app import People, Person, stores
from webapp.extensions import db
from webapp.models import Export, Run, User
from webapp.services import exports, runs

TIMES = 4


def at_once(person: Person, press: Callable[[], uuid.UUID]) -> set[uuid.UUID]:
    """Press a button several times at the same moment; what came of it."""
    ready = threading.Barrier(TIMES)

    def pressed(_number: int) -> uuid.UUID:
        ready.wait()
        with person.at_work():
            return press()

    with ThreadPoolExecutor(TIMES) as threads:
        return set(threads.map(pressed, range(TIMES)))


def test_create_pressed_several_times_at_once_makes_one_export_with_one_run(people: People) -> None:
    token = uuid.uuid4()

    def press() -> uuid.UUID:
        return exports.create(db.session.get_one(User, people.exporter.id), stores(), token).id

    assert len(at_once(people.exporter, press)) == 1
    with people.viewer.at_work():
        assert db.session.scalar(select(func.count()).select_from(Export)) == 1
        assert db.session.scalar(select(func.count()).select_from(Run)) == 1


def test_run_now_pressed_several_times_at_once_makes_one_run(people: People) -> None:
    token = uuid.uuid4()
    with people.exporter.at_work() as user:
        export_id = exports.create(user, stores(), uuid.uuid4()).id

    def press() -> uuid.UUID:
        user = db.session.get_one(User, people.exporter.id)
        return runs.request_run(user, db.session.get_one(Export, export_id), token).id

    assert len(at_once(people.exporter, press)) == 1
    with people.viewer.at_work():
        assert db.session.scalar(select(func.count()).select_from(Run)) == 2
