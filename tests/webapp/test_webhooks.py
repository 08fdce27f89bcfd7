"""**Webhooks**: kept by admins, told once of each end of a run, tried again, and never in anybody's way."""

from __future__ import annotations

import json
import re
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import select, update

from exports.addresses import read_networks
from exports.errors import FieldMissing
from exports.webhooks import signed
from jobs import scheduler, upkeep
from jobs import webhooks as sending
from tests.fix_mail import mailing_by
from tests.fix_pages import check, parse
from webapp.extensions import db
from webapp.models import AuditEntry, Mail, Run, RunEvent, Webhook, WebhookMessage, system_scope
from webapp.services import runs, webhooks
from webapp.services.connections import credentials
from webapp.services.webhooks.results import OFF_AFTER

if TYPE_CHECKING:
    from flask import Flask
    from flask.testing import FlaskClient

    from tests.fix_app import Clock, People, Person
    from tests.fix_exports import Exports
    from tests.fix_webhooks import Listener

Open = Callable[["Person | None"], "FlaskClient"]


@contextmanager
def allowing(app: Flask, *ports: int) -> Iterator[None]:
    """The operator allows these ports of this machine."""
    before = app.config["SETTINGS"]
    networks = read_networks(", ".join(f"127.0.0.1:{port}" for port in ports))
    app.config["SETTINGS"] = replace(before, allowed_networks=networks)
    try:
        yield
    finally:
        app.config["SETTINGS"] = before


@pytest.fixture
def allowed(app: Flask, listener: Listener) -> Iterator[None]:
    """The operator allows the listener's port."""
    with allowing(app, listener.port):
        yield


@pytest.fixture
def hook(allowed: None, people: People, listener: Listener) -> tuple[uuid.UUID, str]:
    """A webhook of maple at the listener: its id, and its secret."""
    with people.admin.at_work() as admin:
        webhook, secret = webhooks.create(admin, uuid.uuid4(), webhooks.Wanted(listener.url))
        return webhook.id, secret


def send(app: Flask) -> None:
    """What fastworker does with a ticket."""
    with app.app_context():
        sending.send()


def told(person: Person) -> list[WebhookMessage]:
    """The messages of the person's brand."""
    with person.at_work():
        return list(db.session.scalars(select(WebhookMessage).order_by(WebhookMessage.created_at)))


def steps(person: Person, run_id: Any) -> list[str]:
    """What the run's steps say of webhooks."""
    with person.at_work():
        wanted = select(RunEvent).where(RunEvent.run_id == run_id, RunEvent.kind.like("%call%"))
        return [one.kind for one in db.session.scalars(wanted.order_by(RunEvent.number))]


def post(browser: FlaskClient, at: str, **data: Any) -> Any:
    """Post a form with its token."""
    found = re.search(r'name="csrf_token" value="([^"]+)"', browser.get("/models").text)
    assert found
    return browser.post(at, data={"csrf_token": found[1], **data})


def test_the_end_of_a_run_is_told_once_signed_and_without_names_or_data(
    app: Flask, people: People, made: Exports, listener: Listener, hook: tuple[uuid.UUID, str]
) -> None:
    made.create(people.exporter, "Secret name")
    mine = made.claim()
    made.publish(mine)
    made.publish(mine)  # its answer was lost, so it asks again
    send(app)
    send(app)
    (request,) = listener.told
    body = json.loads(request.body)
    assert body["type"] == "run.finished"
    data = body["data"]
    assert (data["status"], data["rows"], data["bytes"], data["error"]) == ("Success", 2, 43, None)
    assert data["run"] == str(mine.run_id)
    assert data["url"] == f"https://exports.example/runs/{mine.run_id}"
    assert len(data["sha256"]) == 64
    for private in (b"Secret name", b"Main Street", people.exporter.email.encode()):
        assert private not in request.body
    stamp = int(request.headers["webhook-timestamp"])
    assert abs(stamp - time.time()) < 60
    expected = signed(hook[1], request.headers["webhook-id"], stamp, request.body)
    assert expected.items() <= request.headers.items()
    assert [one.state for one in told(people.admin)] == ["delivered"]
    assert steps(people.admin, mine.run_id) == ["called"]


