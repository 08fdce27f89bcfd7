"""`flask models` tells which models a brand has, and what their fields are and can be asked."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import pytest
from click.testing import Result
from flask import Flask

from webapp.cli.models import models
from webapp.extensions import db
from webapp.models import Brand, CustomField, brand_scope

Ask = Callable[..., Result]


@pytest.fixture
def ask(app: Flask) -> Iterator[Ask]:
    """Run the command with arguments."""
    with app.app_context():
        yield lambda *arguments: app.test_cli_runner().invoke(models, list(arguments))


def add_brand(name: str, source_key: str, *modules: str) -> Brand:
    brand = Brand(name=name, source_key=source_key, time_zone="UTC", modules=list(modules))
    db.session.add(brand)
    db.session.commit()
    return brand


def add_custom_field(brand: Brand) -> None:
    with brand_scope(brand.id):
        db.session.add(
            CustomField(
                model="customers",
                field="income",
                label="Income",
                type="enum",
                choices={"low": "Low", "high": "High"},
                column="properties",
                path=["income"],
            )
        )
        db.session.commit()


def test_the_models_of_a_brand_are_those_of_its_modules_with_their_numbers_of_fields(ask: Ask) -> None:
    add_custom_field(add_brand("Maple", "maple", "stores"))
    lines = ask().output.splitlines()
    assert lines[0].split() == ["id", "label", "module", "fields", "custom"]
    assert [line.split() for line in lines[1:]] == [
        ["customers", "Customers", "48", "1"],
        ["customer_fields", "Customer", "fields", "14", "0"],
        ["events", "Events", "55", "0"],
        ["stores", "Stores", "stores", "16", "0"],
    ]


def test_the_same_can_be_had_as_json(ask: Ask) -> None:
    add_brand("Maple", "maple")
    events = json.loads(ask("--json").output)[-1]
    assert (events["id"], events["module"], events["fields"], events["custom"]) == ("events", None, 55, 0)


def test_a_model_is_shown_with_one_line_per_field(ask: Ask) -> None:
    add_custom_field(add_brand("Maple", "maple"))
    lines = ask("customers").output.splitlines()
    assert len(lines) == 1 + 48 + 1 + 2
    only = [line.split()[0] for line in lines if "filter only" in line]
    assert only == ["action_history", "purchases"]
    lines = lines[: -len(only)]
    groups = next(line for line in lines if line.startswith("group_id "))
    assert "list of reference to user_groups" in groups
    assert "contains_any" in groups
    assert groups.endswith("The user groups the customer belongs to.")
    assert "computed" in next(line for line in lines if line.startswith("age "))
    assert "personal" in next(line for line in lines if line.startswith("email "))
    assert "custom" in lines[-1]
    assert lines[-1].startswith("income ")


def test_a_models_fields_as_json_carry_choices_flags_and_operators(ask: Ask) -> None:
    add_custom_field(add_brand("Maple", "maple", "segments"))
    told = json.loads(ask("customers", "--json").output)
    assert told["key"] == "_id"
    fields = {one["id"]: one for one in told["fields"]}
    assert fields["income"]["choices"] == {"low": "Low", "high": "High"}
    assert fields["_id"]["flags"] == ["identifier", "mandatory"]
    assert fields["membership_id"]["items"] == "string"
    assert fields["referrer"]["reference"] == "customers"
    assert fields["segments"]["operators"][:2] == ["in_segment", "not_in_segment"]
    assert {"equals", "between", "is_empty"} <= set(fields["score"]["operators"])
    attributes = {one["id"]: one["operators"] for one in told["attributes"]}
    assert attributes["action_history"] == ["action_taken", "action_not_taken"]


def test_an_unknown_model_is_answered_with_those_there_are(ask: Ask) -> None:
    add_brand("Maple", "maple")
    answer = ask("orders")
    assert answer.exit_code == 2
    assert 'There is no data model "orders". There are: customers, customer_fields, events.' in answer.output


def test_a_model_whose_module_is_off_is_not_shown(ask: Ask) -> None:
    add_brand("Maple", "maple")
    answer = ask("coupon_pools")
    assert answer.exit_code == 2
    assert 'does not have the module "coupons" that Coupon pools belongs to' in answer.output


def test_the_brand_meant_is_the_one_named_else_the_only_one_else_the_demos_first(ask: Ask) -> None:
    assert "There is none yet." in ask().output
    add_brand("Alpine Sports", "alpine", "rewards")
    assert "rewards" in ask().output
    add_brand("Third", "third", "changes")
    assert ask().exit_code == 2
    assert "Say which brand is meant: --brand NAME. There are: Alpine Sports, Third." in ask().output
    add_brand("Maple Grocers", "maple", "stores")
    assert "stores" in ask().output
    assert "rewards" in ask("--brand", "Alpine Sports").output
    assert "changes" in ask("--brand", "third").output
    assert 'There is no brand "x".' in ask("--brand", "x").output
