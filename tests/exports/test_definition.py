"""A definition: its shape, its defaults, and what is refused with which words."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exports import definition
from exports.errors import DefinitionRefused

EXAMPLE = {
    "name": "Coupon use 2017",
    "model": "events",
    "timezone": "Europe/Budapest",
    "filters": [
        [{"attribute": "action", "operator": "equals", "value": "checkout_item"}],
        [{"attribute": "points", "operator": "between", "value": [10, 20]}],
    ],
    "fields": [{"from": "customer", "to": "Customer ID", "replace": [{"value": "1", "new": "one"}]}],
}

texts = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=40)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)
criteria = st.fixed_dictionaries({"attribute": texts, "operator": texts}, optional={"value": values})
columns = st.fixed_dictionaries(
    {"from": texts},
    optional={
        "to": texts,
        "default": texts,
        "aggregation": st.sampled_from([None, "group", "count", "sum", "average", "min", "max"]),
        "replace": st.lists(st.fixed_dictionaries({"value": texts, "new": texts}), max_size=3),
    },
)
documents = st.fixed_dictionaries(
    {"name": texts, "model": texts, "timezone": texts},
    optional={
        "filters": st.lists(st.lists(criteria, max_size=3), max_size=3),
        "fields": st.lists(columns, max_size=3),
        "all_fields": st.booleans(),
        "aggregation": st.booleans(),
        "file": st.fixed_dictionaries(
            {"extension": st.sampled_from(["csv", "psv", "json", "jsonl"])}, optional={"bom": st.booleans()}
        ),
    },
)


def problems(document: object) -> list[tuple[str, str]]:
    """Where and what: the problems that a document is refused with."""
    with pytest.raises(DefinitionRefused) as refused:
        definition.parse(document)
    return [(one.at, one.message) for one in refused.value.problems]


@given(documents)
def test_what_is_stored_reads_back_as_the_same_definition(document: dict) -> None:
    once = definition.parse(document)
    stored = json.loads(json.dumps(once.as_json()))
    assert definition.parse(stored) == once
    assert definition.parse(stored).as_json() == once.as_json()


def test_a_field_left_out_has_the_default_that_the_wizard_has() -> None:
    parsed = definition.parse(EXAMPLE)
    assert (parsed.file.extension, parsed.file.delimiter, parsed.file.enclosure) == ("csv", ",", '"')
    assert parsed.file.header
    assert parsed.file.protect_spreadsheets, "people open downloads in spreadsheets"
    assert parsed.schedule.type == "now"
    assert parsed.target.type == "none"
    assert parsed.fields[0].header == "Customer ID"


@pytest.mark.parametrize(
    ("extension", "delimiter", "enclosure"), [("psv", "|", '"'), ("json", None, None), ("jsonl", None, None)]
)
def test_the_extension_gives_the_other_options_their_values(extension: str, delimiter: str, enclosure: str) -> None:
    file = definition.parse({**EXAMPLE, "file": {"extension": extension}}).file
    assert (file.delimiter, file.enclosure) == (delimiter, enclosure)


def test_challenges_are_json_unless_something_else_is_asked_for() -> None:
    assert definition.parse({**EXAMPLE, "model": "challenges"}).file.extension == "json"
    assert definition.parse({**EXAMPLE, "model": "challenges", "file": {"extension": "csv"}}).file.extension == "csv"


def test_a_value_left_out_and_a_value_null_stay_apart() -> None:
    empty = {"attribute": "points", "operator": "is_empty"}
    null = {"attribute": "points", "operator": "anniversary", "value": None}
    kept = definition.parse({**EXAMPLE, "filters": [[empty, null]]}).as_json()["filters"][0]
    assert "value" not in kept[0]
    assert kept[1]["value"] is None


def test_every_problem_is_named_with_its_place() -> None:
    found = problems(
        {
            "name": "x" * 201,
            "model": "events",
            "timezone": "UTC",
            "colour": "red",
            "fields": [{"from": "a", "to": "t" * 201}, {"from": "b", "aggregation": "median"}],
            "filters": {},
        }
    )
    assert ("name", "The name is longer than 200 characters") in found
    assert ("colour", "colour is not known here: take it out") in found
    assert ("fields.0.to", "To is longer than 200 characters") in found
    methods = "'group', 'count', 'sum', 'average', 'min' or 'max'"
    assert ("fields.1.aggregation", f"Aggregation must be one of {methods}") in found
    assert ("filters", "filters must be a list") in found


@pytest.mark.parametrize(
    "text", ["[", "", "{'a': 1}", "[" * 100_000, '{"name": NaN}', '{"name": "a", "name": "b"}', '"x"', "null"]
)
def test_what_is_no_json_is_refused_as_a_whole(text: str) -> None:
    assert problems(text)[0][0] == "definition"


@pytest.mark.parametrize("text", ["a\x00b", "\ud800"])
def test_what_the_database_cannot_hold_is_refused(text: str) -> None:
    assert problems({**EXAMPLE, "name": text})[0][0] == "name"
    assert problems({**EXAMPLE, "fields": [{"from": "a", "default": text}]})[0][0] == "fields.0.default"


@pytest.mark.parametrize("value", ["1", 1, "true", None])
def test_text_is_not_taken_for_a_truth_value(value: object) -> None:
    assert problems({**EXAMPLE, "all_fields": value})[0][0] == "all_fields"


def test_the_published_schema_is_the_one_of_the_code() -> None:
    published = json.loads(Path("docs/definition.schema.json").read_text())
    assert published == definition.json_schema()
