"""Change schedule, Set inactive, Set active and Logs, as a browser without JavaScript uses them."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from werkzeug.datastructures import MultiDict

from tests.fix_app import Clock, People, stores
from tests.fix_pages import check

if TYPE_CHECKING:
    from flask.testing import FlaskClient
    from werkzeug.test import TestResponse

    from tests.fix_app import Person

Client = Callable[["Person | None"], "FlaskClient"]

WEEKLY = {"type": "repeated", "every": "week", "days": ["monday", "thursday"], "hours": "6", "minutes": "30"}
ON_DATE = {"type": "on_date", "at": "2026-12-01T08:00:00Z"}


@pytest.fixture(autouse=True)
def _now(clock: Clock) -> None:
    clock.set("2026-11-23 09:42+00")


def create(person: Person, schedule: dict[str, Any]) -> uuid.UUID:
    """A scheduled export."""
    from webapp.services import exports

    with person.at_work() as user:
        return exports.create(user, stores(schedule=schedule), uuid.uuid4()).id


def post(client: FlaskClient, url: str, page: str, **values: Any) -> TestResponse:
    """Send a form with the token of a page; what a page of this export shows goes with it."""
    found = check(client.get(page).text).inputs
    data = MultiDict([("csrf_token", found["csrf_token"])])
    for name, value in values.items():
        for one in value if isinstance(value, list) else [value]:
            data.add(name, one)
    return client.post(url, data=data)


def post_fragment(client: FlaskClient, url: str, page: str, htmx: dict[str, str], **values: str) -> str:
    """What a fragment of the form answers, sent with the token of the page."""
    token = check(client.get(page).text).inputs["csrf_token"]
    return client.post(url, data={"csrf_token": token, **values}, headers=htmx).text


def now_is(person: Person, export_id: uuid.UUID) -> tuple[int, str, str | None]:
    """Version, sentence and next moment of an export."""
    from exports import schedule
    from webapp.services import exports

    with person.at_work():
        export = exports.find(export_id)
        assert export is not None
        following = f"{export.next_run_at:%m-%d %H:%M}" if export.next_run_at else None
        return export.version, schedule.sentence(exports.definition_of(export).schedule), following


def told(person: Person, kind: str) -> list[dict[str, Any]]:
    """The facts that the audit log has of this kind."""
    from sqlalchemy import select

    from webapp.extensions import db
    from webapp.models import AuditEntry

    with person.at_work():
        return list(db.session.scalars(select(AuditEntry.facts).where(AuditEntry.action == kind)))


def test_update_makes_a_version_and_says_when_it_runs_next(client: Client, people: People) -> None:
    export_id = create(people.exporter, WEEKLY)
    browser = client(people.exporter)
    page = f"/exports/{export_id}/schedule"
    shown = check(browser.get(page).text)
    assert "Every Monday and Thursday at 06:30 UTC" in shown.text
    assert "A Repeated export stays Repeated." in shown.text
    answer = post(
        browser, page, page, version="1", schedule="repeated", every="month", monthdays=["", "1", "last"],
        hours="1,13", minutes="0", zone="UTC",
    )  # fmt: skip
    assert answer.status_code == 303
    # Next is the last day of November; maple's people read it in New York.
    assert "Schedule updated. Next run: Sun 29 Nov 20:00." in check(browser.get(page).text).text
    said = "On the 1st and last day of every month at 01:00 and 13:00 UTC"
    assert now_is(people.exporter, export_id)[:2] == (2, said)
    [facts] = told(people.exporter, "export.schedule_changed")
    assert facts == {"version": 2, "before": "Every Monday and Thursday at 06:30 UTC", "after": said}


def test_the_same_schedule_again_is_no_version(client: Client, people: People) -> None:
    export_id = create(people.exporter, WEEKLY)
    page = f"/exports/{export_id}/schedule"
    answer = post(client(people.exporter), page, page, version="1", schedule="repeated", zone="UTC")
    assert answer.status_code == 303
    assert now_is(people.exporter, export_id)[0] == 1


def test_what_is_wrong_is_told_beside_its_input_and_nothing_is_changed(client: Client, people: People) -> None:
    export_id = create(people.exporter, WEEKLY)
    page = f"/exports/{export_id}/schedule"
    answer = post(
        client(people.exporter), page, page, version="1", schedule="repeated", weekdays="", hours="24", minutes="30",
    )  # fmt: skip
    assert answer.status_code == 422
    html = answer.text
    check(html)
    assert re.findall(r'<li><a href="#(\w+)">([^<]+)', html) == [
        ("weekdays", "Choose at least one day"),
        ("hours", "Hour: 24 is not an hour. Use 0 to 23, a list such as 1,13, or *"),
    ]
    assert 'value="24"' in html
    assert html.count("Error: ") == 3, "once in the title, once beside each input"
    assert now_is(people.exporter, export_id)[0] == 1


@pytest.mark.parametrize(
    ("schedule", "other", "sentence"),
    [
        (ON_DATE, "repeated", "An On-date export stays On-date. To repeat it, clone it."),
        (ON_DATE, "now", "An On-date export stays On-date. To repeat it, clone it."),
        (WEEKLY, "on_date", "A Repeated export stays Repeated. To run it on one date, clone it."),
    ],
)
def test_the_type_cannot_be_switched(
    client: Client, people: People, schedule: dict[str, Any], other: str, sentence: str
) -> None:
    export_id = create(people.exporter, schedule)
    page = f"/exports/{export_id}/schedule"
    answer = post(client(people.exporter), page, page, version="1", schedule=other, date="2026-12-02", time="08:00")
    assert answer.status_code == 422
    assert sentence in check(answer.text).text
    assert now_is(people.exporter, export_id)[0] == 1


def test_a_date_that_has_passed_is_refused(client: Client, people: People) -> None:
    export_id = create(people.exporter, ON_DATE)
    page = f"/exports/{export_id}/schedule"
    answer = post(client(people.exporter), page, page, version="1", date="2026-11-23", time="9:42", zone="UTC")
    assert answer.status_code == 422
    assert "Choose a date in the future: it is now 23 Nov 2026 09:42 UTC" in check(answer.text).text
    answer = post(client(people.exporter), page, page, version="1", date="2026-11-23", time="9:43", zone="UTC")
    assert answer.status_code == 303
    assert now_is(people.exporter, export_id)[2] == "11-23 09:43"


def test_a_version_that_somebody_else_saved_is_not_overwritten(client: Client, people: People) -> None:
    export_id = create(people.exporter, WEEKLY)
    page = f"/exports/{export_id}/schedule"
    browser = client(people.exporter)
    assert post(browser, page, page, version="1", hours="7").status_code == 303
    answer = post(browser, page, page, version="1", hours="8")
    assert answer.status_code == 409
    shown = check(answer.text)
    assert "changed in the meantime: Every Monday and Thursday at 07:30 UTC. Update puts" in shown.text
    assert (shown.inputs["hours"], shown.inputs["version"]) == ("8", "2"), "what was typed stays, to be sent again"
    assert now_is(people.exporter, export_id)[:2] == (2, "Every Monday and Thursday at 07:30 UTC")


def test_the_fragments_tell_of_what_is_typed(client: Client, people: People, htmx: dict[str, str]) -> None:
    export_id = create(people.exporter, WEEKLY)
    browser = client(people.exporter)
    page = f"/exports/{export_id}/schedule"
    token = check(browser.get(page).text).inputs["csrf_token"]
    values = {"csrf_token": token, "version": "1", "schedule": "repeated", "every": "day", "hours": "*", "minutes": "*"}
    answer = browser.post(f"{page}/next", data=values, headers=htmx)
    said = check(answer.text, whole=False).text
    assert "Every day, every minute, UTC" in said
    assert "1,440 runs a day." in said
    answer = browser.post(f"{page}/form", data={**values, "every": "month"}, headers=htmx)
    assert 'value="last"' in answer.text
    assert now_is(people.exporter, export_id)[0] == 1


def test_without_javascript_other_days_are_shown_and_nothing_is_saved(client: Client, people: People) -> None:
    export_id = create(people.exporter, WEEKLY)
    page = f"/exports/{export_id}/schedule"
    browser = client(people.exporter)
    answer = post(browser, page, page, version="1", every="month", hours="7", minutes="0", zone="UTC", op="form")
    assert answer.status_code == 200
    assert 'id="monthdays"' in answer.text
    assert check(answer.text).inputs["hours"] == "7"
    assert now_is(people.exporter, export_id)[:2] == (1, "Every Monday and Thursday at 06:30 UTC")
    buttons = re.findall(r"<button[^>]*>", answer.text[answer.text.index('id="schedule-form"') :])
    assert "op" not in buttons[0], "Enter presses the first one: Update"


def test_a_wrong_hour_is_told_where_the_moments_stand(client: Client, people: People, htmx: dict[str, str]) -> None:
    export_id = create(people.exporter, WEEKLY)
    page = f"/exports/{export_id}/schedule"
    browser = client(people.exporter)
    answers = [
        check(post_fragment(browser, f"{page}/next", page, htmx, hours=hours, minutes="0"), whole=False).text
        for hours in ("24", "")
    ]
    assert "Hour: 24 is not an hour." in answers[0]
    assert "Stands here as soon as days and times are chosen." in answers[1]


def test_one_off_exports_have_no_such_tab(client: Client, people: People) -> None:
    export_id = create(people.exporter, {"type": "now"})
    browser = client(people.exporter)
    assert browser.get(f"/exports/{export_id}/schedule").status_code == 404
    assert "Change schedule" not in browser.get(f"/exports/{export_id}").text


def test_who_may_not_change_it_does_not_see_the_tab(client: Client, people: People) -> None:
    export_id = create(people.exporter, WEEKLY)
    for person in (people.viewer, people.colleague):
        browser = client(person)
        assert "Change schedule" not in browser.get(f"/exports/{export_id}").text
        assert browser.get(f"/exports/{export_id}/schedule").status_code == 403
    assert client(people.stranger).get(f"/exports/{export_id}/schedule").status_code == 404


def test_set_inactive_asks_and_the_buttons_swap(client: Client, people: People) -> None:
    export_id = create(people.exporter, WEEKLY)
    browser = client(people.exporter)
    page = f"/exports/{export_id}"
    shown = browser.get(page).text
    assert "It will not run on Thu 26 Nov 06:30 UTC or later, until it is set active again." in check(shown).text
    asked = post(browser, f"{page}/inactive", page)
    assert asked.status_code == 200
    assert "Missed runs are not caught up." in check(asked.text).text
    assert now_is(people.exporter, export_id)[2] == "11-26 06:30"
    assert post(browser, f"{page}/inactive", page, sure="1").status_code == 303
    assert now_is(people.exporter, export_id)[2] is None
    shown = check(browser.get(page).text)
    assert "set inactive by you" in shown.text
    assert {"set-active", "set-inactive"} & set(shown.ids) == {"set-active"}
    assert post(browser, f"{page}/active", page).status_code == 303
    assert now_is(people.exporter, export_id)[2] == "11-26 06:30"
    assert len(told(people.exporter, "export.set_inactive")) == len(told(people.exporter, "export.set_active")) == 1


def test_view_and_list_say_when_it_runs(client: Client, people: People) -> None:
    export_id = create(people.exporter, WEEKLY)
    browser = client(people.exporter)
    shown = check(browser.get(f"/exports/{export_id}").text).text
    assert "Weekly, Monday and Thursday 06:30 UTC" in shown
    assert "next run Thu 26 Nov 01:30" in shown
    assert "Every Monday and Thursday at 06:30 UTC" in shown
    listed = check(browser.get("/exports").text).text
    assert "Weekly, Monday and Thursday 06:30 UTC · next Thu 26 Nov 01:30" in listed
    create(people.exporter, ON_DATE)
    assert "On Tue 1 Dec 2026 at 08:00 UTC" in check(browser.get("/exports?status=Pending").text).text


def test_logs_have_a_row_for_every_moment(client: Client, people: People, clock: Clock, htmx: dict[str, str]) -> None:
    from jobs import scheduler

    export_id = create(people.exporter, {"type": "repeated", "every": "day", "hours": "*", "minutes": "0"})
    browser = client(people.exporter)
    page = f"/exports/{export_id}/logs"
    empty = browser.get(page).text
    assert "No run yet. The first is on Mon 23 Nov 05:00." in check(empty).text
    live = re.search(r'hx-get="([^"]+)"', empty)
    assert live
    address = live[1].replace("&amp;", "&")
    assert browser.get(address, headers=htmx).status_code == 204
    clock.set("2026-11-23 12:10+00")
    with people.exporter.app.app_context():
        scheduler.fire_all_due()
    answer = browser.get(address, headers=htmx)
    assert answer.status_code == 200
    shown = check(answer.text, whole=False).text
    assert "Queued" in shown
    assert shown.count("Missed: the service was not running.") == 2
    assert "1–3 of 3" in check(browser.get(page).text).text


def test_logs_follow_what_a_colleague_does_and_rest_when_nothing_comes(
    client: Client, people: People, htmx: dict[str, str]
) -> None:
    export_id = create(people.exporter, WEEKLY)
    page = f"/exports/{export_id}/logs"
    browser = client(people.exporter)
    shown = browser.get(page).text
    live = re.search(r'hx-get="([^"]+)"', shown)
    assert live
    assert 'http-equiv="refresh"' in shown
    now = "2026-11-23T09:42:00%2B00:00"
    assert 'http-equiv="refresh"' not in browser.get(f"{page}?before={now}_{now}_{uuid.uuid4()}").text
    post(client(people.admin), f"/exports/{export_id}/inactive", page, sure="1")
    answer = browser.get(live[1].replace("&amp;", "&"), headers=htmx)
    assert answer.status_code == 200
    assert "Inactive" in check(answer.text, whole=False).text
    assert "next run" not in answer.text
    assert 'http-equiv="refresh"' not in browser.get(page).text


@pytest.mark.parametrize("schedule", [WEEKLY, {**ON_DATE, "at": "2026-12-01T08:00:00"}], ids=["repeated", "on_date"])
def test_a_zone_that_nobody_knows_any_more_is_said_and_can_be_changed(
    client: Client, people: People, schedule: dict[str, Any]
) -> None:
    from webapp.extensions import db
    from webapp.models import Export, ExportVersion

    zone = {"timezone": "Europe/Budapest"}
    export_id = create(people.exporter, {**schedule, **zone})
    browser = client(people.exporter)
    page = f"/exports/{export_id}"
    if schedule is WEEKLY:
        post(browser, f"{page}/inactive", page, sure="1")
    with people.exporter.at_work():
        first = db.session.query(ExportVersion).filter(ExportVersion.export_id == export_id).one()
        document = {**first.definition, "schedule": {**first.definition["schedule"], "timezone": "Europe/Nowhere"}}
        added = ExportVersion(export_id=export_id, number=2, definition=document, author_id=people.exporter.id)
        db.session.add(added)
        db.session.get_one(Export, export_id).version = 2
        db.session.commit()
    assert "in Europe/Nowhere" in check(browser.get(page).text).text
    if schedule is WEEKLY:
        assert post(browser, f"{page}/active", page).status_code == 303
        told = check(browser.get(page).text).text
        assert "It stays inactive: Choose a time zone from the list. Change its schedule." in told
    assert browser.get(f"{page}/logs").status_code == 200
    shown = browser.get(f"{page}/schedule")
    assert shown.status_code == 200
    check(shown.text)
    values = {"every": "week", "weekdays": ["monday"], "hours": "6", "minutes": "30", "date": "2026-12-01",
              "time": "08:00", "keep_local": "1", "zone": "Europe/Budapest"}  # fmt: skip
    mine = ("every", "weekdays", "hours", "minutes") if schedule is WEEKLY else ("date", "time")
    sent = {name: values[name] for name in (*mine, "keep_local", "zone")}
    answer = post(
        browser, f"{page}/schedule", f"{page}/schedule", version="2", schedule=schedule["type"], **sent
    )  # fmt: skip
    assert answer.status_code == 303
    assert now_is(people.exporter, export_id)[0] == 3
