"""**Archive**, **Restore** and **Delete**: put aside and brought back, or gone for good (SPEC section 4)."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest
from sqlalchemy import func, select

from exports.errors import Cancelled, ExportArchived
from jobs import upkeep
from tests.fix_pages import check
from tests.webapp.test_clone import made_by
from tests.webapp.test_edit import look
from webapp.extensions import db
from webapp.models import AuditEntry, Draft, Export, ExportVersion, Run, RunEvent
from webapp.services import exports, runs, schedules

if TYPE_CHECKING:
    from flask.testing import FlaskClient

    from tests.fix_app import Clock, People, Person
    from tests.fix_exports import Exports

Open = Callable[["Person | None"], "FlaskClient"]

DAILY: Final[dict[str, Any]] = {"type": "repeated", "every": "day", "hours": "6", "minutes": "30"}
MONDAY: Final = "2026-11-23T05:00:00+00:00"


def press(browser: FlaskClient, id: uuid.UUID, button: str, **values: str) -> str:
    """Press a button of the details page that is there; returns what the page after it says."""
    page = browser.get(f"/exports/{id}").get_data(as_text=True)
    assert f'action="/exports/{id}/{button}"' in page, f"there is no {button}"
    data = {"csrf_token": check(page).inputs["csrf_token"], **values}
    answer = browser.post(f"/exports/{id}/{button}", data=data, follow_redirects=True)
    assert answer.status_code == 200
    return check(answer.get_data(as_text=True)).text


def listed(browser: FlaskClient, status: str = "") -> str:
    """What the list says."""
    return check(browser.get(f"/exports?status={status}").get_data(as_text=True)).text


def actions(person: Person) -> list[str]:
    """What the audit log has."""
    with person.at_work():
        return list(db.session.scalars(select(AuditEntry.action).order_by(AuditEntry.number)))


# --- Archive and Restore


def test_an_archived_export_leaves_the_list_and_comes_back(client: Open, people: People, made: Exports) -> None:
    export, browser = made.finished(people.exporter, "Ours"), client(people.exporter)
    page = press(browser, export.id, "archive")
    assert "Archived" in page
    for gone in ("Run now", "Edit", "Set inactive"):
        assert gone not in page
    assert "Clone" in page
    assert "Ours" not in listed(browser)
    assert "Ours" in listed(browser, "archived")
    assert "Restored." in press(browser, export.id, "restore")
    assert "Ours" in listed(browser)
    assert "Ours" not in listed(browser, "archived")
    assert actions(people.exporter)[-2:] == ["export.archived", "export.restored"]


def test_an_archived_export_never_runs_and_comes_back_inactive(client: Open, people: People, clock: Clock) -> None:
    clock.set(MONDAY)
    export, browser = made_by(people.exporter, name="Ours", schedule=DAILY), client(people.exporter)
    press(browser, export, "archive")
    clock.set("2026-11-25T07:00:00+00:00")
    upkeep_fires(people)
    with people.exporter.at_work() as user:
        assert db.session.scalar(select(func.count(Run.id))) == 0
        row = db.session.get_one(Export, export)
        with pytest.raises(ExportArchived):
            runs.request_run(user, row, uuid.uuid4())
        schedules.set_active(user, row)
    assert look(people.exporter, export).next_run_at is None
    assert "Restored. It is inactive: Set active lets it run again." in press(browser, export, "restore")
    now = look(people.exporter, export)
    assert (now.status, now.next_run_at) == ("Inactive", None)


def upkeep_fires(people: People) -> None:
    """The clock does what is due."""
    from webapp.models import system_scope

    with people.exporter.app.app_context(), system_scope():
        schedules.fire_due()


def test_a_date_to_come_is_cancelled_by_archive(client: Open, people: People, clock: Clock) -> None:
    clock.set(MONDAY)
    when = {"type": "on_date", "at": "2026-11-24T06:00:00Z"}
    export = made_by(people.exporter, name="Ours", schedule=when)
    press(client(people.exporter), export, "archive")
    press(client(people.exporter), export, "restore")
    now = look(people.exporter, export)
    assert (now.status, now.next_run_at) == ("Cancelled", None)


def test_what_waits_or_runs_is_cancelled_by_archive(client: Open, people: People, made: Exports) -> None:
    waiting, browser = made.create(people.exporter, "Waiting"), client(people.exporter)
    press(browser, waiting.id, "archive")
    assert look(people.exporter, waiting.id).status == "Cancelled"
    going = made.create(people.exporter, "Going")
    mine = made.claim()
    press(browser, going.id, "archive")
    with pytest.raises(Cancelled):
        made.beat(mine, 1, 1)


# --- Delete


def everything(person: Person) -> dict[str, int]:
    """How many rows of each kind the person's brand has."""
    with person.at_work():
        return {
            one.__tablename__: db.session.scalar(select(func.count()).select_from(one)) or 0
            for one in (Export, ExportVersion, Run, RunEvent, Draft)
        }


