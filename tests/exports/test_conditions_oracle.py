"""Random filters over random rows give the same rows as plain Python (RELIABILITY R12)."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exports.catalogue import DataField
from exports.operators import Input, operators_for
from tests.campaigns import campaign, seen
from tests.exports.oracle import holds, matches
from tests.exports.questions import (
    DAYS,
    MOMENTS,
    NUMBERS,
    TEXTS,
    ZONES,
    criteria,
    kind_of,
    kinds_of,
    sets_of,
    values,
)  # fmt: skip
from tests.exports.zoo import THINGS, Zoo

ASKED = replace(THINGS, fields={id: one for id, one in THINGS.fields.items() if one.special is None})
"""The things without the segments, of which they have none."""


def thing(pick: random.Random, number: int) -> dict[str, Any]:
    """A row, each column of which may be empty in its own ways."""

    def maybe(*choices: Any) -> Any:
        return pick.choice([None, *choices])

    name = maybe(*TEXTS)
    members = {
        "text": maybe(*TEXTS, 5, 1.5, True), "whole": maybe(1, 2, "3", "x", 10**20),
        "number": maybe(1.5, "1.50", "1e5", -1, True),
        "flag": maybe(True, False, "true", "no"), "day": maybe(*DAYS, "2017-02-30", "tomorrow"),
        "at": maybe("2017-03-26 00:59:59", "2017-03-26T03:00:00+02:00", "2017-03-26", "now", "2017-13-01 00:00", ""),
        "list": maybe([], ["a", "%"], ["a", "b", "ab"], ["a", 1, None, True], "a", {}),
        "object": maybe({}, {"a": 1}, {"%": None}, [], "x", 5),
    }  # fmt: skip
    return {
        "id": f"{number:04}", "name": name, "shout": None if name is None else f"{name}!maple",
        "note": maybe(*TEXTS), "kind": maybe("a", "b", "c", ""),
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


@campaign("filters", short=120, long=5_000, expected=kinds_of([ASKED]))
@given(filters=sets_of(criteria(ASKED)), zone=st.sampled_from(ZONES))
def test_a_filter_finds_the_rows_that_plain_python_finds(things: Zoo, filters: list[Any], zone: str) -> None:
    expected = {row["id"] for row in ROWS if matches(row, filters, ZoneInfo(zone))}
    assert things.ids(filters, zone) == expected
    for one in (one for set_ in filters for one in set_):
        counted(one, zone)


@pytest.mark.parametrize("field", list(ASKED.fields.values()), ids=lambda one: one.id)
@campaign("filters", short=2, long=60)
@given(zone=st.sampled_from(ZONES), data=st.data())
def test_every_operator_of_every_attribute_finds_what_plain_python_finds(
    things: Zoo, field: DataField, zone: str, data: st.DataObject
) -> None:
    for operator in operators_for(field):
        criterion: dict[str, Any] = {"attribute": field.id, "operator": operator.id}
        if operator.input is not Input.NONE:
            criterion["value"] = data.draw(values(field, operator, {}))
        assert things.ids([[criterion]], zone) == counted(criterion, zone), criterion


def counted(criterion: Any, zone: str) -> set[str]:
    """The ids of the things for which a criterion holds, counted for the campaign's report."""
    found = {row["id"] for row in ROWS if holds(row, criterion, ZoneInfo(zone))}
    kind = kind_of(THINGS.fields[criterion["attribute"]], criterion["operator"])
    seen(kind, "true", len(found))
    seen(kind, "false", len(ROWS) - len(found))
    return found


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
