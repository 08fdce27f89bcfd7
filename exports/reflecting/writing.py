"""The text of a model's file: what can be read as it is, and a view that makes readable what cannot."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from exports.catalogue import FieldType
from exports.reflecting.guesses import field_id, is_personal, label, words
from exports.reflecting.tables import Column, Table

BRANDS: Final = ("brand", "brand_id", "tenant", "tenant_id")
"""Columns that say whose record it is, if nobody says which."""
ALL: Final = "all"
_PLAIN: Final = re.compile(r"[a-z_][a-z0-9_]{0,62}")
_TYPES: Final = {
    "text": FieldType.STRING,
    "character varying": FieldType.STRING,
    "bigint": FieldType.INTEGER,
    "integer": FieldType.INTEGER,
    "smallint": FieldType.INTEGER,
    "numeric": FieldType.FLOAT,
    "double precision": FieldType.FLOAT,
    "boolean": FieldType.BOOLEAN,
    "date": FieldType.DATE,
    "timestamp with time zone": FieldType.DATETIME,
    "text[]": FieldType.LIST,
    "timestamp with time zone[]": FieldType.LIST,
    "jsonb": FieldType.JSON,
}
"""Types that the statements read as they are (docs/catalogue.md)."""
_CASTS: Final = {
    "real": ("double precision", FieldType.FLOAT),
    "money": ("numeric", FieldType.FLOAT),
    "json": ("jsonb", FieldType.JSON),
    "timestamp without time zone": ("timestamptz", FieldType.DATETIME),
}
_FIRST_RUN: Final = (
    "#",
    "# Some columns need another type or name than they have. First run this in the database, let the role of",
    "# SOURCE_DATABASE_URL SELECT from it, and give the table an index on the key as it is cast here:",
    "#",
)
_LEFT_OUT: Final = frozenset({"bytea", "tsvector", "tsquery", "pg_lsn", "xid", "oid"})


@dataclass(frozen=True)
class Draft:
    """A model's `id` and the text of its file; `view` is what has to be run in the database before it can be read."""

    id: str
    text: str
    view: str = ""
    left_out: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Field:
    column: Column
    id: str
    type: FieldType
    sql: str
    """The column in the view's own SELECT."""
    stored: str = ""
    items: str = ""
    cast: bool = False

    @property
    def changed(self) -> bool:
        """Whether only a view can show it."""
        return self.cast or self.id != self.column.name


class NoKey(ValueError):
    """Nothing tells the records of a table apart."""


def draft(table: Table, brand: str | None = None, key: str | None = None) -> Draft:
    """The draft of a table's file. `brand`: the column that says whose a record is, "all" for none; `key`: likewise.

    Raises:
        NoKey: there is no primary key, no unique column, and none was named; or the named one does not exist.
    """
    names = [one.name for one in table.columns]
    whose = brand if brand is not None else next((one for one in BRANDS if one in names), ALL)
    if whose != ALL and whose not in names:
        raise NoKey(f"{table.name} has no column {whose}")
    told_apart = _key(table, whose, key)
    left_out = tuple(f"{one.name} ({one.type})" for one in table.columns if one.type in _LEFT_OUT)
    taken: set[str] = set()
    fields = []
    for one in table.columns:
        if one.name != whose and one.type not in _LEFT_OUT:
            made = _field(one, taken, as_key=one.name == told_apart)
            taken.add(made.id)
            fields.append(made)
    id = field_id(table.name.lower(), set())
    whose_is_text = whose == ALL or _TYPES.get(_base(_of(table, whose).type)) == FieldType.STRING
    needs_view = any(one.changed for one in fields) or not whose_is_text
    needs_view = needs_view or not all(map(_PLAIN.fullmatch, (table.schema, table.name, *([whose] if whose else []))))
    name = f"{table.schema}.{table.name}"
    view = ""
    if needs_view:
        schema = table.schema if _PLAIN.fullmatch(table.schema) else "public"
        name = f"{schema}.{id}_for_exports"
        view = _view(name, table, whose, fields)
    brand_of_file = whose if whose == ALL or _PLAIN.fullmatch(whose) else "brand"
    return Draft(id, _text(id, name, table, brand_of_file, told_apart, fields, view, left_out), view, left_out)


def _of(table: Table, name: str) -> Column:
    return next(one for one in table.columns if one.name == name)


def _key(table: Table, whose: str, named: str | None) -> str:
    if named is not None:
        if named not in [one.name for one in table.columns]:
            raise NoKey(f"{table.name} has no column {named}")
        return named
    of_key = [one.name for one in table.columns if one.in_key and one.name != whose]
    unique = [one.name for one in table.columns if one.unique and one.mandatory and one.name != whose]
    if len(of_key) == 1:
        return of_key[0]
    if unique:
        return unique[0]
    several = f" (its primary key are {', '.join(of_key)} together)" if of_key else ""
    raise NoKey(f"no column of {table.name} tells its records apart{several}: name one with --key")


