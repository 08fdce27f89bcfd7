"""**Edit**: the wizard on an export makes a new version of it, and runs nothing (SPEC sections 1 and 4)."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import pytest
from sqlalchemy import func, select

from tests.fix_app import stores
from tests.fix_pages import check
from tests.fix_wizard import Wizard
from tests.webapp.test_clone import definition_of, made_by
from webapp.extensions import db
from webapp.models import AuditEntry, Draft, Export, ExportVersion, Run
from webapp.services import exports, runs, schedules

if TYPE_CHECKING:
    from flask.testing import FlaskClient

    from tests.fix_app import Clock, People, Person
    from tests.fix_exports import Exports

Tab = Callable[["Person"], "Wizard"]
Open = Callable[["Person | None"], "FlaskClient"]

DAILY: Final[dict[str, Any]] = {"type": "repeated", "every": "day", "hours": "6", "minutes": "30"}
MONDAY: Final = "2026-11-23T05:00:00+00:00"


def press_edit(tab: Wizard, id: uuid.UUID, **more: str) -> None:
    """Press the button on the details page, or one of those that ask what of the last time is to be gone on with."""
    page = tab.client.get(f"/exports/{id}").get_data(as_text=True)
    assert f'action="/exports/{id}/edit"' in page, "there is no button"
    answer = tab.client.post(f"/exports/{id}/edit", data={"csrf_token": check(page).inputs["csrf_token"], **more})
    assert answer.status_code == 303
    tab._get(answer.headers["Location"])


def change(tab: Wizard, step: str, values: dict[str, Any]) -> None:
    """Choose Change, type, Next."""
    tab.open(step, then="check")
    tab.fill(values)
    tab.press("next")
    assert tab.step == "check", tab.problems


def look(person: Person, id: uuid.UUID) -> Export:
    """The export as it is now."""
    with person.at_work():
        export = exports.find(id)
        assert export is not None
        return export


def counted(person: Person, model: Any) -> int:
    """How many rows the person's brand has."""
    with person.at_work():
        return db.session.scalar(select(func.count()).select_from(model)) or 0


def test_edit_saves_a_version_that_says_what_changed_and_runs_nothing(
    wizard: Tab, people: People, made: Exports
) -> None:
    export = made.finished(people.exporter, "Ours")
    someone = wizard(people.exporter)
    press_edit(someone, export.id)
    assert someone.step == "check"
    assert "Check and save" in someone.text
    assert "Nothing yet. Choose Change beside what is to be different." in someone.text
    change(someone, "localization", {"name": "Our stores"})
    change(someone, "fields", {"fields-1-to": "Shop"})
    for sentence in ("Name: Ours → Our stores", "Column Store renamed to Shop", "Save changes makes version 2"):
        assert sentence in someone.text
    someone.press("save")
    assert someone.path == f"/exports/{export.id}"
    assert "Version 2 saved. It runs nothing by itself." in someone.text
    now = look(people.exporter, export.id)
    assert (now.name, now.version, now.status, now.latest_run_id) == ("Our stores", 2, "Finished", export.run_id)
    assert definition_of(people.exporter, export.id) == stores(
        name="Our stores", fields=[{"from": "id", "to": "Shop"}, {"from": "name"}]
    )
    assert counted(people.exporter, Run) == 1
    with people.exporter.at_work() as user:
        entry = db.session.scalars(select(AuditEntry).where(AuditEntry.action == "export.edited")).one()
        about = {"version": 2, "name": "Our stores", "before": "Ours", "changed": ["name", "fields"]}
        assert (entry.actor, entry.facts) == (user.email, about)
        rerun = runs.request_run(user, db.session.get_one(Export, export.id), uuid.uuid4())
        assert rerun.version == 2, "Run now takes the present version"
        assert db.session.get_one(Run, export.run_id).version == 1


