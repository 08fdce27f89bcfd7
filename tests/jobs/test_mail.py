"""Mails are sent: what they say, once, later if the server is not there; no run waits for it (SPEC 9, P15, F32)."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import select

from exports.mail_server import MailServer
from jobs import mail as sending
from jobs import scheduler
from tests.fix_mail import OK, Postbox, mailing_by, serving
from webapp.extensions import db
from webapp.models import Delivery, Mail, Run, RunEvent, User, clock

if TYPE_CHECKING:
    from flask import Flask
    from flask.testing import FlaskClient

    from tests.fix_app import Clock, People, Person
    from tests.fix_exports import Exports

HOSTILE = json.loads((Path(__file__).parents[1] / "data" / "hostile_inputs.json").read_text())
NAMES = [
    one["value"]
    for one in HOSTILE
    if one["group"] == "export_name" and one["expect"].startswith("accept as plain data")
]


def send(app: Flask) -> None:
    """What fastworker does with a ticket."""
    with app.app_context():
        sending.send()


def outbox(person: Person) -> list[Mail]:
    """The mails of the person's brand."""
    with person.at_work():
        return list(db.session.scalars(select(Mail).order_by(Mail.recipient)))


def steps(person: Person, run_id: Any) -> list[tuple[str, str]]:
    """What the run's steps say of mails."""
    with person.at_work():
        wanted = select(RunEvent).where(RunEvent.run_id == run_id, RunEvent.kind.like("%mail%"))
        return [(one.kind, one.facts["message"]) for one in db.session.scalars(wanted.order_by(RunEvent.number))]


def parts(message: Any) -> tuple[str, str]:
    """Text and HTML."""
    found = [message.get_body((kind,)).get_content() for kind in ("plain", "html")]
    return found[0], found[1]


def test_a_finished_mail_says_what_came_of_the_run_and_links_to_it(
    app: Flask, people: People, made: Exports, postbox: Postbox
) -> None:
    export = made.finished(people.exporter, "Coupon use")
    send(app)
    (message,) = postbox.messages
    assert postbox.recipients == [people.exporter.email]
    assert message["To"] == people.exporter.email
    assert message["From"] == "Exports <exports@exports.example>"
    assert message["Subject"] == "Finished: Coupon use, 2 rows"
    assert message["Auto-Submitted"] == "auto-generated"
    for part in parts(message):
        for said in ("Coupon use", "Stores", "2 of 2 rows", "43 bytes", "kept until"):
            assert said in part
        assert f"https://exports.example/runs/{export.run_id}" in part
        assert "Main Street" not in part, "no data"
        assert people.exporter.token not in part
    assert [one.get_content_type() for one in message.walk()] == ["multipart/alternative", "text/plain", "text/html"]
    assert [mail.state for mail in outbox(people.exporter)] == ["sent"]
    assert steps(people.exporter, export.run_id) == [("mailed", "")]


def test_the_link_leads_to_the_run_after_a_login(
    app: Flask, people: People, made: Exports, postbox: Postbox, client: Callable[..., FlaskClient]
) -> None:
    made.finished(people.exporter)
    send(app)
    found = re.search(r"https://exports\.example(/runs/\S+)", parts(postbox.messages[0])[0])
    assert found
    address = found[1]
    assert client(None).get(address).headers["Location"].startswith("/login")
    assert client(people.viewer).get(address).status_code == 200
    assert client(people.stranger).get(address).status_code == 404


def test_a_failed_mail_gives_the_reason_and_what_to_do(
    app: Flask, people: People, made: Exports, postbox: Postbox
) -> None:
    made.create(people.exporter, "Coupon use")
    made.fail(made.claim())
    send(app)
    (message,) = postbox.messages
    assert message["Subject"] == "Failed: Coupon use"
    text, html = parts(message)
    for part in (text, html):
        assert "A field of this export no longer exists in the database: name." in part
        assert "Edit the export and take the field out" in part
    assert "column stores.name does not exist" not in text + html, "the detail is for engineers"


def test_a_delivered_mail_says_where_the_file_is(app: Flask, people: People, made: Exports, postbox: Postbox) -> None:
    export = made.finished(people.exporter)
    told = {"type": "ftps", "host": "files.partner.example", "path": "/in/stores_20260302.csv", "size": 43}
    with people.exporter.at_work():
        db.session.add(Delivery(run_id=export.run_id, number=1, state="delivered", **told))
        db.session.commit()
    send(app)
    for part in parts(postbox.messages[0]):
        assert "/in/stores_20260302.csv on files.partner.example (FTP over SSL)" in part


