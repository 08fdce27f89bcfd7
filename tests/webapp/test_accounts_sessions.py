"""How long a session lives, and that a password over its cap costs nothing (RELIABILITY T8, T9)."""

from __future__ import annotations

import functools
import hashlib
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

import pytest
import time_machine

from tests.fix_logins import PASSWORD, log_in, token
from webapp.extensions import db
from webapp.models.accounts import LoginSession
from webapp.services import accounts

if TYPE_CHECKING:
    from flask import Flask
    from flask.testing import FlaskClient
    from werkzeug.test import Cookie

    from tests.fix_app import Person

Open = Callable[["Person | None"], "FlaskClient"]
BEGIN: Final = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)


def signed_in(browser: FlaskClient, person: Person) -> FlaskClient:
    """The browser after a login."""
    assert log_in(browser, person.email, PASSWORD)[0] == 303
    return browser


def test_a_session_ends_after_30_minutes_without_use(client: Open, exporter: Person) -> None:
    with time_machine.travel(BEGIN, tick=False) as clock:
        used, left = (signed_in(client(None), exporter) for _ in range(2))
        for _ in range(2):
            clock.shift(timedelta(minutes=20))
            assert used.get("/exports").status_code == 200
        assert left.get("/exports").headers["Location"].startswith("/login")
        clock.shift(timedelta(minutes=31))
        assert used.get("/exports").headers["Location"].startswith("/login")


def test_a_session_ends_after_12_hours_however_often_it_is_used(client: Open, exporter: Person) -> None:
    with time_machine.travel(BEGIN, tick=False) as clock:
        browser = signed_in(client(None), exporter)
        while (clock_at := datetime.now(UTC)) < BEGIN + timedelta(hours=11, minutes=50):
            clock.shift(timedelta(minutes=25) if clock_at < BEGIN + timedelta(hours=11) else timedelta(minutes=10))
            assert browser.get("/models").status_code == 200, datetime.now(UTC)
        clock.move_to(BEGIN + timedelta(hours=12, seconds=1))
        assert browser.get("/models").headers["Location"].startswith("/login")


def meanwhile(app: Flask, monkeypatch: pytest.MonkeyPatch, endpoint: str, do: Callable[[], object]) -> None:
    """Something happens, once, while a page is being answered, by another thread as it would."""
    view, waiting = app.view_functions[endpoint], [do]

    @functools.wraps(view)
    def answered(*arguments: object, **named: object) -> object:
        if waiting:
            with ThreadPoolExecutor(1) as other:
                other.submit(waiting.pop()).result()
        return view(*arguments, **named)

    monkeypatch.setitem(app.view_functions, endpoint, answered)


def cookie_of(browser: FlaskClient) -> Cookie:
    """The session's cookie."""
    return next(filter(None, map(browser.get_cookie, ("exports_session", "__Host-exports_session"))))


def test_a_late_answer_does_not_undo_a_sign_out(
    app: Flask, client: Open, exporter: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    with time_machine.travel(BEGIN, tick=False) as clock:
        browser, late = signed_in(client(None), exporter), client(None)
        csrf, cookie = token(browser, "/exports"), cookie_of(browser)
        late.set_cookie(cookie.key, cookie.value)
        clock.shift(timedelta(minutes=5))
        meanwhile(app, monkeypatch, "models.index", lambda: browser.post("/logout", data={"csrf_token": csrf}))
        answer = late.get("/models")
        assert answer.status_code == 200
        assert "Set-Cookie" not in answer.headers
        assert browser.get_cookie(cookie.key) is None
        with app.app_context(), db.engine.connect() as connection:
            assert connection.execute(LoginSession.__table__.select()).all() == []  # type: ignore[attr-defined]
        assert late.get("/exports").headers["Location"].startswith("/login")


def test_a_late_answer_does_not_bring_back_the_session_from_before_a_login(
    app: Flask, client: Open, exporter: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    with time_machine.travel(BEGIN, tick=False) as clock:
        browser, late = client(None), client(None)
        token(browser)
        before = cookie_of(browser)
        late.set_cookie(before.key, before.value)
        clock.shift(timedelta(minutes=5))
        meanwhile(app, monkeypatch, "accounts.login", lambda: signed_in(browser, exporter))
        assert "Set-Cookie" not in late.get("/login").headers
        assert late.get("/exports").headers["Location"].startswith("/login")
        assert cookie_of(browser).value != before.value
        assert browser.get("/exports").status_code == 200


def test_a_stolen_table_of_sessions_opens_no_door(app: Flask, client: Open, exporter: Person) -> None:
    browser = signed_in(client(None), exporter)
    cookie = browser.get_cookie("exports_session") or browser.get_cookie("__Host-exports_session")
    assert cookie
    with app.app_context(), db.engine.connect() as connection:
        ids = [row[0] for row in connection.execute(LoginSession.__table__.select())]  # type: ignore[attr-defined]
    value = cookie.value.split(".")[0]
    assert hashlib.sha256(value.encode()).hexdigest() in ids
    assert value not in ids
    thief = client(None)
    for id in ids:
        thief.set_cookie(cookie.key, id)
        assert thief.get("/exports").status_code == 302


def test_a_password_over_its_cap_is_not_hashed(exporter: Person) -> None:
    def took(password: str) -> float:
        began = time.perf_counter()
        assert not accounts.verify(user, password)
        return time.perf_counter() - began

    with exporter.at_work() as user:
        took("warm")
        hashed = min(took("x" * accounts.MAX_PASSWORD) for _ in range(3))
        refused = min(took("x" * 900_000) for _ in range(3))
    assert refused < hashed / 20


def test_a_session_may_hold_characters_that_the_database_has_no_text_for(client: Open, exporter: Person) -> None:
    browser = signed_in(client(None), exporter)
    with browser.session_transaction() as session:
        session["typed"] = "a\x00b\ud800c"
    assert browser.get("/exports").status_code == 200
    with browser.session_transaction() as session:
        assert session["typed"] == "a\x00b\ud800c"
