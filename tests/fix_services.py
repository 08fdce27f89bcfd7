"""One PostgreSQL and one Redis for the whole run, started by whichever worker needs them first."""

from __future__ import annotations

import os
import secrets
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest
import redis
from psycopg import sql

from webapp import embedded
from webapp.embedded import locks
from webapp.embedded.place import Place
from webapp.embedded.redis_server import Redis

HOME = pytest.StashKey[Path]()
TEMPLATE = "test_template"
BASE_URL = "https://exports.example"
NOBODY = 9
"""A port on which no mail server listens: tests of mails name one of their own."""
SECRET = "a secret of the tests, long enough to be taken for one"
CREDENTIAL_KEY = "dGhlIGtleSBvZiB0aGUgdGVzdHM6IDMyIGJ5dGVzLi4="


def pytest_configure(config: pytest.Config) -> None:
    """Name the run's folder: the controller of pytest-xdist chooses, its workers are told."""
    told = getattr(config, "workerinput", {}).get("services_home")
    chosen = Path(tempfile.gettempdir()) / f"exports-tests-{os.getpid()}-{secrets.token_hex(4)}"
    config.stash[HOME] = Path(told) if told else chosen


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: object) -> None:
    """Tell a worker where the run's services are."""
    node.workerinput["services_home"] = str(node.config.stash[HOME])  # type: ignore[attr-defined]


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop the services and delete their folder; killed before this, their keeper does so 10 s later."""
    home = config.stash[HOME]
    if hasattr(config, "workerinput"):
        return
    embedded.leave(home, at_once=True)
    deadline = time.monotonic() + 10
    while home.exists() and time.monotonic() < deadline:  # a worker may need a moment to end
        embedded.leave(home, at_once=True)
        time.sleep(0.05)


@dataclass(frozen=True)
class Cluster:
    """The PostgreSQL of the run."""

    addresses: embedded.Addresses
    home: Path

    def url(self, dbname: str, role: str = "exports") -> str:
        """The address of a database for a role; both are owned by `exports`."""
        parts = urlsplit(self.addresses.superuser_url)
        return urlunsplit(parts._replace(netloc=f"{role}@", path=f"/{dbname}"))

    def admin_dsn(self, dbname: str = "postgres") -> str:
        """The address of a database for the superuser."""
        return self.url(dbname, "postgres")

    def create(self, name: str, template: str | None = None) -> str:
        """Make a database, as a copy of another if one is named; its address for the role `exports`."""
        statement = sql.SQL("CREATE DATABASE {} OWNER exports TEMPLATE {}")
        self._run(statement.format(sql.Identifier(name), sql.Identifier(template or "template1")))
        return self.url(name)

    def drop(self, name: str) -> None:
        """Delete a database, whoever is connected to it."""
        self._run(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))

    def exists(self, name: str) -> bool:
        """Whether there is such a database."""
        with psycopg.connect(self.admin_dsn(), autocommit=True) as connection:
            return bool(connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone())

    def _run(self, statement: sql.Composed) -> None:
        with psycopg.connect(self.admin_dsn(), autocommit=True) as connection:
            connection.execute(statement)

    @contextmanager
    def once(self, what: str) -> Iterator[bool]:
        """True in the one worker that has to make something for the whole run; the others wait until it is made.

        A worker that fails leaves it to the next, so that each test that needs it tells why it is missing.
        """
        lock = locks.open_lock(self.home / f"{what}.lock")
        try:
            if not locks.own_within(lock, 300):
                raise TimeoutError(f"{what} was not made in 300 s")
            done = os.pread(lock, 4, 0) == b"done"
            yield not done
            os.pwrite(lock, b"done", 0)
        finally:
            os.close(lock)


@pytest.fixture(scope="session")
def worker_number(request: pytest.FixtureRequest) -> int:
    """0, 1, 2 … of the worker of pytest-xdist, 0 without it."""
    name = getattr(request.config, "workerinput", {}).get("workerid", "gw0")
    return int(name.removeprefix("gw"))


@pytest.fixture(scope="session")
def services_home(request: pytest.FixtureRequest) -> Path:
    """The folder of the run's services."""
    return request.config.stash[HOME]


