"""Field settings in the wizard: the picker, From, To, Default, Replace values, order, All fields (SPEC section 3.4)."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from tests.fix_pages import check

if TYPE_CHECKING:
    from tests.fix_app import People, Person
    from tests.fix_wizard import Wizard

Tab = Callable[["Person"], "Wizard"]


def at_fields(wizard: Wizard, *fields: str, model: str = "stores") -> None:
    """Somebody on the step Field settings, with these fields chosen."""
    wizard.begin(model)
    wizard.open("fields")
    for one in fields:
        wizard.fill(pick=one)
        wizard.press("add")


def chosen(wizard: Wizard) -> list[str]:
    """The ids of the columns, in their order."""
    return [one.from_ for one in wizard.typed.columns]


def document(wizard: Wizard) -> dict[str, Any]:
    """The definition that the draft makes."""
    from webapp.services import brands, drafts

    with wizard.person.at_work() as user:
        return drafts.document(wizard.typed, brands.catalogue_of(user.brand))


# --- the picker


@pytest.mark.parametrize("typed", ["city", " City ", "CITY"])
def test_a_field_is_picked_by_id_or_name_however_it_is_spelt(wizard: Tab, people: People, typed: str) -> None:
    someone = wizard(people.exporter)
    at_fields(someone, typed)
    assert chosen(someone) == ["city"]


def test_a_field_is_picked_by_a_part_that_fits_one_alone(wizard: Tab, people: People) -> None:
    someone = wizard(people.exporter)
    at_fields(someone, "user_ag", model="events")
    assert chosen(someone) == ["user_agent"]


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("nonsense", "Stores has no field named like “nonsense”"),
        ("", "Type part of a field&#39;s name or id"),
        ("<b>", "Stores has no field named like “&lt;b&gt;”"),
    ],
)
def test_what_names_no_field_is_told_beside_the_picker(tab: Tab, people: People, typed: str, sentence: str) -> None:
    someone = tab(people.exporter)
    at_fields(someone)
    someone.fill(pick=typed)
    someone.press("add")
    assert someone.problems == [("pick", sentence)]
    assert someone.beside("pick") == f"Error: {sentence}"
    assert someone.value("pick") == typed
    assert chosen(someone) == []


def test_what_names_several_fields_is_answered_with_them(tab: Tab, people: People) -> None:
    someone = tab(people.exporter)
    at_fields(someone, model="events")
    someone.fill(pick="timestamp_")
    someone.fill(pick="stamp")
    someone.press("add")
    [(input, sentence)] = someone.problems
    assert input == "pick"
    assert "can be timestamp, unix_timestamp, process_timestamp" in sentence


def test_next_with_a_field_typed_and_not_added_adds_it_first(wizard: Tab, people: People) -> None:
    someone = wizard(people.exporter)
    at_fields(someone)
    someone.fill(pick="city")
    someone.press("next")
    assert someone.step == "fields"
    assert chosen(someone) == ["city"]


def test_the_list_below_adds_fields_too(wizard: Tab, people: People) -> None:
    someone = wizard(people.exporter)
    at_fields(someone)
    someone.press("add:city")
    someone.press("add:id")
    someone.press("add:city")
    assert chosen(someone) == ["city", "id", "city"], "the same field may stand twice"


# --- lines


def test_fields_move_up_and_down_and_go(wizard: Tab, people: People) -> None:
    someone = wizard(people.exporter)
    at_fields(someone, "id", "name", "city")
    someone.fill({"fields-1-to": "Store", "fields-3-default": "n/a"})
    someone.press("down:1")
    assert chosen(someone) == ["name", "id", "city"]
    someone.press("up:3")
    assert chosen(someone) == ["name", "city", "id"]
    assert someone.value("fields-3-to") == "Store", "what was typed goes with its field"
    assert someone.value("fields-2-default") == "n/a"
    someone.press("up:1")
    assert chosen(someone) == ["name", "city", "id"], "the first stays the first"
    someone.press("rm:2")
    assert chosen(someone) == ["name", "id"]


@pytest.mark.parametrize(
    ("op", "focus"),
    [("up:3", "up-2"), ("up:2", "down-1"), ("down:1", "down-2"), ("down:2", "up-3"), ("rm:2", "rm-1"),
     ("open:1", "fields-1-replace-1-value")],
)  # fmt: skip
def test_the_focus_stays_on_the_arrow_and_turns_at_the_ends(tab: Tab, people: People, op: str, focus: str) -> None:
    someone = tab(people.exporter)
    at_fields(someone, "id", "name", "city")
    page = someone.swap([*someone.form.values, ("op", op)], "fields").get_data(as_text=True)
    assert page.count("data-focus") == 1
    assert f'id="{focus}"' in page[: page.index("data-focus")].rpartition("<")[2]


def test_moving_is_said(tab: Tab, people: People) -> None:
    someone = tab(people.exporter)
    at_fields(someone, "id", "name", "city")
    page = someone.swap([*someone.form.values, ("op", "up:3")], "fields").get_data(as_text=True)
    assert "Moved City to position 2 of 3" in check(page, whole=False).text


def test_values_are_replaced_and_cells_filled(wizard: Tab, people: People) -> None:
    someone = wizard(people.exporter)
    at_fields(someone, "city")
    someone.press("open:1")
    someone.fill({"fields-1-replace-1-value": "a", "fields-1-replace-1-new": "b"})
    someone.press("rep-add:1")
    someone.fill({"fields-1-replace-2-value": "b", "fields-1-replace-2-new": "a"})
    someone.press("rep-add:1")
    someone.fill({"fields-1-to": "Town", "fields-1-default": "none"})
    someone.press("next")
    assert someone.step == "file"
    assert document(someone)["fields"] == [
        {"from": "city", "to": "Town", "default": "none",
         "replace": [{"value": "a", "new": "b"}, {"value": "b", "new": "a"}]},
    ]  # fmt: skip


def test_replacements_stay_when_they_are_folded_and_a_row_can_go(wizard: Tab, people: People) -> None:
    someone = wizard(people.exporter)
    at_fields(someone, "city")
    someone.press("open:1")
    someone.fill({"fields-1-replace-1-value": "a", "fields-1-replace-1-new": "b"})
    someone.press("rep-add:1")
    someone.fill({"fields-1-replace-2-value": "c", "fields-1-replace-2-new": "d"})
    someone.press("open:1")
    assert "Whole values only" not in someone.text
    someone.press("open:1")
    someone.press("rep-rm:1.1")
    assert [(one.value, one.new) for one in someone.typed.columns[0].replace] == [("c", "d")]


@pytest.mark.parametrize(
    ("first", "second", "input", "sentence"),
    [
        (("", "x"), ("b", "c"), "fields-1-replace-1-value", "An empty value cannot be replaced: use Default"),
        (("a", "b"), ("a", "c"), "fields-1-replace-2-value", "a is replaced twice: keep one of them"),
        (("", ""), ("", "c"), "fields-1-replace-2-value", "An empty value cannot be replaced: use Default"),
    ],
)
def test_a_bad_replacement_is_told_at_its_own_row(
    wizard: Tab, people: People, first: tuple[str, str], second: tuple[str, str], input: str, sentence: str
) -> None:
    someone = wizard(people.exporter)
    at_fields(someone, "city")
    someone.press("open:1")
    someone.press("rep-add:1")
    for row, (value, new) in enumerate((first, second), 1):
        someone.fill({f"fields-1-replace-{row}-value": value, f"fields-1-replace-{row}-new": new})
    someone.press("next")
    assert (input, sentence) in someone.problems
    assert someone.beside(input) == f"Error: {sentence}"


def test_two_columns_of_one_name_are_a_warning_for_csv_and_a_mistake_for_json(wizard: Tab, people: People) -> None:
    someone = wizard(people.exporter)
    at_fields(someone, "id", "city")
    someone.fill({"fields-1-to": "Same", "fields-2-to": "Same"})
    someone.press("next")
    assert someone.step == "file"
    someone.fill(extension="json")
    someone.press("back")
    assert someone.problems == [("fields-2-to", "Two columns are called Same: rename one")]
    someone.open("file")
    someone.fill(extension="csv")
    someone.press("back")
    assert someone.problems == []
    assert "Two columns are called Same: the file will have both" in someone.text


# --- all fields, rights


def test_all_fields_stands_for_the_list_which_is_kept_for_later(wizard: Tab, people: People) -> None:
    someone = wizard(people.exporter)
    at_fields(someone, "id")
    someone.fill(all_fields="1")
    someone.press("next")
    assert someone.step == "file"
    assert document(someone)["all_fields"] is True
    assert document(someone)["fields"] == []
    someone.open("fields")
    assert "The 1 you chose are kept here" in someone.text or "you chose" in someone.text
    someone.fill(all_fields="")
    someone.press("next")
    assert [one["from"] for one in document(someone)["fields"]] == ["id"]


def test_personal_and_computed_fields_carry_their_marks(tab: Tab, people: People) -> None:
    someone = tab(people.exporter)
    at_fields(someone, "email", "age", model="customers")
    lines = someone.html.partition('class="flist"')[2].partition("</ol>")[0]
    assert "personal" in lines
    assert "computed" in lines


def test_personal_fields_are_not_for_who_lacks_the_right(wizard: Tab, people: People, source_dsn: str) -> None:
    someone = wizard(people.colleague)
    at_fields(someone, "email", model="customers")
    someone.press("next")
    assert someone.problems == [
        ("fields-1-to", "Email address is personal: you need the right to export personal fields, or mask it")
    ]
    shown = someone.client.get(f"/drafts/{someone.draft_id}/fields/preview").get_data(as_text=True)
    assert "<tbody>" not in shown
    assert "@" not in check(shown, whole=False).text


def test_the_preview_before_any_field_is_chosen_shows_no_personal_one_without_the_right(
    tab: Tab, people: People, source_dsn: str
) -> None:
    headers = {}
    for person in (people.exporter, people.colleague):
        someone = tab(person)
        someone.begin("customers")
        someone.open("filters")
        someone.fill({"filters-A-1-attribute": "_id"})
        someone.press("crit:A1")
        someone.fill({"filters-A-1-operator": "is_not_empty"})
        someone.press("preview")
        headers[person.email] = someone.html.partition("<thead>")[2].partition("</thead>")[0]
    with_right, without = headers[people.exporter.email], headers[people.colleague.email]
    assert '<th scope="col">email</th>' in with_right or ">email<" in someone.html
    assert ">email<" not in without


# --- drag, and the list of the picker


@pytest.mark.parametrize(("op", "order"), [
    ("move:1.3", ["name", "city", "id", "zip"]),
    ("move:4.1", ["zip", "id", "name", "city"]),
    ("move:2.2", ["id", "name", "city", "zip"]),
])  # fmt: skip
def test_a_drag_moves_a_field_with_all_that_was_typed_for_it(
    tab: Tab, people: People, op: str, order: list[str]
) -> None:
    someone = tab(people.exporter)
    at_fields(someone, "id", "name", "city", "zip")
    someone.fill({f"fields-{place}-default": f"no {id}" for place, id in enumerate(chosen(someone), 1)})
    page = someone.swap([*someone.form.values, ("op", op)], "fields").get_data(as_text=True)
    assert chosen(someone) == order
    assert [one.default for one in someone.typed.columns] == [f"no {id}" for id in order]
    place = int(op.rpartition(".")[2])
    label = {"id": "Store identifier", "zip": "Zip code", "name": "Name"}[order[place - 1]]
    assert f"Moved {label} to position {place} of 4" in check(page, whole=False).text


@pytest.mark.parametrize("op", ["move:0.1", "move:1.5", "move:1", "move:a.b", "move:1.", "move:1.2.3", "move:-1.2"])
def test_a_drag_to_nowhere_is_refused(tab: Tab, people: People, op: str) -> None:
    someone = tab(people.exporter)
    at_fields(someone, "id", "name")
    assert someone.swap([*someone.form.values, ("op", op)], "fields").status_code == 422
    assert chosen(someone) == ["id", "name"]


def picker(wizard: Wizard, text: str) -> list[str]:
    """The ids that the list of the picker offers."""
    answer = wizard.client.get(f"/drafts/{wizard.draft_id}/fields/pick", query_string={"q": text})
    assert answer.status_code == 200
    html = answer.get_data(as_text=True)
    check(html, whole=False)
    return re.findall(r'data-id="([^"]*)"', html)


def test_the_picker_offers_fields_by_a_part_of_name_or_id_those_that_begin_with_it_first(
    tab: Tab, people: People
) -> None:
    someone = tab(people.exporter)
    at_fields(someone, model="events")
    found = picker(someone, "POINTS ")
    first = next(place for place, id in enumerate(found) if id == "used_points")
    assert found[0] == "points"
    assert {"expdate", "expired"} <= set(found[:first]), "Points expiration date begins with it, Used points does not"
    assert picker(someone, "product_na") == ["properties.product_name"]
    assert picker(someone, "nonsense") == []
    assert len(picker(someone, "")) == 20


def test_the_picker_of_another_person_is_not_there(tab: Tab, people: People) -> None:
    someone = tab(people.exporter)
    at_fields(someone)
    assert tab(people.stranger).client.get(f"/drafts/{someone.draft_id}/fields/pick?q=a").status_code == 404
