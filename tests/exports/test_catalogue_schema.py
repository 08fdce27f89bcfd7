"""The catalogue and the reference schema agree: what a catalogue file names stands in demo/schema.sql as it says."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from exports.catalogue import DataField, DataModel, FieldType, builtin, fields_of
from exports.special.attributes import NO_COLUMNS

COLUMN_TYPES = {
    FieldType.STRING: "text",
    FieldType.TEXT: "text",
    FieldType.ENUM: "text",
    FieldType.REFERENCE: "text",
    FieldType.INTEGER: "bigint",
    FieldType.FLOAT: "numeric",
    FieldType.BOOLEAN: "boolean",
    FieldType.DATE: "date",
    FieldType.DATETIME: "timestamp with time zone",
    FieldType.JSON: "jsonb",
}
CATALOGUE = builtin()
IN_TABLES = [(model, one) for model, one in fields_of(CATALOGUE) if model.table]


def columns_of(loyalty: Connection) -> dict[str, dict[str, tuple[str, bool]]]:
    """Type and not-null of each column of each table."""
    found = loyalty.exec_driver_sql("""
        select c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull
        from pg_class c join pg_attribute a on a.attrelid = c.oid
        where c.relnamespace = 'loyalty'::regnamespace and c.relkind = 'r' and a.attnum > 0
    """)
    tables: dict[str, dict[str, tuple[str, bool]]] = {}
    for table, column, kind, filled in found:
        tables.setdefault(f"loyalty.{table}", {})[column] = (kind, filled)
    return tables


def read_as(one: DataField) -> str:
    """What a SELECT says to read a field, with constants for its binds."""
    if not one.sql:
        return f'"{one.column}"' + (f" #> '{{{','.join(one.path)}}}'" if one.path else "")
    constants = {"today": "date '2026-11-23'", "moment": "timestamptz '2026-11-23 10:00Z'", "brand": "'maple'"}
    return re.sub(r"(?<!:):(\w+)\b", lambda bind: constants.get(bind[1], bind[0]), one.sql)


@pytest.mark.parametrize("model", [one for one in CATALOGUE.models.values() if one.table], ids=lambda one: one.id)
def test_every_field_can_be_selected_and_has_the_type_the_catalogue_says(loyalty: Connection, model: DataModel) -> None:
    for one in model.fields.values():
        if one.special:
            continue
        kind = COLUMN_TYPES[one.items] + "[]" if one.type == FieldType.LIST else COLUMN_TYPES[one.type]
        wanted = "jsonb" if one.path or one.translated else kind
        statement = f"select pg_typeof({read_as(one)})::text from (select) as one_row left join {model.table} on true"
        assert loyalty.exec_driver_sql(statement).scalar() == wanted, one.id


def test_mandatory_fields_are_exactly_the_columns_that_cannot_be_empty(loyalty: Connection) -> None:
    columns = columns_of(loyalty)
    for model in CATALOGUE.models.values():
        if model.table:
            filled = {name for name, (_, filled) in columns[model.table].items() if filled}
            mandatory = {one.column for one in model.fields.values() if one.mandatory}
            assert filled - {model.brand, "properties"} == mandatory, model.id


def test_every_column_of_a_models_table_is_a_field_or_holds_the_brand_or_custom_attributes(loyalty: Connection) -> None:
    columns = columns_of(loyalty)
    for model in CATALOGUE.models.values():
        if model.table:
            known = {one.column for one in model.fields.values() if not one.computed}
            assert set(columns[model.table]) - known - {model.brand, "properties"} == set(), model.id


def test_closed_lists_are_the_same_in_the_catalogue_and_in_the_checks(loyalty: Connection) -> None:
    checks = list(
        loyalty.exec_driver_sql("""
            select conrelid::regclass::text, conkey, pg_get_constraintdef(oid) from pg_constraint
            where connamespace = 'loyalty'::regnamespace and contype = 'c'
            """)
    )
    formats = {"customers.country"}  # checked as two capital letters: the list of countries changes
    for model, one in IN_TABLES:
        if one.type != FieldType.ENUM or one.open or one.computed or f"{model.id}.{one.id}" in formats:
            continue
        lists = [
            set(re.findall(r"'([^']*)'::text", definition))
            for table, attributes, definition in checks
            if table == model.table and len(attributes) == 1 and f"(({one.column} = ANY" in definition
        ]
        assert lists == [{value for value, _ in one.choices}], f"{model.id}.{one.id}"


def test_every_table_holds_its_brand_and_is_kept_in_the_order_of_brand_and_key(loyalty: Connection) -> None:
    tables = columns_of(loyalty)
    keys = dict(
        loyalty.exec_driver_sql("""
            select conrelid::regclass::text, pg_get_constraintdef(oid) from pg_constraint
            where connamespace = 'loyalty'::regnamespace and contype = 'p'
            """).all()
    )
    wanted = {model.table: (model.brand, model.key) for model in CATALOGUE.models.values() if model.table}
    wanted |= {one.table: (one.brand, one.key) for one in CATALOGUE.references.values()}
    for table, key in wanted.items():
        assert tables[str(table)][key[0]] == ("text", True)
        assert keys[table] == f"PRIMARY KEY ({key[0]}, {key[1]})"


def test_every_scalar_reference_is_a_foreign_key_that_names_the_brand(loyalty: Connection) -> None:
    found = {
        row[0]
        for row in loyalty.exec_driver_sql("""
            select conrelid::regclass::text || ' ' || pg_get_constraintdef(oid) from pg_constraint
            where connamespace = 'loyalty'::regnamespace and contype = 'f'
            """)
    }
    for model, one in IN_TABLES:
        if one.type == FieldType.REFERENCE and not one.path:
            to = CATALOGUE.references[str(one.reference)]
            key = f"FOREIGN KEY (brand, {one.column}) REFERENCES {to.table}(brand, {to.key})"
            assert f"{model.table} {key}" in found
    within = [one for one in found if not one.endswith("FOREIGN KEY (brand) REFERENCES loyalty.brands(id)")]
    assert all("FOREIGN KEY (brand, " in one for one in within)
    assert len(found) - len(within) == 20, "every table belongs to a brand"


def test_a_row_cannot_refer_to_a_row_of_another_brand(loyalty: Connection) -> None:
    loyalty.exec_driver_sql(
        "insert into loyalty.customers (brand, _id, status, created_at) values ('alpine', 'C1', 'active', now())"
    )
    with pytest.raises(IntegrityError, match="foreign key"):
        loyalty.exec_driver_sql(
            "insert into loyalty.webhook_logs (brand, _id, created_at, action, status, customer)"
            " values ('maple', 'W1', now(), 'reward', 'done', 'C1')"
        )


@pytest.mark.parametrize("id", CATALOGUE.references)
def test_the_names_of_a_reference_can_be_read(loyalty: Connection, id: str) -> None:
    one = CATALOGUE.references[id]
    columns = columns_of(loyalty)[one.table]
    assert columns[one.key] == ("text", True)
    assert columns[one.name][0] == ("jsonb" if one.translated else "text")
    assert one.brand in columns


@pytest.mark.parametrize("id", CATALOGUE.roles)
def test_every_column_of_a_role_is_in_its_table(loyalty: Connection, id: str) -> None:
    role = dict(CATALOGUE.roles[id])
    columns = columns_of(loyalty)[role.pop("table")]
    named = {name.split(".")[0] for part, name in role.items() if part not in NO_COLUMNS}
    assert named - set(columns) == set()
