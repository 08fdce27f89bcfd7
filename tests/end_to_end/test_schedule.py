"""Schedules in Chromium: the step says what it will do as it is typed; a run appears in Logs by itself."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from tests.end_to_end.test_wizard import wait_until_saved
from tests.fix_app import Clock, People, stores

if TYPE_CHECKING:
    from flask import Flask
    from playwright.sync_api import Route

pytestmark = [pytest.mark.browser, pytest.mark.slow]
Visit = Callable[..., Any]


@pytest.fixture(autouse=True)
def _now(clock: Clock) -> None:
    clock.set("2026-11-23 09:42+00")


@pytest.mark.parametrize("width", [1280, 390])
def test_the_step_says_what_it_will_do_while_it_is_typed(visit: Visit, people: People, width: int) -> None:
    from exports import catalogue
    from webapp.services import drafts

    with people.exporter.at_work() as user:
        draft = drafts.start(user, catalogue.builtin().models["stores"])
        address = f"/drafts/{draft.id}/schedule"
    with visit(people.exporter, width=width) as visitor:
        page = visitor.open(address)
        page.get_by_label("Repeated").focus()
        page.keyboard.press("Space")
        expect(page.locator("#hours")).to_be_visible()
        assert visitor.focused() == "schedule-repeated"
        page.locator("#every").focus()
        page.keyboard.press("ArrowRight")
        expect(page.locator("#weekdays")).to_be_attached()
        expect(page.locator("#every-week")).to_be_focused()
        page.get_by_label("Monday").check()
        page.get_by_label("Thursday").check()
        page.locator("#minutes").fill("30")
        expect(page.locator("#next")).to_contain_text("Every Monday and Thursday at 06:30 UTC")
        expect(page.locator("#next")).to_contain_text("Thu 26 Nov 06:30")
        expect(page.locator("#say")).to_have_text("Every Monday and Thursday at 06:30 UTC")
        expect(page.locator("#sched-notes")).to_contain_text("When New York changes to summer time on 14 March 2027")
        assert visitor.fits()
        wait_until_saved(page, address, 'value="30"')
        page.reload()
        expect(page.locator("#minutes")).to_have_value("30")
        expect(page.get_by_label("Thursday")).to_be_checked()


def test_what_is_typed_and_ticked_while_other_days_are_fetched_stays(visit: Visit, people: People) -> None:
    from exports import catalogue
    from webapp.services import drafts

    with people.exporter.at_work() as user:
        draft = drafts.start(user, catalogue.builtin().models["stores"])
        address = f"/drafts/{draft.id}/schedule"
    with visit(people.exporter) as visitor:
        page = visitor.open(address)
        page.get_by_label("Repeated").check()
        expect(page.locator("#hours")).to_be_visible()
        held: list[Route] = []
        page.route("**/schedule/form", lambda route: held.append(route), times=1)
        with page.expect_request("**/schedule/form"):
            page.get_by_label("Monthly").check()
        page.locator("#hours").fill("7")
        page.locator("#keep_local").check()
        held[0].continue_()
        expect(page.locator("#monthdays")).to_be_attached()
        expect(page.locator("#hours")).to_have_value("7")
        expect(page.locator("#keep_local")).to_be_checked()
        zone = page.locator("#zone")
        zone.evaluate("one => { one.same = true; }")
        zone.select_option("Asia/Tokyo")
        expect(page.locator("label[for=hours]")).to_have_text("Hour (Asia/Tokyo)")
        assert zone.evaluate("one => one.same"), "the zone is not swapped while it is chosen"
        with page.expect_response("**/save"):
            page.get_by_label("15", exact=True).check()
        page.reload()
        expect(page.locator("#hours")).to_have_value("7")
        expect(zone).to_have_value("Asia/Tokyo")


def test_a_session_that_ends_takes_nothing_off_the_screen(visit: Visit, people: People) -> None:
    from exports import catalogue
    from webapp.services import drafts, exports

    daily = {"type": "repeated", "every": "day", "hours": "6", "minutes": "0"}
    with people.exporter.at_work() as user:
        draft = drafts.start(user, catalogue.builtin().models["stores"])
        step = f"/drafts/{draft.id}/localization"
        change = f"/exports/{exports.create(user, stores(schedule=daily), uuid.uuid4()).id}/schedule"
    told = ((change, "#hours", "You were signed out."), (step, "#name", "You were signed out. Your draft is kept."))
    for address, input_, words in told:
        with visit(people.exporter) as visitor:
            page = visitor.open(address)
            page.context.clear_cookies()
            page.locator(input_).fill("7")
            bar = page.get_by_role("alert").filter(has_text="signed out")
            expect(bar.locator("span").first).to_have_text(words, use_inner_text=True)
            expect(page.locator(input_)).to_have_value("7")
            assert page.url.endswith(address)
            bar.get_by_role("link", name="Sign in").click()
            if address == step:  # its form goes along, and comes back after the login
                expect(page.get_by_text("What you typed is kept: sign in and go on.")).to_be_visible()
            else:
                expect(page).to_have_url(re.compile(f"/login\\?next={address}$"))
            visitor.complaints = [one for one in visitor.complaints if "401" not in one]


def test_a_run_appears_in_logs_by_itself_and_the_buttons_swap(
    app: Flask, visit: Visit, people: People, clock: Clock
) -> None:
    from jobs import scheduler
    from webapp.services import exports

    daily = {"type": "repeated", "every": "day", "hours": "*", "minutes": "0"}
    with people.exporter.at_work() as user:
        export_id = exports.create(user, stores(schedule=daily), uuid.uuid4()).id
    with visit(people.exporter) as visitor:
        page = visitor.open(f"/exports/{export_id}/logs")
        expect(page.locator("#runs")).to_contain_text("No run yet. The first is on Mon 23 Nov 05:00.")
        clock.set("2026-11-23 10:00+00")
        with app.app_context():
            scheduler.fire_all_due()
        expect(page.locator("#runs tbody tr")).to_have_count(1)
        expect(page.locator("#runs")).to_contain_text("Queued")
        expect(page.locator("#export-schedule")).to_contain_text("next run Mon 23 Nov 06:00")
        page.get_by_role("button", name="Set inactive").click()
        assert visitor.focused() == "Keep active"
        page.keyboard.press("Escape")
        page.get_by_role("button", name="Set inactive").click()
        page.locator("dialog#inactive").get_by_role("button", name="Set inactive").click()
        expect(page.locator("#export-status")).to_contain_text("Inactive")
        page.get_by_role("button", name="Set active").click()
        expect(page.locator("#export-status")).to_contain_text("Active")
        expect(page.locator("#export-schedule")).to_contain_text("next run Mon 23 Nov 06:00")