def test_times_are_told_on_the_readers_own_clock(
    app: Flask, people: People, made: Exports, postbox: Postbox, clock: Clock
) -> None:
    clock.set("2026-03-02T23:30:00Z")
    with people.viewer.at_work() as user:
        user.time_zone = "Asia/Tokyo"
        db.session.commit()
    made.finished(people.exporter, notify={"success": ["owner", people.viewer.email], "failure": []})
    send(app)
    texts = {one["To"]: parts(one)[0] for one in postbox.messages}
    assert "Mon 2 Mar 2026 18:30:00 (America/New_York)" in texts[people.exporter.email]
    assert "Tue 3 Mar 2026 08:30:00 (Asia/Tokyo)" in texts[people.viewer.email]


@pytest.mark.parametrize("name", NAMES)
def test_no_name_of_an_export_ends_a_header_or_begins_markup(
    app: Flask, people: People, made: Exports, postbox: Postbox, name: str
) -> None:
    made.finished(people.exporter, name)
    send(app)
    (message,) = postbox.messages
    assert postbox.recipients == [people.exporter.email]
    shown = "".join(one if one.isprintable() else " " for one in name.strip(" "))
    assert message["Subject"] == f"Finished: {shown}, 2 rows"
    assert sorted(message.keys()) == sorted(
        ["From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "MIME-Version", "Content-Type", "X-Peer",
         "X-MailFrom", "X-RcptTo"]
    ) or len(message.keys()) == 8  # fmt: skip
    html = parts(message)[1]
    assert html.count("<script") == html.count("<img") == html.count("<svg") == 0


def test_a_mail_goes_out_at_the_present_address_and_not_to_whoever_was_disabled(
    app: Flask, people: People, made: Exports, postbox: Postbox
) -> None:
    made.finished(people.exporter, notify={"success": ["owner", people.viewer.email], "failure": []})
    with people.admin.at_work():
        db.session.get_one(User, people.exporter.id).email = "moved@maple.example"
        db.session.get_one(User, people.viewer.id).disabled_at = clock()
        db.session.commit()
    send(app)
    assert postbox.recipients == ["moved@maple.example"]
    assert {mail.state for mail in outbox(people.admin)} == {"sent", "dropped"}


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ({"to_rcpt": "450 4.2.0 Try later"}, "The mail server refused it: 450 4.2.0 Try later"),
        ({"to_rcpt": "550 5.1.1 No such user"}, "The mail server refused it: 550 5.1.1 No such user"),
        ({"to_data": "452 4.2.2 Mailbox full"}, "The mail server refused it: 452 4.2.2 Mailbox full"),
        ({"to_data": "554 5.7.1 Looks like spam"}, "The mail server refused it: 554 5.7.1 Looks like spam"),
        ({"to_data": "421 Going down"}, "The mail server refused it: 421 Going down"),
    ],
    ids=lambda one: next(iter(one.values()))[:3] if isinstance(one, dict) else "",
)
def test_what_a_server_refuses_is_said_on_the_run_and_goes_out_later_once(
    app: Flask,
    people: People,
    made: Exports,
    postbox: Postbox,
    clock: Clock,
    client: Callable[..., FlaskClient],
    fault: dict[str, str],
    said: str,
) -> None:
    clock.set("2026-03-02T10:00:00Z")
    export = made.finished(people.exporter)
    for name, answer in fault.items():
        setattr(postbox, name, answer)
    send(app)
    assert postbox.messages == []
    with people.exporter.at_work():
        assert db.session.get_one(Run, export.run_id).state == "success"
    browser = client(people.exporter)
    trouble = f"Email could not be sent to {people.exporter.email}: {said}"
    pages = (f"/runs/{export.run_id}", f"/exports/{export.id}", f"/exports/{export.id}/logs")
    for page in pages:
        assert trouble in browser.get(page).text
    assert steps(people.exporter, export.run_id) == [("mail_waits", said)]
    postbox.to_rcpt = postbox.to_data = OK
    send(app)
    assert postbox.messages == [], "its time has not come"
    clock.forward(timedelta(seconds=61))
    send(app)
    send(app)
    assert postbox.recipients == [people.exporter.email]
    assert all("Email could not be sent to" not in _around_steps(browser.get(page).text) for page in pages)


def _around_steps(page: str) -> str:
    """A page without the steps of its run, which tell what happened."""
    return re.sub(r'<ol class="events">.*?</ol>', "", page, flags=re.DOTALL)


