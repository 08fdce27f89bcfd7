"""A worker that dies while it delivers: the next attempt delivers the same file, once, and leaves nothing beside it."""

from __future__ import annotations

import signal
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tests.delivery.faultproxy import FaultProxy
from tests.delivery.servers import USER, SftpServer
from tests.fix_app import stores
from tests.fix_workshop import SHORT_S, Workshop, until
from webapp.extensions import db
from webapp.models import Connection, Run
from webapp.services import connections, runs
from webapp.services.connections import credentials

AFTER: list[int] = [0, 2_500, 9_000]
"""Bytes after which the network swallows everything: before the keys, at the login, in the middle of the file."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the files of the server stand."""
    made = tmp_path / "there"
    made.mkdir()
    return made


@pytest.fixture
def server(folder: Path) -> Iterator[SftpServer]:
    """An SFTP server."""
    made = SftpServer(folder)
    yield made
    made.stop()


def uploading(workshop: Workshop, server: SftpServer, port: int) -> uuid.UUID:
    """An export that uploads through that port; the id of its run."""
    with workshop.people.exporter.at_work() as user:
        made = Connection(
            id=uuid.uuid4(), brand_id=user.brand_id, created_by_id=user.id, name="Partner", type="sftp",
            host="127.0.0.1", port=port, username=USER, accepted_key=server.trust, shared_with_exporters=True,
        )  # fmt: skip
        credentials.put(made, connections.Credential("password", server.at().password))
        db.session.add(made)
        db.session.commit()
        connection = str(made.id)
    return workshop.create(stores(target={"type": "sftp", "connection": connection, "path": "/in/x"}))


def delivering(workshop: Workshop, run_id: uuid.UUID) -> bool:
    """Whether the file is made and its delivery has begun."""
    wanted = "SELECT 1 FROM deliveries WHERE run_id = %s AND state = 'uploading'"
    with psycopg.connect(workshop.services.database_url) as connection:
        return connection.execute(wanted, [run_id]).fetchone() is not None


@pytest.mark.parametrize("after", AFTER)
def test_a_horse_that_is_killed_while_it_delivers_leaves_one_file(
    workshop: Workshop, server: SftpServer, folder: Path, after: int
) -> None:
    proxy = FaultProxy(server.port, "hole", after)
    try:
        run_id = uploading(workshop, server, proxy.port)
        workshop.worker(lease_s=SHORT_S, EXPORTS_ALLOWED_NETWORKS="127.0.0.0/8", RUN_SWEEP="1")
        until(lambda: delivering(workshop, run_id) and proxy.connections, "it delivers")
        proxy.mode = "pass"
        workshop.horse().send_signal(signal.SIGKILL)
        run = workshop.ended(run_id)
    finally:
        proxy.stop()
    assert (run["state"], run["deaths"], run["attempt"], run["published_attempt"]) == ("success", 1, 2, 1)
    events = workshop.events(run_id)
    assert events == ["queued", "claimed", "filed", "lost", "claimed", "delivered", "published"]
    assert [str(one.relative_to(folder)) for one in folder.rglob("*") if one.is_file()] == ["in/x.csv"]
    assert (folder / "in/x.csv").stat().st_size == run["bytes"]
    workshop.check()


def test_cancel_stops_a_delivery_that_hangs_within_seconds(
    workshop: Workshop, server: SftpServer, folder: Path
) -> None:
    proxy = FaultProxy(server.port, "hole", 2_500)
    try:
        run_id = uploading(workshop, server, proxy.port)
        workshop.worker(EXPORTS_ALLOWED_NETWORKS="127.0.0.0/8")
        until(lambda: delivering(workshop, run_id) and proxy.connections, "it delivers")
        asked_at = time.monotonic()
        with workshop.people.exporter.at_work() as user:
            runs.cancel(user, db.session.get_one(Run, run_id))
        assert workshop.ended(run_id)["state"] == "cancelled"
        assert time.monotonic() - asked_at < 5
    finally:
        proxy.stop()
    assert [one for one in folder.rglob("x.csv") if one.is_file()] == []
