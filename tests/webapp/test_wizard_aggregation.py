"""Aggregation in the wizard: the checkbox, the method of each field, every rule in its own words (SPEC section 3.4)."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from exports import aggregation
from exports.catalogue import builtin
from exports.definition import parse
from tests.fix_pages import check
from tests.webapp.test_wizard_fields import at_fields, document

if TYPE_CHECKING:
    from tests.fix_app import People, Person
    from tests.fix_wizard import Wizard

Tab = Callable[["Person"], "Wizard"]


def aggregated(wizard: Wizard, *fields: tuple[str, str], model: str = "events") -> None:
    """Somebody on Field settings with Aggregation on, these fields and their methods chosen."""
    wizard.begin(model)
    wizard.open("filters")
    wizard.fill(aggregation="1")
    wizard.press("back")
    wizard.open("fields")
    for place, (field, method) in enumerate(fields, 1):
        wizard.press(f"add:{field}")
        if method:
            wizard.fill({f"fields-{place}-aggregation": method})
    wizard.save()


def methods(wizard: Wizard, place: int) -> list[str]:
    """The methods that can be chosen for a field."""
    select = wizard.html.partition(f'<select class="form-select" id="fields-{place}-aggregation"')[2]
    options = [one for one in select.partition("</select>")[0].split("<option ")[1:] if "disabled" not in one]
    return [one.partition('value="')[2].partition('"')[0] for one in options if 'value=""' not in one]


# --- the checkbox


def test_aggregation_is_ticked_beside_the_filters_and_asks_each_field_for_a_method(wizard: Tab, people: People) -> None:
    someone = wizard(people.exporter)
    aggregated(someone, ("action", "group"), ("points", "sum"))
    someone.press("next")
    assert someone.step == "file"
    assert document(someone)["aggregation"] is True
    assert [one["aggregation"] for one in document(someone)["fields"]] == ["group", "sum"]


def test_saving_while_typing_keeps_the_tick(tab: Tab, people: People) -> None:
    someone = tab(people.exporter)
    someone.begin("events")
    someone.open("filters")
    someone.fill(aggregation="1")
    assert someone.save().status_code == 200
    assert someone.typed.aggregation
    someone.reload()
    someone.fill(aggregation="")
    someone.save()
    assert not someone.typed.aggregation


def test_untick_and_tick_again_and_every_method_is_there_as_before(wizard: Tab, people: People) -> None:
    someone = wizard(people.exporter)
    aggregated(someone, ("action", "group"), ("points", "max"))
    someone.press("back")
    someone.fill(aggregation="")
    someone.press("next")
    someone.open("fields")
    assert all("aggregation" not in one for one in document(someone)["fields"])
    someone.fill({"fields-2-to": "Most"})
    someone.press("down:1")
    someone.open("filters")
    someone.fill(aggregation="1")
    someone.press("back")
    someone.open("fields")
    assert [(one.from_, one.aggregation, one.to) for one in someone.typed.columns] == [
        ("points", "max", "Most"),
        ("action", "group", ""),
    ]
    assert someone.value("fields-1-aggregation") == "max"


def test_another_data_model_starts_without_aggregation(tab: Tab, people: People) -> None:
    someone = tab(people.exporter)
    aggregated(someone, ("action", "group"))
    someone.open("model")
    someone.fill(model="stores")
    someone.press("next")
    someone.press("change")
    assert not someone.typed.aggregation


# --- what is offered


@pytest.mark.parametrize(
    ("model", "field", "offered"),
    [
        ("events", "action", ["group", "count", "min", "max"]),
        ("events", "points", ["group", "count", "sum", "average", "min", "max"]),
        ("events", "expired", ["group", "count"]),
        ("events", "timestamp", ["group", "count", "min", "max"]),
        ("events", "_id", ["count", "min", "max"]),
        ("customers", "labels", ["count"]),
        ("customers", "age", []),
    ],
)
def test_only_methods_that_the_field_can_take_can_be_chosen(
    tab: Tab, people: People, model: str, field: str, offered: list[str]
) -> None:
    someone = tab(people.exporter)
    aggregated(someone, (field, ""), model=model)
    assert methods(someone, 1) == offered


def test_what_is_offered_is_what_the_rules_let_pass_for_every_field_of_every_model() -> None:
    catalogue = builtin()
    for model in catalogue.models.values():
        for field in model.fields.values():
            for choice in aggregation.choices(field):
                definition = parse(
                    {
                        "name": "x",
                        "model": model.id,
                        "timezone": "UTC",
                        "aggregation": True,
                        "fields": [{"from": field.id, "aggregation": choice.method}],
                    }
                )
                found = aggregation.problems(definition, model)
                refused = [one for one in found if one.at == "fields.0.aggregation" and not one.warning]
                assert bool(refused) == bool(choice.refused), (model.id, field.id, choice)


def test_a_method_that_cannot_be_chosen_says_why(tab: Tab, people: People) -> None:
    someone = tab(people.exporter)
    aggregated(someone, ("_id", ""), ("expired", ""))
    for sentence in ("Group: identifies one record", "Sum: needs a number", "Min: not for true or false"):
        assert sentence in someone.text


def test_all_fields_cannot_be_ticked_with_aggregation_and_the_page_says_so(tab: Tab, people: People) -> None:
    someone = tab(people.exporter)
    aggregated(someone)
    box = someone.html.partition('id="all_fields"')[2].partition(">")[0]
    assert " disabled" in box
    assert "All fields – not with Aggregation" in someone.text


# --- one test a rule: summary and input say the same


@pytest.mark.parametrize(
    ("fields", "input", "sentence"),
    [
        ([], "pick", "Choose at least one field"),
        ([("action", "group"), ("properties.total", "")], "fields-2-aggregation", "Choose an aggregation for Total"),
        ([("points", "sum")], "pick", "Choose Group for at least one field"),
        (
            [("action", "group"), ("_id", "group")],
            "fields-2-aggregation",
            "Event ID identifies one record, so it cannot be Group. Choose Count, Min or Max, or remove the field.",
        ),
        (
            [("_id", "count"), ("action", "group"), ("points", "count")],
            "fields-3-aggregation",
            "Only one field can be Count: Event ID already is",
        ),
        (
            [("action", "group"), ("properties.store", "sum")],
            "fields-2-aggregation",
            "Sum and Average need a number: Store is text",
        ),
        (
            [("action", "group"), ("properties.store", "average")],
            "fields-2-aggregation",
            "Sum and Average need a number: Store is text",
        ),
        (
            [("action", "group"), ("expired", "max")],
            "fields-2-aggregation",
            "Min and Max need a text, a number, a date or a time: Points expired/used is true or false",
        ),
        (
            [("action", "group"), ("usages", "min")],
            "fields-2-aggregation",
            "Usages is an object: only Count can be used",
        ),
        (
            [("action", "group"), ("label", "count")],
            "fields-2-aggregation",
            "Action label is computed and cannot be aggregated",
        ),
    ],
)
def test_a_rule_that_is_broken_is_told_at_its_field(
    wizard: Tab, people: People, fields: list[tuple[str, str]], input: str, sentence: str
) -> None:
    someone = wizard(people.exporter)
    aggregated(someone, *fields)
    someone.press("next")
    assert someone.step == "fields"
    assert (input, sentence) in someone.problems
    assert someone.beside(input) == f"Error: {sentence}"


def test_all_fields_with_aggregation_is_told_and_can_be_taken_off(wizard: Tab, people: People) -> None:
    someone = wizard(people.exporter)
    at_fields(someone, "action", model="events")
    someone.fill(all_fields="1")
    someone.press("back")
    someone.fill(aggregation="1")
    someone.press("back")
    someone.open("fields")
    someone.press("next")
    assert someone.problems == [("all_fields", "All fields cannot be used with Aggregation")]
    someone.fill(all_fields="")
    someone.press("next")
    assert ("fields-1-aggregation", "Choose an aggregation for Action") in someone.problems


def test_two_results_of_one_name_are_refused_in_json(wizard: Tab, people: People) -> None:
    someone = wizard(people.exporter)
    aggregated(someone, ("action", "group"), ("points", "min"), ("points", "max"))
    someone.press("next")
    assert someone.step == "file"
    someone.fill(extension="jsonl")
    someone.press("back")
    assert someone.problems == [("fields-3-to", "Two columns are called points: rename one")]


def test_a_method_that_nobody_offers_is_refused_with_the_list_of_them(tab: Tab, people: People) -> None:
    someone = tab(people.exporter)
    aggregated(someone, ("action", "median"))
    someone.press("next")
    [(input, sentence)] = someone.problems
    assert input == "fields-1-aggregation"
    assert html.unescape(sentence).startswith("Aggregation must be one of 'group', 'count'")


def test_a_method_longer_than_any_is_not_even_stored(tab: Tab, people: People) -> None:
    someone = tab(people.exporter)
    aggregated(someone, ("action", "group"))
    someone.press("back")
    someone.open("fields")
    someone.fill({"fields-1-aggregation": "x" * 21})
    someone.press("next")
    assert someone.status == 422
    assert someone.typed.columns[0].aggregation == "group"


# --- warnings


@pytest.mark.parametrize(
    ("fields", "input", "sentence"),
    [
        (
            [("action", "group"), ("points", "count")],
            "fields-2-aggregation",
            "Count counts entries, also where the field is empty",
        ),
        (
            [("action", "group"), ("points", "sum")],
            "open-2",
            "Replace values are not applied to Sum: they work on Group",
        ),
    ],
)
def test_a_warning_stands_at_its_field_and_stops_nothing(
    wizard: Tab, people: People, fields: list[tuple[str, str]], input: str, sentence: str
) -> None:
    someone = wizard(people.exporter)
    aggregated(someone, *fields)
    if input == "open-2":
        someone.press("open:2")
        someone.fill({"fields-2-replace-1-value": "1", "fields-2-replace-1-new": "2"})
    someone.press("next")
    assert someone.step == "file"
    someone.press("back")
    someone.open("fields")
    assert someone.problems == []
    assert someone.beside(input) == f"Warning: {sentence}"


def test_a_warning_comes_and_goes_while_methods_are_chosen(tab: Tab, people: People) -> None:
    someone = tab(people.exporter)
    aggregated(someone, ("action", "group"), ("points", "sum"))
    someone.save()
    someone.fill({"fields-2-aggregation": "count"})
    told = someone.save().get_data(as_text=True)
    assert 'id="e-fields-2-aggregation"' in told
    assert "Count counts entries" in check(told, whole=False).text
    someone.reload()
    someone.fill({"fields-2-aggregation": "sum"})
    told = someone.save().get_data(as_text=True)
    assert 'id="e-fields-2-aggregation" hx-swap-oob="true"></div>' in told


# --- what follows from it


def test_the_preview_shows_the_groups(tab: Tab, people: People, source_dsn: str) -> None:
    someone = tab(people.exporter)
    aggregated(someone, ("status", "group"), ("id", "count"), model="stores")
    someone.open("filters")
    someone.fill({"filters-A-1-attribute": "id"})
    someone.press("crit:A1")
    someone.fill({"filters-A-1-operator": "is_not_empty"})
    someone.press("back")
    someone.open("fields")
    someone.fill({"fields-1-to": "State", "fields-2-to": "Stores"})
    someone.press("preview")
    table = someone.html.partition('<table class="t file">')[2].partition("</table>")[0]
    cells = re.findall(r"<t[hd](?: [^>]*)?>(.*?)</t[hd]>", table)
    assert cells == ["State", "Stores", *(str(part) for row in expected(source_dsn) for part in row)]


def expected(source_dsn: str) -> list[tuple[Any, ...]]:
    """How many stores of the brand have each status, counted here."""
    import psycopg

    with psycopg.connect(source_dsn) as source:
        found = source.execute("SELECT status FROM loyalty.stores WHERE brand = 'maple'").fetchall()
    states = sorted({row[0] for row in found})
    return [(state, sum(row[0] == state for row in found)) for state in states]


def test_check_and_create_tells_methods_and_groups(tab: Tab, people: People) -> None:
    someone = tab(people.exporter)
    aggregated(someone, ("action", "group"), ("points", "average"))
    someone.fill({"fields-1-to": "What"})
    someone.press("next")
    someone.open("check")
    assert "One row for each group of What" in someone.text
    assert "Average" in someone.text


def with_filter(wizard: Wizard) -> None:
    """One criterion that every store meets."""
    wizard.open("filters")
    wizard.fill({"filters-A-1-attribute": "id"})
    wizard.press("crit:A1")
    wizard.fill({"filters-A-1-operator": "is_not_empty"})


def test_beside_the_filters_records_are_counted_until_the_fields_make_groups(
    tab: Tab, people: People, source_dsn: str
) -> None:
    someone = tab(people.exporter)
    aggregated(someone, ("status", ""), model="stores")
    with_filter(someone)
    someone.press("preview")
    assert "The first rows appear here when the fields have what they need in Field settings" in someone.text
    records = sum(number for _state, number in expected(source_dsn))
    assert f">{records}</div>" in someone.html
    someone.open("fields")
    someone.fill({"fields-1-aggregation": "group"})
    someone.press("preview")
    assert f"{len(expected(source_dsn))} groups of {records} records" in someone.text
    someone.open("filters")
    someone.press("preview")
    assert f"groups of {records} records" in someone.text


# --- changed cells


def test_cells_that_were_changed_are_tinted_and_tell_what_they_were(tab: Tab, people: People, source_dsn: str) -> None:
    someone = tab(people.exporter)
    at_fields(someone, "id", "status", "address")
    with_filter(someone)
    someone.press("back")
    someone.open("fields")
    someone.fill({"fields-3-default": "nowhere"})
    someone.press("open:2")
    someone.fill({"fields-2-replace-1-value": "archived", "fields-2-replace-1-new": "<gone>"})
    someone.press("preview")
    table = someone.html.partition('<table class="t file">')[2].partition("</table>")[0]
    changed = re.findall(r'<td class="chg" title="([^"]*)">([^<]*)<span', table)
    assert ("was archived", "&lt;gone&gt;") in changed
    assert set(changed) <= {("was archived", "&lt;gone&gt;"), ("was empty", "nowhere")}
    assert table.count("&lt;gone&gt;") == changed.count(("was archived", "&lt;gone&gt;"))
    assert "<td>active</td>" in table
