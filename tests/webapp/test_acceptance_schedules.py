"""The acceptance lines 18 to 20, 26 and 28 of REFERENCE.md section 8: what runs, and what the pages offer."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import select

from tests.fix_app import stores
from tests.fix_pages import check
from webapp.extensions import db
from webapp.models import Run

if TYPE_CHECKING:
    from flask import Flask
    from flask.testing import FlaskClient

    from tests.fix_app import Clock, People, Person

Open = Callable[["Person | None"], "FlaskClient"]
Fired = Callable[[str, dict[str, Any], str], list[str]]


def repeated(person: Person, **schedule: Any) -> uuid.UUID:
    """An export of the person that runs again and again."""
    from webapp.services import exports

    with person.at_work() as user:
        return exports.create(user, stores(schedule={"type": "repeated", **schedule}), uuid.uuid4()).id


@pytest.fixture
def fired(app: Flask, people: People, clock: Clock) -> Fired:
    """`fired(made_at, schedule, until)`: the moments of all rows after the clock has gone from one to the other."""
    from jobs import scheduler

    def moments(made_at: str, schedule: dict[str, Any], until: str) -> list[str]:
        clock.set(made_at)
        export_id = repeated(people.exporter, **schedule)
        clock.set(until)
        with app.app_context():
            scheduler.fire_all_due()
        with people.exporter.at_work():
            rows = select(Run.scheduled_for).where(Run.export_id == export_id).order_by(Run.scheduled_for)
            return [f"{at.astimezone(UTC):%Y-%m-%d %H:%M}" for at in db.session.scalars(rows)]

    return moments


def test_18_hour_1_and_13_is_1_am_and_1_pm_utc(fired: Fired) -> None:
    moments = fired("2026-11-23 09:42+00", {"every": "day", "hours": "1,13", "minutes": "0"}, "2026-11-25 02:00+00")
    assert moments == ["2026-11-23 13:00", "2026-11-24 01:00", "2026-11-24 13:00", "2026-11-25 01:00"]


def test_19_a_star_is_every_hour_and_every_minute(fired: Fired) -> None:
    hours = fired("2026-11-23 09:42+00", {"every": "day", "hours": "*", "minutes": "5"}, "2026-11-24 09:42+00")
    assert (len(hours), hours[:2], hours[-1]) == (24, ["2026-11-23 10:05", "2026-11-23 11:05"], "2026-11-24 09:05")
    minutes = fired("2026-11-23 09:42+00", {"every": "day", "hours": "*", "minutes": "*"}, "2026-11-23 11:42+00")
    assert (len(minutes), minutes[0], minutes[-1]) == (120, "2026-11-23 09:43", "2026-11-23 11:42")


@pytest.mark.parametrize(("year", "last"), [(2027, 28), (2028, 29), (2100, 28)])
def test_20_last_is_the_end_of_february_in_leap_and_common_years(fired: Fired, year: int, last: int) -> None:
    schedule = {"every": "month", "days": ["last"], "hours": "6", "minutes": "0"}
    moments = fired(f"{year}-01-31 07:00+00", schedule, f"{year}-03-31 06:00+00")
    assert moments == [f"{year}-02-{last} 06:00", f"{year}-03-31 06:00"]


def test_26_set_inactive_asks_to_confirm_and_swaps_the_button(client: Open, people: People, clock: Clock) -> None:
    clock.set(datetime(2026, 11, 23, 9, 42, tzinfo=UTC))
    export_id = repeated(people.exporter, every="week", days=["monday", "thursday"], hours="6", minutes="30")
    browser = client(people.exporter)
    page = f"/exports/{export_id}"

    def buttons() -> set[str]:
        return set(check(browser.get(page).text).ids) & {"set-active", "set-inactive"}

    shown = check(browser.get(page).text)
    assert "Set “Stores” inactive? It will not run on Thu 26 Nov 06:30 UTC or later" in shown.text, "the dialog"
    assert buttons() == {"set-inactive"}
    token = {"csrf_token": shown.inputs["csrf_token"]}
    asked = browser.post(f"{page}/inactive", data=token)
    assert (asked.status_code, check(asked.text).title) == (200, "Set “Stores” inactive? – Exports")
    assert buttons() == {"set-inactive"}, "nothing has happened yet"
    assert browser.post(f"{page}/inactive", data={**token, "sure": "1"}).status_code == 303
    assert buttons() == {"set-active"}
    assert browser.post(f"{page}/active", data=token).status_code == 303
    assert buttons() == {"set-inactive"}, "set active at once, without a question"


OTHER = {
    "on_date": ({"every": "day", "hours": "6", "minutes": "0"}, "A Repeated export stays Repeated."),
    "repeated": (None, "An On-date export stays On-date."),
}


@pytest.mark.parametrize("wanted", OTHER)
def test_28_change_schedule_cannot_switch_the_type(client: Open, people: People, clock: Clock, wanted: str) -> None:
    from exports import schedule as schedules
    from exports.errors import DefinitionRefused
    from webapp.services import exports
    from webapp.services.schedules import change_schedule

    clock.set("2026-11-23 09:42+00")
    was, sentence = OTHER[wanted]
    with people.exporter.at_work() as user:
        chosen = {"type": "repeated", **was} if was else {"type": "on_date", "at": "2026-12-01T08:00:00Z"}
        export_id = exports.create(user, stores(schedule=chosen), uuid.uuid4()).id
    browser = client(people.exporter)
    page = f"/exports/{export_id}/schedule"
    shown = check(browser.get(page).text)
    assert sentence in shown.text
    assert shown.inputs["schedule"] == chosen["type"], "fixed, not a choice"
    values = {"every": "day", "hours": "6", "minutes": "0", "date": "2026-12-24", "time": "08:00", "zone": "UTC"}
    data = {"csrf_token": shown.inputs["csrf_token"], "version": "1", "schedule": wanted, **values}
    browser.post(page, data=data)
    other = {"type": "on_date", "at": "2026-12-24T08:00:00Z"} if was else {"type": "repeated", "every": "day"}
    with people.exporter.at_work() as user:
        export = exports.find(export_id)
        assert export is not None
        assert exports.definition_of(export).schedule.type == chosen["type"], "whatever a form says"
        with pytest.raises(DefinitionRefused, match=sentence.removesuffix(".")):
            change_schedule(user, export, schedules.read(other), export.version)
