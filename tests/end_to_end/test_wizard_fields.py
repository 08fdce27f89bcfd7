"""Field settings in Chromium: drag does what the arrows do, the picker's list, Aggregation to a file that is right."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import psycopg
import pyarrow as pa
import pytest
from playwright.sync_api import Page, expect

from tests.end_to_end.test_wizard import choose, create_and_download, csv_of, go_on

if TYPE_CHECKING:
    from tests.fix_app import People

pytestmark = [pytest.mark.browser, pytest.mark.slow]
Visit = Callable[..., Any]

FIELDS = ["id", "name", "city", "group", "status", "country"]


def begin(page: Page, model: str, *, name: str = "Fields", script: bool = True) -> None:
    """From the list of exports to Filters, with one criterion that every record meets."""
    page.get_by_role("link", name="Create new export").first.click()
    page.locator(f"[name=model][value={model}]").check()
    go_on(page, "localization")
    page.get_by_label("Name").fill(name)
    go_on(page, "filters")
    choose(page, "A1", "id" if model == "stores" else "_id", "is_not_empty", script=script)


def at_fields(page: Page, *fields: str, model: str = "stores", name: str = "Fields") -> None:
    """On to Field settings, with these fields chosen."""
    begin(page, model, name=name)
    go_on(page, "fields")
    add(page, *fields)


def add(page: Page, *fields: str) -> None:
    """Type the id of each field and press Add."""
    for field in fields:
        place = page.locator(".flist > li").count() + 1
        page.locator("#pick").fill(field)
        page.locator("#pick-add").click()
        expect(page.locator(f"#f-{place} .from .mono")).to_have_text(field)


def order(page: Page) -> list[str]:
    """The ids of the fields as they stand on the page."""
    return page.locator(".flist > li .from > .mono").all_inner_texts()


def drag(page: Page, line: int, to: int) -> None:
    """Take a line by its handle and let it go over the middle of another."""
    handle = page.locator(f"#f-{line} [data-drag]").bounding_box()
    target = page.locator(f"#f-{to}").bounding_box()
    assert handle
    assert target
    page.mouse.move(handle["x"] + handle["width"] / 2, handle["y"] + handle["height"] / 2)
    page.mouse.down()
    beyond = 6 if to > line else -6
    page.mouse.move(target["x"] + 20, target["y"] + target["height"] / 2 + beyond, steps=8)
    page.mouse.up()


KEEP_MOVES = """
    new MutationObserver(() => {
        const text = document.getElementById("say").textContent.trim();
        if (text.startsWith("Moved ")) document.body.dataset.moved = text;
    }).observe(document.getElementById("say"), {childList: true, characterData: true, subtree: true});