def test_a_run_in_progress_ends_with_its_own_version(tab: Tab, people: People, made: Exports) -> None:
    export = made.create(people.exporter, "Ours")
    mine = made.claim()
    someone = tab(people.exporter)
    press_edit(someone, export.id)
    change(someone, "localization", {"name": "Later"})
    someone.press("save")
    assert look(people.exporter, export.id).status == "Processing"
    made.publish(mine)
    with people.exporter.at_work():
        assert db.session.get_one(Run, export.run_id).version == 1
    page = check(someone.client.get(f"/exports/{export.id}").get_data(as_text=True)).text
    assert "Version 1 of 2" in page
    assert "Ours.csv" in page, "the file has the name that the export had when it ran"


def test_nothing_is_saved_when_nothing_is_different(wizard: Tab, people: People, made: Exports) -> None:
    export = made.finished(people.exporter, "Ours")
    someone = wizard(people.exporter)
    press_edit(someone, export.id)
    someone.through("model", "localization", "filters", "fields", "file", "schedule", "target")
    someone.press("save")
    assert "Nothing was different." in someone.text
    assert look(people.exporter, export.id).version == 1
    assert counted(people.exporter, ExportVersion) == 1


def test_what_was_deleted_meanwhile_is_not_saved(tab: Tab, people: People, made: Exports) -> None:
    export = made.finished(people.exporter, "Ours")
    someone = tab(people.exporter)
    press_edit(someone, export.id)
    with people.exporter.at_work() as user:
        one = db.session.get_one(Export, export.id)
        later = exports.definition_of(one).model_copy(update={"name": "Later"})
        draft = db.session.scalars(select(Draft).where(Draft.export_id == one.id)).one()
        one.deleted_at = one.created_at  # by somebody else, whose removing goes on
        db.session.commit()
        with pytest.raises(schedules.ExportChanged):
            exports.save(user, one, draft, later, 1)
        assert db.session.get_one(Export, export.id).version == 1


def test_a_second_press_of_save_saves_nothing_more(tab: Tab, people: People, made: Exports) -> None:
    export = made.finished(people.exporter, "Ours")
    someone = tab(people.exporter)
    press_edit(someone, export.id)
    change(someone, "localization", {"name": "Later"})
    form, address = list(someone.form.values), someone.form.buttons["save"]
    for _press in range(2):
        answer = someone.client.post(address, data=dict(form))
        assert (answer.status_code, answer.headers["Location"]) == (303, f"/exports/{export.id}")
    assert look(people.exporter, export.id).version == 2
    press_edit(someone, export.id)
    assert "Nothing yet" in someone.text, "what is saved is not gone on with"


def test_what_is_not_saved_yet_is_gone_on_with_or_discarded(tab: Tab, people: People, made: Exports) -> None:
    export = made.finished(people.exporter, "Ours")
    someone = tab(people.exporter)
    press_edit(someone, export.id)
    draft = someone.draft_id
    change(someone, "localization", {"name": "Later"})
    press_edit(someone, export.id, draft="go-on")
    assert (someone.draft_id, someone.typed.name) == (draft, "Later")
    assert "Later" not in check(someone.client.get("/exports/new").get_data(as_text=True)).text
    tokens = {"csrf_token": someone.value("csrf_token"), "sure": "1"}
    answer = someone.client.post(f"/drafts/{draft}/discard", data=tokens)
    assert answer.headers["Location"] == f"/exports/{export.id}"
    press_edit(someone, export.id)
    assert (someone.draft_id != draft, someone.typed.name) == (True, "Ours")


def test_a_version_saved_meanwhile_is_told_before_it_is_replaced(wizard: Tab, people: People, made: Exports) -> None:
    export = made.finished(people.exporter, "Ours")
    someone, other = wizard(people.exporter), Wizard(wizard(people.manager).client, people.manager)
    for one in (someone, other):
        press_edit(one, export.id)
    change(someone, "localization", {"name": "Mine"})
    change(other, "fields", {"fields-1-to": "Shop"})
    other.press("save")
    someone.press("save")
    assert look(people.exporter, export.id).version == 2, "nothing is overwritten unseen"
    if not someone.by_htmx:
        assert someone.status == 409
    someone.reload() if someone.by_htmx else None
    assert "This export was changed after you began, it is version 2 now: Column Store renamed to Shop" in someone.text
    for sentence in ("Name: Ours → Mine", "Column Shop renamed to Store"):
        assert sentence in someone.text
    if not someone.by_htmx:
        someone.open("check")
    someone.press("save")
    assert look(people.exporter, export.id).version == 3
    assert definition_of(people.exporter, export.id) == stores(name="Mine")