def test_a_failed_run_is_told_with_its_code_and_a_retry_is_not(
    app: Flask, people: People, made: Exports, listener: Listener, hook: object
) -> None:
    from exports.errors import SourceUnreachable

    made.create(people.exporter)
    with app.app_context():
        runs.fail(made.claim(), SourceUnreachable())
    assert told(people.admin) == [], "it is tried again"
    made.create(people.exporter)
    made.fail(made.claim())
    send(app)
    body = json.loads(listener.told[0].body)
    assert (body["type"], body["data"]["status"]) == ("run.failed", "Failed")
    assert body["data"]["error"] == FieldMissing.code


def test_who_wants_to_know_of_failures_alone_hears_of_no_success(
    people: People, made: Exports, hook: tuple[uuid.UUID, str]
) -> None:
    with people.admin.at_work():
        db.session.get_one(Webhook, hook[0]).events = ["failed"]
        db.session.commit()
    made.finished(people.exporter)
    made.finished(people.stranger)
    assert told(people.admin) == []


def test_another_brands_runs_are_told_to_nobody_here(people: People, made: Exports, hook: object) -> None:
    made.finished(people.stranger)
    assert told(people.admin) == told(people.stranger) == []


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (500, "The server 127.0.0.1 answered 500."),
        ("HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/\r\n\r\n", "answered 302, which leads elsewhere."),
        ("", "The server 127.0.0.1 cannot be reached."),
    ],
)
def test_what_does_not_get_through_is_tried_again_under_the_same_id_with_the_same_words(
    app: Flask, people: People, made: Exports, listener: Listener, hook: object, clock: Clock, answer: Any, said: str
) -> None:
    clock.set("2026-03-02T10:00:00Z")
    listener.answer = answer
    export = made.finished(people.exporter)
    send(app)
    (message,) = told(people.admin)
    assert (message.state, message.tries) == ("waiting", 1)
    assert message.error is not None
    assert said in message.error
    with people.exporter.at_work():
        assert db.session.get_one(Run, export.run_id).state == "success"
    listener.answer = 200
    send(app)
    assert len(listener.told) == 1, "its time has not come"
    clock.forward(timedelta(seconds=61))
    send(app)
    first, second = listener.told
    assert first.body == second.body
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert steps(people.admin, export.run_id) == ["call_waits", "called"]
    assert told(people.admin)[0].status == 200


