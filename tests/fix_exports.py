"""Exports in every state, made by the services that make them in production, and real files in the store."""

from __future__ import annotations

import hashlib
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from tests.fix_app import stores

if TYPE_CHECKING:
    from flask import Flask

    from exports.errors import ExportsError
    from tests.fix_app import Person
    from webapp.services.runs import Claim

CONTENT = b"Store,name\n00001,Main Street\n00002,Station\n"


@dataclass(frozen=True)
class Made:
    """An export and its newest run."""

    id: uuid.UUID
    run_id: uuid.UUID


@dataclass(frozen=True)
class Exports:
    """Makes exports and plays the worker."""

    app: Flask

    def create(self, person: Person, name: str = "Stores", **definition: Any) -> Made:
        """An export of the person whose run waits for a worker."""
        from webapp.services import exports

        with person.at_work() as user:
            export = exports.create(user, stores(name=name, **definition), uuid.uuid4())
            assert export.latest_run_id is not None
            return Made(export.id, export.latest_run_id)

    def claim(self) -> Claim:
        """A worker takes the run that waits longest."""
        from webapp.models import system_scope
        from webapp.services import runs

        with self.app.app_context(), system_scope():
            mine = runs.claim("worker of a test")
        assert mine is not None
        return mine

    def beat(self, mine: Claim, rows: int, size: int, expected: int | None = None) -> None:
        """The worker says how far it is."""
        from exports.source.base import Progress
        from webapp.services import runs

        with self.app.app_context():
            if expected is not None:
                runs.expect(mine, expected)
            runs.beat(mine, Progress(rows, size, 1.0), "writing")

    def publish(self, mine: Claim, content: bytes = CONTENT, member: str = "Stores.csv") -> None:
        """The worker has the file."""
        from exports.archive import zipped
        from exports.pipeline import Result
        from webapp.services import artefacts, runs

        with self.app.app_context():
            sink, size = artefacts.store().open_writer(mine.key), 0
            for piece in zipped([content], member):
                sink.write(piece)
                size += len(piece)
            sink.close()
            rows = content.count(b"\n") - 1
            runs.publish(mine, Result(rows, len(content), size, hashlib.sha256(content).hexdigest(), 1.0))

    def finished_again(self, person: Person, export: Made, content: bytes) -> uuid.UUID:
        """A further run of an export, by **Run now**, with this file."""
        from webapp.services import exports, runs

        with person.at_work() as user:
            found = exports.find(export.id)
            assert found is not None
            run_id = runs.request_run(user, found, uuid.uuid4()).id
        self.publish(self.claim(), content)
        return run_id

    def asked_to_compare(self, person: Person, one: uuid.UUID, other: uuid.UUID) -> uuid.UUID:
        """Two runs that the person wants compared; a worker carries it out when `jobs.compare.execute` is called."""
        from webapp.extensions import db
        from webapp.models import Run
        from webapp.services import compares

        with person.at_work() as user:
            first, second = (db.session.get_one(Run, id) for id in (one, other))
            return compares.ask(user, first, second, str).id

    def fail(self, mine: Claim, error: ExportsError | None = None) -> None:
        """The worker cannot go on, for good: the definition names a field that is gone, or what is said."""
        from exports.errors import FieldMissing
        from webapp.services import runs

        with self.app.app_context():
            runs.fail(mine, error or FieldMissing("column stores.name does not exist", name="name"))

    def finished(self, person: Person, name: str = "Stores", content: bytes = CONTENT, **definition: Any) -> Made:
        """An export whose file can be downloaded."""
        made = self.create(person, name, **definition)
        self.publish(self.claim(), content)
        return made


@pytest.fixture
def made(app: Flask) -> Exports:
    """Makes exports and plays the worker."""
    return Exports(app)
