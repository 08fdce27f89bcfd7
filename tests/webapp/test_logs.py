"""Log lines cannot be forged by what they tell of, hold no secret, and say which request or run they tell of (T20)."""

from __future__ import annotations

import json
import logging
import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import select

from webapp import logs
from webapp.extensions import db
from webapp.models import AuditEntry

if TYPE_CHECKING:
    from flask import Flask
    from flask.testing import FlaskClient

    from tests.fix_app import People, Person
    from tests.fix_exports import Exports

Open = Callable[["Person | None"], "FlaskClient"]


def line(form: str, message: str, *arguments: object, error: BaseException | None = None) -> str:
    """The text of one record."""
    raised = (type(error), error, error.__traceback__) if error else None
    return logs.formatter(form).format(logging.LogRecord("x", logging.INFO, "f", 1, message, arguments, raised))


class Lines(logging.Handler):
    """The lines that were written, as a collector reads them."""

    def __init__(self) -> None:
        super().__init__()
        self.setFormatter(logs.formatter("json"))
        self.found: list[dict[str, Any]] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep it."""
        self.found.append(json.loads(self.format(record)))


@pytest.fixture
def written() -> Iterator[list[dict[str, Any]]]:
    """Lines of the loggers that tell of requests and runs."""
    handler = Lines()
    loggers = [logging.getLogger(name) for name in ("access", "jobs", "exports")]
    before = [one.level for one in loggers]
    for one in loggers:
        one.addHandler(handler)
        one.setLevel(logging.INFO)
    yield handler.found
    for one, level in zip(loggers, before, strict=True):
        one.removeHandler(handler)
        one.setLevel(level)


FORGED = "a\nERROR forged\r\x1b[31m\x00\u2028\x7f"


def test_a_message_is_one_line_of_printable_characters() -> None:
    told = line("text", "name: %s", FORGED).split(" ", 1)[1]
    assert told == "info x name: a\\nERROR forged\\r\\x1b[31m\\x00\\u2028\\x7f"
    as_json = line("json", "name: %s", FORGED)
    assert as_json.isprintable()
    assert json.loads(as_json)["message"] == f"name: {FORGED}"
    assert list(json.loads(as_json)) == ["at", "level", "logger", "message"]


def test_an_error_is_told_with_its_traceback_and_forges_no_line() -> None:
    try:
        raise ValueError("first\x1b[31m\n2026-01-01 ERROR forged")
    except ValueError as error:
        text, as_json = (line(form, "fell over", error=error) for form in ("text", "json"))
    assert "ValueError: first\\x1b[31m" in text
    assert "\x1b" not in text
    assert "Traceback" in json.loads(as_json)["exception"]
    assert "\n" not in as_json


@pytest.mark.parametrize("form", logs.FORMATS)
def test_no_line_holds_a_secret(form: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "_hidden", [])
    logs.hide(["s3cret-by-its-value", "short"])
    told = line(form, "s3cret-by-its-value at redis://:hunter2@cache/0 password=%s in a shorter text", "hunter2")
    assert "hunter2" not in told
    assert "s3cret" not in told
    assert "shorter" in told, "what could be a part of a word is left"


def test_every_thread_of_a_run_says_which_run_it_is_about() -> None:
    told: list[str] = []
    with logs.of_run(run="4711"):
        thread = threading.Thread(target=lambda: told.append(line("json", "beat")))
        thread.start()
        thread.join()
    assert json.loads(told[0])["run"] == "4711"
    assert "run" not in json.loads(line("json", "after it"))


def test_what_happens_to_a_run_is_told_with_its_id(
    app: Flask, people: People, made: Exports, written: list[dict[str, Any]]
) -> None:
    from jobs import runs

    export = made.create(people.exporter)
    with app.app_context():
        runs.execute()
    told = [one for one in written if one["logger"] == "jobs.runs"]
    assert [(one["run"], one["export"]) for one in told] == [(str(export.run_id), str(export.id))]


def test_a_request_is_one_line_without_what_was_asked(
    client: Open, people: People, written: list[dict[str, Any]]
) -> None:
    browser = client(people.viewer)
    for at in ("/exports?search=secret-name", "/password?token=secret-link", "/healthz"):
        with browser.get(at) as response:  # written when the last byte has been handed over
            assert response.status_code in (200, 410)
    first, second = written
    assert (first["method"], first["path"], first["status"], first["user"]) == (
        "GET", "/exports", 200, str(people.viewer.id),
    )  # fmt: skip
    assert first["ms"] > 0
    assert len(first["request"]) == 32
    assert second["path"] == "/password"
    assert first["request"] != second["request"]
    assert "secret" not in json.dumps(written)


@pytest.mark.parametrize(
    ("proxies", "given", "taken"),
    [
        (1, "1a2b3c4d-0000-4000-8000-1234567890ab", True),
        (0, "1a2b3c4d-0000-4000-8000-1234567890ab", False),
        (1, "short", False),
        (1, "x" * 129, False),
        (1, 'a" onload="alert(1)', False),
        (1, "12345678\u2028forged", False),
    ],
)
def test_the_id_of_a_proxy_in_front_is_kept_and_nothing_else(
    app: Flask, client: Open, people: People, written: list[dict[str, Any]], proxies: int, given: str, taken: bool
) -> None:
    before = app.config["SETTINGS"]
    app.config["SETTINGS"] = replace(before, trusted_proxies=proxies)
    try:
        headers = {"X-Request-ID": given.encode().decode("latin-1")}
        client(people.viewer).get("/settings", headers=headers).close()
    finally:
        app.config["SETTINGS"] = before
    assert (written[-1]["request"] == given) == taken
    with people.viewer.at_work():
        entry = db.session.scalars(select(AuditEntry)).one()
        assert entry.action == "access.denied"
        assert entry.request == written[-1]["request"]


def test_what_the_limiter_refuses_is_a_line_too(client: Open, written: list[dict[str, Any]]) -> None:
    browser = client(None)
    for _ in range(7):
        found = re.search(r'name="csrf_token" value="([^"]+)"', browser.get("/login").text)
        assert found
        data = {"csrf_token": found[1], "email": "nobody@maple.example", "password": "x" * 12}
        browser.post("/login", data=data).close()
    posts = [one for one in written if one["method"] == "POST"]
    assert [one["status"] for one in posts] == [422] * 5 + [429] * 2
    assert len({one["request"] for one in posts}) == 7
