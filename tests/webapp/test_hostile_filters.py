"""Hostile values of filters: one answer each as a definition, at the command line and in the wizard."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest

from tests.fix_app import stores
from tests.fix_hostile import Ways, group, is_storable, shown

INPUT = "filters-A-1"
OVER_CAP = {"value.list_too_long", "values.too_large", "filters.too_many"}


def filtered(*criteria: tuple[str, str, Any], model: str = "stores") -> dict[str, Any]:
    """A definition with one set of these criteria."""
    key = {"stores": "id"}.get(model, "_id")
    rows = [{"attribute": one, "operator": operator, "value": value} for one, operator, value in criteria]
    return stores(model=model, filters=[rows], fields=[{"from": key}]).as_json()


def document(attribute: str, operator: str, value: Any, model: str) -> dict[str, Any]:
    """The same with a value that `parse` may refuse."""
    made = filtered((attribute, operator, "x"), model=model)
    made["filters"][0][0]["value"] = value
    return made


def asked(attribute: str, operator: str, **values: str) -> dict[str, str]:
    """The inputs of one criterion."""
    parts = {"attribute": attribute, "operator": operator, **values}
    return {f"{INPUT}-{part}": text for part, text in parts.items()}


def same_in_the_form(ways: Ways, told: list[tuple[str, str]], inputs: dict[str, str], about: str) -> None:
    """The wizard says the same: it goes on, stays with what was typed, or refuses what cannot be stored."""
    where, sentences = ways.by_form("filters", inputs)
    assert sentences == [sentence for _code, sentence in told], about
    unstorable = not all(map(is_storable, inputs.values())) or {code for code, _ in told} & OVER_CAP
    assert where == ("on" if not told else "refused" if unstorable else "here"), about
    if where != "refused":
        typed = ways.tab.typed.sets[0][0]
        kept = {part: getattr(typed, part) for part in ("attribute", "operator", "value", "low", "high")}
        assert {f"{INPUT}-{part}": text for part, text in kept.items()}.items() >= inputs.items(), about


@pytest.mark.parametrize("operator", ["equals", "in"])
def test_a_hostile_text_has_one_answer(ways: Ways, operator: str) -> None:
    from webapp.services.drafts.values import entries

    ways.begin("stores")
    for value, is_refused in group("filter_value_text"):
        if operator == "equals" and len(value) > 1_000:
            continue  # the list that is too long is one for `in` alone
        told = ways.told_alike(document("name", operator, entries(value) if operator == "in" else value, "stores"))
        assert bool(told) == is_refused, shown(value)
        same_in_the_form(ways, told, asked("name", operator, value=value), shown(value))


def test_hostile_texts_are_compared_as_they_are(ways: Ways, source_dsn: str) -> None:
    """All of them in one draft, counted and shown, and in one run: no error, and the rows that plain Python finds."""
    texts = [value for value, is_refused in group("filter_value_text") if not is_refused]
    operators = ("contains", "starts_with", "not_equals", "ends_with")
    sets = [[("name", operator, text)] for text in texts for operator in operators]
    made = stores(filters=[[{"attribute": a, "operator": o, "value": v} for a, o, v in set_] for set_ in sets[:100]])
    with psycopg.connect(source_dsn) as connection:
        names = [name for (name,) in connection.execute("SELECT name FROM loyalty.stores WHERE brand = 'maple'")]
    holds = {
        "contains": lambda name, text: text.lower() in name.lower(),
        "starts_with": lambda name, text: name.startswith(text),
        "ends_with": lambda name, text: name.endswith(text),
        "not_equals": lambda name, text: name != text,
    }
    found = sum(any(all(holds[o](name, v) for _a, o, v in set_) for set_ in sets[:100]) for name in names)
    assert ways.run(made.as_json()).count(b"\n") == found + 1
    ways.begin("stores")
    inputs = {}
    for place, text in enumerate(texts, 1):
        inputs |= {f"filters-A-{place}-attribute": "name", f"filters-A-{place}-operator": "contains"}
        inputs |= {f"filters-A-{place}-value": text}
    assert ways.by_form("filters", inputs) == ("on", [])
    ways.tab.open("filters")
    counted = ways.tab.client.get(f"/drafts/{ways.tab.draft_id}/filters/count?rev={ways.tab.value('rev')}")
    assert "0" in counted.get_data(as_text=True)
    assert "Exact, counted" in counted.get_data(as_text=True)


@pytest.mark.parametrize("attribute", ["points", "unix_timestamp"])
def test_a_hostile_number_has_one_answer(ways: Ways, attribute: str) -> None:
    """`points` is a number of any size and takes 19 digits no more than a whole one: data and column agree."""
    ways.begin("events")
    for value, is_refused in group("filter_value_number"):
        assert is_refused
        told = ways.told_alike(document(attribute, "equals", value, "events"))
        assert len(told) == 1, shown(value)
        assert told[0][1].startswith("Enter a "), shown(value)
        same_in_the_form(ways, told, asked(attribute, "equals", value=value), shown(value))


def date_case(value: str) -> tuple[str, Any, dict[str, str]]:
    """Operator, value and inputs of a hostile date: the data tell of ranges and zones in words."""
    if value.startswith("from "):
        low, high = value.removeprefix("from ").split(" to ")
        return "in_date", [low, high], {"low": low, "high": high}
    plain = value.partition(" (")[0]
    return "equals", plain, {"value": plain}


@pytest.mark.parametrize("attribute", ["timestamp", "date"])
def test_a_hostile_date_has_one_answer(ways: Ways, attribute: str) -> None:
    """A skipped hour, or one that comes twice, is compared with what stands in the file; a day has no time."""
    ways.begin("events")
    for value, is_refused in group("date_expression"):
        operator, given, inputs = date_case(value)
        told = ways.told_alike(document(attribute, operator, given, "events"))
        has_time = "T" in value and attribute == "date"
        assert bool(told) == (is_refused or has_time), shown(value)
        same_in_the_form(ways, told, asked(attribute, operator, **inputs), shown(value))


STRUCTURES = {
    "operator=; DROP TABLE x": [("name", "; DROP TABLE x", "x")],
    "operator=in_segment on a text column": [("name", "in_segment", {"ids": ["x"]})],
    "attribute=id) OR (1=1": [("id) OR (1=1", "equals", "x")],
    "filters[99999999][value]=x": None,
    "filters[-1][value]=x": None,
    "filters[__proto__][x]=1": None,
}


def test_a_hostile_structure_has_one_answer_as_a_definition_and_at_the_command_line(ways: Ways) -> None:
    """What the form has in its place, inputs with invented names, is in test_hostile_forms."""
    for value, is_refused in group("filters_structure"):
        assert is_refused
        made = filtered(("id", "is_not_empty", None))
        if value == "2,000 OR sets":
            made["filters"] *= 2_000
        elif value.startswith("in_segment="):
            made = filtered(("segments", "in_segment", {"ids": ["another-brands"]}), model="customers")
        elif value.startswith("filters[0]"):  # in JSON a member that stands twice
            text = '{"name": "x", "model": "stores", "timezone": "UTC", "filters": [[{"value": "a", "value": "b"}]]}'
            assert [code for code, _ in ways.told_alike(text)] == ["shape.json"]
            continue
        elif criteria := STRUCTURES[value]:
            made = filtered(*criteria)
        else:
            made["filters"] = {value.partition("]")[0].removeprefix("filters["): []}
        [(code, _sentence)] = ways.told_alike(made)
        assert code in (
            "filters.too_many", "operator.unknown", "attribute.unknown", "segment.unknown", "shape.tuple_type"
        ), value  # fmt: skip


def test_a_member_with_a_hostile_name_is_refused_and_can_be_printed(ways: Ways) -> None:
    for name in ("\ud800", "\x00", "x" * 300, "__proto__", "\x1b[31m"):
        [(code, sentence)] = ways.told_alike({**stores().as_json(), name: 1})
        assert code in ("shape.extra_forbidden", "shape.string_unicode")
        sentence.encode()
