"""Filters find what stands in the file, around every change of a zone's clocks; and both are as zoneinfo has them.

SPEC section 3.2. The database is asked about all instants of a zone in one statement: how it tells them in a file, and
which of them each filter finds.
"""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from exports import rules, zones
from exports.columns import Context
from exports.conditions import all_of
from exports.definition import Criterion
from exports.errors import DefinitionRefused
from exports.render import as_text
from exports.source.statements import compiled
from tests.exports.zoo import CATALOGUE, THINGS, Zoo, around, definition

WELL_KNOWN = [
    "Europe/Budapest", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "Africa/Monrovia", "Pacific/Apia",
    "Antarctica/Troll", "America/Sao_Paulo", "Africa/Cairo", "America/St_Johns", "Pacific/Kiritimati", "Asia/Tehran",
    "Europe/Dublin", "Africa/Casablanca", "America/Edmonton", "UTC",
]  # fmt: skip
"""Half hours, 44 minutes and 30 seconds (Monrovia until 1972), a day left out (Apia, 2011-12-30), two hours (Troll).

The laws of some were changed of late, so that this machine's rules may differ from the database's.
"""
SEED = 20_261_123
OPERATORS = ("equals", "not_equals", "lt", "lte", "gt", "gte")
FIRST, LAST = datetime(1900, 1, 1, tzinfo=UTC), datetime(2038, 1, 1, tzinfo=UTC)
NEAR = [timedelta(seconds=s) for s in (-7200, -3601, -3600, -1, 0, 1, 1799, 1800, 3599, 3600, 7200)]


def instants(zone: tzinfo, draw: random.Random, most: int = 60) -> list[datetime]:
    """Around the changes of a zone's clocks, some drawn if there are many: to the second, and anywhere near."""
    found = changes(zone) or [datetime(2017, 1, 1, tzinfo=UTC)]
    some = found if len(found) <= most else draw.sample(found, most)
    near = [one + delta for one in some for delta in NEAR]
    return near + [one + timedelta(seconds=draw.randint(-100_000, 100_000)) for one in some]


def changes(zone: tzinfo) -> list[datetime]:
    """The first second of each new offset, between FIRST and LAST."""

    def offset(moment: datetime) -> timedelta | None:
        return moment.astimezone(zone).utcoffset()

    found, moment = [], FIRST
    while moment < LAST:
        before, after = moment, moment + timedelta(days=10)
        if offset(before) != offset(after):
            while after - before > timedelta(seconds=1):
                middle = before + (after - before) // 2
                middle = middle.replace(microsecond=0)
                before, after = (middle, after) if offset(middle) == offset(before) else (before, middle)
            found.append(after)
        moment += timedelta(days=10)
    return found


def told_by_database(zoo: Zoo, zone: str, moments: list[datetime], filters: list[Any]) -> list[tuple[Any, ...]]:
    """Each moment as it stands in a file, and whether each filter finds it."""
    array = ARRAY(sa.DateTime(timezone=True))
    given = sa.func.unnest(sa.cast(sa.literal(moments, array), array)).table_valued(sa.column("at"))
    surroundings = around(zone=zoo.source.zone)
    context = Context(CATALOGUE, THINGS, given.render_derived(name="things"), zone, surroundings)
    conditions = [all_of(((Criterion(**one),),), context) for one in filters]
    columns = [as_text(THINGS.fields["at"], context), *conditions]
    wanted = sa.select(*(one.label(f"c{place}") for place, one in enumerate(columns)))
    text, values = compiled(wanted.select_from(context.relation), folds_unicode=True)
    with psycopg.connect(zoo.url, cursor_factory=psycopg.ClientCursor) as connection:
        connection.execute("SELECT set_config('TimeZone', %s, false)", [zone])
        return connection.execute(text.encode(), values).fetchall()


def asked(clock: list[datetime], draw: random.Random) -> list[dict[str, Any]]:
    """Filters at times that the clock reads, skips or reads twice, and at their days."""
    filters: list[dict[str, Any]] = []
    for one in draw.sample(clock, 3):
        local = one.replace(microsecond=0) + timedelta(minutes=draw.choice((-60, -30, 0, 0, 30)))
        day, later = local.date().isoformat(), (local + timedelta(hours=2)).isoformat(" ")
        for value in (local.isoformat(" "), day, f"date: {day}"):
            filters += [{"attribute": "at", "operator": operator, "value": value} for operator in OPERATORS]
            filters.append({"attribute": "at", "operator": "in_date", "value": [value, later]})
    return filters