NOTHING: Final = {"exports": 0, "export_versions": 0, "runs": 0, "run_events": 0, "drafts": 0}


def files(folder: Path) -> list[Path]:
    """What the store holds."""
    return [one for one in folder.rglob("*") if one.is_file()]


def test_delete_asks_and_then_takes_files_and_rows_at_once(
    client: Open, people: People, made: Exports, artefacts_folder: Path
) -> None:
    before = set(files(artefacts_folder))
    export, browser = made.finished(people.exporter, "Ours"), client(people.exporter)
    with people.exporter.at_work() as user:
        exports.edit(user, db.session.get_one(Export, export.id))
    page = press(browser, export.id, "delete")
    assert "Delete “Ours”?" in page
    assert "1 run and 1 file are deleted with it, and all of its versions. This cannot be undone." in page
    assert look(people.exporter, export.id).name == "Ours", "nothing is deleted before the answer"
    assert "“Ours” is deleted." in press(browser, export.id, "delete", sure="1")
    assert everything(people.exporter) == NOTHING
    assert set(files(artefacts_folder)) == before
    for address in (f"/exports/{export.id}", f"/runs/{export.run_id}/download"):
        assert browser.get(address).status_code == 404
    with people.exporter.at_work():
        entry = db.session.scalars(select(AuditEntry).where(AuditEntry.action == "export.deleted")).one()
        assert entry.facts == {"name": "Ours", "runs": 1, "files": 1}


def test_a_run_that_is_going_is_stopped_and_its_export_goes_when_it_has_ended(
    client: Open, people: People, made: Exports
) -> None:
    export, browser = made.create(people.exporter, "Ours"), client(people.exporter)
    mine = made.claim()
    press(browser, export.id, "delete", sure="1")
    assert browser.get(f"/exports/{export.id}").status_code == 404
    assert "Ours" not in listed(browser) + listed(browser, "archived")
    with people.exporter.app.app_context():
        assert upkeep.deleted_exports() == 0, "its run has not ended"
        with pytest.raises(Cancelled):
            made.beat(mine, 1, 1)
        runs.stop(mine)
        assert upkeep.deleted_exports() == 1
    assert everything(people.exporter) == NOTHING


def test_nothing_of_a_deleted_export_can_be_downloaded_before_its_file_is_gone(
    client: Open, people: People, made: Exports, monkeypatch: pytest.MonkeyPatch
) -> None:
    export, browser = made.finished(people.exporter, "Ours"), client(people.exporter)
    monkeypatch.setattr(exports.removing, "AT_ONCE", 0)  # as with a long history
    press(browser, export.id, "delete", sure="1")
    assert everything(people.exporter)["runs"] == 1
    assert browser.get(f"/runs/{export.run_id}/download").status_code == 404
    assert browser.get(f"/exports/{export.id}").status_code == 404
    with people.exporter.app.app_context():
        assert upkeep.deleted_exports() == 1
        assert upkeep.deleted_exports() == 0
    assert everything(people.exporter) == NOTHING


def test_a_removal_that_was_cut_off_between_file_and_rows_begins_again(
    client: Open, people: People, made: Exports, artefacts_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    export = made.finished(people.exporter, "Ours")
    monkeypatch.setattr(exports.removing, "AT_ONCE", 0)
    press(client(people.exporter), export.id, "delete", sure="1")
    (file,) = artefacts_folder.rglob(f"{export.run_id}/*.zip")
    file.unlink()
    with people.exporter.app.app_context():
        assert upkeep.deleted_exports() == 1
    assert everything(people.exporter) == NOTHING


@pytest.mark.parametrize("who", ["colleague", "viewer"])
def test_who_may_not_sees_no_buttons(client: Open, people: People, made: Exports, who: str) -> None:
    export = made.finished(people.exporter, "Ours")
    page = client(getattr(people, who)).get(f"/exports/{export.id}").get_data(as_text=True)
    for button in ("archive", "restore", "delete"):
        assert f'action="/exports/{export.id}/{button}"' not in page