def test_servers_that_hang_hold_up_no_other_and_take_their_time_once(
    app: Flask, people: People, made: Exports, listener: Listener, hook: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    from exports import webhooks as domain
    from tests.fix_webhooks import listening

    monkeypatch.setattr(domain.tell, "__defaults__", (0.5,))
    with listening() as hanging, allowing(app, listener.port, hanging.port):
        hanging.answer = None
        with people.admin.at_work() as admin:
            webhooks.create(admin, uuid.uuid4(), webhooks.Wanted(hanging.url))
        for _ in range(4):
            made.finished(people.exporter)
        begun = time.monotonic()
        send(app)
        assert time.monotonic() - begun < 3
        assert len(listener.told) == 4
        states = [(one.state, one.tries) for one in told(people.admin)]
        assert sorted(states) == [("delivered", 1)] * 4 + [("waiting", 1)] * 4


def test_what_else_waits_for_a_server_in_trouble_waits_without_a_try(
    app: Flask, people: People, made: Exports, listener: Listener, hook: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("webapp.services.webhooks.messages.AT_ONCE", 1)
    listener.answer = ""
    for _ in range(3):
        made.finished(people.exporter)
    send(app)
    assert sorted(one.tries for one in told(people.admin)) == [0, 0, 1]
    assert listener.connections == 1


def test_eight_tries_in_24_hours_then_it_is_given_up_and_after_five_of_them_switched_off_and_admins_are_mailed(
    app: Flask, people: People, made: Exports, listener: Listener, hook: tuple[uuid.UUID, str], clock: Clock
) -> None:
    clock.set("2026-03-02T10:00:00Z")
    listener.answer = 503
    export = made.finished(people.exporter)
    send(app)
    while (message := told(people.admin)[0]).state == "waiting":
        clock.set(message.next_try_at)
        send(app)
    assert (message.state, message.tries) == ("given_up", 8)
    assert message.ended_at - message.created_at == timedelta(hours=24)
    assert steps(people.admin, export.run_id) == ["call_waits", "not_called"]
    assert len(listener.told) == 8
    with people.admin.at_work():
        db.session.execute(update(Webhook).values(given_up=OFF_AFTER - 1))
        db.session.commit()
        assert db.session.get_one(Webhook, hook[0]).is_on
    made.finished(people.exporter)
    with people.admin.at_work():
        db.session.execute(update(WebhookMessage).where(WebhookMessage.state == "waiting").values(tries=7))
        db.session.commit()
    send(app)
    with people.admin.at_work():
        webhook = db.session.get_one(Webhook, hook[0])
        assert (webhook.is_on, webhook.off_because) == (False, "The server 127.0.0.1 answered 503.")
        assert db.session.scalars(select(AuditEntry).where(AuditEntry.action == "webhook.switched_off")).one()
    made.finished(people.exporter)
    assert len(told(people.admin)) == 2, "it is told nothing more"
    from jobs import mail

    with mailing_by(app, None), app.app_context():
        mail.send()
    with people.admin.at_work():
        found = db.session.scalars(select(Mail).where(Mail.kind == "webhook_off")).one()
        assert found.recipient == people.admin.email
        assert found.subject == "Webhook switched off: 127.0.0.1"
        assert f"https://exports.example/webhooks/{hook[0]}" in (found.text or "")
        assert "/password?token=" not in (found.text or "") + (found.html or "")


def test_a_lost_ticket_is_given_again_and_old_messages_are_removed(
    app: Flask, people: People, made: Exports, hook: object, clock: Clock
) -> None:
    from webapp.queues import FAST, queue

    clock.set("2026-03-02T10:00:00Z")
    made.finished(people.exporter)
    with app.app_context():
        tickets = queue(FAST, app.config["SETTINGS"].redis_url)
        tickets.empty()
        scheduler.ring_for_webhooks()
        assert len(tickets) == 1
    send(app)
    clock.forward(timedelta(days=29))
    with app.app_context():
        upkeep.tidy()
    assert len(told(people.admin)) == 1
    clock.forward(timedelta(days=2))
    with app.app_context():
        upkeep.tidy()
    assert told(people.admin) == []


def test_secrets_are_sealed_again_with_a_new_key_and_an_unreadable_one_says_so(
    app: Flask, people: People, made: Exports, listener: Listener, hook: tuple[uuid.UUID, str]
) -> None:
    from exports.secrets import new_key

    before, key = app.config["SETTINGS"], new_key()
    try:
        app.config["SETTINGS"] = replace(before, credential_keys=(key, *before.credential_keys))
        with people.admin.at_work():
            assert credentials.rotate("nobody") == 1
        app.config["SETTINGS"] = replace(before, credential_keys=(key,))
        with people.admin.at_work():
            assert webhooks.opened_secret(db.session.get_one(Webhook, hook[0])) == hook[1]
        app.config["SETTINGS"] = replace(before, credential_keys=(new_key(),))
        made.finished(people.exporter)
        send(app)
    finally:
        app.config["SETTINGS"] = before
    assert told(people.admin)[0].error == "The secret of the webhook can't be read."
    assert listener.told == []


def test_an_admin_makes_one_sees_its_secret_once_tests_it_and_sends_again(
    app: Flask, client: Open, people: People, listener: Listener, allowed: None
) -> None:
    browser = client(people.admin)
    form = parse(browser.get("/webhooks/new").text)
    wanted = {"id": form.inputs["id"], "url": listener.url, "events": ["finished", "failed"]}
    made_ = post(browser, "/webhooks", **wanted)
    assert made_.status_code == 201
    secret = re.search(r"whsec_[A-Za-z0-9+/=]+", check(made_.text).text)
    assert secret
    assert made_.headers["Cache-Control"] == "no-store"
    again = post(browser, "/webhooks", **wanted)
    assert (again.status_code, again.headers["Location"]) == (303, f"/webhooks/{form.inputs['id']}")
    at = again.headers["Location"]
    assert post(browser, f"{at}/test").status_code == 303
    assert "Sending" in check(browser.get(at).text).text
    polled = {"HX-Request": "true", "HX-Target": "messages"}
    part = browser.get(at, headers=polled)
    assert (part.status_code, "Sending" in check(part.text, whole=False).text) == (200, True)
    send(app)
    part = browser.get(at, headers=polled)
    assert (part.status_code, "Delivered" in check(part.text, whole=False).text) == (286, True), "enough"
    page = browser.get(at).text
    assert "Delivered" in check(page).text
    assert secret[0] not in page + browser.get(f"{at}/edit").text + browser.get("/webhooks").text
    assert "in-the-url" not in browser.get("/webhooks").text
    (message,) = told(people.admin)
    assert post(browser, f"{at}/messages/{message.id}").status_code == 303
    send(app)
    first, second = listener.told
    assert (first.body, first.headers["webhook-id"]) == (second.body, second.headers["webhook-id"])
    assert json.loads(first.body)["type"] == "test"
    assert post(browser, f"{at}/messages/{uuid.uuid4()}").status_code == 404
    new = post(browser, f"{at}/secret").text
    assert secret[0] not in new
    assert post(browser, at, url=listener.url, events="failed", switched="1").status_code == 303
    assert "It is off since" in check(browser.get(at).text).text
    post(browser, f"{at}/test")
    assert "Switch it on first" in browser.get(at).text
    assert "cannot be undone" in check(post(browser, f"{at}/delete").text).text
    assert post(browser, f"{at}/delete", sure="1").status_code == 303
    assert browser.get(at).status_code == 404
    with people.admin.at_work():
        kept = list(db.session.scalars(select(AuditEntry).order_by(AuditEntry.number)))
    assert [one.action for one in kept if one.action.startswith("webhook")] == [
        "webhook.created", "webhook.tested", "webhook.sent_again", "webhook.secret_replaced", "webhook.changed",
        "webhook.deleted",
    ]  # fmt: skip
    facts = json.dumps([one.facts for one in kept])
    assert secret[0] not in facts
    assert "in-the-url" not in facts


def test_tests_are_limited(client: Open, people: People, hook: tuple[uuid.UUID, str]) -> None:
    browser = client(people.admin)
    for _ in range(7):
        post(browser, f"/webhooks/{hook[0]}/test")
    assert "That were 6 tests within a minute" in browser.get(f"/webhooks/{hook[0]}").text
    assert len(told(people.admin)) == 6
    with people.admin.at_work():
        [limited] = db.session.scalars(select(AuditEntry).where(AuditEntry.action == "rate.limited"))
    assert (limited.object_id, limited.facts) == (str(hook[0]), {"asked": "webhook.tested"})


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"url": "hooks.example"}, "Enter an address such as https://"),
        ({"url": "http://hooks.example/"}, "The address must begin with https://"),
        ({"url": "https://169.254.169.254/"}, "This address cannot be used for webhooks."),
        ({"url": "https://localhost/"}, "This address cannot be used for webhooks."),
        ({"url": "https://hooks.example:6379/"}, "This address cannot be used for webhooks."),
        ({"url": "https://a:b@hooks.example/"}, "Leave name and password out"),
        ({"events": []}, "Choose what it is told of"),
        ({"events": ["finished", "everything"]}, "Choose what it is told of"),
        ({"brand_id": "x"}, "is no input"),
        ({"url": "https://hooks.example/\x00"}, ""),
    ],
)
def test_what_cannot_be_a_webhook_is_told_and_nothing_is_kept(
    client: Open, people: People, change: dict[str, Any], said: str
) -> None:
    given = {"id": str(uuid.uuid4()), "url": "https://hooks.example/", "events": ["finished"], **change}
    response = post(client(people.admin), "/webhooks", **given)
    assert response.status_code == 422
    assert said in check(response.text).text
    with people.admin.at_work():
        assert db.session.scalars(select(Webhook)).all() == []


