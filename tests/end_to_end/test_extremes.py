"""As much as is allowed, text twice as large, the colours of the machine, no motion: pages stay whole."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

import pytest
from playwright.sync_api import expect

from exports import catalogue
from exports.definition import MAX_COLUMNS, MAX_CRITERIA, parse
from tests.end_to_end.stage import DAILY, PURCHASES
from tests.fix_app import stores
from webapp.services import drafts, exports

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.fix_app import People
    from tests.fix_exports import Exports

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("source_dsn")]
Visit = Callable[..., Any]

IN_BOTH_WIDTHS: Final = (1280, 390)
LONG: Final = "W" * 200
OVER: Final = "document.documentElement.scrollWidth - innerWidth"


def draft_of(people: People, **definition: Any) -> uuid.UUID:
    """A draft of the exporter that is filled with a definition."""
    model = catalogue.builtin().models["events"]
    with people.exporter.at_work() as user:
        return drafts.add(user, drafts.filled(parse({**PURCHASES, **definition}), model), uuid.uuid4()).id


def beyond(page: Page, width: int) -> int:
    """How many pixels have to be scrolled sideways at this width."""
    page.set_viewport_size({"width": width, "height": 860})
    return max(0, page.evaluate(OVER))  # type: ignore[no-any-return]


def test_as_many_criteria_and_columns_as_are_allowed_fit(visit: Visit, people: People) -> None:
    fields = [{"from": "properties", "to": f"{LONG[:190]} {n}", "default": LONG} for n in range(MAX_COLUMNS)]
    criteria = [{"attribute": "action", "operator": "contains", "value": LONG}] * MAX_CRITERIA
    draft = draft_of(people, name=LONG, fields=fields, filters=[criteria])
    with visit(people.exporter) as visitor:
        for step, part, count in (("filters", "[id^=c-A]", MAX_CRITERIA), ("fields", ".flist > li", MAX_COLUMNS)):
            page = visitor.open(f"/drafts/{draft}/{step}")
            assert page.locator(part).count() == count
            assert [beyond(page, width) for width in IN_BOTH_WIDTHS] == [0, 0], step
        page = visitor.open(f"/drafts/{draft}/check")
        assert [beyond(page, width) for width in IN_BOTH_WIDTHS] == [0, 0]


def test_text_twice_as_large_fits(visit: Visit, people: People, made: Exports) -> None:
    draft = draft_of(people)
    export = made.finished(people.exporter)
    with visit(people.exporter, own=True) as visitor:
        page = visitor.page
        page.context.new_cdp_session(page).send("Page.setFontSizes", {"fontSizes": {"standard": 32, "fixed": 26}})
        steps = [f"/drafts/{draft}/{step}" for step in ("filters", "fields", "schedule", "target", "check")]
        for address in ("/exports", f"/exports/{export.id}", f"/exports/{export.id}/logs", *steps):
            visitor.open(address)
            assert page.evaluate("getComputedStyle(document.documentElement).fontSize") == "32px"
            if address.endswith("/filters"):
                expect(page.locator("#matching")).to_contain_text(re.compile("counted|Sample"))
            assert [beyond(page, width) for width in IN_BOTH_WIDTHS] == [0, 0], address


def test_the_machines_own_colours_leave_shapes_that_can_be_seen(visit: Visit, people: People, made: Exports) -> None:
    with people.exporter.at_work() as user:
        exports.create(user, stores(schedule=DAILY), uuid.uuid4())
    made.create(people.exporter)
    border = "e => parseFloat(getComputedStyle(e).borderTopWidth)"
    with visit(people.exporter) as visitor:
        page = visitor.open("/exports")
        assert page.locator(".st").first.evaluate(border) == 0
        page.emulate_media(forced_colors="active")
        assert [badge.evaluate(border) for badge in page.locator(".st").all()] == [1, 1]
        page.locator("#q").focus()
        assert page.evaluate("parseFloat(getComputedStyle(document.activeElement).outlineWidth)") >= 2


def test_nothing_turns_for_who_wants_no_motion(visit: Visit, people: People, made: Exports) -> None:
    export = made.create(people.exporter)
    made.beat(made.claim(), rows=1, size=1)
    with visit(people.exporter) as visitor:
        page = visitor.open(f"/exports/{export.id}")
        turns = "getComputedStyle(document.querySelector('.spin')).animationName"
        assert page.evaluate(turns) == "none"
        page.emulate_media(reduced_motion="no-preference")
        assert page.evaluate(turns) == "spin"
