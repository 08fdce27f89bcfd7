"""The application on this worker's database, emptied after each test, and the cast of people who use it."""

from __future__ import annotations

import gc
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import psycopg
import pytest
import redis

from tests.fix_services import environment

if TYPE_CHECKING:
    from flask import Flask
    from flask.testing import FlaskClient

    from exports.definition import Definition
    from tests.fix_services import Cluster
    from webapp.models import User

CLOCK = """
    CREATE TABLE test_clock (at timestamptz NOT NULL);
    CREATE OR REPLACE FUNCTION clock() RETURNS timestamptz LANGUAGE sql STABLE
    AS 'SELECT coalesce((SELECT at FROM test_clock LIMIT 1), now())'
"""
"""RELIABILITY P11: the one answer to what time it is can be set by a test; unset it is the real one."""

TOUCHED = """
    SELECT quote_ident(relname) FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'
        AND relname <> 'alembic_version' AND pg_relation_size(oid) > 0
"""

MODULES = {
    "maple": ["challenges", "changes", "content_approval", "coupons", "products", "rewards", "segments", "stores",
              "user_groups", "webhooks"],
    "alpine": ["coupons", "products", "segments", "stores"],
}  # fmt: skip


class Clock:
    """What time it is for everything that asks the database's clock()."""

    def __init__(self, url: str) -> None:
        self.url = url

    def set(self, at: datetime | str) -> None:
        """Stop at this moment."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute("DELETE FROM test_clock")
            connection.execute("INSERT INTO test_clock VALUES (%s)", [at])

    def forward(self, by: timedelta) -> None:
        """Stop this much later than it is now."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            self.set(connection.execute("SELECT clock() + %s", [by]).fetchone()[0])  # type: ignore[index]


@dataclass(frozen=True)
class Person:
    """One of the cast."""

    app: Flask
    id: uuid.UUID
    brand_id: uuid.UUID
    email: str
    token: str

    @contextmanager
    def at_work(self) -> Iterator[User]:
        """Inside the application, held to the person's brand; gives the person's row."""
        from webapp.extensions import db
        from webapp.models import User, brand_scope

        with self.app.app_context(), brand_scope(self.brand_id):
            yield db.session.get_one(User, self.id)


@dataclass(frozen=True)
class People:
    """Admin, manager, exporter and viewer work for maple; `colleague` is a second exporter there.

    `stranger` is an admin of alpine: whatever maple's people have must not be there for that one.
    """

    admin: Person
    manager: Person
    exporter: Person
    colleague: Person
    viewer: Person
    stranger: Person


class Broom:
    """Empties a database and its Redis.

    To delete the few rows of a test and give their room back takes a third of what TRUNCATE of the same tables takes.
    Room that is not given back would be filled in another order than that of inserting, and tests see that order.
    As a replica the session skips triggers and foreign keys; the lock waits for whoever of the test still writes.
    """

    def __init__(self, connection: psycopg.Connection[Any], client: redis.Redis) -> None:
        self._connection, self._redis = connection, client
        connection.execute("SET session_replication_role = replica")

    def sweep(self) -> None:
        """Leave nothing."""
        touched = [name for (name,) in self._connection.execute(TOUCHED)]
        if touched:
            names = ", ".join(touched)
            deletions = "; ".join(f"DELETE FROM {name}" for name in touched)
            self._do(f"BEGIN; LOCK TABLE {names} IN SHARE ROW EXCLUSIVE MODE; {deletions}; COMMIT")
            self._do(f"VACUUM (PROCESS_TOAST false, SKIP_DATABASE_STATS) {names}")
        self._redis.flushdb()

    def _do(self, statements: str) -> None:
        self._connection.execute(statements)  # type: ignore[arg-type]


@pytest.fixture(scope="session")
def app_settings(
    postgres: Cluster, app_database: str, worker_number: int, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, str]:
    """The settings of this worker's application."""
    redis_url = postgres.addresses.redis_url.replace("?db=0", f"?db={worker_number}")
    with psycopg.connect(app_database, autocommit=True) as connection:
        connection.execute(CLOCK)
    return environment(postgres, app_database, redis=redis_url, folder=tmp_path_factory.mktemp("app"))


