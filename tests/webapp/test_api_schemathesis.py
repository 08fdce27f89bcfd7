"""Whatever the OpenAPI document allows, and what it does not: no answer is of our fault, and none is undocumented."""

from __future__ import annotations

import dataclasses
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import pytest
import schemathesis
from hypothesis import given
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.campaigns import campaign, seen
from tests.fix_api import token_of
from tests.fix_app import stores
from webapp.services import exports

if TYPE_CHECKING:
    from flask import Flask

    from tests.fix_app import People
    from tests.fix_exports import Exports

CHECKS: Final[list[Any]] = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
KNOWN: Final = {"stores", "customers"}
OPERATIONS: Final = 13


@dataclass
class Asker:
    """A program of the exporter, and what there is to ask about."""

    schema: Any
    headers: dict[str, str]
    ids: dict[str, list[str]]


@pytest.fixture
def asker(app: Flask, people: People, made: Exports, source_dsn: str, monkeypatch: pytest.MonkeyPatch) -> Asker:
    """Against the application itself, with no limit of requests."""
    monkeypatch.setitem(app.config, "SETTINGS", dataclasses.replace(app.config["SETTINGS"], api_limit=1_000_000))
    finished, failed = made.finished(people.exporter), made.create(people.exporter)
    made.fail(made.claim())
    with people.exporter.at_work() as user:
        daily = exports.create(user, stores(schedule={"type": "repeated", "every": "day"}), uuid.uuid4()).id
    config = schemathesis.Config()
    schema = schemathesis.openapi.from_wsgi("/api/openapi.json", app, config=config)
    ids = {
        "exports": [str(finished.id), str(failed.id), str(daily)],
        "runs": [str(finished.run_id), str(failed.run_id)],
        "models": sorted(KNOWN),
    }
    return Asker(schema, {"Authorization": f"Bearer {token_of(people.exporter)}"}, ids)


def operations(schema: Any) -> list[Any]:
    """What can be asked."""
    found = [one.ok() for one in schema.get_all_operations()]
    assert len(found) >= OPERATIONS
    return sorted(found, key=lambda one: one.label)


EXPECTED: Final = dict.fromkeys(
    (
        "GET /api/v1/exports",
        "GET /api/v1/exports/{id}",
        "GET /api/v1/exports/{id}/definition",
        "GET /api/v1/exports/{id}/runs",
        "POST /api/v1/exports/{id}/runs",
        "GET /api/v1/runs/{id}",
        "GET /api/v1/models",
        "GET /api/v1/models/{id}",
        "POST /api/v1/exports/{id}/inactive",
    ),
    ("2xx",),
)


@campaign("api", short=80, long=20_000, expected=EXPECTED)
@given(data=st.data())
def test_no_answer_is_our_fault_or_undocumented(asker: Asker, data: st.DataObject) -> None:
    operation = data.draw(st.sampled_from(operations(asker.schema)), label="operation")
    mode = data.draw(st.sampled_from([GenerationMode.POSITIVE, GenerationMode.NEGATIVE]), label="mode")
    case = data.draw(_cases(operation, mode))
    kind = operation.path.split("/")[3]
    if "id" in (case.path_parameters or {}) and data.draw(st.integers(0, 3), label="known"):
        case.path_parameters["id"] = data.draw(st.sampled_from(asker.ids[kind]), label="id")
    if case.method == "POST" and isinstance(case.body, dict) and data.draw(st.booleans(), label="of ours"):
        case.body = _mixed(case.body, operation.path)
    response = case.call(headers=asker.headers)
    case.validate_response(response, checks=CHECKS, headers=asker.headers)
    seen(operation.label, f"{response.status_code // 100}xx")


def _cases(operation: Any, mode: GenerationMode) -> st.SearchStrategy[Any]:
    """What schemathesis makes up; an operation that takes nothing cannot be asked in a wrong way."""
    try:
        return operation.as_strategy(generation_mode=mode)  # type: ignore[no-any-return]
    except Exception:
        return operation.as_strategy(generation_mode=GenerationMode.POSITIVE)  # type: ignore[no-any-return]


def _mixed(body: dict[str, Any], path: str) -> dict[str, Any]:
    """A body that gets further: ours, with some members of the drawn one."""
    ours: dict[str, Any] = stores(name=f"Drawn {uuid.uuid4().hex[:6]}").as_json() if path.endswith("/exports") else {}
    kept = {name: value for name, value in body.items() if name in ("file", "schedule", "if_empty", "notify", "name")}
    return {**ours, **kept}
