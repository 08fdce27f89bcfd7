"""Status and progress change in the list without reloading: one poll for all rows, ended when none is left."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from tests.fix_pages import check

if TYPE_CHECKING:
    from flask.testing import FlaskClient

    from tests.fix_app import People, Person
    from tests.fix_exports import Exports

Open = Callable[["Person | None"], "FlaskClient"]


def poll_of(page: str) -> str:
    """The address that the list asks again and again; empty if it asks nothing."""
    found = re.search(r'<div id="live" hidden data-poll( hx-get="([^"]+)" hx-trigger="every 2s")?', page)
    assert found is not None
    return html.unescape(found[2] or "")


def test_a_list_without_a_live_row_asks_nothing(client: Open, people: People, made: Exports) -> None:
    made.finished(people.exporter)
    page = client(people.viewer).get("/exports").get_data(as_text=True)
    assert poll_of(page) == ""
    assert "http-equiv" not in page


def test_without_javascript_a_list_with_a_live_row_reloads_itself(client: Open, people: People, made: Exports) -> None:
    made.create(people.exporter)
    page = client(people.viewer).get("/exports").get_data(as_text=True)
    assert '<noscript><meta http-equiv="refresh" content="5"></noscript>' in page.partition("</head>")[0]


def test_nothing_new_is_answered_with_nothing(
    client: Open, people: People, made: Exports, htmx: dict[str, str]
) -> None:
    made.create(people.exporter)
    browser = client(people.viewer)
    address = poll_of(browser.get("/exports").get_data(as_text=True))
    response = browser.get(address, headers=htmx)
    assert (response.status_code, response.data) == (204, b"")


def test_rows_change_in_place_until_the_last_one_has_ended(
    client: Open, people: People, made: Exports, htmx: dict[str, str]
) -> None:
    one, other = made.create(people.exporter, "One"), made.create(people.exporter, "Other")
    browser = client(people.viewer)
    address = poll_of(browser.get("/exports").get_data(as_text=True))
    first = made.claim()
    made.beat(first, rows=500, size=5000, expected=1000)
    response = browser.get(address, headers=htmx)
    part = response.get_data(as_text=True)
    check(part, whole=False)
    assert response.status_code == 200
    assert f'<div id="st-{one.id}" hx-swap-oob="true">' in part
    assert "50 %" in part
    assert "#say" not in part

    made.publish(first)
    response = browser.get(poll_of(part), headers=htmx)
    part = response.get_data(as_text=True)
    assert response.status_code == 200
    assert '<div hx-swap-oob="innerHTML:#say">One: Finished. </div>' in part
    assert f'<div id="fs-{one.id}" hx-swap-oob="true"><span title="43 bytes">43 bytes</span></div>' in part
    assert str(one.id) not in poll_of(part)
    assert str(other.id) in poll_of(part)

    made.fail(made.claim())
    response = browser.get(poll_of(part), headers=htmx)
    part = response.get_data(as_text=True)
    assert response.status_code == 286
    assert poll_of(part) == ""
    assert "A field of this export no longer exists" in part


def test_another_brands_rows_are_as_unknown_ones(
    client: Open, people: People, made: Exports, htmx: dict[str, str]
) -> None:
    export = made.create(people.exporter, "Secret")
    stranger = client(people.stranger)
    theirs = stranger.get(f"/exports/live?v=1&ids={export.id}", headers=htmx)
    unknown = stranger.get("/exports/live?v=1&ids=11111111-1111-1111-1111-111111111111", headers=htmx)
    assert theirs.status_code == unknown.status_code == 286
    assert theirs.data == unknown.data


def test_nonsense_asks_for_nothing(client: Open, people: People, htmx: dict[str, str]) -> None:
    for query in ("", "?v=&ids=", "?ids=1,2,%00", "?ids=" + "x" * 5000):
        assert client(people.viewer).get(f"/exports/live{query}", headers=htmx).status_code == 286
