"""An installation of a test's own: real workers in processes of their own, on a database and a Redis of their own."""

from __future__ import annotations

import signal
import socket
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
import psycopg
import pytest
from psycopg.rows import dict_row

from tests.faults import invariants
from tests.fix_app import CLOCK, Clock, People, cast_of
from tests.nursery import Born, Nursery

if TYPE_CHECKING:
    from flask import Flask

    from exports.definition import Definition
    from tests.fix_services import Cluster, PrivateServices

ROOT = Path(__file__).parents[1]
ROWS = 1_000
SOURCE = f"""
    INSERT INTO loyalty.brands VALUES ('maple', 'Maple', 'UTC', 'en'), ('alpine', 'Alpine', 'UTC', 'de');
    INSERT INTO loyalty.stores (brand, id, name, status)
        SELECT 'maple', to_char(n, 'FM00000'), 'Store ' || n, 'active' FROM generate_series(1, {ROWS}) n;
    ALTER TABLE loyalty.stores RENAME TO stores_of_all;
    CREATE TABLE loyalty.pace (seconds float NOT NULL);
    INSERT INTO loyalty.pace VALUES (0);
    CREATE VIEW loyalty.stores AS
        SELECT brand, id, name || pg_sleep((SELECT seconds FROM loyalty.pace))::text AS name FROM loyalty.stores_of_all;
"""
"""A source of a thousand rows that come as slowly as a test wants them."""
SHORT_S = 4
"""A lease for tests that wait for its end; all others have the real one, or a busy machine would end theirs too."""
PATIENCE_S = 90.0
"""Nothing on a quiet machine. Where twenty others compute beside it, a worker takes half a minute to start."""
LOOK_S = 1.0
"""What one look may count for: if it took longer, it was not the fault of what is waited for."""


def until(condition: Callable[[], Any], what: str, seconds: float = PATIENCE_S) -> Any:
    """Wait for something to become true and give it. Time in which the test itself was stopped does not count."""
    left = seconds
    while True:
        looked_at = time.monotonic()
        if found := condition():
            return found
        if left <= 0:
            break
        time.sleep(0.02)
        left -= min(time.monotonic() - looked_at, LOOK_S)
    raise AssertionError(f"not within {seconds:.0f} s: {what}")


@dataclass
class Workshop:
    """An installation with the cast, and workers to start, stop and kill."""

    app: Flask
    people: People
    services: PrivateServices
    source_url: str
    clock: Clock
    nursery: Nursery
    started: list[Born] = field(default_factory=list)

    def pace(self, seconds: float) -> None:
        """From the next query on each row takes so long."""
        with psycopg.connect(self.source_url, autocommit=True) as connection:
            connection.execute("UPDATE loyalty.pace SET seconds = %s", [seconds])

    def start(self, *module: str, **settings: str) -> Born:
        """Start `python -m MODULE ...` with the installation's settings; it is ended with the test."""
        with (self.services.folder / f"{module[0]}-{len(self.started)}.log").open("wb") as log:
            process = self.nursery.start([*module], {**self.services.environment, **settings}, log)
        self.started.append(process)
        return process

    def worker(self, lease_s: int = 30, **settings: str) -> Born:
        """Start a worker and wait until it takes tickets."""
        process = self.start("jobs.worker", "exports", RUN_LEASE=str(lease_s), **settings)
        try:
            until(lambda: "serves the queue" in self.said(process), "the worker serves")
        except AssertionError as late:
            raise AssertionError(f"{late}\n{self.said(process)}") from None
        return process

    def said(self, process: Born) -> str:
        """What a process has logged so far."""
        module = process.args[2]
        return (self.services.folder / f"{module}-{self.started.index(process)}.log").read_text()

    def create(self, definition: Definition) -> uuid.UUID:
        """Create an export as the exporter does; the id of its run."""
        from webapp.services import exports

        with self.people.exporter.at_work() as user:
            run_id = exports.create(user, definition, uuid.uuid4()).latest_run_id
        assert run_id is not None
        return run_id

    def run(self, run_id: uuid.UUID) -> dict[str, Any]:
        """The run's row."""
        with psycopg.connect(self.services.database_url, row_factory=dict_row) as connection:
            row = connection.execute("SELECT * FROM runs WHERE id = %s", [run_id]).fetchone()
        assert row is not None
        return row

    def events(self, run_id: uuid.UUID) -> list[str]:
        """What happened to the run, in order."""
        wanted = "SELECT kind FROM run_events WHERE run_id = %s ORDER BY number"
        with psycopg.connect(self.services.database_url) as connection:
            return [kind for (kind,) in connection.execute(wanted, [run_id])]

    def ended(self, run_id: uuid.UUID, seconds: float = PATIENCE_S) -> dict[str, Any]:
        """Wait for the run's end and give its row."""
        return self.until(run_id, lambda run: run["finished_at"], "its end", seconds)

    def until(
        self, run_id: uuid.UUID, condition: Callable[[dict[str, Any]], Any], what: str, seconds: float = PATIENCE_S
    ) -> dict[str, Any]:
        """Wait until the run's row is as wanted and give it; if it never is, say what everybody logged."""
        try:
            until(lambda: condition(self.run(run_id)), what, seconds)
        except AssertionError as late:
            logs = "\n".join(self.said(process) for process in self.started)
            raise AssertionError(f"{late}\n{self.run(run_id)}\n{self.events(run_id)}\n{logs}") from None
        return self.run(run_id)

    def working(self, run_id: uuid.UUID) -> psutil.Process:
        """Wait until a horse is writing rows of the run; the horse."""
        self.until(run_id, lambda run: run["phase"] == "writing", "rows are written")
        return self.horse()

    def horse(self) -> psutil.Process:
        """The one work horse there is."""
        return until(self.horses, "a work horse")[0]

    def horses(self) -> list[psutil.Process]:
        """All work horses."""
        return [child for process in self.started if process.is_running() for child in process.children()]

    @property
    def store_folder(self) -> Path:
        """Where the files are."""
        return Path(self.services.environment["STORAGE_URL"].removeprefix("file://"))

    def files(self) -> list[str]:
        """Keys of the files in the store."""
        from webapp.services import artefacts

        with self.app.app_context():
            return sorted(key for key, _ in artefacts.store().list())

    def check(self) -> None:
        """The invariants of RELIABILITY section 3."""
        assert not invariants.broken(self)


