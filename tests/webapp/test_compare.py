"""**Compare**: asked for once, carried out by a worker whatever becomes of it, seen by whoever may see both files."""

from __future__ import annotations

import csv
import io
import re
import uuid
import zipfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import select, update

from jobs import compare as job
from jobs import upkeep
from tests.fix_pages import check
from tests.webapp.test_runs_logs import statements
from webapp.extensions import db
from webapp.models import AuditEntry, Compare, Export, Run, brand_scope, system_scope
from webapp.services import compares, exports

if TYPE_CHECKING:
    from flask import Flask
    from flask.testing import FlaskClient

    from tests.fix_app import Clock, People, Person
    from tests.fix_exports import Exports, Made

Open = Callable[["Person | None"], "FlaskClient"]

FILTER = [[{"attribute": "_id", "operator": "is_not_empty"}]]
BEFORE = b"Store,name\n1,Main\n2,Station\n3,Park\n"
AFTER = b"Store,name\n1,Main\n3,Park Lane\n4,<b>Harbour</b>\n"


@pytest.fixture(autouse=True)
def _now(clock: Clock) -> None:
    clock.set("2026-11-23 09:42+00")


@pytest.fixture
def two(people: People, made: Exports, clock: Clock) -> tuple[Made, uuid.UUID]:
    """An export with two runs, four days apart."""
    export = made.finished(people.exporter, content=BEFORE)
    clock.forward(timedelta(days=4))
    return export, made.finished_again(people.exporter, export, AFTER)


def work(app: Flask) -> None:
    """A worker carries out what waits."""
    with app.app_context():
        job.execute()


def row(person: Person, id: uuid.UUID) -> Compare:
    with person.at_work():
        found = db.session.get_one(Compare, id)
        db.session.expunge(found)
        return found


def token(browser: FlaskClient) -> str:
    found = re.search(r'name="csrf_token" value="([^"]+)"', browser.get("/models").text)
    assert found
    return found[1]


def post(browser: FlaskClient, at: str, **data: Any) -> Any:
    return browser.post(at, data={**data, "csrf_token": token(browser)})


def kinds(person: Person) -> list[str]:
    with person.at_work():
        told = select(AuditEntry.action).where(AuditEntry.action.like("compare.%")).order_by(AuditEntry.number)
        return list(db.session.scalars(told))


def test_two_runs_chosen_in_logs_are_compared_and_the_differences_shown_and_downloaded(
    app: Flask, client: Open, people: People, two: tuple[Made, uuid.UUID], htmx: dict[str, str]
) -> None:
    export, later = two
    browser = client(people.colleague)
    logs = browser.get(f"/exports/{export.id}/logs").text
    chosen = re.findall(r'name="run" value="([^"]+)" form="compare-form"', logs)
    assert set(chosen) == {str(export.run_id), str(later)}
    check(logs)
    started = post(browser, f"/exports/{export.id}/compare", run=chosen)
    assert started.status_code == 303
    at = started.headers["Location"]
    assert at == f"/exports/{export.id}/compare?a={export.run_id}&b={later}", "the earlier one first"
    waiting = browser.get(at).text
    assert "Waiting for a worker" in check(waiting).text
    found = re.search(r'hx-get="(/compares/[^"]+)" hx-trigger="every 1s"', waiting)
    assert found
    assert browser.get(found[1], headers=htmx).status_code == 204, "nothing has changed"
    work(app)
    ended = browser.get(found[1], headers=htmx)
    assert (ended.status_code, ended.headers["HX-Retarget"]) == (286, "#compare-result")
    assert '<div hx-swap-oob="innerHTML:#say">1 added, 1 removed, 1 changed</div>' in ended.text
    shown = browser.get(at).text
    text = check(shown).text
    assert "Rows matched by the key Store" in text
    assert "Added 1 Removed 1 Changed 1 Unchanged 1" in text
    assert "Removed 2 Station Changed 3 was Park now Park Lane Added 4 <b>Harbour</b>" in text
    assert '<del><span class="visually-hidden">was </span>Park</del>' in shown
    only = browser.get(f"{at}&show=added", headers={**htmx, "HX-Target": "compare-result"}).text
    assert ("Harbour" in only, "Station" in only, "<html" in only) == (True, False, False)
    compare_id = found[1].split("/")[2].split("?")[0]
    file = browser.get(f"/compares/{compare_id}/download")
    assert file.headers["Content-Disposition"].startswith('attachment; filename="Stores differences.zip"')
    with zipfile.ZipFile(io.BytesIO(file.data)) as archive:
        assert archive.namelist() == ["differences.csv"]
        lines = list(csv.reader(io.StringIO(archive.read("differences.csv").decode(), newline="")))
    assert lines[0] == ["change", "Store", "name"]
    assert [line[0] for line in lines[1:]] == ["removed", "changed: was", "changed: now", "added"]
    assert post(browser, f"/exports/{export.id}/compare", a=later, b=export.run_id).headers["Location"] == at
    file.close()
    assert kinds(people.admin) == [
        "compare.requested", "compare.finished", *["compare.shown"] * 3, "compare.downloaded", "compare.download_ended",
    ]  # fmt: skip
    with people.admin.at_work():
        seen = db.session.scalars(select(AuditEntry.facts).where(AuditEntry.action == "compare.shown")).all()
        assert [one["shown"] for one in seen] == ["all", "all", "added"], "with the page, and by its parts"
        assert [(one["model"], one["fields"], one["rows"]) for one in seen] == [
            ("stores", ["id", "name"], rows) for rows in (3, 3, 1)
        ]
        facts = db.session.scalars(select(AuditEntry.facts).where(AuditEntry.action == "compare.downloaded")).one()
        assert all(one["definition"] == facts["definition"] and one["personal"] is False for one in seen)
        assert (facts["model"], facts["personal"], facts["rows"]) == ("stores", False, 3)
        asked = db.session.scalars(select(AuditEntry).where(AuditEntry.action == "compare.requested")).one()
        assert (asked.actor, asked.facts) == (
            people.colleague.email,
            {"earlier": str(export.run_id), "later": str(later)},
        )


