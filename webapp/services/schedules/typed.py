"""What was typed about a schedule, valid or not: in a draft of the wizard, and on Change schedule."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any, Final, Self

from pydantic import BaseModel, ConfigDict, ValidationError

from exports import schedule
from exports.errors import Problem
from exports.schedule import OnDate
from exports.schedule.clock import ANY_SCHEDULE
from exports.schedule.shape import read_at
from exports.schedule.words import local_moment

WHOLE: Final = re.compile(r"[0-9]{1,2}", re.ASCII)
SHORT_TIME: Final = re.compile(r"[0-9]:[0-9]{2}", re.ASCII)
DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
INPUTS: Final = {"days": "", "hours": "hours", "minutes": "minutes", "timezone": "zone", "every": "every"}
"""The input of a member of the definition's schedule; that of the days depends on which they are."""


class TypedSchedule(BaseModel):
    """In the words of the form's inputs. Those of the types that are not chosen are kept, not used.

    `original`: the JSON of the schedule that the inputs were filled from, which counts until they say something else:
    an On-date can be written with seconds or an offset, which they do not have.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    type: str = "now"
    date: str = ""
    time: str = ""
    every: str = "day"
    weekdays: tuple[str, ...] = ()
    monthdays: tuple[str, ...] = ()
    hours: str = "6"
    minutes: str = "0"
    keep_local: bool = False
    zone: str = ""
    original: str = ""

    def with_(self, **changes: Any) -> Self:
        """A copy with some members changed."""
        return self.model_copy(update=changes)


def document(typed: TypedSchedule) -> dict[str, Any]:
    """The definition's member `schedule` (SPEC section 11): a change of spelling, no rule."""
    if typed.original:
        original = schedule.read(json.loads(typed.original))
        if _said(as_typed(original)) == _said(typed):
            return original.model_dump(mode="json")
    zone = typed.zone if typed.keep_local else None
    if typed.type == "on_date":
        time = typed.time.strip()
        padded = f"0{time}" if SHORT_TIME.fullmatch(time) else time
        return {"type": "on_date", "at": f"{typed.date.strip()}T{padded}:00{'' if zone else 'Z'}", "timezone": zone}
    if typed.type != "repeated":
        return {"type": typed.type}
    made: dict[str, Any] = {
        "type": "repeated",
        "every": typed.every,
        "hours": typed.hours,
        "minutes": typed.minutes,
        "timezone": zone,
    }
    if typed.every == "week":
        made["days"] = list(typed.weekdays)
    if typed.every == "month":
        made["days"] = [int(one) if WHOLE.fullmatch(one) else one for one in typed.monthdays]
    return made


def _said(typed: TypedSchedule) -> TypedSchedule:
    """Without the zone that stands in its input while it does not count."""
    return typed if typed.keep_local else typed.with_(zone="")


def as_typed(chosen: ANY_SCHEDULE) -> TypedSchedule:
    """What somebody types who wants this schedule."""
    zone = getattr(chosen, "timezone", None)
    known: dict[str, Any] = {
        "type": chosen.type,
        "keep_local": zone is not None,
        "zone": zone or "",
        "original": chosen.model_dump_json(),
    }
    if isinstance(chosen, OnDate):
        local = local_moment(chosen)
        return TypedSchedule(**known, date=f"{local:%Y-%m-%d}", time=f"{local:%H:%M}")
    if isinstance(chosen, schedule.Now):
        return TypedSchedule(**known)
    days = tuple(str(one) for one in getattr(chosen, "days", ()))
    known["monthdays" if chosen.every == "month" else "weekdays"] = days
    return TypedSchedule(**known, every=chosen.every, hours=chosen.hours, minutes=chosen.minutes)


def chosen(typed: TypedSchedule) -> ANY_SCHEDULE | None:
    """The schedule, if what was typed is one."""
    found = _read(typed)
    return None if found is None or schedule.problems(found) else found


def _read(typed: TypedSchedule) -> ANY_SCHEDULE | None:
    try:
        return schedule.read(document(typed))
    except ValidationError:
        return None  # only what no form of ours sends


@dataclass(frozen=True)
class Placed:
    """Where a problem is shown, and its sentence there."""

    input: str
    message: str


def placed(problem: Problem, typed: TypedSchedule) -> Placed:
    """A problem of the definition's schedule at the input that it belongs to, in the words of that input."""
    member = problem.at.split(".")[1] if "." in problem.at else "type"
    if member == "days":
        return Placed("monthdays" if typed.every == "month" else "weekdays", problem.message)
    if problem.code == "schedule.at":
        date = typed.date.strip()
        if not DATE.fullmatch(date) or read_at(f"{date}T00:00Z") is None:
            return Placed("date", "Enter a date, such as 2026-12-01")
        return Placed("time", "Enter a time from 00:00 to 23:59, such as 08:00")
    if member == "at":
        return Placed("date", problem.message)
    return Placed(INPUTS.get(member, "schedule"), problem.message)


def mistakes(typed: TypedSchedule) -> list[Placed]:
    """What is wrong with the inputs that hold something; those that are still empty are no mistake yet."""
    found = _read(typed)
    told = [placed(one, typed) for one in schedule.problems(found)] if found else []
    return [one for one in told if getattr(typed, one.input, "")]
