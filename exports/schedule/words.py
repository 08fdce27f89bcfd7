"""A schedule in words: "Every Monday and Thursday at 01:00 and 13:00 UTC" (UX section 3.6)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, time
from typing import Final
from zoneinfo import ZoneInfo

from exports.schedule.clock import ANY_SCHEDULE, moment_of, times
from exports.schedule.shape import LAST, WEEKDAYS, Daily, Monthly, Now, OnDate, Repeated, Weekly, read_at
from exports.zones import names, zone

NAMED: Final = 6
"""Times of a day that are named one by one; more are said by their hours and minutes."""


def sentence(schedule: ANY_SCHEDULE) -> str:
    """In full, for a schedule that breaks no rule."""
    if isinstance(schedule, Now):
        return "At once, one time"
    if isinstance(schedule, OnDate):
        return f"On {_day_and_time(schedule)}{_zone(schedule)}"
    return f"{_days(schedule)}{_times(schedule)}{_zone(schedule)}"


def brief(schedule: ANY_SCHEDULE) -> str:
    """For a line of the list: "Weekly, Monday and Thursday 06:30 UTC"."""
    if isinstance(schedule, Now):
        return ""
    if isinstance(schedule, OnDate):
        return f"On {_day_and_time(schedule)}{_zone(schedule)}"
    said = _times(schedule).removeprefix(" at ")
    separator = "" if said.startswith(",") else " "
    if isinstance(schedule, Daily):
        return f"Daily{separator}{said}{_zone(schedule)}"
    if isinstance(schedule, Weekly):
        return f"Weekly, {_listed([_weekday(one) for one in schedule.days])}{separator}{said}{_zone(schedule)}"
    days = ["Last day" if one == LAST else str(one) for one in schedule.days]
    return f"Monthly, {_listed(days)}{separator}{said}{_zone(schedule)}"


def shortest(schedule: ANY_SCHEDULE) -> str:
    """For the step bar: "Weekly, Mon & Thu"."""
    if isinstance(schedule, Now):
        return "At once"
    if isinstance(schedule, OnDate):
        return f"On-date, {said_day(local_moment(schedule).date())}"
    if isinstance(schedule, Daily):
        return "Daily"
    if isinstance(schedule, Weekly):
        return f"Weekly, {_briefly([_weekday(one)[:3] for one in schedule.days])}"
    return f"Monthly, {_briefly(['Last' if one == LAST else str(one) for one in schedule.days])}"


def elsewhere(schedule: ANY_SCHEDULE, following: datetime, name: str) -> str:
    """The same in somebody's own time zone as it is at the next moment: "07:30"; empty if it says nothing new.

    A time that falls on another day there says so: "01:30 the next day".
    """
    there = ZoneInfo(name)
    here = ZoneInfo(getattr(schedule, "timezone", None) or "UTC")
    if following.astimezone(there).utcoffset() == following.astimezone(here).utcoffset():
        return ""
    if isinstance(schedule, OnDate):
        return said_moment(following.astimezone(there))
    if isinstance(schedule, Now) or len(times(schedule)) > NAMED:
        return ""
    day = following.astimezone(here).date()
    return _listed([_on_other_clock(day, one, here, there) for one in times(schedule)])


def _on_other_clock(day: date, one: time, here: ZoneInfo, there: ZoneInfo) -> str:
    local = datetime.combine(day, one, tzinfo=here).astimezone(there)
    days = (local.date() - day).days
    return f"{local:%H:%M}" + {-1: " the day before", 1: " the next day"}.get(days, "")


# --- parts


def said_day(day: date) -> str:
    """Tue 1 Dec 2026."""
    return f"{day:%a} {day.day} {day:%b %Y}"


def said_moment(local: datetime) -> str:
    """Tue 1 Dec 2026, 08:00."""
    return f"{said_day(local.date())}, {local:%H:%M:%S}".removesuffix(":00")


def local_moment(schedule: OnDate) -> datetime:
    """The moment of an On-date on the clock that it was typed by; as it was typed if that zone is gone."""
    typed = read_at(schedule.at)
    if typed is not None and schedule.timezone is not None and schedule.timezone not in names():
        return typed
    return moment_of(schedule).astimezone(zone(schedule.timezone) if schedule.timezone else UTC)


def _day_and_time(schedule: OnDate) -> str:
    return said_moment(local_moment(schedule)).replace(",", " at")


def _zone(schedule: OnDate | Repeated) -> str:
    return f" in {schedule.timezone}" if schedule.timezone else " UTC"


def _days(schedule: Repeated) -> str:
    if isinstance(schedule, Daily) or (isinstance(schedule, Weekly) and schedule.days == WEEKDAYS):
        return "Every day"
    if isinstance(schedule, Weekly):
        return f"Every {_listed([_weekday(one) for one in schedule.days])}"
    return f"On {_month_days(schedule)} of every month"


def _month_days(schedule: Monthly) -> str:
    return f"the {_listed(['last day' if one == LAST else _ordinal(int(one)) for one in schedule.days])}"


def _times(schedule: Repeated) -> str:
    """at 01:00 and 13:00; , every hour at minutes 0 and 30; , every minute."""
    of_a_day = times(schedule)
    if len(of_a_day) <= NAMED:
        return f" at {_listed([f'{one:%H:%M}' for one in of_a_day])}"
    hours = sorted({one.hour for one in of_a_day})
    minutes = sorted({one.minute for one in of_a_day})
    if len(minutes) == 60:
        return ", every minute," if len(hours) == 24 else f", every minute of {_hours(hours)},"
    said = f"minute{'s' if len(minutes) > 1 else ''} {_listed([str(one) for one in minutes])}"
    return f", every hour at {said}," if len(hours) == 24 else f", at {said} of {_hours(hours)},"


def _hours(hours: Sequence[int]) -> str:
    return f"the hour{'s' if len(hours) > 1 else ''} {_listed([f'{one:02}' for one in hours])}"


def _ordinal(number: int) -> str:
    ending = "th" if 10 <= number % 100 <= 20 else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


def _weekday(id: str) -> str:
    return id.capitalize()


def _briefly(words: Sequence[str]) -> str:
    return " & ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def _listed(words: Sequence[str]) -> str:
    """Monday, Tuesday and Friday."""
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)
