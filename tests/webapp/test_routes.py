"""Every route, for everybody (RELIABILITY S2): one that is not in the table fails, and so does one without action."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

import flask
import pytest
from flask import Flask
from flask_wtf.csrf import generate_csrf
from sqlalchemy import select

from tests.fix_api import token_of
from tests.fix_pages import check
from tests.fix_things import Things, address, changes, rules
from webapp import views
from webapp.extensions import db
from webapp.models import AuditEntry
from webapp.permissions import ACTIONS, PUBLIC
from webapp.security import declared_action, require_actions

if TYPE_CHECKING:
    from flask.testing import FlaskClient
    from werkzeug.routing import Rule
    from werkzeug.test import TestResponse

    from tests.fix_app import People, Person

Open = Callable[["Person | None"], "FlaskClient"]

ALL: Final = ("admin", "manager", "exporter", "colleague", "viewer", "stranger")
BRAND: Final = ("admin", "manager", "exporter", "colleague", "viewer")
EXPORTERS: Final = ("admin", "manager", "exporter", "colleague")
OWN_OR_MANAGER: Final = ("admin", "manager", "exporter")

ALLOWED: Final[dict[str, tuple[str, ...]]] = {
    "accounts.login": (*ALL, "nobody"),
    "accounts.log_in": (*ALL, "nobody"),
    "accounts.logout": ALL,
    "accounts.profile": BRAND,
    "accounts.theme": ALL,
    "api.cancel_run": OWN_OR_MANAGER,
    "api.change_schedule": OWN_OR_MANAGER,
    "api.clone_export": OWN_OR_MANAGER,
    "api.create_export": (*EXPORTERS, "stranger"),
    "api.download_file": EXPORTERS,
    "api.get_definition": BRAND,
    "api.get_export": BRAND,
    "api.get_model": ALL,
    "api.get_run": BRAND,
    "api.list_exports": ALL,
    "api.list_models": ALL,
    "api.list_runs": BRAND,
    "api.run_export": OWN_OR_MANAGER,
    "api.set_active": OWN_OR_MANAGER,
    "api.set_inactive": OWN_OR_MANAGER,
    "api_document.openapi": (*ALL, "nobody"),
    "api_document.read": (*ALL, "nobody"),
    "audit.export": ("admin", "stranger"),
    "audit.index": ("admin", "stranger"),
    "cloning.clone": OWN_OR_MANAGER,
    "comparing.cancel": OWN_OR_MANAGER,
    "comparing.download": EXPORTERS,
    "comparing.start": EXPORTERS,
    "comparing.status": EXPORTERS,
    "comparing.view": EXPORTERS,
    "connections.accept": OWN_OR_MANAGER,
    "connections.change": OWN_OR_MANAGER,
    "connections.create": (*EXPORTERS, "stranger"),
    "connections.delete": OWN_OR_MANAGER,
    "connections.edit": OWN_OR_MANAGER,
    "connections.index": (*EXPORTERS, "stranger"),
    "connections.keys": ("admin", "stranger"),
    "connections.new": (*EXPORTERS, "stranger"),
    "connections.revoke": ("admin",),
    "connections.test": OWN_OR_MANAGER,
    "connections.tested": OWN_OR_MANAGER,
    "connections.view": OWN_OR_MANAGER,
    "details.again": OWN_OR_MANAGER,
    "details.cancel": OWN_OR_MANAGER,
    "details.cancel_date": OWN_OR_MANAGER,
    "details.definition": BRAND,
    "details.run": OWN_OR_MANAGER,
    "details.status": BRAND,
    "details.upload_again": OWN_OR_MANAGER,
    "details.view": BRAND,
    "downloads.download": EXPORTERS,
    "editing.edit": OWN_OR_MANAGER,
    "editing.versions": BRAND,
    "exports.home": ALL,
    "exports.index": ALL,
    "exports.live": ALL,
    "fields.change": ("admin",),
    "fields.create": ("admin", "stranger"),
    "fields.edit": ("admin",),
    "fields.index": ("admin", "stranger"),
    "fields.new": ("admin", "stranger"),
    "handing_over.form": ("admin", "manager"),
    "handing_over.hand_over": ("admin", "manager"),
    "health.healthz": (*ALL, "nobody"),
    "health.metrics": (),
    "health.readyz": (*ALL, "nobody"),
    "mailbox.html": BRAND,
    "mailbox.index": ALL,
    "mailbox.view": BRAND,
    "models.index": ALL,
    "models.view": ALL,
    "passwords.ask": (*ALL, "nobody"),
    "passwords.change": ALL,
    "passwords.change_profile": ALL,
    "passwords.choose": (*ALL, "nobody"),
    "passwords.forgotten": (*ALL, "nobody"),
    "passwords.save": (*ALL, "nobody"),
    "people.change": ("admin",),
    "people.disable": ("admin",),
    "people.disabling": ("admin",),
    "people.edit": ("admin",),
    "people.enable": ("admin",),
    "people.index": ("admin", "stranger"),
    "people.invite": ("admin", "stranger"),
    "people.new": ("admin", "stranger"),
    "people.send_link": ("admin",),
    "personal.index": ("admin", "stranger"),
    "personal.remove": ("admin",),
    "removing.archive": OWN_OR_MANAGER,
    "removing.delete": OWN_OR_MANAGER,
    "removing.restore": OWN_OR_MANAGER,
    "runs.events": BRAND,
    "runs.logs": BRAND,
    "runs.logs_live": BRAND,
    "runs.status": BRAND,
    "runs.view": BRAND,
    "schedules.change": OWN_OR_MANAGER,
    "schedules.form": OWN_OR_MANAGER,
    "schedules.set_active": OWN_OR_MANAGER,
    "schedules.set_inactive": OWN_OR_MANAGER,
    "schedules.upcoming": OWN_OR_MANAGER,
    "schedules.update": OWN_OR_MANAGER,
    "second_step.ask": (*ALL, "nobody"),
    "second_step.codes": ALL,
    "second_step.enter": (*ALL, "nobody"),
    "second_step.new": ALL,
    "second_step.reset": ("admin",),
    "second_step.turn_off": ALL,
    "second_step.turn_on": ALL,
    "settings.change": ("admin", "stranger"),
    "settings.index": ("admin", "stranger"),
    "several.act": (*EXPORTERS, "stranger"),
    "tokens.create": ALL,
    "tokens.index": ("admin", "stranger"),
    "tokens.new": ALL,
    "tokens.revoke": ("admin", "exporter"),
    "webhooks.change": ("admin",),
    "webhooks.create": ("admin", "stranger"),
    "webhooks.delete": ("admin",),
    "webhooks.edit": ("admin",),
    "webhooks.index": ("admin", "stranger"),
    "webhooks.new": ("admin", "stranger"),
    "webhooks.replace_secret": ("admin",),
    "webhooks.send_again": ("admin",),
    "webhooks.test": ("admin",),
    "webhooks.view": ("admin",),
    "wizard.accept_target": ("exporter",),
    "wizard.autosave": ("exporter",),
    "wizard.begin": (*EXPORTERS, "stranger"),
    "wizard.count": ("exporter",),
    "wizard.create": ("exporter",),
    "wizard.criterion": ("exporter",),
    "wizard.discard": ("exporter",),
    "wizard.hint": ("exporter",),
    "wizard.new": (*EXPORTERS, "stranger"),
    "wizard.options": ("exporter",),
    "wizard.pickable": ("exporter",),
    "wizard.preview": ("exporter",),
    "wizard.save_changes": ("exporter",),
    "wizard.scheduling_form": ("exporter",),
    "wizard.scheduling_next": ("exporter",),
    "wizard.step": ("exporter",),
    "wizard.submit": ("exporter",),
    "wizard.test_target": ("exporter",),
    "wizard.tested_target": ("exporter",),
    "wizard.uploading_form": ("exporter",),
    "wizard.uploading_path": ("exporter",),
    "wizard.why": ("exporter",),
    "wizard.without": ("exporter",),
}
"""Who may use a route, when export, run, draft and connection are the exporter's and the user is nobody of the cast."""