def test_a_schedule_changed_in_edit_counts_from_then_on(tab: Tab, people: People, clock: Clock) -> None:
    clock.set(MONDAY)
    export = made_by(people.exporter, name="Ours", schedule=DAILY)
    assert look(people.exporter, export).next_run_at == datetime(2026, 11, 23, 6, 30, tzinfo=UTC)
    someone = tab(people.exporter)
    press_edit(someone, export)
    change(someone, "schedule", {"hours": "9"})
    assert "Scheduling: Every day at 06:30 UTC → Every day at 09:30 UTC" in someone.text
    someone.press("save")
    now = look(people.exporter, export)
    assert now.next_run_at == datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
    assert now.schedule_words == "Daily 09:30 UTC"


def test_a_moment_that_has_come_belongs_to_the_version_before(tab: Tab, people: People, clock: Clock) -> None:
    clock.set(MONDAY)
    export = made_by(people.exporter, name="Ours", schedule=DAILY)
    someone = tab(people.exporter)
    press_edit(someone, export)
    change(someone, "localization", {"name": "Later"})
    clock.set("2026-11-23T06:30:01+00:00")
    someone.press("save")
    with people.exporter.at_work():
        run = db.session.scalars(select(Run)).one()
        assert (run.version, run.scheduled_for) == (1, datetime(2026, 11, 23, 6, 30, tzinfo=UTC))
    now = look(people.exporter, export)
    assert (now.version, now.next_run_at) == (2, datetime(2026, 11, 24, 6, 30, tzinfo=UTC))


def test_an_inactive_export_stays_inactive(tab: Tab, people: People) -> None:
    export = made_by(people.exporter, name="Ours", schedule=DAILY)
    with people.exporter.at_work() as user:
        schedules.set_inactive(user, db.session.get_one(Export, export))
    someone = tab(people.exporter)
    press_edit(someone, export)
    change(someone, "schedule", {"hours": "9"})
    someone.press("save")
    now = look(people.exporter, export)
    assert (now.version, now.status, now.next_run_at) == (2, "Inactive", None)


def test_a_date_that_has_passed_does_not_stand_in_the_way_of_other_changes(
    tab: Tab, people: People, clock: Clock
) -> None:
    clock.set(MONDAY)
    export = made_by(people.exporter, name="Ours", schedule={"type": "on_date", "at": "2026-11-23T06:00:00Z"})
    clock.set("2026-11-25T06:00:00+00:00")
    from webapp.models import system_scope

    with people.exporter.app.app_context(), system_scope():
        schedules.fire_due()
    someone = tab(people.exporter)
    press_edit(someone, export)
    change(someone, "localization", {"name": "Later"})
    someone.press("save")
    now = look(people.exporter, export)
    assert (now.version, now.next_run_at) == (2, None)


def test_model_and_type_of_schedule_stay(wizard: Tab, people: People) -> None:
    export = made_by(people.exporter, name="Ours", schedule=DAILY)
    someone = wizard(people.exporter)
    press_edit(someone, export)
    someone.open("model")
    assert "An export keeps its data model. For another one, create a new export." in someone.text
    someone.post([("model", "products")])
    assert someone.typed.model == "stores"
    someone.open("schedule")
    assert "A Repeated export stays Repeated. To run it on one date, clone it." in someone.text
    someone.post([("schedule", "now")])
    someone.open("check")
    assert ("row-schedule", "A Repeated export stays Repeated. To run it on one date, clone it.") in someone.problems
    someone.press("save")
    assert look(people.exporter, export).version == 1


