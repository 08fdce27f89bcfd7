"""**Connections**: made, changed, trusted and deleted, each by who may, with nothing secret in any answer."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select

from exports import ssh_keys
from exports.errors import CredentialUnreadable
from tests.fix_app import stores
from tests.fix_connections import partner
from tests.fix_pages import check
from webapp.extensions import db
from webapp.models import AuditEntry, Connection, ConnectionTest, User
from webapp.permissions import Refused
from webapp.services import connections, exports
from webapp.services.connections import Credential, InUse, KeyChanged, NotKept, credentials, testing

if TYPE_CHECKING:
    from flask import Flask
    from flask.testing import FlaskClient
    from werkzeug.test import TestResponse

    from tests.fix_app import People, Person

Open = Callable[["Person | None"], "FlaskClient"]
SECRET = "correct horse battery"
KEY = "ssh-ed25519 SHA256:4nNpWzP0DrbzCm5o3VvJtK3c3gH6bA2m1lq8sQd0x0A"
OTHER = "ssh-ed25519 SHA256:zzzzWzP0DrbzCm5o3VvJtK3c3gH6bA2m1lq8sQd0x0A"


def made(user: User, name: str = "Partner", *, shared: bool = False) -> Connection:
    """A connection of this user."""
    wanted, _ = partner(name, shared=shared)
    return connections.create(user, wanted, Credential("password", SECRET))


def told(kind: str) -> list[AuditEntry]:
    """What the audit log says of this kind, in the present scope."""
    return list(db.session.scalars(select(AuditEntry).where(AuditEntry.action == kind)))


def posted(browser: FlaskClient, at: str, **data: str) -> TestResponse:
    """A form sent from a page, with that page's token."""
    page = browser.get("/connections/new").get_data(as_text=True)
    found = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert found
    return browser.post(at, data={"csrf_token": found[1], **data})


FORM = {"name": "Partner", "type": "sftp", "host": "sftp.partner.example", "port": "22", "username": "maple",
        "auth": "password", "password": SECRET}  # fmt: skip


def test_a_connection_is_made_by_its_form_and_shown_without_its_password(client: Open, people: People) -> None:
    browser = client(people.exporter)
    answer = posted(browser, "/connections", **FORM)
    assert answer.status_code == 303
    page = browser.get(answer.headers["Location"]).get_data(as_text=True)
    assert "sftp.partner.example" in check(page).text
    edit = browser.get(answer.headers["Location"] + "/edit").get_data(as_text=True)
    assert "Password stored – type to replace" in edit
    assert SECRET not in page + edit
    with people.exporter.at_work():
        saved = db.session.scalars(select(Connection)).one()
        assert SECRET.encode() not in (saved.credential or b"")
        assert connections.sealed_of(saved)
        assert credentials.opened(connections.sealed_of(saved), saved.id).secret == SECRET  # type: ignore[arg-type]
        kinds = [one.action for one in db.session.scalars(select(AuditEntry)) if one.action.startswith("connection.")]
        assert kinds == ["connection.created"]


