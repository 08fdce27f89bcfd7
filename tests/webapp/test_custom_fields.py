"""**Custom fields**: made and changed by admins, and from then on in every list of fields."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select

from tests.fix_pages import check
from webapp.extensions import db
from webapp.models import AuditEntry, CustomField
from webapp.services import brands

if TYPE_CHECKING:
    from flask.testing import FlaskClient

    from tests.fix_app import People, Person

Open = Callable[["Person | None"], "FlaskClient"]
SHOE = {"model": "customers", "field": "shoe_size", "label": "Shoe size", "type": "enum", "column": "properties",
        "path": "", "description": "", "choices": "s = Small\nm\n", "personal": "1"}  # fmt: skip


def post(browser: FlaskClient, url: str, data: dict[str, str]) -> tuple[int, str]:
    """Post the form with its token: status and page."""
    found = re.search(r'name="csrf_token" value="([^"]+)"', browser.get("/models").text)
    assert found
    response = browser.post(url, data={"csrf_token": found[1], **data})
    return response.status_code, response.text


def test_a_field_that_is_made_is_there_for_the_brand_alone(client: Open, people: People) -> None:
    assert post(client(people.admin), "/fields", SHOE)[0] == 303
    with people.viewer.at_work() as user:
        field = brands.catalogue_of(user.brand).models["customers"].fields["shoe_size"]
        assert (field.label, field.type, field.column, field.path) == (
            "Shoe size",
            "enum",
            "properties",
            ("shoe_size",),
        )
        assert (field.choices, field.personal, field.custom) == ((("s", "Small"), ("m", "m")), True, True)
    with people.stranger.at_work() as user:
        assert "shoe_size" not in brands.catalogue_of(user.brand).models["customers"].fields
    listed = check(client(people.admin).get("/fields").text).text
    assert "Shoe size" in listed
    assert "dropdown 2 values" in listed, "the type as the wizard calls it"
    assert "dropdown (enum)" in client(people.admin).get("/fields/new").text
    assert "Shoe size" in check(client(people.viewer).get("/models/customers").text).text


def test_a_change_is_written_down_and_what_it_is_a_member_of_stays(client: Open, people: People) -> None:
    browser = client(people.admin)
    post(browser, "/fields", SHOE)
    with people.admin.at_work():
        id_ = db.session.scalars(select(CustomField.id).select_from(CustomField)).one()
    changed = {"label": "Size", "type": "string", "choices": "", "description": "", "column": "tiers", "field": "x"}
    assert post(browser, f"/fields/{id_}", changed)[0] == 303
    with people.admin.at_work():
        row = db.session.scalars(select(CustomField)).one()
        assert (row.label, row.type, row.choices, row.personal) == ("Size", "string", {}, False)
        assert (row.field, row.column) == ("shoe_size", "properties")
        kept = list(db.session.scalars(select(AuditEntry).order_by(AuditEntry.number)))
    assert [one.action for one in kept] == ["field.created", "field.changed"]
    assert kept[1].facts["before"]["label"] == "Shoe size"
    assert post(client(people.stranger), f"/fields/{id_}", changed)[0] == 404


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"field": "Shoe Size"}, "The id: small letters"),
        ({"field": "email"}, "has a field email already"),
        ({"field": "x'; DROP TABLE users; --"}, "The id: small letters"),
        ({"column": "password_hash"}, "Choose the column that holds it"),
        ({"path": "a..b"}, "The path: names with a dot between"),
        ({"label": ""}, "The label needs 1 to 100"),
        ({"type": "reference"}, "Choose a type"),
        ({"choices": ""}, "Write the values that can be chosen"),
        ({"type": "integer"}, "A field of type integer has no choices"),
        ({"model": "nothing"}, "Choose a data model"),
        ({"brand_id": "x"}, "is no input"),
    ],
)
def test_what_cannot_be_a_field_is_told(client: Open, people: People, change: dict[str, str], told: str) -> None:
    status, text = post(client(people.admin), "/fields", {**SHOE, **change})
    assert status == 422
    assert told in check(text).text
    with people.admin.at_work():
        assert db.session.scalars(select(CustomField)).all() == []
