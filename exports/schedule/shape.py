"""What a definition's member `schedule` holds (SPEC section 11).

Hours, minutes and the date are the texts that somebody typed: what is wrong with them is said by `rules`, in a sentence
of its own, and not by the shape.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import lru_cache
from typing import Annotated, Any, Final, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Discriminator,
    PlainValidator,
    Tag,
    TypeAdapter,
    WithJsonSchema,
)
from pydantic import Field as Limits

MAX_LIST: Final = 300
"""Characters of a list of hours or minutes: all sixty minutes, with commas and spaces, take 228."""
MAX_DATE: Final = 40
MAX_ZONE: Final = 60
LAST: Final = "last"
WEEKDAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")

Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]


def _month_day(value: Any) -> int | str:
    if value == LAST or (type(value) is int and 1 <= value <= 31):
        return value  # type: ignore[no-any-return]
    raise ValueError('must be a day of the month, 1 to 31, or "last"')


MonthDay = Annotated[
    int | str,
    PlainValidator(_month_day),
    WithJsonSchema({"anyOf": [{"type": "integer", "minimum": 1, "maximum": 31}, {"const": LAST}]}),
]


def _in_order(days: tuple[Any, ...]) -> tuple[Any, ...]:
    """Each day once, as a calendar has them."""
    return tuple(
        sorted(set(days), key=lambda day: WEEKDAYS.index(day) if day in WEEKDAYS else 32 if day == LAST else day)
    )


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Now(_Strict):
    """At once, one time."""

    type: Literal["now"] = "now"


class OnDate(_Strict):
    """**On-date**: one time. `at` is `2026-12-01T08:00:00Z`; with a `timezone` also the time there, without Z."""

    type: Literal["on_date"]
    at: str = Limits(max_length=MAX_DATE)
    timezone: str | None = Limits(default=None, max_length=MAX_ZONE)


class _Repeated(_Strict):
    """`hours` and `minutes`: `*` or a comma list. `timezone`: **Keep local time** there; null is UTC."""

    type: Literal["repeated"] = "repeated"
    hours: str = Limits(default="6", max_length=MAX_LIST)
    minutes: str = Limits(default="0", max_length=MAX_LIST)
    timezone: str | None = Limits(default=None, max_length=MAX_ZONE)


class Daily(_Repeated):
    """**Repeated**, every day."""

    every: Literal["day"]


class Weekly(_Repeated):
    """**Repeated**, on days of the week."""

    every: Literal["week"]
    days: Annotated[tuple[Weekday, ...], AfterValidator(_in_order)] = Limits(default=(), max_length=7, strict=False)


class Monthly(_Repeated):
    """**Repeated**, on days of the month; `last` is the last one, whatever the month's length."""

    every: Literal["month"]
    days: Annotated[tuple[MonthDay, ...], AfterValidator(_in_order)] = Limits(default=(), max_length=32, strict=False)


Repeated = Daily | Weekly | Monthly


def _kind(value: Any) -> str | None:
    """Which of the five a document is; what says `every` is repeated."""
    if isinstance(value, BaseModel):
        return str(getattr(value, "every", None) or getattr(value, "type", ""))
    if not isinstance(value, dict):
        return None
    every = value.get("every")
    type_ = value.get("type", "now" if every is None else "repeated")
    kind = every if type_ == "repeated" else type_
    return kind if isinstance(kind, str) else None


Schedule = Annotated[
    Annotated[Now, Tag("now")]
    | Annotated[OnDate, Tag("on_date")]
    | Annotated[Daily, Tag("day")]
    | Annotated[Weekly, Tag("week")]
    | Annotated[Monthly, Tag("month")],
    Discriminator(
        _kind,
        custom_error_type="schedule_kind",
        custom_error_message="must have the type now, on_date, or repeated with every day, week or month",
    ),
]
"""The union of a definition. The tags stand in the paths of pydantic's errors, and nowhere else."""

_ANY: Final[TypeAdapter[Now | OnDate | Daily | Weekly | Monthly]] = TypeAdapter(Schedule)


def read(document: Any) -> Now | OnDate | Repeated:
    """A stored schedule.

    Raises:
        pydantic.ValidationError: it is none.
    """
    return _ANY.validate_python(document)


NUMBER: Final = re.compile(r"[0-9]{1,2}", re.ASCII)


@lru_cache(maxsize=1024)
def numbers(text: str, below: int) -> tuple[int, ...] | str:
    """The numbers of `*` or a comma list, each once, in order; else the part that is none.

    The grammar is REFERENCE section 4.3's: `"*" | int ("," ws? int)*`. A leading zero is allowed.
    """
    if text.strip(" ") == "*":
        return tuple(range(below))
    parts = [part.strip(" ") for part in text.split(",")]
    for part in parts:
        if not NUMBER.fullmatch(part) or int(part) >= below:
            return part
    return tuple(sorted({int(part) for part in parts}))


AT: Final = re.compile(r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d)(?::(\d\d))?(Z|[+-]\d\d:\d\d)?", re.ASCII)


def read_at(text: str) -> datetime | None:
    """The date and time of an On-date, in UTC; without offset if the text has none; None if it is no date and time."""
    match = AT.fullmatch(text)
    if match is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
        return moment.astimezone(UTC) if moment.tzinfo else moment
    except (ValueError, OverflowError):
        return None