@pytest.mark.parametrize(
    ("changes", "input", "sentence"),
    [
        ({"name": " "}, "name", "Enter a name"),
        ({"name": "x" * 101}, "name", "The name is longer than 100 characters"),
        ({"type": "scp"}, "type", "must have the type none, ftp, ftps or sftp"),
        ({"host": ""}, "host", "Enter the host"),
        ({"host": "ftp://example.com"}, "host", "no protocol, user, port or path"),
        ({"host": "10.0.0.1"}, "host", "This host and port cannot be used for uploads."),
        ({"port": "65536"}, "port", "The port must be a whole number from 1 to 65535"),
        ({"port": " 22 "}, "port", "The port must be a whole number from 1 to 65535"),
        ({"port": "5432"}, "host", "This host and port cannot be used for uploads."),
        ({"username": ""}, "username", "Enter the username"),
        ({"password": ""}, "password", "Enter the password"),
        ({"password": "p" * 513}, "password", "The password is longer than 512 characters"),
        ({"password": "two\nlines"}, "password", "must not hold line breaks or other control characters"),
        ({"auth": "key", "key": ""}, "key", "Paste the private key"),
        ({"auth": "key", "key": "ssh-rsa AAAA"}, "key", "This is no private key."),
    ],
)
def test_what_is_wrong_is_said_at_its_input_and_nothing_is_made(
    client: Open, people: People, changes: dict[str, str], input: str, sentence: str
) -> None:
    answer = posted(client(people.exporter), "/connections", **{**FORM, **changes})
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert re.search(rf'<li><a href="#{input}">[^<]*{re.escape(sentence)}', page.replace("&#39;", "'")), page
    assert check(page).title.startswith("Error: ")
    typed = {**FORM, **changes}
    assert [typed["host"], typed["username"]] == [check(page).inputs[name] for name in ("host", "username")]
    assert SECRET not in page
    with people.exporter.at_work():
        assert db.session.scalars(select(Connection)).all() == []
        kept = db.session.scalars(select(AuditEntry.facts).where(AuditEntry.action == "connection.blocked")).all()
        is_blocked = "cannot be used for uploads" in sentence
        where = {"at": "form", "type": typed["type"], "host": typed["host"]}
        assert kept == ([{**where, "port": int(typed["port"])}] if is_blocked else [])


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        (
            {"host": "10.0.0.1", "port": "²", "username": "", "password": ""},
            {
                "host": "This host and port cannot be used for uploads.",
                "port": "The port must be a whole number from 1 to 65535",
                "username": "Enter the username",
                "password": "Enter the password",
            },
        ),
        (
            {"host": "a\tb", "port": "0", "username": ""},
            {
                "host": "The host must not hold line breaks",
                "port": "The port must be a whole number from 1 to 65535",
                "username": "Enter the username",
            },
        ),
        (
            {"type": "none", "host": "", "port": "65536"},
            {
                "type": "target must have the type none, ftp, ftps or sftp",
                "host": "Enter the host",
                "port": "The port must be a whole number from 1 to 65535",
            },
        ),
    ],
)
def test_all_that_is_wrong_is_said_at_once_in_the_order_of_the_form(
    client: Open, people: People, changes: dict[str, str], told: dict[str, str]
) -> None:
    page = posted(client(people.exporter), "/connections", **{**FORM, **changes}).get_data(as_text=True)
    found = re.findall(r'<li><a href="#(\w+)">([^<]*)', page)
    assert [input for input, _ in found] == list(told)
    for (_, sentence), wanted in zip(found, told.values(), strict=True):
        assert sentence.startswith(wanted)


def test_a_name_stands_once_in_a_brand(people: People) -> None:
    with people.exporter.at_work() as user:
        made(user)
        with pytest.raises(NotKept, match="Another connection has this name"):
            made(user)
    with people.stranger.at_work() as user:
        made(user)


def test_exporters_see_their_own_and_what_is_shared_and_managers_all(client: Open, people: People) -> None:
    with people.exporter.at_work() as user:
        mine = made(user, "Mine").id
    with people.manager.at_work() as user:
        shared, kept = made(user, "Shared", shared=True).id, made(user, "Kept").id
    texts = {who: check(client(getattr(people, who)).get("/connections").get_data(as_text=True)).text
             for who in ("exporter", "colleague", "manager", "admin", "stranger")}  # fmt: skip
    seen = {who: [name for name in ("Mine", "Shared", "Kept") if f"{name} maple_exports@" in text]
            for who, text in texts.items()}  # fmt: skip
    assert seen == {
        "exporter": ["Mine", "Shared"],
        "colleague": ["Shared"],
        "manager": ["Mine", "Shared", "Kept"],
        "admin": ["Mine", "Shared", "Kept"],
        "stranger": [],
    }
    assert "No connections yet" in texts["stranger"]
    assert client(people.colleague).get(f"/connections/{mine}").status_code == 404
    assert client(people.exporter).get(f"/connections/{kept}").status_code == 404
    assert client(people.colleague).get(f"/connections/{shared}").status_code == 200
    assert client(people.colleague).get(f"/connections/{shared}/edit").status_code == 403
    assert client(people.viewer).get("/connections").status_code == 403


def test_without_the_grant_an_exporter_uses_but_does_not_make(client: Open, people: People) -> None:
    with people.manager.at_work() as user:
        shared = made(user, shared=True).id
    with people.exporter.at_work() as user:
        user.use_new_target = False
        db.session.commit()
        with pytest.raises(Refused):
            made(user, "Another")
    browser = client(people.exporter)
    assert browser.get("/connections/new").status_code == 403
    assert "Create new connection" not in browser.get("/connections").get_data(as_text=True)
    assert browser.get(f"/connections/{shared}").status_code == 200


def test_another_server_does_not_get_the_stored_password(people: People) -> None:
    with people.exporter.at_work() as user:
        connection = made(user)
        connections.accept(user, connection, KEY)
        elsewhere, _ = partner(host="sftp.thief.example")
        with pytest.raises(NotKept, match="Type the password or the private key again"):
            connections.change(user, connection, elsewhere, None)
        assert connection.host == "sftp.partner.example"
        connections.change(user, connection, elsewhere, Credential("password", "another"))
        assert (connection.host, connection.accepted_key) == ("sftp.thief.example", None)


