"""The values that people type into filters, read strictly: what is not certain is refused, never guessed.

Each reader takes what a definition's JSON holds, text or number, and raises `Unreadable` with a sentence that says what
to enter. Python's own int() and float() read more than numbers ("1_000", Arabic digits, "NaN"): they come after a
grammar, never alone (RELIABILITY section 0).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final
from zoneinfo import ZoneInfo

from exports import dates
from exports.errors import DateExpressionError, DateOutOfRange, Problem
from exports.moments import midnight

WHOLE: Final = re.compile(r"-?[0-9]{1,19}", re.ASCII)
DECIMAL: Final = re.compile(r"-?[0-9]{1,18}(\.[0-9]{1,10})?", re.ASCII)
DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
TIME: Final = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})[ T]([0-9]{2}:[0-9]{2}(:[0-9]{2})?)", re.ASCII)
BIGINT: Final = range(-(2**63), 2**63)
SOME_MOMENT: Final = datetime(2000, 1, 1, tzinfo=UTC)
"""An expression that leads out of the calendar from here does so from any moment of our time."""


class Unreadable(ValueError):
    """A value that the grammar does not take; each problem has the sentence for the person who typed it.

    `at` is the member of the value that is wrong, such as `ids.2`; empty for the value itself. `also` are those of its
    other members.
    """

    def __init__(
        self, sentence: str, code: str = "value.unreadable", at: str = "", also: Sequence[Problem] = ()
    ) -> None:
        super().__init__(sentence)
        self.problems = (Problem(at, code, sentence), *also)

    def under(self, at: str) -> Unreadable:
        """The same about a member of the value."""
        return _all([replace(one, at=f"{at}.{one.at}".rstrip(".")) for one in self.problems])


def _all(problems: Sequence[Problem]) -> Unreadable:
    first, *also = problems
    return Unreadable(first.message, first.code, first.at, also)


def members(readers: Mapping[str, Callable[[], Any]]) -> list[Any]:
    """What the members of a value hold, each read by its own reader, whatever is wrong with the others.

    Raises:
        Unreadable: with each that is wrong.
    """
    found: list[Any] = []
    wrong: list[Problem] = []
    for at, read in readers.items():
        try:
            found.append(read())
        except Unreadable as refused:
            wrong += refused.under(at).problems
    if wrong:
        raise _all(wrong)
    return found


@dataclass(frozen=True)
class LocalSpan:
    """A local time as people mean it: a whole day, or one second. `first` is in it, `after` is the first behind it."""

    first: datetime
    after: datetime


@dataclass(frozen=True)
class Relative:
    """A `date:` or `datetime:` expression: which day or time it means is told by the moment of the run."""

    expression: dates.Expression
    keeps_time: bool

    def day(self, moment: datetime, zone: ZoneInfo) -> date:
        """The day.

        Raises:
            DateOutOfRange: it lies outside the years 1 to 9999.
        """
        return self.expression.resolve(moment, zone)

    def span(self, moment: datetime, zone: ZoneInfo) -> LocalSpan:
        """The whole day for `date:`, the second for `datetime:` (REFERENCE section 3.2).

        Raises:
            DateOutOfRange: it lies outside the years 1 to 9999.
        """
        if self.keeps_time:
            return _second(self.expression.resolve_moment(moment, zone).replace(tzinfo=None))
        return _whole(self.day(moment, zone))


def _whole(day: date) -> LocalSpan:
    return _lasting(midnight(day), timedelta(days=1))


def _second(local: datetime) -> LocalSpan:
    return _lasting(local, timedelta(seconds=1))


def _lasting(first: datetime, duration: timedelta) -> LocalSpan:
    """From `first` on; people write 9999-12-31 for ever, and behind it there is no date."""
    return LocalSpan(first, first + duration if first <= datetime.max - duration else datetime.max)


def _relative(value: Any) -> Relative | None:
    """An expression, if the value has the prefix of one."""
    found = dates.split_prefix(value)
    if found is None:
        return None
    try:
        return Relative(dates.parse(found[1]), keeps_time=found[0] == "datetime")
    except DateExpressionError as refused:
        raise Unreadable(refused.said, refused.code) from None


def _without_prefix(value: Any, sentence: str, *, keep_time: bool = False) -> Unreadable:
    """What is said of a text that is neither a date nor has a prefix: the prefix, if that is all there is to add."""
    lacking = dates.without_prefix(value, keep_time=keep_time) if isinstance(value, str) else None
    return Unreadable(lacking.said, lacking.code) if lacking is not None else Unreadable(sentence)


def _within_calendar(relative: Relative, resolve: Callable[[datetime, ZoneInfo], object]) -> Relative:
    try:
        resolve(SOME_MOMENT, ZoneInfo("UTC"))
    except DateOutOfRange as refused:
        raise Unreadable(refused.said, refused.code) from None
    return relative


def _typed(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    if isinstance(value, float):
        return format(Decimal(repr(value)), "f") if value == value and abs(value) != float("inf") else ""
    return str(value)


def text(value: Any, label: str) -> str:
    """Any text but the empty one."""
    if not isinstance(value, str) or value == "":
        raise Unreadable(f"Enter a text for {label}")
    return value


def whole_number(value: Any, label: str) -> int:
    """A whole number that a bigint holds."""
    typed = _typed(value)
    if not WHOLE.fullmatch(typed):
        raise Unreadable(f"Enter a whole number for {label}")
    if int(typed) not in BIGINT:
        raise Unreadable(f"Enter a smaller number for {label}")
    return int(typed)


def number(value: Any, label: str) -> Decimal:
    """A number with at most 18 digits before and 10 behind the dot."""
    typed = _typed(value)
    if not DECIMAL.fullmatch(typed):
        raise Unreadable(f"Enter a number for {label}, such as 12 or 12.50")
    return Decimal(typed)


def truth(value: Any, label: str) -> bool:
    """true or false, as JSON or as the word."""
    if value is True or value == "true":
        return True
    if value is False or value == "false":
        return False
    raise Unreadable(f"Choose Yes or No for {label}")


def day(value: Any, label: str) -> date | Relative:
    """A day of the calendar, `YYYY-MM-DD`, or a `date:` expression."""
    relative = _relative(value)
    if relative is not None:
        if relative.keeps_time:
            raise Unreadable(f"{label} is a day without a time: write date: in place of datetime:")
        return _within_calendar(relative, relative.day)
    if isinstance(value, str) and DAY.fullmatch(value):
        return _day(value)
    raise _without_prefix(value, f"Enter a date for {label}, such as 2017-01-31 or date: -3 months")


def span(value: Any, label: str) -> LocalSpan | Relative:
    """A day or a time `YYYY-MM-DD HH:MM[:SS]` on the clock of the export's zone, or an expression."""
    relative = _relative(value)
    if relative is not None:
        return _within_calendar(relative, relative.span)
    if isinstance(value, str) and (found := TIME.fullmatch(value)):
        return _second(_time(f"{found[1]} {found[2]}"))
    if isinstance(value, str) and DAY.fullmatch(value):
        return _whole(_day(value))
    sentence = f"Enter a date or a time for {label}, such as 2017-01-31, 2017-01-31 08:30 or date: -3 months"
    raise _without_prefix(value, sentence, keep_time=True)


def _day(written: str) -> date:
    try:
        return date.fromisoformat(written)
    except ValueError:
        raise Unreadable(f"{written} is not a day of the calendar") from None


def _time(written: str) -> datetime:
    try:
        return datetime.fromisoformat(written)
    except ValueError:
        raise Unreadable(f"{written} is not a time of the calendar") from None
