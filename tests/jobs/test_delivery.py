"""A run with an upload target ends when its file is there: once, under a name that was fixed (RELIABILITY P2 to P4)."""

from __future__ import annotations

import io
import socket
import uuid
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import asyncssh
import psycopg
import pytest
from flask import Flask
from sqlalchemy import select, update

from exports.addresses import read_networks
from exports.delivery import Receipt
from exports.delivery.naming import temporary_of as temporary
from exports.errors import RETRIED, Fenced
from exports.pipeline import Progress
from exports.secrets import new_key
from exports.target import Upload
from jobs import delivery as jobs_delivery
from jobs import runs as jobs_runs
from jobs import upkeep
from jobs.scheduler import take_next, take_next_delivery
from tests.delivery.servers import PASSWORD, USER, FtpServer, SftpServer
from tests.fix_app import Clock, People, Person, stores
from tests.fix_services import Cluster
from webapp.extensions import db
from webapp.models import AuditEntry, Connection, Delivery, Export, Run, User, brand_scope, clock
from webapp.services import artefacts, connections, deliveries, exports, personal_report, runs
from webapp.services.connections import credentials
from webapp.services.runs.claiming import Claim


@pytest.fixture(autouse=True)
def reachable(app: Flask, source_dsn: str) -> Iterator[None]:
    """Servers on this machine may be reached, and nobody waits long."""
    settings = app.config["SETTINGS"]
    app.config["SETTINGS"] = replace(
        settings, allowed_networks=read_networks("127.0.0.0/8"), upload_connect_timeout=3, upload_silence=3
    )
    yield
    app.config["SETTINGS"] = settings


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


@pytest.fixture
def connected(people: People) -> Callable[..., str]:
    """The id of a connection to a server, as the exporter has saved it."""

    def make(server: SftpServer | FtpServer, **changes: Any) -> str:
        at = server.at()
        with people.exporter.at_work() as user:
            made = Connection(
                id=uuid.uuid4(), brand_id=user.brand_id, created_by_id=user.id, name=f"{at.type} {at.port}",
                type=at.type, port=at.port, username=USER, accepted_key=at.trust,
                **{"host": at.host, "shared_with_exporters": True, **changes},
            )  # fmt: skip
            credentials.put(made, connections.Credential("password", at.password))
            db.session.add(made)
            db.session.commit()
            return str(made.id)

    return make


def create(person: Person, connection: str, type_: str = "sftp", **target: Any) -> uuid.UUID:
    """An export that uploads; the id of its run."""
    upload = {"type": type_, "connection": connection, "path": "/in/stores_%Y%m%d", **target}
    with person.at_work() as user:
        run_id = exports.create(user, stores(target=upload), uuid.uuid4()).latest_run_id
    assert run_id is not None
    return run_id


def work(app: Flask) -> Claim | None:
    """What a worker does with what is next."""
    with app.app_context():
        mine = take_next("worker of a test")
        if mine is not None:
            jobs_runs.attempt(mine)
        return mine


def again(app: Flask) -> None:
    """What a worker does with a ticket."""
    with app.app_context():
        jobs_delivery.execute()


@contextmanager
def seen(person: Person, run_id: uuid.UUID) -> Iterator[tuple[Run, list[Delivery]]]:
    """A run and its deliveries."""
    with person.at_work():
        run = db.session.get_one(Run, run_id)
        yield run, list(deliveries.deliveries_of(run))


def there(folder: Path) -> list[str]:
    """All files of the server."""
    return sorted(str(one.relative_to(folder)) for one in folder.rglob("*") if one.is_file())


