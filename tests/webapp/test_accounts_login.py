"""Login and logout (SPEC section 10, RELIABILITY T8, T9, S7)."""

from __future__ import annotations

import json
import re
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median
from threading import Barrier

import pytest
import redis
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update

from tests.fix_app import People, Person
from tests.fix_logins import PASSWORD, log_in, token
from tests.fix_pages import check
from webapp import tries
from webapp.extensions import db
from webapp.models import AuditEntry, User
from webapp.models.accounts import new_token
from webapp.way_back import own_path

HOSTILE = json.loads((Path(__file__).parents[1] / "data" / "hostile_inputs.json").read_text())
Open = Callable[[Person | None], FlaskClient]


def actions(person: Person) -> list[tuple[str, str]]:
    """What the audit log of the person's brand says, oldest first."""
    with person.at_work():
        wanted = select(AuditEntry.action, AuditEntry.actor).order_by(AuditEntry.number)
        return [(action, actor) for action, actor in db.session.execute(wanted.select_from(AuditEntry))]


def test_email_and_password_open_the_list(client: Open, exporter: Person) -> None:
    browser = client(None)
    assert log_in(browser, exporter.email, PASSWORD)[:2] == (303, "/exports")
    assert browser.get("/exports").status_code == 200
    assert actions(exporter) == [("login.ok", exporter.email)]


def test_the_email_may_be_written_in_any_case(client: Open, exporter: Person) -> None:
    assert log_in(client(None), f" {exporter.email.upper()} ", PASSWORD)[0] == 303


def test_a_login_begins_a_session_of_its_own(client: Open, exporter: Person) -> None:
    browser = client(None)
    browser.get("/login")
    before = browser.get_cookie("exports_session") or browser.get_cookie("__Host-exports_session")
    log_in(browser, exporter.email, PASSWORD)
    after = browser.get_cookie(before.key) if before else None
    assert before
    assert after
    assert before.value != after.value
    thief = client(None)
    thief.set_cookie(before.key, before.value)
    assert thief.get("/exports").status_code == 302


def test_a_wrong_password_and_an_unknown_email_are_told_the_same(client: Open, exporter: Person) -> None:
    wrong = log_in(client(None), exporter.email, "wrong")
    unknown = log_in(client(None), "nobody@maple.example", "wrong")
    assert wrong[0] == unknown[0] == 422
    blank = re.compile(r'value="[^"]*"')
    assert blank.sub("", wrong[2]) == blank.sub("", unknown[2])
    found = check(wrong[2])
    assert found.title.startswith("Error: ")
    assert found.text.count("The email or the password is not right") == 2
    assert 'value="wrong"' not in wrong[2]
    assert "wrong" not in found.text
    assert exporter.email in wrong[2]
    assert actions(exporter) == [("login.failed", exporter.email)]


def test_an_empty_form_says_what_is_missing_twice(client: Open, people: People) -> None:
    status, _, page = log_in(client(None), "", "")
    assert status == 422
    found = check(page)
    for sentence in ("Enter your email address", "Enter your password"):
        assert found.text.count(sentence) == 2
    assert {"#email", "#password"} <= set(found.links)


@pytest.mark.parametrize("email", ["a\x00b@maple.example", "x" * 300 + "@maple.example", "\ud800@maple.example", "'--"])
def test_what_cannot_be_an_email_is_nobody_too(client: Open, people: People, email: str) -> None:
    browser = client(None)
    data = {"csrf_token": token(browser), "email": email.encode(errors="surrogatepass"), "password": "wrong"}
    assert browser.post("/login", data=data).status_code == 422


def test_a_disabled_user_is_nobody(client: Open, exporter: Person) -> None:
    browser = client(None)
    log_in(browser, exporter.email, PASSWORD)
    with exporter.at_work():
        db.session.execute(update(User).where(User.id == exporter.id).values(disabled_at=db.func.now()))
        db.session.commit()
    assert browser.get("/exports").status_code == 302
    assert log_in(client(None), exporter.email, PASSWORD)[0] == 422


def test_a_changed_token_ends_every_session_of_the_user(client: Open, exporter: Person) -> None:
    browsers = [client(None), client(None)]
    for browser in browsers:
        log_in(browser, exporter.email, PASSWORD)
    with exporter.at_work() as user:
        user.token = new_token()
        db.session.commit()
    assert [browser.get("/exports").status_code for browser in browsers] == [302, 302]


def test_the_sixth_failure_in_fifteen_minutes_is_refused_even_with_the_right_password(
    client: Open, exporter: Person
) -> None:
    assert [log_in(client(None), exporter.email, "wrong")[0] for _ in range(6)] == [422] * 5 + [429]
    status, _, page = log_in(client(None), exporter.email, PASSWORD)
    assert status == 429
    assert "Too many failed tries. Wait 15 minutes, then try again." in check(page).text
    kinds = [action for action, _ in actions(exporter)]
    assert kinds == ["login.failed"] * 5 + ["login.limited"]


