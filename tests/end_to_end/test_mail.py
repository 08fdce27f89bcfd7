"""Mails in Chromium: somebody is ticked under Notify, and reads in the Mailbox what came of the run."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from jobs.mail import send
from tests.fix_mail import mailing_by

if TYPE_CHECKING:
    from flask import Flask

    from tests.fix_app import People
    from tests.fix_exports import Exports

pytestmark = [pytest.mark.browser, pytest.mark.slow]
Visit = Callable[..., Any]


@pytest.mark.parametrize("width", [1280, 390])
def test_whoever_is_ticked_is_in_the_draft_and_on_the_last_page(visit: Visit, people: People, width: int) -> None:
    from exports import catalogue
    from webapp.services import drafts

    with people.exporter.at_work() as user:
        draft = drafts.start(user, catalogue.builtin().models["stores"])
        address = f"/drafts/{draft.id}"
    with visit(people.exporter, width=width) as visitor:
        page = visitor.open(f"{address}/target")
        expect(page.get_by_label("On success: Owner")).to_be_checked()
        page.get_by_label("On failure: Owner").uncheck()
        page.get_by_label("On failure: Manager").check()
        assert visitor.fits()
        page.get_by_role("button", name="Next: Check").click()
        expect(page.get_by_text("On success: the owner")).to_be_visible()
        expect(page.get_by_text(f"On failure: {people.manager.email}")).to_be_visible()
        page = visitor.open(f"{address}/target")
        expect(page.get_by_label("On failure: Owner")).not_to_be_checked()
        page.get_by_label("On failure: Manager").uncheck()
        page.get_by_role("button", name="Next: Check").click()
        expect(page.get_by_text("On failure: nobody")).to_be_visible()


@pytest.mark.parametrize(("width", "theme"), [(1280, "light"), (390, "dark")])
def test_a_mail_that_was_caught_is_read_and_leads_to_the_run(
    app: Flask, visit: Visit, people: People, made: Exports, width: int, theme: str
) -> None:
    export = made.finished(people.exporter, f"<b>Bold</b> {uuid.UUID(int=0)}")
    with mailing_by(app, None), visit(people.viewer, width=width, theme=theme) as visitor:
        with app.app_context():
            send()
        page = visitor.open("/mailbox")
        assert visitor.fits()
        page.get_by_role("link", name="Finished: <b>Bold</b>").click()
        mail = page.frame_locator("iframe.mail")
        expect(mail.get_by_text("2 of 2 rows")).to_be_visible()
        background = mail.locator(".go").evaluate("one => getComputedStyle(one).backgroundColor")
        assert background == "rgb(28, 90, 158)", "its style counts"
        assert visitor.fits()
        page.get_by_role("link", name="Show the run").click()
        expect(page).to_have_url(f"{visitor.site}/runs/{export.run_id}")
