"""**People**: invited, changed, disabled with their exports handed over or paused, and enabled by admins."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import select

from exports.errors import Cancelled
from jobs import scheduler
from jobs.mail import send
from tests.fix_app import stores
from tests.fix_connections import partner
from tests.fix_mail import Postbox, mailing_by, serving
from tests.fix_pages import check
from webapp.extensions import db
from webapp.models import AuditEntry, Connection, Export, Mail, Run, User
from webapp.services import accounts, connections, exports, links, logins, runs

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flask import Flask
    from flask.testing import FlaskClient

    from tests.fix_app import Clock, People, Person
    from tests.fix_exports import Exports

Open = Callable[["Person | None"], "FlaskClient"]
PASSWORD = "correct horse battery staple"
ANN = {"email": "Ann@Maple.example", "name": "Ann", "role": "exporter", "use_new_target": "1"}
DAILY = {"type": "repeated", "every": "day"}


def post(browser: FlaskClient, url: str, page: str = "/models", **data: Any) -> tuple[int, str, str]:
    """Post a form with its token: status, Location, text."""
    found = re.search(r'name="csrf_token" value="([^"]+)"', browser.get(page).text)
    assert found
    response = browser.post(url, data={"csrf_token": found[1], **data})
    return response.status_code, response.headers.get("Location", ""), response.text


@pytest.fixture
def box(app: Flask) -> Iterator[Postbox]:
    """The mail server."""
    with serving(Postbox()) as postbox, mailing_by(app, postbox.server):
        yield postbox


def mailed(app: Flask, box: Postbox) -> list[tuple[str, str, str]]:
    """Send what is due: to whom, subject and the link of each mail so far."""
    with app.app_context():
        send()
    return [
        (one["To"], one["Subject"], re.search(r"https?://\S+", one.get_body(("plain",)).get_content())[0])  # type: ignore[index, union-attr]
        for one in box.messages
    ]


def path_of(link: str) -> str:
    """Where a link leads."""
    return "/" + link.split("/", 3)[3]


def kinds(person: Person) -> list[str]:
    """What the audit log of the person's brand says, oldest first."""
    with person.at_work():
        return list(db.session.scalars(select(AuditEntry.action).order_by(AuditEntry.number).select_from(AuditEntry)))


def row(person: Person) -> User:
    """The person's row as it is now, detached."""
    with person.at_work() as user:
        db.session.expunge(user)
        return user


# --- Invitation and reset


def test_an_invitation_is_a_link_by_which_a_password_is_chosen_once(
    app: Flask, client: Open, people: People, box: Postbox
) -> None:
    assert post(client(people.admin), "/users", **ANN)[:2] == (303, "/users")
    ((to, subject, link),) = mailed(app, box)
    assert (to, subject) == ("ann@maple.example", "You are invited to Exports")
    page = client(None).get(path_of(link))
    assert "For ann@maple.example" in check(page.text).text
    assert page.headers["Referrer-Policy"] == "no-referrer"
    token = link.partition("token=")[2]
    browser = client(None)
    told = post(browser, "/password", path_of(link), token=token, password=PASSWORD, again=PASSWORD)
    assert told[:2] == (303, "/exports")
    assert "Ann" in browser.get("/exports").text
    assert client(None).get(path_of(link)).status_code == 410, "a link works once"
    other = client(None)
    assert post(other, "/password", "/login", token=token, password="x" * 20, again="x" * 20)[0] == 410
    assert post(client(None), "/login", "/login", email=ANN["email"], password=PASSWORD)[0] == 303
    assert [one for one in kinds(people.admin) if one.startswith("user.")] == ["user.invited", "user.password_changed"]


def test_of_two_who_use_a_link_at_once_one_chooses_the_password(app: Flask, people: People) -> None:
    with app.test_request_context(), people.viewer.at_work() as user:
        token = links.made(user)
    both = Barrier(2)

    def choose(password: str) -> bool:
        with app.test_request_context():
            assert links.user_of(token) is not None
            both.wait()
            try:
                return logins.chosen(token, password) is not None
            finally:
                db.session.remove()

    with ThreadPoolExecutor(2) as threads:
        assert sorted(threads.map(choose, ("x" * 20, "y" * 20))) == [False, True]
    assert kinds(people.viewer) == ["user.password_changed"]