def test_an_address_is_refused_whatever_accounts_it_tries(client: Open, exporter: Person) -> None:
    emails = [f"person{number}@maple.example" for number in range(5)]
    assert {log_in(client(None), email, "wrong")[0] for email in emails} == {422}
    assert log_in(client(None), exporter.email, PASSWORD)[0] == 429


def test_of_twenty_guesses_at_once_five_are_looked_at(app: Flask, client: Open, exporter: Person) -> None:
    """Each from an address of its own, so that the account's limit alone is in the way; then the other way round."""
    browsers = [client(None) for _ in range(20)]
    forms = [token(browser) for browser in browsers]
    begin = Barrier(len(browsers))

    def guess(number: int, email: str, address: str) -> int:
        data = {"csrf_token": forms[number], "email": email, "password": f"guess {number}"}
        begin.wait()
        return browsers[number].post("/login", data=data, environ_base={"REMOTE_ADDR": address}).status_code

    with ThreadPoolExecutor(len(browsers)) as threads:
        of_one = list(threads.map(guess, range(20), [exporter.email] * 20, [f"198.51.100.{n}" for n in range(20)]))
        assert Counter(of_one) == {422: 5, 429: 15}
        assert Counter(action for action, _ in actions(exporter)) == {"login.failed": 5, "login.limited": 1}
        by_one = list(threads.map(guess, range(20), [f"{n}@maple.example" for n in range(20)], ["203.0.113.7"] * 20))
        assert Counter(by_one) == {422: 5, 429: 15}


def test_everybody_behind_one_address_gets_in_at_once(
    client: Open, exporter: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tries, "PATIENCE_S", 60)  # where others compute beside it, a password takes its time
    browsers = [client(None) for _ in range(8)]
    forms = [token(browser) for browser in browsers]
    begin = Barrier(len(browsers))

    def sign_in(number: int) -> int:
        data = {"csrf_token": forms[number], "email": exporter.email, "password": PASSWORD}
        begin.wait()
        return browsers[number].post("/login", data=data).status_code

    with ThreadPoolExecutor(len(browsers)) as threads:
        assert Counter(threads.map(sign_in, range(8))) == {303: 8}
    assert Counter(action for action, _ in actions(exporter)) == {"login.ok": 8}, "nobody was refused"


def test_an_address_that_is_refused_locks_out_nobody(client: Open, exporter: Person) -> None:
    for number in range(5):
        log_in(client(None), f"person{number}@maple.example", "wrong")
    assert {log_in(client(None), exporter.email, "wrong")[0] for _ in range(6)} == {429}
    elsewhere = client(None)
    elsewhere.environ_base["REMOTE_ADDR"] = "198.51.100.7"
    assert log_in(elsewhere, exporter.email, PASSWORD)[0] == 303


def test_a_forged_address_does_not_help(app: Flask, exporter: Person) -> None:
    statuses = []
    for number in range(7):
        browser = app.test_client()
        data = {"csrf_token": token(browser), "email": f"{number}@x.example", "password": "wrong"}
        answer = browser.post("/login", data=data, headers={"X-Forwarded-For": f"198.51.100.{number}"})
        statuses.append(answer.status_code)
    assert statuses == [422] * 5 + [429] * 2


def test_logins_that_succeed_do_not_count(client: Open, exporter: Person) -> None:
    assert {log_in(client(None), exporter.email, PASSWORD)[0] for _ in range(8)} == {303}


def test_redis_is_told_neither_email_nor_address(client: Open, exporter: Person, app_settings: dict[str, str]) -> None:
    log_in(client(None), exporter.email, "wrong")
    with redis.Redis.from_url(app_settings["REDIS_URL"]) as store:
        keys = b" ".join(store.keys())
    assert keys.count(b"LIMITS") == 4
    assert b"maple" not in keys
    assert b"127.0.0.1" not in keys


@pytest.mark.slow
def test_knowing_an_account_cannot_be_told_from_the_time(client: Open, exporter: Person, app: Flask) -> None:
    def took(email: str) -> float:
        with redis.Redis.from_url(app.config["SETTINGS"].redis_url) as store:
            store.flushdb()
        browser = client(None)
        data = {"csrf_token": token(browser), "email": email, "password": "wrong"}
        began = time.perf_counter()
        browser.post("/login", data=data)
        return time.perf_counter() - began

    took("warm@maple.example")
    apart: list[float] = []
    for _ in range(4):  # other work on this machine passes, what the answer itself costs does not
        apart += [took(exporter.email) - took("nobody@maple.example") for _ in range(31)]
        if abs(median(apart)) < 0.010:
            return
    raise AssertionError(f"known accounts take {median(apart):.4f} s longer")


