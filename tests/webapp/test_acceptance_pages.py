"""The acceptance lines 1, 23, 29 and 30 of REFERENCE.md section 8: what pages show and lead to."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from typing import TYPE_CHECKING

import psycopg
import pytest

from exports import catalogue
from tests.fix_pages import check
from webapp.extensions import db
from webapp.models import Brand, User

if TYPE_CHECKING:
    from flask.testing import FlaskClient

    from tests.fix_app import People, Person
    from tests.fix_exports import Exports
    from tests.fix_wizard import Wizard

Open = Callable[["Person | None"], "FlaskClient"]
Tab = Callable[["Person"], "Wizard"]
TWELVE = ["Challenges", "Changes", "Content approval", "Coupons", "Coupon pools", "Customers", "Customer fields",
          "Events", "Products", "Rewards", "Stores", "Webhook logs"]  # fmt: skip


def models_offered(browser: FlaskClient) -> list[str]:
    """The data models of the first step, by their labels."""
    page = browser.get("/exports/new").text
    return [html.unescape(one) for one in re.findall(r'name="model"[^>]*>\s*<span>([^<]+)<', page)]


def test_1_twelve_data_models_are_listed_less_those_of_modules_that_are_off(
    client: Open, people: People, source_dsn: str
) -> None:
    browser = client(people.exporter)
    assert models_offered(browser) == TWELVE
    with people.exporter.at_work():
        brand = db.session.get_one(User, people.exporter.id).brand
        db.session.get_one(Brand, brand.id).modules = ["stores"]
        db.session.commit()
    known = {one.label: one.module for one in catalogue.builtin().models.values()}
    assert models_offered(browser) == [one for one in TWELVE if known[one] in ("", None, "stores")]
    assert "Stores" in models_offered(browser)
    assert "Coupons" not in models_offered(browser)


def test_23_create_lands_on_the_view_tab(tab: Tab, people: People, source_dsn: str) -> None:
    someone = tab(people.exporter)
    someone.begin("stores")
    someone.fill(name="Stores")
    someone.press("next")
    someone.fill({"filters-A-1-attribute": "id", "filters-A-1-operator": "is_not_empty"})
    someone.press("next")
    someone.fill(all_fields="1")
    someone.press("check")
    assert someone.step == "check", someone.problems
    someone.press("create")
    assert re.fullmatch(r"/exports/[0-9a-f-]{36}", someone.path)
    assert "Stores: Pending" in check(someone.html).title
    assert 'aria-current="page">View</a>' in someone.html


def test_skipping_to_check_passes_no_step_that_needs_correction(tab: Tab, people: People, source_dsn: str) -> None:
    someone = tab(people.exporter)
    someone.begin("stores")
    someone.open("fields")
    someone.press("check")
    assert someone.step == "fields"
    assert someone.problems, "no field was chosen"


def test_29_the_list_is_searched_by_name_and_sorted_by_name_and_created_at(
    client: Open, people: People, made: Exports
) -> None:
    for name in ("Points", "Coupon use", "Coupons of May"):
        made.create(people.exporter, name)
    browser = client(people.viewer)

    def names(query: str) -> list[str]:
        return re.findall(r'<a class="nm"[^>]*>([^<]*)</a>', browser.get(f"/exports?{query}").text)

    assert names("q=COUPON") == ["Coupons of May", "Coupon use"]
    assert names("sort=name") == ["Coupon use", "Coupons of May", "Points"]
    assert names("sort=-name") == ["Points", "Coupons of May", "Coupon use"]
    assert names("sort=created") == ["Points", "Coupon use", "Coupons of May"]
    assert names("") == ["Coupons of May", "Coupon use", "Points"]


@pytest.fixture
def segment(source_dsn: str) -> tuple[str, str]:
    """Id and name of a segment that can be chosen."""
    wanted = "SELECT id, name FROM loyalty.segments WHERE brand = 'maple' AND status = 'active' ORDER BY id LIMIT 1"
    with psycopg.connect(source_dsn) as connection:
        found = connection.execute(wanted).fetchone()
    assert found is not None
    return found[0], found[1]


@pytest.mark.parametrize(
    ("model", "attribute"), [("", "segments"), ("customers", "segments"), ("events", "customer.segments")]
)
def test_30_export_on_a_segments_page_fills_in_that_segment(
    tab: Tab, people: People, segment: tuple[str, str], model: str, attribute: str
) -> None:
    id, name = segment
    someone = tab(people.exporter)
    someone._get("/exports/new", segment=id, **({"model": model} if model else {}))
    assert f"Of the segment {name}" in someone.text
    assert someone.value("model") == model or "customers"
    someone._send(someone.form.values, "/exports/new", by_htmx=False)
    assert someone.step == "localization"
    [[criterion]] = someone.typed.sets
    assert (criterion.attribute, criterion.operator, criterion.values) == (attribute, "in_segment", (id,))
    someone.open("filters")
    assert name in someone.text


def test_a_segment_that_is_not_there_is_told_and_not_filled_in(tab: Tab, people: People, source_dsn: str) -> None:
    someone = tab(people.exporter)
    someone._get("/exports/new", segment="no-such <b>")
    assert "The segment “no-such <b>” is not there" in someone.text
    someone._send(someone.form.values, "/exports/new", by_htmx=False)
    assert someone.typed.criteria == 0