def test_a_run_is_finished_when_its_file_is_there(
    app: Flask, people: People, server: SftpServer, folder: Path, connected: Callable[..., str]
) -> None:
    run_id = create(people.exporter, connected(server))
    work(app)
    with seen(people.exporter, run_id) as (run, [sent]):
        day = run.scheduled_for.astimezone().strftime
        assert (run.state, run.error_code) == ("success", None)
        assert [event.kind for event in runs.events_of(run)] == ["queued", "claimed", "filed", "delivered", "published"]
        told = runs.told(runs.events_of(run)[3])
        assert told == f"Delivered to 127.0.0.1 as {sent.path}: {run.bytes:,} bytes."
        [name] = there(folder)
        assert f"/{name}" == sent.path
        assert day("%Y") in name
        data = (folder / name).read_bytes()
        assert len(data) == run.bytes == sent.size == sent.sent
        assert data.startswith(b"Store,name\n")
        assert (sent.state, sent.attempt, sent.sha256) == ("delivered", 1, run.sha256)
        assert sent.offered_key == server.trust
        assert [step["phase"] for step in sent.steps if step["state"] == "done"][-1] == "rename"
        saved = db.session.get_one(Connection, sent.connection)
        assert saved.last_success_at is not None
        facts = db.session.scalars(select(AuditEntry.facts).where(AuditEntry.action == "delivery.finished")).one()
        assert (facts["path"], facts["address"], facts["key"]) == (sent.path, "127.0.0.1", server.trust)
        assert PASSWORD not in str(facts)
        about = ("model", "personal", "definition", "version", "rows")
        ended = db.session.scalars(select(AuditEntry.facts).where(AuditEntry.action == "run.finished")).one()
        assert [facts[name] for name in about] == [ended[name] for name in about]


def test_an_archive_is_delivered_as_it_is_downloaded(
    app: Flask, people: People, server: SftpServer, folder: Path, connected: Callable[..., str]
) -> None:
    create(people.exporter, connected(server), archive=True, path="/in/x")
    work(app)
    assert there(folder) == ["in/x.csv.zip"]
    with zipfile.ZipFile(io.BytesIO((folder / "in/x.csv.zip").read_bytes())) as archive:
        assert archive.namelist() == ["Stores.csv"]


def test_a_failed_delivery_is_tried_again_with_the_same_file_and_no_query(
    app: Flask, people: People, server: SftpServer, folder: Path, connected: Callable[..., str], clock: Clock
) -> None:
    run_id = create(people.exporter, connected(server))
    server.stop()
    work(app)
    with seen(people.exporter, run_id) as (run, [sent]):
        assert (run.state, run.error_code, run.failures) == ("queued", "target.connection_refused", 1)
        assert (sent.state, sent.error_code, sent.failures) == ("queued", "target.connection_refused", 1)
        assert run.artefact is not None
        first, rows, artefact = run.sha256, run.rows, run.artefact
        db.session.execute(db.update(Run).where(Run.id == run_id).values(not_before=run.created_at))
        db.session.commit()
    back = SftpServer(folder, host_keys=server.host_keys, port=server.port)
    try:
        work(app)
    finally:
        back.stop()
    with seen(people.exporter, run_id) as (run, [sent]):
        assert (run.state, run.sha256, run.rows, run.artefact, run.attempt) == ("success", first, rows, artefact, 2)
        kinds = [event.kind for event in runs.events_of(run)]
        assert kinds == ["queued", "claimed", "filed", "retried", "claimed", "delivered", "published"]
        assert (sent.state, sent.error_code) == ("delivered", None)
    assert len(there(folder)) == 1


def test_after_the_last_try_the_advice_is_to_upload_again_and_promises_nothing(
    app: Flask, people: People, server: SftpServer, connected: Callable[..., str], clock: Clock
) -> None:
    run_id = create(people.exporter, connected(server))
    server.stop()
    for _ in range(4):
        work(app)
        clock.forward(timedelta(minutes=15))
    last = "It was tried several times. Press Upload again. Check the port of the connection"
    with seen(people.exporter, run_id) as (run, [sent]):
        assert (run.state, run.error_code, sent.state) == ("failed", "target.connection_refused", "failed")
        assert str(run.error_advice).startswith(last)
    with people.exporter.at_work() as user:
        deliveries.request_again(user, db.session.get_one(Run, run_id), uuid.uuid4())
    for tries in range(4):
        again(app)
        with seen(people.exporter, run_id) as (_, [_own, second]):
            assert (second.state, second.failures) == ("failed" if tries == 3 else "queued", tries + 1)
            assert str(second.error_advice).startswith(last if tries == 3 else RETRIED)
        clock.forward(timedelta(minutes=15))


