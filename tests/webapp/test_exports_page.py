"""The Exports page: what stands in it, for whom, with and without htmx (SPEC section 2, UX section 3.1)."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from tests.fix_pages import check
from webapp.extensions import db
from webapp.models import Export, User

if TYPE_CHECKING:
    from flask.testing import FlaskClient

    from tests.fix_app import People, Person
    from tests.fix_exports import Exports

Open = Callable[["Person | None"], "FlaskClient"]

HOSTILE = ["<script>alert(1)</script>", '<a hx-on:click="alert(1)">x</a>', "{{7*7}}", '"><img src=x onerror=alert(1)>']


def names(page: str) -> list[str]:
    """The names in the table, from the top."""
    return [html.unescape(name) for name in re.findall(r'<a class="nm"[^>]*>([^<]*)</a>', page)]


def page_of(client: FlaskClient, address: str = "/exports", **headers: str) -> str:
    """A page that is there."""
    response = client.get(address, headers=headers)
    assert response.status_code == 200
    return response.get_data(as_text=True)


def test_the_start_page_leads_to_the_list(client: Open, people: People) -> None:
    assert client(people.viewer).get("/").headers["Location"] == "/exports"


def test_an_empty_brand_is_told_what_to_do(client: Open, people: People) -> None:
    found = check(page_of(client(people.exporter)))
    assert "No exports yet" in found.text
    assert found.links.count("/exports/new") == 1


def test_who_may_not_create_sees_no_button(client: Open, people: People, made: Exports) -> None:
    assert "/exports/new" not in check(page_of(client(people.viewer))).links
    made.create(people.exporter)
    assert "/exports/new" not in check(page_of(client(people.viewer))).links
    assert check(page_of(client(people.exporter))).links.count("/exports/new") == 1


def test_a_row_says_everything_about_an_export(client: Open, people: People, made: Exports) -> None:
    export = made.finished(people.exporter, "Our stores", content=b"x" * 421_950 + b"\n")
    page = page_of(client(people.viewer))
    found = check(page)
    for words in (
        "Our stores",
        "Exporter",
        "Stores",
        "Finished",
        "422 kB",
        "1–1 of 1 export · times in America/New_York",
    ):
        assert words in found.text
    assert 'title="421,951 bytes"' in page
    assert f"/exports/{export.id}" in found.links
    assert f"/users/{people.exporter.id}" in found.links
    assert re.search(r"Today \d\d:\d\d", found.text)
    assert "Details of Our stores" in found.text


def test_a_failed_export_says_why_below_its_name(client: Open, people: People, made: Exports) -> None:
    made.create(people.exporter)
    made.fail(made.claim())
    found = check(page_of(client(people.viewer)))
    assert "Failed" in found.text
    assert "A field of this export no longer exists in the database: name." in found.text


def test_the_size_is_that_of_the_latest_file_also_when_a_later_run_failed(
    client: Open, people: People, made: Exports
) -> None:
    export = made.finished(people.exporter, content=b"y" * 1_234_567)
    browser = client(people.exporter)
    token = check(page_of(browser, f"/exports/{export.id}")).inputs
    browser.post(f"/exports/{export.id}/run", data={"csrf_token": token["csrf_token"], "token": token["token"]})
    made.fail(made.claim())
    found = check(page_of(browser))
    assert "Failed" in found.text
    assert "1.2 MB" in found.text


def test_a_running_export_shows_how_far_it_is(client: Open, people: People, made: Exports) -> None:
    made.create(people.exporter, "Long one")
    made.beat(made.claim(), rows=620, size=10_000, expected=1000)
    page = page_of(client(people.viewer))
    check(page)
    assert '<progress class="thin" max="100" value="62" aria-label="Progress of Long one">' in page
    assert "62 %" in page


def test_sorting_goes_both_ways_and_is_told_to_screen_readers(client: Open, people: People, made: Exports) -> None:
    for name in ("b", "c", "a"):
        made.create(people.exporter, name)
    browser = client(people.viewer)
    assert names(page_of(browser)) == ["a", "c", "b"]
    page = page_of(browser)
    assert 'aria-sort="descending"' in page
    assert {"/exports?sort=created", "/exports?sort=name"} <= set(check(page).links)
    page = page_of(browser, "/exports?sort=name")
    assert names(page) == ["a", "b", "c"]
    assert 'aria-sort="ascending"' in page
    assert "/exports?sort=-name" in check(page).links


@pytest.mark.parametrize("search", ["%", "' OR 1=1--", "<script>alert(1)</script>", "\\", "_"])
def test_search_is_literal(client: Open, people: People, made: Exports, search: str) -> None:
    made.create(people.exporter, "Milk")
    made.create(people.exporter, f"{search} wanted")
    response = client(people.viewer).get("/exports", query_string={"q": search})
    page = response.get_data(as_text=True)
    assert names(page) == [f"{search} wanted"]
    assert check(page).inputs["q"] == search


def test_a_search_without_a_hit_can_be_cleared(client: Open, people: People, made: Exports) -> None:
    made.create(people.exporter, "Milk")
    found = check(page_of(client(people.viewer), "/exports?q=nothing+like+it&status=Failed"))
    assert "No export is named like “nothing like it” with these filters." in found.text
    assert {"/exports?status=Failed", "/exports?q=nothing+like+it"} <= set(found.links)


def test_filters_by_status_model_and_owner(client: Open, people: People, made: Exports) -> None:
    made.create(people.exporter, "failed one")
    made.fail(made.claim())
    made.create(people.colleague, "waiting one")
    browser = client(people.colleague)
    expected = {
        "status=Failed": ["failed one"],
        "status=last-run-failed": ["failed one"],
        "status=Pending": ["waiting one"],
        "model=events": [],
        "model=stores": ["waiting one", "failed one"],
        "owner=mine": ["waiting one"],
        "owner=mine&status=Failed": [],
    }
    assert {query: names(page_of(browser, f"/exports?{query}")) for query in expected} == expected


@pytest.mark.parametrize(
    "query",
    ["sort=password", "dir=up", "after=-1", "after=999999999999", "after=1.5", "after=%00", "status=x", "model=x",
     "owner=somebody", "first=-3", "first=99999999999999", "q=%00", "after=" + "A" * 3000],
)  # fmt: skip
def test_what_makes_no_sense_is_left_out(client: Open, people: People, made: Exports, query: str) -> None:
    made.create(people.exporter, "Milk")
    assert names(page_of(client(people.viewer), f"/exports?{query}")) == ["Milk"]


def test_pages_lead_on_and_back(client: Open, people: People, made: Exports) -> None:
    first = made.create(people.exporter, "export 000")
    with people.exporter.at_work():
        one = db.session.get_one(Export, first.id)
        for number in range(1, 120):
            db.session.add(
                Export(name=f"export {number:03}", model=one.model, owner_id=one.owner_id, created_by_id=one.owner_id)
            )
        db.session.commit()
    browser, address, seen, told = client(people.viewer), "/exports?sort=name", [], []
    while address:
        page = page_of(browser, address)
        found = check(page)
        seen += names(page)
        told.append(re.search(r"\d+–\d+ of 120 exports", found.text)[0])  # type: ignore[index]
        older = re.search(r'id="page-after" href="([^"]+)"', page)
        address = html.unescape(older[1]) if older else ""
    assert seen == [f"export {number:03}" for number in range(120)]
    assert told == [f"{one}–{min(one + 24, 120)} of 120 exports" for one in range(1, 121, 25)]
    back = html.unescape(re.search(r'id="page-before" href="([^"]+)"', page)[1])  # type: ignore[index]
    page = page_of(browser, back)
    assert names(page) == [f"export {number:03}" for number in range(75, 100)]
    assert "76–100 of 120 exports" in page


def test_htmx_gets_the_table_alone_and_a_sentence_for_screen_readers(
    client: Open, people: People, made: Exports, htmx: dict[str, str]
) -> None:
    made.create(people.exporter, "Milk")
    made.create(people.exporter, "Bread")
    browser = client(people.viewer)
    response = browser.get("/exports?q=milk", headers={**htmx, "HX-Target": "exports"})
    part = response.get_data(as_text=True)
    check(part, whole=False)
    assert "<html" not in part
    assert names(part) == ["Milk"]
    assert '<div hx-swap-oob="innerHTML:#say">1 export found</div>' in part
    assert {"HX-Request", "HX-Target"} <= set(response.vary)
    assert names(page_of(browser, "/exports?q=milk")) == ["Milk"]


@pytest.mark.parametrize(
    "headers", [{"HX-Boosted": "true"}, {"HX-History-Restore-Request": "true"}, {"HX-Target": "main"}]
)
def test_every_other_request_gets_the_page(
    client: Open, people: People, htmx: dict[str, str], headers: dict[str, str]
) -> None:
    check(page_of(client(people.viewer), **htmx, **headers))


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_are_shown_as_they_are(client: Open, people: People, made: Exports, name: str) -> None:
    export = made.create(people.exporter, name)
    with people.exporter.at_work():
        user = db.session.get_one(User, people.exporter.id)
        user.name = name
        db.session.commit()
    browser = client(people.exporter)
    for address in ("/exports", f"/exports/{export.id}", f"/users/{people.exporter.id}"):
        found = check(page_of(browser, address))
        assert " ".join(name.split()) in found.text


def test_another_brand_has_its_own_list(client: Open, people: People, made: Exports) -> None:
    made.create(people.exporter, "Secret of maple")
    page = page_of(client(people.stranger))
    assert "Secret of maple" not in page
    assert "No exports yet" in page


def test_show_runs_lists_runs_as_rows_that_lead_to_the_run(client: Open, people: People, made: Exports) -> None:
    export = made.finished(people.exporter, "Milk", content=b"x" * 421_950 + b"\n")
    made.create(people.exporter, "Bread")
    browser = client(people.exporter)
    page = page_of(browser, "/exports?runs=1")
    found = check(page)
    assert names(page) == ["Bread", "Milk"]
    assert f"/runs/{export.run_id}" in found.links
    assert "1–2 of 2 runs" in found.text
    assert "Success" in found.text
    assert 'title="421,951 bytes"' in page
    assert 'name="runs" value="1" autocomplete="off" checked' in page
    assert 'id="several"' not in page
    assert names(page_of(browser, "/exports?runs=1&status=Pending")) == ["Bread"]
    assert "No run with these filters." in check(page_of(browser, "/exports?runs=1&status=Cancelled")).text
    poll = html.unescape(re.search(r'hx-get="(/exports/live[^"]+)"', page)[1])  # type: ignore[index]
    assert browser.get(poll).status_code == 204
    made.publish(made.claim())
    ended = browser.get(poll)
    assert ended.status_code == 286
    assert "Success" in ended.get_data(as_text=True)


def test_the_list_leads_back_to_what_was_begun_in_the_wizard(client: Open, people: People, made: Exports) -> None:
    made.create(people.exporter, "Milk")
    browser = client(people.exporter)
    assert "Not finished yet" not in page_of(browser)
    token = check(page_of(browser, "/exports/new")).inputs["csrf_token"]
    step = browser.post("/exports/new", data={"csrf_token": token, "model": "stores"}).headers["Location"]
    found = check(page_of(browser))
    assert "Not finished yet Without a name" in found.text
    assert step in found.links, "it goes on with the first step that is not done"
    assert "Not finished yet" not in page_of(browser, "/exports?q=milk")
    assert "Not finished yet" not in page_of(client(people.colleague))
