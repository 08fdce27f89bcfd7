"""Random filters over random rows give the same rows as plain Python (RELIABILITY R12)."""

from __future__ import annotations

import random
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from exports.catalogue import DataField, FieldType
from exports.operators import Input, Operator, operators_for
from tests.exports.oracle import matches
from tests.exports.zoo import THINGS, Zoo

TEXTS = [
    "", "a", "b", "A", "ab", "Straße", "STRASSE", "ß", "%", "_", "\\", "100%", "a_b", "a\\b", "'", '"', "É", "é",
    "e\u0301", "İstanbul", "Σας", "ΣΑΣ", "NULL", "-1", "=1+1", "a b", "日本", "\u2028", "' OR '1'='1", "x" * 50,
]  # fmt: skip
ZONES = ["UTC", "Europe/Budapest", "America/New_York", "Asia/Kathmandu", "Pacific/Apia", "America/Sao_Paulo",
         "Africa/Cairo", "America/St_Johns", "Pacific/Kiritimati"]  # fmt: skip
MOMENTS = [
    datetime.fromisoformat(one)
    for one in ("2017-03-26T00:59:59.999999+00:00", "2017-03-26T01:00:00+00:00", "2017-10-29T00:30:00+00:00",
                "2017-10-29T01:30:00+00:00", "2011-12-30T09:59:59+00:00", "2011-12-30T10:00:00+00:00",
                "2018-11-04T02:59:59+00:00", "2018-11-04T03:00:00+00:00", "2024-04-25T22:00:00+00:00",
                "2009-11-01T02:30:30+00:00", "2009-11-01T02:31:00+00:00", "2009-11-01T03:20:00+00:00",
                "2009-11-01T03:30:30+00:00", "2017-01-01T00:00:00+00:00", "2016-12-31T23:59:59.5+00:00")
]  # fmt: skip
DAYS = ["2017-03-26", "2017-10-29", "2011-12-30", "2011-12-31", "2018-11-04", "2024-04-26", "2009-11-01", "2017-01-01",
        "2016-12-31", "0001-01-01", "9999-12-30", "2016-02-29", "2012-02-28", "2008-02-29"]  # fmt: skip
TIMES = ["2017-03-26 02:30", "2017-10-29 02:30:00", "2009-11-01 00:00:30", "2017-01-01 00:00", "2011-12-30 12:00"]
NUMBERS = [Decimal(one) for one in ("0", "-1", "1", "1.5", "1.50", "-0.1", "10", "999999999999999999", "0.0000000001")]
ANNIVERSARIES = ["2016-02-29", "2017-02-28", "2017-03-26", "2016-12-20", "2018-01-10", "2018-12-31", "2026-12-30",
                 "2020-12-31", "9999-12-31", "2017-02-27", "2017-10-29", "2001-01-01"]  # fmt: skip

DECIMALS = [format(number, "f") for number in NUMBERS]


def thing(pick: random.Random, number: int) -> dict[str, Any]:
    """A row, each column of which may be empty in its own ways."""

    def maybe(*choices: Any) -> Any:
        return pick.choice([None, *choices])

    members = {
        "text": maybe(*TEXTS), "whole": maybe(1, 2, "3", "x", 10**20), "number": maybe(1.5, "1.50", "1e5", -1, True),
        "flag": maybe(True, False, "true", "no"), "day": maybe(*DAYS, "2017-02-30", "tomorrow"),
        "at": maybe("2017-03-26 00:59:59", "2017-03-26T03:00:00+02:00", "2017-03-26", "now", "2017-13-01 00:00", ""),
        "list": maybe([], ["a", "%"], ["a", "b", "ab"], "a", {}),
        "object": maybe({}, {"a": 1}, {"%": None}, [], "x", 5),
    }  # fmt: skip
    return {
        "id": f"{number:04}", "name": maybe(*TEXTS), "note": maybe(*TEXTS), "kind": maybe("a", "b", "c", ""),
        "ref": maybe(*TEXTS), "count": maybe(0, 1, -1, 10, 2**63 - 1), "amount": maybe(*NUMBERS),
        "ratio": maybe(0.0, 1.5, -1.0, 0.1, 10.0),
        "flag": maybe(True, False), "day": maybe(*map(date.fromisoformat, DAYS)), "at": maybe(*MOMENTS),
        "tags": maybe([], ["a"], ["a", "b"], ["ab", "%", ""]), "moments": maybe([], MOMENTS[:2], MOMENTS[2:5]),
        "title": maybe({}, {"en": "a"}, {"de": "b", "fr": "ab"}, {"hu": "É"}),
        "data": maybe({}, [], {"a": None}, {"b": {"a": 1}}),
        "properties": {name: value for name, value in members.items() if pick.random() < 0.7},
    }  # fmt: skip


ROWS = [thing(random.Random(number), number) for number in range(300)]  # noqa: S311 - the same rows every time


@pytest.fixture(scope="module")
def things(zoo: Zoo) -> Zoo:
    """The zoo with 300 random things, and another brand's that are the same."""
    zoo.fill(ROWS)
    zoo.fill(ROWS[:50], brand="alpine")
    return zoo