def test_to_see_a_comparison_changes_nothing(client: Open, people: People, two: tuple[Made, uuid.UUID]) -> None:
    export, later = two
    shown = client(people.exporter).get(f"/exports/{export.id}/compare?a={export.run_id}&b={later}").text
    assert "Press Compare to see which rows were added, removed or changed." in check(shown).text
    with people.exporter.at_work():
        assert db.session.scalar(select(db.func.count()).select_from(Compare)) == 0


def test_same_bytes_are_known_at_once(client: Open, people: People, made: Exports) -> None:
    export = made.finished(people.exporter, content=BEFORE)
    later = made.finished_again(people.exporter, export, BEFORE)
    browser = client(people.exporter)
    started = post(browser, f"/exports/{export.id}/compare", run=[export.run_id, later])
    assert "No difference: same 3 rows, same SHA-256." in check(browser.get(started.headers["Location"]).text).text


def test_an_export_is_compared_with_its_clone_in_another_format(
    app: Flask, client: Open, people: People, made: Exports
) -> None:
    one = made.finished(people.exporter, content=BEFORE)
    json = b'[\n{"Store":"1","name":"Main"},\n{"Store":"2","name":"Station"},\n{"Store":"3","name":"Park"}\n]\n'
    other = made.finished(people.exporter, "Stores (copy)", json, file={"extension": "json"})
    made.finished(people.exporter, "Others", b"id\n1\n", fields=[{"from": "id"}])
    browser = client(people.exporter)
    shown = check(browser.get(f"/exports/{one.id}/compare").text).text
    assert "Stores (copy) · Mon 23 Nov 2026" in shown
    assert "Others" not in shown, "it has other columns"
    started = post(browser, f"/exports/{one.id}/compare", a=one.run_id, b=other.run_id)
    work(app)
    text = check(browser.get(started.headers["Location"]).text).text
    assert "No difference: same 3 rows. The files are written in different ways." in text


def test_what_cannot_be_compared_is_refused_beside_the_choice(
    client: Open, people: People, made: Exports, two: tuple[Made, uuid.UUID], clock: Clock
) -> None:
    export, later = two
    clock.forward(timedelta(hours=1))
    more = made.finished(people.exporter, "More", b"Store,name,city\n", fields=[
        {"from": "id", "to": "Store"}, {"from": "name"}, {"from": "city"},
    ])  # fmt: skip
    failed = made.create(people.exporter, "Failed")
    made.fail(made.claim())
    with people.exporter.at_work():
        db.session.execute(update(Run).where(Run.id == export.run_id).values(kept_until=Run.created_at))
        db.session.commit()
    at = f"/exports/{export.id}/compare"
    browser = client(people.exporter)
    columns = "These runs have different columns (city was added)"
    for runs, sentence in (
        ([later], "Choose two runs to compare"),
        ([later, later], "Choose two runs to compare"),
        (
            [later, more.run_id],
            f"{columns}: choose runs of the same definition.",
        ),
        ([later, export.run_id], "The file of 23 Nov 2026 is no longer kept."),
        ([later, failed.run_id], "The file of 27 Nov 2026 is no longer kept."),
    ):
        refused = post(browser, at, run=runs)
        assert refused.status_code == 422
        page = check(refused.text)
        assert page.title.startswith("Error: ")
        assert page.text.count(sentence) == 2, "in the summary and beside the input"
    assert "is no longer kept" in check(browser.get(f"{at}?a={export.run_id}&b={later}").text).text
    assert browser.get(f"{at}?a={uuid.uuid4()}").status_code == 404
    assert browser.get(f"{at}?a=1").status_code == 404


