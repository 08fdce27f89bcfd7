"""Exports by the API: made like those of the wizard, listed, cloned, scheduled; what is asked twice is done once."""

from __future__ import annotations

import json
import threading
import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import func, select

from exports.definition import parse
from jobs import upkeep
from tests.fix_api import Program, token_of
from tests.fix_app import stores
from webapp.extensions import db
from webapp.models import ApiRequest, Connection, Export, Run, User
from webapp.services import exports

if TYPE_CHECKING:
    from pathlib import Path

    from flask import Flask
    from flask.testing import FlaskClient

    from tests.fix_app import Clock, People, Person
    from tests.fix_exports import Exports

Start = Callable[..., Program]
STORES = stores().as_json()
DAILY = {"type": "repeated", "every": "day", "hours": "6", "minutes": "0"}


def count(person: Person, kind: Any) -> int:
    """How many rows of a kind the person's brand has."""
    with person.at_work():
        return db.session.scalar(select(func.count()).select_from(kind)) or 0


def test_it_is_the_export_that_the_wizard_would_have_made(program: Start, people: People) -> None:
    mine = program(people.exporter)
    response = mine.post("/exports", STORES)
    assert response.status_code == 201
    made = response.get_json()
    assert response.headers["Location"] == f"/api/v1/exports/{made['id']}"
    assert (made["name"], made["status"], made["owner"]["name"]) == ("Stores", "Pending", "Exporter")
    assert made["latest_run"]["status"] == "Queued"
    assert mine.get(f"/exports/{made['id']}").get_json() == made | {"latest_run": mine.get(
        f"/runs/{made['latest_run']['id']}").get_json()}  # fmt: skip
    assert parse(mine.get(f"/exports/{made['id']}/definition").get_data()) == stores()


def test_a_refused_definition_says_what_form_and_command_line_say(
    app: Flask, program: Start, people: People, tmp_path: Path, source_dsn: str
) -> None:
    from webapp.cli.export import export

    wrong = {**STORES, "fields": [{"from": "nothing"}], "filters": [], "schedule": {**DAILY, "hours": "25"}}
    file = tmp_path / "definition.json"
    for document in (wrong, {**STORES, "name": 7, "more": True}, {**STORES, "file": {"delimiter": "x"}}):
        response = program(people.exporter).post("/exports", document)
        assert response.status_code == 422
        file.write_text(json.dumps(document))
        with app.app_context():
            told = app.test_cli_runner().invoke(export, ["check", str(file), "--brand", "Maple Grocers"]).stdout
        assert response.get_json(force=True)["errors"] == [json.loads(line) for line in told.splitlines()]
    assert count(people.exporter, Export) == 0


def test_members_of_ours_cannot_be_set(program: Start, people: People) -> None:
    more = {"brand_id": str(people.stranger.brand_id), "owner_id": str(people.admin.id), "status": "Finished"}
    response = program(people.exporter).post("/exports", {**STORES, **more})
    assert {one["at"] for one in response.get_json(force=True)["errors"]} == set(more)
    assert count(people.exporter, Export) == 0


def test_a_server_by_hand_becomes_a_connection_and_its_password_is_told_nowhere(program: Start, people: People) -> None:
    target = {"type": "sftp", "host": "files.example", "username": "us", "password": "canary-4711", "path": "/in/x"}
    mine = program(people.exporter)
    answer = mine.post("/exports", {**STORES, "target": target}, headers={"Idempotency-Key": "once"})
    assert answer.status_code == 201
    definition = mine.get(f"/exports/{answer.get_json()['id']}/definition")
    assert definition.get_json()["target"]["connection"]
    assert "canary" not in definition.get_data(as_text=True) + answer.get_data(as_text=True)
    with people.exporter.at_work():
        kept = db.session.scalars(select(ApiRequest)).one()
        assert "canary" not in f"{kept.answer}{kept.print!r}"
    assert count(people.exporter, Connection) == 1


@pytest.mark.parametrize("path", ["/exports", "/exports/{}/clone", "/exports/{}/runs"])
def test_what_is_asked_twice_with_one_key_is_done_once(
    program: Start, people: People, made: Exports, path: str, clock: Clock
) -> None:
    export = made.create(people.exporter)
    body = STORES if path == "/exports" else {} if path.endswith("clone") else None
    mine, at, kind = program(people.exporter), path.format(export.id), Run if path.endswith("runs") else Export
    before, key = count(people.exporter, kind), {"Idempotency-Key": "4711"}
    first = mine.post(at, body, headers=key)
    assert first.status_code == 201
    clock.forward(timedelta(hours=23))
    again = mine.post(at, body, headers=key)
    assert (again.status_code, again.data, again.headers["Location"]) == (201, first.data, first.headers["Location"])
    assert again.headers["Idempotency-Replayed"] == "true"
    assert "Idempotency-Replayed" not in first.headers
    assert count(people.exporter, kind) == before + 1
    another = mine.post("/exports", {**STORES, "name": "Another"}, headers=key)
    assert (another.status_code, another.get_json(force=True)["code"]) == (422, "request.key_reused")
    program(people.exporter).post(at, body, headers=key)
    assert count(people.exporter, kind) == before + 2, "another token has its own keys"
    clock.forward(timedelta(hours=25))
    assert mine.post(at, body, headers=key).data != first.data
    assert count(people.exporter, kind) == before + 3


