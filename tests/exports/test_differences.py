"""Two definitions, and what is different between them in words."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exports.catalogue import builtin
from exports.definition import Column, Definition, File, parse
from exports.differences import COLUMN_MEMBERS, FILE_MEMBERS, MEMBERS, differences
from tests.definitions import definitions

MODEL = builtin().models["events"]
BASE: dict[str, Any] = {
    "name": "Coupon use",
    "model": "events",
    "timezone": "Europe/Budapest",
    "filters": [
        [
            {"attribute": "action", "operator": "equals", "value": "checkout_item"},
            {"attribute": "points", "operator": "gte", "value": 10},
        ]
    ],
    "fields": [
        {"from": "customer", "to": "Who"},
        {"from": "points", "to": "Total", "default": "0"},
        {"from": "action"},
    ],
    "schedule": {"type": "repeated", "every": "day", "hours": "1", "minutes": "0"},
}
A, B = BASE["filters"][0]
WHO, TOTAL, ACTION = BASE["fields"]


def told(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    """The sentences; what is not named is as in BASE."""
    return differences(parse({**BASE, **before}), parse({**BASE, **after}), MODEL)


@pytest.mark.parametrize(
    ("changes", "sentences"),
    [
        ({"name": "Coupons"}, ["Name: Coupon use → Coupons"]),
        ({"timezone": "UTC"}, ["Time zone: Europe/Budapest → UTC"]),
        ({"filters": [[A]]}, ["Criterion removed: Points is at least 10"]),
        (
            {"filters": [[A, B, {"attribute": "points", "operator": "lt", "value": 99}]]},
            ["Criterion added: Points is less than 99"],
        ),
        ({"filters": [[A, {**B, "value": 20}]]}, ["Criterion changed: Points is at least 10 → Points is at least 20"]),
        (
            {"filters": [[A, {**B, "value": "10"}]]},
            ["Criterion Points is at least 10 is written differently, and reads the same"],
        ),
        ({"filters": [[B, A]]}, ["The order of the criteria is different"]),
        ({"filters": [[A, B], [A]]}, ["Set B added: Action equals Checkout item"]),
        (
            {"filters": [[A], [B]]},
            ["Set A: criterion removed: Points is at least 10", "Set B added: Points is at least 10"],
        ),
        ({"fields": [WHO, {**TOTAL, "to": "Sum"}, ACTION]}, ["Column Total renamed to Sum"]),
        ({"fields": [WHO, TOTAL]}, ["Column removed: action"]),
        ({"fields": [TOTAL]}, ["Columns removed: Who (customer), action"]),
        ({"fields": [WHO, TOTAL, ACTION, {"from": "points", "to": "Again"}]}, ["Column added: Again (points)"]),
        ({"fields": [TOTAL, WHO, ACTION]}, ["Order of the columns: Total, Who, action"]),
        ({"fields": [WHO, {**TOTAL, "default": ""}, ACTION]}, ["Default of Total: “0” → none"]),
        (
            {"fields": [WHO, TOTAL, {**ACTION, "replace": [{"value": "a", "new": "1"}, {"value": "b", "new": ""}]}]},
            ["Replace values of action: added a → 1, b → none"],
        ),
        (
            {"fields": [], "all_fields": True},
            ["All fields: off → on", "Columns removed: Who (customer), Total (points), action"],
        ),
        ({"file": {"delimiter": ";", "bom": True}}, ["Delimiter: comma → semicolon", "UTF-8 with BOM: off → on"]),
        (
            {"file": {"extension": "json"}},
            ['File: .csv, comma, enclosure ", LF, header, UTF-8, spreadsheets protected → .json, UTF-8'],
        ),
        (
            {"schedule": {**BASE["schedule"], "hours": "1,13"}},
            ["Scheduling: Every day at 01:00 UTC → Every day at 01:00 and 13:00 UTC"],
        ),
        ({"schedule": {**BASE["schedule"], "hours": "01"}}, ["Scheduling is written differently, and reads the same"]),
    ],
    ids=lambda one: json.dumps(one)[:60] if isinstance(one, dict) else None,
)
def test_each_difference_is_told_in_its_own_words(changes: dict[str, Any], sentences: list[str]) -> None:
    assert told({}, changes) == sentences


def test_a_method_and_the_pairs_of_a_column_are_told() -> None:
    pairs = [{"value": "a", "new": "1"}, {"value": "b", "new": "2"}]
    before = {**TOTAL, "aggregation": "sum", "replace": pairs}
    after = {**TOTAL, "aggregation": "average", "replace": [{"value": "a", "new": "9"}]}
    both = [{"aggregation": True, "fields": [one]} for one in (before, after)]
    assert told(*both) == [
        "Replace values of Total: removed b → 2",
        "Replace values of Total: changed a → 9",
        "Aggregation of Total: Sum → Average",
    ]
    assert told(both[0], {**both[0], "fields": [{**before, "replace": pairs[::-1]}]}) == [
        "Replace values of Total: in another order"
    ]


def test_every_member_of_a_definition_has_its_words() -> None:
    """A member that is added to the shape and not here would be changed in silence."""
    assert set(MEMBERS) == set(Definition.model_fields)
    assert set(COLUMN_MEMBERS) == set(Column.model_fields) - {"from_"}
    assert set(FILE_MEMBERS) == set(File.model_fields)


@settings(max_examples=120)
@given(definitions())
def test_a_definition_is_no_different_from_itself(definition: Definition) -> None:
    assert differences(definition, parse(definition.as_json())) == []


@settings(max_examples=150)
@given(definitions(), definitions(), st.sampled_from(sorted(Definition.model_fields)))
def test_what_is_different_is_always_told(one: Definition, other: Definition, member: str) -> None:
    changed = one.model_copy(update={member: getattr(other, member)})
    assert bool(differences(one, changed)) is (one != changed)
    assert all(sentence.strip() and "\n" not in sentence[:1] for sentence in differences(one, other))


def test_a_long_list_is_named_in_part_and_counted() -> None:
    many = [{"from": "points", "to": f"P{number}"} for number in range(400)]
    (sentence,) = told({}, {"fields": [WHO, TOTAL, ACTION, *many]})
    assert sentence.startswith("Columns added: P0 (points), P1 (points), ")
    assert sentence.endswith("P19 (points) and 380 more")


def test_the_page_about_exports_names_no_sentence_that_is_not_told() -> None:
    assert "Column Total renamed to Sum" in (Path(__file__).parents[2] / "docs/exports.md").read_text()