def used_by_another(people: People) -> uuid.UUID:
    """A connection of an exporter without the right to personal data, to which the export of one with it delivers."""
    with people.colleague.at_work() as user:
        connection = made(user)
        connections.accept(user, connection, KEY)
        id_ = connection.id
    with people.manager.at_work() as user:
        connections.change(user, db.session.get_one(Connection, id_), partner(shared=True)[0], None)
    with people.exporter.at_work() as user:
        target = {"type": "sftp", "connection": str(id_), "path": "/in/stores_%Y%m%d"}
        exports.create(user, stores(target=target), uuid.uuid4())
    return id_


@pytest.mark.parametrize(
    ("input", "moved"),
    [
        ("type", {"type": "ftps", "port": "22"}),
        ("host", {"host": "sftp.thief.example"}),
        ("port", {"port": "2222"}),
        ("username", {"username": "thief"}),
    ],
)
def test_what_exports_of_other_people_use_is_moved_by_managers_alone(
    client: Open, people: People, input: str, moved: dict[str, str]
) -> None:
    id_ = used_by_another(people)
    before = {**FORM, "username": "maple_exports"}
    browser = client(people.colleague)
    assert posted(browser, f"/connections/{id_}", **{**before, "name": "Renamed"}).status_code == 303
    answer = posted(browser, f"/connections/{id_}", **{**before, **moved})
    assert answer.status_code == 422
    sentence = "Exports of other people use this connection: ask a manager to move it"
    assert f'<li><a href="#{input}">{sentence}' in answer.get_data(as_text=True)
    with people.colleague.at_work() as user:
        row = db.session.get_one(Connection, id_)
        assert (row.address, row.accepted_key) == ("maple_exports@sftp.partner.example:22", KEY)
        connections.replace(user, row, Credential("password", "a new one"))
    assert posted(client(people.manager), f"/connections/{id_}", **{**before, **moved}).status_code == 303


def test_the_first_key_of_what_exports_of_other_people_use_is_accepted_by_managers_alone(
    client: Open, people: People
) -> None:
    id_ = used_by_another(people)
    with people.manager.at_work() as user:
        row = db.session.get_one(Connection, id_)
        connections.change(user, row, partner(host="sftp.new.example")[0], Credential("password", SECRET))
        assert row.accepted_key is None
    with people.colleague.at_work() as user:
        row = db.session.get_one(Connection, id_)
        subject = testing.Subject(id_, connections.Server.of(row), connections.sealed_of(row), "", "", {})
        asked = testing.ask(user, subject)
        asked.started_at = asked.finished_at = asked.created_at
        asked.error_code, asked.offered_key = "target.host_key_unknown", KEY
        asked.phases = [{"phase": "security", "seconds": 0.1, "code": asked.error_code, "facts": {"key": KEY},
                         "message": "not accepted", "advice": ""}]  # fmt: skip
        db.session.commit()
    at = f"/connections/{id_}"
    texts = {who: check(client(getattr(people, who)).get(at).get_data(as_text=True)).text
             for who in ("colleague", "exporter", "manager")}  # fmt: skip
    advice = "Exports of other people use this connection: ask a manager to compare and accept it."
    assert {who: ("Accept this key" in text, advice in text) for who, text in texts.items()} == {
        "colleague": (False, True),
        "exporter": (False, False),
        "manager": (True, False),
    }
    assert posted(client(people.colleague), f"{at}/accept", key=KEY).status_code == 403
    assert posted(client(people.manager), f"{at}/accept", key=KEY).status_code == 303
    with people.manager.at_work():
        assert db.session.get_one(Connection, id_).accepted_key == KEY


def test_who_alone_uses_a_connection_moves_it_and_accepts_its_key(people: People) -> None:
    with people.colleague.at_work() as user:
        connection = made(user)
        target = {"type": "sftp", "connection": str(connection.id), "path": "/in/stores_%Y%m%d"}
        exports.create(user, stores(target=target), uuid.uuid4())
        connections.change(user, connection, partner(host="sftp.new.example")[0], Credential("password", SECRET))
        connections.accept(user, connection, KEY)
        assert (connection.host, connection.accepted_key) == ("sftp.new.example", KEY)


def test_a_new_name_keeps_password_and_key(people: People) -> None:
    with people.exporter.at_work() as user:
        connection = made(user)
        connections.accept(user, connection, KEY)
        before = connection.credential
        connections.change(user, connection, partner("Renamed", username="other")[0], None)
        assert (connection.name, connection.username) == ("Renamed", "other")
        assert (connection.credential, connection.accepted_key) == (before, KEY)
        entry = told("connection.changed")[0]
        assert (entry.facts["before"]["name"], entry.facts["name"]) == ("Partner", "Renamed")


