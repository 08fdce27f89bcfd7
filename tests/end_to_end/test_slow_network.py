"""A slow line (600 ms there and back, 400 kbit/s): what goes on is said, and who does not wait loses nothing."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select

from tests.end_to_end.test_wizard import choose, go_on
from webapp.extensions import db
from webapp.models import Export
from webapp.services import exports

if TYPE_CHECKING:
    from tests.fix_app import People
    from tests.fix_exports import Exports

pytestmark = [pytest.mark.browser, pytest.mark.slow]
Visit = Callable[..., Any]

LINE: Final = {"offline": False, "latency": 600, "downloadThroughput": 50_000, "uploadThroughput": 50_000}
PATIENCE_MS: Final = 60_000


def slow(page: Page) -> None:
    """Everything from here on goes over a slow line, and nothing comes from the browser's cache."""
    line = page.context.new_cdp_session(page)
    line.send("Network.enable")
    line.send("Network.setCacheDisabled", {"cacheDisabled": True})
    line.send("Network.emulateNetworkConditions", LINE)
    page.context.set_default_timeout(PATIENCE_MS)


def test_the_list_says_that_it_is_asking_and_shows_what_was_typed_last(
    visit: Visit, people: People, made: Exports
) -> None:
    for name in ("Milk", "Milk and bread", "Bread"):
        made.create(people.exporter, name)
    with visit(people.viewer) as visitor:
        page: Page = visitor.page
        slow(page)
        visitor.open("/exports")
        search, listed = page.locator("#q"), page.locator("#exports .nm")
        search.press_sequentially("milk", delay=20)
        expect(page.locator("#exports")).to_have_attribute("aria-busy", "true")
        assert listed.count() == 3, "the former rows stay until the new ones are there"
        search.press_sequentially(" and", delay=20)
        expect(listed).to_have_text(["Milk and bread"], timeout=PATIENCE_MS)
        expect(page.locator("#exports")).not_to_have_attribute("aria-busy", "true")
        assert search.input_value() == "milk and"


def test_the_wizard_keeps_what_is_typed_by_who_does_not_wait(visit: Visit, people: People, source_dsn: str) -> None:
    with visit(people.exporter) as visitor:
        page: Page = visitor.page
        slow(page)
        visitor.open("/exports/new")
        page.locator("[name=model][value=stores]").check()
        go_on(page, "localization")
        page.get_by_label("Name").fill("Over a slow line")
        go_on(page, "filters")
        choose(page, "A1", "name", "contains")
        page.locator("#filters-A-1-value").press_sequentially("Street", delay=20)
        go_on(page, "fields")
        page.locator("#all_fields").check()
        page.locator(".foot").get_by_role("button", name="Skip to Check").click()
        page.wait_for_url("**/check")
        expect(page.locator("main")).to_contain_text("Street")
        page.get_by_role("button", name="Create").dblclick()
        page.wait_for_url(re.compile(r"/exports/[0-9a-f-]{36}$"))
        expect(page.locator("h1")).to_contain_text("Over a slow line")
    with people.exporter.at_work():
        [export] = db.session.scalars(select(Export)).all()
        definition = exports.definition_of(export)
    [[criterion]] = definition.filters
    assert (criterion.attribute, criterion.operator, criterion.value) == ("name", "contains", "Street")
    assert (export.name, definition.all_fields) == ("Over a slow line", True)
