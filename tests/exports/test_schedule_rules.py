"""What a schedule may not say, in the words of the screen."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from exports import definition, schedule
from exports.errors import DefinitionRefused

NOW = datetime(2026, 11, 23, 9, 42, tzinfo=UTC)
DAILY = {"type": "repeated", "every": "day", "hours": "6", "minutes": "0"}
HOSTILE = json.loads((Path(__file__).parent.parent / "data/hostile_inputs.json").read_text())


def told(document: dict[str, Any], minimum: int = 1) -> list[tuple[str, str]]:
    """Where and what, of a schedule that is to be saved."""
    whole = {"name": "x", "model": "stores", "timezone": "UTC", "schedule": document}
    try:
        found = definition.parse(whole).schedule
    except DefinitionRefused as refused:
        return [(one.at, one.message) for one in refused.problems]
    problems = schedule.problems(found)
    problems += schedule.problems_when_saved(found, NOW, minimum)
    return [(one.at, one.message) for one in problems]


@pytest.mark.parametrize(
    ("hours", "sentence"),
    [
        ("24", "Hour: 24 is not an hour. Use 0 to 23, a list such as 1,13, or *"),
        ("1-5", "Hour: “1-5” is not an hour. Use 0 to 23, a list such as 1,13, or *"),
        ("", "Hour: enter an hour. Use 0 to 23, a list such as 1,13, or *"),
        ("1,", "Hour: there is a comma without a number. Use 0 to 23, a list such as 1,13, or *"),
        ("1 2", "Hour: “1 2” is not an hour. Use 0 to 23, a list such as 1,13, or *"),
    ],
)
def test_a_wrong_hour_is_named(hours: str, sentence: str) -> None:
    assert told({**DAILY, "hours": hours}) == [("schedule.hours", sentence)]


@pytest.mark.parametrize("minutes", ["60", "*/5", "*/0", "0x1", "1.5", "-1", "1_0", "٣", "007", "* ,1", "\t1"])
def test_a_wrong_minute_is_refused(minutes: str) -> None:
    [(at, sentence)] = told({**DAILY, "minutes": minutes})
    assert at == "schedule.minutes"
    assert sentence.startswith("Minute: ")


@pytest.mark.parametrize("hours", ["*", " * ", "01", "1, 13", "13,1,1", "0,23"])
def test_stars_zeros_spaces_and_repetitions_are_taken(hours: str) -> None:
    assert told({**DAILY, "hours": hours}) == []


@pytest.mark.parametrize("every", ["week", "month"])
def test_days_must_be_chosen(every: str) -> None:
    assert told({**DAILY, "every": every, "days": []}) == [("schedule.days", "Choose at least one day")]


def test_days_that_are_none_are_refused_by_their_place() -> None:
    assert told({**DAILY, "every": "month", "days": [1, 32]}) == [
        ("schedule.days.1", 'schedule.days.1 must be a day of the month, 1 to 31, or "last"')
    ]
    [(at, _sentence)] = told({**DAILY, "every": "week", "days": ["Mon;rm"]})
    assert at == "schedule.days.0"
    for wrong in (True, 1.0, "Last", None, [1], 0):
        assert told({**DAILY, "every": "month", "days": [wrong]})


@pytest.mark.parametrize(
    ("at", "sentence"),
    [
        ("2026-11-23T09:42:00Z", "Choose a date in the future: it is now 23 Nov 2026 09:42 UTC"),
        ("2026-02-30T08:00:00Z", "“2026-02-30T08:00:00Z” is no date and time: write it like 2026-12-01T08:00:00Z"),
        ("tomorrow", "“tomorrow” is no date and time: write it like 2026-12-01T08:00:00Z"),
        ("2026-12-01T24:00:00Z", "“2026-12-01T24:00:00Z” is no date and time: write it like 2026-12-01T08:00:00Z"),
        ("2026-12-01T08:00", "2026-12-01T08:00 lacks its zone: write 2026-12-01T08:00Z for UTC, or name a timezone"),
        ("9999-12-31T23:59:00Z", "Choose a date before 2100"),
        ("0001-01-01T00:00:00Z", "Choose a date in the future"),
    ],
)
def test_an_on_date_must_be_a_moment_to_come(at: str, sentence: str) -> None:
    assert [message for _at, message in told({"type": "on_date", "at": at})] == [sentence]


@pytest.mark.parametrize("zone", ["Mars/Base", "localtime", "", "utc", "right/UTC"])
@pytest.mark.parametrize("document", [DAILY, {"type": "on_date", "at": "2026-12-01T08:00:00Z"}], ids=["daily", "date"])
def test_the_zone_is_of_the_list(document: dict[str, Any], zone: str) -> None:
    assert told({**document, "timezone": zone}) == [("schedule.timezone", "Choose a time zone from the list")]


@pytest.mark.parametrize(
    ("document", "minimum", "is_refused"),
    [
        ({**DAILY, "hours": "*", "minutes": "*"}, 1, False),
        ({**DAILY, "hours": "*", "minutes": "*"}, 2, True),
        ({**DAILY, "hours": "*", "minutes": "0,30"}, 30, False),
        ({**DAILY, "hours": "*", "minutes": "0,29"}, 30, True),
        ({**DAILY, "hours": "0,23", "minutes": "58,0"}, 5, True),
        ({**DAILY, "hours": "0,23", "minutes": "0"}, 61, True),
        ({**DAILY, "hours": "0,23", "minutes": "0"}, 60, False),
        ({**DAILY, "every": "week", "days": ["monday"], "hours": "0,23"}, 120, False),
        ({**DAILY, "every": "week", "days": ["sunday", "monday"], "hours": "0,23"}, 120, True),
        ({**DAILY, "every": "month", "days": [1, "last"], "hours": "0,23"}, 120, True),
        ({**DAILY, "every": "month", "days": [1, 15], "hours": "0,23"}, 120, False),
    ],
)
def test_runs_are_as_far_apart_as_the_admin_wants(document: dict[str, Any], minimum: int, is_refused: bool) -> None:
    expected = [("schedule.minutes", f"Runs must be at least {minimum} minutes apart (set by your admin)")]
    assert told(document, minimum) == (expected if is_refused else [])


def test_a_schedule_that_is_none_of_them_is_refused() -> None:
    for wrong in ({"type": "hourly"}, {"type": "repeated"}, {"type": "repeated", "every": "year"}, "now", [], 7, None):
        [(at, sentence)] = told(wrong)  # type: ignore[arg-type]
        assert at == "schedule"
        assert "now, on_date, or repeated" in sentence


def test_members_of_another_kind_are_refused() -> None:
    assert told({**DAILY, "days": ["monday"]}) == [
        ("schedule.days", "schedule.days is not known here: take it out")
    ]  # fmt: skip
    assert told({"type": "now", "at": "2026-12-01T08:00:00Z"})
    assert told({"type": "on_date"}) == [("schedule.at", "schedule.at is missing")]


def test_a_list_of_hours_has_an_end() -> None:
    [(at, sentence)] = told({**DAILY, "minutes": ",".join(["1"] * 1_000)})
    assert (at, sentence) == ("schedule.minutes", "schedule.minutes is longer than 300 characters")


@pytest.mark.parametrize("document", [
    {"type": "now"},
    {"type": "on_date", "at": "2026-12-01T08:00:00Z"},
    {"type": "repeated", "every": "day", "hours": "1,13", "minutes": "0"},
    {"type": "repeated", "every": "week", "days": ["monday"], "timezone": "Europe/Budapest"},
    {"type": "repeated", "every": "month", "days": [1, "last"], "hours": "*", "minutes": "*"},
])  # fmt: skip
def test_a_schedule_is_read_back_as_it_was(document: dict[str, Any]) -> None:
    whole = definition.parse({"name": "x", "model": "stores", "timezone": "UTC", "schedule": document})
    assert definition.parse(json.dumps(whole.as_json())) == whole
    assert {key: whole.as_json()["schedule"][key] for key in document} == document


@pytest.mark.parametrize("entry", [one for one in HOSTILE if one["group"] == "schedule" and "=" in str(one["value"])],
                         ids=lambda one: ascii(one["value"])[1:40])  # fmt: skip
def test_hostile_schedules(entry: dict[str, str]) -> None:
    document: dict[str, Any] = dict(DAILY)
    for part in entry["value"].split("; "):
        name, _, value = part.partition("=")
        if name in ("hour", "minute"):
            document[f"{name}s"] = value
        elif name == "on_date":
            at = "2026-01-01T00:00:00Z" if "past" in value else f"{value.replace(' ', 'T')}:00Z"
            document = {"type": "on_date", "at": at}
        else:
            days: list[Any] = [] if value == "[]" else [int(p) if p.isdigit() else p for p in value.split(",")]
            days = ["last" if one == "Last" else one for one in days]
            document |= {"every": "month" if name == "monthdays" else "week", "days": days}
    found = told(document)
    assert bool(found) == (not entry["expect"].startswith("accept") or "9999" in entry["value"])
    assert all(at.startswith("schedule.") for at, _ in found)


ZONES = st.sampled_from(["UTC", "Asia/Tokyo", "America/New_York", "Pacific/Kiritimati", "Pacific/Pago_Pago"])
EXTREMES = st.one_of(
    st.datetimes(datetime(1, 1, 1), datetime(1, 1, 3)),
    st.datetimes(datetime(1969, 12, 30), datetime(1970, 1, 3)),
    st.datetimes(datetime(2099, 12, 30), datetime(2100, 1, 3)),
    st.datetimes(datetime(9999, 12, 29)),
    st.datetimes(),
)


@given(local=EXTREMES, offset=st.sampled_from(["", "Z", "+14:00", "-12:00"]), zone=st.none() | ZONES, viewer=ZONES)
@example(local=datetime(1, 1, 1), offset="", zone="Asia/Tokyo", viewer="UTC")
@example(local=datetime(1, 1, 1), offset="Z", zone="America/New_York", viewer="UTC")
@example(local=datetime(9999, 12, 31, 23), offset="", zone="America/New_York", viewer="UTC")
@example(local=datetime(2099, 12, 31, 23), offset="", zone="Pacific/Pago_Pago", viewer="Pacific/Kiritimati")
def test_a_date_at_an_end_of_the_calendar_is_refused_or_can_be_said_and_reached(
    local: datetime, offset: str, zone: str | None, viewer: str
) -> None:
    at = f"{local.isoformat(timespec='seconds')}{offset}"
    found = schedule.read({"type": "on_date", "at": at, "timezone": zone})
    if schedule.problems(found):
        assert not 1971 <= local.year <= 2098 or not (offset or zone)
        assert schedule.problems_when_saved(found, NOW, 1) == []
        return
    assert 1969 <= local.year <= 2100
    assert schedule.sentence(found).startswith("On ")
    assert schedule.sentence(found) == schedule.brief(found)
    assert str(local.year) in schedule.sentence(found) or offset
    assert schedule.shortest(found)
    assert schedule.notes(found, NOW, viewer) == []
    moment = schedule.next_moment(found, NOW)
    assert (moment is None) == bool(schedule.problems_when_saved(found, NOW, 1))
    if moment is not None:
        assert list(schedule.moments(found, NOW)) == [moment]
        schedule.elsewhere(found, moment, viewer)