def test_personal_columns_are_for_those_who_may_preview_them(
    app: Flask, client: Open, people: People, made: Exports
) -> None:
    personal = {"model": "customers", "filters": FILTER, "fields": [{"from": "_id"}, {"from": "email"}]}
    export = made.finished(people.exporter, content=b"_id,email\n1,a@b.example\n", **personal)
    later = made.finished_again(people.exporter, export, b"_id,email\n1,c@d.example\n")
    compare_id = made.asked_to_compare(people.exporter, export.run_id, later)
    work(app)
    assert client(people.exporter).get(f"/compares/{compare_id}/download").status_code == 200
    refused = post(client(people.colleague), f"/exports/{export.id}/compare", run=[export.run_id, later])
    assert "is personal, and you lack the right to export personal fields." in check(refused.text).text
    at = f"/exports/{export.id}/compare?a={export.run_id}&b={later}"
    assert "@b.example" in client(people.exporter).get(at).text
    assert "@b.example" not in client(people.colleague).get(at).text
    assert client(people.colleague).get(f"/compares/{compare_id}").status_code == 403
    assert client(people.colleague).get(f"/compares/{compare_id}/download").status_code == 403
    with people.admin.at_work():
        denied = db.session.scalars(select(AuditEntry).where(AuditEntry.action == "access.denied")).all()
    assert {(one.actor, one.facts["asked"]) for one in denied} == {(people.colleague.email, "exports.compare")}
    assert len(denied) == 3


def test_viewers_see_neither_the_choice_nor_the_button(
    client: Open, people: People, two: tuple[Made, uuid.UUID]
) -> None:
    export, _ = two
    for page in ("", "/logs"):
        shown = client(people.viewer).get(f"/exports/{export.id}{page}").text
        assert ("compare-form" in shown, "/compare" in shown) == (False, False)
    assert f'href="/exports/{export.id}/compare' in client(people.exporter).get(f"/exports/{export.id}").text


def test_one_comparison_of_a_brand_is_carried_out_at_a_time_and_few_wait(
    app: Flask, people: People, made: Exports, two: tuple[Made, uuid.UUID], clock: Clock
) -> None:
    export, later = two
    first = made.asked_to_compare(people.exporter, export.run_id, later)
    clock.forward(timedelta(hours=1))
    runs = [made.finished_again(people.exporter, export, b"Store,name\n%d,x\n" % n) for n in range(11)]
    for run in runs[:9]:
        made.asked_to_compare(people.exporter, later, run)
    with pytest.raises(Exception, match="10 comparisons waiting"):
        made.asked_to_compare(people.exporter, later, runs[10])
    with app.app_context(), system_scope():
        mine = compares.claim("one")
        assert mine is not None
        assert mine.id == first
        assert compares.claim("another") is None
        compares.give_back(mine)
        assert compares.claim("another") is not None


def test_cancel_ends_what_waits_at_once_and_what_goes_on_at_its_next_look(
    app: Flask, client: Open, people: People, made: Exports, two: tuple[Made, uuid.UUID]
) -> None:
    export, later = two
    compare_id = made.asked_to_compare(people.exporter, export.run_id, later)
    assert post(client(people.colleague), f"/compares/{compare_id}/cancel").status_code == 403
    assert post(client(people.exporter), f"/compares/{compare_id}/cancel").status_code == 303
    assert row(people.exporter, compare_id).state == "cancelled"
    assert made.asked_to_compare(people.exporter, export.run_id, later) == compare_id, "the same one begins again"
    with app.app_context(), system_scope():
        mine = compares.claim("worker")
    assert mine is not None
    post(client(people.manager), f"/compares/{compare_id}/cancel")
    page = client(people.exporter).get(f"/exports/{export.id}/compare?a={export.run_id}&b={later}").text
    assert "Cancelling…" in page
    with app.app_context(), brand_scope(mine.brand_id):
        watch = job._Watch(mine)
        watch._told -= job.BEAT_S
        with pytest.raises(Exception, match="cancelled"):
            watch.look("comparing", 1)
        compares.stop(mine)
    assert row(people.exporter, compare_id).state == "cancelled"
    assert kinds(people.admin).count("compare.cancelled") == 2


