"""**Run again** of a run that failed, **Cancel** of a date that has not come, and an owner who lost a right."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from flask import Flask
from sqlalchemy import select

from exports.errors import EnclosureNeeded, ExportArchived, RightsLost
from tests.fix_app import Clock, People, Person, stores
from tests.fix_pages import check
from webapp import entries
from webapp.extensions import db
from webapp.models import AuditEntry, Export, Run, system_scope
from webapp.models import clock as clock_of_database
from webapp.permissions import Refused
from webapp.services import exports, runs, schedules

if TYPE_CHECKING:
    from flask.testing import FlaskClient

Client = Callable[["Person | None"], "FlaskClient"]

DAILY = {"type": "repeated", "every": "day", "hours": "6", "minutes": "30"}
DATE = {"type": "on_date", "at": "2026-12-01T08:00:00Z"}
MOMENT = datetime.fromisoformat("2026-11-24T06:30:00+00:00")


@pytest.fixture(autouse=True)
def _now(clock: Clock) -> None:
    clock.set("2026-11-23 09:42+00")


def create(person: Person, schedule: dict[str, Any]) -> uuid.UUID:
    """An export of the person."""
    with person.at_work() as user:
        return exports.create(user, stores(schedule=schedule), uuid.uuid4()).id


def fire(app: Flask) -> None:
    """What the clock does."""
    with app.app_context(), system_scope():
        schedules.fire_due()


def fail(app: Flask, error: Exception) -> runs.Claim:
    """What a worker does with what waits, if it goes wrong."""
    with app.app_context(), system_scope():
        mine = runs.claim("w")
    assert mine is not None
    with app.app_context():
        runs.fail(mine, error)  # type: ignore[arg-type]
    return mine


def failed_run(app: Flask, people: People, clock: Clock) -> uuid.UUID:
    """The failed run of a daily export, of 24 Nov 06:30; meanwhile its schedule has changed."""
    export_id = create(people.exporter, DAILY)
    clock.set(MOMENT + timedelta(seconds=1))
    fire(app)
    failed = fail(app, EnclosureNeeded(row=1))
    with people.exporter.at_work() as user:
        other = stores(schedule={**DAILY, "hours": "7"}).schedule
        schedules.change_schedule(user, db.session.get_one(Export, export_id), other, 1)
    return failed.run_id


def press(browser: FlaskClient, page: str, url: str) -> Any:
    """Press the button of a page that posts to this address, with the token that stands there."""
    form = check(browser.get(page).text)
    data = {"csrf_token": form.inputs["csrf_token"], "token": form.inputs.get("token", str(uuid.uuid4()))}
    return browser.post(url, data=data)


# --- Run again


def test_run_again_has_the_moment_and_the_version_of_the_run_that_failed(
    app: Flask, people: People, clock: Clock
) -> None:
    failed_id = failed_run(app, people, clock)
    clock.set("2026-11-24 08:00+00")
    with people.exporter.at_work() as user:
        failed = db.session.get_one(Run, failed_id)
        again = runs.request_again(user, failed, uuid.uuid4())
        assert (again.kind, again.state, again.attempt) == ("again", "queued", 0)
        assert (again.scheduled_for, again.base_moment, again.version) == (MOMENT, MOMENT, 1)
        assert again.created_at > failed.created_at
        export = db.session.get_one(Export, again.export_id)
        assert (export.latest_run_id, export.version) == (again.id, 2)
        assert [runs.told(one) for one in runs.events_of(again)] == ["Queued again, for 24 Nov 2026 06:30 UTC."]
        entry = db.session.scalars(select(AuditEntry).where(AuditEntry.object_id == str(again.id))).one()
        assert (entry.action, entry.facts["again"], entry.facts["version"]) == ("run.requested", str(failed_id), 1)


def test_a_second_click_on_run_again_gives_the_same_run(app: Flask, people: People, clock: Clock) -> None:
    failed_id, token = failed_run(app, people, clock), uuid.uuid4()
    with people.exporter.at_work() as user:
        failed = db.session.get_one(Run, failed_id)
        first, second = (runs.request_again(user, failed, token).id for _ in range(2))
        assert first == second
        assert runs.request_again(user, failed, uuid.uuid4()).id != first


def test_only_a_run_that_failed_is_run_again(people: People) -> None:
    export_id = create(people.exporter, {"type": "now"})
    with people.exporter.at_work() as user:
        queued = db.session.scalars(select(Run).where(Run.export_id == export_id)).one()
        assert runs.request_again(user, queued, uuid.uuid4()) == queued
        assert len(db.session.scalars(select(Run)).all()) == 1


def test_who_may_not_run_an_export_may_not_run_it_again(app: Flask, people: People, clock: Clock) -> None:
    failed_id = failed_run(app, people, clock)
    with people.colleague.at_work() as user, pytest.raises(Refused):
        runs.request_again(user, db.session.get_one(Run, failed_id), uuid.uuid4())


def test_nothing_runs_of_an_archived_export(app: Flask, people: People, clock: Clock) -> None:
    failed_id = failed_run(app, people, clock)
    with people.exporter.at_work() as user:
        failed = db.session.get_one(Run, failed_id)
        export = db.session.get_one(Export, failed.export_id)
        export.active, export.next_run_at, export.archived_at = False, None, clock_of_database()
        db.session.commit()
        with pytest.raises(ExportArchived):
            runs.request_again(user, failed, uuid.uuid4())
        with pytest.raises(ExportArchived):
            runs.request_run(user, export, uuid.uuid4())


def test_the_failed_card_and_the_row_in_logs_have_the_button(
    app: Flask, client: Client, people: People, clock: Clock
) -> None:
    failed_id = failed_run(app, people, clock)
    with people.exporter.at_work():
        export_id = db.session.get_one(Run, failed_id).export_id
    browser = client(people.exporter)
    for page in (f"/exports/{export_id}", f"/exports/{export_id}/logs"):
        assert f'action="/runs/{failed_id}/again"' in browser.get(page).text
        assert f'action="/runs/{failed_id}/again"' not in client(people.viewer).get(page).text
    answer = press(browser, f"/exports/{export_id}", f"/runs/{failed_id}/again")
    assert (answer.status_code, answer.headers["Location"]) == (303, f"/exports/{export_id}")
    assert "again, for Tue 24 Nov 01:30" in check(browser.get(f"/exports/{export_id}/logs").text).text


# --- Cancel of an On-date


def test_a_date_that_is_cancelled_never_runs_and_says_so(
    app: Flask, client: Client, people: People, clock: Clock
) -> None:
    export_id = create(people.exporter, DATE)
    browser = client(people.exporter)
    page = check(browser.get(f"/exports/{export_id}").text).text
    assert "Waits for its date: Tue 1 Dec 03:00." in page
    assert press(browser, f"/exports/{export_id}", f"/exports/{export_id}/cancel").status_code == 303
    said = "Cancelled by you before its date, Tue 1 Dec 03:00. Nothing ran."
    assert said in check(browser.get(f"/exports/{export_id}").text).text
    with people.exporter.at_work() as user:
        export = exports.find(export_id)
        assert export is not None
        assert (export.status, export.next_run_at, export.state) == ("Cancelled", None, "idle")
        run = export.latest_run
        assert run is not None
        assert (run.state, run.cancel_requested_by_id) == ("cancelled", user.id)
        assert run.scheduled_for == datetime.fromisoformat("2026-12-01T08:00:00+00:00")
        kinds = db.session.scalars(select(AuditEntry.action).where(AuditEntry.object_id == str(export_id)))
        assert "export.date_cancelled" in list(kinds)
        scheduler = entries._scheduler(entries._url())
        assert scheduler.count() == 0
    clock.set("2026-12-01 08:00:01+00")
    fire(app)
    with people.exporter.at_work():
        assert len(db.session.scalars(select(Run)).all()) == 1


def test_a_date_that_was_cancelled_can_be_chosen_again_and_runs(app: Flask, people: People, clock: Clock) -> None:
    export_id = create(people.exporter, DATE)
    with people.exporter.at_work() as user:
        export = schedules.cancel_date(user, db.session.get_one(Export, export_id))
        schedules.change_schedule(user, export, stores(schedule=DATE).schedule, 1)
        assert export.state == "waiting"
    clock.set("2026-12-01 08:00:01+00")
    fire(app)
    with people.exporter.at_work():
        found = exports.find(export_id)
        assert found is not None
        assert found.status == "Pending"
        assert sorted(run.state for run in db.session.scalars(select(Run))) == ["cancelled", "queued"]


def test_a_date_that_comes_while_it_is_cancelled_has_its_run_cancelled(
    app: Flask, people: People, clock: Clock
) -> None:
    export_id = create(people.exporter, DATE)
    clock.set("2026-12-01 08:00:01+00")
    with people.exporter.at_work() as user:
        schedules.cancel_date(user, db.session.get_one(Export, export_id))
        run = db.session.scalars(select(Run)).one()
        assert (run.kind, run.state) == ("schedule", "cancelled")


def test_cancelling_a_date_touches_no_other_kind_of_export(app: Flask, people: People, clock: Clock) -> None:
    export_id = create(people.exporter, DAILY)
    clock.set(MOMENT)
    fire(app)
    with people.exporter.at_work() as user:
        export = schedules.cancel_date(user, db.session.get_one(Export, export_id))
        assert export.state == "active"
        assert db.session.scalars(select(Run)).one().state == "queued"


def test_who_may_not_cancel_an_export_may_not_cancel_its_date(people: People) -> None:
    export_id = create(people.exporter, DATE)
    with people.colleague.at_work() as user, pytest.raises(Refused):
        schedules.cancel_date(user, db.session.get_one(Export, export_id))


# --- the owner's rights


def test_who_lost_a_right_has_the_schedule_set_inactive_with_the_run_that_fails(
    app: Flask, client: Client, people: People, clock: Clock
) -> None:
    export_id = create(people.exporter, DAILY)
    clock.set(MOMENT)
    fire(app)
    fail(app, RightsLost(owner="Exporter", reason="the account is disabled."))
    because = "its owner, Exporter, may no longer run it: the account is disabled"
    with people.manager.at_work() as user:
        export = exports.find(export_id)
        assert export is not None
        assert export.latest_run is not None
        assert (export.latest_run.state, export.latest_run.error_code) == ("failed", "rights.lost")
        assert (export.status, export.next_run_at, export.inactive_reason) == ("Inactive", None, because)
        entry = db.session.scalars(select(AuditEntry).where(AuditEntry.action == "export.rights_lost")).one()
        assert (entry.object_id, entry.facts["reason"]) == (str(export_id), because)
    assert f"set inactive today 01:30 because {because}" in _page(client, people, export_id)
    with people.manager.at_work() as user:
        export = exports.find(export_id)
        assert export is not None
        schedules.set_active(user, export)
        assert (export.status, export.inactive_reason) == ("Active", None)


def test_a_one_off_of_who_lost_a_right_fails_and_no_more(app: Flask, people: People) -> None:
    export_id = create(people.exporter, {"type": "now"})
    fail(app, RightsLost(owner="Exporter", reason="the account is disabled."))
    with people.exporter.at_work():
        export = exports.find(export_id)
        assert export is not None
        assert (export.status, export.inactive_reason) == ("Failed", None)


def _page(client: Client, people: People, export_id: uuid.UUID) -> str:
    return check(client(people.manager).get(f"/exports/{export_id}").text).text
