"""Every model exports all its fields, and as many rows as the brand has records, from the demo data."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest

from demo.brands import BRANDS, DemoBrand
from exports import pipeline
from exports.catalogue import Catalogue, DataField, FieldType, builtin
from exports.definition import parse
from exports.query import Surroundings, surroundings_of
from exports.sinks import StreamSink
from exports.source.postgresql import PostgresSource

MOMENT = datetime(2017, 4, 1, 12, tzinfo=UTC)
COMPARED = 1000
csv.field_size_limit(2**30)


def catalogue_of(brand: DemoBrand) -> Catalogue:
    """The catalogue as a demo brand sees it."""
    custom: dict[str, list[DataField]] = {}
    for one in brand.fields:
        field = DataField(
            id=one.id, label=one.label, type=FieldType(one.type), choices=tuple((each, each) for each in one.choices),
            custom=True, computed=one.computed, column=one.column, path=one.where,
        )  # fmt: skip
        custom.setdefault(one.model, []).append(field)
    return builtin().for_brand(brand.modules, custom)


CASES = [(brand, model) for brand in BRANDS for model in catalogue_of(brand).models]


@pytest.fixture(scope="module")
def source(source_dsn: str) -> PostgresSource:
    """The shared source."""
    return PostgresSource(source_dsn)


@pytest.fixture(scope="module")
def surroundings(source: PostgresSource) -> dict[str, Surroundings]:
    """Of each brand."""
    return {one.source_key: surroundings_of(source, catalogue_of(one), one.source_key, MOMENT) for one in BRANDS}


def records(source_dsn: str, brand: DemoBrand, model: str, around: Surroundings) -> int:
    """How many records of a model the brand has, by other means."""
    table = builtin().models[model].table
    if table is None:
        return len(around.customer_fields)
    with psycopg.connect(source_dsn) as connection:
        found = connection.execute(f"SELECT count(*) FROM {table} WHERE brand = %s".encode(), [brand.source_key])
        return int(found.fetchone()[0])  # type: ignore[index]


def exported(source: PostgresSource, brand: DemoBrand, model: str, around: Surroundings, **file: Any) -> bytes:
    """The file of all fields of all records."""
    catalogue = catalogue_of(brand)
    filters = [[{"attribute": catalogue.models[model].key, "operator": "is_not_empty"}]]
    definition = parse({
        "name": model, "model": model, "timezone": brand.time_zone, "filters": filters, "all_fields": True,
        "file": file,
    })  # fmt: skip
    out = io.BytesIO()
    pipeline.run(definition, catalogue, around, source, StreamSink(out))
    return out.getvalue()


@pytest.mark.parametrize(("brand", "model"), CASES, ids=[f"{brand.source_key}-{model}" for brand, model in CASES])
def test_all_fields_of_all_records_of_the_brand(
    source: PostgresSource, source_dsn: str, surroundings: dict[str, Surroundings], brand: DemoBrand, model: str
) -> None:
    around = surroundings[brand.source_key]
    fields = [one.id for one in catalogue_of(brand).models[model].all_fields]
    number = records(source_dsn, brand, model, around)
    objects = json.loads(exported(source, brand, model, around, extension="json"))
    assert len(objects) == number
    assert number >= 25
    assert list(objects[0]) == fields
    if model == "challenges":
        return
    rows = list(
        csv.reader(io.StringIO(exported(source, brand, model, around, protect_spreadsheets=False).decode(), newline=""))
    )
    assert rows.pop(0) == fields
    assert len(rows) == number
    keys = [row[fields.index(builtin().models[model].key)] for row in rows]
    assert keys == sorted(keys)
    for row, one in zip(rows[:COMPARED], objects, strict=False):
        assert all(same(cell, one[field]) for cell, field in zip(row, fields, strict=True)), (row, one)


def same(cell: str, value: Any) -> bool:
    """Whether a csv cell and a json value are the same value."""
    if value is None or isinstance(value, str):
        return cell == (value or "")
    return bool(json.loads(cell) == value)


def test_challenges_are_nested_as_they_are(source: PostgresSource, surroundings: dict[str, Surroundings]) -> None:
    brand = BRANDS[0]
    objects = json.loads(exported(source, brand, "challenges", surroundings[brand.source_key]))
    criteria = [one for challenge in objects for one in challenge["criteria"] or []]
    assert {"action", "threshold"} <= set(criteria[0])
    assert isinstance(criteria[0]["threshold"], int)
    assert all(isinstance(challenge["title"], str) for challenge in objects)


def test_the_fields_that_customers_have_are_told_with_their_types(
    source: PostgresSource, surroundings: dict[str, Surroundings]
) -> None:
    brand = BRANDS[0]
    rows = {one["id"]: one for one in json.loads(
        exported(source, brand, "customer_fields", surroundings[brand.source_key], extension="json"))}  # fmt: skip
    assert rows["email"]["format"] == "email"
    assert rows["age"] == rows["age"] | {"computed": True, "read_only": True, "built_in": True, "type": "numeric"}
    assert rows["gender"]["possible_values"] == ["male", "female"]
    custom = [one for one in rows.values() if not one["built_in"]]
    assert len(custom) == sum(one.model == "customers" for one in brand.fields)


def test_the_segments_of_customers_are_worked_out(
    source: PostgresSource, surroundings: dict[str, Surroundings]
) -> None:
    brand = BRANDS[0]
    objects = json.loads(exported(source, brand, "customers", surroundings[brand.source_key], extension="json"))
    found = {segment for one in objects for segment in one["segments"]}
    active = {one.id for one in surroundings[brand.source_key].segments.values() if one.status == "active"}
    assert found
    assert found <= active
