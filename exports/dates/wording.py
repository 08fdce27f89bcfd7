"""Days and moments as they are said beside an input: Sun 1 Jan 2017, 00:00 (New York)."""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

from exports.dates.words import DAY_NAMES, MONTH_NAMES
from exports.moments import midnight, starts


def first_instant(day: date, zone: ZoneInfo) -> datetime:
    """The first moment of a local day, in `zone`: 00:00, or later where the clock leaves midnight out (REFERENCE 3.2).

    A day that the zone left out altogether begins with the day after it. If the clock is set back over midnight, the
    first of the two beginnings counts.
    """
    return starts(zone, midnight(day))[0].astimezone(zone)


def in_words(when: date | datetime, zone: ZoneInfo) -> str:
    """A day as "Sun 1 Jan 2017", an aware moment as "Sun 1 Jan 2017, 00:00 (New York)" (UX section 3.3).

    Seconds are said if there are any, the offset if the clock reads this time twice.
    """
    if not isinstance(when, datetime):
        return _day(when)
    local = when.astimezone(zone)
    clock = f"{local:%H:%M:%S}" if local.second else f"{local:%H:%M}"
    twice = local.replace(fold=0).utcoffset() != local.replace(fold=1).utcoffset()
    offset = f", {local.isoformat()[-6:]}" if twice else ""
    return f"{_day(local)}, {clock} ({place(zone)}{offset})"


def place(zone: ZoneInfo) -> str:
    """America/New_York as people say it: New York."""
    return zone.key.rpartition("/")[2].replace("_", " ")


def _day(when: date) -> str:
    return f"{DAY_NAMES[when.isoweekday() % 7][:3]} {when.day} {MONTH_NAMES[when.month - 1][:3]} {when.year}"
