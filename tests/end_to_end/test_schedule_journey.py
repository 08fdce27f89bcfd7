"""A repeated export in Chromium, with the processes of a deployment: made, fired, inactive, changed, cloned."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import Page, expect

from tests.end_to_end.test_wizard import choose, csv_of, go_on
from tests.fix_app import Clock, People, stores
from webapp.extensions import db

if TYPE_CHECKING:
    from pathlib import Path

    from tests.fix_app import Person
    from tests.fix_exports import Exports

pytestmark = [pytest.mark.browser, pytest.mark.slow]
Visit = Callable[..., Any]
Processes = Callable[..., AbstractContextManager[None]]

HOURLY = {"type": "repeated", "every": "day", "hours": "*", "minutes": "0"}


@pytest.fixture(autouse=True)
def _now(clock: Clock) -> None:
    clock.set("2026-11-23 09:42+00")


def make(page: Page) -> None:
    """Go through the wizard: every hour, all stores."""
    page.get_by_role("link", name="Create new export").first.click()
    page.locator("[name=model][value=stores]").check()
    go_on(page, "localization")
    page.get_by_label("Name").fill("Stores by the hour")
    go_on(page, "filters")
    choose(page, "A1", "id", "is_not_empty")
    go_on(page, "fields")
    page.get_by_label("All fields").check()
    go_on(page, "file")
    go_on(page, "schedule")
    page.get_by_label("Repeated").check()
    page.locator("#hours").fill("*")
    page.locator("#minutes").fill("0")
    expect(page.locator("#next")).to_contain_text("Mon 23 Nov 10:00")
    go_on(page, "target")
    go_on(page, "check")
    expect(page.locator("main")).to_contain_text("Creating it does not run it: the first run is on Mon 23 Nov")
    create(page)


def create(page: Page) -> None:
    """Press Create when the previews above have come: until then they move what is below."""
    expect(page.locator("#matching")).to_have_text(re.compile(r"^\s*\d+ rows\s*$"))  # neither about nor counting
    expect(page.locator("[aria-busy=true]")).to_have_count(0)
    page.get_by_role("button", name="Create").click()
    page.wait_for_url("**/exports/*-*-*")


def states(page: Page) -> list[str]:
    """The statuses in Logs, newest first."""
    return [one.strip() for one in page.locator("#runs tbody .c1").all_inner_texts()]


def fires(page: Page, clock: Clock, at: str, rows: int) -> None:
    """A moment comes: its run appears in Logs, and ends, without a reload."""
    page.evaluate("window.same = true")
    clock.set(at)
    expect(page.locator("#runs tbody tr")).to_have_count(rows)
    expect(page.locator("#runs tbody tr").first).to_contain_text("Success")
    assert page.evaluate("window.same"), "the page was not loaded again"


def until_another_has_run(page: Page, person: Person, export_id: uuid.UUID, runs: int) -> None:
    """Wait for the clock to have passed by: an export that nobody touches has this many runs."""
    from sqlalchemy import func, select

    from webapp.models import Run

    for _ in range(600):
        with person.at_work():
            if db.session.scalar(select(func.count()).where(Run.export_id == export_id)) == runs:
                return
        page.wait_for_timeout(50)
    raise AssertionError("the scheduler does not fire")


def test_a_repeated_export_from_its_making_to_its_clone(
    visit: Visit, people: People, clock: Clock, processes: Processes, tmp_path: Path
) -> None:
    from webapp.services import exports

    with people.exporter.at_work() as user:
        other = exports.create(user, stores(name="Another", schedule=HOURLY), uuid.uuid4()).id
    running = processes("jobs.scheduler", "jobs.worker fast", "jobs.worker exports")
    with running, visit(people.exporter) as visitor:
        page = visitor.open("/exports")
        make(page)
        expect(page.locator("#run-card")).to_contain_text("No run yet. The first is on Mon 23 Nov 05:00.")
        page.get_by_role("link", name="Logs").click()
        logs = page.url

        fires(page, clock, "2026-11-23 10:00+00", rows=1)
        expect(page.locator("#export-schedule")).to_contain_text("next run Mon 23 Nov 06:00")
        with page.expect_download() as downloading:
            page.get_by_role("link", name="Download the file of").click()
        downloading.value.save_as(tmp_path / "stores.zip")
        assert csv_of(tmp_path / "stores.zip")[0] == "Stores by the hour.csv"

        page.get_by_role("button", name="Set inactive").click()
        expect(page.locator("dialog#inactive")).to_contain_text("It will not run on Mon 23 Nov 11:00 UTC or later")
        assert visitor.focused() == "Keep active"
        page.locator("dialog#inactive").get_by_role("button", name="Set inactive").click()
        expect(page.locator("#export-status")).to_contain_text("Inactive")
        clock.set("2026-11-23 11:00+00")
        until_another_has_run(page, people.exporter, other, runs=2)
        page.goto(logs)
        assert states(page) == ["Success"], "the moment passed it by"

        page.get_by_role("button", name="Set active").click()
        expect(page.locator("#export-schedule")).to_contain_text("next run Mon 23 Nov 07:00")
        page.goto(logs)
        fires(page, clock, "2026-11-23 12:00+00", rows=2)

        page.get_by_role("link", name="Change schedule").click()
        page.locator("#minutes").fill("30")
        expect(page.locator("#next")).to_contain_text("Every day, every hour at minute 30, UTC")
        page.get_by_role("button", name="Update").last.click()
        expect(page.locator("#notices")).to_contain_text("Schedule updated. Next run: Mon 23 Nov 07:30.")
        page.get_by_role("link", name="Logs").click()
        fires(page, clock, "2026-11-23 12:30+00", rows=3)
        expect(page.locator("#runs tbody tr").nth(1)).to_contain_text("version 1")

        page.get_by_role("button", name="Clone").click()
        page.wait_for_url("**/check")
        expect(page.locator("main")).to_contain_text("A clone of Stores by the hour")
        create(page)
        assert page.url.rpartition("/")[2] not in logs
        expect(page.locator("h1")).to_have_text("Stores by the hour (copy)")
        expect(page.locator("#export-schedule")).to_contain_text("next run Mon 23 Nov 08:30")
        page.get_by_role("link", name="Logs").click()
        expect(page.locator("#runs")).to_contain_text("No run yet.")


@pytest.mark.parametrize("width", [1280, 390])
def test_what_somebody_reads_stays_open_when_a_run_appears(
    visit: Visit, people: People, made: Exports, clock: Clock, width: int
) -> None:
    from jobs import scheduler
    from webapp.services import exports

    with people.exporter.at_work() as user:
        export_id = exports.create(user, stores(schedule=HOURLY), uuid.uuid4()).id
    clock.set("2026-11-23 10:00+00")
    with made.app.app_context():
        scheduler.fire_all_due()
    made.fail(made.claim())
    with visit(people.exporter, width=width) as visitor:
        page = visitor.open(f"/exports/{export_id}/logs")
        summary = page.get_by_text("What happened, step by step")
        summary.focus()
        page.keyboard.press("Enter")
        expect(page.locator(".happened")).to_contain_text("Attempt 1 started.")
        expect(page.locator(".happened pre")).to_contain_text("column stores.name does not exist")
        expect(page.locator(".happened li").last).to_be_visible()
        assert visitor.fits()
        clock.set("2026-11-23 11:00+00")
        with made.app.app_context():
            scheduler.fire_all_due()
        expect(page.locator("#runs tbody tr")).to_have_count(2)
        expect(page.locator(".happened")).to_contain_text("Attempt 1 started.")
        expect(summary).to_be_focused()
        asked = [one for one in visitor.requests if one.endswith("/events")]
        assert len(asked) == 1, "fetched once"