def test_a_wrong_password_ends_the_run_at_once_and_says_what_to_do(
    app: Flask, people: People, server: SftpServer, connected: Callable[..., str]
) -> None:
    connection = connected(server)
    with people.exporter.at_work():
        saved = db.session.get_one(Connection, uuid.UUID(connection))
        credentials.put(saved, connections.Credential("password", "wrong-canary"))
        db.session.commit()
    run_id = create(people.exporter, connection)
    work(app)
    with seen(people.exporter, run_id) as (run, [sent]):
        assert (run.state, run.error_code, sent.state) == ("failed", "target.login_refused", "failed")
        assert "replace the password" in str(run.error_advice)
        told = [str(one.facts) for one in runs.events_of(run)] + [str(sent.steps), str(run.error_detail)]
        assert not any("canary" in one for one in told)
        assert run.artefact is not None, "Upload again needs it"


def test_a_changed_host_key_stops_the_delivery_before_any_password_and_is_kept_for_an_admin(
    app: Flask, people: People, server: SftpServer, folder: Path, connected: Callable[..., str]
) -> None:
    connection = connected(server)
    server.stop()
    other = SftpServer(folder, port=server.port)
    try:
        run_id = create(people.exporter, connection)
        work(app)
    finally:
        other.stop()
    assert other.passwords == []
    with seen(people.exporter, run_id) as (run, _):
        assert (run.state, run.error_code) == ("failed", "target.host_key_changed")
        saved = db.session.get_one(Connection, uuid.UUID(connection))
        assert (saved.offered_key, saved.accepted_key, saved.is_blocked) == (other.trust, server.trust, True)


def test_a_connection_that_is_not_shared_any_more_ends_the_run(
    app: Flask, people: People, server: SftpServer, folder: Path, connected: Callable[..., str]
) -> None:
    connection = connected(server)
    run_id = create(people.exporter, connection)
    with people.manager.at_work() as manager:
        saved = db.session.get_one(Connection, uuid.UUID(connection))
        saved.shared_with_exporters, saved.created_by_id = False, manager.id
        db.session.commit()
    work(app)
    with seen(people.exporter, run_id) as (run, _):
        assert (run.state, run.error_code) == ("failed", "rights.lost")
    assert there(folder) == []


def test_upload_again_sends_the_same_bytes_once_for_two_clicks(
    app: Flask, people: People, server: SftpServer, folder: Path, connected: Callable[..., str]
) -> None:
    run_id = create(people.exporter, connected(server), path="/in/x")
    work(app)
    first = (folder / "in/x.csv").read_bytes()
    (folder / "in/x.csv").unlink()
    token = uuid.uuid4()
    with people.exporter.at_work() as user:
        run = db.session.get_one(Run, run_id)
        attempts = run.attempt
        made = {deliveries.request_again(user, run, token).id for _ in range(2)}
        assert len(made) == 1
    again(app)
    with seen(people.exporter, run_id) as (run, [own, second]):
        assert (run.state, run.attempt) == ("success", attempts)
        assert (own.state, second.state, second.number) == ("delivered", "delivered", 2)
        assert [event.kind for event in runs.events_of(run)][-2:] == ["upload_again", "delivered_again"]
    assert (folder / "in/x.csv").read_bytes() == first


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"export_pii": False}, "Email address is personal: you need the right to export personal fields, or mask it."),
        ({"role": "viewer"}, "a viewer makes no exports."),
        ({"disabled_at": "now"}, "the account is disabled."),
    ],
)
def test_upload_again_looks_at_the_present_rights_of_the_owner(
    app: Flask,
    people: People,
    server: SftpServer,
    folder: Path,
    connected: Callable[..., str],
    change: dict[str, Any],
    reason: str,
) -> None:
    upload = {"type": "sftp", "connection": connected(server), "path": "/in/mails.csv"}
    everybody = [[{"attribute": "_id", "operator": "equals", "value": "1"}]]
    wanted = stores(model="customers", filters=everybody, fields=[{"from": "email"}], target=upload)
    with people.exporter.at_work() as user:
        run_id = exports.create(user, wanted, uuid.uuid4()).latest_run_id
    assert run_id is not None
    work(app)
    (folder / "in/mails.csv").unlink()
    with people.exporter.at_work() as user:
        deliveries.request_again(user, db.session.get_one(Run, run_id), uuid.uuid4())
        values = {name: clock() if value == "now" else value for name, value in change.items()}
        db.session.execute(update(User).where(User.id == user.id).values(**values))
        db.session.commit()
    again(app)
    with seen(people.manager, run_id) as (_run, made):
        assert (made[-1].state, made[-1].error_code) == ("failed", "rights.lost")
        assert str(made[-1].error_message).endswith(reason)
    assert not (folder / "in/mails.csv").exists()


