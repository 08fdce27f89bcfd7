"""The database ends connections when it is restarted: the next page notices nothing (RELIABILITY section 2)."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from typing import TYPE_CHECKING

import psycopg
import pytest

from tests.fix_workshop import until
from webapp import extensions
from webapp.extensions import db

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
    monkeypatch.setattr(extensions, "LONG_S", 0.0)
    browser = client(people.exporter)
    assert browser.get("/exports").status_code == 200
    with app.app_context():
        connection = db.engine.raw_connection()
        with socket.socket(fileno=os.dup(connection.driver_connection.fileno())) as behind:
            behind.shutdown(socket.SHUT_WR)
        connection.close()
    assert browser.get("/exports").status_code == 200