def test_an_edit_with_a_problem_is_not_saved(tab: Tab, people: People, made: Exports) -> None:
    export = made.finished(people.exporter, "Ours")
    someone = tab(people.exporter)
    press_edit(someone, export.id)
    someone.open("localization")
    someone.fill(name=" ")
    someone.press("next")
    someone.open("check")
    assert "Told as soon as the problems are corrected." in someone.text
    someone.press("save")
    assert ("row-localization", "Enter a name") in someone.problems
    assert look(people.exporter, export.id).version == 1


def test_who_may_not_edit_any_more_cannot_go_on_with_a_draft(tab: Tab, people: People, made: Exports) -> None:
    export = made.finished(people.exporter, "Ours")
    someone = tab(people.exporter)
    press_edit(someone, export.id)
    with people.exporter.at_work():
        db.session.get_one(Export, export.id).owner_id = people.manager.id
        db.session.commit()
    assert someone.client.get(someone.path).status_code == 403
    assert counted(people.exporter, Draft) == 1


# --- versions


def test_versions_tell_who_saved_what_and_what_was_different(tab: Tab, client: Open, people: People) -> None:
    export = made_by(people.exporter, name="Ours", schedule=DAILY)
    with people.manager.at_work() as user:
        changed = stores(schedule={**DAILY, "hours": "9"}).schedule
        schedules.change_schedule(user, db.session.get_one(Export, export), changed, 1)
    someone = tab(people.exporter)
    press_edit(someone, export)
    change(someone, "fields", {"fields-2-default": "none"})
    someone.press("save")
    browser = client(people.viewer)
    page = browser.get(f"/exports/{export}/versions").get_data(as_text=True)
    read = check(page).text
    told = re.split(r"Version (?=\d)", read)[1:]
    assert [one[0] for one in told] == ["3", "2", "1"]
    assert "current" in told[0]
    assert "by Exporter" in told[0]
    assert "Default of name: none → “none”" in told[0]
    assert "by Manager" in told[1]
    assert "Scheduling: Every day at 06:30 UTC → Every day at 09:30 UTC" in told[1]
    assert "As it was created." in told[2]
    old = browser.get(f"/exports/{export}/definition.json?version=1").get_json(force=True)
    assert old["schedule"]["hours"] == "6"
    for nonsense in ("0", "4", "x", "", "99999999999999999999"):
        assert browser.get(f"/exports/{export}/definition.json?version={nonsense}").status_code == 404


def test_many_versions_come_in_pages(client: Open, people: People) -> None:
    export = made_by(people.exporter, name="Ours", schedule=DAILY)
    with people.exporter.at_work() as user:
        for number in range(1, 26):
            row = db.session.get_one(Export, export)
            wanted = stores(schedule={**DAILY, "minutes": str(number)}).schedule
            schedules.change_schedule(user, row, wanted, number)
    browser = client(people.exporter)
    page = browser.get(f"/exports/{export}/versions").get_data(as_text=True)
    assert "Every day at 06:24 UTC → Every day at 06:25 UTC" in page
    older = re.search(r'href="([^"]+before=\d+)"', page)
    assert older
    page = browser.get(older[1]).get_data(as_text=True)
    assert "As it was created." in page
    assert page.count("<h3>Version") == 6


def test_changes_that_were_not_saved_are_told_and_either_gone_on_with_or_let_go(
    tab: Tab, people: People, made: Exports
) -> None:
    export = made.finished(people.exporter, "Ours")
    someone = tab(people.exporter)
    press_edit(someone, export.id)
    first = someone.draft_id
    press_edit(someone, export.id)
    assert someone.draft_id == first, "nothing was typed: nothing is asked"
    change(someone, "localization", {"name": "Half done"})

    tokens = {"csrf_token": someone.value("csrf_token")}
    asked = check(someone.client.post(f"/exports/{export.id}/edit", data=tokens).text)
    assert "You have changes that are not saved" in asked.text
    assert "You last changed “Ours” today" in asked.text
    press_edit(someone, export.id, draft="go-on")
    assert (someone.draft_id, someone.typed.name) == (first, "Half done")
    press_edit(someone, export.id, draft="anew")
    assert someone.draft_id != first
    assert someone.typed.name == "Ours"
    assert counted(people.exporter, Draft) == 1