def test_a_replaced_credential_is_written_down_without_it(people: People) -> None:
    with people.exporter.at_work() as user:
        connection = made(user)
        connections.replace(user, connection, Credential("password", "a new one"))
        entry = db.session.scalars(
            select(AuditEntry).where(AuditEntry.action == "connection.credential_replaced")
        ).one()
        assert entry.facts == {"credential": "password"}


def test_only_managers_share(people: People) -> None:
    with people.exporter.at_work() as user:
        assert made(user, shared=True).shared_with_exporters is False
    with people.manager.at_work() as user:
        assert made(user, "Second", shared=True).shared_with_exporters is True


def test_a_connection_that_an_export_uses_is_not_deleted(client: Open, people: People) -> None:
    with people.exporter.at_work() as user:
        connection = made(user)
        target = {"type": "sftp", "connection": str(connection.id), "path": "/in/stores_%Y%m%d"}
        export = exports.create(user, stores(target=target), uuid.uuid4())
        assert export.connection_id == connection.id
        with pytest.raises(InUse):
            connections.delete(user, connection)
        id_ = connection.id
    page = check(client(people.exporter).get(f"/connections/{id_}").get_data(as_text=True)).text
    assert "1 export" in page
    assert "Delete" not in page
    answer = posted(client(people.exporter), f"/connections/{id_}/delete", sure="1")
    assert answer.status_code == 303
    with people.exporter.at_work():
        assert connections.find(id_) is not None


def test_an_unused_one_is_deleted_after_a_question(client: Open, people: People) -> None:
    with people.exporter.at_work() as user:
        id_ = made(user).id
    browser = client(people.exporter)
    question = posted(browser, f"/connections/{id_}/delete")
    assert "Delete “Partner”?" in check(question.get_data(as_text=True)).text
    assert posted(browser, f"/connections/{id_}/delete", sure="1").status_code == 303
    assert browser.get(f"/connections/{id_}").status_code == 404
    with people.exporter.at_work():
        assert [one.object_id for one in told("connection.deleted")] == [str(id_)]


# --- which key is trusted


def test_the_first_key_is_accepted_by_who_made_it_and_a_changed_one_by_an_admin_alone(people: People) -> None:
    with people.exporter.at_work() as user:
        connection = made(user)
        connections.offered(connection, KEY)
        db.session.commit()
        assert not connection.is_blocked or connection.accepted_key is None
        connections.accept(user, connection, KEY)
        assert (connection.accepted_key, connection.is_blocked) == (KEY, False)
        connections.offered(connection, OTHER)
        db.session.commit()
        db.session.refresh(connection)
        assert connection.is_blocked
        with pytest.raises(Refused):
            connections.accept(user, connection, OTHER)
        id_ = connection.id
    with people.manager.at_work() as user, pytest.raises(Refused):
        connections.accept(user, db.session.get_one(Connection, id_), OTHER)
    with people.admin.at_work() as user:
        connection = db.session.get_one(Connection, id_)
        assert connections.waiting() == [connection]
        with pytest.raises(KeyChanged):
            connections.accept(user, connection, "ssh-ed25519 SHA256:never-seen")
        connections.accept(user, connection, OTHER)
        assert (connection.accepted_key, connection.is_blocked) == (OTHER, False)
        entries = db.session.scalars(select(AuditEntry).where(AuditEntry.action == "connection.key_accepted")).all()
        assert sorted(entry.facts["key"] for entry in entries) == sorted([KEY, OTHER])


def test_when_the_accepted_key_is_back_nothing_is_blocked(people: People) -> None:
    with people.exporter.at_work() as user:
        connection = made(user)
        connections.accept(user, connection, KEY)
        for shown in (OTHER, KEY):
            connections.offered(connection, shown)
            db.session.commit()
            db.session.refresh(connection)
        assert not connection.is_blocked


def test_admins_see_all_keys_the_changed_ones_first_and_revoke(client: Open, people: People) -> None:
    with people.exporter.at_work() as user:
        for name, offered in (("Alpha", ""), ("Beta", OTHER)):
            connection = made(user, name)
            connections.accept(user, connection, KEY)
            if offered:
                connections.offered(connection, offered)
                db.session.commit()
        changed = connection.id
    browser = client(people.admin)
    text = check(browser.get("/connections/keys").get_data(as_text=True)).text
    assert text.index("Beta") < text.index("Alpha")
    assert KEY in text
    assert OTHER in text
    assert "The server's key has changed since" in browser.get(f"/connections/{changed}").get_data(
        as_text=True
    ).replace("&#39;", "'")
    assert posted(browser, f"/connections/{changed}/revoke").status_code == 303
    with people.admin.at_work():
        row = db.session.get_one(Connection, changed)
        assert (row.accepted_key, row.accepted_by_id) == (None, None)
        assert [one.facts for one in told("connection.key_revoked")] == [{"key": KEY}]


