"""**Mailbox**: mails that were caught are read here, by people of the brand, and nothing in one can do anything."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select

from jobs.mail import send
from tests.fix_mail import mailing_by
from tests.fix_pages import check
from webapp.extensions import db
from webapp.models import Mail

if TYPE_CHECKING:
    from flask import Flask
    from flask.testing import FlaskClient

    from tests.fix_app import People, Person
    from tests.fix_exports import Exports

Open = Callable[["Person | None"], "FlaskClient"]


@pytest.fixture(autouse=True)
def _without_a_server(app: Flask) -> Iterator[None]:
    with mailing_by(app, None):
        yield


def caught(app: Flask, person: Person) -> str:
    """Send, and give the address of the one mail of the person's brand."""
    with app.app_context():
        send()
    with person.at_work():
        return f"/mailbox/{db.session.scalars(select(Mail.id)).one()}"


def test_a_mail_that_was_caught_can_be_read(app: Flask, client: Open, people: People, made: Exports) -> None:
    export = made.finished(people.exporter, "<script>alert(1)</script>")
    address = caught(app, people.exporter)
    listed = check(client(people.viewer).get("/mailbox").text)
    assert address in listed.links
    assert "Finished: <script>alert(1)</script>, 2 rows" in listed.text
    shown = client(people.viewer).get(address)
    found = check(shown.text)
    assert f"/runs/{export.run_id}" in found.links
    assert "2 of 2 rows" in found.text
    assert "frame-src 'self'" in shown.headers["Content-Security-Policy"]
    assert "unsafe" not in shown.headers["Content-Security-Policy"]


def test_the_html_of_a_mail_can_do_nothing(app: Flask, client: Open, people: People, made: Exports) -> None:
    made.finished(people.exporter, "<script>alert(1)</script>")
    response = client(people.viewer).get(caught(app, people.exporter) + "/html")
    policy = response.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; object-src 'none'; base-uri 'none'; style-src 'sha256-")
    assert "sandbox" in policy
    assert "allow-scripts" not in policy
    assert "unsafe" not in policy
    assert response.headers["X-Frame-Options"] == "SAMEORIGIN"
    assert "<script>" not in response.text


def test_an_empty_mailbox_says_when_mails_come(client: Open, people: People) -> None:
    assert "No emails yet" in check(client(people.viewer).get("/mailbox").text).text


def test_there_is_no_mailbox_where_a_server_sends_the_mails(
    app: Flask, client: Open, people: People, made: Exports
) -> None:
    made.finished(people.exporter)
    address = caught(app, people.exporter)
    assert "/mailbox" in check(client(people.viewer).get("/models").text).links
    from exports.mail_server import MailServer

    with mailing_by(app, MailServer("127.0.0.1", 9, "none")):
        for one in ("/mailbox", address, f"{address}/html"):
            assert client(people.viewer).get(one).status_code == 404
        assert "/mailbox" not in check(client(people.viewer).get("/models").text).links
