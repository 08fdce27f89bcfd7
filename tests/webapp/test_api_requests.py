"""Requests to the API: who is let in, how errors are told, how many requests there may be."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import pytest
from sqlalchemy import select

from tests.fix_api import Program, token_of
from webapp.extensions import db
from webapp.models import AuditEntry

if TYPE_CHECKING:
    from flask import Flask
    from flask.testing import FlaskClient

    from tests.fix_app import People, Person
    from tests.fix_exports import Exports

Open = Callable[["Person | None"], "FlaskClient"]
Start = Callable[..., Program]


@pytest.mark.parametrize(
    ("header", "code"),
    [
        ("", "token.missing"),
        ("Bearer", "token.invalid"),
        ("Bearer exports_unknown", "token.invalid"),
        ("Bearer " + "x" * 3_000, "token.invalid"),
        ("Bearer exports_árvíz", "token.invalid"),
        ("Basic {}", "token.invalid"),
    ],
)
def test_who_has_no_token_is_told_which_would_do(client: Open, people: People, header: str, code: str) -> None:
    headers = {"Authorization": header.format(token_of(people.viewer))} if header else {}
    response = client(None).get("/api/v1/exports", headers=headers)
    assert response.status_code == 401
    assert response.json is not None
    assert response.json["code"] == code
    error = ', error="invalid_token"' if headers else ""
    assert response.headers["WWW-Authenticate"] == f'Bearer realm="exports"{error}'


def test_a_token_is_good_for_its_scopes_alone(program: Start, people: People, made: Exports) -> None:
    export = made.finished(people.exporter)
    asked = {
        "exports:read": ("GET", f"/exports/{export.id}"),
        "exports:write": ("POST", f"/exports/{export.id}/clone"),
        "runs:write": ("POST", f"/exports/{export.id}/runs"),
        "files:download": ("GET", f"/runs/{export.run_id}/download"),
    }
    for scope in asked:
        mine = program(people.exporter, scope)
        for wanted, (method, at) in asked.items():
            response = mine.ask(method, f"/api/v1{at}", **({"json": {}} if method == "POST" else {}))
            if wanted == scope:
                assert response.status_code < 300
            else:
                assert response.get_json(force=True)["code"] == "token.scope"
                assert f'scope="{wanted}"' in response.headers["WWW-Authenticate"]


ERRORS: Final[list[tuple[str, str, dict[str, Any], int, str]]] = [
    ("GET", "/api/v1/nothing", {}, 404, "access.not_found"),
    ("GET", "/api/nothing", {}, 404, "access.not_found"),
    ("GET", "/api/v1/exports/no-id", {}, 404, "access.not_found"),
    ("DELETE", "/api/v1/exports", {}, 405, "request.method"),
    ("GET", "/api/v1/models/no-model", {}, 404, "access.not_found"),
    ("POST", "/api/v1/exports", {"data": b"{", "content_type": "application/json"}, 400, "request.unreadable"),
    ("POST", "/api/v1/exports", {"data": b"\xff", "content_type": "application/json"}, 400, "request.unreadable"),
    ("POST", "/api/v1/exports", {"data": b"{}", "content_type": "text/plain"}, 415, "request.media_type"),
    ("POST", "/api/v1/exports", {"data": b""}, 415, "request.media_type"),
    ("POST", "/api/v1/exports", {"json": "x" * 2_000_000}, 413, "request.too_large"),
    ("POST", "/api/v1/exports", {"json": {}}, 422, "definition.refused"),
    ("POST", "/api/v1/exports", {"json": {}, "headers": {"Idempotency-Key": "é"}}, 400, "request.key"),
    ("POST", "/api/v1/exports", {"json": {}, "headers": {"Idempotency-Key": "x" * 201}}, 400, "request.key"),
    ("POST", "/api/v1/exports", {"json": {}, "headers": {"Content-Encoding": "gzip"}}, 415, "request.media_type"),
    ("GET", "/api/v1/exports?limit=201", {}, 422, "request.parameters"),
    ("GET", "/api/v1/exports?limit=1_0", {}, 422, "request.parameters"),
    ("GET", "/api/v1/exports?limit=1&limit=2", {}, 422, "request.parameters"),
    ("GET", "/api/v1/exports?search=%00", {}, 422, "request.parameters"),
    ("GET", "/api/v1/exports?sort=password", {}, 422, "request.parameters"),
    ("GET", "/api/v1/exports?frobnicate=1", {}, 422, "request.parameters"),
    ("GET", "/api/v1/exports?after=-1", {}, 422, "request.parameters"),
]


def test_errors_are_told_in_one_form(program: Start, people: People) -> None:
    mine = program(people.exporter)
    for method, at, options, status, code in ERRORS:
        response = mine.ask(method, at, **dict(options))
        told = response.get_json(force=True)
        assert (response.status_code, told["code"]) == (status, code), at
        if status == 405:
            assert set(response.headers["Allow"].split(", ")) == {"GET", "HEAD", "OPTIONS", "POST"}
        if code == "request.parameters":
            assert told["errors"][0]["at"] in at


def test_a_fault_of_ours_has_a_number_and_no_trace(
    app: Flask, program: Start, people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = program(people.viewer)
    monkeypatch.setattr(app, "testing", False)
    monkeypatch.setitem(app.view_functions, "api.list_models", app.view_functions["api.get_model"])
    response = mine.get("/models")  # the view misses its argument
    told = response.get_json(force=True)
    assert (response.status_code, told["code"], len(told["request"])) == (500, "request.failed", 32)
    assert "TypeError" not in response.get_data(as_text=True)


def test_every_answer_says_how_many_requests_are_left_until_there_are_none(
    app: Flask, program: Start, people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(app.config, "SETTINGS", replace(app.config["SETTINGS"], api_limit=3))
    mine, other = program(people.exporter), program(people.exporter)
    left = [int(mine.get(at).headers["RateLimit-Remaining"]) for at in ("/exports", "/models", "/exports?limit=0")]
    assert left == [2, 1, 0]
    for _ in range(3):
        response = mine.get("/exports")
        assert (response.status_code, response.get_json(force=True)["code"]) == (429, "rate.limited")
        assert 1 <= int(response.headers["Retry-After"]) <= 61
        assert response.headers["RateLimit-Limit"] == "3"
    assert other.get("/exports").status_code == 200, "another token has its own"
    with people.exporter.at_work():
        kept = db.session.scalars(select(AuditEntry).where(AuditEntry.action == "rate.limited")).all()
        assert [(one.actor, one.result, one.facts["token"]) for one in kept] == [
            (people.exporter.email, "denied", "Nightly import")
        ], "once in its minute"


def test_an_address_that_guesses_is_stopped_and_a_token_from_there_is_not(program: Start, people: People) -> None:
    nobody, mine = program(None), program(people.viewer)
    statuses = [nobody.get("/exports").status_code for _ in range(62)]
    assert statuses == [401] * 60 + [429] * 2
    assert mine.get("/exports").status_code == 200
