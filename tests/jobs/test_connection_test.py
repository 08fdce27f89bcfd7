"""**Test connection**, carried out against a real server: each phase told, nothing secret sent to an unknown key."""

from __future__ import annotations

import threading
import uuid
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import asyncssh
import pytest
from flask import Flask, current_app
from sqlalchemy import select

from jobs import connection_test, upkeep
from tests.delivery.servers import PASSWORD, USER, SftpServer
from tests.delivery.test_sftp import files_of
from tests.fix_connections import partner
from webapp.extensions import db
from webapp.models import AuditEntry, Connection, ConnectionTest, User, system_scope
from webapp.services import connections
from webapp.services.connections import Credential, Server, testing
from webapp.services.connections.testing import Subject, TooOften

if TYPE_CHECKING:
    from tests.fix_app import Clock, People

pytestmark = pytest.mark.usefixtures("upload_here")


def asked(user: User, server: SftpServer, *, password: str = PASSWORD, key: str = "", path: str = "") -> uuid.UUID:
    """A test of this server that somebody asked for."""
    id_ = uuid.uuid4()
    sealed = connections.seal(Credential("password", password), id_)
    where = Server("sftp", "127.0.0.1", str(server.port), USER)
    return testing.ask(user, Subject(id_, where, sealed, key, path, {})).id


def carried_out(id: uuid.UUID) -> ConnectionTest:
    """The same after its job, which knows of no brand and no person."""
    app = current_app._get_current_object()  # type: ignore[attr-defined]
    job = threading.Thread(target=_as_a_horse, args=(app, id))
    job.start()
    job.join()
    db.session.expire_all()
    return db.session.get_one(ConnectionTest, id)


def _as_a_horse(app: Flask, id: uuid.UUID) -> None:
    with app.app_context():
        connection_test.test(run=str(id))


def test_an_unknown_key_is_shown_before_a_password_is_sent(people: People, sftp_server: SftpServer) -> None:
    with people.exporter.at_work() as user:
        test = carried_out(asked(user, sftp_server))
        assert (test.error_code, test.offered_key) == ("target.host_key_unknown", sftp_server.trust)
        assert [one["phase"] for one in test.phases] == ["address", "connect", "security"]
    assert sftp_server.passwords == []


def test_with_the_key_accepted_all_phases_go_well_and_nothing_is_left(people: People, sftp_server: SftpServer) -> None:
    with people.exporter.at_work() as user:
        test = carried_out(asked(user, sftp_server, key=sftp_server.trust, path="/in/loyalty/stores.csv"))
        assert test.is_good
        told = [(one["phase"], one["code"]) for one in test.phases]
        assert told == [(one, "") for one in ("address", "connect", "security", "login", "folder", "write", "rename")]
        assert test.phases[0]["facts"] == {"address": "127.0.0.1"}
        assert test.phases[2]["facts"] == {"key": sftp_server.trust}
        assert test.credential is None
        assert testing.seconds(test) < testing.WITHIN_S
    assert [one.name for one in (sftp_server.folder / "in" / "loyalty").iterdir()] == []


def test_a_server_that_lets_nobody_delete_can_be_used_and_the_page_is_told_what_is_left(
    people: People, sftp_server: SftpServer
) -> None:
    def refuse(self: Any, *_arguments: Any) -> None:
        raise asyncssh.SFTPPermissionDenied("no")

    sftp_server._files = files_of(sftp_server.folder, remove=refuse)
    with people.exporter.at_work() as user:
        test = carried_out(asked(user, sftp_server, key=sftp_server.trust, path="/stores.csv"))
        assert test.is_good
        [left] = [one.name for one in sftp_server.folder.iterdir()]
        assert test.phases[-1]["facts"] == {"left": left}


def test_a_wrong_password_is_told_with_what_to_do(people: People, sftp_server: SftpServer) -> None:
    with people.exporter.at_work() as user:
        test = carried_out(asked(user, sftp_server, password="wrong", key=sftp_server.trust))
        last = test.phases[-1]
        assert (last["phase"], last["code"]) == ("login", "target.login_refused")
        assert last["message"] == f"The upload server refused the login of {USER}."
        assert "Correct the username" in last["advice"]
        assert "tried again by itself" not in last["advice"]


def test_a_changed_key_blocks_the_saved_connection(people: People, sftp_server: SftpServer) -> None:
    accepted = "ssh-ed25519 SHA256:4nNpWzP0DrbzCm5o3VvJtK3c3gH6bA2m1lq8sQd0x0A"
    with people.exporter.at_work() as user:
        wanted, _ = partner(host="127.0.0.1", port=str(sftp_server.port), username=USER)
        connection = connections.create(user, wanted, Credential("password", PASSWORD))
        connections.accept(user, connection, accepted)
        sealed = connections.sealed_of(connection)
        subject = Subject(connection.id, Server.of(connection), sealed, accepted, "", {})
        test = carried_out(testing.ask(user, subject).id)
        assert test.error_code == "target.host_key_changed"
        assert connection.is_blocked
        assert connection.offered_key == sftp_server.trust
    assert sftp_server.passwords == []