BY_TOKEN: Final = frozenset({"health.metrics"})
"""What asks for a token of the operator, and is not there for people, whoever they are."""
UNALIKE: Final = ("Date", "Set-Cookie", "RateLimit-Remaining", "RateLimit-Reset")
"""Headers that are not alike in two answers to the same."""


def is_api(endpoint: str) -> bool:
    """Whether a route takes tokens and no sessions."""
    return endpoint.startswith("api.")


def opened(client: Open, person: Person | None, endpoint: str) -> FlaskClient:
    """A browser in which the person is logged in; for a route of the API a program with a token of that person."""
    if not is_api(endpoint) or person is None:
        return client(person)
    program = client(None)
    program.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {token_of(person)}"
    return program


def token(browser: FlaskClient) -> str:
    """The token against forged requests, as any page would have it; no page is rendered for it."""
    with browser.session_transaction() as session:
        secret = session.setdefault("csrf_token", "what is signed")
    with browser.application.test_request_context():
        flask.session["csrf_token"] = secret
        return generate_csrf()


def ask(browser: FlaskClient, rule: Rule, at: str, *, forged: bool = False) -> TestResponse:
    """Use a route by its own method."""
    if not changes(rule):
        return browser.get(at)
    if is_api(rule.endpoint):
        return browser.post(at, json={})
    data = {"op": "next", "token": str(uuid.uuid4())}
    if not forged:
        data["csrf_token"] = token(browser)
    return browser.post(at, data=data)


