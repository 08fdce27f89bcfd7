"""Random aggregations over random rows give the same files as plain Python (SPEC section 3.4, the table of methods)."""

from __future__ import annotations

import csv
import io
import json
import random
from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, localcontext
from fractions import Fraction
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exports.catalogue import DataField, FieldType
from tests.campaigns import campaign, seen
from tests.exports.oracle import Row, matches, raw_of, value_of
from tests.exports.questions import ZONES
from tests.exports.test_conditions_oracle import thing
from tests.exports.zoo import EVERYTHING, THINGS, Zoo

TEXTS = {FieldType.STRING, FieldType.TEXT, FieldType.ENUM, FieldType.REFERENCE}
NUMBERS = {FieldType.INTEGER, FieldType.FLOAT}
ORDERED = TEXTS | NUMBERS | {FieldType.DATE, FieldType.DATETIME}
METHODS = {
    "group": ORDERED | {FieldType.BOOLEAN},
    "sum": NUMBERS,
    "average": NUMBERS,
    "min": ORDERED,
    "max": ORDERED,
}
FIELDS = [one for one in THINGS.fields.values() if not one.computed]
AMOUNTS = [Decimal(one) for one in ("0.00000000005", "-0.00000000005", "2.5", "2.500", "-7", "0.1234567890123")]
FORMULAS = "=+-@\t\r\n\uff1d\uff0b\uff0d\uff20"
FILTERS = [
    EVERYTHING,
    [[{"attribute": "flag", "operator": "equals", "value": True}]],
    [[{"attribute": "count", "operator": "gte", "value": 1}], [{"attribute": "kind", "operator": "is_empty"}]],
    [[{"attribute": "name", "operator": "equals", "value": "a thing that is not there"}]],
]


def row(number: int) -> Row:
    """A thing; of the amounts some lie in the middle between two that can be written."""
    pick = random.Random(number)  # noqa: S311 - the same rows every time
    made = thing(pick, number)
    return {**made, "amount": pick.choice(AMOUNTS) if pick.random() < 0.4 else made["amount"]}


ROWS = [row(number) for number in range(300)]


# --- the oracle


@dataclass(frozen=True)
class Asked:
    """A column of the definition."""

    field: DataField
    method: str
    default: str
    replace: dict[str, str]

    def as_json(self, place: int) -> Row:
        """The member of `fields`."""
        pairs = [{"value": old, "new": new} for old, new in self.replace.items()]
        return {"from": self.field.id, "to": f"c{place}", "default": self.default, "replace": pairs,
                "aggregation": self.method}  # fmt: skip


def rendered(row: Row, field: DataField, zone: ZoneInfo) -> str:
    """The text of a value as a file without aggregation has it."""
    raw = raw_of(row, field)
    moment = value_of(row, field) if field.type == FieldType.DATETIME else None
    return plain(moment if moment is not None else raw, zone)


def plain(value: Any, zone: ZoneInfo) -> str:
    """The text of any scalar value."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        value = Decimal(repr(value)).normalize()
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, datetime):
        return value.astimezone(zone).replace(tzinfo=None).isoformat(" ", "seconds")
    return str(value)


def key(row: Row, asked: Asked, zone: ZoneInfo) -> str:
    """Rendered, replaced, defaulted."""
    text = rendered(row, asked.field, zone)
    return asked.replace.get(text, text) or asked.default


def key_in_json(rows: list[Row], asked: Asked, zone: ZoneInfo) -> Any:
    """A native value if no record of the group says otherwise; null if it is empty."""
    texts = [rendered(one, asked.field, zone) for one in rows]
    text = key(rows[0], asked, zone)
    if asked.field.type not in NUMBERS | {FieldType.BOOLEAN}:
        return text or None
    if any(one in asked.replace or one == "" for one in texts):
        return text or None
    if any(isinstance(raw_of(one, asked.field), str) for one in rows):
        return text
    return text == "true" if isinstance(raw_of(rows[0], asked.field), bool) else Decimal(text)


def result(rows: list[Row], asked: Asked) -> Any:
    """What a method makes of a group's values; None is empty."""
    if asked.method == "count":
        return len(rows)
    found = [value_of(one, asked.field) for one in rows]
    if asked.field.type in NUMBERS:
        found = [None if one is None else Decimal(str(one)) for one in found]
        if asked.field.stored:
            found = [None if one is None else one.normalize() for one in found]
    values = [one for one in found if one is not None and one != ""]
    if not values or (asked.method == "min" and len(values) < len(rows)):
        return None
    if asked.method == "average":
        return half_up(sum(map(Fraction, values), Fraction(0)) / len(values))
    if asked.method == "sum":
        with localcontext(prec=200):
            return sum(values, Decimal(0))
    return extreme(values, asked.method)


def half_up(exact: Fraction) -> Decimal:
    """To ten decimals, a tie away from zero."""
    units = int(abs(exact) * 10**10 + Fraction(1, 2)) * (1 if exact >= 0 else -1)
    with localcontext(prec=200):
        whole = Decimal(units).scaleb(-10)
        return whole.quantize(1) if whole == whole.to_integral_value() else whole.normalize()


def extreme(values: list[Any], method: str) -> Any:
    """Of equal numbers the one with fewer decimals."""
    if isinstance(values[0], Decimal):
        sign = 1 if method == "min" else -1
        return min(values, key=lambda one: (sign * one, decimals(one)))
    return min(values) if method == "min" else max(values)


