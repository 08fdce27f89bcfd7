"""What is said beside an input about its text: the day or time that an expression means, the record an id names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal
from zoneinfo import ZoneInfo

from exports import dates
from exports.choices import Choice
from exports.errors import DateExpressionError
from exports.operators import Input
from webapp.services.drafts import TypedCriterion

Bound = Literal["start", "whole"]
AT_ITS_START: Final = frozenset({"gte", "lt"})
"""Operators that compare with the first moment of a day; for the others the whole day counts (docs/filters.md)."""


@dataclass(frozen=True)
class Beside:
    """`says` is what the text means, `hints` where that may not be what was meant. `is_date` chooses the icon."""

    says: str
    hints: tuple[str, ...] = ()
    is_date: bool = True


def record(id: str, label: str, named: Mapping[str, Choice] | None) -> Beside | None:
    """The record that a typed id names; that there is none is no mistake, since it may have been deleted."""
    if named is None or not id:
        return None
    found = named.get(id)
    if found is None:
        return Beside("", (f"No {label} has the ID “{id}”: choose one from the list",), is_date=False)
    return Beside(found.title, is_date=False) if found.title != id else None


def date_parts(typed: TypedCriterion, kind: Input) -> tuple[str, ...]:
    """The inputs of a criterion that take dates, as it is typed now."""
    if kind is Input.DATE:
        return ("value",)
    if kind is Input.ANNIVERSARY:
        return {"day": ("value",), "range": ("low", "high")}.get(typed.when, ())
    return ("low", "high") if kind is Input.DATES or "from" in kind.members else ()


def bound_of(operator: str, part: str) -> Bound:
    """Whether a day means its first moment or counts whole."""
    return "start" if operator in AT_ITS_START or part == "low" else "whole"


def moment(text: str, now: datetime, zone: ZoneInfo, *, bound: Bound | None) -> Beside | None:
    """What a `date:` or `datetime:` expression means now, on the clock of the export's zone; None for anything else.

    `bound` is None for days without a time. What is wrong is said where problems are, not here.
    """
    found = dates.split_prefix(text)
    if found is None:
        return None
    prefix, written = found
    try:
        expression = dates.parse(written)
        keeps_time = prefix == "datetime"
        hints = dates.hints(expression, now, zone, keep_time=keeps_time)
        if keeps_time:
            return None if bound is None else Beside(dates.in_words(expression.resolve_moment(now, zone), zone), hints)
        day = expression.resolve(now, zone)
        if bound == "start":
            return Beside(dates.in_words(dates.first_instant(day, zone), zone), hints)
        said, place = dates.in_words(day, zone), dates.place(zone)
        return Beside(said if bound is None else f"{said}, the whole day ({place})", hints)
    except (DateExpressionError, OverflowError):  # the first days of the calendar have no moment east of Greenwich
        return None
