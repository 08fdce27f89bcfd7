"""A worker that dies while it delivers: the next attempt delivers the same file, once, and leaves nothing beside it."""

from __future__ import annotations

import asyncio
import signal
import threading
import time
import uuid
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import asyncssh
import psycopg
import pytest
from psycopg.rows import dict_row

from jobs.lease import BEAT_S, IN_ORDER_S
from tests.delivery.faultproxy import FaultProxy
from tests.delivery.servers import USER, SftpServer
from tests.fix_app import stores
from tests.fix_workshop import SHORT_S, Workshop, until
from tests.jobs.impatient import STUCK_S
from webapp.extensions import db
from webapp.models import Connection, Run
from webapp.queues import DELIVERY, FUNCTIONS
from webapp.services import connections, deliveries, runs
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


class Held:
    """An SFTP server that, once it is told to, answers no request to rename until it is let go."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.asked = 0
        self.go = threading.Event()
        self.go.set()

    def files(self, channel: Any) -> asyncssh.SFTPServer:
        """The files of the server."""
        outer = self

        class Files(asyncssh.SFTPServer):
            async def posix_rename(self, old: bytes, new: bytes) -> None:
                outer.asked += 1
                while not outer.go.is_set():
                    await asyncio.sleep(0.05)
                super().posix_rename(old, new)

        return Files(channel, chroot=str(self.folder).encode())


@pytest.fixture
def held(folder: Path) -> Held:
    """What the server of a test does with renames."""
    return Held(folder)


def test_cancel_while_the_file_gets_its_name_comes_too_late_and_the_run_is_a_success(
    workshop: Workshop, held: Held, folder: Path
) -> None:
    server = SftpServer(folder, files=held.files)
    held.go.clear()
    try:
        run_id = uploading(workshop, server, server.port)
        workshop.worker(EXPORTS_ALLOWED_NETWORKS="127.0.0.0/8")
        until(lambda: held.asked == 1, "it renames")
        with workshop.people.exporter.at_work() as user:
            runs.cancel(user, db.session.get_one(Run, run_id))
        asked_at = workshop.run(run_id)["cancel_requested_at"]
        longer = timedelta(seconds=30 + BEAT_S + IN_ORDER_S + 2)  # a horse that ended for Cancel would be gone
        workshop.until(
            run_id, lambda run: run["finished_at"] or run["lease_until"] - asked_at > longer, "it is held on"
        )
        held.go.set()
        run = workshop.ended(run_id)
    finally:
        held.go.set()
        server.stop()
    assert (run["state"], run["attempt"], run["deaths"], of(workshop, run_id)["state"]) == (
        "success", 1, 0, "delivered",
    )  # fmt: skip
    assert workshop.events(run_id) == ["queued", "claimed", "filed", "cancel_requested", "delivered", "published"]
    assert [str(one.relative_to(folder)) for one in folder.rglob("*") if one.is_file()] == ["in/x.csv"]


def again(workshop: Workshop, run_id: uuid.UUID) -> None:
    """**Upload again**."""
    with workshop.people.exporter.at_work() as user:
        deliveries.request_again(user, db.session.get_one(Run, run_id), uuid.uuid4())


def of(workshop: Workshop, run_id: uuid.UUID) -> dict[str, Any]:
    """The newest delivery of a run."""
    wanted = "SELECT * FROM deliveries WHERE run_id = %s ORDER BY number DESC LIMIT 1"
    with psycopg.connect(workshop.services.database_url, row_factory=dict_row) as connection:
        found = connection.execute(wanted, [run_id]).fetchone()
    assert found is not None
    return found


def test_upload_again_takes_as_long_as_it_takes_and_survives_a_worker_that_is_killed(
    workshop: Workshop, held: Held, folder: Path
) -> None:
    server = SftpServer(folder, files=held.files)
    try:
        run_id = uploading(workshop, server, server.port)
        worker = workshop.start("tests.jobs.impatient", FUNCTIONS[DELIVERY], EXPORTS_ALLOWED_NETWORKS="127.0.0.0/8")
        assert workshop.ended(run_id)["state"] == "success"
        (folder / "in/x.csv").unlink()
        held.asked = 0
        held.go.clear()
        again(workshop, run_id)
        until(lambda: held.asked == 1, "it renames")
        workshop.horse().send_signal(signal.SIGKILL)
        until(lambda: held.asked == 2, "another horse renames, long before the lease is over", 30)
        horse, began = workshop.horse(), time.monotonic()
        until(lambda: time.monotonic() - began > 3 * STUCK_S or not horse.is_running(), "three times the limit")
        assert horse.is_running(), workshop.said(worker)
        held.go.set()
        until(lambda: of(workshop, run_id)["state"] == "delivered", "it is delivered")
    finally:
        held.go.set()
        server.stop()
    row = of(workshop, run_id)
    assert (row["number"], row["attempt"], row["deaths"], row["worker"], row["lease_until"]) == (2, 2, 1, None, None)
    assert "it is killed" not in workshop.said(worker)
    assert [str(one.relative_to(folder)) for one in folder.rglob("*") if one.is_file()] == ["in/x.csv"]
