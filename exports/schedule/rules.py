"""What a schedule may not say: one function a rule, with the sentences of UX section 3.6."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final

from exports.errors import Problem
from exports.schedule.clock import ANY_SCHEDULE, moment_of, shortest_minutes
from exports.schedule.shape import Monthly, Now, OnDate, Repeated, Weekly, numbers, read_at
from exports.zones import names

SHOWN: Final = 20
"""Characters that are quoted of what somebody typed."""
START: Final = 1970
"""No On-date lies in a year before it: at the very beginning of the calendar a zone cannot say what time it is."""
END: Final = datetime(2100, 1, 1, tzinfo=UTC)
"""No On-date lies behind it: every zone can still say what time it is there, and a slip of the key is noticed."""


def problems(schedule: ANY_SCHEDULE) -> list[Problem]:
    """Every rule that it breaks, whatever time it is."""
    if isinstance(schedule, Now):
        return []
    return [
        *(at(schedule) if isinstance(schedule, OnDate) else ()),
        *(days(schedule) if isinstance(schedule, Weekly | Monthly) else ()),
        *(hours_and_minutes(schedule) if not isinstance(schedule, OnDate) else ()),
        *timezone(schedule),
    ]


def problems_when_saved(schedule: ANY_SCHEDULE, now: datetime, minimum_minutes: int) -> list[Problem]:
    """What also counts when an export is made or changed, of a schedule that breaks no other rule.

    `minimum_minutes` is the brand's smallest distance between two runs (SPEC section 7).
    """
    if isinstance(schedule, Now) or problems(schedule):
        return []
    if isinstance(schedule, OnDate):
        return [*in_the_future(schedule, now)]
    return [*far_enough_apart(schedule, minimum_minutes)]


def at(schedule: OnDate) -> Iterator[Problem]:
    """A day of the calendar and a time, whose zone is known."""
    moment = read_at(schedule.at)
    if moment is None:
        typed = schedule.at[:SHOWN]
        message = f"“{typed}” is no date and time: write it like 2026-12-01T08:00:00Z"
        yield Problem("schedule.at", "schedule.at", message)
    elif moment.tzinfo is None and schedule.timezone is None:
        message = f"{schedule.at} lacks its zone: write {schedule.at}Z for UTC, or name a timezone"
        yield Problem("schedule.at", "schedule.no_zone", message)
    elif moment.year < START:
        yield Problem("schedule.at", "schedule.past", "Choose a date in the future")
    elif moment.year >= END.year:
        yield Problem("schedule.at", "schedule.too_late", f"Choose a date before {END.year}")


def days(schedule: Weekly | Monthly) -> Iterator[Problem]:
    """At least one."""
    if not schedule.days:
        yield Problem("schedule.days", "schedule.days", "Choose at least one day")


def hours_and_minutes(schedule: Repeated) -> Iterator[Problem]:
    """Each `*` or a comma list of numbers."""
    for member, unit, word, below, example in (
        ("hours", "Hour", "an hour", 24, "1,13"),
        ("minutes", "Minute", "a minute", 60, "0,30"),
    ):
        typed = getattr(schedule, member)
        found = numbers(typed, below)
        if isinstance(found, str):
            wrong, most = _what(found, typed, word), below - 1
            message = f"{unit}: {wrong}. Use 0 to {most}, a list such as {example}, or *"
            yield Problem(f"schedule.{member}", f"schedule.{member}", message)


def _what(wrong: str, typed: str, word: str) -> str:
    if not typed.strip():
        return f"enter {word}"
    if not wrong:
        return "there is a comma without a number"
    shown = wrong if len(wrong) <= SHOWN else f"{wrong[:SHOWN]}…"
    if not (wrong.isascii() and wrong.isdigit()):
        shown = f"“{shown}”"
    return f"{shown} is not {word}"


def timezone(schedule: OnDate | Repeated) -> Iterator[Problem]:
    """UTC, or a time zone of the closed list."""
    if schedule.timezone is not None and schedule.timezone not in names():
        yield Problem("schedule.timezone", "schedule.timezone", "Choose a time zone from the list")


def in_the_future(schedule: OnDate, now: datetime) -> Iterator[Problem]:
    """A moment that has passed never comes."""
    if moment_of(schedule) <= now:
        present = now.astimezone(UTC)
        moment = f"{present.day} {present:%b %Y %H:%M}"
        yield Problem("schedule.at", "schedule.past", f"Choose a date in the future: it is now {moment} UTC")


def far_enough_apart(schedule: Repeated, minimum_minutes: int) -> Iterator[Problem]:
    """An admin can forbid that runs follow each other too closely."""
    if minimum_minutes > 1 and shortest_minutes(schedule) < minimum_minutes:
        message = f"Runs must be at least {minimum_minutes} minutes apart (set by your admin)"
        yield Problem("schedule.minutes", "schedule.interval", message)


OTHER_TYPE: Final = {
    "on_date": "An On-date export stays On-date. To repeat it, clone it.",
    "repeated": "A Repeated export stays Repeated. To run it on one date, clone it.",
    "now": "An export that runs at once has no schedule. To schedule it, clone it.",
}
"""The type of a schedule stays (SPEC section 4, Change schedule)."""


def type_kept(before: ANY_SCHEDULE, after: ANY_SCHEDULE) -> Iterator[Problem]:
    """On-date and Repeated cannot be switched, nor can what runs at once be scheduled."""
    if before.type != after.type:
        yield Problem("schedule.type", "schedule.type", OTHER_TYPE[before.type])
