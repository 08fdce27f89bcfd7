"""The two brands share ids and nothing else; what the application is told of them is what the source holds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import psycopg
import pytest

from demo.brands import BRANDS, DemoBrand, Field
from exports.catalogue import FieldType, builtin
from tests.demo.conftest import MODELS

One = Callable[..., Any]
Rows = Callable[..., list[Any]]
FIELDS = [(brand, field) for brand in BRANDS for field in brand.fields]
CASTS = {"integer": "bigint", "float": "numeric", "boolean": "boolean", "date": "date", "datetime": "timestamptz"}


def test_the_brands_have_customers_stores_groups_and_events_of_the_same_ids(one: One) -> None:
    both = "(m.brand, a.brand) = ('maple', 'alpine')"
    shared = f"SELECT count(*) FROM loyalty.{{0}} m JOIN loyalty.{{0}} a USING ({{1}}) WHERE {both}"
    for table, key in (("customers", "_id"), ("user_groups", "id"), ("segments", "id"), ("accounts", "id")):
        assert one(shared.format(table, key)) > 0, table
    assert one(shared.format("events", "_id")) == 40
    assert one("SELECT count(DISTINCT (brand, email)) FROM loyalty.customers WHERE _id = '1'") == 2


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE loyalty.events SET customer = '2469' WHERE brand = 'alpine'",
        "UPDATE loyalty.events SET parent = (SELECT max(_id) FROM loyalty.events WHERE brand = 'maple')"
        " WHERE brand = 'alpine'",
        "UPDATE loyalty.coupons SET pool = (SELECT max(id) FROM loyalty.coupon_pools WHERE brand = 'maple')"
        " WHERE brand = 'alpine'",
        "UPDATE loyalty.webhook_logs SET trusted_site = 'mail' WHERE brand = 'alpine'",
        "UPDATE loyalty.rewards SET account = 'status' WHERE brand = 'alpine'",
        "UPDATE loyalty.customers SET referrer = '2500' WHERE brand = 'alpine'",
        "UPDATE loyalty.user_groups SET parent = '203' WHERE brand = 'alpine' AND id = '101'",
        "INSERT INTO loyalty.stores (brand, id, name, status) VALUES ('nobody', '1', 'x', 'active')",
    ],
)
def test_a_row_that_points_into_another_brand_cannot_be_stored(owner: psycopg.Connection, statement: str) -> None:
    with pytest.raises(psycopg.errors.ForeignKeyViolation):
        owner.execute(statement)


@pytest.mark.parametrize("model", MODELS)
def test_the_role_that_exports_read_with_may_only_read(source_dsn: str, model: str) -> None:
    with psycopg.connect(source_dsn, options="-c default_transaction_read_only=off") as connection:
        connection.execute(f"SELECT 1 FROM loyalty.{model} LIMIT 1")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(f"DELETE FROM loyalty.{model}")


def test_alpine_has_the_characters_that_break_files(one: One) -> None:
    for part in (",", '"', "\n", "\r\n", "\t", ";", "|", "\\", "'", "=", "é", "佐", "م", "👍", "\u200d"):
        found = one(
            "SELECT count(*) FROM ("
            "SELECT first_name || last_name FROM loyalty.customers WHERE brand = 'alpine' UNION ALL"
            " SELECT description FROM loyalty.products WHERE brand = 'alpine' UNION ALL"
            " SELECT properties ->> 'note' FROM loyalty.events WHERE brand = 'alpine') t(x) WHERE strpos(x, %s) > 0",
            part,
        )
        assert found > 0, repr(part)


def test_the_source_names_the_brands_as_the_application_does(rows: Rows) -> None:
    found = rows("SELECT id, name, time_zone, language FROM loyalty.brands ORDER BY id")
    assert found == [(one.source_key, one.name, one.time_zone, one.language) for one in BRANDS]


def test_modules_are_modules_of_the_catalogue() -> None:
    needed = {model.module for model in builtin().models.values()} - {None}
    assert set(BRANDS[1].modules) >= needed
    assert 0 < len(set(BRANDS[0].modules)) < len(set(BRANDS[1].modules))


@pytest.mark.parametrize(("brand", "field"), FIELDS, ids=lambda one: getattr(one, "id", None) or one.source_key)
def test_a_custom_field_is_there_with_its_type_and_choices(rows: Rows, brand: DemoBrand, field: Field) -> None:
    model = builtin().models[field.model]
    assert field.id not in model.fields
    assert field.type in list(FieldType)
    value = f"{field.column} #> '{{{','.join(field.where)}}}'"
    both = f"SELECT {value} AS j, {value.replace('#>', '#>>')} AS t FROM {model.table} WHERE brand = %s"
    from_ = f"FROM ({both}) v WHERE j <> 'null'"
    kinds = {kind for (kind,) in rows(f"SELECT DISTINCT jsonb_typeof(j) {from_}", brand.source_key)}
    assert kinds, "no record has it"
    if field.type in CASTS:
        rows(f"SELECT count(t::{CASTS[field.type]}) {from_}", brand.source_key)
    assert kinds == {{"list": "array", "boolean": "boolean"}.get(field.type)} or not kinds & {"array", "object"}
    if field.choices:
        element = "jsonb_array_elements_text(j)" if field.type == "list" else "t"
        assert {one for (one,) in rows(f"SELECT DISTINCT {element} {from_}", brand.source_key)} == set(field.choices)


def test_every_member_of_properties_is_a_field(rows: Rows) -> None:
    """Built in or custom: nothing is stored that nobody could export."""
    unknown = []
    for model in builtin().models.values():
        if model.table is None:
            continue
        builtin_paths = {one.path for one in model.fields.values() if one.column == "properties"}
        for brand in BRANDS:
            known = builtin_paths | {one.where for one in brand.fields if one.model == model.id}
            keys = rows(
                f"SELECT DISTINCT jsonb_object_keys(properties) FROM {model.table} WHERE brand = %s", brand.source_key
            )
            unknown += [(brand.source_key, model.id, key) for (key,) in keys if (key,) not in known]
    assert not unknown
