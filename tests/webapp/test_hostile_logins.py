"""Hostile logins and sessions: each entry of the group login_session is answered as the list says (RELIABILITY 5)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

import pytest
from sqlalchemy import func, select

from tests.fix_hostile import group
from tests.fix_logins import PASSWORD, log_in, token
from tests.webapp.test_config import PRODUCTION
from webapp.config import SettingError, read
from webapp.extensions import db
from webapp.models import Export, User

if TYPE_CHECKING:
    from flask.testing import FlaskClient

    from tests.fix_app import People, Person

Open = Callable[["Person | None"], "FlaskClient"]
VALUES: Final = [value for value, _ in group("login_session")]
COOKIES: Final = ("exports_session", "__Host-exports_session")


def leads_nowhere(browser: FlaskClient, exporter: Person, value: str) -> None:
    """A way back that is none of ours leads to the list."""
    assert log_in(browser, exporter.email, PASSWORD, next=value.removeprefix("next="))[:2] == (303, "/exports")
    assert browser.get_cookie("x") is None


def after_logout(browser: FlaskClient, other: FlaskClient, exporter: Person) -> None:
    """The cookie that a thief kept opens nothing after **Sign out**."""
    log_in(browser, exporter.email, PASSWORD)
    kept = next(filter(None, map(browser.get_cookie, COOKIES)))
    assert browser.post("/logout", data={"csrf_token": token(browser, "/models")}).status_code == 303
    other.set_cookie(kept.key, kept.value)
    assert other.get("/exports").headers["Location"].startswith("/login")


def after_disabling(browser: FlaskClient, exporter: Person) -> None:
    """The next request of somebody who was disabled is nobody's."""
    log_in(browser, exporter.email, PASSWORD)
    assert browser.get("/exports").status_code == 200
    with exporter.at_work() as user:
        db.session.get_one(User, user.id).disabled_at = func.now()
        db.session.commit()
    assert browser.get("/exports").headers["Location"].startswith("/login")


def forged(browser: FlaskClient, exporter: Person, csrf: str | None) -> None:
    """A form without its token, or with another session's, changes nothing."""
    log_in(browser, exporter.email, PASSWORD)
    data = {"name": "Forged", "time_zone": "UTC"} | ({"csrf_token": csrf} if csrf else {})
    assert browser.post("/account", data=data).status_code == 400
    with exporter.at_work() as user:
        assert user.name == "Exporter"


def no_default_key() -> None:
    """No installation of its own begins without a secret, or with one that everybody knows."""
    for secret in ("", "dev", "secret", "changeme", "x" * 8):
        with pytest.raises(SettingError, match="SECRET_KEY"):
            read({**PRODUCTION, "SECRET_KEY": secret})


def counted_by_peer(open_: Open) -> None:
    """Whatever a client writes about its own address, its failures are counted at the one it has."""
    statuses = []
    for number in range(7):
        browser = open_(None)
        data = {"csrf_token": token(browser), "email": f"{number}@x.example", "password": "wrong"}
        answer = browser.post("/login", data=data, headers={"X-Forwarded-For": f"203.0.113.{number}, 198.51.100.7"})
        statuses.append(answer.status_code)
    assert statuses == [422] * 5 + [429] * 2


def override_ignored(browser: FlaskClient, exporter: Person) -> None:
    """A method is the one of the request line."""
    log_in(browser, exporter.email, PASSWORD)
    headers = {"X-HTTP-Method-Override": "DELETE", "X-Method-Override": "POST"}
    assert browser.get("/exports", headers=headers, query_string={"_method": "DELETE"}).status_code == 200
    assert browser.get("/logout", headers=headers).status_code == 405
    with exporter.at_work():
        assert db.session.scalar(select(func.count(Export.id))) == 0


@pytest.mark.parametrize("value", VALUES)
def test_each_is_answered_as_the_list_says(client: Open, people: People, exporter: Person, value: str) -> None:
    browser = client(None)
    if value.startswith("next="):
        leads_nowhere(browser, exporter, value)
    elif value == "session cookie after logout":
        after_logout(browser, client(None), exporter)
    elif value.startswith("session cookie of a user disabled"):
        after_disabling(browser, exporter)
    elif value.startswith("session cookie signed"):
        no_default_key()
    elif value == "POST without CSRF token":
        forged(browser, exporter, None)
    elif value == "POST with token of another session":
        forged(browser, exporter, token(client(None)))
    elif value.startswith("X-Forwarded-For"):
        counted_by_peer(client)
    else:
        assert value.startswith("X-HTTP-Method-Override")
        override_ignored(browser, exporter)
