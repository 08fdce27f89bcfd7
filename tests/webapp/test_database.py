"""Connections to our own database: a restart of it goes unnoticed (RELIABILITY section 2), statements stay prepared."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from typing import TYPE_CHECKING

import psycopg
import pytest
from sqlalchemy import literal, select, update
from sqlalchemy.exc import DataError

from tests.fix_workshop import until
from webapp import database
from webapp.extensions import db
from webapp.models import Brand
from webapp.models.base import system_scope

if TYPE_CHECKING:
    from flask import Flask
    from flask.testing import FlaskClient

    from tests.fix_app import People, Person


def test_a_page_answers_after_the_database_has_ended_our_connections(
    app: Flask, client: Callable[[Person | None], FlaskClient], people: People
) -> None:
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
    app: Flask, client: Callable[[Person | None], FlaskClient], people: People, monkeypatch: pytest.MonkeyPatch
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


def test_statements_stay_prepared_from_one_request_to_the_next(
    app: Flask, client: Callable[[Person | None], FlaskClient], people: People
) -> None:
    browser = client(people.exporter)
    for _ in range(7):  # psycopg prepares what a connection is asked more than five times
        assert browser.get("/exports").status_code == 200
    with app.app_context():
        asked = db.session.connection().exec_driver_sql("SELECT statement FROM pg_prepared_statements")
        prepared = asked.scalars().all()
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
