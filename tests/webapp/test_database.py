"""Connections to our own database: a restart of it goes unnoticed (RELIABILITY section 2), statements stay prepared."""

from __future__ import annotations

import itertools
import os
import select as select_
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

import psycopg
import pytest
from sqlalchemy import Connection, create_engine, event, func, literal, select, update
from sqlalchemy.exc import DataError, DBAPIError, OperationalError

from jobs import runs
from tests.fix_pages import check
from tests.fix_workshop import until
from webapp import database
from webapp.extensions import db
from webapp.models import Brand
from webapp.models.base import system_scope

if TYPE_CHECKING:
    from flask import Flask
    from flask.testing import FlaskClient

    from tests.fix_api import Program
    from tests.fix_app import People, Person

Open = Callable[["Person | None"], "FlaskClient"]
Start = Callable[..., "Program"]


def test_a_page_answers_after_the_database_has_ended_our_connections(app: Flask, client: Open, people: People) -> None:
    browser = client(people.exporter)
    assert browser.get("/exports").status_code == 200
    with app.app_context():
        url = db.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    others = """
          FROM pg_stat_activity
         WHERE datname = current_database() AND usename = current_user AND pid <> pg_backend_pid()
    """
    with psycopg.connect(url, autocommit=True) as connection:
        ended = connection.execute(f"SELECT pg_terminate_backend(pid) {others}").fetchall()
        assert (True,) in ended, "there was nothing to lose"
        until(lambda: not connection.execute(f"SELECT pid {others}").fetchall(), "the connections are gone")
    assert browser.get("/exports").status_code == 200


