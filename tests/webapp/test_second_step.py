"""The second step at login: set up with a code, asked for after the password, each code once (RELIABILITY 5)."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

import pytest
from cryptography.fernet import Fernet
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm.attributes import set_committed_value

from exports import totp
from tests.fix_logins import PASSWORD, token
from tests.fix_pages import check
from webapp.extensions import db
from webapp.mails import rendered
from webapp.models import AuditEntry, Mail, User, system_scope
from webapp.models.accounts import LoginSession
from webapp.services import accounts, links, second_step
from webapp.services.mail.notify import Recipient

if TYPE_CHECKING:
    from flask.testing import FlaskClient
    from werkzeug.test import TestResponse

    from tests.fix_app import Clock, People, Person

Open = Callable[["Person | None"], "FlaskClient"]
BEGIN: Final = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _at_a_moment_that_stands(clock: Clock) -> None:
    clock.set(BEGIN.isoformat())


def post(client: FlaskClient, to: str, page: str, **data: str) -> TestResponse:
    """Send a form of a page."""
    return client.post(to, data={"csrf_token": token(client, page), **data})


def code(secret: bytes, off: int = 0) -> str:
    """What the app shows, some steps from BEGIN."""
    return totp.code(secret, totp.step_of(BEGIN) + off)


def set_up(browser: FlaskClient) -> tuple[bytes, list[str]]:
    """Turn it on; the secret and the recovery codes."""
    page = browser.get("/account/second-step").get_data(as_text=True)
    assert check(page).text.count("Scan this") == 1
    assert 'src="data:image/svg+xml' in page
    spelled = re.search(r'id="secret">([A-Z2-7 ]+)<', page)
    assert spelled is not None
    assert spelled[0] in browser.get("/account/second-step").get_data(as_text=True), "the same after a reload"
    secret = base64.b32decode(spelled[1].replace(" ", ""))
    answer = post(browser, "/account/second-step", "/account/second-step", code=code(secret))
    assert (answer.status_code, answer.headers["Location"]) == (303, "/account/second-step/codes")
    shown = browser.get("/account/second-step/codes").get_data(as_text=True)
    codes = re.findall(r"<li>([a-z0-9-]{19})</li>", shown)
    assert browser.get("/account/second-step/codes").status_code == 303, "they are shown once"
    return secret, codes


@pytest.fixture
def on(client: Open, exporter: Person) -> tuple[bytes, list[str]]:
    """The exporter's second step is on: its secret and recovery codes."""
    return set_up(client(exporter))


def half_in(open_: Open, exporter: Person, **more: str) -> FlaskClient:
    """A browser in which the right password was given."""
    browser = open_(None)
    answer = post(browser, "/login", "/login", email=exporter.email, password=PASSWORD, **more)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/login/code")
    return browser


def enter(browser: FlaskClient, typed: str) -> int:
    """Type a code; the status."""
    return post(browser, "/login/code", "/login/code", code=typed).status_code


def kinds(person: Person) -> list[str]:
    """What the audit log of the person's brand says."""
    with person.at_work():
        return list(db.session.scalars(select(AuditEntry.action).order_by(AuditEntry.number)))


def test_a_password_alone_does_not_let_in(client: Open, exporter: Person, on: tuple[bytes, list[str]]) -> None:
    browser = half_in(client, exporter, next="/models")
    assert browser.get("/exports").headers["Location"].startswith("/login")
    assert check(browser.get("/login/code").get_data(as_text=True)).title.startswith("Code")
    before = browser.get_cookie("exports_session") or browser.get_cookie("__Host-exports_session")
    answer = post(browser, "/login/code", "/login/code", code=f" {code(on[0], 1)[:3]} {code(on[0], 1)[3:]} ")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/models")
    assert browser.get("/exports").status_code == 200
    after = browser.get_cookie(before.key) if before else None
    assert before
    assert after
    assert before.value != after.value, "a session of its own begins with the login"
    assert kinds(exporter) == ["user.second_step_on", "login.ok"], "a right password is no login yet"