def test_an_address_that_may_not_be_reached_is_written_down(
    app: Flask, client: Open, people: People, made: Exports, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser = client(people.admin)
    post(browser, "/webhooks", url="https://10.0.0.5:8443/", events=["finished"], on="1", switched="1")
    post(browser, "/webhooks", url="no address", events=["finished"], on="1", switched="1")
    with people.admin.at_work() as admin:
        webhooks.create(admin, uuid.uuid4(), webhooks.Wanted("https://hooks.example/secret-path"))
    monkeypatch.setitem(app.config, "RESOLVER", lambda _host, _port: ["192.168.7.4"])
    made.finished(people.exporter)
    send(app)
    send(app)
    with people.admin.at_work():
        entries = db.session.scalars(
            select(AuditEntry).where(AuditEntry.action == "webhook.blocked").order_by(AuditEntry.number)
        ).all()
    assert [(one.actor, one.result, one.facts) for one in entries] == [
        (people.admin.email, "denied", {"at": "form", "host": "10.0.0.5", "port": 8443}),
        ("fastworker", "denied", {"at": "message", "host": "hooks.example", "port": 443}),
    ]


def test_a_name_that_leads_elsewhere_at_a_later_try_is_written_down_once(
    app: Flask, people: People, made: Exports, monkeypatch: pytest.MonkeyPatch, clock: Clock
) -> None:
    with people.admin.at_work() as admin:
        webhooks.create(admin, uuid.uuid4(), webhooks.Wanted("https://hooks.example/"))
    made.finished(people.exporter)
    found: list[int] = []
    for addresses in ([], ["192.168.7.4"], ["192.168.7.4"]):
        monkeypatch.setitem(app.config, "RESOLVER", lambda _host, _port, given=addresses: given)
        send(app)
        [message] = told(people.admin)
        clock.set(message.next_try_at)
        with people.admin.at_work():
            found.append(
                len(db.session.scalars(select(AuditEntry).where(AuditEntry.action == "webhook.blocked")).all())
            )
    assert (message.tries, found) == (3, [0, 1, 1])


def test_a_brand_has_ten_at_most(client: Open, people: People) -> None:
    with people.admin.at_work() as admin:
        for number in range(webhooks.MAX_WEBHOOKS):
            webhooks.create(admin, uuid.uuid4(), webhooks.Wanted(f"https://hooks.example/{number}"))
    browser = client(people.admin)
    response = post(browser, "/webhooks", id=str(uuid.uuid4()), url="https://hooks.example/", events="failed")
    assert "There are 10 webhooks already" in check(response.text).text
    assert "Create new webhook" not in browser.get("/webhooks").text


def test_a_run_ends_as_quickly_as_ever_while_a_webhook_is_down(
    app: Flask, people: People, made: Exports, hook: object
) -> None:
    made.create(people.exporter)
    mine = made.claim()
    begun = time.monotonic()
    with allowing(app), system_scope():
        made.publish(mine)
    assert time.monotonic() - begun < 1, "nobody is talked to"
    assert told(people.admin)[0].tries == 0
