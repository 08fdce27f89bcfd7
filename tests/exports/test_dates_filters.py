"""Filters take `date:` and `datetime:` where they take days and times, from the one moment of the run."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from exports import rules
from exports.dates import parse
from exports.errors import DateOutOfRange, Problem
from exports.query import Query, Segment, Surroundings, build
from exports.source.statements import compiled
from tests.exports.zoo import CATALOGUE, MOMENT, Zoo, definition

SINGLE = ["equals", "not_equals", "lt", "lte", "gt", "gte"]
EXPRESSIONS = [
    "today", "yesterday 14:00", "-1 day", "-36 hours", "first day of this month", "last day of last month", "last week",
    "monday", "second tuesday of this month", "2026-11-20", "-1 month", "10 November 2026 +1 week", "now",
]  # fmt: skip
NEW = Segment.read("new", "New", "active", [[{"attribute": "at", "operator": "gte", "value": "date: today"}]])
SEGMENTS = {"new": NEW}
ZONES = ["America/New_York", "Pacific/Kiritimati"]


@pytest.fixture(scope="module")
def hours(zoo: Zoo) -> Zoo:
    """A thing for every six hours of the 60 days before the run, and one with nothing in it."""
    moments = [MOMENT - timedelta(hours=6 * number) for number in range(240)]
    rows = [{"id": f"{number:03}", "at": at, "day": at.date(), "moments": [at]} for number, at in enumerate(moments)]
    zoo.fill([*rows, {"id": "none"}])
    return zoo


def query(
    attribute: str, operator: str, value: Any, timezone: str = "UTC", moment: datetime = MOMENT, brand: str = "maple"
) -> Query:
    filters = [[{"attribute": attribute, "operator": operator, "value": value}]]
    return build(definition(filters=filters, timezone=timezone), CATALOGUE, Surroundings(brand, moment, SEGMENTS))


def ids(zoo: Zoo, *criterion: Any, **around: Any) -> set[str]:
    return {row[0] for row in zoo.source.select(query(*criterion, **around).matching)}


def statement(*criterion: Any) -> tuple[str, dict[str, Any]]:
    return compiled(query(*criterion).matching, folds_unicode=True)


@pytest.mark.parametrize("timezone", ZONES)
@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_an_expression_is_asked_for_as_its_day_is(expression: str, timezone: str) -> None:
    day = parse(expression).resolve(MOMENT, ZoneInfo(timezone)).isoformat()
    for attribute, operators in (("at", SINGLE), ("day", ["lte"]), ("p_at", ["gt"]), ("p_day", ["equals"])):
        for operator in operators:
            typed = statement(attribute, operator, f"date: {expression}", timezone)
            assert typed == statement(attribute, operator, day, timezone)
        for low, high in ((day, None), (None, day), ("2000-01-01", day)):
            pair = [f"DATE:{expression}" if one == day else one for one in (low, high)]
            assert statement(attribute, "in_date", pair, timezone) == statement(
                attribute, "in_date", [low, high], timezone
            )


@pytest.mark.parametrize("timezone", ZONES)
@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_with_the_time_kept_it_is_asked_for_as_its_second_is(expression: str, timezone: str) -> None:
    moment = parse(expression).resolve_moment(MOMENT, ZoneInfo(timezone)).replace(tzinfo=None).isoformat(" ")
    for operator in SINGLE:
        typed = statement("at", operator, f"datetime: {expression}", timezone)
        assert typed == statement("at", operator, moment, timezone)


def test_before_ends_where_the_day_begins_and_up_to_it_where_it_ends(hours: Zoo) -> None:
    """MOMENT is 10:00, so the things of a day are of 04:00, 10:00, 16:00 and 22:00; those of today 0 and 1."""
    assert ids(hours, "at", "gte", "date: today") == {"000", "001"}
    assert ids(hours, "at", "equals", "date: yesterday") == {"002", "003", "004", "005"}
    assert "002" in ids(hours, "at", "lte", "date: yesterday")
    assert "005" not in ids(hours, "at", "lt", "date: yesterday")
    assert ids(hours, "at", "gt", "datetime: -6 hours") == {"000"}
    assert ids(hours, "at", "gte", "datetime: -6 hours") == {"000", "001"}


def test_dates_of_lists_are_asked_for_by_expressions_as_well(hours: Zoo) -> None:
    assert ids(hours, "moments", "contains", "date: yesterday") == {"002", "003", "004", "005"}
    assert ids(hours, "moments", "contains", "datetime: now") == {"000"}


def test_the_moment_of_the_run_is_the_base_of_all(hours: Zoo) -> None:
    before = MOMENT - timedelta(days=10)
    week_then = ids(hours, "at", "in_date", ["date: -7 days", "date: yesterday"], moment=before)
    assert week_then == ids(hours, "at", "in_date", ["2026-11-06", "2026-11-12"])


def test_a_range_that_is_empty_today_is_no_mistake(hours: Zoo) -> None:
    first = datetime(2026, 11, 1, 10, tzinfo=UTC)
    value = ["date: first day of this month", "date: yesterday"]
    assert ids(hours, "at", "in_date", value, moment=first) == set()
    assert len(ids(hours, "at", "in_date", value, moment=first + timedelta(days=2))) == 8


def test_a_day_begins_where_the_clock_lets_it(zoo: Zoo) -> None:
    midnight = datetime(2024, 4, 25, 22, tzinfo=UTC)
    moments = {"last": midnight - timedelta(seconds=1), "first": midnight}
    zoo.fill([{"id": id, "at": at} for id, at in moments.items()], brand="cairo")
    for value in ("date: today", "date: 2024-04-26", "datetime: today"):
        found = ids(zoo, "at", "gte", value, "Africa/Cairo", brand="cairo", moment=midnight + timedelta(hours=5))
        assert found == {"first"}


def test_segments_use_expressions_in_the_moment_and_zone_of_the_run(hours: Zoo) -> None:
    new = ("segments", "in_segment", {"ids": ["new"]})
    assert ids(hours, *new) == {"000", "001"}
    assert ids(hours, *new, "Pacific/Kiritimati") == {"000"}
    assert ids(hours, *new, moment=MOMENT - timedelta(days=59)) == {f"{number:03}" for number in range(238)}


# --- what is refused, when it is saved and when it runs


def problems(attribute: str, operator: str, value: Any) -> list[Problem]:
    filters = [[{"attribute": attribute, "operator": operator, "value": value}]]
    return rules.problems(definition(filters=filters), CATALOGUE)


@pytest.mark.parametrize("attribute", ["at", "day"])
@pytest.mark.parametrize(
    ("value", "code", "sentence"),
    [
        (
            "date: first day of this year",
            "date.unreadable",
            "“first day of this year” cannot be read. Write “first day of january” for 1 January.",
        ),
        ("date:", "date.unreadable", "“” cannot be read."),
        ("date:2025-02-30", "date.not_in_calendar", "“2025-02-30” is not a day of the calendar"),
        ("date: first day of last month -1 day", "date.combination", "“-1 day” cannot stand beside “first day of”"),
        ("date: +9999 years", "date.out_of_range", "“+9999 years” leads out of the years 1 to 9999."),
        ("dates: today", "value.unreadable", "Enter a date"),
        ("datum: today", "value.unreadable", "Enter a date"),
        ("", "value.unreadable", "Enter a date"),
        ("2017-13-01", "value.unreadable", "2017-13-01 is not a day of the calendar"),
        ("2017-1-5", "value.unreadable", "Enter a date"),
        (
            " first day of this month",
            "date.unreadable",
            "“first day of this month” cannot be read. Write date: before it: “date: first day of this month”.",
        ),
        (
            "first day of this year",
            "date.unreadable",
            "“first day of this year” cannot be read. Write “date: first day of january” for 1 January.",
        ),
        ("−3 months", "date.unreadable", "“−3 months” cannot be read. Write “date: -3 months”."),
    ],
)
def test_a_wrong_expression_is_a_problem_of_its_value(attribute: str, value: str, code: str, sentence: str) -> None:
    [problem] = problems(attribute, "gte", value)
    assert (problem.at, problem.code) == ("filters.0.0.value", code)
    assert problem.message.startswith(sentence)


def test_each_end_of_a_range_has_its_own_problem() -> None:
    [problem] = problems("at", "in_date", ["date: today", "date: tomorow"])
    assert (problem.at, problem.message) == ("filters.0.0.value.1", "“tomorow” cannot be read. Write “tomorrow”.")


@pytest.mark.parametrize("attribute", ["at", "day"])
def test_both_ends_of_a_range_are_told_at_once(attribute: str) -> None:
    found = problems(attribute, "in_date", ["first day of this year", "2017-13-01"])
    assert [(one.at, one.message) for one in found] == [
        (
            "filters.0.0.value.0",
            "“first day of this year” cannot be read. Write “date: first day of january” for 1 January.",
        ),
        ("filters.0.0.value.1", "2017-13-01 is not a day of the calendar"),
    ]


def test_a_time_without_its_prefix_is_kept_by_it() -> None:
    [problem] = problems("at", "gte", "yesterday 10:00")
    assert problem.message == (
        "“yesterday 10:00” cannot be read. Write datetime: before it: “datetime: yesterday 10:00”."
    )
    [problem] = problems("day", "gte", "yesterday 10:00")
    assert problem.message == "“yesterday 10:00” cannot be read. Write date: before it: “date: yesterday 10:00”."


def test_a_day_has_no_time_to_keep() -> None:
    [problem] = problems("day", "equals", "datetime: now")
    assert problem.message == "Day is a day without a time: write date: in place of datetime:"


def test_the_last_day_of_the_calendar_stands_for_ever(hours: Zoo) -> None:
    everything = {f"{number:03}" for number in range(240)}
    for last in ("9999-12-31", "date: 9999-12-31", "9999-12-31 23:59:59"):
        assert problems("at", "lte", last) == []
        for zone in ("UTC", "Pacific/Kiritimati", "America/Los_Angeles"):
            assert ids(hours, "at", "lte", last, zone) == everything, "without the thing that has no time"
            assert ids(hours, "at", "in_date", ["2026-11-22", last], zone) >= {"000", "001"}
            assert ids(hours, "at", "gt", last, zone) == set()
    assert problems("day", "lte", "date: 9999-12-31") == []


def test_an_expression_may_leave_the_calendar_only_when_it_runs(hours: Zoo) -> None:
    assert problems("at", "lte", "date: +7999 years") == []
    with pytest.raises(DateOutOfRange):
        ids(hours, "at", "lte", "date: +7999 years", moment=datetime(2001, 1, 1, tzinfo=UTC))


def test_seven_days_ago_is_a_day() -> None:
    assert parse("-7 days").resolve(MOMENT, ZoneInfo("UTC")) == date(2026, 11, 16)
