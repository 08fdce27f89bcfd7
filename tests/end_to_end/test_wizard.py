"""The whole path in Chromium: login, wizard, Create, Finished, a zip whose csv is right; also without JavaScript."""

from __future__ import annotations

import csv
import io
import re
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import psycopg
import pyarrow as pa
import pytest
from playwright.sync_api import Page, expect

from webapp.extensions import db
from webapp.services.accounts import hash_password

if TYPE_CHECKING:
    from tests.fix_app import People, Person
    from tests.fix_site import Visitor

pytestmark = [pytest.mark.browser, pytest.mark.slow]
Visit = Callable[..., Any]

PASSWORD = "correct horse battery staple"
ZONE = "Europe/Budapest"
FINISHED_MS = 60_000
SAVED_S = 10.0

# What is asked for: two sets, a date in a zone that is not the brand's, headers, replaced values, filled cells.
FIELDS = ["_id", "customer", "timestamp", "action", "properties.product_id", "properties.quantity", "points", "expired"]
HEADER = ["_id", "Customer ID", "When", "What", "Product", "Qty", "points", "expired"]

ORACLE = f"""
    SELECT
        _id,
        coalesce(nullif(customer, ''), 'nobody'),
        strftime(date_trunc('second', "timestamp" AT TIME ZONE '{ZONE}'), '%Y-%m-%d %H:%M:%S'),
        CASE action WHEN 'checkout_item' THEN 'Purchase' WHEN 'refund_item' THEN 'Given, "back"' ELSE action END,
        coalesce(json_extract_string(properties, '$.product_id'), ''),
        coalesce(nullif(json_extract_string(properties, '$.quantity'), ''), '0'),
        coalesce(points, ''),
        coalesce(expired, '')
    FROM events
    WHERE (action = 'checkout_item' AND "timestamp" AT TIME ZONE '{ZONE}' >= TIMESTAMP '2017-01-06 08:30:00')
       OR (points IS NOT NULL AND CAST(points AS DECIMAL(38, 10)) BETWEEN 10 AND 20)
    ORDER BY _id
"""
"""The same question to another database, written by hand; numbers and truths come to it as PostgreSQL writes them."""


def expected(source_dsn: str) -> list[list[str]]:
    """DuckDB's answer on the source's rows of the brand."""
    wanted = """
        SELECT _id, customer, "timestamp", action, properties::text, points::text, expired::text
        FROM loyalty.events WHERE brand = 'maple'
    """
    with psycopg.connect(source_dsn) as source:
        rows = source.execute(wanted).fetchall()
    names = ["_id", "customer", "timestamp", "action", "properties", "points", "expired"]
    columns = list(zip(*rows, strict=True))
    events = pa.table({name: list(values) for name, values in zip(names, columns, strict=True)})
    with duckdb.connect() as oracle:
        oracle.register("events", events)
        return [list(row) for row in oracle.execute(ORACLE).fetchall()]


def csv_of(zipped: Path) -> tuple[str, list[list[str]]]:
    """Name and cells of the one file in a zip."""
    with zipfile.ZipFile(zipped) as archive:
        [name] = archive.namelist()
        text = archive.read(name).decode("utf-8")
    return name, list(csv.reader(io.StringIO(text, newline="")))


def log_in(page: Page, site: str, person: Person) -> None:
    """Log in by the form."""
    with person.at_work() as user:
        user.password_hash = hash_password(PASSWORD)
        db.session.commit()
    page.goto(f"{site}/login")
    page.locator("#email").fill(person.email)
    page.locator("#password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/exports")


def go_on(page: Page, step: str) -> None:
    """Press Next, which names the step that it leads to."""
    page.locator(".foot .btn-primary").click()
    page.wait_for_url(f"**/{step}")


def choose(page: Page, label: str, attribute: str, operator: str, *, script: bool = True) -> None:
    """Attribute and operator of a criterion; without JavaScript a button fetches what goes with them."""
    name = f"#filters-{label[0]}-{label[1:]}"
    for part, value in (("attribute", attribute), ("operator", operator)):
        if script:
            with page.expect_response(f"**/crit/{label}"):
                page.locator(f"{name}-{part}").select_option(value)
        else:
            page.locator(f"{name}-{part}").select_option(value)
            page.locator(f"#c-{label}").get_by_role("button", name="Show its operators").click()


