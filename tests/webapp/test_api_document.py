"""The OpenAPI document says all that the API does, and nothing else; people can read it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, get_args

import pytest
import schemathesis
from jsonschema_rs import Draft202012Validator

from exports.definition import json_schema
from tests.fix_app import stores
from tests.fix_pages import check
from webapp.models.states import STATES
from webapp.models.tokens import SCOPES
from webapp.services.exports.listing import STATUSES
from webapp.views.api import shapes

if TYPE_CHECKING:
    from flask import Flask
    from flask.testing import FlaskClient

    from tests.fix_app import People, Person

Open = Callable[["Person | None"], "FlaskClient"]


@pytest.fixture
def document(client: Open) -> dict[str, Any]:
    """As anybody gets it."""
    response = client(None).get("/api/openapi.json")
    assert response.content_type == "application/json"
    return dict(response.get_json())


def operations(document: dict[str, Any]) -> dict[tuple[str, str], dict[str, Any]]:
    """Every operation by method and path."""
    methods = ("get", "post", "put", "patch", "delete")
    return {
        (name.upper(), at): item[name] for at, item in document["paths"].items() for name in methods if name in item
    }


def test_every_route_is_documented_and_nothing_else_is(app: Flask, document: dict[str, Any]) -> None:
    routes = {
        (method, re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule))
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith("/api/v1/")
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    assert set(operations(document)) == routes


def test_it_is_openapi_and_each_reference_leads_somewhere(document: dict[str, Any]) -> None:
    assert document["openapi"] == "3.1.0"
    assert len(schemathesis.openapi.from_dict(document)) == len(operations(document))
    known = document["components"]["schemas"]
    used = set(re.findall(r'"#/components/schemas/(\w+)"', json.dumps(document)))
    assert used == set(known), "none that leads nowhere, none that nothing leads to"
    for schema in known.values():
        Draft202012Validator({**schema, "components": document["components"]})


def test_each_operation_says_who_may_and_what_may_go_wrong(document: dict[str, Any]) -> None:
    names = [one["operationId"] for one in operations(document).values()]
    assert len(names) == len(set(names))
    for one in operations(document).values():
        assert one["summary"]
        assert one["security"][0]["token"][0] in SCOPES
        assert {"401", "403", "413", "429", "500"} <= set(one["responses"])
        for status, told in one["responses"].items():
            assert told["description"]
            if int(status) >= 400:
                assert list(told["content"]) == ["application/problem+json"]


def test_the_definition_is_the_published_one(document: dict[str, Any]) -> None:
    def plain(schema: Any) -> Any:
        return json.loads(json.dumps(schema).replace("#/components/schemas/", "#/$defs/"))

    published = json_schema()
    parts = published.pop("$defs")
    known = document["components"]["schemas"]
    assert plain(known["Definition"]) == published
    assert {name: plain(known[name]) for name in parts} == parts
    validator = Draft202012Validator({**known["Definition"], "components": document["components"]})
    assert validator.is_valid(stores().as_json())
    assert not validator.is_valid({"name": "Stores"})


def test_statuses_are_the_words_of_the_screen() -> None:
    assert get_args(shapes.ExportStatus) == STATUSES
    assert get_args(shapes.RunStatus) == tuple(one.capitalize() for one in STATES)


@pytest.mark.parametrize("who", ["nobody", "viewer"])
def test_people_can_read_it(client: Open, people: People, document: dict[str, Any], who: str) -> None:
    response = client(None if who == "nobody" else people.viewer).get("/api")
    page = check(response.get_data(as_text=True))
    for method, at in operations(document):
        assert f"{method} {at}" in page.text
    for link in page.links:
        assert not link.startswith("#") or link[1:] in page.ids, link
    assert {"definition.refused", "rate.limited", "Definition", "RunAnswer"} <= set(page.ids)


@pytest.mark.browser
@pytest.mark.parametrize("width", [390, 1280])
def test_it_fits_every_screen(visit: Callable[..., Any], people: People, width: int) -> None:
    with visit(people.exporter, width=width) as visitor:
        visitor.open("/api")
        assert visitor.fits()
        visitor.open(f"/users/{people.exporter.id}")
        visitor.page.get_by_role("link", name="New token").click()
        visitor.page.get_by_label("Name").fill("Nightly import")
        visitor.page.get_by_label("Download files").check()
        visitor.page.get_by_role("button", name="Make the token").click()
        visitor.page.get_by_text("it is shown this once").wait_for()
        assert visitor.fits()
        visitor.page.get_by_role("link", name="To your profile").click()
        visitor.page.get_by_role("button", name="Revoke Nightly import").wait_for()
        assert visitor.fits()