def test_upload_again_with_a_number_gives_the_file_another_one(
    app: Flask, people: People, server: SftpServer, folder: Path, connected: Callable[..., str]
) -> None:
    run_id = create(people.exporter, connected(server), path="/in/x", if_exists="number")
    work(app)
    with people.exporter.at_work() as user:
        deliveries.request_again(user, db.session.get_one(Run, run_id), uuid.uuid4())
    again(app)
    assert there(folder) == ["in/x-2.csv", "in/x.csv"]


def test_run_again_after_a_run_that_failed_around_the_rename_leaves_one_file(
    app: Flask, people: People, server: SftpServer, folder: Path, connected: Callable[..., str]
) -> None:
    run_id = create(people.exporter, connected(server), path="/in/x", if_exists="number")
    work(app)
    with people.exporter.at_work() as user:  # its worker died three times before it could say that the file is there
        failed = {"state": "failed", "error_code": "run.worker_died", "error_message": "It died.", "error_advice": "."}
        db.session.execute(update(Run).where(Run.id == run_id).values(**failed))
        lost = update(Delivery).where(Delivery.run_id == run_id).values(**failed, renaming_attempt=1)
        db.session.execute(lost)
        db.session.commit()
        again_id = runs.request_again(user, db.session.get_one(Run, run_id), uuid.uuid4()).id
    work(app)
    with seen(people.exporter, again_id) as (run, [own]):
        assert (run.state, own.state, own.path) == ("success", "delivered", "/in/x.csv")
    assert there(folder) == ["in/x.csv"]


def test_upload_again_that_fails_says_so_and_leaves_the_run_as_it_is(
    app: Flask, people: People, server: SftpServer, folder: Path, connected: Callable[..., str]
) -> None:
    run_id = create(people.exporter, connected(server), path="/in/x", if_exists="fail")
    work(app)
    with people.exporter.at_work() as user:
        deliveries.request_again(user, db.session.get_one(Run, run_id), uuid.uuid4())
    again(app)
    with seen(people.exporter, run_id) as (run, [_own, second]):
        assert (run.state, run.error_code) == ("success", None)
        assert (second.state, second.error_code) == ("failed", "target.exists")
        assert [event.kind for event in runs.events_of(run)][-1] == "again_failed"


def test_upload_again_whose_worker_dies_three_times_of_it_ends_with_the_reason(
    app: Flask, people: People, server: SftpServer, connected: Callable[..., str], clock: Clock
) -> None:
    run_id = create(people.exporter, connected(server), path="/in/x")
    work(app)
    with people.exporter.at_work() as user:
        deliveries.request_again(user, db.session.get_one(Run, run_id), uuid.uuid4())
    with app.app_context():
        for nobody_sees_it in (False, False, True):
            taken = take_next_delivery("worker of a test")
            assert taken is not None
            assert (upkeep.holds("worker of a test"), upkeep.holds("another worker")) == (True, False)
            if nobody_sees_it:
                clock.forward(timedelta(minutes=5))
                upkeep.sweep()
            else:
                upkeep.take_back("worker of a test", counted=True)
            assert not upkeep.holds("worker of a test")
        assert take_next_delivery("worker of a test") is None
        with pytest.raises(Fenced):
            deliveries.delivered(taken, Receipt("/in/x.csv", 1, {}), "0")
    with seen(people.exporter, run_id) as (run, [_own, second]):
        assert (run.state, second.state, second.attempt) == ("success", "failed", 3)
        assert second.error_code == "system.worker_died"
        assert [event.kind for event in runs.events_of(run)][-2:] == ["upload_again", "again_failed"]


def test_only_who_may_run_the_export_uploads_it_again_and_only_a_file_that_is_there(
    app: Flask, people: People, server: SftpServer, connected: Callable[..., str]
) -> None:
    from webapp.permissions import Refused

    run_id = create(people.exporter, connected(server))
    with people.exporter.at_work() as user, pytest.raises(deliveries.NothingToUpload):
        deliveries.request_again(user, db.session.get_one(Run, run_id), uuid.uuid4())
    work(app)
    with people.viewer.at_work() as user, pytest.raises(Refused):
        deliveries.request_again(user, db.session.get_one(Run, run_id), uuid.uuid4())


