"""No parameter reaches SQL as anything but a value: lists, search, sort, pages and previews of page and API."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.campaigns import campaign, seen
from tests.fix_api import Program
from tests.fix_hostile import group, shown

if TYPE_CHECKING:
    from flask import Flask
    from flask.testing import FlaskClient

    from tests.fix_app import People, Person
    from tests.fix_exports import Exports

Open = Callable[["Person | None"], "FlaskClient"]
Start = Callable[..., Program]

PAGE: Final = ("q", "status", "model", "owner", "sort", "after", "first")
API: Final = ("search", "status", "model", "owner", "sort", "after", "limit", "last_run_failed", "archived")
PIECES: Final = (
    "'", '"', ";", "--", "/*", "*/", "\\", "%", "_", "$$", "\x00", ")", "(", "||", " OR 1=1", "' OR '1'='1",
    "'; DROP TABLE exports",
    "pg_sleep(5)", "UNION SELECT", "::int", "created_at", "name", "-created", "{0}", "%s", "%(x)s", ":x", "\ud800", "é",
    "0x27", "LIKE", "\n", "<script>", "W10", "eyJ",
)  # fmt: skip
TEXT: Final = st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=8)), max_size=5).map("".join)


@dataclasses.dataclass
class Both:
    """A browser and a program of the same person, before a list of three exports."""

    browser: FlaskClient
    program: Program


@pytest.fixture
def both(
    app: Flask, client: Open, program: Start, people: People, made: Exports, monkeypatch: pytest.MonkeyPatch
) -> Both:
    """One of the exports is called as if it were a condition."""
    monkeypatch.setitem(app.config, "SETTINGS", dataclasses.replace(app.config["SETTINGS"], api_limit=1_000_000))
    for name in ("100 % of stores", "' OR 1=1--", "a_b"):
        made.create(people.exporter, name)
    return Both(client(people.exporter), program(people.exporter))


def query(parameters: dict[str, str]) -> str:
    """The part after the question mark, also of what no browser would send."""
    return "&".join(f"{name}={quote(text.encode('utf-8', 'surrogatepass'))}" for name, text in parameters.items())


@campaign("injection", short=50, long=20_000)
@given(page=st.dictionaries(st.sampled_from(PAGE), TEXT, max_size=4),
       api=st.dictionaries(st.sampled_from(API), TEXT, max_size=4))  # fmt: skip
def test_whatever_the_parameters_hold_lists_are_lists(both: Both, page: dict[str, str], api: dict[str, str]) -> None:
    response = both.browser.get(f"/exports?{query(page)}")
    assert response.status_code == 200, page
    assert "Traceback" not in response.get_data(as_text=True)
    answer = both.program.get(f"/exports?{query(api)}")
    assert answer.status_code in (200, 422), api
    if answer.status_code == 422:
        assert {one["at"] for one in answer.get_json(force=True)["errors"]} <= set(api)
    seen("list", str(answer.status_code))


@campaign("injection", short=50, long=10_000)
@given(text=TEXT.filter(lambda text: "\x00" not in text and "\ud800" not in text))
def test_a_search_finds_what_has_the_text_and_nothing_else(both: Both, text: str) -> None:
    names = ["100 % of stores", "' OR 1=1--", "a_b"]
    wanted = text.strip()[:200]
    lowered = wanted.lower()
    expected = {
        one for one in names if (lowered in one.lower() if len(wanted) > 2 else one.lower().startswith(lowered))
    }
    answer = both.program.get(f"/exports?{query({'search': text})}")
    assert {one["name"] for one in answer.get_json()["exports"]} == expected
    seen("search", "found" if expected else "nothing")


@pytest.mark.parametrize(
    "value", [value for value, _ in group("search_sort")], ids=[shown(value) for value, _ in group("search_sort")]
)
def test_the_hostile_searches_are_answered_as_listed(both: Both, value: str) -> None:
    name, _, text = value.partition("=")
    page = both.browser.get(f"/exports?{query({name: text})}")
    assert page.status_code == 200
    shown_names = re.findall(r'class="nm"[^>]*>([^<]+)<', page.get_data(as_text=True))
    if name == "q":
        assert len(shown_names) == {"%": 0, "' OR 1=1--": 1}.get(text, 0)
        assert "<script>alert" not in page.get_data(as_text=True)
    else:
        assert len(shown_names) == 3
    asked: dict[str, Any] = {"search" if name == "q" else name: text}
    answer = both.program.get(f"/exports?{query(asked)}")
    if name == "q":
        assert len(answer.get_json()["exports"]) == len(shown_names)
    else:
        assert answer.status_code == 422, "a program is told; a person just gets the list"
