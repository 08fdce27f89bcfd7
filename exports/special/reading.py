"""The values of the special operators: what was chosen, in which time, how often; days of anniversaries; ages."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any, Final
from zoneinfo import ZoneInfo

from exports import dates
from exports.definition import MAX_VALUE, MAX_VALUES_IN_LIST
from exports.operators import Input
from exports.values import LocalSpan, Relative, Unreadable, day, members, span, text, whole_number

Pair = tuple[Any, Any]

NOUNS: Final = {
    Input.SEGMENTS: ("Segments", "segment"),
    Input.GROUPS: ("User groups", "group"),
    Input.REWARDS: ("Rewards", "reward"),
    Input.ACTIVITIES: ("Challenges", "challenge"),
    Input.ACTIONS: ("Actions", "action"),
    Input.PURCHASES: ("Products", "product"),
}
"""What is chosen: several of them, at the beginning of a sentence, and one."""
_SAID: Final = {"from": "the first day", "to": "the last day", "min": "the number of times"}
_SHOWN: Final = {"ids": '"ids": [...]', "from": '"from": null', "to": '"to": null', "min": '"min": null'}

TODAY: Final = Relative(dates.parse("today"), keeps_time=False)
OLDEST: Final = 999


@dataclass(frozen=True)
class Chosen:
    """One of `ids`, from `first` to `last` (both included, None is an open end), at least `least` times."""

    ids: tuple[str, ...]
    first: LocalSpan | Relative | None = None
    last: LocalSpan | Relative | None = None
    least: int = 1

    @property
    def in_time(self) -> bool:
        """Whether it matters when."""
        return self.first is not None or self.last is not None

    def at(self, moment: datetime, zone: ZoneInfo) -> Chosen:
        """The same with the times that its expressions mean at the moment of a run.

        Raises:
            DateOutOfRange: one of them lies outside the years 1 to 9999.
        """
        first, last = (one.span(moment, zone) if isinstance(one, Relative) else one for one in (self.first, self.last))
        return replace(self, first=first, last=last)


def chosen(value: Any, kind: Input) -> Chosen:
    """An object of ids, with a range of time and a number of times where the operator has them (SPEC section 11).

    Raises:
        Unreadable: with the members of the value that are wrong.
    """
    several, noun = NOUNS[kind]
    ids = value.get("ids") if isinstance(value, dict) and set(value) <= set(kind.members) else None
    if not isinstance(ids, list | tuple):
        shape = ", ".join(_SHOWN[member] for member in kind.members)
        raise Unreadable(f"{several} are given as {{{shape}}}", "value.shape")
    read, first, last, least = members(
        {
            "ids": lambda: _ids(ids, noun),
            "from": lambda: _time(value.get("from"), "from"),
            "to": lambda: _time(value.get("to"), "to"),
            "min": lambda: _least(value.get("min")),
        }
    )
    _in_order(first, last, at="from")
    return Chosen(read, first, last, least)


def _ids(ids: Sequence[Any], noun: str) -> tuple[str, ...]:
    if not ids:
        raise Unreadable(f"Choose at least one {noun}", "value.none_chosen")
    if len(ids) > MAX_VALUES_IN_LIST:
        raise Unreadable(f"A list has at most {MAX_VALUES_IN_LIST:,} values", "value.list_too_long")
    return tuple(_id(each, noun, place) for place, each in enumerate(ids))


def _id(value: Any, noun: str, place: int) -> str:
    if isinstance(value, str) and len(value) > MAX_VALUE:
        raise Unreadable(f"A value has at most {MAX_VALUE:,} characters", "value.too_long", str(place))
    try:
        return text(value, f"this {noun}")
    except Unreadable as refused:
        raise refused.under(str(place)) from None


def _time(value: Any, member: str) -> LocalSpan | Relative | None:
    return None if value is None else span(value, _SAID[member])


def _least(value: Any) -> int:
    if value is None:
        return 1
    number = whole_number(value, _SAID["min"])
    if number < 1:
        raise Unreadable("The number of times is 1 or more", "value.min")
    return number


def _in_order(first: Any, last: Any, at: str = "") -> None:
    """Ends that are known now; a range from an expression may be empty in one run and not in the next."""
    fixed = not any(one is None or isinstance(one, Relative) for one in (first, last))
    if fixed and getattr(first, "first", first) > getattr(last, "first", last):
        raise Unreadable("The first value must not be greater than the second", "value.order", at)


def anniversary(value: Any, label: str) -> Pair:
    """The days from and to, one of which may be None; one value is that day, None the day of the run.

    Raises:
        Unreadable: with the members of the value that are wrong.
    """
    if value is None:
        return TODAY, TODAY
    if not isinstance(value, list | tuple):
        only = day(value, label)
        return only, only
    return pair(value, label, lambda one: day(one, label))


def ages(value: Any, label: str) -> Pair:
    """The lowest and the highest number of completed years, one of which may be None.

    Raises:
        Unreadable: with the members of the value that are wrong.
    """
    return pair(value, label, lambda one: _age(one, label))


def _age(value: Any, label: str) -> int:
    number = whole_number(value, label)
    if not 0 <= number <= OLDEST:
        raise Unreadable(f"Enter a number of years from 0 to {OLDEST} for {label}", "value.years")
    return number


def pair(value: Any, label: str, read: Callable[[Any], Any]) -> Pair:
    """What stands at the two ends of a range, both included, one of which may be None.

    Raises:
        Unreadable: with each end that is wrong.
    """
    if not isinstance(value, list | tuple) or len(value) != 2:
        raise Unreadable(f"{label} needs two values: from and to", "value.range")
    if value[0] is None and value[1] is None:
        raise Unreadable(f"Enter a first or a last value for {label}", "value.range")
    first, last = members({str(place): partial(_end, one, read) for place, one in enumerate(value)})
    _in_order(first, last)
    return first, last


def _end(value: Any, read: Callable[[Any], Any]) -> Any:
    return None if value is None else read(value)
