"""What a page costs: SQL statements, bytes of HTML, and all that a first visit transfers (SPEC section 14)."""

from __future__ import annotations

import gzip
import re
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

import pytest
from flask import Flask
from sqlalchemy import Engine, event

from tests.fix_app import stores
from tests.fix_things import Things, address, rules
from tests.webapp.test_routes import is_api
from webapp import config, create_app, static_files
from webapp.extensions import db
from webapp.models import Export

if TYPE_CHECKING:
    from flask.testing import FlaskClient

    from tests.fix_app import People, Person
    from tests.fix_exports import Exports

Open = Callable[["Person | None"], "FlaskClient"]

MOST_STATEMENTS: Final = 12
MOST_HTML: Final = 60_000
MOST_FIRST_VISIT: Final = 150_000
STEPS: Final = ("model", "localization", "filters", "fields", "file", "schedule", "target", "check")
LISTS: Final = ("q=export", "q=ex", "status=Failed", "sort=name", "runs=1", "runs=1&sort=name", "owner=mine")


@contextmanager
def statements() -> Iterator[list[str]]:
    """The SQL that is sent meanwhile."""
    sent: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        sent.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        event.remove(Engine, "before_cursor_execute", note)


@pytest.fixture
def filled(people: People, made: Exports) -> None:
    """A page of finished exports with long names."""
    first = made.finished(people.exporter, f"export {'of the Spring campaign for all of our stores'}")
    with people.exporter.at_work():
        one = db.session.get_one(Export, first.id)
        for number in range(60):
            db.session.add(
                Export(
                    name=f"{one.name} {number}", model=one.model, owner_id=one.owner_id, created_by_id=one.owner_id,
                    latest_run_id=one.latest_run_id, create_token=uuid.uuid4(),
                )
            )  # fmt: skip
        db.session.commit()


def test_no_page_asks_the_database_more_than_twelve_times(
    app: Flask,
    client: Open,
    people: People,
    things: Things,
    filled: None,
) -> None:
    browser = client(people.admin)
    browser.get("/exports")  # a session that was not used for a while is written down once
    own = client(people.exporter)
    own.get("/exports")
    shown = [rule for rule in rules(app) if "GET" in (rule.methods or ()) and not is_api(rule.endpoint)]
    asked = [(own if "/drafts/" in rule.rule else browser, address(rule, things)) for rule in shown]
    asked += [(own, f"/drafts/{things.draft}/{step}") for step in STEPS]
    asked += [(own, f"/exports?{query}") for query in LISTS]
    asked += [(own, f"/exports/{things.repeated}{tab}") for tab in ("", "/logs", "/schedule")]
    over, heavy = {}, {}
    for visitor, at in asked:
        with statements() as sent:
            answer = visitor.get(at)
            answer.close()
            size = len(gzip.compress(answer.data)) if answer.mimetype == "text/html" else 0
        told = (404, 410, 503) if at == "/readyz" else (404, 410)  # no scheduler goes round here, and it says so
        assert answer.status_code < 400 or answer.status_code in told, at
        is_file = answer.headers.get("Content-Disposition", "").startswith("attachment")
        if len(sent) > MOST_STATEMENTS and not is_file:  # a download writes down how it began and how it ended
            over[at] = [len(sent), *sent]
        if size > MOST_HTML:
            heavy[at] = size
    assert over == {}
    assert heavy == {}


def test_a_first_visit_transfers_less_than_150_kb(
    app_settings: dict[str, str], client: Open, people: People, filled: None
) -> None:
    static_files.build()
    started = create_app(config.read(app_settings)).test_client()  # it finds the compressed copies as it starts
    browser, sent = client(people.exporter), 0
    encodings = {"Accept-Encoding": "gzip, deflate, br"}
    page = browser.get("/exports", headers=encodings)
    sent += len(page.data)
    needed = set(re.findall(r'(?:href|src)="(/static/[^"]+)"', page.get_data(as_text=True)))
    assert len(needed) >= 5
    for one in needed:
        answer = started.get(one, headers=encodings)
        assert answer.status_code == 200
        sent += len(answer.data)
        answer.close()
    assert sent < MOST_FIRST_VISIT


def test_a_page_of_the_list_asks_as_often_for_fifty_rows_as_for_one(
    client: Open, people: People, made: Exports
) -> None:
    made.finished(people.exporter, "One")
    browser = client(people.viewer)
    browser.get("/exports")
    with statements() as for_one:
        browser.get("/exports")
    with people.exporter.at_work() as user:
        from webapp.services import exports

        for number in range(20):
            exports.create(user, stores(name=f"Another {number}"), uuid.uuid4())
    made.fail(made.claim())
    with statements() as for_many:
        browser.get("/exports")
    assert len(for_many) <= len(for_one) + 2  # the latest files of those whose newest run has none, and the clock
