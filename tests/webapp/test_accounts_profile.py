"""The profile page of a user: who it is, and the exports that are theirs."""

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


def test_it_names_the_person_and_their_exports(client: Open, people: People, made: Exports) -> None:
    export = made.create(people.exporter, "Mine")
    made.create(people.colleague, "Not mine")
    found = check(client(people.viewer).get(f"/users/{people.exporter.id}").get_data(as_text=True))
    for words in ("Exporter", people.exporter.email, "Role Exporter", "Time zone America/New_York", "Maple Grocers"):
        assert words in found.text
    assert f"/exports/{export.id}" in found.links
    assert "Not mine" not in found.text


def test_who_has_no_exports_yet(client: Open, people: People) -> None:
    assert "No exports" in check(client(people.viewer).get(f"/users/{people.viewer.id}").get_data(as_text=True)).text


def test_another_brands_people_are_as_unknown_ones(client: Open, people: People) -> None:
    browser = client(people.stranger)
    assert browser.get(f"/users/{people.exporter.id}").status_code == 404
    assert browser.get("/users/11111111-1111-1111-1111-111111111111").status_code == 404


def test_all_their_exports_are_there_page_by_page_in_the_same_table(
    client: Open, people: People, made: Exports, htmx: dict[str, str]
) -> None:
    for number in range(21):
        made.create(people.exporter, f"Number {number:02}")
    browser, at = client(people.viewer), f"/users/{people.exporter.id}"
    page = browser.get(f"{at}?sort=name").text
    found = check(page)
    assert "1–20 of 21 exports" in found.text
    assert {f"{at}?sort=-name", at} <= set(found.links)
    older = html.unescape(re.search(r'id="page-after" href="([^"]+)"', page)[1])  # type: ignore[index]
    part = browser.get(older, headers={**htmx, "HX-Target": "exports"}).text
    assert "21–21 of 21 exports" in check(part, whole=False).text
    assert "Number 20" in part
    assert "<html" not in part
    assert 'hx-trigger="every 2s"' in page, "what is live there changes as in the list"