def fill_in(page: Page, *, script: bool) -> None:
    """Everything from the model to Check and create."""
    page.get_by_role("link", name="Create new export").first.click()
    page.locator("[name=model][value=events]").check()
    go_on(page, "localization")
    page.get_by_label("Name").fill('Purchases "2017" / Ősz')
    page.get_by_label("Time zone").select_option(ZONE)
    go_on(page, "filters")

    choose(page, "A1", "action", "equals", script=script)
    page.locator("#filters-A-1-value").fill("checkout_item")
    page.locator("button[value='and:A']").click()
    choose(page, "A2", "timestamp", "gte", script=script)
    page.locator("#filters-A-2-value").fill("2017-01-06 08:30")
    page.locator("button[value=or]").click()
    choose(page, "B1", "points", "between", script=script)
    page.locator("#filters-B-1-low").fill("10")
    page.locator("#filters-B-1-high").fill("20")
    go_on(page, "fields")

    for number, field in enumerate(FIELDS, 1):
        page.locator("#pick").fill(field)
        page.locator("#pick-add").click()
        expect(page.locator(f"#f-{number}")).to_contain_text(field)
    for number, (field, header) in enumerate(zip(FIELDS, HEADER, strict=True), 1):
        if header != field:
            page.locator(f"#fields-{number}-to").fill(header)
    page.locator("#fields-2-default").fill("nobody")
    page.locator("#fields-6-default").fill("0")
    page.locator("#open-4").click()
    page.locator("#fields-4-replace-1-value").fill("checkout_item")
    page.locator("#fields-4-replace-1-new").fill("Purchase")
    page.locator("#rep-add-4").click()
    page.locator("#fields-4-replace-2-value").fill("refund_item")
    page.locator("#fields-4-replace-2-new").fill('Given, "back"')
    go_on(page, "file")
    page.locator("#file-newline").select_option("crlf")
    page.get_by_label("Protect spreadsheets").uncheck()
    go_on(page, "schedule")
    go_on(page, "target")
    go_on(page, "check")
    expect(page.locator("main")).to_contain_text("It starts at once")


def create_and_download(page: Page, folder: Path, *, script: bool) -> Path:
    """Press Create, wait for Finished, download the zip."""
    page.get_by_role("button", name="Create").click()
    page.wait_for_url(re.compile(r"/exports/[0-9a-f-]{36}$"))
    if script:
        expect(page.locator("#export-status")).to_have_text("Finished", timeout=FINISHED_MS)
    else:
        expect(page.get_by_role("link", name="Download zip")).to_be_visible(timeout=FINISHED_MS)
    with page.expect_download() as started:
        page.get_by_role("link", name="Download zip").click()
    path = folder / "file.zip"
    started.value.save_as(path)
    return path


@pytest.mark.parametrize("script", [True, False], ids=["javascript", "no javascript"])
def test_from_the_login_to_a_zip_whose_csv_is_right(
    visit: Visit, people: People, source_dsn: str, worker: None, tmp_path: Path, script: bool
) -> None:
    with visit(None, script=script) as visitor:
        log_in(visitor.page, visitor.site, people.exporter)
        fill_in(visitor.page, script=script)
        name, cells = csv_of(create_and_download(visitor.page, tmp_path, script=script))
    assert name == "Purchases _2017_ _ Ősz.csv"
    oracle = expected(source_dsn)
    assert len(oracle) > 1_000
    assert {row[3] for row in oracle} >= {"Purchase"}
    assert cells[0] == HEADER
    assert len(cells) - 1 == len(oracle)
    assert cells[1:] == oracle


# --- the keyboard alone


def tab_to(page: Page, selector: str, *, backwards: bool = False, at_most: int = 90) -> None:
    """Press Tab until something has the focus; nothing on the way may lose it."""
    for _ in range(at_most):
        if page.evaluate("s => document.activeElement.matches(s)", selector):
            return
        page.keyboard.press("Shift+Tab" if backwards else "Tab")
        ring = page.evaluate("(e => [e.tagName, parseFloat(getComputedStyle(e).outlineWidth)])(document.activeElement)")
        assert ring[0] == "BODY" or ring[1] >= 2, f"no ring around {ring}"
    raise AssertionError(f"{selector} was not reached with {at_most} presses")


