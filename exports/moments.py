"""Local days and times as ranges of instants, exactly: where clocks jump forward or are set back as well.

A comparison of a column with a local time is written on the bare column, so that an index serves it. What counts is the
time that stands in the file: in the hour that comes twice both instants are 02:30, and `on or after 02:30` leaves out
the second 02:15.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

_STEP = timedelta(hours=6)
"""No zone changes its offset twice within so short a time."""
_AROUND = timedelta(hours=30)
"""Offsets lie between -16 and +16 hours: no zone reads a local time further than that from the same time in UTC."""


def midnight(day: date) -> datetime:
    """The first moment of a day on the clock."""
    return datetime.combine(day, time())


def starts(zone: ZoneInfo, local: datetime) -> tuple[datetime, ...]:
    """The instants (UTC) at which "the clock in `zone` reads `local` or later" turns true, false, true, ...

    One instant on most days. Three if the clock passes `local`, is set back before it, and passes it again.
    """
    flips = []
    reads_later = False
    for begin, end, offset in _stretches(zone, local):
        turns = _moved(local.replace(tzinfo=UTC), -offset)
        if not reads_later and turns <= begin:
            flips.append(begin)
            reads_later = True
        elif reads_later and turns > begin:
            flips.append(begin)
            reads_later = False
        if not reads_later and begin < turns < end:
            flips.append(turns)
            reads_later = True
    return tuple(flips)


def _stretches(zone: ZoneInfo, local: datetime) -> list[tuple[datetime, datetime, timedelta]]:
    """The time around `local`, cut where the offset changes: begin, end, offset. Before it the clock reads earlier."""
    moment = _moved(local.replace(tzinfo=UTC), -_AROUND)
    last = _moved(local.replace(tzinfo=UTC), _AROUND)
    cuts = [moment]
    while moment < last:
        following = min(_moved(moment, _STEP), last)
        if _offset(zone, moment) != _offset(zone, following):
            cuts.append(_change(zone, moment, following))
        moment = following
    ends = [*cuts[1:], last]
    return [(begin, end, _offset(zone, begin)) for begin, end in zip(cuts, ends, strict=True)]


def _moved(moment: datetime, delta: timedelta) -> datetime:
    """The moment so much later, as far as the calendar reaches (years 1 to 9999)."""
    try:
        return moment + delta
    except OverflowError:
        return (datetime.min if delta < timedelta() else datetime.max).replace(tzinfo=UTC)


def _offset(zone: ZoneInfo, moment: datetime) -> timedelta:
    try:
        offset = moment.astimezone(zone).utcoffset()
    except OverflowError:  # at the ends of the calendar the local time has no date
        return timedelta()
    return offset if offset is not None else timedelta()


def _change(zone: ZoneInfo, before: datetime, after: datetime) -> datetime:
    """The first second of the new offset."""
    old = _offset(zone, before)
    while after - before > timedelta(seconds=1):
        middle = (before + (after - before) / 2).replace(microsecond=0)
        if middle <= before:
            break
        if _offset(zone, middle) == old:
            before = middle
        else:
            after = middle
    return after
