"""API tokens: made by people and the operator, shown once, acting with the present rights of whom they act as."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

import pytest
from sqlalchemy import select

from tests.fix_api import Program, token_of
from tests.fix_pages import check
from webapp.extensions import db
from webapp.models import ApiToken, AuditEntry, User
from webapp.services import people as staff
from webapp.services import tokens

if TYPE_CHECKING:
    from click.testing import Result
    from flask import Flask
    from flask.testing import FlaskClient
    from werkzeug.test import TestResponse

    from tests.fix_app import Clock, People, Person
    from tests.fix_exports import Exports

Open = Callable[["Person | None"], "FlaskClient"]
Start = Callable[..., Program]


def form(browser: FlaskClient) -> dict[str, Any]:
    """The form of a new token as it comes, filled in."""
    inputs = check(browser.get("/account/tokens/new").get_data(as_text=True)).inputs
    around = {name: inputs[name] for name in ("csrf_token", "token")}
    return {**around, "name": "Nightly import", "scopes": ["exports:read", "runs:write"], "days": "30"}


def make(browser: FlaskClient, **changes: Any) -> TestResponse:
    """Fill in the form and send it."""
    return browser.post("/account/tokens", data={**form(browser), **changes})


def secret_in(response: TestResponse) -> str:
    """The secret that a page shows."""
    found = re.search(r'id="secret">(exports_[A-Za-z0-9_-]{43})<', response.get_data(as_text=True))
    assert found is not None
    return found[1]


def entries(person: Person, *kinds: str) -> list[AuditEntry]:
    """What the audit log says of these."""
    with person.at_work():
        wanted = select(AuditEntry).where(AuditEntry.action.in_(kinds)).order_by(AuditEntry.number)
        return list(db.session.scalars(wanted))


def revoke(browser: FlaskClient, id_: uuid.UUID) -> TestResponse:
    """Press Revoke."""
    return browser.post(f"/tokens/{id_}/revoke", data={"csrf_token": form(browser)["csrf_token"]})


def only(person: Person) -> ApiToken:
    """The one token that there is."""
    with person.at_work():
        return db.session.scalars(select(ApiToken)).one()


def test_a_token_is_made_shown_once_and_works(app: Flask, client: Open, people: People) -> None:
    browser = client(people.viewer)
    response = make(browser)
    secret = secret_in(response)
    assert check(response.get_data(as_text=True)).title == "Nightly import – Exports"
    assert response.headers["Cache-Control"] == "no-store"
    assert Program(client(None), secret).get("/exports").status_code == 200
    kept = only(people.viewer)
    assert kept.scopes == ["exports:read", "runs:write"]
    assert secret.endswith(kept.ending)
    assert secret.encode() not in kept.hash
    profile = browser.get(f"/users/{people.viewer.id}").get_data(as_text=True)
    assert secret not in profile
    assert f"Nightly import ends in {kept.ending} , made today" in check(profile).text
    made = entries(people.viewer, "token.created")
    assert [(one.actor, one.facts["name"], one.facts["days"]) for one in made] == [
        (people.viewer.email, "Nightly import", 30)
    ]
    assert secret not in str(made[0].facts)


def test_a_second_click_makes_no_second_token_and_shows_no_secret(client: Open, people: People) -> None:
    browser = client(people.exporter)
    filled = form(browser)
    browser.post("/account/tokens", data=filled)
    again = check(browser.post("/account/tokens", data=filled).get_data(as_text=True))
    assert "This token was made already" in again.text
    assert only(people.exporter).name == "Nightly import"


REFUSED: Final[list[tuple[dict[str, Any], str, str]]] = [
    ({"name": " "}, "name", "Enter a name"),
    ({"name": "a" * 101}, "name", "The name is longer than 100 characters"),
    ({"name": "a\nb"}, "name", "The name may hold printable characters only"),
    ({"name": "a\x00b"}, "name", "must not hold the character NUL"),
    ({"scopes": []}, "scopes", "Choose at least one thing that it may do"),
    ({"scopes": ["everything"]}, "scopes", "There is no scope"),
    ({"days": "366"}, "days", "A token is valid for 1 to 365 days"),
    ({"days": "-1"}, "days", "A token is valid for 1 to 365 days"),
    ({"more": "1"}, "more", "is no input of this step"),
]


def test_what_cannot_be_is_told_beside_its_input(client: Open, people: People) -> None:
    browser = client(people.exporter)
    for changes, input_, sentence in REFUSED:
        response = make(browser, **changes)
        found = check(response.get_data(as_text=True))
        assert response.status_code == 422, changes
        assert sentence in found.text
        assert f"#{input_}" in found.links
        assert "cannot be made" not in found.text, "whoever looks at the form knows"
    with people.exporter.at_work():
        assert db.session.scalars(select(ApiToken)).all() == []


def test_all_that_cannot_be_is_told_at_once(client: Open, people: People) -> None:
    found = check(make(client(people.exporter), name="", scopes=[], days="0").get_data(as_text=True))
    assert {"#name", "#scopes", "#days"} <= set(found.links)
    for sentence in ("Enter a name", "Choose at least one thing that it may do", "A token is valid for 1 to 365 days"):
        assert sentence in found.text


def test_fifty_are_enough(client: Open, people: People) -> None:
    with people.exporter.at_work() as user:
        for _ in range(50):
            tokens.create(user, tokens.Wanted("Nightly import", ("exports:read",)))
    assert (
        "There are 50 tokens already: revoke one first"
        in check(make(client(people.exporter)).get_data(as_text=True)).text
    )


def test_a_revoked_token_is_none(client: Open, people: People) -> None:
    secret = token_of(people.exporter)
    id_ = only(people.exporter).id
    response = revoke(client(people.exporter), id_)
    assert response.headers["Location"] == f"/users/{people.exporter.id}"
    assert Program(client(None), secret).get("/exports").json["code"] == "token.invalid"  # type: ignore[index]
    revoke(client(people.exporter), id_)
    assert [one.actor for one in entries(people.exporter, "token.revoked")] == [people.exporter.email], "once"
    assert "Nightly import" not in client(people.exporter).get(f"/users/{people.exporter.id}").get_data(as_text=True)


def test_admins_see_and_revoke_all_of_their_brand_and_nobody_else_does(client: Open, people: People) -> None:
    token_of(people.exporter)
    id_ = only(people.exporter).id
    for person in (people.colleague, people.manager, people.stranger):
        assert revoke(client(person), id_).status_code == 404
    page = check(client(people.admin).get("/tokens").get_data(as_text=True))
    assert "Nightly import" in page.text
    assert f"/users/{people.exporter.id}" in page.links
    assert "Nightly import" not in client(people.stranger).get("/tokens").get_data(as_text=True)
    assert revoke(client(people.admin), id_).headers["Location"] == "/tokens"
    assert entries(people.admin, "token.revoked")[0].actor == people.admin.email


def test_it_has_the_rights_that_its_user_has_now(program: Start, people: People, made: Exports) -> None:
    export = made.create(people.exporter)
    mine = program(people.exporter)
    assert mine.post(f"/exports/{export.id}/runs").status_code == 201
    with people.admin.at_work() as admin:
        user = db.session.get_one(User, people.exporter.id)
        staff.change(admin, user, staff.Wanted("Exporter", "viewer"))
    assert mine.get(f"/exports/{export.id}").status_code == 200
    assert mine.post(f"/exports/{export.id}/runs").json["code"] == "access.denied"  # type: ignore[index]
    with people.admin.at_work() as admin:
        staff.disable(admin, db.session.get_one(User, people.exporter.id), {}, staff.PAUSE)
    assert mine.get(f"/exports/{export.id}").json["code"] == "token.invalid"  # type: ignore[index]


def test_who_is_disabled_and_enabled_again_gets_no_token_back(program: Start, people: People) -> None:
    mine, theirs = program(people.exporter), program(people.manager)
    assert mine.get("/exports").status_code == 200
    with people.admin.at_work() as admin:
        user = db.session.get_one(User, people.exporter.id)
        staff.disable(admin, user, {}, staff.PAUSE)
        assert "Nightly import" not in [one.name for one in tokens.of(user)]
        staff.enable(admin, user)
    assert mine.get("/exports").json["code"] == "token.invalid"  # type: ignore[index]
    assert theirs.get("/exports").status_code == 200
    [entry] = entries(people.admin, "token.revoked")
    assert (entry.actor, entry.facts["owner"]) == (people.admin.email, str(people.exporter.id))


def test_it_ends_when_it_was_to_end(program: Start, people: People, clock: Clock) -> None:
    mine = program(people.exporter)
    clock.forward(timedelta(days=90, seconds=-60))
    assert mine.get("/exports").status_code == 200
    clock.forward(timedelta(seconds=61))
    assert mine.get("/exports").json["code"] == "token.invalid"  # type: ignore[index]


def test_the_last_use_is_noted_once_in_a_minute(program: Start, people: People, clock: Clock) -> None:
    mine = program(people.exporter)
    assert only(people.exporter).last_used_at is None
    clock.set("2026-11-23T10:00:00Z")
    mine.get("/exports")
    first = only(people.exporter).last_used_at
    assert first is not None
    clock.forward(timedelta(seconds=50))
    mine.get("/exports")
    assert only(people.exporter).last_used_at == first
    clock.forward(timedelta(seconds=20))
    mine.get("/exports")
    assert only(people.exporter).last_used_at == first + timedelta(seconds=70)


def test_the_audit_log_names_the_token_by_which_somebody_acts(program: Start, people: People, made: Exports) -> None:
    export = made.finished(people.exporter)
    mine = program(people.exporter)
    mine.post(f"/exports/{export.id}/runs")
    mine.get(f"/runs/{export.run_id}/download").close()
    found = entries(people.exporter, "run.requested", "run.downloaded", "run.download_ended")
    by_hand, *by_program = found
    assert "token" not in by_hand.facts
    assert [(one.actor, one.facts["token"]) for one in by_program] == [(people.exporter.email, "Nightly import")] * 3


@pytest.fixture
def command(app: Flask, people: People) -> Callable[..., Result]:
    """`flask token …`."""
    from webapp.cli.token import token

    def ask(*arguments: str) -> Result:
        with app.app_context():
            return app.test_cli_runner().invoke(token, [*arguments, "--brand", "Maple Grocers"])

    return ask


def test_the_operator_makes_lists_and_revokes(client: Open, people: People, command: Callable[..., Result]) -> None:
    made = command("create", people.manager.email, "--name", "From outside", "--scope", "exports:read")
    secret = made.stdout.strip()
    mine = Program(client(None), secret)
    assert mine.get("/exports").status_code == 200
    assert mine.post("/exports", {}).json["code"] == "token.scope"  # type: ignore[index]
    listed = command("list").stdout
    assert people.manager.email in listed
    assert "From outside" in listed
    assert secret not in listed
    command("revoke", str(only(people.manager).id))
    assert mine.get("/exports").status_code == 401
    assert command("list", "--json").stdout == ""
    actors = [one.actor for one in entries(people.manager, "token.created", "token.revoked")]
    assert actors == ["operator (command line)"] * 2


def test_the_operator_is_told_what_is_wrong(people: People, command: Callable[..., Result]) -> None:
    assert "no active user" in command("create", people.stranger.email, "--name", "x").output
    refused = command("create", people.viewer.email, "--name", "\n")
    assert (refused.exit_code, "The token cannot be made: enter a name." in refused.output) == (2, True)
    assert "There is no token" in command("revoke", str(uuid.uuid4())).output