def test_the_wizard_is_gone_through_with_the_keyboard_alone(visit: Visit, people: People, source_dsn: str) -> None:
    with visit(people.exporter) as visitor:
        page = visitor.open("/exports/new")
        tab_to(page, "#model")
        for _ in range(30):
            if page.evaluate("document.activeElement.value") == "stores":
                break
            page.keyboard.press("ArrowDown")
        page.keyboard.press("Enter")
        page.wait_for_url("**/localization")
        tab_to(page, "#name")
        page.keyboard.type("By keyboard")
        page.keyboard.press("Enter")
        page.wait_for_url("**/filters")
        tab_to(page, "#filters-A-1-attribute")
        page.keyboard.type("Name", delay=5)
        expect(page.locator("#filters-A-1-operator")).to_be_visible()
        expect(page.locator("#filters-A-1-attribute")).to_be_focused()
        tab_to(page, "#filters-A-1-operator")
        page.keyboard.press("End")
        expect(page.locator("#filters-A-1-value")).to_have_count(0)
        expect(page.locator("#filters-A-1-operator")).to_be_focused()
        tab_to(page, "button[value='and:A']")
        page.keyboard.press("Enter")
        expect(page.locator("#filters-A-2-attribute")).to_be_focused()
        tab_to(page, "#rm-A2")
        page.keyboard.press("Space")
        expect(page.locator("#rm-A1")).to_be_focused()
        tab_to(page, "#rm-A1 ~ *, .foot .btn-primary", at_most=120)
        page.keyboard.press("Enter")
        page.wait_for_url("**/fields")
        tab_to(page, "#pick")
        for field in ("id", "name", "status"):
            page.keyboard.type(field)
            page.keyboard.press("Enter")
            expect(page.locator(".frow").last).to_contain_text(field)
            expect(page.locator("#pick")).to_be_focused()
            expect(page.locator("#pick")).to_have_value("")
        tab_to(page, "#up-3")
        visitor.listen()
        page.keyboard.press("Enter")
        expect(page.locator("#up-2")).to_be_focused()
        visitor.until_heard("Moved Status to position 2 of 3")
        page.keyboard.press("Enter")
        expect(page.locator("#down-1")).to_be_focused()
        tab_to(page, ".foot .btn-primary", at_most=120)
        page.keyboard.press("Enter")
        for step in ("file", "schedule", "target"):
            page.wait_for_url(f"**/{step}")
            tab_to(page, ".foot .btn-primary")
            page.keyboard.press("Enter")
        page.wait_for_url("**/check")
        tab_to(page, ".foot .btn-primary")
        page.keyboard.press("Enter")
        page.wait_for_url(re.compile(r"/exports/[0-9a-f-]{36}$"))
        expect(page.get_by_role("heading", level=1)).to_contain_text("By keyboard")


# --- what only a browser can tell


def begin(visitor: Visitor, model: str = "stores", name: str = "Stores") -> Page:
    """A draft on the step Filters."""
    page = visitor.open("/exports/new")
    page.locator(f"[name=model][value={model}]").check()
    go_on(page, "localization")
    page.get_by_label("Name").fill(name)
    go_on(page, "filters")
    return page


def test_the_summary_takes_the_focus_and_its_links_lead_to_the_inputs(visit: Visit, people: People) -> None:
    with visit(people.exporter) as visitor:
        page = visitor.open("/exports/new")
        page.locator("[name=model][value=stores]").check()
        go_on(page, "localization")
        page.locator(".foot .btn-primary").click()
        expect(page.locator("#errors")).to_be_focused()
        expect(page).to_have_title("Error: Localization – Exports")
        page.locator("#errors a").click()
        expect(page.locator("#name")).to_be_focused()
        assert page.locator("#name").get_attribute("aria-invalid") == "true"
        page.keyboard.type("Corrected")
        expect(page.locator("#errors")).to_have_count(0)
        expect(page.locator("#name")).not_to_have_attribute("aria-invalid", "true")
        expect(page.locator("#name")).to_be_focused()
        page.reload()
        expect(page.locator("#name")).to_have_value("Corrected")


def test_typing_saves_counts_and_leaves_the_caret_where_it_is(visit: Visit, people: People, source_dsn: str) -> None:
    with visit(people.exporter) as visitor:
        page = begin(visitor)
        choose(page, "A1", "name", "contains")
        value = page.locator("#filters-A-1-value")
        value.press_sequentially("ain", delay=30)
        page.keyboard.press("Home")
        with page.expect_response("**/save"):
            value.press_sequentially("M", delay=30)
        expect(page.locator("#matching")).to_contain_text("Exact, counted")
        assert value.input_value() == "Main"
        assert page.evaluate("document.activeElement.selectionStart") == 1
        expect(value).to_be_focused()
        expect(page.locator("#say")).to_contain_text("match")
        page.reload()
        expect(value).to_have_value("Main")