def test_a_link_is_valid_for_a_day(app: Flask, client: Open, people: People, box: Postbox, clock: Clock) -> None:
    clock.set("2026-11-23T10:00Z")
    post(client(people.admin), "/users", **ANN)
    link = path_of(mailed(app, box)[0][2])
    clock.forward(timedelta(hours=23, minutes=59))
    assert client(None).get(link).status_code == 200
    clock.forward(timedelta(minutes=2))
    found = client(None).get(link)
    assert found.status_code == 410
    assert "This link is not valid any more" in check(found.text).text


@pytest.mark.parametrize("token", ["", "x", "x" * 10_000, "W10.", "\x00", "%ff", "WyJhIl0.abc"])
def test_what_is_no_link_is_not_valid(client: Open, people: People, token: str) -> None:
    assert client(None).get("/password", query_string={"token": token}).status_code == 410


def test_a_link_opens_nothing_but_its_own_page(app: Flask, client: Open, people: People, box: Postbox) -> None:
    post(client(people.admin), "/users", **ANN)
    token = mailed(app, box)[0][2].partition("token=")[2]
    browser = client(None)
    for url in ("/exports", f"/runs/{uuid.uuid4()}/download"):
        assert browser.get(url, query_string={"token": token}).status_code == 302


def test_with_the_server_away_the_page_waits_for_nothing_and_the_mail_goes_out_later_once(
    app: Flask, client: Open, people: People, clock: Clock
) -> None:
    clock.set("2026-11-23T10:00Z")
    with serving(Postbox()) as gone:
        server = gone.server
    with mailing_by(app, server):
        assert post(client(people.admin), "/users", **ANN)[0] == 303
        with app.app_context():
            send()
        with people.admin.at_work():
            mail = db.session.scalars(select(Mail)).one()
            assert (mail.state, mail.tries) == ("waiting", 1)
    with serving(Postbox()) as back, mailing_by(app, back.server):
        assert mailed(app, back) == []
        clock.forward(timedelta(minutes=1, seconds=1))
        with app.app_context():
            scheduler.ring_for_mails()
        ((to, _subject, link),) = mailed(app, back)
        assert to == "ann@maple.example"
        assert client(None).get(path_of(link)).status_code == 200
        assert len(mailed(app, back)) == 1


def test_a_forgotten_password_is_answered_alike_whoever_asks(
    app: Flask, client: Open, people: People, box: Postbox
) -> None:
    answers = [post(client(None), "/password/forgotten", "/login", email=email)[:2] for email in
               (people.viewer.email.upper(), "nobody@maple.example", "a\x00b", "x" * 400)]  # fmt: skip
    assert set(answers) == {(303, "/login")}
    ((to, subject, link),) = mailed(app, box)
    assert (to, subject) == (people.viewer.email, "Choose a new password for Exports")
    old = client(people.viewer)
    token = link.partition("token=")[2]
    assert post(client(None), "/password", "/login", token=token, password=PASSWORD, again=PASSWORD)[0] == 303
    assert old.get("/exports").status_code == 302, "the sessions of before are over"
    assert kinds(people.viewer) == ["user.reset_asked", "user.password_changed"]


def test_who_is_disabled_gets_no_link(app: Flask, client: Open, people: People, box: Postbox) -> None:
    with people.viewer.at_work() as user:
        user.disabled_at = db.func.now()
        db.session.commit()
    post(client(None), "/password/forgotten", "/login", email=people.viewer.email)
    assert mailed(app, box) == []


def test_links_are_not_asked_for_without_end(client: Open, people: People) -> None:
    answers = [post(client(None), "/password/forgotten", "/login", email=people.viewer.email)[0] for _ in range(7)]
    assert answers == [303] * 5 + [429] * 2
    with people.admin.at_work():
        limited = db.session.scalars(select(AuditEntry).where(AuditEntry.action == "rate.limited")).all()
    assert [one.actor for one in limited] == [people.viewer.email], "once, however often somebody goes on"


