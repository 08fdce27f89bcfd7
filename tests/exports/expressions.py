"""`date:` and `datetime:` expressions and what each means, told by the calendar alone and not by a parser."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from tests.exports.zoo import MOMENT


def _first_of_month(day: date, months: int = 0) -> date:
    number = day.year * 12 + day.month - 1 + months
    return date(number // 12, number % 12 + 1, 1)


def _months(day: date, months: int) -> date:
    """The same day of another month, running over into the next where it has no such day."""
    return _first_of_month(day, months) + timedelta(days=day.day - 1)


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())


def _next(day: date, weekday: int) -> date:
    return day + timedelta(days=(weekday - day.weekday() - 1) % 7 + 1)


_DAYS: Final[dict[str, Callable[[date], date]]] = {
    "date: today": lambda day: day,
    "date:yesterday": lambda day: day - timedelta(days=1),
    "DATE: Tomorrow": lambda day: day + timedelta(days=1),
    "date: -3 months": lambda day: _months(day, -3),
    "date: -117 months": lambda day: _months(day, -117),
    "date: +2 weeks": lambda day: day + timedelta(weeks=2),
    "date: -1 year": lambda day: _months(day, -12),
    "date: 9 years ago": lambda day: _months(day, -108),
    "date: 2 months 5 days ago": lambda day: _months(day, -2) - timedelta(days=5),
    "date: first day of this month": _first_of_month,
    "date: last day of last month": lambda day: _first_of_month(day) - timedelta(days=1),
    "date: first day of january": lambda day: date(day.year, 1, 1),
    "date: first day of january 2017": lambda _day: date(2017, 1, 1),
    "date: last day of february 2016": lambda _day: date(2016, 2, 29),
    "date: monday this week": _monday,
    "date: sunday last week": lambda day: _monday(day) - timedelta(days=1),
    "date: next friday": lambda day: _next(day, 4),
    "date: last sunday": lambda day: _next(day - timedelta(days=8), 6),
    "date: 2017-03-26": lambda _day: date(2017, 3, 26),
    "date: 2017-03-29 -3 days": lambda _day: date(2017, 3, 26),
    "date: 1 November 2009": lambda _day: date(2009, 11, 1),
    "date: first sunday of november 2018": lambda _day: date(2018, 11, 4),
}
_TIMES: Final[dict[str, Callable[[datetime], datetime]]] = {
    "datetime: now": lambda now: now,
    "datetime: -36 hours": lambda now: now - timedelta(hours=36),
    "datetime:-1 second": lambda now: now - timedelta(seconds=1),
    "datetime: yesterday": lambda now: datetime.combine(now.date() - timedelta(days=1), datetime.min.time()),
    "datetime: yesterday noon": lambda now: datetime.combine(now.date(), datetime.min.time()) - timedelta(hours=12),
    "datetime: -1 year": lambda now: datetime.combine(_months(now.date(), -12), now.time()),
    "datetime: 2016-12-31 23:59:59": lambda _now: datetime(2016, 12, 31, 23, 59, 59),
    "datetime: 2017-10-30 02:30 -1 day": lambda _now: datetime(2017, 10, 29, 2, 30),
}
DAY_EXPRESSIONS: Final = list(_DAYS)
TIME_EXPRESSIONS: Final = list(_TIMES)


def meant(value: str, zone: ZoneInfo) -> str:
    """The day or time that an expression means at the moment of the tests; what is none as it is."""
    now = MOMENT.astimezone(zone).replace(tzinfo=None)
    if value in _DAYS:
        return _DAYS[value](now.date()).isoformat()
    if value in _TIMES:
        return _TIMES[value](now).isoformat(" ")
    return value
