"""Hostile inputs through the wizard's forms: each has one answer, nothing is made, nothing breaks (RELIABILITY 5)."""

from __future__ import annotations

import json
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote_plus

import pytest
from sqlalchemy import func, select

from tests.fix_pages import check

if TYPE_CHECKING:
    from werkzeug.test import TestResponse

    from tests.fix_app import People, Person
    from tests.fix_wizard import Wizard

Tab = Callable[["Person"], "Wizard"]

ENTRIES = json.loads((Path(__file__).parent.parent / "data/hostile_inputs.json").read_text())


def expanded(value: Any) -> Any:
    """The value itself: {"$repeat": s, "n": k} stands for s * k."""
    return value["$repeat"] * value["n"] if isinstance(value, dict) and "$repeat" in value else value


def group(name: str) -> list[Any]:
    """The entries of a group, as parameters named by their value."""
    return [
        pytest.param(expanded(one["value"]), one["expect"], id=ascii(expanded(one["value"]))[1:40])
        for one in ENTRIES
        if one["group"] == name
    ]


def rejected(expect: str) -> bool:
    """Whether the entry must be refused."""
    return expect.startswith("reject")


def is_storable(value: str) -> bool:
    """Whether PostgreSQL can hold it."""
    return "\x00" not in value and not any("\ud800" <= one <= "\udfff" for one in value)


def send(wizard: Wizard, values: dict[str, str], op: str = "next") -> TestResponse:
    """Post a form byte by byte: what no browser would send is sent all the same."""
    kept = {name: wizard.value(name) for name in ("csrf_token", "rev", "tab")}
    pairs = [*kept.items(), *values.items(), ("op", op)]
    return send_pairs(wizard, pairs)


def send_pairs(wizard: Wizard, pairs: list[tuple[str, str]]) -> TestResponse:
    """The same, with names that may stand twice."""
    body = "&".join(f"{_quoted(name)}={_quoted(value)}" for name, value in pairs)
    answer = wizard.client.post(
        wizard.form.action, data=body.encode("ascii"), content_type="application/x-www-form-urlencoded"
    )
    assert answer.status_code in (303, 422), answer.status_code
    if answer.status_code == 422:
        check(answer.get_data(as_text=True))
    return answer


def _quoted(text: str) -> str:
    return quote_plus(text.encode("utf-8", "surrogatepass"))


def told(wizard: Wizard, step: str) -> list[str]:
    """The messages of a step."""
    wizard.open(step)
    return [sentence for _input, sentence in wizard.problems]


def nothing_made(person: Person) -> None:
    """No export came of it."""
    from webapp.extensions import db
    from webapp.models import Export

    with person.at_work():
        assert db.session.scalar(select(func.count(Export.id))) == 0


def at(tab: Tab, people: People, step: str, model: str = "stores") -> Wizard:
    """Somebody on a step of a new draft."""
    someone = tab(people.exporter)
    someone.begin(model)
    someone.open(step)
    return someone


# --- names and zones


@pytest.mark.parametrize(("value", "expect"), group("export_name"))
def test_a_hostile_name(tab: Tab, people: People, value: str, expect: str) -> None:
    someone = at(tab, people, "localization")
    answer = send(someone, {"name": value})
    if not rejected(expect):
        assert answer.headers["Location"].endswith("/filters")
        assert someone.typed.name == value
        someone.open("localization")
        assert someone.value("name") == value, "shown as it was typed"
        someone.open("check")
        check(someone.html)  # escaped: no tag and no handler of the name's
        assert value.strip() in someone.text or "  " in value
        return
    if not is_storable(value):
        assert answer.status_code == 422
        assert "name" in check(answer.get_data(as_text=True)).text
        assert someone.typed.name == ""
    else:
        assert answer.headers["Location"].endswith("/localization")
        assert told(someone, "localization")
    nothing_made(people.exporter)


def test_a_name_over_its_cap_is_not_stored(tab: Tab, people: People) -> None:
    someone = at(tab, people, "localization")
    someone.fill(name="Former")
    someone.press("next")
    someone.open("localization")
    answer = send(someone, {"name": "x" * 201})
    assert answer.status_code == 422
    assert "name is longer than 200 characters" in check(answer.get_data(as_text=True)).text
    assert someone.typed.name == "Former"


