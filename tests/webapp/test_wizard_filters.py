"""Filters in the wizard: sets and criteria, the input that fits an operator, what htmx swaps (SPEC section 3.3)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from tests.fix_pages import check

if TYPE_CHECKING:
    from flask.testing import FlaskClient

    from tests.fix_app import People, Person
    from tests.fix_wizard import Wizard

Tab = Callable[["Person"], "Wizard"]


def at_filters(wizard: Wizard, model: str = "events") -> None:
    """Somebody on the step Filters of a new draft."""
    wizard.begin(model)
    wizard.fill(name="Events")
    wizard.press("next")


def attributes(wizard: Wizard) -> list[list[str]]:
    """The attributes of each set."""
    return [[one.attribute for one in set_] for set_ in wizard.typed.sets]


def documented(wizard: Wizard) -> list[Any]:
    """The filters of the definition that the draft makes."""
    from webapp.services import brands, drafts

    with wizard.person.at_work() as user:
        return drafts.document(wizard.typed, brands.catalogue_of(user.brand))["filters"]


def choose(wizard: Wizard, attribute: str, operator: str = "", label: str = "A-1") -> None:
    """Choose attribute and operator of a criterion, as two changes."""
    wizard.fill({f"filters-{label}-attribute": attribute})
    wizard.press(f"crit:{label.replace('-', '')}")
    if operator:
        wizard.fill({f"filters-{label}-operator": operator})
        wizard.press(f"crit:{label.replace('-', '')}")


# --- sets


def test_and_adds_a_criterion_to_its_set_and_or_adds_a_set(wizard: Tab, people: People) -> None:
    someone = wizard(people.exporter)
    at_filters(someone)
    choose(someone, "action")
    someone.press("and:A")
    choose(someone, "timestamp", label="A-2")
    someone.press("or")
    choose(someone, "points", label="B-1")
    assert attributes(someone) == [["action", "timestamp"], ["points"]]
    someone.press("rm:A1")
    assert attributes(someone) == [["timestamp"], ["points"]]
    someone.press("rm:A1")
    assert attributes(someone) == [["points"]], "a set without criteria goes"
    someone.press("rm-set:A")
    assert attributes(someone) == [[""]], "there is always a row to begin with"


def test_what_was_typed_goes_with_its_criterion_when_another_one_is_removed(wizard: Tab, people: People) -> None:
    someone = wizard(people.exporter)
    at_filters(someone, "stores")
    choose(someone, "name")
    someone.press("and:A")
    choose(someone, "city" if "city" in someone.form.choices["filters-A-2-attribute"] else "id", label="A-2")
    someone.fill({"filters-A-1-value": "first", "filters-A-2-value": "second"})
    someone.press("rm:A1")
    assert someone.value("filters-A-1-value") == "second"


def test_a_plain_page_goes_on_at_the_criterion_that_was_added(tab: Tab, people: People) -> None:
    someone = tab(people.exporter)
    at_filters(someone)
    choose(someone, "action")
    answer = someone.post([("filters-A-1-attribute", "action"), ("filters-A-1-operator", "equals")], "and:A")
    assert answer.status_code == 303
    assert answer.headers["Location"].endswith("/filters#c-A2")


def test_an_attribute_of_the_list_fills_the_empty_row_and_then_adds_rows(wizard: Tab, people: People) -> None:
    someone = wizard(people.exporter)
    at_filters(someone)
    someone.press("add:action")
    someone.press("add:properties.product_id")
    assert attributes(someone) == [["action", "properties.product_id"]]


def test_a_criterion_without_an_attribute_has_its_own_message(wizard: Tab, people: People) -> None:
    someone = wizard(people.exporter)
    at_filters(someone)
    choose(someone, "action", "is_not_empty")
    someone.press("and:A")
    assert someone.problems == [], "a new row is no mistake yet"
    someone.press("next")
    assert someone.problems == [("filters-A-2-attribute", "Choose an attribute, or remove this criterion")]


def test_a_row_added_after_a_mistake_is_not_called_one(wizard: Tab, people: People) -> None:
    someone = wizard(people.exporter)
    at_filters(someone)
    choose(someone, "points", "gte")
    someone.fill({"filters-A-1-value": "ten"})
    someone.press("next")
    someone.press("and:A")
    assert [input for input, _sentence in someone.problems] == ["filters-A-1-value"]


# --- values


@pytest.mark.parametrize(
    ("model", "attribute", "operator", "inputs", "value"),
    [
        ("stores", "name", "equals", {"value": " Main, Street "}, " Main, Street "),
        ("stores", "name", "in", {"value": 'a, b\n"c, d"'}, ["a", "b", "c, d"]),
        ("events", "action", "equals", {"value": "checkout_item"}, "checkout_item"),
        ("events", "action", "equals", {"value": "our_own_action"}, "our_own_action"),
        ("events", "action", "in", {"values": ["checkout", "refund"], "value": "our_own"},
         ["checkout", "refund", "our_own"]),
        ("events", "points", "gte", {"value": "10"}, 10),
        ("events", "points", "gte", {"value": "10.5"}, "10.5"),
        ("events", "points", "between", {"low": "-10", "high": "20"}, [-10, 20]),
        ("events", "points", "between", {"low": "", "high": "20"}, [None, 20]),
        ("events", "points", "in", {"value": "1, 2"}, [1, 2]),
        ("events", "timestamp", "gte", {"value": " 2017-01-01 "}, "2017-01-01"),
        ("events", "timestamp", "in_date", {"low": "2017-01-01", "high": "2017-01-31 08:30"},
         ["2017-01-01", "2017-01-31 08:30"]),
        ("events", "expired", "equals", {"value": "false"}, False),
        ("events", "properties", "has_key", {"value": "sku"}, "sku"),
        ("customers", "labels", "contains_any", {"value": "a\nb"}, ["a", "b"]),
        ("customers", "gender", "not_in", {"values": ["male"]}, ["male"]),
    ],
)  # fmt: skip
def test_each_operator_has_the_input_that_fits_and_makes_the_value_of_the_definition(
    wizard: Tab, people: People, model: str, attribute: str, operator: str, inputs: dict[str, Any], value: Any
) -> None:
    someone = wizard(people.exporter)
    at_filters(someone, model)
    choose(someone, attribute, operator)
    assert {f"filters-A-1-{part}" for part in inputs} <= {name for name, _value in someone.form.values}
    someone.fill({f"filters-A-1-{part}": typed for part, typed in inputs.items()})
    someone.press("next")
    assert someone.problems == []
    assert documented(someone) == [[{"attribute": attribute, "operator": operator, "value": value}]]


def test_an_operator_without_value_has_no_input_and_no_value(wizard: Tab, people: People) -> None:
    someone = wizard(people.exporter)
    at_filters(someone)
    choose(someone, "action", "is_empty")
    assert "filters-A-1-value" not in dict(someone.form.values)
    assert documented(someone) == [[{"attribute": "action", "operator": "is_empty"}]]


def test_segments_are_chosen_by_name(wizard: Tab, people: People, source_dsn: str) -> None:
    someone = wizard(people.exporter)
    at_filters(someone, "customers")
    choose(someone, "segments")
    someone.fill({"filters-A-1-find": "lapsed: no"})
    someone.press("find:A1")
    [op] = [op for op in someone.form.buttons if op.startswith("take:A1:")]
    assert "Lapsed: no purchase" in someone.text
    someone.press(op)
    assert "Lapsed: no purchase" in someone.text
    assert someone.value("filters-A-1-find") == ""
    someone.press("next")
    assert someone.step == "fields"
    assert documented(someone)[0][0]["value"] == {"ids": [op.removeprefix("take:A1:")]}


def test_boxes_that_were_unticked_stay_unticked(wizard: Tab, people: People) -> None:
    someone = wizard(people.exporter)
    at_filters(someone, "customers")
    choose(someone, "gender", "in")
    someone.fill({"filters-A-1-values": ["male", "female"]})
    someone.press("and:A")
    someone.fill({"filters-A-1-values": []})
    someone.press("next")
    assert someone.typed.sets[0][0].values == ()
    assert ("filters-A-1-values", "Enter at least one value for Gender") in someone.problems


def test_a_value_is_kept_if_the_other_attribute_can_have_it_and_else_not(wizard: Tab, people: People) -> None:
    someone = wizard(people.exporter)
    at_filters(someone, "stores")
    choose(someone, "name", "contains")
    someone.fill({"filters-A-1-value": "Main"})
    choose(someone, "id")
    assert someone.value("filters-A-1-value") == "Main"
    assert someone.value("filters-A-1-operator") == "contains"
    choose(someone, "created_at" if "created_at" in someone.form.choices["filters-A-1-attribute"] else "updated_at")
    assert someone.value("filters-A-1-value") == ""
    assert someone.value("filters-A-1-operator") == "equals"


def test_capital_letters_count_beside_equals_of_text_alone(tab: Tab, people: People) -> None:
    someone = tab(people.exporter)
    at_filters(someone, "stores")
    choose(someone, "name", "equals")
    assert "Capital letters count" in someone.text
    choose(someone, "name", "contains")
    assert "Capital letters do not count" in someone.text
    choose(someone, "name", "is_empty")
    assert "Capital letters" not in someone.text


@pytest.mark.parametrize(
    ("attribute", "operator", "typed", "input", "sentence"),
    [
        ("points", "gte", {"value": "1,5"}, "value", "Enter a number for Points, such as 12 or 12.50"),
        ("points", "between", {"low": "20", "high": "10"}, "low",
         "The first value must not be greater than the second"),
        ("points", "between", {"low": "1", "high": "x"}, "high", "Enter a number for Points, such as 12 or 12.50"),
        ("timestamp", "equals", {"value": "2017-02-30"}, "value", "2017-02-30 is not a day of the calendar"),
        ("action", "in", {"values": []}, "values", "Enter at least one value for Action"),
        ("properties", "has_key", {"value": ""}, "value", "Enter a text for Properties"),
    ],
)  # fmt: skip
def test_a_bad_value_is_told_at_its_own_input(
    wizard: Tab, people: People, attribute: str, operator: str, typed: dict[str, Any], input: str, sentence: str
) -> None:
    someone = wizard(people.exporter)
    at_filters(someone)
    choose(someone, attribute, operator)
    someone.fill({f"filters-A-1-{part}": value for part, value in typed.items()})
    someone.press("next")
    assert someone.step == "filters"
    assert someone.problems == [(f"filters-A-1-{input}", sentence)]
    assert someone.beside(f"filters-A-1-{input}") == f"Error: {sentence}"


# --- what htmx swaps


def test_a_changed_attribute_answers_the_criterion_alone(tab: Tab, people: People) -> None:
    someone = tab(people.exporter)
    at_filters(someone)
    someone.fill({"filters-A-1-attribute": "points"})
    answer = someone.swap(someone.form.values, "c-A1", f"/drafts/{someone.draft_id}/filters/crit/A1")
    page = answer.get_data(as_text=True)
    found = check(page, whole=False)
    assert "c-A1" in found.ids
    assert "filters-A-1-operator" in found.ids
    assert 'id="step-form"' not in page
    assert answer.headers["HX-Trigger"] == "draft-changed"
    assert {"HX-Request", "HX-Target"} <= set(answer.headers["Vary"].replace(",", " ").split())


@pytest.mark.parametrize(
    ("op", "focus"),
    [("and:A", "filters-A-2-attribute"), ("or", "filters-B-1-attribute"), ("rm:A1", "set-A"), ("rm-set:A", "set-A")],
)
def test_an_operation_marks_where_the_focus_goes(tab: Tab, people: People, op: str, focus: str) -> None:
    someone = tab(people.exporter)
    at_filters(someone)
    choose(someone, "action")
    page = someone.swap([*someone.form.values, ("op", op)], "sets").get_data(as_text=True)
    assert page.count("data-focus") == 1
    assert f'id="{focus}"' in page[: page.index("data-focus")].rpartition("<")[2]


def test_the_attributes_are_listed_with_everything_about_them(tab: Tab, people: People) -> None:
    someone = tab(people.exporter)
    at_filters(someone)
    for words in ("Attributes you can filter by", "42 possible values", "mandatory", "computed", "identifier",
                  "personal", "When it happened", "properties.product_id"):  # fmt: skip
        assert words in someone.text


def test_the_attributes_of_a_brand_hold_its_own_fields(tab: Tab, people: People) -> None:
    from webapp.extensions import db
    from webapp.models import CustomField

    with people.exporter.at_work():
        db.session.add(CustomField(model="stores", field="parking", label="Parking", type="boolean", path=["parking"]))
        db.session.commit()
    ours, theirs = tab(people.exporter), tab(people.stranger)
    at_filters(ours, "stores")
    at_filters(theirs, "stores")
    assert "parking" in ours.form.choices["filters-A-1-attribute"]
    assert "parking" not in theirs.form.choices["filters-A-1-attribute"]


# --- the preview beside them


def _part(client: FlaskClient, wizard: Wizard, what: str) -> str:
    rev = wizard.value("rev")
    address = f"/drafts/{wizard.draft_id}/{wizard.step}/{what}"
    answer = client.get(address, query_string={"rev": rev}, headers={"HX-Request": "true"})
    assert answer.status_code == 200
    return check(answer.get_data(as_text=True), whole=False).text


def test_the_preview_counts_and_shows_the_first_rows(tab: Tab, people: People, source_dsn: str) -> None:
    someone = tab(people.exporter)
    at_filters(someone, "stores")
    choose(someone, "id", "is_not_empty")
    words = _part(someone.client, someone, "preview")
    assert "≈" in words or "Exact, counted" in words, "the latter if another test counted the same a moment ago"
    assert "First rows of the file" in words
    assert "Exact, counted" in _part(someone.client, someone, "count")


def test_the_preview_of_an_untouched_draft_says_what_to_do(tab: Tab, people: People, source_dsn: str) -> None:
    someone = tab(people.exporter)
    at_filters(someone, "stores")
    assert "Choose an attribute: what matches is counted here." in _part(someone.client, someone, "preview")


def test_the_preview_of_a_mistake_names_it(tab: Tab, people: People, source_dsn: str) -> None:
    someone = tab(people.exporter)
    at_filters(someone)
    choose(someone, "points", "gte")
    someone.fill({"filters-A-1-value": "ten"})
    someone.press("next")
    words = _part(someone.client, someone, "preview")
    assert "Counted again as soon as the problem is corrected." in words


def test_without_javascript_a_button_shows_the_preview(tab: Tab, people: People, source_dsn: str) -> None:
    someone = tab(people.exporter)
    at_filters(someone, "stores")
    choose(someone, "id", "is_not_empty")
    someone.press("preview")
    assert "Exact, counted" in someone.text
    assert "First rows of the file" in someone.text


def test_another_brands_rows_are_in_no_preview(tab: Tab, people: People, source_dsn: str) -> None:
    ours, theirs = tab(people.exporter), tab(people.stranger)
    for someone in (ours, theirs):
        at_filters(someone, "stores")
        choose(someone, "id", "is_not_empty")
        someone.press("preview")
    rows = {one.html.partition("<tbody>")[2].partition("</tbody>")[0] for one in (ours, theirs)}
    assert len(rows) == 2


def test_a_source_that_cannot_be_read_is_told_in_the_preview(tab: Tab, people: People, app: Any) -> None:
    import dataclasses

    someone = tab(people.exporter)
    at_filters(someone, "stores")
    choose(someone, "id", "is_not_empty")
    settings = app.config["SETTINGS"]
    nowhere = "postgresql://nobody@127.0.0.1:1/nothing"
    app.config["SETTINGS"] = dataclasses.replace(settings, source_database_url=nowhere)
    try:
        assert "The database did not answer" in _part(someone.client, someone, "preview")
    finally:
        app.config["SETTINGS"] = settings