@pytest.fixture(scope="session")
def postgres(services_home: Path) -> Cluster:
    """The run's PostgreSQL (fsync off)."""
    return Cluster(embedded.join(services_home, throwaway=True), services_home)


@pytest.fixture(scope="session")
def source_dsn(postgres: Cluster) -> str:
    """The source with a week of the demo data, loaded once for all workers; read by the role that may only SELECT."""
    with postgres.once("source") as first:
        if first:
            from demo import load

            load.load(postgres.addresses.source_admin_url, part=load.TEST_PART)
    return postgres.addresses.source_url


@pytest.fixture(scope="session")
def app_template(postgres: Cluster, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The name of an application database that the migrations have made, empty; never connect to it."""
    with postgres.once("template") as first:
        if first:
            postgres.drop(TEMPLATE)
            url = postgres.create(TEMPLATE)
            migrate(environment(postgres, url, redis=postgres.addresses.redis_url, folder=tmp_path_factory.mktemp("a")))
    return TEMPLATE


@pytest.fixture(scope="session")
def app_database(postgres: Cluster, app_template: str, worker_number: int) -> str:
    """The address of this worker's application database; `app` (fix_app.py) empties it after each test."""
    name = f"app_{worker_number}"
    postgres.drop(name)
    return postgres.create(name, template=app_template)


@pytest.fixture
def redis_url(postgres: Cluster, worker_number: int) -> Iterator[str]:
    """This worker's database of the run's Redis, empty."""
    url = postgres.addresses.redis_url.replace("?db=0", f"?db={worker_number}")
    with redis.Redis.from_url(url) as client:
        client.flushdb()
        yield url
        client.flushdb()


@dataclass(frozen=True)
class PrivateServices:
    """What a test that runs real processes has for itself. `environment` holds all that such a process is given."""

    database_url: str
    source_url: str
    redis_url: str
    folder: Path
    redis: Redis
    environment: dict[str, str]


@pytest.fixture
def private_services(postgres: Cluster, app_template: str, tmp_path: Path) -> Iterator[PrivateServices]:
    """An application database of the test's own and a Redis server of its own; the source is the run's."""
    with own_services(postgres, app_template, tmp_path) as services:
        yield services


@contextmanager
def own_services(postgres: Cluster, app_template: str, files: Path) -> Iterator[PrivateServices]:
    """Make them, and take them away at the end; finished files go below `files`."""
    name = f"own_{secrets.token_hex(6)}"
    folder = Path(tempfile.mkdtemp(prefix="exports-own-"))  # `files` may be too long for a socket
    server = Redis(Place(home=folder, services=folder, sockets=folder, user=None))
    url = postgres.create(name, template=app_template)
    try:
        server.start()
        told = environment(postgres, url, redis=server.url, folder=files)
        yield PrivateServices(url, postgres.addresses.source_url, server.url, folder, server, told)
    finally:
        server.stop()
        postgres.drop(name)
        shutil.rmtree(folder)


def environment(postgres: Cluster, url: str, *, redis: str, folder: Path) -> dict[str, str]:
    """The settings of an application on that database; files go below `folder`."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR", "LANG") if name in os.environ}
    return {
        **kept,
        "DATABASE_URL": url,
        "SOURCE_DATABASE_URL": postgres.addresses.source_url,
        "REDIS_URL": redis,
        "STORAGE_URL": f"file://{folder}/artefacts",
        "SECRET_KEY": SECRET,
        "CREDENTIAL_KEYS": CREDENTIAL_KEY,
        "BASE_URL": BASE_URL,
        "MAIL_URL": f"smtp://127.0.0.1:{NOBODY}?tls=none",
        "EXPORTS_HOME": os.environ["EXPORTS_HOME"],
    }


def migrate(told: dict[str, str]) -> None:
    """Run the migrations as a deployment does."""
    import flask_migrate

    from webapp import config, create_app
    from webapp.extensions import db

    app = create_app(config.read(told))
    with app.app_context():
        flask_migrate.upgrade()
        db.engine.dispose()  # a database that somebody is connected to cannot be copied