def test_a_connection_that_waited_for_long_is_asked_whether_it_lives(
    app: Flask, client: Open, people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A network that has forgotten it says nothing: here its socket is closed behind the back of who waits for it."""
    monkeypatch.setattr(database, "LONG_S", 0.0)
    browser = client(people.exporter)
    assert browser.get("/exports").status_code == 200
    with app.app_context():
        connection = db.engine.raw_connection()
        with socket.socket(fileno=os.dup(connection.driver_connection.fileno())) as behind:
            behind.shutdown(socket.SHUT_WR)
        connection.close()
    assert browser.get("/exports").status_code == 200


def test_statements_stay_prepared_from_one_request_to_the_next(app: Flask, client: Open, people: People) -> None:
    browser = client(people.exporter)
    for _ in range(20):  # psycopg prepares what a connection is asked more than five times
        assert browser.get("/exports").status_code == 200
    with app.app_context(), ExitStack() as opened:
        waiting = [opened.enter_context(db.engine.connect()) for _ in range(db.engine.pool.checkedin())]
        wanted = "SELECT statement FROM pg_prepared_statements"
        prepared = [one for connection in waiting for one in connection.exec_driver_sql(wanted).scalars()]
    assert any("FROM sessions" in one for one in prepared)
    assert any("FROM exports" in one for one in prepared)


@pytest.mark.parametrize("read_first", [False, True])
def test_what_was_written_and_not_committed_is_not_kept(app: Flask, people: People, read_first: bool) -> None:
    changed = update(Brand).values(time_zone="Asia/Tokyo")
    with app.app_context(), system_scope():
        before = db.session.scalars(select(Brand.time_zone)).all()
        db.session.close()
        if read_first:
            db.session.scalars(select(Brand.name)).all()
        db.session.execute(changed)
        db.session.scalars(select(Brand.name)).all()
        db.session.close()
        assert db.session.scalars(select(Brand.time_zone)).all() == before
        with db.engine.connect() as connection:
            connection.execute(changed)
        assert db.session.scalars(select(Brand.time_zone)).all() == before


def test_an_error_amid_reading_leaves_a_connection_that_can_be_used(app: Flask, people: People) -> None:
    with app.app_context(), system_scope():
        with pytest.raises(DataError):
            db.session.execute(select(literal(1) / literal(0)))
        db.session.close()
        assert db.session.scalars(select(Brand.name)).all()


@contextmanager
def without_database(app: Flask) -> Iterator[None]:
    """As long as it lasts nobody listens where the database was."""
    with app.app_context(), pytest.MonkeyPatch.context() as patched:
        gone = create_engine("postgresql+psycopg://nobody@127.0.0.1:9/none")
        patched.setitem(db._app_engines[app], None, gone)
        patched.setattr(app, "testing", False)
        yield
        gone.dispose()


def test_without_a_database_a_page_says_so_and_the_person_stays_signed_in(
    app: Flask, client: Open, people: People
) -> None:
    browser = client(people.exporter)
    assert browser.get("/exports").status_code == 200
    with without_database(app):
        response = browser.get("/exports?q=stores")
        assert response.status_code == 503
        check(response.text)
        assert "The service cannot answer at this moment" in response.text
        assert "Try again in a moment." in response.text
        assert 'href="/exports?q=stores"' in response.text
        assert "Set-Cookie" not in response.headers
        part = browser.get("/exports/live?ids=", headers={"HX-Request": "true"})
        assert (part.status_code, part.text) == (
            503,
            "The service cannot answer at this moment. Try again in a moment.",
        )
    assert browser.get("/exports").status_code == 200


def test_without_a_database_a_visitor_and_a_program_are_told(
    app: Flask, client: Open, program: Start, people: People
) -> None:
    visitor, mine = client(None), program(people.viewer)
    with without_database(app):
        page = visitor.get("/login", headers={"Accept-Language": "de"})
        assert page.status_code == 503
        check(page.text)
        assert "Der Dienst kann im Augenblick nicht antworten<" in page.text
        answer = mine.get("/models")
        assert (answer.status_code, answer.get_json(force=True)["code"]) == (503, "request.unavailable")
        assert visitor.get("/healthz").status_code == 200


@contextmanager
def ending(app: Flask, *, before: int) -> Iterator[None]:
    """As long as it lasts the server ends a connection just before so many statements of a test were asked."""
    asked = itertools.count(1)
    with app.app_context():
        engine = db.engine
    url = engine.url.set(drivername="postgresql").render_as_string(hide_password=False)

    def end(connection: Connection, *_statement: object) -> None:
        if next(asked) == before:
            pid = connection.connection.driver_connection.info.backend_pid
            with psycopg.connect(url, autocommit=True) as other:
                other.execute("SELECT pg_terminate_backend(%s)", [pid])
                wanted = "SELECT pid FROM pg_stat_activity WHERE pid = %s"
                until(lambda: not other.execute(wanted, [pid]).fetchall(), "the connection is gone")

    event.listen(engine, "before_cursor_execute", end)
    try:
        yield
    finally:
        event.remove(engine, "before_cursor_execute", end)


@pytest.mark.parametrize("address", ["/exports", "/exports?q=a"])
def test_a_connection_that_is_lost_amid_a_page_ends_in_a_page(
    app: Flask, client: Open, people: People, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    browser = client(people.exporter)
    assert browser.get(address).status_code == 200
    monkeypatch.setattr(app, "testing", False)
    with ending(app, before=2):
        response = browser.get(address)
    assert response.status_code == 503
    check(response.text)
    assert "The service cannot answer at this moment" in response.text
    assert response.headers["X-Frame-Options"] == "DENY"
    assert "default-src" in response.headers["Content-Security-Policy"]
    assert browser.get(address).status_code == 200


@pytest.mark.parametrize("end", ["rollback", "close", "remove"])
def test_a_session_whose_connection_was_lost_can_be_ended(app: Flask, people: People, end: str) -> None:
    with app.app_context(), system_scope():
        with ending(app, before=2):
            db.session.execute(update(Brand).values(time_zone="Asia/Tokyo"))
            with pytest.raises(OperationalError):
                db.session.scalars(select(Brand.name)).all()
        getattr(db.session, end)()
        assert db.session.scalars(select(Brand.name)).all()


def test_a_job_publishes_by_another_connection_when_one_was_lost(app: Flask, people: People) -> None:
    tries = []

    def settle() -> None:
        tries.append(db.session.scalars(select(Brand.name)).all())
        db.session.scalars(select(Brand.time_zone)).all()

    with app.app_context(), system_scope(), ending(app, before=2):
        runs.publish(None, settle)  # type: ignore[arg-type]  # it does not look at the run
    assert len(tries) == 2


def test_a_transaction_that_was_idle_for_too_long_ends_in_an_error_that_is_expected(app: Flask, people: People) -> None:
    """As claiming has it, which sets the time by a SELECT."""
    with app.app_context(), system_scope():
        db.session.scalar(select(func.set_config("idle_in_transaction_session_timeout", "1", True)))
        connection = db.session.connection().connection.driver_connection
        until(lambda: select_.select([connection.fileno()], [], [], 0)[0], "the server has ended it")
        with pytest.raises(DBAPIError):
            db.session.rollback()
        db.session.remove()
        assert db.session.scalars(select(Brand.name)).all()