@pytest.mark.parametrize(("value", "expect"), group("time_zone"))
def test_a_hostile_time_zone(tab: Tab, people: People, value: str, expect: str) -> None:
    assert rejected(expect)
    someone = at(tab, people, "localization")
    answer = send(someone, {"name": "Stores", "timezone": value})
    if is_storable(value):
        assert answer.headers["Location"].endswith("/localization")
        assert told(someone, "localization") == ["Choose a time zone from the list"]
        someone.open("filters")  # the other steps go on working
        someone.open("check")
    else:
        assert answer.status_code == 422
        assert someone.typed.timezone == "America/New_York"
    nothing_made(people.exporter)


# --- values of filters


@pytest.mark.parametrize(("value", "expect"), group("filter_value_text"))
@pytest.mark.parametrize("operator", ["equals", "contains", "in"])
def test_a_hostile_text_in_a_filter(
    tab: Tab, people: People, source_dsn: str, operator: str, value: str, expect: str
) -> None:
    someone = at(tab, people, "filters")
    name = "filters-A-1"
    answer = send(someone, {f"{name}-attribute": "name", f"{name}-operator": operator, f"{name}-value": value})
    if rejected(expect):
        assert answer.status_code == 422
        assert someone.typed.criteria == 0
        return nothing_made(people.exporter)
    assert answer.headers["Location"].endswith("/fields")
    assert someone.typed.sets[0][0].value == value
    counted = someone.client.get(f"/drafts/{someone.draft_id}/filters/count")
    assert counted.status_code == 200
    assert "Exact, counted in" in counted.get_data(as_text=True)
    someone.open("filters")
    assert someone.value(f"{name}-value") == value
    return None


@pytest.mark.parametrize(("value", "expect"), group("filter_value_number"))
@pytest.mark.parametrize("attribute", ["points", "unix_timestamp"])
def test_a_hostile_number_in_a_filter(tab: Tab, people: People, attribute: str, value: str, expect: str) -> None:
    someone = at(tab, people, "filters", "events")
    name = "filters-A-1"
    answer = send(someone, {f"{name}-attribute": attribute, f"{name}-operator": "equals", f"{name}-value": value})
    assert answer.headers["Location"].endswith("/filters")
    [sentence] = told(someone, "filters")
    assert sentence.startswith("Enter a ")
    assert someone.value(f"{name}-value") == value, "what was typed stays to be corrected"


# --- the shape of the form


@pytest.mark.parametrize(
    "name",
    [
        "filters[99999999][value]", "filters[-1][value]", "filters[__proto__][x]", "filters-A-0-value",
        "filters-A--1-value", "filters-A-99999999-value", "filters-ZZZZ-1-value", "filters-a-1-value",
        "filters-A-1-__class__", "filters-A-1", "filters", "rev[]", "model", "name", "filters-Ａ-1-value",
        "filters-A-１-value",
    ],
)  # fmt: skip
def test_an_input_that_the_step_has_not_is_refused_by_name(tab: Tab, people: People, name: str) -> None:
    someone = at(tab, people, "filters", "events")
    tracemalloc.start()
    answer = send(someone, {"filters-A-1-attribute": "action", name: "x"})
    _now, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert answer.status_code == 422
    assert f"{name} is no input of this step" in check(answer.get_data(as_text=True)).text
    assert someone.typed.criteria == 0
    assert peak < 20_000_000, "nothing is allocated for a position that somebody invents"


@pytest.mark.parametrize("name", ["filters-A-1-value", "filters-A-1-attribute", "rev", "tab", "op"])
def test_an_input_that_is_given_twice_is_refused(tab: Tab, people: People, name: str) -> None:
    someone = at(tab, people, "filters", "events")
    pairs = [(one, someone.value(one)) for one in ("csrf_token", "rev", "tab")]
    answer = send_pairs(
        someone, [*pairs, ("op", "next"), ("filters-A-1-attribute", "action"), ("filters-A-1-value", "a"), (name, "b")]
    )
    assert answer.status_code == 422
    assert f"{name} is given more than once" in check(answer.get_data(as_text=True)).text
    assert someone.typed.criteria == 0


def test_a_list_of_more_than_a_thousand_values_is_not_stored(tab: Tab, people: People) -> None:
    someone = at(tab, people, "filters")
    name = "filters-A-1"
    values = {f"{name}-attribute": "name", f"{name}-operator": "in", f"{name}-value": "x," * 1_001}
    answer = send(someone, values)
    assert answer.status_code == 422
    assert "A list has at most 1,000 values" in check(answer.get_data(as_text=True)).text
    assert someone.typed.criteria == 0


def test_two_thousand_sets_are_refused(tab: Tab, people: People) -> None:
    from webapp.services.drafts.inputs import criterion

    someone = at(tab, people, "filters", "events")
    values = {criterion(place, 0, "attribute"): "action" for place in range(2_000)}
    answer = send(someone, values)
    assert answer.status_code == 422
    assert "At most 100 criteria" in check(answer.get_data(as_text=True)).text
    assert someone.typed.criteria == 0


