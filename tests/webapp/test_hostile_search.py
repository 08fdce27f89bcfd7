"""Hostile search, sort and places of pages: literal, capped, harmless (RELIABILITY section 5, group search_sort)."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

import pytest

from tests.fix_hostile import group
from tests.fix_pages import check

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask.testing import FlaskClient

    from tests.fix_app import People, Person
    from tests.fix_exports import Exports

Open = "Callable[[Person | None], FlaskClient]"
VALUES: Final = [value for value, _ in group("search_sort")]
NAMES: Final = ("100 % milk", "' OR 1=1-- milk", "<script>alert(1)</script> milk", "plain milk", "%")
"""Each hostile search finds the one export that is called so, by its beginning where it is short."""


def names(page: str) -> list[str]:
    """The exports on a page, in their order."""
    text = check(page).text
    return sorted((one for one in NAMES if f"Details of {one} " in f"{text} "), key=lambda one: text.index(one))


@pytest.mark.parametrize("value", VALUES)
def test_each_is_answered_as_the_list_says(
    client: Callable[[Person | None], FlaskClient], people: People, made: Exports, value: str
) -> None:
    for name in NAMES:
        made.create(people.exporter, name)
    browser = client(people.viewer)
    usual = names(browser.get("/exports").get_data(as_text=True))
    assert len(usual) == len(NAMES)
    name, _, text = value.partition("=")
    asked = {name: text}
    began = time.perf_counter()
    answer = browser.get(f"/exports?{urlencode(asked)}")
    took = time.perf_counter() - began
    page = answer.get_data(as_text=True)
    assert answer.status_code == 200
    if name != "q":
        assert names(page) == usual, "the first page in its usual order"
        assert took < 1.0
        return
    assert names(page) == [one for one in usual if one.startswith(text) or (len(text) > 2 and text in one)]
    assert names(page), "and it is found"
    assert "<script>alert" not in page
    headers = {"HX-Request": "true", "HX-Target": "exports", "HX-Current-URL": "http://localhost/exports"}
    part = browser.get(f"/exports?{urlencode(asked)}", headers=headers)
    assert part.status_code == 200
    assert "<script>alert" not in part.get_data(as_text=True)
    assert not {"<", ">", '"', "'"} & set(part.headers.get("HX-Replace-Url", "") + part.headers.get("HX-Push-Url", ""))
