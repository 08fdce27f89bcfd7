"""What a schedule will do, for whoever looks at it: its sentence, its next five moments, what is worth knowing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Final
from zoneinfo import ZoneInfo

from exports import schedule
from exports.schedule.clock import ANY_SCHEDULE

SHOWN: Final = 5


@dataclass(frozen=True)
class Moment:
    """One moment to come, in UTC and on the viewer's clock."""

    utc: str
    there: str
    from_now: str


@dataclass(frozen=True)
class Outlook:
    """`there` is the sentence's time on the viewer's clock, empty where it is the same; `zone` the viewer's."""

    sentence: str
    there: str
    zone: str
    moments: tuple[Moment, ...]
    notes: tuple[str, ...]

    @property
    def first(self) -> Moment | None:
        """The next moment; None for what runs at once, or has run."""
        return self.moments[0] if self.moments else None

    @property
    def in_utc(self) -> bool:
        """Whether the viewer's clock shows UTC."""
        return all(one.utc == one.there for one in self.moments)


def outlook(chosen: ANY_SCHEDULE, now: datetime, zone: str) -> Outlook:
    """What a schedule that breaks no rule will do after `now`."""
    following = list(islice(schedule.moments(chosen, now), SHOWN))
    return Outlook(
        sentence=schedule.sentence(chosen),
        there=schedule.elsewhere(chosen, following[0], zone) if following else "",
        zone=zone,
        moments=tuple(Moment(said(one, "UTC", now), said(one, zone, now), from_now(one - now)) for one in following),
        notes=tuple(schedule.notes(chosen, now, zone)),
    )


def said(moment: datetime, zone: str, now: datetime) -> str:
    """Thu 26 Nov 06:30; with its year if that is not the present one."""
    local = moment.astimezone(ZoneInfo(zone))
    year = "" if local.year == now.astimezone(UTC).year else f" {local.year}"
    return f"{local:%a} {local.day} {local:%b}{year} {local:%H:%M:%S}".removesuffix(":00")


def from_now(wait: timedelta) -> str:
    """In 2 days, in 5 hours, in 12 minutes."""
    minutes = int(wait.total_seconds()) // 60
    for unit, size in (("day", 24 * 60), ("hour", 60), ("minute", 1)):
        if count := minutes // size:
            return f"in {count:,} {unit}{'s' if count > 1 else ''}"
    return "in less than a minute"