@pytest.fixture(scope="session")
def nursery() -> Iterator[Nursery]:
    """The process that all processes of this worker's installations are forked from."""
    one = Nursery()
    yield one
    one.close()


@pytest.fixture
def workshop(private_services: PrivateServices, postgres: Cluster, nursery: Nursery) -> Iterator[Workshop]:
    """An installation of the test's own."""
    with opened(private_services, postgres, nursery) as shop:
        yield shop
        shop.check()


@contextmanager
def opened(services: PrivateServices, postgres: Cluster, nursery: Nursery, **settings: str) -> Iterator[Workshop]:
    """An installation on these services, with a source of its own; what it has started is ended with it."""
    name = f"source_{uuid.uuid4().hex[:12]}"
    source_url = postgres.create(name, template=_source_template(postgres))
    with psycopg.connect(services.database_url, autocommit=True) as connection:
        connection.execute(CLOCK)
    services.environment.update({"RUN_SWEEP": "1", "SOURCE_DATABASE_URL": source_url, **settings})
    with application(services.environment) as app:
        shop = Workshop(app, cast_of(app), services, source_url, Clock(services.database_url), nursery)
        try:
            yield shop
        finally:
            for process in shop.started:
                end(process)
    postgres.drop(name)


def _source_template(postgres: Cluster) -> str:
    """The name of a source to copy, made once for all workers; never connect to it."""
    name = "workshop_source"
    with postgres.once(name) as first:
        if first:
            postgres.drop(name)
            with psycopg.connect(postgres.create(name), autocommit=True) as connection:
                connection.execute((ROOT / "demo/schema.sql").read_bytes())
                connection.execute((ROOT / "demo/indexes.sql").read_bytes())
                connection.execute(SOURCE)
    return name


@contextmanager
def application(told: dict[str, str]) -> Iterator[Flask]:
    """An application with these settings; its connections are closed at the end."""
    from webapp import config, create_app
    from webapp.extensions import db

    app = create_app(config.read(told))
    try:
        yield app
    finally:
        with app.app_context():
            db.engine.dispose()


def end(process: Born | psutil.Popen) -> None:
    """Kill a process of ours and its children, stopped or not."""
    with suppressed():
        for one in [*process.children(recursive=True), process]:
            with suppressed():
                one.send_signal(signal.SIGKILL)
    process.wait()


@contextmanager
def suppressed() -> Iterator[None]:
    """What has ended already needs no ending."""
    with suppress(psutil.NoSuchProcess, ProcessLookupError):
        yield


@pytest.fixture
def black_hole() -> Iterator[str]:
    """Host and port of a server that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0), backlog=50) as server:
        yield f"127.0.0.1:{server.getsockname()[1]}"


def silent_store(black_hole: str) -> dict[str, str]:
    """Settings of a process whose store never answers."""
    key = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_REGION": "eu-west-1"}
    return {
        "STORAGE_URL": "s3://bucket/files",
        "AWS_ENDPOINT": f"http://{black_hole}",
        "AWS_ALLOW_HTTP": "true",
        **key,
    }