@pytest.mark.parametrize("path", ["/exports", "/exports/{}/clone", "/exports/{}/runs"])
@pytest.mark.parametrize(
    ("what", "statuses"),
    [
        ("a viewer", {"/exports": 403, "/exports/{}/clone": 403, "/exports/{}/runs": 403}),
        ("handed over", {"/exports": 201, "/exports/{}/clone": 403, "/exports/{}/runs": 403}),
        ("deleted", {"/exports": 201, "/exports/{}/clone": 404, "/exports/{}/runs": 404}),
    ],
)
def test_an_answer_is_repeated_for_who_may_still_ask_for_it(
    program: Start, people: People, made: Exports, path: str, what: str, statuses: dict[str, int]
) -> None:
    export = made.create(people.exporter)
    body = STORES if path == "/exports" else {} if path.endswith("clone") else None
    mine, at, key = program(people.exporter), path.format(export.id), {"Idempotency-Key": "4711"}
    first = mine.post(at, body, headers=key)
    assert first.status_code == 201
    with people.admin.at_work() as user:
        found = db.session.get_one(Export, export.id)
        if what == "a viewer":
            db.session.get_one(User, people.exporter.id).role = "viewer"
            db.session.commit()
        elif what == "handed over":
            exports.hand_over(user, found, db.session.get_one(User, people.colleague.id))
        else:
            exports.delete(user, found)
    again = mine.post(at, body, headers=key)
    assert again.status_code == statuses[path]
    assert again.status_code == mine.post(at, body).status_code, "a key opens nothing"
    assert (again.headers.get("Idempotency-Replayed") == "true") is (again.status_code == 201)


def test_a_refused_request_may_be_corrected_under_its_key(program: Start, people: People) -> None:
    mine, key = program(people.exporter), {"Idempotency-Key": "4711"}
    assert mine.post("/exports", {**STORES, "name": ""}, headers=key).status_code == 422
    assert mine.post("/exports", STORES, headers=key).status_code == 201


def test_old_keys_are_forgotten(app: Flask, program: Start, people: People, clock: Clock) -> None:
    program(people.exporter).post("/exports", STORES, headers={"Idempotency-Key": "4711"})
    with app.app_context():
        upkeep.tidy()
        assert count(people.exporter, ApiRequest) == 1
        clock.forward(timedelta(hours=25))
        upkeep.tidy()
    assert count(people.exporter, ApiRequest) == 0


def test_requests_that_come_at_the_same_moment_make_one_export(
    app: Flask, client: Callable[[Person | None], FlaskClient], people: People, source_dsn: str
) -> None:
    secret, answers = token_of(people.exporter), []
    barrier = threading.Barrier(4)

    def ask() -> None:
        mine = Program(app.test_client(), secret)
        barrier.wait()
        answers.append(mine.post("/exports", STORES, headers={"Idempotency-Key": "4711"}))

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert {one.status_code for one in answers} == {201}
    assert len({one.get_json()["id"] for one in answers}) == 1
    assert count(people.exporter, Export) == count(people.exporter, Run) == 1


def walk(mine: Program, query: str) -> list[list[str]]:
    """The names on each page of a list."""
    pages, after = [], ""
    while True:
        found = mine.get(f"/exports?{query}{after}").get_json()
        pages.append([one["name"] for one in found["exports"]])
        if found["next"] is None:
            return pages
        after = f"&after={found['next']}"


def test_a_list_is_walked_page_by_page_in_every_order(program: Start, people: People, made: Exports) -> None:
    mine = program(people.viewer)
    for name in "bdace":
        made.create(people.exporter, name)
    assert walk(mine, "limit=2&sort=name") == [["a", "b"], ["c", "d"], ["e"]]
    assert walk(mine, "limit=2&sort=-name") == [["e", "d"], ["c", "b"], ["a"]]
    assert walk(mine, "limit=3&sort=created") == [["b", "d", "a"], ["c", "e"]]
    assert walk(mine, "limit=200") == [["e", "c", "a", "d", "b"]]
    place = mine.get("/exports?limit=2&sort=name").get_json()["next"]
    other = mine.get(f"/exports?limit=2&sort=created&after={place}")
    assert other.get_json(force=True)["errors"][0]["at"] == "after", "a place of another order is none"