def test_no_rows_and_nothing_wanted_delivers_nothing(
    app: Flask, people: People, server: SftpServer, folder: Path, connected: Callable[..., str]
) -> None:
    upload = {"type": "sftp", "connection": connected(server), "path": "/in/x"}
    none = [[{"attribute": "id", "operator": "equals", "value": "nobody"}]]
    with people.exporter.at_work() as user:
        definition = stores(target=upload, filters=none, if_empty="nothing")
        run_id = exports.create(user, definition, uuid.uuid4()).latest_run_id
    assert run_id is not None
    work(app)
    with seen(people.exporter, run_id) as (run, sent):
        assert (run.state, run.delivered_nothing, sent) == ("success", True, [])
    assert there(folder) == []


@pytest.mark.parametrize("died", ["before the rename", "after the rename", "after it was written down"])
def test_an_attempt_that_died_is_followed_by_one_that_leaves_one_file(
    app: Flask, people: People, server: SftpServer, folder: Path, connected: Callable[..., str], died: str
) -> None:
    run_id = create(people.exporter, connected(server), path="/in/x")
    work(app)
    with seen(people.exporter, run_id) as (run, [sent]):
        state = "delivered" if died == "after it was written down" else "renaming"
        values = {"state": state, "renaming_attempt": 1}
        db.session.execute(db.update(Delivery).where(Delivery.id == sent.id).values(**values))
        gone = {"state": "queued", "finished_at": None, "published_attempt": None, "lease_until": None}
        db.session.execute(db.update(Run).where(Run.id == run_id).values(**gone))
        db.session.commit()
    file = folder / "in/x.csv"
    if died == "before the rename":
        file.rename(folder / "in" / temporary("x.csv", str(run_id), 1))
    inode = file.stat().st_ino if file.exists() else 0
    work(app)
    with seen(people.exporter, run_id) as (run, [sent]):
        assert (run.state, run.attempt, sent.state) == ("success", 2, "delivered")
        assert file.read_bytes().startswith(b"Store,name\n")
    assert there(folder) == ["in/x.csv"]
    if inode:
        assert file.stat().st_ino == inode, "it was not sent a second time"


def test_a_heartbeat_of_a_later_attempt_leaves_the_size_of_the_file_that_is_kept(
    app: Flask, people: People, server: SftpServer, folder: Path, connected: Callable[..., str]
) -> None:
    run_id = create(people.exporter, connected(server), path="/in/x")
    server.stop()
    work(app)
    with seen(people.exporter, run_id) as (run, _):
        made = run.rows, run.bytes
        db.session.execute(db.update(Run).where(Run.id == run_id).values(not_before=run.created_at))
        db.session.commit()
    with app.app_context():
        mine = take_next("worker that takes its time")
        assert mine is not None
        runs.beat(mine, Progress(0, 0, 0.0), "starting")
    with seen(people.exporter, run_id) as (run, _):
        assert (run.rows, run.bytes) == made
        assert made[1] > 0


def with_keys(app: Flask, *keys: str) -> None:
    """The operator has changed CREDENTIAL_KEYS and started everything again."""
    app.config["SETTINGS"] = replace(app.config["SETTINGS"], credential_keys=keys)


def test_an_old_key_still_opens_credentials_and_without_it_the_run_says_so(
    app: Flask, people: People, server: SftpServer, folder: Path, connected: Callable[..., str]
) -> None:
    connection, old, new = connected(server), app.config["SETTINGS"].credential_keys, new_key()
    with_keys(app, new)
    run_id = create(people.exporter, connection, path="/in/x")
    work(app)
    with seen(people.exporter, run_id) as (run, [sent]):
        assert (run.state, run.error_code) == ("failed", "target.credential_unreadable")
        assert run.error_message == "The credential of the connection can't be read."
        assert "CREDENTIAL_KEYS" in str(run.error_advice)
        assert sent.state == "failed"
    assert (there(folder), server.passwords) == ([], [])
    with_keys(app, new, *old)
    create(people.exporter, connection, path="/in/x")
    work(app)
    assert there(folder) == ["in/x.csv"]


