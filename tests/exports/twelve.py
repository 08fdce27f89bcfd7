"""Records of all twelve models, any column of which may hold anything that its type can."""

from __future__ import annotations

import random
import re
from dataclasses import replace
from datetime import date
from typing import Any, Final

import psycopg

from demo.brands import BRANDS
from exports.catalogue import Catalogue, DataField, DataModel, FieldType, Special
from tests.exports import customers_world as made
from tests.exports.customers_oracle import World
from tests.exports.questions import DAYS, MOMENTS, NUMBERS, TEXTS, Chosen
from tests.exports.test_models_in_full import catalogue_of

Row = dict[str, Any]

CATALOGUE: Final[Catalogue] = catalogue_of(next(one for one in BRANDS if one.source_key == "maple"))
"""With the custom fields of a brand of the demo: members of JSONB of every type."""
CHOSEN: Final[Chosen] = {
    Special.GROUPS: list(made.GROUPS),
    Special.SEGMENTS: list(made.SEGMENTS),
    Special.REWARDS: made.REWARDS,
    Special.ACTIVITIES: made.CHALLENGES,
    Special.ACTIONS: [*made.ACTIONS, "checkout_item", "reward", "never"],
    Special.PURCHASES: [*made.PRODUCTS, "P9"],
}
OTHERS: Final = ("changes", "content_approval", "coupon_pools", "customer_fields", "products", "stores")
"""Models of which made.world has no records."""
FREE: Final = """
    DO $$ DECLARE one record; BEGIN
        FOR one IN SELECT conrelid::regclass AS name, conname FROM pg_constraint
            WHERE connamespace = 'loyalty'::regnamespace AND contype = 'c'
        LOOP EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I', one.name, one.conname); END LOOP;
        FOR one IN SELECT attrelid::regclass AS name, attname FROM pg_attribute JOIN pg_class ON attrelid = pg_class.oid
            WHERE relnamespace = 'loyalty'::regnamespace AND relkind = 'r' AND attnum > 0 AND attnotnull
        LOOP EXECUTE format('ALTER TABLE %s ALTER COLUMN %I DROP NOT NULL', one.name, one.attname); END LOOP;
    END $$
"""
"""The tables of a company promise less than the reference schema: no choices, nothing mandatory."""
_REFERENCES: Final = ["a", "b", "A", "P1", "R1", "c00", "nobody", "'", ""]


def world(brand: str) -> World:
    """The histories of made.world with every other column filled, and records of the other models."""
    pick = random.Random(f"twelve {brand}")  # noqa: S311 - the same rows every time
    base = made.world(brand)
    rows = {name: list(found) for name, found in base.rows.items()}
    for model in OTHERS:
        key = CATALOGUE.models[model].key
        rows[model] = [{key: f"{number:02}"} for number in range(60)]
    rows["coupon_pools"] += [{"id": one} for one in ("a", "b", "P1")]
    for id, model in CATALOGUE.models.items():
        rows[id] = [{**filled(model, pick), **row} for row in rows[id]]
    for one in rows["content_approval"]:
        one["changes"] = pick.choice([None, [], [1], [{"a": 1}, {}]])
    rows["custom_events"] = [{"id": "never", "label": "Never"}, {"id": "visit", "label": "a"}]
    for one in rows["events"]:
        one["action"] = pick.choice([one["action"]] * 12 + ["never", "unknown"])
        one["properties"] = {**custom(CATALOGUE.models["events"], "properties", pick), **one["properties"]}
    return World(brand, rows, base.segments, CATALOGUE.models)


def filled(model: DataModel, pick: random.Random) -> Row:
    """A value for each stored column of a model; the members of its JSONB columns are those of its custom fields."""
    row: Row = {}
    for one in model.fields.values():
        if one.sql or one.special or not one.column:
            continue
        if one.path:
            row[one.column] = row[one.column] if one.column in row else custom(model, one.column, pick)
        elif one.id not in ("rewards", "activities") and not any(
            other.path and other.column == one.column for other in model.fields.values()
        ):
            row[one.column] = stored(one, pick)
    return row


