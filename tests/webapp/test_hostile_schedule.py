"""Hostile schedules: one answer each, in the form as at the command line (RELIABILITY section 5, group schedule)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pytest
from sqlalchemy import update

from tests.fix_app import stores
from tests.fix_hostile import Pairs, Ways, group, shown
from tests.fix_pages import check
from webapp.extensions import db
from webapp.models import Brand

if TYPE_CHECKING:
    from tests.fix_app import Clock, People

EVERY_MINUTE: Final = "minute=*; hour=*"
SWITCH: Final = "switch On-date -> Repeated on an existing export"
"""Is answered in test_schedules_change.py."""
DATES: Final = {"on_date=past moment": ("2020-01-01", "00:00"), "on_date=9999-12-31 23:59": ("9999-12-31", "23:59")}
REFUSED_LATE: Final = "on_date=9999-12-31 23:59"
"""Of the two answers that the list allows ours is 422 with the range."""


@pytest.fixture(autouse=True)
def _now(clock: Clock) -> None:
    clock.set("2026-11-23 09:42+00")


def case(value: str) -> tuple[dict[str, Any], Pairs]:
    """The member `schedule` and the inputs of an entry."""
    if value in DATES:
        day, time = DATES[value]
        return {"type": "on_date", "at": f"{day}T{time}:00Z"}, [("schedule", "on_date"), ("date", day), ("time", time)]
    member, hours, minutes = {"every": "day"}, "0", "0"
    days: list[str] = []
    name, _, text = value.partition("=")
    if value == EVERY_MINUTE:
        hours = minutes = "*"
    elif name == "hour":
        hours = text
    elif name == "minute":
        minutes = text
    else:
        member["every"] = "week" if name == "weekdays" else "month"
        days = [] if text == "[]" else [one.lower() for one in text.split(",")] if "\n" not in text else [text]
    made: dict[str, Any] = {"type": "repeated", **member, "hours": hours, "minutes": minutes}
    if member["every"] != "day":
        made["days"] = [int(one) if one.isdigit() and name == "monthdays" else one for one in days]
    pairs = [("schedule", "repeated"), ("every", member["every"]), ("hours", hours), ("minutes", minutes)]
    chosen = [(name, ""), *((name, one) for one in days)] if "days" in made else []
    return made, [*pairs, *chosen]


def by_form(ways: Ways, pairs: Pairs) -> tuple[bool, str]:
    """Whether the step lets go on, and what its page says."""
    ways.begin("stores")
    ways.tab.open("schedule")
    answer = ways.send_pairs([*pairs, ("op", "next")])
    to = answer.headers.get("Location") or answer.headers.get("HX-Redirect", "")
    goes_on = answer.status_code == 303 and not to.split("#")[0].endswith("/schedule")
    if answer.status_code == 422:
        return False, check(answer.get_data(as_text=True)).text
    ways.tab.open("schedule")
    return goes_on, ways.tab.text


def test_each_is_answered_as_the_list_says(plain_ways: Ways) -> None:
    seen = 0
    for value, is_refused in group("schedule"):
        if value == SWITCH:
            continue
        seen += 1
        schedule, pairs = case(value)
        told = plain_ways.by_command({**stores().as_json(), "schedule": schedule})
        assert bool(told) == (is_refused or value == REFUSED_LATE), (shown(value), told)
        assert all(code.startswith(("schedule.", "shape.")) for code, _sentence in told), shown(value)
        goes_on, page = by_form(plain_ways, pairs)
        assert goes_on == (not told), (shown(value), plain_ways.tab.problems, plain_ways.tab.path)
        if told and told[0][0] in ("schedule.hours", "schedule.minutes", "schedule.days"):
            assert told[0][1] in page, shown(value)
    assert seen == 21


def test_where_an_admin_has_raised_the_least_interval_it_is_named(plain_ways: Ways, people: People) -> None:
    with people.admin.at_work() as admin:
        db.session.execute(update(Brand).where(Brand.id == admin.brand_id).values(minimum_minutes=5))
        db.session.commit()
    goes_on, page = by_form(plain_ways, case(EVERY_MINUTE)[1])
    assert not goes_on
    assert "Runs must be at least 5 minutes apart" in page