def test_every_route_declares_an_action_that_exists(app: Flask) -> None:
    with app.app_context():
        declared = {rule.endpoint: declared_action(rule.endpoint) for rule in rules(app)}
    assert {name for name, action in declared.items() if action not in (PUBLIC, *ACTIONS)} == set()


def test_a_route_without_a_declared_action_does_not_start(app: Flask) -> None:
    def view() -> str:
        return "anything"

    other = Flask("other")
    other.add_url_rule("/bare", "bare", view)
    with pytest.raises(RuntimeError, match=r"declare no action of webapp/permissions\.py: bare, static"):
        require_actions(other)
    require_actions(app)


def test_every_route_is_in_the_table(app: Flask) -> None:
    assert {rule.endpoint for rule in rules(app)} == set(ALLOWED)


def test_a_route_either_shows_or_changes(app: Flask) -> None:
    both = {rule.endpoint for rule in rules(app) if {"GET", "POST"} <= (rule.methods or set())}
    other = {method for rule in rules(app) for method in rule.methods or ()} - {"GET", "HEAD", "OPTIONS", "POST"}
    assert (both, other) == (set(), set())


def is_login(response: TestResponse) -> bool:
    """Whether somebody is led to the login; a step of the wizard is kept in the login itself (views/again.py)."""
    if response.status_code == 401:
        return (
            re.fullmatch("/drafts/[^/]+/[a-z]+", response.request.path) is not None and 'name="kept"' in response.text
        )
    return response.status_code == 302 and response.headers["Location"].startswith("/login?next=")


def misfit(endpoint: str, who: str, at: str, response: TestResponse, *, has_id: bool) -> str:
    """In what an answer is unlike the table; nothing if it is not."""
    status, location = response.status_code, response.headers.get("Location", "")
    if endpoint in BY_TOKEN:
        fits = status == 404
    elif endpoint == "health.readyz":
        fits = status in (200, 503)  # here no scheduler goes round
    elif who in ALLOWED[endpoint]:
        fits = status not in (401, 403, 404, 405) and status < 500 and "/login?" not in location
    elif who == "nobody" and is_api(endpoint):
        fits = (status, response.mimetype) == (401, "application/problem+json")
    elif who == "nobody":
        fits = is_login(response)
    elif who == "stranger" and has_id:
        fits = status == 404
    else:
        fits = status in (403, 404)
    return "" if fits else f"{who} got {status} from {at} {location}".strip()


