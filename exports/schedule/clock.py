"""The moments of a schedule: in UTC, or kept at a local time where clocks change (SPEC sections 3.6 and 7)."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from datetime import UTC, datetime, time
from functools import lru_cache
from itertools import pairwise
from typing import Final
from zoneinfo import ZoneInfo

from dateutil.rrule import DAILY, FR, MO, MONTHLY, SA, SU, TH, TU, WE, WEEKLY, rrule

from exports.moments import starts
from exports.schedule.shape import LAST, WEEKDAYS, Daily, Monthly, Now, OnDate, Repeated, Weekly, numbers, read_at
from exports.zones import zone

ANY_SCHEDULE = Now | OnDate | Repeated

_BY_WEEKDAY: Final = dict(zip(WEEKDAYS, (MO, TU, WE, TH, FR, SA, SU), strict=True))
ROUND: Final = 400
"""Days in a row that show every pair of neighbours a pattern of days can have."""


def moments(schedule: ANY_SCHEDULE, after: datetime) -> Iterator[datetime]:
    """All moments later than `after`, in UTC, ascending, each once; for Repeated they never end.

    Raises:
        ValueError: the schedule breaks a rule (`rules.problems`).
    """
    if isinstance(schedule, Now):
        return
    if isinstance(schedule, OnDate):
        moment = moment_of(schedule)
        if moment > after:
            yield moment
        return
    latest = after
    for local in _local_times(schedule, after):
        moment = _instant(local, schedule.timezone)
        if moment > latest:
            latest = moment
            yield moment


def next_moment(schedule: ANY_SCHEDULE, after: datetime) -> datetime | None:
    """The first moment later than `after`; None if there is none."""
    return next(moments(schedule, after), None)


def moment_of(schedule: OnDate) -> datetime:
    """The moment of an On-date, in UTC.

    Raises:
        ValueError: it breaks a rule.
    """
    at = read_at(schedule.at)
    if at is None:
        raise ValueError(f"{schedule.at!r} is no date and time")
    return at if at.tzinfo else _instant(at, schedule.timezone)


def times(schedule: Repeated) -> tuple[time, ...]:
    """The times of a day, in order.

    Raises:
        ValueError: Hour or Minute breaks a rule.
    """
    return _times(schedule.hours, schedule.minutes)


@lru_cache(maxsize=1_000)
def _times(typed_hours: str, typed_minutes: str) -> tuple[time, ...]:
    hours, minutes = numbers(typed_hours, 24), numbers(typed_minutes, 60)
    if isinstance(hours, str) or isinstance(minutes, str):
        raise ValueError("hours or minutes are no list")
    return tuple(time(hour, minute) for hour in hours for minute in minutes)


def shortest_minutes(schedule: Repeated) -> int:
    """Minutes between the two moments that are closest, changes of clocks aside."""
    of_a_day = [one.hour * 60 + one.minute for one in times(schedule)]
    apart = [later - earlier for earlier, later in pairwise(of_a_day)]
    over_night = 24 * 60 - of_a_day[-1] + of_a_day[0]
    days = _days(schedule, datetime(2027, 1, 1))
    some = [next(days) for _ in range(ROUND)]
    gaps = [(later - earlier).days for earlier, later in pairwise(some)]
    return min([*apart, (min(gaps) - 1) * 24 * 60 + over_night])


def _local_times(schedule: Repeated, after: datetime) -> Iterator[datetime]:
    """Days and times as a wall clock shows them, later than what it shows at `after`: no other is a later moment,
    whatever changes of clocks there are, since the moments of wall times (`_instant`) are in the order of the times.
    """
    of_a_day = times(schedule)
    shown = after.astimezone(zone(schedule.timezone) if schedule.timezone else UTC).replace(tzinfo=None)
    today = datetime.combine(shown, time())
    for day in _days(schedule, today):
        left = of_a_day[bisect_right(of_a_day, shown.time()) :] if day == today else of_a_day
        for one in left:
            yield datetime.combine(day, one)


def _days(schedule: Repeated, start: datetime) -> Iterator[datetime]:
    """The days from `start` on. dateutil skips those that a month lacks, and gives 31 and the last day of it once."""
    if isinstance(schedule, Daily):
        rule = rrule(DAILY, dtstart=start)
    elif isinstance(schedule, Weekly):
        rule = rrule(WEEKLY, dtstart=start, byweekday=[_BY_WEEKDAY[one] for one in schedule.days])
    elif isinstance(schedule, Monthly):
        days = [-1 if one == LAST else int(one) for one in schedule.days]
        rule = rrule(MONTHLY, dtstart=start, bymonthday=days)
    return iter(rule)


def _instant(local: datetime, name: str | None) -> datetime:
    """What a wall clock's time is in UTC. One that comes twice is the first; one that is left out when clocks are put
    forward is the first minute after it.
    """
    if name is None:
        return local.replace(tzinfo=UTC)
    there: ZoneInfo = zone(name)
    moment = local.replace(tzinfo=there).astimezone(UTC)
    if moment.astimezone(there).replace(tzinfo=None) == local:
        return moment
    return starts(there, local)[0]
