"""A new place that files can go to: admins get a mail (RELIABILITY T16); one that is refused is written down (S8)."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select

from exports.errors import AddressBlocked, DefinitionRefused
from jobs import connection_test
from jobs.mail import send
from tests.fix_app import stores
from tests.fix_connections import partner
from tests.fix_mail import Postbox
from tests.webapp.test_connections import FORM, posted
from tests.webapp.test_wizard_target import PATH, SERVER, at_target, created
from webapp.extensions import db
from webapp.models import AuditEntry, Connection, Mail
from webapp.services import connections, deliveries, exports
from webapp.services.connections import Credential, Server, testing

if TYPE_CHECKING:
    from flask import Flask
    from flask.testing import FlaskClient

    from tests.fix_app import People, Person
    from tests.fix_exports import Exports
    from tests.fix_wizard import Wizard

Open = Callable[["Person | None"], "FlaskClient"]
Tab = Callable[["Person"], "Wizard"]


def mails(person: Person) -> list[tuple[str, str]]:
    """Those about new targets: to whom, about what."""
    with person.at_work():
        found = db.session.scalars(select(Mail).where(Mail.kind == "new_target").order_by(Mail.created_at))
        return [(one.recipient, one.facts["address"]) for one in found]


def test_admins_get_a_mail_of_a_connection_by_its_form(
    app: Flask, client: Open, people: People, postbox: Postbox
) -> None:
    made = posted(client(people.exporter), "/connections", **FORM)
    with app.app_context():
        send()
    (message,) = postbox.messages
    assert postbox.recipients == [people.admin.email], "of this brand, and nobody else"
    assert message["Subject"] == "New upload target: maple@sftp.partner.example:22"
    for kind in ("plain", "html"):
        text = message.get_body((kind,)).get_content()  # type: ignore[union-attr]
        assert "Exporter has made the connection “Partner”: files can now be uploaded to this server." in text
        assert "SFTP" in text
        assert f"https://exports.example{made.headers['Location']}" in text
        assert FORM["password"] not in text


def test_admins_get_a_mail_of_a_server_filled_in_by_hand_and_of_one_in_a_definition(tab: Tab, people: People) -> None:
    someone = at_target(tab(people.exporter))
    someone.fill(**SERVER, path=PATH)
    someone.press("next")
    created(someone)
    first = (people.admin.email, "maple@sftp.partner.example:2222")
    assert mails(people.admin) == [first]
    target = {"type": "ftps", "host": "ftp.other.example", "username": "oak", "password": "p", "path": PATH}
    token = uuid.uuid4()
    with people.exporter.at_work() as user:
        for _ in range(2):  # an answer was lost, so it is sent again
            exports.create(user, stores(target=target), token)
    assert mails(people.admin) == [first, (people.admin.email, "oak@ftp.other.example:21")]


def test_admins_get_a_mail_when_a_connection_leads_elsewhere_and_none_when_it_does_not(people: People) -> None:
    with people.exporter.at_work() as user:
        saved = connections.create(user, *partner())
        connections.change(user, saved, partner("Renamed", username="other")[0], None)
        assert len(mails(people.admin)) == 1
        connections.change(user, saved, partner(host="sftp.thief.example")[0], Credential("password", "p"))
        assert mails(people.admin)[1:] == [(people.admin.email, "maple_exports@sftp.thief.example:22")]
        newest = db.session.scalars(select(Mail).order_by(Mail.created_at.desc()).limit(1)).one()
        assert newest.facts["before"] == "other@sftp.partner.example:22"


# --- refused by the guard of addresses


def blocked(person: Person) -> list[tuple[str, str, int]]:
    """What was written down: at what, to where."""
    with person.at_work():
        found = db.session.scalars(
            select(AuditEntry).where(AuditEntry.action == "connection.blocked").order_by(AuditEntry.number)
        )
        return [(one.facts["at"], one.facts["host"], one.facts["port"]) for one in found if one.result == "denied"]


def test_a_private_address_in_a_form_is_written_down(client: Open, tab: Tab, people: People) -> None:
    browser = client(people.exporter)
    assert posted(browser, "/connections", **{**FORM, "host": "169.254.169.254"}).status_code == 422
    target = {"type": "sftp", "host": "10.0.0.5", "username": "u", "password": "p", "path": PATH}
    with people.exporter.at_work() as user:
        with pytest.raises(DefinitionRefused):
            exports.create(user, stores(target=target), uuid.uuid4())
        assert db.session.scalars(select(Connection)).all() == []
    wanted = [("form", "169.254.169.254", 22), ("form", "10.0.0.5", 22)]
    assert blocked(people.exporter) == wanted
    someone = at_target(tab(people.exporter))
    someone.fill(**{**SERVER, "host": "127.0.0.1"}, path=PATH)
    someone.save()
    assert blocked(people.exporter) == wanted, "not while it is typed"
    someone.press("next")
    someone.press("test")
    assert blocked(people.exporter) == [*wanted, ("form", "127.0.0.1", 2222), ("form", "127.0.0.1", 2222)]


def test_a_name_that_leads_to_a_private_address_is_written_down_by_test_and_delivery(
    app: Flask, people: People, made: Exports, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(app.config, "RESOLVER", lambda _host, _port: ["192.168.7.4"])
    with people.exporter.at_work() as user:
        saved = connections.create(user, *partner())
        subject = testing.Subject(saved.id, Server.of(saved), connections.sealed_of(saved), "", "", {})
        test_id = testing.ask(user, subject).id
        target = {"type": "sftp", "connection": str(saved.id), "path": PATH}
        export = exports.create(user, stores(target=target), uuid.uuid4())
        upload = exports.definition_of(export).target
    with app.app_context():
        connection_test.test(run=str(test_id))
    mine = made.claim()
    with app.app_context():
        sending = deliveries.of_run(mine, upload)  # type: ignore[arg-type]
        deliveries.failed(sending, AddressBlocked(), "")
    where = ("sftp.partner.example", 22)
    assert blocked(people.exporter) == [("test", *where), ("delivery", *where)]
