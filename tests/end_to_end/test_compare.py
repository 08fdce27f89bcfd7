"""Two runs compared in a browser: chosen in Logs, carried out by a worker, the differences read (UX section 3.10)."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

if TYPE_CHECKING:
    from tests.fix_app import People
    from tests.fix_exports import Exports

pytestmark = pytest.mark.browser
Visit = Callable[..., Any]
Processes = Callable[..., Any]

BEFORE = b"Store,name\n1,Main\n2,Station\n3,Park\n"
AFTER = b"Store,name\n1,Main\n3,Park Lane\n4,Harbour\n"


@pytest.mark.parametrize("script", [True, False])
def test_two_runs_are_chosen_compared_and_read(
    visit: Visit, people: People, made: Exports, processes: Processes, script: bool
) -> None:
    export = made.finished(people.exporter, content=BEFORE)
    made.finished_again(people.exporter, export, AFTER)
    with visit(people.exporter, width=390, theme="dark", script=script) as visitor:
        page = visitor.open(f"/exports/{export.id}/logs")
        boxes = page.locator("[form=compare-form]")
        assert [box.bounding_box()["height"] >= 24 for box in boxes.all()] == [True, True]
        for box in boxes.all():
            box.check()
        button = page.locator("#compare-form button")
        expect(button).to_have_text(re.compile("the 2 chosen runs" if script else "two chosen runs"))
        button.click()
        page.wait_for_url(re.compile("/compare\\?a="))
        with processes("jobs.worker exports"):  # not before: the page waits, and no worker takes the runs above
            if not script:
                while page.locator(".tiles").count() == 0:  # each page is asked for anew, as its head tells browsers to
                    page.reload()
            expect(page.locator(".tiles")).to_contain_text("Added")
            assert page.locator(".tiles dd").all_text_contents() == ["1", "1", "1", "1"]
            assert visitor.fits()
            if script:
                expect(page.locator("#say")).to_have_text("1 added, 1 removed, 1 changed")
        page.locator("#show-changed").click()
        expect(page.locator("table.diff tbody tr")).to_have_count(1)
        assert page.locator("del").text_content() == "was Park"
        assert page.locator("ins").text_content() == "now Park Lane"
        with page.expect_download() as download:
            page.locator("text=Download differences").click()
        assert download.value.suggested_filename == "Stores differences.zip"
        assert visitor.fits()


def test_what_is_chosen_stays_chosen_while_new_rows_come(visit: Visit, people: People, made: Exports) -> None:
    export = made.finished(people.exporter, content=BEFORE)
    made.finished_again(people.exporter, export, AFTER)
    with people.exporter.at_work() as user:
        import uuid

        from webapp.services import exports, runs

        found = exports.find(export.id)
        assert found is not None
        runs.request_run(user, found, uuid.uuid4())
    with visit(people.exporter) as visitor:
        page = visitor.open(f"/exports/{export.id}/logs")
        page.locator("[form=compare-form]").first.check()
        expect(page.locator("#runs tbody tr")).to_have_count(3)
        made.publish(made.claim(), AFTER)
        expect(page.locator("[form=compare-form]")).to_have_count(3)
        expect(page.locator("[form=compare-form]:checked")).to_have_count(1)
