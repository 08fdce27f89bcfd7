"""What is worth knowing before a schedule is saved: clocks that change, days that months lack, very many runs."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from exports.schedule.clock import ANY_SCHEDULE, moments, times
from exports.schedule.shape import LAST, Monthly, Now, OnDate, Repeated

MANY: Final = 24
"""Runs a day from which on their number is said."""
AHEAD: Final = timedelta(days=366)
SKIPPED: Final = {
    31: "31 is skipped in months with 30 days.",
    30: "30 is skipped in February.",
    29: "29 is skipped in February, except in leap years.",
}


def notes(schedule: ANY_SCHEDULE, after: datetime, viewer: str) -> list[str]:
    """Sentences for a schedule that breaks no rule; `viewer` is the time zone of whoever reads them."""
    if isinstance(schedule, Now | OnDate):
        return []
    return [*_many(schedule), *_lacking(schedule), *_changes(schedule, after, viewer)]


def _many(schedule: Repeated) -> Iterator[str]:
    if (count := len(times(schedule))) >= MANY:
        yield f"{count:,} runs a day."


def _lacking(schedule: Repeated) -> Iterator[str]:
    if isinstance(schedule, Monthly) and LAST not in schedule.days:
        for day in sorted(SKIPPED.keys() & set(schedule.days), reverse=True)[:1]:
            reason = SKIPPED[int(day)]
            yield f"{reason} Choose Last for every month's end."


def _changes(schedule: Repeated, after: datetime, viewer: str) -> Iterator[str]:
    """Where the next change of clocks moves the export: on the viewer's clock, or, with Keep local time, in UTC."""
    zone = ZoneInfo(schedule.timezone or viewer)
    change = next_change(zone, after)
    if change is None:
        return
    town = zone.key.rpartition("/")[2].replace("_", " ")
    if schedule.timezone is None:
        yield from _moves_there(schedule, zone, change, town)
    else:
        yield from _stays_there(schedule, zone, change, town)


def _moves_there(schedule: Repeated, zone: ZoneInfo, change: datetime, town: str) -> Iterator[str]:
    if len(times(schedule)) >= MANY:
        return
    first = next(moments(schedule, change - timedelta(microseconds=1)))
    new = first.astimezone(zone)
    old = (first + _offset(zone, change - timedelta(seconds=1))).replace(tzinfo=None)
    season, day = _season(zone, change), _day(change.astimezone(zone))
    yield (
        f"The schedule stays in UTC. When {town} {season} on {day}, "
        f"the export will run at {new:%H:%M} there instead of {old:%H:%M}."
    )


def _stays_there(schedule: Repeated, zone: ZoneInfo, change: datetime, town: str) -> Iterator[str]:
    before, after = _offset(zone, change - timedelta(seconds=1)), _offset(zone, change)
    old, new = (change + before).replace(tzinfo=None), (change + after).replace(tzinfo=None)
    season, day = _season(zone, change), _day(change.astimezone(zone))
    first, last = min(old, new).time(), max(old, new).time()
    among = [one for one in times(schedule) if first <= one < last]
    if len(times(schedule)) >= MANY or old.date() != new.date():
        among = []
    if among and old < new:
        time = among[0]
        yield f"On {day} clocks in {town} leave out {time:%H:%M}: the export runs at {new:%H:%M} instead."
    elif among:
        time = among[0]
        yield f"On {day} {time:%H:%M} comes twice in {town}: the export runs once, the first time."
    else:
        yield f"When {town} {season} on {day}, the local time stays and the time in UTC changes."


def next_change(zone: ZoneInfo, after: datetime) -> datetime | None:
    """The next moment within a year at which a zone's clocks change."""
    known, early = _offset(zone, after), after
    while early < after + AHEAD:
        late = early + timedelta(days=1)
        if _offset(zone, late) != known:
            return _between(zone, early, late)
        early = late
    return None


def _between(zone: ZoneInfo, early: datetime, late: datetime) -> datetime:
    known = _offset(zone, early)
    early = early.replace(microsecond=0)
    while late - early > timedelta(seconds=1):
        middle = (early + (late - early) / 2).replace(microsecond=0)
        early, late = (middle, late) if _offset(zone, middle) == known else (early, middle)
    return late.replace(microsecond=0)


def _offset(zone: ZoneInfo, moment: datetime) -> timedelta:
    return moment.astimezone(zone).utcoffset() or timedelta()


def _season(zone: ZoneInfo, change: datetime) -> str:
    summer = change.astimezone(zone).dst() or timedelta()
    before = (change - timedelta(seconds=1)).astimezone(zone).dst() or timedelta()
    if summer == before:
        return "changes its clocks"
    return "changes to summer time" if summer > before else "changes back to winter time"


def _day(local: datetime) -> str:
    return f"{local.day} {local:%B %Y}"
