"""A `date:` expression that was read: what it gives for a base moment and a time zone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

from exports.dates.evaluate import Evaluated, evaluate
from exports.dates.parts import Named, Node, Parts, TimeOfDay
from exports.dates.tokens import shown
from exports.errors import DateOutOfRange


@dataclass(frozen=True)
class Expression:
    """Made by `exports.dates.parse` alone; the same text gives equal expressions."""

    text: str
    nodes: tuple[Node, ...]
    parts: Parts

    @property
    def has_time(self) -> bool:
        """Whether it says more than a day: a time of the day, or an amount of hours, minutes or seconds."""
        noon = any(isinstance(one, Named) and one.name == "noon" for one in self.nodes)
        timed = noon or any(isinstance(one, TimeOfDay) for one in self.nodes)
        return bool(timed or self.parts.hours or self.parts.minutes or self.parts.seconds)

    def resolve(self, base: datetime, zone: ZoneInfo) -> date:
        """The local day that is meant if it is now `base`, an aware moment: what `date:` stands for.

        Raises:
            DateOutOfRange: the day lies outside the years 1 to 9999.
        """
        if self.parts.offset is not None:
            return self.resolve_moment(base, zone).date()
        return self._local(base, zone).date()

    def resolve_moment(self, base: datetime, zone: ZoneInfo) -> datetime:
        """The moment that is meant, in `zone`, to the second: what `datetime:` stands for.

        A local time that the clock leaves out is as much later as the clock jumps; of one that comes twice the first
        counts, but within the hour of the base that one in which the base lies.

        Raises:
            DateOutOfRange: the moment lies outside the years 1 to 9999.
        """
        local = self._local(base, zone)
        try:
            if self.parts.offset is not None:
                return local.replace(tzinfo=timezone(self.parts.offset)).astimezone(zone)
            fold = base.astimezone(zone).fold if self._stays_near(base, zone, local) else 0
            second = local.replace(tzinfo=zone, fold=fold).astimezone(UTC).astimezone(zone)
            if second.replace(tzinfo=None) == local:
                return second
            return local.replace(tzinfo=zone).astimezone(UTC).astimezone(zone)
        except OverflowError:
            raise self._out_of_range() from None

    def evaluated(self, base: datetime, zone: ZoneInfo) -> Evaluated:
        """The local time and what was noticed on the way to it; for hints.

        Raises:
            DateOutOfRange: the base itself has no date in this zone.
        """
        at = zone if self.parts.offset is None else timezone(self.parts.offset)
        try:
            # By way of UTC: Python leaves a local time of the same zone alone, even one that the clock never shows.
            return evaluate(self.parts, base.astimezone(UTC).astimezone(at).replace(tzinfo=None))
        except OverflowError:
            raise self._out_of_range() from None

    def _local(self, base: datetime, zone: ZoneInfo) -> datetime:
        local = self.evaluated(base, zone).local
        if local is None:
            raise self._out_of_range()
        return local

    def _stays_near(self, base: datetime, zone: ZoneInfo, local: datetime) -> bool:
        """Whether the result is the base's own time or a little from it: then it is in the same pass of the clock."""
        there = base.astimezone(zone).replace(tzinfo=None)
        return self.parts.clock is None and abs(there - local) < timedelta(hours=1)

    def _out_of_range(self) -> DateOutOfRange:
        return DateOutOfRange(expression=shown(self.text))
