"""Put the pieces of an expression together, and refuse those of which one would be lost without a word.

The reference product drops them silently (REFERENCE section 3.3, trap 6): nothing that was typed may have no effect.
"""

from __future__ import annotations

from typing import Final

from exports.dates.evaluate import days_in_month
from exports.dates.parts import CalendarDay, Counted, Edge, IsoWeek, Named, Node, NthWeekday, Ordinal, Parts, TimeOfDay
from exports.dates.words import MONTH_NAMES
from exports.errors import DateCombination, DateNotInCalendar

LEAP_YEAR: Final = 2000
"""29 February without a year is a day of the calendar; where there is none, it is 1 March, and a hint says so."""


def combine(nodes: tuple[Node, ...]) -> Parts:
    """What the pieces say together.

    Raises:
        DateNotInCalendar: 30 February.
        DateCombination: two pieces of which one would have no effect.
    """
    parts = Parts()
    for place, node in enumerate(nodes):
        if isinstance(node, CalendarDay):
            _in_calendar(node)
        _beside_others(node, nodes[:place], parts)
        parts = node.added_to(parts)
    return parts


def _in_calendar(node: CalendarDay) -> None:
    if node.year == 0:
        raise DateNotInCalendar(day=node.written, reason="years begin with 0001", instead="a later year")
    if node.month is None or not 1 <= node.month <= 12:
        raise DateNotInCalendar(
            day=node.written, reason="months are 01 to 12", instead="year, month and day: “2017-01-31”"
        )
    last = days_in_month(node.year or LEAP_YEAR, node.month)
    if node.day is None or 1 <= node.day <= last:
        return
    month = " ".join([MONTH_NAMES[node.month - 1], *([f"{node.year:04}"] if node.year else [])])
    raise DateNotInCalendar(
        day=node.written, reason=f"{month} has {last} days", instead=f"“last day of {month.lower()}” for its last day"
    )


def _beside_others(node: Node, before: tuple[Node, ...], parts: Parts) -> None:
    if isinstance(node, TimeOfDay) and parts.clock_typed:
        raise DateCombination(
            lost=node.written,
            beside=next(one.written for one in before if isinstance(one, TimeOfDay | Named)),
            reason="only one time of day can count",
            instead="one of the two",
        )
    if not isinstance(node, Counted | Ordinal | IsoWeek):
        return
    amount = "days" if isinstance(node, IsoWeek) else node.amount
    if parts.edge is not None and amount == "days":
        _beside_edge(node, before, parts)
    if amount == "weekdays" and parts.weekdays is not None:
        other = next(one for one in before if isinstance(one, Counted | Ordinal) and one.amount == "weekdays")
        raise DateCombination(
            lost=other.written,
            beside=node.written,
            reason="only one number of weekdays can count",
            instead="one number of weekdays",
        )
    if parts.nth is not None and (amount == "weekdays" or isinstance(node, IsoWeek)):
        named = next(one for one in before if isinstance(one, NthWeekday))
        raise DateCombination(
            lost=named.written,
            beside=node.written,
            reason="the weekday is looked for from another day then",
            instead="days, such as “+7 days”",
        )


def _beside_edge(node: Counted | Ordinal | IsoWeek, before: tuple[Node, ...], parts: Parts) -> None:
    edge = next(one for one in before if isinstance(one, Edge))
    days = 7 * node.ordinal if isinstance(node, IsoWeek) else node.signed
    raise DateCombination(
        lost=node.written,
        beside=edge.written,
        reason=f"“{edge.written}” is applied last, so the days would be lost",
        instead=_day_beside(days, parts) or _by_hours(before, days),
    )


def _by_hours(before: tuple[Node, ...], days: int) -> str:
    """Hours are counted from the day that is found in the end."""
    hours = f"{24 * days:+d} hours"
    if abs(24 * days) >= 10**6:
        return f"“{before[0].written} …” without days"
    return f"hours: “{' '.join(one.written for one in before)} {hours}”"


def _day_beside(days: int, parts: Parts) -> str:
    """The day before the first of a month is the last of the month before."""
    if parts.month is None and not parts.years and (parts.edge, days) == ("first", -1):
        return f"“last day of {_month_away(parts.months - 1)}”"
    if parts.month is None and not parts.years and (parts.edge, days) == ("last", 1):
        return f"“first day of {_month_away(parts.months + 1)}”"
    return ""


def _month_away(months: int) -> str:
    return {-1: "last month", 0: "this month", 1: "next month"}.get(months, f"{months:+d} months")