def test_the_hundred_and_first_criterion_is_refused_by_the_button_too(wizard: Tab, people: People) -> None:
    someone = at(wizard, people, "filters", "events")
    values = {f"filters-A-{n}-attribute": "action" for n in range(1, 101)}
    assert send(someone, values).status_code == 303
    someone.open("filters")
    answer = someone.post(
        [(name, value) for name, value in someone.form.values if name.startswith("filters-")], "and:A"
    )
    assert answer.status_code == 422
    assert "At most 100 criteria" in answer.get_data(as_text=True)
    assert someone.typed.criteria == 100


@pytest.mark.parametrize(
    ("attribute", "operator", "value"),
    [
        ("name", "; DROP TABLE x", "x"),
        ("name", "in_segment", "x"),
        ("id) OR (1=1", "equals", "x"),
        ("__class__", "equals", "x"),
        ("name", "__class__", "x"),
    ],
)
def test_an_attribute_or_operator_that_is_not_there_makes_no_criterion(
    tab: Tab, people: People, attribute: str, operator: str, value: str
) -> None:
    from webapp.services import brands, drafts

    someone = at(tab, people, "filters")
    name = "filters-A-1"
    send(someone, {f"{name}-attribute": attribute, f"{name}-operator": operator, f"{name}-value": value})
    typed = someone.typed.sets[0][0]
    with people.exporter.at_work() as user:
        found = drafts.check(someone.typed, user, brands.catalogue_of(user.brand))
    if attribute == "name":
        assert typed.operator == "equals", "an operator that the attribute has not is none that was chosen"
    else:
        assert [one.code for one in found.errors("filters")] == ["attribute.unknown"]
    nothing_made(people.exporter)


def test_a_segment_of_another_brand_is_as_unknown_as_any(tab: Tab, people: People, source_dsn: str) -> None:
    import psycopg

    with psycopg.connect(source_dsn) as connection:
        row = connection.execute(
            "SELECT id FROM loyalty.segments s WHERE brand = 'alpine' AND NOT EXISTS "
            "(SELECT FROM loyalty.segments o WHERE o.brand = 'maple' AND o.id = s.id) LIMIT 1"
        ).fetchone()
    theirs = row[0] if row else "nobody-has-this-one"
    someone = at(tab, people, "filters", "customers")
    name = "filters-A-1"
    for segment in (theirs, "nobody-has-this-one"):
        send(
            someone,
            {f"{name}-attribute": "segments", f"{name}-operator": "in_segment", f"{name}-values": segment},
        )
        assert told(someone, "filters") == [f"There is no segment {segment}"]


# --- field settings


def column(**parts: str) -> dict[str, str]:
    """The inputs of one column."""
    return {"fields-1-from": "city", **{f"fields-1-{part.replace('_', '-')}": text for part, text in parts.items()}}


MAPPINGS = [
    one for one in group("mapping") if isinstance(one.values[0], str) and one.values[0].startswith(("to=", "default="))
]


@pytest.mark.parametrize(("value", "expect"), MAPPINGS)
def test_a_hostile_header_or_default(tab: Tab, people: People, value: str, expect: str) -> None:
    part, _, text = value.partition("=")
    someone = at(tab, people, "fields")
    answer = send(someone, column(**{part: text}))
    if rejected(expect):
        assert answer.status_code == 422
        assert someone.typed.columns == ()
        return
    assert answer.headers["Location"].endswith("/file")
    assert getattr(someone.typed.columns[0], part) == text
    someone.open("fields")
    shown = someone.value(f"fields-1-{part}")
    assert shown.replace("\n", "") == text.replace("\n", "").replace("\r", "\r")


def test_a_header_of_300_characters_is_over_its_cap(tab: Tab, people: People) -> None:
    someone = at(tab, people, "fields")
    assert send(someone, column(to="a" * 300)).status_code == 422
    assert someone.typed.columns == ()


@pytest.mark.parametrize("id", ["customers.password_hash", "__class__", "x" * 100, "'; --"])
def test_a_field_that_is_not_in_the_catalogue_is_refused(tab: Tab, people: People, id: str) -> None:
    someone = at(tab, people, "fields")
    answer = send(someone, {"fields-1-from": id})
    assert answer.headers["Location"].endswith("/fields")
    assert told(someone, "fields")[0].startswith("Stores has no field")
    nothing_made(people.exporter)