@pytest.mark.parametrize(("password", "again", "told"), [
    ("short", "short", "at least 12 characters"), (PASSWORD, "other", "not the same"),
    ("x" * 300, "x" * 300, "at most"),
])  # fmt: skip
def test_a_password_that_cannot_be_used_is_told_at_its_input(
    app: Flask, client: Open, people: People, box: Postbox, password: str, again: str, told: str
) -> None:
    post(client(people.admin), "/users", **ANN)
    token = mailed(app, box)[0][2].partition("token=")[2]
    status, _, text = post(client(None), "/password", "/login", token=token, password=password, again=again)
    assert status == 422
    assert told in check(text).text
    assert password not in text or password == "short"


@pytest.mark.parametrize(("change", "told"), [
    ({"email": "no address"}, "is no email address"), ({"email": "viewer@maple.example"}, "has an account already"),
    ({"email": "stranger@alpine.example"}, "has an account already"), ({"name": ""}, "the name needs"),
    ({"role": "god"}, "the role must be one of"), ({"name": "a\x00"}, ""), ({"brand_id": "x"}, "is no input"),
])  # fmt: skip
def test_what_cannot_be_invited_is_told(client: Open, people: People, change: dict[str, str], told: str) -> None:
    status, _, text = post(client(people.admin), "/users", **{**ANN, **change})
    assert status == 422
    assert told in check(text).text
    with people.admin.at_work():
        assert db.session.scalar(select(db.func.count(User.id))) == 5
        assert db.session.scalars(select(Mail)).all() == []


def test_a_caught_invitation_is_read_by_admins_alone(app: Flask, client: Open, people: People) -> None:
    with mailing_by(app, None):
        post(client(people.admin), "/users", **ANN)
        with app.app_context():
            send()
        with people.admin.at_work():
            mail = db.session.scalars(select(Mail)).one()
        for person, status in ((people.admin, 200), (people.manager, 404), (people.viewer, 404)):
            assert client(person).get(f"/mailbox/{mail.id}").status_code == status
            assert ("You are invited" in client(person).get("/mailbox").text) == (status == 200)


# --- The own account


def test_a_changed_password_ends_the_other_sessions_and_keeps_this_one(client: Open, people: People) -> None:
    with people.viewer.at_work() as user:
        user.password_hash = accounts.hash_password(PASSWORD)
        db.session.commit()
    here, there = client(people.viewer), client(people.viewer)
    new = "another horse battery staple"
    own = f"/users/{people.viewer.id}"
    status, _, text = post(here, "/account/password", present="wrong", password=new, again=new)
    assert (status, "This is not your password" in check(text).text) == (422, True)
    assert post(here, "/account/password", present=PASSWORD, password=new, again=new)[:2] == (303, own)
    assert here.get("/exports").status_code == 200
    assert there.get("/exports").status_code == 302
    assert kinds(people.viewer) == ["user.password_changed"]


def test_who_finds_a_browser_signed_in_does_not_find_the_password_out_by_trying(client: Open, people: People) -> None:
    with people.viewer.at_work() as user:
        user.password_hash = accounts.hash_password(PASSWORD)
        db.session.commit()
    browser = client(people.viewer)
    own = f"/users/{people.viewer.id}"
    typed = {"password": PASSWORD, "again": "y" * 20}
    for _ in range(6):
        assert post(browser, "/account/password", own, present=PASSWORD, **typed)[0] == 422, "a slip is no try"
    for _ in range(3):
        assert post(browser, "/account/password", own, present="wrong", **typed)[0] == 422
    for _ in range(2):
        assert post(browser, "/account/second-step/off", own, step_password="wrong")[0] == 422
    for at, name in (("/account/password", "present"), ("/account/second-step/off", "step_password")):
        status, _, text = post(browser, at, own, **{name: PASSWORD}, **typed)
        assert (status, "The password was wrong too often." in check(text).text) == (429, True), at
    assert kinds(people.viewer) == ["login.limited"]