def custom(model: DataModel, column: str, pick: random.Random) -> Row:
    """An object with a member for each custom field that is read from a column, some of them missing or wrong."""
    found: Row = {}
    for one in model.fields.values():
        if one.column == column and one.path and pick.random() < 0.8:
            *above, name = one.path
            inner = found
            for each in above:
                inner = inner.setdefault(each, {})
            inner[name] = member(one, pick)
    return found


def stored(field: DataField, pick: random.Random) -> Any:
    """A value of a column, or none."""
    choices = [value for value, _label in field.choices][:5]
    if field.translated:
        return pick.choice([None, {}, {"en": "a"}, {"de": "b", "fr": "ab"}, {"hu": "É"}, {"en": "", "de": "x"}])
    if field.type == FieldType.LIST:
        if field.items == FieldType.DATETIME:
            return pick.choice([None, [], MOMENTS[:2], MOMENTS[2:5], [MOMENTS[12], None]])
        return pick.choice([None, [], ["a"], ["a", "b"], ["ab", "%", ""], [pick.choice(TEXTS)], [None, "b"]])
    if field.type == FieldType.JSON:
        return pick.choice([None, {}, [], {"a": None}, {"b": {"a": 1}}, "", "x", 5, ["a"]])
    pool: list[Any] = {
        FieldType.INTEGER: [0, 1, -1, 10, 2**63 - 1, 3],
        FieldType.FLOAT: NUMBERS,
        FieldType.BOOLEAN: [True, False],
        FieldType.DATE: [date.fromisoformat(one) for one in DAYS],
        FieldType.DATETIME: MOMENTS,
        FieldType.REFERENCE: _REFERENCES,
    }.get(field.type, [*choices, *choices, "other", ""] if choices else TEXTS)
    return pick.choice([None, *pool])


def member(field: DataField, pick: random.Random) -> Any:
    """A member of JSON: of the type of its field, of another that reads the same, or of none that does."""
    wrong: list[Any] = [None, "", "x", 5, True, {}, [], {"a": 1}]
    choices = [value for value, _label in field.choices]
    right: dict[FieldType, list[Any]] = {
        FieldType.INTEGER: [0, 1, -1, "3", 10**20, 1.5],
        FieldType.FLOAT: [1.5, "1.50", "1e5", -1, 0, 1e-7],
        FieldType.BOOLEAN: [True, False, "true", "false", "True"],
        FieldType.DATE: [*DAYS, "2017-02-30", "tomorrow", "2017-3-1"],
        FieldType.DATETIME: [
            "2017-03-26 00:59:59", "2017-03-26T03:00:00+02:00", "2017-03-26", "now", "2017-13-01 00:00",
            "2026-11-22T10:00:00Z", "2017-10-29T02:30:00.5+0100",
        ],
        FieldType.LIST: [["a", "%"], ["a", "b", "ab"], choices[:2], [1, None, True], ["é"]],
    }  # fmt: skip
    texts = (TEXTS, [None, 5, 1.5, True])
    good, bad = (right[field.type], wrong) if field.type in right else (choices or texts[0], texts[1])
    return pick.choice(good) if pick.random() < 0.75 else pick.choice(bad)


def customer_fields(world: World) -> tuple[Row, ...]:
    """The rows that are given along for the model that has no table."""
    model = CATALOGUE.models["customer_fields"]
    return tuple(
        {one.id: _in_json(row.get(one.column)) for one in model.fields.values()}
        for row in world.rows["customer_fields"]
    )  # fmt: skip


def _in_json(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value


def fill(url: str, schema: str, indexes: str, worlds: list[World]) -> None:
    """Make the tables without what holds their rows to something, write the rows, then the indexes."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(schema.encode())
        connection.execute(FREE.encode())
        with connection.transaction():
            for one in worlds:
                connection.execute("INSERT INTO loyalty.brands VALUES (%s, 'B', 'UTC')", [one.brand])
                kept = {name: rows for name, rows in one.rows.items() if name != "customer_fields"}
                made.insert(connection, replace(one, rows=kept))
        for statement in re.sub("--.*", "", indexes).split(";"):
            if "foreign key" not in statement and statement.strip():
                connection.execute(statement.encode())
        connection.execute(b"ANALYZE")