"""
"""What is said of a move is kept: the number of rows may be said right after it."""


@pytest.mark.parametrize(("line", "to"), [(1, 4), (6, 2), (3, 2)])
def test_a_drag_gives_the_order_that_the_arrows_give(visit: Visit, people: People, line: int, to: int) -> None:
    with visit(people.exporter) as visitor:
        page = visitor.open("/exports")
        at_fields(page, *FIELDS)
        page.evaluate(KEEP_MOVES)
        body = page.locator("body")
        page.locator(f"#fields-{line}-to").fill("Moved")
        arrow = "down" if to > line else "up"
        at = line
        while at != to:
            page.locator(f"#{arrow}-{at}").click()
            at += 1 if to > line else -1
            expect(page.locator(f"#f-{at} .from .mono")).to_have_text(FIELDS[line - 1])
        by_arrows = order(page)
        expect(body).to_have_attribute("data-moved", re.compile(rf"^Moved .+ to position {to} of 6$"))
        said = body.get_attribute("data-moved")
        assert said

        opposite = "up" if arrow == "down" else "down"
        while at != line:
            page.locator(f"#{opposite}-{at}").click()
            at += 1 if to < line else -1
            expect(page.locator(f"#f-{at} .from .mono")).to_have_text(FIELDS[line - 1])
        assert order(page) == FIELDS

        expect(body).to_have_attribute("data-moved", re.compile(rf"to position {line} of 6$"))
        with page.expect_response(lambda answer: answer.request.method == "POST" and answer.url.endswith("/fields")):
            drag(page, line, to)
        expect(body).to_have_attribute("data-moved", said)
        assert order(page) == by_arrows
        expect(page.locator(f"#fields-{to}-to")).to_have_value("Moved")
        page.reload()
        assert order(page) == by_arrows


def test_escape_puts_a_dragged_line_back(visit: Visit, people: People) -> None:
    with visit(people.exporter) as visitor:
        page = visitor.open("/exports")
        at_fields(page, *FIELDS[:3])
        handle, last = page.locator("#f-1 [data-drag]").bounding_box(), page.locator("#f-3").bounding_box()
        assert handle
        assert last
        assert min(handle["width"], handle["height"]) >= 24
        page.mouse.move(handle["x"] + 5, handle["y"] + 5)
        page.mouse.down()
        page.mouse.move(handle["x"] + 5, last["y"] + last["height"], steps=5)
        expect(page.locator(".flist > li").last).to_have_id("f-1")
        page.keyboard.press("Escape")
        page.mouse.up()
        assert order(page) == FIELDS[:3]


def test_the_picker_lists_what_fits_and_adds_what_is_chosen_by_keys(visit: Visit, people: People) -> None:
    with visit(people.exporter) as visitor:
        page = visitor.open("/exports")
        at_fields(page, model="events")
        page.locator("#pick").press_sequentially("stamp")
        options = page.locator("#o-pick [role=option]")
        expect(options.first).to_contain_text("Occurred at")
        assert all("stamp" in text.lower() for text in options.all_inner_texts())
        page.keyboard.press("ArrowDown")
        page.keyboard.press("ArrowDown")
        expect(options.nth(1)).to_have_attribute("aria-selected", "true")
        page.keyboard.press("Enter")
        expect(page.locator("#f-1 .from .mono")).to_have_text("unix_timestamp")
        expect(page.locator("#pick")).to_be_focused()
        page.keyboard.type("Quant")
        expect(options).to_have_count(2)
        options.get_by_text("properties.quantity").click()
        expect(page.locator("#f-2 .from .mono")).to_have_text("properties.quantity")
        expect(page.locator(".flist > li")).to_have_count(2)
        page.locator("#pick").press_sequentially("nonsense")
        expect(page.locator("#o-pick")).to_contain_text("No field is named like “nonsense”")
        page.keyboard.press("Escape")
        expect(page.locator("#o-pick")).to_be_hidden()
        expect(page.locator("#pick")).to_have_value("nonsense")


AGGREGATED = [
    ("action", "group", "What"),
    ("expired", "group", "Expired"),
    ("_id", "count", "Events"),
    ("points", "sum", "Points"),
    ("points", "average", "Average"),
    ("timestamp", "max", "Last"),
    ("properties.product_id", "min", "First product"),
]
ORACLE = """
    SELECT
        CASE action WHEN 'checkout_item' THEN 'Bought' WHEN 'checkout' THEN 'Bought' ELSE action END AS what,
        coalesce(expired, 'unknown') AS expired_,
        count(*)::text,
        coalesce(sum(CAST(points AS DECIMAL(38, 10)))::text, '0'),
        count(points)::text,
        strftime(max("timestamp" AT TIME ZONE 'America/New_York'), '%Y-%m-%d %H:%M:%S'),
        CASE WHEN bool_or(coalesce(product, '') = '') THEN '' ELSE min(product) END
    FROM (SELECT *, json_extract_string(properties, '$.product_id') AS product FROM events)
    GROUP BY ALL
    ORDER BY what, expired_
