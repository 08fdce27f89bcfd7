"""Every rule has a code and a sentence of its own, the same for form, command line, API and run."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest

from exports import rules
from exports.catalogue import builtin
from exports.definition import parse
from exports.errors import DefinitionRefused, Problem
from exports.special import reading
from exports.surroundings import Segment
from tests.exports.test_special_rules import BROKEN as SPECIAL_BROKEN
from tests.exports.zoo import CATALOGUE

GOOD: dict[str, Any] = {
    "name": "Things",
    "model": "things",
    "timezone": "Europe/Budapest",
    "filters": [[{"attribute": "name", "operator": "equals", "value": "x"}]],
    "fields": [{"from": "id"}, {"from": "name"}],
}


def found(document: dict[str, Any], **options: Any) -> list[Problem]:
    """All problems of a document, of its shape or of the rules."""
    try:
        return rules.problems(parse(document), CATALOGUE, **options)
    except DefinitionRefused as refused:
        return refused.problems


def changed(**members: Any) -> dict[str, Any]:
    """The good definition with other members."""
    return {**copy.deepcopy(GOOD), **members}


def criterion(attribute: str, operator: str, *value: Any) -> dict[str, Any]:
    """The good definition with this criterion."""
    one = {"attribute": attribute, "operator": operator, **({"value": value[0]} if value else {})}
    return changed(filters=[[one]])


def test_a_good_definition_has_no_problem() -> None:
    assert found(GOOD) == []
    rules.refuse(rules.problems(parse(GOOD), CATALOGUE))


def _asks_for(id: str) -> dict[str, Any]:
    return {"attribute": "segments", "operator": "in_segment", "value": {"ids": [id]}}


FILTERS: dict[str, Any] = {
    "known": [[{"attribute": "name", "operator": "is_empty"}]],
    "around": [[_asks_for("known"), _asks_for("back")]],
    "back": [[_asks_for("around")]],
    "selfish": [[_asks_for("selfish")]],
    "outer": [[_asks_for("former")]],
    "outermost": [[_asks_for("broken")]],
    "broken": [[{"attribute": "nothing", "operator": "is_empty"}]],
    "shapeless": {"a": 1},
}
SEGMENTS = {
    id: Segment.read(id, id.capitalize(), "active" if id in ("known", "broken") else "inactive", filters)
    for id, filters in FILTERS.items()
}
F = "filters.0.0"
BROKEN = [
    # Data model, Localization
    (changed(model="nothing"), "model", "model.unknown", "There is no data model nothing: choose one from the list"),
    (changed(name=" "), "name", "name.empty", "Enter a name"),
    (changed(name="\u200b\u2060"), "name", "name.empty", "Enter a name"),
    (changed(name="a\u2028b"), "name", "name.control",
     "The name must not hold line breaks or other control characters"),
    (changed(timezone="Mars"), "timezone", "timezone.unknown", "Choose a time zone from the list"),
    # Filters
    (changed(filters=[]), "filters", "filters.none", "Add at least one criterion"),
    (changed(filters=[[]]), "filters", "filters.none", "Add at least one criterion"),
    (changed(filters=[GOOD["filters"][0], []]), "filters.1", "filters.empty_set",
     "Add a criterion to this set, or remove the set"),
    (changed(filters=[GOOD["filters"][0] * 101]), "filters", "filters.too_many", "At most 100 criteria"),
    (changed(filters=GOOD["filters"] * 2000), "filters", "filters.too_many", "At most 100 criteria"),
    (criterion("nothing", "equals", "x"), f"{F}.attribute", "attribute.unknown", "Things has no attribute nothing"),
    (criterion("name", "between", [1, 2]), f"{F}.operator", "operator.unknown", "Name has no operator between"),
    (criterion("name", "equals", ""), f"{F}.value", "value.unreadable", "Enter a text for Name"),
    (criterion("name", "equals", 5), f"{F}.value", "value.unreadable", "Enter a text for Name"),
    (criterion("name", "equals"), f"{F}.value", "value.unreadable", "Enter a text for Name"),
    (criterion("name", "equals", "x" * 1001), f"{F}.value", "value.too_long", "A value has at most 1,000 characters"),
    (criterion("name", "is_empty", "x"), f"{F}.value", "value.unneeded", "is empty takes no value: leave it out"),
    (criterion("name", "in", "x"), f"{F}.value", "value.list", "Name needs a list of values"),
    (criterion("name", "in", []), f"{F}.value", "value.empty_list", "Enter at least one value for Name"),
    (criterion("name", "in", ["x"] * 1001), f"{F}.value", "value.list_too_long", "A list has at most 1,000 values"),
    (criterion("name", "in", ["x", ""]), f"{F}.value.1", "value.unreadable", "Enter a text for Name"),
    (criterion("kind", "equals", "d"), f"{F}.value", "value.choice", "d is no choice of Kind"),
    (criterion("count", "equals", "1.5"), f"{F}.value", "value.unreadable", "Enter a whole number for Count"),
    (criterion("amount", "equals", "1,5"), f"{F}.value", "value.unreadable",
     "Enter a number for Amount, such as 12 or 12.50"),
    (criterion("count", "between", [5]), f"{F}.value", "value.range", "Count needs two values: from and to"),
    (criterion("count", "between", [None, None]), f"{F}.value", "value.range",
     "Enter a first or a last value for Count"),
    (criterion("count", "between", [20, 10]), f"{F}.value", "value.order",
     "The first value must not be greater than the second"),
    (criterion("count", "between", [5, 5.5]), f"{F}.value.1", "value.unreadable", "Enter a whole number for Count"),
    (criterion("day", "in_date", ["2017-02-02", "2017-02-01"]), f"{F}.value", "value.order",
     "The first value must not be greater than the second"),
    (criterion("at", "in_date", ["2017-02-02", "2017-02-01 10:00"]), f"{F}.value", "value.order",
     "The first value must not be greater than the second"),
    (criterion("flag", "equals", "yes"), f"{F}.value", "value.unreadable", "Choose Yes or No for Flag"),
    (criterion("day", "equals", "2017-02-30"), f"{F}.value", "value.unreadable",
     "2017-02-30 is not a day of the calendar"),
    (criterion("day", "equals", "2017-02-03 10:00"), f"{F}.value", "value.unreadable",
     "Enter a date for Day, such as 2017-01-31 or date: -3 months"),
    (criterion("at", "equals", "soon"), f"{F}.value", "value.unreadable",
     "Enter a date or a time for At, such as 2017-01-31, 2017-01-31 08:30 or date: -3 months"),
    (criterion("at", "equals", "2017-01-31 25:00"), f"{F}.value", "value.unreadable",
     "2017-01-31 25:00 is not a time of the calendar"),
    (criterion("segments", "in_segment", {"ids": []}), f"{F}.value.ids", "value.none_chosen",
     "Choose at least one segment"),
    (criterion("segments", "in_segment", ["a"]), f"{F}.value", "value.shape",
     'Segments are given as {"ids": [...]}'),
    (criterion("segments", "in_segment", {"ids": ["other"]}), f"{F}.value.ids.0", "segment.unknown",
     "There is no segment other"),
    (criterion("segments", "not_in_segment", {"ids": ["known", "around"]}), f"{F}.value.ids.1", "segment.circle",
     "The segment Around asks for itself, through Back. Have the segment corrected, or choose another one."),
    (criterion("segments", "in_segment", {"ids": ["selfish"]}), f"{F}.value.ids.0", "segment.circle",
     "The segment Selfish asks for itself. Have the segment corrected, or choose another one."),
    (criterion("segments", "in_segment", {"ids": ["shapeless"]}), f"{F}.value.ids.0", "segment.unusable",
     "The segment Shapeless has a filter that cannot be read. Have the segment corrected, or choose another one."),
    (criterion("segments", "in_segment", {"ids": ["outer"]}), f"{F}.value.ids.0", "segment.unknown",
     "The segment Outer asks for the segment former, which is archived, a draft or gone. "
     "Have the segment corrected, or choose another one."),
    (criterion("segments", "in_segment", {"ids": ["outermost"]}), f"{F}.value.ids.0", "segment.unusable",
     "The segment Broken, which the segment Outermost asks for, has a filter that cannot be used: Things has no "
     "attribute nothing. Have the segment corrected, or choose another one."),
    # Field settings
    (changed(fields=[{"from": "id"}, {"from": "segments"}]), "fields.1.from", "segment.unusable",
     "The segment Broken has a filter that cannot be used: Things has no attribute nothing. "
     "Have the segment corrected or archived, or leave Segments out."),
    (changed(fields=[], all_fields=True), "all_fields", "segment.unusable",
     "The segment Broken has a filter that cannot be used: Things has no attribute nothing. "
     "Have the segment corrected or archived, or choose fields in place of All fields."),
    (changed(fields=[]), "fields", "fields.none", "Choose at least one field, or All fields"),
    (changed(all_fields=True), "fields", "fields.both",
     "All fields stands for every field: leave the list of fields out"),
    (changed(fields=[{"from": "nothing"}]), "fields.0.from", "field.unknown", "Things has no field nothing"),
    (changed(fields=[{"from": "id", "replace": [{"value": "", "new": "x"}]}]), "fields.0.replace.0.value",
     "replace.empty", "An empty value cannot be replaced: use Default"),
    (changed(fields=[{"from": "id", "replace": [{"value": "a", "new": "x"}, {"value": "a", "new": "y"}]}]),
     "fields.0.replace.1.value", "replace.twice", "a is replaced twice: keep one of them"),
    (changed(fields=[{"from": "id", "to": str(n), "replace": [{"value": str(m), "new": ""} for m in range(500)]}
                     for n in range(5)]), "fields", "replace.too_many",
     "At most 2,000 values to replace in all fields"),
    (changed(fields=[{"from": "id", "to": str(n), "default": "x" * 1000} for n in range(64)]), "definition",
     "values.too_large", "All values together have at most 64,000 bytes"),
    (changed(fields=[{"from": "id"}, {"from": "name", "to": "id"}], file={"extension": "json"}), "fields.1.to",
     "header.twice", "Two columns are called id: rename one"),
    # File
    (changed(file={"delimiter": "a"}), "file.delimiter", "file.delimiter",
     "The delimiter is a comma, semicolon, tab, pipe, space, or one other printable ASCII character that is no letter, "
     "no digit and none of \" ' \\ . + -"),
    (changed(file={"extension": "psv", "delimiter": ","}), "file.delimiter", "file.option",
     "A .psv file has no delimiter: leave it out"),
    (changed(file={"extension": "json", "protect_spreadsheets": True}), "file.protect_spreadsheets", "file.option",
     "A .json file has no protect spreadsheets: leave it out"),
    (changed(file={"extension": "jsonl", "header": False}), "file.header", "file.option",
     "A .jsonl file has no header: leave it out"),
    (changed(file={"enclosure": None}, fields=[{"from": "id"}, {"from": "name", "to": "a,b"}]), "fields.1.to",
     "header.enclosure", "The header a,b holds the delimiter or a line end: choose an enclosure"),
]  # fmt: skip


@pytest.mark.parametrize(("document", "at", "code", "message"), BROKEN, ids=[f"{row[2]} {row[1]}" for row in BROKEN])
def test_a_broken_rule_is_told_in_its_own_words(document: dict[str, Any], at: str, code: str, message: str) -> None:
    assert found(document, segments=SEGMENTS) == [Problem(at, code, message)]
    with pytest.raises(DefinitionRefused) as refused:
        rules.refuse(rules.problems(parse(document), CATALOGUE, segments=SEGMENTS))
    assert refused.value.problems == [Problem(at, code, message)]


WARNED = [
    (changed(fields=[{"from": "id"}, {"from": "name", "to": "id"}]), "fields.1.to", "header.twice",
     "Two columns are called id: the file will have both"),
    (changed(fields=[{"from": "id"}], file={"enclosure": None}), "file.enclosure", "file.one_column",
     "With one field and no enclosure the run stops if a value is empty"),
]  # fmt: skip


@pytest.mark.parametrize(("document", "at", "code", "message"), WARNED)
def test_a_warning_stops_nothing(document: dict[str, Any], at: str, code: str, message: str) -> None:
    assert found(document) == [Problem(at, code, message, warning=True)]
    rules.refuse(rules.problems(parse(document), CATALOGUE))


def test_every_code_of_the_rules_is_tested() -> None:
    import re

    sources = [
        Path(rules.__file__),
        Path(rules.__file__).with_name("criteria.py"),
        Path(rules.__file__).with_name("values.py"),
        Path(reading.__file__),
    ]
    codes = {code for file in sources for code in re.findall(r'"((?:[a-z]+)\.(?:[a-z_]+))"', file.read_text())}
    places = {"file.extension", "file.enclosure"}
    special = {row[4] for row in SPECIAL_BROKEN}
    assert codes - {row[2] for row in (*BROKEN, *WARNED)} - special - places == {"file.json_only"}


def test_challenges_come_as_json_only() -> None:
    filters = [[{"attribute": "id", "operator": "is_not_empty"}]]
    base = {"name": "x", "model": "challenges", "timezone": "UTC", "filters": filters, "all_fields": True}
    assert rules.problems(parse(base), builtin()) == []
    for extension in ("csv", "psv", "jsonl"):
        told = rules.problems(parse({**base, "file": {"extension": extension}}), builtin())
        assert told == [Problem("file.extension", "file.json_only", "Challenges can only be exported as .json")]


def test_a_name_keeps_its_characters_and_loses_the_spaces_around_it() -> None:
    assert parse(changed(name="  name  trailing ")).name == "name  trailing"


# --- numbers


def errors(document: dict[str, Any]) -> list[Problem]:
    """What stops it."""
    return [one for one in found(document) if not one.warning]


@pytest.mark.parametrize("number", ["0", "-5", "5.0000000001", 5, 5.5, "999999999999999999", 1e-7, -0.0])
def test_numbers_that_are_numbers(number: Any) -> None:
    assert errors(criterion("amount", "equals", number)) == []


@pytest.mark.parametrize("number", [float("nan"), float("inf"), True, None, [], {}, 1e300, 1e-11])
def test_json_values_that_are_no_numbers(number: Any) -> None:
    assert [one.at for one in errors(criterion("amount", "equals", number))] == [f"{F}.value"]
