"""Days begin where the clock of a zone lets them begin; `datetime:` keeps the time through every change of it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exports import zones
from exports.dates import first_instant, in_words, parse
from tests.campaigns import campaign

CAIRO, SAO_PAULO, BUDAPEST = ZoneInfo("Africa/Cairo"), ZoneInfo("America/Sao_Paulo"), ZoneInfo("Europe/Budapest")
NEW_YORK = ZoneInfo("America/New_York")


def moment(text: str, base: str, zone: ZoneInfo) -> str:
    return parse(text).resolve_moment(datetime.fromisoformat(base).astimezone(UTC), zone).isoformat(" ")


# --- the first instant of a day


@pytest.mark.parametrize(
    ("zone", "day", "begins"),
    [
        (CAIRO, "2024-04-26", "2024-04-26T01:00:00+03:00"),  # the clock jumps from 00:00 to 01:00
        (SAO_PAULO, "2018-11-04", "2018-11-04T01:00:00-02:00"),
        (SAO_PAULO, "2018-02-18", "2018-02-18T00:00:00-03:00"),  # at 00:00 it was set back to 23:00 of the day before
        (BUDAPEST, "2027-03-28", "2027-03-28T00:00:00+01:00"),
        (BUDAPEST, "2027-10-31", "2027-10-31T00:00:00+02:00"),
        (NEW_YORK, "2017-01-01", "2017-01-01T00:00:00-05:00"),
        (ZoneInfo("Pacific/Apia"), "2011-12-30", "2011-12-31T00:00:00+14:00"),  # a day that Samoa left out
        (ZoneInfo("UTC"), "0001-01-01", "0001-01-01T00:00:00+00:00"),
        (ZoneInfo("UTC"), "9999-12-31", "9999-12-31T00:00:00+00:00"),
    ],
    ids=str,
)
def test_a_day_begins_where_the_clock_first_shows_it(zone: ZoneInfo, day: str, begins: str) -> None:
    assert first_instant(date.fromisoformat(day), zone).isoformat() == begins


@campaign("dates", short=100, long=5_000)
@given(st.dates(date(1890, 1, 1), date(2100, 1, 1)), st.sampled_from(sorted(zones.names())).map(zones.zone))
def test_no_instant_before_the_first_belongs_to_the_day(day: date, zone: ZoneInfo) -> None:
    begins = first_instant(day, zone)
    assert begins.tzinfo is zone
    assert begins.date() >= day
    before = begins.astimezone(UTC) - timedelta(seconds=1)
    assert before.astimezone(zone).date() < day


# --- datetime: keeps the time


def test_a_time_that_the_clock_leaves_out_is_as_much_later_as_the_clock_jumps() -> None:
    assert moment("2027-03-28 02:30", "2026-01-01T00:00Z", BUDAPEST) == "2027-03-28 03:30:00+02:00"
    assert moment("tomorrow", "2024-04-25T12:00Z", CAIRO) == "2024-04-26 01:00:00+03:00"
    assert moment("tomorrow", "2018-11-03T12:00Z", SAO_PAULO) == "2018-11-04 01:00:00-02:00"


def test_of_a_time_that_comes_twice_the_first_counts() -> None:
    assert moment("2027-10-31 02:30", "2026-01-01T00:00Z", BUDAPEST) == "2027-10-31 02:30:00+02:00"
    assert moment("yesterday 01:30", "2025-11-03T12:00Z", NEW_YORK) == "2025-11-02 01:30:00-04:00"


def test_now_is_now_also_in_the_second_pass_of_an_hour() -> None:
    assert moment("now", "2027-10-31T00:30Z", BUDAPEST) == "2027-10-31 02:30:00+02:00"
    assert moment("now", "2027-10-31T01:30Z", BUDAPEST) == "2027-10-31 02:30:00+01:00"
    assert moment("-10 minutes", "2027-10-31T01:30Z", BUDAPEST) == "2027-10-31 02:20:00+01:00"


def test_hours_are_counted_on_the_clock() -> None:
    assert moment("-36 hours", "2025-03-30T10:00Z", BUDAPEST) == "2025-03-29 00:00:00+01:00"
    assert moment("-24 hours", "2027-03-29T00:30Z", BUDAPEST) == "2027-03-28 03:30:00+02:00"
    assert moment("-1 day", "2027-03-29T00:30Z", BUDAPEST) == "2027-03-28 03:30:00+02:00"


def test_a_base_counts_in_the_zone_of_the_export() -> None:
    late = datetime(2026, 7, 29, 23, 30, tzinfo=UTC)
    assert parse("today").resolve(late, BUDAPEST) == date(2026, 7, 30)
    assert parse("today").resolve(late, NEW_YORK) == date(2026, 7, 29)
    assert parse("today").resolve(late.astimezone(SAO_PAULO), BUDAPEST) == date(2026, 7, 30)


def test_fractions_of_seconds_of_the_base_are_cut_off() -> None:
    base = datetime(2026, 7, 29, 10, 0, 0, 999_999, tzinfo=UTC)
    assert parse("now").resolve_moment(base, BUDAPEST).isoformat() == "2026-07-29T12:00:00+02:00"


def test_an_offset_names_the_moment_and_the_zone_its_day() -> None:
    assert moment("2025-01-31T02:00:00Z", "2026-01-01T00:00Z", NEW_YORK) == "2025-01-30 21:00:00-05:00"
    assert parse("2025-01-31T02:00:00Z").resolve(datetime(2026, 1, 1, tzinfo=UTC), NEW_YORK) == date(2025, 1, 30)
    assert moment("2025-01-31 02:00+05:30 +1 day", "2026-01-01T00:00Z", ZoneInfo("UTC")) == "2025-01-31 20:30:00+00:00"


@campaign("dates", short=100, long=5_000)
@given(
    st.datetimes(datetime(1950, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)),
    st.sampled_from(sorted(zones.names())).map(zones.zone),
)
def test_now_is_the_base_itself_in_every_zone(base: datetime, zone: ZoneInfo) -> None:
    # Python calls a time that comes twice unequal to every time of another zone.
    assert parse("now").resolve_moment(base, zone).astimezone(UTC) == base.replace(microsecond=0)


# --- in words


def test_a_moment_is_said_with_its_place() -> None:
    day = date(2017, 1, 1)
    assert in_words(first_instant(day, NEW_YORK), NEW_YORK) == "Sun 1 Jan 2017, 00:00 (New York)"
    assert in_words(datetime(2026, 7, 29, 8, 0, 5, tzinfo=UTC), BUDAPEST) == "Wed 29 Jul 2026, 10:00:05 (Budapest)"
    assert in_words(datetime(2026, 7, 29, 8, tzinfo=UTC), ZoneInfo("UTC")) == "Wed 29 Jul 2026, 08:00 (UTC)"


def test_a_day_is_said_without_time_and_place() -> None:
    assert in_words(date(2017, 1, 1), NEW_YORK) == "Sun 1 Jan 2017"


def test_of_a_time_that_comes_twice_the_offset_is_said() -> None:
    first = datetime(2027, 10, 31, 0, 30, tzinfo=UTC)
    assert in_words(first, BUDAPEST) == "Sun 31 Oct 2027, 02:30 (Budapest, +02:00)"
    assert in_words(first + timedelta(hours=1), BUDAPEST) == "Sun 31 Oct 2027, 02:30 (Budapest, +01:00)"
