"""**Data models**: what the brand's modules bring, with every field (SPEC section 3.1)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from exports import catalogue
from tests.fix_pages import check
from webapp.extensions import db
from webapp.models import CustomField

if TYPE_CHECKING:
    from flask.testing import FlaskClient

    from tests.fix_app import People, Person

Open = Callable[["Person | None"], "FlaskClient"]


def test_all_twelve_are_listed_for_a_brand_with_all_modules(client: Open, people: People) -> None:
    found = check(client(people.viewer).get("/models").get_data(as_text=True))
    listed = {link.removeprefix("/models/") for link in found.links if link.startswith("/models/")}
    assert listed == set(catalogue.builtin().models)
    assert len(listed) == 12


def test_models_of_modules_that_are_off_are_not_there(client: Open, people: People) -> None:
    browser = client(people.stranger)
    assert "/models/webhook_logs" not in check(browser.get("/models").get_data(as_text=True)).links
    assert browser.get("/models/webhook_logs").status_code == 404
    assert browser.get("/models/stores").status_code == 200


@pytest.mark.parametrize("model", sorted(catalogue.builtin().models))
def test_every_field_of_a_model_is_shown(client: Open, people: People, model: str) -> None:
    found = check(client(people.viewer).get(f"/models/{model}").get_data(as_text=True))
    for field in catalogue.builtin().models[model].fields.values():
        assert f"{field.label} {field.id}" in found.text


def test_types_have_the_words_that_the_wizard_has_for_them(client: Open, people: People) -> None:
    text = check(client(people.viewer).get("/models/events").get_data(as_text=True)).text
    assert "Action action dropdown" in text
    assert "Points points number" in text
    assert "enum" not in text


def test_the_brands_own_fields_stand_beside_the_others(client: Open, people: People) -> None:
    with people.admin.at_work():
        db.session.add(CustomField(model="stores", field="parking", label="Parking <lots>", type="integer", path=["p"]))
        db.session.commit()
    assert "Parking <lots> parking" in check(client(people.viewer).get("/models/stores").get_data(as_text=True)).text
    assert "parking" not in client(people.stranger).get("/models/stores").get_data(as_text=True)


def test_a_model_that_does_not_exist_is_not_there(client: Open, people: People) -> None:
    for model in ("nothing", "../../etc/passwd", "%00", "_shared"):
        assert client(people.viewer).get(f"/models/{model}").status_code == 404