def test_a_list_is_searched_and_filtered_as_on_the_page(program: Start, people: People, made: Exports) -> None:
    mine = program(people.exporter)
    failed = made.create(people.colleague, "100 % Failed")
    made.fail(made.claim())
    mine.post("/exports", {**STORES, "name": "Daily stores", "schedule": DAILY})
    waiting = made.create(people.exporter, "Waiting stores")
    with people.manager.at_work() as manager:
        exports.archive(manager, exports.find(waiting.id))  # type: ignore[arg-type]
    asked = {
        "search=STORE": ["Daily stores"],
        "search=%25": [],
        "search=0 %25": ["100 % Failed"],
        "status=Failed": ["100 % Failed"],
        "status=Active": ["Daily stores"],
        "last_run_failed=true": ["100 % Failed"],
        "owner=mine": ["Daily stores"],
        "archived=true": ["Waiting stores"],
        "model=events": [],
    }
    assert {query: walk(mine, query) for query in asked} == {query: [names] for query, names in asked.items()}
    assert mine.get(f"/exports/{failed.id}").get_json()["latest_run"]["error"]["code"] == "source.field_missing"


def test_active_and_inactive(program: Start, people: People, made: Exports) -> None:
    mine = program(people.exporter)
    once = made.create(people.exporter)
    id_ = mine.post("/exports", {**STORES, "schedule": DAILY}).get_json()["id"]
    for word, status in (("inactive", "Inactive"), ("inactive", "Inactive"), ("active", "Active")):
        told = mine.post(f"/exports/{id_}/{word}").get_json()
        assert told["status"] == status
        assert (told["next_run_at"] is None) == (status == "Inactive")
        assert mine.post(f"/exports/{once.id}/{word}").get_json(force=True)["code"] == "export.not_repeated"
    with people.exporter.at_work() as user:
        exports.archive(user, exports.find(uuid.UUID(id_)))  # type: ignore[arg-type]
    assert mine.post(f"/exports/{id_}/active").get_json(force=True)["code"] == "export.archived"


def test_the_schedule_is_changed_as_on_its_tab(program: Start, people: People) -> None:
    mine = program(people.exporter)
    id_ = mine.post("/exports", {**STORES, "schedule": DAILY}).get_json()["id"]
    at = f"/exports/{id_}/schedule"
    changed = mine.post(at, {"schedule": {**DAILY, "hours": "7"}, "version": 1}).get_json()
    assert (changed["version"], changed["next_run_at"][11:16]) == (2, "07:00")
    late = mine.post(at, {"schedule": {**DAILY, "hours": "8"}, "version": 1})
    assert (late.status_code, late.get_json(force=True)["code"]) == (409, "export.version_changed")
    assert mine.post(at, {"schedule": {**DAILY, "hours": "9"}}).get_json()["version"] == 3, "whatever it has"
    refused = {
        "schedule.hours": {"schedule": {**DAILY, "hours": "25"}},
        "schedule.type": {"schedule": {"type": "now"}},
        "schedule": {},
        "version": {"schedule": DAILY, "version": "3"},
        "more": {"schedule": DAILY, "more": 1},
    }
    for where, body in refused.items():
        response = mine.post(at, body)
        assert (response.status_code, response.get_json(force=True)["errors"][0]["at"]) == (422, where)
    with people.exporter.at_work() as user:
        exports.archive(user, exports.find(uuid.UUID(id_)))  # type: ignore[arg-type]
    assert mine.post(at, {"schedule": DAILY}).get_json(force=True)["code"] == "export.archived"


def test_a_clone_is_an_export_of_ones_own(program: Start, people: People, made: Exports) -> None:
    export = made.create(people.exporter)
    mine = program(people.manager)
    copy = mine.post(f"/exports/{export.id}/clone", {}).get_json()
    assert (copy["name"], copy["owner"]["name"]) == ("Stores (copy)", "Manager")
    assert mine.post(f"/exports/{export.id}/clone", {"name": "Ours"}).get_json()["name"] == "Ours"
    refused = mine.post(f"/exports/{export.id}/clone", {"name": 7})
    assert refused.get_json(force=True)["errors"] == [
        {"at": "name", "code": "shape.string_type", "message": "The name must be text"}
    ]
    assert program(people.colleague).post(f"/exports/{export.id}/clone", {}).status_code == 403


def test_models_tell_what_a_definition_may_name(program: Start, people: People) -> None:
    mine = program(people.viewer)
    ids = [one["id"] for one in mine.get("/models").get_json()["models"]]
    assert {"stores", "customers"} <= set(ids)
    assert "rewards" not in [one["id"] for one in program(people.stranger).get("/models").get_json()["models"]]
    fields = {one["id"]: one for one in mine.get("/models/customers").get_json()["fields"]}
    assert "personal" in fields["email"]["flags"]
    assert "contains" in fields["email"]["operators"]