def test_the_key_of_another_port_that_was_typed_and_not_saved_blocks_nothing(
    people: People, sftp_server: SftpServer
) -> None:
    with people.exporter.at_work() as user:
        wanted, _ = partner(host="127.0.0.1", port=str(sftp_server.port + 1), username=USER)
        connection = connections.create(user, wanted, Credential("password", PASSWORD))
        connections.accept(user, connection, "ssh-ed25519 SHA256:4nNpWzP0DrbzCm5o3VvJtK3c3gH6bA2m1lq8sQd0x0A")
        typed = Server("sftp", "127.0.0.1", str(sftp_server.port), USER)
        sealed = connections.sealed_of(connection)
        test = carried_out(testing.ask(user, Subject(connection.id, typed, sealed, "", "", {})).id)
        assert (test.error_code, test.offered_key) == ("target.host_key_unknown", sftp_server.trust)
        assert (connection.is_blocked, connection.offered_key) == (False, None)


def test_a_server_that_may_not_be_reached_is_refused_in_the_first_phase(
    people: People, sftp_server: SftpServer, app: object
) -> None:
    from dataclasses import replace

    with people.exporter.at_work() as user:
        id_ = asked(user, sftp_server, key=sftp_server.trust)
        app.config["SETTINGS"] = replace(app.config["SETTINGS"], allowed_networks=())  # type: ignore[attr-defined]
        test = carried_out(id_)
        assert [(one["phase"], one["code"]) for one in test.phases] == [("address", "target.blocked")]
        [kept] = db.session.scalars(select(AuditEntry).where(AuditEntry.action == "connection.blocked"))
        assert (kept.actor, kept.result) == (user.email, "denied")
        assert kept.facts == {"at": "test", "type": "sftp", "host": "127.0.0.1", "port": sftp_server.port}
    assert sftp_server.passwords == []


def test_a_test_is_carried_out_once_and_not_when_nobody_waits_any_more(
    people: People, sftp_server: SftpServer, clock: Clock
) -> None:
    with people.exporter.at_work() as user:
        id_ = asked(user, sftp_server)
        first = carried_out(id_).finished_at
        assert carried_out(id_).finished_at == first
        late = asked(user, sftp_server)
        clock.forward(timedelta(seconds=testing.UNTAKEN_S + 1))
        test = carried_out(late)
        assert (test.started_at, test.phases) == (None, [])
        assert testing.is_over(test)


def test_a_person_tests_only_so_often_in_a_minute(people: People, sftp_server: SftpServer, clock: Clock) -> None:
    with people.exporter.at_work() as user:
        clock.set("2026-11-24 08:00+00")
        for _ in range(testing.PER_MINUTE):
            asked(user, sftp_server)
        with pytest.raises(TooOften):
            asked(user, sftp_server)
        clock.forward(timedelta(seconds=61))
        asked(user, sftp_server)
        server = db.session.scalars(select(ConnectionTest.server)).first()
        assert server is not None
        testing.forget(server)
        assert server not in db.session.scalars(select(ConnectionTest.server)).all()
        entries = db.session.scalars(select(AuditEntry).where(AuditEntry.action == "connection.tested")).all()
        assert len(entries) == testing.PER_MINUTE + 1
        assert entries[0].facts == {"host": "127.0.0.1", "port": sftp_server.port, "type": "sftp"}
        [limited] = db.session.scalars(select(AuditEntry).where(AuditEntry.action == "rate.limited"))
        assert (limited.actor, limited.facts) == (user.email, {"asked": "connection.tested"})


def of_all_brands(wanted: Any) -> list[Any]:
    """What stands in the table."""
    with system_scope():
        return list(db.session.scalars(wanted))


def test_the_credential_of_a_test_that_nobody_finishes_is_removed_after_a_minute_and_its_row_after_a_day(
    app: Flask, people: People, sftp_server: SftpServer, clock: Clock
) -> None:
    with people.exporter.at_work() as user:
        asked(user, sftp_server)
    with people.stranger.at_work() as user:
        asked(user, sftp_server)
    for wait, kept, rows in ((55, 2, 2), (6, 0, 2), (24 * 3600 - 70, 0, 2), (10, 0, 0)):
        clock.forward(timedelta(seconds=wait))
        with app.app_context():
            upkeep.tidy()
            found = of_all_brands(select(ConnectionTest))
            assert (sum(one.credential is not None for one in found), len(found)) == (kept, rows)


def test_the_newest_test_of_a_connection_stays_and_those_of_servers_that_nobody_saved_go(
    app: Flask, people: People, sftp_server: SftpServer, clock: Clock
) -> None:
    clock.set("2026-11-24 08:00+00")
    with people.exporter.at_work() as user:
        wanted, credential = partner(host="127.0.0.1", port=str(sftp_server.port), username=USER)
        connection = connections.create(user, wanted, credential)
        connection_id = connection.id
        subject = Subject(connection.id, Server.of(connection), connections.sealed_of(connection), "", "", {})
        ids = []
        for _ in range(2):
            ids.append(carried_out(testing.ask(user, subject).id).id)
            clock.forward(timedelta(seconds=10))
        testing.ask(user, subject)  # nobody takes it
        carried_out(asked(user, sftp_server))
    clock.forward(timedelta(days=2))
    with app.app_context():
        upkeep.tidy()
        assert of_all_brands(select(ConnectionTest.id)) == [ids[1]]
    with people.exporter.at_work() as user:
        connections.delete(user, db.session.get_one(Connection, connection_id))
    with app.app_context():
        upkeep.tidy()
        assert of_all_brands(select(ConnectionTest.id)) == []