@pytest.mark.parametrize("number", [501, 1_000, 1_665])
def test_more_columns_than_a_file_may_have_are_refused(tab: Tab, people: People, number: int) -> None:
    someone = at(tab, people, "fields")
    answer = send(someone, {f"fields-{place}-from": "city" for place in range(1, number + 1)})
    assert answer.status_code == 422
    assert "500" in check(answer.get_data(as_text=True)).text
    assert someone.typed.columns == ()


@pytest.mark.parametrize(("fields", "pairs"), [(1, 501), (1, 4_000), (5, 401)])
def test_more_replacements_than_there_may_be_are_refused(tab: Tab, people: People, fields: int, pairs: int) -> None:
    someone = at(tab, people, "fields")
    values = {f"fields-{place}-from": "city" for place in range(1, fields + 1)}
    for place in range(1, fields + 1):
        for row in range(1, pairs + 1):
            values[f"fields-{place}-replace-{row}-value"] = str(row)
            values[f"fields-{place}-replace-{row}-new"] = "x"
    assert send(someone, values).status_code == 422
    assert someone.typed.columns == ()


@pytest.mark.parametrize("name", ["fields-0-to", "fields-99999-to", "fields-1-aggregation", "fields-1-replace-0-value"])
def test_an_input_that_field_settings_have_not_is_refused(tab: Tab, people: People, name: str) -> None:
    someone = at(tab, people, "fields")
    assert send(someone, {"fields-1-from": "city", name: "x"}).status_code == 422
    assert someone.typed.columns == ()


# --- the file


@pytest.mark.parametrize(("value", "expect"), group("format"))
def test_a_hostile_format(tab: Tab, people: People, value: str, expect: str) -> None:
    part, is_named, text = value.partition("=")
    model = "challenges" if "without JSON" in value else "stores"
    someone = at(tab, people, "file", model)
    if not is_named:
        answer = send(someone, {"extension": "csv", "delimiter": "other", "delimiter_other": value})
    elif part == "enclosure":
        answer = send(someone, {"extension": "csv", "delimiter": "comma", "enclosure": text})
    elif "without JSON" in value:
        answer = send(someone, {"extension": "csv"})  # ours: every model has .json, one has nothing else
    else:
        answer = send(someone, {"extension": text})
    if not rejected(expect):
        assert answer.headers["Location"].endswith("/schedule")
        return
    if is_storable(value):
        assert answer.headers["Location"].endswith("/file")
        assert told(someone, "file")
    else:
        assert answer.status_code == 422
    nothing_made(people.exporter)


@pytest.mark.parametrize(
    ("step", "value"),
    [("schedule", {"schedule": "repeated"}), ("target", {"target": "ftp"}), ("target", {"target": "x" * 5_000})],
)
def test_what_is_not_there_yet_cannot_be_chosen(tab: Tab, people: People, step: str, value: dict[str, str]) -> None:
    someone = at(tab, people, step)
    answer = send(someone, value)
    assert answer.status_code == 422 or answer.headers["Location"].endswith(f"/{step}")
    someone.open("check")
    someone.press("create")
    nothing_made(people.exporter)


# --- buttons


@pytest.mark.parametrize(
    ("step", "op"),
    [
        ("filters", "rm:A9"), ("filters", "rm:ZZZ999"), ("filters", "and:é"), ("filters", "add:__class__"),
        ("filters", "rm-set:"), ("filters", "nonsense"), ("filters", "__init__"), ("fields", "up:0"),
        ("fields", "up:99999999999999999999"), ("fields", "rm:-1"), ("fields", "rep-rm:1"), ("fields", "open:x"),
        ("schedule", "and:A"), ("filters", "rm:\ud800"), ("filters", "\x00"), ("filters", "x" * 5_000),
    ],
)  # fmt: skip
def test_a_button_that_is_not_there_does_nothing(tab: Tab, people: People, step: str, op: str) -> None:
    someone = at(tab, people, step, "events")
    before = someone.typed
    assert send(someone, {}, op).status_code == 422
    assert someone.typed == before


@pytest.mark.parametrize("rev", ["", "0", "-1", "99999999999", "x", "1.0"])
def test_a_revision_that_makes_no_sense_is_a_conflict_and_no_loss(tab: Tab, people: People, rev: str) -> None:
    someone = at(tab, people, "localization")
    answer = someone.client.post(
        someone.form.action,
        data={"csrf_token": someone.value("csrf_token"), "rev": rev, "tab": "x", "name": "Mine", "op": "next"},
    )
    assert answer.status_code == 409
    assert someone.typed.name == ""
    assert 'value="Mine"' in answer.get_data(as_text=True)
