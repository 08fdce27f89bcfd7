"""What View, Logs and a run's page show of uploads, and **Upload again**."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import select

from jobs import delivery as jobs_delivery
from jobs import runs as jobs_runs
from jobs.scheduler import take_next
from tests.delivery.servers import PASSWORD, USER, SftpServer
from tests.fix_app import stores
from tests.fix_connections import partner
from tests.fix_pages import check
from webapp.extensions import db
from webapp.models import AuditEntry, Connection, Run
from webapp.services import connections, exports

if TYPE_CHECKING:
    from flask import Flask
    from flask.testing import FlaskClient

    from tests.fix_app import People, Person

Open = Callable[["Person | None"], "FlaskClient"]
pytestmark = pytest.mark.usefixtures("upload_here", "source_dsn")


def uploaded(app: Flask, people: People, server: SftpServer, *, key: str = "") -> Run:
    """The run of an export that uploads to this server, carried out."""
    wanted, _ = partner(host="127.0.0.1", port=str(server.port), username=USER)
    with people.exporter.at_work() as user:
        connection = connections.create(user, wanted, connections.Credential("password", PASSWORD))
        connections.accept(user, connection, key or server.trust)
        target = {"type": "sftp", "connection": str(connection.id), "path": "/in/stores_%Y"}
        exports.create(user, stores(target=target), uuid.uuid4())
    with app.app_context():
        mine = take_next("worker of a test")
        assert mine is not None
        jobs_runs.attempt(mine)
    with people.exporter.at_work():
        run = db.session.get_one(Run, mine.run_id)
        db.session.expunge(run)
    return run


def told(people: People, kind: str) -> list[dict[str, Any]]:
    """The facts that the audit log has of this kind."""
    with people.exporter.at_work():
        return list(db.session.scalars(select(AuditEntry.facts).where(AuditEntry.action == kind)))


def press(browser: FlaskClient, at: str, page: str) -> None:
    """A button of a page, with the tokens of its form."""
    form = re.search(rf'action="{at}">(.*?)</form>', page, re.DOTALL)
    assert form, page
    inputs = dict(re.findall(r'name="(\w+)" value="([^"]*)"', form[1]))
    assert browser.post(at, data=inputs).status_code == 303


def test_the_pages_tell_where_a_file_was_delivered_and_how(
    app: Flask, client: Open, people: People, sftp_server: SftpServer
) -> None:
    run = uploaded(app, people, sftp_server)
    browser = client(people.exporter)
    view = check(browser.get(f"/exports/{run.export_id}").get_data(as_text=True)).text
    assert re.search(r"Delivered to 127\.0\.0\.1 as /in/stores_\d{4}\.csv", view)
    assert "SFTP · Partner · ann@127.0.0.1" in view
    page = check(browser.get(f"/runs/{run.id}").get_data(as_text=True)).text
    told = ["Address found: 127.0.0.1", "Connected", "Secured", "Logged in", "Folder entered",
            "written under a temporary name", "Renamed to its final name"]  # fmt: skip
    places = [page.index(one) for one in told]
    assert places == sorted(places)
    assert PASSWORD not in page
    assert "SFTP" in check(browser.get("/exports").get_data(as_text=True)).text


def test_upload_again_sends_the_same_file_once_more(
    app: Flask, client: Open, people: People, sftp_server: SftpServer
) -> None:
    run = uploaded(app, people, sftp_server)
    there = next(Path(sftp_server.folder / "in").iterdir())
    sent = there.read_bytes()
    there.unlink()
    browser = client(people.exporter)
    page = browser.get(f"/runs/{run.id}").get_data(as_text=True)
    press(browser, f"/runs/{run.id}/upload", page)
    waiting = check(browser.get(f"/runs/{run.id}").get_data(as_text=True)).text
    assert "Uploading again" in waiting
    with app.app_context():
        jobs_delivery.execute()
    assert there.read_bytes() == sent
    assert "Uploaded again to 127.0.0.1" in check(browser.get(f"/runs/{run.id}").get_data(as_text=True)).text
    viewer = client(people.viewer).get(f"/runs/{run.id}").get_data(as_text=True)
    assert "Delivered" in viewer
    assert f"/runs/{run.id}/upload" not in viewer
    assert [one["run"] for one in told(people, "delivery.requested")] == [str(run.id)]


def test_a_failed_upload_tells_why_and_what_to_do_and_keeps_the_file(
    app: Flask, client: Open, people: People, sftp_server: SftpServer
) -> None:
    other = "ssh-ed25519 SHA256:4nNpWzP0DrbzCm5o3VvJtK3c3gH6bA2m1lq8sQd0x0A"
    run = uploaded(app, people, sftp_server, key=other)
    assert (run.state, run.error_code) == ("failed", "target.host_key_changed")
    [facts] = told(people, "delivery.failed")
    assert (facts["code"], facts["key"], facts["model"]) == (run.error_code, sftp_server.trust, "stores")
    page = client(people.exporter).get(f"/exports/{run.export_id}").get_data(as_text=True)
    text = check(page).text
    assert "is another one than was accepted" in text
    assert "Ask an admin to compare and accept" in text
    assert "The file was made and is kept until" in text
    assert f'action="/runs/{run.id}/upload"' in page
    assert "An admin must accept the new one" in text
    logs = client(people.exporter).get(f"/exports/{run.export_id}/logs").get_data(as_text=True)
    assert f'action="/runs/{run.id}/upload"' in logs
    with people.admin.at_work() as user:
        blocked = connections.waiting()
        assert [one.offered_key for one in blocked] == [sftp_server.trust]
        connections.accept(user, db.session.get_one(Connection, blocked[0].id), sftp_server.trust)
    browser = client(people.exporter)
    press(browser, f"/runs/{run.id}/upload", browser.get(f"/exports/{run.export_id}").get_data(as_text=True))
    with app.app_context():
        jobs_delivery.execute()
    assert "Uploaded again to" in check(browser.get(f"/exports/{run.export_id}").get_data(as_text=True)).text