def misfits(app: Flask, client: Open, people: People, things: Things, which: Callable[[Rule], bool]) -> list[str]:
    """All of some routes, each asked for by everybody."""
    found = []
    for rule in filter(which, rules(app)):
        at = address(rule, things)
        for who in (*ALL, "nobody"):
            person = None if who == "nobody" else getattr(people, who)
            with ask(opened(client, person, rule.endpoint), rule, at) as response:
                response.get_data()
                found.append(misfit(rule.endpoint, who, at, response, has_id=bool(rule.arguments)))
    return [one for one in found if one]


def test_everybody_is_shown_what_the_table_says(app: Flask, client: Open, people: People, things: Things) -> None:
    assert misfits(app, client, people, things, lambda rule: not changes(rule)) == []


def changing() -> list[str]:
    """The routes after which things are other than before: each needs its own."""
    bare = Flask("bare", static_folder=None)
    views.register(bare)
    return [rule.endpoint for rule in rules(bare) if changes(rule)]


@pytest.mark.parametrize("endpoint", changing())
def test_everybody_changes_what_the_table_says(
    app: Flask, client: Open, people: People, things: Things, endpoint: str
) -> None:
    assert misfits(app, client, people, things, lambda rule: rule.endpoint == endpoint) == []


def test_a_disabled_user_is_nobody_at_once(app: Flask, client: Open, people: People, things: Things) -> None:
    browsers = {rule.endpoint: opened(client, people.exporter, rule.endpoint) for rule in rules(app)}
    with people.exporter.at_work() as user:
        user.disabled_at = db.func.now()
        db.session.commit()
    for rule in rules(app):
        response = ask(browsers[rule.endpoint], rule, address(rule, things))
        if is_api(rule.endpoint):
            assert response.get_json(force=True)["code"] == "token.invalid", rule.endpoint
        elif "nobody" not in ALLOWED[rule.endpoint] and rule.endpoint not in BY_TOKEN:
            assert is_login(response), rule.endpoint


def test_ids_of_another_brand_answer_exactly_as_unknown_ones(
    app: Flask, client: Open, people: People, things: Things
) -> None:
    unknown = Things(*(uuid.uuid4() for _ in range(12)))
    blank = re.compile(r'((?:csrf_token|next)" value=|X-CSRFToken": )"[^"]*"')
    browser, program = client(people.stranger), opened(client, people.stranger, "api.")
    for rule in rules(app):
        if address(rule, things) == rule.rule or rule.endpoint in ("models.view", "api.get_model"):
            continue
        answers = []
        for one in (things, unknown):
            response = ask(program if is_api(rule.endpoint) else browser, rule, address(rule, one))
            headers = sorted((name, value) for name, value in response.headers if name not in UNALIKE)
            answers.append((response.status_code, blank.sub("", response.get_data(as_text=True)), headers))
        assert answers[0] == answers[1], rule.endpoint
        assert answers[0][0] == 404, rule.endpoint


@pytest.mark.parametrize("id_", ["1 OR 1=1", "1%00", "..%2f..%2fetc%2fpasswd", "true", "null", "1", "%F0%9F%99%82"])
def test_what_is_no_id_is_not_there(client: Open, people: People, id_: str) -> None:
    browser = client(people.exporter)
    for at in (f"/exports/{id_}", f"/runs/{id_}/download", f"/users/{id_}", f"/drafts/{id_}/filters"):
        assert browser.get(at).status_code == 404


