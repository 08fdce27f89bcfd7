"""Beside the filters in Chromium: the last preview stands, whatever comes late; numbers are said once; Why? answers."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from playwright.sync_api import Page, Route, expect

from tests.end_to_end.test_wizard import begin, choose

if TYPE_CHECKING:
    from tests.fix_app import People

pytestmark = [pytest.mark.browser, pytest.mark.slow]
Visit = Callable[..., Any]

LISTEN = """
    window.heard = [];
    new MutationObserver(() => {
        const text = document.getElementById("say").textContent.trim();
        if (text) window.heard.push(text);
    }).observe(document.getElementById("say"), {childList: true, characterData: true, subtree: true});
"""


def stores(source_dsn: str, condition: str) -> int:
    """How many stores of maple meet a condition."""
    with psycopg.connect(source_dsn) as source:
        wanted = f"SELECT count(*) FROM loyalty.stores WHERE brand = 'maple' AND {condition}"
        row = source.execute(wanted.encode()).fetchone()
    assert row is not None
    return int(row[0])


def rows(number: int) -> str:
    """1 row matches, 2 rows match."""
    return f"{number:,} {'row matches' if number == 1 else 'rows match'}"


@pytest.mark.parametrize("late", ["preview", "count"])
def test_while_somebody_types_only_the_last_preview_stands(
    visit: Visit, people: People, source_dsn: str, late: str
) -> None:
    with visit(people.exporter) as visitor:
        page: Page = begin(visitor)
        choose(page, "A1", "name", "contains")
        value = page.locator("#filters-A-1-value")
        value.fill("S")
        expect(page.locator("#matching")).to_contain_text("Exact, counted")
        held: list[Route] = []
        page.evaluate(LISTEN)
        page.route(f"**/filters/{late}*", lambda route: held.append(route), times=1)
        with page.expect_request(f"**/filters/{late}*"):
            value.press_sequentially("tre")
        value.press_sequentially("et")
        page.keyboard.press("Home")
        wanted = stores(source_dsn, "name ILIKE '%Street%'")
        expect(page.locator("#matching .big")).to_have_text(f"{wanted:,}")
        for one in held:
            one.continue_()
        expect(page.locator("#count-A")).to_have_text(f"{wanted:,} {'row' if wanted == 1 else 'rows'}")
        page.wait_for_timeout(300)  # what came late would have been swapped in by now
        expect(page.locator("#matching .big")).to_have_text(f"{wanted:,}")
        assert value.input_value() == "Street"
        expect(value).to_be_focused()
        assert page.evaluate("document.activeElement.selectionStart") == 0
        heard = page.evaluate("window.heard")
        assert heard[-1] == rows(wanted)
        assert heard.count(rows(wanted)) == 1, heard


def test_a_mistake_in_one_set_leaves_the_other_counted(visit: Visit, people: People, source_dsn: str) -> None:
    with visit(people.exporter) as visitor:
        page: Page = begin(visitor)
        choose(page, "A1", "name", "is_not_empty")
        page.locator("button[value=or]").click()
        choose(page, "B1", "lat", "gte")
        page.locator("#filters-B-1-value").fill("north")
        every = f"{stores(source_dsn, 'true'):,} rows"
        expect(page.locator("#count-B")).to_have_text("not counted")
        expect(page.locator("#count-A")).to_have_text(every)
        expect(page.locator("#matching")).to_contain_text("Counted as soon as this is corrected")
        page.locator("#filters-B-1-value").fill("0")
        north = stores(source_dsn, "lat >= 0")
        expect(page.locator("#count-B")).to_have_text(f"{north:,} rows")
        expect(page.locator("#matching")).to_contain_text(f"{north:,} rows match both sets: they are in the file once.")


def test_which_criterion_keeps_everything_out_and_why_a_record_is_not_there(
    visit: Visit, people: People, source_dsn: str
) -> None:
    with psycopg.connect(source_dsn) as source:
        store = source.execute("SELECT min(id) FROM loyalty.stores WHERE brand = 'maple'").fetchone()
    assert store is not None
    with visit(people.exporter) as visitor:
        page: Page = begin(visitor)
        choose(page, "A1", "id", "is_not_empty")
        page.locator("button[value='and:A']").click()
        choose(page, "A2", "name", "equals")
        page.locator("#filters-A-2-value").fill("nowhere")
        page.get_by_role("button", name="Which criterion?").click()
        every = f"{stores(source_dsn, 'true'):,}"
        expect(page.locator("#without")).to_contain_text("Without A1 (Store identifier is not empty) set A matches 0")
        expect(page.locator("#without")).to_contain_text(f"Without A2 (Name equals nowhere) set A matches {every}")
        page.locator("#why").fill(store[0])
        page.locator("#why").press("Enter")
        expect(page.locator("#why-out")).to_contain_text("Not in the file: no set holds completely.")
        assert visitor.says() == "Not in the file: no set holds completely."
        expect(page.locator("#why-out li")).to_have_count(2)
        expect(page.locator("#why")).to_be_focused()
        expect(page.locator("#without")).to_contain_text("Without A2")
        page.locator("#rm-A2").click()
        expect(page.locator("#why-out")).to_contain_text("In the file: set A holds completely.")
        page.set_viewport_size({"width": 390, "height": 844})
        assert visitor.fits()