def decimals(number: Decimal) -> int:
    """How many are written."""
    exponent = number.as_tuple().exponent
    assert isinstance(exponent, int)
    return max(0, -exponent)


def expected(
    rows: list[Row], columns: list[Asked], zone: ZoneInfo, as_json: bool, protect: bool = False
) -> list[list[Any]]:
    """The rows of the file, in its order."""
    groups = defaultdict(list)
    keyed = [one for one in columns if one.method == "group"]
    for one in rows:
        groups[tuple(key(one, each, zone) for each in keyed)].append(one)
    made = []
    for _key, members in sorted(groups.items()):
        made.append([cell(members, one, zone, as_json, protect) for one in columns])
    return made


def cell(rows: list[Row], asked: Asked, zone: ZoneInfo, as_json: bool, protect: bool) -> Any:
    """One cell, as text or as a value of JSON."""
    if asked.method == "group":
        return key_in_json(rows, asked, zone) if as_json else shielded(key(rows[0], asked, zone), asked, protect)
    value = result(rows, asked)
    if as_json and isinstance(value, int | Decimal):
        return value
    text = plain(value, zone) or asked.default
    return (text or None) if as_json else shielded(text, asked, protect)


def shielded(text: str, asked: Asked, protect: bool) -> str:
    """The spreadsheet guard: for texts, and for what is no number in a column of something else."""
    if not protect or not text or text[0] not in FORMULAS:
        return text
    is_text = asked.field.type in TEXTS and asked.method in ("group", "min", "max")
    return f"'{text}" if is_text or not text.removeprefix("-").replace(".", "", 1).isdecimal() else text


# --- what is asked

MET = {f"{method} of {type}": ("value",) for method, types in METHODS.items() for type in types}
"""Each method with each type that it takes is to be met; which of them give empty cells the report tells."""
NEW = ["", "b", "x", "-1", "1", "-x", "=1+1", "true", "2017-01-01", "new"]


@cache
def texts_of(field: DataField, zone: ZoneInfo) -> list[str]:
    """All texts that occur in a field."""
    return sorted({rendered(one, field, zone) for one in ROWS} - {""})


@st.composite
def columns(draw: st.DrawFn, method: str, zone: ZoneInfo) -> Asked:
    """A column with a method, replacements of values that occur, and a Default."""
    takes = METHODS.get(method)
    fields = [
        one for one in FIELDS if takes is None or (one.type in takes and not (method == "group" and one.identifier))
    ]
    field = draw(st.sampled_from(fields))
    replace: dict[str, str] = {}
    if field.type not in (FieldType.LIST, FieldType.JSON):
        occurring = texts_of(field, zone)
        old = st.sampled_from(occurring) | st.sampled_from(NEW[1:])
        replace = draw(st.dictionaries(old, st.sampled_from(NEW), max_size=4))
    return Asked(field, method, draw(st.sampled_from(["", "", "n/a", "0", "-5", "-x", "a"])), replace)


@st.composite
def questions(draw: st.DrawFn) -> tuple[list[Asked], str]:
    """Columns of which at least one is Group and at most one Count, and the zone of the export."""
    name = draw(st.sampled_from(ZONES))
    zone = ZoneInfo(name)
    asked = draw(st.lists(columns("group", zone), min_size=1, max_size=3))
    asked += draw(st.lists(columns("count", zone), max_size=1))
    for method in draw(st.lists(st.sampled_from(["sum", "average", "min", "max"]), max_size=5)):
        asked.append(draw(columns(method, zone)))
    return draw(st.permutations(asked)), name


@pytest.fixture(scope="module")
def things(zoo: Zoo) -> Zoo:
    """The zoo with these rows; the other brand's must not be counted in."""
    zoo.fill(ROWS)
    zoo.fill(ROWS[:50], brand="alpine")
    return zoo


@campaign("aggregations", short=100, long=3_000, expected=MET)
@given(asked=questions(), filters=st.sampled_from(FILTERS), protect=st.booleans())
def test_an_aggregated_csv_is_the_one_that_plain_python_writes(
    things: Zoo, asked: tuple[list[Asked], str], filters: Any, protect: bool
) -> None:
    chosen, zone = asked
    fields = [one.as_json(place) for place, one in enumerate(chosen)]
    file = {"header": False, "protect_spreadsheets": protect}
    data = things.file(fields=fields, filters=filters, timezone=zone, aggregation=True, file=file)
    read = list(csv.reader(io.StringIO(data.decode(), newline="")))
    wanted = [one for one in ROWS if matches(one, filters, ZoneInfo(zone))]
    assert read == expected(wanted, chosen, ZoneInfo(zone), False, protect)
    for place, one in enumerate(chosen):
        for cell in (line[place] for line in read):
            seen(f"{one.method} of {one.field.type}", "empty" if cell == "" else "value")


@campaign("aggregations", short=60, long=2_000)
@given(asked=questions(), filters=st.sampled_from(FILTERS))
def test_an_aggregated_json_is_the_one_that_plain_python_writes(
    things: Zoo, asked: tuple[list[Asked], str], filters: Any
) -> None:
    chosen, zone = asked
    fields = [one.as_json(place) for place, one in enumerate(chosen)]
    data = things.file(fields=fields, filters=filters, timezone=zone, aggregation=True, file={"extension": "json"})
    read = [list(one.values()) for one in json.loads(data, parse_float=Decimal, parse_int=Decimal)]
    wanted = [one for one in ROWS if matches(one, filters, ZoneInfo(zone))]
    assert read == expected(wanted, chosen, ZoneInfo(zone), True)