@pytest.mark.parametrize(
    ("number", "state", "code"),
    [
        (socket.EAI_NONAME, "failed", "target.host_unknown"),
        (socket.EAI_AGAIN, "queued", "target.names_unavailable"),
        (socket.EAI_FAIL, "queued", "target.names_unavailable"),
    ],
)
def test_a_host_without_address_ends_the_run_and_name_servers_that_are_away_are_waited_for(
    app: Flask, people: People, server: SftpServer, connected: Callable[..., str], number: int, state: str, code: str
) -> None:
    def resolver(_host: str, _port: int) -> list[str]:
        raise socket.gaierror(number, "as a test wants it")

    run_id = create(people.exporter, connected(server, host="files.example.com"))
    app.config["RESOLVER"] = resolver
    try:
        work(app)
    finally:
        del app.config["RESOLVER"]
    with seen(people.exporter, run_id) as (run, [sent]):
        assert (run.state, run.error_code, sent.state, sent.error_code) == (state, code, state, code)
        assert "files.example.com" in str(run.error_message)
    assert server.passwords == []


def test_a_host_that_may_not_be_reached_any_more_ends_the_run_and_is_kept_in_the_audit_log(
    app: Flask, people: People, server: SftpServer, connected: Callable[..., str]
) -> None:
    run_id = create(people.exporter, connected(server))
    app.config["SETTINGS"] = replace(app.config["SETTINGS"], allowed_networks=())
    work(app)
    with seen(people.exporter, run_id) as (run, _):
        assert (run.state, run.error_code) == ("failed", "target.blocked")
        facts = db.session.scalars(select(AuditEntry.facts).where(AuditEntry.action == "connection.blocked")).one()
        assert facts == {"at": "delivery", "type": "sftp", "host": "127.0.0.1", "port": server.port}
    assert server.passwords == []


class Closed:
    """Our own database, which takes no connections from the time that a server is asked to open a file until it is
    asked to remove it.
    """

    def __init__(self, postgres: Cluster, url: str) -> None:
        self._admin, self.name = postgres.admin_dsn(), urlsplit(url).path[1:]

    def allow(self, allowed: bool) -> None:
        """Open it, or close it and end all that is open."""
        with psycopg.connect(self._admin, autocommit=True) as connection:
            connection.execute(f"ALTER DATABASE {self.name} ALLOW_CONNECTIONS {allowed}")  # type: ignore[arg-type]
            ended = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s AND usename = 'exports'"
            connection.execute(ended if not allowed else "SELECT %s", [self.name])

    def files(self, folder: Path) -> Callable[[Any], asyncssh.SFTPServer]:
        """The files of a server that does so."""
        outer = self

        class Files(asyncssh.SFTPServer):
            def open(self, *arguments: Any) -> Any:
                outer.allow(False)
                return super().open(*arguments)

            def remove(self, path: bytes) -> Any:
                outer.allow(True)
                return super().remove(path)

        return lambda channel: Files(channel, chroot=str(folder).encode())


def test_our_own_database_that_goes_away_while_a_file_is_sent_is_waited_for(
    app: Flask, people: People, folder: Path, connected: Callable[..., str], postgres: Cluster, app_database: str
) -> None:
    closed = Closed(postgres, app_database)
    server = SftpServer(folder, files=closed.files(folder))
    try:
        run_id = create(people.exporter, connected(server), path="/in/x")
        work(app)
    finally:
        closed.allow(True)
        server.stop()
    with seen(people.exporter, run_id) as (run, [sent]):
        assert (run.state, run.error_code, sent.state) == ("queued", "system.database", "queued")
        assert "by itself" in str(run.error_advice)
    assert there(folder) == []


def test_an_attempt_that_lost_its_run_renames_nothing(
    app: Flask, people: People, server: SftpServer, folder: Path, connected: Callable[..., str]
) -> None:
    run_id = create(people.exporter, connected(server), path="/in/x")
    with app.app_context():
        mine = take_next("worker that sleeps")
        assert mine is not None
        with brand_scope(mine.brand_id):
            upload = exports.definition_of(db.session.get_one(Export, mine.export_id), 1).target
            assert isinstance(upload, Upload)
            sending = deliveries.of_run(mine, upload)
            journal = deliveries.Journal(sending, "127.0.0.1", 10)
            db.session.execute(db.update(Run).where(Run.id == run_id).values(attempt=2))
            db.session.commit()
            with pytest.raises(Fenced):
                journal.renaming()
            with pytest.raises(Fenced):
                journal.uploaded(10)


# --- **Remove file**


