"""When an export runs: held against a clock that is watched minute by minute."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import islice, takewhile
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exports import schedule
from tests.exports import schedule_oracle as oracle

ZONES = [None, "UTC", "Europe/Budapest", "America/New_York", "Australia/Lord_Howe", "America/Santiago", "Africa/Cairo",
         "Asia/Kathmandu", "Pacific/Apia", "Africa/Casablanca"]  # fmt: skip


def comma_lists(below: int) -> st.SearchStrategy[str]:
    """`*`, or some numbers with commas."""
    numbers = st.lists(st.integers(0, below - 1), min_size=1, max_size=4)
    return st.just("*") | numbers.map(lambda found: ", ".join(map(str, found)))


lists_of = {"hours": comma_lists(24), "minutes": comma_lists(60)}
patterns = (
    st.fixed_dictionaries({"every": st.just("day")})
    | st.fixed_dictionaries(
        {"every": st.just("week"), "days": st.lists(st.sampled_from(oracle.DAYS), min_size=1, max_size=4)}
    )
    | st.fixed_dictionaries(
        {
            "every": st.just("month"),
            "days": st.lists(st.integers(1, 31) | st.just("last"), min_size=1, max_size=5),
        }
    )
)


def utc(text: str) -> datetime:
    """A moment."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def found(document: dict[str, Any], after: datetime, until: datetime) -> list[datetime]:
    """The product's answer for (after, until]."""
    moments = schedule.moments(schedule.read({"type": "repeated", **document}), after)
    return list(takewhile(lambda moment: moment <= until, moments))


def following(document: dict[str, Any], after: str, number: int) -> list[str]:
    """The next moments, as UTC."""
    moments = schedule.moments(schedule.read({"type": "repeated", **document}), utc(after))
    return [f"{one:%Y-%m-%d %H:%M}" for one in islice(moments, number)]


@settings(max_examples=60, deadline=None)
@given(pattern=patterns, zone=st.sampled_from(ZONES), times=st.fixed_dictionaries(lists_of), data=st.data())
def test_a_few_days_anywhere_are_those_of_the_clock(
    pattern: dict[str, Any], zone: str | None, times: dict[str, str], data: st.DataObject
) -> None:
    document = {**pattern, **times, "timezone": zone}
    after = data.draw(st.datetimes(datetime(2026, 1, 1), datetime(2029, 1, 1))).replace(tzinfo=UTC)
    until = after + timedelta(days=3)
    assert found(document, after, until) == list(oracle.moments(document, after, until))


CHANGES = [
    ("Europe/Budapest", "2027-03-28"), ("Europe/Budapest", "2027-10-31"), ("America/New_York", "2027-03-14"),
    ("America/New_York", "2027-11-07"), ("Australia/Lord_Howe", "2027-04-04"), ("Australia/Lord_Howe", "2027-10-03"),
    ("Africa/Cairo", "2027-04-30"), ("America/Santiago", "2027-09-05"), ("Africa/Casablanca", "2027-02-07"),
    ("Pacific/Apia", "2011-12-30"),
]  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(pattern=patterns, times=st.fixed_dictionaries(lists_of), change=st.sampled_from(CHANGES))
def test_kept_local_times_around_changes_of_clocks_are_those_of_the_clock(
    pattern: dict[str, Any], times: dict[str, str], change: tuple[str, str]
) -> None:
    document = {**pattern, **times, "timezone": change[0]}
    after = utc(change[1]) - timedelta(days=1)
    until = after + timedelta(days=3)
    assert found(document, after, until) == list(oracle.moments(document, after, until))


@pytest.mark.parametrize(
    ("document", "year"),
    [
        ({"every": "month", "days": [29, 30, 31, "last"], "hours": "0,12", "minutes": "30"}, 2028),
        ({"every": "month", "days": [29], "hours": "*", "minutes": "59", "timezone": "Europe/Budapest"}, 2027),
        ({"every": "week", "days": ["sunday"], "hours": "1,2", "minutes": "30", "timezone": "America/New_York"}, 2028),
    ],
)  # fmt: skip
def test_a_whole_year_is_that_of_the_clock(document: dict[str, Any], year: int) -> None:
    after, until = utc(f"{year}-01-01") - timedelta(minutes=1), utc(f"{year + 1}-01-01")
    assert found(document, after, until) == list(oracle.moments(document, after, until))


def test_hours_are_a_comma_list() -> None:
    daily = {"every": "day", "hours": "1,13", "minutes": "0"}
    assert following(daily, "2026-11-23 01:00", 3) == ["2026-11-23 13:00", "2026-11-24 01:00", "2026-11-24 13:00"]


