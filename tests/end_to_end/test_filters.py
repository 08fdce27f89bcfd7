"""The inputs of criteria in Chromium: records searched and chosen, dates told as they are typed, also by keyboard."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import Request, expect

from tests.end_to_end.test_wizard import begin, choose, go_on

if TYPE_CHECKING:
    from tests.fix_app import People

pytestmark = [pytest.mark.browser, pytest.mark.slow]
Visit = Callable[..., Any]


def test_records_are_searched_and_chosen_with_the_keyboard_and_with_the_mouse(
    visit: Visit, people: People, source_dsn: str
) -> None:
    with visit(people.exporter) as visitor:
        page = begin(visitor, "customers")
        choose(page, "A1", "action_history", "action_taken")
        find, options = page.locator("#filters-A-1-find"), page.locator("#o-filters-A-1-find [role=option]")
        find.press_sequentially("checkout")
        expect(options.first).to_contain_text("Checkout")
        expect(find).to_have_attribute("aria-expanded", "true")
        find.press("ArrowDown")
        expect(find).to_have_attribute("aria-activedescendant", "filters-A-1-find-option-0")
        with page.expect_response("**/save"):
            find.press("Enter")
        expect(find).to_have_value("")
        expect(find).to_be_focused()
        expect(options.first).to_be_hidden()
        find.press_sequentially("visit")
        expect(options.first).to_contain_text("Visit")
        find.press("Escape")
        expect(options.first).to_be_hidden()
        expect(find).to_have_value("visit")
        find.press("ArrowDown")
        expect(options.first).to_be_visible()
        with page.expect_response("**/save"):
            options.first.click()
        chosen = page.locator("[name=filters-A-1-values]:checked")
        expect(chosen).to_have_count(2)
        with page.expect_response(lambda answer: _is_saved_without(answer.request, "values=checkout")):
            chosen.first.uncheck()
        page.reload()
        expect(page.locator("#t-filters-A-1-values")).to_contain_text("Visit")
        expect(chosen).to_have_count(1)
        page.locator("#filters-A-1-least").fill("2")
        page.locator("#filters-A-1-low").fill("date: first day of january 2017")
        expect(page.locator("#r-filters-A-1-low")).to_contain_text("Sun 1 Jan 2017, 00:00 (New York)")
        go_on(page, "fields")


def _is_saved_without(asked: Request, value: str) -> bool:
    """Whether it is a save, in which this value is no longer: previews are asked for meanwhile as well."""
    return asked.url.endswith("/save") and asked.method == "POST" and value not in (asked.post_data or value)


def test_a_store_is_searched_by_its_name_and_stored_by_its_id(visit: Visit, people: People, source_dsn: str) -> None:
    with visit(people.exporter) as visitor:
        page = begin(visitor, "events")
        choose(page, "A1", "properties.store", "equals")
        value = page.locator("#filters-A-1-value")
        value.press_sequentially("maple grocers")
        first = page.locator("#o-filters-A-1-value [role=option]").first
        name, id = first.get_attribute("data-name"), first.get_attribute("data-id")
        first.click()
        expect(value).to_have_value(id or "")
        expect(first).to_be_hidden()
        expect(page.locator("#r-filters-A-1-value")).to_contain_text(name or "")
        expect(page.locator("#matching")).to_contain_text("Exact, counted in")
        value.fill("no store")
        expect(page.locator("#r-filters-A-1-value")).to_contain_text("No Store has the ID “no store”")


def test_enter_takes_what_the_list_has_for_this_text_and_never_leaves_the_step_with_a_name(
    visit: Visit, people: People, source_dsn: str
) -> None:
    with visit(people.exporter) as visitor:
        page = begin(visitor, "events")
        choose(page, "A1", "properties.store", "equals")
        value, options = page.locator("#filters-A-1-value"), page.locator("#o-filters-A-1-value [role=option]")
        value.press_sequentially("maple")
        expect(options).not_to_have_count(1)
        expect(options.first).to_be_visible()
        name, id = options.first.get_attribute("data-name") or "", options.first.get_attribute("data-id") or ""
        value.press("Enter")
        value.fill(id)
        value.press("Enter")
        expect(value).to_have_value(id)
        expect(options).to_have_count(1)
        value.press("End")
        value.press_sequentially("x")
        value.press("Enter")
        expect(value).to_have_value(f"{id}x")
        expect(options).to_have_count(0)
        value.press("Enter")
        assert page.url.endswith("/filters")
        value.fill(name)
        expect(options).to_have_count(1)
        value.press("Enter")
        expect(value).to_have_value(id)
        expect(page).to_have_url(re.compile("/filters$"))
        with page.expect_navigation():
            value.press("Enter")
        assert "/fields" in page.url


def test_a_date_is_told_while_it_is_typed_and_a_mistake_after_a_pause(visit: Visit, people: People) -> None:
    with visit(people.exporter) as visitor:
        page = begin(visitor, "events")
        choose(page, "A1", "timestamp", "gte")
        value, told = page.locator("#filters-A-1-value"), page.locator("#r-filters-A-1-value")
        wrong = page.locator("#e-filters-A-1-value")
        value.press_sequentially("date: first day of january 2017")
        expect(told).to_contain_text("Sun 1 Jan 2017, 00:00 (New York)")
        expect(wrong).to_be_empty()
        value.fill("date: first day of this year")
        expect(told).to_be_empty()
        expect(wrong).to_contain_text("Write “first day of january” for 1 January.")
        expect(value).to_have_attribute("aria-invalid", "true")
        expect(page.locator("#errors")).to_have_count(0)
        value.fill("date: this week")
        expect(told).to_contain_text("is the Monday of that week")
        expect(wrong).to_be_empty()
        expect(value).not_to_have_attribute("aria-invalid", "true")


def test_an_anniversary_shows_the_inputs_that_it_needs(visit: Visit, people: People) -> None:
    with visit(people.exporter) as visitor:
        page = begin(visitor, "customers")
        choose(page, "A1", "birth_date", "anniversary")
        day, low = page.locator("#filters-A-1-value"), page.locator("#filters-A-1-low")
        expect(day).to_be_hidden()
        expect(low).to_be_hidden()
        page.locator("#filters-A-1-when").select_option("day")
        expect(day).to_be_visible()
        day.fill("date: tomorrow")
        expect(page.locator("#r-filters-A-1-value")).not_to_be_empty()
        page.locator("#filters-A-1-when").select_option("range")
        expect(day).to_be_hidden()
        low.fill("date: today")
        go_on(page, "fields")


def test_without_javascript_records_are_found_by_a_button(visit: Visit, people: People, source_dsn: str) -> None:
    with visit(people.exporter, script=False, width=390) as visitor:
        page = begin(visitor, "customers")
        choose(page, "A1", "segments", "in_segment", script=False)
        page.locator("#filters-A-1-find").fill("lapsed: no")
        page.get_by_role("button", name="Find for criterion A1").click()
        page.get_by_role("button", name="Lapsed: no purchase").click()
        expect(page.get_by_role("checkbox", name="Lapsed: no purchase")).to_be_checked()
        assert visitor.fits()
        go_on(page, "fields")
