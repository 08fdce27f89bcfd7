"""Actions on several chosen exports of the list: **Set inactive** and **Archive** (SPEC section 2)."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

import pytest
from sqlalchemy import event, select
from sqlalchemy.orm import joinedload

from tests.fix_app import stores
from tests.fix_pages import check
from webapp.extensions import db
from webapp.models import AuditEntry, Export, Run
from webapp.permissions import may
from webapp.services import exports

if TYPE_CHECKING:
    from flask.testing import FlaskClient

    from tests.fix_app import Clock, People, Person
    from tests.fix_exports import Exports

Open = Callable[["Person | None"], "FlaskClient"]

DAILY: Final[dict[str, Any]] = {"type": "repeated", "every": "day", "hours": "6", "minutes": "30"}


def make(person: Person, name: str, schedule: dict[str, Any] = DAILY) -> uuid.UUID:
    """An export of the person."""
    with person.at_work() as user:
        return exports.create(user, stores(name=name, schedule=schedule), uuid.uuid4()).id


def shown(person: Person) -> dict[str, str]:
    """Every export of the brand by name: its status, or Archived."""
    with person.at_work():
        found = db.session.scalars(select(Export).options(joinedload(Export.latest_run))).all()
        return {one.name: "Archived" if one.archived_at else one.status for one in found}


def press(
    browser: FlaskClient, do: str, ids: list[uuid.UUID], asked: str = "", headers: dict[str, str] | None = None
) -> Any:
    """Send the form of the list as a browser does, with these boxes ticked."""
    token = check(browser.get("/models").get_data(as_text=True)).inputs["csrf_token"]
    data = {"csrf_token": token, "do": do, "export": [str(one) for one in ids]}
    return browser.post(f"/exports/several{asked}", data=data, headers=headers or {})


def told(browser: FlaskClient, do: str, ids: list[uuid.UUID]) -> str:
    """What the list says after it."""
    answer = press(browser, do, ids)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/exports")
    return check(browser.get("/exports").get_data(as_text=True)).text


def test_what_is_not_repeated_is_left_out_and_named(client: Open, people: People) -> None:
    chosen = [make(people.exporter, name) for name in ("A", "B")]
    chosen.append(make(people.exporter, "Coupon use", {"type": "now"}))
    make(people.exporter, "C")
    assert "2 set inactive. “Coupon use” is not repeated." in told(client(people.exporter), "set-inactive-now", chosen)
    assert shown(people.exporter) == {"A": "Inactive", "B": "Inactive", "C": "Active", "Coupon use": "Pending"}
    assert "None set inactive. “A” and “B” are inactive already." in told(
        client(people.exporter), "set-inactive-now", chosen[:2]
    )
    with people.exporter.at_work():
        done = select(AuditEntry.object_id).where(AuditEntry.action == "export.set_inactive")
        assert sorted(db.session.scalars(done)) == sorted(str(one) for one in chosen[:2])


def test_a_moment_that_comes_meanwhile_is_still_run(client: Open, people: People, clock: Clock) -> None:
    clock.set("2026-11-23T06:29:00Z")
    chosen = [make(people.exporter, name) for name in ("A", "B")]

    def later(_session: object) -> None:
        clock.set("2026-11-23T06:31:00Z")

    event.listen(db.session, "after_commit", later, once=True)
    press(client(people.exporter), "set-inactive-now", chosen)
    with people.exporter.at_work():
        wanted = select(Export.name).join(Run, Run.export_id == Export.id)
        assert db.session.scalars(wanted).all() == ["B"], "A was inactive before 06:30"


def test_archived_ones_leave_the_list_and_never_run(client: Open, people: People) -> None:
    chosen = [make(people.exporter, "A"), make(people.exporter, "B", {"type": "now"})]
    text = told(client(people.manager), "archive", chosen)
    assert "2 archived." in text
    assert shown(people.manager) == {"A": "Archived", "B": "Archived"}
    with people.manager.at_work():
        assert list(db.session.scalars(select(Run.state))) == ["cancelled"]
    assert "None archived. “A” and “B” are archived already." in told(client(people.manager), "archive", chosen)


def test_exporters_change_only_their_own(client: Open, people: People) -> None:
    own, others = make(people.exporter, "Own"), [make(people.colleague, f"Other {number}") for number in range(5)]
    page = client(people.exporter).get("/exports").get_data(as_text=True)
    assert "Choose Own" in check(page).text
    assert "Choose Other" not in check(page).text
    text = told(client(people.exporter), "archive", [own, *others])
    assert "1 archived. “Other 0”, “Other 1”, “Other 2” and 2 more are not yours." in text
    assert list(shown(people.exporter).values()).count("Archived") == 1


def test_another_brands_exports_are_not_there(client: Open, people: People) -> None:
    theirs, own = make(people.stranger, "Theirs"), make(people.manager, "Own")
    text = told(client(people.manager), "set-inactive-now", [theirs, own, own, uuid.uuid4()])
    assert "1 set inactive. 2 are not there any more." in text
    assert "Theirs" not in text
    assert shown(people.stranger) == {"Theirs": "Active"}


def test_viewers_choose_nothing(client: Open, people: People) -> None:
    export = make(people.exporter, "Ours")
    assert "Choose Ours" not in check(client(people.viewer).get("/exports").get_data(as_text=True)).text
    assert press(client(people.viewer), "archive", [export]).status_code == 403
    assert shown(people.viewer) == {"Ours": "Active"}
    with people.viewer.at_work() as user:
        assert not may(user, "exports.act_on_several")


def test_the_same_page_of_the_list_comes_back(client: Open, people: People, htmx: dict[str, str]) -> None:
    export, browser = make(people.exporter, "Ours"), client(people.exporter)
    page = browser.get("/exports?q=our&sort=name").get_data(as_text=True)
    assert "/exports/several?q=our&sort=name" in [form["action"] for form in check(page).forms if form.get("action")]
    plain = press(browser, "set-inactive-now", [export], "?q=our&sort=name")
    assert (plain.status_code, plain.headers["Location"]) == (303, "/exports?q=our&sort=name")
    swapped = press(browser, "set-inactive-now", [export], "?q=our&sort=name", htmx)
    assert (swapped.status_code, swapped.headers["HX-Redirect"]) == (200, "/exports?q=our&sort=name")
    table = browser.get("/exports?q=ou", headers={**htmx, "HX-Target": "exports"}).get_data(as_text=True)
    assert "/exports/several?q=ou" in [form["action"] for form in check(table, whole=False).forms]


def test_setting_several_inactive_is_asked_first_where_there_is_no_dialog(client: Open, people: People) -> None:
    chosen, browser = [make(people.exporter, name) for name in ("A", "B")], client(people.exporter)
    page = press(browser, "set-inactive", chosen, "?q=a")
    found = check(page.get_data(as_text=True))
    assert "Set 2 exports inactive? They will not run until they are set active again." in found.text
    assert "/exports?q=a" in found.links
    assert shown(people.exporter) == {"A": "Active", "B": "Active"}
    assert press(browser, "set-inactive-now", chosen).status_code == 303
    assert shown(people.exporter) == {"A": "Inactive", "B": "Inactive"}


def test_nothing_chosen_is_said(client: Open, people: People) -> None:
    make(people.exporter, "Ours")
    assert "Choose at least one export." in told(client(people.exporter), "archive", [])


def test_enter_without_javascript_changes_nothing(client: Open, people: People) -> None:
    export = make(people.exporter, "Ours")
    page = client(people.exporter).get("/exports").text
    assert page.index('name="do" value=""') < page.index('name="do" value="set-inactive"')
    assert "Nothing was changed. Press Set inactive or Archive." in told(client(people.exporter), "", [export])
    assert shown(people.exporter) == {"Ours": "Active"}


@pytest.mark.parametrize(("do", "id_"), [("delete", ""), ("archive", "1 OR 1=1")])
def test_what_no_form_of_ours_sends_is_refused(client: Open, people: People, do: str, id_: str) -> None:
    export, browser = make(people.exporter, "Ours"), client(people.exporter)
    token = check(browser.get("/exports").get_data(as_text=True)).inputs["csrf_token"]
    data = {"csrf_token": token, "do": do, "export": id_ or str(export)}
    assert browser.post("/exports/several", data=data).status_code == 400
    assert shown(people.exporter) == {"Ours": "Active"}


def test_archived_ones_are_not_chosen(client: Open, people: People, made: Exports) -> None:
    export = made.finished(people.exporter, "Ours")
    press(client(people.exporter), "archive", [export.id])
    assert "Choose" not in check(client(people.exporter).get("/exports?status=archived").get_data(as_text=True)).text
