"""The shell in Chromium: what only a browser can tell (UX section 7)."""

from __future__ import annotations

import io
import re
import uuid
import zipfile
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from tests.fix_app import stores
from tests.fix_exports import CONTENT
from webapp.extensions import db
from webapp.services import exports
from webapp.services.accounts import hash_password

if TYPE_CHECKING:
    from tests.fix_app import People
    from tests.fix_exports import Exports

pytestmark = pytest.mark.browser
Visit = Callable[..., Any]
PASSWORD = "correct horse battery staple"
LONG = "W" * 200
STATUS = re.compile("/status")


def table(page: Any) -> list[str]:
    """The names in the list."""
    return page.locator("#exports a.nm").all_text_contents()  # type: ignore[no-any-return]


def test_somebody_logs_in_with_the_keyboard_alone(visit: Visit, people: People) -> None:
    with people.exporter.at_work() as user:
        user.password_hash = hash_password(PASSWORD)
        db.session.commit()
    with visit(None) as visitor:
        page = visitor.open("/models")
        page.keyboard.press("Tab")
        assert visitor.focused() == "Skip to the content"
        page.locator("#email").focus()
        page.keyboard.type(people.exporter.email)
        page.keyboard.press("Tab")
        page.keyboard.type("wrong")
        page.keyboard.press("Enter")
        expect(page.locator("#errors")).to_be_focused()
        assert page.title() == "Error: Sign in – Exports"
        visitor.complaints.clear()  # the browser tells of every 422
        page.locator("#errors a").click()
        expect(page.locator("#email")).to_be_focused()
        assert page.locator("#email").get_attribute("aria-describedby") == "e-email"
        page.locator("#password").fill(PASSWORD)
        page.keyboard.press("Enter")
        page.wait_for_url("**/models")


def test_the_list_is_searched_while_one_types(visit: Visit, people: People, made: Exports) -> None:
    for name in ("Milk", "Bread", "Milk and bread"):
        made.create(people.exporter, name)
    with visit(people.viewer) as visitor:
        page = visitor.open("/exports")
        search = page.locator("#q")
        search.press_sequentially("milk", delay=20)
        expect(page.locator("#exports a.nm")).to_have_text(["Milk and bread", "Milk"])
        expect(search).to_be_focused()
        assert page.evaluate("document.activeElement.selectionStart") == 4
        assert page.url.endswith("/exports?q=milk&status=&model=&owner=")
        assert visitor.says() == "2 exports found"
        search.press_sequentially("x")
        expect(page.locator("#exports")).to_contain_text("No export is named like “milkx”.")
        page.get_by_role("link", name="Clear search").click()
        expect(page.locator("#exports a.nm")).to_have_count(3)


def test_sorting_and_filters_push_addresses_that_lead_back(visit: Visit, people: People, made: Exports) -> None:
    for name in ("b", "a", "c"):
        made.create(people.exporter, name)
    with visit(people.viewer) as visitor:
        page = visitor.open("/exports")
        page.get_by_role("columnheader", name="Name").get_by_role("link").click()
        expect(page.locator("#exports a.nm")).to_have_text(["a", "b", "c"])
        assert visitor.focused() == "sort-name"
        expect(page.locator("th[aria-sort=ascending]")).to_have_text("Name")
        page.locator("#q").fill("a")
        expect(page.locator("#exports a.nm")).to_have_text(["a"])
        assert "sort=name" in page.url, "a search keeps the order"
        page.locator("#q").fill("")
        expect(page.locator("#exports a.nm")).to_have_text(["a", "b", "c"])
        page.locator("#status").select_option("Failed")
        expect(page.locator("#exports")).to_contain_text("No export with these filters.")
        page.go_back()
        expect(page.locator("#exports a.nm")).to_have_text(["a", "b", "c"])
        page.go_back()
        expect(page.locator("#exports a.nm")).to_have_text(["c", "a", "b"])


def test_rows_change_by_themselves_and_the_questions_end(visit: Visit, people: People, made: Exports) -> None:
    export = made.create(people.exporter, "Long one")
    with visit(people.viewer) as visitor:
        page = visitor.open("/exports")
        row = page.locator(f"#st-{export.id}")
        expect(row).to_have_text("Pending")
        mine = made.claim()
        made.beat(mine, rows=500, size=1000, expected=1000)
        expect(row).to_contain_text("50 %")
        assert visitor.says() == ""
        made.publish(mine)
        expect(row).to_have_text("Finished")
        expect(page.locator(f"#fs-{export.id}")).to_have_text(f"{len(CONTENT)} bytes")
        assert visitor.says() == "Long one: Finished. "
        expect(page.locator("#live")).not_to_have_attribute("hx-get", re.compile("."))
        asked = len(visitor.requests)
        page.wait_for_timeout(2_500)  # longer than the pause between two questions
        assert len(visitor.requests) == asked


