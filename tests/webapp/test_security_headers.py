"""What every answer of a deployment tells browsers: HTTPS alone, nothing foreign, nothing guessed, nothing kept."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import time_machine

from tests.fix_pages import check, parse
from webapp.errors import SENTENCES
from webapp.services import accounts

if TYPE_CHECKING:
    from flask import Flask
    from flask.testing import FlaskClient

    from tests.fix_app import People, Person
    from tests.fix_exports import Exports

Open = Callable[["Person | None"], "FlaskClient"]
ROOT = Path(__file__).parents[2]
HTTPS = "https://exports.example"
YEAR_S = 365 * 24 * 3600


def addresses(browser: FlaskClient, run: object) -> Iterator[str]:
    """One of each sort of answer: pages, errors, redirects, files, fragments, JSON, static files."""
    yield from ("/exports", "/login", "/nothing/here", "/", "/healthz", "/readyz", f"/runs/{run}/download")
    yield from ("/exports/live", "/settings", "/webhooks", "/metrics")
    page = browser.get("/exports", base_url=HTTPS).text
    yield from set(re.findall(r'"(/static/[^"]+)"', page))


def test_every_answer_says_what_a_browser_may_do_with_it(client: Open, people: People, made: Exports) -> None:
    run = made.finished(people.admin).run_id
    browser = client(people.admin)
    for at in addresses(browser, run):
        with browser.get(at, base_url=HTTPS, headers={"Origin": "https://evil.example"}) as answer:
            told = answer.headers
            age = re.fullmatch(r"max-age=(\d+); includeSubDomains", told["Strict-Transport-Security"])
            assert age, at
            assert int(age[1]) >= YEAR_S, at
            for part in ("default-src 'none'", "object-src 'none'", "base-uri 'none'", "frame-ancestors 'none'"):
                assert part in told["Content-Security-Policy"], at
            assert "unsafe" not in told["Content-Security-Policy"], at
            assert told["X-Content-Type-Options"] == "nosniff", at
            assert told["Referrer-Policy"] == "no-referrer", at
            assert "Access-Control-Allow-Origin" not in told, at
            kind = told.get("Content-Type", "")
            if answer.data and kind.startswith(("text/", "application/json")):
                assert kind.startswith("application/json") or "charset=utf-8" in kind, at
            if not at.startswith("/static/"):
                assert "no-store" in told["Cache-Control"], at
            assert not {"Server", "X-Powered-By"} & set(told.keys()), at


def test_the_cookie_of_a_session_is_for_this_host_over_https_and_no_script(
    client: Open, people: People, made: Exports
) -> None:
    browser = client(None)
    page = browser.get("/login", base_url=HTTPS)
    (cookie,) = page.headers.getlist("Set-Cookie")
    name, _, attributes = cookie.partition("=")
    assert name == "__Host-exports_session"
    for wanted in ("Secure", "HttpOnly", "SameSite=Lax", "Path=/"):
        assert wanted in attributes.split("; "), wanted
    assert "Domain" not in attributes
    assert len(attributes.split(";")[0]) >= 22, "128 bits at least"


@pytest.mark.parametrize("method", ["TRACE", "TRACK", "PUT", "DELETE", "PATCH"])
def test_no_other_method_does_anything(client: Open, people: People, method: str) -> None:
    assert client(people.admin).open("/exports", method=method).status_code == 405


def test_what_nobody_foresaw_is_told_without_what_it_was(
    app: Flask, client: Open, people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app, "testing", False)
    monkeypatch.setitem(app.config, "PROPAGATE_EXCEPTIONS", False)

    def broken(*_: object, **__: object) -> object:
        raise RuntimeError("SELECT secret FROM vault")

    monkeypatch.setattr("webapp.views.settings.settings.of", broken)
    response = client(people.admin).get("/settings")
    assert response.status_code == 500
    assert SENTENCES[500][0] in check(response.text).text
    assert not re.search("Traceback|RuntimeError|SELECT|vault", response.text)
    assert app.debug is False


def test_passwords_are_typed_hidden_pasted_and_taken_as_they_are(client: Open, people: People) -> None:
    for at in ("/login", f"/users/{people.viewer.id}"):
        page = client(None if at == "/login" else people.viewer).get(at).text
        inputs = re.findall(r"<input[^>]*password[^>]*>", page)
        assert inputs
        assert all('type="password"' in one and "onpaste" not in one for one in inputs)
        assert 'autocomplete="off"' not in "".join(inputs)
    for password in (
        "a" * 12,
        "   spaces at both ends  ",
        "Ünïcödé-密码-🙂🙂🙂🙂",
        "x" * 64,
        "y" * accounts.MAX_PASSWORD,
    ):
        hashed = accounts.hash_password(password)
        assert hashed.startswith("$argon2id$")
        assert accounts._hasher.verify(hashed, password)
        for other in (password[:-1], password.swapcase(), password.strip()):
            if other != password:
                with pytest.raises(Exception, match="match"):
                    accounts._hasher.verify(hashed, other)


def test_no_pattern_is_made_of_what_somebody_typed() -> None:
    """A pattern is a text of the code; what varies in one is escaped, or is of the code itself."""
    loose = []
    for folder in ("exports", "webapp", "jobs"):
        for path in (ROOT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                is_pattern = isinstance(node, ast.Call) and ast.unparse(node.func).startswith("re.") and node.args
                if path.parent == ROOT / "webapp/words" or path == ROOT / "exports/delivery/answers.py":
                    continue  # made of the sentences of the code, and of names of files: both escaped
                if is_pattern and not _is_of_the_code(node.args[0]):  # type: ignore[attr-defined]
                    loose.append(f"{path.relative_to(ROOT)}: {ast.unparse(node)[:90]}")
    assert loose == []


def _is_of_the_code(node: ast.expr) -> bool:
    if isinstance(node, ast.JoinedStr):
        return all(_is_of_the_code(part.value) for part in node.values if isinstance(part, ast.FormattedValue))
    if isinstance(node, ast.BinOp):
        return _is_of_the_code(node.left) and _is_of_the_code(node.right)
    if isinstance(node, ast.Call):
        return ast.unparse(node.func) in ("re.escape", "map") or "re.escape" in ast.unparse(node)
    return isinstance(node, ast.Constant) or (
        isinstance(node, ast.Name | ast.Attribute) and ast.unparse(node).isupper()
    )


def test_the_menu_of_every_page_signs_out(client: Open, people: People) -> None:
    for at in ("/exports", "/models", f"/users/{people.viewer.id}"):
        assert "/logout" in {form.get("action") for form in parse(client(people.viewer).get(at).text).forms}


def test_a_session_is_over_after_30_minutes_without_use_and_after_12_hours_of_it(client: Open, people: People) -> None:
    begun = datetime.now(UTC)
    browser, idle = client(people.viewer), client(people.viewer)

    def is_in(one: FlaskClient, after: timedelta) -> bool:
        with time_machine.travel(begun + after, tick=True):
            return one.get("/exports").status_code == 200

    minutes = timedelta(minutes=1)
    assert is_in(idle, 29 * minutes)
    assert not is_in(idle, 60 * minutes)
    used = [is_in(browser, number * minutes) for number in range(1, 12 * 60, 25)]
    assert all(used), "used again and again it lives"
    assert not is_in(browser, timedelta(hours=12, seconds=5))