# --- credentials


def test_a_key_made_here_shows_its_public_half_alone(client: Open, people: People) -> None:
    browser = client(people.exporter)
    answer = posted(browser, "/connections", **{**FORM, "auth": "made", "password": ""})
    page = browser.get(answer.headers["Location"]).get_data(as_text=True)
    with people.exporter.at_work():
        saved = db.session.scalars(select(Connection)).one()
        sealed = connections.sealed_of(saved)
        assert sealed is not None
        private = credentials.opened(sealed, saved.id).secret
    assert saved.public_key
    assert saved.public_key in page
    assert ssh_keys.read(private).public == saved.public_key
    assert private.splitlines()[2] not in page


def test_a_pasted_key_is_stored_without_its_passphrase_and_named_when_it_is_wrong(client: Open, people: People) -> None:
    from cryptography.hazmat.primitives import serialization as form
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    pem = key.private_bytes(
        form.Encoding.PEM, form.PrivateFormat.PKCS8, form.BestAvailableEncryption(b"sesame")
    ).decode()
    browser = client(people.exporter)
    typed = {**FORM, "auth": "key", "password": "", "key": pem.replace("\n", "\r\n")}
    for passphrase, sentence in (("", "has a passphrase"), ("wrong", "Type its passphrase again")):
        answer = posted(browser, "/connections", **typed, passphrase=passphrase)
        assert sentence in answer.get_data(as_text=True)
        assert pem.splitlines()[1] not in answer.get_data(as_text=True)
    assert posted(browser, "/connections", **typed, passphrase="sesame").status_code == 303
    with people.exporter.at_work():
        saved = db.session.scalars(select(Connection)).one()
        assert connections.sealed_of(saved)
        opened = credentials.opened(connections.sealed_of(saved), saved.id)  # type: ignore[arg-type]
        assert ssh_keys.read(opened.secret).public == saved.public_key


def test_a_credential_cannot_be_moved_to_another_connection(people: People) -> None:
    with people.exporter.at_work() as user:
        one, two = made(user, "One"), made(user, "Two")
        two.credential = one.credential
        with pytest.raises(CredentialUnreadable):
            credentials.opened(connections.sealed_of(two), two.id)  # type: ignore[arg-type]


def test_after_a_rotation_the_old_key_is_not_needed_any_more(app: Flask, people: People) -> None:
    from dataclasses import replace

    from exports.secrets import new_key

    with people.exporter.at_work() as user:
        connection = made(user)
        id_, sealed = connection.id, connections.sealed_of(connection)
        subject = testing.Subject(id_, connections.Server.of(connection), sealed, "", "", {})
        tests = [testing.ask(user, subject).id, testing.ask(user, subject).id]
        db.session.get_one(ConnectionTest, tests[1]).credential = b"sealed with a key that is gone"
        db.session.commit()
    with people.stranger.at_work() as user:
        made(user)
    settings = app.config["SETTINGS"]
    newest = new_key()
    try:
        app.config["SETTINGS"] = replace(settings, credential_keys=(newest, *settings.credential_keys))
        result = app.test_cli_runner().invoke(app.cli, ["credentials", "rotate"])
        assert result.exit_code == 0, result.output
        assert "4 credentials sealed" in result.output
        app.config["SETTINGS"] = replace(settings, credential_keys=(newest,))
        with people.exporter.at_work():
            row = db.session.get_one(Connection, id_)
            assert credentials.opened(connections.sealed_of(row), id_).secret == SECRET  # type: ignore[arg-type]
            waits, lost = (testing.sealed_of(db.session.get_one(ConnectionTest, one)) for one in tests)
            assert waits is not None
            assert credentials.opened(waits, id_).secret == SECRET
            assert lost is None, "who waits for it tests again"
            assert [one.object_id for one in told("connection.credentials_rotated")] == [str(id_)]
        app.config["SETTINGS"] = replace(settings, credential_keys=(new_key(),))
        refused = app.test_cli_runner().invoke(app.cli, ["credentials", "rotate"])
        assert refused.exit_code == 1
    finally:
        app.config["SETTINGS"] = settings