def test_a_mail_is_tried_eight_times_in_24_hours_under_one_message_id_then_given_up(
    app: Flask, people: People, made: Exports, postbox: Postbox, clock: Clock
) -> None:
    clock.set("2026-03-02T10:00:00Z")
    export = made.finished(people.exporter)
    postbox.to_data = "451 Not now"
    send(app)
    while (mail := outbox(people.exporter)[0]).state == "waiting":
        clock.set(mail.next_try_at - timedelta(seconds=1))
        send(app)
        assert outbox(people.exporter)[0].tries == mail.tries, "not before its time"
        clock.set(mail.next_try_at)
        send(app)
    (mail,) = outbox(people.exporter)
    assert (mail.state, mail.tries) == ("given_up", 8)
    assert mail.ended_at is not None
    assert mail.ended_at - mail.created_at == timedelta(hours=24)
    assert [kind for kind, _ in steps(people.exporter, export.run_id)] == ["mail_waits", "not_mailed"]


def test_whoever_is_killed_after_sending_sends_the_same_message_id_again(
    app: Flask, people: People, made: Exports, postbox: Postbox, clock: Clock
) -> None:
    clock.set("2026-03-02T10:00:00Z")
    made.finished(people.exporter)
    send(app)
    with people.exporter.at_work():  # as if its process had died before it could say so
        mail = db.session.scalars(select(Mail)).one()
        mail.state, mail.ended_at = "waiting", None
        db.session.commit()
    send(app)
    assert len(postbox.messages) == 1, "whoever claimed it may still be at it"
    clock.forward(timedelta(minutes=6))
    send(app)
    first, second = postbox.messages
    assert first["Message-ID"] == second["Message-ID"]
    assert first["Message-ID"].endswith("@exports.example>")


def test_several_mails_go_out_over_one_conversation(
    app: Flask, people: People, made: Exports, postbox: Postbox
) -> None:
    for number in range(5):
        made.finished(people.exporter, f"Number {number}")
    send(app)
    assert [one["Subject"] for one in postbox.messages] == [f"Finished: Number {number}, 2 rows" for number in range(5)]
    assert postbox.conversations == 1


def test_a_pass_that_takes_long_leaves_the_other_mails_to_the_next_ticket_uncounted(
    app: Flask, people: People, made: Exports, postbox: Postbox
) -> None:
    from webapp.queues import FAST, queue

    for number in range(3):
        made.finished(people.exporter, f"Number {number}")
    with app.app_context():
        tickets = queue(FAST, app.config["SETTINGS"].redis_url)
        tickets.empty()
        sending.send(pass_s=0)
        assert len(tickets) == 1
    assert [one["Subject"] for one in postbox.messages] == ["Finished: Number 0, 2 rows"]
    assert sorted((mail.state, mail.tries) for mail in outbox(people.exporter)) == [
        ("sent", 1), ("waiting", 0), ("waiting", 0)
    ]  # fmt: skip
    send(app)
    assert [one["Subject"] for one in postbox.messages] == [f"Finished: Number {number}, 2 rows" for number in range(3)]


def test_nobody_waits_for_each_mail_if_the_server_is_down(
    app: Flask, people: People, made: Exports, clock: Clock
) -> None:
    clock.set("2026-03-02T10:00:00Z")
    for number in range(3):
        made.finished(people.exporter, f"Number {number}")
    with mailing_by(app, MailServer("127.0.0.1", 9, "none")):
        send(app)
    found = outbox(people.exporter)
    assert [(mail.state, mail.tries) for mail in found] == [("waiting", 1)] * 3
    assert {mail.error for mail in found} == {"The mail server did not answer or broke the connection."}
    clock.forward(timedelta(seconds=61))
    with serving(Postbox()) as postbox, mailing_by(app, postbox.server):
        send(app)
    assert len(postbox.messages) == 3


