"""What stands beside a date while it is typed: the day that is meant, in the export's zone, and its traps."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest

from tests.fix_pages import check
from tests.webapp.test_wizard_filters import at_filters, choose
from webapp.views.wizard import beside

if TYPE_CHECKING:
    from tests.fix_app import People, Person
    from tests.fix_wizard import Wizard

Tab = Callable[["Person"], "Wizard"]

VECTORS = json.loads((Path(__file__).parent.parent / "data/date_expressions.json").read_text())
GOLDEN = [one for one in VECTORS if one["tier"] in ("documented", "php") and one["date"]]
TWENTY = GOLDEN[:: len(GOLDEN) // 20][:20]


@pytest.mark.parametrize("vector", TWENTY, ids=[f"{one['expr']} {one['base']}" for one in TWENTY])
def test_the_day_of_an_expression_is_said(vector: dict[str, Any]) -> None:
    zone = ZoneInfo(vector["tz"])
    now = datetime.fromisoformat(vector["base"])
    now = now.replace(tzinfo=zone) if now.tzinfo is None else now
    day = date.fromisoformat(vector["date"])
    place = vector["tz"].rpartition("/")[2].replace("_", " ")
    said = f"{day:%a} {day.day} {day:%b} {day.year}"
    shown = {
        bound: beside.moment(f"date: {vector['expr']}", now, zone, bound=bound)  # type: ignore[arg-type]
        for bound in (None, "start", "whole")
    }
    assert {bound: one.says if one else "" for bound, one in shown.items()} == {
        None: said,
        "start": f"{said}, 00:00 ({place})",
        "whole": f"{said}, the whole day ({place})",
    }


def test_a_midnight_that_the_clock_leaves_out_is_not_said() -> None:
    now = datetime(2024, 4, 26, 12, tzinfo=UTC)
    found = beside.moment("date: today", now, ZoneInfo("Africa/Cairo"), bound="start")
    assert found is not None
    assert found.says == "Fri 26 Apr 2024, 01:00 (Cairo)"


def test_a_trap_is_explained() -> None:
    now = datetime(2026, 10, 31, 12, tzinfo=UTC)
    found = beside.moment("date: -1 month", now, ZoneInfo("UTC"), bound="start")
    assert found is not None
    assert found.hints == ("31 October − 1 month has no 31st: this gives 1 October. Try “last day of last month”.",)


@pytest.mark.parametrize(
    "text", ["", "2017-01-31", "date:", "date: first day of this year", "date: +999999 years", "date"]
)
def test_what_is_no_expression_has_nothing_beside_it(text: str) -> None:
    for bound in (None, "start", "whole"):
        assert beside.moment(text, datetime(2026, 1, 1, tzinfo=UTC), ZoneInfo("UTC"), bound=bound) is None  # type: ignore[arg-type]


@pytest.mark.parametrize("text", ["date: 0001-01-01", "date: 9999-12-31", "datetime: 9999-12-31 23:59:59"])
@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Etc/GMT+12"])
def test_the_ends_of_the_calendar_break_nothing(text: str, zone: str) -> None:
    beside.moment(text, datetime(2026, 1, 1, tzinfo=UTC), ZoneInfo(zone), bound="start")


def said(wizard: Wizard, label: str, part: str) -> str:
    """What the answer to typing says."""
    answer = wizard.swap(
        wizard.form.values, f"r-filters-{part}", f"/drafts/{wizard.draft_id}/filters/hint/{label}/{part}"
    )
    assert answer.status_code == 200
    return check(answer.get_data(as_text=True), whole=False).text


def test_while_typing_the_day_is_told_and_nothing_is_stored(tab: Tab, people: People) -> None:
    someone = tab(people.exporter)
    at_filters(someone)
    choose(someone, "timestamp", "gte")
    someone.fill({"filters-A-1-value": "date: first day of january 2017"})
    assert said(someone, "A1", "value") == "This is Sun 1 Jan 2017, 00:00 (New York)"
    assert someone.typed.sets[0][0].value == ""
    someone.fill({"filters-A-1-value": "date: first day of"})
    assert said(someone, "A1", "value") != "", "bare “first day of” is the first of this month"
    someone.fill({"filters-A-1-value": "date: first day of this year"})
    assert said(someone, "A1", "value") == ""


def test_the_zone_is_that_of_the_draft(tab: Tab, people: People) -> None:
    someone = tab(people.exporter)
    at_filters(someone)
    someone.open("localization")
    someone.fill(timezone="Africa/Cairo")
    someone.press("next")
    choose(someone, "timestamp", "gte")
    someone.fill({"filters-A-1-value": "date: 2024-04-26"})
    assert said(someone, "A1", "value") == "This is Fri 26 Apr 2024, 01:00 (Cairo)"


def test_from_and_to_of_special_operators_are_told_as_well(tab: Tab, people: People) -> None:
    someone = tab(people.exporter)
    at_filters(someone)
    choose(someone, "customer.action_history", "action_taken")
    someone.fill({"filters-A-1-low": "date: 2017-01-01", "filters-A-1-high": "datetime: 2017-01-31 08:30"})
    assert said(someone, "A1", "low") == "This is Sun 1 Jan 2017, 00:00 (New York)"
    assert said(someone, "A1", "high") == "This is Tue 31 Jan 2017, 08:30 (New York)"
    someone.press("and:A")
    assert "This is Tue 31 Jan 2017, 08:30 (New York)" in someone.text, "also when the page is opened again"


def test_a_hint_about_nothing_is_empty(tab: Tab, people: People) -> None:
    someone = tab(people.exporter)
    at_filters(someone)
    for label, part in (("A1", "value"), ("Z9", "value"), ("x", "low"), ("A1", "attribute"), ("A1", "__class__")):
        assert said(someone, label, part) == ""


def test_what_a_date_means_describes_its_input(tab: Tab, people: People) -> None:
    someone = tab(people.exporter)
    at_filters(someone)
    choose(someone, "timestamp", "gte")
    page = someone.client.get(someone.path).get_data(as_text=True)
    check(page)
    [described] = re.findall(r'id="filters-A-1-value"[^>]* aria-describedby="([^"]*)"', page)
    assert "r-filters-A-1-value" in described.split()
    assert re.search(r'id="why"[^>]* aria-describedby="why-verdict"', page)