def test_a_code_is_used_once(client: Open, exporter: Person, on: tuple[bytes, list[str]]) -> None:
    assert enter(half_in(client, exporter), code(on[0])) == 422, "that of setting it up"
    assert enter(half_in(client, exporter), code(on[0], 1)) == 303
    assert enter(half_in(client, exporter), code(on[0], 1)) == 422
    assert kinds(exporter)[-1] == "login.failed"


def test_of_two_at_once_with_one_code_one_is_let_in(app: Flask, exporter: Person, on: tuple[bytes, list[str]]) -> None:
    with app.app_context(), system_scope():
        user = db.session.get_one(User, exporter.id)
        stale = user.totp_step
        assert second_step.passes(user, code(on[0], 1))
        db.session.commit()
        db.session.refresh(user)
        set_committed_value(user, "totp_step", stale)  # as the other one had read it
        assert not second_step.passes(user, code(on[0], 1))


def test_a_recovery_code_lets_in_once(client: Open, exporter: Person, on: tuple[bytes, list[str]]) -> None:
    codes = on[1]
    assert len(set(codes)) == 10
    assert enter(half_in(client, exporter), codes[0].upper().replace("-", " ")) == 303
    assert enter(half_in(client, exporter), codes[0]) == 422
    browser = half_in(client, exporter)
    assert enter(browser, codes[1]) == 303
    page = check(browser.get(f"/users/{exporter.id}").get_data(as_text=True)).text
    assert "8 of your recovery codes are left" in page
    assert kinds(exporter).count("user.recovery_code_used") == 2
    with exporter.at_work() as user:
        assert not any(one.replace("-", "") in "".join(user.recovery_hashes) for one in codes)


def test_the_sixth_wrong_code_is_refused_even_with_the_right_one(
    client: Open, exporter: Person, on: tuple[bytes, list[str]]
) -> None:
    browsers = [half_in(client, exporter) for _ in range(2)]
    assert [enter(browsers[number % 2], "000000") for number in range(6)] == [422] * 5 + [429]
    page = post(browsers[0], "/login/code", "/login/code", code=code(on[0], 1))
    assert page.status_code == 429
    assert page.headers["Retry-After"] == "900"
    assert kinds(exporter)[-6:] == ["login.failed"] * 5 + ["login.limited"]


def test_a_right_password_waits_five_minutes_and_not_for_another_password(
    client: Open, exporter: Person, on: tuple[bytes, list[str]]
) -> None:
    late, changed = half_in(client, exporter), half_in(client, exporter)
    with late.session_transaction() as session:
        session["half_in"] = (session["half_in"][0], session["half_in"][1] - 301)
    for browser in (late, client(None)):
        assert browser.get("/login/code").headers["Location"] == "/login"
        data = {"csrf_token": token(browser, "/login"), "code": code(on[0], 1)}
        assert browser.post("/login/code", data=data).headers["Location"] == "/login"
        assert browser.get("/exports").status_code == 302
    with exporter.at_work() as user:
        accounts.change_password(user, "another long password")
    assert changed.get("/login/code").headers["Location"] == "/login"


def test_a_link_to_choose_a_password_does_not_go_round_it(
    client: Open, exporter: Person, on: tuple[bytes, list[str]]
) -> None:
    with exporter.at_work() as user:
        link = links.made(user)
    browser = client(None)
    data = {"token": link, "password": "another long password", "again": "another long password"}
    answer = post(browser, "/password", f"/password?token={link}", **data)
    assert answer.headers["Location"] == "/login/code"
    assert browser.get("/exports").status_code == 302
    assert enter(browser, code(on[0], 1)) == 303


def test_it_is_turned_off_with_the_password(client: Open, exporter: Person, on: tuple[bytes, list[str]]) -> None:
    browser, own = client(exporter), f"/users/{exporter.id}"
    wrong = post(browser, "/account/second-step/off", own, step_password="wrong")
    assert wrong.status_code == 422
    assert "This is not your password" in check(wrong.get_data(as_text=True)).text
    assert post(browser, "/account/second-step/off", own, step_password=PASSWORD).status_code == 303
    plain = client(None)
    assert post(plain, "/login", "/login", email=exporter.email, password=PASSWORD).headers["Location"] == "/exports"
    with exporter.at_work() as user:
        assert (user.totp_secret, user.totp_step, user.recovery_hashes) == (None, None, [])
    assert kinds(exporter)[-2:] == ["user.second_step_off", "login.ok"]