def test_name_and_time_zone_are_ones_own(client: Open, people: People) -> None:
    browser = client(people.viewer)
    assert post(browser, "/account", name="Vera", time_zone="Europe/Budapest")[0] == 303
    assert (row(people.viewer).name, row(people.viewer).time_zone) == ("Vera", "Europe/Budapest")
    status, _, text = post(browser, "/account", name="Vera", time_zone="Mars/Olympus")
    assert (status, "there is no time zone" in check(text).text) == (422, True)
    assert "/account" not in [form["action"] for form in check(browser.get(f"/users/{people.admin.id}").text).forms]
    assert kinds(people.viewer) == ["user.changed"]


# --- Roles


def test_a_role_counts_from_the_next_request_on(client: Open, people: People) -> None:
    browser = client(people.viewer)
    assert browser.get("/connections").status_code == 403
    change = {"name": "Viewer", "role": "exporter", "export_pii": "1"}
    assert post(client(people.admin), f"/users/{people.viewer.id}", **change)[:2] == (303, "/users")
    assert browser.get("/connections").status_code == 200
    with people.admin.at_work():
        entry = db.session.scalars(select(AuditEntry).where(AuditEntry.action == "user.changed")).one()
    assert entry.facts["before"] == {"role": "viewer", "export_pii": False, "use_new_target": True}
    assert (entry.facts["role"], entry.facts["export_pii"]) == ("exporter", True)


def test_a_brand_keeps_an_admin(client: Open, people: People) -> None:
    status, _, text = post(client(people.admin), f"/users/{people.admin.id}", name="Admin", role="manager")
    assert (status, "would have no admin any more" in check(text).text) == (422, True)
    assert row(people.admin).role == "admin"
    status, _, text = post(client(people.admin), f"/users/{people.admin.id}/disable")
    assert (status, "nobody disables the own account" in check(text).text) == (422, True)


# --- Disable


def test_who_owns_exports_is_not_disabled_before_each_is_decided(client: Open, people: People, made: Exports) -> None:
    made.create(people.exporter, "Mine")
    browser = client(people.admin)
    assert "Mine" in check(browser.get(f"/users/{people.exporter.id}/disable").text).text
    status, _, text = post(browser, f"/users/{people.exporter.id}/disable")
    assert (status, "Say what becomes of “Mine”" in check(text).text) == (422, True)
    assert row(people.exporter).disabled_at is None
    for id in (str(people.exporter.id), str(people.exporter.id).upper(), people.exporter.id.hex):
        assert post(browser, f"/users/{people.exporter.id}/disable", others=id)[0] == 422
    assert row(people.exporter).disabled_at is None


def test_exports_are_handed_over_or_paused_and_admins_are_mailed(
    app: Flask, client: Open, people: People, made: Exports, box: Postbox
) -> None:
    with people.exporter.at_work() as user:
        ids = [exports.create(user, stores(name=name, schedule=DAILY), uuid.uuid4()).id for name in ("Given", "Left")]
    browser = client(people.exporter)
    decided = {f"export-{ids[0]}": str(people.manager.id), "others": "pause"}
    assert post(client(people.admin), f"/users/{people.exporter.id}/disable", **decided)[:2] == (303, "/users")
    with people.admin.at_work():
        left, now = db.session.get_one(Export, ids[1]), db.session.get_one(Export, ids[0])
        assert (now.owner_id, now.active, now.next_run_at is not None) == (people.manager.id, True, True)
        assert (left.owner_id, left.active, left.next_run_at) == (people.exporter.id, False, None)
    assert browser.get("/exports").status_code == 302
    told = mailed(app, box)
    assert [(to, subject) for to, subject, _ in told] == [(people.admin.email, "Disabled: Exporter")]
    text = box.messages[0].get_body(("plain",)).get_content()  # type: ignore[union-attr]
    assert "Handed over:  1 export" in text
    assert "Paused:       1 export" in text
    assert kinds(people.admin)[-3:] == ["export.handed_over", "export.set_inactive", "user.disabled"]
    assert post(client(people.admin), f"/users/{people.exporter.id}/enable")[0] == 303
    assert kinds(people.admin)[-1] == "user.enabled"


