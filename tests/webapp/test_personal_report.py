"""**Personal data**: the files about customers that are alive, and who got them; one is removed before its time."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import psycopg
import pytest
from sqlalchemy import select, update

from exports.catalogue import builtin
from exports.compare import Comparison, First
from jobs import compare, upkeep
from tests.fix_app import stores
from tests.fix_pages import check
from tests.webapp.test_latest_state import at_the_same_time, wait_for_locks
from webapp.extensions import db
from webapp.models import AuditEntry, Compare, Delivery, Run, clock, system_scope
from webapp.services import compares, personal_report
from webapp.services.personal_report import Held, held

if TYPE_CHECKING:
    from flask import Flask
    from flask.testing import FlaskClient

    from tests.fix_app import People, Person
    from tests.fix_exports import Exports, Made

Open = Callable[["Person | None"], "FlaskClient"]
EVERYBODY: Final = [[{"attribute": "_id", "operator": "is_not_empty"}]]


def customers(*fields: dict[str, Any], **more: Any) -> dict[str, Any]:
    """What makes a definition one of customers."""
    return {"model": "customers", "filters": EVERYBODY, "fields": list(fields), **more}


def kinds(person: Person) -> list[tuple[str, str | None]]:
    """What the audit log of the person's brand says of the report."""
    with person.at_work():
        wanted = select(AuditEntry.action, AuditEntry.object_id).order_by(AuditEntry.number)
        mine = wanted.where(AuditEntry.action.in_(["personal.viewed", "run.removal_requested"]))
        return [(action, id_) for action, id_ in db.session.execute(mine)]


@pytest.mark.parametrize(
    ("definition", "expected"),
    [
        (customers({"from": "_id"}, {"from": "email"}, {"from": "email", "mask": "hash", "to": "h"}),
         Held(("Email address",), ("Email address",), ("Customer ID",))),
        (customers({"from": "status"}), Held()),
        (customers({"from": "email", "mask": "last4"}), Held(masked=("Email address",))),
        ({"model": "events", "fields": [{"from": "customer"}, {"from": "action"}]}, Held(customers=("Customer",))),
        ({"fields": [{"from": "id"}]}, Held()),
    ],
)  # fmt: skip
def test_what_a_file_holds_about_people(definition: dict[str, Any], expected: Held) -> None:
    wanted = stores(**definition)
    found = held(wanted, builtin().models[wanted.model])
    labels = builtin().models[wanted.model].fields
    assert (bool(found.raw), bool(found.masked), bool(found.customers)) == (
        bool(expected.raw), bool(expected.masked), bool(expected.customers)
    )  # fmt: skip
    assert {*found.raw, *found.masked, *found.customers} <= {one.label for one in labels.values()}
    if expected.raw:
        assert (found.raw, found.masked) == (expected.raw, expected.masked)


def test_all_fields_and_what_is_gone_count_as_personal() -> None:
    model = builtin().models["customers"]
    assert "Email address" in held(stores(**customers(all_fields=True)), model).raw
    assert held(stores(**customers({"from": "gone"})), model).raw == ("gone",)
    assert held(stores(**customers({"from": "status"})), None).raw == ("status",)


def test_the_page_tells_what_is_kept_and_who_got_it(client: Open, people: People, made: Exports) -> None:
    mails = made.finished(people.exporter, "Mails", **customers({"from": "_id"}, {"from": "email"}))
    made.finished(people.exporter, "Shops")
    over = made.finished(people.exporter, "Old mails", **customers({"from": "email", "mask": "hash"}))
    with people.exporter.at_work() as user:
        past = clock() - timedelta(days=1)
        db.session.execute(update(Run).where(Run.id == over.run_id).values(kept_until=past, artefact=None))
        db.session.add(
            Delivery(
                run_id=over.run_id, number=1, type="sftp", host="sftp.partner.example", state="delivered",
                path="/in/old.csv", finished_at=clock(),
            )
        )  # fmt: skip
        db.session.commit()
        assert user.export_pii
    client(people.exporter).get(f"/runs/{mails.run_id}/download").close()
    browser = client(people.admin)
    page = check(browser.get("/personal-data").get_data(as_text=True)).text
    assert "Mails" in page
    assert "personal Email address" in page
    assert f"{people.exporter.email} downloaded" in page
    assert "Shops" not in page
    assert "Old mails" not in page
    every = check(browser.get("/personal-data?show=all").get_data(as_text=True)).text
    assert "masked Email address" in every
    assert "sftp.partner.example /in/old.csv" in every
    assert "removed, was kept until" in every
    assert "Old mails" not in check(browser.get("/personal-data?show=all&model=events").get_data(as_text=True)).text
    assert [kind for kind, _ in kinds(people.admin)] == ["personal.viewed"] * 3
    assert "No file about customers is kept" in client(people.stranger).get("/personal-data").get_data(as_text=True)