def values(field: DataField, operator: Operator) -> st.SearchStrategy[Any]:
    """Values that an operator takes, near those that are stored."""
    kind = field.items if field.type == FieldType.LIST else field.type
    one: st.SearchStrategy[Any] = {
        FieldType.INTEGER: st.sampled_from([0, 1, -1, 10, "3", 2**63 - 1]),
        FieldType.FLOAT: st.sampled_from(DECIMALS) | st.sampled_from([1, 1.5, -1]),
        FieldType.BOOLEAN: st.booleans(),
        FieldType.DATE: st.sampled_from(DAYS),
        FieldType.DATETIME: st.sampled_from(DAYS + TIMES),
        FieldType.ENUM: st.sampled_from(["a", "b", "c"]),
    }.get(
        kind,
        st.sampled_from([text for text in TEXTS if text])
        | st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=3),
    )
    if operator.input is Input.NONE:
        return st.none()
    if operator.input is Input.ANNIVERSARY:
        days = st.sampled_from(ANNIVERSARIES)
        return st.none() | days | st.tuples(days | st.none(), days | st.none()).map(ordered)
    if operator.input is Input.AGES:
        years = st.sampled_from([0, 1, 9, 17, 10, 999])
        return st.tuples(years | st.none(), years | st.none()).map(ordered)
    if operator.input.many:
        return st.lists(one, min_size=1, max_size=12)
    if operator.input.pair:
        return st.tuples(one | st.none(), one | st.none()).map(ordered)
    return one


def ordered(pair: tuple[Any, Any]) -> list[Any]:
    """A range that is not refused: at least one end, the lower one first."""
    low, high = pair
    if low is None and high is None:
        return [None, None]
    if low is None or high is None:
        return [low, high]
    key = (lambda one: Decimal(str(one))) if not (isinstance(low, str) and "-" in low[1:]) else str
    return sorted(pair, key=key)


@st.composite
def criteria(draw: st.DrawFn) -> dict[str, Any]:
    """One criterion on any attribute but segments, with any of its operators."""
    field = draw(st.sampled_from([one for one in THINGS.fields.values() if one.special is None]))
    operator = draw(st.sampled_from(operators_for(field)))
    if operator.input is Input.NONE:
        return {"attribute": field.id, "operator": operator.id}
    value = draw(values(field, operator).filter(lambda one: one != [None, None]))
    return {"attribute": field.id, "operator": operator.id, "value": value}


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck), print_blob=True)
@given(
    filters=st.lists(st.lists(criteria(), min_size=1, max_size=3), min_size=1, max_size=3), zone=st.sampled_from(ZONES)
)
def test_a_filter_finds_the_rows_that_plain_python_finds(things: Zoo, filters: list[Any], zone: str) -> None:
    expected = {row["id"] for row in ROWS if matches(row, filters, ZoneInfo(zone))}
    assert things.ids(filters, zone) == expected


@pytest.mark.parametrize(
    "field", [one for one in THINGS.fields.values() if one.special is None], ids=lambda one: one.id
)
def test_every_operator_of_every_attribute_finds_what_plain_python_finds(things: Zoo, field: DataField) -> None:
    pick = random.Random(field.id)  # noqa: S311 - the same values every time
    for operator in operators_for(field):
        for _ in range(4):
            criterion: dict[str, Any] = {"attribute": field.id, "operator": operator.id}
            if operator.input is not Input.NONE:
                criterion["value"] = sample(field, operator, pick)
            zone = pick.choice(ZONES)
            expected = {row["id"] for row in ROWS if matches(row, [[criterion]], ZoneInfo(zone))}
            assert things.ids([[criterion]], zone) == expected, (criterion, zone)


def sample(field: DataField, operator: Operator, pick: random.Random) -> Any:
    """A value by chance."""
    kind = field.items if field.type == FieldType.LIST else field.type
    pool: list[Any] = {
        FieldType.INTEGER: [0, 1, -1, 10, "3"], FieldType.FLOAT: DECIMALS, FieldType.BOOLEAN: [True, False],
        FieldType.DATE: DAYS, FieldType.DATETIME: DAYS + TIMES, FieldType.ENUM: ["a", "b", "c"],
    }.get(kind, [text for text in TEXTS if text])  # fmt: skip
    if operator.input is Input.ANNIVERSARY:
        return pick.choice([None, pick.choice(DAYS), ordered((pick.choice(ANNIVERSARIES), pick.choice(DAYS)))])
    if operator.input is Input.AGES:
        return ordered((pick.choice([0, 9, 17]), pick.choice([None, 10, 100])))
    if operator.input.many:
        return pick.sample(pool, min(3, len(pool)))
    if operator.input.pair:
        return ordered((pick.choice(pool), pick.choice([None, pick.choice(pool)])))
    return pick.choice(pool)


def test_days_that_clocks_skip_or_repeat_are_whole(things: Zoo) -> None:
    hour = timedelta(hours=1)
    start = datetime.fromisoformat("2017-10-28T20:00:00+00:00")
    things_of_the_night = [{"id": f"{number:03}", "at": start + number * hour} for number in range(36)]
    things.fill(things_of_the_night, brand="night")
    zone = ZoneInfo("Europe/Budapest")
    for day in ("2017-10-28", "2017-10-29", "2017-10-30"):
        query = things.query(definition_on(day), brand="night")
        found = {row[0] for row in things.source.select(query.matching)}
        expected = {one["id"] for one in things_of_the_night if one["at"].astimezone(zone).date().isoformat() == day}
        assert found == expected
        assert len(found) == {"2017-10-28": 2, "2017-10-29": 25, "2017-10-30": 9}[day]


def definition_on(day: str) -> Any:
    """Things of a day in Budapest."""
    from tests.exports.zoo import definition

    return definition(timezone="Europe/Budapest", filters=[[{"attribute": "at", "operator": "equals", "value": day}]])