def test_what_is_typed_before_the_answer_comes_is_newer_than_the_answer(visit: Visit, people: People) -> None:
    with visit(people.exporter) as visitor:
        page = begin(visitor)
        choose(page, "A1", "name", "equals")
        value = page.locator("#filters-A-1-value")
        value.fill("before")
        held: list[Any] = []
        page.route("**/crit/A1", lambda route: held.append(route))
        with page.expect_request("**/crit/A1"):
            page.locator("#filters-A-1-operator").select_option("contains")
        value.fill("typed meanwhile")
        expect(page.locator("#step-form")).to_be_visible()
        held[0].continue_()
        expect(page.locator("#h-filters-A-1-value")).to_contain_text("do not count")
        expect(value).to_have_value("typed meanwhile")
        with page.expect_response("**/save"):
            pass
        page.reload()
        expect(value).to_have_value("typed meanwhile")


def test_back_and_forward_show_what_was_typed(visit: Visit, people: People) -> None:
    with visit(people.exporter) as visitor:
        page = begin(visitor, name="First name")
        page.go_back()
        expect(page.locator("#name")).to_have_value("First name")
        page.locator("#name").fill("Second name")
        go_on(page, "filters")
        page.go_back()
        expect(page.locator("#name")).to_have_value("Second name")
        page.go_forward()
        expect(page.locator("#filters-A-1-attribute")).to_be_visible()
        page.locator(".foot .btn-o").click()
        expect(page.locator("#name")).to_have_value("Second name")


def test_leaving_by_the_step_bar_keeps_the_last_letters(visit: Visit, people: People) -> None:
    with visit(people.exporter) as visitor:
        page = begin(visitor)
        page.get_by_role("navigation", name="Steps").get_by_role("link", name="Localization").first.click()
        page.wait_for_url("**/localization")
        page.locator("#name").press("End")
        page.locator("#name").press_sequentially(" of ours")
        page.get_by_role("navigation", name="Steps").get_by_role("link", name="Data model").first.click()
        page.wait_for_url("**/model")
        page.go_back()
        expect(page.locator("#name")).to_have_value("Stores of ours")


def wait_until_saved(page: Page, draft: str, text: str) -> None:
    """What is sent on leaving may reach the server behind the request for the next page."""
    deadline = time.monotonic() + SAVED_S
    while text not in page.evaluate("async (url) => (await fetch(url)).text()", draft):
        assert time.monotonic() < deadline, f"{text} was not saved"


def test_leaving_at_once_keeps_the_last_letters(visit: Visit, people: People) -> None:
    with visit(people.exporter) as visitor:
        page = begin(visitor)
        page.go_back()
        draft = page.url
        page.locator("#name").press("End")
        page.locator("#name").press_sequentially("!")
        visitor.open("/models")
        wait_until_saved(page, draft, "Stores!")
        page.goto(draft)
        expect(page.locator("#name")).to_have_value("Stores!")
        page.locator("#name").press("End")
        page.locator("#name").press_sequentially("!")
        go_on(page, "filters")  # no conflict with what was saved on leaving


def test_a_second_tab_is_told_and_can_win(visit: Visit, people: People) -> None:
    with visit(people.exporter) as visitor:
        page = begin(visitor)
        page.go_back()
        other = page.context.new_page()
        other.goto(page.url)
        other.locator("#name").fill("From the other tab")
        other.locator(".foot .btn-primary").click()
        other.wait_for_url("**/filters")
        page.locator("#name").fill("From this tab")
        expect(page.locator("#conflict")).to_contain_text("This draft was changed in another tab at")
        expect(page.locator("#name")).to_have_value("From this tab")
        expect(page.locator("#name")).to_be_focused()
        page.get_by_role("button", name="Keep mine").click()
        expect(page.locator("#conflict")).to_be_empty()
        expect(page.locator("#name")).to_have_value("From this tab")
        other.goto(page.url)
        expect(other.locator("#name")).to_have_value("From this tab")
        visitor.complaints.clear()  # the browser tells of every 409