def remove(people: People, run_id: uuid.UUID) -> None:
    """An admin presses it, and the store has the file no more."""
    with people.admin.at_work() as admin:
        personal_report.remove_file(admin, db.session.get_one(Run, run_id))
        upkeep.files()


@pytest.fixture
def filed(
    app: Flask, people: People, server: SftpServer, connected: Callable[..., str], folder: Path
) -> Iterator[uuid.UUID]:
    """A run that has made its file and could deliver it now, after a first try that failed."""
    run_id = create(people.exporter, connected(server), path="/in/x")
    server.stop()
    work(app)
    with seen(people.exporter, run_id) as (run, _):
        assert (run.state, run.artefact is None) == ("queued", False)
        db.session.execute(update(Run).where(Run.id == run_id).values(not_before=run.created_at))
        db.session.commit()
    back = SftpServer(folder, host_keys=server.host_keys, port=server.port)
    yield run_id
    back.stop()


def test_a_run_that_waits_to_deliver_a_file_that_is_removed_is_cancelled_and_makes_no_other(
    app: Flask, people: People, folder: Path, filed: uuid.UUID
) -> None:
    remove(people, filed)
    assert work(app) is None
    with seen(people.exporter, filed) as (run, _):
        assert (run.state, run.artefact) == ("cancelled", None)
        assert runs.events_of(run)[-2].kind == "cancelled"
    assert there(folder) == []


def test_a_file_that_is_removed_while_it_is_sent_gets_no_name(
    app: Flask, people: People, folder: Path, filed: uuid.UUID
) -> None:
    def sends(*arguments: Any, **options: Any) -> Receipt:
        remove(people, filed)
        return deliver(*arguments, **options)

    deliver = jobs_delivery.delivery.deliver
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(jobs_delivery.delivery, "deliver", sends)
        work(app)
    with seen(people.exporter, filed) as (run, _):
        assert (run.state, run.artefact) == ("cancelled", None)
    assert there(folder) == []


def test_a_file_that_is_removed_after_it_got_its_name_is_not_kept_again(
    app: Flask, people: People, filed: uuid.UUID
) -> None:
    with app.app_context():
        mine = take_next("worker of a test")
        assert mine is not None
        with brand_scope(mine.brand_id):
            upload = exports.definition_of(db.session.get_one(Export, mine.export_id), 1).target
            assert isinstance(upload, Upload)
            sending = deliveries.of_run(mine, upload)
            deliveries.Journal(sending, "127.0.0.1", 10).renaming()
            with people.admin.at_work() as admin:
                personal_report.remove_file(admin, db.session.get_one(Run, filed))
            deliveries.delivered(sending, Receipt("/in/x.csv", 10, {}), "0")
            runs.finish(mine)
    with seen(people.exporter, filed) as (run, _):
        assert (run.state, artefacts.published(run)) == ("success", None)
        with pytest.raises(deliveries.NothingToUpload):
            deliveries.request_again(db.session.get_one(User, people.exporter.id), run, uuid.uuid4())
        upkeep.files()
        assert db.session.get_one(Run, filed, populate_existing=True).artefact is None


@pytest.mark.parametrize("when", ["before it begins", "while it is sent"])
def test_upload_again_of_a_file_that_is_removed_ends_with_the_reason(
    app: Flask, people: People, server: SftpServer, folder: Path, connected: Callable[..., str], when: str
) -> None:
    run_id = create(people.exporter, connected(server), path="/in/x")
    work(app)
    (folder / "in/x.csv").unlink()
    with people.exporter.at_work() as user:
        deliveries.request_again(user, db.session.get_one(Run, run_id), uuid.uuid4())

    def sends(*arguments: Any, **options: Any) -> Receipt:
        with people.admin.at_work() as admin:
            personal_report.remove_file(admin, db.session.get_one(Run, run_id))
        return deliver(*arguments, **options)

    deliver = jobs_delivery.delivery.deliver
    if when == "before it begins":
        remove(people, run_id)
    with pytest.MonkeyPatch.context() as patch:
        if when == "while it is sent":
            patch.setattr(jobs_delivery.delivery, "deliver", sends)
        again(app)
    with seen(people.exporter, run_id) as (run, [_own, second]):
        assert (run.state, second.state, second.error_code) == ("success", "failed", "file.removed")
        assert second.failures == 1, "it is not tried again"
        assert runs.events_of(run)[-1].kind in ("again_failed", "removed")
    assert there(folder) == []
