"""Anniversaries and completed years of a date (REFERENCE 2.3)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any, Final

import sqlalchemy as sa

from exports.catalogue import DataField, FieldType
from exports.columns import Context, Expression, literal
from exports.conditions import before
from exports.moments import midnight

Pair = tuple[Any, Any]
LAST_OF_FEBRUARY: Final = 228
LEAP_DAY: Final = 229


def anniversary(field: DataField, column: Expression, given: Pair, context: Context) -> Expression:
    """Whether a year after it, or the day itself, falls on one of the days from and to, both included.

    Born on 29 February: the anniversary of a common year is 28 February. An open end reaches to the end of the
    calendar: from a day on, everything has an anniversary.
    """
    day = _day(field, column, context)
    first, last = given
    if last is None:
        return day.is_not(None)
    if first is not None and first > last:
        return sa.false()  # an expression may lead there
    # date_part gives floats, which hold these numbers exactly: EXTRACT's numerics took twice as long.
    of_year = sa.func.date_part("month", day) * 100 + sa.func.date_part("day", day)
    pieces = _pieces(first or date.min, last)
    return sa.or_(
        *(
            sa.and_(day <= sa.literal(date(year, 12, 31), sa.Date()), of_year.between(low, high))
            for year, low, high in pieces
        )
    )


def _pieces(first: date, last: date) -> list[tuple[int, int, int]]:
    """A range as the part of its last year and that of the year before, as month * 100 + day; older ones add nothing.

    What has its anniversary in an older year of the range has one in the year before the last, too, all of which then
    belongs to the range.
    """
    begins = _number(first) if first.year == last.year else 101
    pieces = [(last.year, begins, _until(last))]
    if first.year < last.year:
        pieces.append((last.year - 1, _number(first) if first.year == last.year - 1 else 101, 1231))
    return pieces


def _number(day: date) -> int:
    return day.month * 100 + day.day


def _until(day: date) -> int:
    """In a common year 28 February is the day of those of 29 February as well."""
    is_last = _number(day) == LAST_OF_FEBRUARY and (day + timedelta(days=1)).month > day.month
    return LEAP_DAY if is_last else _number(day)


def age_range(field: DataField, column: Expression, given: Pair, context: Context) -> Expression:
    """Whether so many years are completed on the day of the run, as the field `age` counts them.

    Written on the bare column. Who was born on 29 February completes a year on 1 March of common years.
    """
    least, most = given
    bounds = [] if least is None else [_completed(field, column, least, context)]
    if most is not None:
        more = _completed(field, column, most + 1, context)
        bounds.append(sa.and_(column.is_not(None), sa.not_(more)))
    return sa.and_(*bounds)


def _completed(field: DataField, column: Expression, years: int, context: Context) -> Expression:
    day = _years_before(context.today, years)
    if day is None:
        return sa.false()
    if field.type == FieldType.DATE:
        return column <= sa.literal(day, sa.Date())
    return before(column, midnight(day) + timedelta(days=1), context)


def _years_before(day: date, years: int) -> date | None:
    """The same day so many years before, 28 February for a day that is not there; None before the calendar began."""
    if day.year - years < 1:
        return None
    try:
        return day.replace(year=day.year - years)
    except ValueError:
        return day.replace(year=day.year - years, day=28)


def _day(field: DataField, column: Expression, context: Context) -> Expression:
    if field.type == FieldType.DATE:
        return sa.type_coerce(column, sa.Date())
    return sa.cast(sa.func.timezone(literal(context.timezone), column), sa.Date())


CONDITIONS: Final[dict[str, Callable[[DataField, Expression, Pair, Context], Expression]]] = {
    "anniversary": anniversary,
    "age_range": age_range,
}
