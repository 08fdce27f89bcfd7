"""The View tab: what an export is, how its newest run stands, and who may do what with it (SPEC section 4)."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING

import psycopg
import pytest

from exports import definition as definitions
from exports.errors import ExportsError, SourceRefused
from tests.fix_pages import check
from webapp.extensions import db
from webapp.models import Run, RunEvent

if TYPE_CHECKING:
    from flask.testing import FlaskClient

    from tests.fix_app import Clock, People, Person
    from tests.fix_exports import Exports, Made

Open = Callable[["Person | None"], "FlaskClient"]


def see(client: FlaskClient, export: Made) -> str:
    """The page of an export."""
    response = client.get(f"/exports/{export.id}")
    assert response.status_code == 200
    return response.get_data(as_text=True)


def test_a_waiting_export_says_so_and_can_be_cancelled(client: Open, people: People, made: Exports) -> None:
    export = made.create(people.exporter, "Our stores")
    page = see(client(people.exporter), export)
    found = check(page)
    assert found.title == "Our stores: Pending – Exports"
    assert "Waiting for a worker" in found.text
    assert {form["action"] for form in found.forms} >= {f"/runs/{export.run_id}/cancel"}
    assert "Run now" in found.text
    assert 'hx-trigger="every 1s"' in page
    assert '<noscript><meta http-equiv="refresh" content="5"></noscript>' in page.partition("</head>")[0]


def test_a_running_export_shows_rows_bytes_percent_speed_and_time_left(
    client: Open, people: People, made: Exports, clock: Clock
) -> None:
    clock.set("2026-11-23T10:00:00Z")
    export = made.create(people.exporter)
    mine = made.claim()
    made.beat(mine, rows=912_400, size=61_000_000, expected=1_469_307)
    clock.set("2026-11-23T10:00:01Z")
    text = check(see(client(people.viewer), export)).text
    assert "62 % 912,400 of about 1,469,307 rows · 61.0 MB" in text
    assert "rows/s" not in text
    clock.set("2026-11-23T10:00:04Z")
    text = check(see(client(people.viewer), export)).text
    assert "· 228,100 rows/s · about 2 s left" in text


def test_without_an_estimate_the_rows_so_far_are_shown(client: Open, people: People, made: Exports) -> None:
    export = made.create(people.exporter)
    made.beat(made.claim(), rows=912_400, size=61_000_000)
    page = see(client(people.viewer), export)
    assert "912,400 rows so far · 61.0 MB" in check(page).text
    assert '<progress max="100" aria-label="Progress"></progress>' in page


def test_an_estimate_that_was_too_low_never_says_that_it_is_done(client: Open, people: People, made: Exports) -> None:
    export = made.create(people.exporter)
    made.beat(made.claim(), rows=5000, size=100, expected=1000)
    assert "99 %" in check(see(client(people.viewer), export)).text


def test_an_export_without_rows_that_delivers_nothing_says_so(client: Open, people: People, made: Exports) -> None:
    from exports.pipeline import Result
    from webapp.services import runs

    export = made.create(people.exporter, if_empty="nothing")
    mine = made.claim()
    with people.exporter.app.app_context():
        runs.publish(mine, Result(0, 0, None, "", 1.0, delivered=False))
    found = check(see(client(people.exporter), export))
    assert "No rows, nothing delivered." in found.text
    assert f"/runs/{export.run_id}/download" not in found.links
    listed = check(client(people.exporter).get("/exports").get_data(as_text=True)).text
    assert "no rows, nothing delivered" in listed
    assert "0 bytes" not in listed
    answer = client(people.exporter).get(f"/runs/{export.run_id}/download")
    assert answer.status_code == 404
    assert "No record matched, so this run made no file" in check(answer.text).text


def test_run_now_while_a_run_is_in_progress_waits_for_its_end_and_says_so(
    client: Open, people: People, made: Exports
) -> None:
    export, browser = made.create(people.exporter), client(people.exporter)
    mine = made.claim()
    inputs = check(see(browser, export)).inputs
    data = {"csrf_token": inputs["csrf_token"], "token": inputs["token"]}
    assert browser.post(f"/exports/{export.id}/run", data=data).status_code == 303
    found = check(see(browser, export))
    assert "Waiting for the run before it in progress since" in found.text
    assert f"/runs/{export.run_id}" in found.links
    made.publish(mine)
    assert "Waiting for a worker" in check(see(browser, export)).text


def test_a_finished_export_offers_its_file(client: Open, people: People, made: Exports, clock: Clock) -> None:
    clock.set("2026-11-23T10:00:00Z")
    export = made.create(people.exporter, "Our stores")
    mine = made.claim()
    clock.set("2026-11-23T10:00:07.6Z")
    made.publish(mine, content=b"a\n" * 500_000)
    page = see(client(people.exporter), export)
    found = check(page)
    assert f"/runs/{export.run_id}/download" in found.links
    for words in ("Our stores.csv", "Rows 499,999", "Filesize 1.0 MB", "Took 7.6 s", "Data as of", "05:00:00",
                  "Kept until 23 Dec 2026", "SHA-256 of the csv"):  # fmt: skip
        assert words in found.text
    with people.exporter.at_work():
        sha256 = db.session.get_one(Run, export.run_id).sha256
    assert f'data-copy="{sha256}"' in page
    assert 'hx-trigger="every' not in page


def test_a_viewer_reads_in_place_of_the_download_why(client: Open, people: People, made: Exports) -> None:
    found = check(see(client(people.viewer), made.finished(people.exporter)))
    assert "You can see this export but not its data." in found.text
    assert not [link for link in found.links if "download" in link]
    assert "Run now" not in found.text


def test_a_file_that_is_no_longer_kept_is_not_offered(
    client: Open, people: People, made: Exports, clock: Clock
) -> None:
    clock.set("2026-01-01T10:00:00Z")
    export = made.finished(people.exporter)
    clock.set("2026-02-01T10:00:00Z")
    found = check(see(client(people.exporter), export))
    assert "The file was kept until 31 Jan 2026 and has been removed. Press Run now to get a new one." in found.text
    assert f"/runs/{export.run_id}/download" not in found.links


def test_a_failed_export_says_why_and_what_to_do(client: Open, people: People, made: Exports) -> None:
    export = made.create(people.exporter)
    made.fail(made.claim())
    found = check(see(client(people.exporter), export))
    assert "A field of this export no longer exists in the database: name." in found.text
    assert "Edit the export and take the field out" in found.text
    assert "What happened, step by step" in found.text
    assert "column stores.name does not exist" not in found.text, "details are folded, and fetched when they are opened"
    assert "Run now" in found.text


@pytest.mark.parametrize(("error", "look"), [(None, "btn-o"), (SourceRefused(), "btn-primary")])
def test_run_again_is_not_what_to_press_where_the_export_has_to_be_changed(
    client: Open, people: People, made: Exports, error: ExportsError | None, look: str
) -> None:
    export = made.create(people.exporter)
    made.fail(made.claim(), error)
    page = see(client(people.exporter), export)
    assert ("Then press Run now." in check(page).text) is (error is None)
    form = re.search(rf'action="/runs/{export.run_id}/again">(.*?)</form>', page, re.DOTALL)
    assert form
    assert re.findall(r"\bbtn-\w+", form[1]) == [look]


def test_who_cancelled_is_named(client: Open, people: People, made: Exports) -> None:
    export = made.create(people.exporter)
    browser = client(people.manager)
    inputs = check(see(browser, export)).inputs
    response = browser.post(f"/runs/{export.run_id}/cancel", data={"csrf_token": inputs["csrf_token"]})
    assert (response.status_code, response.headers["Location"]) == (303, f"/exports/{export.id}")
    assert "Cancelled by you" in check(see(browser, export)).text
    assert "Cancelled by Manager" in check(see(client(people.exporter), export)).text


def test_cancelling_a_running_one_is_said_until_it_has_stopped(client: Open, people: People, made: Exports) -> None:
    export = made.create(people.exporter)
    made.beat(made.claim(), rows=10, size=100, expected=1000)
    browser = client(people.exporter)
    inputs = check(see(browser, export)).inputs
    browser.post(f"/runs/{export.run_id}/cancel", data={"csrf_token": inputs["csrf_token"]})
    assert "Cancelling…" in check(see(browser, export)).text


@pytest.mark.parametrize("headers", [{}, {"HX-Request": "true"}], ids=["plain", "htmx"])
def test_run_now_runs_once_however_often_it_is_clicked(
    client: Open, people: People, made: Exports, headers: dict[str, str]
) -> None:
    export = made.finished(people.exporter)
    browser = client(people.exporter)
    inputs = check(see(browser, export)).inputs
    data = {"csrf_token": inputs["csrf_token"], "token": inputs["token"]}
    for _ in range(2):
        response = browser.post(f"/exports/{export.id}/run", data=data, headers=headers)
        assert response.status_code == (200 if headers else 303)
        assert response.headers["HX-Redirect" if headers else "Location"] == f"/exports/{export.id}"
    with people.exporter.at_work():
        assert db.session.query(Run).filter(Run.export_id == export.id).count() == 2
    found = check(see(browser, export))
    assert "Pending" in found.text
    assert f"/runs/{export.run_id}/download" in found.links, "the file of the run before is still there"


def test_run_now_without_its_token_is_refused(client: Open, people: People, made: Exports) -> None:
    export = made.finished(people.exporter)
    browser = client(people.exporter)
    inputs = check(see(browser, export)).inputs
    data = {"csrf_token": inputs["csrf_token"], "token": "x"}
    assert browser.post(f"/exports/{export.id}/run", data=data).status_code == 400


def test_an_exporter_runs_and_cancels_only_the_own(client: Open, people: People, made: Exports) -> None:
    export = made.create(people.exporter)
    browser = client(people.colleague)
    page = see(browser, export)
    assert "/cancel" not in page
    token = check(page).inputs["csrf_token"]
    assert browser.post(f"/runs/{export.run_id}/cancel", data={"csrf_token": token}).status_code == 403
    data = {"csrf_token": token, "token": str(uuid.uuid4())}
    assert browser.post(f"/exports/{export.id}/run", data=data).status_code == 403


def test_the_definition_is_told_in_words_and_as_json(client: Open, people: People, made: Exports) -> None:
    filters = [
        [
            {"attribute": "id", "operator": "is_not_empty"},
            {"attribute": "name", "operator": "contains", "value": "<b>"},
        ],
        [{"attribute": "name", "operator": "in", "value": ["Main Street", "Station"]}],
    ]
    fields = [
        {"from": "id", "to": "Store <i>"},
        {"from": "name", "default": "n/a", "replace": [{"value": "a", "new": "b"}]},
    ]
    export = made.create(people.exporter, filters=filters, fields=fields, file={"delimiter": ";", "bom": True})
    browser = client(people.viewer)
    found = check(see(browser, export))
    assert "Set A: Store identifier is not empty AND Name contains <b>" in found.text
    assert "OR Set B: Name is one of Main Street, Station" in found.text
    assert '.csv · semicolon · enclosure " · LF · header · UTF-8 with BOM · spreadsheets protected' in found.text
    for words in (
        "Time zone America/New_York",
        "id Store <i>",
        "name 1 value replaced n/a",
        "At once",
        "None: download",
    ):
        assert words in found.text
    response = browser.get(f"/exports/{export.id}/definition.json")
    assert response.headers["Content-Disposition"].startswith("attachment; ")
    with people.exporter.at_work():
        from webapp.services import exports

        one = exports.find(export.id)
        assert one
        assert definitions.parse(response.data) == exports.definition_of(one)
    assert json.loads(response.data)["filters"] == filters


def test_the_method_of_each_field_is_told_if_the_file_is_aggregated(
    client: Open, people: People, made: Exports
) -> None:
    fields = [{"from": "name", "aggregation": "group"}, {"from": "id", "aggregation": "count"}]
    found = check(see(client(people.viewer), made.create(people.exporter, fields=fields, aggregation=True)))
    for words in ("Aggregation On", "From To Default Aggregation", "name name Group", "id id Count"):
        assert words in found.text


def test_all_fields_are_listed_by_name(client: Open, people: People, made: Exports) -> None:
    export = made.create(people.exporter, fields=[], all_fields=True)
    found = check(see(client(people.viewer), export))
    assert re.search(r"Fields \d+ · all fields", found.text)
    assert "address" in found.text


def test_data_are_as_of_the_attempt_whose_file_it_is(client: Open, people: People, made: Exports, clock: Clock) -> None:
    clock.set("2026-11-23T10:00:00Z")
    export = made.create(people.exporter)
    from webapp.services import runs

    with made.app.app_context():
        runs.give_back(made.claim())
    clock.set("2026-11-23T12:30:00Z")
    made.publish(made.claim())
    text = check(see(client(people.viewer), export)).text
    assert re.search(r"Data as of (today|23 Nov 2026) 07:30:00", text)
    with people.exporter.at_work():
        assert db.session.query(RunEvent).filter(RunEvent.kind == "claimed").count() == 2


def test_what_a_criterion_names_is_told_by_its_name(
    client: Open, people: People, made: Exports, source_dsn: str
) -> None:
    with psycopg.connect(source_dsn) as source:
        wanted = "select id, name from loyalty.user_groups where brand = 'maple' and parent is null order by id limit 1"
        [id, name] = source.execute(wanted).fetchone() or ["", ""]
    chosen = {"attribute": "group_id", "operator": "in_group", "value": {"ids": [id]}}
    export = made.create(people.exporter, model="customers", filters=[[chosen]], fields=[{"from": "_id"}])
    assert f"User groups is in {name}" in check(see(client(people.exporter), export)).text
