"""What an expression says, put together from its pieces in the order of the text (REFERENCE section 3.4, 1 and 2)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Final, Literal, Protocol

from exports.dates.words import Amount

Clock = tuple[int, int, int]
MIDNIGHT: Final[Clock] = (0, 0, 0)
NOON: Final[Clock] = (12, 0, 0)


@dataclass(frozen=True)
class Parts:
    """Everything that is known before a base moment is.

    What is None is taken from the base. `clock` may lie outside the day ("front of 0" is 15 minutes before it).
    """

    year: int | None = None
    month: int | None = None
    day: int | None = None
    offset: timedelta | None = None
    clock: Clock | None = None
    clock_typed: bool = False
    years: int = 0
    months: int = 0
    days: int = 0
    hours: int = 0
    minutes: int = 0
    seconds: int = 0
    weekdays: int | None = None
    weekday: int | None = None
    behaviour: int = 0
    """How the weekday is looked for: 0 never today, 1 today counts, 2 in the ISO week of the day."""
    edge: Literal["first", "last"] | None = None
    """"first day of", "last day of": the month that is reached, from its first or its last day."""
    nth: Literal["first", "last"] | None = None
    """"second tuesday of" counts from the first of the month, "last tuesday of" back from the first of the next."""

    def at(self, clock: Clock, *, typed: bool = False) -> Parts:
        """The same at a time of day; a time that was typed allows no second one."""
        return replace(self, clock=clock, clock_typed=typed)

    def plus(self, amount: Amount, count: int) -> Parts:
        """The same and so much more of something."""
        changed: dict[str, Any] = {amount: (getattr(self, amount) or 0) + count}
        return replace(self, **changed)


class Node(Protocol):
    """A piece of an expression."""

    @property
    def written(self) -> str:
        """Its text."""

    def added_to(self, parts: Parts) -> Parts:
        """What is known with this piece as well."""


@dataclass(frozen=True)
class Named:
    """now, today, midnight, noon, tomorrow, yesterday."""

    written: str
    name: str

    def added_to(self, parts: Parts) -> Parts:
        """All but "now" take the time of day back; a time may be typed behind them, but not behind "noon"."""
        if self.name == "now":
            return parts
        if self.name == "noon":
            return parts.at(NOON, typed=True)
        return parts.at(MIDNIGHT).plus("days", {"tomorrow": 1, "yesterday": -1}.get(self.name, 0))


@dataclass(frozen=True)
class TimeOfDay:
    """14:00, 7 pm, "back of 7pm" (7:15 pm), "front of 5am" (4:45 am)."""

    written: str
    hour: int
    minute: int = 0
    second: int = 0
    half: str = ""
    side: str = ""

    def added_to(self, parts: Parts) -> Parts:
        """The time of day."""
        hour = self.hour % 12 + (12 if self.half == "pm" else 0) if self.half else self.hour
        quarter = {"back": 15, "front": -15}.get(self.side, 0)
        return parts.at((hour, self.minute + quarter, self.second), typed=True)


@dataclass(frozen=True)
class CalendarDay:
    """A day, a month, a month of a year: 2025-01-31, 1 January, July 2008, July."""

    written: str
    year: int | None = None
    month: int | None = None
    day: int | None = None

    def added_to(self, parts: Parts) -> Parts:
        """A month of a year begins with its first day; a month alone has the day of the base."""
        first = 1 if self.year is not None and self.day is None else self.day
        return replace(parts, year=self.year, month=self.month, day=first).at(MIDNIGHT)


@dataclass(frozen=True)
class Offset:
    """Z, +02:00: the time before it is not one of the export's zone."""

    written: str
    sign: str = ""
    hours: int = 0
    minutes: int = 0

    def added_to(self, parts: Parts) -> Parts:
        """The result is read in the export's zone."""
        away = timedelta(hours=self.hours, minutes=self.minutes)
        return replace(parts, offset=-away if self.sign == "-" else away)