def test_a_comparison_that_is_downloaded_stands_at_both_files(
    app: Flask, client: Open, people: People, made: Exports
) -> None:
    export = made.finished(
        people.exporter, "Mails", b"_id,email\n1,a@b.example\n", **customers({"from": "_id"}, {"from": "email"})
    )
    later = made.finished_again(people.exporter, export, b"_id,email\n1,c@d.example\n")
    compare_id = made.asked_to_compare(people.exporter, export.run_id, later)
    with app.app_context():
        compare.execute()
    client(people.exporter).get(f"/compares/{compare_id}/download").close()
    with people.admin.at_work() as admin:
        lines = personal_report.report(admin).lines
        told = {line.run.id: [(one.actor, one.action) for one in line.downloads] for line in lines}
    assert told == {id: [(people.exporter.email, "compare.downloaded")] for id in (export.run_id, later)}
    page = check(client(people.admin).get("/personal-data").text).text
    assert f"{people.exporter.email} downloaded a comparison" in page


def test_a_file_that_is_removed_is_gone_at_once(client: Open, people: People, made: Exports) -> None:
    mails = made.finished(people.exporter, "Mails", **customers({"from": "email"}))
    browser = client(people.admin)
    csrf = check(browser.get("/personal-data").get_data(as_text=True)).inputs["csrf_token"]
    for _ in range(2):
        answer = browser.post(f"/runs/{mails.run_id}/remove-file", data={"csrf_token": csrf})
        assert (answer.status_code, answer.headers["Location"]) == (303, "/personal-data")
    assert client(people.exporter).get(f"/runs/{mails.run_id}/download").status_code == 410
    assert "Mails" not in check(browser.get("/personal-data").get_data(as_text=True)).text
    assert kinds(people.admin).count(("run.removal_requested", str(mails.run_id))) == 1


def compared(people: People, made: Exports) -> tuple[Made, uuid.UUID, uuid.UUID]:
    """An export with two files of mails, the later run, and their comparison, which waits."""
    mails = customers({"from": "_id"}, {"from": "email"})
    export = made.finished(people.exporter, "Mails", b"_id,email\n1,a@b.example\n", **mails)
    later = made.finished_again(people.exporter, export, b"_id,email\n1,c@d.example\n")
    return export, later, made.asked_to_compare(people.exporter, export.run_id, later)


def remove(person: Person, run_id: uuid.UUID) -> None:
    """**Remove file**."""
    with person.at_work() as admin:
        personal_report.remove_file(admin, db.session.get_one(Run, run_id))


@pytest.mark.parametrize("which", [0, 1])
def test_comparisons_go_with_a_file_that_is_removed(
    app: Flask, client: Open, people: People, made: Exports, artefacts_folder: Path, which: int
) -> None:
    export, later, compare_id = compared(people, made)
    with app.app_context():
        compare.execute()
    browser, at = client(people.exporter), f"/exports/{export.id}/compare?a={export.run_id}&b={later}"
    assert "c@d.example" in browser.get(at).text
    remove(people.admin, (export.run_id, later)[which])
    assert browser.get(f"/compares/{compare_id}/download").status_code == 410
    for part in (at, f"/compares/{compare_id}"):
        page = browser.get(part).text
        assert "c@d.example" not in page
        assert "a@b.example" not in page
    with app.app_context():
        upkeep.files()
    assert list(artefacts_folder.glob(f"*/{compare_id}/*")) == []


def test_a_comparison_that_ends_while_a_file_of_it_is_removed_is_kept_no_longer(
    app: Flask, people: People, made: Exports, app_database: str
) -> None:
    _export, later, compare_id = compared(people, made)
    with app.app_context(), system_scope():
        mine = compares.claim("worker of a test")
    assert mine is not None
    found = Comparison(0, 0, 1, 0, ("_id", "email"), ("_id",), 9, "0" * 64, First())
    with psycopg.connect(app_database) as admin, psycopg.connect(app_database, autocommit=True) as sql:
        admin.execute("UPDATE runs SET kept_until = clock() WHERE id = %s", [later])
        with at_the_same_time(app, mine.brand_id, lambda: compares.publish(mine, found, "key")) as worker:
            wait_for_locks(sql, worker)
            admin.commit()
    assert worker.raised == [None]
    with people.exporter.at_work():
        row, run = db.session.get_one(Compare, compare_id), db.session.get_one(Run, later)
        assert (row.state, row.kept_until) == ("done", run.kept_until)


def test_a_page_leads_to_the_older_ones(people: People, made: Exports) -> None:
    ids = [made.finished(people.exporter, str(number), **customers({"from": "_id"})).run_id for number in range(3)]
    with people.admin.at_work() as admin:
        first = personal_report.report(admin, per_page=2)
        assert [line.run.id for line in first.lines] == ids[:0:-1]
        rest = personal_report.report(admin, before=first.before, per_page=2)
        assert ([line.run.id for line in rest.lines], rest.before) == ([ids[0]], "")
        assert len(personal_report.report(admin, before="nonsense", per_page=2).lines) == 2
