"""What the simplest export asks of a person, and what becomes of typing when the login has expired meanwhile."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import Locator, expect

from tests.end_to_end.test_wizard import PASSWORD
from webapp.extensions import db
from webapp.models import Draft
from webapp.services.accounts import hash_password

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.fix_app import People, Person

pytestmark = [pytest.mark.browser, pytest.mark.slow]
Visit = Callable[..., Any]

MOST_CLICKS = 12
MOST_TYPED = 4


def with_password(person: Person) -> None:
    """Let somebody log in by the form."""
    with person.at_work() as user:
        user.password_hash = hash_password(PASSWORD)
        db.session.commit()


@dataclass
class Hand:
    """Counts what a person does; to choose from a list is a click."""

    page: Page
    clicks: int = 0
    typed: int = 0

    def click(self, what: Locator) -> None:
        """Click, wherever it leads."""
        what.click()
        self.clicks += 1

    def choose(self, selector: str, value: str) -> None:
        """Choose from a list, and see what comes of it."""
        with self.page.expect_response("**/crit/**"):
            self.page.locator(selector).select_option(value)
        self.clicks += 1

    def type(self, selector: str, text: str) -> None:
        """Fill in one input."""
        self.page.locator(selector).fill(text)
        self.typed += 1


def test_from_the_login_to_a_running_export_in_twelve_clicks_and_four_typed_values(
    visit: Visit, people: People, source_dsn: str
) -> None:
    with visit(None) as visitor:
        with_password(people.exporter)
        page = visitor.open("/login")
        hand = Hand(page)
        hand.type("#email", people.exporter.email)
        hand.type("#password", PASSWORD)
        hand.click(page.get_by_role("button", name="Sign in"))
        hand.click(page.get_by_role("link", name="Create new export").first)
        hand.click(page.locator("[name=model][value=stores]"))
        hand.click(page.get_by_role("button", name="Next: Localization"))
        hand.type("#name", "All our stores")
        hand.click(page.get_by_role("button", name="Next: Filters").last)
        hand.choose("#filters-A-1-attribute", "id")
        hand.type("#filters-A-1-value", "1")
        hand.click(page.get_by_role("button", name="Next: Field settings").last)
        hand.click(page.get_by_label("All fields"))
        hand.click(page.get_by_role("button", name="Skip to Check"))
        page.wait_for_url("**/check")
        hand.click(page.get_by_role("button", name="Create"))
        page.wait_for_url(re.compile(r"/exports/[0-9a-f-]{36}$"))
        expect(page.locator("#export-status")).to_have_text("Pending")
        assert (hand.clicks, hand.typed) <= (MOST_CLICKS, MOST_TYPED), "more than it takes"
        assert hand.clicks <= MOST_CLICKS
        assert hand.typed <= MOST_TYPED


@pytest.mark.parametrize("script", [True, False], ids=["javascript", "no javascript"])
def test_what_is_typed_when_the_login_has_expired_comes_back_after_the_login(
    visit: Visit, people: People, script: bool
) -> None:
    with visit(people.exporter, script=script) as visitor:
        page = visitor.open("/exports/new")
        page.locator("[name=model][value=stores]").check()
        page.locator(".foot .btn-primary").click()
        page.wait_for_url("**/localization")
        with_password(people.exporter)
        page.context.clear_cookies()
        page.locator("#name").fill("Typed while signed out")
        if script:
            bar = page.locator("#signed-out")
            expect(bar).to_be_visible()
            page.locator("#name").fill("Typed while signed out, and after")
            bar.get_by_role("link", name="Sign in").click()
        else:
            page.locator(".foot .btn-primary").click()
        expect(page.get_by_text("What you typed is kept: sign in and go on.")).to_be_visible()
        page.locator("#email").fill(people.exporter.email)
        page.locator("#password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        if not script:
            page.get_by_role("button", name="Go on where you were").click()
        page.wait_for_url("**/localization" if script else "**/filters")
        wanted = "Typed while signed out" + (", and after" if script else "")
        with people.exporter.at_work():
            assert db.session.query(Draft).one().document["name"] == wanted
        if script:
            expect(page.locator("#name")).to_have_value(wanted)
        visitor.complaints.clear()  # the browser tells of the 401
