"""Field settings in Chromium: drag does what the arrows do, the picker's list, Aggregation to a file that is right."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import Page, expect

from tests.end_to_end.test_wizard import choose, go_on

if TYPE_CHECKING:
    from tests.fix_app import People

pytestmark = [pytest.mark.browser, pytest.mark.slow]
Visit = Callable[..., Any]

FIELDS = ["id", "name", "city", "group", "status", "country"]


def at_fields(page: Page, *fields: str, model: str = "stores", name: str = "Fields") -> None:
    """From the list of exports to Field settings, with these fields chosen."""
    page.get_by_role("link", name="Create new export").first.click()
    page.locator(f"[name=model][value={model}]").check()
    go_on(page, "localization")
    page.get_by_label("Name").fill(name)
    go_on(page, "filters")
    choose(page, "A1", "id" if model == "stores" else "_id", "is_not_empty")
    go_on(page, "fields")
    add(page, *fields)


def add(page: Page, *fields: str) -> None:
    """Type the id of each field and press Add."""
    for field in fields:
        place = page.locator(".flist > li").count() + 1
        page.locator("#pick").fill(field)
        page.locator("#pick-add").click()
        expect(page.locator(f"#f-{place} .from .mono")).to_have_text(field)


def order(page: Page) -> list[str]:
    """The ids of the fields as they stand on the page."""
    return page.locator(".flist > li .from > .mono").all_inner_texts()


def drag(page: Page, line: int, to: int) -> None:
    """Take a line by its handle and let it go over the middle of another."""
    handle = page.locator(f"#f-{line} [data-drag]").bounding_box()
    target = page.locator(f"#f-{to}").bounding_box()
    assert handle
    assert target
    page.mouse.move(handle["x"] + handle["width"] / 2, handle["y"] + handle["height"] / 2)
    page.mouse.down()
    beyond = 6 if to > line else -6
    page.mouse.move(target["x"] + 20, target["y"] + target["height"] / 2 + beyond, steps=8)
    page.mouse.up()


@pytest.mark.parametrize(("line", "to"), [(1, 4), (6, 2), (3, 2)])
def test_a_drag_gives_the_order_that_the_arrows_give(visit: Visit, people: People, line: int, to: int) -> None:
    with visit(people.exporter) as visitor:
        page = visitor.open("/exports")
        at_fields(page, *FIELDS)
        page.locator(f"#fields-{line}-to").fill("Moved")
        arrow = "down" if to > line else "up"
        at = line
        while at != to:
            page.locator(f"#{arrow}-{at}").click()
            at += 1 if to > line else -1
            expect(page.locator(f"#f-{at} .from .mono")).to_have_text(FIELDS[line - 1])
        by_arrows = order(page)
        said = page.locator("#say").inner_text()
        assert re.fullmatch(rf"Moved .+ to position {to} of 6", said)

        opposite = "up" if arrow == "down" else "down"
        while at != line:
            page.locator(f"#{opposite}-{at}").click()
            at += 1 if to < line else -1
            expect(page.locator(f"#f-{at} .from .mono")).to_have_text(FIELDS[line - 1])
        assert order(page) == FIELDS

        with page.expect_response(lambda answer: answer.request.method == "POST" and answer.url.endswith("/fields")):
            drag(page, line, to)
        expect(page.locator("#say")).to_have_text(said)
        assert order(page) == by_arrows
        expect(page.locator(f"#fields-{to}-to")).to_have_value("Moved")
        page.reload()
        assert order(page) == by_arrows


def test_escape_puts_a_dragged_line_back(visit: Visit, people: People) -> None:
    with visit(people.exporter) as visitor:
        page = visitor.open("/exports")
        at_fields(page, *FIELDS[:3])
        handle, last = page.locator("#f-1 [data-drag]").bounding_box(), page.locator("#f-3").bounding_box()
        assert handle
        assert last
        assert min(handle["width"], handle["height"]) >= 24
        page.mouse.move(handle["x"] + 5, handle["y"] + 5)
        page.mouse.down()
        page.mouse.move(handle["x"] + 5, last["y"] + last["height"], steps=5)
        expect(page.locator(".flist > li").last).to_have_id("f-1")
        page.keyboard.press("Escape")
        page.mouse.up()
        assert order(page) == FIELDS[:3]


def test_the_picker_lists_what_fits_and_adds_what_is_chosen_by_keys(visit: Visit, people: People) -> None:
    with visit(people.exporter) as visitor:
        page = visitor.open("/exports")
        at_fields(page, model="events")
        page.locator("#pick").press_sequentially("stamp")
        options = page.locator("#o-pick [role=option]")
        expect(options.first).to_contain_text("Occurred at")
        assert all("stamp" in text.lower() for text in options.all_inner_texts())
        page.keyboard.press("ArrowDown")
        page.keyboard.press("ArrowDown")
        expect(options.nth(1)).to_have_attribute("aria-selected", "true")
        page.keyboard.press("Enter")
        expect(page.locator("#f-1 .from .mono")).to_have_text("unix_timestamp")
        expect(page.locator("#pick")).to_be_focused()
        page.keyboard.type("Quant")
        expect(options).to_have_count(2)
        options.get_by_text("properties.quantity").click()
        expect(page.locator("#f-2 .from .mono")).to_have_text("properties.quantity")
        expect(page.locator(".flist > li")).to_have_count(2)
        page.locator("#pick").press_sequentially("nonsense")
        expect(page.locator("#o-pick")).to_contain_text("No field is named like “nonsense”")
        page.keyboard.press("Escape")
        expect(page.locator("#o-pick")).to_be_hidden()
        expect(page.locator("#pick")).to_have_value("nonsense")