@dataclass(frozen=True)
class Edge:
    """ "first day of", "last day of"."""

    written: str
    edge: Literal["first", "last"]

    def added_to(self, parts: Parts) -> Parts:
        """The time of day stays that of the base."""
        return replace(parts, edge=self.edge)


@dataclass(frozen=True)
class NthWeekday:
    """ "second tuesday of", "last friday of"."""

    written: str
    ordinal: int
    weekday: int

    def added_to(self, parts: Parts) -> Parts:
        """ "this friday of" counts like "last friday of", one week further: so does the reference product."""
        nth: Literal["first", "last"] = "first" if self.ordinal > 0 else "last"
        found = replace(parts, nth=nth, weekday=self.weekday, behaviour=int(self.ordinal >= 0))
        return found.plus("days", 7 * _weeks(self.ordinal)).at(MIDNIGHT)


@dataclass(frozen=True)
class Weekday:
    """monday, "next monday", "second monday"."""

    written: str
    weekday: int
    ordinal: int | None = None

    def added_to(self, parts: Parts) -> Parts:
        """Today counts for the bare name and for "this"; a week that was named before keeps its say."""
        if self.ordinal is None:
            behaviour = max(parts.behaviour, 1)
            return replace(parts, weekday=self.weekday, behaviour=behaviour).at(MIDNIGHT)
        found = replace(parts, weekday=self.weekday, behaviour=int(self.ordinal == 0))
        return found.plus("days", 7 * _weeks(self.ordinal)).at(MIDNIGHT)


@dataclass(frozen=True)
class IsoWeek:
    """ "last week": the weekday named with it, or its Monday."""

    written: str
    ordinal: int

    def added_to(self, parts: Parts) -> Parts:
        """The time of day stays."""
        weekday = 1 if parts.weekday is None else parts.weekday
        return replace(parts, weekday=weekday, behaviour=2).plus("days", 7 * self.ordinal)


@dataclass(frozen=True)
class Counted:
    """ "-3 months", "5 days"."""

    written: str
    count: int
    unit: tuple[Amount, int]
    sign: str = ""

    @property
    def signed(self) -> int:
        """How many of `amount`."""
        return (-self.count if self.sign == "-" else self.count) * self.unit[1]

    @property
    def amount(self) -> Amount:
        """What is counted."""
        return self.unit[0]

    def added_to(self, parts: Parts) -> Parts:
        """Amounts of one kind are added up."""
        return parts.plus(self.amount, self.signed)


@dataclass(frozen=True)
class Ordinal:
    """ "next month", "fifth day", "last weekday"."""

    written: str
    ordinal: int
    unit: tuple[Amount, int]

    @property
    def amount(self) -> Amount:
        """What is counted."""
        return self.unit[0]

    @property
    def signed(self) -> int:
        """How many of `amount`."""
        return self.ordinal * self.unit[1]

    def added_to(self, parts: Parts) -> Parts:
        """ "next weekday" begins at midnight, unlike "+1 weekday": so does the reference product."""
        counted = parts.plus(self.amount, self.signed)
        return counted.at(MIDNIGHT) if self.amount == "weekdays" else counted


@dataclass(frozen=True)
class Ago:
    """ "ago" turns round everything that was collected before it."""

    written: str

    def added_to(self, parts: Parts) -> Parts:
        """Weekdays by name as well: Sunday, 0, becomes the Sunday before."""
        return replace(
            parts,
            years=-parts.years,
            months=-parts.months,
            days=-parts.days,
            hours=-parts.hours,
            minutes=-parts.minutes,
            seconds=-parts.seconds,
            weekdays=None if parts.weekdays is None else -parts.weekdays,
            weekday=None if parts.weekday is None else -parts.weekday or -7,
        )


def _weeks(ordinal: int) -> int:
    """The weeks beside the search itself: "first monday" and "next monday" are what the search finds."""
    return ordinal - 1 if ordinal > 0 else ordinal