def test_what_is_asked_for_in_vain_is_written_down(client: Open, people: People, things: Things) -> None:
    client(people.stranger).get(f"/exports/{things.export}")
    client(people.viewer).get(f"/runs/{things.run}/download")
    for person, action in ((people.stranger, "exports.see"), (people.viewer, "exports.download")):
        with person.at_work():
            wanted = select(AuditEntry).where(AuditEntry.action == "access.denied")
            entry = db.session.scalars(wanted).one()
            assert (entry.actor, entry.result, entry.facts["asked"]) == (person.email, "denied", action)


def test_every_post_without_its_token_is_refused_and_written_down(
    app: Flask, client: Open, people: People, things: Things
) -> None:
    posts = [rule for rule in rules(app) if changes(rule) and not is_api(rule.endpoint)]
    for rule in posts:
        assert ask(client(people.exporter), rule, address(rule, things), forged=True).status_code == 400, rule.endpoint
    with people.exporter.at_work():
        kept = db.session.scalars(select(AuditEntry).where(AuditEntry.action == "csrf.failed")).all()
    assert len(kept) == len(posts)


def test_no_session_opens_the_api(app: Flask, client: Open, people: People, things: Things) -> None:
    for rule in rules(app):
        if is_api(rule.endpoint):
            response = ask(client(people.admin), rule, address(rule, things))
            assert response.get_json(force=True)["code"] == "token.missing", rule.endpoint


def test_a_token_opens_no_page(app: Flask, client: Open, people: People, things: Things) -> None:
    program = opened(client, people.admin, "api.")
    assert program.get(f"/exports/{things.export}").headers["Location"].startswith("/login?next=")


def test_another_method_than_the_own_is_refused(client: Open, people: People, things: Things) -> None:
    browser = client(people.exporter)
    for at in (f"/exports/{things.export}/run", f"/runs/{things.run}/cancel", "/logout", "/theme"):
        response = browser.get(at)
        assert response.status_code == 405
        assert "POST" in response.headers["Allow"]
    headers = {"X-HTTP-Method-Override": "DELETE"}
    assert browser.get(f"/exports/{things.export}", headers=headers).status_code == 200


def test_every_page_keeps_to_the_rules(app: Flask, client: Open, people: People, things: Things) -> None:
    pages = 0
    for rule in rules(app):
        if "GET" not in (rule.methods or ()):
            continue
        response = client(people.exporter).get(address(rule, things))
        if response.mimetype != "text/html" or response.status_code != 200:
            continue
        text = response.get_data(as_text=True)
        if rule.endpoint == "mailbox.html":
            assert "style-src 'sha256-" in response.headers["Content-Security-Policy"], "a mail brings its own style"
        elif text.startswith("<!doctype"):
            check(text)
            pages += 1
        else:
            check(text, whole=False)
        policy = response.headers["Content-Security-Policy"]
        assert "unsafe" not in policy
        assert "default-src 'none'" in policy
        assert response.headers["Cache-Control"] == "no-store"
    assert pages >= 6


@pytest.mark.parametrize("step", ["model", "localization", "filters", "fields", "file", "schedule", "target", "check"])
def test_every_step_keeps_to_the_rules(client: Open, people: People, things: Things, step: str) -> None:
    response = client(people.exporter).get(f"/drafts/{things.draft}/{step}")
    assert response.status_code == 200
    check(response.get_data(as_text=True))


@pytest.mark.parametrize("headers", [{}, {"HX-Request": "true"}], ids=["plain", "htmx"])
@pytest.mark.parametrize("who", ["nobody", "viewer"])
def test_what_is_not_there_is_said_in_a_sentence(
    client: Open, people: People, headers: dict[str, str], who: str
) -> None:
    response = client(None if who == "nobody" else people.viewer).get("/nothing/here", headers=headers)
    assert response.status_code == 404
    text = response.get_data(as_text=True)
    if headers:
        assert response.mimetype == "text/plain"
        assert text == "There is nothing here. It may have been deleted, or the address is not right."
    else:
        assert check(text).title == "There is nothing here – Exports"