def test_a_run_is_followed_to_its_file(visit: Visit, people: People, made: Exports) -> None:
    export = made.create(people.exporter, "Our stores")
    with visit(people.exporter) as visitor:
        page = visitor.open(f"/exports/{export.id}")
        expect(page.locator("#progress")).to_contain_text("Waiting for a worker")
        mine = made.claim()
        made.beat(mine, rows=620, size=1000, expected=1000)
        expect(page.locator("#progress .big")).to_have_text("62 %")
        expect(page.locator("#export-status")).to_have_text("Processing")
        page.get_by_role("button", name="Cancel").focus()
        made.beat(mine, rows=800, size=1000, expected=1000)
        expect(page.locator("#progress .big")).to_have_text("80 %")
        assert visitor.focused() == "Cancel", "the ticks leave the focus where it is"
        assert visitor.says() == ""
        made.publish(mine)
        expect(page.locator("#export-status")).to_have_text("Finished")
        expect(page).to_have_title("Our stores: Finished – Exports")
        assert visitor.says() == "Finished: 2 rows"
        assert visitor.focused() != "", "the focus is not lost with the button"
        expect(page.get_by_role("button", name="Run now")).to_be_visible()
        with page.expect_download() as started:
            page.get_by_role("link", name="Download zip").click()
        assert started.value.suggested_filename == "Our stores.zip"
        with zipfile.ZipFile(io.BytesIO(started.value.path().read_bytes())) as archive:
            assert archive.read("Stores.csv") == CONTENT


def test_cancel_and_run_now(visit: Visit, people: People, made: Exports) -> None:
    export = made.create(people.exporter)
    with visit(people.exporter) as visitor:
        page = visitor.open(f"/exports/{export.id}")
        page.get_by_role("button", name="Cancel").click()
        expect(page.locator("#run-card")).to_contain_text("Cancelled by you")
        page.get_by_role("button", name="Run now").click()
        expect(page.locator("#progress")).to_contain_text("Waiting for a worker")
        page.get_by_role("link", name="Logs").click()
        expect(page.locator("#runs tbody tr")).to_have_count(2)


def test_a_hidden_tab_asks_nothing(visit: Visit, people: People, made: Exports) -> None:
    export = made.create(people.exporter)
    with visit(people.viewer) as visitor:
        with visitor.page.expect_request(STATUS):
            page = visitor.open(f"/exports/{export.id}")
        page.evaluate("Object.defineProperty(document, 'hidden', { value: true, configurable: true })")
        page.wait_for_timeout(200)  # what is on its way arrives
        asked = len(visitor.requests)
        page.wait_for_timeout(2_500)  # longer than the pause between two questions
        assert len(visitor.requests) == asked
        with page.expect_request(STATUS):
            page.evaluate("Object.defineProperty(document, 'hidden', { value: false, configurable: true })")


def test_a_lost_connection_is_told_and_made_up_for(visit: Visit, people: People, made: Exports) -> None:
    made.create(people.exporter, "Milk")
    made.finished(people.exporter, "Bread")
    with visit(people.viewer) as visitor:
        page = visitor.open("/exports")
        expect(page.locator("#offline")).to_be_hidden()
        page.context.set_offline(True)
        page.locator("#q").fill("milk")
        expect(page.locator("#offline")).to_be_visible()
        page.context.set_offline(False)
        expect(page.locator("#exports a.nm")).to_have_text(["Milk"])
        expect(page.locator("#offline")).to_be_hidden()
        assert page.locator("#q").input_value() == "milk"
        visitor.complaints.clear()  # the browser tells of what it could not fetch


def test_an_error_of_the_server_is_told_with_a_way_on(visit: Visit, people: People, made: Exports) -> None:
    made.create(people.exporter, "Milk")
    made.create(people.exporter, "Bread")
    with visit(people.viewer) as visitor:
        page = visitor.open("/exports")
        page.route("**/exports?*", lambda route: route.fulfill(status=502, body="<h1>Bad gateway</h1>"))
        page.locator("#q").fill("milk")
        notice = page.locator("#notices")
        expect(notice).to_contain_text("Something went wrong that we did not foresee.")
        assert len(table(page)) == 2
        page.unroute("**/exports?*")
        notice.get_by_role("button", name="Try again").click()
        expect(page.locator("#exports a.nm")).to_have_text(["Milk"])
        expect(notice).to_be_empty()
        visitor.complaints.clear()  # the answer was made up


def test_a_session_that_is_over_leads_to_the_login_and_back(visit: Visit, people: People, made: Exports) -> None:
    made.create(people.exporter, "Milk")
    with visit(people.viewer) as visitor:
        page = visitor.open("/exports?q=mil")
        page.context.clear_cookies()
        page.locator("#q").fill("milk")
        page.wait_for_url(re.compile("/login.next="))
        assert page.locator("input[name=next]").input_value() == "/exports?q=mil"
        visitor.complaints.clear()  # the browser tells of the 401


