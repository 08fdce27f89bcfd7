"""A data model with a field of every type, stored in every way, and rows that nobody would think of."""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import psycopg
from psycopg.types.json import Jsonb

from exports import pipeline
from exports.catalogue import Catalogue, DataField, DataModel, FieldType, Special
from exports.definition import Definition, parse
from exports.query import Query, Segment, Surroundings, build
from exports.sinks import StreamSink
from exports.source.postgresql import PostgresSource

TABLE = """
    CREATE SCHEMA IF NOT EXISTS loyalty;
    CREATE TABLE loyalty.things (
        brand text COLLATE "C" NOT NULL, id text COLLATE "C" NOT NULL, name text, note text, kind text, ref text,
        count bigint, amount numeric, ratio double precision, flag boolean, day date, at timestamptz,
        tags text[], moments timestamptz[], title jsonb, data jsonb, properties jsonb NOT NULL DEFAULT '{}',
        PRIMARY KEY (brand, id)
    )
"""


def _field(id: str, type: FieldType, **more: Any) -> DataField:
    return DataField(id=id, label=id.replace("_", " ").capitalize(), type=type, **{"column": id, **more})


def _member(id: str, type: FieldType, **more: Any) -> DataField:
    return _field(f"p_{id}", type, column="properties", path=(id,), **more)


FIELDS = (
    _field("id", FieldType.STRING, identifier=True),
    _field("name", FieldType.STRING),
    _field("note", FieldType.TEXT),
    _field("kind", FieldType.ENUM, choices=(("a", "A"), ("b", "B"), ("c", "C"))),
    _field("ref", FieldType.REFERENCE, reference="things"),
    _field("count", FieldType.INTEGER),
    _field("amount", FieldType.FLOAT),
    _field("ratio", FieldType.FLOAT, stored="double precision"),
    _field("flag", FieldType.BOOLEAN),
    _field("day", FieldType.DATE),
    _field("at", FieldType.DATETIME),
    _field("tags", FieldType.LIST),
    _field("moments", FieldType.LIST, items=FieldType.DATETIME),
    _field("title", FieldType.STRING, translated=True),
    _field("data", FieldType.JSON),
    _member("text", FieldType.STRING),
    _member("whole", FieldType.INTEGER),
    _member("number", FieldType.FLOAT),
    _member("flag", FieldType.BOOLEAN),
    _member("day", FieldType.DATE),
    _member("at", FieldType.DATETIME),
    _member("list", FieldType.LIST),
    _member("object", FieldType.JSON),
    _field("shout", FieldType.STRING, column="", sql="name || '!' || :brand", computed=True),
    _field(
        "segments", FieldType.LIST, items=FieldType.REFERENCE, special="segments", asks=Special.SEGMENTS, computed=True
    ),
)
THINGS = DataModel(
    "things", "Things", "", "thing", "loyalty.things", "id", "brand", None, {one.id: one for one in FIELDS}
)
CATALOGUE = Catalogue({"things": THINGS}, {}, {})
MOMENT = datetime(2026, 11, 23, 10, tzinfo=UTC)
COLUMNS = (
    "brand", "id", "name", "note", "kind", "ref", "count", "amount", "ratio", "flag", "day", "at", "tags", "moments",
    "title", "data", "properties",
)  # fmt: skip
JSON_COLUMNS = ("title", "data", "properties")
EVERYTHING = [[{"attribute": "id", "operator": "is_not_empty"}]]


def definition(**members: Any) -> Definition:
    """A definition that takes every thing, unless told otherwise; `fields` may be ids."""
    fields = [{"from": one} if isinstance(one, str) else one for one in members.pop("fields", ["id"])]
    if members.get("all_fields"):
        fields = []
    base = {"name": "Things", "model": "things", "timezone": "UTC", "filters": EVERYTHING, "fields": fields}
    file = {"protect_spreadsheets": False, **members.pop("file", {})}
    return parse({**base, "file": file, **members})


@dataclass(frozen=True)
class Zoo:
    """A database with the table, and the engine on it."""

    url: str
    source: PostgresSource

    def fill(self, rows: Iterable[Mapping[str, Any]], brand: str = "maple") -> None:
        """These things of a brand and no others."""
        with psycopg.connect(self.url) as connection, connection.cursor() as cursor:
            cursor.execute("DELETE FROM loyalty.things WHERE brand = %s", [brand])
            cursor.executemany(
                f"INSERT INTO loyalty.things ({', '.join(COLUMNS)}) VALUES ({', '.join(['%s'] * len(COLUMNS))})",
                [[_stored(column, {"brand": brand, **row}.get(column)) for column in COLUMNS] for row in rows],
            )

    def query(self, wanted: Definition, **surroundings: Any) -> Query:
        """The statements of a definition."""
        return build(wanted, CATALOGUE, around(**surroundings))

    def ids(self, filters: Any, timezone: str = "UTC", **surroundings: Any) -> set[str]:
        """The ids of the things that match."""
        query = self.query(definition(filters=filters, timezone=timezone), **surroundings)
        return {row[0] for row in self.source.select(query.matching, seconds=60)}

    def file(self, catalogue: Catalogue = CATALOGUE, **members: Any) -> bytes:
        """The bytes of the file of a definition."""
        wanted = definition(**members)
        out = io.BytesIO()
        result = pipeline.run(wanted, catalogue, around(), self.source, StreamSink(out))
        assert result.bytes == len(out.getvalue())
        return out.getvalue()

    def cells(self, field: str, **members: Any) -> list[str]:
        """The texts of one column in a csv without header, as they stand between delimiter and line end."""
        lines = self.file(
            fields=["id", field], file={"header": False, "delimiter": "|", **members.pop("file", {})}, **members
        )
        return [line.partition("|")[2] for line in lines.decode().splitlines()]

    def objects(self, **members: Any) -> list[dict[str, Any]]:
        """The objects of a json file."""
        return json.loads(self.file(file={"extension": "json"}, **members))


def _stored(column: str, value: Any) -> Any:
    if column == "properties" and value is None:
        return Jsonb({})
    return Jsonb(value) if column in JSON_COLUMNS and value is not None else value


def around(brand: str = "maple", segments: Iterable[Segment] = (), **more: Any) -> Surroundings:
    """Surroundings at a fixed moment."""
    return Surroundings(brand, MOMENT, {one.id: one for one in segments}, **more)
