"""Admins are told when one person takes out unusually much personal data, once a day (RELIABILITY T16)."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import TYPE_CHECKING, Final

import pytest
from sqlalchemy import select, update

from exports.delivery import Receipt
from exports.pipeline import Result
from exports.target import Upload
from jobs.mail import send
from tests.fix_connections import partner
from tests.fix_mail import Postbox
from webapp.extensions import db
from webapp.models import AuditEntry, Brand, Delivery, Mail, Run
from webapp.services import audit, connections, deliveries, exports, runs

if TYPE_CHECKING:
    from flask import Flask
    from flask.testing import FlaskClient

    from tests.fix_app import Clock, People, Person
    from tests.fix_exports import Exports, Made

Open = Callable[["Person | None"], "FlaskClient"]
TEN: Final = b"Email\n" + b"somebody@mail.example\n" * 10
PERSONAL: Final = {
    "model": "customers",
    "filters": [[{"attribute": "_id", "operator": "is_not_empty"}]],
    "fields": [{"from": "_id"}, {"from": "email"}],
}
UPLOAD: Final = Upload(type="sftp", connection=str(uuid.uuid4()), path="/in/x.csv")
MASKED: Final = {**PERSONAL, "fields": [{"from": "_id"}, {"from": "email", "mask": "hash"}]}


@pytest.fixture(autouse=True)
def limit(people: People) -> None:
    """Admins are told of more than 15 rows: of the second file."""
    allow(people, 15)


def allow(people: People, rows: int | None) -> None:
    """Set how much a person may take out."""
    with people.admin.at_work():
        db.session.get_one(Brand, people.admin.brand_id).alert_rows = rows
        db.session.commit()


def download(browser: FlaskClient, export: Made) -> None:
    """Take the file."""
    answer = browser.get(f"/runs/{export.run_id}/download")
    assert answer.status_code == 200
    answer.close()


def told(person: Person) -> list[tuple[str, int, int]]:
    """What was written down: of whom, rows and files. As many mails are on their way."""
    with person.at_work():
        entries = db.session.scalars(
            select(AuditEntry).where(AuditEntry.action == "volume.exceeded").order_by(AuditEntry.number)
        ).all()
        mails = db.session.scalars(select(Mail).where(Mail.kind == "volume").order_by(Mail.created_at)).all()
        found = [(one.actor, one.facts["rows"], one.facts["files"]) for one in entries]
        assert [(one.facts["email"], one.facts["rows"], one.facts["files"]) for one in mails] == found
        return found


def test_admins_get_one_mail_a_day_of_who_downloads_much(
    app: Flask, client: Open, people: People, made: Exports, postbox: Postbox, clock: Clock
) -> None:
    first, second, third = (made.finished(people.exporter, name, TEN, **PERSONAL) for name in ("one", "two", "three"))
    browser = client(people.exporter)
    for one in (first, first, second, third):
        assert told(people.admin) == ([(people.exporter.email, 20, 2)] if one == third else [])
        download(browser, one)
    with app.app_context():
        send()
    *_finished, message = postbox.messages
    assert postbox.recipients == [people.exporter.email] * 3 + [people.admin.email], "of this brand, and nobody else"
    assert message["Subject"] == "Exporter took out 20 rows of personal data"
    for kind in ("plain", "html"):
        text = message.get_body((kind,)).get_content()  # type: ignore[union-attr]
        assert "has downloaded and uploaded 20 rows of personal data within 24 hours" in text
        assert "more than 15" in text
        assert "https://exports.example/audit?q=exporter%40maple.example" in text
    clock.forward(timedelta(hours=25))
    browser = client(people.exporter)
    download(browser, first)
    assert len(told(people.admin)) == 1, "what was taken before is over"
    download(browser, second)
    assert told(people.admin) == [(people.exporter.email, 20, 2)] * 2


def test_what_is_not_personal_or_masked_or_somebody_elses_does_not_count(
    client: Open, people: People, made: Exports
) -> None:
    for definition in ({}, MASKED):
        for name in ("one", "two"):
            download(client(people.exporter), made.finished(people.exporter, name, TEN, **definition))
    for person in (people.exporter, people.admin):
        download(client(person), made.finished(people.exporter, "three", TEN, **PERSONAL))
    assert told(people.admin) == []


def test_a_brand_that_wants_no_mail_gets_none(client: Open, people: People, made: Exports) -> None:
    allow(people, None)
    download(client(people.exporter), made.finished(people.exporter, "one", TEN * 2, **PERSONAL))
    assert told(people.admin) == []


def uploaded(app: Flask, made: Exports) -> None:
    """The run that waits longest has its ten rows uploaded."""
    mine = made.claim()
    with app.app_context():
        runs.file(mine, Result(10, len(TEN), 100, "sha", 1.0))
        deliveries.delivered(deliveries.of_run(mine, UPLOAD), Receipt("/in/x.csv", len(TEN), {}), "sha")
        runs.finish(mine)


def test_an_upload_counts_for_who_asked_for_it_and_that_of_a_schedule_for_the_owner(
    app: Flask, client: Open, people: People, made: Exports
) -> None:
    with people.manager.at_work() as user:
        saved = str(connections.create(user, *partner(shared=True)).id)
    target = {"type": "sftp", "connection": saved, "path": "/in/x.csv"}
    export = made.create(people.exporter, "one", **PERSONAL, target=target)
    with people.exporter.at_work():
        db.session.execute(update(Run).values(requested_by_id=None))
        db.session.commit()
    uploaded(app, made)
    assert told(people.admin) == []
    download(client(people.exporter), made.finished(people.exporter, "two", TEN, **PERSONAL))
    assert told(people.admin) == [(people.exporter.email, 20, 2)]
    for _ in range(2):
        with people.manager.at_work() as user:
            found = exports.find(export.id)
            assert found is not None
            runs.request_run(user, found, uuid.uuid4())
        uploaded(app, made)
    assert told(people.admin) == [(people.exporter.email, 20, 2), (people.manager.email, 20, 2)]


def test_a_file_that_was_delivered_stays_so_when_it_cannot_be_counted(
    app: Flask, people: People, made: Exports, caplog: pytest.LogCaptureFixture
) -> None:
    with people.manager.at_work() as user:
        saved = str(connections.create(user, *partner(shared=True)).id)
    target = {"type": "sftp", "connection": saved, "path": "/in/x.csv"}
    made.create(people.exporter, "one", **PERSONAL, target=target)
    with people.exporter.at_work() as user:
        audit.record("run.downloaded", user, user, personal=True, rows="many")
        db.session.commit()
    uploaded(app, made)
    with people.exporter.at_work():
        assert [(one.state, one.path) for one in db.session.scalars(select(Delivery))] == [("delivered", "/in/x.csv")]
        assert db.session.scalars(select(Run.state)).all() == ["success"]
        entries = db.session.scalars(select(AuditEntry.action).order_by(AuditEntry.number)).all()
    assert "delivery.finished" in entries
    assert "admins are not told" in caplog.text


def test_a_file_is_downloaded_when_it_cannot_be_counted(
    client: Open, people: People, made: Exports, caplog: pytest.LogCaptureFixture
) -> None:
    with people.exporter.at_work() as user:
        audit.record("run.downloaded", user, user, personal=True, rows="many")
        db.session.commit()
    download(client(people.exporter), made.finished(people.exporter, "one", TEN, **PERSONAL))
    with people.exporter.at_work():
        taken = db.session.scalars(select(AuditEntry).where(AuditEntry.action == "run.downloaded")).all()
    assert len(taken) == 2
    assert "admins are not told" in caplog.text


def test_of_downloads_at_once_each_counts_and_one_is_told(client: Open, people: People, made: Exports) -> None:
    files = [made.finished(people.exporter, str(number), TEN, **PERSONAL) for number in range(6)]
    browsers = [client(people.exporter) for _ in files]
    with ThreadPoolExecutor(len(files)) as threads:
        list(threads.map(download, browsers, files))
    assert told(people.admin) == [(people.exporter.email, 20, 2)]