def holds(read_: datetime, one: dict[str, Any]) -> bool:
    """Whether a filter finds what the clock reads, by its plain meaning."""
    if one["operator"] == "in_date":
        (first, _), (_, after) = map(span, one["value"])
        return first <= read_ < after
    first, after = span(one["value"])
    return {
        "equals": first <= read_ < after, "not_equals": not first <= read_ < after, "lt": read_ < first,
        "lte": read_ < after, "gt": read_ >= after, "gte": read_ >= first,
    }[one["operator"]]  # fmt: skip


def span(value: str) -> tuple[datetime, datetime]:
    """The day or the second that is meant."""
    local = datetime.fromisoformat(value.removeprefix("date: "))
    return local, local + (timedelta(seconds=1) if ":" in value.removeprefix("date:") else timedelta(days=1))


@pytest.mark.parametrize("zone", WELL_KNOWN)
def test_around_every_change_filters_find_what_stands_in_the_file(zoo: Zoo, zone: str) -> None:
    draw = random.Random(f"{SEED} {zone}")  # noqa: S311  # choices, no secret
    rules_ = zoo.source.zone(zone)
    moments = instants(rules_, draw)
    filters = asked([one.astimezone(rules_).replace(tzinfo=None) for one in moments], draw)
    found = told_by_database(zoo, zone, moments, filters)
    assert len(found) == len(moments)
    for moment, (told, *held) in zip(moments, found, strict=True):
        read = datetime.fromisoformat(told)
        assert read == moment.astimezone(rules_).replace(tzinfo=None), "the rules that were read are the database's"
        wrong = [one for one, is_found in zip(filters, held, strict=True) if is_found != holds(read, one)]
        assert wrong == [], (moment, read)


def test_every_zone_tells_the_times_of_our_days_as_zoneinfo_does(zoo: Zoo) -> None:
    """From 1980 to 2025: before it sources disagree about history, behind it about laws that are new."""
    days = [datetime(1980, 1, 2, tzinfo=UTC) + timedelta(days=83, hours=1) * n for n in range(200)]
    wrong = []
    for zone in sorted(zones.names()):
        place = zones.zone(zone)
        for moment, (told,) in zip(days, told_by_database(zoo, zone, days, []), strict=True):
            if told != moment.astimezone(place).replace(tzinfo=None).isoformat(" "):
                wrong.append((zone, told))
    assert len({zone for zone, _told in wrong}) <= 5, wrong  # of some the history was looked up anew: Bogota, 1992


@pytest.mark.parametrize(
    ("zone", "moment", "told"),
    [
        ("Africa/Monrovia", "1972-01-07T00:44:29Z", "1972-01-06 23:59:59"),
        ("Africa/Monrovia", "1972-01-07T00:44:30Z", "1972-01-07 00:44:30"),
        ("Pacific/Apia", "2011-12-30T09:59:59Z", "2011-12-29 23:59:59"),
        ("Pacific/Apia", "2011-12-30T10:00:00Z", "2011-12-31 00:00:00"),
        ("Australia/Lord_Howe", "2017-10-01T15:30:00Z", "2017-10-02 02:30:00"),
        ("Asia/Kathmandu", "2017-01-01T00:00:00Z", "2017-01-01 05:45:00"),
        ("Antarctica/Troll", "2017-07-01T00:00:00Z", "2017-07-01 02:00:00"),
    ],
)
def test_odd_clocks_read_what_is_known_of_them(zoo: Zoo, zone: str, moment: str, told: str) -> None:
    assert told_by_database(zoo, zone, [datetime.fromisoformat(moment)], []) == [(told,)]


def test_a_zone_that_the_database_does_not_know_is_refused_as_one_that_nobody_knows(zoo: Zoo) -> None:
    wanted = definition()
    with pytest.raises(DefinitionRefused) as refused:
        zoo.source.estimate(replace(zoo.query(wanted), timezone="Mars/Olympus"))
    with pytest.raises(DefinitionRefused):
        zoo.source.zone("Mars/Olympus")
    known = zones.names() - {"UTC"}  # as of a database whose list is shorter than ours
    assert refused.value.problems == rules.problems(wanted, CATALOGUE, known)
    assert zoo.source.zones() >= zones.names()