def test_what_is_typed_without_a_connection_is_saved_when_it_is_back(visit: Visit, people: People) -> None:
    with visit(people.exporter) as visitor:
        page = begin(visitor)
        page.go_back()
        page.context.set_offline(True)
        page.locator("#name").fill("Typed on a train")
        expect(page.locator("#offline")).to_be_visible()
        page.context.set_offline(False)
        with page.expect_response(lambda answer: answer.url.endswith("/save") and answer.ok):
            page.evaluate("window.dispatchEvent(new Event('online'))")
        expect(page.locator("#offline")).to_be_hidden()
        page.reload()
        expect(page.locator("#name")).to_have_value("Typed on a train")
        visitor.complaints.clear()  # and of every request that found no network


def test_a_double_click_on_create_makes_one_export(visit: Visit, people: People, source_dsn: str) -> None:
    from sqlalchemy import func, select

    from webapp.models import Export

    with visit(people.exporter) as visitor:
        page = begin(visitor)
        choose(page, "A1", "id", "is_not_empty")
        go_on(page, "fields")
        page.locator("#all_fields").check()
        expect(page.locator("#fields")).to_contain_text("fields of Stores")
        for step in ("file", "schedule", "target", "check"):
            go_on(page, step)
        page.get_by_role("button", name="Create").dblclick()
        page.wait_for_url(re.compile(r"/exports/[0-9a-f-]{36}$"))
    with people.exporter.at_work():
        assert db.session.scalar(select(func.count(Export.id))) == 1


def test_a_date_can_be_picked(visit: Visit, people: People) -> None:
    with visit(people.exporter) as visitor:
        page = begin(visitor, model="events")
        choose(page, "A1", "timestamp", "gte")
        value = page.locator("#filters-A-1-value")
        page.evaluate("() => { HTMLInputElement.prototype.showPicker = function () { this.dataset.shown = 'yes'; }; }")
        page.locator("[data-picks='filters-A-1-value']").click()
        picker = page.locator(".datepick")
        assert picker.get_attribute("data-shown") == "yes"
        picker.evaluate("p => { p.value = '2017-01-31'; p.dispatchEvent(new Event('change', {bubbles: true})); }")
        expect(value).to_have_value("2017-01-31")
        expect(value).to_be_focused()


def test_the_list_of_attributes_is_searched(visit: Visit, people: People) -> None:
    with visit(people.exporter) as visitor:
        page = begin(visitor, model="events")
        rows = page.locator("#attribute-rows tr:visible")
        expect(rows).to_have_count(61)
        page.locator("#attribute-search").fill("IP_addr")
        expect(rows).to_have_count(1)
        page.locator("#attribute-search").fill("no such thing")
        expect(page.locator("#attribute-none")).to_be_visible()
        page.locator("#attribute-search").fill("user agent")
        rows.get_by_role("button").click()
        expect(page.locator("#filters-A-1-attribute")).to_have_value("user_agent")
        expect(page.locator("#filters-A-1-operator")).to_be_focused()


@pytest.mark.parametrize("width", [1280, 390, 320])
def test_every_step_fits_its_screen(visit: Visit, people: People, source_dsn: str, width: int) -> None:
    with visit(people.exporter, width=width) as visitor:
        page = visitor.open("/exports/new")
        assert visitor.fits()
        page.locator("[name=model][value=events]").check()
        go_on(page, "localization")
        page.get_by_label("Name").fill("W" * 200)
        go_on(page, "filters")
        choose(page, "A1", "action", "in")
        page.locator("button[value='and:A']").click()
        choose(page, "A2", "timestamp", "in_date")
        page.locator("button[value=or]").click()
        choose(page, "B1", "points", "between")
        page.locator(".foot .btn-primary").click()
        expect(page.locator("#errors")).to_be_visible()
        assert visitor.fits(), "Filters with mistakes"
        page.locator("#filters-A-1-values").check()
        page.locator("#filters-A-2-low").fill("2017-01-01")
        page.locator("#filters-B-1-high").fill("20")
        expect(page.locator("#matching")).to_contain_text("Exact")
        assert visitor.fits(), "Filters with the first rows"
        go_on(page, "fields")
        for field in ("_id", "ip_address", "properties"):
            page.locator("#pick").fill(field)
            page.locator("#pick-add").click()
            expect(page.locator(".frow").last).to_contain_text(field)
        page.locator("#open-1").click()
        expect(page.locator("#fields-1-replace-1-value")).to_be_focused()
        expect(page.locator("#matching")).to_contain_text("row")
        assert visitor.fits(), "Field settings"
        for step in ("file", "schedule", "target", "check"):
            go_on(page, step)
            if step in ("file", "check"):
                expect(page.locator("#matching")).to_contain_text("row")
            assert visitor.fits(), step