def test_what_a_dead_worker_held_is_begun_again_and_given_up_the_third_time(
    app: Flask, people: People, made: Exports, two: tuple[Made, uuid.UUID], clock: Clock
) -> None:
    export, later = two
    compare_id = made.asked_to_compare(people.exporter, export.run_id, later)
    for deaths in (1, 2, 3):
        with app.app_context(), system_scope():
            mine = compares.claim("worker")
        assert mine is not None
        with app.app_context():
            assert upkeep.holds("worker")
            if deaths == 2:
                upkeep.take_back("worker", counted=True)
            else:
                clock.forward(timedelta(minutes=10))
                upkeep.sweep()
        assert row(people.exporter, compare_id).deaths == deaths
        with app.app_context(), brand_scope(mine.brand_id), pytest.raises(Exception, match="taken this run over"):
            compares.beat(mine, "comparing", 1)
    told = row(people.exporter, compare_id)
    assert (told.state, told.error_message) == ("failed", "The comparison was broken off 3 times.")
    assert kinds(people.admin)[-1] == "compare.failed"
    assert made.asked_to_compare(people.exporter, export.run_id, later) == compare_id
    work(app)
    assert row(people.exporter, compare_id).state == "done"


def test_a_file_that_is_gone_or_broken_is_said(
    app: Flask, client: Open, people: People, made: Exports, two: tuple[Made, uuid.UUID], artefacts_folder: Path
) -> None:
    export, later = two
    compare_id = made.asked_to_compare(people.exporter, export.run_id, later)
    with people.exporter.at_work():
        key = db.session.get_one(Run, later).artefact
    (artefacts_folder / str(key)).unlink()
    work(app)
    page = client(people.exporter).get(f"/exports/{export.id}/compare?a={export.run_id}&b={later}").text
    assert "The file store does not have this file any more." in check(page).text
    broken = made.finished_again(people.exporter, export, b"Store,name\n1\n")
    compare_id = made.asked_to_compare(people.exporter, export.run_id, broken)
    work(app)
    told = row(people.exporter, compare_id)
    assert (told.state, told.error_code) == ("failed", "compare.misread")
    assert list(artefacts_folder.glob(f"*/{compare_id}/*")) == []


def test_differences_go_with_the_first_of_both_files_and_with_either_export(
    app: Flask, client: Open, people: People, made: Exports, two: tuple[Made, uuid.UUID], artefacts_folder: Path,
    clock: Clock,
) -> None:  # fmt: skip
    export, later = two
    compare_id = made.asked_to_compare(people.exporter, export.run_id, later)
    other = made.finished(people.exporter, "Another", b"Store,name\n9,x\n")
    second = made.asked_to_compare(people.exporter, later, other.run_id)
    work(app)
    assert len(list(artefacts_folder.glob(f"*/{compare_id}/*"))) == 2
    with app.app_context():
        assert upkeep.orphans() == 0, "what is kept is no orphan"
    with people.exporter.at_work() as user:
        exports.delete(user, db.session.get_one(Export, other.id))
        assert db.session.get(Compare, second) is None
    assert list(artefacts_folder.glob(f"*/{second}/*")) == []
    found = row(people.exporter, compare_id)
    with people.exporter.at_work():
        assert found.kept_until == db.session.get_one(Run, export.run_id).kept_until, "the earlier file goes first"
    clock.forward(timedelta(days=27))
    with app.app_context():
        upkeep.files()
    assert list(artefacts_folder.glob(f"*/{compare_id}/*")) == []
    assert kinds(people.admin)[-1] == "compare.removed"
    browser = client(people.exporter)
    assert browser.get(f"/compares/{compare_id}/download").status_code == 410
    page = check(browser.get(f"/exports/{export.id}/compare?a={export.run_id}&b={later}").text).text
    assert "The file of 23 Nov 2026 is no longer kept." in page
    assert "Added 1 Removed 1 Changed 1" in page, "the counts stay"
    assert "Station" not in page


def test_what_an_attempt_left_that_was_killed_is_removed(
    app: Flask, people: People, made: Exports, two: tuple[Made, uuid.UUID], artefacts_folder: Path
) -> None:
    export, later = two
    compare_id = made.asked_to_compare(people.exporter, export.run_id, later)
    left = artefacts_folder / str(people.exporter.brand_id) / str(compare_id) / "0.zip"
    left.parent.mkdir(parents=True)
    left.write_bytes(b"half")
    work(app)
    with app.app_context():
        assert upkeep.orphans() == 1
    assert len(list(left.parent.iterdir())) == 2


def test_the_page_asks_at_most_twelve_questions(
    app: Flask, client: Open, people: People, made: Exports, two: tuple[Made, uuid.UUID]
) -> None:
    export, later = two
    made.asked_to_compare(people.exporter, export.run_id, later)
    work(app)
    made.finished(people.exporter, "Stores (copy)")
    browser = client(people.exporter)
    with statements(app) as sent:
        browser.get(f"/exports/{export.id}/compare?a={export.run_id}&b={later}")
    assert len([one for one in sent if "INSERT INTO audit" not in one]) <= 12, "\n".join(one[:110] for one in sent)