def test_a_server_may_look_at_a_mail_for_longer_than_an_answer_takes_while_we_connect(
    app: Flask, people: People, made: Exports, postbox: Postbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("exports.mail_server.ANSWER_S", 0.5)
    postbox.looks_at = {"Looked at": 1.5}
    made.finished(people.exporter, "Looked at")
    send(app)
    assert [mail.state for mail in outbox(people.exporter)] == ["sent"]


def test_a_mail_that_the_server_takes_too_slowly_holds_up_no_other(
    app: Flask, people: People, made: Exports, postbox: Postbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("exports.mail_server.MAIL_S", 1.0)
    postbox.looks_at = {"Slow": 3600}
    for name in ("Slow", "One", "Two"):
        made.finished(people.exporter, name)
    send(app)
    assert [one["Subject"] for one in postbox.messages] == ["Finished: One, 2 rows", "Finished: Two, 2 rows"]
    found = outbox(people.exporter)
    assert sorted(mail.state for mail in found) == ["sent", "sent", "waiting"]
    assert {mail.error for mail in found if mail.state == "waiting"} == {"The mail server took longer than 1 s."}


def test_two_mails_in_a_row_that_are_too_slow_leave_the_rest_uncounted_and_before_them_in_a_minute(
    app: Flask, people: People, made: Exports, postbox: Postbox, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock.set("2026-03-02T10:00:00Z")
    monkeypatch.setattr("exports.mail_server.MAIL_S", 1.0)
    postbox.looks_at = {"Slow": 3600}
    for name in ("Slow 1", "Slow 2", "One", "Two"):
        made.finished(people.exporter, name)
    send(app)
    assert postbox.conversations == 2
    assert postbox.messages == []
    assert sorted(mail.tries for mail in outbox(people.exporter)) == [0, 0, 1, 1]
    clock.forward(timedelta(seconds=61))
    send(app)
    assert [one["Subject"] for one in postbox.messages] == ["Finished: One, 2 rows", "Finished: Two, 2 rows"]
    found = outbox(people.exporter)
    assert sorted((mail.state, mail.tries) for mail in found) == [("sent", 1)] * 2 + [("waiting", 2)] * 2


def test_a_pass_ends_before_its_process_is_taken_for_stuck_and_before_its_mails_are_anybody_elses() -> None:
    from exports.mail_server import CONNECT_S, MAIL_S
    from jobs.worker import STUCK_S
    from webapp.services.outgoing import CLAIMED

    goodbyes = 3
    assert sending.PASS_S + CONNECT_S + MAIL_S + goodbyes < STUCK_S < CLAIMED.total_seconds()


def test_one_mail_that_cannot_be_written_holds_up_no_other(
    app: Flask, people: People, made: Exports, postbox: Postbox
) -> None:
    broken = made.finished(people.exporter, "Broken")
    made.finished(people.exporter, "Whole")
    with people.exporter.at_work() as user:
        user.time_zone = "Nowhere/At all"
        db.session.commit()
    with people.exporter.at_work():
        mail = db.session.scalars(select(Mail).where(Mail.run_id == broken.run_id)).one()
        other = db.session.scalars(select(Mail).where(Mail.run_id != broken.run_id)).one()
        other.user_id, other.recipient = people.viewer.id, people.viewer.email
        db.session.commit()
        assert mail.tries == 0
    send(app)
    assert [one["Subject"] for one in postbox.messages] == ["Finished: Whole, 2 rows"]
    assert {mail.error for mail in outbox(people.exporter)} == {None, "It could not be written."}


def test_without_a_server_mails_are_caught_whole(app: Flask, people: People, made: Exports) -> None:
    export = made.finished(people.exporter, "Coupon use")
    with mailing_by(app, None):
        send(app)
    (mail,) = outbox(people.exporter)
    assert (mail.state, mail.subject) == ("caught", "Finished: Coupon use, 2 rows")
    assert mail.text
    assert mail.html
    assert f"https://exports.example/runs/{export.run_id}" in mail.text


def test_a_lost_ticket_is_given_again(app: Flask, people: People, made: Exports, postbox: Postbox) -> None:
    from webapp.queues import FAST, queue

    made.finished(people.exporter)
    with app.app_context():
        tickets = queue(FAST, app.config["SETTINGS"].redis_url)
        assert len(tickets) == 1, "the end of the run sent one"
        tickets.empty()
        scheduler.ring_for_mails()
        assert len(tickets) == 1
        tickets.empty()
    send(app)
    with app.app_context():
        scheduler.ring_for_mails()
        assert len(tickets) == 0


def test_while_a_mail_server_hangs_the_run_is_finished_and_no_page_waits(
    app: Flask,
    people: People,
    made: Exports,
    clock: Clock,
    client: Callable[..., FlaskClient],
    black_hole: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """F32: the run ends and its pages answer while a fastworker waits; the mail goes out later, once."""
    monkeypatch.setattr("exports.mail_server.ANSWER_S", 2.0)
    clock.set("2026-03-02T10:00:00Z")
    with mailing_by(app, MailServer("127.0.0.1", int(black_hole.rpartition(":")[2]), "none")):
        export = made.finished(people.exporter)
        waiting = threading.Thread(target=send, args=(app,))
        waiting.start()
        page = client(people.exporter).get(f"/runs/{export.run_id}")
        assert waiting.is_alive(), "the page did not wait for it"
        assert page.status_code == 200
        with people.exporter.at_work():
            assert db.session.get_one(Run, export.run_id).state == "success"
        waiting.join()
    (mail,) = outbox(people.exporter)
    assert (mail.state, mail.error) == ("waiting", "The mail server took longer than 2 s.")
    clock.forward(timedelta(seconds=61))
    with serving(Postbox()) as postbox, mailing_by(app, postbox.server):
        send(app)
        send(app)
    assert postbox.recipients == [people.exporter.email]
