"""Local times become instants exactly, in every zone there is and on the days when clocks change."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exports import zones
from exports.moments import midnight, starts
from tests.fix_services import Cluster

SOME = sorted(zones.names())


def reads_later(flips: tuple[datetime, ...], instant: datetime) -> bool:
    """What the instants say about a moment."""
    return sum(one <= instant for one in flips) % 2 == 1


@settings(max_examples=400, deadline=None)
@given(
    zone=st.sampled_from(SOME),
    local=st.datetimes(datetime(1900, 1, 2), datetime(2037, 12, 30)),
    near=st.timedeltas(timedelta(days=-2), timedelta(days=2)),
)
def test_the_instants_tell_what_the_clock_reads(zone: str, local: datetime, near: timedelta) -> None:
    instant = (local + near).replace(tzinfo=UTC)
    read = instant.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
    for wanted in (local, midnight(local.date())):
        assert reads_later(starts(ZoneInfo(zone), wanted), instant) == (read >= wanted)


@pytest.mark.parametrize(
    ("zone", "local", "expected"),
    [
        ("UTC", "2017-01-01 00:00", ["2017-01-01T00:00:00"]),
        ("Europe/Budapest", "2017-03-26 02:30", ["2017-03-26T01:00:00"]),
        ("Europe/Budapest", "2017-10-29 02:30", ["2017-10-29T00:30:00", "2017-10-29T01:00:00", "2017-10-29T01:30:00"]),
        ("Africa/Cairo", "2024-04-26 00:00", ["2024-04-25T22:00:00"]),
        ("America/Sao_Paulo", "2018-11-04 00:00", ["2018-11-04T03:00:00"]),
        ("Pacific/Apia", "2011-12-30 00:00", ["2011-12-30T10:00:00"]),
        ("Pacific/Apia", "2011-12-31 00:00", ["2011-12-30T10:00:00"]),
        ("America/St_Johns", "2009-11-01 00:00", ["2009-11-01T02:30:00", "2009-11-01T02:31:00", "2009-11-01T03:30:00"]),
    ],
)
def test_a_time_that_clocks_skip_or_repeat(zone: str, local: str, expected: list[str]) -> None:
    found = starts(ZoneInfo(zone), datetime.fromisoformat(local))
    assert [one.replace(tzinfo=None).isoformat() for one in found] == expected


def test_the_ends_of_the_calendar_have_instants() -> None:
    for zone in ("UTC", "Pacific/Kiritimati", "America/Los_Angeles"):
        assert len(starts(ZoneInfo(zone), datetime(1, 1, 1))) == 1
        assert len(starts(ZoneInfo(zone), datetime(9999, 12, 31))) <= 1


def test_every_zone_that_can_be_chosen_is_known_to_postgresql(postgres: Cluster) -> None:
    with psycopg.connect(postgres.admin_dsn()) as connection:
        known = {name for (name,) in connection.execute("SELECT name FROM pg_timezone_names")}
    assert zones.names() <= known
    assert len(zones.names()) > 590


NO_ZONES = [
    "/etc/localtime", "localtime", "right/UTC", "posix/UTC", "posixrules", "Factory", "FOO5BAR", "<+23>-23",
    "utc'; DROP TABLE x;--", "Europe", "europe/budapest", "", "\0", "\ud800", "a" * 300,
]  # fmt: skip


@pytest.mark.parametrize("name", NO_ZONES)
def test_what_is_no_zone_of_the_list_cannot_be_chosen(name: str) -> None:
    assert name not in zones.names()
    with pytest.raises(ValueError, match="no zone"):
        zones.zone(name)
