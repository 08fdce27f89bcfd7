"""From what an expression says and a base moment to the local time meant (REFERENCE section 3.4, steps 3 to 8).

The order is what people get wrong: "... of" first, then the weekday, then years, months and days without clamping, then
"first day of" and "last day of", then hours, minutes and seconds on the clock, then weekdays: 3.4 has the last two the
other way round, but PHP 8.2.36 was measured to count "-1 weekday" from the day that "-2 hours" has led to.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import MAXYEAR, MINYEAR, date, datetime, time, timedelta
from typing import Final

from exports.dates.parts import Parts

CYCLE_YEARS: Final = 400
CYCLE_DAYS: Final = 146_097
"""The calendar repeats after 400 years. Days in between may lie beyond what `date` holds: only the last must not."""
SECONDS_A_DAY: Final = 86_400


@dataclass(frozen=True)
class Overflow:
    """A month was reached that does not have the day: `day` of `month` is not there."""

    before: tuple[int, int, int]
    year: int
    month: int
    day: int


@dataclass(frozen=True)
class Evaluated:
    """The local time (None: outside the years 1 to 9999), and what was noticed on the way.

    `on_weekday`: the search for a weekday began on that weekday. `left_weekday`: months or years led away from it.
    """

    local: datetime | None
    overflow: Overflow | None = None
    on_weekday: bool = False
    left_weekday: bool = False


def day_number(year: int, month: int, day: int) -> int:
    """The number of a day; month and day may lie outside of their ranges and run over, 31 September into October."""
    year, month = year + (month - 1) // 12, (month - 1) % 12 + 1
    cycles, year = divmod(year - 1, CYCLE_YEARS)
    return date(year + 1, month, 1).toordinal() + cycles * CYCLE_DAYS + day - 1


def day_of_number(number: int) -> tuple[int, int, int]:
    """Year, month and day of a day's number."""
    cycles, number = divmod(number - 1, CYCLE_DAYS)
    found = date.fromordinal(number + 1)
    return found.year + cycles * CYCLE_YEARS, found.month, found.day


def weekday_of(number: int) -> int:
    """Sunday is 0."""
    return number % 7


def days_in_month(year: int, month: int) -> int:
    """28 to 31; the month may lie outside of its range."""
    return day_number(year, month + 1, 1) - day_number(year, month, 1)


def evaluate(parts: Parts, base: datetime) -> Evaluated:
    """The local time that `parts` mean if it is now `base`, a local time without zone."""
    year = base.year if parts.year is None else parts.year
    month = base.month if parts.month is None else parts.month
    day = base.day if parts.day is None else parts.day
    months = parts.months
    if parts.nth is not None:
        month, day, months = month + months + (parts.nth == "last"), 1, 0
    overflow = _overflow(parts, (year, month, day), year, month, day)
    start = found = _edge_of_month(parts, year, month, day)
    if parts.weekday is not None:
        found += _to_weekday(parts, parts.weekday, weekday_of(start))
    year, month, day = day_of_number(found)
    reached = day_of_number(day_number(year + parts.years, month + months, 1))
    overflow = _overflow(parts, (year, month, day), *reached[:2], day) or overflow
    number = _edge_of_month(parts, *reached[:2], day + parts.days)
    left = bool(parts.years or months) and parts.days % 7 == 0 and weekday_of(number) != weekday_of(found)
    more, seconds = divmod(_seconds(parts, base), SECONDS_A_DAY)
    number += more
    if parts.weekdays is not None:
        number += _to_working_day(parts.weekdays, weekday_of(number))
    return Evaluated(
        _local(number, seconds),
        overflow,
        on_weekday=parts.weekday == weekday_of(start),
        left_weekday=parts.weekday is not None and left,
    )


def _overflow(parts: Parts, before: tuple[int, int, int], year: int, month: int, day: int) -> Overflow | None:
    if parts.edge is not None or day <= days_in_month(year, month):
        return None
    return Overflow(before, year, month, day)


def _edge_of_month(parts: Parts, year: int, month: int, day: int) -> int:
    """ "first day of" and "last day of" let the days before them go."""
    if parts.edge is None:
        return day_number(year, month, day)
    return day_number(year, month, 1) if parts.edge == "first" else day_number(year, month + 1, 0)


def _to_weekday(parts: Parts, weekday: int, today: int) -> int:
    """Days from a day to the weekday that is looked for from it."""
    if parts.behaviour == 2:
        if today == 0 and weekday != 0:
            weekday -= 7
        elif today != 0 and weekday == 0:
            weekday = 7
        return weekday - today
    if weekday < 0:  # turned round by "ago"
        return -(7 - (-weekday - today))
    difference = weekday - today
    if (parts.days < 0 and difference < 0) or (parts.days >= 0 and difference <= -parts.behaviour):
        difference += 7
    return difference


def _to_working_day(count: int, today: int) -> int:
    """Days until so many of Monday to Friday have passed: what skipping them one by one gives, in one step."""
    weeks, rest = divmod(abs(count), 5)
    days = 7 * weeks
    if count > 0:
        if rest == 0:
            return days - (2 if today == 0 else 1 if today == 6 else 0)
        return days + rest + (1 if today == 6 else 2 if today + rest > 5 else 0)
    if rest == 0:
        return (1 if today == 0 else 2 if today == 6 else 0) - days
    return -days - rest - (1 if today == 0 else 2 if today - rest < 1 else 0)


def _seconds(parts: Parts, base: datetime) -> int:
    """From the midnight of the day that was found; below 0 or beyond the day's end as the amounts have it."""
    hour, minute, second = (base.hour, base.minute, base.second) if parts.clock is None else parts.clock
    return ((hour + parts.hours) * 60 + minute + parts.minutes) * 60 + second + parts.seconds


def _local(number: int, seconds: int) -> datetime | None:
    year, month, day = day_of_number(number)
    if not MINYEAR <= year <= MAXYEAR:
        return None
    return datetime.combine(date(year, month, day), time()) + timedelta(seconds=seconds)