def test_an_admin_takes_it_off_for_somebody_and_nobody_else_does(
    client: Open, people: People, exporter: Person, on: tuple[bytes, list[str]]
) -> None:
    to = f"/users/{exporter.id}/second-step/reset"
    for person, status in ((people.manager, 403), (people.stranger, 404)):
        assert post(client(person), to, "/models").status_code == status
    admin = client(people.admin)
    assert "Take off" in admin.get(f"/users/{exporter.id}/edit").get_data(as_text=True)
    assert post(admin, to, f"/users/{exporter.id}/edit").status_code == 303
    assert "Take off" not in admin.get(f"/users/{exporter.id}/edit").get_data(as_text=True)
    with exporter.at_work() as user:
        assert user.totp_secret is None
        entry = db.session.scalars(select(AuditEntry).where(AuditEntry.action == "user.second_step_reset")).one()
        assert (entry.actor, entry.object_id) == (people.admin.email, str(exporter.id))
        mail = db.session.scalars(select(Mail).where(Mail.kind == "second_step_reset")).one()
        parts = rendered(mail, Recipient(mail.recipient, mail.user_id))
    assert (mail.recipient, parts.subject) == (exporter.email, "Your second step is off")
    assert f"has taken off the second step of {exporter.email}" in parts.text
    assert f"/users/{exporter.id}\n" in parts.text
    assert "/password?token=" not in parts.text


def test_while_it_is_set_up_the_session_holds_the_secret_sealed(client: Open, exporter: Person, app: Flask) -> None:
    page = client(exporter).get("/account/second-step").get_data(as_text=True)
    spelled = re.search(r'id="secret">([A-Z2-7 ]+)<', page)
    assert spelled is not None
    secret = base64.b32decode(spelled[1].replace(" ", ""))
    with app.app_context(), db.engine.connect() as connection:
        kept = b"".join(row[0] for row in connection.execute(select(LoginSession.data)))
    assert b"second_step_secret" in kept
    assert not any(one in kept for one in (secret, secret.hex().encode(), spelled[1].replace(" ", "").encode()))


def test_a_wrong_code_does_not_turn_it_on(client: Open, exporter: Person) -> None:
    browser = client(exporter)
    answer = post(browser, "/account/second-step", "/account/second-step", code="000000")
    assert answer.status_code == 422
    assert check(answer.get_data(as_text=True)).text.count("This is not the code of this moment") == 2
    with exporter.at_work() as user:
        assert not second_step.is_on(user)


def test_who_has_it_on_sets_up_no_other(client: Open, exporter: Person, on: tuple[bytes, list[str]]) -> None:
    browser = client(exporter)
    assert browser.get("/account/second-step").headers["Location"] == f"/users/{exporter.id}"
    data = {"csrf_token": token(browser, f"/users/{exporter.id}"), "code": "000000"}
    assert browser.post("/account/second-step", data=data).status_code == 303
    with exporter.at_work() as user:
        assert user.totp_secret is not None
        assert on[0].hex().encode() not in user.totp_secret


def test_a_secret_that_cannot_be_opened_lets_nobody_in_and_says_why(
    client: Open, exporter: Person, on: tuple[bytes, list[str]], app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser = half_in(client, exporter)
    settings = app.config["SETTINGS"]
    other = (Fernet.generate_key().decode(),)
    monkeypatch.setitem(app.config, "SETTINGS", replace(settings, credential_keys=other))
    assert enter(browser, code(on[0], 1)) == 503
    both = (*other, *settings.credential_keys)
    monkeypatch.setitem(app.config, "SETTINGS", replace(settings, credential_keys=both))
    with exporter.at_work():
        assert second_step.rotate() == 1
        db.session.commit()
    monkeypatch.setitem(app.config, "SETTINGS", replace(settings, credential_keys=other))
    assert enter(browser, code(on[0], 1)) == 303


def test_the_code_of_a_moment_ago_still_counts(client: Open, exporter: Person, clock: Clock) -> None:
    secret, _codes = set_up(client(exporter))
    clock.set((BEGIN + timedelta(minutes=5)).isoformat())
    assert enter(half_in(client, exporter), code(secret, 9)) == 303
