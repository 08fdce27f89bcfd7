"""How long a session lives, and that a password over its cap costs nothing (RELIABILITY T8, T9)."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

import time_machine

from tests.fix_logins import PASSWORD, log_in
from webapp.extensions import db
from webapp.models.accounts import LoginSession
from webapp.services import accounts

if TYPE_CHECKING:
    from flask import Flask
    from flask.testing import FlaskClient

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
