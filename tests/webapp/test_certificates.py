"""A certificate that no authority has signed: shown, accepted by screen, and blocked when it changes (T4, F27)."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select

from jobs import connection_test
from tests.delivery.certificates import Authority
from tests.delivery.servers import FTP_PASSWORD, USER, FtpServer
from tests.fix_app import stores
from tests.fix_pages import check
from tests.jobs.test_delivery import work
from tests.webapp.test_connections import FORM, posted
from tests.webapp.test_wizard_target import at_target, created
from webapp.extensions import db
from webapp.models import AuditEntry, Connection, ConnectionTest, Export, Run
from webapp.services import exports, runs

if TYPE_CHECKING:
    from flask import Flask
    from flask.testing import FlaskClient

    from tests.fix_app import People, Person
    from tests.fix_wizard import Wizard

pytestmark = pytest.mark.usefixtures("upload_here", "source_dsn")
Open = Callable[["Person | None"], "FlaskClient"]
Tab = Callable[["Person"], "Wizard"]
Serve = Callable[..., FtpServer]


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """Starts an FTPS server whose certificate nobody knows; another one each time."""
    authority = Authority(tmp_path)
    folder = tmp_path / "there"
    folder.mkdir()
    started: list[FtpServer] = []

    def start(port: int = 0, *, by_itself: bool = True) -> FtpServer:
        started.append(FtpServer(folder, authority.signed(by_itself=by_itself), port=port))
        return started[-1]

    yield start
    for one in started[-1:]:
        one.stop()


def carry_out(app: Flask, person: Person) -> ConnectionTest:
    """What a fastworker does with the test that was asked for; the newest one afterwards."""
    newest = select(ConnectionTest).order_by(ConnectionTest.created_at.desc()).limit(1)
    with person.at_work():
        id_ = db.session.scalars(newest).one().id
    with app.app_context():
        connection_test.test(run=str(id_))
    with person.at_work():
        return db.session.get_one(ConnectionTest, id_)


def told_passwords(server: FtpServer) -> bool:
    """Whether anybody said who they are."""
    return any(line.startswith(("USER", "PASS")) for line in server.commands)


def test_the_page_of_a_connection_shows_it_for_comparison_and_accept_trusts_it(
    app: Flask, client: Open, people: People, serve: Serve
) -> None:
    server, browser = serve(), client(people.exporter)
    form = {**FORM, "type": "ftps", "host": "localhost", "port": str(server.port), "username": USER,
            "password": FTP_PASSWORD}  # fmt: skip
    page = posted(browser, "/connections", **form).headers["Location"]
    posted(browser, f"{page}/test")
    fingerprint = carry_out(app, people.exporter).offered_key
    assert fingerprint is not None
    assert fingerprint.startswith("x509 SHA256:")
    html = browser.get(page).text
    shown = check(html).text
    assert "Not accepted yet" in shown
    assert "Certificate, signed by nobody whom we know" in shown
    assert "Subject CN=localhost Hosts localhost Signed by itself Valid" in shown
    assert fingerprint in shown
    assert "Once accepted, a changed certificate stops uploads until an admin accepts it." in shown
    assert "Accept this certificate" in shown
    assert "Login not tested – Folder not tested" in shown
    assert "has changed" not in shown, "it is the first one"
    assert not told_passwords(server)

    assert posted(browser, f"{page}/accept", key=fingerprint).status_code == 303
    assert carry_out(app, people.exporter).is_good
    shown = check(browser.get(page).text).text
    assert "Can be used" in shown
    assert "Certificate is the one accepted on" in shown
    with people.exporter.at_work() as user:
        entry = db.session.scalars(select(AuditEntry).where(AuditEntry.action == "connection.key_accepted")).one()
        assert (entry.actor_id, entry.facts) == (user.id, {"key": fingerprint, "before": ""})


def test_one_accepted_in_the_wizard_delivers_until_it_changes_and_an_admin_accepts_the_new_one(
    app: Flask, client: Open, tab: Tab, people: People, serve: Serve
) -> None:
    server = serve()
    someone = at_target(tab(people.exporter), "ftps")
    someone.fill(host="localhost", port=str(server.port), username=USER, password=FTP_PASSWORD, path="/in/stores")
    someone.press("test")
    test = carry_out(app, people.exporter)
    someone.reload()
    assert "Accept this certificate" in someone.text
    someone.swap([*someone.form.values, ("accept", str(test.id))], "test", f"/drafts/{someone.draft_id}/target/accept")
    assert carry_out(app, people.exporter).is_good
    someone.reload()
    assert "Certificate is the one that you accepted" in someone.text
    export = created(someone)
    work(app)
    assert newest_run(people.exporter, export.id) == ("success", None)
    assert (server.folder / "in" / "stores.csv").exists()

    server.stop()
    other = serve(server.port)
    with people.exporter.at_work() as user:
        runs.request_run(user, db.session.get_one(Export, export.id), uuid.uuid4())
    work(app)
    assert newest_run(people.exporter, export.id) == ("failed", "target.certificate_changed")
    assert not told_passwords(other), "it may be another server"
    with people.exporter.at_work():
        connection = db.session.scalars(select(Connection)).one()
        assert connection.is_blocked
        id_, key = connection.id, str(connection.offered_key)
    page = f"/connections/{id_}"
    theirs = client(people.exporter)
    assert "The server's certificate has changed since" in check(theirs.get(page).text).text
    assert "Accept the new certificate" not in check(theirs.get(page).text).text
    assert posted(theirs, f"{page}/accept", key=key).status_code == 403
    admin = client(people.admin)
    shown = check(admin.get("/connections/keys").text).text
    assert key in shown
    assert "Accept the new certificate" in shown
    assert posted(admin, f"{page}/accept", key=key).status_code == 303
    with people.exporter.at_work() as user:
        failed = db.session.scalars(select(Run).where(Run.state == "failed")).one()
        runs.request_again(user, failed, uuid.uuid4())
    work(app)
    assert newest_run(people.exporter, export.id) == ("success", None)
    assert told_passwords(other)


@pytest.mark.parametrize("by", ["a test", "a delivery"])
def test_one_that_an_authority_signed_in_place_of_the_accepted_one_blocks_nothing(
    app: Flask, client: Open, people: People, serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, by: str
) -> None:
    first, browser = serve(), client(people.exporter)
    form = {**FORM, "type": "ftps", "host": "localhost", "port": str(first.port), "username": USER,
            "password": FTP_PASSWORD}  # fmt: skip
    page = posted(browser, "/connections", **form).headers["Location"]
    posted(browser, f"{page}/test")
    accepted = str(carry_out(app, people.exporter).offered_key)
    posted(browser, f"{page}/accept", key=accepted)
    first.stop()
    second = serve(first.port)
    posted(browser, f"{page}/test")
    changed = carry_out(app, people.exporter)
    assert changed.error_code == "target.certificate_changed"
    assert "has changed since" in check(browser.get(page).text).text
    assert "Accept the new certificate" in check(client(people.admin).get(page).text).text
    second.stop()

    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))
    third = serve(first.port, by_itself=False)
    if by == "a test":
        posted(browser, f"{page}/test")
        assert carry_out(app, people.exporter).is_good
    else:
        target = {"type": "ftps", "connection": page.rpartition("/")[2], "path": "/in/stores"}
        with people.exporter.at_work() as user:
            exports.create(user, stores(target=target), uuid.uuid4())
        work(app)
        assert (third.folder / "in" / "stores.csv").exists()
    assert "has changed since" not in check(browser.get(page).text).text
    assert "Accept the new certificate" not in check(client(people.admin).get(page).text).text
    posted(client(people.admin), f"{page}/accept", key=str(changed.offered_key))
    with people.exporter.at_work():
        connection = db.session.scalars(select(Connection)).one()
        assert (connection.is_blocked, connection.offered_key, connection.offered_at) == (False, None, None)
        assert connection.accepted_key == accepted


def newest_run(person: Person, export_id: uuid.UUID) -> tuple[str, str | None]:
    """State and error code of the export's newest run."""
    with person.at_work():
        wanted = select(Run).where(Run.export_id == export_id).order_by(Run.created_at.desc()).limit(1)
        run = db.session.scalars(wanted).one()
        return run.state, run.error_code