def _field(column: Column, taken: set[str], *, as_key: bool) -> _Field:
    id = field_id(column.name, taken)
    quoted = _quoted(column.name)
    type, plain = _TYPES.get(_base(column.type)), column.type
    if as_key and type != FieldType.STRING:
        return _Field(column, id, FieldType.STRING, f"{quoted}::text", cast=True)
    if type is not None and not column.is_enum:
        stored = "double precision" if plain == "double precision" else ""
        items = "datetime" if plain == "timestamp with time zone[]" else ""
        return _Field(column, id, type, quoted, stored, items)
    if _base(plain) in _CASTS:
        to, type = _CASTS[_base(plain)]
        sql = f"{quoted} AT TIME ZONE 'UTC'" if to == "timestamptz" else f"{quoted}::{to}"
        stored = "double precision" if to == "double precision" else ""
        return _Field(column, id, type, sql, stored, cast=True)
    if plain.endswith("[]"):
        return _Field(column, id, FieldType.LIST, f"{quoted}::text[]", cast=True)
    return _Field(column, id, FieldType.STRING, f"{quoted}::text", cast=True)


def _base(type: str) -> str:
    """`numeric(10,2)` → numeric, `timestamp(3) with time zone` → timestamp with time zone."""
    return re.sub(r"\([0-9, ]+\)", "", type)


def _quoted(name: str) -> str:
    return name if _PLAIN.fullmatch(name) else '"' + name.replace('"', '""') + '"'


def _view(name: str, table: Table, whose: str, fields: list[_Field]) -> str:
    shown = [f"{one.sql} AS {_quoted(one.id)}" if one.changed else one.sql for one in fields]
    if whose != ALL:
        to = whose if _PLAIN.fullmatch(whose) else "brand"
        shown.insert(0, f"{_quoted(whose)}::text AS {_quoted(to)}")
    lines = ",\n       ".join(shown)
    of = f"{_quoted(table.schema)}.{_quoted(table.name)}"
    return f"CREATE VIEW {name} AS\nSELECT {lines}\nFROM {of};"


def _text(
    id: str, name: str, table: Table, whose: str, key: str, fields: list[_Field], view: str, left_out: tuple[str, ...]
) -> str:
    called = label(table.name)
    head = [f"# A first draft of {id}.toml, made from {table.schema}.{table.name}. Read it line by line: names and",
            "# descriptions are what people choose by, and what is personal only you know."]  # fmt: skip
    if view:
        head += [*_FIRST_RUN, *(f"#   {line}" for line in view.splitlines())]
    if left_out:
        head += ["#", f"# Left out, since no cell of a file can hold them: {', '.join(left_out)}."]
    if whose == ALL:
        head += ["#", '# brand = "all": every brand of this installation sees all of these records.']
    shown_key = next(one.id for one in fields if one.column.name == key)
    members = {
        "id": id, "label": called, "description": table.comment or f"{called}.", "record": called.lower(),
        "table": name, "key": shown_key, "brand": whose,
    }  # fmt: skip
    lines = [*head, *(f"{member} = {_toml(value)}" for member, value in members.items())]
    for one in fields:
        lines += ["", "[[fields]]", *_lines(one, key)]
    return "\n".join(lines) + "\n"


def _lines(field: _Field, key: str) -> Iterator[str]:
    column = field.column
    yield f"id = {_toml(field.id)}"
    yield f"label = {_toml(label(column.name))}"
    yield f"type = {_toml(field.type.value)}"
    if field.items:
        yield f"items = {_toml(field.items)}"
    if field.stored:
        yield f"stored = {_toml(field.stored)}"
    if column.name == key:
        yield "identifier = true"
        yield "mandatory = true"
    elif column.mandatory:
        yield "mandatory = true"
    if is_personal(column.name):
        yield "personal = true  # guessed by its name"
    yield f"description = {_toml(column.comment or f'{label(column.name)}.')}"
    if field.type == FieldType.STRING and words(column.name)[-1:] in (["type"], ["status"], ["kind"], ["state"]):
        yield '# If it has few values that people choose from: type = "enum", choices = ["…", "…"]'
    if field.type == FieldType.JSON:
        yield "# Its members can be custom fields: flask models reflect TABLE --custom"


def _toml(text: str) -> str:
    """A basic string: TOML reads what JSON writes, but for DEL."""
    return json.dumps(" ".join(text.split()), ensure_ascii=False).replace("\x7f", "\\u007f")