def test_a_star_is_every_minute_of_every_hour() -> None:
    every_minute = {"every": "day", "hours": "*", "minutes": "*"}
    assert len(found(every_minute, utc("2026-11-22 23:59:59"), utc("2026-11-23 23:59"))) == 24 * 60


@pytest.mark.parametrize(("year", "last"), [(2027, 28), (2028, 29), (2100, 28)])
def test_last_is_the_last_day_of_february(year: int, last: int) -> None:
    monthly = {"every": "month", "days": ["last"], "hours": "6", "minutes": "0"}
    assert following(monthly, f"{year}-02-01", 1) == [f"{year}-02-{last} 06:00"]


def test_30_and_last_run_once_a_month() -> None:
    monthly = {"every": "month", "days": [30, "last"], "hours": "6", "minutes": "0"}
    assert following(monthly, "2027-02-01", 4) == [
        "2027-02-28 06:00", "2027-03-30 06:00", "2027-03-31 06:00", "2027-04-30 06:00"
    ]  # fmt: skip


def test_31_and_last_on_one_day_run_once() -> None:
    monthly = {"every": "month", "days": [31, "last"], "hours": "6", "minutes": "0"}
    assert following(monthly, "2027-01-01", 3) == ["2027-01-31 06:00", "2027-02-28 06:00", "2027-03-31 06:00"]


def test_days_that_a_month_lacks_are_skipped() -> None:
    monthly = {"every": "month", "days": [31], "hours": "6", "minutes": "0"}
    assert following(monthly, "2027-01-01", 3) == ["2027-01-31 06:00", "2027-03-31 06:00", "2027-05-31 06:00"]
    leap = {"every": "month", "days": [29], "hours": "6", "minutes": "0"}
    assert "2028-02-29 06:00" in following(leap, "2027-01-01", 24)
    assert not [one for one in following(leap, "2027-01-01", 12) if one.startswith("2027-02")]


def test_utc_moves_on_the_local_clock_and_keep_local_time_does_not() -> None:
    plain = {"every": "day", "hours": "7", "minutes": "0"}
    kept = {**plain, "hours": "8", "timezone": "Europe/Budapest"}
    assert following(plain, "2027-03-27", 2) == ["2027-03-27 07:00", "2027-03-28 07:00"]
    assert following(kept, "2027-03-27", 2) == ["2027-03-27 07:00", "2027-03-28 06:00"]


def test_an_hour_that_does_not_exist_moves_to_the_first_valid_minute() -> None:
    kept = {"every": "day", "hours": "2,3", "minutes": "0,30", "timezone": "Europe/Budapest"}
    assert following(kept, "2027-03-27 03:00", 3) == ["2027-03-28 01:00", "2027-03-28 01:30", "2027-03-29 00:00"]


def test_an_hour_that_comes_twice_fires_once_the_first() -> None:
    kept = {"every": "day", "hours": "2", "minutes": "30", "timezone": "Europe/Budapest"}
    assert following(kept, "2027-10-30 12:00", 2) == ["2027-10-31 00:30", "2027-11-01 01:30"]


@pytest.mark.parametrize(
    ("at", "zone", "expected"),
    [
        ("2026-12-01T08:00:00Z", None, "2026-12-01T08:00:00+00:00"),
        ("2026-12-01T08:00Z", None, "2026-12-01T08:00:00+00:00"),
        ("2026-12-01T08:00:00+01:00", None, "2026-12-01T07:00:00+00:00"),
        ("2026-12-01T08:00:00Z", "Europe/Budapest", "2026-12-01T08:00:00+00:00"),
        ("2026-12-01T08:00:00", "Europe/Budapest", "2026-12-01T07:00:00+00:00"),
        ("2027-03-28T02:30:00", "Europe/Budapest", "2027-03-28T01:00:00+00:00"),
        ("2027-10-31T02:30:00", "Europe/Budapest", "2027-10-31T00:30:00+00:00"),
    ],
)
def test_an_on_date_has_one_moment(at: str, zone: str | None, expected: str) -> None:
    on_date = schedule.read({"type": "on_date", "at": at, "timezone": zone})
    assert [one.isoformat() for one in schedule.moments(on_date, utc("2026-01-01"))] == [expected]
    assert schedule.next_moment(on_date, datetime.fromisoformat(expected)) is None


def test_at_once_has_no_moment() -> None:
    assert schedule.next_moment(schedule.Now(), utc("2026-01-01")) is None