@pytest.mark.parametrize("schedule", [{"type": "now"}, DAILY])
def test_a_paused_export_runs_no_more_also_not_what_waits_or_goes_on(
    client: Open, people: People, made: Exports, schedule: dict[str, str]
) -> None:
    asked = []
    with people.exporter.at_work() as user:
        for name in ("Goes on", "Waits"):
            export = exports.create(user, stores(name=name, schedule=schedule), uuid.uuid4())
            asked.append(export.latest_run_id or runs.request_run(user, export, uuid.uuid4()).id)
    mine = made.claim()
    assert mine.run_id == asked[0]
    assert post(client(people.admin), f"/users/{people.exporter.id}/disable", others="pause")[:2] == (303, "/users")
    with people.admin.at_work():
        assert db.session.get_one(Run, asked[1]).state == "cancelled"
    with pytest.raises(Cancelled):
        made.publish(mine)
    assert {"run.cancel_requested", "run.cancelled"} <= set(kinds(people.admin))


# --- Hand over


def test_several_exports_are_handed_over_at_once(client: Open, people: People, made: Exports) -> None:
    ids = [str(made.create(people.exporter, name).id) for name in ("One", "Two")]
    browser = client(people.manager)
    status, leads_to, _ = post(browser, "/exports/several", **{"do": "hand-over", "export": ids})
    assert status == 303
    page = check(browser.get(leads_to).text)
    assert {"One", "Two"} <= set(page.text.split())
    assert f"/exports/{ids[0]}" not in page.links
    assert f"/exports/{ids[0]}" in check(browser.get(f"/exports/hand-over?export={ids[0]}").text).links, "back to it"
    assert post(browser, "/exports/hand-over", export=ids, to=str(people.colleague.id))[:2] == (303, "/exports")
    with people.colleague.at_work():
        assert {one.owner_id for one in db.session.scalars(select(Export))} == {people.colleague.id}
    assert kinds(people.admin).count("export.handed_over") == 2


def test_an_export_is_not_handed_to_who_may_not_run_it(client: Open, people: People, made: Exports) -> None:
    personal = {"model": "customers", "filters": [[{"attribute": "email", "operator": "is_not_empty"}]],
                "fields": [{"from": "email"}]}  # fmt: skip
    id_ = str(made.create(people.exporter, "Mails", **personal).id)
    for to, told in (
        (people.colleague, "you need the right to export personal fields"),
        (people.viewer, "choose who takes it over"),
        (people.stranger, "choose who takes it over"),
    ):
        status, _, text = post(client(people.manager), "/exports/hand-over", export=id_, to=str(to.id))
        assert (status, told in check(text).text) == (422, True), check(text).text
    with people.exporter.at_work():
        assert db.session.scalars(select(Export)).one().owner_id == people.exporter.id


def test_an_export_is_not_handed_to_who_may_not_use_its_connection(client: Open, people: People, made: Exports) -> None:
    with people.exporter.at_work() as user:
        connection = connections.create(user, *partner("Till system"))
        target = {"type": "sftp", "connection": str(connection.id), "path": "/in/x"}
    id_ = str(made.create(people.exporter, "Uploaded", target=target).id)
    typed = {"export": id_, "to": str(people.colleague.id)}
    status, _, text = post(client(people.manager), "/exports/hand-over", **typed)
    assert status == 422
    assert "share the connection “Till system” with exporters first" in check(text).text
    with people.manager.at_work():
        db.session.get_one(Connection, connection.id).shared_with_exporters = True
        db.session.commit()
    assert post(client(people.manager), "/exports/hand-over", **typed)[:2] == (303, f"/exports/{id_}")


def test_another_brands_export_is_not_handed_over(client: Open, people: People, made: Exports) -> None:
    id_ = str(made.create(people.exporter).id)
    assert post(client(people.stranger), "/exports/hand-over", export=id_, to=str(people.stranger.id))[0] == 404
    assert client(people.stranger).get(f"/exports/hand-over?export={id_}").status_code == 404


def test_everybody_of_the_brand_is_listed(client: Open, people: People) -> None:
    text = check(client(people.admin).get("/users").text).text
    for person in (people.admin, people.manager, people.exporter, people.viewer):
        assert person.email in text
    assert people.stranger.email not in text
