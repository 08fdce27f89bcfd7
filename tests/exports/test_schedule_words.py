"""A schedule as people read it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from exports import schedule

DAILY = {"type": "repeated", "every": "day", "hours": "6", "minutes": "30"}
WEEKLY = {**DAILY, "every": "week", "days": ["thursday", "monday"]}
MONTHLY = {**DAILY, "every": "month", "days": ["last"]}
ALL_MINUTES = {"hours": "*", "minutes": "*"}
NOVEMBER = datetime(2026, 11, 23, 9, 42, tzinfo=UTC)


@pytest.mark.parametrize(
    ("document", "sentence"),
    [
        ({"type": "now"}, "At once, one time"),
        ({"type": "on_date", "at": "2026-12-01T08:00:00Z"}, "On Tue 1 Dec 2026 at 08:00 UTC"),
        (
            {"type": "on_date", "at": "2026-12-01T08:00:00", "timezone": "Europe/Budapest"},
            "On Tue 1 Dec 2026 at 08:00 in Europe/Budapest",
        ),
        ({**WEEKLY, "hours": "1,13", "minutes": "0"}, "Every Monday and Thursday at 01:00 and 13:00 UTC"),
        ({**DAILY, "timezone": "Europe/Budapest"}, "Every day at 06:30 in Europe/Budapest"),
        ({**DAILY, "hours": "13, 1,1"}, "Every day at 01:30 and 13:30 UTC"),
        ({**DAILY, **ALL_MINUTES}, "Every day, every minute, UTC"),
        ({**DAILY, "hours": "*", "minutes": "0"}, "Every day, every hour at minute 0, UTC"),
        ({**DAILY, "hours": "*", "minutes": "0,30"}, "Every day, every hour at minutes 0 and 30, UTC"),
        ({**DAILY, "hours": "6", "minutes": "*"}, "Every day, every minute of the hour 06, UTC"),
        (
            {**DAILY, "hours": "6,7,8,9", "minutes": "0,30"},
            "Every day, at minutes 0 and 30 of the hours 06, 07, 08 and 09, UTC",
        ),
        ({**WEEKLY, "days": [*schedule.shape.WEEKDAYS]}, "Every day at 06:30 UTC"),
        ({**MONTHLY, "hours": "23", "minutes": "0"}, "On the last day of every month at 23:00 UTC"),
        ({**MONTHLY, "days": [15, 1, "last"]}, "On the 1st, 15th and last day of every month at 06:30 UTC"),
        ({**MONTHLY, "days": [2, 3, 11, 22]}, "On the 2nd, 3rd, 11th and 22nd of every month at 06:30 UTC"),
    ],
)
def test_it_is_said_in_full(document: dict[str, Any], sentence: str) -> None:
    assert schedule.sentence(schedule.read(document)) == sentence


@pytest.mark.parametrize(
    ("document", "brief", "shortest"),
    [
        ({"type": "now"}, "", "At once"),
        (
            {"type": "on_date", "at": "2026-11-26T08:00:00Z"},
            "On Thu 26 Nov 2026 at 08:00 UTC",
            "On-date, Thu 26 Nov 2026",
        ),
        (DAILY, "Daily 06:30 UTC", "Daily"),
        (WEEKLY, "Weekly, Monday and Thursday 06:30 UTC", "Weekly, Mon & Thu"),
        (MONTHLY, "Monthly, Last day 06:30 UTC", "Monthly, Last"),
        ({**MONTHLY, "days": [1, "last", 15]}, "Monthly, 1, 15 and Last day 06:30 UTC", "Monthly, 1, 15 & Last"),
        ({**DAILY, **ALL_MINUTES}, "Daily, every minute, UTC", "Daily"),
    ],
)
def test_it_is_said_briefly(document: dict[str, Any], brief: str, shortest: str) -> None:
    found = schedule.read(document)
    assert (schedule.brief(found), schedule.shortest(found)) == (brief, shortest)


@pytest.mark.parametrize(
    ("document", "zone", "said"),
    [
        (WEEKLY, "Europe/Budapest", "07:30"),
        (WEEKLY, "UTC", ""),
        ({**DAILY, "hours": "1,23"}, "Europe/Budapest", "02:30 and 00:30 the next day"),
        ({**DAILY, "hours": "1"}, "America/New_York", "20:30 the day before"),
        ({**DAILY, "timezone": "Europe/Budapest"}, "Europe/Budapest", ""),
        ({**DAILY, "timezone": "Europe/Budapest"}, "UTC", "05:30"),
        ({**DAILY, **ALL_MINUTES}, "Europe/Budapest", ""),
        ({"type": "on_date", "at": "2026-12-01T23:30:00Z"}, "Europe/Budapest", "Wed 2 Dec 2026, 00:30"),
    ],
)
def test_it_is_said_on_the_clock_of_whoever_reads_it(document: dict[str, Any], zone: str, said: str) -> None:
    found = schedule.read(document)
    following = schedule.next_moment(found, NOVEMBER)
    assert following is not None
    assert schedule.elsewhere(found, following, zone) == said


@pytest.mark.parametrize(
    ("document", "viewer", "expected"),
    [
        (
            WEEKLY,
            "Europe/Budapest",
            "The schedule stays in UTC. When Budapest changes to summer time on 28 March 2027, the export will run at "
            "08:30 there instead of 07:30.",
        ),
        (
            {**DAILY, "timezone": "Europe/Budapest"},
            "UTC",
            "When Budapest changes to summer time on 28 March 2027, the local time stays and the time in UTC changes.",
        ),
        (
            {**DAILY, "hours": "2", "timezone": "Europe/Budapest"},
            "UTC",
            "On 28 March 2027 clocks in Budapest leave out 02:30: the export runs at 03:00 instead.",
        ),
        ({**MONTHLY, "days": [31]}, "UTC", "31 is skipped in months with 30 days. Choose Last for every month's end."),
        ({**MONTHLY, "days": [30]}, "UTC", "30 is skipped in February. Choose Last for every month's end."),
        (
            {**MONTHLY, "days": [29]},
            "UTC",
            "29 is skipped in February, except in leap years. Choose Last for every month's end.",
        ),
        ({**DAILY, **ALL_MINUTES}, "Europe/Budapest", "1,440 runs a day."),
    ],
)
def test_what_is_worth_knowing_is_said(document: dict[str, Any], viewer: str, expected: str) -> None:
    assert schedule.notes(schedule.read(document), NOVEMBER, viewer) == [expected]


def test_the_hour_that_comes_twice_is_said_when_it_is_next() -> None:
    kept = schedule.read({**DAILY, "hours": "2", "timezone": "Europe/Budapest"})
    assert schedule.notes(kept, datetime(2027, 6, 1, tzinfo=UTC), "UTC") == [
        "On 31 October 2027 02:30 comes twice in Budapest: the export runs once, the first time."
    ]


@pytest.mark.parametrize(
    "document", [{"type": "now"}, DAILY, WEEKLY, MONTHLY, {**MONTHLY, "days": [31, "last"]}], ids=str
)
def test_nothing_is_said_where_nothing_changes(document: dict[str, Any]) -> None:
    assert schedule.notes(schedule.read(document), NOVEMBER, "Asia/Tokyo") == []
