"""The values that people type into filters, read strictly: what is not certain is refused, never guessed.

Each reader takes what a definition's JSON holds, text or number, and raises `Unreadable` with a sentence that says what
to enter. Python's own int() and float() read more than numbers ("1_000", Arabic digits, "NaN"): they come after a
grammar, never alone (RELIABILITY section 0).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from exports.moments import midnight

WHOLE: Final = re.compile(r"-?[0-9]{1,19}", re.ASCII)
DECIMAL: Final = re.compile(r"-?[0-9]{1,18}(\.[0-9]{1,10})?", re.ASCII)
DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
TIME: Final = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})[ T]([0-9]{2}:[0-9]{2}(:[0-9]{2})?)", re.ASCII)
RELATIVE: Final = re.compile(r"\s*(date|datetime)\s*:", re.IGNORECASE | re.ASCII)
BIGINT: Final = range(-(2**63), 2**63)


class Unreadable(ValueError):
    """A value that the grammar does not take; the text is the sentence for the person who typed it."""

    code = "value.unreadable"


class NotYet(Unreadable):
    """A value of a kind that this version cannot use."""

    code = "value.not_yet"


@dataclass(frozen=True)
class LocalSpan:
    """A local time as people mean it: a whole day, or one second. `first` is in it, `after` is the first behind it."""

    first: datetime
    after: datetime


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


def day(value: Any, label: str) -> date:
    """A day of the calendar, `YYYY-MM-DD`."""
    if isinstance(value, str) and RELATIVE.match(value):
        raise NotYet("date: expressions cannot be used yet. Enter a date such as 2017-01-31")
    try:
        if isinstance(value, str) and DAY.fullmatch(value):
            return date.fromisoformat(value)
    except ValueError:
        raise Unreadable(f"{value} is not a day of the calendar") from None
    raise Unreadable(f"Enter a date for {label}, such as 2017-01-31")


def span(value: Any, label: str) -> LocalSpan:
    """A day, or a time `YYYY-MM-DD HH:MM[:SS]` on the clock of the export's zone."""
    found = TIME.fullmatch(value) if isinstance(value, str) else None
    if found:
        first, length = _time(f"{found[1]} {found[2]}"), timedelta(seconds=1)
    elif isinstance(value, str) and (DAY.fullmatch(value) or RELATIVE.match(value)):
        first, length = midnight(day(value, label)), timedelta(days=1)
    else:
        raise Unreadable(f"Enter a date or a time for {label}, such as 2017-01-31 or 2017-01-31 08:30")
    try:
        return LocalSpan(first, first + length)
    except OverflowError:
        raise Unreadable(f"{value} is too far in the future") from None


def _time(written: str) -> datetime:
    try:
        return datetime.fromisoformat(written)
    except ValueError:
        raise Unreadable(f"{written} is not a time of the calendar") from None