"""
"""The same question to another database, written by hand; of the average the entries by which the sum is divided."""


def groups_by_duckdb(source_dsn: str) -> list[list[str]]:
    """DuckDB's answer on the brand's events; its sums are made exact and its averages here."""
    wanted = """SELECT _id, action, "timestamp", properties::text, points::text, expired::text
                FROM loyalty.events WHERE brand = 'maple'"""
    names = ["_id", "action", "timestamp", "properties", "points", "expired"]
    with psycopg.connect(source_dsn) as source:
        columns = zip(*source.execute(wanted).fetchall(), strict=True)
    events = pa.table({name: list(values) for name, values in zip(names, columns, strict=True)})
    with duckdb.connect() as oracle:
        oracle.register("events", events)
        rows = oracle.execute(ORACLE).fetchall()
    return [[what, expired, number, *numbers(total, int(entries)), last, product]
            for what, expired, number, total, entries, last, product in rows]  # fmt: skip


def numbers(total: str, entries: int) -> list[str]:
    """The sum and the average as they stand in the file, compared by value."""
    if not entries:
        return ["0", ""]
    average = (Decimal(total) / entries).quantize(Decimal("1e-10"), ROUND_HALF_UP)
    return [str(Decimal(total).normalize() + 0), str(average.normalize() + 0)]


def by_value(row: list[str]) -> list[str]:
    """A row of the file with its sum and average normalized: how many zeros stand at their end is no matter here."""
    return [*row[:3], *(str(Decimal(one).normalize() + 0) if one else one for one in row[3:5]), *row[5:]]


@pytest.mark.parametrize("script", [True, False], ids=["javascript", "no javascript"])
def test_an_aggregated_export_from_the_wizard_to_a_file_that_is_right(
    visit: Visit, people: People, worker: None, source_dsn: str, tmp_path: Path, script: bool
) -> None:
    with visit(people.exporter, script=script) as visitor:
        page = visitor.open("/exports")
        begin(page, "events", script=script)
        page.get_by_label("Aggregation", exact=False).check()
        go_on(page, "fields")
        add(page, *(field for field, _method, _to in AGGREGATED))
        for place, (_field, method, to) in enumerate(AGGREGATED, 1):
            page.locator(f"#fields-{place}-aggregation").select_option(method)
            page.locator(f"#fields-{place}-to").fill(to)
        page.locator("#fields-2-default").fill("unknown")
        page.locator("#fields-4-default").fill("0")
        page.locator("#open-1").click()
        for row, value in enumerate(("checkout_item", "checkout"), 1):
            page.locator(f"#fields-1-replace-{row}-value").fill(value)
            page.locator(f"#fields-1-replace-{row}-new").fill("Bought")
            if row == 1:
                page.locator("#rep-add-1").click()
                expect(page.locator("#fields-1-replace-2-value")).to_be_visible()
        for step in ("file", "schedule", "target", "check"):
            go_on(page, step)
        expect(page.locator("#row-fields")).to_contain_text("One row for each group of What, Expired")
        _name, (header, *rows) = csv_of(create_and_download(page, tmp_path, script=script))
    assert len(rows) > 10
    assert header == [to for _field, _method, to in AGGREGATED]
    assert [by_value(row) for row in rows] == groups_by_duckdb(source_dsn)


def test_fields_are_moved_and_their_values_replaced_with_the_keyboard_alone(visit: Visit, people: People) -> None:
    with visit(people.exporter) as visitor:
        page = visitor.open("/exports")
        at_fields(page, "id", "name", "city")
        page.locator("#down-1").focus()
        page.keyboard.press("Enter")
        expect(page.locator("#down-2")).to_be_focused()
        page.keyboard.press("Space")
        expect(page.locator("#up-3")).to_be_focused()
        assert order(page) == ["name", "city", "id"]
        page.locator("#open-2").focus()
        page.keyboard.press("Enter")
        expect(page.locator("#fields-2-replace-1-value")).to_be_focused()
        page.keyboard.type("Boston")
        page.keyboard.press("Tab")
        page.keyboard.type("Here")
        page.locator("#rep-add-2").focus()
        page.keyboard.press("Enter")
        expect(page.locator("#fields-2-replace-2-value")).to_be_focused()
        expect(page.locator("#fields-2-replace-1-new")).to_have_value("Here")
        page.locator("#rep-rm-2-2").focus()
        page.keyboard.press("Enter")
        expect(page.locator("#rep-rm-2-1")).to_be_focused()
        page.locator("#rm-2").focus()
        page.keyboard.press("Enter")
        expect(page.locator("#rm-1")).to_be_focused()
        assert order(page) == ["name", "id"]


@pytest.mark.parametrize("width", [1280, 390, 320])
def test_names_of_200_characters_fit_every_screen(visit: Visit, people: People, width: int) -> None:
    with visit(people.exporter, width=width) as visitor:
        page = visitor.open("/exports")
        begin(page, "events", name="N" * 200)
        page.get_by_label("Aggregation").check()
        go_on(page, "fields")
        add(page, "action", "properties.transaction_id")
        page.locator("#fields-1-aggregation").select_option("group")
        page.locator("#fields-2-aggregation").select_option("count")
        page.locator("#fields-1-to").fill("T" * 200)
        page.locator("#fields-2-default").fill("D" * 200)
        page.locator("#open-1").click()
        page.locator("#fields-1-replace-1-value").fill("V" * 200)
        page.locator("#fields-1-replace-1-new").fill("W" * 200)
        expect(page.locator("#e-fields-2-aggregation")).to_contain_text("Count counts entries")
        expect(page.locator("#first-rows table")).to_be_visible()
        assert visitor.fits()
        for step in ("file", "schedule", "target", "check"):
            go_on(page, step)
            assert visitor.fits(), step