@pytest.fixture(scope="session")
def _app(app_settings: dict[str, str]) -> Iterator[Flask]:
    from exports.source.pool import PreviewPool
    from webapp import config, create_app
    from webapp.extensions import db
    from webapp.web_extensions import limiter

    app = create_app(config.read(app_settings))
    app.testing = True
    app.extensions["limits"] = dict(vars(limiter))
    yield app
    # Tests with a source of their own have left pools behind, and had that of our source made anew.
    for one in gc.get_objects():
        if type(one) is PreviewPool:
            one.close()
    with app.app_context():
        db.engine.dispose()


@pytest.fixture(scope="session")
def _broom(postgres: Cluster, app_database: str, app_settings: dict[str, str]) -> Iterator[Broom]:
    with (
        psycopg.connect(postgres.admin_dsn(urlsplit(app_database).path[1:]), autocommit=True) as connection,
        redis.Redis.from_url(app_settings["REDIS_URL"]) as client,
    ):
        yield Broom(connection, client)


@pytest.fixture
def app(_app: Flask, _broom: Broom) -> Iterator[Flask]:
    """The application; its database and its Redis are emptied after the test."""
    from webapp.web_extensions import limiter

    # There is one in a process, and it counts in the Redis of the application that was made last: that of a workshop is
    # gone by now. What it counts while a Redis does not answer, it counts in memory.
    vars(limiter).update(_app.extensions["limits"])
    limiter._fallback_storage.reset()
    yield _app
    _broom.sweep()


def stores(**changes: Any) -> Definition:
    """A small definition that every brand of the cast may run: all stores, two columns."""
    from exports.definition import parse

    document = {
        "name": "Stores",
        "model": "stores",
        "timezone": "America/New_York",
        "filters": [[{"attribute": "id", "operator": "is_not_empty"}]],
        "fields": [{"from": "id", "to": "Store"}, {"from": "name"}],
    }
    return parse({**document, **changes})


@pytest.fixture
def clock(app: Flask, app_database: str) -> Clock:
    """The database's clock, running until it is set."""
    return Clock(app_database)


@pytest.fixture
def people(app: Flask) -> People:
    """The cast, with their two brands."""
    return cast_of(app)


def cast_of(app: Flask) -> People:
    """Make the two brands and the cast in the application's database."""
    from webapp.extensions import db
    from webapp.models import Brand, User, system_scope

    with app.app_context(), system_scope():
        maple = Brand(source_key="maple", name="Maple Grocers", time_zone="America/New_York", modules=MODULES["maple"])
        alpine = Brand(source_key="alpine", name="Alpine Sports", time_zone="Europe/Zurich", modules=MODULES["alpine"])
        db.session.add_all([maple, alpine])
        db.session.flush()

        def person(name: str, brand: Brand, role: str, *, pii: bool = False) -> User:
            email = f"{name}@{brand.source_key}.example"
            return User(
                brand_id=brand.id, email=email, name=name.capitalize(), time_zone=brand.time_zone, role=role,
                export_pii=pii, password_hash="nobody logs in with this",
            )  # fmt: skip

        users = {
            "admin": person("admin", maple, "admin", pii=True),
            "manager": person("manager", maple, "manager"),
            "exporter": person("exporter", maple, "exporter", pii=True),
            "colleague": person("colleague", maple, "exporter"),
            "viewer": person("viewer", maple, "viewer"),
            "stranger": person("stranger", alpine, "admin", pii=True),
        }
        db.session.add_all(users.values())
        db.session.flush()
        cast = {name: Person(app, one.id, one.brand_id, one.email, one.token) for name, one in users.items()}
        db.session.commit()
    return People(**cast)


@pytest.fixture
def client(app: Flask) -> Callable[[Person | None], FlaskClient]:
    """`client(people.viewer)`: a browser in which that person is logged in; `client(None)`: nobody is."""

    def open_(person: Person | None) -> FlaskClient:
        browser = app.test_client()
        if person is not None:
            with browser.session_transaction() as session:
                session["_user_id"] = person.token
                session["_fresh"] = True
        return browser

    return open_


@pytest.fixture
def artefacts_folder(app_settings: dict[str, str]) -> Path:
    """Where this worker's application keeps files."""
    return Path(app_settings["STORAGE_URL"].removeprefix("file://"))
