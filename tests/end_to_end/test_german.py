"""The wizard as somebody meets it who reads German: every step, no English sentence left, axe, nothing sideways."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

import pytest
from playwright.sync_api import expect

from tests.end_to_end.test_every_screen import SETTLED, VIEWS, Eyes
from tests.end_to_end.test_wizard import choose, go_on
from tests.fix_words import in_german, left_in_english, of_fields

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.fix_app import People
    from tests.fix_site import Visitor

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.usefixtures("upload_here", "source_dsn")]
Visit = Callable[..., Any]

NAME: Final = "Käufe 2017"


class Reader:
    """Reads the pages of a walk, and tells what is wrong with each."""

    def __init__(self, visitor: Visitor, folder: str | None) -> None:
        self.page = visitor.page
        self.eyes = Eyes(visitor, {}, folder)
        self.found: dict[str, list[str]] = {}

    def read(self, name: str, says: str) -> None:
        """The page as it is now, which has to say something first."""
        expect(self.page.get_by_text(says).filter(visible=True).first).to_be_visible()
        expect(self.page.locator(SETTLED)).to_have_count(0)
        faults = [*left_in_english(self.page.content(), of_fields()), *self.eyes.see(f"german-{name}")]
        self.page.set_viewport_size({"width": VIEWS[0][0], "height": VIEWS[0][1]})
        if faults:
            self.found[name] = faults


def _filters(page: Page, read: Callable[[str, str], None]) -> None:
    """A criterion of each sort of words, one mistake, Why?"""
    choose(page, "A1", "action", "equals")
    page.locator("#filters-A-1-value").fill("checkout_item")
    page.locator("button[value='and:A']").click()
    choose(page, "A2", "timestamp", "in_date")
    page.locator("#filters-A-2-low").fill("date: nonsense")
    page.locator(".foot .btn-primary").click()
    expect(page.locator("#errors")).to_be_visible()
    read("filters-wrong", "Es gibt ein Problem")
    page.locator("#filters-A-2-low").fill("date: first day of january 2017")
    page.locator("#filters-A-2-high").fill("2017-12-31")
    page.locator("button[value=or]").click()
    choose(page, "B1", "points", "between")
    page.locator("#filters-B-1-low").fill("10")
    expect(page.locator("#matching")).to_contain_text("Genau, gezählt")
    page.locator("#why").fill("no such event")
    page.locator("#why-check").click()
    expect(page.locator("#why-verdict")).to_contain_text("hat bei")
    read("filters", "So., 1. Jan. 2017, 00:00 (New York)")


def _fields(page: Page, read: Callable[[str, str], None]) -> None:
    """Three columns, one of which has values replaced; the picker open; a mistake."""
    for number, field in enumerate(("action", "points", "timestamp"), 1):
        page.locator("#pick").fill(field)
        page.locator("#pick-add").click()
        expect(page.locator(f"#f-{number}")).to_contain_text(field)
    page.locator("#open-1").click()
    page.locator("#fields-1-replace-1-new").fill("Kauf")
    page.locator("#pick").fill("zzz")
    page.locator("#pick-add").click()
    read("fields", "Im Datenmodell Ereignisse gibt es kein Feld wie „zzz“")
    page.locator("#pick").fill("")
    page.locator("#fields-1-replace-1-value").fill("checkout_item")


def _schedule(page: Page, read: Callable[[str, str], None]) -> None:
    page.locator("[name=schedule][value=repeated]").check()
    page.locator("[name=every][value=week]").check()
    page.locator("#weekdays").check()
    page.locator("#weekdays-thursday").check()
    page.locator("#hours").fill("25")
    read("schedule-wrong", "25 ist keine Stunde")
    page.locator("#hours").fill("6,18")
    read("schedule", "Jeden Montag und Donnerstag um 06:00 und 18:00 UTC")


def test_the_wizard_is_german_from_the_data_model_to_the_new_export(
    visit: Visit, people: People, request: pytest.FixtureRequest
) -> None:
    in_german(people.exporter)
    with visit(people.exporter) as visitor:
        reader = Reader(visitor, request.config.getoption("screens"))
        page, read = visitor.open("/exports/new"), reader.read
        read("model", "Welche Datensätze möchten Sie als Datei?")
        page.locator("[name=model][value=events]").check()
        go_on(page, "localization")
        page.locator("#name").fill(NAME)
        read("localization", "Zeitzone")
        go_on(page, "filters")
        _filters(page, read)
        go_on(page, "fields")
        _fields(page, read)
        go_on(page, "file")
        read("file", "Dateiendung")
        go_on(page, "schedule")
        _schedule(page, read)
        go_on(page, "target")
        page.locator("[name=target][value=sftp]").check()
        expect(page.locator("#path")).to_be_visible()
        read("target", "Wenn es die Datei schon gibt")
        page.locator("[name=target][value=none]").check()
        expect(page.locator("#path")).to_have_count(0)
        go_on(page, "check")
        read("check", "Wie und wann")
        page.locator(".foot .btn-primary").click()
        page.wait_for_url("**/exports/*")
        page.locator("nav a[href$='/schedule']").click()
        read("change-schedule", "Die nächsten fünf Zeitpunkte")
        assert reader.found == {}
