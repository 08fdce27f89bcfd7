"""The same request twice, at the same moment: one export, one run (F39)."""

from __future__ import annotations

import re
import threading
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import psycopg
from sqlalchemy import func, select

from tests.fix_app import People, Person, stores
from tests.fix_pages import check
from tests.fix_workshop import until
from webapp.extensions import db
from webapp.models import ApiToken, CustomField, Export, Mail, Run, User, Webhook
from webapp.services import exports, runs

if TYPE_CHECKING:
    from flask.testing import FlaskClient
    from werkzeug.test import TestResponse

Open = Callable[["Person | None"], "FlaskClient"]

TIMES = 4


def at_once(person: Person, press: Callable[[], uuid.UUID]) -> set[uuid.UUID]:
    """Press a button several times at the same moment; what came of it."""
    ready = threading.Barrier(TIMES)

    def pressed(_number: int) -> uuid.UUID:
        ready.wait()
        with person.at_work():
            return press()

    with ThreadPoolExecutor(TIMES) as threads:
        return set(threads.map(pressed, range(TIMES)))


def test_create_pressed_several_times_at_once_makes_one_export_with_one_run(people: People) -> None:
    token = uuid.uuid4()

    def press() -> uuid.UUID:
        return exports.create(db.session.get_one(User, people.exporter.id), stores(), token).id

    assert len(at_once(people.exporter, press)) == 1
    with people.viewer.at_work():
        assert db.session.scalar(select(func.count()).select_from(Export)) == 1
        assert db.session.scalar(select(func.count()).select_from(Run)) == 1


def test_run_now_pressed_several_times_at_once_makes_one_run(people: People) -> None:
    token = uuid.uuid4()
    with people.exporter.at_work() as user:
        export_id = exports.create(user, stores(), uuid.uuid4()).id

    def press() -> uuid.UUID:
        user = db.session.get_one(User, people.exporter.id)
        return runs.request_run(user, db.session.get_one(Export, export_id), token).id

    assert len(at_once(people.exporter, press)) == 1
    with people.viewer.at_work():
        assert db.session.scalar(select(func.count()).select_from(Run)) == 2


# --- forms that are sent twice: both requests have looked whether it is there before one of them makes it

WAITING = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"


def sent_twice(
    app_database: str, table: str, browsers: list[FlaskClient], url: str, page: str, data: dict[str, Any]
) -> list[TestResponse]:
    """Send a form from every browser, and let nothing into the table before each of them wants to write there."""

    def send(browser: FlaskClient, csrf: str) -> TestResponse:
        return browser.post(url, data={"csrf_token": csrf, **data})

    tokens = [check(browser.get(page).text).inputs["csrf_token"] for browser in browsers]
    with ThreadPoolExecutor(len(browsers)) as threads, psycopg.connect(app_database, autocommit=True) as sql:
        with psycopg.connect(app_database) as holding:
            holding.execute(f"LOCK TABLE {table} IN SHARE MODE")  # type: ignore[arg-type]
            answers = [threads.submit(send, *one) for one in zip(browsers, tokens, strict=True)]
            until(lambda: sql.execute(WAITING).fetchone() == (len(browsers),), "all of them wait to write")
        return [one.result() for one in answers]


def test_a_new_token_that_is_asked_for_twice_at_once_is_one_and_shown_once(
    client: Open, people: People, app_database: str
) -> None:
    browsers = [client(people.exporter) for _ in range(2)]
    asked = {"token": str(uuid.uuid4()), "name": "Nightly import", "scopes": ["exports:read"], "days": "30"}
    answers = sent_twice(app_database, "api_tokens", browsers, "/account/tokens", "/account/tokens/new", asked)
    assert [one.status_code for one in answers] == [200, 200]
    secrets = [found for one in answers for found in re.findall(r'id="secret">(exports_[^<]+)<', one.text)]
    assert len(secrets) == 1
    assert sum("This token was made already" in check(one.text).text for one in answers) == 1
    with people.exporter.at_work():
        assert db.session.scalars(select(ApiToken.ending)).all() == [secrets[0][-4:]]


def test_somebody_who_is_invited_twice_at_once_is_invited_once(client: Open, people: People, app_database: str) -> None:
    browsers = [client(people.admin) for _ in range(2)]
    ann = {"email": "ann@maple.example", "name": "Ann", "role": "exporter"}
    answers = sent_twice(app_database, "users", browsers, "/users", "/users/new", ann)
    assert sorted(one.status_code for one in answers) == [303, 422]
    refused = next(one for one in answers if one.status_code == 422)
    assert "ann@maple.example has an account already" in check(refused.text).text
    with people.admin.at_work():
        assert db.session.scalar(select(func.count()).where(User.email == "ann@maple.example")) == 1
        assert db.session.scalar(select(func.count(Mail.id))) == 1


def test_a_webhook_that_is_made_twice_at_once_is_one_and_its_secret_shown_once(
    client: Open, people: People, app_database: str
) -> None:
    browsers = [client(people.admin) for _ in range(2)]
    asked = {"id": str(uuid.uuid4()), "url": "https://hooks.example/", "events": ["failed"], "on": "1", "switched": "1"}
    answers = sent_twice(app_database, "webhooks", browsers, "/webhooks", "/webhooks/new", asked)
    assert sorted(one.status_code for one in answers) == [201, 303]
    assert {one.headers.get("Location") for one in answers} == {None, f"/webhooks/{asked['id']}"}
    with people.admin.at_work():
        assert db.session.scalar(select(func.count(Webhook.id))) == 1


def test_a_custom_field_that_is_made_twice_at_once_is_one(client: Open, people: People, app_database: str) -> None:
    browsers = [client(people.admin) for _ in range(2)]
    size = {"model": "customers", "field": "shoe_size", "label": "Shoe size", "type": "integer", "column": "properties"}
    answers = sent_twice(app_database, "custom_fields", browsers, "/fields", "/fields/new", size)
    assert sorted(one.status_code for one in answers) == [303, 422]
    refused = next(one for one in answers if one.status_code == 422)
    assert "Customers has a field shoe_size already" in check(refused.text).text
    with people.admin.at_work():
        assert db.session.scalar(select(func.count(CustomField.id))) == 1