def test_the_menu_by_keyboard(visit: Visit, people: People) -> None:
    with visit(people.viewer) as visitor:
        page = visitor.open("/models")
        menu = page.locator("details.account")
        menu.locator("summary").focus()
        page.keyboard.press("Enter")
        expect(menu).to_have_attribute("open", "")
        page.keyboard.press("Tab")
        assert visitor.focused() == "Profile"
        page.keyboard.press("Escape")
        expect(menu).not_to_have_attribute("open", "")
        assert visitor.focused() == "Viewer"
        page.keyboard.press("Enter")
        page.get_by_role("button", name="Dark").click()
        expect(page.locator("html")).to_have_attribute("data-bs-theme", "dark")
        page.locator("details.account summary").click()
        page.get_by_role("button", name="Sign out").click()
        page.wait_for_url("**/login")


def test_the_page_follows_the_machines_theme(visit: Visit, people: People) -> None:
    with visit(people.viewer, theme="dark") as visitor:
        page = visitor.open("/models")
        expect(page.locator("html")).to_have_attribute("data-bs-theme", "dark")
        page.emulate_media(color_scheme="light")
        expect(page.locator("html")).to_have_attribute("data-bs-theme", "light")


def test_the_hash_can_be_copied(visit: Visit, people: People, made: Exports) -> None:
    export = made.finished(people.exporter)
    with visit(people.exporter) as visitor:
        visitor.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        page = visitor.open(f"/exports/{export.id}")
        page.get_by_role("button", name="Copy the SHA-256").click()
        expect(page.locator("#say")).to_have_text("Copied")
        copied = page.evaluate("navigator.clipboard.readText()")
        assert re.fullmatch(r"[0-9a-f]{64}", copied)


@pytest.mark.parametrize("width", [1280, 390, 320])
def test_nothing_is_scrolled_sideways_and_every_stop_has_a_ring(
    visit: Visit, people: People, made: Exports, width: int
) -> None:
    fields = [{"from": "name", "to": LONG, "default": LONG}] * 30
    waiting = made.create(people.exporter, LONG, fields=fields)
    failed = made.create(people.colleague, "Failed")
    made.beat(made.claim(), rows=912_400, size=61_000_000, expected=1_469_307)
    made.fail(made.claim())
    finished = made.finished(people.manager, "A name of " + "many words " * 15)
    addresses = [
        "/exports",
        "/exports?q=nothing",
        "/models",
        "/models/events",
        "/nothing",
        f"/users/{people.viewer.id}",
    ]
    addresses += [f"/exports/{one.id}" for one in (waiting, failed, finished)]
    for theme in ("light", "dark"):
        with visit(people.manager, width=width, theme=theme) as visitor:
            for address in addresses:
                page = visitor.open(address)
                assert visitor.fits(), f"{address} at {width}"
                stops = _stops(page)
                assert len(stops) > 3
                assert [stop for stop in stops if not stop["ring"]] == [], address
                assert [stop for stop in stops if min(stop["height"], stop["width"]) < 24 and not stop["inline"]] == []
            visitor.complaints[:] = [one for one in visitor.complaints if "404" not in one]


@pytest.mark.parametrize("width", [1280, 390, 320])
def test_more_opens_within_the_screen_however_many_buttons_stand_before_it(
    visit: Visit, people: People, made: Exports, width: int
) -> None:
    daily = {"type": "repeated", "every": "day", "hours": "6", "minutes": "30"}
    with people.manager.at_work() as user:
        repeated = exports.create(user, stores(schedule=daily), uuid.uuid4()).id
    with visit(people.manager, width=width) as visitor:
        for export in (repeated, made.create(people.manager).id):
            page = visitor.open(f"/exports/{export}")
            page.locator("#more").click()
            box = page.locator("details.more .pop").bounding_box()
            assert 0 <= box["x"] < box["x"] + box["width"] <= width


def _stops(page: Any) -> list[dict[str, Any]]:
    """What Tab leads to, at most 25 stops: the width of its ring, its size, whether it stands inside a sentence."""
    script = """() => {
        const stop = document.activeElement, style = getComputedStyle(stop), box = stop.getBoundingClientRect();
        const inline = stop.matches('p a, .muted a, summary, .skip');
        return { name: stop.textContent.trim().slice(0, 40), height: box.height, width: box.width, inline,
                 ring: stop === document.body || parseFloat(style.outlineWidth) >= 2 };
    }"""
    found = []
    for _ in range(25):
        page.keyboard.press("Tab")
        found.append(page.evaluate(script))
    return found


def test_everything_works_without_javascript(visit: Visit, people: People, made: Exports) -> None:
    made.finished(people.colleague, "Bread")
    export = made.create(people.exporter, "Milk")
    with visit(people.exporter, script=False) as visitor:
        page = visitor.open("/exports")
        page.locator("#q").fill("milk")
        page.get_by_role("button", name="Apply").click()
        assert table(page) == ["Milk"]
        page.get_by_role("link", name="Milk", exact=True).click()
        page.get_by_role("button", name="Cancel").click()
        expect(page.locator("#run-card")).to_contain_text("Cancelled by you")
        page.get_by_role("button", name="Run now").click()
        assert page.url.endswith(f"/exports/{export.id}")
        made.publish(made.claim())
        page.reload()
        with page.expect_download() as started:
            page.get_by_role("link", name="Download zip").click()
        assert started.value.suggested_filename == "Milk.zip"
