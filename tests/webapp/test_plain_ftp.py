"""Plain FTP switched off by an admin: refused in form, wizard, command line, test and delivery (RELIABILITY T4)."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select

from exports.errors import DefinitionRefused
from exports.errors.target import PlainFtpOff
from exports.target import Upload
from jobs import connection_test
from tests.fix_app import stores
from tests.fix_connections import partner
from tests.fix_pages import check
from tests.webapp.test_connections import FORM, posted
from tests.webapp.test_settings import save
from tests.webapp.test_wizard_target import PATH, SERVER, at_target
from webapp.extensions import db
from webapp.models import AuditEntry, Brand, Connection, ConnectionTest
from webapp.services import connections, deliveries, exports
from webapp.services.connections import NotKept, testing

if TYPE_CHECKING:
    from flask import Flask
    from flask.testing import FlaskClient

    from tests.fix_app import People, Person
    from tests.fix_wizard import Wizard

Open = Callable[["Person | None"], "FlaskClient"]
Tab = Callable[["Person"], "Wizard"]
SAID = "FTP without security is switched off here. Use FTP over SSL or SFTP, or ask an admin."
BY_FTP = {"type": "ftp", "host": "ftp.partner.example", "port": "21"}


@pytest.fixture
def ftp(people: People) -> uuid.UUID:
    """A connection by plain FTP that was made while that was allowed, and used by an export."""
    with people.exporter.at_work() as user:
        saved = connections.create(user, *partner("Old server", **BY_FTP)).id
        target = {"type": "ftp", "connection": str(saved), "path": PATH}
        exports.create(user, stores(name="Old way", target=target), uuid.uuid4())
        return saved


@pytest.fixture
def off(people: People, ftp: uuid.UUID, client: Open) -> uuid.UUID:
    """The same after an admin has switched plain FTP off under Settings; the connection's id."""
    browser = client(people.admin)
    page = check(browser.get("/settings").text)
    assert "1 export uploads by plain FTP: without it its uploads fail." in page.text
    assert page.inputs["plain_ftp"] == "1"
    assert save(browser, plain_ftp=[])[0] == 303
    return ftp


def test_the_switch_is_written_down_and_counts_for_the_brand_alone(people: People, off: uuid.UUID) -> None:
    with people.admin.at_work() as user:
        entry = db.session.scalars(select(AuditEntry).where(AuditEntry.action == "brand.changed")).one()
        assert (entry.actor_id, entry.facts) == (
            user.id,
            {"before": {"plain_ftp": True}, "after": {"plain_ftp": False}},
        )
    with people.stranger.at_work() as user:
        assert connections.create(user, *partner("Theirs", **BY_FTP)).type == "ftp"


def test_the_operator_switches_it_by_the_command_line(app: Flask, people: People) -> None:
    run = app.test_cli_runner().invoke
    limits = ["brand", "limits", "--brand", "Maple Grocers"]
    assert "Maple Grocers: plain FTP is allowed.\n" in run(args=limits).output
    assert "Maple Grocers: plain FTP is switched off.\n" in run(args=[*limits, "--no-plain-ftp"]).output
    assert "Maple Grocers: plain FTP is switched off.\n" in run(args=limits).output
    with people.admin.at_work():
        assert db.session.get_one(Brand, people.admin.brand_id, populate_existing=True).plain_ftp is False
        entry = db.session.scalars(select(AuditEntry).where(AuditEntry.action == "brand.changed")).one()
        assert (entry.actor, entry.facts) == ("operator (command line)", {"plain_ftp": False, "before": True})
    assert "Maple Grocers: plain FTP is allowed.\n" in run(args=[*limits, "--plain-ftp"]).output


def test_no_form_of_a_connection_makes_or_keeps_one(client: Open, people: People, off: uuid.UUID) -> None:
    browser = client(people.exporter)
    offered = browser.get("/connections/new").text
    assert 'value="ftps"' in offered
    assert 'value="ftp"' not in offered, "what cannot be chosen is not offered"
    answer = posted(browser, "/connections", **{**FORM, "name": "Another", **BY_FTP})
    assert answer.status_code == 422
    assert SAID in check(answer.text).text
    answer = posted(browser, f"/connections/{off}", **{**FORM, "name": "Renamed", **BY_FTP, "password": ""})
    assert (answer.status_code, SAID in check(answer.text).text) == (422, True)
    moved = {**FORM, "name": "Renamed", "type": "ftps", "host": "ftp.partner.example", "port": "21"}
    assert posted(browser, f"/connections/{off}", **moved).status_code == 303, "another type is the way out"


def test_the_wizard_does_not_offer_it_and_says_so_where_it_is_chosen_already(
    tab: Tab, people: People, off: uuid.UUID
) -> None:
    someone = at_target(tab(people.exporter))
    assert ("target", "ftps") in someone.form.boxes
    assert ("target", "ftp") not in someone.form.boxes
    someone.fill(**SERVER, target="ftp", path=PATH)
    someone.press("next")
    assert someone.problems == [("target", SAID)]
    someone.press("test")
    assert f"Not tested: {SAID}" in someone.text


@pytest.mark.parametrize("by_hand", [True, False])
def test_a_definition_is_refused_with_the_same_words(
    app: Flask, people: People, off: uuid.UUID, tmp_path: Path, by_hand: bool
) -> None:
    server = {"host": "ftp.partner.example", "username": "maple", "password": "p"}
    target = {"type": "ftp", "path": PATH, **(server if by_hand else {"connection": str(off)})}
    document = {**stores().as_json(), "target": target}
    with people.exporter.at_work() as user, pytest.raises(DefinitionRefused) as refused:
        exports.create(user, stores(target=target), uuid.uuid4())
    assert [(one.at, one.message) for one in refused.value.problems] == [("target.type", SAID)]
    file = tmp_path / "definition.json"
    file.write_text(json.dumps(document))
    told = app.test_cli_runner().invoke(args=["export", "check", str(file), "--brand", "Maple Grocers"])
    assert (told.exit_code, json.loads(told.output)["message"]) == (2, SAID)
    with people.exporter.at_work() as user, pytest.raises(NotKept, match="FTP without security"):
        connections.create(user, *partner("Another", **BY_FTP))


def test_neither_a_test_nor_a_delivery_begins(app: Flask, people: People, ftp: uuid.UUID, client: Open) -> None:
    """Asked for before it was switched off, carried out after."""
    with people.exporter.at_work() as user:
        saved = db.session.get_one(Connection, ftp)
        subject = testing.Subject(ftp, connections.Server.of(saved), connections.sealed_of(saved), "", "", {})
        test_id = testing.ask(user, subject).id
    save(client(people.admin), plain_ftp=[])
    with app.app_context():
        connection_test.test(run=str(test_id))
    with people.exporter.at_work() as user:
        test = db.session.get_one(ConnectionTest, test_id)
        assert (test.error_code, len(test.phases)) == (PlainFtpOff.code, 1)
        assert test.phases[0]["message"] == PlainFtpOff.sentence
        with pytest.raises(PlainFtpOff) as refused:
            deliveries.server_of(Upload(type="ftp", connection=str(ftp), path=PATH), user)
        assert refused.value.permanent
    browser = client(people.exporter)
    answer = posted(browser, f"/connections/{ftp}/test")
    assert (answer.status_code, f"Not tested: {SAID}" in check(answer.text).text) == (422, True)