def test_without_its_token_the_form_is_refused(client: Open, exporter: Person) -> None:
    browser = client(None)
    assert browser.post("/login", data={"email": exporter.email, "password": PASSWORD}).status_code == 400
    assert browser.get("/exports").status_code == 302


def test_the_token_of_another_session_is_refused(client: Open, exporter: Person) -> None:
    mine, other = client(None), client(None)
    mine.get("/login")
    data = {"csrf_token": token(other), "email": exporter.email, "password": PASSWORD}
    assert mine.post("/login", data=data).status_code == 400


NEXT = [
    one["value"].removeprefix("next=") for one in HOSTILE if one["group"] == "login_session" and "next=" in one["value"]
]
MORE = [
    "//evil.com", "/\\evil.com", "///evil.com", "http://evil.com", "/exports/../../evil", "/exports\r\nX: y", "/logout",
    "/login/nowhere", "/%2f%2fevil.com", "", " /exports", "/exports#x", "/" * 3000,
]  # fmt: skip


@pytest.mark.parametrize("wanted", [*NEXT, *MORE])
def test_a_login_never_leads_away(client: Open, exporter: Person, wanted: str) -> None:
    assert log_in(client(None), exporter.email, PASSWORD, next=wanted)[:2] == (303, "/exports")


@pytest.mark.parametrize("wanted", ["/models", "/exports?q=a%20b&status=Failed", "/exports/new", "/"])
def test_a_login_leads_back_to_the_page_that_was_wanted(client: Open, exporter: Person, wanted: str) -> None:
    browser = client(None)
    response = browser.get(wanted)
    assert response.status_code == 302
    login = response.headers["Location"]
    assert login.startswith("/login?next=")
    way_back = check(browser.get(login).get_data(as_text=True)).inputs["next"]
    assert log_in(client(None), exporter.email, PASSWORD, next=way_back)[:2] == (303, wanted)


def test_the_way_back_of_a_fragment_is_the_page_that_shows_it(client: Open, htmx: dict[str, str]) -> None:
    headers = {**htmx, "HX-Current-URL": "http://localhost/exports?q=milk"}
    response = client(None).get("/exports/live?v=1", headers=headers)
    assert response.status_code == 401
    assert response.headers["HX-Redirect"] == "/login?next=/exports?q%3Dmilk"
    assert "Location" not in response.headers


def test_the_way_back_of_a_form_whose_session_is_over_is_its_page(client: Open, people: People) -> None:
    assert client(None).post("/exports/new").headers["Location"] == "/login?next=/exports/new"


def test_a_lost_draft_is_not_lost(client: Open) -> None:
    draft = "/drafts/11111111-1111-1111-1111-111111111111/filters"
    page = client(None).get("/login", query_string={"next": draft}).get_data(as_text=True)
    assert "You were signed out. Your draft is kept." in page


def test_who_is_logged_in_goes_on(client: Open, people: People) -> None:
    response = client(people.viewer).get("/login?next=/models")
    assert (response.status_code, response.headers["Location"]) == (303, "/models")


def test_signing_out_ends_the_session_at_the_server(client: Open, exporter: Person) -> None:
    browser = client(None)
    log_in(browser, exporter.email, PASSWORD)
    cookie = browser.get_cookie("exports_session") or browser.get_cookie("__Host-exports_session")
    assert cookie
    response = browser.post("/logout", data={"csrf_token": token(browser, "/models")})
    assert (response.status_code, response.headers["Location"]) == (303, "/login")
    kept = client(None)
    kept.set_cookie(cookie.key, cookie.value)
    assert kept.get("/exports").status_code == 302
    assert [action for action, _ in actions(exporter)] == ["login.ok", "logout"]


def test_signing_out_is_no_link(client: Open, people: People) -> None:
    assert client(people.viewer).get("/logout").status_code == 405


def test_the_theme_is_kept_by_the_browser(client: Open, people: People) -> None:
    browser = client(people.viewer)
    assert 'data-theme="system"' in browser.get("/models").get_data(as_text=True)
    data = {"csrf_token": token(browser, "/models"), "theme": "dark", "next": "/models?"}
    response = browser.post("/theme", data=data)
    assert response.headers["Location"] == "/models"
    assert '<html lang="en" data-bs-theme="dark" data-theme="dark">' in browser.get("/models").get_data(as_text=True)
    browser.post("/theme", data={**data, "theme": "<script>"})
    assert 'data-theme="dark"' in browser.get("/models").get_data(as_text=True)


def test_paths_of_our_own_are_told_from_others(app: Flask) -> None:
    with app.test_request_context("/"):
        assert own_path("/exports?after=x%0d%0ay") == "/exports?after=x%0d%0ay"
        assert own_path(None) == "/exports"
