"""Several exports chosen in the list, in Chromium: with and without JavaScript (SPEC section 2)."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from tests.webapp.test_several import make, shown

if TYPE_CHECKING:
    from tests.fix_app import People
    from tests.fix_exports import Exports

pytestmark = [pytest.mark.browser, pytest.mark.slow]
Visit = Callable[..., Any]


@pytest.mark.parametrize("width", [1280, 390])
def test_chosen_ones_stay_chosen_while_rows_change_and_are_set_inactive(
    visit: Visit, people: People, made: Exports, width: int
) -> None:
    made.create(people.exporter, "Coupon use")
    mine = made.claim()
    make(people.exporter, "Points")
    with visit(people.exporter, width=width) as visitor:
        page = visitor.open("/exports")
        bar = page.locator("#several-bar")
        expect(bar).to_be_hidden()
        if width > 700:
            page.get_by_label("Choose all on this page").check()
            page.get_by_label("Choose Coupon use").focus()
        else:
            page.get_by_label("Choose Points").check()
            page.get_by_label("Choose Coupon use").focus()
            page.keyboard.press("Space")
        page.keyboard.press("Enter")  # sends nothing
        expect(bar).to_contain_text("2 chosen")
        assert visitor.fits()
        made.publish(mine)
        expect(page.locator("table.list")).to_contain_text("Finished")
        expect(bar).to_contain_text("2 chosen")
        expect(page.get_by_label("Choose Coupon use")).to_be_checked()
        expect(page.get_by_label("Choose Coupon use")).to_be_focused()
        bar.get_by_role("button", name="Set inactive").click()
        question = page.get_by_role("dialog", name="Set 2 exports inactive?")
        expect(question.get_by_role("button", name="Keep active")).to_be_focused()
        question.get_by_role("button", name="Set inactive").click()
        expect(page.locator("#notices")).to_have_text("1 set inactive. “Coupon use” is not repeated.")
        expect(bar).to_be_hidden()
    assert shown(people.exporter) == {"Coupon use": "Finished", "Points": "Inactive"}


def test_several_are_archived_without_javascript(visit: Visit, people: People) -> None:
    names = ["A", "B", str(uuid.uuid4())]
    for name in names:
        make(people.exporter, name)
    with visit(people.exporter, script=False) as visitor:
        page = visitor.open("/exports?sort=name")
        for name in ("A", "B"):
            page.get_by_label(f"Choose {name}", exact=True).check()
        page.get_by_role("button", name="Archive").click()
        expect(page.locator("#notices")).to_have_text("2 archived.")
        assert page.url.endswith("/exports?sort=name")
        expect(page.locator("table.list tbody tr")).to_have_count(1)
