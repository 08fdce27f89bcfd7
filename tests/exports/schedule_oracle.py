"""The moments of a schedule by looking at every minute: an oracle that shares nothing with exports/schedule.

A wall clock runs from minute to minute. When it passes a time of the schedule for the first time, the export runs: so a
time that comes twice counts once, and the times of a gap are all passed at the minute after it.
"""

from __future__ import annotations

import calendar
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

MINUTE = timedelta(minutes=1)
DAYS = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]


def is_day(document: dict[str, Any], day: date) -> bool:
    """Whether the pattern of days holds a day."""
    if document["every"] == "day":
        return True
    if document["every"] == "week":
        return DAYS[day.weekday()] in document["days"]
    is_last = day.day == calendar.monthrange(day.year, day.month)[1]
    return day.day in document["days"] or (is_last and "last" in document["days"])


def listed(text: str, number: int) -> bool:
    """Whether a comma list holds a number."""
    return text.strip() == "*" or str(number) in [str(int(part)) for part in text.split(",")]


def matches(document: dict[str, Any], local: datetime) -> bool:
    """Whether the export is to run when the clock shows this."""
    return (
        listed(document["minutes"], local.minute)
        and listed(document["hours"], local.hour)
        and is_day(document, local.date())
    )


def moments(document: dict[str, Any], after: datetime, until: datetime) -> Iterator[datetime]:
    """All moments in (after, until], found minute by minute."""
    zone = ZoneInfo(document.get("timezone") or "UTC")
    moment = after.replace(second=0, microsecond=0) - timedelta(days=1)
    reached = moment.astimezone(zone).replace(tzinfo=None)
    while moment < until:
        moment += MINUTE
        local = moment.astimezone(zone).replace(tzinfo=None)
        is_due = False
        while reached < local:
            reached += MINUTE
            is_due = is_due or matches(document, reached)
        if is_due and after < moment <= until:
            yield moment.astimezone(UTC)
