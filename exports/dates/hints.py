"""Hints beside an input: where an expression, read as the reference product reads it, may not be what was meant.

Each is a sentence or two for the person who types; none stops anything (REFERENCE section 3.3, traps 1, 3 and 7).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from exports.dates.evaluate import Evaluated, Overflow, day_number, day_of_number
from exports.dates.expression import Expression
from exports.dates.parts import Ago, Counted, IsoWeek, Named, NthWeekday, Offset, Ordinal, TimeOfDay, Weekday
from exports.dates.wording import place
from exports.dates.words import DAY_NAMES, MONTH_NAMES


def hints(expression: Expression, base: datetime, zone: ZoneInfo, *, keep_time: bool = False) -> tuple[str, ...]:
    """What to say beside the resolved day, or with `keep_time` (`datetime:`) beside the resolved moment.

    Raises:
        DateOutOfRange: the result lies outside the years 1 to 9999.
    """
    seen = expression.evaluated(base, zone)
    found = [
        *_overflow(expression, seen),
        *_week_alone(expression),
        *_this_of(expression),
        *_ago(expression),
        *_on_that_weekday(expression, seen),
        *_left_weekday(expression, seen),
    ]
    return tuple(found) + tuple(_clock(expression, base, zone) if keep_time else _cut_off(expression))


def _overflow(expression: Expression, seen: Evaluated) -> Iterator[str]:
    over = seen.overflow
    if over is None:
        return
    gives = day_of_number(day_number(over.year, over.month, over.day))
    with_year = over.before[0] != gives[0]
    subject = MONTH_NAMES[over.month - 1]
    if over.before != (over.year, over.month, over.day):
        subject = f"{_said(over.before, with_year)} {_amounts(expression)}"
    ordinal = {31: "31st"}.get(over.day, f"{over.day}th")
    day, advice = _said(gives, with_year), _last_day_instead(expression, over)
    said = f"{subject} has no {ordinal}: this gives {day}."
    yield f"{said} Try “{advice}”." if advice else said


def _said(day: tuple[int, int, int], with_year: bool) -> str:
    return f"{day[2]} {MONTH_NAMES[day[1] - 1]}" + (f" {day[0]}" if with_year else "")


def _amounts(expression: Expression) -> str:
    """ "− 1 year − 2 months"."""
    counted = ((expression.parts.years, "year"), (expression.parts.months, "month"))
    signed = (
        f"{'−' if count < 0 else '+'} {abs(count)} {unit}{'s' * (abs(count) != 1)}" for count, unit in counted if count
    )
    return " ".join(signed)


def _last_day_instead(expression: Expression, over: Overflow) -> str:
    parts = expression.parts
    if parts.weekday is not None or parts.weekdays is not None or parts.days:
        return ""
    months = 12 * parts.years + parts.months
    if parts.month is None:
        return f"last day of {({-1: 'last month', 1: 'next month'}).get(months, f'{months:+d} months')}"
    name = MONTH_NAMES[over.month - 1].lower()
    if parts.year is not None:
        return f"last day of {name} {over.year:04}"
    return "" if months else f"last day of {name}"


def _week_alone(expression: Expression) -> Iterator[str]:
    if any(isinstance(one, Weekday | NthWeekday) for one in expression.nodes):
        return
    for one in expression.nodes:
        if isinstance(one, IsoWeek):
            instead = f"{7 * one.ordinal:+d} days" if one.ordinal else "today"
            yield f"“{one.written}” is the Monday of that week. For the same weekday as today write “{instead}”."


def _this_of(expression: Expression) -> Iterator[str]:
    for one in expression.nodes:
        if isinstance(one, NthWeekday) and one.ordinal == 0:
            name = DAY_NAMES[one.weekday].lower()
            instead = f"“first {name} of …” or “last {name} of …”"
            yield f"“{one.written}” is the first one of the month after. Write {instead}."


def _ago(expression: Expression) -> Iterator[str]:
    """ "ago" is clear behind amounts without a sign; all else is turned round as well."""
    for place_, one in enumerate(expression.nodes):
        turned = next((other for other in expression.nodes[:place_] if _turned(other)), None)
        if isinstance(one, Ago) and turned is not None:
            yield f"“ago” turns round everything before it, “{turned.written}” as well. Write amounts with “-” instead."
            return


def _turned(node: object) -> bool:
    if isinstance(node, Counted):
        return bool(node.sign)
    if isinstance(node, Named):
        return node.name in ("tomorrow", "yesterday")
    return isinstance(node, Ago | IsoWeek | Ordinal | Weekday | NthWeekday)


def _on_that_weekday(expression: Expression, seen: Evaluated) -> Iterator[str]:
    """ "next monday -1 day" on a Monday: the sum of the days decides which Monday is looked for."""
    for one in expression.nodes:
        if not isinstance(one, Weekday) or not one.ordinal or expression.parts.behaviour != 0 or not seen.on_weekday:
            continue
        if (one.ordinal < 0) != (expression.parts.days < 0):
            weekday = DAY_NAMES[one.weekday]
            said = f"It is {weekday}: with the days behind it “{one.written}” is found"
            yield f"{said} a week later than alone." if one.ordinal < 0 else f"{said} a week earlier than alone."


def _left_weekday(expression: Expression, seen: Evaluated) -> Iterator[str]:
    if seen.left_weekday and seen.local is not None:
        weekday, amounts = DAY_NAMES[seen.local.isoweekday() % 7], _amounts(expression)
        yield f"The weekday is found first, then “{amounts}” is counted: this is a {weekday}."


def _cut_off(expression: Expression) -> Iterator[str]:
    if expression.has_time:
        yield "“date:” means the whole day: the time is cut off. “datetime:” keeps it."


def _clock(expression: Expression, base: datetime, zone: ZoneInfo) -> Iterator[str]:
    typed = None
    for one in expression.nodes:
        if typed is not None and (isinstance(one, Named) or (isinstance(one, Ordinal) and one.amount == "weekdays")):
            yield f"“{one.written}” takes the time of “{typed.written}” back: write the time last."
        if isinstance(one, TimeOfDay) or (isinstance(one, Named) and one.name == "noon"):
            typed = one
    local = expression.evaluated(base, zone).local
    if local is None or any(isinstance(one, Offset) for one in expression.nodes):
        return
    clock, town = expression.resolve_moment(base, zone), place(zone)
    if clock.replace(tzinfo=None) != local:
        yield f"The clock in {town} skips {local:%H:%M} that day: this gives {clock:%H:%M}."
    elif clock.astimezone(UTC) != clock.replace(fold=1 - clock.fold).astimezone(UTC):
        which = "second" if clock.fold else "first"
        yield f"The clock in {town} shows {local:%H:%M} twice that day: this is the {which} time."
